/*
 * org.apache.kafka.connect.converters.{Short,Integer,Long,Float,Double,Boolean}Converter: big-endian
 * numbers of fixed width, as Kafka's serializers write them. Numbers ignore the schema that comes
 * with the data, booleans do not. Owned by its task; [task thread].
 */
#include <math.h>
#include <string.h>

#include "plugins/converters/converter.h"

struct fixed_width {
    struct converter base;
    const struct width *width;
};

/** One class. */
struct width {
    enum sluice_type type;
    size_t size;
    const char *name;         /* as messages have it */
    const char *deserializer; /* likewise: those of Float and Double do not say which they are */
};

static const struct width widths[] = {
    {SLUICE_INT16, 2, "short", "ShortDeserializer"},
    {SLUICE_INT32, 4, "integer", "IntegerDeserializer"},
    {SLUICE_INT64, 8, "long", "LongDeserializer"},
    {SLUICE_FLOAT32, 4, "float", "Deserializer"},
    {SLUICE_FLOAT64, 8, "double", "Deserializer"},
    {SLUICE_BOOLEAN, 1, "boolean", "BooleanDeserializer"},
};

static void *create(const struct sluice_host *host, const struct width *width)
{
    struct fixed_width *self = converter_create(host, sizeof(*self));
    if (self) {
        self->width = width;
    }
    return self;
}

static uint64_t read_big_endian(const char *bytes, size_t size)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < size; i++) {
        bits = bits << 8 | (unsigned char)bytes[i];
    }
    return bits;
}

static struct sluice_value *value_of(const struct fixed_width *self, struct sluice_batch *batch,
                                     uint64_t bits)
{
    const struct sluice_data *data = self->base.data;
    enum sluice_type type = self->width->type;
    switch (type) {
    case SLUICE_BOOLEAN:
        return data->new_boolean(batch, bits != 0);
    case SLUICE_FLOAT32: {
        uint32_t half = (uint32_t)bits;
        float number;
        memcpy(&number, &half, sizeof(number));
        return data->new_real(batch, type, (double)number);
    }
    case SLUICE_FLOAT64: {
        double number;
        memcpy(&number, &bits, sizeof(number));
        return data->new_real(batch, type, number);
    }
    default:
        return data->new_integer(batch, type, (int64_t)bits);
    }
}

static uint64_t bits_of(const struct fixed_width *self, const struct sluice_value *value)
{
    const struct sluice_data *data = self->base.data;
    double number;
    switch (self->width->type) {
    case SLUICE_BOOLEAN:
        return data->boolean(value);
    case SLUICE_FLOAT32: {
        number = data->real(value);
        float single = (float)number;
        uint32_t half;
        memcpy(&half, &single, sizeof(half));
        return isnan(number) ? UINT32_C(0x7FC00000) : half; /* floatToIntBits: one NaN for all */
    }
    case SLUICE_FLOAT64: {
        number = data->real(value);
        uint64_t bits;
        memcpy(&bits, &number, sizeof(bits));
        return isnan(number) ? UINT64_C(0x7FF8000000000000) : bits;
    }
    default:
        return (uint64_t)data->integer(value);
    }
}

static enum sluice_result to_connect(void *opaque, struct sluice_batch *batch, const char *topic,
                                     const char *header, struct sluice_span bytes,
                                     const struct sluice_schema **ret_schema,
                                     const struct sluice_value **ret_value)
{
    (void)topic;
    (void)header;
    struct fixed_width *self = opaque;
    const struct sluice_host *host = self->base.host;
    const struct width *width = self->width;
    *ret_schema = self->base.data->schema_plain(width->type, true);
    *ret_value = NULL;
    if (!bytes.data) {
        return SLUICE_OK;
    }
    if (bytes.size != width->size) {
        enum sluice_result result = BAD_RECORD(&self->base, "Failed to deserialize %s: ", width->name);
        host->error_cause(host, SERIALIZATION_EXCEPTION, "Size of data received by %s is not %zu",
                          width->deserializer, width->size);
        return result;
    }
    uint64_t bits = read_big_endian(bytes.data, bytes.size);
    if (width->type == SLUICE_BOOLEAN && bits > 1) {
        enum sluice_result result = BAD_RECORD(&self->base, "Failed to deserialize %s: ", width->name);
        host->error_cause(host, SERIALIZATION_EXCEPTION,
                          "Unexpected byte received by BooleanDeserializer: %d", (int)(int8_t)bits);
        return result;
    }
    *ret_value = value_of(self, batch, bits);
    return SLUICE_OK;
}

static enum sluice_result from_connect(void *opaque, struct sluice_batch *batch, const char *topic,
                                       const char *header, const struct sluice_schema *schema,
                                       const struct sluice_value *value, struct sluice_span *ret_bytes)
{
    (void)topic;
    (void)header;
    struct fixed_width *self = opaque;
    const struct sluice_data *data = self->base.data;
    const struct width *width = self->width;
    *ret_bytes = (struct sluice_span){NULL, 0};
    bool boolean = width->type == SLUICE_BOOLEAN;
    if (boolean && schema && data->schema_type(schema) != SLUICE_BOOLEAN) {
        return BAD_RECORD(&self->base, "Invalid schema type for BooleanConverter: %s",
                          type_name(data->schema_type(schema)));
    }
    enum sluice_type type = data->type(value);
    if (type == SLUICE_NULL) {
        return SLUICE_OK;
    }
    if (type != width->type) {
        const char *found = java_class(self->base.data, value);
        if (boolean) {
            return BAD_RECORD(&self->base,
                              "BooleanConverter is not compatible with objects of type class %s",
                              found);
        }
        return BAD_RECORD(&self->base, "Failed to serialize to %s (was class %s): ", width->name,
                          found);
    }
    uint64_t bits = bits_of(self, value);
    unsigned char bytes[8];
    for (size_t i = 0; i < width->size; i++) {
        bytes[i] = (unsigned char)(bits >> (8 * (width->size - 1 - i)));
    }
    *ret_bytes = converter_copy(&self->base, batch, bytes, width->size);
    return SLUICE_OK;
}

#define FIXED_WIDTH(name, index, class)                                                         \
    static void *create_##name(const struct sluice_host *host)                                  \
    {                                                                                           \
        return create(host, &widths[index]);                                                    \
    }                                                                                           \
    static const struct sluice_converter name##_vtable = {                                      \
        .size = sizeof(struct sluice_converter),                                                \
        .create = create_##name,                                                                \
        .destroy = converter_destroy,                                                           \
        .configure = converter_configure,                                                       \
        .to_connect = to_connect,                                                               \
        .from_connect = from_connect,                                                           \
    };                                                                                          \
    const struct sluice_descriptor name##_converter = {                                         \
        .size = sizeof(struct sluice_descriptor),                                               \
        .kind = SLUICE_CONVERTER,                                                               \
        .class_name = "org.apache.kafka.connect.converters." class,                             \
        .version = KAFKA_VERSION,                                                              \
        .doc = "Big-endian numbers of fixed width, as Kafka's serializers write them.",         \
        .options = converter_options,                                                           \
        .vtable = &name##_vtable,                                                               \
    }

FIXED_WIDTH(short, 0, "ShortConverter");
FIXED_WIDTH(integer, 1, "IntegerConverter");
FIXED_WIDTH(long, 2, "LongConverter");
FIXED_WIDTH(float, 3, "FloatConverter");
FIXED_WIDTH(double, 4, "DoubleConverter");
FIXED_WIDTH(boolean, 5, "BooleanConverter");
