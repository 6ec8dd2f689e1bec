/* A task: its host process started, stopped, paused and restarted as its connector wishes. [loop
 * thread] */
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/worker/herder_priv.h"

enum { WELL_MS = 60000 /* it ran so long: restarts by itself count from the beginning */ };

struct task *task_find(const struct connector *connector, int id)
{
    for (struct task *task = connector->tasks; task; task = task->next) {
        if (task->id == id && !task->removed) {
            return task;
        }
    }
    return NULL;
}

bool tasks_stopping(const struct connector *connector)
{
    for (const struct task *task = connector->tasks; task; task = task->next) {
        if (task->stopping) {
            return true;
        }
    }
    return false;
}

void task_free(struct task *task)
{
    loop_cancel(task->restart_timer);
    json_decref(task->config);
    json_decref(task->applied);
    free(task->trace);
    free(task);
}

static void set_failed(struct task *task, const char *trace)
{
    struct connector *connector = task->connector;
    free(task->trace);
    task->trace = strdup(trace);
    task->failed = true;
    task->state = "FAILED";
    task->running_since = 0;
    connector_log(connector, task->id, LOG_LEVEL_ERROR, "Task %s-%d failed: %s", connector->name,
                  task->id, trace);
}

/* -- restarts by itself, where they are asked for -- */

static void on_restart_timer(void *user)
{
    struct task *task = user;
    task->restart_timer = NULL;
    if (task->failed && task->wanted) {
        connector_log(task->connector, task->id, LOG_LEVEL_INFO,
                      "Task %s-%d is restarted by itself (attempt %d)", task->connector->name, task->id,
                      task->attempts);
        task->failed = false;
        task->state = "RESTARTING";
        task_reconcile(task);
    }
}

static void restart_by_itself(struct task *task, int64_t ran_ms)
{
    if (ran_ms >= WELL_MS) {
        task->attempts = 0;
    }
    int64_t pause = restart_pause(task->connector, task->attempts);
    if (pause >= 0) {
        task->attempts++;
        task->restart_timer =
            loop_after(task->connector->herder->loop, pause, on_restart_timer, task);
    }
}

/* -- what its host says -- */

static void on_offsets_get(struct task *task, json_t *message)
{
    json_t *offsets = json_array(), *partition;
    size_t i;
    json_array_foreach(json_object_get(message, "partitions"), i, partition)
    {
        json_t *offset =
            offsets_file_get(task->connector->herder->offsets, task->connector->name, partition);
        json_array_append(offsets, offset ? offset : json_null());
    }
    host_send(task->host, json_pack("{s:s,s:O,s:o}", "type", "offsets_reply", "id",
                                    json_object_get(message, "id"), "offsets", offsets));
}

static void on_stored(void *key, int64_t id, const char *message)
{
    struct task *task = key;
    if (message) {
        log_error(LOGGER, "%s", message);
    }
    if (task->host) {
        host_send(task->host, json_pack("{s:s,s:I,s:s?}", "type", "offsets_stored", "id",
                                        (json_int_t)id, "error", message));
    }
}

static void on_offsets(struct task *task, json_t *message)
{
    struct herder *herder = task->connector->herder;
    json_t *pair;
    size_t i;
    json_array_foreach(json_object_get(message, "offsets"), i, pair)
    {
        json_t *partition = json_array_get(pair, 0), *offset = json_array_get(pair, 1);
        /* The file is everybody's: a host that writes rubbish shall not be in it. invariant 6 */
        if (json_is_object(partition) && (json_is_object(offset) || json_is_null(offset))) {
            offsets_file_set(herder->offsets, task->connector->name, partition, offset);
        }
    }
    offsets_writer_save(herder->offsets_writer, task,
                        json_integer_value(json_object_get(message, "id")), on_stored);
}

static void on_message(void *user, const char *type, json_t *message)
{
    struct task *task = user;
    struct connector *connector = task->connector;
    if (strcmp(type, "state") == 0) {
        const char *state = json_string_value(json_object_get(message, "state"));
        if (task->starting) {
            task->starting = false;
            herder_count_startup(connector->herder, "task", true);
        }
        if (state && strcmp(state, "RUNNING") == 0) {
            task->state = "RUNNING";
            task->running_since = clock_monotonic_ms();
        } else if (state && strcmp(state, "PAUSED") == 0) {
            task->state = "PAUSED";
        }
    } else if (strcmp(type, "offsets_get") == 0) {
        on_offsets_get(task, message);
    } else if (strcmp(type, "offsets") == 0) {
        on_offsets(task, message);
    } else if (strcmp(type, "topic") == 0) {
        const char *topic = json_string_value(json_object_get(message, "topic"));
        if (topic) {
            active_topics_add(connector, topic);
        }
    } else if (strcmp(type, "tapped") == 0) {
        herder_tapped(connector->herder, message);
    } else if (strcmp(type, "committed") == 0) {
        task->committing = false;
    } else if (strcmp(type, "reconfigure") == 0) {
        herder_enqueue(connector->herder, HERDER_RECONFIGURE, connector->name, -1);
    }
}

static void keep_counts(struct task *task)
{
    const struct metrics_page *page = host_page(task->host);
    task->past_records += page_sum(page, record_metrics);
    task->past_bytes += page_sum(page, byte_metrics);
    task->past_objects += page_sum(page, object_metrics);
}

static void on_end(void *user, const struct host_end *end)
{
    struct task *task = user;
    struct connector *connector = task->connector;
    int64_t ran = task->running_since ? clock_monotonic_ms() - task->running_since : 0;
    keep_counts(task);
    offsets_writer_forget(connector->herder->offsets_writer, task);
    task->host = NULL;
    task->running_since = 0;
    task->committing = false;
    if (task->starting && !task->stopping) {
        herder_count_startup(connector->herder, "task", false);
    }
    task->starting = false;
    if (task->stopping) {
        task->stopping = false;
        if (!end->clean) {
            connector_log(connector, task->id, LOG_LEVEL_ERROR, "Task %s-%d did not stop well: %s",
                          connector->name, task->id, end->trace);
        }
        task->state = task->stale ? "RESTARTING" : "UNASSIGNED";
        task->stale = false;
    } else {
        set_failed(task, end->trace ? end->trace
                                    : "org.apache.kafka.connect.errors.ConnectException: The task "
                                      HOST_ENDED_ITSELF);
        restart_by_itself(task, ran);
    }
    tasks_reconcile(connector); /* others may have waited for this one's end */
    connector_poke(connector);
}

/* -- start, stop -- */

static void start(struct task *task)
{
    struct connector *connector = task->connector;
    struct herder *herder = connector->herder;
    struct error error = {0};
    char *name = NULL, *subject = NULL, *context = NULL;
    json_t *const configs[] = {task->applied, herder->worker_json, NULL};
    if (asprintf(&name, "%s-%d", connector->name, task->id) < 0 ||
        asprintf(&subject, "Task %s", name) < 0 ||
        asprintf(&context, "[%s|task-%d] ", connector->name, task->id) < 0) {
        abort();
    }
    task->paused_told = connector->target == TARGET_PAUSED;
    const struct host_options options = {
        .role = "task",
        .name = name,
        .subject = subject,
        .context = context,
        .first = json_pack("{s:s,s:s,s:i,s:O,s:O,s:o,s:b,s:I}", "type", "task", "name",
                           connector->name, "task", task->id, "config", task->applied, "worker",
                           herder->worker_json, "plugin_path",
                           catalog_files_for(herder->catalog, configs), "paused",
                           (int)task->paused_told, "memory_limit",
                           (json_int_t)herder_long(herder, task->applied,
                                                   "sluice.task.memory.limit.bytes", MEMORY_LIMIT)),
        .on_message = on_message,
        .on_end = on_end,
        .user = task,
    };
    task->host = host_start(herder->supervisor, &options, &error);
    task->starting = task->host != NULL;
    if (!task->host) {
        herder_count_startup(herder, "task", false);
        set_failed(task, error.message ? error.message : "The host process could not be started");
        restart_by_itself(task, 0);
    }
    error_clear(&error);
    free(name);
    free(subject);
    free(context);
}

static void stop(struct task *task)
{
    task->stopping = true;
    host_stop(task->host, herder_stop_timeout(task->connector->herder));
}

static void unlink_and_free(struct task *task)
{
    struct task **link = &task->connector->tasks;
    while (*link != task) {
        link = &(*link)->next;
    }
    *link = task->next;
    task_free(task);
}

/*
 * Another task of this connector is on its way out. What it read may be this one's now, and the offsets
 * it has not told yet say from where on (invariant 4): Connect stops all before it starts any, too.
 */
static bool others_leave(const struct task *task)
{
    for (const struct task *other = task->connector->tasks; other; other = other->next) {
        if (other != task && other->host && (other->stopping || other->stale || !other->wanted)) {
            return true;
        }
    }
    return false;
}

void task_reconcile(struct task *task)
{
    bool paused = task->connector->target == TARGET_PAUSED;
    if (task->host) {
        if (task->stopping) {
            return;
        }
        if (!task->wanted || task->stale) {
            stop(task);
        } else if (paused != task->paused_told) {
            task->paused_told = paused;
            host_send(task->host, json_pack("{s:s}", "type", paused ? "pause" : "resume"));
        }
    } else if (task->removed) {
        unlink_and_free(task);
    } else if (task->wanted && !task->failed && !task->connector->herder->stopping &&
               !others_leave(task)) {
        start(task);
    }
}

void tasks_reconcile(struct connector *connector)
{
    for (struct task *task = connector->tasks, *next; task; task = next) {
        next = task->next;
        task_reconcile(task);
    }
}

static void mark_restart(struct task *task)
{
    loop_cancel(task->restart_timer);
    task->restart_timer = NULL;
    task->attempts = 0;
    task->failed = false;
    task->wanted = true;
    task->state = "RESTARTING";
    task->state_before = NULL;
    task->stale = task->host != NULL;
}

void task_restart(struct task *task)
{
    mark_restart(task);
    task_reconcile(task);
}

/* -- the list -- */

/* What the host gets: the connector's keys (converters, transforms, errors.*), over them the
 * task's. */
static json_t *apply(const struct connector *connector, json_t *config)
{
    json_t *applied = json_copy(connector->config);
    json_object_update(applied, config);
    json_object_set(applied, "connector.class",
                    json_object_get(connector->config, "connector.class"));
    return applied;
}

static void set_task_class(const struct connector *connector, json_t *config)
{
    static const char end[] = "Connector";
    json_t *descriptor = catalog_find_connector(
        connector->herder->catalog,
        json_string_value(json_object_get(connector->config, "connector.class")), NULL);
    const char *class_name = json_string_value(json_object_get(descriptor, "class"));
    size_t size = class_name ? strlen(class_name) : 0;
    if (size > sizeof(end) - 1 && strcmp(class_name + size - (sizeof(end) - 1), end) == 0 &&
        !json_object_get(config, "task.class")) {
        json_object_set_new(config, "task.class",
                            json_sprintf("%.*sTask", (int)(size - (sizeof(end) - 1)), class_name));
    }
}

static struct task *task_add(struct connector *connector, int id)
{
    struct task *task = calloc(1, sizeof(*task));
    if (!task) {
        abort();
    }
    task->connector = connector;
    task->id = id;
    task->state = "UNASSIGNED";
    struct task **link = &connector->tasks;
    while (*link && (*link)->id < id) {
        link = &(*link)->next;
    }
    task->next = *link;
    *link = task;
    return task;
}

static void set_config(struct task *task, json_t *config, bool force)
{
    json_t *applied = apply(task->connector, config);
    bool changed = !task->applied || !json_equal(applied, task->applied);
    json_decref(task->config);
    task->config = json_incref(config);
    json_decref(task->applied);
    task->applied = applied;
    bool revived = !task->wanted || task->removed;
    task->wanted = true;
    task->removed = false;
    if (changed || force || revived) {
        bool fresh = !task->host && !task->trace;
        mark_restart(task);
        if (fresh && !task->failed) {
            task->state = "UNASSIGNED";
        }
    }
}

void tasks_apply(struct connector *connector, json_t *configs, bool force)
{
    int count = (int)json_array_size(configs);
    for (int id = 0; id < count; id++) {
        struct task *task = NULL;
        for (struct task *t = connector->tasks; t; t = t->next) {
            task = t->id == id ? t : task;
        }
        json_t *config = json_array_get(configs, (size_t)id);
        set_task_class(connector, config);
        set_config(task ? task : task_add(connector, id), config, force);
    }
    for (struct task *task = connector->tasks; task; task = task->next) {
        if (task->id >= count) {
            task->wanted = false;
            task->removed = true;
        }
    }
    tasks_reconcile(connector); /* all are marked by now: those that leave are waited for */
}

void tasks_remove(struct connector *connector)
{
    json_t *none = json_array();
    tasks_apply(connector, none, false);
    json_decref(none);
}
