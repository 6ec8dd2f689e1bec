/* Role "task": sets up what tasks share, listens to the worker, runs the task, reports its end. */
#include "core/host/task.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/host/process.h"
#include "core/host/protocol.h"
#include "core/host/resolve.h"

#define LOGGER "sluice.host.task"

void task_kick(struct task *task)
{
    pthread_mutex_lock(&task->lock);
    pthread_cond_broadcast(&task->changed);
    if (task->kick) {
        task->kick(task->kick_user);
    }
    pthread_mutex_unlock(&task->lock);
}

bool task_stopping(struct task *task)
{
    pthread_mutex_lock(&task->lock);
    bool stopping = task->stopping;
    pthread_mutex_unlock(&task->lock);
    return stopping;
}

bool task_wait(struct task *task, int64_t deadline)
{
    struct timespec until = {.tv_sec = deadline / 1000, .tv_nsec = deadline % 1000 * 1000000};
    return pthread_cond_timedwait(&task->changed, &task->lock, &until) != ETIMEDOUT;
}

bool task_sleep(struct task *task, int64_t milliseconds)
{
    int64_t deadline = clock_monotonic_ms() + milliseconds;
    pthread_mutex_lock(&task->lock);
    while (!task->stopping && task_wait(task, deadline)) {
    }
    bool stopping = task->stopping;
    pthread_mutex_unlock(&task->lock);
    return !stopping;
}

struct task *task_of(const struct sluice_host *host)
{
    const struct plugin_instance *instance = host->host_data;
    return instance->environment->user;
}

void task_wake(const struct sluice_host *host)
{
    struct task *task = task_of(host);
    pthread_mutex_lock(&task->lock);
    task->wake = true;
    pthread_cond_broadcast(&task->changed);
    pthread_mutex_unlock(&task->lock);
}

void task_raise(struct task *task, struct error *error)
{
    pthread_mutex_lock(&task->lock);
    if (task->raised.code == ERROR_NONE) {
        task->raised = *error;
        *error = (struct error){0};
    }
    pthread_cond_broadcast(&task->changed);
    pthread_mutex_unlock(&task->lock);
    error_clear(error);
}

void task_raise_error(const struct sluice_host *host, const char *java_class, const char *message)
{
    struct error error = {0};
    (void)error_set_class(&error, ERROR_PLUGIN_FAILED, java_class, "%s", message);
    task_raise(task_of(host), &error);
}

bool task_take_raised(struct task *task, struct error *error)
{
    pthread_mutex_lock(&task->lock);
    bool raised = task->raised.code != ERROR_NONE;
    if (raised) {
        error_clear(error);
        *error = task->raised;
        task->raised = (struct error){0};
    }
    pthread_mutex_unlock(&task->lock);
    return raised;
}

void task_send(struct task *task, json_t *message)
{
    struct error error = {0};
    if (channel_send(task->process->control, message, &error) == 0) {
        return;
    }
    if (error.code == ERROR_TOO_LARGE || error.code == ERROR_NO_MEMORY) {
        host_fail(task->process, &error); /* the message's fault; the worker still listens */
        _exit(1);
    }
    process_orphaned(); /* nobody is there to tell */
}

void task_state(struct task *task, const char *state)
{
    metrics_state(task->process->page,
                  strcmp(state, "RUNNING") == 0  ? METRICS_RUNNING
                  : strcmp(state, "PAUSED") == 0 ? METRICS_PAUSED
                                                 : METRICS_OTHER,
                  clock_monotonic_ms());
    task_send(task, json_pack("{s:s,s:s}", "type", "state", "state", state));
}

int task_failure(struct task *task, enum sluice_result result, const char *call, struct error *error)
{
    struct plugin_failure failure = {.record = -1, .retry_after = -1};
    plugin_failure_take(&failure, result, task->instance, call);
    error_clear(error);
    *error = failure.error;
    return -1;
}

json_t *task_request(struct task *task, json_t *message, int64_t timeout_ms, struct error *error)
{
    int64_t now = clock_monotonic_ms();
    int64_t deadline = timeout_ms < INT64_MAX - now ? now + timeout_ms : INT64_MAX;
    pthread_mutex_lock(&task->lock);
    int64_t id = ++task->reply_id;
    json_decref(task->reply);
    task->reply = NULL;
    pthread_mutex_unlock(&task->lock);
    json_object_set_new(message, "id", json_integer(id));
    task_send(task, message);

    json_t *reply = NULL;
    pthread_mutex_lock(&task->lock);
    do {
        if (task->stopping && task->stop_deadline < deadline) {
            deadline = task->stop_deadline;
        }
    } while (!task->reply && task_wait(task, deadline));
    reply = task->reply;
    task->reply = NULL;
    pthread_mutex_unlock(&task->lock);
    if (!reply) {
        (void)error_set(error, ERROR_TIMEOUT, "the worker did not answer within %lld ms",
                        (long long)(clock_monotonic_ms() - now));
    }
    return reply;
}

void task_client_properties(const struct task *task, enum client_role role, struct properties *ret)
{
    const struct client_owner owner = {
        .worker = &task->worker,
        .connector = &task->config,
        .name = task->connector,
        .task = task->number,
        .takes_client_keys = task->takes_client_keys,
    };
    properties_set(ret, "sluice.log.start", "false"); /* an embedded log is the worker's to start */
    client_properties_compose(&owner, role, ret);
}

int64_t task_long(const struct task *task, const char *name, int64_t fallback)
{
    const char *text = properties_get(&task->config, name);
    if (!text) {
        text = properties_get(&task->worker, name);
    }
    if (!text) {
        return fallback;
    }
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0') {
        log_line(LOG_LEVEL_WARN, LOGGER, task->context, "'%s' is no number for %s; %lld is used", text,
                 name, (long long)fallback);
        return fallback;
    }
    return value;
}

struct metrics_slot *task_metric(struct task *task, const char *name, uint32_t kind)
{
    return metrics_slot(task->process->page, name, kind);
}

struct metrics_stat *task_stat(struct task *task, const char *name, uint32_t kinds, int64_t divisor)
{
    return metrics_stat(task->process->page, name, kinds, divisor);
}

void task_record(struct task *task, struct metrics_stat *stat, int64_t value)
{
    metrics_record(task->process->page, stat, value, clock_monotonic_ms());
}

void task_committed(struct task *task, int64_t begin, bool stored)
{
    int64_t now = clock_monotonic_ns();
    metrics_record(task->process->page, task->commit_time, (now - begin) / 1000, now / 1000000);
    metrics_record(task->process->page, task->commit_outcome, stored, now / 1000000);
    metrics_observe(task->process->page, METRICS_COMMIT, now - begin, 1);
}

/* -- control thread -- */

/* Steals message. */
static void obey(struct task *task, const char *type, json_t *message)
{
    pthread_mutex_lock(&task->lock);
    if (strcmp(type, "stop") == 0) {
        json_int_t timeout = json_integer_value(json_object_get(message, "timeout_ms"));
        task->stopping = true;
        task->stop_deadline = clock_monotonic_ms() + (timeout > 0 ? timeout : 5000);
    } else if (strcmp(type, "pause") == 0) {
        task->paused = true;
    } else if (strcmp(type, "resume") == 0) {
        task->paused = false;
    } else if (strcmp(type, "log_levels") == 0) {
        process_log_levels(message);
    } else if (strcmp(type, "topics_reset") == 0) {
        used_topics_reset(&task->topics);
    } else if (strcmp(type, "commit") == 0) {
        task->commit_requested = task->commit_asked = true;
    } else if ((strcmp(type, "offsets_reply") == 0 || strcmp(type, "offsets_stored") == 0) &&
               json_integer_value(json_object_get(message, "id")) == task->reply_id) {
        json_decref(task->reply);
        task->reply = message; /* handed over to the task thread */
        message = NULL;
    }
    pthread_mutex_unlock(&task->lock);
    task_kick(task);
    json_decref(message);
}

static void *control_main(void *user)
{
    struct task *task = user;
    for (;;) {
        json_t *message = NULL;
        struct error error = {0};
        int got = channel_receive(task->process->control, &message, &error);
        if (got == 1) {
            const char *type = json_string_value(json_object_get(message, "type"));
            if (type && (strcmp(type, "tap") == 0 || strcmp(type, "tap_end") == 0)) {
                tap_obey(task, message);
            }
            obey(task, type ? type : "", message);
        } else if (got < 0) {
            /* The worker is gone: whatever is not durable now is read again by a successor. */
            process_orphaned();
        }
    }
    return NULL;
}

/* -- setting up -- */

static int task_init(struct task *task, struct host_process *process, json_t *first)
{
    const char *name = json_string_value(json_object_get(first, "name"));
    *task = (struct task){
        .process = process,
        .connector = strdup(name ? name : ""),
        .number = (int)json_integer_value(json_object_get(first, "task")),
        .paused = json_is_true(json_object_get(first, "paused")),
        .registry = registry_create(),
    };
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&task->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&task->lock, NULL);
    tap_init(&task->tap);
    if (asprintf(&task->context, "[%s|task-%d] ", task->connector, task->number) < 0) {
        task->context = NULL;
    }
    process_properties(&task->config, json_object_get(first, "config"));
    process_properties(&task->worker, json_object_get(first, "worker"));
    const char *tracking = properties_get(&task->worker, "topic.tracking.enable");
    used_topics_init(&task->topics, tracking && strcasecmp(tracking, "false") == 0);
    task->environment = (struct plugin_environment){
        .registry = task->registry,
        .page = process->page,
        .log_context = task->context,
        .user = task,
    };
    struct metrics_page *page = process->page;
    atomic_store(&page->window_ms, task_long(task, "metrics.sample.window.ms", 0));
    atomic_store(&page->samples, (uint32_t)task_long(task, "metrics.num.samples", 0));
    metrics_state(page, METRICS_OTHER, clock_monotonic_ms());
    task->batch_size = task_stat(task, "batch-size-*", METRICS_AVG | METRICS_MAX, 1);
    task->commit_time =
        task_stat(task, "offset-commit-*-time-ms", METRICS_AVG | METRICS_MAX, 1000);
    task->commit_outcome = task_stat(task, "offset-commit-*-percentage", METRICS_SHARE, 1);
    return task->connector && task->context && task->registry ? 0 : -1;
}

static int run(struct task *task, json_t *first, struct error *error)
{
    process_load_plugins(task->registry, json_object_get(first, "plugin_path"));
    if (resolve_configs(&task->environment, &task->worker, &task->config, NULL, error) != 0) {
        return -1;
    }
    const char *class_name = properties_get(&task->config, "connector.class");
    if (!class_name) {
        return error_set_class(error, ERROR_CONFIG, SLUICE_CONFIG_EXCEPTION,
                               "Missing required configuration \"connector.class\" which has no "
                               "default value.");
    }
    const struct sluice_descriptor *descriptor =
        registry_find(task->registry, NULL, class_name, error);
    if (!descriptor) {
        return -1;
    }
    task->takes_client_keys = client_keys_taken(descriptor->options);
    if (strcmp(descriptor->kind, SLUICE_SINK) == 0) {
        return sink_task_run(task, error);
    }
    if (strcmp(descriptor->kind, SLUICE_SOURCE) == 0) {
        return source_task_run(task, error);
    }
    return error_set(error, ERROR_UNKNOWN_CLASS, "%s is a %s, not a connector", class_name,
                     descriptor->kind);
}

int host_task(struct host_process *process, json_t *first)
{
    static struct task task; /* outlives every thread: the process ends by _exit */
    struct error error = {0};
    if (task_init(&task, process, first) != 0 ||
        pthread_create(&task.control_thread, NULL, control_main, &task) != 0) {
        (void)error_set(&error, ERROR_NO_MEMORY, "A task could not be set up: out of memory");
        host_fail(process, &error);
        return 1;
    }
    if (run(&task, first, &error) != 0) {
        host_fail(process, &error);
        error_clear(&error);
        return 1;
    }
    task_state(&task, "STOPPED");
    return 0;
}
