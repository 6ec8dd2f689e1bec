/*
 * What the herder's own files share: connector.c (requests that change one), configure.c, restart.c,
 * setup.c (task configurations), task.c, reads.c, herder.c. [loop thread] throughout.
 */
#ifndef CORE_WORKER_HERDER_PRIV_H
#define CORE_WORKER_HERDER_PRIV_H

#include "core/base/log.h"
#include "core/store/offsets_file.h"
#include "core/worker/catalog.h"
#include "core/worker/config_dir.h"
#include "core/worker/embedded_log.h"
#include "core/worker/herder.h"
#include "core/worker/offsets_writer.h"
#include "core/worker/stage.h"
#include "core/worker/supervisor.h"
#include "core/worker/validation.h"

#define LOGGER "sluice.worker.herder"

/** How long a plugin may take to validate, and to make task configurations:
 * sluice.plugin.timeout.ms. */
enum { PLUGIN_TIMEOUT_MS = 60000 };

/** Of a host's process, unless sluice.task.memory.limit.bytes says otherwise; 0 there: none.
 * invariant 5 */
#define MEMORY_LIMIT ((int64_t)1 << 30)

/** A request that was taken in. */
struct command {
    struct herder *herder;
    struct herder_request request; /* with copies of its own */
    struct loop_timer *timer;      /* of the 90 s; NULL once answered */
    bool answered;
    struct stage stage; /* for the words of a timeout */
    struct validation *validation; /* of HERDER_VALIDATE */
    struct host *host;             /* of HERDER_OFFSETS */
    int64_t tap_id;                /* of HERDER_TAP, once a host was asked; 0: not */
    struct command *next;          /* in its connector's queue, or in that of the early ones */
    struct command *all_prev, *all_next;
};

struct task {
    struct connector *connector;
    int id;
    json_t *config;    /* as the connector made it */
    json_t *applied;   /* with the connector's keys: what its host gets */
    struct host *host; /* NULL: none */
    bool wanted;       /* shall run (paused or not) */
    bool removed;      /* goes as soon as its host is gone */
    bool stale;        /* its host runs something else: it is to be stopped and started again */
    bool stopping;     /* the host was told so */
    bool paused_told;  /* what the host was told last */
    bool failed;
    bool starting;         /* its host has not said yet that it runs */
    bool committing;       /* its host was asked to, and has not told the end */
    const char *state;     /* Connect's word; static */
    const char *state_before; /* of a restart that was announced and has not begun */
    char *trace;           /* of the last failure */
    int attempts;          /* restarts by itself since it last ran well */
    int64_t running_since; /* monotonic ms; 0: not */
    struct loop_timer *restart_timer;
    /* what its former hosts counted */
    int64_t past_records, past_bytes, past_objects;
    struct task *next; /* by id */
};

struct connector {
    struct herder *herder;
    char *name;
    bool exists;    /* false: to be created, or deleted and not yet gone */
    json_t *config; /* strings */
    enum connector_target target;
    const char *state; /* Connect's word; static */
    char *trace;
    bool not_made;    /* FAILED before its class had a say: no other state until it is made anew */
    const char *type; /* source, sink, unknown; static */
    struct task *tasks;
    /* requests */
    struct command *queue, **queue_end;
    struct command *current;
    struct loop_timer *begin_timer;              /* the next of the queue is about to begin */
    void (*resume)(struct connector *connector); /* goes on when no task is stopping any more */
    struct validation *validation;
    struct host *setup;
    /* failure NULL: it went well */
    void (*on_setup)(struct connector *connector, const struct host_end *failure);
    json_t *new_config;                                               /* of the request under way */
    json_t *new_tasks;                                                /* what the setup host made */
    struct loop_timer *reload_timer; /* until values of a config provider are outdated */
    json_t *new_offsets;  /* of a request to change them */
    bool offsets_handled; /* the class knows of no others */
    json_t *topics;       /* {name: null}: in use; NULL: none */
    int attempts;
    struct loop_timer *restart_timer;
    struct connector *next; /* by name */
};

#define LOGGER "sluice.worker.herder"

struct herder {
    struct loop *loop;
    const struct properties *worker;
    json_t *worker_json;
    const struct data_dir *data;
    char *worker_id;
    struct supervisor *supervisor;
    struct catalog *catalog;
    struct embedded_log *log;
    struct offsets_file *offsets;
    struct offsets_writer *offsets_writer;
    struct metrics_page *page; /* what the worker counts itself; owned */
    struct config_dir *config_dir; /* NULL: none */
    struct connector *connectors;
    struct command *commands; /* all not yet freed */
    struct command *early, **early_end; /* came before the worker was ready */
    bool ready, stopping;
    int waiting; /* for: catalog, log */
    struct error start_error;
    void (*on_ready)(void *user, const struct error *error);
    void *ready_user;
    void (*on_stopped)(void *user);
    void *stopped_user;
};

/* herder.c */
/** Answers; later ones for the same command are dropped. */
void command_reply(struct command *command, int status, json_t *body, const char *message);
void command_reply_format(struct command *command, int status, const char *format, ...)
    PRINTF_LIKE(3, 4);
void command_reply_located(struct command *command, int status, json_t *body, const char *location);
void command_reply_text(struct command *command, const char *text);
/** Frees it; one that was not answered gets "Request cannot be completed". */
void command_finish(struct command *command);
int64_t herder_long(const struct herder *herder, json_t *config, const char *name,
                    int64_t fallback);
int64_t herder_stop_timeout(const struct herder *herder);
/** NULL: there is none of that name that exists. */
struct connector *herder_find(const struct herder *herder, const char *name);
/** A request of the herder itself. */
void herder_enqueue(struct herder *herder, enum herder_verb verb, const char *name, int task);

/* connector.c */
/** A line with the connector's context; task -1: of the connector itself. */
void connector_log(const struct connector *connector, int task, enum log_level level,
                   const char *format, ...) PRINTF_LIKE(4, 5);
/** Takes a changing request; creates the connector object where it is missing. */
void connector_submit(struct herder *herder, struct command *command);
/** Goes on with whatever waits for tasks to end; frees the connector where nothing is left of it.
 */
void connector_poke(struct connector *connector);
/** Ends what is under way, wants no task any more. For the worker's end. */
void connector_shutdown(struct connector *connector);
/** What is wanted of it from now on; kept where connectors are. */
void connector_set_target(struct connector *connector, enum connector_target target);
/** The request under way is done; the next one begins. */
void connector_finish(struct connector *connector);
/** It is as its target says; a former failure is forgotten. */
void connector_well(struct connector *connector);
/** Goes on with fn once no task is stopping. */
void connector_when_stopped(struct connector *connector, void (*fn)(struct connector *connector));
void connector_fail(struct connector *connector, const char *trace);
/** It could not be set up: FAILED; UNASSIGNED where only a config provider is at fault, as Connect. */
void connector_setup_failed(struct connector *connector, const struct host_end *failure);
void connector_reply_setup_failed(struct connector *connector, const struct host_end *failure);
void connector_free(struct connector *connector);

/* configure.c */
/** Begins the request under way, which is one to create or configure. */
void configure_begin(struct connector *connector);

/* restart.c */
/** After a failure: a restart by itself where that is asked for. */
void connector_restart_later(struct connector *connector);
/** How long to wait after so many restarts by itself, in ms; -1: no more of them, or none at all. */
int64_t restart_pause(const struct connector *connector, int attempts);
/** Begin the request under way: to restart it, a task of it, to make its task configurations anew. */
void restart_begin(struct connector *connector);
void restart_task_begin(struct connector *connector);
void reconfigure_begin(struct connector *connector);

/* setup.c */
/** Starts the connector host for config; on_setup is called with new_tasks filled, or how it failed. */
void setup_start(struct connector *connector, json_t *config,
                 void (*on_setup)(struct connector *connector, const struct host_end *failure));
void setup_cancel(struct connector *connector);

/* task.c */
/** Makes the list of tasks that of configs; those that changed, or all (force), are started again.
 */
void tasks_apply(struct connector *connector, json_t *configs, bool force);
/** They go. */
void tasks_remove(struct connector *connector);
/** Does what is due: start, stop, pause. May free the task. */
void task_reconcile(struct task *task);
void tasks_reconcile(struct connector *connector);
/** Stops (where it runs) and starts again. */
void task_restart(struct task *task);
bool tasks_stopping(const struct connector *connector);
struct task *task_find(const struct connector *connector, int id);
void task_free(struct task *task);

/* offsets.c */
void offsets_read(struct herder *herder, struct command *command);
/** Begins the request under way, which is one to alter or reset offsets. */
void offsets_begin(struct connector *connector);

/* active_topics.c */
void active_topics_add(struct connector *connector, const char *topic);
void active_topics_request(struct herder *herder, struct command *command);

/* loggers.c */
void herder_loggers(struct herder *herder, struct command *command);
void loggers_init(void);

/* metrics.c */
struct metrics_page *worker_page_create(void);
/** A `connector` or a `task` was to start: worker-metrics' startup counts. */
void herder_count_startup(struct herder *herder, const char *what, bool well);
/** Prometheus text of everything; owned by the caller. NULL: out of memory. */
char *herder_metrics(struct herder *herder);
/** What moves, in few numbers, for the console and `sluice top`. */
json_t *connector_metrics(const struct connector *connector);

/* tap.c */
void herder_tap(struct herder *herder, struct command *command);
/** A host's answer. */
void herder_tapped(struct herder *herder, json_t *message);

/* schedule.c */
/** {"cron","timezone","next_runs","last_runs"} of a source that runs by schedule.cron; NULL: it has none. */
json_t *connector_schedule(const struct connector *connector);

/* reads.c */
void herder_read(struct herder *herder, struct command *command);
json_t *connector_info(const struct connector *connector);
json_t *connector_status(const struct connector *connector);
json_t *task_status(const struct task *task);
/** Sum of a page's slots of these names (NULL-terminated). */
int64_t page_sum(const struct metrics_page *page, const char *const *names);
extern const char *const record_metrics[], *const byte_metrics[], *const object_metrics[];

#endif
