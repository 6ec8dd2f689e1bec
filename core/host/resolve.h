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

struct resolver;

/** Makes the providers that the worker's config.providers names. */
int resolver_create(const struct plugin_environment *environment, const struct properties *worker,
                    struct resolver **ret_resolver, struct error *error) CHECKED;
/** NULL is fine. */
void resolver_destroy(struct resolver *resolver);
/** Puts values in place of variables. A variable without a value stays as it is. */
int resolver_apply(struct resolver *resolver, struct properties *properties,
                   struct error *error) CHECKED;
/** The shortest time that a value is good for; -1: for ever. */
int64_t resolver_time_to_live(const struct resolver *resolver);
/** True where a text holds what may be a variable. */
bool resolver_has_variable(const char *text);

/**
 * Both of a host's configurations, worker first, with providers made and gone. *ret_ttl may be NULL.
 * Values that came of providers are hidden in everything that this process logs or reports.
 */
int resolve_configs(const struct plugin_environment *environment, struct properties *worker,
                    struct properties *config, int64_t *ret_ttl, struct error *error) CHECKED;

/** text with every value that came of a provider replaced by [hidden]; owned by the caller. [any thread] */
char *resolve_hide(const char *text);

#endif
