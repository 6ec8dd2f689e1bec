/*
 * The keys that the framework has for workers (kafka-connect.md 2.1, 2.2): WorkerConfig,
 * StandaloneConfig and DistributedConfig. Families take what is handed on to converters and
 * clients.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/config/client_properties.h"
#include "core/config/framework.h"

#define SIZE .size = sizeof(struct sluice_option)

static const char *const log_format_values[] = {"text", "json", NULL};
static const char *const plugin_discovery_values[] = {"only_scan", "service_load", "hybrid_warn",
                                                      "hybrid_fail", NULL};
static const char *const client_dns_lookup_values[] = {
    "use_all_dns_ips", "resolve_canonical_bootstrap_servers_only", NULL};
static const char *const metrics_recording_level_values[] = {"INFO", "DEBUG", NULL};
static const char *const ssl_client_auth_values[] = {"required", "requested", "none", NULL};
static const char *const security_protocol_values[] = {"PLAINTEXT", "SSL", "SASL_PLAINTEXT",
                                                       "SASL_SSL", NULL};
static const char *const connect_protocol_values[] = {"eager", "compatible", "sessioned", NULL};
static const char *const exactly_once_source_support_values[] = {"disabled", "enabled", "preparing",
                                                                 NULL};

static bool check_count(const char *name, const char *value, char *message, size_t size)
{
    if (!value || strtol(value, NULL, 10) == -1 || strtol(value, NULL, 10) >= 1) {
        return true;
    }
    snprintf(
        message, size,
        "Invalid value %s for configuration %s: Must be 1 or larger, or -1 for the broker's own",
        value, name);
    return false;
}

static bool check_policy(const char *name, const char *value, char *message, size_t size)
{
    if (client_policy_of(value) != CLIENT_POLICY_UNKNOWN) {
        return true;
    }
    snprintf(message, size,
             "Invalid value %s for configuration %s: no such policy; there are All, None, Principal "
             "and Allowlist",
             value, name);
    return false;
}

const struct sluice_option framework_worker[] = {
    {SIZE, .name = "bootstrap.servers", .type = SLUICE_OPTION_LIST,
     .default_value = "localhost:9092", .importance = SLUICE_HIGH,
     .doc = "Brokers to start from, as host:port, or local:DIR for the embedded log."},
    {SIZE, .name = "key.converter", .type = SLUICE_OPTION_CLASS, .required = true,
     .importance = SLUICE_HIGH,
     .doc = "Converter of record keys for connectors that name none of their own."},
    {SIZE, .name = "value.converter", .type = SLUICE_OPTION_CLASS, .required = true,
     .importance = SLUICE_HIGH,
     .doc = "Converter of record values for connectors that name none of their own."},
    {SIZE, .name = "header.converter", .type = SLUICE_OPTION_CLASS,
     .default_value = "org.apache.kafka.connect.storage.SimpleHeaderConverter",
     .importance = SLUICE_LOW, .doc = "Converter of header values."},
    {SIZE, .name = "task.shutdown.graceful.timeout.ms", .type = SLUICE_OPTION_LONG,
     .default_value = "5000", .importance = SLUICE_LOW,
     .doc = "How long all tasks that are being stopped may take together."},
    {SIZE, .name = "offset.flush.interval.ms", .type = SLUICE_OPTION_LONG, .default_value = "60000",
     .importance = SLUICE_LOW, .doc = "How often offsets of tasks are committed."},
    {SIZE, .name = "offset.flush.timeout.ms", .type = SLUICE_OPTION_LONG, .default_value = "5000",
     .importance = SLUICE_LOW,
     .doc = "How long a commit of offsets may take before it is given up until the next one."},
    {SIZE, .name = "plugin.path", .type = SLUICE_OPTION_LIST, .importance = SLUICE_LOW,
     .doc = "Files and folders with plugins (.so); taken as it is, without ${..}."},
    {SIZE, .name = "plugin.discovery", .type = SLUICE_OPTION_STRING, .default_value = "hybrid_warn",
     .importance = SLUICE_LOW, .valid = SLUICE_VALID_ONE_OF_ANY_CASE,
     .values = plugin_discovery_values,
     .doc = "How a JVM worker looks for plugins; accepted and without effect here."},
    {SIZE, .name = "config.providers", .type = SLUICE_OPTION_LIST, .default_value = "",
     .importance = SLUICE_LOW,
     .doc = "Names of configuration providers; each needs config.providers.<name>.class."},
    {SIZE, .name = "config.providers.*", .type = SLUICE_OPTION_STRING, .importance = SLUICE_LOW,
     .doc = "Class and parameters of a configuration provider."},
    {SIZE, .name = "connector.client.config.override.policy", .type = SLUICE_OPTION_STRING,
     .default_value = "All", .importance = SLUICE_LOW, .valid = SLUICE_VALID_CUSTOM,
     .check = check_policy,
     .doc = "Which client settings connectors may override: All, None, Principal or Allowlist."},
    {SIZE, .name = "connector.client.config.override.allowlist", .type = SLUICE_OPTION_LIST,
     .default_value = "", .importance = SLUICE_LOW,
     .doc = "Client settings that the policy Allowlist lets connectors override."},
    {SIZE, .name = "topic.creation.enable", .type = SLUICE_OPTION_BOOLEAN, .default_value = "true",
     .importance = SLUICE_LOW,
     .doc = "Whether source connectors may have topics created by topic.creation.* keys."},
    {SIZE, .name = "topic.tracking.enable", .type = SLUICE_OPTION_BOOLEAN, .default_value = "true",
     .importance = SLUICE_LOW, .doc = "Whether the topics that connectors use are recorded."},
    {SIZE, .name = "topic.tracking.allow.reset", .type = SLUICE_OPTION_BOOLEAN,
     .default_value = "true", .importance = SLUICE_LOW,
     .doc = "Whether users may reset the recorded topics."},
    {SIZE, .name = "client.id", .type = SLUICE_OPTION_STRING, .default_value = "",
     .importance = SLUICE_LOW, .doc = "Prefix of the ids of internal clients."},
    {SIZE, .name = "client.dns.lookup", .type = SLUICE_OPTION_STRING,
     .default_value = "use_all_dns_ips", .importance = SLUICE_MEDIUM, .valid = SLUICE_VALID_ONE_OF,
     .values = client_dns_lookup_values, .doc = "How names of brokers are resolved."},
    {SIZE, .name = "metrics.sample.window.ms", .type = SLUICE_OPTION_LONG, .default_value = "30000",
     .importance = SLUICE_LOW, .valid = SLUICE_VALID_RANGE, .min = 0, .max = INT64_MAX,
     .doc = "Window of a metrics sample."},
    {SIZE, .name = "metrics.num.samples", .type = SLUICE_OPTION_INT, .default_value = "2",
     .importance = SLUICE_LOW, .valid = SLUICE_VALID_RANGE, .min = 1, .max = INT64_MAX,
     .doc = "Samples that make up a metric."},
    {SIZE, .name = "metrics.recording.level", .type = SLUICE_OPTION_STRING, .default_value = "INFO",
     .importance = SLUICE_LOW, .valid = SLUICE_VALID_ONE_OF,
     .values = metrics_recording_level_values, .doc = "Highest level of metrics recorded."},
    {SIZE, .name = "metric.reporters", .type = SLUICE_OPTION_LIST, .default_value = "",
     .importance = SLUICE_LOW, .doc = "JVM classes; accepted and without effect here."},
    {SIZE, .name = "auto.include.jmx.reporter", .type = SLUICE_OPTION_BOOLEAN,
     .default_value = "true", .importance = SLUICE_LOW, .doc = "Accepted and without effect here."},
    {SIZE, .name = "listeners", .type = SLUICE_OPTION_LIST, .default_value = "http://:8083",
     .importance = SLUICE_LOW,
     .doc = "Addresses of the admin API, as http://host:port or https://host:port."},
    {SIZE, .name = "rest.advertised.host.name", .type = SLUICE_OPTION_STRING,
     .importance = SLUICE_LOW, .doc = "Host name that other workers reach this one by."},
    {SIZE, .name = "rest.advertised.port", .type = SLUICE_OPTION_INT, .importance = SLUICE_LOW,
     .doc = "Port that other workers reach this one by."},
    {SIZE, .name = "rest.advertised.listener", .type = SLUICE_OPTION_STRING,
     .importance = SLUICE_LOW, .doc = "Protocol of the listener that other workers use."},
    {SIZE, .name = "admin.listeners", .type = SLUICE_OPTION_LIST, .importance = SLUICE_LOW,
     .doc = "Addresses of the admin endpoints; not set: those of listeners, empty: none."},
    {SIZE, .name = "rest.extension.classes", .type = SLUICE_OPTION_LIST, .default_value = "",
     .importance = SLUICE_LOW, .doc = "BasicAuthSecurityRestExtension, or nothing; other classes of the JVM are not known here."},
    {SIZE, .name = "access.control.allow.origin", .type = SLUICE_OPTION_STRING, .default_value = "",
     .importance = SLUICE_LOW, .doc = "Value of Access-Control-Allow-Origin; empty: no CORS."},
    {SIZE, .name = "access.control.allow.methods", .type = SLUICE_OPTION_STRING,
     .default_value = "", .importance = SLUICE_LOW,
     .doc = "Methods that cross-origin requests may use."},
    {SIZE, .name = "response.http.headers.config", .type = SLUICE_OPTION_STRING,
     .default_value = "", .importance = SLUICE_LOW, .doc = "Headers added to every REST answer."},
    {SIZE, .name = "java.security.auth.login.config", .type = SLUICE_OPTION_STRING,
     .importance = SLUICE_LOW,
     .doc = "JAAS file of BasicAuthSecurityRestExtension, as the JVM's system property of that name."},
    {SIZE, .name = "ssl.client.auth", .type = SLUICE_OPTION_STRING, .default_value = "none",
     .importance = SLUICE_LOW, .valid = SLUICE_VALID_ONE_OF, .values = ssl_client_auth_values,
     .doc = "Whether clients of the REST API show a certificate."},
    {SIZE, .name = "ssl.*", .type = SLUICE_OPTION_STRING, .importance = SLUICE_LOW,
     .doc = "TLS of the REST API and of the worker's own clients."},
    {SIZE, .name = "listeners.https.*", .type = SLUICE_OPTION_STRING, .importance = SLUICE_LOW,
     .doc = "TLS of the REST API alone."},
    {SIZE, .name = "admin.listeners.https.*", .type = SLUICE_OPTION_STRING,
     .importance = SLUICE_LOW, .doc = "TLS of the admin listeners alone."},
    {SIZE, .name = "key.converter.*", .type = SLUICE_OPTION_STRING, .importance = SLUICE_LOW,
     .doc = "Options of the key converter."},
    {SIZE, .name = "value.converter.*", .type = SLUICE_OPTION_STRING, .importance = SLUICE_LOW,
     .doc = "Options of the value converter."},
    {SIZE, .name = "header.converter.*", .type = SLUICE_OPTION_STRING, .importance = SLUICE_LOW,
     .doc = "Options of the header converter."},
    {SIZE, .name = "producer.*", .type = SLUICE_OPTION_STRING, .importance = SLUICE_LOW,
     .doc = "Settings of the producers of connectors."},
    {SIZE, .name = "consumer.*", .type = SLUICE_OPTION_STRING, .importance = SLUICE_LOW,
     .doc = "Settings of the consumers of connectors."},
    {SIZE, .name = "admin.*", .type = SLUICE_OPTION_STRING, .importance = SLUICE_LOW,
     .doc = "Settings of the admin clients of connectors."},
    {SIZE, .name = "security.protocol", .type = SLUICE_OPTION_STRING, .default_value = "PLAINTEXT",
     .importance = SLUICE_MEDIUM, .valid = SLUICE_VALID_ONE_OF_ANY_CASE,
     .values = security_protocol_values, .doc = "How the worker's own clients talk to brokers."},
    {SIZE, .name = "sasl.*", .type = SLUICE_OPTION_STRING, .importance = SLUICE_MEDIUM,
     .doc = "SASL of the worker's own clients."},
    {SIZE, .name = "sasl.jaas.config", .type = SLUICE_OPTION_PASSWORD, .importance = SLUICE_MEDIUM,
     .doc = "Login module and credentials of the worker's own clients."},
    {SIZE, .name = "ssl.keystore.key", .type = SLUICE_OPTION_PASSWORD, .importance = SLUICE_LOW,
     .doc = "Private key, as PEM."},
    {SIZE, .name = "ssl.keystore.password", .type = SLUICE_OPTION_PASSWORD,
     .importance = SLUICE_LOW, .doc = "Password of the key store."},
    {SIZE, .name = "ssl.key.password", .type = SLUICE_OPTION_PASSWORD, .importance = SLUICE_LOW,
     .doc = "Password of the key."},
    {SIZE, .name = "ssl.truststore.password", .type = SLUICE_OPTION_PASSWORD,
     .importance = SLUICE_LOW, .doc = "Password of the trust store."},
    {SIZE, .name = "request.timeout.ms", .type = SLUICE_OPTION_INT, .default_value = "40000",
     .importance = SLUICE_MEDIUM, .valid = SLUICE_VALID_RANGE, .min = 0, .max = INT64_MAX,
     .doc = "How long a broker may take to answer."},
    {SIZE, .name = "default.api.timeout.ms", .type = SLUICE_OPTION_INT, .default_value = "60000",
     .importance = SLUICE_LOW, .valid = SLUICE_VALID_RANGE, .min = 0, .max = INT64_MAX,
     .doc = "How long a worker waits, at its start, for a broker that answers."},
    {SIZE, .name = "retry.backoff.ms", .type = SLUICE_OPTION_LONG, .default_value = "100",
     .importance = SLUICE_LOW, .valid = SLUICE_VALID_RANGE, .min = 0, .max = INT64_MAX,
     .doc = "Wait before a failed request is tried again."},
    {SIZE, .name = "retry.backoff.max.ms", .type = SLUICE_OPTION_LONG, .default_value = "1000",
     .importance = SLUICE_LOW, .valid = SLUICE_VALID_RANGE, .min = 0, .max = INT64_MAX,
     .doc = "Longest such wait."},
    {SIZE, .name = "reconnect.backoff.ms", .type = SLUICE_OPTION_LONG, .default_value = "50",
     .importance = SLUICE_LOW, .valid = SLUICE_VALID_RANGE, .min = 0, .max = INT64_MAX,
     .doc = "Wait before a connection is tried again."},
    {SIZE, .name = "reconnect.backoff.max.ms", .type = SLUICE_OPTION_LONG, .default_value = "1000",
     .importance = SLUICE_LOW, .valid = SLUICE_VALID_RANGE, .min = 0, .max = INT64_MAX,
     .doc = "Longest such wait."},
    {SIZE, .name = "metadata.max.age.ms", .type = SLUICE_OPTION_LONG, .default_value = "300000",
     .importance = SLUICE_LOW, .valid = SLUICE_VALID_RANGE, .min = 0, .max = INT64_MAX,
     .doc = "After how long metadata is read anew."},
    {SIZE, .name = "connections.max.idle.ms", .type = SLUICE_OPTION_LONG, .default_value = "540000",
     .importance = SLUICE_LOW, .doc = "After how long idle connections are closed."},
    {SIZE, .name = "send.buffer.bytes", .type = SLUICE_OPTION_INT, .default_value = "131072",
     .importance = SLUICE_LOW, .valid = SLUICE_VALID_RANGE, .min = -1, .max = INT64_MAX,
     .doc = "Size of a socket's send buffer; -1: the system's."},
    {SIZE, .name = "receive.buffer.bytes", .type = SLUICE_OPTION_INT, .default_value = "32768",
     .importance = SLUICE_LOW, .valid = SLUICE_VALID_RANGE, .min = -1, .max = INT64_MAX,
     .doc = "Size of a socket's receive buffer; -1: the system's."},
    {SIZE, .name = "socket.connection.setup.timeout.ms", .type = SLUICE_OPTION_LONG,
     .default_value = "10000", .importance = SLUICE_LOW,
     .doc = "How long the making of a connection may take at first."},
    {SIZE, .name = "socket.connection.setup.timeout.max.ms", .type = SLUICE_OPTION_LONG,
     .default_value = "30000", .importance = SLUICE_LOW, .doc = "Longest such time."},
    {SIZE, .name = "sluice.core.files", .type = SLUICE_OPTION_BOOLEAN, .default_value = "false",
     .importance = SLUICE_LOW,
     .doc = "Whether core files of the worker and its hosts hold their memory, secrets included."},
    {SIZE, .name = "sluice.log.file", .type = SLUICE_OPTION_STRING, .importance = SLUICE_LOW,
     .doc = "File that log lines are added to, opened anew on SIGHUP; not set: standard error."},
    {SIZE, .name = "sluice.log.format", .type = SLUICE_OPTION_STRING, .default_value = "text",
     .importance = SLUICE_LOW, .valid = SLUICE_VALID_ONE_OF_ANY_CASE, .values = log_format_values,
     .doc = "Form of log lines."},
    {SIZE, .name = "sluice.log.level", .type = SLUICE_OPTION_STRING, .default_value = "INFO",
     .importance = SLUICE_LOW, .doc = "Level of the root logger at the start."},
    {SIZE, .name = "sluice.tap.enable", .type = SLUICE_OPTION_BOOLEAN, .default_value = "false",
     .importance = SLUICE_LOW,
     .doc = "Whether the admin API and the console may show samples of live records."},
    {SIZE, .name = "sluice.tap.redact", .type = SLUICE_OPTION_LIST, .importance = SLUICE_LOW,
     .doc = "Words in names of fields whose values samples hide; not set: password, token and the like."},
    {SIZE, .name = "sluice.*", .type = SLUICE_OPTION_STRING, .importance = SLUICE_LOW,
     .doc = "Keys of sluice's own."},
    {.name = NULL},
};

/* Whatever a client of ours is given that nobody shall read, under any prefix. invariant 7 */
#define SECRET(prefix, key)                                                                        \
    {                                                                                              \
        SIZE, .name = prefix key, .type = SLUICE_OPTION_PASSWORD, .importance = SLUICE_MEDIUM,     \
              .doc = "A secret of the client's; never shown."                                      \
    }
#define SECRETS(prefix)                                                                            \
    SECRET(prefix, "sasl.jaas.config"), SECRET(prefix, "ssl.key.password"),                        \
        SECRET(prefix, "ssl.keystore.certificate.chain"), SECRET(prefix, "ssl.keystore.key"),      \
        SECRET(prefix, "ssl.keystore.password"), SECRET(prefix, "ssl.truststore.certificates"),    \
        SECRET(prefix, "ssl.truststore.password")

const struct sluice_option framework_secrets[] = {
    SECRETS("*."),
    SECRETS("*.*."),
    SECRETS("*.*.*."),
    {.name = NULL},
};

const struct sluice_option framework_standalone[] = {
    {SIZE, .name = "offset.storage.file.filename", .type = SLUICE_OPTION_STRING, .required = true,
     .importance = SLUICE_HIGH, .doc = "File that offsets of source connectors are kept in."},
    {.name = NULL},
};

const struct sluice_option framework_distributed[] = {
    {SIZE, .name = "group.id", .type = SLUICE_OPTION_STRING, .required = true,
     .importance = SLUICE_HIGH,
     .doc = "Name of the Connect cluster; no consumer group may have it."},
    {SIZE, .name = "config.storage.topic", .type = SLUICE_OPTION_STRING, .required = true,
     .importance = SLUICE_HIGH, .doc = "Topic of connector configurations."},
    {SIZE, .name = "config.storage.replication.factor", .type = SLUICE_OPTION_SHORT,
     .default_value = "3", .importance = SLUICE_LOW, .valid = SLUICE_VALID_CUSTOM,
     .check = check_count,
     .doc = "Replication factor of the config topic when it is made; -1: the broker's."},
    {SIZE, .name = "offset.storage.topic", .type = SLUICE_OPTION_STRING, .required = true,
     .importance = SLUICE_HIGH, .doc = "Topic of source offsets."},
    {SIZE, .name = "offset.storage.partitions", .type = SLUICE_OPTION_INT, .default_value = "25",
     .importance = SLUICE_LOW, .valid = SLUICE_VALID_CUSTOM, .check = check_count,
     .doc = "Partitions of the offset topic when it is made; -1: the broker's."},
    {SIZE, .name = "offset.storage.replication.factor", .type = SLUICE_OPTION_SHORT,
     .default_value = "3", .importance = SLUICE_LOW, .valid = SLUICE_VALID_CUSTOM,
     .check = check_count,
     .doc = "Replication factor of the offset topic when it is made; -1: the broker's."},
    {SIZE, .name = "status.storage.topic", .type = SLUICE_OPTION_STRING, .required = true,
     .importance = SLUICE_HIGH, .doc = "Topic of the states of connectors and tasks."},
    {SIZE, .name = "status.storage.partitions", .type = SLUICE_OPTION_INT, .default_value = "5",
     .importance = SLUICE_LOW, .valid = SLUICE_VALID_CUSTOM, .check = check_count,
     .doc = "Partitions of the status topic when it is made; -1: the broker's."},
    {SIZE, .name = "status.storage.replication.factor", .type = SLUICE_OPTION_SHORT,
     .default_value = "3", .importance = SLUICE_LOW, .valid = SLUICE_VALID_CUSTOM,
     .check = check_count,
     .doc = "Replication factor of the status topic when it is made; -1: the broker's."},
    {SIZE, .name = "config.storage.*", .type = SLUICE_OPTION_STRING, .importance = SLUICE_LOW,
     .doc = "Further settings of the config topic when it is made."},
    {SIZE, .name = "offset.storage.*", .type = SLUICE_OPTION_STRING, .importance = SLUICE_LOW,
     .doc = "Further settings of the offset topic when it is made."},
    {SIZE, .name = "status.storage.*", .type = SLUICE_OPTION_STRING, .importance = SLUICE_LOW,
     .doc = "Further settings of the status topic when it is made."},
    {SIZE, .name = "session.timeout.ms", .type = SLUICE_OPTION_INT, .default_value = "10000",
     .importance = SLUICE_HIGH, .doc = "After how long a silent worker is taken for gone."},
    {SIZE, .name = "heartbeat.interval.ms", .type = SLUICE_OPTION_INT, .default_value = "3000",
     .importance = SLUICE_HIGH, .doc = "How often a worker shows that it is there."},
    {SIZE, .name = "rebalance.timeout.ms", .type = SLUICE_OPTION_INT, .default_value = "60000",
     .importance = SLUICE_HIGH, .doc = "How long workers may take to join a rebalance."},
    {SIZE, .name = "worker.sync.timeout.ms", .type = SLUICE_OPTION_INT, .default_value = "3000",
     .importance = SLUICE_MEDIUM,
     .doc = "How long a worker may take to catch up with the config topic."},
    {SIZE, .name = "worker.unsync.backoff.ms", .type = SLUICE_OPTION_INT, .default_value = "300000",
     .importance = SLUICE_MEDIUM,
     .doc = "How long a worker that did not catch up stays out of the group."},
    {SIZE, .name = "connect.protocol", .type = SLUICE_OPTION_STRING, .default_value = "sessioned",
     .importance = SLUICE_LOW, .valid = SLUICE_VALID_ONE_OF_ANY_CASE,
     .values = connect_protocol_values, .doc = "Rebalance protocol of JVM workers; accepted."},
    {SIZE, .name = "scheduled.rebalance.max.delay.ms", .type = SLUICE_OPTION_INT,
     .default_value = "300000", .importance = SLUICE_LOW, .valid = SLUICE_VALID_RANGE, .min = 0,
     .max = INT32_MAX, .doc = "How long work of a lost worker waits for its return."},
    {SIZE, .name = "exactly.once.source.support", .type = SLUICE_OPTION_STRING,
     .default_value = "disabled", .importance = SLUICE_HIGH, .valid = SLUICE_VALID_ONE_OF_ANY_CASE,
     .values = exactly_once_source_support_values,
     .doc = "Exactly-once support for source connectors."},
    {SIZE, .name = "inter.worker.key.generation.algorithm", .type = SLUICE_OPTION_STRING,
     .default_value = "HmacSHA256", .importance = SLUICE_LOW,
     .doc = "Algorithm of the keys workers sign requests to each other with."},
    {SIZE, .name = "inter.worker.key.size", .type = SLUICE_OPTION_INT, .importance = SLUICE_LOW,
     .doc = "Bits of such a key."},
    {SIZE, .name = "inter.worker.key.ttl.ms", .type = SLUICE_OPTION_INT, .default_value = "3600000",
     .importance = SLUICE_LOW, .valid = SLUICE_VALID_RANGE, .min = 0, .max = INT32_MAX,
     .doc = "How long such a key is used."},
    {SIZE, .name = "inter.worker.signature.algorithm", .type = SLUICE_OPTION_STRING,
     .default_value = "HmacSHA256", .importance = SLUICE_LOW,
     .doc = "Algorithm requests are signed with."},
    {SIZE, .name = "inter.worker.verification.algorithms", .type = SLUICE_OPTION_LIST,
     .default_value = "HmacSHA256", .importance = SLUICE_LOW,
     .doc = "Algorithms that are accepted."},
    {.name = NULL},
};
