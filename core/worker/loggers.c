/* /admin/loggers: levels of named loggers, here and in every host that runs. [loop thread] */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/log.h"
#include "core/worker/herder_priv.h"

/* Names that exist before anybody sets a level: ours, and Connect's, which scripts ask for. */
static const char *const known[] = {
    "org.apache.kafka.connect.runtime.AbstractHerder",
    "org.apache.kafka.connect.runtime.Worker",
    "org.apache.kafka.connect.runtime.WorkerConnector",
    "org.apache.kafka.connect.runtime.WorkerSinkTask",
    "org.apache.kafka.connect.runtime.WorkerSourceTask",
    "org.apache.kafka.connect.runtime.WorkerTask",
    "org.apache.kafka.connect.runtime.rest.RestServer",
    "org.apache.kafka.connect.runtime.standalone.StandaloneHerder",
    "sluice.broker.kafka.config",
    "sluice.host.errors",
    "sluice.host.task",
    "sluice.log.server",
    "sluice.rest",
    "sluice.worker",
    "sluice.worker.config-dir",
    "sluice.worker.herder",
    "sluice.worker.plugins",
    "sluice.worker.supervisor",
};

void loggers_init(void)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        log_know(known[i]);
    }
}

static json_t *level_json(enum log_level level, int64_t modified)
{
    return json_pack("{s:s,s:o}", "level", log_level_name(level), "last_modified",
                     modified < 0 ? json_null() : json_integer(modified));
}

static void add_level(void *user, const char *logger, bool own, enum log_level level,
                      int64_t modified)
{
    if (own) {
        json_object_set_new(user, logger, level_json(level, modified));
    }
}

/* By name: log_each_level() gives root first. */
static json_t *sorted(json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
    json_t *result = text ? json_loads(text, 0, NULL) : NULL;
    free(text);
    json_decref(object);
    return result ? result : json_object();
}

static void list(struct command *command)
{
    json_t *body = json_object();
    log_each_level(add_level, body);
    body = sorted(body);
    command_reply(command, 200, body, NULL);
    json_decref(body);
}

static const char *canonical(const char *name)
{
    return strcasecmp(name, LOG_ROOT) == 0 ? LOG_ROOT : name;
}

static void get(struct command *command)
{
    const char *name = canonical(command->request.name);
    int64_t modified;
    if (!log_knows(name)) {
        command_reply_format(command, 404, "Logger %s not found.", name);
        return;
    }
    enum log_level level = log_level_of(name, &modified);
    json_t *body = level_json(level, modified);
    command_reply(command, 200, body, NULL);
    json_decref(body);
}

struct affected {
    const char *name;
    json_t *names;
};

static void add_affected(void *user, const char *logger, bool own, enum log_level level,
                         int64_t modified)
{
    const struct affected *affected = user;
    (void)own;
    (void)level;
    (void)modified;
    if (strncmp(logger, affected->name, strlen(affected->name)) == 0 ||
        strcmp(affected->name, LOG_ROOT) == 0) {
        json_object_set_new(affected->names, logger, json_null());
    }
}

static json_t *affected_names(const char *name)
{
    struct affected affected = {name, json_object()};
    json_t *names = json_array(), *value;
    const char *logger;
    log_each_level(add_affected, &affected);
    affected.names = sorted(affected.names);
    json_object_foreach(affected.names, logger, value)
    {
        json_array_append_new(names, json_string(logger));
    }
    json_decref(affected.names);
    return names;
}

static void set(struct herder *herder, struct command *command)
{
    const struct herder_request *request = &command->request;
    const char *text = json_string_value(json_object_get(request->body, "level"));
    const char *name = canonical(request->name);
    int level = text ? log_level_parse(text) : -1;
    if (!text) {
        command_reply(command, 400, NULL,
                      "Desired 'level' parameter was not specified in request.");
        return;
    }
    if (level < 0) {
        command_reply_format(command, 404, "invalid log level '%s'.", text);
        return;
    }
    log_set_level_of(name, (enum log_level)level);
    supervisor_push_log_levels(herder->supervisor);
    log_info(LOGGER, "Setting level of namespace %s and children to %s", name,
             log_level_name((enum log_level)level));
    json_t *names = request->cluster ? NULL : affected_names(name);
    command_reply(command, request->cluster ? 204 : 200, names, NULL);
    json_decref(names);
}

void herder_loggers(struct herder *herder, struct command *command)
{
    if (command->request.verb == HERDER_LOGGERS) {
        list(command);
    } else if (command->request.verb == HERDER_LOGGER) {
        get(command);
    } else {
        set(herder, command);
    }
    command_finish(command);
}
