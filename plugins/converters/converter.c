/* What converters share (converter.h). Stateless: [any thread]. */
#include "plugins/converters/converter.h"

#include <stdlib.h>
#include <string.h>

const char *const converter_types[] = {"key", "value", "header", NULL};
const struct sluice_option converter_options[] = {CONVERTER_TYPE_OPTION, {.name = NULL}};

void *converter_create(const struct sluice_host *host, size_t size)
{
    struct converter *converter = calloc(1, size);
    if (converter) {
        converter->host = host;
        converter->data = host->data;
        converter->records = host->records;
    }
    return converter;
}

void converter_destroy(void *self)
{
    free(self);
}

enum sluice_result converter_configure(void *self, const char *class_name,
                                       const struct sluice_config *config,
                                       enum sluice_converter_role role)
{
    (void)self;
    (void)class_name;
    (void)config;
    (void)role;
    return SLUICE_OK;
}

const char *java_class(const struct converter *converter, const struct sluice_value *value)
{
    static const char *const names[] = {
        [SLUICE_NULL] = "null",
        [SLUICE_INT8] = "java.lang.Byte",
        [SLUICE_INT16] = "java.lang.Short",
        [SLUICE_INT32] = "java.lang.Integer",
        [SLUICE_INT64] = "java.lang.Long",
        [SLUICE_FLOAT32] = "java.lang.Float",
        [SLUICE_FLOAT64] = "java.lang.Double",
        [SLUICE_BOOLEAN] = "java.lang.Boolean",
        [SLUICE_STRING] = "java.lang.String",
        [SLUICE_BYTES] = "[B",
        [SLUICE_ARRAY] = "java.util.ArrayList",
        [SLUICE_MAP] = "java.util.HashMap",
        [SLUICE_STRUCT] = "org.apache.kafka.connect.data.Struct",
        [SLUICE_DECIMAL] = "java.math.BigDecimal",
        [SLUICE_DATE] = "java.util.Date",
    };
    return names[converter->data->type(value)];
}

const char *type_name(enum sluice_type type)
{
    static const char *const names[] = {
        [SLUICE_NULL] = "null",       [SLUICE_INT8] = "INT8",       [SLUICE_INT16] = "INT16",
        [SLUICE_INT32] = "INT32",     [SLUICE_INT64] = "INT64",     [SLUICE_FLOAT32] = "FLOAT32",
        [SLUICE_FLOAT64] = "FLOAT64", [SLUICE_BOOLEAN] = "BOOLEAN", [SLUICE_STRING] = "STRING",
        [SLUICE_BYTES] = "BYTES",     [SLUICE_ARRAY] = "ARRAY",     [SLUICE_MAP] = "MAP",
        [SLUICE_STRUCT] = "STRUCT",   [SLUICE_DECIMAL] = "DECIMAL", [SLUICE_DATE] = "DATE",
    };
    return names[type];
}

struct sluice_span converter_copy(const struct converter *converter, struct sluice_batch *batch,
                                  const void *data, size_t size)
{
    char *copy = converter->records->alloc(batch, size + 1);
    if (size > 0) {
        memcpy(copy, data, size);
    }
    return (struct sluice_span){copy, size};
}
