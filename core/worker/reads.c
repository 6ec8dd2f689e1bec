/* What is asked of the herder without changing anything: bodies as kafka-connect.md §1.2. [loop
 * thread] */
#include <stdlib.h>
#include <string.h>

#include <sluice/converter.h>
#include <sluice/sink.h>
#include <sluice/source.h>
#include <sluice/transform.h>

#include "core/base/json_text.h"
#include "core/base/log_output.h"
#include "core/worker/herder_priv.h"

#define VERSION KAFKA_VERSION     /* of Kafka Connect, whose API this is */
#define COMMIT "f745dfdcee2b9851" /* of that version's release */

const char *const record_metrics[] = {"source-record-write-total", "sink-record-send-total", NULL};
const char *const byte_metrics[] = {"source-bytes-total", "sink-bytes-total", NULL};
const char *const object_metrics[] = {"objects-written", NULL};
static const char *const lag_metrics[] = {"sink-record-lag", NULL};
static const char *const active_metrics[] = {"sink-record-active-count", NULL};

int64_t page_sum(const struct metrics_page *page, const char *const *names)
{
    int64_t sum = 0;
    for (const char *const *name = names; page && *name; name++) {
        sum += metrics_value(page, *name);
    }
    return sum;
}

/* -- bodies -- */

static json_t *task_id(const struct task *task)
{
    return json_pack("{s:s,s:i}", "connector", task->connector->name, "task", task->id);
}

json_t *connector_info(const struct connector *connector)
{
    json_t *tasks = json_array();
    for (const struct task *task = connector->tasks; task; task = task->next) {
        if (!task->removed) {
            json_array_append_new(tasks, task_id(task));
        }
    }
    return json_pack("{s:s,s:O,s:o,s:s}", "name", connector->name, "config", connector->config,
                     "tasks", tasks, "type", connector->type);
}

static json_t *state_of(const char *state, const char *trace, const struct herder *herder)
{
    json_t *object = json_pack("{s:s,s:s}", "state", state, "worker_id", herder->worker_id);
    if (trace && strcmp(state, "FAILED") == 0) {
        json_object_set_new(object, "trace", json_text(trace));
    }
    return object;
}

json_t *task_status(const struct task *task)
{
    json_t *object = json_pack("{s:i}", "id", task->id);
    json_t *state = state_of(task->state, task->trace, task->connector->herder);
    json_object_update(object, state);
    json_decref(state);
    return object;
}

json_t *connector_status(const struct connector *connector)
{
    json_t *tasks = json_array();
    for (const struct task *task = connector->tasks; task; task = task->next) {
        if (!task->removed) {
            json_array_append_new(tasks, task_status(task));
        }
    }
    /* Ours: schedule, where there is one. What Connect's own clients read has no such key. */
    return json_pack("{s:s,s:o,s:o,s:s,s:o*}", "name", connector->name, "connector",
                     state_of(connector->state, connector->trace, connector->herder), "tasks",
                     tasks, "type", connector->type, "schedule", connector_schedule(connector));
}

static json_t *tasks_body(const struct connector *connector)
{
    json_t *list = json_array();
    for (const struct task *task = connector->tasks; task; task = task->next) {
        if (!task->removed) {
            json_array_append_new(
                list, json_pack("{s:o,s:O}", "id", task_id(task), "config", task->config));
        }
    }
    return list;
}

static json_t *tasks_config_body(const struct connector *connector)
{
    json_t *object = json_object();
    for (const struct task *task = connector->tasks; task; task = task->next) {
        char *name = NULL;
        if (!task->removed && asprintf(&name, "%s-%d", connector->name, task->id) >= 0) {
            json_object_set(object, name, task->config);
        }
        free(name);
    }
    return object;
}

/* -- one connector -- */

static void reply_not_found(struct command *command, const char *format_front, const char *name,
                            const char *format_back)
{
    char *message = NULL;
    if (asprintf(&message, "%s%s%s", format_front, name, format_back) < 0) {
        abort();
    }
    command_reply(command, 404, NULL, message);
    free(message);
}

static void read_task_status(struct herder *herder, struct command *command)
{
    const struct connector *connector = herder_find(herder, command->request.name);
    const struct task *task = connector ? task_find(connector, command->request.task) : NULL;
    if (task) {
        json_t *body = task_status(task);
        command_reply(command, 200, body, NULL);
        json_decref(body);
        return;
    }
    char back[32];
    (void)snprintf(back, sizeof(back), "-%d", command->request.task);
    reply_not_found(command, "No status found for task ", command->request.name, back);
}

static void read_connector(struct herder *herder, struct command *command)
{
    const struct connector *connector = herder_find(herder, command->request.name);
    enum herder_verb verb = command->request.verb;
    if (!connector) {
        if (verb == HERDER_STATUS) {
            reply_not_found(command, "No status found for connector ", command->request.name, "");
        } else {
            reply_not_found(command, "Connector ", command->request.name, " not found");
        }
        return;
    }
    if (verb == HERDER_TASKS_CONFIG && !connector->tasks) { /* nothing is what nobody has, in Connect's eyes */
        reply_not_found(command, "Connector ", command->request.name, " not found");
        return;
    }
    json_t *body = verb == HERDER_INFO           ? connector_info(connector)
                   : verb == HERDER_CONFIG       ? json_incref(connector->config)
                   : verb == HERDER_STATUS       ? connector_status(connector)
                   : verb == HERDER_LOGS         ? log_output_lines(connector->name,
                                                                    command->request.after,
                                                                    command->request.most)
                   : verb == HERDER_TASKS        ? tasks_body(connector)
                                                 : tasks_config_body(connector);
    command_reply(command, 200, body, NULL);
    json_decref(body);
}

static void read_list(struct herder *herder, struct command *command)
{
    const struct herder_request *request = &command->request;
    json_t *body = request->expand ? json_object() : json_array();
    for (struct connector *connector = herder->connectors; connector; connector = connector->next) {
        if (!connector->exists) {
            continue;
        }
        if (!request->expand) {
            json_array_append_new(body, json_string(connector->name));
            continue;
        }
        json_t *entry = json_object();
        if (request->expand_status) {
            json_object_set_new(entry, "status", connector_status(connector));
        }
        if (request->expand_info) {
            json_object_set_new(entry, "info", connector_info(connector));
        }
        if (request->expand_metrics) {
            json_object_set_new(entry, "metrics", connector_metrics(connector));
        }
        json_object_set_new(body, connector->name, entry);
    }
    command_reply(command, 200, body, NULL);
    json_decref(body);
}

/* -- plugins -- */

struct kind {
    const char *kind, *type;
};

/* In the order of Connect's answer. */
static const struct kind kinds[] = {
    {SLUICE_SINK, "sink"},
    {SLUICE_SOURCE, "source"},
    {SLUICE_TRANSFORM, "transformation"},
    {SLUICE_PREDICATE, "predicate"},
    {SLUICE_CONVERTER, "converter"},
    {SLUICE_HEADER_CONVERTER, "header_converter"},
};

/* Converters are header converters as well, as Kafka's own are. */
static bool is_of(const char *kind, const char *wanted)
{
    return kind && (strcmp(kind, wanted) == 0 || (strcmp(kind, SLUICE_CONVERTER) == 0 &&
                                                  strcmp(wanted, SLUICE_HEADER_CONVERTER) == 0));
}

/* By class, among the entries from first on. */
static void insert_sorted(json_t *list, size_t first, json_t *entry)
{
    const char *class_name = json_string_value(json_object_get(entry, "class"));
    size_t at = json_array_size(list);
    while (at > first && class_name &&
           strcmp(json_string_value(json_object_get(json_array_get(list, at - 1), "class")),
                  class_name) > 0) {
        at--;
    }
    json_array_insert_new(list, at, entry);
}

static json_t *plugins_body(const struct herder *herder, bool all)
{
    json_t *list = json_array(), *descriptor;
    for (size_t k = 0; k < (all ? sizeof(kinds) / sizeof(kinds[0]) : 2); k++) {
        size_t first = json_array_size(list);
        for (size_t i = 0; (descriptor = catalog_at(herder->catalog, i)); i++) {
            const char *kind = json_string_value(json_object_get(descriptor, "kind"));
            json_t *version = json_object_get(descriptor, "version");
            if (!is_of(kind, kinds[k].kind)) {
                continue;
            }
            json_t *entry = json_pack("{s:O,s:s}", "class", json_object_get(descriptor, "class"),
                                      "type", kinds[k].type);
            if (json_is_string(version)) {
                json_object_set(entry, "version", version);
            }
            insert_sorted(list, first, entry);
        }
    }
    return list;
}

/* A class that only has inner ones to be made: `..transforms.Cast`. */
static bool is_outer(const struct herder *herder, const char *name)
{
    size_t size = strlen(name);
    json_t *descriptor;
    for (size_t i = 0; (descriptor = catalog_at(herder->catalog, i)); i++) {
        const char *class_name = json_string_value(json_object_get(descriptor, "class"));
        if (class_name && strncmp(class_name, name, size) == 0 && class_name[size] == '$') {
            return true;
        }
    }
    return false;
}

static void read_plugin_config(struct herder *herder, struct command *command)
{
    json_t *descriptor = catalog_find(herder->catalog, NULL, command->request.name);
    if (!descriptor && is_outer(herder, command->request.name)) {
        command_reply(command, 500, NULL, "Instantiation error");
        return;
    }
    if (!descriptor) {
        reply_not_found(command, "Unknown plugin ", command->request.name, ".");
        return;
    }
    json_t *body = validation_definitions(descriptor);
    command_reply(command, 200, body, NULL);
    json_decref(body);
}

/* -- validate -- */

static void on_validated(void *user, const struct validation_result *result)
{
    struct command *command = user;
    command->validation = NULL;
    if (result->failure) {
        command_reply_format(command, 500, "%s: %s", result->failure_class, result->failure);
    } else {
        json_t *body =
            json_pack("{s:O,s:i,s:O,s:O}", "name",
                      json_object_get(command->request.body, "connector.class"), "error_count",
                      result->error_count, "groups", result->groups, "configs", result->configs);
        command_reply(command, 200, body, NULL);
        json_decref(body);
    }
    command_finish(command);
}

static size_t without_connector(const char *name)
{
    static const char end[] = "Connector";
    size_t size = strlen(name);
    bool has = size >= sizeof(end) - 1 && strcmp(name + size - (sizeof(end) - 1), end) == 0;
    return has ? size - (sizeof(end) - 1) : size;
}

/* The class of the body must end with the path's name, `Connector` at the end of either aside. */
static bool same_type(const char *class_name, const char *path_name)
{
    size_t size = without_connector(class_name), end = without_connector(path_name);
    return size >= end && memcmp(class_name + size - end, path_name, end) == 0;
}

static void validate(struct herder *herder, struct command *command)
{
    const struct herder_request *request = &command->request;
    const char *class_name = json_string_value(json_object_get(request->body, "connector.class"));
    struct error error = {0};
    char *message = NULL;
    if (!class_name) {
        command_reply(command, 500, NULL,
                      "org.apache.kafka.connect.runtime.rest.errors.BadRequestException: Connector "
                      "config {} contains no connector type");
        command_finish(command);
        return;
    }
    if (!same_type(class_name, request->name)) {
        if (asprintf(&message, "Included connector type %s does not match request type %s",
                     class_name, request->name) < 0) {
            abort();
        }
        command_reply(command, 400, NULL, message);
        free(message);
        command_finish(command);
        return;
    }
    json_t *descriptor = catalog_find_connector(herder->catalog, class_name, &error);
    if (!descriptor) {
        if (asprintf(&message, "org.apache.kafka.connect.errors.ConnectException: %s",
                     error.message) < 0) {
            abort();
        }
        command_reply(command, 500, NULL, message);
        free(message);
        error_clear(&error);
        command_finish(command);
        return;
    }
    stage_validation_begin(&command->stage);
    command->validation = validation_start(
        herder->loop, herder->supervisor, herder->catalog, descriptor, request->body,
        herder->worker_json,
        herder_long(herder, request->body, "sluice.plugin.timeout.ms", PLUGIN_TIMEOUT_MS),
        request->name, on_validated, command);
}

/* -- metrics -- */

static void read_metrics(struct herder *herder, struct command *command)
{
    char *text = herder_metrics(herder);
    if (text) {
        command_reply_text(command, text);
    } else {
        command_reply(command, 500, NULL, "Out of memory for metrics");
    }
    free(text);
}

/* -- which -- */

void herder_read(struct herder *herder, struct command *command)
{
    json_t *body = NULL;
    switch (command->request.verb) {
    case HERDER_TAP:
        herder_tap(herder, command);
        return;
    case HERDER_VALIDATE:
        validate(herder, command);
        return;
    case HERDER_OFFSETS:
        offsets_read(herder, command);
        return;
    case HERDER_TOPICS:
    case HERDER_RESET_TOPICS:
        active_topics_request(herder, command);
        return;
    case HERDER_LOGGERS:
    case HERDER_LOGGER:
    case HERDER_SET_LOGGER:
        herder_loggers(herder, command);
        return;
    case HERDER_SERVER_INFO:
        body = json_pack("{s:s,s:s,s:s}", "version", VERSION, "commit", COMMIT, "kafka_cluster_id",
                         herder->data->cluster_id);
        break;
    case HERDER_HEALTH:
        body = json_pack("{s:s,s:s}", "status", herder->ready ? "healthy" : "starting", "message",
                         herder->ready
                             ? "Worker has completed startup and is ready to handle requests."
                             : "Worker is still starting up.");
        break;
    case HERDER_PLUGINS:
        body = plugins_body(herder, command->request.all_kinds);
        break;
    case HERDER_LIST:
        read_list(herder, command);
        break;
    case HERDER_PLUGIN_CONFIG:
        read_plugin_config(herder, command);
        break;
    case HERDER_TASK_STATUS:
        read_task_status(herder, command);
        break;
    case HERDER_METRICS:
        read_metrics(herder, command);
        break;
    default:
        read_connector(herder, command);
        break;
    }
    if (body) {
        command_reply(command, command->request.verb == HERDER_HEALTH && !herder->ready ? 503 : 200,
                      body, NULL);
        json_decref(body);
    }
    command_finish(command);
}

/* -- progress -- */

void herder_progress(struct herder *herder,
                     void (*fn)(void *user, const struct herder_progress *progress), void *user)
{
    for (struct connector *c = herder->connectors; c; c = c->next) {
        if (!c->exists) {
            continue;
        }
        struct herder_progress progress = {
            .name = c->name,
            .type = c->type,
            .state = c->state,
            .trace = c->trace,
            .settled = !c->current && !c->queue,
            .lag = strcmp(c->type, "sink") == 0 ? 0 : -1,
        };
        for (struct task *task = c->tasks; task; task = task->next) {
            if (task->removed) {
                continue;
            }
            const struct metrics_page *page = task->host ? host_page(task->host) : NULL;
            progress.tasks++;
            progress.running += strcmp(task->state, "RUNNING") == 0;
            progress.failed += task->failed;
            progress.settled =
                progress.settled && (task->failed || strcmp(task->state, "RUNNING") == 0 ||
                                     strcmp(task->state, "PAUSED") == 0);
            if (task->failed && !progress.trace) {
                progress.trace = task->trace;
            }
            progress.records += task->past_records + page_sum(page, record_metrics);
            progress.bytes += task->past_bytes + page_sum(page, byte_metrics);
            progress.objects += task->past_objects + page_sum(page, object_metrics);
            progress.lag += progress.lag >= 0 ? page_sum(page, lag_metrics) : 0;
            progress.active += page_sum(page, active_metrics);
            progress.committing = progress.committing || task->committing;
        }
        fn(user, &progress);
    }
}

void herder_commit(struct herder *herder)
{
    for (struct connector *c = herder->connectors; c; c = c->next) {
        for (struct task *task = strcmp(c->type, "sink") == 0 ? c->tasks : NULL; task;
             task = task->next) {
            if (task->host && strcmp(task->state, "RUNNING") == 0) {
                task->committing = true;
                host_send(task->host, json_pack("{s:s}", "type", "commit"));
            }
        }
    }
}
