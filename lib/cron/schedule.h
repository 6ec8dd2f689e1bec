/*
 * When a polling source runs: every poll.interval.ms, or as schedule.cron says, with catch-up of what
 * was missed and repeated tries of what failed. Knows nothing of clocks: the caller says what time it
 * is, so that tests need not wait. One thread.
 *
 * A run: schedule_due() says it is time; the source works; schedule_done() or schedule_failed() ends
 * it. The last tick that was run is the caller's to store (schedule.tick) and to give back.
 */
#ifndef LIB_CRON_SCHEDULE_H
#define LIB_CRON_SCHEDULE_H

#include "lib/cron/cron.h"

enum schedule_catchup { CATCHUP_NONE, CATCHUP_LAST, CATCHUP_ALL };

struct schedule {
    bool has_cron;
    struct cron cron;
    const struct zone *zone; /* borrowed */
    enum schedule_catchup catchup;
    bool run_at_start;       /* with cron: once when it starts, too */
    int64_t interval_ms;     /* without cron: from the end of a run to the next */
    int64_t retries, retry_delay_ms;
    /* State. */
    int64_t due_ms;          /* when the next run or try begins; INT64_MIN: at once */
    int64_t tick;            /* the tick being run, or run last; INT64_MIN: none yet */
    int64_t next_tick;       /* cron: the tick that due_ms is for */
    int attempts;            /* of the run that is on, or was last */
    bool running;
};

/** last_tick: as stored by an earlier process; INT64_MIN: none. */
void schedule_start(struct schedule *schedule, int64_t now_ms, int64_t last_tick);
/** True: begin a run (or try it again) now. Otherwise *ret_wait_ms is how long there is nothing to do. */
bool schedule_due(struct schedule *schedule, int64_t now_ms, int64_t *ret_wait_ms);
void schedule_done(struct schedule *schedule, int64_t now_ms);
/** True: it will be tried again; false: given up, the next tick goes on. */
bool schedule_failed(struct schedule *schedule, int64_t now_ms);

#endif
