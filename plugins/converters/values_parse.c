/*
 * Values.parseString of Connect 3.9: finds out what a header's text stands for (kafka-connect.md §4.7).
 * What looks like an array or map but is none is a string, whole. [task thread]
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/java/digits.h"
#include "plugins/converters/big_decimal.h"
#include "plugins/converters/simple_header.h"

/** Tokens are delimiters, and what is between them; blank ones are stepped over by peeking. */
struct parser {
    struct simple_header *self;
    const struct sluice_data *data;
    struct sluice_batch *batch;
    struct sluice_span text;
    size_t at;
    struct sluice_span token; /* the next one, where it was looked at already */
    bool has_token;
    int depth;
    bool too_deep;
};

/* -- tokens -- */

static struct sluice_span trimmed(struct sluice_span text)
{
    while (text.size > 0 && (unsigned char)text.data[0] <= ' ') {
        text.data++;
        text.size--;
    }
    while (text.size > 0 && (unsigned char)text.data[text.size - 1] <= ' ') {
        text.size--;
    }
    return text;
}

static struct sluice_span take_token(struct parser *p)
{
    bool escaped = false;
    size_t start = p->at;
    for (; p->at < p->text.size; p->at++) {
        char c = p->text.data[p->at];
        if (c == '\\') {
            escaped = !escaped;
        } else if (!escaped && strchr(":,{}[]\"", c) && c != '\0') {
            if (p->at == start) {
                p->at++;
            }
            break;
        } else {
            escaped = false;
        }
    }
    return (struct sluice_span){p->text.data + start, p->at - start};
}

static bool has_next(const struct parser *p)
{
    return p->has_token || p->at < p->text.size;
}

static struct sluice_span next(struct parser *p)
{
    struct sluice_span token = p->has_token ? p->token : take_token(p);
    p->has_token = false;
    return token;
}

static bool can_consume(struct parser *p, const char *expected)
{
    if (!has_next(p)) {
        return false;
    }
    p->token = p->has_token ? p->token : take_token(p);
    p->has_token = true;
    while (trimmed(p->token).size == 0 && p->at < p->text.size) {
        p->token = take_token(p);
    }
    struct sluice_span token = trimmed(p->token);
    if (token.size == strlen(expected) && memcmp(token.data, expected, token.size) == 0) {
        p->has_token = false;
        return true;
    }
    return false;
}

static size_t mark(const struct parser *p)
{
    return p->at - (p->has_token ? p->token.size : 0);
}

static void rewind_to(struct parser *p, size_t position)
{
    p->at = position;
    p->has_token = false;
}

/* -- scalars -- */

static struct header_value string_of(struct parser *p, struct sluice_span text)
{
    return (struct header_value){p->data->schema_plain(SLUICE_STRING, false),
                                 p->data->new_string(p->batch, text.data, text.size)};
}

static const struct sluice_schema *logical_schema(struct parser *p, enum sluice_type type,
                                                  const char *name, const char *scale)
{
    char message[64];
    const char *const parameters[] = {"scale", scale};
    struct sluice_schema_spec spec = {.size = sizeof(spec),
                                      .type = type,
                                      .name = name,
                                      .has_version = true,
                                      .version = 1,
                                      .parameters = parameters,
                                      .parameter_count = scale ? 1 : 0};
    return p->data->schema_new(&spec, message, sizeof(message));
}

/** Characters as Java counts them: units of UTF-16. */
static size_t java_length(struct sluice_span text)
{
    size_t units = 0;
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        units += ((c & 0xC0) != 0x80) + (c >= 0xF0);
    }
    return units;
}

static bool as_temporal(struct parser *p, struct sluice_span token, struct header_value *ret_value)
{
    static const struct {
        size_t length;
        enum values_format format;
        enum sluice_type type;
        const char *name;
    } kinds[] = {
        {13, VALUES_TIME, SLUICE_INT32, SLUICE_SCHEMA_TIME},
        {24, VALUES_TIMESTAMP, SLUICE_INT64, SLUICE_SCHEMA_TIMESTAMP},
        {10, VALUES_DATE, SLUICE_INT32, SLUICE_SCHEMA_DATE},
    };
    char text[128];
    if (token.size >= sizeof(text)) {
        return false;
    }
    size_t size = 0;
    for (size_t i = 0; i < token.size; i++) {
        if (token.data[i] == '\\' && i + 1 < token.size && token.data[i + 1] == ':') {
            continue; /* colons may be escaped, so that they do not part the text */
        }
        text[size++] = token.data[i];
    }
    size_t length = java_length((struct sluice_span){text, size});
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        int64_t ms;
        if (length == kinds[i].length &&
            date_format_parse(p->self->text.formats[kinds[i].format], zone_utc(), text, size, &ms, NULL)) {
            ret_value->schema = logical_schema(p, kinds[i].type, kinds[i].name, NULL);
            ret_value->value = p->data->new_date(p->batch, ms);
            return true;
        }
    }
    return false;
}

/** Colons part times into five tokens: tries these together first, then the one alone. */
static bool as_tokens_temporal(struct parser *p, struct sluice_span token,
                               struct header_value *ret_value)
{
    size_t position = mark(p);
    int taken = 0;
    while (taken < 4 && has_next(p)) {
        (void)next(p);
        taken++;
    }
    if (taken == 4) {
        size_t rest = p->at - position;
        char together[64];
        if (token.size + rest < sizeof(together)) {
            memcpy(together, token.data, token.size);
            memcpy(together + token.size, p->text.data + position, rest);
            if (as_temporal(p, (struct sluice_span){together, token.size + rest}, ret_value)) {
                return true;
            }
        }
    }
    rewind_to(p, position);
    return as_temporal(p, token, ret_value);
}

static bool as_number(struct parser *p, struct sluice_span token, struct header_value *ret_value)
{
    const struct sluice_data *data = p->data;
    struct big_decimal decimal;
    char *room = p->self->base.records->alloc(p->batch, token.size * 2 + 32);
    if (!big_decimal_parse(token.data, token.size, room, &decimal)) {
        return false;
    }
    int64_t integral;
    if (big_decimal_exact_long(&decimal, &integral)) {
        enum sluice_type type = integral == (int8_t)integral    ? SLUICE_INT8
                                : integral == (int16_t)integral ? SLUICE_INT16
                                : integral == (int32_t)integral ? SLUICE_INT32
                                                                : SLUICE_INT64;
        *ret_value = (struct header_value){data->schema_plain(type, false),
                                           data->new_integer(p->batch, type, integral)};
        return true;
    }
    char *text = room + token.size; /* written anew: its digits need not be ASCII's */
    (void)snprintf(text, token.size + 32, "%s%.*sE%d", decimal.negative ? "-" : "",
                   (int)decimal.count, decimal.digits, -(int)decimal.scale);
    float single = strtof(text, NULL);
    double number = strtod(text, NULL);
    if (decimal.scale != 0 && (isfinite(single) || isfinite(number))) {
        enum sluice_type type = isfinite(single) ? SLUICE_FLOAT32 : SLUICE_FLOAT64;
        *ret_value = (struct header_value){
            data->schema_plain(type, false),
            data->new_real(p->batch, type, isfinite(single) ? (double)single : number)};
        return true;
    }
    char scale[16];
    (void)snprintf(scale, sizeof(scale), "%d", (int)decimal.scale);
    unsigned char *bytes = p->self->base.records->alloc(p->batch, big_decimal_room(&decimal));
    size_t size = big_decimal_unscaled(&decimal, bytes);
    ret_value->schema = logical_schema(p, SLUICE_BYTES, SLUICE_SCHEMA_DECIMAL, scale);
    ret_value->value = data->new_decimal(p->batch, bytes, size, decimal.scale);
    return true;
}

/* -- schemas that fit all members -- */

/** 1 for INT8 .. 6 for FLOAT64, which is how numbers widen; 0 for others. */
static int width_of(enum sluice_type type)
{
    return type >= SLUICE_INT8 && type <= SLUICE_FLOAT64 ? (int)(type - SLUICE_INT8) + 1 : 0;
}

struct common {
    const struct sluice_schema *schema; /* a reference; NULL: none yet, or none any more */
    bool incompatible;
};

static void common_finish(struct parser *p, struct common *common)
{
    p->data->schema_release(common->schema);
    common->schema = NULL;
}

/** Takes account of one more member. */
static void common_merge(struct parser *p, struct common *common, const struct sluice_schema *schema)
{
    const struct sluice_data *data = p->data;
    if (!schema || common->incompatible) {
        return;
    }
    const struct sluice_schema *before = common->schema;
    if (before && data->schema_type(before) != data->schema_type(schema)) {
        int old = width_of(data->schema_type(before)), new = width_of(data->schema_type(schema));
        if (old == 0 || new == 0) {
            common_finish(p, common);
            common->incompatible = true;
            return;
        }
        schema = new > old ? schema : before;
    }
    common->schema = data->schema_retain(schema);
    data->schema_release(before);
}

static bool is_named(const struct sluice_data *data, const struct sluice_schema *schema, const char *name)
{
    const char *found = data->schema_name(schema);
    return found && strcmp(found, name) == 0;
}

/**
 * A member under the common schema; false for a null, which no such schema allows, and for a time
 * under a number's.
 */
static bool align(struct parser *p, const struct sluice_schema *schema,
                  const struct sluice_value **value)
{
    const struct sluice_data *data = p->data;
    enum sluice_type from = data->type(*value), to = data->schema_type(schema);
    if (from == SLUICE_NULL ||
        (from == SLUICE_DATE && width_of(to) > 0 && !data->schema_name(schema))) {
        return false;
    }
    bool whole = from >= SLUICE_INT8 && from <= SLUICE_INT64;
    if (from == SLUICE_DECIMAL || from == SLUICE_DATE || width_of(to) == 0) {
        return true;
    }
    if (whole && data->schema_name(schema)) {
        int64_t number = data->integer(*value);
        bool days = is_named(data, schema, SLUICE_SCHEMA_DATE);
        if (is_named(data, schema, SLUICE_SCHEMA_TIME) &&
            (number < 0 || number > INT64_C(86400000))) {
            return false;
        }
        *value = data->new_date(p->batch, days ? number * INT64_C(86400000) : number);
    } else if (from == to) {
        return true;
    } else if (to == SLUICE_FLOAT32 || to == SLUICE_FLOAT64) {
        double number = whole ? (double)data->integer(*value)
                               : data->real(*value);
        *value = data->new_real(p->batch, to, to == SLUICE_FLOAT32 && whole
                                                  ? (double)(float)data->integer(*value)
                                                  : number);
    } else {
        *value = data->new_integer(p->batch, to, data->integer(*value));
    }
    return true;
}

/* -- arrays and maps; false: it is none (Java's DataException) -- */

static bool parse(struct parser *p, bool embedded, struct header_value *ret_value);

static const struct sluice_schema *container_schema(struct parser *p, enum sluice_type type,
                                                    const struct sluice_schema *key,
                                                    const struct sluice_schema *value)
{
    char message[64];
    struct sluice_schema_spec spec = {
        .size = sizeof(spec), .type = type, .key_schema = key, .value_schema = value};
    return p->data->schema_new(&spec, message, sizeof(message));
}

static bool finish_array(struct parser *p, const struct sluice_value *array, const struct common *common,
                         struct header_value *ret_value)
{
    const struct sluice_data *data = p->data;
    struct sluice_value *aligned = data->new_array(p->batch, data->count(array));
    for (size_t i = 0; i < data->count(array); i++) {
        const struct sluice_value *element = data->at(array, i);
        if (common->schema && !align(p, common->schema, &element)) {
            return false;
        }
        data->append(p->batch, aligned, element);
    }
    ret_value->schema = container_schema(p, SLUICE_ARRAY, NULL, common->schema);
    ret_value->value = aligned;
    return true;
}

static bool parse_array(struct parser *p, struct header_value *ret_value)
{
    const struct sluice_data *data = p->data;
    struct sluice_value *array = data->new_array(p->batch, 4);
    struct common common = {NULL, false};
    bool good = false;
    while (has_next(p)) {
        struct header_value element;
        if (can_consume(p, "]")) {
            good = finish_array(p, array, &common, ret_value);
            break;
        }
        if (can_consume(p, ",") || !parse(p, true, &element)) {
            break;
        }
        common_merge(p, &common, element.schema);
        data->append(p->batch, array, element.value);
        data->schema_release(element.schema);
        size_t position = mark(p);
        if (can_consume(p, "]")) {
            rewind_to(p, position);
        } else if (!can_consume(p, ",")) {
            break;
        }
    }
    common_finish(p, &common);
    return good;
}

static bool finish_map(struct parser *p, const struct sluice_value *map, const struct common *keys,
                       const struct common *values, struct header_value *ret_value)
{
    const struct sluice_data *data = p->data;
    const struct sluice_schema *key_schema = keys->schema;
    const struct sluice_schema *value_schema = key_schema ? values->schema : NULL;
    struct sluice_value *aligned = data->new_map(p->batch, data->count(map));
    data->set_map_class(aligned, "java.util.LinkedHashMap");
    for (size_t i = 0; i < data->count(map); i++) {
        const struct sluice_value *key = data->key_at(map, i), *value = data->at(map, i);
        if ((key_schema && !align(p, key_schema, &key)) ||
            (value_schema && !align(p, value_schema, &value))) {
            return false;
        }
        data->put_key(p->batch, aligned, key, value);
    }
    ret_value->schema = container_schema(p, SLUICE_MAP, key_schema, value_schema);
    ret_value->value = aligned;
    return true;
}

static bool parse_map(struct parser *p, struct header_value *ret_value)
{
    const struct sluice_data *data = p->data;
    struct sluice_value *map = data->new_map(p->batch, 4);
    data->set_map_class(map, "java.util.LinkedHashMap");
    struct common keys = {NULL, false}, values = {NULL, false};
    bool good = false;
    while (has_next(p)) {
        struct header_value key, value;
        if (can_consume(p, "}")) {
            good = finish_map(p, map, &keys, &values, ret_value);
            break;
        }
        if (can_consume(p, ",") || !parse(p, true, &key)) {
            break;
        }
        if (!key.value || !can_consume(p, ":") || !parse(p, true, &value)) {
            data->schema_release(key.schema);
            break;
        }
        data->put_key(p->batch, map, key.value, value.value);
        (void)can_consume(p, ",");
        common_merge(p, &keys, key.schema);
        common_merge(p, &values, value.schema);
        data->schema_release(key.schema);
        data->schema_release(value.schema);
    }
    common_finish(p, &keys);
    common_finish(p, &values);
    return good;
}

/* -- any value -- */

static void parse_quoted(struct parser *p, struct header_value *ret_value)
{
    char *text = p->self->base.records->alloc(p->batch, p->text.size - p->at + p->token.size + 1);
    size_t size = 0;
    while (has_next(p) && !can_consume(p, "\"")) {
        struct sluice_span token = next(p);
        memcpy(text + size, token.data, token.size);
        size += token.size;
    }
    struct sluice_span content = {text, size};
    if (!as_temporal(p, content, ret_value)) {
        *ret_value = string_of(p, content);
    }
}

static bool parse_token(struct parser *p, bool embedded, struct header_value *ret_value)
{
    struct sluice_span whole = next(p), token = trimmed(whole);
    if (token.size == 0) {
        *ret_value = string_of(p, whole);
        return true;
    }
    size_t step;
    bool digit = java_digit(token.data, token.size, &step) >= 0;
    if (digit && as_tokens_temporal(p, token, ret_value)) {
        return true;
    }
    if ((digit || token.data[0] == '+' || token.data[0] == '-') && as_number(p, token, ret_value)) {
        return true;
    }
    if (embedded) {
        return false;
    }
    *ret_value = string_of(p, p->text);
    return true;
}

static bool parse_nested(struct parser *p, bool embedded, struct header_value *ret_value)
{
    size_t start = mark(p);
    bool array = can_consume(p, "[");
    if (array || can_consume(p, "{")) {
        if (++p->depth > HEADER_DEPTH_MAX) {
            p->too_deep = true;
            return false;
        }
        bool good = array ? parse_array(p, ret_value) : parse_map(p, ret_value);
        p->depth--;
        if (good || p->too_deep) {
            return good;
        }
        rewind_to(p, start);
    }
    return parse_token(p, embedded, ret_value);
}

/** Outside of arrays and maps it has to be all there is. */
static bool is_literal(struct parser *p, bool embedded, const char *literal)
{
    size_t position = mark(p);
    if (can_consume(p, literal) && (embedded || !has_next(p))) {
        return true;
    }
    rewind_to(p, position);
    return false;
}

static bool parse(struct parser *p, bool embedded, struct header_value *ret_value)
{
    const struct sluice_data *data = p->data;
    *ret_value = (struct header_value){NULL, NULL};
    if (!has_next(p)) {
        return true;
    }
    if (embedded && can_consume(p, "\"")) {
        parse_quoted(p, ret_value);
        return true;
    }
    if (is_literal(p, embedded, "null")) {
        return true;
    }
    bool truth = is_literal(p, embedded, "true");
    if (truth || is_literal(p, embedded, "false")) {
        *ret_value = (struct header_value){data->schema_plain(SLUICE_BOOLEAN, false),
                                           data->new_boolean(p->batch, truth)};
        return true;
    }
    return parse_nested(p, embedded, ret_value);
}

bool header_parse(struct simple_header *self, struct sluice_batch *batch, struct sluice_span text,
                  struct header_value *ret_value)
{
    struct parser parser = {
        .self = self, .data = self->base.data, .batch = batch, .text = text};
    bool good = parse(&parser, false, ret_value);
    return good && !parser.too_deep;
}
