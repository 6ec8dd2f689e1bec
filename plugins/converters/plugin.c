/* converters.so: Connect's own converters, a file or a few of them for each class family. Constant. */
#include "plugins/converters/converter.h"

static const struct sluice_descriptor *const descriptors[] = {
    &boolean_converter, &byte_array_converter, &double_converter,
    &float_converter,   &integer_converter,    &json_converter,
    &long_converter,    &short_converter,      &simple_header_converter,
    &string_converter,  NULL,
};

SLUICE_PLUGIN(descriptors)
