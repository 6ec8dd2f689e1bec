#include "lib/java/calendar.h"

#define DAY_MS 86400000
#define CUTOVER_DAY (-141427) /* 1582-10-15, the first Gregorian day */
#define CUTOVER_YEAR 1582

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

static int64_t floor_mod(int64_t a, int64_t b)
{
    int64_t rest = a % b;
    return rest < 0 ? rest + b : rest;
}

/*
 * Day numbers. Years are counted from March, so that the leap day is a year's last; 153 days are
 * five months of 31, 30, 31, 30, 31. month is 0..11 of a year from January.
 */

static int64_t julian_day(int64_t year, int month)
{
    int from_march = (month + 10) % 12;
    year -= month < 2;
    return floor_div(year * 1461, 4) + (153 * from_march + 2) / 5 - 719470;
}

static int64_t gregorian_day(int64_t year, int month)
{
    int64_t years = year - (month < 2);
    return julian_day(year, month) - floor_div(years, 100) + floor_div(years, 400) + 2;
}

static int64_t day_of(bool gregorian, int64_t year, int month)
{
    return gregorian ? gregorian_day(year, month) : julian_day(year, month);
}

/** 1: Sunday. */
static int32_t weekday(int64_t day)
{
    return (int32_t)floor_mod(day + 4, 7) + 1;
}

static int64_t weekday_on_or_before(int64_t day, int32_t wanted)
{
    return day - floor_mod((int64_t)weekday(day) - wanted, 7);
}

/** First day (a Sunday) of the week that holds day `first` of a year or month. */
static int64_t first_week(int64_t first)
{
    return weekday_on_or_before(first, 1);
}

void calendar_set(struct calendar *calendar, enum calendar_field field, int32_t value)
{
    calendar->value[field] = value;
    calendar->stamp[field] = ++calendar->last_stamp;
}

/* -- from fields to a time: GregorianCalendar.computeTime -- */

static int later(int a, int b)
{
    return a > b ? a : b;
}

/** Stamp of a pair of fields: that of the later, if both are set. */
static int pair_stamp(int a, int b)
{
    return a && b ? later(a, b) : 0;
}

/** Which fields say the day. */
enum day_rule {
    BY_DAY_OF_MONTH,
    BY_WEEK_OF_MONTH,
    BY_DAY_OF_WEEK_IN_MONTH,
    BY_DAY_OF_YEAR,
    BY_WEEK_OF_YEAR,
};

/** The fields set last win; a weekday makes up a week field's pair (Calendar.selectFields). */
static enum day_rule choose_rule(const int *stamp)
{
    int weekday_stamp = stamp[CALENDAR_DAY_OF_WEEK];
    int by_day = stamp[CALENDAR_DAY_OF_MONTH];
    int by_week_of_month = pair_stamp(stamp[CALENDAR_WEEK_OF_MONTH], weekday_stamp);
    int by_weekday_in_month = pair_stamp(stamp[CALENDAR_DAY_OF_WEEK_IN_MONTH], weekday_stamp);
    int by_day_of_year = stamp[CALENDAR_DAY_OF_YEAR];
    int by_week_of_year = pair_stamp(stamp[CALENDAR_WEEK_OF_YEAR], weekday_stamp);
    int best = later(by_day, by_week_of_month);
    best = later(later(best, by_weekday_in_month), later(by_day_of_year, by_week_of_year));
    if (!best) { /* no pair is complete: what is there alone */
        by_week_of_month = stamp[CALENDAR_WEEK_OF_MONTH];
        by_weekday_in_month = later(stamp[CALENDAR_DAY_OF_WEEK_IN_MONTH], weekday_stamp);
        by_week_of_year = stamp[CALENDAR_WEEK_OF_YEAR];
        best = later(later(by_week_of_month, by_weekday_in_month), by_week_of_year);
        if (!best) {
            return BY_DAY_OF_MONTH;
        }
    }
    if (best == by_day) {
        return BY_DAY_OF_MONTH;
    }
    bool week_of_month =
        best == by_week_of_month && stamp[CALENDAR_WEEK_OF_MONTH] >= stamp[CALENDAR_WEEK_OF_YEAR];
    bool weekday_in_month = best == by_weekday_in_month &&
                            stamp[CALENDAR_DAY_OF_WEEK_IN_MONTH] >= stamp[CALENDAR_WEEK_OF_YEAR];
    if (week_of_month || weekday_in_month) {
        if (by_week_of_month == by_weekday_in_month) {
            return stamp[CALENDAR_WEEK_OF_MONTH] >= stamp[CALENDAR_DAY_OF_WEEK_IN_MONTH]
                       ? BY_WEEK_OF_MONTH
                       : BY_DAY_OF_WEEK_IN_MONTH;
        }
        return best == by_week_of_month ? BY_WEEK_OF_MONTH : BY_DAY_OF_WEEK_IN_MONTH;
    }
    return best == by_day_of_year ? BY_DAY_OF_YEAR : BY_WEEK_OF_YEAR;
}

/** Day number of the fields in one of the two calendars (GregorianCalendar.getFixedDate). */
static int64_t day_by_rule(const struct calendar *calendar, enum day_rule rule, bool gregorian,
                           int64_t year)
{
    const int32_t *value = calendar->value;
    const int *stamp = calendar->stamp;
    if (rule == BY_DAY_OF_YEAR) {
        return day_of(gregorian, year, 0) + value[CALENDAR_DAY_OF_YEAR] - 1;
    }
    if (rule == BY_WEEK_OF_YEAR) {
        int64_t day = first_week(day_of(gregorian, year, 0));
        if (stamp[CALENDAR_DAY_OF_WEEK]) {
            day = weekday_on_or_before(day + 6, value[CALENDAR_DAY_OF_WEEK]);
        }
        return day + 7 * ((int64_t)value[CALENDAR_WEEK_OF_YEAR] - 1);
    }
    int64_t month = value[CALENDAR_MONTH];
    year += floor_div(month, 12);
    month = floor_mod(month, 12);
    int64_t first = day_of(gregorian, year, (int)month);
    if (rule == BY_DAY_OF_MONTH) {
        return stamp[CALENDAR_DAY_OF_MONTH] ? first + value[CALENDAR_DAY_OF_MONTH] - 1 : first;
    }
    if (rule == BY_WEEK_OF_MONTH) {
        int64_t day = first_week(first);
        if (stamp[CALENDAR_DAY_OF_WEEK]) {
            day = weekday_on_or_before(day + 6, value[CALENDAR_DAY_OF_WEEK]);
        }
        return day + 7 * ((int64_t)value[CALENDAR_WEEK_OF_MONTH] - 1);
    }
    int32_t wanted = stamp[CALENDAR_DAY_OF_WEEK] ? value[CALENDAR_DAY_OF_WEEK] : 1;
    int64_t nth = stamp[CALENDAR_DAY_OF_WEEK_IN_MONTH] ? value[CALENDAR_DAY_OF_WEEK_IN_MONTH] : 1;
    if (nth >= 0) {
        int32_t days = (int32_t)((uint32_t)nth * 7); /* wraps as Java's int does */
        return weekday_on_or_before(first + days - 1, wanted);
    }
    int64_t length = day_of(gregorian, year + (month == 11), (int)(month + 1) % 12) - first;
    return weekday_on_or_before(first + length + 7 * (nth + 1) - 1, wanted);
}

/** Day number of the fields, with `carried` days out of the time of day. */
static int64_t day_of_fields(const struct calendar *calendar, int64_t year, int64_t carried)
{
    enum day_rule rule = choose_rule(calendar->stamp);
    int64_t gregorian = carried + day_by_rule(calendar, rule, true, year);
    int64_t julian = carried + day_by_rule(calendar, rule, false, year);
    if (year > CUTOVER_YEAR && gregorian >= CUTOVER_DAY) {
        return gregorian;
    }
    if (year < CUTOVER_YEAR && julian < CUTOVER_DAY) {
        return julian;
    }
    if (year < CUTOVER_YEAR) {
        gregorian = julian;
    }
    if (rule == BY_DAY_OF_YEAR || rule == BY_WEEK_OF_YEAR) {
        return julian;
    }
    return gregorian >= CUTOVER_DAY ? gregorian : julian;
}

/** Day of a week date (GregorianCalendar.setWeekDate), weekdays out of range carried over. */
static int64_t day_of_week_date(const struct calendar *calendar)
{
    int64_t week =
        calendar->stamp[CALENDAR_WEEK_OF_YEAR] ? calendar->value[CALENDAR_WEEK_OF_YEAR] : 1;
    int64_t day = calendar->stamp[CALENDAR_DAY_OF_WEEK] ? calendar->value[CALENDAR_DAY_OF_WEEK] : 1;
    if (day < 1 || day > 7) {
        if (day >= 8) {
            day--;
            week += day / 7;
            day = day % 7 + 1;
        } else {
            week += floor_div(day - 1, 7);
            day = floor_mod(day - 1, 7) + 1;
        }
        day = day == 7 ? 1 : day + 1; /* it came as an ISO weekday: 7 is Sunday */
    }
    int64_t year = calendar->value[CALENDAR_WEEK_YEAR];
    if (calendar->stamp[CALENDAR_ERA] && calendar->value[CALENDAR_ERA] == 0) {
        year = 1 - year;
    }
    int64_t first = first_week(day_of(year > CUTOVER_YEAR, year, 0));
    return first + day - 1 + 7 * (week - 1);
}

bool calendar_local_ms(const struct calendar *calendar, int64_t *ret_ms)
{
    const int32_t *value = calendar->value;
    const int *stamp = calendar->stamp;
    int64_t year = stamp[CALENDAR_YEAR] ? value[CALENDAR_YEAR] : 1970;
    if (stamp[CALENDAR_ERA]) {
        if (value[CALENDAR_ERA] != 0 && value[CALENDAR_ERA] != 1) {
            return false;
        }
        year = value[CALENDAR_ERA] == 0 ? 1 - year : year;
    }
    int by_half = pair_stamp(stamp[CALENDAR_HOUR], stamp[CALENDAR_AM_PM]);
    int64_t time = 0;
    if (stamp[CALENDAR_HOUR_OF_DAY] && stamp[CALENDAR_HOUR_OF_DAY] > by_half) {
        time = value[CALENDAR_HOUR_OF_DAY];
    } else {
        time = (int64_t)value[CALENDAR_HOUR] + 12 * (int64_t)value[CALENDAR_AM_PM];
    }
    time = time * 60 + value[CALENDAR_MINUTE];
    time = time * 60 + value[CALENDAR_SECOND];
    time = time * 1000 + value[CALENDAR_MILLISECOND];
    int64_t carried = floor_div(time, DAY_MS);
    time = floor_mod(time, DAY_MS);
    int64_t day = stamp[CALENDAR_WEEK_YEAR] > stamp[CALENDAR_YEAR]
                      ? day_of_week_date(calendar) + carried
                      : day_of_fields(calendar, year, carried);
    *ret_ms = (int64_t)((uint64_t)day * DAY_MS + (uint64_t)time); /* wraps as Java's long does */
    return true;
}

/* -- from a time to fields -- */

/** Year and month of a day number; *ret_first its month's first day. */
static int64_t split_day(bool gregorian, int64_t day, int32_t *ret_month, int64_t *ret_first)
{
    /* A guess that is never more than one year off, put right. */
    int64_t year = 1970 + floor_div(day * 400, gregorian ? 146097 : 146100);
    while (day < day_of(gregorian, year, 0)) {
        year--;
    }
    while (day >= day_of(gregorian, year + 1, 0)) {
        year++;
    }
    int month = 11;
    while (day < day_of(gregorian, year, month)) {
        month--;
    }
    *ret_month = month;
    *ret_first = day_of(gregorian, year, month);
    return year;
}

/** All but the time of day. */
static struct calendar_time split_date(int64_t day)
{
    struct calendar_time time = {0};
    bool gregorian = day >= CUTOVER_DAY;
    int64_t first;
    int64_t year = split_day(gregorian, day, &time.month, &first);
    time.day = (int32_t)(day - first) + 1;
    int64_t new_year = day_of(year > CUTOVER_YEAR, year, 0);
    if (gregorian && year == CUTOVER_YEAR && time.month == 9) {
        first = julian_day(year, 9);
    }
    time.day_of_year = (int32_t)(day - new_year) + 1;
    time.day_of_week = weekday(day);
    time.day_of_week_in_month = (int32_t)((day - first) / 7) + 1;
    time.week_of_year = (int32_t)((day - first_week(new_year)) / 7) + 1;
    if (day >= first_week(day_of(year >= CUTOVER_YEAR, year + 1, 0))) {
        time.week_of_year = 1;
    }
    time.week_of_month = (int32_t)((day - first_week(first)) / 7) + 1;
    time.week_year = year + (time.week_of_year == 1 && time.month == 11);
    time.era = year > 0;
    time.year = year > 0 ? year : 1 - year;
    return time;
}

struct calendar_time calendar_split(int64_t local_ms)
{
    /* records come in the order of their times, many a day */
    static _Thread_local int64_t last_day = INT64_MIN;
    static _Thread_local struct calendar_time last;
    int64_t day = floor_div(local_ms, DAY_MS);
    int32_t ms = (int32_t)floor_mod(local_ms, DAY_MS);
    if (day != last_day) {
        last = split_date(day);
        last_day = day;
    }
    uint32_t second = (uint32_t)ms / 1000, minute = second / 60;
    struct calendar_time time = last;
    time.millisecond = (int32_t)((uint32_t)ms - second * 1000);
    time.second = (int32_t)(second - minute * 60);
    time.hour = (int32_t)(minute / 60);
    time.minute = (int32_t)(minute % 60);
    return time;
}
