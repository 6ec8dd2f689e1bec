/*
 * Produce bodies, see body.h. Reading is one quick pass that only says no; what was wrong is found by
 * explain.c, in the order and words of the Proxy. Then come an empty list, formats with schemas, base64
 * and partitions, in the Proxy's order (s3-sink-and-rest-proxy.md §4.1).
 */
#include "connectors/rest/body.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connectors/rest/base64.h"
#include "connectors/rest/explain.h"
#include "connectors/rest/request.h"

struct parser {
    const char *at, *end;
    const struct sluice_host *host;
    struct sluice_batch *batch;
    struct rest_body *body;
    struct rest_fault *fault;
};

void rest_body_init(struct rest_body *body, size_t max)
{
    *body = (struct rest_body){.max = max};
}

void rest_body_finish(struct rest_body *body)
{
    free(body->records);
    *body = (struct rest_body){0};
}

/* -- lexical -- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static void skip_blanks(struct parser *parser)
{
    while (parser->at < parser->end && is_blank(*parser->at)) {
        parser->at++;
    }
}

/* The fault that stands where explain.c finds none: then we are stricter than Jackson. */
static int malformed(struct parser *parser)
{
    return rest_fault_set(parser->fault, 400, 400, "Malformed JSON");
}

/* Checks and takes the value at the cursor. JSON null gives NULL. */
static int parse_value(struct parser *parser, const struct sluice_value **ret_value)
{
    const struct sluice_data *data = parser->host->data;
    struct sluice_json_error error = {.size = sizeof(error)};
    struct sluice_value *value = NULL;
    *ret_value = NULL;
    if (parser->at == parser->end) {
        return malformed(parser);
    }
    if (data->from_json(parser->batch, parser->at, (size_t)(parser->end - parser->at),
                        SLUICE_JSON_STRICT | SLUICE_JSON_PREFIX | SLUICE_JSON_WIDE_INTEGERS, &value,
                        &error) != SLUICE_OK) {
        return rest_fault_set(parser->fault, 400, 400, "%s",
                              error.message[0] ? error.message : "Malformed JSON");
    }
    parser->at += error.offset;
    if (data->type(value) != SLUICE_NULL) {
        *ret_value = value;
    }
    return 0;
}

/* Takes `"name" :`; the name as a span, decoded where it has escapes. */
static int parse_name(struct parser *parser, struct sluice_span *ret_name)
{
    if (parser->at == parser->end || *parser->at != '"') {
        return malformed(parser);
    }
    const char *start = parser->at;
    const char *plain = start + 1;
    while (plain < parser->end && ((*plain >= 'a' && *plain <= 'z') || *plain == '_')) {
        plain++;
    }
    if (plain < parser->end && *plain == '"') {
        *ret_name = (struct sluice_span){start + 1, (size_t)(plain - start) - 1};
        parser->at = plain + 1;
    } else {
        const struct sluice_value *name;
        if (parse_value(parser, &name) != 0) {
            return -1;
        }
        *ret_name = parser->host->data->text(name);
    }
    skip_blanks(parser);
    if (parser->at == parser->end || *parser->at != ':') {
        return malformed(parser);
    }
    parser->at++;
    skip_blanks(parser);
    return 0;
}

static bool is_name(struct sluice_span name, const char *text)
{
    return name.size == strlen(text) && memcmp(name.data, text, name.size) == 0;
}

/* After a member: 1 where another follows (cursor at it), 0 at the end (cursor behind it). */
static int next_member(struct parser *parser, char close)
{
    skip_blanks(parser);
    if (parser->at < parser->end && *parser->at == ',') {
        parser->at++;
        skip_blanks(parser);
        return 1;
    }
    if (parser->at < parser->end && *parser->at == close) {
        parser->at++;
        return 0;
    }
    return malformed(parser);
}

/* -- types -- */

/* Java's Integer as Jackson reads it: numbers are cut to whole ones, texts parsed, "" is null. */
static int parse_integer(struct parser *parser, int32_t *ret, bool *ret_null)
{
    const struct sluice_data *data = parser->host->data;
    const struct sluice_value *value;
    if (parse_value(parser, &value) != 0) {
        return -1;
    }
    enum sluice_type type = value ? data->type(value) : SLUICE_NULL;
    double number = 0;
    *ret_null = type == SLUICE_NULL;
    if (type == SLUICE_INT64) {
        /* One with more digits is held otherwise: its text says how large it is. */
        struct sluice_span text = data->to_json(parser->batch, value);
        number = text.size > 12 ? 1e300 : (double)data->integer(value);
    } else if (type == SLUICE_FLOAT64 || type == SLUICE_FLOAT32) {
        number = data->real(value);
    } else if (type == SLUICE_STRING) {
        struct sluice_span text = data->text(value);
        char copy[24], *rest;
        while (text.size > 0 && is_blank(text.data[0])) {
            text.data++;
            text.size--;
        }
        while (text.size > 0 && is_blank(text.data[text.size - 1])) {
            text.size--;
        }
        *ret_null = text.size == 0 || is_name(text, "null");
        size_t size = text.size < sizeof(copy) ? text.size : 0;
        memcpy(copy, text.data, size);
        copy[size] = '\0';
        number = (double)strtoll(copy, &rest, 10);
        if (!*ret_null && (size == 0 || rest != copy + size || memchr(copy, ' ', size))) {
            return malformed(parser);
        }
    } else if (type != SLUICE_NULL) {
        return malformed(parser);
    }
    if (!(number > INT32_MIN - 1.0 && number < INT32_MAX + 1.0)) {
        return malformed(parser);
    }
    *ret = (int32_t)number;
    return 0;
}

/* -- envelope -- */

static struct rest_record *add_record(struct parser *parser)
{
    struct rest_body *body = parser->body;
    if (body->count == body->max) {
        /* invariant 5: what a request may cost is bounded by its records as well as by its bytes */
        (void)rest_fault_set(parser->fault, 413, 413,
                             "The request has more than %zu records (sluice.http.records.max)",
                             body->max);
        return NULL;
    }
    if (body->count == body->capacity) {
        size_t capacity = body->capacity ? body->capacity * 2 : 128;
        struct rest_record *records = realloc(body->records, capacity * sizeof(*records));
        if (!records) {
            (void)rest_fault_set(parser->fault, 500, 500, "Out of memory");
            return NULL;
        }
        body->records = records;
        body->capacity = capacity;
    }
    struct rest_record *record = &body->records[body->count++];
    *record = (struct rest_record){.partition = -1};
    return record;
}

static int parse_record(struct parser *parser)
{
    if (parser->at == parser->end || *parser->at != '{') {
        return malformed(parser);
    }
    struct rest_record *record = add_record(parser);
    if (!record) {
        return -1;
    }
    parser->at++;
    skip_blanks(parser);
    int more = 1;
    if (parser->at < parser->end && *parser->at == '}') {
        parser->at++;
        more = 0;
    }
    while (more > 0) {
        struct sluice_span name;
        if (parse_name(parser, &name) != 0) {
            return -1;
        }
        int result;
        if (is_name(name, "value")) {
            result = parse_value(parser, &record->value);
        } else if (is_name(name, "key")) {
            result = parse_value(parser, &record->key);
        } else if (is_name(name, "partition")) {
            bool null = false;
            result = parse_integer(parser, &record->partition, &null);
            if (result == 0 && (null || record->partition < 0)) {
                record->partition = null ? -1 : REST_NEGATIVE;
            }
        } else {
            result = malformed(parser);
        }
        more = result != 0 ? -1 : next_member(parser, '}');
    }
    return more;
}

static int parse_records(struct parser *parser)
{
    parser->body->count = 0; /* of two `records` the last one counts */
    if (parser->at == parser->end || *parser->at != '[') {
        const struct sluice_value *value;
        if (parse_value(parser, &value) != 0) {
            return -1;
        }
        return value ? malformed(parser) : 0;
    }
    parser->at++;
    skip_blanks(parser);
    if (parser->at < parser->end && *parser->at == ']') {
        parser->at++;
        return 0;
    }
    int more = 1;
    while (more > 0) {
        more = parse_record(parser) != 0 ? -1 : next_member(parser, ']');
    }
    return more;
}

static int parse_schema_text(struct parser *parser, bool *ret_given)
{
    const struct sluice_value *value;
    if (parse_value(parser, &value) != 0) {
        return -1;
    }
    enum sluice_type type = value ? parser->host->data->type(value) : SLUICE_NULL;
    *ret_given = value != NULL;
    return type == SLUICE_MAP || type == SLUICE_ARRAY ? malformed(parser) : 0;
}

/* 1: there was a request; 0: nothing or null. *ret_schema: it names a schema. */
static int parse_envelope(struct parser *parser, bool *ret_schema)
{
    skip_blanks(parser);
    if (parser->at == parser->end) {
        return 0;
    }
    if (*parser->at != '{') {
        const struct sluice_value *value;
        if (parse_value(parser, &value) != 0) {
            return -1;
        }
        return value ? malformed(parser) : 0;
    }
    parser->at++;
    skip_blanks(parser);
    if (parser->at < parser->end && *parser->at == '}') {
        parser->at++;
        return 1;
    }
    int more = 1;
    while (more > 0) {
        struct sluice_span name;
        if (parse_name(parser, &name) != 0) {
            return -1;
        }
        int result;
        bool given = false;
        if (is_name(name, "records")) {
            result = parse_records(parser);
        } else if (is_name(name, "key_schema") || is_name(name, "value_schema")) {
            result = parse_schema_text(parser, &given); /* taken and not used, without a schema format */
        } else if (is_name(name, "key_schema_id") || is_name(name, "value_schema_id")) {
            int32_t id;
            bool null = true;
            result = parse_integer(parser, &id, &null);
            given = !null;
        } else {
            result = malformed(parser);
        }
        *ret_schema = *ret_schema || given;
        more = result != 0 ? -1 : next_member(parser, '}');
    }
    return more == 0 ? 1 : -1;
}

/* -- binary -- */

static int decode(struct parser *parser, const struct sluice_value **value)
{
    const struct sluice_data *data = parser->host->data;
    if (!*value) {
        return 0;
    }
    bool text = data->type(*value) == SLUICE_STRING;
    if (text) {
        struct sluice_span from = data->text(*value);
        size_t size = 0;
        char *bytes = parser->host->records->alloc(parser->batch, REST_BASE64_MAX(from.size));
        if (rest_base64_decode(from.data, from.size, bytes, &size) == 0) {
            *value = data->new_bytes_view(parser->batch, bytes, size);
            return 0;
        }
    }
    /* As JsonNode.toString(): beyond ASCII characters stay what they are. */
    struct buffer shown = {.max = 4 * REST_MESSAGE_MAX};
    struct sluice_span from = text ? data->text(*value) : data->to_json(parser->batch, *value);
    char cut[REST_MESSAGE_MAX];
    (void)snprintf(cut, sizeof(cut), "%.*s", (int)from.size, from.data);
    if (text) {
        rest_append_json(&shown, cut);
    }
    (void)rest_fault_set(parser->fault, 400, 400, "Bad Request: data=%s is not a %sbase64 string.",
                         text ? shown.data : cut, text ? "valid " : "");
    buffer_finish(&shown);
    return -1;
}

/* Nothing but blanks may follow. */
static int check_end(struct parser *parser)
{
    skip_blanks(parser);
    return parser->at == parser->end ? 0 : malformed(parser);
}

/* What is found once the body is bound, before its records are looked at. */
static int validate(const struct rest_body *body, enum rest_format format, bool partitioned, bool bound,
                    bool schema, struct rest_fault *fault)
{
    static const char *const methods[] = {"produceJson", "produceBinary", "produceAvro",
                                          "produceJsonSchema", "produceProtobuf"};
    int argument = partitioned ? 3 : 2;
    if (!bound) {
        return rest_fault_set(fault, 422, 422, "%s.arg%d must not be null (was null)", methods[format],
                              argument);
    }
    if (body->count == 0) {
        return rest_fault_set(fault, 422, 422, "%s.arg%d.records must not be empty (was [])",
                              methods[format], argument);
    }
    if (format >= REST_FORMAT_AVRO && schema) {
        return rest_fault_set(fault, 422, REST_PAYLOAD,
                              "Payload error. Schema Registry must be configured when using schemas.");
    }
    if (format >= REST_FORMAT_AVRO) {
        return rest_fault_set(fault, 422, REST_SERIALIZATION,
                              "Error serializing message. Schema Registry not defined, no Schema "
                              "Registry client available to serialize message.");
    }
    return 0;
}

int rest_body_parse(struct rest_body *body, const struct sluice_host *host,
                    struct sluice_batch *batch, const char *text, size_t size,
                    enum rest_format format, bool partitioned, struct rest_fault *fault)
{
    struct parser parser = {
        .at = text,
        .end = text + size,
        .host = host,
        .batch = batch,
        .body = body,
        .fault = fault,
    };
    bool schema = false;
    body->count = 0;
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        parser.at += 3;
    }
    int bound = parse_envelope(&parser, &schema);
    if (bound < 0 || check_end(&parser) != 0) {
        if (fault->status == 400) {
            (void)rest_explain(text, size, fault);
        }
        return -1;
    }
    if (validate(body, format, partitioned, bound, schema, fault) != 0) {
        return -1;
    }
    for (size_t i = 0; i < body->count; i++) {
        struct rest_record *record = &body->records[i];
        if (format == REST_FORMAT_BINARY &&
            (decode(&parser, &record->key) != 0 || decode(&parser, &record->value) != 0)) {
            return -1;
        }
        if (record->partition == REST_NEGATIVE) {
            return rest_fault_status(fault, 500); /* ProducerRecord's constructor refuses it */
        }
    }
    return 0;
}
