#include "core/config/client_keys.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/config/value.h"

#define KEY(key_name, key_type, key_default, key_importance)                                       \
    .option = {.size = sizeof(struct sluice_option),                                               \
               .name = key_name,                                                                   \
               .type = SLUICE_OPTION_##key_type,                                                   \
               .default_value = key_default,                                                       \
               .importance = SLUICE_##key_importance}
#define RANGED(key_name, key_type, key_default, key_importance, least, most)                       \
    .option = {.size = sizeof(struct sluice_option),                                               \
               .name = key_name,                                                                   \
               .type = SLUICE_OPTION_##key_type,                                                   \
               .default_value = key_default,                                                       \
               .importance = SLUICE_##key_importance,                                              \
               .valid = SLUICE_VALID_RANGE,                                                        \
               .min = least,                                                                       \
               .max = most}
#define CHOICE(key_name, key_default, key_importance, rule, key_values)                            \
    .option = {.size = sizeof(struct sluice_option),                                               \
               .name = key_name,                                                                   \
               .type = SLUICE_OPTION_STRING,                                                       \
               .default_value = key_default,                                                       \
               .importance = SLUICE_##key_importance,                                              \
               .valid = SLUICE_VALID_##rule,                                                       \
               .values = key_values}

#define P .clients = CLIENT_PRODUCER
#define C .clients = CLIENT_CONSUMER
#define A .clients = CLIENT_ADMIN
#define PC .clients = CLIENT_PRODUCER | CLIENT_CONSUMER
#define PA .clients = CLIENT_PRODUCER | CLIENT_ADMIN
#define CA .clients = CLIENT_CONSUMER | CLIENT_ADMIN
#define PCA .clients = CLIENT_ANY
#define MAPPED .way = CLIENT_KEY_MAPPED
#define TO(name, least, most) .way = CLIENT_KEY_MAPPED, .to = name, .to_min = least, .to_max = most
#define OURS(text) .way = CLIENT_KEY_OURS, .note = text
#define NOTHING(text) .way = CLIENT_KEY_NOTHING, .note = text
#define NOT(text) .way = CLIENT_KEY_NOT, .note = text
#define BESIDES(value) .quiet = value

#define NO_LIMIT INT64_MAX
#define INT_TOP 2147483647

#define JVM_METRICS "metrics are sluice's own, on GET /metrics"
#define BROKER_SIDE "only a broker validates tokens; a client has no use for it"
#define KERBEROS "GSSAPI (Kerberos) is not built in; use SCRAM, OAUTHBEARER or client certificates"
#define JVM_TLS "TLS is done by OpenSSL, not by a JVM provider"
#define BYTES "records are bytes for the client; converters make them, as Connect's do"
#define TOKENS "tokens are fetched anew when 80 % of their life is over"
#define COMMITS "offsets are committed only behind durable delivery, every offset.flush.interval.ms"

static const char *const acks[] = {"all", "-1", "0", "1", NULL};
static const char *const resets[] = {"latest", "earliest", "none", NULL};
static const char *const lookups[] = {"use_all_dns_ips",
                                      "resolve_canonical_bootstrap_servers_only", NULL};
static const char *const codecs[] = {"none", "gzip", "snappy", "lz4", "zstd", NULL};
static const char *const group_protocols[] = {"CONSUMER", "CLASSIC", NULL};
static const char *const isolations[] = {"read_committed", "read_uncommitted", NULL};
static const char *const recoveries[] = {"REBOOTSTRAP", "NONE", NULL};
static const char *const levels[] = {"INFO", "DEBUG", "TRACE", NULL};
static const char *const protocols[] = {"SASL_SSL", "PLAINTEXT", "SSL", "SASL_PLAINTEXT", NULL};

const struct client_key client_keys[] = {
    {CHOICE("acks", "all", LOW, ONE_OF, acks), P, MAPPED},
    {KEY("allow.auto.create.topics", BOOLEAN, "true", MEDIUM), C, MAPPED},
    {RANGED("auto.commit.interval.ms", INT, "5000", LOW, 0, NO_LIMIT), C, NOT(COMMITS)},
    {KEY("auto.include.jmx.reporter", BOOLEAN, "true", LOW), PCA, NOTHING(JVM_METRICS)},
    {CHOICE("auto.offset.reset", "latest", MEDIUM, ONE_OF, resets), C, OURS("earliest for sinks")},
    {RANGED("batch.size", INT, "16384", MEDIUM, 0, NO_LIMIT), P, TO("batch.size", 1, INT_TOP)},
    {KEY("bootstrap.controllers", LIST, "", HIGH), A,
     NOT("controllers are not spoken to; name brokers in bootstrap.servers")},
    {KEY("bootstrap.servers", LIST, "", HIGH), PCA, OURS("brokers, or local:DIR")},
    {RANGED("buffer.memory", LONG, "33554432", HIGH, 0, NO_LIMIT), P,
     OURS("bound of what is unacknowledged")},
    {KEY("check.crcs", BOOLEAN, "true", LOW), C, MAPPED},
    {CHOICE("client.dns.lookup", "use_all_dns_ips", MEDIUM, ONE_OF, lookups), PCA, MAPPED},
    {KEY("client.id", STRING, "", MEDIUM), PCA, OURS("named as Connect names its clients")},
    {KEY("client.rack", STRING, "", LOW), C, MAPPED},
    {KEY("compression.gzip.level", INT, "-1", MEDIUM), P, OURS("with compression.type=gzip")},
    {RANGED("compression.lz4.level", INT, "9", MEDIUM, 1, 17), P,
     OURS("with compression.type=lz4; at most 12")},
    {CHOICE("compression.type", "none", HIGH, ONE_OF, codecs), P, MAPPED},
    {RANGED("compression.zstd.level", INT, "3", MEDIUM, -131072, 22), P,
     OURS("with compression.type=zstd; from 1 to 12")},
    {KEY("connections.max.idle.ms", LONG, "540000", MEDIUM), PCA,
     TO("connections.max.idle.ms", 0, INT_TOP)},
    {RANGED("default.api.timeout.ms", INT, "60000", MEDIUM, 0, NO_LIMIT), CA,
     NOT("calls have time limits of their own (30 s for tools)")},
    {RANGED("delivery.timeout.ms", INT, "120000", MEDIUM, 0, NO_LIMIT), P,
     TO("delivery.timeout.ms", 1, INT_TOP)},
    {KEY("enable.auto.commit", BOOLEAN, "true", MEDIUM), C, NOT(COMMITS), BESIDES("false")},
    {KEY("enable.idempotence", BOOLEAN, "true", LOW), P, MAPPED},
    {KEY("enable.metrics.push", BOOLEAN, "true", LOW), PCA, MAPPED},
    {KEY("exclude.internal.topics", BOOLEAN, "true", MEDIUM), C,
     NOT("topics.regex never takes internal topics"), BESIDES("true")},
    {RANGED("fetch.max.bytes", INT, "52428800", MEDIUM, 0, NO_LIMIT), C,
     TO("fetch.max.bytes", 1024, 2147483135)},
    {RANGED("fetch.max.wait.ms", INT, "500", LOW, 0, NO_LIMIT), C,
     TO("fetch.wait.max.ms", 0, 300000)},
    {RANGED("fetch.min.bytes", INT, "1", HIGH, 0, NO_LIMIT), C,
     TO("fetch.min.bytes", 1, 100000000)},
    {KEY("group.id", STRING, NULL, HIGH), C, OURS("connect-NAME for sinks")},
    {KEY("group.instance.id", STRING, NULL, MEDIUM), C, MAPPED},
    {CHOICE("group.protocol", "classic", HIGH, ONE_OF_ANY_CASE, group_protocols), C,
     NOT("groups use the classic protocol"), BESIDES("classic")},
    {KEY("group.remote.assignor", STRING, NULL, MEDIUM), C,
     NOT("groups use the classic protocol, whose assignor is partition.assignment.strategy")},
    {KEY("heartbeat.interval.ms", INT, "3000", HIGH), C,
     TO("heartbeat.interval.ms", 1, 3600000)},
    {KEY("interceptor.classes", LIST, "", LOW), PC,
     NOT("interceptors are Java classes, and there is no JVM to run them"), BESIDES("")},
    {KEY("internal.leave.group.on.close", BOOLEAN, "true", LOW), C,
     NOTHING("Kafka's own tests use it")},
    {KEY("internal.throw.on.fetch.stable.offset.unsupported", BOOLEAN, "false", LOW), C,
     NOTHING("Kafka Streams uses it")},
    {CHOICE("isolation.level", "read_uncommitted", MEDIUM, ONE_OF, isolations), C, MAPPED},
    {KEY("key.deserializer", CLASS, NULL, HIGH), C, NOTHING(BYTES)},
    {KEY("key.serializer", CLASS, NULL, HIGH), P, NOTHING(BYTES)},
    {RANGED("linger.ms", LONG, "0", MEDIUM, 0, NO_LIMIT), P, TO("linger.ms", 0, 900000)},
    {RANGED("max.block.ms", LONG, "60000", MEDIUM, 0, NO_LIMIT), P,
     OURS("a full buffer makes a task wait, as Connect's default has it")},
    {RANGED("max.in.flight.requests.per.connection", INT, "5", LOW, 1, NO_LIMIT), P,
     TO("max.in.flight.requests.per.connection", 1, 1000000)},
    {RANGED("max.partition.fetch.bytes", INT, "1048576", HIGH, 0, NO_LIMIT), C,
     TO("max.partition.fetch.bytes", 1, 1000000000)},
    {RANGED("max.poll.interval.ms", INT, "300000", MEDIUM, 1, NO_LIMIT), C,
     TO("max.poll.interval.ms", 1, 86400000)},
    {RANGED("max.poll.records", INT, "500", MEDIUM, 1, NO_LIMIT), C, OURS("most records of one put()")},
    {RANGED("max.request.size", INT, "1048576", MEDIUM, 0, NO_LIMIT), P,
     OURS("largest request and record")},
    {RANGED("metadata.max.age.ms", LONG, "300000", LOW, 0, NO_LIMIT), PCA,
     OURS("also how soon topics.regex finds new topics")},
    {RANGED("metadata.max.idle.ms", LONG, "300000", LOW, 5000, NO_LIMIT), P,
     NOTHING("topics that are not written to cost nothing")},
    {CHOICE("metadata.recovery.strategy", "none", LOW, ONE_OF_ANY_CASE, recoveries), PCA,
     OURS("rebootstrap unless set")},
    {KEY("metric.reporters", LIST, "", LOW), PCA,
     NOT("reporters are Java classes; " JVM_METRICS), BESIDES("")},
    {RANGED("metrics.num.samples", INT, "2", LOW, 1, NO_LIMIT), PCA, NOTHING(JVM_METRICS)},
    {CHOICE("metrics.recording.level", "INFO", LOW, ONE_OF, levels), PCA, NOTHING(JVM_METRICS)},
    {RANGED("metrics.sample.window.ms", LONG, "30000", LOW, 0, NO_LIMIT), PCA,
     NOTHING(JVM_METRICS)},
    {KEY("partition.assignment.strategy", LIST,
         "class org.apache.kafka.clients.consumer.RangeAssignor,"
         "class org.apache.kafka.clients.consumer.CooperativeStickyAssignor",
         MEDIUM),
     C, OURS("range, roundrobin, cooperative-sticky; the last where it is in the list")},
    {KEY("partitioner.adaptive.partitioning.enable", BOOLEAN, "true", LOW), P,
     NOT("records without a key stick to a random partition for a moment, whatever its broker's "
         "load")},
    {RANGED("partitioner.availability.timeout.ms", LONG, "0", LOW, 0, NO_LIMIT), P,
     NOT("partitions are chosen without regard to their broker's load"), BESIDES("0")},
    {KEY("partitioner.class", CLASS, NULL, MEDIUM), P,
     OURS("murmur2 of the key, as Java's default")},
    {KEY("partitioner.ignore.keys", BOOLEAN, "false", MEDIUM), P, OURS("random partitions then")},
    {RANGED("receive.buffer.bytes", INT, "32768", MEDIUM, -1, NO_LIMIT), PCA,
     TO("socket.receive.buffer.bytes", 0, 100000000)},
    {RANGED("reconnect.backoff.max.ms", LONG, "1000", LOW, 0, NO_LIMIT), PCA,
     TO("reconnect.backoff.max.ms", 0, 3600000)},
    {RANGED("reconnect.backoff.ms", LONG, "50", LOW, 0, NO_LIMIT), PCA,
     TO("reconnect.backoff.ms", 0, 3600000)},
    {RANGED("request.timeout.ms", INT, "30000", MEDIUM, 0, NO_LIMIT), PCA,
     TO("socket.timeout.ms", 10, 300000)},
    {RANGED("retries", INT, "2147483647", HIGH, 0, INT_TOP), PA, OURS("of a producer's requests")},
    {RANGED("retry.backoff.max.ms", LONG, "1000", LOW, 0, NO_LIMIT), PCA,
     TO("retry.backoff.max.ms", 1, 300000)},
    {RANGED("retry.backoff.ms", LONG, "100", LOW, 0, NO_LIMIT), PCA,
     TO("retry.backoff.ms", 1, 300000)},
    {KEY("sasl.client.callback.handler.class", CLASS, NULL, MEDIUM), PCA,
     OURS("known ones choose how to log in")},
    {KEY("sasl.jaas.config", PASSWORD, NULL, MEDIUM), PCA, OURS("login module and its options")},
    {KEY("sasl.kerberos.kinit.cmd", STRING, "/usr/bin/kinit", LOW), PCA, NOT(KERBEROS)},
    {KEY("sasl.kerberos.min.time.before.relogin", LONG, "60000", LOW), PCA, NOT(KERBEROS)},
    {KEY("sasl.kerberos.service.name", STRING, NULL, MEDIUM), PCA, NOT(KERBEROS)},
    {KEY("sasl.kerberos.ticket.renew.jitter", DOUBLE, "0.05", LOW), PCA, NOT(KERBEROS)},
    {KEY("sasl.kerberos.ticket.renew.window.factor", DOUBLE, "0.8", LOW), PCA, NOT(KERBEROS)},
    {KEY("sasl.login.callback.handler.class", CLASS, NULL, MEDIUM), PCA,
     OURS("known ones choose where tokens come from")},
    {KEY("sasl.login.class", CLASS, NULL, MEDIUM), PCA,
     NOT("login classes are Java; the ones of Kafka and of Amazon MSK are built in")},
    {KEY("sasl.login.connect.timeout.ms", INT, NULL, LOW), PCA, OURS("of the token endpoint")},
    {KEY("sasl.login.read.timeout.ms", INT, NULL, LOW), PCA, OURS("of the token endpoint")},
    {RANGED("sasl.login.refresh.buffer.seconds", SHORT, "300", LOW, 0, 3600), PCA,
     NOTHING(TOKENS)},
    {RANGED("sasl.login.refresh.min.period.seconds", SHORT, "60", LOW, 0, 900), PCA,
     NOTHING(TOKENS)},
    {KEY("sasl.login.refresh.window.factor", DOUBLE, "0.8", LOW), PCA, NOT(TOKENS),
     BESIDES("0.8")},
    {KEY("sasl.login.refresh.window.jitter", DOUBLE, "0.05", LOW), PCA, NOTHING(TOKENS)},
    {KEY("sasl.login.retry.backoff.max.ms", LONG, "10000", LOW), PCA,
     NOTHING("a token that could not be had is asked for again after 10 s")},
    {KEY("sasl.login.retry.backoff.ms", LONG, "100", LOW), PCA,
     NOTHING("a token that could not be had is asked for again after 10 s")},
    {KEY("sasl.mechanism", STRING, "GSSAPI", MEDIUM), PCA,
     OURS("PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER, AWS_MSK_IAM")},
    {KEY("sasl.oauthbearer.clock.skew.seconds", INT, "30", LOW), PCA, NOTHING(BROKER_SIDE)},
    {KEY("sasl.oauthbearer.expected.audience", LIST, NULL, LOW), PCA, NOTHING(BROKER_SIDE)},
    {KEY("sasl.oauthbearer.expected.issuer", STRING, NULL, LOW), PCA, NOTHING(BROKER_SIDE)},
    {KEY("sasl.oauthbearer.header.urlencode", BOOLEAN, "false", LOW), PCA,
     OURS("of clientId and clientSecret")},
    {KEY("sasl.oauthbearer.jwks.endpoint.refresh.ms", LONG, "3600000", LOW), PCA,
     NOTHING(BROKER_SIDE)},
    {KEY("sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms", LONG, "10000", LOW), PCA,
     NOTHING(BROKER_SIDE)},
    {KEY("sasl.oauthbearer.jwks.endpoint.retry.backoff.ms", LONG, "100", LOW), PCA,
     NOTHING(BROKER_SIDE)},
    {KEY("sasl.oauthbearer.jwks.endpoint.url", STRING, NULL, MEDIUM), PCA, NOTHING(BROKER_SIDE)},
    {KEY("sasl.oauthbearer.scope.claim.name", STRING, "scope", LOW), PCA,
     NOTHING("the broker reads a token's scope, not the client")},
    {KEY("sasl.oauthbearer.sub.claim.name", STRING, "sub", LOW), PCA,
     OURS("claim that names the principal")},
    {KEY("sasl.oauthbearer.token.endpoint.url", STRING, NULL, MEDIUM), PCA,
     OURS("https://, http:// or file:")},
    {CHOICE("security.protocol", "PLAINTEXT", MEDIUM, ONE_OF_ANY_CASE, protocols), PCA,
     OURS("PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL")},
    {KEY("security.providers", STRING, NULL, LOW), PCA, NOT(JVM_TLS), BESIDES("")},
    {RANGED("send.buffer.bytes", INT, "131072", MEDIUM, -1, NO_LIMIT), PCA,
     TO("socket.send.buffer.bytes", 0, 100000000)},
    {KEY("session.timeout.ms", INT, "45000", HIGH), C, TO("session.timeout.ms", 1, 3600000)},
    {KEY("socket.connection.setup.timeout.max.ms", LONG, "30000", MEDIUM), PCA,
     NOT("every attempt has the same time limit, socket.connection.setup.timeout.ms")},
    {KEY("socket.connection.setup.timeout.ms", LONG, "10000", MEDIUM), PCA,
     TO("socket.connection.setup.timeout.ms", 1000, INT_TOP)},
    {KEY("ssl.cipher.suites", LIST, NULL, LOW), PCA,
     OURS("Java's names; those of TLS 1.2 and older, as those of TLS 1.3 are all on")},
    {KEY("ssl.enabled.protocols", LIST, "TLSv1.2,TLSv1.3", MEDIUM), PCA,
     OURS("TLS 1.2 and 1.3 are on; a list without one of them is a warning")},
    {KEY("ssl.endpoint.identification.algorithm", STRING, "https", LOW), PCA,
     OURS("https, or empty for none")},
    {KEY("ssl.engine.factory.class", CLASS, NULL, LOW), PCA, NOT(JVM_TLS)},
    {KEY("ssl.key.password", PASSWORD, NULL, HIGH), PCA, OURS("of the key in the key store")},
    {KEY("ssl.keymanager.algorithm", STRING, "SunX509", LOW), PCA, NOTHING(JVM_TLS)},
    {KEY("ssl.keystore.certificate.chain", PASSWORD, NULL, HIGH), PCA, OURS("PEM")},
    {KEY("ssl.keystore.key", PASSWORD, NULL, HIGH), PCA, OURS("PEM, PKCS#8")},
    {KEY("ssl.keystore.location", STRING, NULL, HIGH), PCA, OURS("JKS, PKCS12 or PEM")},
    {KEY("ssl.keystore.password", PASSWORD, NULL, HIGH), PCA, OURS("of the key store")},
    {KEY("ssl.keystore.type", STRING, "JKS", MEDIUM), PCA, OURS("JKS, PKCS12 or PEM")},
    {KEY("ssl.protocol", STRING, "TLSv1.3", MEDIUM), PCA,
     NOTHING("the newest protocol that both sides know is used")},
    {KEY("ssl.provider", STRING, NULL, MEDIUM), PCA, NOT(JVM_TLS), BESIDES("")},
    {KEY("ssl.secure.random.implementation", STRING, NULL, LOW), PCA, NOTHING(JVM_TLS)},
    {KEY("ssl.trustmanager.algorithm", STRING, "PKIX", LOW), PCA, NOTHING(JVM_TLS)},
    {KEY("ssl.truststore.certificates", PASSWORD, NULL, HIGH), PCA, OURS("PEM")},
    {KEY("ssl.truststore.location", STRING, NULL, HIGH), PCA, OURS("JKS, PKCS12 or PEM")},
    {KEY("ssl.truststore.password", PASSWORD, NULL, HIGH), PCA, OURS("of the trust store")},
    {KEY("ssl.truststore.type", STRING, "JKS", MEDIUM), PCA, OURS("JKS, PKCS12 or PEM")},
    {KEY("transaction.timeout.ms", INT, "60000", LOW), P,
     TO("transaction.timeout.ms", 1000, INT_TOP)},
    {KEY("transactional.id", STRING, NULL, LOW), P, MAPPED},
    {KEY("value.deserializer", CLASS, NULL, HIGH), C, NOTHING(BYTES)},
    {KEY("value.serializer", CLASS, NULL, HIGH), P, NOTHING(BYTES)},
    {.option = {.name = NULL}},
};

static int compare(const void *name, const void *key)
{
    return strcmp(name, ((const struct client_key *)key)->option.name);
}

const struct client_key *client_key_find(const char *name)
{
    return bsearch(name, client_keys, sizeof(client_keys) / sizeof(client_keys[0]) - 1,
                   sizeof(client_keys[0]), compare);
}

struct sluice_option client_key_option(const struct client_key *key, unsigned client)
{
    static const struct {
        const char *name;
        unsigned clients;
        const char *value;
        enum sluice_importance importance;
    } others[] = {
        {"client.id", CLIENT_CONSUMER, "", SLUICE_LOW},
        {"connections.max.idle.ms", CLIENT_ADMIN, "300000", SLUICE_MEDIUM},
        {"receive.buffer.bytes", CLIENT_CONSUMER | CLIENT_ADMIN, "65536", SLUICE_MEDIUM},
        {"retries", CLIENT_ADMIN, "2147483647", SLUICE_LOW},
    };
    struct sluice_option option = key->option;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if ((others[i].clients & client) && strcmp(others[i].name, option.name) == 0) {
            option.default_value = others[i].value;
            option.importance = others[i].importance;
        }
    }
    return option;
}

char *client_key_check(const struct client_key *key, const char *value)
{
    struct value read = {0};
    const char *name = key->option.name;
    char *message = value_parse(&read, key->option.type, name, value);
    if (!message) {
        message = value_check(&read, &key->option, name);
    }
    value_finish(&read);
    return message;
}

const char *client_key_warning(const struct client_key *key, unsigned client, const char *value)
{
    if (!(key->clients & client)) {
        return "this kind of client has no such key";
    }
    if (key->way != CLIENT_KEY_NOT || (key->quiet && strcasecmp(key->quiet, value) == 0)) {
        return NULL;
    }
    return key->note;
}
