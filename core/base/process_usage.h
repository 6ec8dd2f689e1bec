/* Memory and processor time of a process, out of /proc. [any thread] */
#ifndef CORE_BASE_PROCESS_USAGE_H
#define CORE_BASE_PROCESS_USAGE_H

#include <stdint.h>

struct process_usage {
    int64_t resident, own; /* bytes; own: without what is shared with files */
    int64_t cpu_ms, threads;
};

/** pid 0: this process. -1: it is not there. */
int process_usage_of(int pid, struct process_usage *ret);

/**
 * What RLIMIT_DATA does not count: bytes of memory that is shared and of no file on a disk
 * (MAP_SHARED, memfd, tmpfs), as far as it is mapped and in memory; where they and the data memory
 * exceed limit, else 0. One read of /proc unless it is near that. *ret_data, filled then: what
 * RLIMIT_DATA counts.
 */
int64_t process_shared_beyond(int pid, int64_t limit, int64_t *ret_data);

#endif
