/*
 * org.apache.kafka.connect.converters.ByteArrayConverter: bytes as they are, never copied.
 * Owned by its task; [task thread].
 */
#include "plugins/converters/converter.h"

struct byte_array_converter {
    struct converter base;
    const struct sluice_schema *schema; /* of all it reads, null included */
};

static void *create(const struct sluice_host *host)
{
    struct byte_array_converter *self = converter_create(host, sizeof(*self));
    if (self) {
        self->schema = host->data->schema_plain(SLUICE_BYTES, true);
    }
    return self;
}

static enum sluice_result to_connect(void *opaque, struct sluice_batch *batch, const char *topic,
                                     const char *header, struct sluice_span bytes,
                                     const struct sluice_schema **ret_schema,
                                     const struct sluice_value **ret_value)
{
    (void)topic;
    (void)header;
    const struct byte_array_converter *self = opaque;
    *ret_schema = self->schema;
    *ret_value = bytes.data ? self->base.data->new_bytes_view(batch, bytes.data, bytes.size) : NULL;
    return SLUICE_OK;
}

static enum sluice_result from_connect(void *opaque, struct sluice_batch *batch, const char *topic,
                                       const char *header, const struct sluice_schema *schema,
                                       const struct sluice_value *value, struct sluice_span *ret_bytes)
{
    (void)batch;
    (void)topic;
    (void)header;
    const struct converter *self = opaque;
    const struct sluice_data *data = self->data;
    *ret_bytes = (struct sluice_span){NULL, 0};
    if (schema && data->schema_type(schema) != SLUICE_BYTES) {
        return BAD_RECORD(self, "Invalid schema type for ByteArrayConverter: %s",
                          type_name(data->schema_type(schema)));
    }
    enum sluice_type type = data->type(value);
    if (type == SLUICE_NULL) {
        return SLUICE_OK;
    }
    if (type != SLUICE_BYTES) {
        return BAD_RECORD(self, "ByteArrayConverter is not compatible with objects of type class %s",
                          java_class(self->data, value));
    }
    *ret_bytes = data->text(value);
    if (!ret_bytes->data) {
        ret_bytes->data = ""; /* empty is not null */
    }
    return SLUICE_OK;
}

static const struct sluice_converter vtable = {
    .size = sizeof(struct sluice_converter),
    .create = create,
    .destroy = converter_destroy,
    .configure = converter_configure,
    .to_connect = to_connect,
    .from_connect = from_connect,
};

const struct sluice_descriptor byte_array_converter = {
    .size = sizeof(struct sluice_descriptor),
    .kind = SLUICE_CONVERTER,
    .class_name = "org.apache.kafka.connect.converters.ByteArrayConverter",
    .version = KAFKA_VERSION,
    .doc = "Bytes as they are.",
    .options = converter_options,
    .vtable = &vtable,
};
