/*
 * JSON, one text per line. The host writes it, as Connect's JsonConverter without schemas does. Two
 * things only a schema, or an option, tells: a map with keys other than text is an array of pairs even
 * when it is empty, and a Decimal is a number with json.decimal.format=NUMERIC. Values of schemas with
 * such fields are walked here.
 */
#include <stdlib.h>
#include <string.h>

#include "connectors/s3/format.h"

enum { DEPTH_MAX = 1000 };

/* Of one object: whether values of the schema seen last are to be walked. */
struct json_state {
    const struct sluice_schema *schema;
    bool walk;
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

/* Whether values of a schema hold anything the host would write in another way. */
static bool needs_walk(const struct format *format, const struct sluice_schema *schema, int depth)
{
    const struct sluice_data *data = format->host->data;
    const char *name = data->schema_name(schema);
    if (depth > DEPTH_MAX) {
        return false;
    }
    switch (data->schema_type(schema)) {
    case SLUICE_BYTES:
        return format->settings->decimal_numeric && name && strcmp(name, SLUICE_SCHEMA_DECIMAL) == 0;
    case SLUICE_MAP:
        return data->schema_type(data->schema_key(schema)) != SLUICE_STRING ||
               needs_walk(format, data->schema_value(schema), depth + 1);
    case SLUICE_ARRAY:
        return needs_walk(format, data->schema_value(schema), depth + 1);
    case SLUICE_STRUCT:
        for (size_t i = 0; i < data->schema_field_count(schema); i++) {
            if (needs_walk(format, data->schema_field(schema, i), depth + 1)) {
                return true;
            }
        }
        return false;
    default:
        return false;
    }
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
        json->walk = schema && needs_walk(format, schema, 0);
    }
    int result = schema && json->walk
                     ? put_value(format, output, stream, batch, schema, value, 0)
                     : put_span(output, stream, format->host->data->to_json(batch, value));
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
