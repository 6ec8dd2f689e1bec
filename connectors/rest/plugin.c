/* Entry of rest.so. */
#include "connectors/rest/rest.h"

static const struct sluice_descriptor *const descriptors[] = {
    &rest_source_descriptor,
    &rest_converter_descriptor,
    NULL,
};

SLUICE_PLUGIN(descriptors)
