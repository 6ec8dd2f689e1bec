/* Names of classes and types; see class_names.h. */
#include "lib/java/class_names.h"

const char *java_class(const struct sluice_data *data, const struct sluice_value *value)
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
        [SLUICE_STRUCT] = "org.apache.kafka.connect.data.Struct",
        [SLUICE_DECIMAL] = "java.math.BigDecimal",
        [SLUICE_DATE] = "java.util.Date",
    };
    enum sluice_type type = data->type(value);
    return type == SLUICE_MAP ? data->map_class(value) : names[type];
}

const char *type_name(enum sluice_type type)
{
    static const char *const names[] = {
        [SLUICE_NULL] = "null",       [SLUICE_INT8] = "INT8",       [SLUICE_INT16] = "INT16",
        [SLUICE_INT32] = "INT32",     [SLUICE_INT64] = "INT64",     [SLUICE_FLOAT32] = "FLOAT32",
        [SLUICE_FLOAT64] = "FLOAT64", [SLUICE_BOOLEAN] = "BOOLEAN", [SLUICE_STRING] = "STRING",
        [SLUICE_BYTES] = "BYTES",     [SLUICE_ARRAY] = "ARRAY",     [SLUICE_MAP] = "MAP",
        [SLUICE_STRUCT] = "STRUCT",   [SLUICE_DECIMAL] = "BYTES",   [SLUICE_DATE] = "INT64",
    };
    return names[type];
}
