/*
 * Variables in configurations, `${provider:path:key}` (KIP-297), looked up in this process, where the
 * values are used: the worker stores and shows the variables only. [main thread, before any other]
 */
#ifndef CORE_HOST_RESOLVE_H
#define CORE_HOST_RESOLVE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/config/properties.h"
#include "core/plugin/instance.h"

/**
 * Both of a host's configurations, worker first, with providers made and gone. *ret_ttl may be NULL.
 * Values that came of providers are hidden in everything that this process logs or reports.
 */
int resolve_configs(const struct plugin_environment *environment, struct properties *worker,
                    struct properties *config, int64_t *ret_ttl, struct error *error) CHECKED;

/** text with every value that came of a provider replaced by [hidden]; owned by the caller. [any thread] */
char *resolve_hide(const char *text);

#endif
