/*
 * The page a host shares with its worker (a memfd): numbers, and what is left of a crash.
 * The host adds, the worker reads at any time; numbers are atomics and never wait. A worker has a
 * page of its own too, for what it counts itself.
 *
 * Beside plain numbers (slots) there are stats, which are seen through a window of time as Kafka's
 * are (-rate, -avg, -max, ..: what was recorded in the last metrics.num.samples windows of
 * metrics.sample.window.ms), and a histogram of the latency of each stage of a record's way. They
 * are fed once a batch, or by one record of many: nothing here costs a record anything to speak of.
 */
#ifndef CORE_METRICS_PAGE_H
#define CORE_METRICS_PAGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define METRICS_PAGE_MAGIC 0x65676171u
#define METRICS_SLOTS 192
#define METRICS_STATS 32
#define METRICS_SAMPLES_MOST 8 /* metrics.num.samples; one more is the one being filled */
#define METRICS_BUCKETS 13     /* and one without an end */
#define CRASH_FRAMES 64
#define CRASH_MAPS (96 * 1024)

struct metrics_slot {
    char name[56];              /* "sink-record-read-total", "objects-written"; set once, then `used` */
    _Atomic uint32_t used;      /* 0 free, 1 counter, 2 gauge, 3 being made */
    _Atomic int64_t value;
};

/** Which numbers a stat is told as; each stands for a word in its name. */
enum metrics_kind {
    METRICS_RATE = 1,      /* rate: sum a second */
    METRICS_TOTAL = 2,     /* total: sum since the start */
    METRICS_AVG = 4,       /* avg */
    METRICS_MAX = 8,       /* max */
    METRICS_SHARE = 16,    /* success, failure: share of ones and of zeroes among what was recorded */
};

struct metrics_sample {
    _Atomic int64_t since; /* monotonic ms; 0: not used yet */
    _Atomic int64_t count, sum, max;
};

/** Has one writer at a time; a reader takes what it reads again where the writer came between. */
struct metrics_stat {
    char name[48];         /* "put-batch-*-time-ms": * becomes max, avg, .. */
    _Atomic uint32_t used; /* 0 free, 1 there, 3 being made */
    uint32_t kinds;
    int64_t divisor;       /* 1000: recorded in microseconds, told in milliseconds */
    _Atomic uint32_t turn; /* odd: being written */
    _Atomic uint32_t current;
    _Atomic int64_t total;
    struct metrics_sample samples[METRICS_SAMPLES_MOST + 1];
};

enum metrics_stage {
    METRICS_POLL,      /* a poll() of the source that brought records */
    METRICS_CONVERT,   /* key, value and header converter, of one record */
    METRICS_TRANSFORM, /* the chain, of one record */
    METRICS_PUT,       /* a put() of the sink */
    METRICS_COMMIT,    /* offsets handed over, until they are stored */
    METRICS_PRODUCE,   /* from the producer's hands to the acknowledgement, of one record */
    METRICS_STAGES,
};

struct metrics_histogram {
    _Atomic int64_t buckets[METRICS_BUCKETS + 1]; /* counts, each of its own bucket alone */
    _Atomic int64_t sum;                          /* ns */
};

/** What a task was how long; for running-ratio and pause-ratio. */
enum metrics_state { METRICS_OTHER, METRICS_RUNNING, METRICS_PAUSED, METRICS_STATES };

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
    _Atomic int64_t window_ms;  /* metrics.sample.window.ms; 0: 30,000 */
    _Atomic uint32_t samples;   /* metrics.num.samples; 0: 2 */
    struct metrics_stat stats[METRICS_STATS];
    struct metrics_histogram stages[METRICS_STAGES];
    _Atomic uint32_t state;     /* enum metrics_state */
    _Atomic int64_t state_since; /* monotonic ms; 0: none yet */
    _Atomic int64_t state_ms[METRICS_STATES]; /* of former stretches */
    char phase[96];             /* call into the plugin that runs now ("" between calls): blamed when killed */
    _Atomic int64_t phase_since; /* monotonic ms */
    struct crash_record crash;
};

/** Slot of this name, made on first use; NULL when there are none left. kind 1 or 2. [any thread] */
struct metrics_slot *metrics_slot(struct metrics_page *page, const char *name, uint32_t kind);
/** NULL is fine. [any thread] */
void metrics_add(struct metrics_slot *slot, int64_t amount);
void metrics_set(struct metrics_slot *slot, int64_t value);

/** Stat of this name, made on first use; NULL when there are none left. [any thread] */
struct metrics_stat *metrics_stat(struct metrics_page *page, const char *name, uint32_t kinds,
                                  int64_t divisor);
/** now: monotonic ms. NULL is fine. [the stat's one writer] */
void metrics_record(struct metrics_page *page, struct metrics_stat *stat, int64_t value, int64_t now);
/** `count` times this long. [any thread] */
void metrics_observe(struct metrics_page *page, enum metrics_stage stage, int64_t ns, int64_t count);
/** The task is in this state from now (monotonic ms) on. [one thread] */
void metrics_state(struct metrics_page *page, enum metrics_state state, int64_t now);

/* -- the reader's side; the page may hold anything, as a plugin can write to it [any thread] -- */

/** Value of a kind (one bit); kind METRICS_SHARE: of success. *ret_any (may be NULL): something was
 * recorded within the window. */
double metrics_read(const struct metrics_page *page, const struct metrics_stat *stat,
                    enum metrics_kind kind, int64_t now, bool *ret_any);
/** Share of the time since the first state; 0 before. */
double metrics_ratio(const struct metrics_page *page, enum metrics_state state, int64_t now);
/** Sum of a counter, gauge or -total of this name; 0 where there is none. */
int64_t metrics_value(const struct metrics_page *page, const char *name);
/** Upper bound of a bucket, in nanoseconds; the last one has none. */
extern const int64_t metrics_bounds[METRICS_BUCKETS];

#endif
