/*
 * The embedded log's owner as a child of the worker: `sluice-log DIR --fd N`, where N is one end of
 * a socket pair whose other end the worker holds: the log leaves when that closes. It is started
 * again, with growing pauses, whenever it ends. [loop thread]
 */
#ifndef CORE_WORKER_EMBEDDED_LOG_H
#define CORE_WORKER_EMBEDDED_LOG_H

#include <stdbool.h>

#include "core/base/error.h"
#include "core/base/loop.h"
#include "core/config/properties.h"

struct embedded_log;

/**
 * program: sluice-log; dir: of the log; stdin_fd: see supervisor_create(). Strings are copied.
 * worker: its log.retention.* and the like are the log's defaults; borrowed.
 */
struct embedded_log *embedded_log_create(struct loop *loop, const char *program, const char *dir,
                                         int stdin_fd, const struct properties *worker);
/**
 * Starts it; on_ready is called once, when it first takes connections, or with an error when it
 * ends before that.
 */
void embedded_log_start(struct embedded_log *log,
                        void (*on_ready)(void *user, const struct error *error), void *user);
/** Ends it; on_stopped is called when it is gone (at once where it is not there). */
void embedded_log_stop(struct embedded_log *log, void (*on_stopped)(void *user), void *user);
/** SIGKILL; nothing where it does not run. */
void embedded_log_kill(struct embedded_log *log);
/** Kills it where it still runs, and waits for that. NULL is fine. */
void embedded_log_destroy(struct embedded_log *log);

#endif
