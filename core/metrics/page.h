/*
 * The page a host shares with its worker (a memfd): numbers, and what is left of a crash.
 * The host adds, the worker reads at any time; numbers are atomics and never wait.
 */
#ifndef CORE_METRICS_PAGE_H
#define CORE_METRICS_PAGE_H

#include <stdatomic.h>
#include <stdint.h>

#define METRICS_PAGE_MAGIC 0x65676170u
#define METRICS_SLOTS 192
#define CRASH_FRAMES 64
#define CRASH_MAPS (96 * 1024)

struct metrics_slot {
    char name[56];              /* "sink-record-read-total", "objects-written"; set once, then `used` */
    _Atomic uint32_t used;      /* 0 free, 1 counter, 2 gauge, 3 being made */
    _Atomic int64_t value;
};

/** Written by the signal handler only; read after the process ended. */
struct crash_record {
    _Atomic uint32_t valid;     /* last to be written */
    int32_t signal;             /* 0: out of memory */
    int32_t code;               /* si_code */
    uint64_t address;           /* si_addr, or bytes wanted */
    uint64_t data_used;         /* VmData then, in bytes; 0: not known */
    uint64_t data_limit;        /* RLIMIT_DATA, in bytes; 0: none */
    uint32_t frame_count;
    uint64_t frames[CRASH_FRAMES];
    char phase[96];             /* what the host was doing: "put", "stop", "validate", class name */
    uint32_t maps_size;
    char maps[CRASH_MAPS];      /* /proc/self/maps */
};

struct metrics_page {
    uint32_t magic;
    uint32_t size;
    struct metrics_slot slots[METRICS_SLOTS];
    char phase[96];             /* call into the plugin that runs now ("" between calls): blamed when killed */
    _Atomic int64_t phase_since; /* monotonic ms */
    struct crash_record crash;
};

/** Slot of this name, made on first use; NULL when there are none left. kind 1 or 2. [any thread] */
struct metrics_slot *metrics_slot(struct metrics_page *page, const char *name, uint32_t kind);

#endif
