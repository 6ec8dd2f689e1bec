/*
 * A connector's configuration: validated, set up, and only then taken (create, PUT, PATCH).
 * [loop thread]
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "core/worker/herder_priv.h"

static void reply_info(struct connector *connector, bool created)
{
    json_t *info = connector_info(connector);
    if (created) {
        char *location = NULL;
        if (asprintf(&location, "/connectors/%s", connector->name) < 0) {
            abort();
        }
        command_reply_located(connector->current, 201, info, location);
        free(location);
    } else {
        command_reply(connector->current, 200, info, NULL);
    }
    json_decref(info);
}

/* It is there from now on, with this configuration. */
static void take_config(struct connector *connector)
{
    json_t *descriptor = catalog_find_connector(
        connector->herder->catalog,
        json_string_value(json_object_get(connector->new_config, "connector.class")), NULL);
    const char *kind = json_string_value(json_object_get(descriptor, "kind"));
    connector->type = !kind ? "unknown" : strcmp(kind, "sluice.sink/1") == 0 ? "sink" : "source";
    connector->exists = true;
    json_decref(connector->config);
    connector->config = json_incref(connector->new_config);
    if (!connector->current->request.from_file && !connector->current->request.keep_failed) {
        config_dir_saved(connector->herder->config_dir, connector->name, connector->config);
    }
}

/* Bad from the start: answered, or kept where a file on the command line asked for it. */
static void refuse(struct connector *connector, int status, const char *message, const char *trace)
{
    struct command *command = connector->current;
    if (command->request.keep_failed && !connector->exists) {
        take_config(connector);
        connector->target = command->request.initial_state;
        connector_fail(connector, trace ? trace : message);
        connector_restart_later(connector);
    }
    command_reply(command, status, NULL, message);
    connector_finish(connector);
}

static void on_created(struct connector *connector, const struct host_end *failure)
{
    herder_count_startup(connector->herder, "connector", !failure);
    if (failure) {
        connector_setup_failed(connector, failure);
        connector_reply_setup_failed(connector, failure);
    } else {
        connector_well(connector);
        tasks_apply(connector, connector->new_tasks, false);
        reply_info(connector, true);
    }
    connector_finish(connector);
}

/* Validate, then swap: what could not be set up leaves the former configuration running. */
static void on_reconfigured(struct connector *connector, const struct host_end *failure)
{
    herder_count_startup(connector->herder, "connector", !failure);
    if (failure) {
        command_reply(connector->current, 500, NULL, failure->message);
        connector_log(connector, -1, LOG_LEVEL_ERROR, "The new configuration of %s is not used: %s",
                      connector->name, failure->trace);
    } else {
        take_config(connector);
        connector_well(connector);
        tasks_apply(connector, connector->new_tasks, false);
        reply_info(connector, false);
    }
    connector_finish(connector);
}

static void warn_unknown(const struct connector *connector, json_t *unknown)
{
    json_t *name;
    size_t i;
    json_array_foreach(unknown, i, name)
    {
        connector_log(connector, -1, LOG_LEVEL_WARN,
                      "The key '%s' is known neither to the connector's class nor to the framework; it "
                      "has no effect",
                      json_string_value(name));
    }
}

static void on_validated(void *user, const struct validation_result *result)
{
    struct connector *connector = user;
    struct command *command = connector->current;
    connector->validation = NULL;
    bool good = !result->failure && result->error_count == 0;
    if (good && connector->exists && command->request.verb == HERDER_CREATE) {
        command_reply_format(command, 409, "Connector %s already exists", connector->name);
        connector_finish(connector);
        return;
    }
    if (result->failure) {
        refuse(connector, 500, result->failure, result->failure_trace);
        return;
    }
    if (result->error_count > 0) {
        char *message = validation_message(result), *trace = NULL;
        if (asprintf(&trace, "org.apache.kafka.connect.runtime.rest.errors.BadRequestException: %s",
                     message) < 0) {
            abort();
        }
        refuse(connector, 400, message, trace);
        free(message);
        free(trace);
        return;
    }
    json_t *descriptor = catalog_find_connector(
        connector->herder->catalog,
        json_string_value(json_object_get(connector->new_config, "connector.class")), NULL);
    const char *kind = json_string_value(json_object_get(descriptor, "kind"));
    stage_validation_complete(&command->stage, kind && strcmp(kind, "sluice.sink/1") == 0,
                              connector->new_config);
    warn_unknown(connector, result->unknown);
    const struct host_end fault = {.code = ERROR_TOPIC_CREATION,
                                   .message = result->start_failure,
                                   .trace = result->start_trace,
                                   .class_name = ""};
    if (!connector->exists) {
        take_config(connector);
        connector_set_target(connector, command->request.initial_state);
        if (result->start_failure) {
            on_created(connector, &fault);
            return;
        }
        if (connector->target == TARGET_RUNNING) {
            setup_start(connector, connector->config, on_created);
            return;
        }
        connector_well(connector);
        reply_info(connector, true);
    } else if (result->start_failure) {
        on_reconfigured(connector, &fault);
        return;
    } else if (connector->target == TARGET_RUNNING) {
        setup_start(connector, connector->new_config, on_reconfigured);
        return;
    } else { /* tasks of a paused one are made anew when it is resumed */
        take_config(connector);
        connector_well(connector);
        reply_info(connector, false);
    }
    connector_finish(connector);
}

/* Connect's words for a map. Values are left out: they may be secrets. */
static void refuse_no_class(struct connector *connector)
{
    refuse(connector, 400, "Connector config {} contains no connector type", NULL);
}

static void validate(struct connector *connector)
{
    struct herder *herder = connector->herder;
    json_t *config = connector->new_config;
    struct error error = {0};
    const char *class_name = json_string_value(json_object_get(config, "connector.class"));
    if (!class_name) {
        refuse_no_class(connector);
        return;
    }
    json_t *descriptor = catalog_find_connector(herder->catalog, class_name, &error);
    if (!descriptor) {
        char *trace = error_trace(&error);
        refuse(connector, 500, error.message, trace);
        free(trace);
        error_clear(&error);
        return;
    }
    stage_validation_begin(&connector->current->stage);
    connector->validation = validation_start(
        herder->loop, herder->supervisor, herder->catalog, descriptor, config, herder->worker_json,
        herder_long(herder, config, "sluice.plugin.timeout.ms", PLUGIN_TIMEOUT_MS), connector->name,
        on_validated, connector);
}

/* PATCH: null removes a key. */
static json_t *patched(json_t *config, json_t *patch)
{
    json_t *result = json_copy(config), *value;
    const char *name;
    json_object_foreach(patch, name, value)
    {
        if (json_is_null(value)) {
            json_object_del(result, name);
        } else {
            json_object_set(result, name, value);
        }
    }
    return result;
}

void configure_begin(struct connector *connector)
{
    struct command *command = connector->current;
    enum herder_verb verb = command->request.verb;
    json_t *body = command->request.body;
    if (verb == HERDER_PATCH_CONFIG && !connector->exists) {
        command_reply_format(command, 404, "Connector %s not found", connector->name);
        connector_finish(connector);
        return;
    }
    if (json_is_null(body)) {
        command_reply(command, 500, NULL, NULL);
        connector_finish(connector);
        return;
    }
    connector->new_config =
        verb == HERDER_PATCH_CONFIG ? patched(connector->config, body) : json_copy(body);
    validate(connector);
}
