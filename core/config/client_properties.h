/*
 * Which properties a client of a connector's gets: what the runtime sets (kafka-connect.md 2.4),
 * over it the worker's `producer.*`, `consumer.*`, `admin.*`, over it the connector's `client.*`
 * (where its class has that family: the REST Proxy's keys) and `producer.override.*` and so on. The
 * one place where this is decided. Pure: [any thread].
 */
#ifndef CORE_CONFIG_CLIENT_PROPERTIES_H
#define CORE_CONFIG_CLIENT_PROPERTIES_H

#include "core/config/client_keys.h"
#include "core/config/properties.h"

enum client_role {
    CLIENT_SOURCE_PRODUCER,
    CLIENT_SINK_CONSUMER,
    CLIENT_CONNECTOR_ADMIN,
    CLIENT_DEAD_LETTER_PRODUCER,
    CLIENT_DEAD_LETTER_ADMIN,
};

struct client_owner {
    const struct properties *worker;
    const struct properties *connector; /* its own or a task's configuration */
    const char *name;                   /* the connector's */
    int task;
    bool takes_client_keys; /* the class has the option family `client.*` */
};

/** Adds to *ret, over what is there. */
void client_properties_compose(const struct client_owner *owner, enum client_role role,
                               struct properties *ret);
/** Of the worker's own clients: its keys without a prefix that are a client's. */
void client_properties_of_worker(const struct properties *worker, struct properties *ret);

/** Does a class with this table (NULL: none) hand `client.*` to its task's clients? */
bool client_keys_taken(const struct sluice_option *options);

/** "producer.override." and so on, of a kind of client (CLIENT_PRODUCER, ..). */
const char *client_override_prefix(unsigned client);

/**
 * connector.client.config.override.policy: true where the policy lets connectors set the key (given
 * without its prefix). allowed: the worker's connector.client.config.override.allowlist, may be
 * NULL.
 */
enum client_policy {
    CLIENT_POLICY_ALL,
    CLIENT_POLICY_NONE,
    CLIENT_POLICY_PRINCIPAL,
    CLIENT_POLICY_ALLOWLIST,
    CLIENT_POLICY_UNKNOWN,
};
/** By alias or class; NULL: All. */
enum client_policy client_policy_of(const char *name);
const char *client_policy_name(enum client_policy policy);
bool client_policy_allows(enum client_policy policy, const char *allowed, const char *key);

#endif
