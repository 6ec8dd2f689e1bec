/* topic.creation.*: which group makes a topic, and how (KIP-158; recorded in kafka-connect.md §2.3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "core/host/topic_creation.h"

static struct topic_creation *create(const char *const *pairs, const char *enable,
                                     struct error *error)
{
    struct properties connector = {0}, worker = {0};
    struct topic_creation *creation = NULL;
    for (; *pairs; pairs += 2) {
        properties_set(&connector, pairs[0], pairs[1]);
    }
    if (enable) {
        properties_set(&worker, "topic.creation.enable", enable);
    }
    int result = topic_creation_create(&connector, &worker, &creation, error);
    assert_int_equal(result, error->code == ERROR_NONE ? 0 : -1);
    properties_finish(&connector);
    properties_finish(&worker);
    return creation;
}

static void test_without_keys(void **state)
{
    struct error error = {0};
    (void)state;
    assert_null(create((const char *const[]){"topic", "t", NULL}, NULL, &error));
    assert_null(create((const char *const[]){"topic.creation.default.partitions", "x", NULL}, "false",
                       &error));
    assert_int_equal(error.code, ERROR_NONE);
    assert_false(topic_creation_needed(NULL, "t"));
}

static void test_groups(void **state)
{
    static const char *const pairs[] = {
        "topic.creation.groups", " big , small",
        "topic.creation.default.replication.factor", "3",
        "topic.creation.default.partitions", "5",
        "topic.creation.default.cleanup.policy", "compact",
        "topic.creation.default.include", "nothing",
        "topic.creation.big.include", "orders.*, [a-c]+",
        "topic.creation.big.exclude", "orders\\.test",
        "topic.creation.big.partitions", "12",
        "topic.creation.small.include", ".*s",
        "topic.creation.small.replication.factor", "-1",
        "topic.creation.small.retention.ms", "1000",
        NULL,
    };
    static const struct {
        const char *topic, *group;
        int partitions, factor;
        const char *key, *value;
    } cases[] = {
        {"orders", "big", 12, 3, NULL, NULL},
        {"abc", "big", 12, 3, NULL, NULL},
        {"orders.test", "default", 5, 3, "cleanup.policy", "compact"},
        {"things", "small", 5, -1, "retention.ms", "1000"},
        {"xorders", "small", 5, -1, "retention.ms", "1000"},
        {"other", "default", 5, 3, "cleanup.policy", "compact"},
    };
    struct error error = {0};
    struct topic_creation *creation = create(pairs, NULL, &error);
    (void)state;
    assert_non_null(creation);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct broker_topic_spec spec;
        const char *group;
        topic_creation_spec(creation, cases[i].topic, &spec, &group);
        assert_string_equal(group, cases[i].group);
        assert_int_equal(spec.partitions, cases[i].partitions);
        assert_int_equal(spec.replication_factor, cases[i].factor);
        assert_int_equal(spec.config_count, cases[i].key ? 1 : 0);
        if (cases[i].key) {
            assert_string_equal(spec.configs[0], cases[i].key);
            assert_string_equal(spec.configs[1], cases[i].value);
        }
    }
    topic_creation_destroy(creation);
}

static void test_bad_ones(void **state)
{
    static const struct {
        const char *pairs[9], *words;
    } cases[] = {
        {{"topic.creation.default.partitions", "1", NULL},
         "Missing required configuration \"topic.creation.default.replication.factor\" which has no "
         "default value."},
        {{"topic.creation.default.replication.factor", "1", NULL},
         "Missing required configuration \"topic.creation.default.partitions\" which has no default "
         "value."},
        {{"topic.creation.default.replication.factor", "1", "topic.creation.default.partitions", "0",
          NULL},
         "Invalid value 0 for configuration partitions: Number of partitions must be positive, or -1 "
         "to use the broker's default"},
        {{"topic.creation.default.replication.factor", "0", "topic.creation.default.partitions", "0",
          NULL},
         "Invalid value 0 for configuration replication.factor: Replication factor must be positive "
         "and not larger than the number of brokers in the Kafka cluster, or -1 to use the broker's "
         "default"},
        {{"topic.creation.default.replication.factor", "x", "topic.creation.default.partitions", "1",
          NULL},
         "Invalid value x for configuration topic.creation.default.replication.factor: Not a number "
         "of type SHORT"},
        /* what no group is for means nothing, and the default one comes first */
        {{"topic.creation.g.replication.factor", "1.5", "topic.creation.a", "b", NULL},
         "Missing required configuration \"topic.creation.default.replication.factor\" which has no "
         "default value."},
        {{"topic.creation.default.replication.factor", "1", "topic.creation.default.partitions", "1",
          "topic.creation.groups", "g", "topic.creation.g.include", "a, a(", NULL},
         "Invalid value [a, a(] for configuration include: Syntax error in regular expression: "},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error error = {0};
        assert_null(create(cases[i].pairs, NULL, &error));
        assert_non_null(strstr(error.message, cases[i].words));
        assert_string_equal(error.java_class, "org.apache.kafka.common.config.ConfigException");
        error_clear(&error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_keys),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_bad_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
