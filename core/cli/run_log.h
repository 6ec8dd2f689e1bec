/* Where `sluice run` and its relatives write their log: options of the command line, keys of the worker. */
#ifndef CORE_CLI_RUN_LOG_H
#define CORE_CLI_RUN_LOG_H

#include "core/base/error.h"
#include "core/config/properties.h"

struct run_log {
    const char *file, *format, *level; /* of the command line; NULL: as the worker's keys say */
};

/**
 * sluice.log.file, sluice.log.format (text, json) and sluice.log.level, under what the command line
 * says. quiet_file: where lines go when neither names a file and standard error is not free for
 * them; NULL: to standard error, or standard output where to_stdout says so.
 */
int run_log_open(const struct run_log *log, const struct properties *worker, const char *quiet_file,
                 bool to_stdout, struct error *error) CHECKED;

#endif
