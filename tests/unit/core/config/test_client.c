/* core/config/client_keys and client_properties. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/config/client_properties.h"

static FILE *open_source(const char *name)
{
    char path[1000];
    (void)snprintf(path, sizeof(path), "%s/%s", SLUICE_SOURCE_DIR, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    return file;
}

/* The table has what ProducerConfig, ConsumerConfig and AdminClientConfig of 3.9.1 have, and no more. */
static void test_same_as_java(void **state)
{
    static const char *const types[] = {"BOOLEAN", "STRING", "INT",   "SHORT",   "LONG",
                                        "DOUBLE",  "LIST",   "CLASS", "PASSWORD"};
    (void)state;
    FILE *file = open_source("tests/unit/core/config/java_client_keys.tsv");
    char line[1000];
    size_t count = 0;
    while (fgets(line, sizeof(line), file)) {
        char *rest = line;
        line[strcspn(line, "\n")] = '\0';
        const char *clients = strsep(&rest, "\t"), *name = strsep(&rest, "\t");
        const char *type = strsep(&rest, "\t"), *value = strsep(&rest, "\t");
        const struct client_key *key = client_key_find(name);
        if (!key) {
            fail_msg("%s is not in the table", name);
        }
        unsigned mask = (strchr(clients, 'P') ? CLIENT_PRODUCER : 0) |
                        (strchr(clients, 'C') ? CLIENT_CONSUMER : 0) |
                        (strchr(clients, 'A') ? CLIENT_ADMIN : 0);
        if (mask != key->clients || strcmp(types[key->option.type], type) != 0) {
            fail_msg("%s: %s %s expected", name, clients, type);
        }
        const char *shown = key->option.default_value ? key->option.default_value : "null";
        if (strcmp(value, "<required>") != 0 && strcmp(shown, value) != 0) {
            fail_msg("%s: default %s expected, not %s", name, value, shown);
        }
        count++;
    }
    fclose(file);
    for (const struct client_key *key = client_keys; key->option.name; key++) {
        if (key > client_keys) {
            assert_true(strcmp(key[-1].option.name, key->option.name) < 0);
        }
        assert_true(key->way == CLIENT_KEY_MAPPED || key->note);
        if (key->option.default_value && *key->option.default_value) {
            char *wrong = client_key_check(key, key->option.default_value);
            if (wrong) {
                fail_msg("%s", wrong);
            }
        }
        count--;
    }
    assert_int_equal(0, count);
}

static void test_values(void **state)
{
    static const struct {
        const char *name, *value, *expect; /* NULL: good */
    } cases[] = {
        {"acks", "all", NULL},
        {"acks", "2", "Invalid value 2 for configuration acks: String must be one of: all, -1, 0, 1"},
        {"linger.ms", "-1", "Invalid value -1 for configuration linger.ms: Value must be at least 0"},
        {"linger.ms", "soon",
         "Invalid value soon for configuration linger.ms: Not a number of type LONG"},
        {"linger.ms", " 7 ", NULL},
        {"security.protocol", "sasl_ssl", NULL},
        {"enable.idempotence", "maybe",
         "Invalid value maybe for configuration enable.idempotence: Expected value to be either true "
         "or false"},
        {"max.poll.records", "0",
         "Invalid value 0 for configuration max.poll.records: Value must be at least 1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *message = client_key_check(client_key_find(cases[i].name), cases[i].value);
        if (!cases[i].expect) {
            assert_null(message);
        } else {
            assert_non_null(message);
            assert_string_equal(cases[i].expect, message);
        }
        free(message);
    }
}

static void test_warnings(void **state)
{
    (void)state;
    assert_null(client_key_find("max.poll.recrods"));
    assert_string_equal("65536", client_key_option(client_key_find("receive.buffer.bytes"),
                                                   CLIENT_ADMIN).default_value);
    assert_string_equal("32768", client_key_option(client_key_find("receive.buffer.bytes"),
                                                   CLIENT_PRODUCER).default_value);
    assert_null(client_key_warning(client_key_find("linger.ms"), CLIENT_PRODUCER, "5"));
    assert_non_null(client_key_warning(client_key_find("linger.ms"), CLIENT_CONSUMER, "5"));
    assert_non_null(client_key_warning(client_key_find("interceptor.classes"), CLIENT_CONSUMER, "x"));
    assert_null(client_key_warning(client_key_find("interceptor.classes"), CLIENT_CONSUMER, ""));
    assert_null(client_key_warning(client_key_find("enable.auto.commit"), CLIENT_CONSUMER, "false"));
    assert_non_null(client_key_warning(client_key_find("enable.auto.commit"), CLIENT_CONSUMER, "true"));
}

/* docs/kafka.md has a row for each key that cannot be honoured, and no others. */
static void test_docs(void **state)
{
    char text[40000];
    FILE *file = open_source("docs/kafka.md");
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    (void)state;
    char *table = strstr(text, "| key | reason |");
    assert_non_null(table);
    size_t rows = 0, wanted = 0;
    for (const char *p = table; (p = strstr(p, "\n| `")); p++) {
        rows++;
    }
    for (const struct client_key *key = client_keys; key->option.name; key++) {
        char row[400];
        (void)snprintf(row, sizeof(row), "\n| `%s` | %s |\n", key->option.name, key->note);
        if (key->way == CLIENT_KEY_NOT && !strstr(table, row)) {
            fail_msg("docs/kafka.md lacks the row%s", row);
        }
        wanted += key->way == CLIENT_KEY_NOT;
    }
    assert_int_equal(wanted, rows);
}

static void fill(struct properties *properties, const char *const (*pairs)[2], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        properties_set(properties, pairs[i][0], pairs[i][1]);
    }
}

/* What each client gets, and from where. */
static void test_compose(void **state)
{
    static const char *const worker_pairs[][2] = {
        {"bootstrap.servers", "broker:9092"},
        {"security.protocol", "SSL"},
        {"ssl.truststore.location", "/t.jks"},
        {"key.converter", "x"},
        {"plugin.path", "/plugins"},
        {"group.id", "cluster"},
        {"client.id", "w"},
        {"request.timeout.ms", "1"},
        {"listeners", "http://:1"},
        {"producer.acks", "1"},
        {"producer.linger.ms", "10"},
        {"consumer.max.poll.records", "7"},
        {"admin.retries", "3"},
        {"admin.listeners", "http://:2"},
    };
    static const char *const connector_pairs[][2] = {
        {"producer.override.linger.ms", "20"}, {"consumer.override.group.id", "mine"},
        {"admin.override.client.id", "me"},    {"client.sasl.mechanism", "PLAIN"},
        {"client.linger.ms", "15"},            {"client.fetch.min.bytes", "2"},
        {"topics", "a"},
    };
    static const struct {
        enum client_role role;
        bool takes;
        const char *name, *value; /* NULL: absent */
    } cases[] = {
        {CLIENT_SOURCE_PRODUCER, false, "bootstrap.servers", "broker:9092"},
        {CLIENT_SOURCE_PRODUCER, false, "acks", "1"},
        {CLIENT_SOURCE_PRODUCER, false, "linger.ms", "20"},
        {CLIENT_SOURCE_PRODUCER, false, "client.id", "connector-producer-lake-3"},
        {CLIENT_SOURCE_PRODUCER, false, "enable.idempotence", "false"},
        {CLIENT_SOURCE_PRODUCER, false, "max.in.flight.requests.per.connection", "1"},
        {CLIENT_SOURCE_PRODUCER, false, "delivery.timeout.ms", "2147483647"},
        {CLIENT_SOURCE_PRODUCER, false, "max.block.ms", "9223372036854775807"},
        {CLIENT_SOURCE_PRODUCER, false, "security.protocol", NULL}, /* only with its prefix */
        {CLIENT_SOURCE_PRODUCER, false, "sasl.mechanism", NULL},
        {CLIENT_SOURCE_PRODUCER, false, "auto.offset.reset", NULL},
        {CLIENT_SOURCE_PRODUCER, true, "sasl.mechanism", "PLAIN"},
        {CLIENT_SOURCE_PRODUCER, true, "linger.ms", "20"},
        {CLIENT_SOURCE_PRODUCER, true, "fetch.min.bytes", NULL}, /* a consumer's */
        {CLIENT_SINK_CONSUMER, false, "group.id", "mine"},
        {CLIENT_SINK_CONSUMER, false, "auto.offset.reset", "earliest"},
        {CLIENT_SINK_CONSUMER, false, "enable.auto.commit", "false"},
        {CLIENT_SINK_CONSUMER, false, "max.poll.records", "7"},
        {CLIENT_SINK_CONSUMER, false, "client.id", "connector-consumer-lake-3"},
        {CLIENT_SINK_CONSUMER, false, "acks", NULL},
        {CLIENT_CONNECTOR_ADMIN, false, "security.protocol", "SSL"}, /* the worker's own, too */
        {CLIENT_CONNECTOR_ADMIN, false, "ssl.truststore.location", "/t.jks"},
        {CLIENT_CONNECTOR_ADMIN, false, "retries", "3"},
        {CLIENT_CONNECTOR_ADMIN, false, "client.id", "me"},
        {CLIENT_CONNECTOR_ADMIN, false, "key.converter", NULL},
        {CLIENT_CONNECTOR_ADMIN, false, "plugin.path", NULL},
        {CLIENT_CONNECTOR_ADMIN, false, "listeners", NULL},
        {CLIENT_CONNECTOR_ADMIN, false, "group.id", NULL},
        {CLIENT_DEAD_LETTER_PRODUCER, false, "client.id", "connector-dlq-producer-lake-3"},
        {CLIENT_DEAD_LETTER_PRODUCER, false, "linger.ms", "20"},
        {CLIENT_DEAD_LETTER_ADMIN, false, "client.id", "me"},
    };
    (void)state;
    struct properties worker = {0}, connector = {0};
    fill(&worker, worker_pairs, sizeof(worker_pairs) / sizeof(worker_pairs[0]));
    fill(&connector, connector_pairs, sizeof(connector_pairs) / sizeof(connector_pairs[0]));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct properties got = {0};
        const struct client_owner owner = {&worker, &connector, "lake", 3, cases[i].takes};
        client_properties_compose(&owner, cases[i].role, &got);
        const char *value = properties_get(&got, cases[i].name);
        if (!value != !cases[i].value || (value && strcmp(value, cases[i].value) != 0)) {
            fail_msg("case %zu: %s is %s", i, cases[i].name, value ? value : "(absent)");
        }
        properties_finish(&got);
    }
    properties_finish(&worker);
    properties_finish(&connector);
}

static void test_policies(void **state)
{
    (void)state;
    assert_int_equal(CLIENT_POLICY_ALL, client_policy_of(NULL));
    assert_int_equal(CLIENT_POLICY_NONE, client_policy_of("None"));
    assert_int_equal(CLIENT_POLICY_NONE, client_policy_of("NoneConnectorClientConfigOverridePolicy"));
    assert_int_equal(
        CLIENT_POLICY_PRINCIPAL,
        client_policy_of("org.apache.kafka.connect.connector.policy."
                         "PrincipalConnectorClientConfigOverridePolicy"));
    assert_int_equal(CLIENT_POLICY_UNKNOWN, client_policy_of("Nonesuch"));
    assert_int_equal(CLIENT_POLICY_UNKNOWN, client_policy_of("com.example.MyPolicy"));
    assert_true(client_policy_allows(CLIENT_POLICY_ALL, NULL, "client.id"));
    assert_false(client_policy_allows(CLIENT_POLICY_NONE, NULL, "client.id"));
    assert_true(client_policy_allows(CLIENT_POLICY_PRINCIPAL, NULL, "sasl.jaas.config"));
    assert_false(client_policy_allows(CLIENT_POLICY_PRINCIPAL, NULL, "bootstrap.servers"));
    assert_true(client_policy_allows(CLIENT_POLICY_ALLOWLIST, "acks , linger.ms", "linger.ms"));
    assert_false(client_policy_allows(CLIENT_POLICY_ALLOWLIST, "acks,linger.ms", "linger"));
    assert_false(client_policy_allows(CLIENT_POLICY_ALLOWLIST, NULL, "acks"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_as_java), cmocka_unit_test(test_values),
        cmocka_unit_test(test_warnings),     cmocka_unit_test(test_docs),
        cmocka_unit_test(test_compose),
        cmocka_unit_test(test_policies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
