/*
 * What `sluice run` shows while it runs: on a terminal a small table that is drawn anew, elsewhere
 * a line per connector now and then, when something changed. Warnings of the log stand above the table.
 */
#ifndef CORE_CLI_RUN_PROGRESS_H
#define CORE_CLI_RUN_PROGRESS_H

#include <stdbool.h>

#include "core/base/log.h"
#include "core/worker/herder.h"

enum { RUN_PROGRESS_LINES_MS = 2000 }; /* between lines where standard output is no terminal */

struct run_progress;

/** terminal: standard output is one. */
struct run_progress *run_progress_create(struct herder *herder, bool terminal, bool json);
void run_progress_destroy(struct run_progress *progress);
/** Shows how things are now. [loop thread] */
void run_progress_show(struct run_progress *progress);
/** Takes a table away, so that other output can follow. */
void run_progress_clear(struct run_progress *progress);

struct run_summary {
    int connectors, tasks, failed; /* failed: connectors with a failure of their own or in a task */
    bool settled;                  /* nothing starts or stops */
    int64_t moved;                 /* records of all connectors */
    int64_t lag;                   /* of all sinks */
    int64_t active;                /* read by sinks, not yet committed */
    bool committing;               /* sinks have been asked to commit, and not all have answered */
};

/** [loop thread] */
void run_summarise(struct herder *herder, struct run_summary *ret_summary);

#endif
