/* Values of headers as text; see header_text.h. */
#include "connectors/s3/header_text.h"

#include "connectors/s3/joda.h"

enum { TEXT_MAX = 256 << 20, DEPTH_MAX = 1000 };

static void put_quoted(struct buffer *out, struct sluice_span text)
{
    (void)buffer_append_char(out, '"');
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '"' || text.data[i] == '\\') {
            (void)buffer_append_char(out, '\\');
        }
        (void)buffer_append_char(out, text.data[i]);
    }
    (void)buffer_append_char(out, '"');
}

/* By magnitude, whatever the schema says: a time before the second of January 1970 is a time of day. */
static void put_date(struct sink *sink, struct buffer *out, int64_t ms)
{
    enum { MS_PER_DAY = 86400000 };
    int kind = ms < MS_PER_DAY ? 1 : ms % MS_PER_DAY == 0 ? 0 : 2;
    (void)joda_format_print(sink->date_formats[kind], ms, zone_utc(), out);
}

static void put_value(struct sink *sink, struct sluice_batch *batch, struct buffer *out,
                      const struct sluice_value *value, int depth)
{
    const struct sluice_data *data = sink->host->data;
    enum sluice_type type = data->type(value);
    struct sluice_span text;
    if (type == SLUICE_STRING) {
        put_quoted(out, data->text(value));
    } else if (type == SLUICE_DATE) {
        put_date(sink, out, data->integer(value));
    } else if (type == SLUICE_BYTES || type == SLUICE_NULL || depth > DEPTH_MAX) {
        text = data->to_json(batch, value); /* base64 within quotes; null */
        (void)buffer_append(out, text.data, text.size);
    } else if (type == SLUICE_ARRAY || type == SLUICE_MAP || type == SLUICE_STRUCT) {
        (void)buffer_append_char(out, type == SLUICE_ARRAY ? '[' : '{');
        for (size_t i = 0; i < data->count(value); i++) {
            const struct sluice_value *member = data->at(value, i);
            if (i > 0) {
                (void)buffer_append_char(out, ',');
            }
            if (type != SLUICE_ARRAY) {
                put_value(sink, batch, out, data->key_at(value, i), depth + 1);
                (void)buffer_append_char(out, ':');
            }
            if (type == SLUICE_STRUCT && data->type(member) == SLUICE_NULL) {
                member = data->schema_default(data->schema_field(data->struct_schema(value), i));
            }
            put_value(sink, batch, out, member, depth + 1);
        }
        (void)buffer_append_char(out, type == SLUICE_ARRAY ? ']' : '}');
    } else {
        text = data->to_text(batch, value);
        (void)buffer_append(out, text.data, text.size);
    }
}

struct sluice_span header_text(struct sink *sink, struct sluice_batch *batch,
                               const struct sluice_value *value)
{
    const struct sluice_data *data = sink->host->data;
    enum sluice_type type = data->type(value);
    if (type == SLUICE_STRING) {
        return data->text(value);
    }
    if (type == SLUICE_BYTES) {
        /* base64, as JSON has it, without its quotes */
        struct sluice_span json = data->to_json(batch, value);
        return json.size >= 2 ? (struct sluice_span){json.data + 1, json.size - 2} : json;
    }
    if (type != SLUICE_ARRAY && type != SLUICE_MAP && type != SLUICE_STRUCT && type != SLUICE_DATE) {
        return data->to_text(batch, value);
    }
    struct buffer out;
    buffer_init(&out, TEXT_MAX);
    put_value(sink, batch, &out, value, 0);
    const struct sluice_value *made = data->new_string(batch, out.data ? out.data : "", out.size);
    buffer_finish(&out);
    return data->text(made);
}
