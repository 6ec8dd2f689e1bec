/* The source loop against a broker in memory: deliveries, offsets in order, failures, draining. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/log.h"
#include "tests/support/fake_broker.h"
#include "tests/unit/core/host/task_fixture.h"

enum { MOST = 200 };

/* A source that hands out what the test queues. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    const struct sluice_host *host;
    const char *queue[MOST];
    size_t queued, polled;
    size_t done, delivered, dropped, failed;
    int64_t last_offset;
    bool in_order, answers, wakes, asked, drained;
    int retries;              /* the next polls say RETRY */
    int commits;              /* commit() was called so often, */
    bool committed_unstored;  /* and once although offsets are not stored */
    bool watches_stop, stopped, stopped_early; /* whether stop() came during a record_done() */
    char error[100];
} source = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void *create(const struct sluice_host *host)
{
    source.host = host;
    return &source;
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

static enum sluice_result poll_records(void *self, struct sluice_batch *batch, int timeout_ms)
{
    (void)self;
    (void)timeout_ms;
    const struct sluice_host *host = source.host;
    const struct sluice_data *data = host->data;
    pthread_mutex_lock(&source.lock);
    if (source.retries > 0) {
        source.retries--;
        pthread_mutex_unlock(&source.lock);
        host->retry_after(host, 10);
        return host->error(host, SLUICE_RETRY, SLUICE_RETRIABLE_EXCEPTION, "the line is busy");
    }
    while (source.polled < source.queued) {
        const char *text = source.queue[source.polled++];
        struct sluice_record *record = host->records->add(batch, "t");
        host->records->set_value(record, NULL, data->new_string(batch, text, strlen(text)));
        struct sluice_value *partition = data->new_map(batch, 1), *offset = data->new_map(batch, 1);
        data->put(batch, partition, data->intern("file", 4), data->new_string(batch, "f", 1));
        data->put(batch, offset, data->intern("line", 4),
                  data->new_integer(batch, SLUICE_INT64, (int64_t)source.polled));
        host->records->set_source(record, partition, offset);
    }
    pthread_mutex_unlock(&source.lock);
    return SLUICE_OK;
}

static void record_done(void *self, const struct sluice_record *record,
                        const struct sluice_delivery *delivery)
{
    (void)self;
    (void)record;
    pthread_mutex_lock(&source.lock);
    source.done++;
    if (delivery->result == SLUICE_OK) {
        source.delivered++;
        source.in_order = source.in_order && delivery->offset > source.last_offset;
        source.last_offset = delivery->offset;
    } else if (delivery->result == SLUICE_DROP) {
        source.dropped++;
    } else {
        source.failed++;
        (void)snprintf(source.error, sizeof(source.error), "%s", delivery->error);
    }
    pthread_cond_broadcast(&source.changed);
    if (source.watches_stop) {
        const struct sluice_source_context *context =
            source.host->extension(source.host, SLUICE_SOURCE_CONTEXT);
        struct timespec until;
        (void)clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 100000000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        context->wake(source.host);
        while (!source.stopped && pthread_cond_timedwait(&source.changed, &source.lock, &until) == 0) {
        }
        source.stopped_early = source.stopped;
    }
    pthread_mutex_unlock(&source.lock);
}

static void stop(void *self)
{
    (void)self;
    pthread_mutex_lock(&source.lock);
    source.stopped = true;
    pthread_cond_broadcast(&source.changed);
    pthread_mutex_unlock(&source.lock);
}

static enum sluice_result commit(void *self)
{
    (void)self;
    int not_stored = fixture_not_stored();
    pthread_mutex_lock(&source.lock);
    source.commits++;
    source.committed_unstored = source.committed_unstored || not_stored > 0;
    pthread_cond_broadcast(&source.changed);
    pthread_mutex_unlock(&source.lock);
    return SLUICE_OK;
}

static void drain(void *self)
{
    (void)self;
    source.drained = true;
}

static const void *extension(void *self, const char *id)
{
    (void)self;
    if (strcmp(id, SLUICE_SOURCE_WAKES) == 0) {
        pthread_mutex_lock(&source.lock);
        source.asked = true;
        pthread_cond_broadcast(&source.changed);
        pthread_mutex_unlock(&source.lock);
        return source.wakes ? id : NULL;
    }
    return source.answers && strcmp(id, SLUICE_SOURCE_ANSWERS) == 0 ? id : NULL;
}

static const struct sluice_source vtable = {
    .size = sizeof(vtable), .create = create,           .destroy = destroy, .start = start,
    .poll = poll_records,   .record_done = record_done, .stop = stop,       .drain = drain,
    .extension = extension,
};
static const struct sluice_descriptor descriptor = {
    .size = sizeof(descriptor), .kind = SLUICE_SOURCE, .class_name = "test.Source",
    .version = "1",             .doc = "a source",     .vtable = &vtable,
};
static const struct sluice_source committing_vtable = {
    .size = sizeof(vtable), .create = create,           .destroy = destroy, .start = start,
    .poll = poll_records,   .record_done = record_done, .stop = stop,       .commit = commit,
};
static const struct sluice_descriptor committing = {
    .size = sizeof(descriptor), .kind = SLUICE_SOURCE, .class_name = "test.Committing",
    .version = "1",             .doc = "a source",     .vtable = &committing_vtable,
};
static const struct sluice_descriptor *const classes[] = {&descriptor, &committing, &raw_converter, NULL};
static const struct sluice_entry entry = {SLUICE_ABI_MAGIC, SLUICE_ABI_MAJOR, SLUICE_ABI_MINOR,
                                          sizeof(entry), classes};

static int set_up(void **state)
{
    (void)state;
    fake_broker_reset();
    source.queued = source.polled = source.done = source.delivered = source.dropped = source.failed = 0;
    source.last_offset = -1;
    source.retries = source.commits = 0;
    source.committed_unstored = false;
    source.in_order = true;
    source.answers = source.wakes = source.asked = source.drained = false;
    source.watches_stop = source.stopped = source.stopped_early = false;
    return 0;
}

static void queue_silently(const char *text)
{
    pthread_mutex_lock(&source.lock);
    source.queue[source.queued++] = text;
    pthread_mutex_unlock(&source.lock);
}

static void queue(const char *text)
{
    queue_silently(text);
    const struct sluice_source_context *context =
        source.host->extension(source.host, SLUICE_SOURCE_CONTEXT);
    context->wake(source.host);
}

static void wait_done(size_t count)
{
    pthread_mutex_lock(&source.lock);
    while (source.done < count) {
        pthread_cond_wait(&source.changed, &source.lock);
    }
    pthread_mutex_unlock(&source.lock);
}

static void begin(const char *key, const char *value)
{
    fixture_start(source_task_run, &entry, "test.Source", "offset.flush.interval.ms", "20", key, value, NULL);
    fixture_wait_state("RUNNING");
}

static void test_records_are_delivered_in_order(void **state)
{
    (void)state;
    begin(NULL, NULL);
    for (int i = 0; i < 100; i++) {
        queue("x");
    }
    wait_done(100);
    assert_int_equal(source.delivered, 100);
    assert_true(source.in_order);
    fixture_wait_offsets("[[{\"file\":\"f\"},{\"line\":100}]]");
    assert_int_equal(fixture_stop(), 0);
    assert_true(source.drained);
}

/* invariant 1: an offset behind a record that is not acknowledged is not stored */
static void test_offsets_wait_for_acknowledgement(void **state)
{
    (void)state;
    begin(NULL, NULL);
    queue("x");
    wait_done(1);
    fixture_wait_offsets("[[{\"file\":\"f\"},{\"line\":1}]]");
    fake_acknowledge(false);
    queue("x");
    queue("x");
    while (fake_produced() < 3) {
        sched_yield();
    }
    assert_int_equal(source.done, 1);
    fake_acknowledge(true);
    wait_done(3);
    fixture_wait_offsets("[[{\"file\":\"f\"},{\"line\":3}]]");
    assert_int_equal(fixture_stop(), 0);
}

/* offset.flush.timeout.ms: records go on while offsets are not stored; they are tried again */
static void test_offsets_that_take_long_are_given_up_for_now(void **state)
{
    (void)state;
    begin("offset.flush.timeout.ms", "30");
    fixture_store(FIXTURE_SILENT);
    queue("x");
    while (fixture_not_stored() < 2) {
        sched_yield();
    }
    queue("x");
    wait_done(2);
    fixture_store(FIXTURE_STORES);
    fixture_wait_offsets("[[{\"file\":\"f\"},{\"line\":2}]]");
    assert_int_equal(fixture_stop(), 0);
}

/* commit() says that offsets are stored */
static void test_commit_follows_stored_offsets_only(void **state)
{
    (void)state;
    fixture_start(source_task_run, &entry, "test.Committing", "offset.flush.interval.ms", "20", NULL);
    fixture_wait_state("RUNNING");
    fixture_store(FIXTURE_REFUSES);
    queue("x");
    while (fixture_not_stored() < 2) {
        sched_yield();
    }
    assert_false(source.committed_unstored);
    fixture_store(FIXTURE_STORES);
    pthread_mutex_lock(&source.lock);
    for (int before = source.commits; source.commits == before;) {
        pthread_cond_wait(&source.changed, &source.lock);
    }
    pthread_mutex_unlock(&source.lock);
    assert_int_equal(fixture_stop(), 0);
}

static char logged[4096];

static void collect(void *user, enum log_level level, const char *logger, const char *context,
                    const char *text)
{
    (void)user;
    (void)logger;
    (void)context;
    size_t used = strlen(logged);
    (void)snprintf(logged + used, sizeof(logged) - used, "%s %s\n", log_level_name(level), text);
}

static void test_a_poll_that_may_work_later_is_logged_and_repeated(void **state)
{
    (void)state;
    log_set_writer(collect, NULL);
    source.retries = 2;
    begin(NULL, NULL);
    queue_silently("x");
    wait_done(1);
    assert_int_equal(fixture_stop(), 0);
    log_set_writer(NULL, NULL);
    assert_non_null(strstr(logged, "WARN poll() is tried again in 10 ms: the line is busy"));
}

static void test_a_failed_delivery_ends_the_task(void **state)
{
    (void)state;
    begin(NULL, NULL);
    fake_fail_deliveries(1, ERROR_TOO_LARGE);
    queue("x");
    assert_int_equal(fixture_join(), -1);
    assert_non_null(strstr(fixture_error()->message, "Unrecoverable exception from producer send callback"));
    assert_int_equal(source.failed, 1);
}

static void test_a_source_that_answers_is_told(void **state)
{
    (void)state;
    source.answers = true;
    begin(NULL, NULL);
    fake_fail_deliveries(1, ERROR_TOO_LARGE);
    queue("x");
    wait_done(1);
    assert_int_equal(source.failed, 1);
    assert_string_equal(source.error, "delivery failed as the test wished");
    queue("bad");
    wait_done(2);
    assert_int_equal(source.failed, 2);
    assert_string_equal(source.error, "bad value");
    queue("x");
    wait_done(3);
    assert_int_equal(source.delivered, 1);
    assert_int_equal(fixture_stop(), 0);
}

static void test_tolerated_records_are_dropped(void **state)
{
    (void)state;
    begin("errors.tolerance", "all");
    queue("bad");
    queue("x");
    wait_done(2);
    assert_int_equal(source.dropped, 1);
    assert_int_equal(source.delivered, 1);
    fixture_wait_offsets("[[{\"file\":\"f\"},{\"line\":2}]]");
    assert_int_equal(fixture_stop(), 0);
}

static void test_a_bad_record_ends_an_intolerant_task(void **state)
{
    (void)state;
    begin(NULL, NULL);
    queue("bad");
    assert_int_equal(fixture_join(), -1);
    assert_non_null(strstr(fixture_error()->message, "Tolerance exceeded"));
}

static void test_stopping_hands_out_what_was_taken_in(void **state)
{
    (void)state;
    begin(NULL, NULL);
    fixture_pause(true);
    fixture_wait_state("PAUSED");
    queue("x");
    queue("x");
    assert_int_equal(fixture_stop(), 0);
    assert_int_equal(source.delivered, 2);
}

/* A wake() of record_done() does not make the task end before the offset of that record is told. */
static void test_the_last_offset_is_told_before_the_task_ends(void **state)
{
    (void)state;
    begin(NULL, NULL);
    source.watches_stop = true;
    fixture_pause(true);
    fixture_wait_state("PAUSED");
    queue("x");
    assert_int_equal(fixture_stop(), 0);
    assert_int_equal(source.delivered, 1);
    assert_false(source.stopped_early);
    fixture_wait_offsets("[[{\"file\":\"f\"},{\"line\":1}]]");
}

static void test_a_source_that_does_not_wake_is_polled_again(void **state)
{
    (void)state;
    begin(NULL, NULL);
    queue_silently("x");
    wait_done(1);
    assert_int_equal(fixture_stop(), 0);
}

/* It is not polled for nothing, at intervals of offset commits neither. */
static void test_a_source_that_wakes_is_left_alone(void **state)
{
    (void)state;
    source.wakes = true;
    begin(NULL, NULL);
    pthread_mutex_lock(&source.lock);
    while (!source.asked) {
        pthread_cond_wait(&source.changed, &source.lock);
    }
    pthread_mutex_unlock(&source.lock);
    queue_silently("x");
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 2;
    pthread_mutex_lock(&source.lock);
    while (source.done == 0 && pthread_cond_timedwait(&source.changed, &source.lock, &until) == 0) {
    }
    assert_int_equal(source.done, 0);
    pthread_mutex_unlock(&source.lock);
    queue("x");
    wait_done(2);
    fixture_wait_offsets("[[{\"file\":\"f\"},{\"line\":2}]]");
    assert_int_equal(fixture_stop(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_records_are_delivered_in_order, set_up),
        cmocka_unit_test_setup(test_offsets_wait_for_acknowledgement, set_up),
        cmocka_unit_test_setup(test_offsets_that_take_long_are_given_up_for_now, set_up),
        cmocka_unit_test_setup(test_commit_follows_stored_offsets_only, set_up),
        cmocka_unit_test_setup(test_a_poll_that_may_work_later_is_logged_and_repeated, set_up),
        cmocka_unit_test_setup(test_a_failed_delivery_ends_the_task, set_up),
        cmocka_unit_test_setup(test_a_source_that_answers_is_told, set_up),
        cmocka_unit_test_setup(test_tolerated_records_are_dropped, set_up),
        cmocka_unit_test_setup(test_a_bad_record_ends_an_intolerant_task, set_up),
        cmocka_unit_test_setup(test_stopping_hands_out_what_was_taken_in, set_up),
        cmocka_unit_test_setup(test_the_last_offset_is_told_before_the_task_ends, set_up),
        cmocka_unit_test_setup(test_a_source_that_does_not_wake_is_polled_again, set_up),
        cmocka_unit_test_setup(test_a_source_that_wakes_is_left_alone, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
