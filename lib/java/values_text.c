/* Values as text; see values_text.h. */
#include "lib/java/values_text.h"

#define MS_PER_DAY INT64_C(86400000)

int values_text_init(struct values_text *text)
{
    static const char *const patterns[VALUES_FORMATS] = {
        [VALUES_DATE] = "yyyy-MM-dd",
        [VALUES_TIME] = "HH:mm:ss.SSS'Z'",
        [VALUES_TIMESTAMP] = "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'",
    };
    *text = (struct values_text){{NULL}};
    for (int i = 0; i < VALUES_FORMATS; i++) {
        char message[DATE_MESSAGE_MAX];
        if (date_format_create(patterns[i], &text->formats[i], message, sizeof(message)) != 0) {
            return -1;
        }
    }
    return 0;
}

void values_text_finish(struct values_text *text)
{
    for (int i = 0; i < VALUES_FORMATS; i++) {
        date_format_destroy(text->formats[i]);
        text->formats[i] = NULL;
    }
}

static void write_quoted(struct buffer *out, struct sluice_span text)
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
static void write_date(const struct values_text *self, struct buffer *out, int64_t ms)
{
    enum values_format format = ms < MS_PER_DAY        ? VALUES_TIME
                                : ms % MS_PER_DAY == 0 ? VALUES_DATE
                                                       : VALUES_TIMESTAMP;
    char text[64]; /* the year of the last time there is has nine digits */
    size_t size = date_format_print(self->formats[format], zone_utc(), ms, text, sizeof(text));
    (void)buffer_append(out, text, size);
}

static void write_member(const struct values_text *self, const struct sluice_data *data,
                         struct sluice_batch *batch, const struct sluice_value *value, struct buffer *out)
{
    if (data->type(value) == SLUICE_STRING) {
        write_quoted(out, data->text(value));
    } else if (data->type(value) == SLUICE_BYTES) {
        struct sluice_span json = data->to_json(batch, value); /* base64 within quotes */
        (void)buffer_append(out, json.data, json.size);
    } else {
        values_text_write(self, data, batch, value, out);
    }
}

static void write_container(const struct values_text *self, const struct sluice_data *data,
                            struct sluice_batch *batch, const struct sluice_value *value,
                            enum sluice_type type, struct buffer *out)
{
    (void)buffer_append_char(out, type == SLUICE_ARRAY ? '[' : '{');
    for (size_t i = 0; i < data->count(value); i++) {
        const struct sluice_value *member = data->at(value, i);
        if (i > 0) {
            (void)buffer_append_char(out, ',');
        }
        if (type != SLUICE_ARRAY) {
            write_member(self, data, batch, data->key_at(value, i), out);
            (void)buffer_append_char(out, ':');
        }
        if (type == SLUICE_STRUCT && data->type(member) == SLUICE_NULL) {
            member = data->schema_default(data->schema_field(data->struct_schema(value), i));
        }
        write_member(self, data, batch, member, out);
    }
    (void)buffer_append_char(out, type == SLUICE_ARRAY ? ']' : '}');
}

void values_text_write(const struct values_text *text, const struct sluice_data *data,
                       struct sluice_batch *batch, const struct sluice_value *value, struct buffer *out)
{
    enum sluice_type type = data->type(value);
    struct sluice_span span;
    switch (type) {
    case SLUICE_BYTES:
        span = data->to_json(batch, value); /* base64 within quotes */
        if (span.size >= 2) {
            (void)buffer_append(out, span.data + 1, span.size - 2);
        }
        break;
    case SLUICE_ARRAY:
    case SLUICE_MAP:
    case SLUICE_STRUCT:
        write_container(text, data, batch, value, type, out);
        break;
    case SLUICE_DATE:
        write_date(text, out, data->integer(value));
        break;
    default:
        span = data->to_text(batch, value);
        (void)buffer_append(out, span.data, span.size);
    }
}
