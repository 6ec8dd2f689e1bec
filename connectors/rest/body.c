/*
 * Produce bodies, see body.h. Errors come in the order in which Jackson and the Proxy would find them
 * (s3-sink-and-rest-proxy.md §4.1): syntax and unknown fields while reading, then an empty list, then
 * base64. What follows the first JSON value is ignored, as the Proxy ignores it.
 */
#include "connectors/rest/body.h"

#include <stdlib.h>
#include <string.h>

#include "connectors/rest/base64.h"

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

/* The character at the cursor as Jackson names it; a UTF-8 sequence is shown whole. */
static int unexpected(struct parser *parser, const char *expected)
{
    if (parser->at == parser->end) {
        return rest_fault_set(parser->fault, 400, 400, "Unexpected end-of-input: %s", expected);
    }
    const unsigned char *at = (const unsigned char *)parser->at;
    size_t left = (size_t)(parser->end - parser->at);
    unsigned code = at[0];
    size_t size = 1;
    if (code >= 0xf0 && left >= 4) {
        code = (code & 7) << 18 | (at[1] & 63u) << 12 | (at[2] & 63u) << 6 | (at[3] & 63u);
        size = 4;
    } else if (code >= 0xe0 && left >= 3) {
        code = (code & 15) << 12 | (at[1] & 63u) << 6 | (at[2] & 63u);
        size = 3;
    } else if (code >= 0xc0 && left >= 2) {
        code = (code & 31) << 6 | (at[1] & 63u);
        size = 2;
    }
    for (size_t i = 1; i < size; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            code = at[0];
            size = 1;
        }
    }
    if ((size == 1 && code >= 0x80) || code < 0x20) {
        return rest_fault_set(parser->fault, 400, 400, "Unexpected character (code %u): %s", code,
                              expected);
    }
    return rest_fault_set(parser->fault, 400, 400, "Unexpected character ('%.*s' (code %u)): %s",
                          (int)size, parser->at, code, expected);
}

/* Checks and takes the value at the cursor. JSON null gives NULL. */
static int parse_value(struct parser *parser, const struct sluice_value **ret_value)
{
    const struct sluice_data *data = parser->host->data;
    struct sluice_json_error error = {.size = sizeof(error)};
    struct sluice_value *value = NULL;
    *ret_value = NULL;
    if (parser->at == parser->end || *parser->at == ',' || *parser->at == '}' || *parser->at == ']') {
        return unexpected(parser, "expected a valid value (JSON String, Number, Array, Object or "
                                  "token 'null', 'true' or 'false')");
    }
    if (data->from_json(parser->batch, parser->at, (size_t)(parser->end - parser->at),
                        SLUICE_JSON_STRICT | SLUICE_JSON_PREFIX, &value, &error) != SLUICE_OK) {
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
        return unexpected(parser, "was expecting double-quote to start field name");
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
        return unexpected(parser, "was expecting a colon to separate field name and value");
    }
    parser->at++;
    skip_blanks(parser);
    return 0;
}

static bool is_name(struct sluice_span name, const char *text)
{
    return name.size == strlen(text) && memcmp(name.data, text, name.size) == 0;
}

static int unrecognized(struct parser *parser, struct sluice_span name)
{
    return rest_fault_set(parser->fault, 422, 422, "Unrecognized field: %.*s",
                          (int)(name.size < 200 ? name.size : 200), name.data);
}

/* After a member: 1 where another follows (cursor at it), 0 at the end (cursor behind it). */
static int next_member(struct parser *parser, char close, const char *what)
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
    return unexpected(parser, what);
}

/* -- types -- */

/* A value of another type than the field's, in the words of Jackson as rest-utils passes them on. */
static int mismatch(struct parser *parser, const char *type, bool creator,
                    const struct sluice_value *value)
{
    const struct sluice_data *data = parser->host->data;
    enum sluice_type is = data->type(value);
    if (is == SLUICE_ARRAY || is == SLUICE_MAP) {
        return rest_fault_set(parser->fault, 400, 400,
                              "Cannot deserialize value of type `%s` from %s value (token "
                              "`JsonToken.START_%s`)",
                              type, is == SLUICE_ARRAY ? "Array" : "Object",
                              is == SLUICE_ARRAY ? "ARRAY" : "OBJECT");
    }
    struct sluice_span shown = data->to_text(parser->batch, value);
    int size = (int)(shown.size < 100 ? shown.size : 100);
    bool text = is == SLUICE_STRING, truth = is == SLUICE_BOOLEAN;
    if (creator) {
        return rest_fault_set(
            parser->fault, 400, 400,
            "Cannot construct instance of `%s` (although at least one Creator exists): no "
            "%s-argument constructor/factory method to deserialize from %s value (%s%.*s%s)",
            type, text ? "String" : truth ? "boolean/Boolean" : "int/Int",
            text ? "String" : truth ? "boolean" : "Number", text ? "'" : "", size, shown.data,
            text ? "'" : "");
    }
    const char *token = text                  ? "STRING"
                        : !truth              ? (is == SLUICE_FLOAT64 ? "NUMBER_FLOAT" : "NUMBER_INT")
                        : data->boolean(value) ? "TRUE"
                                              : "FALSE";
    return rest_fault_set(parser->fault, 400, 400,
                          "Cannot deserialize value of type `%s` from %s value (token "
                          "`JsonToken.VALUE_%s`)",
                          type, text ? "String" : truth ? "Boolean" : is == SLUICE_FLOAT64
                                                                          ? "Floating-point"
                                                                          : "Integer",
                          token);
}

/* Java's Integer as Jackson reads it: numbers are cut to whole ones, texts parsed, "" is null. */
static int parse_integer(struct parser *parser, int32_t *ret, bool *ret_null)
{
    const struct sluice_data *data = parser->host->data;
    const struct sluice_value *value;
    if (parse_value(parser, &value) != 0) {
        return -1;
    }
    *ret_null = value == NULL;
    enum sluice_type type = value ? data->type(value) : SLUICE_NULL;
    double number = 0;
    switch (type) {
    case SLUICE_NULL:
        *ret_null = true;
        return 0;
    case SLUICE_INT64:
        number = (double)data->integer(value);
        break;
    case SLUICE_FLOAT64:
    case SLUICE_FLOAT32:
        number = data->real(value);
        break;
    case SLUICE_STRING: {
        struct sluice_span text = data->text(value);
        char copy[24], *rest;
        while (text.size > 0 && is_blank(text.data[0])) {
            text.data++;
            text.size--;
        }
        while (text.size > 0 && is_blank(text.data[text.size - 1])) {
            text.size--;
        }
        if (text.size == 0) {
            *ret_null = true;
            return 0;
        }
        size_t size = text.size < sizeof(copy) ? text.size : sizeof(copy) - 1;
        memcpy(copy, text.data, size);
        copy[size] = '\0';
        number = (double)strtoll(copy, &rest, 10);
        if (*rest || text.size >= sizeof(copy) || memchr(copy, ' ', size) || number < INT32_MIN ||
            number > INT32_MAX) {
            return rest_fault_set(parser->fault, 400, 400,
                                  "Cannot deserialize value of type `Integer` from String \"%.*s\": "
                                  "not a valid `java.lang.Integer` value",
                                  (int)(text.size < 100 ? text.size : 100), text.data);
        }
        break;
    }
    default:
        return mismatch(parser, "Integer", false, value);
    }
    if (!(number >= INT32_MIN && number <= INT32_MAX)) {
        struct sluice_span shown = data->to_text(parser->batch, value);
        return rest_fault_set(parser->fault, 400, 400,
                              "Numeric value (%.*s) out of range of int (-2147483648 - 2147483647)",
                              (int)(shown.size < 100 ? shown.size : 100), shown.data);
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
        const struct sluice_value *value;
        if (parse_value(parser, &value) != 0) {
            return -1;
        }
        return value ? mismatch(parser, "ProduceRecord", true, value)
                     : rest_fault_set(parser->fault, 400, 400,
                                      "Cannot construct instance of `ProduceRequest`, problem: at "
                                      "index %zu", parser->body->count);
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
            if (result == 0 && null) {
                record->partition = -1;
            } else if (result == 0 && record->partition < 0) {
                result = rest_fault_set(parser->fault, 404, REST_PARTITION_NOT_FOUND,
                                        "Partition not found.");
            }
        } else {
            result = unrecognized(parser, name);
        }
        more = result != 0 ? -1
                           : next_member(parser, '}', "was expecting comma to separate Object entries");
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
        /* rest-utils shortens java.util.ArrayList<..ProduceRequest$ProduceRecord> to this. */
        return value ? mismatch(parser, "ProduceRecord>", false, value) : 0;
    }
    parser->at++;
    skip_blanks(parser);
    if (parser->at < parser->end && *parser->at == ']') {
        parser->at++;
        return 0;
    }
    int more = 1;
    while (more > 0) {
        more = parse_record(parser) != 0
                   ? -1
                   : next_member(parser, ']', "was expecting comma to separate Array entries");
    }
    return more;
}

static int parse_schema_text(struct parser *parser)
{
    const struct sluice_value *value;
    if (parse_value(parser, &value) != 0) {
        return -1;
    }
    enum sluice_type type = value ? parser->host->data->type(value) : SLUICE_NULL;
    return type == SLUICE_MAP || type == SLUICE_ARRAY ? mismatch(parser, "String", false, value) : 0;
}

/* 1: there was a request; 0: nothing or null. */
static int parse_envelope(struct parser *parser)
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
        return value ? mismatch(parser, "ProduceRequest", true, value) : 0;
    }
    parser->at++;
    skip_blanks(parser);
    if (parser->at < parser->end && *parser->at == '}') {
        return 1;
    }
    int more = 1;
    while (more > 0) {
        struct sluice_span name;
        if (parse_name(parser, &name) != 0) {
            return -1;
        }
        int result;
        if (is_name(name, "records")) {
            result = parse_records(parser);
        } else if (is_name(name, "key_schema") || is_name(name, "value_schema")) {
            result = parse_schema_text(parser); /* taken and not used, as for formats without schema */
        } else if (is_name(name, "key_schema_id") || is_name(name, "value_schema_id")) {
            int32_t id;
            bool null;
            result = parse_integer(parser, &id, &null);
        } else {
            result = unrecognized(parser, name);
        }
        more = result != 0 ? -1
                           : next_member(parser, '}', "was expecting comma to separate Object entries");
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
    struct sluice_span shown = data->to_json(parser->batch, *value);
    return rest_fault_set(parser->fault, 400, 400, "Bad Request: data=%.*s is not a %sbase64 string.",
                          (int)(shown.size < 300 ? shown.size : 300), shown.data,
                          text ? "valid " : "");
}

int rest_body_parse(struct rest_body *body, const struct sluice_host *host,
                    struct sluice_batch *batch, const char *text, size_t size, bool binary,
                    bool partitioned, struct rest_fault *fault)
{
    struct parser parser = {
        .at = text,
        .end = text + size,
        .host = host,
        .batch = batch,
        .body = body,
        .fault = fault,
    };
    body->count = 0;
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        parser.at += 3;
    }
    int result = parse_envelope(&parser);
    if (result < 0) {
        return -1;
    }
    const char *method = binary ? "produceBinary" : "produceJson";
    int argument = partitioned ? 3 : 2;
    if (result == 0) {
        return rest_fault_set(fault, 422, 422, "%s.arg%d must not be null (was null)", method,
                              argument);
    }
    if (body->count == 0) {
        return rest_fault_set(fault, 422, 422, "%s.arg%d.records must not be empty (was [])", method,
                              argument);
    }
    for (size_t i = 0; binary && i < body->count; i++) {
        if (decode(&parser, &body->records[i].key) != 0 ||
            decode(&parser, &body->records[i].value) != 0) {
            return -1;
        }
    }
    return 0;
}
