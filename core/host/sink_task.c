/*
 * The loop of a sink task: events of the group, conversion, put(), offsets. One thread, the task
 * thread; everything that may wait waits in wait_for_work(). (WorkerSinkTask, kafka-connect.md §7.1)
 */
#include "core/host/sink_task.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/host/process.h"

enum {
    COMMIT_GAP_MS = 100,        /* between commits that the plugin asked for */
    COMMIT_RETRY_MS = 1000,     /* after one that failed */
    RETRY_MS = 1000,            /* before a put() is tried again, where the plugin names no time */
    DEFAULT_BUDGET = 8 << 20,   /* bytes of consumed messages in flight */
    POOL_BATCHES = 16,
    POOL_BYTES = 2 << 20,
};

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* A batch that waits for its next put() keeps the records of these partitions only. Its chunk, too: what
 * goes is not counted as put, should its partition come back meanwhile. */
static void keep_pending(struct sink_task *sink, bool (*kept)(const struct position *position))
{
    if (!sink->batch) {
        return;
    }
    size_t count = records_api.count(sink->batch);
    unsigned char *keep = calloc(count ? count : 1, 1);
    for (size_t i = 0; keep && i < count; i++) {
        struct sluice_record *record = records_api.at(sink->batch, i);
        keep[i] = kept(sink_position(sink, records_api.original_topic(record),
                                     records_api.original_partition(record)));
    }
    if (keep) {
        batch_keep(sink->batch, keep);
    }
    free(keep);
    for (size_t i = 0; sink->chunk && i < sink->chunk->count; i++) {
        struct broker_message *message = &sink->chunk->messages[i];
        if (message->partition != BROKER_NO_PARTITION &&
            !kept(sink_position(sink, message->topic, message->partition))) {
            message->partition = BROKER_NO_PARTITION;
        }
    }
}

static bool stays(const struct position *position)
{
    return position && position->committed < 0; /* where to is not known */
}

/*
 * invariant 1: what was put since the last commit may be nowhere, and the sink may have let it go: it
 * comes again, and with it what still waits to be put, so that no offset passes it. (As Connect does)
 */
static void rewind_to_committed(struct sink_task *sink)
{
    keep_pending(sink, stays);
    for (size_t i = 0; i < sink->position_count; i++) {
        struct position *position = &sink->positions[i];
        if (!stays(position) && (sink->chunk || position->consumed > position->committed)) {
            position->consumed = position->consumed < 0 ? position->consumed : position->committed;
            feed_seek(sink->feed, position->topic, position->partition, position->committed);
        }
    }
}

static void commit_answer(struct sink_task *sink)
{
    if (sink->commit_answer) {
        sink->commit_answer = false;
        sink->next_backlog = 0; /* who hears of it looks there */
        sink_update_backlog(sink);
        process_send(sink->task->process, json_pack("{s:s}", "type", "committed"));
    }
}

static void commit(struct sink_task *sink)
{
    size_t count = 0;
    enum sluice_result result;
    struct broker_offset *offsets = sink_safe_offsets(sink, NULL, 0, &count, &result);
    int64_t now = clock_monotonic_ms();
    sink->last_commit = now;
    sink->next_commit = now + task_long(sink->task, "offset.flush.interval.ms", 60000);
    sink->commit_wanted = false;
    sink->commit_answer |= sink->commit_asked;
    sink->commit_asked = false;
    if (result == SLUICE_RETRY) {
        sink->next_commit = earlier(sink->next_commit, now + COMMIT_RETRY_MS);
    } else if (result != SLUICE_OK) {
        rewind_to_committed(sink);
    }
    if (count > 0) {
        sink->committing = true;
        sink->commit_begin = clock_monotonic_ns();
        metrics_add(sink->commit_number, 1);
        feed_commit(sink->feed, offsets, count);
    } else {
        commit_answer(sink);
    }
    sink_offsets_free(offsets, count);
}

static void on_committed(struct sink_task *sink, const struct feed_item *item)
{
    sink->committing = false;
    task_committed(sink->task, sink->commit_begin, item->error.code == ERROR_NONE);
    if (item->error.code != ERROR_NONE) {
        bool rebalance = item->error.code == ERROR_GENERATION; /* daily life of a group */
        task_log(sink->task, rebalance ? LOG_LEVEL_INFO : LOG_LEVEL_WARN,
                 "Commit of offsets failed, it is repeated soon: %s", item->error.message);
        sink->next_commit = earlier(sink->next_commit, clock_monotonic_ms() + COMMIT_RETRY_MS);
        sink->commit_asked |= sink->commit_answer;
        return;
    }
    for (size_t i = 0; i < item->count; i++) {
        struct position *position =
            sink_position(sink, item->offsets[i].topic, item->offsets[i].partition);
        if (position) {
            position->committed = item->offsets[i].offset;
        }
    }
    task_record(sink->task, sink->commits, 1);
    commit_answer(sink);
}

/* -- the group -- */

static struct sluice_topic_partition *partitions_of(const struct broker_offset *offsets, size_t count)
{
    struct sluice_topic_partition *partitions = calloc(count ? count : 1, sizeof(*partitions));
    for (size_t i = 0; partitions && i < count; i++) {
        partitions[i] = (struct sluice_topic_partition){offsets[i].topic, offsets[i].partition};
    }
    return partitions;
}

static void call_close(struct sink_task *sink, const struct broker_offset *offsets, size_t count)
{
    struct sluice_topic_partition *partitions = partitions_of(offsets, count);
    if (partitions && sink->vtable->close && count > 0) {
        host_phase(sink->task->process, "close", sink->class_name);
        sink->vtable->close(sink->self, partitions, count);
        host_phase(sink->task->process, "", "");
    }
    free(partitions);
}

static bool is_ours(const struct position *position)
{
    return position != NULL;
}

static int on_assigned(struct sink_task *sink, const struct feed_item *item, struct error *error)
{
    for (size_t i = 0; i < item->count; i++) {
        sink_position_add(sink, &item->offsets[i]);
    }
    metrics_set(sink->partitions, (int64_t)sink->position_count);
    struct sluice_topic_partition *partitions = partitions_of(item->offsets, item->count);
    enum sluice_result result = SLUICE_OK;
    if (partitions && sink->vtable->open && item->count > 0) {
        host_phase(sink->task->process, "open", sink->class_name);
        plugin_failure_reset();
        result = sink->vtable->open(sink->self, partitions, item->count);
        host_phase(sink->task->process, "", "");
    }
    free(partitions);
    return result == SLUICE_OK ? 0 : task_failure(sink->task, result, "open", error);
}

static void on_leaving(struct sink_task *sink, const struct feed_item *item)
{
    size_t count = 0;
    enum sluice_result ignored; /* it is closed now, and read again from the last commit on */
    struct broker_offset *offsets = NULL;
    if (item->kind == FEED_REVOKED) {
        offsets = sink_safe_offsets(sink, item->offsets, item->count, &count, &ignored);
    }
    call_close(sink, item->offsets, item->count);
    for (size_t i = 0; i < item->count; i++) {
        sink_position_remove(sink, item->offsets[i].topic, item->offsets[i].partition);
    }
    metrics_set(sink->partitions, (int64_t)sink->position_count);
    keep_pending(sink, is_ours);
    if (item->kind == FEED_REVOKED) {
        feed_revoked_done(sink->feed, item->revocation, offsets, count);
    }
    sink_offsets_free(offsets, count);
}

/* -- put -- */

static void run_rewinds(struct sink_task *sink)
{
    for (size_t i = 0; i < sink->rewind_count; i++) {
        const struct broker_offset *rewind = &sink->rewinds[i];
        struct position *position = sink_position(sink, rewind->topic, rewind->partition);
        if (position) {
            position->consumed = rewind->offset;
            feed_seek(sink->feed, rewind->topic, rewind->partition, rewind->offset);
        }
        free((char *)rewind->topic);
    }
    sink->rewind_count = 0;
}

static void batch_done(struct sink_task *sink)
{
    if (sink->chunk) {
        sink_advance(sink, sink->chunk);
        sink->chunk = NULL;
    }
    records_api.release(sink->batch);
    sink->batch = NULL;
    run_rewinds(sink);
}

/* Record `index` is bad by the sink's own word: those before it were taken, it is reported, the rest
 * is put again. */
static int put_past(struct sink_task *sink, const struct plugin_failure *failure, struct error *error)
{
    size_t count = records_api.count(sink->batch);
    size_t index = failure->record < 0 ? count : (size_t)failure->record;
    if (index >= count) {
        error_copy(error, &failure->error);
        return -1;
    }
    struct sluice_record *record = records_api.at(sink->batch, index);
    if (error_policy_record(&sink->policy, STAGE_TASK_PUT, ERRORS_PUT_CLASS, &failure->error,
                            records_api.context(record), NULL, error) != 0) {
        return -1;
    }
    unsigned char *keep = calloc(count, 1);
    if (!keep) {
        return error_set(error, ERROR_NO_MEMORY, "Out of memory");
    }
    memset(keep + index + 1, 1, count - index - 1);
    batch_keep(sink->batch, keep);
    free(keep);
    sink->retry_at = 0;
    return 0;
}

static int put(struct sink_task *sink, struct error *error)
{
    size_t count = records_api.count(sink->batch);
    int64_t begin = clock_monotonic_ns();
    sink->idle_until = INT64_MAX;
    host_phase(sink->task->process, "put", sink->class_name);
    plugin_failure_reset();
    enum sluice_result result = sink->vtable->put(sink->self, sink->batch);
    host_phase(sink->task->process, "", "");
    struct metrics_page *page = sink->task->process->page;
    int64_t end = clock_monotonic_ns(), now = end / 1000000;
    metrics_observe(page, METRICS_PUT, end - begin, 1);
    metrics_record(page, sink->put_time, (end - begin) / 1000, now);
    metrics_record(page, sink->task->batch_size, (int64_t)count, now);
    if (result == SLUICE_OK) {
        metrics_record(page, sink->sent, (int64_t)count, now);
        batch_done(sink);
        return 0;
    }
    struct plugin_failure failure = {.record = -1, .retry_after = -1};
    plugin_failure_take(&failure, result, sink->task->instance, "put");
    int outcome = 0;
    if (result == SLUICE_RETRY) {
        int64_t delay = failure.retry_after >= 0 ? failure.retry_after : RETRY_MS;
        sink->retry_at = clock_monotonic_ms() + delay;
        task_log(sink->task, LOG_LEVEL_ERROR, "put() is tried again in %lld ms: %s",
                 (long long)delay, failure.error.message ? failure.error.message : "");
        run_rewinds(sink);
    } else if (result == SLUICE_BAD_RECORD) {
        outcome = put_past(sink, &failure, error);
    } else {
        error_copy(error, &failure.error);
        outcome = -1;
    }
    error_clear(&failure.error);
    if (outcome != 0) {
        (void)error_wrap(error, ERROR_PLUGIN_FAILED, SLUICE_CONNECT_EXCEPTION,
                         "Exiting WorkerSinkTask due to unrecoverable exception.");
    }
    return outcome;
}

static int put_empty(struct sink_task *sink, struct error *error)
{
    sink->batch = batch_new(sink->pool);
    return put(sink, error);
}

/* -- loop -- */

static int handle(struct sink_task *sink, struct feed_item *item, struct error *error)
{
    int result = 0;
    switch (item->kind) {
    case FEED_NONE:
        break;
    case FEED_CHUNK:
        sink->retry_at = 0;
        result = sink_convert(sink, item->chunk, &sink->batch, error);
        if (result == 0) {
            sink->chunk = item->chunk;
            result = put(sink, error);
        }
        break;
    case FEED_ASSIGNED:
        result = on_assigned(sink, item, error);
        break;
    case FEED_REVOKED:
    case FEED_LOST:
        on_leaving(sink, item);
        break;
    case FEED_COMMITTED:
        on_committed(sink, item);
        break;
    case FEED_FAILED:
        error_copy(error, &item->error);
        result = -1;
        break;
    }
    feed_item_finish(item);
    return result;
}

enum work {
    WORK_STOP,
    WORK_ITEM,
    WORK_RETRY,
    WORK_COMMIT,
    WORK_IDLE_PUT,
    WORK_PAUSE,
    WORK_LOOK, /* only the gauges */
};

/* Waits until there is something to do and says what; an item is taken out for the caller. */
static enum work wait_for_work(struct sink_task *sink, struct feed_item *ret_item)
{
    struct task *task = sink->task;
    enum work work = WORK_STOP;
    pthread_mutex_lock(&task->lock);
    for (;;) {
        int64_t now = clock_monotonic_ms();
        if (task->commit_requested) {
            task->commit_requested = false;
            sink->commit_wanted = true;
            sink->commit_asked |= task->commit_asked;
            task->commit_asked = false;
        }
        bool may_commit = !sink->committing && sink->commit_wanted;
        int64_t commit_at = may_commit ? earlier(sink->last_commit + COMMIT_GAP_MS, sink->next_commit)
                                       : sink->next_commit;
        bool want_chunk = !sink->batch && !sink->paused;
        int64_t put_at = sink->paused  ? INT64_MAX
                         : sink->batch ? sink->retry_at
                                       : sink->idle_until;
        if (task->stopping || task->raised.code != ERROR_NONE) {
            break;
        }
        if (task->paused != sink->paused) {
            work = WORK_PAUSE;
            break;
        }
        /* invariant 1: what was revoked meanwhile leaves before anything is committed */
        if (feed_take(sink->feed, false, ret_item)) {
            work = WORK_ITEM;
            break;
        }
        if (now >= commit_at) {
            work = WORK_COMMIT;
            break;
        }
        if (feed_take(sink->feed, want_chunk, ret_item)) {
            work = WORK_ITEM;
            break;
        }
        if (now >= put_at || (want_chunk && task->wake)) {
            task->wake = task->wake && !want_chunk;
            work = sink->batch ? WORK_RETRY : WORK_IDLE_PUT;
            break;
        }
        if (feed_moved(sink->feed)) {
            work = WORK_LOOK;
            break;
        }
        (void)task_wait(task, earlier(commit_at, put_at));
    }
    pthread_mutex_unlock(&task->lock);
    return work;
}

static int loop(struct sink_task *sink, struct error *error)
{
    for (;;) {
        struct feed_item item = {0};
        int result = 0;
        switch (wait_for_work(sink, &item)) {
        case WORK_STOP:
            return task_take_raised(sink->task, error) ? -1 : 0;
        case WORK_ITEM:
            result = handle(sink, &item, error);
            break;
        case WORK_RETRY:
            result = put(sink, error);
            break;
        case WORK_COMMIT:
            /* Connect's poll ends when a commit is due, so an idle sink sees an empty put() first. */
            if (!sink->batch && !sink->paused && !sink->commit_wanted) {
                result = put_empty(sink, error);
            }
            if (result == 0) {
                commit(sink);
            }
            break;
        case WORK_IDLE_PUT:
            result = put_empty(sink, error);
            break;
        case WORK_LOOK:
            break;
        case WORK_PAUSE:
            sink->paused = !sink->paused;
            feed_pause_all(sink->feed, sink->paused);
            commit(sink);
            task_state(sink->task, sink->paused ? "PAUSED" : "RUNNING");
            break;
        }
        if (result != 0) {
            return -1;
        }
        sink_update_backlog(sink);
    }
}

/* -- from start to end -- */

static const void *extension(void *user, const char *id)
{
    (void)user;
    return strcmp(id, SLUICE_SINK_CONTEXT) == 0 ? &sink_context : NULL;
}

static int start(struct sink_task *sink, struct error *error)
{
    struct task *task = sink->task;
    if (plugin_instance_create(&task->environment, SLUICE_SINK,
                               properties_get(&task->config, "connector.class"), &task->instance,
                               error) != 0 ||
        plugin_instance_configure(task->instance, &task->config, error) != 0) {
        return -1;
    }
    sink->vtable = task->instance->descriptor->vtable;
    sink->self = task->instance->self;
    sink->class_name = task->instance->descriptor->class_name;
    if (converters_create(&sink->converters, task, error) != 0 ||
        chain_create(&task->environment, &task->config, &sink->chain, error) != 0 ||
        error_policy_init(&sink->policy, task, true, error) != 0) {
        return -1;
    }
    host_phase(task->process, "start", sink->class_name);
    plugin_failure_reset();
    enum sluice_result result = sink->vtable->start(sink->self, task->instance->config);
    host_phase(task->process, "", "");
    if (result != SLUICE_OK) {
        return task_failure(task, result, "start", error);
    }
    return feed_create(task, task_long(task, "sluice.consumer.buffer.bytes", DEFAULT_BUDGET),
                       &sink->feed, error);
}

static void stop(struct sink_task *sink, bool clean)
{
    size_t count = 0;
    enum sluice_result ignored;
    struct broker_offset *offsets = NULL;
    if (sink->feed) {
        if (clean && sink->position_count > 0) {
            offsets = sink_safe_offsets(sink, NULL, 0, &count, &ignored);
        }
        struct broker_offset *all = calloc(sink->position_count + 1, sizeof(*all));
        for (size_t i = 0; all && i < sink->position_count; i++) {
            all[i] = (struct broker_offset){sink->positions[i].topic, sink->positions[i].partition, 0};
        }
        if (all) {
            call_close(sink, all, sink->position_count);
        }
        free(all);
    }
    host_phase(sink->task->process, "stop", sink->class_name);
    sink->vtable->stop(sink->self);
    host_phase(sink->task->process, "", "");
    records_api.release(sink->batch);
    sink->batch = NULL;
    feed_stop(sink->feed, offsets, count);
    sink_offsets_free(offsets, count);
}

/* A task that is PAUSED from the first does not start before it is resumed. False: told to stop. */
static bool wait_while_paused(struct task *task)
{
    pthread_mutex_lock(&task->lock);
    bool paused = task->paused;
    pthread_mutex_unlock(&task->lock);
    if (paused) {
        task_state(task, "PAUSED");
    }
    pthread_mutex_lock(&task->lock);
    while (task->paused && !task->stopping) {
        (void)task_wait(task, clock_monotonic_ms() + 3600000);
    }
    bool stopping = task->stopping;
    pthread_mutex_unlock(&task->lock);
    return !stopping;
}

int sink_task_run(struct task *task, struct error *error)
{
    static struct sink_task sink; /* a plugin's own threads may reach it until the process ends */
    sink = (struct sink_task){
        .task = task,
        .idle_until = INT64_MAX,
        .pool = batch_pool_create(POOL_BATCHES, POOL_BYTES),
        .read = task_stat(task, "sink-record-read-*", METRICS_RATE | METRICS_TOTAL, 1),
        .sent = task_stat(task, "sink-record-send-*", METRICS_RATE | METRICS_TOTAL, 1),
        .bytes = task_metric(task, "sink-bytes-total", 1),
        .lag = task_metric(task, "sink-record-lag", 2),
        .active = task_metric(task, "sink-record-active-count", 2),
        .lag_max = task_metric(task, "sink-record-lag-max", 2),
        .active_seen =
            task_stat(task, "sink-record-active-count-*", METRICS_AVG | METRICS_MAX, 1),
        .partitions = task_metric(task, "partition-count", 2),
        .put_time = task_stat(task, "put-batch-*-time-ms", METRICS_AVG | METRICS_MAX, 1000),
        .commits =
            task_stat(task, "offset-commit-completion-*", METRICS_RATE | METRICS_TOTAL, 1),
        .commit_number = task_metric(task, "offset-commit-seq-no", 2),
    };
    task->loop = &sink;
    task->environment.extension = extension;
    if (!wait_while_paused(task)) {
        return 0;
    }
    int result = start(&sink, error);
    if (result == 0) {
        sink.last_commit = clock_monotonic_ms();
        sink.next_commit = sink.last_commit + task_long(task, "offset.flush.interval.ms", 60000);
        task_state(task, "RUNNING");
        result = loop(&sink, error);
        stop(&sink, result == 0);
    }
    while (sink.position_count > 0) {
        sink_position_remove(&sink, sink.positions[0].topic, sink.positions[0].partition);
    }
    free(sink.positions);
    free(sink.rewinds);
    error_policy_finish(&sink.policy);
    chain_destroy(sink.chain);
    converters_finish(&sink.converters);
    batch_pool_destroy(sink.pool);
    if (result == 0) {
        plugin_instance_destroy(task->instance);
    }
    return result;
}
