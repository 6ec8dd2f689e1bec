/* core/broker on a real Kafka broker, whose address is the argument; run by test_kafka_broker.py. */
#include "tests/unit/core/broker/kafka_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"

static const char *servers;
static char topic[64];

/* Says why it was not. */
static void assert_done(int result, const struct error *error)
{
    if (result != 0) {
        fail_msg("SLUICE-%d%s: %s", (int)error->code, error->retriable ? ", retriable" : "",
                 error->message ? error->message : "");
    }
}

static struct broker *open_broker(struct properties *properties)
{
    struct broker *broker;
    struct error error = {0};
    *properties = (struct properties){0};
    properties_set(properties, "bootstrap.servers", servers);
    properties_set(properties, "auto.offset.reset", "earliest");
    assert_int_equal(broker_open(properties, &broker, &error), 0);
    return broker;
}

static void create(struct broker *broker, const char *name, int32_t partitions,
                   const char *const *configs, size_t count)
{
    struct broker_topic_spec spec = {name, partitions, 1, configs, count};
    struct error error = {0};
    assert_int_equal(broker_topic_create(broker, &spec, FIXTURE_MS, &error), 0);
}

/* What a KRaft broker took is in its own metadata a moment later. */
static int32_t wait_partitions(struct broker *broker, const char *name, int32_t wanted)
{
    int64_t deadline = clock_monotonic_ms() + FIXTURE_MS;
    for (;;) {
        size_t count = 0;
        struct error error = {0};
        struct broker_topic_info info;
        if (broker_topic_describe(broker, name, FIXTURE_MS, &info, &error) == 0) {
            count = info.count;
            broker_topic_info_free(&info);
        }
        error_clear(&error);
        if (count == (size_t)wanted || clock_monotonic_ms() > deadline) {
            return (int32_t)count;
        }
        (void)usleep(20000);
    }
}

static void wait_config(struct broker *broker, const char *name, const char *key, const char *value)
{
    int64_t deadline = clock_monotonic_ms() + FIXTURE_MS;
    for (bool same = false; !same;) {
        struct error error = {0};
        struct properties set = {0};
        assert_int_equal(broker_topic_configs(broker, name, true, FIXTURE_MS, &set, &error), 0);
        same = properties_get(&set, key) && strcmp(properties_get(&set, key), value) == 0;
        properties_finish(&set);
        assert_true(same || clock_monotonic_ms() < deadline);
        (void)usleep(20000);
    }
}

static void admin(void **state)
{
    static const char *const configs[] = {"retention.ms", "3600000"};
    struct properties properties;
    struct error error = {0};
    struct broker *broker = open_broker(&properties);
    (void)state;
    (void)snprintf(topic, sizeof(topic), "admin-%d", (int)getpid());
    create(broker, topic, 2, configs, 1);
    struct broker_topic_spec again = {topic, 1, 1, NULL, 0};
    assert_int_equal(broker_topic_create(broker, &again, FIXTURE_MS, &error), -1);
    assert_int_equal(error.code, ERROR_TOPIC_EXISTS);
    assert_int_equal(broker_topic_partitions(broker, topic, 5, FIXTURE_MS, &error), 0);
    assert_int_equal(broker_topic_partitions(broker, topic, 3, FIXTURE_MS, &error), -1);
    assert_string_equal(error.java_class,
                        "org.apache.kafka.common.errors.InvalidPartitionsException");

    assert_int_equal(wait_partitions(broker, topic, 5), 5);
    struct broker_topic_info info;
    assert_int_equal(broker_topic_describe(broker, topic, FIXTURE_MS, &info, &error), 0);
    assert_int_equal(info.count, 5);
    assert_int_equal(info.partitions[4].leader, 1);
    assert_int_equal(info.partitions[4].isr[0], 1);
    broker_topic_info_free(&info);

    const struct broker_config_change changes[] = {{"retention.ms", NULL},
                                                   {"cleanup.policy", "compact"}};
    assert_int_equal(broker_topic_alter(broker, topic, changes, 2, FIXTURE_MS, &error), 0);
    wait_config(broker, topic, "cleanup.policy", "compact");
    struct properties set = {0};
    assert_int_equal(broker_topic_configs(broker, topic, false, FIXTURE_MS, &set, &error), 0);
    assert_string_equal(properties_get(&set, "cleanup.policy"), "compact");
    assert_null(properties_get(&set, "retention.ms"));
    properties_finish(&set);
    assert_int_equal(broker_topic_configs(broker, topic, true, FIXTURE_MS, &set, &error), 0);
    assert_string_equal(properties_get(&set, "retention.ms"), "-1"); /* the broker's own: real_kafka.py */
    properties_finish(&set);
    const struct broker_config_change wrong = {"retention.ms", "soon"};
    assert_int_equal(broker_topic_alter(broker, topic, &wrong, 1, FIXTURE_MS, &error), -1);
    assert_int_equal(error.code, ERROR_CONFIG);

    struct broker_cluster cluster;
    assert_int_equal(broker_cluster(broker, FIXTURE_MS, &cluster, &error), 0);
    assert_int_equal(cluster.count, 1);
    assert_int_equal(cluster.controller, 1);
    assert_non_null(cluster.id);
    char address[300];
    (void)snprintf(address, sizeof(address), "%s:%d", cluster.nodes[0].host, cluster.nodes[0].port);
    assert_string_equal(address, servers);
    broker_cluster_free(&cluster);

    assert_int_equal(broker_topic_delete(broker, topic, FIXTURE_MS, &error), 0);
    assert_int_equal(wait_partitions(broker, topic, 0), 0);
    assert_int_equal(broker_topic_delete(broker, topic, FIXTURE_MS, &error), -1);
    assert_int_equal(error.code, ERROR_UNKNOWN_TOPIC);
    error_clear(&error);
    broker_close(broker);
    properties_finish(&properties);
}

static void group_offsets(void **state)
{
    struct properties properties;
    struct error error = {0};
    struct broker *broker = open_broker(&properties);
    struct broker_offset *offsets;
    size_t count;
    char group[64];
    (void)state;
    (void)snprintf(topic, sizeof(topic), "offsets-%d", (int)getpid());
    (void)snprintf(group, sizeof(group), "group-%d", (int)getpid());
    create(broker, topic, 2, NULL, 0);
    assert_int_equal(wait_partitions(broker, topic, 2), 2);
    const struct broker_offset given[] = {{topic, 0, 7}, {topic, 1, 9}};
    assert_done(broker_group_offsets_alter(broker, group, given, 2, FIXTURE_MS, &error), &error);
    const struct broker_offset drop[] = {{topic, 1, -1}};
    assert_done(broker_group_offsets_alter(broker, group, drop, 1, FIXTURE_MS, &error), &error);
    assert_done(broker_group_offsets(broker, group, FIXTURE_MS, &offsets, &count, &error), &error);
    assert_int_equal(count, 1);
    assert_int_equal(offsets[0].offset, 7);
    broker_group_offsets_free(offsets, count);

    /* A group with a member is left alone. */
    struct broker_consumer *consumer;
    properties_set(&properties, "group.id", group);
    assert_int_equal(broker_consumer_create(broker, &properties, NULL, &consumer, &error), 0);
    const char *topics[] = {topic};
    assert_int_equal(broker_consumer_subscribe(consumer, topics, 1, &error), 0);
    struct broker_partition partition = {topic, 0};
    int64_t position = -1, deadline = clock_monotonic_ms() + FIXTURE_MS;
    struct broker_chunk *chunk;
    while (broker_consumer_position(consumer, &partition, &position, &error) != 0) {
        assert_int_equal(broker_consumer_poll(consumer, 50, 10, 1000, &chunk, &error), 0);
        assert_true(clock_monotonic_ms() < deadline);
    }
    assert_int_equal(position, 7);
    assert_int_equal(broker_group_offsets_alter(broker, group, given, 2, FIXTURE_MS, &error), -1);
    assert_int_equal(error.code, ERROR_GROUP_NOT_EMPTY);
    assert_int_equal(broker_group_delete(broker, group, FIXTURE_MS, &error), -1);
    assert_int_equal(error.code, ERROR_GROUP_NOT_EMPTY);
    broker_consumer_destroy(consumer);

    error_clear(&error);
    assert_done(broker_group_delete(broker, group, FIXTURE_MS, &error), &error);
    assert_done(broker_group_offsets(broker, group, FIXTURE_MS, &offsets, &count, &error), &error);
    assert_int_equal(count, 0);
    broker_group_offsets_free(offsets, count);
    assert_int_equal(broker_group_delete(broker, group, FIXTURE_MS, &error), -1);
    assert_int_equal(error.code, ERROR_NOT_FOUND);
    error_clear(&error);
    broker_close(broker);
    properties_finish(&properties);
}

/* Markers of transactions take offsets: the end that is told is behind the newest message. */
static void transaction_markers_are_no_lag(void **state)
{
    struct properties properties;
    struct error error = {0};
    struct broker *broker = open_broker(&properties);
    char text[256], id[64];
    (void)state;
    (void)snprintf(topic, sizeof(topic), "markers-%d", (int)getpid());
    (void)snprintf(id, sizeof(id), "tx-%d", (int)getpid());
    create(broker, topic, 1, NULL, 0);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    (void)rd_kafka_conf_set(conf, "bootstrap.servers", servers, text, sizeof(text));
    (void)rd_kafka_conf_set(conf, "transactional.id", id, text, sizeof(text));
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof(text));
    assert_null(rd_kafka_init_transactions(rk, FIXTURE_MS));
    for (int i = 0; i < 3; i++) {
        assert_null(rd_kafka_begin_transaction(rk));
        assert_int_equal(rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_VALUE("x", 1),
                                           RD_KAFKA_V_END),
                         0);
        (void)rd_kafka_flush(rk, FIXTURE_MS); /* an abort would take back what was not sent */
        assert_null(i == 1 ? rd_kafka_abort_transaction(rk, FIXTURE_MS)
                           : rd_kafka_commit_transaction(rk, FIXTURE_MS));
    }
    rd_kafka_destroy(rk);

    struct broker_consumer *consumer;
    struct broker_partition partition = {topic, 0};
    properties_set(&properties, "isolation.level", "read_committed");
    assert_int_equal(broker_consumer_create(broker, &properties, NULL, &consumer, &error), 0);
    struct broker_offset begin = {topic, 0, BROKER_BEGINNING};
    assert_int_equal(broker_consumer_assign(consumer, &begin, 1, &error), 0);
    size_t seen = 0;
    int64_t position = 0, deadline = clock_monotonic_ms() + FIXTURE_MS;
    while (seen < 2 || broker_consumer_end_offset(consumer, &partition) != position) {
        struct broker_chunk *chunk;
        assert_int_equal(broker_consumer_poll(consumer, 50, 10, 1000, &chunk, &error), 0);
        seen += chunk ? chunk->count : 0; /* the aborted one is not among them */
        broker_chunk_release(chunk);
        assert_int_equal(broker_consumer_position(consumer, &partition, &position, &error), 0);
        assert_true(clock_monotonic_ms() < deadline);
    }
    assert_int_equal(seen, 2);
    broker_consumer_destroy(consumer);
    int64_t low, high;
    assert_int_equal(broker_offsets(broker, topic, 0, FIXTURE_MS, &low, &high, &error), 0);
    assert_int_equal(low, 0);
    assert_int_equal(high, 6);
    broker_close(broker);
    properties_finish(&properties);
}

/* Subscribed before it exists: read soon after it does. */
static void a_topic_that_comes_later(void **state)
{
    struct properties properties;
    struct error error = {0};
    struct broker *broker = open_broker(&properties);
    struct broker_consumer *consumer;
    struct broker_chunk *chunk;
    char group[64];
    (void)state;
    (void)snprintf(topic, sizeof(topic), "later-%d", (int)getpid());
    (void)snprintf(group, sizeof(group), "later-%d", (int)getpid());
    properties_set(&properties, "group.id", group);
    properties_set(&properties, "allow.auto.create.topics", "false");
    assert_int_equal(broker_consumer_create(broker, &properties, NULL, &consumer, &error), 0);
    const char *topics[] = {topic};
    assert_int_equal(broker_consumer_subscribe(consumer, topics, 1, &error), 0);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(broker_consumer_poll(consumer, 50, 10, 1000, &chunk, &error), 0);
        assert_null(chunk);
    }
    create(broker, topic, 1, NULL, 0);
    struct broker_partition partition = {topic, 0};
    int64_t position, deadline = clock_monotonic_ms() + FIXTURE_MS;
    while (broker_consumer_position(consumer, &partition, &position, &error) != 0) {
        assert_int_equal(broker_consumer_poll(consumer, 50, 10, 1000, &chunk, &error), 0);
        assert_true(clock_monotonic_ms() < deadline);
    }
    error_clear(&error);
    broker_consumer_destroy(consumer);
    broker_close(broker);
    properties_finish(&properties);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(admin),
        cmocka_unit_test(group_offsets),
        cmocka_unit_test(transaction_markers_are_no_lag),
        cmocka_unit_test(a_topic_that_comes_later),
    };
    if (argc < 2) {
        fprintf(stderr, "usage: kafka_real SERVERS\n");
        return 2;
    }
    servers = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
