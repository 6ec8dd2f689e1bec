/* The plugin converters.so: Connect's converters. */
#include "plugins/converters/converters.h"

const char *const converter_types[] = {"key", "value", "header", NULL};

const char *java_class_of(const struct sluice_data *data, const struct sluice_value *value)
{
    static const char *const classes[] = {
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
    return classes[data->type(value)];
}

const char *type_name(enum sluice_type type)
{
    static const char *const names[] = {
        [SLUICE_NULL] = "null",       [SLUICE_INT8] = "INT8",       [SLUICE_INT16] = "INT16",
        [SLUICE_INT32] = "INT32",     [SLUICE_INT64] = "INT64",     [SLUICE_FLOAT32] = "FLOAT32",
        [SLUICE_FLOAT64] = "FLOAT64", [SLUICE_BOOLEAN] = "BOOLEAN", [SLUICE_STRING] = "STRING",
        [SLUICE_BYTES] = "BYTES",     [SLUICE_ARRAY] = "ARRAY",     [SLUICE_MAP] = "MAP",
        [SLUICE_STRUCT] = "STRUCT",
    };
    return type <= SLUICE_STRUCT ? names[type] : "BYTES";
}

static const struct sluice_descriptor *const descriptors[] = {
    &json_converter,       &string_converter,     &byte_array_converter, &boolean_converter,
    &number_converters[0], &number_converters[1], &number_converters[2], &number_converters[3],
    &number_converters[4], &simple_header_converter, NULL,
};

SLUICE_PLUGIN(descriptors)
