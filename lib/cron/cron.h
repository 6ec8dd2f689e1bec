/*
 * Five-field cron expressions and when they are due, by the rules of Debian's cron: minute, hour, day
 * of month, month, day of week; `*`, lists, ranges, steps, names of months and days, @hourly and the
 * like. Where both day fields are restricted (neither begins with `*`) either is enough.
 *
 * When a zone's clock jumps ahead, a job at a fixed time that was skipped runs once right after the
 * jump; when it goes back, such a job runs at the first of the two times. A job whose minute or hour
 * begins with `*` runs whenever the clock shows its time.
 * Constant once parsed: [any thread].
 */
#ifndef LIB_CRON_CRON_H
#define LIB_CRON_CRON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/java/zone.h"

struct cron {
    uint64_t minutes; /* bit 0..59 */
    uint32_t hours;   /* bit 0..23 */
    uint32_t days;    /* bit 1..31 */
    uint16_t months;  /* bit 1..12 */
    uint8_t weekdays; /* bit 0..6, 0 Sunday */
    bool any_day, any_weekday; /* the field begins with `*` */
    bool fixed;                /* neither minute nor hour begins with `*` */
};

/** -1 with a sentence that names the field. Dates that never come (30 February) are refused. */
int cron_parse(const char *text, struct cron *cron, char *message, size_t message_size);
/** First instant after `after_ms` (both milliseconds since 1970 UTC, of a whole minute). */
int64_t cron_next(const struct cron *cron, const struct zone *zone, int64_t after_ms);

#endif
