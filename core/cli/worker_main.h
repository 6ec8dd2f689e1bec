/*
 * What the verbs that run a worker share: signals, admin API, folder, herder, and their order at the
 * start and at the end. The verb says what happens once connectors can be created. [main thread]
 */
#ifndef CORE_CLI_WORKER_MAIN_H
#define CORE_CLI_WORKER_MAIN_H

#include <stdbool.h>

#include "core/base/loop.h"
#include "core/cli/run_config.h"
#include "core/cli/run_log.h"
#include "core/rest/rest.h"
#include "core/worker/herder.h"

enum { WORKER_LISTENERS = 8 };

struct worker_main {
    /* the verb's */
    struct run_config config; /* loaded before; finished here */
    const char *config_dir;   /* keeps connectors for good; NULL: none */
    const char *rest_url;     /* instead of `listeners`; "off": no admin API; NULL: as configured */
    struct run_log log;
    bool log_stdout;          /* lines go to standard output rather than standard error */
    bool terminal;            /* shows other things there: lines go to a file, SIGHUP stops */
    int environment_result;   /* exit code where a port, folder or program is missing */
    /** The herder is made, not started. -1: out of memory. */
    int (*prepare)(struct worker_main *worker);
    /** Connectors can be created. */
    void (*ready)(struct worker_main *worker);
    /** Everything has stopped; the herder is still there. */
    void (*ended)(struct worker_main *worker);
    void *user;

    /* ours; the verb may look */
    struct loop *loop;
    struct herder *herder;
    struct rest *rest;
    struct rest_listener listeners[WORKER_LISTENERS];
    size_t listener_count;
    bool admin_apart; /* admin.listeners is set */
    int signals;
    struct loop_watch *signal_watch;
    bool stopping;
    int64_t stop_asked; /* monotonic ms */
    int result;
};

/** Runs until stopped. Returns the exit code. */
int worker_main_run(struct worker_main *worker);
/** Stops everything within the graceful timeout; the exit code will be result. */
void worker_main_stop(struct worker_main *worker, int result);
/**
 * Asks for every connector of the command line; done is called once for each. keep_failed: as
 * struct herder_request has it.
 */
void worker_main_create(struct worker_main *worker, bool keep_failed,
                        void (*done)(void *user, const struct herder_reply *reply), void *user);

#endif
