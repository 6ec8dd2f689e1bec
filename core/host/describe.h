/* Descriptors and option tables as JSON, as the scan sends them (protocol.h). */
#ifndef CORE_HOST_DESCRIBE_H
#define CORE_HOST_DESCRIBE_H

#include <jansson.h>

#include <sluice/plugin.h>

/** New reference. Text that is no UTF-8 is left out. */
json_t *describe_plugin(const struct sluice_descriptor *descriptor);
/** One option as ConfigKeyInfo of the admin API; a key without group has the order -1. */
json_t *describe_definition(const struct sluice_option *option);

#endif
