/* Option table and its reading, see settings.h. */
#include "connectors/rest/settings.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define OPTION .size = sizeof(struct sluice_option)
#define NOT_HERE(key, why) \
    {OPTION, .name = key, .type = SLUICE_OPTION_STRING, .importance = SLUICE_LOW, \
     .doc = "Accepted from kafka-rest.properties.", .unavailable = why}

#define CLIENT_SECRET(key)                                                             \
    {OPTION, .name = key, .type = SLUICE_OPTION_PASSWORD, .importance = SLUICE_MEDIUM, \
     .doc = "A secret of the task's Kafka clients; never shown."}

#define WORKERS_CLIENT "clients belong to the worker: set producer.* in the worker's properties or " \
                       "producer.override.* in the connector's"
#define NO_REGISTRY "formats with a schema are not served"
#define NO_CONSUMERS "the consumer API is not served; read with a sink or `sluice consume`"

static const char *const overload_values[] = {"wait", "reject", NULL};

const struct sluice_option rest_options[] = {
    {OPTION, .name = "listeners", .type = SLUICE_OPTION_LIST,
     .default_value = "http://127.0.0.1:8082", .importance = SLUICE_HIGH, .group = "Listeners",
     .valid = SLUICE_VALID_NON_EMPTY_LIST,
     .doc = "Addresses to listen on, as http://host:port or https://host:port. Without a host it is "
            "the loopback address; 0.0.0.0 or [::] listens everywhere; port 0 picks a free one, which "
            "is logged."},
    {OPTION, .name = "sluice.http.base.path", .type = SLUICE_OPTION_LIST, .default_value = "",
     .importance = SLUICE_LOW, .group = "Listeners",
     .doc = "Beginnings of paths that are left out, as /prod,/test: the stages of the API gateway that clients "
            "were written for. Paths without them go on being served."},
    {OPTION, .name = "sluice.topics.allow", .type = SLUICE_OPTION_STRING, .default_value = ".*",
     .importance = SLUICE_MEDIUM, .valid = SLUICE_VALID_REGEX, .group = "Topics",
     .doc = "Java regular expression; topics that do not match as a whole are answered with 403."},
    {OPTION, .name = "sluice.streams.allow", .type = SLUICE_OPTION_STRING, .default_value = "",
     .importance = SLUICE_MEDIUM, .valid = SLUICE_VALID_REGEX, .group = "Topics",
     .doc = "Java regular expression of streams that are served below /streams, as an API gateway in front of "
            "Kinesis does; each is a topic of the same name. Empty: none, and no such paths."},
    {OPTION, .name = "sluice.streams.delete", .type = SLUICE_OPTION_BOOLEAN, .default_value = "false",
     .importance = SLUICE_LOW, .group = "Topics",
     .doc = "DELETE /streams/S deletes the topic instead of being refused."},
    {OPTION, .name = "sluice.http.body.max.bytes", .type = SLUICE_OPTION_INT,
     .default_value = "16777216", .importance = SLUICE_MEDIUM, .valid = SLUICE_VALID_RANGE, .min = 1024,
     .max = INT_MAX, .group = "Limits", .doc = "Largest body; larger ones are answered with 413."},
    {OPTION, .name = "sluice.http.records.max", .type = SLUICE_OPTION_INT, .default_value = "100000",
     .importance = SLUICE_LOW, .valid = SLUICE_VALID_RANGE, .min = 1, .max = INT_MAX, .group = "Limits",
     .doc = "Most records in one request; more are answered with 413."},
    {OPTION, .name = "sluice.http.inflight.max.bytes", .type = SLUICE_OPTION_LONG,
     .default_value = "67108864", .importance = SLUICE_MEDIUM, .valid = SLUICE_VALID_RANGE,
     .min = 1024, .max = INT64_MAX, .group = "Limits",
     .doc = "Bodies held in memory until they are answered, all connections together. Beyond it, "
            "further bodies are not read until others are done (see sluice.http.overload). The records "
            "of bodies, each counted as 512 bytes, and answers that are not read yet may take as much again."},
    {OPTION, .name = "sluice.http.overload", .type = SLUICE_OPTION_STRING, .default_value = "wait",
     .importance = SLUICE_LOW, .valid = SLUICE_VALID_ONE_OF, .values = overload_values,
     .group = "Limits",
     .doc = "At sluice.http.inflight.max.bytes: wait holds clients back, reject answers 429."},
    {OPTION, .name = "server.connection.limit", .type = SLUICE_OPTION_INT, .default_value = "1000",
     .importance = SLUICE_LOW, .valid = SLUICE_VALID_RANGE, .min = 1, .max = 1000000,
     .group = "Limits", .doc = "Most connections; further ones wait until one ends, or has been idle for a second."},
    {OPTION, .name = "sluice.http.connections.per.ip.max", .type = SLUICE_OPTION_INT,
     .default_value = "0", .importance = SLUICE_LOW, .valid = SLUICE_VALID_RANGE, .min = 0,
     .max = 1000000, .group = "Limits", .doc = "Most connections of one address; 0: no limit."},
    {OPTION, .name = "idle.timeout.ms", .type = SLUICE_OPTION_LONG, .default_value = "30000",
     .importance = SLUICE_LOW, .valid = SLUICE_VALID_RANGE, .min = 1000, .max = INT_MAX,
     .group = "Limits", .doc = "A connection on which nothing moves for so long is closed."},
    {OPTION, .name = "sluice.http.receive.timeout.ms", .type = SLUICE_OPTION_LONG,
     .default_value = "60000", .importance = SLUICE_LOW, .valid = SLUICE_VALID_RANGE, .min = 100,
     .max = INT_MAX, .group = "Limits",
     .doc = "A body that is not complete after so long closes its connection, and so do headers "
            "after idle.timeout.ms more, and an answer that is not read."},
    {OPTION, .name = "sluice.http.answer.timeout.ms", .type = SLUICE_OPTION_LONG,
     .default_value = "130000", .importance = SLUICE_LOW, .valid = SLUICE_VALID_RANGE, .min = 100,
     .max = INT_MAX, .group = "Limits",
     .doc = "A request whose records are not confirmed after so long is answered with 50003; they may "
            "still be written. The producer's own delivery.timeout.ms usually comes first."},
    {OPTION, .name = "sluice.http.metadata.timeout.ms", .type = SLUICE_OPTION_INT,
     .default_value = "5000", .importance = SLUICE_LOW, .valid = SLUICE_VALID_RANGE, .min = 1,
     .max = 600000, .group = "Limits", .doc = "Longest wait for the broker in GET requests."},
    {OPTION, .name = "access.control.allow.origin", .type = SLUICE_OPTION_STRING, .default_value = "",
     .importance = SLUICE_LOW, .group = "CORS",
     .doc = "Origins (comma separated, or *) whose pages may use this API; empty: none."},
    {OPTION, .name = "access.control.allow.methods", .type = SLUICE_OPTION_STRING, .default_value = "",
     .importance = SLUICE_LOW, .group = "CORS",
     .doc = "Methods such pages may use; empty: GET,POST,HEAD."},
    {OPTION, .name = "access.control.allow.headers", .type = SLUICE_OPTION_STRING, .default_value = "",
     .importance = SLUICE_LOW, .group = "CORS",
     .doc = "Headers such pages may send; empty: X-Requested-With,Content-Type,Accept,Origin."},
    {OPTION, .name = "access.control.expose.headers", .type = SLUICE_OPTION_STRING,
     .default_value = "", .importance = SLUICE_LOW, .group = "CORS",
     .doc = "Headers of answers such pages may read."},
    {OPTION, .name = "ssl.keystore.location", .type = SLUICE_OPTION_STRING,
     .importance = SLUICE_MEDIUM, .group = "TLS",
     .doc = "Certificate chain and private key for https listeners: a PEM file with both, or PKCS12."},
    {OPTION, .name = "ssl.keystore.password", .type = SLUICE_OPTION_PASSWORD,
     .importance = SLUICE_MEDIUM, .group = "TLS", .doc = "Password of a PKCS12 keystore."},
    {OPTION, .name = "ssl.key.password", .type = SLUICE_OPTION_PASSWORD, .importance = SLUICE_MEDIUM,
     .group = "TLS", .doc = "Password of an encrypted private key in a PEM file."},
    {OPTION, .name = "ssl.keystore.type", .type = SLUICE_OPTION_STRING, .importance = SLUICE_LOW,
     .group = "TLS", .doc = "Not needed: PEM and PKCS12 are told apart by content. JKS is not read."},
    {OPTION, .name = "id", .type = SLUICE_OPTION_STRING, .default_value = "",
     .importance = SLUICE_LOW, .doc = "Name of this proxy; accepted, nothing here needs it."},
    {OPTION, .name = "host.name", .type = SLUICE_OPTION_STRING, .default_value = "",
     .importance = SLUICE_LOW, .doc = "For links of APIs that are not served; accepted."},
    {OPTION, .name = "advertised.listeners", .type = SLUICE_OPTION_LIST, .default_value = "",
     .importance = SLUICE_LOW, .doc = "For links of APIs that are not served; accepted."},
    {OPTION, .name = "api.v2.enable", .type = SLUICE_OPTION_BOOLEAN, .default_value = "true",
     .importance = SLUICE_LOW, .doc = "Only true: v2 is what this connector serves."},
    NOT_HERE("api.v3.enable", "the v3 API is not served"),
    NOT_HERE("api.endpoints.allowlist", "use sluice.topics.allow"),
    NOT_HERE("api.endpoints.blocklist", "use sluice.topics.allow"),
    NOT_HERE("ssl.truststore.location", "client certificates are not asked for"),
    NOT_HERE("ssl.client.authentication", "client certificates are not asked for"),
    NOT_HERE("ssl.client.auth", "client certificates are not asked for"),
    NOT_HERE("authentication.method", "put a reverse proxy in front for authentication"),
    NOT_HERE("schema.registry.url", NO_REGISTRY),
    NOT_HERE("schema.registry.*", NO_REGISTRY),
    CLIENT_SECRET("client.sasl.jaas.config"),
    CLIENT_SECRET("client.ssl.key.password"),
    CLIENT_SECRET("client.ssl.keystore.key"),
    CLIENT_SECRET("client.ssl.keystore.password"),
    CLIENT_SECRET("client.ssl.truststore.password"),
    /* handed to the task's clients by whoever runs it, see core/config/client_properties.h */
    {OPTION, .name = "client.*", .type = SLUICE_OPTION_STRING, .importance = SLUICE_MEDIUM,
     .doc = "Settings of the task's Kafka clients (client.security.protocol, client.sasl.jaas.config, "
            "..); producer.override.* wins over them."},
    NOT_HERE("bootstrap.servers", WORKERS_CLIENT),
    NOT_HERE("zookeeper.connect", "ZooKeeper is not used"),
    NOT_HERE("producer.threads", "has had no effect in the Proxy either"),
    NOT_HERE("consumer.threads", NO_CONSUMERS),
    NOT_HERE("consumer.request.timeout.ms", NO_CONSUMERS),
    NOT_HERE("consumer.request.max.bytes", NO_CONSUMERS),
    NOT_HERE("consumer.instance.timeout.ms", NO_CONSUMERS),
    NOT_HERE("consumer.iterator.timeout.ms", NO_CONSUMERS),
    NOT_HERE("consumer.iterator.backoff.ms", NO_CONSUMERS),
    NOT_HERE("simpleconsumer.pool.size.max", NO_CONSUMERS),
    NOT_HERE("simpleconsumer.pool.timeout.ms", NO_CONSUMERS),
    NOT_HERE("fetch.min.bytes", NO_CONSUMERS),
    NOT_HERE("rate.limit.*", "bound memory with sluice.http.inflight.max.bytes instead"),
    NOT_HERE("kafka.rest.resource.extension.class", "extensions are Java classes"),
    {.name = NULL},
};

static int parse_listener(const char *text, struct rest_listener *listener, char *message, size_t size)
{
    const char *rest = NULL;
    if (strncasecmp(text, "http://", 7) == 0) {
        rest = text + 7;
    } else if (strncasecmp(text, "https://", 8) == 0) {
        rest = text + 8;
        listener->tls = true;
    }
    const char *colon = rest ? strrchr(rest, ':') : NULL;
    const char *digits = colon ? colon + 1 : "";
    size_t digit_count = strspn(digits, "0123456789");
    const char *after = digits + digit_count;
    if (digit_count == 0 || digit_count > 5 || atoi(digits) > 65535 ||
        !(*after == '\0' || strcmp(after, "/") == 0)) {
        (void)snprintf(message, size,
                       "Invalid value %s for configuration listeners: write http://host:port or "
                       "https://host:port", text);
        return -1;
    }
    size_t host_size = (size_t)(colon - rest);
    if (host_size >= 2 && rest[0] == '[' && rest[host_size - 1] == ']') {
        rest++;
        host_size -= 2;
    } else if (memchr(rest, ':', host_size) || memchr(rest, '/', host_size)) {
        (void)snprintf(message, size,
                       "Invalid value %s for configuration listeners: an IPv6 address stands in "
                       "brackets, and a path has no meaning here", text);
        return -1;
    }
    if (host_size >= sizeof(listener->host)) {
        (void)snprintf(message, size,
                       "Invalid value for configuration listeners: a host name of %zu characters",
                       host_size);
        return -1;
    }
    if (host_size == 0) {
        rest = "127.0.0.1"; /* an open port is asked for by name, never by omission */
        host_size = strlen(rest);
    }
    memcpy(listener->host, rest, host_size);
    listener->host[host_size] = '\0';
    memcpy(listener->port, digits, digit_count);
    listener->port[digit_count] = '\0';
    return 0;
}

/* `/a` or `/a/b`: what may stand before a path, and nothing that would have to be decoded. */
static bool is_base_path(const char *text)
{
    size_t size = strlen(text);
    return size > 1 && text[0] == '/' && text[size - 1] != '/' && !strstr(text, "//") &&
           !strpbrk(text, "?#%; ");
}

static const char *text_of(const struct sluice_config_api *api, const struct sluice_config *config,
                           const char *name)
{
    const char *text = api->get_string(config, name);
    return text ? text : "";
}

int rest_settings_read(const struct sluice_config_api *api, const struct sluice_config *config,
                       struct rest_settings *settings, const char **ret_key, char *message, size_t size)
{
    *settings = (struct rest_settings){
        .allow_origin = text_of(api, config, "access.control.allow.origin"),
        .allow_methods = text_of(api, config, "access.control.allow.methods"),
        .allow_headers = text_of(api, config, "access.control.allow.headers"),
        .expose_headers = text_of(api, config, "access.control.expose.headers"),
        .keystore = api->get_string(config, "ssl.keystore.location"),
        .keystore_password = api->get_string(config, "ssl.keystore.password"),
        .key_password = api->get_string(config, "ssl.key.password"),
        .body_max = (size_t)api->get_long(config, "sluice.http.body.max.bytes"),
        .inflight_max = (size_t)api->get_long(config, "sluice.http.inflight.max.bytes"),
        .records_max = (size_t)api->get_long(config, "sluice.http.records.max"),
        .connections_max = (unsigned)api->get_long(config, "server.connection.limit"),
        .connections_per_ip_max =
            (unsigned)api->get_long(config, "sluice.http.connections.per.ip.max"),
        .idle_ms = api->get_long(config, "idle.timeout.ms"),
        .receive_ms = api->get_long(config, "sluice.http.receive.timeout.ms"),
        .answer_ms = api->get_long(config, "sluice.http.answer.timeout.ms"),
        .metadata_ms = api->get_long(config, "sluice.http.metadata.timeout.ms"),
        .streams_allow = text_of(api, config, "sluice.streams.allow"),
        .streams_delete = api->get_boolean(config, "sluice.streams.delete"),
        .reject = strcmp(text_of(api, config, "sluice.http.overload"), "reject") == 0,
    };
    const char *const *listeners;
    size_t count = api->get_list(config, "listeners", &listeners);
    *ret_key = "listeners";
    if (count == 0 || count > REST_LISTENERS_MAX) {
        (void)snprintf(message, size,
                       "Invalid number of items in configuration listeners: %zu; give 1 to %d", count,
                       REST_LISTENERS_MAX);
        return -1;
    }
    bool tls = false;
    for (size_t i = 0; i < count; i++) {
        if (parse_listener(listeners[i], &settings->listeners[i], message, size) != 0) {
            return -1;
        }
        tls = tls || settings->listeners[i].tls;
    }
    settings->listener_count = count;
    if (tls && !settings->keystore) {
        *ret_key = "ssl.keystore.location";
        (void)snprintf(message, size,
                       "Missing required configuration \"ssl.keystore.location\": an https listener "
                       "needs a PEM or PKCS12 file with certificate and private key");
        return -1;
    }
    settings->base_path_count =
        api->get_list(config, "sluice.http.base.path", &settings->base_paths);
    for (size_t i = 0; i < settings->base_path_count; i++) {
        if (!is_base_path(settings->base_paths[i])) {
            *ret_key = "sluice.http.base.path";
            (void)snprintf(message, size,
                           "Invalid value %s for configuration sluice.http.base.path: write /name, or "
                           "/name/name", settings->base_paths[i]);
            return -1;
        }
    }
    if (settings->inflight_max < settings->body_max) {
        *ret_key = "sluice.http.inflight.max.bytes";
        (void)snprintf(message, size,
                       "Invalid value %zu for configuration sluice.http.inflight.max.bytes: it must "
                       "hold at least one body of sluice.http.body.max.bytes (%zu)",
                       settings->inflight_max, settings->body_max);
        return -1;
    }
    if (!api->get_boolean(config, "api.v2.enable")) {
        *ret_key = "api.v2.enable";
        (void)snprintf(message, size,
                       "Invalid value false for configuration api.v2.enable: v2 is all that this "
                       "connector serves; stop the connector instead");
        return -1;
    }
    return 0;
}
