/*
 * The log pipe of a host: lines in, log lines of the worker out, the last ones kept for traces.
 * Format: core/host/protocol.h. [loop thread]
 */
#ifndef CORE_WORKER_HOST_LOG_H
#define CORE_WORKER_HOST_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "lib/util/buffer.h"

#define HOST_LOG_LAST 20

struct host_log {
    int fd;        /* owned; -1: ended */
    char *context; /* for lines that bring none; owned */
    struct buffer in;
    char *last[HOST_LOG_LAST]; /* a ring; owned, NULL: none yet */
    size_t next;
    int64_t output_since; /* monotonic ms: what a plugin printed in this second */
    int output_lines, output_left_out;
};

/** Takes over fd, which does not block. */
void host_log_init(struct host_log *log, int fd, const char *context);
/** Zeroed ones are fine. */
void host_log_finish(struct host_log *log);
/** Handles what is there. 0, or -1 at the end of file. */
int host_log_read(struct host_log *log);
/** Adds the last lines, oldest first, each behind indent, to text. Returns their number. */
size_t host_log_last(const struct host_log *log, const char *indent, struct buffer *text);

#endif
