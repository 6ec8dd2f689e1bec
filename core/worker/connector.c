/*
 * Requests that change one connector: created, configured, paused, restarted, .. Each connector has
 * a queue and does one at a time; what takes time (a host, tasks that end) goes on in a callback.
 * [loop thread]
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "core/base/log_output.h"
#include "core/worker/herder_priv.h"

static void begin(struct connector *connector);

/* -- the object -- */

void connector_log(const struct connector *connector, int task, enum log_level level,
                   const char *format, ...)
{
    char *text = NULL, *context = NULL;
    va_list args;
    va_start(args, format);
    int size = vasprintf(&text, format, args);
    va_end(args);
    int context_size = task < 0 ? asprintf(&context, "[%s|worker] ", connector->name)
                                : asprintf(&context, "[%s|task-%d] ", connector->name, task);
    if (size >= 0 && context_size >= 0) {
        log_line(level, LOGGER, context, "%s", text);
    }
    if (size >= 0) {
        free(text);
    }
    if (context_size >= 0) {
        free(context);
    }
}

static struct connector *connector_get(struct herder *herder, const char *name)
{
    struct connector **link = &herder->connectors;
    while (*link && strcmp((*link)->name, name) < 0) {
        link = &(*link)->next;
    }
    if (*link && strcmp((*link)->name, name) == 0) {
        return *link;
    }
    struct connector *connector = calloc(1, sizeof(*connector));
    if (!connector || !(connector->name = strdup(name))) {
        abort();
    }
    connector->herder = herder;
    connector->state = "UNASSIGNED";
    connector->type = "unknown";
    connector->queue_end = &connector->queue;
    connector->next = *link;
    *link = connector;
    return connector;
}

void connector_free(struct connector *connector)
{
    log_output_forget(connector->name);
    while (connector->tasks) {
        struct task *task = connector->tasks;
        connector->tasks = task->next;
        task_free(task);
    }
    loop_cancel(connector->restart_timer);
    loop_cancel(connector->reload_timer);
    loop_cancel(connector->begin_timer);
    json_decref(connector->config);
    json_decref(connector->new_config);
    json_decref(connector->new_tasks);
    json_decref(connector->new_offsets);
    json_decref(connector->topics);
    free(connector->trace);
    free(connector->name);
    free(connector);
}

/* Nothing exists and nothing is wanted of it any more. */
static void free_if_gone(struct connector *connector)
{
    if (connector->exists || connector->current || connector->queue || connector->tasks) {
        return;
    }
    struct connector **link = &connector->herder->connectors;
    while (*link != connector) {
        link = &(*link)->next;
    }
    *link = connector->next;
    connector_free(connector);
}

void connector_fail(struct connector *connector, const char *trace)
{
    free(connector->trace);
    connector->trace = strdup(trace);
    connector->state = "FAILED";
    connector_log(connector, -1, LOG_LEVEL_ERROR, "Connector %s failed: %s", connector->name, trace);
}

/* As Connect: what the class said when it was started is in the trace of the status; what is found before is told. */
void connector_reply_setup_failed(struct connector *connector, const struct host_end *failure)
{
    bool said = failure->class_name && *failure->class_name && failure->code != ERROR_PROVIDER &&
                failure->code != ERROR_TOPIC_CREATION;
    if (said) {
        command_reply_format(connector->current, 500,
                             "Failed to transition connector %s to state STARTED",
                             connector->name);
    } else {
        command_reply(connector->current, 500, NULL, failure->message);
    }
}

void connector_setup_failed(struct connector *connector, const struct host_end *failure)
{
    if (failure->code == ERROR_PROVIDER) {
        connector->state = "UNASSIGNED";
        log_error(LOGGER, "Connector %s is not started: %s", connector->name, failure->trace);
    } else {
        connector_fail(connector, failure->trace);
        connector->not_made = failure->code == ERROR_TOPIC_CREATION;
    }
    connector_restart_later(connector);
}

void connector_well(struct connector *connector)
{
    free(connector->trace);
    connector->trace = NULL;
    connector->not_made = false;
    connector->attempts = 0;
    connector->state = connector->target == TARGET_RUNNING  ? "RUNNING"
                       : connector->target == TARGET_PAUSED ? "PAUSED"
                                                            : "STOPPED";
}

void connector_set_target(struct connector *connector, enum connector_target target)
{
    connector->target = target;
    config_dir_target(connector->herder->config_dir, connector->name, target);
}

/* -- the queue -- */

static void on_begin_timer(void *user)
{
    struct connector *connector = user;
    connector->begin_timer = NULL;
    begin(connector);
}

/* The request under way is done; the next one begins. */
void connector_finish(struct connector *connector)
{
    struct command *command = connector->current;
    connector->current = NULL;
    connector->resume = NULL;
    json_decref(connector->new_config);
    json_decref(connector->new_tasks);
    json_decref(connector->new_offsets);
    connector->new_config = connector->new_tasks = connector->new_offsets = NULL;
    command_finish(command);
    if (connector->queue) { /* not from within: a long queue would be a deep stack */
        connector->begin_timer = loop_after(connector->herder->loop, 0, on_begin_timer, connector);
    } else {
        free_if_gone(connector);
    }
}

void connector_poke(struct connector *connector)
{
    if (connector->resume && !tasks_stopping(connector)) {
        void (*resume)(struct connector *) = connector->resume;
        connector->resume = NULL;
        resume(connector);
    } else if (!connector->current) {
        free_if_gone(connector);
    }
}

void connector_when_stopped(struct connector *connector, void (*fn)(struct connector *connector))
{
    connector->resume = fn;
    connector_poke(connector);
}

/* Ends a plugin's call that the request under way waits for; the request is answered. */
static void cancel_current(struct connector *connector, const char *why)
{
    struct command *command = connector->current;
    if (!command || (!connector->validation && !connector->setup)) {
        return;
    }
    validation_cancel(connector->validation);
    connector->validation = NULL;
    setup_cancel(connector);
    command_reply(command, 409, NULL, why);
    connector_finish(connector);
}

/* -- pause, resume, stop, delete -- */

static void begin_pause(struct connector *connector)
{
    bool failed = strcmp(connector->state, "FAILED") == 0;
    connector_set_target(connector, TARGET_PAUSED);
    if (!failed) {
        connector->state = "PAUSED";
    }
    tasks_reconcile(connector);
    command_reply(connector->current, 202, NULL, NULL);
    connector_finish(connector);
}

static void on_resumed(struct connector *connector, const struct host_end *failure)
{
    herder_count_startup(connector->herder, "connector", !failure);
    if (failure) {
        connector_setup_failed(connector, failure);
    } else {
        connector_well(connector);
        tasks_apply(connector, connector->new_tasks, false);
        tasks_reconcile(connector);
    }
    connector_finish(connector);
}

static void begin_resume(struct connector *connector)
{
    bool was_running = connector->target == TARGET_RUNNING;
    connector_set_target(connector, TARGET_RUNNING);
    command_reply(connector->current, 202, NULL, NULL);
    tasks_reconcile(connector); /* at once; new task configurations follow where they differ */
    if (was_running || strcmp(connector->state, "FAILED") == 0) {
        connector_finish(connector); /* a failed one comes back by a restart only */
        return;
    }
    setup_start(connector, connector->config, on_resumed);
}

static void on_tasks_gone(struct connector *connector)
{
    command_reply(connector->current, 204, NULL, NULL);
    connector_finish(connector);
}

static void begin_stop(struct connector *connector)
{
    connector_set_target(connector, TARGET_STOPPED);
    if (!connector->not_made) {
        connector_well(connector);
    }
    tasks_remove(connector);
    connector_when_stopped(connector, on_tasks_gone);
}

static void begin_delete(struct connector *connector)
{
    connector->exists = false;
    if (!connector->current->request.from_file) {
        config_dir_removed(connector->herder->config_dir, connector->name);
    }
    loop_cancel(connector->reload_timer);
    connector->reload_timer = NULL;
    json_decref(connector->topics);
    connector->topics = NULL;
    loop_cancel(connector->restart_timer);
    connector->restart_timer = NULL;
    tasks_remove(connector);
    connector_when_stopped(connector, on_tasks_gone);
}

/* -- which -- */

/* Connect has words of its own for each way to name a connector that is not there. */
static void reply_unknown(struct command *command)
{
    const char *name = command->request.name;
    const char *format = "Connector %s not found";
    int status = 404;
    char *message = NULL;
    switch (command->request.verb) {
    case HERDER_PAUSE:
    case HERDER_RESUME:
        format = "Unknown connector %s";
        break;
    case HERDER_STOP:
        status = 500;
        format = "No connector `%s` configured";
        break;
    case HERDER_RESTART:
        status = command->request.include_tasks || command->request.only_failed ? 404 : 500;
        format = "Unknown connector: %s";
        break;
    case HERDER_RESTART_TASK:
        status = 500;
        if (asprintf(
                &message,
                "Failed to start task %s-%d since it is not a recognizable type (source or sink)",
                name, command->request.task) < 0) {
            abort();
        }
        break;
    default:
        break;
    }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    if (!message && asprintf(&message, format, name) < 0) {
        abort();
    }
#pragma GCC diagnostic pop
    command_reply(command, status, NULL, message);
    free(message);
}

static void begin(struct connector *connector)
{
    struct command *command = connector->queue;
    connector->queue = command->next;
    if (!connector->queue) {
        connector->queue_end = &connector->queue;
    }
    command->next = NULL;
    connector->current = command;
    enum herder_verb verb = command->request.verb;
    if (verb == HERDER_CREATE || verb == HERDER_PUT_CONFIG || verb == HERDER_PATCH_CONFIG) {
        configure_begin(connector);
    } else if (!connector->exists) {
        reply_unknown(command);
        connector_finish(connector);
    } else if (verb == HERDER_DELETE) {
        begin_delete(connector);
    } else if (verb == HERDER_PAUSE) {
        begin_pause(connector);
    } else if (verb == HERDER_RESUME) {
        begin_resume(connector);
    } else if (verb == HERDER_STOP) {
        begin_stop(connector);
    } else if (verb == HERDER_RESTART) {
        restart_begin(connector);
    } else if (verb == HERDER_RESTART_TASK) {
        restart_task_begin(connector);
    } else if (verb == HERDER_ALTER_OFFSETS || verb == HERDER_RESET_OFFSETS) {
        offsets_begin(connector);
    } else {
        reconfigure_begin(connector);
    }
}

static bool is_queued(const struct connector *connector, enum herder_verb verb)
{
    const struct command *command = connector->queue;
    while (command && command->request.verb != verb) {
        command = command->next;
    }
    return command != NULL;
}

void connector_submit(struct herder *herder, struct command *command)
{
    struct connector *connector = connector_get(herder, command->request.name);
    if (command->request.verb == HERDER_RECONFIGURE && is_queued(connector, HERDER_RECONFIGURE)) {
        command_finish(command); /* invariant 6: a task that asks without end asks once */
        return;
    }
    command->next = NULL;
    *connector->queue_end = command;
    connector->queue_end = &command->next;
    enum herder_verb verb = command->request.verb;
    if (!connector->current && !connector->begin_timer) {
        begin(connector);
    } else if (verb == HERDER_DELETE || verb == HERDER_STOP) {
        cancel_current(connector, "The request was ended by one to stop or delete the connector");
    }
}

void connector_shutdown(struct connector *connector)
{
    validation_cancel(connector->validation);
    connector->validation = NULL;
    setup_cancel(connector);
    offsets_writer_forget(connector->herder->offsets_writer, connector); /* its request is answered */
    connector->resume = NULL;
    loop_cancel(connector->begin_timer);
    loop_cancel(connector->restart_timer);
    loop_cancel(connector->reload_timer);
    connector->begin_timer = connector->restart_timer = connector->reload_timer = NULL;
    for (struct task *task = connector->tasks; task; task = task->next) {
        loop_cancel(task->restart_timer);
        task->restart_timer = NULL;
        task->wanted = false;
        task->removed = false; /* it is freed with the connector */
    }
    tasks_reconcile(connector);
}
