/*
 * Logging inside our own processes. Lines go to a writer: in the worker to the log file or the
 * terminal, in a host through the log pipe to the worker (the only writer of log files).
 * [any thread]
 */
#ifndef CORE_BASE_LOG_H
#define CORE_BASE_LOG_H

#include <stdbool.h>

#include "core/base/error.h"

enum log_level { LOG_LEVEL_TRACE, LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

/** Takes one finished line, without a newline. Called under the log's lock. */
typedef void (*log_writer_fn)(void *user, enum log_level level, const char *logger,
                              const char *context, const char *text);

/** NULL: lines to standard error as `[2026-01-31 12:00:00,000] INFO [lake|task-0] text (logger)`. */
void log_set_writer(log_writer_fn writer, void *user);
void log_set_level(enum log_level level);
bool log_enabled(enum log_level level);
/** Name for /admin/loggers (`sluice.worker.herder`) and context (`[lake|task-0] `, NULL: none). */
void log_line(enum log_level level, const char *logger, const char *context, const char *format, ...)
    PRINTF_LIKE(4, 5);
const char *log_level_name(enum log_level level);
/** -1 for a word that is no level. */
int log_level_parse(const char *text);

#define log_error(logger, ...) log_line(LOG_LEVEL_ERROR, logger, NULL, __VA_ARGS__)
#define log_warn(logger, ...) log_line(LOG_LEVEL_WARN, logger, NULL, __VA_ARGS__)
#define log_info(logger, ...) log_line(LOG_LEVEL_INFO, logger, NULL, __VA_ARGS__)
#define log_debug(logger, ...) \
    (log_enabled(LOG_LEVEL_DEBUG) ? log_line(LOG_LEVEL_DEBUG, logger, NULL, __VA_ARGS__) : (void)0)

#endif
