/*
 * JSON, one text per line. The host writes it, as Connect's JsonConverter without schemas does. Three
 * things only a schema, or an option, tells: a map with keys other than text is an array of pairs even
 * when it is empty; a Decimal is a number with json.decimal.format=NUMERIC, and else of the scale that its
 * schema says. Values of schemas with such fields are walked here.
 *
 * The original hands but structs to JsonConverter. What is none is written as Jackson writes Java objects:
 * Decimals as numbers, maps as objects whatever their keys, and a struct within as nothing it could write.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/util/decimal_scale.h"

#include "connectors/s3/format.h"

enum { DEPTH_MAX = 1000 };

enum need {
    NEEDS_WALK = 1,  /* holds what the host would write in another way */
    NEEDS_CHECK = 2, /* holds Decimals that are written as bytes */
    NEEDS_JACKSON = 4, /* is no struct, and holds what Jackson writes in its own way */
};

/* Of one object: what values of the schema seen last need, of enum need. */
struct json_state {
    const struct sluice_schema *schema;
    int needs;
};

static int put_span(struct output *output, struct stream *stream, struct sluice_span span)
{
    return stream_append(output, stream, span.data, span.size);
}

static int put_char(struct output *output, struct stream *stream, char c)
{
    return stream_append(output, stream, &c, 1);
}

static int put_value(const struct format *format, struct output *output, struct stream *stream,
                     struct sluice_batch *batch, const struct sluice_schema *schema,
                     const struct sluice_value *value, int depth);

static bool has_text_keys(const struct sluice_data *data, const struct sluice_schema *schema,
                          const struct sluice_value *value)
{
    if (schema && data->schema_key(schema)) {
        return data->schema_type(data->schema_key(schema)) == SLUICE_STRING;
    }
    for (size_t i = 0; i < data->count(value); i++) {
        if (data->type(data->key_at(value, i)) != SLUICE_STRING) {
            return false;
        }
    }
    return true;
}

static int put_members(const struct format *format, struct output *output, struct stream *stream,
                       struct sluice_batch *batch, const struct sluice_schema *schema,
                       const struct sluice_value *value, int depth)
{
    const struct sluice_data *data = format->host->data;
    enum sluice_type type = data->type(value);
    size_t count = data->count(value);
    bool pairs = type == SLUICE_MAP && !has_text_keys(data, schema, value);
    bool array = type == SLUICE_ARRAY || pairs;
    const struct sluice_schema *members =
        schema && type != SLUICE_STRUCT ? data->schema_value(schema) : NULL;
    int result = put_char(output, stream, array ? '[' : '{');
    for (size_t i = 0; i < count && result == 0; i++) {
        if (i > 0) {
            result = put_char(output, stream, ',');
        }
        if (type != SLUICE_ARRAY) {
            result |= pairs ? put_char(output, stream, '[') : 0;
            result |= put_value(format, output, stream, batch, NULL, data->key_at(value, i), depth);
            result |= put_char(output, stream, pairs ? ',' : ':');
        }
        const struct sluice_schema *member =
            type == SLUICE_STRUCT ? data->schema_field(data->struct_schema(value), i) : members;
        result |= put_value(format, output, stream, batch, member, data->at(value, i), depth);
        result |= pairs ? put_char(output, stream, ']') : 0;
    }
    return result | put_char(output, stream, array ? ']' : '}');
}

static int put_value(const struct format *format, struct output *output, struct stream *stream,
                     struct sluice_batch *batch, const struct sluice_schema *schema,
                     const struct sluice_value *value, int depth)
{
    enum { MS_PER_DAY = 86400000 };
    const struct sluice_data *data = format->host->data;
    if (data->type(value) == SLUICE_NULL && schema && data->schema_default(schema)) {
        value = data->schema_default(schema);
    }
    const char *name = schema ? data->schema_name(schema) : NULL;
    switch (data->type(value)) {
    case SLUICE_DATE:
        if (name && strcmp(name, SLUICE_SCHEMA_DATE) == 0) {
            int64_t ms = data->integer(value), days = ms / MS_PER_DAY - (ms % MS_PER_DAY < 0);
            value = data->new_integer(batch, SLUICE_INT32, days);
        }
        break;
    case SLUICE_DECIMAL:
        if (format->settings->decimal_numeric) {
            return put_span(output, stream, data->to_text(batch, value));
        }
        break;
    case SLUICE_ARRAY:
    case SLUICE_MAP:
    case SLUICE_STRUCT:
        if (depth < DEPTH_MAX) {
            return put_members(format, output, stream, batch, schema, value, depth + 1);
        }
        break; /* as the host writes it */
    default:
        break;
    }
    return put_span(output, stream, data->to_json(batch, value));
}

static int needs(const struct format *format, const struct sluice_schema *schema, int depth)
{
    const struct sluice_data *data = format->host->data;
    const char *name = data->schema_name(schema);
    int found = 0;
    if (depth > DEPTH_MAX) {
        return 0;
    }
    switch (data->schema_type(schema)) {
    case SLUICE_BYTES:
        if (name && strcmp(name, SLUICE_SCHEMA_DECIMAL) == 0) {
            return format->settings->decimal_numeric ? NEEDS_WALK : NEEDS_CHECK;
        }
        return 0;
    case SLUICE_MAP:
        return (data->schema_type(data->schema_key(schema)) != SLUICE_STRING ? NEEDS_WALK : 0) |
               needs(format, data->schema_value(schema), depth + 1);
    case SLUICE_ARRAY:
        return needs(format, data->schema_value(schema), depth + 1);
    case SLUICE_STRUCT:
        for (size_t i = 0; i < data->schema_field_count(schema); i++) {
            found |= needs(format, data->schema_field(schema, i), depth + 1);
        }
        return found;
    default:
        return 0;
    }
}

/* Before anything is written: half a line cannot be taken back. */
static int check_decimals(const struct format *format, const struct sluice_schema *schema,
                          const struct sluice_value *value, struct fault *fault, int depth)
{
    const struct sluice_data *data = format->host->data;
    enum sluice_type type = data->type(value);
    if (type == SLUICE_DECIMAL && schema) {
        char message[160];
        const char *refused = decimal_scale_refused(data, schema, value, message, sizeof(message));
        return refused ? fault_set(fault, refused, true, "%s", message) : 0;
    }
    if ((type != SLUICE_STRUCT && type != SLUICE_MAP && type != SLUICE_ARRAY) || depth > DEPTH_MAX) {
        return 0;
    }
    const struct sluice_schema *members = schema && type != SLUICE_STRUCT ? data->schema_value(schema) : NULL;
    for (size_t i = 0; i < data->count(value); i++) {
        const struct sluice_schema *member =
            type == SLUICE_STRUCT ? data->schema_field(data->struct_schema(value), i) : members;
        if (check_decimals(format, member, data->at(value, i), fault, depth + 1) != 0) {
            return -1;
        }
    }
    return 0;
}

/* -- what is no struct -- */

static bool needs_jackson(const struct sluice_data *data, const struct sluice_schema *schema, int depth)
{
    const char *name = data->schema_name(schema);
    switch (data->schema_type(schema)) {
    case SLUICE_STRUCT:
        return true;
    case SLUICE_BYTES:
        return name && strcmp(name, SLUICE_SCHEMA_DECIMAL) == 0;
    case SLUICE_MAP:
        return data->schema_type(data->schema_key(schema)) != SLUICE_STRING ||
               (depth < DEPTH_MAX && needs_jackson(data, data->schema_value(schema), depth + 1));
    case SLUICE_ARRAY:
        return depth < DEPTH_MAX && needs_jackson(data, data->schema_value(schema), depth + 1);
    default:
        return false;
    }
}

static int put_jackson(const struct format *format, struct output *output, struct stream *stream,
                       struct sluice_batch *batch, const struct sluice_value *value, struct fault *fault,
                       int depth)
{
    const struct sluice_data *data = format->host->data;
    enum sluice_type type = data->type(value);
    bool map = type == SLUICE_MAP;
    if (type == SLUICE_STRUCT) {
        return fault_set(fault, SLUICE_CONNECT_EXCEPTION, false,
                         "No JSON can be made of a struct within an array or a map: only where the whole "
                         "value is a struct");
    }
    if (type == SLUICE_DECIMAL) {
        return put_span(output, stream, data->to_text(batch, value));
    }
    if ((!map && type != SLUICE_ARRAY) || depth > DEPTH_MAX) {
        return put_span(output, stream, data->to_json(batch, value));
    }
    int result = put_char(output, stream, map ? '{' : '[');
    for (size_t i = 0; i < data->count(value) && result == 0; i++) {
        result = i > 0 ? put_char(output, stream, ',') : 0;
        if (map && result == 0) {
            const struct sluice_value *key = data->key_at(value, i);
            if (data->type(key) == SLUICE_NULL) {
                return fault_set(fault, SLUICE_CONNECT_EXCEPTION, false, "Null key for a Map not allowed in JSON");
            }
            if (data->type(key) != SLUICE_STRING && data->type(key) != SLUICE_BYTES) {
                struct sluice_span text = data->to_text(batch, key);
                key = data->new_string(batch, text.data, text.size);
            }
            result = put_span(output, stream, data->to_json(batch, key)) | put_char(output, stream, ':');
        }
        result = result == 0
                     ? put_jackson(format, output, stream, batch, data->at(value, i), fault, depth + 1)
                     : result;
    }
    return result == 0 ? put_char(output, stream, map ? '}' : ']') : result;
}

static void *open_json(const struct format *format, struct output *output, struct stream *stream)
{
    (void)format;
    (void)output;
    (void)stream;
    return calloc(1, sizeof(struct json_state));
}

static int write_json(const struct format *format, void *state, struct output *output,
                      struct stream *stream, struct sluice_batch *batch,
                      const struct sluice_schema *schema, const struct sluice_value *value,
                      struct fault *fault)
{
    struct json_state *json = state;
    if (schema != json->schema) {
        const struct sluice_data *data = format->host->data;
        if (json->schema) {
            data->schema_release(json->schema);
        }
        /* Kept, so that its address cannot become another's meanwhile. */
        json->schema = schema ? data->schema_retain(schema) : NULL;
        json->needs = !schema                                        ? 0
                      : data->schema_type(schema) == SLUICE_STRUCT   ? needs(format, schema, 0)
                      : needs_jackson(data, schema, 0)               ? NEEDS_JACKSON
                                                                     : 0;
    }
    if ((json->needs & NEEDS_CHECK) && check_decimals(format, schema, value, fault, 0) != 0) {
        return -1;
    }
    int result;
    if (json->needs & NEEDS_JACKSON) {
        fault->java_class = NULL;
        result = put_jackson(format, output, stream, batch, value, fault, 0);
        if (result != 0 && fault->java_class) {
            return -1;
        }
    } else {
        result = json->needs & NEEDS_WALK
                     ? put_value(format, output, stream, batch, schema, value, 0)
                     : put_span(output, stream, format->host->data->to_json(batch, value));
    }
    if (result != 0 || put_char(output, stream, '\n') != 0) {
        return fault_set(fault, SLUICE_CONNECT_EXCEPTION, false, "Out of memory while writing %s",
                         stream->upload->key);
    }
    return 0;
}

static void abandon_json(const struct format *format, void *state)
{
    struct json_state *json = state;
    if (json->schema) {
        format->host->data->schema_release(json->schema);
    }
    free(json);
}

static int close_json(const struct format *format, void *state, struct output *output,
                      struct stream *stream, struct fault *fault)
{
    (void)output;
    (void)stream;
    (void)fault;
    abandon_json(format, state);
    return 0;
}

const struct format_vtable json_format = {
    .open = open_json, .write = write_json, .close = close_json, .abandon = abandon_json};
