/*
 * Role "connector": divides a connector's work into task configurations (Connector.taskConfigs).
 * Each is a copy of the connector's own, with what the class set in it; the class runs here, apart
 * from any task. [main thread]
 */
#include "core/base/json_text.h"
#include "core/host/process.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sluice/plugin.h>

#include "core/config/framework.h"
#include "core/host/class_validate.h"
#include "core/host/resolve.h"
#include "core/plugin/instance.h"

enum { MOST_TASKS = 10000 };

struct tasks {
    json_t *own;                /* the connector's configuration; borrowed */
    struct properties resolved; /* the same with the values that variables stand for */
    json_t *configs; /* array of objects */
    bool too_many;
    bool set_before_task;
};

static void on_invalid(const struct sluice_report *report, const char *name, const char *format,
                       ...)
{
    (void)report;
    (void)name;
    (void)format;
}

static void add_task(struct tasks *tasks)
{
    if (json_array_size(tasks->configs) >= MOST_TASKS) {
        tasks->too_many = true;
        return;
    }
    json_array_append_new(tasks->configs, json_copy(tasks->own));
}

static void on_task(const struct sluice_report *report)
{
    add_task(report->host_data);
}

/* A value that came of a variable is stored as the variable (invariant 7). */
static bool is_resolved(const struct tasks *tasks, const char *name, const char *value)
{
    const char *raw = json_string_value(json_object_get(tasks->own, name));
    const char *resolved = properties_get(&tasks->resolved, name);
    return raw && resolved && strcmp(raw, resolved) != 0 && strcmp(resolved, value) == 0;
}

static void on_task_set(const struct sluice_report *report, const char *name, const char *value)
{
    struct tasks *tasks = report->host_data;
    size_t count = json_array_size(tasks->configs);
    if (count == 0) {
        tasks->set_before_task = true;
        return;
    }
    json_t *config = json_array_get(tasks->configs, count - 1);
    if (value && is_resolved(tasks, name, value)) {
        json_object_set(config, name, json_object_get(tasks->own, name));
    } else if (value) {
        json_object_set_new(config, name, json_text(value));
    } else {
        json_object_del(config, name);
    }
}

static int ask(struct host_process *process, struct plugin_instance *instance,
               const struct sluice_connector *connector, int max_tasks, struct tasks *tasks,
               struct error *error)
{
    const char *class_name = instance->descriptor->class_name;
    const struct sluice_report report = {
        .size = sizeof(report),
        .invalid = on_invalid,
        .task = on_task,
        .task_set = on_task_set,
        .host_data = tasks,
    };
    plugin_failure_reset();
    host_phase(process, "task_configs", class_name);
    enum sluice_result result =
        connector->task_configs(instance->self, instance->config, max_tasks, &report);
    host_phase(process, "", "");
    if (result != SLUICE_OK) {
        struct plugin_failure failure = {0};
        plugin_failure_take(&failure, result, instance, "task_configs");
        *error = failure.error;
        return -1;
    }
    if (tasks->set_before_task) {
        return error_set(error, ERROR_PLUGIN_FAILED,
                         "task_configs of %s called report->task_set() before report->task()",
                         class_name);
    }
    if (tasks->too_many) {
        return error_set(error, ERROR_PLUGIN_FAILED, "task_configs of %s made more than %d tasks",
                         class_name, (int)MOST_TASKS);
    }
    return 0;
}

static int tasks_max(const struct properties *config)
{
    const char *text = properties_get(config, "tasks.max");
    long wanted = text ? strtol(text, NULL, 10) : 1;
    return wanted < 1 ? 1 : wanted > MOST_TASKS ? MOST_TASKS : (int)wanted;
}

/* tasks.max.enforce (KIP-1004). */
static int check_count(json_t *first, const struct properties *config, size_t count, int max_tasks,
                       struct error *error)
{
    const char *enforce = properties_get(config, "tasks.max.enforce");
    if (count <= (size_t)max_tasks || (enforce && strcasecmp(enforce, "false") == 0)) {
        return 0;
    }
    return error_set(
        error, ERROR_CONFIG,
        "The connector %s has generated %zu tasks, which is greater than %d, the maximum "
        "number of tasks it is configured to create. Raise tasks.max, or allow it with "
        "tasks.max.enforce=false",
        process_text(first, "name"), count, max_tasks);
}

static int make_configs(struct host_process *process, json_t *first,
                        struct plugin_environment *environment, const struct properties *worker,
                        struct tasks *tasks, struct error *error)
{
    const struct sluice_descriptor *descriptor =
        registry_find(environment->registry, NULL, process_text(first, "class"), error);
    if (!descriptor) {
        return -1;
    }
    bool sink = strcmp(descriptor->kind, SLUICE_SINK) == 0;
    if (!sink && strcmp(descriptor->kind, SLUICE_SOURCE) != 0) {
        return error_set(error, ERROR_UNKNOWN_CLASS, "%s is a %s, not a connector",
                         descriptor->class_name, descriptor->kind);
    }
    if (!sink && framework_check_topic_creation(&tasks->resolved, worker, error) != 0) {
        return -1;
    }
    const struct sluice_connector *connector = class_connector(descriptor);
    int max_tasks = tasks_max(&tasks->resolved);
    if (!connector->task_configs) {
        for (int i = 0; i < (sink ? max_tasks : 1); i++) {
            add_task(tasks);
        }
        return 0;
    }
    struct plugin_instance *instance = NULL;
    host_phase(process, "create", descriptor->class_name);
    int result = plugin_instance_create(environment, descriptor->kind, descriptor->class_name,
                                        &instance, error);
    host_phase(process, "configure", descriptor->class_name);
    result = result == 0 ? plugin_instance_configure(instance, &tasks->resolved, error) : result;
    host_phase(process, "", "");
    result = result == 0 ? ask(process, instance, connector, max_tasks, tasks, error) : result;
    host_phase(process, "destroy", descriptor->class_name);
    plugin_instance_destroy(instance);
    host_phase(process, "", "");
    return result == 0 ? check_count(first, &tasks->resolved, json_array_size(tasks->configs), max_tasks, error) : -1;
}

int host_connector(struct host_process *process, json_t *first)
{
    struct error error = {0};
    struct tasks tasks = {.own = json_object_get(first, "config"), .configs = json_array()};
    struct plugin_environment environment = {.registry = registry_create(), .page = process->page};
    struct properties worker = {0};
    int64_t time_to_live = -1;
    process_load_plugins(environment.registry, json_object_get(first, "plugin_path"));
    process_properties(&tasks.resolved, tasks.own);
    process_properties(&worker, json_object_get(first, "worker"));
    int result = resolve_configs(&environment, &worker, &tasks.resolved, &time_to_live, &error);
    result = result == 0 ? make_configs(process, first, &environment, &worker, &tasks, &error) : result;
    if (result == 0 && time_to_live >= 0) {
        process_send(process, json_pack("{s:s,s:I}", "type", "time_to_live", "milliseconds",
                                        (json_int_t)time_to_live));
    }
    if (result == 0) {
        process_send(process,
                     json_pack("{s:s,s:O}", "type", "task_configs", "configs", tasks.configs));
    } else {
        host_fail(process, &error);
    }
    json_decref(tasks.configs);
    properties_finish(&tasks.resolved);
    properties_finish(&worker);
    error_clear(&error);
    registry_destroy(environment.registry);
    return result == 0 ? 0 : 1;
}
