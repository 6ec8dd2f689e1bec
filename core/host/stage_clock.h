/*
 * How long converters and chain take with a record: measured for one record of many, since looking
 * at the clock costs a good part of what a record does. [task thread]
 */
#ifndef CORE_HOST_STAGE_CLOCK_H
#define CORE_HOST_STAGE_CLOCK_H

#include "core/base/clock.h"
#include "core/host/errors.h"

enum { STAGE_CLOCK_EVERY = 128 };

struct stage_clock {
    bool on;
    bool ran[2]; /* converters, chain */
    int64_t begin, spent[2];
};

/** To the task's next record, from zeros or from one that was told; batches of one are timed no more
 * often than long ones. */
static inline void stage_clock_next(struct stage_clock *clock, struct task *task)
{
    clock->on = task->records++ % STAGE_CLOCK_EVERY == 0;
}

static inline void stage_clock_begin(struct stage_clock *clock)
{
    if (clock->on) {
        clock->begin = clock_monotonic_ns();
    }
}

static inline void stage_clock_end(struct stage_clock *clock, enum stage stage)
{
    if (clock->on) {
        bool chain = stage == STAGE_TRANSFORMATION;
        clock->spent[chain] += clock_monotonic_ns() - clock->begin;
        clock->ran[chain] = true;
    }
}

static inline void stage_clock_tell(struct stage_clock *clock, struct metrics_page *page)
{
    if (!clock->on) {
        return;
    }
    if (clock->ran[0]) {
        metrics_observe(page, METRICS_CONVERT, clock->spent[0], 1);
    }
    if (clock->ran[1]) {
        metrics_observe(page, METRICS_TRANSFORM, clock->spent[1], 1);
    }
    *clock = (struct stage_clock){0};
}

#endif
