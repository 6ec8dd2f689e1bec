/* core/broker/kafka_config and kafka_security: what librdkafka is told, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/log.h"
#include "core/broker/kafka_config.h"

#define STORES SLUICE_SOURCE_DIR "/tests/unit/lib/java/keystores/"
#define SERVERS "bootstrap.servers\0broker:9092\0"

static char logged[8000];

static void keep_log(void *user, enum log_level level, const char *logger, const char *context,
                     const char *text)
{
    (void)user;
    (void)logger;
    (void)context;
    if (level >= LOG_LEVEL_WARN) {
        size_t used = strlen(logged);
        (void)snprintf(logged + used, sizeof(logged) - used, "%s\n", text);
    }
}

/* "name\0value\0name\0value\0" */
static void fill(struct properties *properties, const char *pairs)
{
    while (*pairs) {
        const char *value = pairs + strlen(pairs) + 1;
        properties_set(properties, pairs, value);
        pairs = value + strlen(value) + 1;
    }
}

static size_t pairs_size(const char *pairs)
{
    const char *end = pairs;
    while (*end) {
        end += strlen(end) + 1;
        end += strlen(end) + 1;
    }
    return (size_t)(end - pairs);
}

static int build(const char *pairs, enum kafka_client kind, struct kafka_config **ret,
                 struct error *error)
{
    struct properties properties = {0};
    fill(&properties, pairs);
    logged[0] = '\0';
    int result = kafka_config_build(&properties, kind, ret, error);
    properties_finish(&properties);
    return result;
}

static const char *setting(const struct kafka_config *config, const char *name)
{
    static char text[8000];
    size_t size = sizeof(text);
    const rd_kafka_topic_conf_t *topic = rd_kafka_conf_get_default_topic_conf(config->conf);
    if (rd_kafka_conf_get(config->conf, name, text, &size) == RD_KAFKA_CONF_OK) {
        return text;
    }
    size = sizeof(text);
    return topic && rd_kafka_topic_conf_get(topic, name, text, &size) == RD_KAFKA_CONF_OK ? text
                                                                                       : "(none)";
}

/* -- mapping -- */

static void test_mapping(void **state)
{
    static const struct {
        enum kafka_client kind;
        const char *pairs, *name, *value;
    } cases[] = {
        {KAFKA_PRODUCER, "", "acks", "-1"},
        {KAFKA_PRODUCER, "", "enable.idempotence", "true"},
        {KAFKA_PRODUCER, "", "partitioner", "murmur2_random"},
        {KAFKA_PRODUCER, "acks\0001\0", "acks", "1"},
        {KAFKA_PRODUCER, "acks\0001\0", "enable.idempotence", "false"},
        {KAFKA_PRODUCER, "enable.idempotence\0False\0", "enable.idempotence", "false"},
        {KAFKA_PRODUCER, "linger.ms\0 20 \0", "linger.ms", "20"},
        {KAFKA_PRODUCER, "batch.size\0000\0", "batch.size", "1"},
        {KAFKA_PRODUCER, "buffer.memory\00067108864\0", "queue.buffering.max.kbytes", "65536"},
        {KAFKA_PRODUCER, "max.request.size\0005000000\0", "message.max.bytes", "5000000"},
        {KAFKA_PRODUCER, "compression.type\0zstd\0compression.zstd.level\00022\0",
         "compression.level", "12"},
        {KAFKA_PRODUCER, "request.timeout.ms\00012345\0", "socket.timeout.ms", "12345"},
        {KAFKA_PRODUCER, "request.timeout.ms\00012345\0", "request.timeout.ms", "12345"},
        {KAFKA_PRODUCER, "delivery.timeout.ms\0002147483647\0", "message.timeout.ms", "2147483647"},
        {KAFKA_PRODUCER, "partitioner.ignore.keys\0true\0", "partitioner", "random"},
        {KAFKA_PRODUCER, "retry.backoff.ms\0000\0", "retry.backoff.ms", "1"},
        {KAFKA_PRODUCER, "send.buffer.bytes\000-1\0", "socket.send.buffer.bytes", "0"},
        {KAFKA_CONSUMER, "", "auto.offset.reset", "largest"},
        {KAFKA_CONSUMER, "", "check.crcs", "true"},
        {KAFKA_CONSUMER, "auto.offset.reset\0none\0", "auto.offset.reset", "error"},
        {KAFKA_CONSUMER, "fetch.max.wait.ms\00077\0", "fetch.wait.max.ms", "77"},
        {KAFKA_CONSUMER, "max.partition.fetch.bytes\0002000000\0", "fetch.message.max.bytes", "2000000"},
        {KAFKA_CONSUMER, "fetch.max.bytes\00050000\0", "message.max.bytes", "50000"},
        {KAFKA_CONSUMER, "max.poll.interval.ms\00010000\0", "session.timeout.ms", "10000"},
        {KAFKA_CONSUMER, "max.poll.interval.ms\00010000\0", "heartbeat.interval.ms", "3000"},
        {KAFKA_CONSUMER, "max.poll.interval.ms\0003000\0", "heartbeat.interval.ms", "1000"},
        {KAFKA_CONSUMER, "enable.auto.commit\0true\0", "enable.auto.commit", "false"},
        {KAFKA_CONSUMER, "isolation.level\0read_committed\0", "isolation.level", "read_committed"},
        {KAFKA_CONSUMER,
         "partition.assignment.strategy\0org.apache.kafka.clients.consumer.RangeAssignor,class "
         "org.apache.kafka.clients.consumer.CooperativeStickyAssignor\0",
         "partition.assignment.strategy", "cooperative-sticky"},
        {KAFKA_CONSUMER,
         "partition.assignment.strategy\0org.apache.kafka.clients.consumer.RangeAssignor\0",
         "partition.assignment.strategy", "range"},
        {KAFKA_ADMIN, "metadata.max.age.ms\0005000\0", "topic.metadata.refresh.interval.ms", "5000"},
        {KAFKA_ADMIN, "reconnect.backoff.ms\0005000\0", "reconnect.backoff.max.ms", "5000"},
        {KAFKA_ADMIN, "client.dns.lookup\0resolve_canonical_bootstrap_servers_only\0",
         "client.dns.lookup", "resolve_canonical_bootstrap_servers_only"},
        {KAFKA_ADMIN, "client.id\0\0", "client.id", "sluice"},
        {KAFKA_ADMIN, "security.protocol\0SASL_SSL\0sasl.mechanism\0SCRAM-SHA-512\0sasl.jaas.config\0"
                      "org.apache.kafka.common.security.scram.ScramLoginModule required "
                      "username=\"u\" password=\"p\\\"q\";\0",
         "sasl.password", "p\"q"},
        {KAFKA_ADMIN, "security.protocol\0ssl\0ssl.endpoint.identification.algorithm\0\0",
         "ssl.endpoint.identification.algorithm", "none"},
        {KAFKA_ADMIN, "security.protocol\0SSL\0", "ssl.endpoint.identification.algorithm", "https"},
        {KAFKA_ADMIN,
         "security.protocol\0SSL\0ssl.cipher.suites\0TLS_AES_128_GCM_SHA256,"
         "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, SSL_RSA_WITH_AES_128_CBC_SHA\0",
         "ssl.cipher.suites", "ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA"},
        {KAFKA_ADMIN, "security.protocol\0SASL_SSL\0sasl.mechanism\0AWS_MSK_IAM\0sasl.jaas.config\0"
                      "software.amazon.msk.auth.iam.IAMLoginModule required;\0"
                      "sasl.client.callback.handler.class\0"
                      "software.amazon.msk.auth.iam.IAMClientCallbackHandler\0",
         "sasl.mechanisms", "OAUTHBEARER"},
        {KAFKA_ADMIN, "sluice.librdkafka.broker.address.family\0v4\0", "broker.address.family", "v4"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct kafka_config *config;
        struct error error = {0};
        char pairs[2000] = SERVERS;
        memcpy(pairs + sizeof(SERVERS) - 1, cases[i].pairs, pairs_size(cases[i].pairs));
        if (build(pairs, cases[i].kind, &config, &error) != 0) {
            fail_msg("case %zu: %s", i, error.message);
        }
        if (strcmp(cases[i].value, setting(config, cases[i].name)) != 0) {
            fail_msg("case %zu: %s is %s", i, cases[i].name, setting(config, cases[i].name));
        }
        /* librdkafka takes the whole of it: the client itself can be made */
        char text[500];
        rd_kafka_type_t type =
            cases[i].kind == KAFKA_CONSUMER ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER;
        rd_kafka_conf_set_log_cb(config->conf, NULL);
        rd_kafka_t *rk = strstr(pairs + sizeof(SERVERS) - 1, "security") ? NULL
                         : rd_kafka_new(type, config->conf, text, sizeof(text));
        if (rk) {
            config->conf = NULL;
            rd_kafka_destroy(rk);
        } else if (!strstr(pairs + sizeof(SERVERS) - 1, "security")) {
            fail_msg("case %zu: %s", i, text);
        }
        assert_string_equal("", strstr(logged, "enable.auto.commit") ? "" : logged);
        kafka_config_destroy(config);
    }
}

/* -- faults and warnings -- */

#define SASL(mechanism, jaas) \
    SERVERS "security.protocol\0SASL_PLAINTEXT\0sasl.mechanism\0" mechanism \
            "\0sasl.jaas.config\0" jaas "\0"
#define TLS SERVERS "security.protocol\0SSL\0"

static void test_faults(void **state)
{
    static const struct {
        const char *pairs, *expect;
    } cases[] = {
        {"bootstrap.servers\0broker\0", "Invalid url in bootstrap.servers: broker"},
        {"bootstrap.servers\0broker:0\0", "Invalid url in bootstrap.servers: broker:0"},
        {"bootstrap.servers\0,\0", "No resolvable bootstrap urls"},
        {SERVERS "reconnect.backoff.ms\0soon\0", "Invalid value soon for configuration "
                                                 "reconnect.backoff.ms: Not a number of type LONG"},
        {SERVERS "acks\0maybe\0", "String must be one of: all, -1, 0, 1"},
        {SERVERS "security.protocol\0TLS\0", "Invalid value TLS for configuration security.protocol"},
        {SERVERS "enable.idempotence\0true\0acks\0001\0", "Must set acks to all"},
        {SERVERS "linger.ms\0900000\0delivery.timeout.ms\0005\0", "delivery.timeout.ms should be"},
        {SERVERS "security.protocol\0SASL_SSL\0", "Kerberos is not built in"},
        {SERVERS "security.protocol\0SASL_SSL\0sasl.mechanism\0PLAIN\0",
         "sasl.jaas.config is missing"},
        {SASL("DIGEST-MD5", "M required;"), "Invalid value DIGEST-MD5 for configuration sasl.mechanism"},
        {SASL("PLAIN", "org.x.ScramLoginModule required username=\"u\" password=\"geheim7\";"),
         "needs org.apache.kafka.common.security.plain.PlainLoginModule"},
        {SASL("PLAIN", "a.PlainLoginModule required password=\"geheim7\";"), "has no username"},
        {SASL("PLAIN", "a.PlainLoginModule required username=\"u\" password=geheim7"),
         "not terminated by semi-colon"},
        {SASL("SCRAM-SHA-256", "a.ScramLoginModule required username=u password=p tokenauth=true;"),
         "tokenauth"},
        {SASL("AWS_MSK_IAM", "a.PlainLoginModule required;"), "needs software.amazon.msk"},
        {SASL("OAUTHBEARER", "a.PlainLoginModule required;"), "needs org.apache.kafka"},
        {SASL("OAUTHBEARER", "a.OAuthBearerLoginModule required;")
         "sasl.oauthbearer.token.endpoint.url\0ftp://x\0", "token.endpoint.url: it begins with"},
        {SASL("OAUTHBEARER", "a.OAuthBearerLoginModule required clientId=\"i\";")
         "sasl.oauthbearer.token.endpoint.url\0https://x\0", "clientSecret value must be non-null"},
        {TLS "ssl.endpoint.identification.algorithm\0ldap\0", "it is https, or empty"},
        {TLS "ssl.cipher.suites\0NO_SUCH_WITH_SUITE\0", "none of the cipher suites"},
        {TLS "ssl.truststore.location\0" STORES "trust.p12\0ssl.truststore.password\0wrong\0",
         "Failed to load SSL truststore"},
        {TLS "ssl.truststore.location\0" STORES "trust.p12\0ssl.truststore.password\0wrong\0",
         "ssl.truststore.location"},
        {TLS "ssl.truststore.location\0/none/such\0", "No such file or directory"},
        {TLS "ssl.truststore.password\0geheim7\0", "SSL trust store is not specified"},
        {TLS "ssl.keystore.location\0" STORES "client.jks\0", "key store password is not specified"},
        {TLS "ssl.keystore.location\0" STORES "client.jks\0ssl.keystore.password\0storepass\0",
         "Cannot recover key"},
        {TLS "ssl.keystore.key\0x\0", "only for PEM"},
        {TLS "ssl.keystore.type\0PEM\0ssl.keystore.key\0x\0", "certificate chain is not specified"},
        {TLS "ssl.keystore.type\0PEM\0ssl.keystore.location\0" STORES
             "client-chain.pem\0ssl.keystore.password\0geheim7\0", "only key password may be"},
        {TLS "ssl.truststore.certificates\0x\0", "only for PEM"},
        {SERVERS "sluice.librdkafka.no.such\0001\0", "sluice.librdkafka.no.such"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct kafka_config *config;
        struct error error = {0};
        if (build(cases[i].pairs, KAFKA_PRODUCER, &config, &error) == 0) {
            fail_msg("case %zu is taken; expected: %s", i, cases[i].expect);
        }
        if (!strstr(error.message, cases[i].expect)) {
            fail_msg("case %zu: %s", i, error.message);
        }
        assert_null(strstr(error.message, "geheim7")); /* invariant 7 */
        assert_int_equal(ERROR_CONFIG, error.code);
        error_clear(&error);
    }
}

/* A member that is heard of more rarely than its session lasts would lose its partitions again and again. */
static void test_heartbeats(void **state)
{
    struct kafka_config *config;
    struct error error = {0};
    (void)state;
    assert_int_equal(-1, build(SERVERS "group.id\0g\0session.timeout.ms\0001500\0", KAFKA_CONSUMER, &config,
                               &error));
    char *trace = error_trace(&error);
    assert_string_equal("org.apache.kafka.common.KafkaException: Failed to construct kafka consumer\n"
                        "Caused by: java.lang.IllegalArgumentException: Heartbeat must be set lower than the "
                        "session timeout: heartbeat.interval.ms=3000, session.timeout.ms=1500",
                        trace);
    free(trace);
    error_clear(&error);
    /* Java does not look where there is no group. */
    assert_int_equal(0, build(SERVERS "session.timeout.ms\0001500\0", KAFKA_CONSUMER, &config, &error));
    kafka_config_destroy(config);
}

static void test_warnings(void **state)
{
    struct kafka_config *config;
    struct error error = {0};
    (void)state;
    assert_int_equal(0, build(SERVERS "interceptor.classes\0com.x.Y\0linger.msec\0005\0"
                                      "metric.reporters\0\0key.serializer\0x\0",
                              KAFKA_PRODUCER, &config, &error));
    assert_non_null(strstr(logged, "interceptor.classes of the Kafka producer cannot be honoured: "
                                   "interceptors are Java classes"));
    assert_non_null(strstr(logged, "linger.msec is not a key of a Kafka producer"));
    assert_null(strstr(logged, "metric.reporters"));
    assert_null(strstr(logged, "key.serializer"));
    kafka_config_destroy(config);
    /* the next client of this process says nothing of the same keys */
    assert_int_equal(0, build(SERVERS "interceptor.classes\0com.x.Y\0", KAFKA_CONSUMER, &config, &error));
    assert_string_equal("", logged);
    kafka_config_destroy(config);
}

static void test_stores(void **state)
{
    static const char *const cases[] = {
        TLS "ssl.truststore.location\0" STORES "trust.p12\0ssl.truststore.password\0storepass\0"
            "ssl.keystore.location\0" STORES "client.jks\0ssl.keystore.password\0storepass\0"
            "ssl.key.password\0keypass\0",
        TLS "ssl.truststore.type\0PEM\0ssl.truststore.location\0" STORES "ca.pem\0"
            "ssl.keystore.type\0PKCS12\0ssl.keystore.location\0" STORES
            "client-openssl.p12\0ssl.keystore.password\0storepass\0",
    };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct kafka_config *config;
        struct error error = {0};
        if (build(cases[i], KAFKA_CONSUMER, &config, &error) != 0) {
            fail_msg("%s", error.message);
        }
        assert_non_null(strstr(setting(config, "ssl.ca.pem"), "BEGIN CERTIFICATE"));
        assert_non_null(strstr(setting(config, "ssl.certificate.pem"), "BEGIN CERTIFICATE"));
        char text[500];
        rd_kafka_conf_set_log_cb(config->conf, NULL);
        rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, config->conf, text, sizeof(text));
        if (!rk) {
            fail_msg("%s", text);
        }
        config->conf = NULL;
        rd_kafka_destroy(rk);
        kafka_config_destroy(config);
    }
}

/* The owner's client.properties of MSK. */
static void test_msk_file(void **state)
{
    struct properties properties = {0};
    struct kafka_config *config;
    struct error error = {0};
    static const char file[] =
        "security.protocol = SASL_SSL\n"
        "sasl.mechanism = AWS_MSK_IAM\n"
        "sasl.jaas.config = software.amazon.msk.auth.iam.IAMLoginModule required "
        "awsRoleArn=\"arn:aws:iam::123456789012:role/r\";\n"
        "sasl.client.callback.handler.class = "
        "software.amazon.msk.auth.iam.IAMClientCallbackHandler\n"
        "bootstrap.servers=b-1.x.kafka.us-east-1.amazonaws.com:9098\n";
    (void)state;
    logged[0] = '\0';
    assert_int_equal(0, properties_load(&properties, file, strlen(file), "client.properties", &error));
    assert_int_equal(0, kafka_config_build(&properties, KAFKA_ADMIN, &config, &error));
    assert_string_equal("", logged);
    assert_string_equal("sasl_ssl", setting(config, "security.protocol"));
    assert_string_equal("1000", setting(config, "reconnect.backoff.ms"));
    kafka_config_destroy(config);
    properties_finish(&properties);
}

int main(void)
{
    log_set_writer(keep_log, NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mapping),  cmocka_unit_test(test_faults),
        cmocka_unit_test(test_heartbeats),
        cmocka_unit_test(test_warnings), cmocka_unit_test(test_stores),
        cmocka_unit_test(test_msk_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
