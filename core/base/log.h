/*
 * Logging inside our own processes. Lines go to a writer: in the worker to the log file or the
 * terminal, in a host through the log pipe to the worker (the only writer of log files).
 *
 * Loggers are named by dots, `sluice.worker.herder`, and have levels as in log4j: a name without a
 * level of its own has that of the nearest one above it, at last that of `root`. [any thread]
 */
#ifndef CORE_BASE_LOG_H
#define CORE_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "core/base/error.h"

/** log4j's, by urgency; FATAL, OFF and ALL are thresholds only. */
enum log_level {
    LOG_LEVEL_TRACE,
    LOG_LEVEL_DEBUG,
    LOG_LEVEL_INFO,
    LOG_LEVEL_WARN,
    LOG_LEVEL_ERROR,
    LOG_LEVEL_FATAL,
    LOG_LEVEL_OFF,
    LOG_LEVEL_ALL, /* as TRACE */
};

#define LOG_ROOT "root"

/** Takes one finished line, without a newline. Called under the log's lock. */
typedef void (*log_writer_fn)(void *user, enum log_level level, const char *logger,
                              const char *context, const char *text);

/** Writes `[2026-01-31 12:00:00,000] INFO [lake|task-0] text (logger)` and a newline; what is no plain text in
 * it as plain_text_append() does. */
void log_write_text(FILE *file, const struct timespec *now, enum log_level level, const char *logger,
                    const char *context, const char *text);
/** NULL: lines to standard error, by log_write_text(). */
void log_set_writer(log_writer_fn writer, void *user);
/**
 * Lines of one kind (logger and format) a second; what is beyond that is counted, and told with the
 * first line after. 0: no limit, as it is at the start. A line a record shall not fill a disk.
 */
void log_set_limit(int lines);

/** Of `root`. */
void log_set_level(enum log_level level);
/**
 * As Connect does it: of all known loggers whose names begin so (`root`: of all), and this one, which is
 * known from now on. One that has that level already, also by inheriting it, is left as it is.
 */
void log_set_level_of(const char *logger, enum log_level level);
/** Makes a logger known, without a level of its own. */
void log_know(const char *logger);
/** Of one logger and no other. */
void log_set_level_only(const char *logger, enum log_level level);
/** In force for this logger. ret_modified (may be NULL): wall clock ms when it was set here; -1: it
 * is inherited or from the start. */
enum log_level log_level_of(const char *logger, int64_t *ret_modified);
bool log_knows(const char *logger);
/** Calls fn for every known logger, `root` first, the rest by name; level counts where it is its own.
 * Under the log's lock. */
void log_each_level(void (*fn)(void *user, const char *logger, bool own, enum log_level level,
                               int64_t modified),
                    void *user);
/** Back to `root` alone. */
void log_clear_levels(void);

/** True where some logger would write a line of this level: cheap, for callers without a name. */
bool log_enabled(enum log_level level);
bool log_enabled_for(enum log_level level, const char *logger);
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
