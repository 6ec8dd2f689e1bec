/* Checks of sources and sinks, with a task's contexts played by this file. See check.h. */
#include "core/host/check.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sluice/plugin.h>

#include "core/base/clock.h"
#include "core/data/batch.h"
#include "core/host/class_validate.h"

enum {
    RECORDS = 20,
    POLLS = 10,
    POLL_TIMEOUT = 200,
    POLL_GRACE = 1000, /* how much later than asked for poll() may return on a busy machine */
};

/* A server that is not there is no fault of the plugin, as long as it says so. */
#define FOR_NOW (1u << SLUICE_RETRY)

/* -- contexts -- */

static _Atomic(char *) raised; /* by raise_error(), from whatever thread */

static void raise_error(const struct sluice_host *host, const char *java_class, const char *message)
{
    (void)host;
    char *text = NULL, *none = NULL;
    if (asprintf(&text, "%s: %s", java_class ? java_class : "", message ? message : "") >= 0 &&
        !atomic_compare_exchange_strong(&raised, &none, text)) {
        free(text);
    }
}

static void no_host(const struct sluice_host *host)
{
    (void)host;
}

static void no_timeout(const struct sluice_host *host, int64_t milliseconds)
{
    (void)host;
    (void)milliseconds;
}

static void no_rewind(const struct sluice_host *host, const char *topic, int32_t partition,
                      int64_t offset)
{
    (void)host;
    (void)topic;
    (void)partition;
    (void)offset;
}

static void no_pause(const struct sluice_host *host,
                     const struct sluice_topic_partition *partitions, size_t count)
{
    (void)host;
    (void)partitions;
    (void)count;
}

static enum sluice_result take_report(const struct sluice_host *host,
                                      const struct sluice_record *record, const char *java_class,
                                      const char *message)
{
    (void)host;
    (void)record;
    (void)java_class;
    (void)message;
    return SLUICE_OK;
}

static bool yes(const struct sluice_host *host)
{
    (void)host;
    return true;
}

static bool owns(const struct sluice_host *host, const char *topic, int32_t partition)
{
    (void)host;
    (void)topic;
    (void)partition;
    return true;
}

static const struct sluice_value *no_offset(const struct sluice_host *host,
                                            struct sluice_batch *batch,
                                            const struct sluice_value *source_partition)
{
    (void)host;
    (void)batch;
    (void)source_partition;
    return NULL;
}

static const struct sluice_value *no_topics(const struct sluice_host *host,
                                            struct sluice_batch *batch, int timeout_ms)
{
    (void)host;
    (void)batch;
    (void)timeout_ms;
    return NULL;
}

static int32_t no_partitions(const struct sluice_host *host, const char *topic, int timeout_ms)
{
    (void)host;
    (void)topic;
    (void)timeout_ms;
    return -1;
}

static bool no_offsets(const struct sluice_host *host, const char *topic, int32_t partition,
                       int timeout_ms, int64_t *ret_beginning, int64_t *ret_end)
{
    (void)host;
    (void)topic;
    (void)partition;
    (void)timeout_ms;
    *ret_beginning = *ret_end = 0;
    return false;
}

static const struct sluice_sink_context check_sink_context = {
    .size = sizeof(struct sluice_sink_context),
    .request_commit = no_host,
    .wake = no_host,
    .timeout = no_timeout,
    .rewind = no_rewind,
    .pause = no_pause,
    .resume = no_pause,
    .report = take_report,
    .has_reporter = yes,
    .raise_error = raise_error,
    .owns = owns,
    .durable = no_host,
};

static const struct sluice_source_context check_source_context = {
    .size = sizeof(struct sluice_source_context),
    .wake = no_host,
    .offset = no_offset,
    .request_task_reconfiguration = no_host,
    .raise_error = raise_error,
    .topics = no_topics,
    .partitions = no_partitions,
    .offsets = no_offsets,
};

static const void *extension(void *user, const char *id)
{
    (void)user;
    return strcmp(id, SLUICE_SINK_CONTEXT) == 0     ? (const void *)&check_sink_context
           : strcmp(id, SLUICE_SOURCE_CONTEXT) == 0 ? (const void *)&check_source_context
                                                    : NULL;
}

static void finish(struct check *check, struct plugin_instance *instance)
{
    check_phase(check, "destroy");
    plugin_instance_destroy(instance);
    check_phase(check, "");
    char *text = atomic_exchange(&raised, NULL);
    if (text) {
        check_fail(check, "the task was failed by raise_error(): %s", text);
        free(text);
    }
}

/* -- what both have -- */

enum { TASKS_MAX = 3 };

struct division {
    struct check *check;
    int tasks;
};

static void on_invalid(const struct sluice_report *report, const char *name, const char *format,
                       ...)
{
    (void)report;
    (void)name; /* a guessed configuration need not be good as a whole */
    (void)format;
}

static void on_task(const struct sluice_report *report)
{
    ((struct division *)report->host_data)->tasks++;
}

static void on_task_set(const struct sluice_report *report, const char *name, const char *value)
{
    const struct division *division = report->host_data;
    if (division->tasks == 0) {
        check_fail(division->check, "task_configs called task_set() before task()");
    } else if (!name || !*name) {
        check_fail(division->check, "task_configs set a key without a name");
    }
    (void)value;
}

static void run_division(struct check *check)
{
    struct plugin_instance *instance = check_guess(check) ? check_create(check) : NULL;
    struct division division = {.check = check};
    const struct sluice_report report = {
        .size = sizeof(report),
        .invalid = on_invalid,
        .task = on_task,
        .task_set = on_task_set,
        .host_data = &division,
    };
    if (!instance) {
        return;
    }
    const struct sluice_connector *connector = class_connector(instance->descriptor);
    if (connector->validate) {
        check_phase(check, "validate");
        connector->validate(instance->self, instance->config, &report);
    }
    if (connector->task_configs) {
        check_phase(check, "task_configs");
        enum sluice_result result =
            connector->task_configs(instance->self, instance->config, TASKS_MAX, &report);
        if (check_result(check, instance, "task_configs", result, FOR_NOW) &&
            division.tasks > TASKS_MAX) {
            check_fail(check, "task_configs made %d tasks of at most %d", division.tasks,
                       (int)TASKS_MAX);
        }
    }
    check_phase(check, "destroy");
    plugin_instance_destroy(instance);
    check_phase(check, "");
}

/* One that was started, or NULL with the outcome noted. */
static struct plugin_instance *started(struct check *check)
{
    check->environment.extension = extension;
    struct plugin_instance *instance = check_guess(check) ? check_create(check) : NULL;
    if (!instance) {
        return NULL;
    }
    const struct sluice_descriptor *descriptor = instance->descriptor;
    check_phase(check, "start");
    enum sluice_result result =
        strcmp(descriptor->kind, SLUICE_SINK) == 0
            ? ((const struct sluice_sink *)descriptor->vtable)->start(instance->self, instance->config)
            : ((const struct sluice_source *)descriptor->vtable)->start(instance->self, instance->config);
    if (!check_accepted(check, instance, "start", result)) {
        finish(check, instance);
        return NULL;
    }
    return instance;
}

/* -- sinks -- */

static void stop_sink(struct check *check, struct plugin_instance *instance)
{
    const struct sluice_sink *vtable = instance->descriptor->vtable;
    check_phase(check, "stop");
    vtable->stop(instance->self);
    finish(check, instance);
}

static void run_sink_stop(struct check *check)
{
    struct plugin_instance *instance = started(check);
    if (instance) {
        stop_sink(check, instance);
    }
}

static void put(struct check *check, struct plugin_instance *instance, struct sluice_batch *batch,
                const char *call)
{
    const struct sluice_sink *vtable = instance->descriptor->vtable;
    check_phase(check, "put");
    enum sluice_result result = vtable->put(instance->self, batch);
    (void)check_result(check, instance, call, result, FOR_NOW | 1u << SLUICE_BAD_RECORD);
}

static void pre_commit(struct check *check, struct plugin_instance *instance, const char *topic)
{
    const struct sluice_sink *vtable = instance->descriptor->vtable;
    struct sluice_topic_offset offset = {topic, 0, RECORDS};
    size_t count = 1;
    if (!vtable->pre_commit) {
        return;
    }
    check_phase(check, "pre_commit");
    enum sluice_result result = vtable->pre_commit(instance->self, &offset, &count);
    if (!check_result(check, instance, "pre_commit", result, FOR_NOW)) {
        return;
    }
    if (count > 1 || (count == 1 && (offset.offset > RECORDS || offset.offset < 0))) {
        check_fail(check, "pre_commit says %zu partitions, offset %lld; it was given 1 and %d",
                   count, (long long)offset.offset, (int)RECORDS);
    }
}

static void on_released(void *user)
{
    *(bool *)user = true;
}

static void run_sink_put(struct check *check)
{
    bool released = false, empty_released = false;
    struct plugin_instance *instance = started(check);
    if (!instance) {
        return;
    }
    const struct sluice_sink *vtable = instance->descriptor->vtable;
    const char *topics = properties_get(&check->config, "topics");
    char topic[250];
    (void)snprintf(topic, sizeof(topic), "%.*s", (int)strcspn(topics ? topics : "check", ", "),
                   topics ? topics : "check");
    const struct sluice_topic_partition partition = {topic, 0};
    if (vtable->open) {
        check_phase(check, "open");
        enum sluice_result result = vtable->open(instance->self, &partition, 1);
        (void)check_result(check, instance, "open", result, 0);
    }
    struct sluice_batch *empty = batch_new(NULL), *batch = check_batch(topic, RECORDS, 5);
    batch_on_release(empty, on_released, &empty_released);
    batch_on_release(batch, on_released, &released);
    put(check, instance, empty, "put of an empty batch");
    if (!empty_released) {
        put(check, instance, batch, "put of JSON records");
    }
    if (empty_released || released) {
        check_fail(check, "put() released a batch that it had not retained: it is borrowed");
        finish(check, instance);
        return;
    }
    records_api.release(batch); /* what put() keeps of it and did not retain is gone from here on */
    put(check, instance, empty, "put of an empty batch");
    pre_commit(check, instance, topic);
    records_api.release(empty);
    if (vtable->close) {
        check_phase(check, "close");
        vtable->close(instance->self, &partition, 1);
    }
    stop_sink(check, instance);
    if (!released) {
        check_fail(check, "a batch that put() retained is still held after destroy()");
    }
}

/* -- sources -- */

static void deliver(struct check *check, struct plugin_instance *instance,
                    struct sluice_batch *batch)
{
    const struct sluice_source *vtable = instance->descriptor->vtable;
    for (size_t i = 0; i < records_api.count(batch); i++) {
        const struct sluice_record *record = records_api.at(batch, i);
        const struct sluice_delivery delivery = {
            .size = sizeof(delivery),
            .result = SLUICE_OK,
            .offset = (int64_t)i,
            .timestamp = clock_wall_ms(),
        };
        if (!records_api.topic(record) || !*records_api.topic(record)) {
            check_fail(check, "poll gave a record without topic");
        }
        (void)data_api.to_text(batch, records_api.value(record));
        if (vtable->record_done) {
            check_phase(check, "record_done");
            vtable->record_done(instance->self, record, &delivery);
            check_phase(check, "");
        }
    }
}

/* Number of records it gave. */
static size_t poll_once(struct check *check, struct plugin_instance *instance)
{
    const struct sluice_source *vtable = instance->descriptor->vtable;
    struct sluice_batch *batch = batch_new(NULL);
    check_phase(check, "poll");
    int64_t begin = clock_monotonic_ms();
    enum sluice_result result = vtable->poll(instance->self, batch, POLL_TIMEOUT);
    int64_t took = clock_monotonic_ms() - begin;
    size_t count = 0;
    (void)check_result(check, instance, "poll", result, FOR_NOW);
    if (took > POLL_TIMEOUT + POLL_GRACE) {
        check_fail(check, "poll(%d ms) returned after %lld ms: a stop would wait for it",
                   (int)POLL_TIMEOUT, (long long)took);
    }
    if (check->outcome == CHECK_OK) {
        deliver(check, instance, batch);
        count = records_api.count(batch);
    }
    records_api.release(batch);
    return count;
}

static void stop_source(struct check *check, struct plugin_instance *instance)
{
    const struct sluice_source *vtable = instance->descriptor->vtable;
    if (vtable->drain) {
        check_phase(check, "drain");
        vtable->drain(instance->self);
        for (int i = 0; i < POLLS && poll_once(check, instance) > 0; i++) {
        }
    }
    check_phase(check, "stop");
    vtable->stop(instance->self);
    finish(check, instance);
}

static void run_source_stop(struct check *check)
{
    struct plugin_instance *instance = started(check);
    if (instance) {
        stop_source(check, instance);
    }
}

static void run_source_poll(struct check *check)
{
    struct plugin_instance *instance = started(check);
    if (!instance) {
        return;
    }
    const struct sluice_source *vtable = instance->descriptor->vtable;
    for (int i = 0; i < POLLS && check->outcome == CHECK_OK; i++) {
        (void)poll_once(check, instance);
    }
    if (vtable->commit && check->outcome == CHECK_OK) {
        check_phase(check, "commit");
        enum sluice_result result = vtable->commit(instance->self);
        (void)check_result(check, instance, "commit", result, FOR_NOW);
    }
    stop_source(check, instance);
}

const struct check_case check_connector_cases[] = {
    {"validate and divide into tasks", SLUICE_SINK, run_division},
    {"start and stop", SLUICE_SINK, run_sink_stop},
    {"open, put, pre_commit, close, stop", SLUICE_SINK, run_sink_put},
    {"validate and divide into tasks", SLUICE_SOURCE, run_division},
    {"start and stop", SLUICE_SOURCE, run_source_stop},
    {"poll within its time, deliver, commit, stop", SLUICE_SOURCE, run_source_poll},
    {0},
};
