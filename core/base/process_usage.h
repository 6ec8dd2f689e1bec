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

#endif
