/* The Kafka broker against librdkafka's mock cluster: data, positions, groups, faults. */
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

/* -- groups -- */

enum { PARTITIONS = 4 };

struct member {
    struct broker_consumer *consumer;
    bool owned[PARTITIONS], commit_on_revoke;
    int64_t next[PARTITIONS];
    int assigned, revoked, lost, committed, faults, refused;
    enum error_code commit_code, fault_code;
    char fault[512];
};

static void on_assigned(void *user, const struct broker_partition *partitions, size_t count)
{
    struct member *member = user;
    struct error error = {0};
    member->assigned++;
    for (size_t i = 0; i < count; i++) {
        int32_t number = partitions[i].partition;
        assert_false(member->owned[number]);
        member->owned[number] = true;
        assert_int_equal(broker_consumer_position(member->consumer, &partitions[i],
                                                  &member->next[number], &error),
                         0);
        assert_true(member->next[number] >= 0);
    }
}

static void give_up(struct member *member, const struct broker_partition *partitions, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_true(member->owned[partitions[i].partition]);
        member->owned[partitions[i].partition] = false;
    }
}

static void on_revoked(void *user, const struct broker_partition *partitions, size_t count)
{
    struct member *member = user;
    struct error error = {0};
    member->revoked++;
    for (size_t i = 0; i < count && member->commit_on_revoke; i++) {
        struct broker_offset offset = {partitions[i].topic, partitions[i].partition,
                                       member->next[partitions[i].partition]};
        /* Another rebalance may have begun meanwhile, as with Java: then it is read twice. */
        if (broker_consumer_commit_sync(member->consumer, &offset, 1, 5000, &error) != 0) {
            assert_int_equal(error.code, ERROR_GENERATION);
            error_clear(&error);
            member->refused++;
        }
    }
    give_up(member, partitions, count);
}

static void on_lost(void *user, const struct broker_partition *partitions, size_t count)
{
    ((struct member *)user)->lost++;
    give_up(user, partitions, count);
}

static void on_committed(void *user, const struct broker_offset *offsets, size_t count,
                         const struct error *error)
{
    struct member *member = user;
    (void)offsets;
    (void)count;
    member->committed++;
    member->commit_code = error ? error->code : ERROR_NONE;
}

static void on_fault(void *user, const struct error *error)
{
    struct member *member = user;
    member->faults++;
    member->fault_code = error->code;
    (void)snprintf(member->fault, sizeof(member->fault), "%s: %s", error->java_class, error->message);
}

static void join(struct fixture *fixture, struct member *member)
{
    struct broker_consumer_events events = {on_assigned,  on_revoked, on_lost,
                                            on_committed, on_fault,   member};
    const char *topic = TOPIC;
    struct error error = {0};
    member->consumer = fixture_consumer(fixture, &events, "group.id", "g", "session.timeout.ms",
                                        "2000", "heartbeat.interval.ms", "100", NULL);
    assert_int_equal(broker_consumer_subscribe(member->consumer, &topic, 1, &error), 0);
}

/* One poll; counts what is new, checks the order. */
static void turn(struct member *member, int seen[PARTITIONS][1000])
{
    struct broker_chunk *chunk;
    struct error error = {0};
    assert_int_equal(broker_consumer_poll(member->consumer, 20, 50, 1 << 20, &chunk, &error), 0);
    for (size_t i = 0; chunk && i < chunk->count; i++) {
        const struct broker_message *message = &chunk->messages[i];
        assert_true(member->owned[message->partition]);
        assert_int_equal(message->offset, member->next[message->partition]);
        member->next[message->partition]++;
        seen[message->partition][message->offset]++;
    }
    broker_chunk_release(chunk);
}

static int count_owned(const struct member *member)
{
    int count = 0;
    for (int i = 0; i < PARTITIONS; i++) {
        count += member->owned[i];
    }
    return count;
}

static void partitions_are_handed_over_with_their_offsets(void **state)
{
    static int seen[PARTITIONS][1000];
    struct fixture fixture;
    struct member one = {.commit_on_revoke = true}, two = {.commit_on_revoke = true};
    (void)state;
    memset(seen, 0, sizeof(seen));
    fixture_start(&fixture, TOPIC, PARTITIONS);
    for (int i = 0; i < PARTITIONS; i++) {
        fixture_fill(&fixture, TOPIC, i, 300);
    }
    join(&fixture, &one);
    int64_t deadline = clock_monotonic_ms() + FIXTURE_MS;
    while (one.next[0] + one.next[1] + one.next[2] + one.next[3] < 200) {
        turn(&one, seen);
        assert_true(clock_monotonic_ms() < deadline);
    }
    assert_int_equal(count_owned(&one), PARTITIONS);
    join(&fixture, &two);
    while (count_owned(&two) != 2 || count_owned(&one) != 2) {
        turn(&one, seen);
        turn(&two, seen);
        assert_true(clock_monotonic_ms() < deadline);
    }
    assert_int_equal(one.lost + two.lost, 0);
    broker_consumer_destroy(one.consumer); /* commits as it leaves */
    assert_int_equal(count_owned(&one), 0);
    while (count_owned(&two) != PARTITIONS || two.next[0] + two.next[1] + two.next[2] + two.next[3] < 1200) {
        turn(&two, seen);
        assert_true(clock_monotonic_ms() < deadline);
    }
    for (int i = 0; i < PARTITIONS; i++) {
        for (int k = 0; k < 300; k++) {
            assert_true(seen[i][k] == 1 || (seen[i][k] > 1 && one.refused > 0));
        }
    }
    broker_consumer_destroy(two.consumer);
    fixture_finish(&fixture);
}

static void commits_are_of_what_is_held(void **state)
{
    static int seen[PARTITIONS][1000];
    struct fixture fixture;
    struct member member = {0};
    struct error error = {0};
    (void)state;
    fixture_start(&fixture, TOPIC, 2);
    fixture_fill(&fixture, TOPIC, 0, 10);
    join(&fixture, &member);
    while (member.next[0] < 10) {
        turn(&member, seen);
    }
    struct broker_offset offset = {TOPIC, 0, 10}, other = {TOPIC, 3, 1}, unknown = {"other", 0, 1};
    assert_int_equal(broker_consumer_commit(member.consumer, &offset, 1, &error), 0);
    while (member.committed == 0) {
        turn(&member, seen);
    }
    assert_int_equal(member.commit_code, ERROR_NONE);
    assert_int_equal(broker_consumer_commit(member.consumer, &other, 1, &error), -1);
    assert_int_equal(error.code, ERROR_GENERATION);
    assert_int_equal(broker_consumer_commit_sync(member.consumer, &unknown, 1, 1000, &error), -1);
    assert_int_equal(error.code, ERROR_GENERATION);

    /* A generation that is over is told as such. */
    rd_kafka_mock_push_request_errors(fixture.cluster, 8 /* OffsetCommit */, 1,
                                      RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION);
    assert_int_equal(broker_consumer_commit_sync(member.consumer, &offset, 1, 5000, &error), -1);
    assert_int_equal(error.code, ERROR_GENERATION);
    assert_true(error.retriable);
    assert_string_equal(error.java_class, ERRORS "IllegalGenerationException");
    error_clear(&error);
    broker_consumer_destroy(member.consumer);

    struct member again = {0};
    join(&fixture, &again);
    while (!again.owned[0]) {
        turn(&again, seen);
    }
    assert_int_equal(again.next[0], 10);
    broker_consumer_destroy(again.consumer);
    fixture_finish(&fixture);
}

static void on_assigned_unknown(void *user, const struct broker_partition *partitions, size_t count)
{
    struct member *member = user;
    struct error error = {0};
    assert_int_equal(count, 1);
    assert_int_equal(broker_consumer_position(member->consumer, partitions, &member->next[0], &error), -1);
    assert_int_equal(error.code, ERROR_TIMEOUT);
    error_clear(&error);
    member->assigned++;
}

/* A leader that is not there yet: nobody may take the topic's end for where reading begins. */
static void a_position_that_cannot_be_looked_up_is_told_by_the_first_message(void **state)
{
    struct fixture fixture;
    struct member member = {0};
    struct broker_consumer_events events = {.assigned = on_assigned_unknown, .user = &member};
    struct broker_partition partition = {TOPIC, 0};
    const char *topic = TOPIC;
    struct error error = {0};
    int64_t position = -1;
    (void)state;
    fixture_start(&fixture, TOPIC, 1);
    fixture_fill(&fixture, TOPIC, 0, 10);
    rd_kafka_mock_push_request_errors(fixture.cluster, 2 /* ListOffsets */, 1,
                                      RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
    member.consumer = fixture_consumer(&fixture, &events, "group.id", "g", NULL);
    assert_int_equal(broker_consumer_subscribe(member.consumer, &topic, 1, &error), 0);
    struct broker_chunk *chunk = fixture_poll(member.consumer, 5);
    assert_int_equal(member.assigned, 1);
    assert_int_equal(chunk->messages[0].offset, 0);
    assert_int_equal(broker_consumer_position(member.consumer, &partition, &position, &error), 0);
    assert_int_equal(position, chunk->count);
    broker_chunk_release(chunk);
    broker_consumer_destroy(member.consumer);
    fixture_finish(&fixture);
}

/* Commits `offset` of partition 0 for group g. */
static void commit_for_group(struct fixture *fixture, int64_t offset)
{
    struct error error = {0};
    struct broker_offset at = {TOPIC, 0, offset};
    assert_int_equal(broker_group_offsets_alter(fixture->broker, "g", &at, 1, FIXTURE_MS, &error), 0);
}

/* Reading begins at `first`, and its position is told by then; *consumer may be destroyed after it. */
static struct broker_consumer *begins_at(struct fixture *fixture, const char *reset, int64_t first)
{
    struct broker_partition partition = {TOPIC, 0};
    const char *topic = TOPIC;
    struct error error = {0};
    int64_t position = -1;
    struct broker_consumer *consumer =
        fixture_consumer(fixture, NULL, "group.id", "g", "auto.offset.reset", reset, NULL);
    assert_int_equal(broker_consumer_subscribe(consumer, &topic, 1, &error), 0);
    struct broker_chunk *chunk = fixture_poll(consumer, 2);
    assert_int_equal(chunk->messages[0].offset, first);
    assert_int_equal(broker_consumer_position(consumer, &partition, &position, &error), 0);
    assert_int_equal(position, first + (int64_t)chunk->count);
    broker_chunk_release(chunk);
    return consumer;
}

/* A coordinator that moves or loads: neither is a committed offset taken for none (with latest that would
 * be loss), nor is the partition forgotten. */
static void an_offset_that_cannot_be_fetched_is_asked_for_until_it_can(void **state)
{
    static const rd_kafka_resp_err_t codes[] = {
        RD_KAFKA_RESP_ERR_NOT_COORDINATOR, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE,
        RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT,
        RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, RD_KAFKA_RESP_ERR_UNKNOWN};
    (void)state;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        struct fixture fixture;
        fixture_start(&fixture, TOPIC, 1);
        fixture_fill(&fixture, TOPIC, 0, 10);
        commit_for_group(&fixture, 3);
        rd_kafka_mock_push_request_errors(fixture.cluster, 9 /* OffsetFetch */, 8, codes[i], codes[i],
                                          codes[i], codes[i], codes[i], codes[i], codes[i], codes[i]);
        broker_consumer_destroy(begins_at(&fixture, "latest", 3));
        fixture_finish(&fixture);
    }
}

/* The offsets of a group are read and set while its coordinator moves or loads, too (the mock cluster
 * cannot list them: kafka_real.c does). */
static void a_groups_offsets_wait_for_its_coordinator(void **state)
{
    struct fixture fixture;
    struct error error = {0};
    struct broker_offset *offsets;
    size_t count;
    (void)state;
    fixture_start(&fixture, TOPIC, 1);
    rd_kafka_mock_push_request_errors(
        fixture.cluster, 8 /* OffsetCommit */, 4, RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
        RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
        RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS);
    commit_for_group(&fixture, 3);
    rd_kafka_mock_push_request_errors(
        fixture.cluster, 9 /* OffsetFetch */, 3, RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
        RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NOT_COORDINATOR);
    assert_int_equal(broker_group_offsets(fixture.broker, "g", FIXTURE_MS, &offsets, &count, &error), 0);
    broker_group_offsets_free(offsets, count);
    fixture_finish(&fixture);
}

/* A topic that was made anew: its offsets start over, and so does reading. */
static void a_committed_offset_behind_the_end_is_reset(void **state)
{
    struct fixture fixture;
    (void)state;
    fixture_start(&fixture, TOPIC, 1);
    fixture_fill(&fixture, TOPIC, 0, 10);
    commit_for_group(&fixture, 500);
    broker_consumer_destroy(begins_at(&fixture, "earliest", 0));
    fixture_finish(&fixture);
}

/* -- faults -- */

static void a_broker_that_goes_is_told_once_and_comes_back(void **state)
{
    static int seen[PARTITIONS][1000];
    struct fixture fixture;
    struct member member = {0};
    (void)state;
    fixture_start(&fixture, TOPIC, 1);
    fixture_fill(&fixture, TOPIC, 0, 10);
    join(&fixture, &member);
    while (member.next[0] < 10) {
        turn(&member, seen);
    }
    rd_kafka_mock_broker_set_down(fixture.cluster, 1);
    int64_t deadline = clock_monotonic_ms() + FIXTURE_MS;
    while (member.faults == 0) {
        turn(&member, seen);
        assert_true(clock_monotonic_ms() < deadline);
    }
    assert_int_equal(member.fault_code, ERROR_BROKER_UNAVAILABLE);
    assert_non_null(strstr(member.fault, ERRORS "DisconnectException: bootstrap.servers="));
    for (int i = 0; i < 50; i++) {
        turn(&member, seen);
    }
    assert_int_equal(member.faults, 1);
    rd_kafka_mock_broker_set_up(fixture.cluster, 1);
    fixture_fill(&fixture, TOPIC, 0, 10);
    while (member.next[0] < 20) {
        turn(&member, seen);
        assert_true(clock_monotonic_ms() < deadline);
    }
    broker_consumer_destroy(member.consumer);
    fixture_finish(&fixture);
}

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

static void bad_subscriptions(void **state)
{
    struct fixture fixture;
    struct error error = {0};
    const char *pattern = "^t.*", *topic = TOPIC;
    (void)state;
    fixture_start(&fixture, TOPIC, 1);
    struct broker_consumer *plain = fixture_consumer(&fixture, NULL, NULL);
    assert_int_equal(broker_consumer_subscribe(plain, &topic, 1, &error), -1);
    assert_string_equal(error.java_class, ERRORS "InvalidGroupIdException");
    struct broker_partition partition = {TOPIC, 0};
    assert_int_equal(broker_consumer_pause(plain, &partition, 1, &error), -1);
    assert_int_equal(error.code, ERROR_UNKNOWN_PARTITION);
    broker_consumer_destroy(plain);
    struct broker_consumer *member = fixture_consumer(&fixture, NULL, "group.id", "g", NULL);
    assert_int_equal(broker_consumer_subscribe(member, &pattern, 1, &error), -1);
    assert_int_equal(error.code, ERROR_INVALID_TOPIC);
    error_clear(&error);
    broker_consumer_destroy(member);
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
        cmocka_unit_test(partitions_are_handed_over_with_their_offsets),
        cmocka_unit_test(commits_are_of_what_is_held),
        cmocka_unit_test(a_position_that_cannot_be_looked_up_is_told_by_the_first_message),
        cmocka_unit_test(an_offset_that_cannot_be_fetched_is_asked_for_until_it_can),
        cmocka_unit_test(a_groups_offsets_wait_for_its_coordinator),
        cmocka_unit_test(a_committed_offset_behind_the_end_is_reset),
        cmocka_unit_test(a_broker_that_goes_is_told_once_and_comes_back),
        cmocka_unit_test(nobody_there),
        cmocka_unit_test(failed_deliveries_have_javas_names),
        cmocka_unit_test(retried_sends_keep_their_order),
        cmocka_unit_test(bad_subscriptions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
