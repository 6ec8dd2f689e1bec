/*
 * org.apache.kafka.connect.storage.SimpleHeaderConverter: headers as text without quotes around the
 * whole, and back by guessing what the text stands for. Owned by its task; [task thread].
 */
#include "plugins/converters/simple_header.h"

#include <stdlib.h>
#include <string.h>

#include "lib/util/buffer.h"
#include "plugins/converters/charset.h"

#define MS_PER_DAY INT64_C(86400000)
#define TEXT_MAX ((size_t)INT32_MAX)

static void destroy(void *opaque)
{
    struct simple_header *self = opaque;
    if (self) {
        for (int i = 0; i < FORMATS; i++) {
            date_format_destroy(self->formats[i]);
        }
        self->base.data->schema_release(self->last);
        free(self);
    }
}

static void *create(const struct sluice_host *host)
{
    static const char *const patterns[FORMATS] = {
        [FORMAT_DATE] = "yyyy-MM-dd",
        [FORMAT_TIME] = "HH:mm:ss.SSS'Z'",
        [FORMAT_TIMESTAMP] = "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'",
    };
    struct simple_header *self = converter_create(host, sizeof(*self));
    char message[DATE_MESSAGE_MAX];
    for (int i = 0; self && i < FORMATS; i++) {
        if (date_format_create(patterns[i], &self->formats[i], message, sizeof(message)) != 0) {
            destroy(self);
            return NULL;
        }
    }
    return self;
}

static enum sluice_result to_connect(void *opaque, struct sluice_batch *batch, const char *topic,
                                     const char *header, struct sluice_span bytes,
                                     const struct sluice_schema **ret_schema,
                                     const struct sluice_value **ret_value)
{
    struct simple_header *self = opaque;
    const struct sluice_data *data = self->base.data;
    *ret_schema = NULL;
    *ret_value = NULL;
    if (!bytes.data) {
        return SLUICE_OK;
    }
    if (bytes.size == 0) {
        *ret_schema = data->schema_plain(SLUICE_STRING, false);
        *ret_value = data->new_string_view(batch, "", 0);
        return SLUICE_OK;
    }
    struct header_value found;
    if (!header_parse(self, batch, utf8_repaired(&self->base, batch, bytes), &found)) {
        self->base.host->log(self->base.host, SLUICE_WARN,
                             "Failed to deserialize value for header '%s' on topic '%s', so using byte "
                             "array: it is nested deeper than %d",
                             header ? header : "", topic ? topic : "", HEADER_DEPTH_MAX);
        found.schema = data->schema_plain(SLUICE_BYTES, false);
        found.value = data->new_bytes_view(batch, bytes.data, bytes.size);
    }
    data->schema_release(self->last);
    self->last = found.schema;
    *ret_schema = found.schema;
    *ret_value = found.value;
    return SLUICE_OK;
}

/* -- writing, as Values.convertToString does -- */

static void write_value(struct simple_header *self, struct sluice_batch *batch, struct buffer *out,
                        const struct sluice_value *value, bool embedded);

static void write_string(struct buffer *out, struct sluice_span text, bool embedded)
{
    if (!embedded) {
        (void)buffer_append(out, text.data, text.size);
        return;
    }
    (void)buffer_append_char(out, '"');
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '"' || text.data[i] == '\\') {
            (void)buffer_append_char(out, '\\');
        }
        (void)buffer_append_char(out, text.data[i]);
    }
    (void)buffer_append_char(out, '"');
}

/** By magnitude, whatever the schema says: a time before the second of January 1970 is a time of day. */
static void write_date(struct simple_header *self, struct buffer *out, int64_t ms)
{
    enum header_format format = ms < MS_PER_DAY        ? FORMAT_TIME
                                : ms % MS_PER_DAY == 0 ? FORMAT_DATE
                                                       : FORMAT_TIMESTAMP;
    char text[128];
    size_t size = date_format_print(self->formats[format], zone_utc(), ms, text, sizeof(text));
    (void)buffer_append(out, text, size < sizeof(text) ? size : sizeof(text) - 1);
}

static void write_container(struct simple_header *self, struct sluice_batch *batch, struct buffer *out,
                            const struct sluice_value *value, enum sluice_type type)
{
    const struct sluice_data *data = self->base.data;
    (void)buffer_append_char(out, type == SLUICE_ARRAY ? '[' : '{');
    for (size_t i = 0; i < data->count(value); i++) {
        const struct sluice_value *member = data->at(value, i);
        if (i > 0) {
            (void)buffer_append_char(out, ',');
        }
        if (type != SLUICE_ARRAY) {
            write_value(self, batch, out, data->key_at(value, i), true);
            (void)buffer_append_char(out, ':');
        }
        if (type == SLUICE_STRUCT && data->type(member) == SLUICE_NULL) {
            member = data->schema_default(data->schema_field(data->struct_schema(value), i));
        }
        write_value(self, batch, out, member, true);
    }
    (void)buffer_append_char(out, type == SLUICE_ARRAY ? ']' : '}');
}

static void write_value(struct simple_header *self, struct sluice_batch *batch, struct buffer *out,
                        const struct sluice_value *value, bool embedded)
{
    const struct sluice_data *data = self->base.data;
    struct sluice_span text;
    switch (data->type(value)) {
    case SLUICE_STRING:
        write_string(out, data->text(value), embedded);
        break;
    case SLUICE_BYTES:
        text = data->to_json(batch, value); /* base64 within quotes */
        (void)buffer_append(out, text.data + !embedded, text.size - (embedded ? 0 : 2));
        break;
    case SLUICE_ARRAY:
    case SLUICE_MAP:
    case SLUICE_STRUCT:
        write_container(self, batch, out, value, data->type(value));
        break;
    case SLUICE_DATE:
        write_date(self, out, data->integer(value));
        break;
    default:
        text = data->to_text(batch, value);
        (void)buffer_append(out, text.data, text.size);
    }
}

static enum sluice_result from_connect(void *opaque, struct sluice_batch *batch, const char *topic,
                                       const char *header, const struct sluice_schema *schema,
                                       const struct sluice_value *value, struct sluice_span *ret_bytes)
{
    (void)schema;
    struct simple_header *self = opaque;
    *ret_bytes = (struct sluice_span){NULL, 0};
    if (is_null(&self->base, value)) {
        return SLUICE_OK;
    }
    struct buffer out;
    buffer_init(&out, TEXT_MAX);
    write_value(self, batch, &out, value, false);
    enum sluice_result result = SLUICE_OK;
    if (out.failed) {
        result = BAD_RECORD(&self->base, "The text of header '%s' on topic '%s' is too long",
                            header ? header : "", topic ? topic : "");
    } else {
        *ret_bytes = utf8_written(&self->base, batch,
                                  converter_copy(&self->base, batch, out.data, out.size));
    }
    buffer_finish(&out);
    return result;
}

static const struct sluice_converter vtable = {
    .size = sizeof(struct sluice_converter),
    .create = create,
    .destroy = destroy,
    .configure = converter_configure,
    .to_connect = to_connect,
    .from_connect = from_connect,
};

const struct sluice_descriptor simple_header_converter = {
    .size = sizeof(struct sluice_descriptor),
    .kind = SLUICE_HEADER_CONVERTER,
    .class_name = "org.apache.kafka.connect.storage.SimpleHeaderConverter",
    .version = KAFKA_VERSION,
    .doc = "Headers as text; what it stands for is guessed.",
    .vtable = &vtable,
};
