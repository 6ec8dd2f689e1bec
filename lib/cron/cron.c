/* Cron expressions. Days are walked on the calendar and put into the zone's time, hours never added up. */
#include "lib/cron/cron.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/java/calendar.h"

enum {
    MINUTE_MS = 60000,
    DAY_MS = 86400000,
    DAYS_AHEAD = 366 * 30,        /* 29 February on a certain weekday comes within 28 years, 40 once */
    CORRECTION_MS = 3 * 3600000,  /* a greater jump sets a wrong clock right and skips nothing */
};

struct field {
    const char *name;
    int low, high;
    const char *const *words; /* of low, low + 1, .. */
};

static const char *const months[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                     "jul", "aug", "sep", "oct", "nov", "dec", NULL};
static const char *const weekdays[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};
static const struct field fields[] = {{"minute", 0, 59, NULL},
                                      {"hour", 0, 23, NULL},
                                      {"day of month", 1, 31, NULL},
                                      {"month", 1, 12, months},
                                      {"day of week", 0, 7, weekdays}};

/* A number or word of a field; *at moves behind it. -1: none. */
static int read_number(const struct field *field, const char **at, const char *end)
{
    const char *text = *at;
    if (text < end && isdigit((unsigned char)*text)) {
        int value = 0;
        while (text < end && isdigit((unsigned char)*text) && value < 1000) {
            value = value * 10 + (*text++ - '0');
        }
        *at = text;
        return value;
    }
    for (int i = 0; field->words && field->words[i]; i++) {
        if (end - text >= 3 && strncasecmp(text, field->words[i], 3) == 0) {
            *at = text + 3;
            return field->low + i;
        }
    }
    return -1;
}

/* One item of a list: *, N, N-M, each with /STEP. False: it is none. */
static bool read_item(const struct field *field, const char *text, const char *end, uint64_t *bits)
{
    int from = field->low, to = field->high, step = 1;
    bool range = true;
    if (text < end && *text == '*') {
        text++;
        to = field->high == 7 ? 6 : to;
    } else {
        from = to = read_number(field, &text, end);
        range = text < end && *text == '-';
        if (range) {
            text++;
            to = read_number(field, &text, end);
        }
    }
    if (text < end && *text == '/') {
        text++;
        step = text < end && isdigit((unsigned char)*text) ? read_number(field, &text, end) : 0;
        to = range ? to : field->high; /* 5/10: from 5 on */
    }
    if (text != end || step < 1 || from < field->low || to > field->high || from > to) {
        return false;
    }
    for (int i = from; i <= to; i += step) {
        *bits |= (uint64_t)1 << i;
    }
    return true;
}

static bool read_field(const struct field *field, const char *text, size_t size, uint64_t *bits)
{
    const char *end = text + size;
    *bits = 0;
    for (;;) {
        const char *comma = memchr(text, ',', (size_t)(end - text));
        if (!read_item(field, text, comma ? comma : end, bits)) {
            return false;
        }
        if (!comma) {
            return true;
        }
        text = comma + 1;
    }
}

static const char *nickname(const char *text)
{
    static const char *const names[][2] = {
        {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"},
        {"@weekly", "0 0 * * 0"}, {"@daily", "0 0 * * *"},    {"@midnight", "0 0 * * *"},
        {"@hourly", "0 * * * *"}};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcasecmp(text, names[i][0]) == 0) {
            return names[i][1];
        }
    }
    return text;
}

/* Some month that is chosen has some day that is chosen. */
static bool can_come(const struct cron *cron)
{
    static const int longest[] = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (!cron->any_day && !cron->any_weekday) {
        return true; /* the weekday is enough */
    }
    for (int month = 1; month <= 12; month++) {
        for (int day = 1; day <= longest[month]; day++) {
            if (cron->months >> month & 1 && cron->days >> day & 1) {
                return true;
            }
        }
    }
    return false;
}

int cron_parse(const char *text, struct cron *cron, char *message, size_t message_size)
{
    uint64_t bits[5];
    bool star[5];
    const char *at = nickname(text);
    memset(cron, 0, sizeof(*cron));
    for (size_t i = 0; i < 5; i++) {
        at += strspn(at, " \t");
        size_t size = strcspn(at, " \t");
        if (size == 0) {
            snprintf(message, message_size,
                     "'%.100s' has %zu fields; five are needed: minute, hour, day of month, month, day "
                     "of week",
                     text, i);
            return -1;
        }
        if (!read_field(&fields[i], at, size, &bits[i])) {
            snprintf(message, message_size,
                     "'%.*s' is no %s: numbers from %d to %d%s, *, lists (1,2), ranges (1-5), steps "
                     "(*/10) are",
                     (int)(size < 60 ? size : 60), at, fields[i].name, fields[i].low, fields[i].high,
                     fields[i].words ? ", names of three letters" : "");
            return -1;
        }
        star[i] = *at == '*';
        at += size;
    }
    if (at[strspn(at, " \t")]) {
        snprintf(message, message_size, "'%.100s' has more than five fields; seconds and years are not known",
                 text);
        return -1;
    }
    cron->minutes = bits[0];
    cron->hours = (uint32_t)bits[1];
    cron->days = (uint32_t)bits[2];
    cron->months = (uint16_t)bits[3];
    cron->weekdays = (uint8_t)((bits[4] | bits[4] >> 7) & 0x7f);
    cron->any_day = star[2];
    cron->any_weekday = star[4];
    cron->fixed = !star[0] && !star[1];
    if (!can_come(cron)) {
        snprintf(message, message_size, "'%.100s' is never due: no such day in those months", text);
        return -1;
    }
    return 0;
}

static bool day_matches(const struct cron *cron, int64_t local_day_ms)
{
    struct calendar_time day = calendar_split(local_day_ms);
    bool date = cron->days >> day.day & 1, weekday = cron->weekdays >> (day.day_of_week - 1) & 1;
    bool both = cron->any_day || cron->any_weekday;
    return cron->months >> (day.month + 1) & 1 && (both ? date && weekday : date || weekday);
}

/* Offset of a zone, milliseconds. */
static int64_t offset_at(const struct zone *zone, int64_t ms)
{
    return (int64_t)zone_at(zone, ms).seconds * 1000;
}

/* First instant from low on where the clock is past a jump; high is. */
static int64_t jump_between(const struct zone *zone, int64_t low, int64_t high)
{
    int64_t after = offset_at(zone, high);
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (offset_at(zone, middle) == after) {
            high = middle;
        } else {
            low = middle;
        }
    }
    return high;
}

/* First instant after `after` at which a job due at this wall clock time runs; INT64_MAX: none. */
static int64_t instant_of(const struct cron *cron, const struct zone *zone, int64_t local, int64_t after)
{
    int64_t before = offset_at(zone, local - DAY_MS), later = offset_at(zone, local + DAY_MS);
    int64_t first = local - (before > later ? before : later);
    int64_t second = local - (before > later ? later : before);
    bool first_shows = first + offset_at(zone, first) == local;
    bool second_shows = second + offset_at(zone, second) == local;
    if (first_shows || second_shows) {
        if (!first_shows || (first <= after && !cron->fixed)) {
            first = second_shows ? second : first; /* comes twice: both, unless fixed */
        }
        return first > after ? first : INT64_MAX;
    }
    if (!cron->fixed || second - first > CORRECTION_MS) {
        return INT64_MAX;
    }
    int64_t jump = jump_between(zone, first, second);
    return jump > after ? jump : INT64_MAX;
}

int64_t cron_next(const struct cron *cron, const struct zone *zone, int64_t after_ms)
{
    int64_t local = after_ms + offset_at(zone, after_ms) - DAY_MS;
    int64_t day = local - ((local % DAY_MS) + DAY_MS) % DAY_MS;
    for (int i = 0; i < DAYS_AHEAD + 2; i++, day += DAY_MS) {
        if (!day_matches(cron, day)) {
            continue;
        }
        /* What comes twice or is moved makes instants of a day not ascend by the clock: look at all. */
        int64_t best = INT64_MAX;
        for (int hour = 0; hour < 24; hour++) {
            for (int minute = 0; minute < 60 && cron->hours >> hour & 1; minute++) {
                if (!(cron->minutes >> minute & 1)) {
                    continue;
                }
                int64_t due = instant_of(cron, zone, day + (hour * 60 + minute) * (int64_t)MINUTE_MS,
                                         after_ms);
                best = due < best ? due : best;
            }
        }
        if (best != INT64_MAX) {
            return best;
        }
    }
    return INT64_MAX;
}
