/*
 * org.apache.kafka.connect.storage.SimpleHeaderConverter: headers as text without quotes around the
 * whole, and back by guessing what the text stands for. Owned by its task; [task thread].
 */
#include "plugins/converters/simple_header.h"

#include <stdlib.h>

#include "lib/util/buffer.h"
#include "plugins/converters/charset.h"

#define TEXT_MAX ((size_t)INT32_MAX)

static void destroy(void *opaque)
{
    struct simple_header *self = opaque;
    if (self) {
        values_text_finish(&self->text);
        self->base.data->schema_release(self->last);
        free(self);
    }
}

static void *create(const struct sluice_host *host)
{
    struct simple_header *self = converter_create(host, sizeof(*self));
    if (self && values_text_init(&self->text) != 0) {
        destroy(self);
        return NULL;
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
    values_text_write(&self->text, self->base.data, batch, value, &out);
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
