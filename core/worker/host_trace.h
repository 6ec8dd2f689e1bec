/* The words for the end of a host that did not end well. Pure. [any thread] */
#ifndef CORE_WORKER_HOST_TRACE_H
#define CORE_WORKER_HOST_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/metrics/page.h"
#include "core/worker/host_log.h"

struct host_ending {
    const char *subject; /* Task lake-0 */
    int status;          /* as waitpid() gives it */
    const struct metrics_page *page;
    const char *frames;      /* of a crash, a line each; NULL: not known */
    int64_t stop_timeout_ms; /* killed by us because stop took longer; 0: no */
    int64_t deadline_ms;     /* killed by us because all of it took longer; 0: no */
    bool deaf;               /* killed by us because it took no messages */
    bool mute;               /* killed by us because it closed its log pipe */
    int64_t ended_at;        /* monotonic ms: when it was killed, or found dead */
    int64_t memory_limit;    /* bytes; 0: none */
    int64_t shared, data;    /* bytes, killed by us because together they were more; 0: no */
    const struct host_log *log;
};

/**
 * What happened, where, and the last log lines, in the form of a Java trace. Owned by the caller.
 * *ret_code: enum error_code.
 */
char *host_trace(const struct host_ending *ending, int *ret_code);

#endif
