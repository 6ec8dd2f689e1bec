/*
 * kill -9 of the owner at random moments while threads produce and a group consumes. What was
 * acknowledged is there under the offset that was told, once, in order; commits are kept.
 * SLUICE_SEED repeats a run, SLUICE_KILLS says how many.
 */
#include "tests/unit/core/broker/log_fixture.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"

enum { PRODUCERS = 2, MOST = 400000, PARTITIONS = 2 };

struct sent {
    struct writer *writer;
    int32_t partition;
    int64_t offset; /* -1: not acknowledged */
    int told;
};

struct writer {
    struct fixture *fixture;
    struct broker_producer *producer;
    int number;
    struct sent *sent;
    size_t count, failed;
    atomic_size_t told;
    atomic_bool stop;
};

static void on_delivered(void *user, const struct broker_delivery *deliveries, size_t count)
{
    struct writer *writer = user;
    for (size_t i = 0; i < count; i++) {
        struct sent *sent = deliveries[i].opaque;
        sent->told++;
        sent->partition = deliveries[i].partition;
        sent->offset = deliveries[i].error ? -1 : deliveries[i].offset;
        writer->failed += deliveries[i].error != NULL;
    }
    atomic_fetch_add(&writer->told, count);
}

/* Polls; the sender is another thread, as in a source task. */
static void *poll_main(void *user)
{
    struct writer *writer = user;
    while (!atomic_load(&writer->stop) || broker_producer_pending(writer->producer) > 0) {
        (void)broker_producer_poll(writer->producer, 20);
    }
    return NULL;
}

static void *send_main(void *user)
{
    struct writer *writer = user;
    unsigned seed = (unsigned)writer->number;
    while (!atomic_load(&writer->stop) && writer->count < MOST) {
        char text[32];
        size_t burst = (size_t)(rand_r(&seed) % 20) + 1;
        for (size_t i = 0; i < burst && writer->count < MOST; i++) {
            int size = snprintf(text, sizeof(text), "%d:%zu", writer->number, writer->count);
            writer->sent[writer->count] = (struct sent){.writer = writer, .offset = -1};
            struct broker_message message = {
                .topic = "t",
                .partition = BROKER_NO_PARTITION,
                .timestamp = BROKER_NO_TIMESTAMP,
                .value = text,
                .value_size = (uint32_t)size,
                .opaque = &writer->sent[writer->count],
            };
            if (broker_producer_send(writer->producer, &message, 1, false) == 0) {
                break;
            }
            writer->count++;
        }
        (void)usleep(200); /* a pace, not a wait for anything */
    }
    return NULL;
}

/* -- a group of one that reads and commits all along -- */

struct reader {
    struct broker_consumer *consumer;
    int64_t next[PARTITIONS];      /* as handed out */
    int64_t committed[PARTITIONS]; /* as told */
    int64_t highest[PARTITIONS];
};

static void reader_assigned(void *user, const struct broker_partition *partitions, size_t count)
{
    struct reader *reader = user;
    for (size_t i = 0; i < count; i++) {
        struct error error = {0};
        int64_t position;
        assert_int_equal(
            broker_consumer_position(reader->consumer, &partitions[i], &position, &error), 0);
        /* a commit that was told is never forgotten */
        assert_true(position >= reader->committed[partitions[i].partition]);
        reader->next[partitions[i].partition] = position;
    }
}

static void reader_committed(void *user, const struct broker_offset *offsets, size_t count,
                             const struct error *error)
{
    struct reader *reader = user;
    for (size_t i = 0; i < count && !error; i++) {
        reader->committed[offsets[i].partition] = offsets[i].offset;
    }
}

static void read_once(struct reader *reader)
{
    struct broker_chunk *chunk;
    struct error error = {0};
    if (broker_consumer_poll(reader->consumer, 10, 500, 100000, &chunk, &error) != 0) {
        fail_msg("%s", error.message);
    }
    for (size_t i = 0; chunk && i < chunk->count; i++) {
        const struct broker_message *message = &chunk->messages[i];
        assert_int_equal(message->offset, reader->next[message->partition]);
        reader->next[message->partition]++;
    }
    for (int32_t p = 0; chunk && p < PARTITIONS; p++) {
        struct broker_offset offset = {"t", p, reader->next[p]};
        if (reader->next[p] > 0 &&
            broker_consumer_commit(reader->consumer, &offset, 1, &error) != 0) {
            error_clear(&error);
        }
    }
    broker_chunk_release(chunk);
}

/* -- afterwards -- */

static size_t verify(struct fixture *fixture, struct writer *writers)
{
    struct broker_consumer *consumer = fixture_consumer(fixture, NULL, NULL, (char *)NULL);
    struct error error = {0};
    int64_t ends[PARTITIONS], begin;
    struct broker_offset from[PARTITIONS];
    int64_t last[PARTITIONS][PRODUCERS];
    size_t stored = 0, total = 0;
    for (int32_t p = 0; p < PARTITIONS; p++) {
        assert_int_equal(
            broker_offsets(fixture->broker, "t", p, FIXTURE_MS, &begin, &ends[p], &error), 0);
        assert_int_equal(begin, 0);
        from[p] = (struct broker_offset){"t", p, 0};
        total += (size_t)ends[p];
        for (int w = 0; w < PRODUCERS; w++) {
            last[p][w] = -1;
        }
    }
    assert_int_equal(broker_consumer_assign(consumer, from, PARTITIONS, &error), 0);
    while (stored < total) {
        struct broker_chunk *chunk = fixture_poll(consumer, FIXTURE_MS);
        assert_non_null(chunk);
        for (size_t i = 0; i < chunk->count; i++, stored++) {
            const struct broker_message *message = &chunk->messages[i];
            char text[32] = "";
            int writer;
            size_t number;
            memcpy(text, message->value, message->value_size);
            assert_int_equal(sscanf(text, "%d:%zu", &writer, &number), 2);
            const struct sent *sent = &writers[writer].sent[number];
            assert_true((int64_t)number >
                        last[message->partition][writer]); /* order, no duplicates */
            last[message->partition][writer] = (int64_t)number;
            assert_int_equal(sent->partition, message->partition);
            assert_int_equal(sent->offset, message->offset);
        }
        broker_chunk_release(chunk);
    }
    broker_consumer_destroy(consumer);
    return total;
}

static void nothing_acknowledged_is_lost(void **state)
{
    struct fixture fixture;
    struct writer writers[PRODUCERS];
    pthread_t threads[PRODUCERS][2];
    struct reader reader = {0};
    struct error error = {0};
    const char *topic = "t";
    const char *text = getenv("SLUICE_SEED");
    unsigned seed = text ? (unsigned)strtoul(text, NULL, 10) : (unsigned)clock_monotonic_ns();
    text = getenv("SLUICE_KILLS");
    int kills = text ? atoi(text) : 12;
    (void)state;
    print_message("SLUICE_SEED=%u\n", seed);
    fixture_start(&fixture, none);
    fixture_topic(&fixture, "t", PARTITIONS, NULL, 0);
    for (int w = 0; w < PRODUCERS; w++) {
        writers[w] = (struct writer){.fixture = &fixture, .number = w};
        writers[w].sent = calloc(MOST, sizeof(struct sent));
        assert_int_equal(broker_producer_create(fixture.broker, &fixture.properties, on_delivered,
                                                &writers[w], &writers[w].producer, &error),
                         0);
        assert_int_equal(pthread_create(&threads[w][0], NULL, poll_main, &writers[w]), 0);
        assert_int_equal(pthread_create(&threads[w][1], NULL, send_main, &writers[w]), 0);
    }
    struct broker_consumer_events events = {
        .assigned = reader_assigned, .committed = reader_committed, .user = &reader};
    reader.consumer = fixture_consumer(&fixture, "g", &events, (char *)NULL);
    assert_int_equal(broker_consumer_subscribe(reader.consumer, &topic, 1, &error), 0);
    for (int k = 0; k < kills; k++) {
        int64_t until = clock_monotonic_ms() + rand_r(&seed) % 120;
        while (clock_monotonic_ms() < until) {
            read_once(&reader);
        }
        fixture_kill_owner(&fixture, SIGKILL);
        if (k % 3 == 2) { /* down for a while */
            (void)usleep((useconds_t)(rand_r(&seed) % 50000));
        }
        fixture_start_owner(&fixture, none);
    }
    size_t count = 0;
    for (int w = 0; w < PRODUCERS; w++) {
        atomic_store(&writers[w].stop, true);
        pthread_join(threads[w][1], NULL);
        pthread_join(threads[w][0], NULL);
        assert_int_equal(writers[w].failed, 0);
        for (size_t i = 0; i < writers[w].count; i++) {
            assert_int_equal(writers[w].sent[i].told, 1);
            assert_true(writers[w].sent[i].offset >= 0);
        }
        count += writers[w].count;
        broker_producer_destroy(writers[w].producer);
    }
    assert_int_equal(verify(&fixture, writers), count); /* no more than was sent: no duplicates */
    print_message("%zu records, %d kills\n", count, kills);
    broker_consumer_destroy(reader.consumer);
    for (int w = 0; w < PRODUCERS; w++) {
        free(writers[w].sent);
    }
    fixture_finish(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_acknowledged_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
