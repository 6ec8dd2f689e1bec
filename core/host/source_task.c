/* The loop of a source task: poll, send, store offsets. [task thread] (kafka-connect.md §7.2) */
#include "core/host/source_task.h"

#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"

enum {
    POLL_MS = 1000,             /* longest wait inside a plugin's poll(), and between two */
    SLOW_POLL_MS = 10000,       /* between two of a source that calls wake(), or is paused */
    POOL_BATCHES = 32,
    POOL_BYTES = 2 << 20,
    ACK_WAIT_MS = 5000,         /* for what is under way when the task is told to stop */
};

static const void *extension(void *user, const char *id)
{
    (void)user;
    return strcmp(id, SLUICE_SOURCE_CONTEXT) == 0 ? (const void *)&source_context
           : strcmp(id, SLUICE_CLUSTER) == 0      ? (const void *)&source_cluster
                                                  : NULL;
}

/* Hands what may be stored to the worker, the only writer of source offsets, and waits. False: not all
 * of it is stored, which is tried again at the next interval. */
static bool store_offsets(struct source_task *source)
{
    struct task *task = source->task;
    json_t *offsets;
    const char *why = NULL;
    while (!why && (offsets = source_offsets_take(source->offsets))) {
        int64_t begin = clock_monotonic_ns();
        struct error error = {0};
        json_t *reply = task_request(
            task, json_pack("{s:s,s:o}", "type", "offsets", "offsets", offsets), source->commit_timeout,
            &error);
        why = reply ? json_string_value(json_object_get(reply, "error")) : error.message;
        if (why) {
            task_log(task, LOG_LEVEL_ERROR, "Source offsets were not stored, they are tried again: %s",
                     why);
            source_offsets_untake(source->offsets);
        }
        task_committed(task, begin, !why);
        json_decref(reply);
        error_clear(&error);
    }
    return !why;
}

/* now: of the loop's round, so that this deadline and that of the next poll() are one. */
static void commit_offsets(struct source_task *source, int64_t now)
{
    struct task *task = source->task;
    source->next_commit = now + source->commit_interval;
    if (store_offsets(source) && source->vtable->commit) {
        host_phase(task->process, "commit", source->class_name);
        plugin_failure_reset();
        enum sluice_result result = source->vtable->commit(source->self);
        host_phase(task->process, "", "");
        if (result != SLUICE_OK) {
            struct error error = {0};
            (void)task_failure(task, result, "commit", &error);
            task_log(task, LOG_LEVEL_WARN, "commit() failed: %s", error.message ? error.message : "");
            error_clear(&error);
        }
    }
}

/* poll() did not succeed this time. */
static void retry_later(struct source_task *source)
{
    struct plugin_failure failure = {.record = -1, .retry_after = -1};
    plugin_failure_take(&failure, SLUICE_RETRY, source->task->instance, "poll");
    int64_t delay = failure.retry_after >= 0 ? failure.retry_after : POLL_MS;
    source->poll_at = clock_monotonic_ms() + delay;
    task_log(source->task, LOG_LEVEL_WARN, "poll() is tried again in %lld ms: %s", (long long)delay,
             failure.error.message ? failure.error.message : "");
    error_clear(&failure.error);
}

/* Polls once. *ret_count: records that came. */
static int poll_once(struct source_task *source, int timeout_ms, size_t *ret_count,
                     struct error *error)
{
    struct sluice_batch *batch = batch_new(source->pool);
    host_phase(source->task->process, "poll", source->class_name);
    plugin_failure_reset();
    int64_t begin = clock_monotonic_ns();
    enum sluice_result result = source->vtable->poll(source->self, batch, timeout_ms);
    host_phase(source->task->process, "", "");
    *ret_count = records_api.count(batch);
    if (result != SLUICE_OK && result != SLUICE_RETRY) {
        records_api.release(batch);
        return task_failure(source->task, result, "poll", error);
    }
    if (result == SLUICE_RETRY) {
        retry_later(source);
    }
    if (*ret_count == 0) {
        records_api.release(batch);
        return 0;
    }
    for (size_t i = 0; i < *ret_count; i++) {
        if (source_offsets_check(records_api.at(batch, i), error) != 0) {
            records_api.release(batch);
            return -1;
        }
    }
    struct metrics_page *page = source->task->process->page;
    int64_t end = clock_monotonic_ns();
    metrics_observe(page, METRICS_POLL, end - begin, 1);
    metrics_record(page, source->poll_time, (end - begin) / 1000, end / 1000000);
    metrics_record(page, source->polled, (int64_t)*ret_count, end / 1000000);
    metrics_record(page, source->task->batch_size, (int64_t)*ret_count, end / 1000000);
    return source_send(source, batch, error);
}

/* Until when to wait after a poll() without records; what cannot be due does not end the wait. */
static int64_t wait_until(struct source_task *source, bool paused, int64_t now)
{
    const struct sluice_source *vtable = source->vtable;
    bool wakes = paused || (vtable->extension && vtable->extension(source->self, SLUICE_SOURCE_WAKES));
    int64_t until = source->poll_at > now ? source->poll_at : now + (wakes ? SLOW_POLL_MS : POLL_MS);
    /* In this order: what is in flight no more has told its offset. */
    bool due = vtable->commit || atomic_load(&source->in_flight) > 0 ||
               source_offsets_fresh(source->offsets);
    return due && source->next_commit < until ? source->next_commit : until;
}

static int loop(struct source_task *source, struct error *error)
{
    struct task *task = source->task;
    bool paused = false;
    for (;;) {
        int64_t now = clock_monotonic_ms();
        pthread_mutex_lock(&task->lock);
        bool stopping = task->stopping;
        bool raised = task->raised.code != ERROR_NONE;
        bool pause = task->paused;
        task->wake = false;
        pthread_mutex_unlock(&task->lock);
        if (raised && task_take_raised(task, error)) {
            return -1;
        }
        if (stopping) {
            return 0;
        }
        if (pause != paused) {
            paused = pause;
            task_state(task, paused ? "PAUSED" : "RUNNING");
        }
        if (now >= source->next_commit) {
            commit_offsets(source, now);
        }
        int64_t until = now + POLL_MS < source->next_commit ? now + POLL_MS : source->next_commit;
        size_t count = 0;
        if (!paused && now >= source->poll_at &&
            poll_once(source, (int)(until - now > 0 ? until - now : 0), &count, error) != 0) {
            return -1;
        }
        if (count == 0) {
            until = wait_until(source, paused, now);
            /* A source that does not wait in poll() is asked again when it calls wake(). */
            pthread_mutex_lock(&task->lock);
            while (!task->stopping && !task->wake && task->paused == paused &&
                   task->raised.code == ERROR_NONE && task_wait(task, until)) {
            }
            pthread_mutex_unlock(&task->lock);
        }
    }
}

static int start(struct source_task *source, struct error *error)
{
    struct task *task = source->task;
    if (plugin_instance_create(&task->environment, SLUICE_SOURCE,
                               properties_get(&task->config, "connector.class"), &task->instance,
                               error) != 0 ||
        plugin_instance_configure(task->instance, &task->config, error) != 0) {
        return -1;
    }
    source->vtable = task->instance->descriptor->vtable;
    source->self = task->instance->self;
    source->class_name = task->instance->descriptor->class_name;
    source->answers = source->vtable->extension &&
                      source->vtable->extension(source->self, SLUICE_SOURCE_ANSWERS) != NULL;
    if (converters_create(&source->converters, task, error) != 0 ||
        chain_create(&task->environment, &task->config, &source->chain, error) != 0 ||
        error_policy_init(&source->policy, task, false, error) != 0 ||
        topic_creation_create(&task->config, &task->worker, &source->topics, error) != 0 ||
        source_send_open(source, error) != 0) {
        return -1;
    }
    host_phase(task->process, "start", source->class_name);
    plugin_failure_reset();
    enum sluice_result result = source->vtable->start(source->self, task->instance->config);
    host_phase(task->process, "", "");
    return result == SLUICE_OK ? 0 : task_failure(task, result, "start", error);
}

/* Lets the source hand out what it took in, waits for the acknowledgements, stops it. */
static void stop(struct source_task *source, bool clean)
{
    struct task *task = source->task;
    struct error error = {0};
    pthread_mutex_lock(&task->lock);
    int64_t deadline = task->stopping ? task->stop_deadline : clock_monotonic_ms() + ACK_WAIT_MS;
    pthread_mutex_unlock(&task->lock);
    if (clean && source->vtable->drain) {
        host_phase(task->process, "drain", source->class_name);
        source->vtable->drain(source->self);
        host_phase(task->process, "", "");
        size_t count = 1;
        while (count > 0 && clock_monotonic_ms() < deadline) {
            if (poll_once(source, 0, &count, &error) != 0) {
                task_log(task, LOG_LEVEL_WARN, "While draining: %s",
                         error.message ? error.message : "");
                break;
            }
        }
    }
    if (!source_send_drain(source, deadline)) {
        task_log(task, LOG_LEVEL_WARN,
                 "%zu records were not acknowledged before the task had to stop; their offsets are "
                 "not stored",
                 atomic_load(&source->in_flight));
    }
    commit_offsets(source, clock_monotonic_ms());
    host_phase(task->process, "stop", source->class_name);
    source->vtable->stop(source->self);
    host_phase(task->process, "", "");
    error_clear(&error);
}

int source_task_run(struct task *task, struct error *error)
{
    static struct source_task source; /* a plugin's own threads may reach it until the process ends */
    source = (struct source_task){
        .task = task,
        .admin = PTHREAD_MUTEX_INITIALIZER,
        .done = PTHREAD_MUTEX_INITIALIZER,
        .pool = batch_pool_create(POOL_BATCHES, POOL_BYTES),
        .offsets = source_offsets_create(),
        .polled = task_stat(task, "source-record-poll-*", METRICS_RATE | METRICS_TOTAL, 1),
        .written = task_stat(task, "source-record-write-*", METRICS_RATE | METRICS_TOTAL, 1),
        .active = task_metric(task, "source-record-active-count", 2),
        .active_seen =
            task_stat(task, "source-record-active-count-*", METRICS_AVG | METRICS_MAX, 1),
        .poll_time = task_stat(task, "poll-batch-*-time-ms", METRICS_AVG | METRICS_MAX, 1000),
        .bytes = task_metric(task, "source-bytes-total", 1),
        .bytes_in_flight = task_metric(task, "source-bytes-in-flight", 2),
    };
    task->loop = &source;
    task->environment.extension = extension;
    int result = start(&source, error);
    if (result == 0) {
        source.commit_interval = task_long(task, "offset.flush.interval.ms", 60000);
        source.commit_timeout = task_long(task, "offset.flush.timeout.ms", 5000);
        source.next_commit = clock_monotonic_ms() + source.commit_interval;
        task_state(task, "RUNNING");
        result = loop(&source, error);
        stop(&source, result == 0);
        source_send_close(&source);
    }
    error_policy_finish(&source.policy);
    topic_creation_destroy(source.topics);
    chain_destroy(source.chain);
    converters_finish(&source.converters);
    source_offsets_destroy(source.offsets);
    batch_pool_destroy(source.pool);
    if (result == 0) {
        plugin_instance_destroy(task->instance);
    }
    return result;
}
