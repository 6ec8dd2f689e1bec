#include "core/broker/kafka_config.h"

#include <stdlib.h>
#include <string.h>


#define CONFIG_EXCEPTION "org.apache.kafka.common.config.ConfigException"

enum { PRODUCERS = 1 << KAFKA_PRODUCER, CONSUMERS = 1 << KAFKA_CONSUMER, ALL = 7 };

/* What differs from librdkafka's own defaults: Java's, or what keeps memory small. */
static const struct {
    int kinds;
    const char *name, *value;
} defaults[] = {
    {ALL, "socket.nagle.disable", "true"},
    {ALL, "socket.keepalive.enable", "true"},
    {ALL, "log.connection.close", "false"},
    {ALL, "reconnect.backoff.ms", "50"},
    {ALL, "reconnect.backoff.max.ms", "1000"},
    {PRODUCERS, "partitioner", "murmur2_random"},
    {PRODUCERS, "linger.ms", "5"},
    {PRODUCERS, "batch.size", "1000000"},
    {PRODUCERS, "queue.buffering.max.messages", "1000000"},
    {PRODUCERS, "message.max.bytes", "1048576"}, /* max.request.size */
    {CONSUMERS, "enable.auto.commit", "false"},
    {CONSUMERS, "enable.auto.offset.store", "false"},
    {CONSUMERS, "partition.assignment.strategy", "cooperative-sticky"},
    {CONSUMERS, "allow.auto.create.topics", "true"},
    {CONSUMERS, "isolation.level", "read_uncommitted"},
    {CONSUMERS, "auto.offset.reset", "latest"},
    {CONSUMERS, "queued.max.messages.kbytes", "8192"},
    {CONSUMERS, "queued.min.messages", "20000"},
    {CONSUMERS, "fetch.max.bytes", "8388608"},
    {CONSUMERS, "fetch.queue.backoff.ms", "5"},
    {CONSUMERS, "fetch.error.backoff.ms", "100"},
    {CONSUMERS, "topic.metadata.refresh.interval.ms", "300000"},
};

/* Keys that both sides call the same and whose values are alike. */
static const char *const same[] = {
    "acks", "auto.offset.reset", "client.id", "compression.type", "connections.max.idle.ms",
    "enable.idempotence", "fetch.max.bytes", "group.id", "group.instance.id",
    "heartbeat.interval.ms", "isolation.level", "linger.ms",
    "max.in.flight.requests.per.connection", "max.poll.interval.ms", "metadata.max.age.ms",
    "reconnect.backoff.max.ms", "reconnect.backoff.ms", "request.timeout.ms", "retries",
    "retry.backoff.ms", "security.protocol", "session.timeout.ms",
};

static int set(struct kafka_config *config, const char *name, const char *value, struct error *error)
{
    char text[256];
    if (rd_kafka_conf_set(config->conf, name, value, text, sizeof(text)) == RD_KAFKA_CONF_OK) {
        return 0;
    }
    return error_set_class(error, ERROR_CONFIG, CONFIG_EXCEPTION,
                           "Invalid value %s for configuration %s: %s", value, name, text);
}

static bool is_same(const char *name)
{
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        if (strcmp(same[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static int fill(struct kafka_config *config, const struct properties *properties,
                struct error *error)
{
    for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++) {
        if ((defaults[i].kinds & (1 << config->kind)) &&
            set(config, defaults[i].name, defaults[i].value, error) != 0) {
            return -1;
        }
    }
    if (set(config, "bootstrap.servers", config->servers, error) != 0) {
        return -1;
    }
    for (size_t i = 0; i < properties->count; i++) {
        const char *name = properties->items[i].name;
        const char *value = properties->items[i].value;
        if (config->kind == KAFKA_CONSUMER && strcmp(name, "auto.offset.reset") == 0 &&
            strcmp(value, "none") == 0) {
            value = "error";
        }
        if (is_same(name) && set(config, name, value, error) != 0) {
            return -1;
        }
    }
    return 0;
}

int kafka_config_build(const struct properties *properties, enum kafka_client kind,
                       struct kafka_config **ret, struct error *error)
{
    const char *servers = properties_get(properties, "bootstrap.servers");
    const char *group = properties_get(properties, "group.id");
    const char *id = properties_get(properties, "client.id");
    const char *reset = properties_get(properties, "auto.offset.reset");
    struct kafka_config *config = calloc(1, sizeof(*config));
    if (!config || !(config->conf = rd_kafka_conf_new())) {
        free(config);
        return error_set(error, ERROR_NO_MEMORY, "No memory for a Kafka client");
    }
    config->kind = kind;
    config->servers = strdup(servers ? servers : "localhost:9092");
    config->group_id = group && *group ? strdup(group) : NULL;
    config->client_id = strdup(id ? id : "");
    config->buffer_memory = 33554432;
    config->max_request = 1048576;
    config->metadata_max_age = 300000;
    config->from_beginning = reset && strcmp(reset, "earliest") == 0;
    config->no_reset = reset && strcmp(reset, "none") == 0;
    if (fill(config, properties, error) != 0) {
        kafka_config_destroy(config);
        return -1;
    }
    *ret = config;
    return 0;
}

int kafka_config_started(struct kafka_config *config, rd_kafka_t *rk, struct error *error)
{
    (void)config;
    (void)rk;
    (void)error;
    return 0;
}

void kafka_config_destroy(struct kafka_config *config)
{
    if (config) {
        if (config->conf) {
            rd_kafka_conf_destroy(config->conf);
        }
        free(config->group_id);
        free(config->client_id);
        free(config->servers);
        free(config);
    }
}
