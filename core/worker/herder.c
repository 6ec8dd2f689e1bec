#include "core/worker/herder.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sluice/config_provider.h>
#include <sluice/converter.h>

#include "core/base/log.h"
#include "core/worker/herder_priv.h"

enum {
    REQUEST_TIMEOUT_MS = 90000, /* as Connect; not configurable there either */
    STOP_TIMEOUT_MS = 5000,
};

/* -- commands -- */

static void answer(struct command *command, const struct herder_reply *reply)
{
    if (command->answered) {
        return;
    }
    command->answered = true;
    loop_cancel(command->timer);
    command->timer = NULL;
    if (command->request.done) {
        command->request.done(command->request.user, reply);
    }
}

void command_reply(struct command *command, int status, json_t *body, const char *message)
{
    answer(command, &(struct herder_reply){.status = status, .body = body, .message = message});
}

void command_reply_format(struct command *command, int status, const char *format, ...)
{
    char *message = NULL;
    va_list args;
    va_start(args, format);
    if (vasprintf(&message, format, args) < 0) {
        abort();
    }
    va_end(args);
    command_reply(command, status, NULL, message);
    free(message);
}

void command_reply_located(struct command *command, int status, json_t *body, const char *location)
{
    answer(command, &(struct herder_reply){.status = status, .body = body, .location = location});
}

void command_reply_text(struct command *command, const char *text)
{
    answer(command, &(struct herder_reply){.status = 200, .text = text});
}

void command_finish(struct command *command)
{
    command_reply(command, 500, NULL, "Request cannot be completed");
    validation_cancel(command->validation);
    host_abandon(command->host);
    *(command->all_prev ? &command->all_prev->all_next : &command->herder->commands) =
        command->all_next;
    if (command->all_next) {
        command->all_next->all_prev = command->all_prev;
    }
    json_decref(command->request.body);
    free((char *)(uintptr_t)command->request.name);
    free(command);
}

static void on_request_timeout(void *user)
{
    struct command *command = user;
    command->timer = NULL;
    char *text = stage_timed_out(&command->stage);
    size_t size = text ? strlen(text) : 0;
    if (command->request.verb == HERDER_VALIDATE && size > 0 && text[size - 1] == '.') {
        text[size - 1] = '\0'; /* Connect leaves it out there */
    }
    command_reply(command, 500, NULL, text ? text : "Request timed out");
    free(text);
}

static void begin(struct command *command)
{
    struct herder *herder = command->herder;
    if (command->answered) {
        command_finish(command); /* it waited too long for the worker to start */
    } else if (command->request.verb < HERDER_CREATE) {
        herder_read(herder, command);
    } else {
        connector_submit(herder, command);
    }
}

static void take(void *user)
{
    struct command *command = user;
    struct herder *herder = command->herder;
    command->all_next = herder->commands;
    if (command->all_next) {
        command->all_next->all_prev = command;
    }
    herder->commands = command;
    if (herder->stopping) {
        command_reply(command, 500, NULL, "The worker is shutting down");
        command_finish(command);
        return;
    }
    command->timer = loop_after(herder->loop, REQUEST_TIMEOUT_MS, on_request_timeout, command);
    if (herder->ready || command->request.verb <= HERDER_HEALTH) {
        begin(command);
    } else { /* it waits for the worker to be ready, as a request does in Connect */
        command->next = NULL;
        *herder->early_end = command;
        herder->early_end = &command->next;
    }
}

static void begin_early(struct herder *herder)
{
    while (herder->early) {
        struct command *command = herder->early;
        herder->early = command->next;
        command->next = NULL;
        begin(command);
    }
    herder->early_end = &herder->early;
}

void herder_submit(struct herder *herder, const struct herder_request *request)
{
    struct command *command = calloc(1, sizeof(*command));
    char *name = strdup(request->name ? request->name : "");
    if (!command || !name) {
        abort(); /* somebody waits for the answer */
    }
    command->herder = herder;
    command->request = *request;
    command->request.name = name;
    loop_post(herder->loop, take, command);
}

void herder_enqueue(struct herder *herder, enum herder_verb verb, const char *name, int task)
{
    const struct herder_request request = {.verb = verb, .name = name, .task = task};
    herder_submit(herder, &request);
}

/* -- helpers -- */

struct connector *herder_find(const struct herder *herder, const char *name)
{
    for (struct connector *connector = herder->connectors; connector; connector = connector->next) {
        if (connector->exists && strcmp(connector->name, name) == 0) {
            return connector;
        }
    }
    return NULL;
}

int64_t herder_long(const struct herder *herder, json_t *config, const char *name, int64_t fallback)
{
    const char *text = json_string_value(json_object_get(config, name));
    text = text ? text : properties_get(herder->worker, name);
    char *end;
    long long value = text ? strtoll(text, &end, 10) : 0;
    return text && end != text && *end == '\0' ? value : fallback;
}

int64_t herder_stop_timeout(const struct herder *herder)
{
    int64_t timeout =
        herder_long(herder, NULL, "task.shutdown.graceful.timeout.ms", STOP_TIMEOUT_MS);
    return timeout >= 0 ? timeout : STOP_TIMEOUT_MS;
}

/* -- life -- */

static void on_idle(void *user);

static json_t *json_of_properties(const struct properties *properties)
{
    json_t *object = json_object();
    for (size_t i = 0; i < properties->count; i++) {
        json_t *value = json_string(properties->items[i].value);
        json_object_set_new(object, properties->items[i].name, value ? value : json_string(""));
    }
    return object;
}

static int open_offsets(struct herder *herder, struct error *error)
{
    const char *named = properties_get(herder->worker, "offset.storage.file.filename");
    char *path = named && *named ? strdup(named) : data_dir_file(herder->data, "connect.offsets");
    int result = path ? offsets_file_open(path, &herder->offsets, error)
                      : error_set(error, ERROR_NO_MEMORY, "Out of memory");
    free(path);
    if (result == 0) {
        herder->offsets_writer = offsets_writer_create(herder->loop, herder->offsets);
        if (!herder->offsets_writer) {
            result =
                error_set(error, ERROR_SYSTEM, "Could not start the thread that stores offsets");
        }
    }
    return result;
}

struct herder *herder_create(const struct herder_options *options, struct error *error)
{
    struct herder *herder = calloc(1, sizeof(*herder));
    if (!herder) {
        (void)error_set(error, ERROR_NO_MEMORY, "Out of memory for a herder");
        return NULL;
    }
    loggers_init();
    herder->loop = options->loop;
    herder->early_end = &herder->early;
    herder->worker = options->worker;
    herder->data = options->data;
    herder->worker_json = json_of_properties(options->worker);
    herder->worker_id = strdup(options->worker_id);
    herder->page = worker_page_create();
    herder->supervisor =
        supervisor_create(options->loop, options->host_path, options->data->hosts_lock);
    char *cache = data_dir_file(options->data, "plugins.json");
    herder->catalog = herder->supervisor
                          ? catalog_create(herder->supervisor, options->plugin_paths,
                                           options->plugin_path_count, cache, options->host_path)
                          : NULL;
    free(cache);
    if (options->log_dir) {
        herder->log = embedded_log_create(options->loop, options->log_path, options->log_dir,
                                          options->data->hosts_lock, options->worker);
    }
    if (!herder->worker_id || !herder->page || !herder->catalog || (options->log_dir && !herder->log)) {
        (void)error_set(error, ERROR_NO_MEMORY, "Out of memory for a herder");
    } else if (open_offsets(herder, error) == 0 &&
               (!options->config_dir ||
                config_dir_open(options->loop, herder, options->config_dir, &herder->config_dir,
                                error) == 0)) {
        supervisor_on_idle(herder->supervisor, on_idle, herder);
        return herder;
    }
    herder_destroy(herder);
    return NULL;
}

void herder_destroy(struct herder *herder)
{
    if (!herder) {
        return;
    }
    while (herder->connectors) {
        struct connector *connector = herder->connectors;
        herder->connectors = connector->next;
        connector_free(connector);
    }
    config_dir_close(herder->config_dir);
    catalog_destroy(herder->catalog);
    embedded_log_destroy(herder->log);
    offsets_writer_destroy(herder->offsets_writer);
    offsets_file_close(herder->offsets);
    supervisor_destroy(herder->supervisor);
    error_clear(&herder->start_error);
    json_decref(herder->worker_json);
    free(herder->worker_id);
    free(herder->page);
    free(herder);
}

static int check_class(const struct herder *herder, const char *key, const char *kind,
                       struct error *error)
{
    const char *class_name = properties_get(herder->worker, key);
    if (!class_name || strstr(class_name, "${") || catalog_find(herder->catalog, kind, class_name)) {
        return 0;
    }
    return error_set_class(error, ERROR_CONFIG, "org.apache.kafka.common.config.ConfigException",
                           "Invalid value %s for configuration %s: Class %s could not be found. "
                           "`sluice plugins list` shows what there is; plugin.path says where else to look",
                           class_name, key, class_name);
}

/* Classes of the worker's own file: Connect's worker does not start where one is not there. */
static int check_classes(const struct herder *herder, struct error *error)
{
    const char *named = properties_get(herder->worker, "config.providers");
    char *list = strdup(named ? named : ""), *save = NULL;
    int result = check_class(herder, "key.converter", SLUICE_CONVERTER, error);
    result = result == 0 ? check_class(herder, "value.converter", SLUICE_CONVERTER, error) : result;
    result = result == 0 ? check_class(herder, "header.converter", NULL, error) : result;
    for (char *name = strtok_r(list, ", \t", &save); name && result == 0;
         name = strtok_r(NULL, ", \t", &save)) {
        char *key = NULL;
        if (asprintf(&key, "config.providers.%s.class", name) >= 0) {
            result = check_class(herder, key, SLUICE_CONFIG_PROVIDER, error);
            free(key);
        }
    }
    free(list);
    return result;
}

/* The embedded log and the plugins are looked after side by side; both are needed. */
static void one_ready(struct herder *herder)
{
    if (--herder->waiting > 0 || herder->stopping) {
        return;
    }
    bool failed = herder->start_error.code != ERROR_NONE ||
                  check_classes(herder, &herder->start_error) != 0;
    herder->ready = !failed;
    if (herder->ready && herder->config_dir) {
        config_dir_start(herder->config_dir);
    }
    if (!failed) {
        begin_early(herder);
    }
    herder->on_ready(herder->ready_user, failed ? &herder->start_error : NULL);
}

static void on_catalog(void *user)
{
    one_ready(user);
}

static void on_log_ready(void *user, const struct error *error)
{
    struct herder *herder = user;
    if (error) {
        error_copy(&herder->start_error, error);
    }
    one_ready(herder);
}

void herder_start(struct herder *herder, void (*on_ready)(void *user, const struct error *error),
                  void *user)
{
    herder->on_ready = on_ready;
    herder->ready_user = user;
    herder->waiting = herder->log ? 3 : 2; /* one for this function: both may be there at once */
    if (herder->log) {
        embedded_log_start(herder->log, on_log_ready, herder);
    }
    catalog_refresh(herder->catalog, on_catalog, herder);
    one_ready(herder);
}

static void on_log_stopped(void *user)
{
    struct herder *herder = user;
    herder->on_stopped(herder->stopped_user);
}

/* The log goes last: tasks commit to it until they end. */
static void on_idle(void *user)
{
    struct herder *herder = user;
    if (!herder->stopping || !herder->on_stopped) {
        return;
    }
    if (herder->log) {
        embedded_log_stop(herder->log, on_log_stopped, herder);
    } else {
        on_log_stopped(herder);
    }
}

void herder_stop(struct herder *herder, void (*on_stopped)(void *user), void *user)
{
    herder->stopping = true;
    config_dir_close(herder->config_dir); /* what goes now is not deleted */
    herder->config_dir = NULL;
    herder->on_stopped = on_stopped;
    herder->stopped_user = user;
    for (struct connector *connector = herder->connectors; connector; connector = connector->next) {
        connector_shutdown(connector);
        connector->current = NULL;
        connector->queue = NULL;
        connector->queue_end = &connector->queue;
    }
    herder->early = NULL;
    herder->early_end = &herder->early;
    while (herder->commands) {
        command_reply(herder->commands, 500, NULL, "The worker is shutting down");
        command_finish(herder->commands);
    }
    catalog_destroy(herder->catalog); /* a scan under way is no longer waited for */
    herder->catalog = NULL;
    if (supervisor_count(herder->supervisor) == 0) {
        on_idle(herder);
    }
}

void herder_kill(struct herder *herder)
{
    supervisor_kill_all(herder->supervisor);
    if (herder->log) {
        embedded_log_kill(herder->log);
    }
}
