/* The plugin converters.so: Connect's converters, one file a class family. */
#include "plugins/converters/converter.h"

static const struct sluice_descriptor *const descriptors[] = {
    &boolean_converter, &byte_array_converter, &double_converter,
    &float_converter,   &integer_converter,    &json_converter,
    &long_converter,    &short_converter,      
    &string_converter,  NULL,
};

SLUICE_PLUGIN(descriptors)
