/*
 * java.util.GregorianCalendar's reckoning: dates to day numbers and back, Gregorian from 1582-10-15
 * and Julian before, weeks from Sunday with the first of January always in week one (en_US).
 * Day numbers count from 1970-01-01. Pure functions: [any thread].
 */
#ifndef LIB_JAVA_CALENDAR_H
#define LIB_JAVA_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

/** Calendar's field numbers, as far as patterns set them; a stamp says in which order. */
enum calendar_field {
    CALENDAR_ERA,
    CALENDAR_YEAR,
    CALENDAR_MONTH, /* from 0 */
    CALENDAR_WEEK_OF_YEAR,
    CALENDAR_WEEK_OF_MONTH,
    CALENDAR_DAY_OF_MONTH,
    CALENDAR_DAY_OF_YEAR,
    CALENDAR_DAY_OF_WEEK, /* 1: Sunday */
    CALENDAR_DAY_OF_WEEK_IN_MONTH,
    CALENDAR_AM_PM,
    CALENDAR_HOUR,
    CALENDAR_HOUR_OF_DAY,
    CALENDAR_MINUTE,
    CALENDAR_SECOND,
    CALENDAR_MILLISECOND,
    CALENDAR_WEEK_YEAR,
    CALENDAR_ZONE_OFFSET, /* milliseconds, daylight saving included */
    CALENDAR_FIELDS,
};

/** Fields a text has set; a zeroed one has none. */
struct calendar {
    int32_t value[CALENDAR_FIELDS];
    int stamp[CALENDAR_FIELDS]; /* 0: not set; greater is later */
    int last_stamp;
};

void calendar_set(struct calendar *calendar, enum calendar_field field, int32_t value);

/**
 * The wall clock time that the fields stand for, by GregorianCalendar's lenient rules of which
 * fields win: milliseconds since 1970 as if the clock showed UTC. False: an era that is none.
 */
bool calendar_local_ms(const struct calendar *calendar, int64_t *ret_ms);

/** Everything a pattern can print of a wall clock time. */
struct calendar_time {
    int32_t era; /* 0: BC, 1: AD */
    int64_t year, week_year;
    int32_t month; /* from 0 */
    int32_t day, day_of_year, day_of_week, day_of_week_in_month, week_of_year, week_of_month;
    int32_t hour, minute, second, millisecond;
};

struct calendar_time calendar_split(int64_t local_ms);

#endif
