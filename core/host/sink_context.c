/* What a sink may ask of its host: struct sluice_sink_context. */
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/host/sink_task.h"

static struct sink_task *sink_of(const struct sluice_host *host)
{
    return task_of(host)->loop;
}

static void request_commit(const struct sluice_host *host)
{
    struct task *task = sink_of(host)->task;
    pthread_mutex_lock(&task->lock);
    task->commit_requested = true;
    pthread_cond_broadcast(&task->changed);
    pthread_mutex_unlock(&task->lock);
}

/* Who sets an interval has commits at that interval, as Connect's sinks have them. */
static void durable(const struct sluice_host *host)
{
    if (!properties_get(&sink_of(host)->task->worker, "offset.flush.interval.ms")) {
        request_commit(host);
    }
}

static void set_timeout(const struct sluice_host *host, int64_t milliseconds)
{
    int64_t now = clock_monotonic_ms();
    bool ever = milliseconds < 0 || milliseconds > INT64_MAX - now;
    sink_of(host)->idle_until = ever ? INT64_MAX : now + milliseconds;
}

static void rewind_to(const struct sluice_host *host, const char *topic, int32_t partition,
                      int64_t offset)
{
    struct sink_task *sink = sink_of(host);
    struct broker_offset *grown =
        realloc(sink->rewinds, (sink->rewind_count + 1) * sizeof(*sink->rewinds));
    char *copy = strdup(topic);
    if (!grown || !copy) {
        abort();
    }
    sink->rewinds = grown;
    sink->rewinds[sink->rewind_count++] = (struct broker_offset){copy, partition, offset};
}

static void pause_some(const struct sluice_host *host, const struct sluice_topic_partition *partitions,
                       size_t count, bool pause)
{
    struct broker_partition *list = calloc(count ? count : 1, sizeof(*list));
    for (size_t i = 0; list && i < count; i++) {
        list[i] = (struct broker_partition){partitions[i].topic, partitions[i].partition};
    }
    if (list) {
        feed_pause(sink_of(host)->feed, list, count, pause);
    }
    free(list);
}

static void pause_partitions(const struct sluice_host *host,
                             const struct sluice_topic_partition *partitions, size_t count)
{
    pause_some(host, partitions, count, true);
}

static void resume_partitions(const struct sluice_host *host,
                              const struct sluice_topic_partition *partitions, size_t count)
{
    pause_some(host, partitions, count, false);
}

static bool has_reporter(const struct sluice_host *host)
{
    const struct error_policy *policy = &sink_of(host)->policy;
    return policy->dead_letters || policy->log;
}

static enum sluice_result report(const struct sluice_host *host, const struct sluice_record *record,
                                 const char *java_class, const char *message)
{
    struct sink_task *sink = sink_of(host);
    struct error failure = {0}, error = {0};
    if (!has_reporter(host)) {
        return host->error(host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION,
                           "No error reporter is configured");
    }
    (void)error_set_class(&failure, ERROR_PLUGIN_FAILED, java_class, "%s", message);
    int outcome = error_policy_record(&sink->policy, STAGE_TASK_PUT, ERRORS_PUT_CLASS, &failure,
                                      records_api.context(record), NULL, &error);
    error_clear(&failure);
    if (outcome != 0) {
        task_raise(sink->task, &error);
        return host->error(host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION,
                           "Tolerance exceeded in error handler");
    }
    return SLUICE_OK;
}

static bool owns(const struct sluice_host *host, const char *topic, int32_t partition)
{
    return feed_owns(sink_of(host)->feed, topic, partition);
}

const struct sluice_sink_context sink_context = {
    .size = sizeof(struct sluice_sink_context),
    .request_commit = request_commit,
    .wake = task_wake,
    .timeout = set_timeout,
    .rewind = rewind_to,
    .pause = pause_partitions,
    .resume = resume_partitions,
    .report = report,
    .has_reporter = has_reporter,
    .raise_error = task_raise_error,
    .owns = owns,
    .durable = durable,
};
