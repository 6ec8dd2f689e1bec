/* Descriptors of the converters in converters.so; one file a class family. */
#ifndef PLUGINS_CONVERTERS_CONVERTERS_H
#define PLUGINS_CONVERTERS_CONVERTERS_H

#include <sluice/plugin.h>

extern const struct sluice_descriptor json_converter;
extern const struct sluice_descriptor string_converter;
extern const struct sluice_descriptor byte_array_converter;
extern const struct sluice_descriptor boolean_converter;
extern const struct sluice_descriptor number_converters[5]; /* short, integer, long, float, double */
extern const struct sluice_descriptor simple_header_converter;

/** converter.type: put in by the runtime, required as Connect has it. */
#define CONVERTER_TYPE_OPTION                                                              \
    {.size = sizeof(struct sluice_option), .name = "converter.type",                       \
     .type = SLUICE_OPTION_STRING, .required = true, .importance = SLUICE_LOW,             \
     .valid = SLUICE_VALID_ONE_OF, .values = converter_types,                              \
     .doc = "How this converter will be used."}
extern const char *const converter_types[];

/** Java class of a value, for messages. */
const char *java_class_of(const struct sluice_data *data, const struct sluice_value *value);
/** Connect's name of a schema type: INT8, STRING, .. */
const char *type_name(enum sluice_type type);

#endif
