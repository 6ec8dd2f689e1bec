/* Producing and consuming through an owner process: contents, order, positions, what is refused. */
#include "tests/unit/core/broker/log_fixture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/broker/topic_name.h"

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
    struct broker_consumer *consumer = fixture_read_from(&fixture, "parts", 0, BROKER_BEGINNING);
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
    struct broker_consumer *consumer = fixture_read_from(&fixture, "many", 0, 0);
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
    struct broker_consumer *consumer = fixture_read_from(&fixture, "seek", 0, BROKER_BEGINNING);
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
    struct broker_consumer *late = fixture_read_from(&fixture, "seek", 0, BROKER_END);
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
    struct broker_consumer *consumer = fixture_read_from(&fixture, "stamped", 0, 0);
    struct broker_chunk *chunk = fixture_poll(consumer, FIXTURE_MS);
    assert_int_equal(chunk->messages[0].timestamp_type, BROKER_TIMESTAMP_LOG_APPEND);
    assert_true(llabs(chunk->messages[0].timestamp - clock_wall_ms()) < 60000);
    broker_chunk_release(chunk);
    broker_consumer_destroy(consumer);
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
        cmocka_unit_test(append_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
