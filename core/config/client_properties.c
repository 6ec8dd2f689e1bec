#include "core/config/client_properties.h"

#include <stdio.h>
#include <string.h>

#include "core/config/framework.h"

static const struct role {
    unsigned client;
    const char *prefix;   /* of the worker's keys */
    const char *override; /* of the connector's */
    const char *id;       /* client.id: with name and task behind it */
} roles[] = {
    [CLIENT_SOURCE_PRODUCER] = {CLIENT_PRODUCER, "producer.", "producer.override.",
                                "connector-producer"},
    [CLIENT_SINK_CONSUMER] = {CLIENT_CONSUMER, "consumer.", "consumer.override.",
                              "connector-consumer"},
    [CLIENT_CONNECTOR_ADMIN] = {CLIENT_ADMIN, "admin.", "admin.override.",
                                "connector-adminclient"},
    [CLIENT_DEAD_LETTER_PRODUCER] = {CLIENT_PRODUCER, "producer.", "producer.override.",
                                     "connector-dlq-producer"},
    [CLIENT_DEAD_LETTER_ADMIN] = {CLIENT_ADMIN, "admin.", "admin.override.",
                                  "connector-dlq-adminclient"},
};

/* What Connect's runtime sets (Worker.baseProducerConfigs, baseConsumerConfigs). */
static const char *const of_producers[][2] = {
    {"acks", "all"},
    {"delivery.timeout.ms", "2147483647"},
    {"enable.idempotence", "false"},
    {"max.block.ms", "9223372036854775807"},
    {"max.in.flight.requests.per.connection", "1"},
};
static const char *const of_consumers[][2] = {
    {"auto.offset.reset", "earliest"},
    {"enable.auto.commit", "false"},
};

/* Client keys of a worker that stand without a prefix: those of the REST API and the like stay out. */
void client_properties_of_worker(const struct properties *worker, struct properties *ret)
{
    for (size_t i = 0; i < worker->count; i++) {
        const char *name = worker->items[i].name;
        /* metric.reporters and its kin are the worker's own; admin clients only repeat their warning */
        if (client_key_find(name) && strncmp(name, "metric", 6) != 0) {
            properties_set(ret, name, worker->items[i].value);
        }
    }
    properties_remove(ret, "client.id");
    properties_remove(ret, "group.id"); /* of a distributed worker */
}

/* `admin.listeners` and `admin.listeners.https.*` are keys of the worker's REST API. */
static void take_prefixed(struct properties *ret, const struct properties *worker,
                          const struct role *role)
{
    size_t size = strlen(role->prefix);
    for (size_t i = 0; i < worker->count; i++) {
        const char *name = worker->items[i].name;
        if (strncmp(name, role->prefix, size) == 0 && strncmp(name, "admin.listeners", 15) != 0) {
            properties_set(ret, name + size, worker->items[i].value);
        }
    }
}

/* The REST Proxy hands `client.*` to all of its clients; each takes what it knows. */
static void take_client_keys(struct properties *ret, const struct properties *connector,
                             unsigned client)
{
    for (size_t i = 0; i < connector->count; i++) {
        const char *name = connector->items[i].name;
        const struct client_key *key =
            strncmp(name, "client.", 7) == 0 ? client_key_find(name + 7) : NULL;
        if (strncmp(name, "client.", 7) == 0 && (!key || (key->clients & client))) {
            properties_set(ret, name + 7, connector->items[i].value);
        }
    }
}

void client_properties_compose(const struct client_owner *owner, enum client_role which,
                               struct properties *ret)
{
    const struct role *role = &roles[which];
    char name[600];
    const char *servers = properties_get(owner->worker, "bootstrap.servers");
    if (role->client == CLIENT_ADMIN) {
        client_properties_of_worker(owner->worker, ret);
    }
    properties_set(ret, "bootstrap.servers", servers ? servers : "localhost:9092");
    (void)snprintf(name, sizeof(name), "%s-%s-%d", role->id, owner->name, owner->task);
    properties_set(ret, "client.id", name);
    for (size_t i = 0; role->client == CLIENT_PRODUCER &&
                       i < sizeof(of_producers) / sizeof(of_producers[0]); i++) {
        properties_set(ret, of_producers[i][0], of_producers[i][1]);
    }
    if (role->client == CLIENT_CONSUMER) {
        (void)snprintf(name, sizeof(name), "connect-%s", owner->name);
        properties_set(ret, "group.id", name);
        for (size_t i = 0; i < sizeof(of_consumers) / sizeof(of_consumers[0]); i++) {
            properties_set(ret, of_consumers[i][0], of_consumers[i][1]);
        }
    }
    take_prefixed(ret, owner->worker, role);
    if (owner->takes_client_keys) {
        take_client_keys(ret, owner->connector, role->client);
    }
    properties_copy_prefixed(ret, owner->connector, role->override);
}

bool client_keys_taken(const struct sluice_option *options)
{
    for (; options && options->name; options++) {
        if (strcmp(options->name, "client.*") == 0 && !options->unavailable) {
            return true;
        }
    }
    return false;
}

const char *client_override_prefix(unsigned client)
{
    return client == CLIENT_PRODUCER   ? "producer.override."
           : client == CLIENT_CONSUMER ? "consumer.override."
                                       : "admin.override.";
}

/* -- the policy -- */

static const char *const policies[] = {
    [CLIENT_POLICY_ALL] = "All",
    [CLIENT_POLICY_NONE] = "None",
    [CLIENT_POLICY_PRINCIPAL] = "Principal",
    [CLIENT_POLICY_ALLOWLIST] = "Allowlist",
};

enum client_policy client_policy_of(const char *name)
{
    static const char package[] = "org.apache.kafka.connect.connector.policy.";
    static const char end[] = "ConnectorClientConfigOverridePolicy";
    if (!name || !*name) {
        return CLIENT_POLICY_ALL;
    }
    if (strncmp(name, package, sizeof(package) - 1) == 0) {
        name += sizeof(package) - 1;
    }
    for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
        size_t size = strlen(policies[i]);
        if (strncmp(name, policies[i], size) == 0 &&
            (name[size] == '\0' || strcmp(name + size, end) == 0)) {
            return (enum client_policy)i;
        }
    }
    return CLIENT_POLICY_UNKNOWN;
}

const char *client_policy_name(enum client_policy policy)
{
    return policy < CLIENT_POLICY_UNKNOWN ? policies[policy] : "unknown";
}

bool client_policy_allows(enum client_policy policy, const char *allowed, const char *key)
{
    struct framework_item item;
    switch (policy) {
    case CLIENT_POLICY_ALL:
        return true;
    case CLIENT_POLICY_PRINCIPAL:
        return strcmp(key, "sasl.jaas.config") == 0 || strcmp(key, "sasl.mechanism") == 0 ||
               strcmp(key, "security.protocol") == 0;
    case CLIENT_POLICY_ALLOWLIST:
        while (framework_next_item(&allowed, &item)) {
            if (strlen(key) == item.size && memcmp(key, item.text, item.size) == 0) {
                return true;
            }
        }
        return false;
    default:
        return false;
    }
}
