/* Topics of an embedded log: made, changed, described, deleted; what retention takes away. */
#include "tests/unit/core/broker/log_fixture.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/clock.h"

static void topics_are_managed(void **state)
{
    static const char *const configs[] = {"retention.ms", "3600000", "cleanup.policy", "delete"};
    static const char *const unknown[] = {"retention.msec", "1"};
    struct fixture fixture;
    struct error error = {0};
    struct broker_topics topics = {0};
    (void)state;
    fixture_start(&fixture, none);
    fixture_topic(&fixture, "b", 3, configs, 2);
    int64_t epoch = broker_topics_epoch(fixture.broker);
    assert_true(epoch > 0);
    fixture_topic(&fixture, "a", -1, NULL, 0);
    assert_true(broker_topics_epoch(fixture.broker) != epoch);
    assert_int_equal(broker_topics(fixture.broker, FIXTURE_MS, &topics, &error), 0);
    assert_int_equal(topics.count, 2);
    assert_string_equal(topics.topics[0].name, "a");
    assert_int_equal(topics.topics[0].partition_count, 1);
    assert_int_equal(topics.topics[1].partition_count, 3);
    broker_topics_free(&topics);
    struct properties set = {0};
    assert_int_equal(broker_topic_configs(fixture.broker, "b", false, FIXTURE_MS, &set, &error), 0);
    assert_string_equal(properties_get(&set, "retention.ms"), "3600000");
    assert_int_equal(set.count, 2);
    properties_finish(&set);
    assert_int_equal(broker_topic_configs(fixture.broker, "b", true, FIXTURE_MS, &set, &error), 0);
    assert_string_equal(properties_get(&set, "retention.ms"), "3600000");
    assert_string_equal(properties_get(&set, "max.message.bytes"), "1048588");
    assert_string_equal(properties_get(&set, "segment.ms"), "604800000");
    properties_finish(&set);
    const struct broker_config_change changes[] = {
        {"retention.ms", "7200000"}, {"max.message.bytes", NULL}, {"cleanup.policy", "compact"}};
    assert_int_equal(broker_topic_alter(fixture.broker, "b", changes, 3, FIXTURE_MS, &error), 0);
    assert_int_equal(broker_topic_configs(fixture.broker, "b", false, FIXTURE_MS, &set, &error), 0);
    assert_string_equal(properties_get(&set, "retention.ms"), "7200000");
    assert_string_equal(properties_get(&set, "cleanup.policy"), "compact");
    assert_null(properties_get(&set, "max.message.bytes"));
    properties_finish(&set);
    const struct broker_config_change wrong = {"retention.ms", "soon"};
    assert_int_equal(broker_topic_alter(fixture.broker, "b", &wrong, 1, FIXTURE_MS, &error), -1);
    assert_int_equal(error.code, ERROR_CONFIG);
    assert_int_equal(broker_topic_alter(fixture.broker, "no", &wrong, 1, FIXTURE_MS, &error), -1);
    assert_int_equal(error.code, ERROR_UNKNOWN_TOPIC);
    error_clear(&error);
    struct broker_cluster cluster;
    assert_int_equal(broker_cluster(fixture.broker, FIXTURE_MS, &cluster, &error), 0);
    assert_int_equal(cluster.count, 1);
    assert_int_equal(cluster.controller, cluster.nodes[0].id);
    broker_cluster_free(&cluster);
    struct broker_topic_info info = {0};
    assert_int_equal(broker_topic_describe(fixture.broker, "b", FIXTURE_MS, &info, &error), 0);
    assert_int_equal(info.count, 3);
    assert_int_equal(info.partitions[2].leader, 1);
    assert_int_equal(info.partitions[2].isr[0], 1);
    broker_topic_info_free(&info);
    assert_int_equal(broker_topic_describe(fixture.broker, "none", FIXTURE_MS, &info, &error), -1);
    assert_int_equal(error.code, ERROR_UNKNOWN_TOPIC);
    error_clear(&error);
    struct broker_topic_spec spec = {"a", 1, 1, NULL, 0};
    assert_int_equal(broker_topic_create(fixture.broker, &spec, FIXTURE_MS, &error), -1);
    assert_int_equal(error.code, ERROR_TOPIC_EXISTS);
    spec = (struct broker_topic_spec){"c", 1, 1, unknown, 1};
    assert_int_equal(broker_topic_create(fixture.broker, &spec, FIXTURE_MS, &error), -1);
    assert_int_equal(error.code, ERROR_CONFIG);
    spec = (struct broker_topic_spec){"c", 1, 3, NULL, 0};
    assert_int_equal(broker_topic_create(fixture.broker, &spec, FIXTURE_MS, &error), -1);
    assert_int_equal(broker_topic_partitions(fixture.broker, "a", 4, FIXTURE_MS, &error), 0);
    assert_int_equal(broker_topic_partitions(fixture.broker, "a", 4, FIXTURE_MS, &error), -1);
    struct broker_producer *producer = fixture_producer(&fixture);
    assert_int_equal(fixture_put(&fixture, producer, "b", "k", "v"), 0);
    assert_int_equal(broker_topic_delete(fixture.broker, "b", FIXTURE_MS, &error), 0);
    assert_int_equal(broker_topic_delete(fixture.broker, "b", FIXTURE_MS, &error), -1);
    assert_int_equal(error.code, ERROR_UNKNOWN_TOPIC);
    /* a new one of the same name is empty, also after a restart */
    fixture_topic(&fixture, "b", 1, NULL, 0);
    fixture_kill_owner(&fixture, SIGKILL);
    fixture_start_owner(&fixture, none);
    int64_t begin, end;
    assert_int_equal(broker_offsets(fixture.broker, "b", 0, FIXTURE_MS, &begin, &end, &error), 0);
    assert_int_equal(begin, 0);
    assert_int_equal(end, 0);
    assert_int_equal(broker_offsets(fixture.broker, "a", 3, FIXTURE_MS, &begin, &end, &error), 0);
    broker_producer_destroy(producer);
    error_clear(&error);
    fixture_finish(&fixture);
}

static void retention_by_size(void **state)
{
    static const char *const configs[] = {"retention.bytes", "20000"};
    struct fixture fixture;
    struct error error = {0};
    int64_t begin, end;
    (void)state;
    fixture_start(&fixture, none);
    fixture_topic(&fixture, "sized", 1, configs, 1);
    struct broker_producer *producer = fixture_producer(&fixture);
    char *value = calloc(1, 1000);
    struct broker_message message = {.topic = "sized",
                                     .partition = 0,
                                     .value = value,
                                     .value_size = 1000,
                                     .timestamp = BROKER_NO_TIMESTAMP};
    for (int i = 0; i < 100; i++) {
        assert_int_equal(fixture_send(&fixture, producer, &message), i);
    }
    assert_int_equal(broker_offsets(fixture.broker, "sized", 0, FIXTURE_MS, &begin, &end, &error),
                     0);
    assert_int_equal(end, 100);
    assert_in_range(begin, 80, 85);
    /* who reads from what is gone goes on at the first that is there */
    struct broker_consumer *consumer = fixture_read_from(&fixture, "sized", 0, 3);
    struct broker_chunk *chunk = fixture_poll(consumer, FIXTURE_MS);
    assert_int_equal(chunk->messages[0].offset, begin);
    broker_chunk_release(chunk);
    broker_consumer_destroy(consumer);
    /* unless its policy is none */
    consumer = fixture_consumer(&fixture, NULL, NULL, "auto.offset.reset", "none", (char *)NULL);
    struct broker_offset from = {"sized", 0, 3};
    assert_int_equal(broker_consumer_assign(consumer, &from, 1, &error), 0);
    int result = 0;
    while (result == 0) {
        result = broker_consumer_poll(consumer, 1000, 10, 1000, &chunk, &error);
        assert_null(chunk);
    }
    assert_int_equal(error.code, ERROR_OFFSET_RANGE);
    error_clear(&error);
    broker_consumer_destroy(consumer);
    free(value);
    broker_producer_destroy(producer);
    fixture_finish(&fixture);
}

/* Until all before `expected` is gone, and nothing more: it is the end, too. */
static void await_beginning(struct fixture *fixture, const char *topic, int64_t expected)
{
    int64_t begin = 0, end = 0, deadline = clock_monotonic_ms() + FIXTURE_MS;
    struct error error = {0};
    while (begin != expected && clock_monotonic_ms() < deadline) {
        assert_int_equal(broker_offsets(fixture->broker, topic, 0, FIXTURE_MS, &begin, &end, &error),
                         0);
        (void)usleep(10000);
    }
    assert_int_equal(begin, expected);
    assert_int_equal(end, expected);
}

static void retention_by_time(void **state)
{
    static const char *const configs[] = {"log.retention.ms=200",
                                          "log.retention.check.interval.ms=20", NULL};
    struct fixture fixture;
    (void)state;
    fixture_start(&fixture, configs);
    struct broker_producer *producer = fixture_producer(&fixture);
    assert_int_equal(fixture_put(&fixture, producer, "timed", NULL, "v"), 0);
    await_beginning(&fixture, "timed", 1);
    assert_int_equal(fixture_put(&fixture, producer, "timed", NULL, "w"), 1); /* numbers go on */
    broker_producer_destroy(producer);
    fixture_finish(&fixture);
}

/* A shorter time counts for what is there already, and not only once the longer one is over. */
static void retention_is_changed(void **state)
{
    static const char *const configs[] = {"log.retention.check.interval.ms=20", NULL};
    const struct broker_config_change shorter = {"retention.ms", "1"};
    struct fixture fixture;
    struct error error = {0};
    (void)state;
    fixture_start(&fixture, configs);
    struct broker_producer *producer = fixture_producer(&fixture);
    assert_int_equal(fixture_put(&fixture, producer, "timed", NULL, "v"), 0);
    assert_int_equal(broker_topic_alter(fixture.broker, "timed", &shorter, 1, FIXTURE_MS, &error), 0);
    await_beginning(&fixture, "timed", 1);
    broker_producer_destroy(producer);
    fixture_finish(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(topics_are_managed),
        cmocka_unit_test(retention_by_size),
        cmocka_unit_test(retention_by_time),
        cmocka_unit_test(retention_is_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
