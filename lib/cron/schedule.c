/* When a polling source runs. */
#include "lib/cron/schedule.h"

/* Configured times may be as long as a number can be. */
static int64_t later_by(int64_t now_ms, int64_t ms)
{
    int64_t due;
    return __builtin_add_overflow(now_ms, ms, &due) ? INT64_MAX : due;
}

/* The tick behind one, past what was missed where that is not to be made up for. */
static void plan(struct schedule *schedule, int64_t after, int64_t now_ms)
{
    int64_t next = cron_next(&schedule->cron, schedule->zone, after);
    if (next <= now_ms && schedule->catchup != CATCHUP_ALL) {
        int64_t last = next;
        /* A long absence: begin to look a little before now, not at each tick of a year. */
        int64_t near = now_ms - (int64_t)7 * 86400000;
        if (last < near) {
            int64_t from_near = cron_next(&schedule->cron, schedule->zone, near);
            last = from_near <= now_ms ? from_near : last;
        }
        for (int64_t later = last; later <= now_ms;
             later = cron_next(&schedule->cron, schedule->zone, later)) {
            last = later;
        }
        next = schedule->catchup == CATCHUP_LAST ? last
                                                 : cron_next(&schedule->cron, schedule->zone, now_ms);
    }
    schedule->next_tick = next;
    schedule->due_ms = next;
}

void schedule_start(struct schedule *schedule, int64_t now_ms, int64_t last_tick)
{
    schedule->running = false;
    schedule->attempts = 0;
    schedule->tick = last_tick;
    schedule->due_ms = INT64_MIN;
    if (schedule->has_cron) {
        plan(schedule, last_tick == INT64_MIN ? now_ms : last_tick, now_ms);
        if (schedule->run_at_start && schedule->due_ms > now_ms) {
            schedule->next_tick = schedule->due_ms = now_ms;
        }
    }
}

bool schedule_due(struct schedule *schedule, int64_t now_ms, int64_t *ret_wait_ms)
{
    *ret_wait_ms = 0;
    if (schedule->running) {
        return false;
    }
    if (now_ms < schedule->due_ms) {
        *ret_wait_ms = schedule->due_ms - now_ms;
        return false;
    }
    schedule->running = true;
    if (schedule->attempts == 0) {
        schedule->tick = schedule->has_cron ? schedule->next_tick : now_ms;
    }
    schedule->attempts++;
    return true;
}

void schedule_done(struct schedule *schedule, int64_t now_ms)
{
    schedule->running = false;
    schedule->attempts = 0;
    if (schedule->has_cron) {
        /* A run that took longer than to the next tick: that one is not made up for, but the last is. */
        plan(schedule, schedule->tick, now_ms);
    } else {
        schedule->due_ms = later_by(now_ms, schedule->interval_ms);
    }
}

bool schedule_failed(struct schedule *schedule, int64_t now_ms)
{
    schedule->running = false;
    if (schedule->retries < 0 || schedule->attempts <= schedule->retries) {
        schedule->due_ms = later_by(now_ms, schedule->retry_delay_ms);
        return true;
    }
    schedule_done(schedule, now_ms);
    return false;
}
