/* Members of a group against librdkafka's mock cluster: handing over, commits, offsets, faults. */
#include "tests/unit/core/broker/kafka_fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"

#define TOPIC "t"
#define ERRORS "org.apache.kafka.common.errors."

enum { PARTITIONS = 4, MOST = 6 };

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

struct reader {
    pthread_t thread;
    struct broker_consumer *consumer;
    int64_t offset, position; /* of the first message: what it has, and what is told */
};

static void *read_first(void *user)
{
    struct reader *reader = user;
    struct broker_partition partition = {TOPIC, 0};
    struct broker_chunk *chunk = NULL;
    struct error error = {0};
    int64_t deadline = clock_monotonic_ms() + FIXTURE_MS;
    while (!chunk && clock_monotonic_ms() < deadline &&
           broker_consumer_poll(reader->consumer, 100, 2, 1 << 20, &chunk, &error) == 0) {
    }
    if (chunk && broker_consumer_position(reader->consumer, &partition, &reader->position, &error) == 0) {
        reader->offset = chunk->messages[0].offset;
        reader->position -= (int64_t)chunk->count;
    }
    broker_chunk_release(chunk);
    error_clear(&error);
    return NULL;
}

/* Reading of each begins at `first`, and its position is told by then; all at the same time, as each waits. */
static void begin_at(struct fixture *fixtures, size_t count, const char *reset, int64_t first)
{
    struct reader readers[MOST];
    const char *topic = TOPIC;
    struct error error = {0};
    assert_true(count <= MOST);
    for (size_t i = 0; i < count; i++) {
        readers[i] = (struct reader){.offset = -1, .position = -1};
        readers[i].consumer =
            fixture_consumer(&fixtures[i], NULL, "group.id", "g", "auto.offset.reset", reset, NULL);
        assert_int_equal(broker_consumer_subscribe(readers[i].consumer, &topic, 1, &error), 0);
        assert_int_equal(pthread_create(&readers[i].thread, NULL, read_first, &readers[i]), 0);
    }
    for (size_t i = 0; i < count; i++) {
        (void)pthread_join(readers[i].thread, NULL);
        assert_int_equal(readers[i].offset, first);
        assert_int_equal(readers[i].position, first);
        broker_consumer_destroy(readers[i].consumer);
    }
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
    enum { COUNT = sizeof(codes) / sizeof(codes[0]) };
    struct fixture fixtures[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        fixture_start(&fixtures[i], TOPIC, 1);
        fixture_fill(&fixtures[i], TOPIC, 0, 10);
        commit_for_group(&fixtures[i], 3);
        rd_kafka_mock_push_request_errors(fixtures[i].cluster, 9 /* OffsetFetch */, 8, codes[i], codes[i],
                                          codes[i], codes[i], codes[i], codes[i], codes[i], codes[i]);
    }
    begin_at(fixtures, COUNT, "latest", 3);
    for (size_t i = 0; i < COUNT; i++) {
        fixture_finish(&fixtures[i]);
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

/* The first group of a cluster: its coordinator is only told of when the topic of the offsets has been made, which takes
 * longer than librdkafka asks for it by itself. Then it forgets what it asked for. */
static void a_coordinator_that_is_not_told_of_yet_is_asked_for_again(void **state)
{
    struct fixture fixture;
    rd_kafka_resp_err_t none = RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE;
    (void)state;
    fixture_start(&fixture, TOPIC, 1);
    rd_kafka_mock_push_request_errors(fixture.cluster, 10 /* FindCoordinator */, 5, none, none, none, none,
                                      none);
    commit_for_group(&fixture, 3);
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
    begin_at(&fixture, 1, "earliest", 0);
    fixture_finish(&fixture);
}

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
        cmocka_unit_test(partitions_are_handed_over_with_their_offsets),
        cmocka_unit_test(commits_are_of_what_is_held),
        cmocka_unit_test(a_position_that_cannot_be_looked_up_is_told_by_the_first_message),
        cmocka_unit_test(an_offset_that_cannot_be_fetched_is_asked_for_until_it_can),
        cmocka_unit_test(a_groups_offsets_wait_for_its_coordinator),
        cmocka_unit_test(a_coordinator_that_is_not_told_of_yet_is_asked_for_again),
        cmocka_unit_test(a_committed_offset_behind_the_end_is_reset),
        cmocka_unit_test(a_broker_that_goes_is_told_once_and_comes_back),
        cmocka_unit_test(bad_subscriptions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
