#include "tests/unit/core/broker/kafka_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"

static void on_delivered(void *user, const struct broker_delivery *deliveries, size_t count)
{
    struct fixture *fixture = user;
    for (size_t i = 0; i < count; i++) {
        const struct error *error = deliveries[i].error;
        fixture->delivered++;
        fixture->last_offset = deliveries[i].offset;
        if (error) {
            fixture->failed++;
            fixture->code = error->code;
            fixture->retriable = error->retriable;
            (void)snprintf(fixture->java_class, sizeof(fixture->java_class), "%s", error->java_class);
            (void)snprintf(fixture->message, sizeof(fixture->message), "%s", error->message);
        }
    }
}

void fixture_start(struct fixture *fixture, const char *topic, int partitions)
{
    char text[256];
    struct error error = {0};
    *fixture = (struct fixture){0};
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    (void)rd_kafka_conf_set(conf, "log_level", "3", text, sizeof(text));
    fixture->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof(text));
    assert_non_null(fixture->rk);
    fixture->cluster = rd_kafka_mock_cluster_new(fixture->rk, 1);
    assert_non_null(fixture->cluster);
#if RD_KAFKA_VERSION >= 0x020600ff /* older ones wait for three seconds */
    rd_kafka_mock_group_initial_rebalance_delay_ms(fixture->cluster, 100);
#endif
    assert_int_equal(rd_kafka_mock_topic_create(fixture->cluster, topic, partitions, 1), 0);
    properties_set(&fixture->properties, "bootstrap.servers",
                   rd_kafka_mock_cluster_bootstraps(fixture->cluster));
    assert_int_equal(broker_open(&fixture->properties, &fixture->broker, &error), 0);
    struct properties client = {0};
    properties_copy(&client, &fixture->properties);
    properties_set(&client, "acks", "all");
    assert_int_equal(broker_producer_create(fixture->broker, &client, on_delivered, fixture,
                                            &fixture->producer, &error),
                     0);
    properties_finish(&client);
}

void fixture_finish(struct fixture *fixture)
{
    broker_producer_destroy(fixture->producer);
    broker_close(fixture->broker);
    properties_finish(&fixture->properties);
    rd_kafka_mock_cluster_destroy(fixture->cluster);
    rd_kafka_destroy(fixture->rk);
}

void fixture_send(struct fixture *fixture, const struct broker_message *messages, size_t count)
{
    int64_t deadline = clock_monotonic_ms() + FIXTURE_MS;
    size_t before = fixture->delivered;
    for (size_t sent = 0; sent < count;) {
        sent += broker_producer_send(fixture->producer, messages + sent, count - sent, false);
        if (sent < count) {
            (void)broker_producer_poll(fixture->producer, 100);
        }
        assert_true(clock_monotonic_ms() < deadline);
    }
    while (fixture->delivered - before < count) {
        (void)broker_producer_poll(fixture->producer, 100);
        assert_true(clock_monotonic_ms() < deadline);
    }
    assert_int_equal(broker_producer_pending(fixture->producer), 0);
}

void fixture_fill(struct fixture *fixture, const char *topic, int32_t partition, size_t count)
{
    enum { AT_ONCE = 500 };
    char texts[AT_ONCE][16];
    struct broker_message messages[AT_ONCE];
    for (size_t at = 0; at < count; at += AT_ONCE) {
        size_t n = count - at < AT_ONCE ? count - at : AT_ONCE;
        for (size_t i = 0; i < n; i++) {
            int size = snprintf(texts[i], sizeof(texts[i]), "%zu", at + i);
            messages[i] = (struct broker_message){.topic = topic,
                                                  .partition = partition,
                                                  .timestamp = BROKER_NO_TIMESTAMP,
                                                  .value = texts[i],
                                                  .value_size = (uint32_t)size};
        }
        fixture_send(fixture, messages, n);
    }
    assert_int_equal(fixture->failed, 0);
}

struct broker_consumer *fixture_consumer(struct fixture *fixture,
                                         const struct broker_consumer_events *events, ...)
{
    struct properties client = {0};
    struct broker_consumer *consumer = NULL;
    struct error error = {0};
    va_list args;
    properties_copy(&client, &fixture->properties);
    properties_set(&client, "auto.offset.reset", "earliest");
    properties_set(&client, "fetch.max.wait.ms", "50"); /* what a pause may wait for */
    va_start(args, events);
    const char *name;
    while ((name = va_arg(args, const char *))) {
        properties_set(&client, name, va_arg(args, const char *));
    }
    va_end(args);
    assert_int_equal(broker_consumer_create(fixture->broker, &client, events, &consumer, &error), 0);
    properties_finish(&client);
    return consumer;
}

struct broker_chunk *fixture_poll(struct broker_consumer *consumer, size_t most)
{
    int64_t deadline = clock_monotonic_ms() + FIXTURE_MS;
    struct broker_chunk *chunk = NULL;
    struct error error = {0};
    while (!chunk) {
        int result = broker_consumer_poll(consumer, 100, most, 1 << 20, &chunk, &error);
        if (result != 0) {
            print_error("%s\n", error.message);
        }
        assert_int_equal(result, 0);
        assert_true(clock_monotonic_ms() < deadline);
    }
    return chunk;
}
