/*
 * Basic authentication as BasicAuthSecurityRestExtension of Connect does it: users and passwords are
 * those of a properties file that a JAAS file names (kafka-connect.md §9.3). Read once. Checks are
 * for [any thread].
 */
#ifndef CORE_REST_AUTH_H
#define CORE_REST_AUTH_H

#include <stdbool.h>

#include "core/base/error.h"
#include "core/config/properties.h"

struct rest_auth;

/**
 * *ret_auth is NULL where rest.extension.classes does not ask for it. The JAAS file is named by the
 * worker's key java.security.auth.login.config, else by -Djava.security.auth.login.config=FILE in the
 * environment's KAFKA_OPTS.
 */
int rest_auth_load(const struct properties *worker, struct rest_auth **ret_auth,
                   struct error *error) CHECKED;
/** NULL is fine. */
void rest_auth_destroy(struct rest_auth *auth);
/** header: of Authorization, may be NULL. auth NULL: everybody may enter. */
bool rest_auth_allows(const struct rest_auth *auth, const char *header);

#endif
