/* What a connector's class says of its configuration as a whole. [main thread] */
#ifndef CORE_HOST_CLASS_VALIDATE_H
#define CORE_HOST_CLASS_VALIDATE_H

#include <sluice/plugin.h>

#include "core/config/config.h"
#include "core/host/host.h"
#include "core/plugin/instance.h"

/** What sources and sinks have in common of a class's table; NULL: neither. */
const struct sluice_connector *class_connector(const struct sluice_descriptor *descriptor);

/**
 * Makes an instance and lets its validate() add to the report; nothing where it has none. To be asked
 * when every key is good in itself. -1 where the instance cannot be made or does not take the keys.
 */
int class_validate(struct host_process *process, const struct plugin_environment *environment,
                   const struct sluice_descriptor *descriptor, const struct properties *properties,
                   struct config_report *report, struct error *error) CHECKED;

#endif
