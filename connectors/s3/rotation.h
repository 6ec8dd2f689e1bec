/* Times of the schedule, rotate.schedule.interval.ms. */
#ifndef S3_ROTATION_H
#define S3_ROTATION_H

#include <stdint.h>

#include "lib/java/zone.h"

/** Next multiple of the interval after now, counted from local midnight, at most the next midnight. */
int64_t rotation_next(const struct zone *zone, int64_t interval, int64_t now);

#endif
