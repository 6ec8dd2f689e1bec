/*
 * Where a worker's log lines go: standard error or a file, as text or as JSON, and the last ones of
 * each connector in memory, for the admin API. One for the process. [any thread]
 *
 *   [2026-01-31 12:00:00,000] INFO [lake|task-0] text (logger)
 *   {"time":"2026-01-31T11:00:00.000Z","level":"INFO","logger":"..","connector":"lake","task":0,"message":".."}
 */
#ifndef CORE_BASE_LOG_OUTPUT_H
#define CORE_BASE_LOG_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>

#include "core/base/error.h"
#include "core/base/log.h"

struct log_output_options {
    const char *file; /* appended to; NULL: standard error */
    bool to_stdout;   /* without a file: standard output instead */
    bool json;
};

/** Lines go there from now on. -1: the file cannot be opened; nothing changed. */
int log_output_open(const struct log_output_options *options, struct error *error) CHECKED;
/** fn is told of every line after it was written, under the log's lock; NULL: nobody is. */
void log_output_also(void (*fn)(void *user, enum log_level level, const char *context,
                                const char *text),
                     void *user);
/** Closes the file and opens it by its name again (it was moved away). Where that fails, lines go on
 * into the old one, and one says why. */
void log_output_reopen(void);
/** Back to plain lines on standard error; forgets what was remembered. */
void log_output_close(void);

/**
 * The last lines about a connector, those behind number `after` (0: all that are known), at most
 * `most`, oldest first: {"lines":[{"seq","time","level","logger","task"|null,"message"}],"next":n}
 * where next is the `after` for those that follow. New reference.
 */
json_t *log_output_lines(const char *connector, int64_t after, int most);
/** The connector is gone: its lines are forgotten. */
void log_output_forget(const char *connector);

#endif
