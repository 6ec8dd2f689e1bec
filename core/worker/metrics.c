/*
 * What /metrics says: pages of hosts, what the worker counts itself, and what the processes use.
 * [loop thread]
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/clock.h"
#include "core/base/process_usage.h"
#include "core/metrics/prometheus.h"
#include "core/worker/herder_priv.h"

#define WORKER "connect-worker-metrics"
#define CONNECTOR "connector-metrics"
#define TASK "connector-task-metrics"

struct metrics_page *worker_page_create(void)
{
    struct metrics_page *page = calloc(1, sizeof(*page));
    if (page) { /* there from the start, at 0 */
        static const char *const slots[] = {
            "connector-startup-attempts-total", "connector-startup-success-total",
            "connector-startup-failure-total",  "task-startup-attempts-total",
            "task-startup-success-total",       "task-startup-failure-total",
        };
        for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++) {
            (void)metrics_slot(page, slots[i], 1);
        }
        (void)metrics_stat(page, "connector-startup-*-percentage", METRICS_SHARE, 1);
        (void)metrics_stat(page, "task-startup-*-percentage", METRICS_SHARE, 1);
    }
    return page;
}

void herder_count_startup(struct herder *herder, const char *what, bool well)
{
    char name[64];
    struct metrics_page *page = herder->page;
    (void)snprintf(name, sizeof(name), "%s-startup-attempts-total", what);
    metrics_add(metrics_slot(page, name, 1), 1);
    (void)snprintf(name, sizeof(name), "%s-startup-%s-total", what, well ? "success" : "failure");
    metrics_add(metrics_slot(page, name, 1), 1);
    (void)snprintf(name, sizeof(name), "%s-startup-*-percentage", what);
    metrics_record(page, metrics_stat(page, name, METRICS_SHARE, 1), well, clock_monotonic_ms());
}

static void gauge(struct prometheus *out, const char *type, const char *attribute,
                  const char *const *labels, double value)
{
    prometheus_add(out, type, attribute, PROMETHEUS_GAUGE, labels, value);
}

static void add_usage(struct prometheus *out, const char *type, const char *const *labels, int pid)
{
    struct process_usage usage;
    if (process_usage_of(pid, &usage) == 0) {
        gauge(out, type, "process-resident-bytes", labels, (double)usage.resident);
        gauge(out, type, "process-private-bytes", labels, (double)usage.own);
        gauge(out, type, "process-threads", labels, (double)usage.threads);
        prometheus_add(out, type, "process-cpu-seconds-total", PROMETHEUS_COUNTER, labels,
                       (double)usage.cpu_ms / 1000);
    }
}

/* A gauge of 1 with the text as a label, as texts have no place in Prometheus. */
static void text(struct prometheus *out, const char *type, const char *attribute,
                 const char *connector, const char *label, const char *value)
{
    const char *const labels[] = {"connector", connector, label, value, NULL};
    gauge(out, type, attribute, labels, 1);
}

static void add_connector(struct prometheus *out, const struct connector *connector)
{
    json_t *descriptor = catalog_find_connector(
        connector->herder->catalog,
        json_string_value(json_object_get(connector->config, "connector.class")), NULL);
    const char *class_name = json_string_value(json_object_get(descriptor, "class"));
    const char *version = json_string_value(json_object_get(descriptor, "version"));
    const char *name = connector->name;
    text(out, CONNECTOR, "status", name, "status", connector->state);
    text(out, CONNECTOR, "connector-type", name, "connector_type", connector->type);
    text(out, CONNECTOR, "connector-class", name, "connector_class", class_name ? class_name : "");
    text(out, CONNECTOR, "connector-version", name, "connector_version", version ? version : "");
}

/* connector-<state>-task-count */
static void add_task_counts(struct prometheus *out, const struct connector *connector)
{
    static const char *const states[] = {"running",    "paused",    "failed",
                                         "unassigned", "destroyed", "restarting"};
    const char *const labels[] = {"connector", connector->name, NULL};
    int total = 0;
    for (const struct task *task = connector->tasks; task; task = task->next) {
        total += !task->removed;
    }
    gauge(out, WORKER, "connector-total-task-count", labels, total);
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        char attribute[64];
        int count = 0;
        for (const struct task *task = connector->tasks; task; task = task->next) {
            bool destroyed = task->removed;
            count += strcmp(states[i], "destroyed") == 0
                         ? destroyed
                         : !destroyed && strcasecmp(task->state, states[i]) == 0;
        }
        (void)snprintf(attribute, sizeof(attribute), "connector-%s-task-count", states[i]);
        gauge(out, WORKER, attribute, labels, count);
    }
}

static void add_task(struct prometheus *out, const struct task *task)
{
    char number[16];
    const char *name = task->connector->name;
    (void)snprintf(number, sizeof(number), "%d", task->id);
    const char *const labels[] = {"connector", name, "task", number, NULL};
    const char *const with_state[] = {"connector", name,   "task", number,
                                      "status",    task->state, NULL};
    gauge(out, TASK, "status", with_state, 1);
    if (task->host) {
        prometheus_page(out, name, task->id, host_page(task->host));
        add_usage(out, TASK, labels, host_pid(task->host));
    }
}

static int64_t value(const struct metrics_page *page, const char *name)
{
    return page ? metrics_value(page, name) : 0;
}

enum { NUMBERS = 8, LAG = 3 };

static const char *const number_names[NUMBERS] = {"records", "bytes",  "objects", "lag",
                                                  "active",  "errors", "retries", "memory"};

/* The lag of a source is null: it has none that is known here. */
static json_t *numbers_json(const int64_t numbers[NUMBERS], bool sink)
{
    json_t *object = json_object();
    for (size_t i = 0; i < NUMBERS; i++) {
        json_object_set_new(object, number_names[i],
                            i == LAG && !sink ? json_null() : json_integer(numbers[i]));
    }
    return object;
}

static json_t *task_numbers(const struct task *task, bool sink, int64_t sums[NUMBERS])
{
    const struct metrics_page *page = task->host ? host_page(task->host) : NULL;
    struct process_usage usage = {0};
    if (task->host) {
        (void)process_usage_of(host_pid(task->host), &usage);
    }
    const int64_t numbers[NUMBERS] = {
        task->past_records + page_sum(page, record_metrics),
        task->past_bytes + page_sum(page, byte_metrics),
        task->past_objects + page_sum(page, object_metrics),
        value(page, "sink-record-lag"),
        value(page, sink ? "sink-record-active-count" : "source-record-active-count"),
        value(page, "total-record-errors"),
        value(page, "total-retries"),
        usage.own,
    };
    for (size_t i = 0; i < NUMBERS; i++) {
        sums[i] += numbers[i];
    }
    json_t *object = numbers_json(numbers, sink);
    json_object_set_new(object, "id", json_integer(task->id));
    return object;
}

json_t *connector_metrics(const struct connector *connector)
{
    bool sink = strcmp(connector->type, "sink") == 0;
    int64_t sums[NUMBERS] = {0};
    json_t *tasks = json_array();
    for (const struct task *task = connector->tasks; task; task = task->next) {
        if (!task->removed) {
            json_array_append_new(tasks, task_numbers(task, sink, sums));
        }
    }
    json_t *object = numbers_json(sums, sink);
    json_object_set_new(object, "tasks", tasks);
    return object;
}

char *herder_metrics(struct herder *herder)
{
    struct prometheus out;
    size_t connectors = 0, tasks = 0;
    prometheus_init(&out);
    for (const struct connector *c = herder->connectors; c; c = c->next) {
        if (c->exists) {
            connectors++;
            add_connector(&out, c);
            add_task_counts(&out, c);
        }
        for (const struct task *task = c->tasks; task; task = task->next) {
            tasks += !task->removed;
            add_task(&out, task);
        }
    }
    gauge(&out, WORKER, "connector-count", NULL, (double)connectors);
    gauge(&out, WORKER, "task-count", NULL, (double)tasks);
    prometheus_own_page(&out, WORKER, herder->page);
    add_usage(&out, WORKER, NULL, 0);
    return prometheus_take(&out);
}
