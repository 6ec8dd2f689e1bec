/* Entry of file.so. */
#include "connectors/file/file.h"

static const struct sluice_descriptor *const descriptors[] = {
    &file_sink_descriptor,
    &file_source_descriptor,
    NULL,
};

SLUICE_PLUGIN(descriptors)
