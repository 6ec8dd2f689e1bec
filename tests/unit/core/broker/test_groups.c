/* Consumer groups of the embedded log: sharing out, handing over, commits and their generations. */
#include "tests/unit/core/broker/log_fixture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"

enum { MOST = 32 };

/* A consumer and what it was told. */
struct member {
    struct broker_consumer *consumer;
    bool owned[MOST];
    int assigned, revoked, lost, committed;
    enum error_code commit_error;
    int64_t commit_on_revoke; /* -1: none */
    enum error_code revoke_error;
    int64_t next[MOST], first[MOST]; /* first: where it began */
};

static void on_assigned(void *user, const struct broker_partition *partitions, size_t count)
{
    struct member *member = user;
    member->assigned++;
    for (size_t i = 0; i < count; i++) {
        struct error error = {0};
        assert_false(member->owned[partitions[i].partition]); /* only new ones */
        member->owned[partitions[i].partition] = true;
        assert_int_equal(broker_consumer_position(member->consumer, &partitions[i],
                                                  &member->next[partitions[i].partition], &error),
                         0);
        assert_true(member->next[partitions[i].partition] >= 0);
        member->first[partitions[i].partition] = member->next[partitions[i].partition];
    }
}

static void on_revoked(void *user, const struct broker_partition *partitions, size_t count)
{
    struct member *member = user;
    member->revoked++;
    for (size_t i = 0; i < count; i++) {
        assert_true(member->owned[partitions[i].partition]); /* only those that leave */
        member->owned[partitions[i].partition] = false;
        if (member->commit_on_revoke >= 0) {
            struct error error = {0};
            struct broker_offset offset = {partitions[i].topic, partitions[i].partition,
                                           member->commit_on_revoke};
            if (broker_consumer_commit_sync(member->consumer, &offset, 1, 5000, &error) != 0) {
                member->revoke_error = error.code;
                error_clear(&error);
            }
        }
    }
}

static void on_lost(void *user, const struct broker_partition *partitions, size_t count)
{
    struct member *member = user;
    member->lost++;
    for (size_t i = 0; i < count; i++) {
        member->owned[partitions[i].partition] = false;
    }
}

static void on_committed(void *user, const struct broker_offset *offsets, size_t count,
                         const struct error *error)
{
    struct member *member = user;
    assert_true(count > 0);
    assert_non_null(offsets[0].topic);
    member->committed++;
    member->commit_error = error ? error->code : ERROR_NONE;
}

static void join(struct fixture *fixture, struct member *member, const char *group, const char *id,
                 const char *topic, const char *interval)
{
    struct broker_consumer_events events = {
        .assigned = on_assigned,
        .revoked = on_revoked,
        .lost = on_lost,
        .committed = on_committed,
        .user = member,
    };
    struct error error = {0};
    *member = (struct member){.commit_on_revoke = -1};
    member->consumer = fixture_consumer(fixture, group, &events, "client.id", id,
                                        "max.poll.interval.ms", interval, (char *)NULL);
    assert_int_equal(broker_consumer_subscribe(member->consumer, &topic, 1, &error), 0);
}

static int owned_count(const struct member *member)
{
    int count = 0;
    for (int i = 0; i < MOST; i++) {
        count += member->owned[i];
    }
    return count;
}

/* Polls all of them once, checking that messages come in order and from owned partitions only. */
static void turn(struct member **members, size_t count, int timeout_ms)
{
    for (size_t m = 0; m < count; m++) {
        struct broker_chunk *chunk;
        struct error error = {0};
        assert_int_equal(
            broker_consumer_poll(members[m]->consumer, timeout_ms, 100, 100000, &chunk, &error), 0);
        for (size_t i = 0; chunk && i < chunk->count; i++) {
            int32_t partition = chunk->messages[i].partition;
            assert_true(members[m]->owned[partition]);
            assert_int_equal(chunk->messages[i].offset, members[m]->next[partition]);
            members[m]->next[partition]++;
        }
        broker_chunk_release(chunk);
    }
}

static void wait_owned(struct member **members, size_t count, const int *wanted)
{
    int64_t deadline = clock_monotonic_ms() + FIXTURE_MS;
    for (;;) {
        bool done = true;
        for (size_t i = 0; i < count; i++) {
            done = done && owned_count(members[i]) == wanted[i];
        }
        if (done) {
            return;
        }
        if (clock_monotonic_ms() > deadline) {
            fail_msg("the group did not come to rest");
        }
        turn(members, count, 5);
    }
}

static int commit(struct member *member, const char *topic, int32_t partition, int64_t offset,
                  enum error_code *ret_code)
{
    struct error error = {0};
    struct broker_offset at = {topic, partition, offset};
    int result = broker_consumer_commit_sync(member->consumer, &at, 1, 5000, &error);
    *ret_code = error.code;
    error_clear(&error);
    return result;
}

static void shared_out_and_handed_over(void **state)
{
    struct fixture fixture;
    struct member a, b, c;
    enum error_code code;
    (void)state;
    fixture_start(&fixture, none);
    fixture_topic(&fixture, "t", 5, NULL, 0);
    struct broker_producer *producer = fixture_producer(&fixture);
    for (int i = 0; i < 50; i++) {
        char key[8];
        (void)snprintf(key, sizeof(key), "%d", i);
        assert_true(fixture_put(&fixture, producer, "t", key, "v") >= 0);
    }
    join(&fixture, &a, "g", "a", "t", "60000");
    wait_owned((struct member *[]){&a}, 1, (int[]){5});
    assert_int_equal(commit(&a, "t", 4, 2, &code), 0);
    a.commit_on_revoke = 3;
    join(&fixture, &b, "g", "b", "t", "60000");
    wait_owned((struct member *[]){&a, &b}, 2, (int[]){3, 2});
    for (int i = 0; i < 3; i++) { /* by range: the first ones to the first member */
        assert_true(a.owned[i]);
    }
    assert_int_equal(a.assigned, 1);
    assert_int_equal(a.revoked, 1); /* cooperative: it kept the others all the time */
    assert_int_equal(a.revoke_error, ERROR_NONE);
    assert_int_equal(commit(&b, "t", 4, 3, &code), 0);
    /* what left a is refused, by its own client already */
    assert_int_equal(commit(&a, "t", 4, 9, &code), -1);
    assert_int_equal(code, ERROR_GENERATION);
    join(&fixture, &c, "g", "c", "t", "60000");
    wait_owned((struct member *[]){&a, &b, &c}, 3, (int[]){2, 2, 1});
    assert_true(c.owned[4]);
    assert_int_equal(c.lost + b.lost + a.lost, 0);
    /* who leaves hands back at once, with a last commit */
    c.commit_on_revoke = 7;
    broker_consumer_destroy(c.consumer);
    assert_int_equal(c.revoked, 1);
    assert_int_equal(c.revoke_error, ERROR_NONE);
    wait_owned((struct member *[]){&a, &b}, 2, (int[]){3, 2});
    assert_true(b.next[4] >= 7);
    broker_consumer_destroy(b.consumer);
    broker_consumer_destroy(a.consumer);
    /* and all of it is remembered */
    struct broker_offset *offsets;
    struct error error = {0};
    size_t count;
    assert_int_equal(
        broker_group_offsets(fixture.broker, "g", FIXTURE_MS, &offsets, &count, &error), 0);
    assert_true(count >= 2);
    assert_string_equal(offsets[0].topic, "t");
    assert_int_equal(offsets[count - 1].partition, 4);
    assert_int_equal(offsets[count - 1].offset, 7);
    broker_group_offsets_free(offsets, count);
    broker_producer_destroy(producer);
    fixture_finish(&fixture);
}

/* A member's process dies: its partitions move without waiting for any timeout. */
static void a_dead_member_gives_up_at_once(void **state)
{
    struct fixture fixture;
    struct member a;
    char ready;
    int ends[2];
    (void)state;
    fixture_start(&fixture, none);
    fixture_topic(&fixture, "t", 4, NULL, 0);
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        struct member other;
        struct fixture mine = {.properties = fixture.properties, .life = -1};
        struct error error = {0};
        if (broker_open(&fixture.properties, &mine.broker, &error) != 0) {
            _exit(1);
        }
        join(&mine, &other, "g", "z", "t", "60000");
        wait_owned((struct member *[]){&other}, 1, (int[]){4});
        (void)!write(ends[1], "", 1);
        for (;;) {
            turn((struct member *[]){&other}, 1, 1000);
        }
    }
    assert_int_equal(read(ends[0], &ready, 1), 1);
    join(&fixture, &a, "g", "a", "t", "60000");
    wait_owned((struct member *[]){&a}, 1, (int[]){2});
    int64_t begin = clock_monotonic_ms();
    (void)kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    wait_owned((struct member *[]){&a}, 1, (int[]){4});
    assert_true(clock_monotonic_ms() - begin < 30000); /* not by the session's 60 s */
    close(ends[0]);
    close(ends[1]);
    broker_consumer_destroy(a.consumer);
    fixture_finish(&fixture);
}

/* One that does not answer a revocation is put out; its commits are stale, then it joins again. */
static void who_does_not_let_go_is_put_out(void **state)
{
    struct fixture fixture;
    struct member a, b;
    enum error_code code;
    (void)state;
    fixture_start(&fixture, none);
    fixture_topic(&fixture, "t", 2, NULL, 0);
    join(&fixture, &a, "g", "a", "t", "150");
    wait_owned((struct member *[]){&a}, 1, (int[]){2});
    join(&fixture, &b, "g", "b", "t", "60000");
    wait_owned((struct member *[]){&b}, 1, (int[]){2}); /* a does not poll meanwhile */
    assert_int_equal(commit(&a, "t", 0, 1, &code), -1);
    assert_int_equal(code, ERROR_GENERATION);
    wait_owned((struct member *[]){&a, &b}, 2, (int[]){1, 1});
    assert_true(a.lost >= 1);
    assert_int_equal(commit(&a, "t", 0, 0, &code), 0);
    broker_consumer_destroy(b.consumer);
    broker_consumer_destroy(a.consumer);
    fixture_finish(&fixture);
}

/* The owner itself refuses who is no member, or a member of before. */
static void strangers_do_not_commit(void **state)
{
    struct fixture fixture;
    struct member a;
    struct error error = {0};
    (void)state;
    fixture_start(&fixture, none);
    fixture_topic(&fixture, "t", 1, NULL, 0);
    struct broker_consumer *stranger = fixture_consumer(&fixture, "g", NULL, (char *)NULL);
    struct broker_offset at = {"t", 0, 0};
    assert_int_equal(broker_consumer_assign(stranger, &at, 1, &error), 0);
    struct broker_partition partition = {"t", 0};
    int64_t position;
    assert_int_equal(
        broker_consumer_seek(stranger, &(struct broker_offset){"t", 0, BROKER_END}, &error), 0);
    assert_int_equal(broker_consumer_position(stranger, &partition, &position, &error), 0);
    assert_int_equal(position, 0);
    /* fine while nobody is a member, refused when somebody is */
    assert_int_equal(broker_consumer_commit_sync(stranger, &at, 1, 5000, &error), 0);
    join(&fixture, &a, "g", "a", "t", "60000");
    wait_owned((struct member *[]){&a}, 1, (int[]){1});
    assert_int_equal(broker_consumer_commit_sync(stranger, &at, 1, 5000, &error), -1);
    assert_int_equal(error.code, ERROR_GENERATION);
    error_clear(&error);
    broker_consumer_destroy(stranger);
    broker_consumer_destroy(a.consumer);
    fixture_finish(&fixture);
}

static void commits_outlive_the_owner(void **state)
{
    struct fixture fixture;
    struct member a;
    enum error_code code;
    struct error error = {0};
    (void)state;
    fixture_start(&fixture, none);
    struct broker_producer *producer = fixture_producer(&fixture);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(fixture_put(&fixture, producer, "t", NULL, "v"), i);
    }
    join(&fixture, &a, "g", "a", "t", "60000");
    wait_owned((struct member *[]){&a}, 1, (int[]){1});
    assert_int_equal(commit(&a, "t", 0, 3, &code), 0);
    struct broker_offset at = {"t", 0, 4};
    assert_int_equal(broker_consumer_commit(a.consumer, &at, 1, &error), 0);
    while (a.committed == 0) {
        turn((struct member *[]){&a}, 1, 100);
    }
    assert_int_equal(a.commit_error, ERROR_NONE);
    fixture_kill_owner(&fixture, SIGKILL);
    fixture_start_owner(&fixture, none);
    while (a.lost == 0) {
        turn((struct member *[]){&a}, 1, 100);
    }
    wait_owned((struct member *[]){&a}, 1, (int[]){1}); /* joined again by itself */
    assert_int_equal(a.first[0], 4);
    broker_consumer_destroy(a.consumer);
    broker_producer_destroy(producer);
    fixture_finish(&fixture);
}

static void groups_are_managed(void **state)
{
    struct fixture fixture;
    struct member a;
    struct error error = {0};
    struct broker_offset *offsets, at = {"t", 0, 2};
    size_t count;
    (void)state;
    fixture_start(&fixture, none);
    fixture_topic(&fixture, "t", 1, NULL, 0);
    join(&fixture, &a, "g", "a", "t", "60000");
    wait_owned((struct member *[]){&a}, 1, (int[]){1});
    assert_int_equal(broker_group_offsets_alter(fixture.broker, "g", &at, 1, FIXTURE_MS, &error),
                     -1);
    assert_int_equal(error.code, ERROR_GROUP_NOT_EMPTY);
    assert_int_equal(broker_group_delete(fixture.broker, "g", FIXTURE_MS, &error), -1);
    assert_int_equal(error.code, ERROR_GROUP_NOT_EMPTY);
    broker_consumer_destroy(a.consumer);
    int64_t deadline = clock_monotonic_ms() + FIXTURE_MS; /* until its socket's end was seen */
    int result;
    do {
        error_clear(&error);
        result = broker_group_offsets_alter(fixture.broker, "g", &at, 1, FIXTURE_MS, &error);
    } while (result != 0 && clock_monotonic_ms() < deadline);
    assert_int_equal(result, 0);
    assert_int_equal(
        broker_group_offsets(fixture.broker, "g", FIXTURE_MS, &offsets, &count, &error), 0);
    assert_int_equal(count, 1);
    assert_int_equal(offsets[0].offset, 2);
    broker_group_offsets_free(offsets, count);
    at.offset = -1;
    assert_int_equal(broker_group_offsets_alter(fixture.broker, "g", &at, 1, FIXTURE_MS, &error),
                     0);
    assert_int_equal(
        broker_group_offsets(fixture.broker, "g", FIXTURE_MS, &offsets, &count, &error), 0);
    assert_int_equal(count, 0);
    broker_group_offsets_free(offsets, count);
    assert_int_equal(broker_group_delete(fixture.broker, "g", FIXTURE_MS, &error), -1);
    assert_int_equal(error.code, ERROR_NOT_FOUND);
    error_clear(&error);
    fixture_finish(&fixture);
}

/* Topics that come, grow and go while a group reads. */
static void topics_change_under_a_group(void **state)
{
    struct fixture fixture;
    struct member a;
    struct error error = {0};
    (void)state;
    fixture_start(&fixture, none);
    join(&fixture, &a, "g", "a", "late", "60000");
    turn((struct member *[]){&a}, 1, 20);
    assert_int_equal(a.assigned, 0);
    fixture_topic(&fixture, "late", 2, NULL, 0);
    wait_owned((struct member *[]){&a}, 1, (int[]){2});
    assert_int_equal(broker_topic_partitions(fixture.broker, "late", 3, FIXTURE_MS, &error), 0);
    wait_owned((struct member *[]){&a}, 1, (int[]){3});
    assert_int_equal(a.revoked, 0);
    assert_int_equal(broker_topic_delete(fixture.broker, "late", FIXTURE_MS, &error), 0);
    wait_owned((struct member *[]){&a}, 1, (int[]){0});
    assert_int_equal(a.lost, 1);
    fixture_topic(&fixture, "late", 1, NULL, 0);
    wait_owned((struct member *[]){&a}, 1, (int[]){1});
    /* another subscription */
    const char *other = "other";
    fixture_topic(&fixture, "other", 2, NULL, 0);
    assert_int_equal(broker_consumer_subscribe(a.consumer, &other, 1, &error), 0);
    wait_owned((struct member *[]){&a}, 1, (int[]){2});
    broker_consumer_destroy(a.consumer);
    fixture_finish(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shared_out_and_handed_over),
        cmocka_unit_test(a_dead_member_gives_up_at_once),
        cmocka_unit_test(who_does_not_let_go_is_put_out),
        cmocka_unit_test(strangers_do_not_commit),
        cmocka_unit_test(commits_outlive_the_owner),
        cmocka_unit_test(groups_are_managed),
        cmocka_unit_test(topics_change_under_a_group),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
