/* A Decimal as bytes of its schema (Decimal.fromLogical). Pure functions: any thread. */
#ifndef LIB_UTIL_DECIMAL_SCALE_H
#define LIB_UTIL_DECIMAL_SCALE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sluice/data.h>
#include <sluice/host.h>

/**
 * Whether the bytes of a Decimal can be written: its schema tells the scale, so it must be the value's own.
 * NULL: they can; or the class of the exception, with Connect's words in message.
 */
static inline const char *decimal_scale_refused(const struct sluice_data *data,
                                                const struct sluice_schema *schema,
                                                const struct sluice_value *value, char *message,
                                                size_t size)
{
    size_t count = data->schema_parameter_count(schema);
    if (count == 0) {
        (void)snprintf(message, size, "The Decimal schema has no parameters");
        return "java.lang.NullPointerException";
    }
    const char *text = NULL;
    for (size_t i = 0; i < count && !text; i++) {
        const char *key, *parameter;
        data->schema_parameter(schema, i, &key, &parameter);
        text = strcmp(key, "scale") == 0 ? parameter : NULL;
    }
    if (!text) {
        (void)snprintf(message, size, "Invalid Decimal schema: scale parameter not found.");
        return SLUICE_DATA_EXCEPTION;
    }
    char *end;
    long scale = strtol(text, &end, 10);
    if (end == text || *end != '\0') {
        (void)snprintf(message, size, "Invalid scale parameter found in Decimal schema: ");
        return SLUICE_DATA_EXCEPTION;
    }
    int32_t found;
    (void)data->decimal(value, &found);
    if (found == scale) {
        return NULL;
    }
    (void)snprintf(message, size,
                   "Decimal value has mismatching scale for given Decimal schema. Schema has scale %ld, value "
                   "has scale %d.", scale, (int)found);
    return SLUICE_DATA_EXCEPTION;
}

#endif
