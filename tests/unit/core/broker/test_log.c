/* Producing and consuming through an owner process: contents, order, limits, restarts, retention.
 */
#include "tests/unit/core/broker/log_fixture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <fcntl.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/broker/log/wire.h"
#include "core/broker/topic_name.h"

static const char *const none[] = {NULL};

static void read_all(struct broker_consumer *consumer, size_t count,
                     void (*check)(const struct broker_message *message, size_t i))
{
    size_t seen = 0;
    while (seen < count) {
        struct broker_chunk *chunk = fixture_poll(consumer, FIXTURE_MS);
        assert_non_null(chunk);
        for (size_t i = 0; i < chunk->count; i++) {
            assert_true(seen < count);
            check(&chunk->messages[i], seen++);
        }
        broker_chunk_release(chunk);
    }
}

static struct broker_consumer *read_from(struct fixture *fixture, const char *topic,
                                         int32_t partition, int64_t offset)
{
    struct broker_consumer *consumer = fixture_consumer(fixture, NULL, NULL, (char *)NULL);
    struct broker_offset from = {topic, partition, offset};
    struct error error = {0};
    assert_int_equal(broker_consumer_assign(consumer, &from, 1, &error), 0);
    return consumer;
}

static void check_all_parts(const struct broker_message *message, size_t i)
{
    assert_int_equal(message->offset, i);
    assert_string_equal(message->topic, "parts");
    if (i == 0) {
        assert_memory_equal(message->key, "key", 3);
        assert_int_equal(message->value_size, 5);
        assert_memory_equal(message->value, "value", 5);
        assert_int_equal(message->timestamp, 1234567890123);
        assert_int_equal(message->timestamp_type, BROKER_TIMESTAMP_CREATE);
        assert_int_equal(message->header_count, 2);
        assert_string_equal(message->headers[0].name, "a");
        assert_memory_equal(message->headers[0].value, "1", 1);
        assert_string_equal(message->headers[1].name, "");
        assert_null(message->headers[1].value);
    } else if (i == 1) { /* a tombstone */
        assert_memory_equal(message->key, "key", 3);
        assert_null(message->value);
        assert_int_equal(message->header_count, 0);
        assert_true(llabs(message->timestamp - clock_wall_ms()) < 60000);
    } else { /* empty is not null */
        assert_null(message->key);
        assert_non_null(message->value);
        assert_int_equal(message->value_size, 0);
    }
}

static void what_is_produced_is_consumed(void **state)
{
    struct fixture fixture;
    (void)state;
    fixture_start(&fixture, none);
    struct broker_producer *producer = fixture_producer(&fixture);
    struct broker_header headers[] = {{"a", "1", 1}, {"", NULL, 0}};
    struct broker_message message = {
        .topic = "parts",
        .partition = 0,
        .timestamp = 1234567890123,
        .key = "key",
        .key_size = 3,
        .value = "value",
        .value_size = 5,
        .headers = headers,
        .header_count = 2,
    };
    assert_int_equal(fixture_send(&fixture, producer, &message), 0);
    assert_int_equal(fixture_put(&fixture, producer, "parts", "key", NULL), 1);
    assert_int_equal(fixture_put(&fixture, producer, "parts", NULL, ""), 2);
    struct broker_consumer *consumer = read_from(&fixture, "parts", 0, BROKER_BEGINNING);
    read_all(consumer, 3, check_all_parts);
    int64_t position;
    struct error error = {0};
    struct broker_partition partition = {"parts", 0};
    assert_int_equal(broker_consumer_position(consumer, &partition, &position, &error), 0);
    assert_int_equal(position, 3);
    assert_int_equal(broker_consumer_end_offset(consumer, &partition), 3);
    broker_consumer_destroy(consumer);
    broker_producer_destroy(producer);
    fixture_finish(&fixture);
}

static void check_number(const struct broker_message *message, size_t i)
{
    char text[32];
    (void)snprintf(text, sizeof(text), "%zu", i);
    assert_int_equal(message->offset, i);
    assert_int_equal(message->value_size, strlen(text));
    assert_memory_equal(message->value, text, strlen(text));
}

/* Many at once keep their order, whatever batches they travel in; survive a restart. */
static void order_is_kept_and_outlives_the_owner(void **state)
{
    enum { COUNT = 20000 };
    struct fixture fixture;
    (void)state;
    fixture_start(&fixture, none);
    struct broker_producer *producer = fixture_producer(&fixture);
    static char texts[COUNT][8];
    static struct broker_message messages[COUNT];
    static int64_t offsets[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        int size = snprintf(texts[i], sizeof(texts[i]), "%zu", i);
        messages[i] = (struct broker_message){.topic = "many",
                                              .partition = BROKER_NO_PARTITION,
                                              .timestamp = BROKER_NO_TIMESTAMP,
                                              .value = texts[i],
                                              .value_size = (uint32_t)size,
                                              .opaque = &offsets[i]};
    }
    size_t sent = 0;
    for (size_t piece = 1; fixture.delivered < COUNT; piece = piece % 777 + 1) {
        size_t count = COUNT - sent < piece ? COUNT - sent : piece;
        sent += broker_producer_send(producer, messages + sent, count, true);
        (void)broker_producer_poll(producer, sent < COUNT && sent > 0 ? 0 : 1000);
    }
    assert_int_equal(fixture.failed, 0);
    assert_int_equal(broker_producer_pending(producer), 0);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(offsets[i], i);
    }
    fixture_kill_owner(&fixture, SIGKILL);
    fixture_start_owner(&fixture, none);
    struct broker_consumer *consumer = read_from(&fixture, "many", 0, 0);
    read_all(consumer, COUNT, check_number);
    broker_consumer_destroy(consumer);
    broker_producer_destroy(producer);
    fixture_finish(&fixture);
}

static void seek_and_pause(void **state)
{
    struct fixture fixture;
    struct error error = {0};
    (void)state;
    fixture_start(&fixture, none);
    struct broker_producer *producer = fixture_producer(&fixture);
    for (int i = 0; i < 10; i++) {
        char text[8];
        (void)snprintf(text, sizeof(text), "%d", i);
        assert_int_equal(fixture_put(&fixture, producer, "seek", NULL, text), i);
    }
    struct broker_consumer *consumer = read_from(&fixture, "seek", 0, BROKER_BEGINNING);
    struct broker_partition partition = {"seek", 0};
    struct broker_chunk *chunk = fixture_poll(consumer, FIXTURE_MS);
    assert_int_equal(chunk->messages[0].offset, 0);
    broker_chunk_release(chunk);
    assert_int_equal(broker_consumer_seek(consumer, &(struct broker_offset){"seek", 0, 7}, &error),
                     0);
    chunk = fixture_poll(consumer, FIXTURE_MS);
    assert_int_equal(chunk->messages[0].offset, 7);
    broker_chunk_release(chunk);
    assert_int_equal(broker_consumer_pause(consumer, &partition, 1, &error), 0);
    assert_int_equal(broker_consumer_seek(consumer, &(struct broker_offset){"seek", 0, 9}, &error),
                     0);
    assert_int_equal(fixture_put(&fixture, producer, "seek", NULL, "10"), 10);
    assert_null(fixture_poll(consumer, 50));
    assert_int_equal(broker_consumer_resume(consumer, &partition, 1, &error), 0);
    chunk = fixture_poll(consumer, FIXTURE_MS);
    assert_int_equal(chunk->messages[0].offset, 9);
    broker_chunk_release(chunk);
    /* from the end: only what comes */
    struct broker_consumer *late = read_from(&fixture, "seek", 0, BROKER_END);
    int64_t position;
    assert_int_equal(broker_consumer_position(late, &partition, &position, &error), 0);
    assert_int_equal(position, 11);
    assert_int_equal(fixture_put(&fixture, producer, "seek", NULL, "11"), 11);
    chunk = fixture_poll(late, FIXTURE_MS);
    assert_int_equal(chunk->messages[0].offset, 11);
    broker_consumer_destroy(late);
    broker_chunk_release(chunk); /* held longer than its consumer */
    broker_consumer_destroy(consumer);
    broker_producer_destroy(producer);
    fixture_finish(&fixture);
}

/* One paused partition does not use up what the other may receive. */
static void paused_partitions_do_not_starve_others(void **state)
{
    struct fixture fixture;
    struct error error = {0};
    (void)state;
    fixture_start(&fixture, none);
    fixture_topic(&fixture, "two", 2, NULL, 0);
    struct broker_producer *producer = fixture_producer(&fixture);
    char *large = calloc(1, 100000);
    struct broker_message message = {
        .topic = "two", .timestamp = BROKER_NO_TIMESTAMP, .value = large, .value_size = 100000};
    for (int i = 0; i < 20; i++) {
        message.partition = i % 2;
        assert_int_equal(fixture_send(&fixture, producer, &message), i / 2);
    }
    struct broker_consumer *consumer =
        fixture_consumer(&fixture, NULL, NULL, "fetch.max.bytes", "300000", (char *)NULL);
    struct broker_offset from[] = {{"two", 0, 0}, {"two", 1, 0}};
    struct broker_partition first = {"two", 0};
    assert_int_equal(broker_consumer_assign(consumer, from, 2, &error), 0);
    assert_int_equal(broker_consumer_pause(consumer, &first, 1, &error), 0);
    for (int64_t next = 0; next < 10;) {
        struct broker_chunk *chunk = fixture_poll(consumer, FIXTURE_MS);
        assert_non_null(chunk);
        for (size_t i = 0; i < chunk->count; i++) {
            assert_int_equal(chunk->messages[i].partition, 1);
            assert_int_equal(chunk->messages[i].offset, next++);
        }
        broker_chunk_release(chunk);
    }
    assert_int_equal(broker_consumer_resume(consumer, &first, 1, &error), 0);
    for (int64_t next = 0; next < 10;) {
        struct broker_chunk *chunk = fixture_poll(consumer, FIXTURE_MS);
        assert_non_null(chunk);
        for (size_t i = 0; i < chunk->count; i++) {
            assert_int_equal(chunk->messages[i].partition, 0);
            assert_int_equal(chunk->messages[i].offset, next++);
        }
        broker_chunk_release(chunk);
    }
    free(large);
    broker_consumer_destroy(consumer);
    broker_producer_destroy(producer);
    fixture_finish(&fixture);
}

static void keys_choose_partitions_as_in_kafka(void **state)
{
    struct fixture fixture;
    struct error error = {0};
    int64_t begin, end;
    (void)state;
    fixture_start(&fixture, none);
    fixture_topic(&fixture, "keyed", 5, NULL, 0);
    struct broker_producer *producer = fixture_producer(&fixture);
    int64_t counts[5] = {0};
    for (int i = 0; i < 40; i++) {
        char key[8];
        (void)snprintf(key, sizeof(key), "k%d", i);
        counts[topic_partition_of(key, strlen(key), 5)]++;
        assert_true(fixture_put(&fixture, producer, "keyed", key, "v") >= 0);
    }
    for (int32_t i = 0; i < 5; i++) {
        assert_int_equal(
            broker_offsets(fixture.broker, "keyed", i, FIXTURE_MS, &begin, &end, &error), 0);
        assert_int_equal(begin, 0);
        assert_int_equal(end, counts[i]);
    }
    /* without keys, all get their share */
    fixture_topic(&fixture, "unkeyed", 3, NULL, 0);
    for (int i = 0; i < 30; i++) {
        assert_true(fixture_put(&fixture, producer, "unkeyed", NULL, "v") >= 0);
    }
    for (int32_t i = 0; i < 3; i++) {
        assert_int_equal(
            broker_offsets(fixture.broker, "unkeyed", i, FIXTURE_MS, &begin, &end, &error), 0);
        assert_int_equal(end, 10);
    }
    broker_producer_destroy(producer);
    fixture_finish(&fixture);
}

static void bad_messages_fail_in_their_delivery(void **state)
{
    static const char *const small[] = {"max.message.bytes", "1000"};
    struct fixture fixture;
    (void)state;
    fixture_start(&fixture, none);
    fixture_topic(&fixture, "small", 1, small, 1);
    struct broker_producer *producer = fixture_producer(&fixture);
    char *large = calloc(1, 2 << 20);
    struct broker_message message = {.topic = "small",
                                     .partition = 0,
                                     .value = large,
                                     .value_size = 1000,
                                     .timestamp = BROKER_NO_TIMESTAMP};
    assert_int_equal(fixture_send(&fixture, producer, &message), -1);
    assert_int_equal(fixture.last_error, ERROR_TOO_LARGE);
    message.value_size = 1000 - 24;
    assert_int_equal(fixture_send(&fixture, producer, &message), 0);
    message.topic = "auto"; /* not there yet, but the record is too large for any */
    message.value_size = 2 << 20;
    assert_int_equal(fixture_send(&fixture, producer, &message), -1);
    assert_int_equal(fixture.last_error, ERROR_TOO_LARGE);
    message.value_size = 1;
    message.partition = 3;
    assert_int_equal(fixture_send(&fixture, producer, &message), -1);
    assert_int_equal(fixture.last_error, ERROR_UNKNOWN_PARTITION);
    message.topic = "no topic";
    assert_int_equal(fixture_send(&fixture, producer, &message), -1);
    assert_int_equal(fixture.last_error, ERROR_INVALID_TOPIC);
    free(large);
    broker_producer_destroy(producer);
    fixture_finish(&fixture);
}

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
    struct broker_consumer *consumer = read_from(&fixture, "sized", 0, 3);
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

static void retention_by_time(void **state)
{
    static const char *const configs[] = {"log.retention.ms=200",
                                          "log.retention.check.interval.ms=20", NULL};
    struct fixture fixture;
    struct error error = {0};
    int64_t begin = 0, end = 0;
    (void)state;
    fixture_start(&fixture, configs);
    struct broker_producer *producer = fixture_producer(&fixture);
    assert_int_equal(fixture_put(&fixture, producer, "timed", NULL, "v"), 0);
    int64_t deadline = clock_monotonic_ms() + FIXTURE_MS;
    while (begin != 1 && clock_monotonic_ms() < deadline) {
        assert_int_equal(
            broker_offsets(fixture.broker, "timed", 0, FIXTURE_MS, &begin, &end, &error), 0);
        (void)usleep(10000);
    }
    assert_int_equal(begin, 1);
    assert_int_equal(end, 1);
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
    int64_t begin = 0, end = 0;
    (void)state;
    fixture_start(&fixture, configs);
    struct broker_producer *producer = fixture_producer(&fixture);
    assert_int_equal(fixture_put(&fixture, producer, "timed", NULL, "v"), 0);
    assert_int_equal(broker_topic_alter(fixture.broker, "timed", &shorter, 1, FIXTURE_MS, &error), 0);
    int64_t deadline = clock_monotonic_ms() + FIXTURE_MS;
    while (begin != 1 && clock_monotonic_ms() < deadline) {
        assert_int_equal(
            broker_offsets(fixture.broker, "timed", 0, FIXTURE_MS, &begin, &end, &error), 0);
        (void)usleep(10000);
    }
    assert_int_equal(begin, 1);
    broker_producer_destroy(producer);
    fixture_finish(&fixture);
}

static void append_time(void **state)
{
    static const char *const configs[] = {"message.timestamp.type", "LogAppendTime"};
    struct fixture fixture;
    (void)state;
    fixture_start(&fixture, none);
    fixture_topic(&fixture, "stamped", 1, configs, 1);
    struct broker_producer *producer = fixture_producer(&fixture);
    struct broker_message message = {
        .topic = "stamped", .partition = 0, .timestamp = 5, .value = "v", .value_size = 1};
    assert_int_equal(fixture_send(&fixture, producer, &message), 0);
    struct broker_consumer *consumer = read_from(&fixture, "stamped", 0, 0);
    struct broker_chunk *chunk = fixture_poll(consumer, FIXTURE_MS);
    assert_int_equal(chunk->messages[0].timestamp_type, BROKER_TIMESTAMP_LOG_APPEND);
    assert_true(llabs(chunk->messages[0].timestamp - clock_wall_ms()) < 60000);
    broker_chunk_release(chunk);
    broker_consumer_destroy(consumer);
    broker_producer_destroy(producer);
    fixture_finish(&fixture);
}

/* A full disk is told to who produces; what was acknowledged stays, and it goes on when there is
 * room. */
static void a_full_disk_is_told(void **state)
{
    struct fixture fixture;
    (void)state;
    fixture_start(&fixture, NULL);
    fixture.file_limit = 3 << 20;
    fixture_start_owner(&fixture, none);
    struct broker_producer *producer = fixture_producer(&fixture);
    char *value = calloc(1, 100001);
    struct broker_message message = {
        .topic = "full", .partition = 0, .value = value, .timestamp = BROKER_NO_TIMESTAMP};
    int64_t count = 0;
    for (message.value_size = 100001; fixture.failed == 0 && count < 100;) {
        int64_t offset = fixture_send(&fixture, producer, &message);
        assert_true(offset == count || offset == -1);
        count += offset >= 0;
    }
    assert_in_range(count, 10, 40);
    assert_int_equal(fixture.last_error, ERROR_SYSTEM);
    assert_int_equal(fixture_send(&fixture, producer, &message), -1);
    struct broker_consumer *consumer = read_from(&fixture, "full", 0, 0);
    for (int64_t next = 0; next < count;) {
        struct broker_chunk *chunk = fixture_poll(consumer, FIXTURE_MS);
        for (size_t i = 0; i < chunk->count; i++) {
            assert_int_equal(chunk->messages[i].offset, next++);
        }
        broker_chunk_release(chunk);
    }
    fixture.file_limit = 0;
    fixture_kill_owner(&fixture, SIGKILL);
    fixture_start_owner(&fixture, none);
    assert_int_equal(fixture_send(&fixture, producer, &message), count);
    free(value);
    broker_consumer_destroy(consumer);
    broker_producer_destroy(producer);
    fixture_finish(&fixture);
}

/* Nobody started an owner: the first client does, and it leaves when all are gone. */
static void clients_start_an_owner(void **state)
{
    struct fixture fixture;
    (void)state;
    fixture_start(&fixture, NULL);
    struct broker_producer *producer = fixture_producer(&fixture);
    assert_int_equal(fixture_put(&fixture, producer, "lazy", NULL, "v"), 0);
    struct broker_consumer *consumer = read_from(&fixture, "lazy", 0, 0);
    struct broker_chunk *chunk = fixture_poll(consumer, FIXTURE_MS);
    assert_int_equal(chunk->count, 1);
    broker_chunk_release(chunk);
    broker_consumer_destroy(consumer);
    broker_producer_destroy(producer);
    broker_close(fixture.broker);
    fixture.broker = NULL;
    char path[800];
    (void)snprintf(path, sizeof(path), "%s/log.sock", fixture.deep);
    int64_t deadline = clock_monotonic_ms() + FIXTURE_MS;
    while (access(path, F_OK) == 0 && clock_monotonic_ms() < deadline) {
        (void)usleep(20000);
    }
    assert_int_not_equal(access(path, F_OK), 0);
    (void)usleep(100000); /* its last moments with the lock */
    fixture_finish(&fixture);
}

static void bad_settings(void **state)
{
    struct properties properties = {0};
    struct error error = {0};
    struct broker *broker = NULL;
    (void)state;
    assert_int_equal(broker_open(&properties, &broker, &error), -1);
    assert_int_equal(error.code, ERROR_CONFIG);
    properties_set(&properties, "bootstrap.servers", "local:/proc/nowhere");
    error_clear(&error);
    assert_int_equal(broker_open(&properties, &broker, &error), 0);
    struct broker_topics topics;
    assert_int_equal(broker_topics(broker, 300, &topics, &error), -1);
    assert_int_equal(error.code, ERROR_BROKER_UNAVAILABLE);
    assert_non_null(strstr(error.message, "/proc/nowhere"));
    error_clear(&error);
    broker_close(broker);
    properties_finish(&properties);
}

static int raw_socket(const struct fixture *fixture)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int dir = open(fixture->deep, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/log.sock", dir);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    close(dir);
    return fd;
}

/* Rubbish of all kinds on the socket ends that connection and nothing else. */
static void garbage_does_no_harm(void **state)
{
    struct fixture fixture;
    (void)state;
    fixture_start(&fixture, none);
    struct broker_producer *producer = fixture_producer(&fixture);
    assert_int_equal(fixture_put(&fixture, producer, "safe", NULL, "v"), 0);
    srand(20261124);
    for (int round = 0; round < 400; round++) {
        int fd = raw_socket(&fixture);
        struct buffer out;
        buffer_init(&out, 1 << 20);
        if (round % 8 != 0) { /* else without HELLO */
            size_t begin = wire_begin(&out, WIRE_HELLO, 0);
            wire_put_u32(&out, WIRE_MAGIC);
            wire_put_u32(&out, WIRE_VERSION);
            wire_put_u32(&out, 0);
            wire_put_text(&out, "rubbish");
            wire_end(&out, begin);
        }
        for (int frames = 0; frames < 4; frames++) {
            struct wire_head head = {
                .size = (uint32_t)(round % 7 == 0 ? rand() : rand() % 200),
                .type = (uint32_t)(round % 5 == 0 ? rand() : rand() % 24),
            };
            (void)buffer_append(&out, &head, sizeof(head));
            size_t size = head.size < 200 ? head.size : (size_t)(rand() % 200);
            for (size_t i = 0; i < size; i++) {
                (void)buffer_append_char(&out, (char)(rand() % 3 ? rand() % 6 : rand()));
            }
        }
        (void)send(fd, out.data, out.size, MSG_NOSIGNAL);
        if (round % 2) {
            char answer[256];
            (void)recv(fd, answer, sizeof(answer), MSG_DONTWAIT);
        }
        close(fd);
        buffer_finish(&out);
    }
    assert_int_equal(fixture_put(&fixture, producer, "safe", NULL, "w"), 1);
    broker_producer_destroy(producer);
    fixture_finish(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_produced_is_consumed),
        cmocka_unit_test(order_is_kept_and_outlives_the_owner),
        cmocka_unit_test(seek_and_pause),
        cmocka_unit_test(paused_partitions_do_not_starve_others),
        cmocka_unit_test(keys_choose_partitions_as_in_kafka),
        cmocka_unit_test(bad_messages_fail_in_their_delivery),
        cmocka_unit_test(topics_are_managed),
        cmocka_unit_test(retention_by_size),
        cmocka_unit_test(retention_by_time),
        cmocka_unit_test(retention_is_changed),
        cmocka_unit_test(append_time),
        cmocka_unit_test(a_full_disk_is_told),
        cmocka_unit_test(clients_start_an_owner),
        cmocka_unit_test(bad_settings),
        cmocka_unit_test(garbage_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
