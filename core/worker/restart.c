/*
 * Restarts of a connector and its tasks: by itself after a failure, where that is asked for, and by request.
 * [loop thread]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/worker/herder_priv.h"

enum { BACKOFF_MS = 1000, BACKOFF_MOST_MS = 300000 };

/* -- by itself -- */

int64_t restart_pause(const struct connector *connector, int attempts)
{
    const struct herder *herder = connector->herder;
    int64_t most = herder_long(herder, connector->config, "sluice.restart.max.attempts", 0);
    int64_t pause = herder_long(herder, connector->config, "sluice.restart.backoff.ms", BACKOFF_MS);
    if (attempts >= most || herder->stopping) {
        return -1;
    }
    for (int i = 0; i < attempts && pause > 0 && pause < BACKOFF_MOST_MS; i++) {
        pause *= 2;
    }
    return pause < 0 ? 0 : pause < BACKOFF_MOST_MS ? pause : BACKOFF_MOST_MS;
}

static bool is_well(const struct connector *connector)
{
    return strcmp(connector->state, "FAILED") != 0 && strcmp(connector->state, "UNASSIGNED") != 0;
}

/* What an answered or failed set-up leaves behind when tasks restart by themselves. */
static void on_restart_timer(void *user)
{
    struct connector *connector = user;
    connector->restart_timer = NULL;
    if (connector->exists && !is_well(connector)) {
        herder_enqueue(connector->herder, HERDER_RESTART, connector->name, -1);
    }
}

void connector_restart_later(struct connector *connector)
{
    int64_t pause = restart_pause(connector, connector->attempts);
    if (pause >= 0 && !connector->restart_timer) {
        connector->attempts++;
        connector->restart_timer =
            loop_after(connector->herder->loop, pause, on_restart_timer, connector);
    }
}

/* -- asked for: task configurations made anew from the same configuration -- */

static bool is_planned(const struct herder_request *request, const struct task *task)
{
    return request->include_tasks && !task->removed && (!request->only_failed || task->failed);
}

/* As Connect: the states tell of a restart as soon as it is accepted. */
static void announce_restart(struct connector *connector, bool itself)
{
    if (itself) {
        connector->state = "RESTARTING";
    }
    for (struct task *task = connector->tasks; task; task = task->next) {
        if (is_planned(&connector->current->request, task)) {
            task->state_before = task->state;
            task->state = "RESTARTING";
        }
    }
}

/* The connector could not be set up: its tasks are as they were. */
static void take_back_restart(struct connector *connector)
{
    for (struct task *task = connector->tasks; task; task = task->next) {
        if (task->state_before && strcmp(task->state, "RESTARTING") == 0) {
            task->state = task->state_before;
        }
        task->state_before = NULL;
    }
}

static void on_restarted(struct connector *connector, const struct host_end *failure)
{
    struct command *command = connector->current;
    herder_count_startup(connector->herder, "connector", !failure);
    bool force = command->request.verb == HERDER_RESTART && command->request.include_tasks;
    if (failure) {
        take_back_restart(connector);
        connector_setup_failed(connector, failure);
        connector_reply_setup_failed(connector, failure);
        connector_finish(connector);
        return;
    }
    connector_well(connector);
    if (connector->target == TARGET_STOPPED) {
        json_array_clear(connector->new_tasks); /* it could be made, and that is all */
    }
    if (force && command->request.only_failed) {
        tasks_apply(connector, connector->new_tasks, false);
        for (struct task *task = connector->tasks, *next; task; task = next) {
            next = task->next;
            if (task->failed && !task->removed) {
                task_restart(task);
            }
        }
    } else {
        tasks_apply(connector, connector->new_tasks, force);
    }
    command_reply(command, 204, NULL, NULL);
    connector_finish(connector);
}

/* The plan, as the answer shows it: what is restarted is RESTARTING. */
static json_t *plan(const struct connector *connector, bool itself)
{
    const struct herder_request *request = &connector->current->request;
    json_t *status = connector_status(connector), *item;
    size_t i;
    if (itself) {
        json_object_set_new(json_object_get(status, "connector"), "state",
                            json_string("RESTARTING"));
    }
    json_array_foreach(json_object_get(status, "tasks"), i, item)
    {
        const char *state = json_string_value(json_object_get(item, "state"));
        if (request->include_tasks && (!request->only_failed || strcmp(state, "FAILED") == 0)) {
            json_object_set_new(item, "state", json_string("RESTARTING"));
        }
    }
    return status;
}

void restart_begin(struct connector *connector)
{
    struct command *command = connector->current;
    const struct herder_request *request = &command->request;
    bool planned = request->include_tasks || request->only_failed;
    bool itself = !request->only_failed || strcmp(connector->state, "FAILED") == 0;
    if (planned) {
        json_t *status = plan(connector, itself);
        command_reply(command, 202, status, NULL);
        json_decref(status);
    }
    if (!connector->not_made && (connector->target == TARGET_STOPPED ||
                                 (connector->target == TARGET_PAUSED && !connector->tasks))) {
        command_reply(command, 204, NULL, NULL); /* it stays as it is */
        connector_finish(connector);
        return;
    }
    announce_restart(connector, itself);
    if (itself) {
        setup_start(connector, connector->config, on_restarted);
        return;
    }
    for (struct task *task = connector->tasks, *next; task; task = next) {
        next = task->next;
        if (request->include_tasks && task->failed && !task->removed) {
            task_restart(task);
        }
    }
    connector_finish(connector);
}

static void on_task_stopped(struct connector *connector)
{
    command_reply(connector->current, 204, NULL, NULL);
    connector_finish(connector);
}

void restart_task_begin(struct connector *connector)
{
    struct command *command = connector->current;
    struct task *task = task_find(connector, command->request.task);
    if (!task) {
        char *message = NULL;
        if (asprintf(&message, "Task %s-%d not found", connector->name, command->request.task) <
            0) {
            abort();
        }
        command_reply(command, 404, NULL, message);
        free(message);
        connector_finish(connector);
        return;
    }
    task_restart(task);
    connector_when_stopped(connector, on_task_stopped);
}

void reconfigure_begin(struct connector *connector)
{
    if (connector->target == TARGET_RUNNING) {
        setup_start(connector, connector->config, on_restarted);
    } else {
        connector_finish(connector);
    }
}
