/* Loading one shared object: every way it can be wrong has its own sentence. */
#ifndef CORE_PLUGIN_LOAD_H
#define CORE_PLUGIN_LOAD_H

#include <sluice/plugin.h>

#include "core/base/error.h"

/** Loads the file and checks its entry and descriptors. The object is never unloaded. */
int plugin_load(const char *path, const struct sluice_entry **ret_entry,
                struct error *error) CHECKED;

#endif
