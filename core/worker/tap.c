/*
 * /connectors/{}/tap: the next records of a task at a stage, from its host (core/host/tap.h), where
 * sluice.tap.enable says that records may be shown. [loop thread]
 */
#include <strings.h>
#include <string.h>

#include "core/worker/herder_priv.h"

enum { WAIT_MS = 5000, PATIENCE_MS = 2000 };

static void reply(struct command *command, json_t *records)
{
    json_t *body = json_pack("{s:o}", "records", records ? json_incref(records) : json_array());
    command_reply(command, 200, body, NULL);
    json_decref(body);
    command_finish(command);
}

static struct task *task_of(struct command *command)
{
    struct connector *connector = herder_find(command->herder, command->request.name);
    return connector ? task_find(connector, command->request.task) : NULL;
}

/* Not even the host's control thread answers. */
static void on_no_answer(void *user)
{
    struct command *command = user;
    command->timer = NULL;
    reply(command, NULL);
}

static void on_time_over(void *user)
{
    struct command *command = user;
    struct task *task = task_of(command);
    command->timer = NULL;
    if (task && task->host) {
        host_send(task->host, json_pack("{s:s,s:I}", "type", "tap_end", "id",
                                        (json_int_t)command->tap_id));
    }
    command->timer = loop_after(command->herder->loop, PATIENCE_MS, on_no_answer, command);
}

static bool allowed(const struct herder *herder)
{
    const char *text = properties_get(herder->worker, "sluice.tap.enable");
    return text && strcasecmp(text, "true") == 0;
}

static bool stage_fits(const char *stage, const char *type)
{
    return strcmp(stage, "transformed") == 0 ||
           strcmp(stage, strcmp(type, "sink") == 0 ? "converted" : "polled") == 0;
}

static bool busy(const struct command *asking)
{
    for (const struct command *one = asking->herder->commands; one; one = one->all_next) {
        if (one->tap_id != 0 && one->request.task == asking->request.task &&
            strcmp(one->request.name, asking->request.name) == 0) {
            return true;
        }
    }
    return false;
}

static void refuse(struct command *command, int status, const char *message)
{
    command_reply(command, status, NULL, message);
    command_finish(command);
}

void herder_tap(struct herder *herder, struct command *command)
{
    static int64_t last_id;
    const struct herder_request *request = &command->request;
    const char *stage = json_string_value(json_object_get(request->body, "stage"));
    struct task *task = task_of(command);
    if (!allowed(herder)) {
        refuse(command, 403,
               "Records are not shown by this worker: sluice.tap.enable=true in its file allows "
               "samples");
    } else if (!task) {
        command_reply_format(command, 404, "Task %s-%d not found", request->name, request->task);
        command_finish(command);
    } else if (!stage || !stage_fits(stage, task->connector->type)) {
        command_reply_format(command, 400, "A %s has the stages '%s' and 'transformed'",
                             task->connector->type,
                             strcmp(task->connector->type, "sink") == 0 ? "converted" : "polled");
        command_finish(command);
    } else if (busy(command)) {
        refuse(command, 409, "A sample of this task is being taken");
    } else if (!task->host || task->stopping) {
        refuse(command, 409, "The task does not run");
    } else {
        command->tap_id = ++last_id;
        host_send(task->host, json_pack("{s:s,s:I,s:s,s:i}", "type", "tap", "id",
                                        (json_int_t)command->tap_id, "stage", stage, "limit",
                                        request->most));
        loop_cancel(command->timer);
        command->timer = loop_after(herder->loop, WAIT_MS, on_time_over, command);
    }
}

void herder_tapped(struct herder *herder, json_t *message)
{
    int64_t id = json_integer_value(json_object_get(message, "id"));
    json_t *records = json_object_get(message, "records");
    for (struct command *command = herder->commands; command; command = command->all_next) {
        if (id != 0 && command->tap_id == id) {
            reply(command, json_is_array(records) ? records : NULL);
            return;
        }
    }
}
