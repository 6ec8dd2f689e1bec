/* Java's keys by core/config/client_keys.h onto librdkafka's; see kafka_config.h. No state but once-only warnings. */
#include "core/broker/kafka_config.h"

#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/log.h"
#include "core/broker/kafka_security.h"
#include "core/config/client_keys.h"
#include "core/config/framework.h"

#define LOGGER "sluice.broker.kafka.config"
#define NATIVE "sluice.librdkafka." /* keys of librdkafka itself, for whoever knows what they do */

enum { PRODUCERS = 1 << KAFKA_PRODUCER, CONSUMERS = 1 << KAFKA_CONSUMER, ALL = 7 };

/* What differs from librdkafka's own defaults: Java's, or what keeps memory small. */
static const struct {
    int kinds;
    const char *name, *value;
} defaults[] = {
    {ALL, "client.id", "sluice"},
    {ALL, "client.software.name", "sluice"},
    {ALL, "client.software.version", SLUICE_VERSION},
    {ALL, "socket.nagle.disable", "true"},
    {ALL, "socket.keepalive.enable", "true"},
    {ALL, "log.connection.close", "true"}, /* kafka_config_closed_early() */
    {ALL, "reconnect.backoff.ms", "50"},
    {ALL, "reconnect.backoff.max.ms", "1000"},
    {ALL, "socket.timeout.ms", "30000"},                    /* request.timeout.ms */
    {ALL, "socket.connection.setup.timeout.ms", "10000"},
    {ALL, "topic.metadata.refresh.interval.ms", "300000"},  /* metadata.max.age.ms */
    {PRODUCERS, "partitioner", "murmur2_random"},
    {PRODUCERS, "linger.ms", "5"},
    {PRODUCERS, "batch.size", "1000000"},
    {PRODUCERS, "queue.buffering.max.messages", "100000"}, /* each costs some 300 bytes more */
    {PRODUCERS, "message.max.bytes", "1048576"}, /* max.request.size */
    {PRODUCERS, "max.in.flight.requests.per.connection", "5"},
    {PRODUCERS, "delivery.timeout.ms", "120000"},
    {CONSUMERS, "enable.auto.commit", "false"},
    {CONSUMERS, "enable.auto.offset.store", "false"},
    {CONSUMERS, "partition.assignment.strategy", "cooperative-sticky"},
    {CONSUMERS, "allow.auto.create.topics", "true"},
    {CONSUMERS, "check.crcs", "true"},
    {CONSUMERS, "isolation.level", "read_uncommitted"},
    {CONSUMERS, "auto.offset.reset", "latest"},
#if RD_KAFKA_VERSION >= 0x020200ff
    {CONSUMERS, "queued.max.messages.kbytes", "8192"},
    {CONSUMERS, "queued.min.messages", "20000"},
    {CONSUMERS, "fetch.queue.backoff.ms", "5"},
#else /* it waits a second whenever the queue is full, which is to hold as much */
    {CONSUMERS, "queued.max.messages.kbytes", "65536"},
    {CONSUMERS, "queued.min.messages", "100000"},
#endif
    {CONSUMERS, "fetch.max.bytes", "8388608"},
    {CONSUMERS, "fetch.error.backoff.ms", "100"},
};

static const unsigned clients[] = {
    [KAFKA_PRODUCER] = CLIENT_PRODUCER,
    [KAFKA_CONSUMER] = CLIENT_CONSUMER,
    [KAFKA_ADMIN] = CLIENT_ADMIN,
};
static const char *const kinds[] = {
    [KAFKA_PRODUCER] = "producer",
    [KAFKA_CONSUMER] = "consumer",
    [KAFKA_ADMIN] = "admin client",
};

/* -- warnings, once per process: a task has several clients -- */

static void warn_once(const char *key, const char *text)
{
    enum { MOST = 500 };
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static char *told[MOST];
    static size_t count;
    pthread_mutex_lock(&lock);
    bool known = false;
    for (size_t i = 0; i < count && !known; i++) {
        known = strcmp(told[i], key) == 0;
    }
    if (!known && count < MOST && (told[count] = strdup(key))) {
        count++;
    }
    pthread_mutex_unlock(&lock);
    if (!known) {
        log_warn(LOGGER, "%s", text);
    }
}

static void warn_key(enum kafka_client kind, const char *key, const char *format, const char *reason)
{
    char text[700];
    (void)snprintf(text, sizeof(text), format, key, kinds[kind], reason);
    warn_once(key, text);
}

/* -- values -- */

int kafka_config_set(struct kafka_config *config, const char *key, const char *name,
                     const char *value, struct error *error)
{
    char text[256];
    if (rd_kafka_conf_set(config->conf, name, value, text, sizeof(text)) == RD_KAFKA_CONF_OK) {
        return 0;
    }
    const struct client_key *known = client_key_find(key);
    bool secret = known && known->option.type == SLUICE_OPTION_PASSWORD;
    return error_set_class(error, ERROR_CONFIG, CONFIG_EXCEPTION,
                           "Invalid value %s for configuration %s: %s", secret ? "[hidden]" : value,
                           key, text);
}

static int set_number(struct kafka_config *config, const char *key, const char *name, int64_t value,
                      int64_t least, int64_t most, struct error *error)
{
    char text[32];
    value = value < least ? least : value > most ? most : value;
    (void)snprintf(text, sizeof(text), "%lld", (long long)value);
    return kafka_config_set(config, key, name, text, error);
}

static char *lower(const char *value, char *text, size_t size)
{
    size_t i = 0;
    for (; value[i] && i + 1 < size; i++) {
        text[i] = (char)tolower((unsigned char)value[i]);
    }
    text[i] = '\0';
    return text;
}

static int map(struct kafka_config *config, const struct client_key *key, const char *value,
               struct error *error)
{
    const char *name = key->to ? key->to : key->option.name;
    char text[32];
    switch (key->option.type) {
    case SLUICE_OPTION_INT:
    case SLUICE_OPTION_LONG:
    case SLUICE_OPTION_SHORT: {
        int64_t least = key->to_max ? key->to_min : INT64_MIN;
        return set_number(config, key->option.name, name, strtoll(value, NULL, 10), least,
                          key->to_max ? key->to_max : INT64_MAX, error);
    }
    case SLUICE_OPTION_BOOLEAN:
        value = lower(value, text, sizeof(text));
        break;
    default:
        break;
    }
    return kafka_config_set(config, key->option.name, name, value, error);
}

/* -- keys that are not merely renamed -- */


/* The value without blanks around it, in the caller's buffer; NULL: not given, or empty. */
static const char *get(const struct properties *properties, const char *name, char *text,
                       size_t size)
{
    const char *value = properties_get(properties, name);
    if (!value) {
        return NULL;
    }
    while (isspace((unsigned char)*value)) {
        value++;
    }
    size_t length = strlen(value);
    while (length > 0 && isspace((unsigned char)value[length - 1])) {
        length--;
    }
    (void)snprintf(text, size, "%.*s", (int)(length < size ? length : size - 1), value);
    return *text ? text : NULL;
}

static int64_t get_long(const struct properties *properties, const char *name, int64_t fallback)
{
    char text[40];
    const char *value = get(properties, name, text, sizeof(text));
    return value ? strtoll(value, NULL, 10) : fallback;
}

static bool get_flag(const struct properties *properties, const char *name, bool fallback)
{
    char text[16];
    const char *value = get(properties, name, text, sizeof(text));
    return value ? strcasecmp(value, "true") == 0 : fallback;
}

/* host:port[,host:port..], as ClientUtils.parseAndValidateAddresses wants it. */
static int check_servers(const char *servers, struct error *error)
{
    struct framework_item item;
    const char *next = servers;
    size_t count = 0;
    while (framework_next_item(&next, &item)) {
        char text[300];
        (void)snprintf(text, sizeof(text), "%.*s", (int)(item.size < 290 ? item.size : 290),
                       item.text);
        const char *colon = strrchr(text, ':');
        char *end = NULL;
        long port = colon ? strtol(colon + 1, &end, 10) : 0;
        if (item.size == 0) {
            continue;
        }
        if (!colon || colon == text || end == colon + 1 || *end != '\0' || port < 1 ||
            port > 65535) {
            return error_set_class(error, ERROR_CONFIG, CONFIG_EXCEPTION,
                                   "Invalid url in bootstrap.servers: %s; host:port is expected",
                                   text);
        }
        count++;
    }
    return count > 0 ? 0
                     : error_set_class(error, ERROR_CONFIG, CONFIG_EXCEPTION,
                                       "No resolvable bootstrap urls given in bootstrap.servers");
}

static int set_assignors(struct kafka_config *config, const char *value, struct error *error)
{
    static const char *const known[][2] = {
        {"CooperativeStickyAssignor", "cooperative-sticky"},
        {"RangeAssignor", "range"},
        {"RoundRobinAssignor", "roundrobin"},
    };
    char list[200] = "";
    struct framework_item item;
    while (framework_next_item(&value, &item)) {
        const char *found = NULL;
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]) && !found; i++) {
            size_t size = strlen(known[i][0]);
            bool is_class = item.size >= size &&
                            memcmp(item.text + item.size - size, known[i][0], size) == 0 &&
                            (item.size == size || item.text[item.size - size - 1] == '.');
            bool is_name = item.size == strlen(known[i][1]) &&
                           memcmp(item.text, known[i][1], item.size) == 0;
            found = is_class || is_name ? known[i][1] : NULL;
        }
        if (!found) {
            char name[200];
            (void)snprintf(name, sizeof(name), "partition.assignment.strategy %.*s",
                           (int)item.size, item.text);
            warn_key(config->kind, name, "%s (of a %s) is not used: %s",
                     "only RangeAssignor, RoundRobinAssignor and CooperativeStickyAssignor are "
                     "built in");
            continue;
        }
        if (strcmp(found, "cooperative-sticky") == 0) {
            /* One that can cooperate does: librdkafka does not offer both ways at a time. */
            return kafka_config_set(config, "partition.assignment.strategy",
                                    "partition.assignment.strategy", found, error);
        }
        size_t used = strlen(list);
        (void)snprintf(list + used, sizeof(list) - used, "%s%s", used ? "," : "", found);
    }
    return *list ? kafka_config_set(config, "partition.assignment.strategy",
                                    "partition.assignment.strategy", list, error)
                 : 0;
}

static int set_partitioner(struct kafka_config *config, const struct properties *properties,
                           struct error *error)
{
    char text[200];
    const char *class_name = get(properties, "partitioner.class", text, sizeof(text));
    const char *simple = class_name ? strrchr(class_name, '.') : NULL;
    simple = simple ? simple + 1 : class_name;
    if (simple && strcmp(simple, "DefaultPartitioner") != 0 &&
        strcmp(simple, "UniformStickyPartitioner") != 0) {
        warn_key(config->kind, "partitioner.class", "%s of a %s is not used: %s",
                 "partitioners are Java classes; keys are hashed by murmur2, as Java's default");
    }
    bool ignores_keys = get_flag(properties, "partitioner.ignore.keys", false) ||
                        (simple && strcmp(simple, "UniformStickyPartitioner") == 0);
    return ignores_keys ? kafka_config_set(config, "partitioner.ignore.keys", "partitioner",
                                           "random", error)
                        : 0;
}

static int set_compression_level(struct kafka_config *config, const struct properties *properties,
                                 struct error *error)
{
    char codec[16], key[40], text[16];
    if (!get(properties, "compression.type", codec, sizeof(codec))) {
        return 0;
    }
    (void)snprintf(key, sizeof(key), "compression.%s.level", codec);
    if (!get(properties, key, text, sizeof(text))) {
        return 0;
    }
    int64_t least = strcmp(codec, "zstd") == 0 ? 1 : -1;
    int64_t most = strcmp(codec, "gzip") == 0 ? 9 : 12;
    return set_number(config, key, "compression.level", strtoll(text, NULL, 10), least, most, error);
}

static int set_producer(struct kafka_config *config, const struct properties *properties,
                        struct error *error)
{
    char acks[16], text[16];
    const char *said = get(properties, "acks", acks, sizeof(acks));
    config->buffer_memory = get_long(properties, "buffer.memory", 33554432);
    config->max_request = get_long(properties, "max.request.size", 1048576);
    /* As ProducerConfig.postProcessAndValidateIdempotenceConfigs: on, unless something else is said. */
    bool possible = (!said || strcmp(said, "all") == 0 || strcmp(said, "-1") == 0) &&
                    get_long(properties, "retries", INT32_MAX) > 0 &&
                    get_long(properties, "max.in.flight.requests.per.connection", 5) <= 5;
    if (!get(properties, "enable.idempotence", text, sizeof(text)) && possible &&
        kafka_config_set(config, "enable.idempotence", "enable.idempotence", "true", error) != 0) {
        return -1;
    }
    if (get_flag(properties, "enable.idempotence", false) && !possible) {
        return error_set_class(error, ERROR_CONFIG, CONFIG_EXCEPTION,
                               "Must set acks to all, retries to more than 0 and "
                               "max.in.flight.requests.per.connection to at most 5 in order to use "
                               "the idempotent producer (enable.idempotence=true)");
    }
    int64_t linger = get_long(properties, "linger.ms", 5);
    int64_t delivery = get_long(properties, "delivery.timeout.ms", 120000);
    if (delivery <= linger) { /* Java: delivery.timeout.ms >= linger.ms + request.timeout.ms */
        return error_set_class(error, ERROR_CONFIG, CONFIG_EXCEPTION,
                               "delivery.timeout.ms should be equal to or larger than linger.ms + "
                               "request.timeout.ms");
    }
    return set_number(config, "buffer.memory", "queue.buffering.max.kbytes",
                      config->buffer_memory / 1024, 1, INT32_MAX, error) != 0 ||
                   set_number(config, "max.request.size", "message.max.bytes", config->max_request,
                              1000, 1000000000, error) != 0 ||
                   set_number(config, "request.timeout.ms", "request.timeout.ms",
                              get_long(properties, "request.timeout.ms", 30000), 1, 900000,
                              error) != 0 ||
                   set_number(config, "retries", "retries",
                              get_long(properties, "retries", INT32_MAX), 0, INT32_MAX, error) != 0
               ? -1
           : set_partitioner(config, properties, error) != 0
               ? -1
               : set_compression_level(config, properties, error);
}

static int set_consumer(struct kafka_config *config, const struct properties *properties,
                        struct error *error)
{
    char text[400];
    const char *reset = get(properties, "auto.offset.reset", text, sizeof(text));
    config->from_beginning = reset && strcmp(reset, "earliest") == 0;
    config->no_reset = reset && strcmp(reset, "none") == 0;
    if (reset && kafka_config_set(config, "auto.offset.reset", "auto.offset.reset",
                                  config->no_reset ? "error" : reset, error) != 0) {
        return -1;
    }
    if (get(properties, "group.id", text, sizeof(text))) {
        config->group_id = strdup(text);
        if (kafka_config_set(config, "group.id", "group.id", text, error) != 0) {
            return -1;
        }
    }
    if (get(properties, "partition.assignment.strategy", text, sizeof(text)) &&
        set_assignors(config, text, error) != 0) {
        return -1;
    }
    /* librdkafka wants these in order; Java does not mind. */
    int64_t most = get_long(properties, "fetch.max.bytes", 8388608);
    int64_t poll = get_long(properties, "max.poll.interval.ms", 300000);
    int64_t session = get_long(properties, "session.timeout.ms", 45000);
    if (most < 1000000 && set_number(config, "fetch.max.bytes", "message.max.bytes", most, 1000,
                                     1000000, error) != 0) {
        return -1;
    }
    int64_t heartbeat = get_long(properties, "heartbeat.interval.ms", 3000);
    config->heartbeat_ms = (int)heartbeat;
    if (config->group_id && heartbeat >= session) { /* the group would throw it out again and again */
        (void)error_set_class(error, ERROR_CONFIG, "org.apache.kafka.common.KafkaException",
                              "Failed to construct kafka consumer");
        char cause[200];
        (void)snprintf(cause, sizeof(cause),
                       "Heartbeat must be set lower than the session timeout: heartbeat.interval.ms=%lld, "
                       "session.timeout.ms=%lld", (long long)heartbeat, (long long)session);
        error_add_cause(error, "java.lang.IllegalArgumentException", cause);
        return -1;
    }
    if (poll >= session) {
        return 0;
    }
    return set_number(config, "session.timeout.ms", "session.timeout.ms", poll, 1, 3600000, error) != 0
               ? -1
           : heartbeat > poll / 3 ? set_number(config, "heartbeat.interval.ms", "heartbeat.interval.ms",
                                               poll / 3, 1, 3600000, error)
                                  : 0;
}

static int set_common(struct kafka_config *config, const struct properties *properties,
                      struct error *error)
{
    char text[300], small[32];
    if (check_servers(config->servers, error) != 0 ||
        kafka_config_set(config, "bootstrap.servers", "bootstrap.servers", config->servers,
                         error) != 0) {
        return -1;
    }
    const char *id = get(properties, "client.id", text, sizeof(text));
    config->client_id = strdup(id ? id : "");
    if (id && kafka_config_set(config, "client.id", "client.id", id, error) != 0) {
        return -1;
    }
    const char *recovery = get(properties, "metadata.recovery.strategy", text, sizeof(text));
    if (recovery &&
        kafka_config_set(config, "metadata.recovery.strategy", "metadata.recovery.strategy",
                         lower(recovery, small, sizeof(small)), error) != 0) {
        return -1;
    }
    config->metadata_max_age = get_long(properties, "metadata.max.age.ms", 300000);
    int64_t backoff = get_long(properties, "reconnect.backoff.ms", 50);
    int64_t backoff_max = get_long(properties, "reconnect.backoff.max.ms", 1000);
    if (backoff > backoff_max && set_number(config, "reconnect.backoff.max.ms",
                                            "reconnect.backoff.max.ms", backoff, 0, 3600000,
                                            error) != 0) {
        return -1;
    }
    return set_number(config, "metadata.max.age.ms", "topic.metadata.refresh.interval.ms",
                      config->metadata_max_age, 10, 3600000, error);
}

/* -- all of them -- */

static int take(struct kafka_config *config, const char *name, const char *value,
                struct error *error)
{
    if (strncmp(name, "sluice.", 7) == 0) {
        return 0;
    }
    const struct client_key *key = client_key_find(name);
    if (!key) {
        warn_key(config->kind, name, "%s is not a key of a Kafka %s%s",
                 " that is known here; it has no effect");
        return 0;
    }
    char *wrong = client_key_check(key, value);
    if (wrong) {
        (void)error_set_class(error, ERROR_CONFIG, CONFIG_EXCEPTION, "%s", wrong);
        free(wrong);
        return -1;
    }
    if (!(key->clients & clients[config->kind])) {
        log_debug(LOGGER, "%s is no key of a Kafka %s; it has no effect", name,
                  kinds[config->kind]);
        return 0;
    }
    const char *reason = client_key_warning(key, clients[config->kind], value);
    if (reason) {
        warn_key(config->kind, name, "%s of the Kafka %s cannot be honoured: %s", reason);
    }
    if (key->way != CLIENT_KEY_MAPPED || !*value) {
        return 0;
    }
    return map(config, key, value, error);
}

static int fill(struct kafka_config *config, const struct properties *properties,
                struct error *error)
{
    for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++) {
        if ((defaults[i].kinds & (1 << config->kind)) &&
            kafka_config_set(config, defaults[i].name, defaults[i].name, defaults[i].value,
                             error) != 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < properties->count; i++) {
        const struct property *item = &properties->items[i];
        const char *start = item->value + strspn(item->value, " \t\r\n\f");
        size_t length = strlen(start);
        while (length > 0 && isspace((unsigned char)start[length - 1])) {
            length--;
        }
        char *value = strndup(start, length);
        int result = value ? take(config, item->name, value, error)
                           : error_set(error, ERROR_NO_MEMORY, "No memory for a Kafka client");
        if (value) {
            explicit_bzero(value, length); /* invariant 7 */
        }
        free(value);
        if (result != 0) {
            return -1;
        }
    }
    if (set_common(config, properties, error) != 0) {
        return -1;
    }
    if ((config->kind == KAFKA_PRODUCER && set_producer(config, properties, error) != 0) ||
        (config->kind == KAFKA_CONSUMER && set_consumer(config, properties, error) != 0)) {
        return -1;
    }
    if (kafka_security_build(config, properties, error) != 0) {
        return -1;
    }
    for (size_t i = 0; i < properties->count; i++) {
        const char *name = properties->items[i].name;
        if (strncmp(name, NATIVE, sizeof(NATIVE) - 1) == 0 &&
            kafka_config_set(config, name, name + sizeof(NATIVE) - 1, properties->items[i].value,
                             error) != 0) {
            return -1;
        }
    }
    return 0;
}

int kafka_config_build(const struct properties *properties, enum kafka_client kind,
                       struct kafka_config **ret, struct error *error)
{
    char servers[8192];
    struct kafka_config *config = calloc(1, sizeof(*config));
    if (!config || !(config->conf = rd_kafka_conf_new())) {
        free(config);
        return error_set(error, ERROR_NO_MEMORY, "No memory for a Kafka client");
    }
    config->kind = kind;
    config->servers =
        strdup(get(properties, "bootstrap.servers", servers, sizeof(servers)) ? servers
                                                                              : "localhost:9092");
    if (fill(config, properties, error) != 0) {
        kafka_config_destroy(config);
        return -1;
    }
    *ret = config;
    return 0;
}

int kafka_config_started(struct kafka_config *config, rd_kafka_t *rk, struct error *error)
{
    if (config->security && config->security->tokens) {
        rd_kafka_error_t *failed = rd_kafka_sasl_background_callbacks_enable(rk);
        if (failed) {
            (void)error_set(error, ERROR_INTERNAL, "Tokens cannot be refreshed: %s",
                            rd_kafka_error_string(failed));
            rd_kafka_error_destroy(failed);
            return -1;
        }
    }
    return 0;
}

void kafka_config_destroy(struct kafka_config *config)
{
    if (config) {
        if (config->conf) {
            rd_kafka_conf_destroy(config->conf);
        }
        kafka_security_destroy(config->security);
        free(config->group_id);
        free(config->client_id);
        free(config->servers);
        free(config);
    }
}
