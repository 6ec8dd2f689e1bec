/* The Kafka broker against librdkafka's mock cluster: data, positions, faults of a producer. */
#include "tests/unit/core/broker/kafka_fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"

#define TOPIC "t"
#define ERRORS "org.apache.kafka.common.errors."

static void assign(struct broker_consumer *consumer, int32_t partition, int64_t offset)
{
    struct error error = {0};
    struct broker_offset at = {TOPIC, partition, offset};
    assert_int_equal(broker_consumer_assign(consumer, &at, 1, &error), 0);
}

static int64_t number_of(const struct broker_message *message)
{
    char text[32] = "";
    memcpy(text, message->value, message->value_size);
    return strtoll(text, NULL, 10);
}

/* -- data -- */

static void every_field_comes_back(void **state)
{
    struct fixture fixture;
    (void)state;
    fixture_start(&fixture, TOPIC, 1);
    struct broker_header headers[] = {{"a", "1", 1}, {"a", NULL, 0}, {"empty", "", 0}};
    struct broker_message sent[] = {
        {.topic = TOPIC, .timestamp = 1700000000123, .key = "k", .key_size = 1, .value = "v",
         .value_size = 1, .headers = headers, .header_count = 3},
        {.topic = TOPIC, .timestamp = BROKER_NO_TIMESTAMP, .value = "nokey", .value_size = 5},
        {.topic = TOPIC, .timestamp = 5, .key = "", .key_size = 0},
    };
    fixture_send(&fixture, sent, 3);
    assert_int_equal(fixture.failed, 0);
    assert_int_equal(fixture.last_offset, 2);

    struct broker_consumer *consumer = fixture_consumer(&fixture, NULL, NULL);
    assign(consumer, 0, BROKER_BEGINNING);
    struct broker_message got[3];
    struct broker_chunk *chunks[3];
    size_t count = 0, held = 0;
    while (count < 3) {
        struct broker_chunk *chunk = chunks[held++] = fixture_poll(consumer, 3);
        for (size_t i = 0; i < chunk->count; i++) {
            got[count++] = chunk->messages[i];
        }
    }
    assert_string_equal(got[0].topic, TOPIC);
    assert_true(got[0].topic == got[2].topic);
    assert_int_equal(got[0].timestamp, 1700000000123);
    assert_int_equal(got[0].timestamp_type, BROKER_TIMESTAMP_CREATE);
    assert_memory_equal(got[0].key, "k", 1);
    assert_int_equal(got[0].header_count, 3);
    assert_string_equal(got[0].headers[0].name, "a");
    assert_memory_equal(got[0].headers[0].value, "1", 1);
    assert_null(got[0].headers[1].value);
    assert_non_null(got[0].headers[2].value);
    assert_int_equal(got[0].headers[2].size, 0);
    assert_null(got[1].key);
    assert_int_equal(got[1].value_size, 5);
    assert_int_equal(got[1].header_count, 0);
    assert_non_null(got[2].key);
    assert_int_equal(got[2].key_size, 0);
    assert_null(got[2].value);
    assert_int_equal(got[2].offset, 2);
    assert_int_equal(broker_consumer_end_offset(consumer, &(struct broker_partition){TOPIC, 0}), 3);
    broker_consumer_destroy(consumer);
    for (size_t i = 0; i < held; i++) { /* chunks outlive their consumer */
        assert_memory_equal(got[1].value, "nokey", 5);
        broker_chunk_release(chunks[i]);
    }
    fixture_finish(&fixture);
}

static void *release_all(void *user)
{
    struct broker_chunk **chunks = user;
    for (size_t i = 0; chunks[i]; i++) {
        broker_chunk_release(chunks[i]);
    }
    return NULL;
}

static void chunks_are_released_anywhere_in_any_order(void **state)
{
    enum { COUNT = 5000, MOST = 512 };
    static struct broker_chunk *even[COUNT], *odd[COUNT];
    struct fixture fixture;
    (void)state;
    fixture_start(&fixture, TOPIC, 1);
    fixture_fill(&fixture, TOPIC, 0, COUNT);
    struct broker_consumer *consumer = fixture_consumer(&fixture, NULL, NULL);
    assign(consumer, 0, BROKER_BEGINNING);
    size_t chunks = 0;
    for (int64_t next = 0; next < COUNT;) {
        struct broker_chunk *chunk = fixture_poll(consumer, MOST);
        for (size_t i = 0; i < chunk->count; i++) {
            assert_int_equal(chunk->messages[i].offset, next);
            assert_int_equal(number_of(&chunk->messages[i]), next++);
        }
        *(chunks % 2 ? &odd[chunks / 2] : &even[chunks / 2]) = chunk;
        chunks++;
    }
    pthread_t threads[2];
    assert_int_equal(pthread_create(&threads[0], NULL, release_all, even), 0);
    assert_int_equal(pthread_create(&threads[1], NULL, release_all, odd), 0);
    broker_consumer_destroy(consumer);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    fixture_finish(&fixture);
}

/* -- positions: nothing is skipped, whatever is done in between -- */

static void pauses_and_seeks_skip_nothing(void **state)
{
    enum { COUNT = 2000 };
    struct fixture fixture;
    struct error error = {0};
    struct broker_partition partition = {TOPIC, 0};
    (void)state;
    fixture_start(&fixture, TOPIC, 1);
    fixture_fill(&fixture, TOPIC, 0, COUNT / 2);
    struct broker_consumer *consumer = fixture_consumer(&fixture, NULL, "group.id", "g", NULL);
    assign(consumer, 0, BROKER_BEGINNING);
    srand(7);
    int64_t next = 0, position;
    bool filled = false;
    while (next < COUNT) {
        if (!filled && next == COUNT / 2) { /* after the end was reached */
            assert_int_equal(broker_consumer_pause(consumer, &partition, 1, &error), 0);
            fixture_fill(&fixture, TOPIC, 0, COUNT / 2);
            assert_int_equal(broker_consumer_resume(consumer, &partition, 1, &error), 0);
            filled = true;
        }
        struct broker_chunk *chunk = fixture_poll(consumer, (size_t)(1 + rand() % 40));
        for (size_t i = 0; i < chunk->count; i++) {
            assert_int_equal(chunk->messages[i].offset, next++);
        }
        broker_chunk_release(chunk);
        assert_int_equal(broker_consumer_position(consumer, &partition, &position, &error), 0);
        assert_int_equal(position, next);
        switch (rand() % 24) {
        case 0:
            assert_int_equal(broker_consumer_pause(consumer, &partition, 1, &error), 0);
            chunk = NULL;
            assert_int_equal(broker_consumer_poll(consumer, 20, 10, 1 << 20, &chunk, &error), 0);
            assert_null(chunk);
            assert_int_equal(broker_consumer_resume(consumer, &partition, 1, &error), 0);
            break;
        case 1:
            next = next > 50 ? next - 50 : 0;
            assert_int_equal(
                broker_consumer_seek(consumer, &(struct broker_offset){TOPIC, 0, next}, &error), 0);
            break;
        default:
            break;
        }
    }
    broker_consumer_destroy(consumer);
    fixture_finish(&fixture);
}

static void *wake_soon(void *consumer)
{
    (void)usleep(50000);
    broker_consumer_wake(consumer);
    return NULL;
}

static void a_wake_ends_the_wait(void **state)
{
    struct fixture fixture;
    struct broker_chunk *chunk;
    struct error error = {0};
    pthread_t thread;
    (void)state;
    fixture_start(&fixture, TOPIC, 1);
    struct broker_consumer *consumer = fixture_consumer(&fixture, NULL, NULL);
    int64_t begin = clock_monotonic_ms();
    assert_int_equal(pthread_create(&thread, NULL, wake_soon, consumer), 0);
    assert_int_equal(broker_consumer_poll(consumer, FIXTURE_MS, 10, 1000, &chunk, &error), 0);
    assert_null(chunk);
    assert_true(clock_monotonic_ms() - begin < FIXTURE_MS / 2);
    pthread_join(thread, NULL);
    broker_consumer_destroy(consumer);
    fixture_finish(&fixture);
}

/* -- faults -- */

static void nobody_there(void **state)
{
    struct properties properties = {0};
    struct error error = {0};
    struct broker *broker;
    struct broker_topics topics;
    (void)state;
    properties_set(&properties, "bootstrap.servers", "127.0.0.1:1");
    assert_int_equal(broker_open(&properties, &broker, &error), 0);
    int64_t begin = clock_monotonic_ms();
    assert_int_equal(broker_topics(broker, 700, &topics, &error), -1);
    assert_true(clock_monotonic_ms() - begin < 30000); /* not by the client's 60 s */
    assert_int_equal(error.code, ERROR_TIMEOUT);
    assert_non_null(error.cause);
    assert_non_null(strstr(error.cause->message, "127.0.0.1:1"));
    error_clear(&error);
    broker_close(broker);
    properties_finish(&properties);
}

static void failed_deliveries_have_javas_names(void **state)
{
    static const struct {
        rd_kafka_resp_err_t injected;
        enum error_code code;
        bool retriable;
        const char *java_class;
    } cases[] = {
        {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, ERROR_TOO_LARGE, false,
         ERRORS "RecordTooLargeException"},
        {RD_KAFKA_RESP_ERR_INVALID_RECORD, ERROR_BROKER, false, ERRORS "InvalidRecordException"},
        {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, ERROR_AUTHORIZATION, false,
         ERRORS "TopicAuthorizationException"},
    };
    struct fixture fixture;
    (void)state;
    fixture_start(&fixture, TOPIC, 1);
    struct broker_message message = {
        .topic = TOPIC, .timestamp = BROKER_NO_TIMESTAMP, .value = "v", .value_size = 1};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        rd_kafka_mock_push_request_errors(fixture.cluster, 0 /* Produce */, 1, cases[i].injected);
        fixture_send(&fixture, &message, 1);
        assert_int_equal(fixture.failed, i + 1);
        assert_int_equal(fixture.code, cases[i].code);
        assert_int_equal(fixture.retriable, cases[i].retriable);
        assert_string_equal(fixture.java_class, cases[i].java_class);
        assert_non_null(strstr(fixture.message, "Producing to topic " TOPIC ": "));
    }
    static char large[2 << 20];
    message.value = large;
    message.value_size = sizeof(large);
    fixture_send(&fixture, &message, 1);
    assert_int_equal(fixture.code, ERROR_TOO_LARGE);
    assert_non_null(strstr(fixture.message, "max.request.size"));
    message = (struct broker_message){.topic = "^no", .timestamp = BROKER_NO_TIMESTAMP};
    fixture_send(&fixture, &message, 1);
    assert_int_equal(fixture.code, ERROR_INVALID_TOPIC);
    assert_string_equal(fixture.java_class, ERRORS "InvalidTopicException");
    fixture_finish(&fixture);
}

static void retried_sends_keep_their_order(void **state)
{
    struct fixture fixture;
    (void)state;
    fixture_start(&fixture, TOPIC, 1);
    rd_kafka_mock_push_request_errors(
        fixture.cluster, 0 /* Produce */, 4, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
        RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
        RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS);
    fixture_fill(&fixture, TOPIC, 0, 2000);
    struct broker_consumer *consumer = fixture_consumer(&fixture, NULL, NULL);
    assign(consumer, 0, BROKER_BEGINNING);
    int64_t last = -1;
    while (last < 1999) { /* a repeated send may be there twice, but never before an earlier one */
        struct broker_chunk *chunk = fixture_poll(consumer, 500);
        for (size_t i = 0; i < chunk->count; i++) {
            int64_t number = number_of(&chunk->messages[i]);
            assert_true(number <= last + 1);
            last = number > last ? number : last;
        }
        broker_chunk_release(chunk);
    }
    broker_consumer_destroy(consumer);
    fixture_finish(&fixture);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        cmocka_set_test_filter(argv[1]);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_comes_back),
        cmocka_unit_test(chunks_are_released_anywhere_in_any_order),
        cmocka_unit_test(pauses_and_seeks_skip_nothing),
        cmocka_unit_test(a_wake_ends_the_wait),
        cmocka_unit_test(nobody_there),
        cmocka_unit_test(failed_deliveries_have_javas_names),
        cmocka_unit_test(retried_sends_keep_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
