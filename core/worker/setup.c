/*
 * A connector's set-up: its class makes the task configurations in a host process of its own, which
 * leaves then. [loop thread]
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/log.h"
#include "core/worker/herder_priv.h"

static void on_reload_timer(void *user)
{
    struct connector *connector = user;
    const struct herder_request request = {
        .verb = HERDER_RESTART, .name = connector->name, .include_tasks = true};
    connector->reload_timer = NULL;
    if (connector->exists) {
        log_info(LOGGER, "Connector %s is restarted: values of a config provider are outdated",
                 connector->name);
        herder_submit(connector->herder, &request);
    }
}

/* Values of a config provider are good for so long (config.action.reload). */
static void reload_later(struct connector *connector, json_int_t milliseconds)
{
    const char *action =
        json_string_value(json_object_get(connector->config, "config.action.reload"));
    loop_cancel(connector->reload_timer);
    connector->reload_timer = NULL;
    if (!action || strcasecmp(action, "none") != 0) {
        connector->reload_timer =
            loop_after(connector->herder->loop, milliseconds, on_reload_timer, connector);
    }
}

static void on_message(void *user, const char *type, json_t *message)
{
    struct connector *connector = user;
    if (strcmp(type, "task_configs") == 0) {
        json_decref(connector->new_tasks);
        connector->new_tasks = json_incref(json_object_get(message, "configs"));
    } else if (strcmp(type, "time_to_live") == 0) {
        reload_later(connector, json_integer_value(json_object_get(message, "milliseconds")));
    }
}

static void finish(struct connector *connector, const struct host_end *failure)
{
    void (*on_setup)(struct connector *, const struct host_end *) = connector->on_setup;
    connector->on_setup = NULL;
    on_setup(connector, failure);
}

static void finish_badly(struct connector *connector, const char *message)
{
    const struct host_end failure = {.trace = message, .message = message, .class_name = ""};
    finish(connector, &failure);
}

static void on_end(void *user, const struct host_end *end)
{
    struct connector *connector = user;
    connector->setup = NULL;
    if (!end->clean) {
        finish(connector, end);
    } else if (json_is_array(connector->new_tasks)) {
        finish(connector, NULL);
    } else {
        finish_badly(connector, "The connector " HOST_ENDED_ITSELF);
    }
}

void setup_start(struct connector *connector, json_t *config,
                 void (*on_setup)(struct connector *connector,
                                  const struct host_end *failure))
{
    struct herder *herder = connector->herder;
    struct error error = {0};
    char *subject = NULL, *context = NULL;
    const char *class_name = json_string_value(json_object_get(config, "connector.class"));
    json_t *const configs[] = {config, herder->worker_json, NULL};
    json_decref(connector->new_tasks);
    connector->new_tasks = NULL;
    connector->on_setup = on_setup;
    if (asprintf(&subject, "Connector %s", connector->name) < 0 ||
        asprintf(&context, "[%s|worker] ", connector->name) < 0) {
        abort();
    }
    const struct host_options options = {
        .role = "connector",
        .name = connector->name,
        .subject = subject,
        .context = context,
        .first =
            json_pack("{s:s,s:s,s:s,s:O,s:O,s:o,s:I}", "type", "connector", "name", connector->name,
                      "class", class_name ? class_name : "", "config", config, "worker",
                      herder->worker_json, "plugin_path",
                      catalog_files_for(herder->catalog, configs), "memory_limit",
                      (json_int_t)herder_long(herder, config, "sluice.task.memory.limit.bytes",
                                              MEMORY_LIMIT)),
        .deadline_ms = herder_long(herder, config, "sluice.plugin.timeout.ms", PLUGIN_TIMEOUT_MS),
        .on_message = on_message,
        .on_end = on_end,
        .user = connector,
    };
    connector->setup = host_start(herder->supervisor, &options, &error);
    free(subject);
    free(context);
    if (!connector->setup) {
        finish_badly(connector,
                     error.message ? error.message : "The host process could not be started");
    }
    error_clear(&error);
}

void setup_cancel(struct connector *connector)
{
    host_abandon(connector->setup);
    connector->setup = NULL;
    connector->on_setup = NULL;
}
