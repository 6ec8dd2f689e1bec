/*
 * A task in its host process: what source and sink tasks share.
 *
 * Threads. The main thread is the task thread: plugin, converters, transforms. The control thread
 * reads the worker's wishes and sets them here. The broker thread (sink_task.c, source_task.c) owns
 * every broker handle. Wishes are flags under `lock`; whoever sets one calls task_kick().
 */
#ifndef CORE_HOST_TASK_H
#define CORE_HOST_TASK_H

#include <pthread.h>
#include <stdbool.h>

#include <sluice/plugin.h>

#include "core/broker/broker.h"
#include "core/config/client_properties.h"
#include "core/config/properties.h"
#include "core/host/host.h"
#include "core/host/tap.h"
#include "core/host/used_topics.h"
#include "core/plugin/instance.h"

struct task {
    struct host_process *process;
    char *connector;          /* name */
    int number;
    char *context;            /* "[lake|task-0] " */
    struct properties config; /* of the task */
    struct properties worker;
    bool takes_client_keys;   /* the class has the option family client.* */
    struct registry *registry;
    struct plugin_environment environment;
    struct plugin_instance *instance;
    struct used_topics topics;
    void *loop;               /* struct sink_task or struct source_task */

    pthread_t control_thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;   /* a wish or a reply came; CLOCK_MONOTONIC */
    bool stopping;            /* under lock, as all below */
    int64_t stop_deadline;    /* monotonic ms, once stopping */
    bool paused;
    bool wake;                /* the plugin asked for attention */
    bool commit_requested;
    bool commit_asked; /* by the worker, which is to be told the end */
    struct error raised;      /* by raise_error() */
    json_t *reply;            /* to the one request under way */
    int64_t reply_id;
    void (*kick)(void *user); /* wakes further waits of this task's kind; called with lock */
    void *kick_user;

    struct tap tap;

    /* [task thread] */
    uint32_t records; /* that went through converters and chain */
    struct metrics_stat *batch_size, *commit_time, *commit_outcome;
};

/** Log lines of the runtime itself, with the task's context. */
#define task_log(task, level, ...) log_line(level, "sluice.host.task", (task)->context, __VA_ARGS__)

/** Wakes every wait of the task. [any thread] */
void task_kick(struct task *task);
bool task_stopping(struct task *task);
/** Waits for a change, at most until the deadline (monotonic ms); lock held. False: time is over. */
bool task_wait(struct task *task, int64_t deadline);
/** The task that a plugin's instance is part of. [any thread] */
struct task *task_of(const struct sluice_host *host);
/** What sinks and sources may both ask, as their contexts have it. [any thread] */
void task_wake(const struct sluice_host *host);
void task_raise_error(const struct sluice_host *host, const char *java_class, const char *message);
/** An error outside any call: the task ends with it, unless there is one already. Steals. [any thread] */
void task_raise(struct task *task, struct error *error);
/** Takes an error raised outside any call; true where there was one. */
bool task_take_raised(struct task *task, struct error *error);
/** Sends a message, or leaves where the worker is gone. Steals. [any thread] */
void task_send(struct task *task, json_t *message);
/** Tells the worker. */
void task_state(struct task *task, const char *state);
/** Moves the failure of a plugin call to error, as Connect words an end of a task. Returns -1. */
int task_failure(struct task *task, enum sluice_result result, const char *call, struct error *error);
/** Waits until the time is over; false as soon as the task is told to stop. [task thread] */
bool task_sleep(struct task *task, int64_t milliseconds);
/** Sends a request and waits for its reply, until stopped or the time is over (INT64_MAX: never); NULL with
 * error. Owned by the caller. */
json_t *task_request(struct task *task, json_t *message, int64_t timeout_ms, struct error *error);

/** Properties of one of the task's clients, see core/config/client_properties.h. */
void task_client_properties(const struct task *task, enum client_role role, struct properties *ret);
/** A long out of the task's or worker's properties, or the default where absent or no number. */
int64_t task_long(const struct task *task, const char *name, int64_t fallback);

struct metrics_slot *task_metric(struct task *task, const char *name, uint32_t kind);
struct metrics_stat *task_stat(struct task *task, const char *name, uint32_t kinds, int64_t divisor);
/** Now, in monotonic ms. */
void task_record(struct task *task, struct metrics_stat *stat, int64_t value);
/** Offsets were handed over at begin (monotonic ns) and are stored now, or are not. [task thread] */
void task_committed(struct task *task, int64_t begin, bool stored);

/** The two kinds; each returns 0 after a clean stop, -1 with error. [task thread] */
int sink_task_run(struct task *task, struct error *error) CHECKED;
int source_task_run(struct task *task, struct error *error) CHECKED;

#endif
