/*
 * What a connector sets of its clients (`producer.override.*` and so on): whether
 * connector.client.config.override.policy allows it, and whether the values are of their types
 * and classes are there.
 * Pure. [main thread]
 */
#ifndef CORE_HOST_VALIDATE_CLIENTS_H
#define CORE_HOST_VALIDATE_CLIENTS_H

#include <jansson.h>
#include <stdbool.h>

#include "core/config/properties.h"
#include "core/plugin/registry.h"

/**
 * nulls: names of keys that were given as null. takes_client_keys: the class has the family
 * `client.*` (client_properties.h), which the policy governs, too. Calls add for each override, as
 * Connect lists it. NULL, or a sentence about a value that is not of its type, which Connect fails
 * the whole validation with; owned by the caller. definition is new or NULL, value and errors are
 * new: taken over by add.
 */
char *validate_overrides(const struct registry *registry, const struct properties *worker,
                         const struct properties *connector, const struct properties *nulls,
                         bool sink, bool takes_client_keys,
                         void (*add)(void *user, json_t *definition, const char *name,
                                     json_t *value, json_t *errors),
                         void *user);

#endif
