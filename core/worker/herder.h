/*
 * Herder: owns connectors and tasks, what is wanted of them and how they are. One event loop
 * thread, one owner of state; requests come from any thread, wait for nobody, and are answered by a
 * callback.
 *
 * Requests for one connector are done one after the other, those for different ones side by side: a
 * plugin that hangs while it validates or makes task configurations holds up its own connector only
 * (invariant 6). DELETE and stop do not wait for such a one; they end it.
 */
#ifndef CORE_WORKER_HERDER_H
#define CORE_WORKER_HERDER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/base/loop.h"
#include "core/config/properties.h"
#include "core/worker/data_dir.h"

struct herder;
struct catalog;
struct metrics_page;

/** Begins a text that was a whole number beyond 64 bits in a request. */
#define HERDER_BIG_NUMBER '\1'

enum herder_verb {
    /* reading */
    HERDER_SERVER_INFO,
    HERDER_HEALTH,
    HERDER_LIST,
    HERDER_INFO,
    HERDER_CONFIG,
    HERDER_STATUS,
    HERDER_TASKS,
    HERDER_TASKS_CONFIG,
    HERDER_TASK_STATUS,
    HERDER_PLUGINS,
    HERDER_PLUGIN_CONFIG,
    HERDER_METRICS,
    HERDER_LOGS,
    HERDER_TAP, /* asks a host */
    HERDER_LOGGERS,
    HERDER_LOGGER,
    HERDER_SET_LOGGER,
    HERDER_TOPICS,
    HERDER_RESET_TOPICS,
    /* asks a host */
    HERDER_VALIDATE,
    HERDER_OFFSETS,
    /* changing one connector */
    HERDER_CREATE,
    HERDER_PUT_CONFIG,
    HERDER_PATCH_CONFIG,
    HERDER_DELETE,
    HERDER_PAUSE,
    HERDER_RESUME,
    HERDER_STOP,
    HERDER_RESTART,
    HERDER_RESTART_TASK,
    HERDER_ALTER_OFFSETS,
    HERDER_RESET_OFFSETS,
    HERDER_RECONFIGURE, /* asked for by a task of it */
};

enum connector_target { TARGET_RUNNING, TARGET_PAUSED, TARGET_STOPPED };

/** How a request ended, in the terms of Connect's REST API. All is borrowed. */
struct herder_reply {
    int status;   /* of HTTP; 400 and above: message is an error's, NULL: null */
    json_t *body; /* NULL: none */
    const char *message;
    const char *text;     /* instead of body: plain text */
    const char *location; /* path of what was created; NULL: nothing was */
};

struct herder_request {
    enum herder_verb verb;
    const char *name; /* of connector or plugin class; NULL: none */
    int task;
    /** Configuration (strings, NULL values for removal), or offsets; taken over. */
    json_t *body;
    bool include_tasks, only_failed;         /* HERDER_RESTART */
    bool expand, expand_info, expand_status, expand_metrics; /* HERDER_LIST */
    int64_t after;                           /* HERDER_LOGS: lines behind this number */
    int most;                                /* HERDER_LOGS, HERDER_TAP: at most so many */
    bool all_kinds;                          /* HERDER_PLUGINS */
    bool cluster;                            /* HERDER_SET_LOGGER */
    enum connector_target initial_state;     /* HERDER_CREATE */
    /**
     * HERDER_CREATE of a connector that a file on the command line describes: it is there even when
     * its configuration is bad, FAILED with the reasons in its trace.
     */
    bool keep_failed;
    bool from_file; /* of the folder of connectors: it need not be told what it said itself */
    /** Called once, on the loop's thread. NULL: nobody wants to know. */
    void (*done)(void *user, const struct herder_reply *reply);
    void *user;
};

struct herder_options {
    struct loop *loop;
    const struct properties *worker; /* borrowed for the herder's life */
    const char *host_path;           /* sluice-host */
    const char *log_path;            /* sluice-log; NULL: there is none */
    const char *log_dir;             /* of the embedded log; NULL: a broker elsewhere */
    const char *const *plugin_paths; /* absolute; copied */
    size_t plugin_path_count;
    const struct data_dir *data;
    const char *worker_id; /* host:port of the admin API */
    const char *config_dir; /* keeps connectors for good (config_dir.h); NULL: nothing does */
};

struct herder *herder_create(const struct herder_options *options, struct error *error);
/** Only after herder_stop() is done, or before herder_start(). NULL is fine. */
void herder_destroy(struct herder *herder);
/**
 * Finds plugins, starts the embedded log; on_ready when connectors can be created (error: they
 * cannot).
 */
void herder_start(struct herder *herder, void (*on_ready)(void *user, const struct error *error),
                  void *user);
/** Stops everything within the graceful timeout; answers what waits; on_stopped at the end. */
void herder_stop(struct herder *herder, void (*on_stopped)(void *user), void *user);
/** SIGKILL for every child: the user asked twice. */
void herder_kill(struct herder *herder);

/** Hands over a request, copied; answered after 90 s at the latest. [any thread] */
void herder_submit(struct herder *herder, const struct herder_request *request);

/* -- a look at things, for the terminal and for metrics [loop thread] -- */

struct herder_progress {
    const char *name, *type, *state, *trace; /* trace: of the connector or its first failed task */
    int running, failed, tasks;
    bool settled; /* nothing is under way: no request, no task starting or stopping */
    int64_t records, bytes, objects;
    int64_t lag; /* -1: not known, or no sink */
    int64_t active; /* read by sinks, not yet committed */
    bool committing; /* herder_commit() was called, and not every sink has answered */
};

/** Calls fn for each connector, by name. Strings are borrowed for the call. */
void herder_progress(struct herder *herder,
                     void (*fn)(void *user, const struct herder_progress *progress), void *user);
/** Every sink commits what it has written, now and not only when its interval is over. */
void herder_commit(struct herder *herder);

/**
 * Topics that sources have written and a running sink subscribes to, but has read nothing of: its lag is
 * not known before it has found them. 0 where topic.tracking.enable=false.
 */
size_t herder_unread(const struct herder *herder);

#endif
