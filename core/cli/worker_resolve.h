/* Variables in the worker's own configuration that the worker itself needs: asked of a host, which loads
 * the config providers. [main thread] */
#ifndef CORE_CLI_WORKER_RESOLVE_H
#define CORE_CLI_WORKER_RESOLVE_H

#include "core/base/error.h"
#include "core/config/properties.h"

/**
 * A copy of worker where keys of the admin API (ssl.*, listeners.*, ..) have the values that their
 * variables stand for. paths: of plugin.path.
 */
int worker_resolve(const struct properties *worker, char *const *paths, size_t path_count,
                   struct properties *ret_resolved, struct error *error) CHECKED;

#endif
