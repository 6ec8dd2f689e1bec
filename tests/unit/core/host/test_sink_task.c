/* The sink loop against a broker in memory: offsets, retries, bad records, rebalances, pauses, budget. */
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/fake_broker.h"
#include "tests/unit/core/host/task_fixture.h"

/* A sink that does what the test says. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    const struct sluice_host *host;
    size_t puts, records, closes, opens, batches_kept;
    int64_t last_offset;
    int64_t durable;          /* pre_commit lowers to this; -1: no lowering */
    int retries;              /* the next puts say RETRY */
    enum sluice_result refused; /* what the next pre_commit says, once */
    ptrdiff_t bad;            /* index of a record to refuse once; -1 none */
    bool fatal, block, blocked;
    int64_t rewind;
    int64_t timeout;          /* asked for by each put; -1: none */
    struct sluice_batch *kept;
    bool keep;
} sink = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void *create(const struct sluice_host *host)
{
    sink.host = host;
    return &sink;
}

static void destroy(void *self)
{
    (void)self;
}

static enum sluice_result start(void *self, const struct sluice_config *config)
{
    (void)self;
    (void)config;
    return SLUICE_OK;
}

static enum sluice_result open_partitions(void *self, const struct sluice_topic_partition *partitions,
                                          size_t count)
{
    (void)self;
    (void)partitions;
    pthread_mutex_lock(&sink.lock);
    sink.opens += count;
    pthread_cond_broadcast(&sink.changed);
    pthread_mutex_unlock(&sink.lock);
    return SLUICE_OK;
}

static void close_partitions(void *self, const struct sluice_topic_partition *partitions, size_t count)
{
    (void)self;
    (void)partitions;
    pthread_mutex_lock(&sink.lock);
    sink.closes += count;
    pthread_mutex_unlock(&sink.lock);
}

static enum sluice_result put(void *self, struct sluice_batch *batch)
{
    (void)self;
    const struct sluice_host *host = sink.host;
    const struct sluice_sink_context *context = host->extension(host, SLUICE_SINK_CONTEXT);
    size_t count = host->records->count(batch);
    enum sluice_result result = SLUICE_OK;
    pthread_mutex_lock(&sink.lock);
    sink.puts++;
    while (sink.block && count > 0) {
        sink.blocked = true;
        pthread_cond_broadcast(&sink.changed);
        pthread_cond_wait(&sink.changed, &sink.lock);
    }
    sink.blocked = false;
    if (sink.timeout >= 0) {
        context->timeout(host, sink.timeout);
    }
    if (sink.fatal && count > 0) {
        result = host->error(host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION, "the disk is full");
    } else if (sink.retries > 0 && count > 0) {
        sink.retries--;
        host->retry_after(host, 1);
        result = host->error(host, SLUICE_RETRY, SLUICE_RETRIABLE_EXCEPTION, "not now");
    } else if (sink.bad >= 0 && (size_t)sink.bad < count) {
        host->error_record(host, (size_t)sink.bad);
        sink.records += (size_t)sink.bad;
        sink.bad = -1;
        result = host->error(host, SLUICE_BAD_RECORD, SLUICE_DATA_EXCEPTION, "I do not like it");
    } else {
        sink.records += count;
        for (size_t i = 0; i < count; i++) {
            sink.last_offset = host->records->offset(host->records->at(batch, i));
        }
        if (sink.rewind >= 0 && count > 0) {
            context->rewind(host, "t", 0, sink.rewind);
            sink.rewind = -1;
        }
        if (sink.keep && count > 0) {
            sink.kept = host->records->retain(batch);
            sink.keep = false;
        }
        context->request_commit(host);
    }
    pthread_cond_broadcast(&sink.changed);
    pthread_mutex_unlock(&sink.lock);
    return result;
}

static enum sluice_result pre_commit(void *self, struct sluice_topic_offset *offsets, size_t *count)
{
    (void)self;
    pthread_mutex_lock(&sink.lock);
    enum sluice_result refused = sink.refused;
    sink.refused = SLUICE_OK;
    if (refused != SLUICE_OK) {
        pthread_mutex_unlock(&sink.lock);
        return sink.host->error(sink.host, refused, SLUICE_CONNECT_EXCEPTION, "the disk is full");
    }
    for (size_t i = 0; i < *count; i++) {
        if (sink.durable >= 0 && offsets[i].offset > sink.durable) {
            offsets[i].offset = sink.durable;
        }
    }
    pthread_mutex_unlock(&sink.lock);
    return SLUICE_OK;
}

static void stop(void *self)
{
    (void)self;
}

static const struct sluice_sink vtable = {
    .size = sizeof(vtable), .create = create, .destroy = destroy,       .start = start,
    .open = open_partitions, .close = close_partitions, .put = put, .pre_commit = pre_commit, .stop = stop,
};
static const struct sluice_descriptor descriptor = {
    .size = sizeof(descriptor), .kind = SLUICE_SINK, .class_name = "test.Sink",
    .version = "1",             .doc = "a sink",     .vtable = &vtable,
};
static const struct sluice_descriptor *const classes[] = {&descriptor, &raw_converter, NULL};
static const struct sluice_entry entry = {SLUICE_ABI_MAGIC, SLUICE_ABI_MAJOR, SLUICE_ABI_MINOR,
                                          sizeof(entry), classes};

static int set_up(void **state)
{
    (void)state;
    fake_broker_reset();
    sink.puts = sink.records = sink.closes = sink.opens = 0;
    sink.last_offset = sink.durable = sink.rewind = sink.timeout = -1;
    sink.refused = SLUICE_OK;
    sink.retries = 0;
    sink.bad = -1;
    sink.fatal = sink.block = sink.blocked = sink.keep = false;
    return 0;
}

static void wait_records(size_t count)
{
    pthread_mutex_lock(&sink.lock);
    while (sink.records < count) {
        pthread_cond_wait(&sink.changed, &sink.lock);
    }
    pthread_mutex_unlock(&sink.lock);
}

static void wait_puts(size_t count)
{
    pthread_mutex_lock(&sink.lock);
    while (sink.puts < count) {
        pthread_cond_wait(&sink.changed, &sink.lock);
    }
    pthread_mutex_unlock(&sink.lock);
}

static void wait_opens(size_t count)
{
    pthread_mutex_lock(&sink.lock);
    while (sink.opens < count) {
        pthread_cond_wait(&sink.changed, &sink.lock);
    }
    pthread_mutex_unlock(&sink.lock);
}

static void retry(int times)
{
    pthread_mutex_lock(&sink.lock);
    sink.retries = times;
    pthread_mutex_unlock(&sink.lock);
}

static void wait_blocked(void)
{
    pthread_mutex_lock(&sink.lock);
    while (!sink.blocked) {
        pthread_cond_wait(&sink.changed, &sink.lock);
    }
    pthread_mutex_unlock(&sink.lock);
}

static void let_go(void)
{
    pthread_mutex_lock(&sink.lock);
    sink.block = false;
    pthread_cond_broadcast(&sink.changed);
    pthread_mutex_unlock(&sink.lock);
}

static void begin(void)
{
    fixture_start(sink_task_run, &entry, "test.Sink", "sluice.revoke.timeout.ms", "100",
                  "sluice.consumer.buffer.bytes", "5000", NULL);
    fake_assign(0, 0);
}

static void test_offsets_follow_put(void **state)
{
    (void)state;
    begin();
    fixture_wait_state("RUNNING");
    fake_feed(0, 0, 3, "x");
    assert_true(fake_wait_committed(0, 3));
    fake_feed(0, 3, 2, "x");
    assert_true(fake_wait_committed(0, 5));
    assert_int_equal(fixture_stop(), 0);
    assert_int_equal(fake_chunks_out(), 0);
    assert_int_equal(sink.opens, 1);
    assert_int_equal(sink.closes, 1);
}

static void test_offsets_wait_for_what_is_durable(void **state)
{
    (void)state;
    sink.durable = 2;
    begin();
    fake_feed(0, 0, 4, "x");
    assert_true(fake_wait_committed(0, 2));
    assert_int_equal(fixture_stop(), 0);
    assert_int_equal(fake_committed(0), 2);
}

static void test_retry_gives_the_same_records_again(void **state)
{
    (void)state;
    sink.retries = 3;
    begin();
    fake_feed(0, 0, 2, "x");
    assert_true(fake_wait_committed(0, 2));
    assert_int_equal(sink.records, 2);
    assert_true(sink.puts >= 4);
    assert_int_equal(fixture_stop(), 0);
}

static void test_a_bad_record_ends_an_intolerant_task(void **state)
{
    (void)state;
    begin();
    fake_feed(0, 0, 1, "bad");
    assert_int_equal(fixture_join(), -1);
    assert_non_null(strstr(fixture_error()->message, "Tolerance exceeded"));
    assert_string_equal(fixture_error()->cause->message, "bad value");
    assert_int_equal(fake_committed(0), -1);
}

static void test_tolerated_records_are_passed_over(void **state)
{
    (void)state;
    sink.bad = 1;
    fixture_start(sink_task_run, &entry, "test.Sink", "errors.tolerance", "all", NULL);
    fake_assign(0, 0);
    fake_feed(0, 0, 1, "bad"); /* the converter refuses it */
    fake_feed(0, 1, 3, "x");   /* the sink refuses the second */
    assert_true(fake_wait_committed(0, 4));
    assert_int_equal(sink.records, 2);
    assert_int_equal(fixture_stop(), 0);
}

static void test_dead_letters(void **state)
{
    (void)state;
    fixture_start(sink_task_run, &entry, "test.Sink", "errors.tolerance", "all",
                  "errors.deadletterqueue.topic.name", "dead",
                  "errors.deadletterqueue.context.headers.enable", "true", NULL);
    fake_assign(0, 0);
    fake_feed(0, 0, 1, "bad");
    fake_feed(0, 1, 1, "x");
    assert_true(fake_wait_committed(0, 2));
    assert_int_equal(fake_produced(), 1);
    assert_string_equal(fake_value(0), "bad");
    assert_string_equal(fake_topic(0), "dead");
    assert_int_equal(fixture_stop(), 0);
}

/* invariant 1: what the sink gave up is nowhere */
static void test_a_dead_letter_that_is_lost_ends_the_task(void **state)
{
    (void)state;
    sink.bad = 1;
    fixture_start(sink_task_run, &entry, "test.Sink", "errors.tolerance", "all",
                  "errors.deadletterqueue.topic.name", "dead", NULL);
    fake_fail_deliveries(1, ERROR_TOO_LARGE);
    fake_assign(0, 0);
    fake_feed(0, 0, 3, "x");
    assert_int_equal(fixture_join(), -1);
    assert_non_null(strstr(fixture_error()->message, "Could not produce message to dead letter queue"));
    assert_int_equal(fake_committed(0), -1);
}

static void test_fatal_ends_the_task(void **state)
{
    (void)state;
    sink.fatal = true;
    begin();
    fake_feed(0, 0, 1, "x");
    assert_int_equal(fixture_join(), -1);
    char *trace = error_trace(fixture_error());
    assert_non_null(strstr(trace, "Exiting WorkerSinkTask due to unrecoverable exception."));
    assert_non_null(strstr(trace, "Caused by: " SLUICE_CONNECT_EXCEPTION ": the disk is full"));
    free(trace);
    assert_int_equal(fake_committed(0), -1);
}

static void test_revoked_partitions_commit_and_close(void **state)
{
    (void)state;
    begin();
    fake_assign(1, 7);
    fake_feed(1, 7, 2, "x");
    wait_records(2);
    fake_revoke(1);
    assert_int_equal(fake_committed(1), 9);
    assert_int_equal(sink.closes, 1);
    assert_int_equal(fixture_stop(), 0);
}

/* invariant 1 and 6: a put() that hangs does not hold up the group, and commits nothing */
static void test_a_hanging_put_loses_only_its_partition(void **state)
{
    (void)state;
    sink.block = true;
    begin();
    fake_feed(0, 0, 2, "x");
    wait_blocked();
    fake_feed(0, 2, 2, "x");
    while (fake_chunks_out() < 2) {
        sched_yield(); /* the second chunk is queued behind the one that hangs */
    }
    fake_revoke(0); /* granted although put() still hangs */
    assert_int_equal(fake_committed(0), -1);
    let_go();
    fake_assign(0, 0);
    fake_feed(0, 0, 3, "x");
    assert_true(fake_wait_committed(0, 3));
    assert_int_equal(sink.records, 2 + 3); /* the queued two were dropped */
    assert_int_equal(fixture_stop(), 0);
}

/* invariant 1: what waited for its put() when its partition went is not put, though the partition is back */
static void test_a_partition_that_comes_back_is_read_again(void **state)
{
    (void)state;
    retry(INT_MAX);
    begin();
    fake_assign(1, 0);
    wait_opens(2);
    fake_feed_up_to(1, 0, 3, "x");
    wait_puts(1);
    fake_revoke(0);
    fake_assign(0, 0);
    wait_opens(3);
    retry(0);
    assert_true(fake_wait_committed(1, 3));
    assert_int_equal(sink.records, 3);
    assert_int_equal(fixture_stop(), 0);
    assert_int_equal(fake_committed(0), -1);
}

static int64_t processor_ms(void)
{
    struct timespec used;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return used.tv_sec * 1000 + used.tv_nsec / 1000000;
}

/* A task that is paused waits, whatever else was due. */
static void expect_idle_while_paused(void)
{
    fixture_pause(true);
    fixture_wait_state("PAUSED");
    int64_t before = processor_ms();
    (void)poll(NULL, 0, 300); /* the time itself is what is tested */
    assert_true(processor_ms() - before < 100);
    assert_int_equal(fixture_stop(), 0);
}

static void test_a_paused_task_with_a_retry_due_is_idle(void **state)
{
    (void)state;
    retry(INT_MAX);
    begin();
    fake_feed(0, 0, 1, "x");
    wait_puts(2);
    expect_idle_while_paused();
}

static void test_a_paused_task_with_a_timeout_is_idle(void **state)
{
    (void)state;
    sink.timeout = 1;
    begin();
    fake_feed(0, 0, 1, "x");
    wait_puts(3); /* two of them empty: the sink asked to be called */
    expect_idle_while_paused();
}

static void test_failed_commits_are_repeated(void **state)
{
    (void)state;
    fake_fail_commits(1);
    begin();
    fake_feed(0, 0, 1, "x");
    wait_records(1);
    fake_feed(0, 1, 1, "x");
    assert_true(fake_wait_committed(0, 2));
    assert_int_equal(fixture_stop(), 0);
}

/* invariant 1: what was put is not known to be durable, and the sink may have let it go */
static void test_a_failed_pre_commit_rewinds(void **state)
{
    (void)state;
    begin();
    fake_feed(0, 0, 3, "x");
    assert_true(fake_wait_committed(0, 3));
    sink.refused = SLUICE_FATAL;
    fake_feed(0, 3, 2, "x");
    while (fake_sought(0) != 3) {
        sched_yield();
    }
    assert_int_equal(fake_committed(0), 3);
    fake_feed(0, 3, 1, "x");
    assert_true(fake_wait_committed(0, 4));
    assert_int_equal(fixture_stop(), 0);
    assert_int_equal(fake_committed(0), 4);
}

/* invariant 1: a consumer that does not go back would pass over what is not known to be durable */
static void test_a_rewind_that_fails_ends_the_task(void **state)
{
    (void)state;
    begin();
    fake_feed(0, 0, 3, "x");
    assert_true(fake_wait_committed(0, 3));
    fake_fail_seeks(1);
    pthread_mutex_lock(&sink.lock);
    sink.refused = SLUICE_FATAL;
    pthread_mutex_unlock(&sink.lock);
    fake_feed(0, 3, 2, "x");
    fake_feed(0, 5, 1, "x");
    assert_int_equal(fixture_join(), -1);
    assert_string_equal(fixture_error()->message, "seek failed as the test wished");
    assert_int_equal(fake_committed(0), 3);
}

static void test_a_pre_commit_that_may_work_later_is_repeated(void **state)
{
    (void)state;
    sink.refused = SLUICE_RETRY;
    begin();
    fake_feed(0, 0, 3, "x");
    assert_true(fake_wait_committed(0, 3));
    assert_int_equal(fake_sought(0), -1);
    assert_int_equal(fixture_stop(), 0);
}

static void test_rewind(void **state)
{
    (void)state;
    sink.rewind = 1;
    begin();
    fake_feed(0, 0, 3, "x");
    assert_true(fake_wait_committed(0, 1));
    assert_int_equal(fake_sought(0), 1);
    assert_int_equal(fixture_stop(), 0);
}

static void test_pause_and_resume(void **state)
{
    (void)state;
    begin();
    fixture_wait_state("RUNNING");
    fixture_pause(true);
    fixture_wait_state("PAUSED");
    fake_feed(0, 0, 1, "x");
    fixture_pause(false);
    fixture_wait_state("RUNNING");
    assert_true(fake_wait_committed(0, 1));
    assert_int_equal(fixture_stop(), 0);
}

/* invariant 5: what is out is bounded; the partitions pause while the sink holds on to it */
static void test_the_budget_bounds_what_is_out(void **state)
{
    (void)state;
    sink.keep = true;
    begin();
    fake_feed(0, 0, 6, "x"); /* 6000 bytes: more than the budget, retained by the sink */
    wait_records(6);
    fake_feed(0, 6, 1, "x");
    while (!fake_paused(0)) {
        sched_yield();
    }
    assert_int_equal(sink.records, 6);
    sink.host->records->release(sink.kept);
    wait_records(7);
    assert_int_equal(fixture_stop(), 0);
}

/* Half the budget queued is enough: no more comes before most of it is taken, and then it does come. */
static void test_nothing_is_fetched_while_much_is_queued(void **state)
{
    (void)state;
    sink.block = true;
    begin();
    fake_feed(0, 0, 1, "x");
    wait_blocked();
    fake_feed(0, 1, 3, "x"); /* 3000 of 5000 bytes */
    fake_feed(0, 4, 1, "x");
    while (!fake_paused(0) && fake_chunks_out() < 3) {
        sched_yield();
    }
    assert_int_equal(fake_chunks_out(), 2);
    let_go();
    wait_records(5);
    assert_true(fake_wait_committed(0, 5));
    assert_int_equal(fixture_stop(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_offsets_follow_put, set_up),
        cmocka_unit_test_setup(test_offsets_wait_for_what_is_durable, set_up),
        cmocka_unit_test_setup(test_retry_gives_the_same_records_again, set_up),
        cmocka_unit_test_setup(test_a_bad_record_ends_an_intolerant_task, set_up),
        cmocka_unit_test_setup(test_tolerated_records_are_passed_over, set_up),
        cmocka_unit_test_setup(test_dead_letters, set_up),
        cmocka_unit_test_setup(test_fatal_ends_the_task, set_up),
        cmocka_unit_test_setup(test_revoked_partitions_commit_and_close, set_up),
        cmocka_unit_test_setup(test_a_hanging_put_loses_only_its_partition, set_up),
        cmocka_unit_test_setup(test_a_partition_that_comes_back_is_read_again, set_up),
        cmocka_unit_test_setup(test_a_paused_task_with_a_retry_due_is_idle, set_up),
        cmocka_unit_test_setup(test_a_paused_task_with_a_timeout_is_idle, set_up),
        cmocka_unit_test_setup(test_failed_commits_are_repeated, set_up),
        cmocka_unit_test_setup(test_a_failed_pre_commit_rewinds, set_up),
        cmocka_unit_test_setup(test_a_rewind_that_fails_ends_the_task, set_up),
        cmocka_unit_test_setup(test_a_pre_commit_that_may_work_later_is_repeated, set_up),
        cmocka_unit_test_setup(test_a_dead_letter_that_is_lost_ends_the_task, set_up),
        cmocka_unit_test_setup(test_rewind, set_up),
        cmocka_unit_test_setup(test_pause_and_resume, set_up),
        cmocka_unit_test_setup(test_the_budget_bounds_what_is_out, set_up),
        cmocka_unit_test_setup(test_nothing_is_fetched_while_much_is_queued, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
