/* Times as databases write them. */
#include "connectors/sql/moment.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "lib/java/calendar.h"

enum { MS_PER_DAY = 86400000 };

struct reader {
    const char *at, *end;
};

static bool number(struct reader *reader, int most, int32_t *ret)
{
    const char *begin = reader->at;
    int64_t value = 0;
    while (reader->at < reader->end && isdigit((unsigned char)*reader->at) &&
           reader->at - begin < most) {
        value = value * 10 + (*reader->at++ - '0');
    }
    *ret = (int32_t)value;
    return reader->at > begin;
}

static bool take(struct reader *reader, char c)
{
    if (reader->at < reader->end && *reader->at == c) {
        reader->at++;
        return true;
    }
    return false;
}

/* HH:MM[:SS[.f..]]; hours of so many digits */
static bool clock_time(struct reader *reader, int hour_digits, int64_t *ret_ms, int32_t *ret_nanos)
{
    int32_t hour, minute, second = 0, nanos = 0;
    if (!number(reader, hour_digits, &hour) || !take(reader, ':') || !number(reader, 2, &minute)) {
        return false;
    }
    if (take(reader, ':')) {
        if (!number(reader, 2, &second)) {
            return false;
        }
        if (take(reader, '.')) {
            int digits = 0;
            for (; reader->at < reader->end && isdigit((unsigned char)*reader->at); reader->at++) {
                if (digits++ < 9) {
                    nanos = nanos * 10 + (*reader->at - '0');
                }
            }
            for (; digits < 9; digits++) {
                nanos *= 10;
            }
        }
    }
    if ((hour > 24 && hour_digits == 2) || minute > 59 || second > 60) {
        return false;
    }
    *ret_ms = ((hour * 60 + minute) * 60 + second) * INT64_C(1000) + nanos / 1000000;
    *ret_nanos = nanos;
    return true;
}

/* Z, +HH, +HH:MM, +HH:MM:SS; *ret_found: one was there. */
static bool offset(struct reader *reader, bool *ret_found, int64_t *ret_ms)
{
    *ret_found = false;
    *ret_ms = 0;
    if (take(reader, 'Z')) {
        *ret_found = true;
        return true;
    }
    int sign = take(reader, '+') ? 1 : take(reader, '-') ? -1 : 0;
    int32_t hours, minutes = 0, seconds = 0;
    if (sign == 0) {
        return true;
    }
    if (!number(reader, 2, &hours)) {
        return false;
    }
    bool colon = take(reader, ':');
    if (colon || (reader->at < reader->end && isdigit((unsigned char)*reader->at))) {
        if (!number(reader, 2, &minutes)) {
            return false;
        }
        if (take(reader, ':') && !number(reader, 2, &seconds)) {
            return false;
        }
    }
    *ret_found = true;
    *ret_ms = sign * ((hours * 60 + minutes) * 60 + seconds) * INT64_C(1000);
    return true;
}

/* What pgjdbc makes of the ends of time: PGStatement.DATE_POSITIVE_INFINITY, DATE_NEGATIVE_INFINITY. */
static bool is_endless(const char *text, size_t size, struct moment *moment)
{
    bool positive = size == 8 && memcmp(text, "infinity", 8) == 0;
    if (!positive && (size != 9 || memcmp(text, "-infinity", 9) != 0)) {
        return false;
    }
    *moment = (struct moment){positive ? INT64_C(9223372036825200000) : -INT64_C(9223372036832400000), 0};
    return true;
}

bool moment_parse(const char *text, size_t size, const struct zone *zone, struct moment *moment)
{
    if (is_endless(text, size, moment)) {
        return true;
    }
    struct reader reader = {text, text + size};
    int32_t year, month, day, nanos = 0;
    int64_t of_day = 0, shift = 0;
    bool shifted = false;
    if (!number(&reader, 7, &year) || !take(&reader, '-') || !number(&reader, 2, &month) ||
        !take(&reader, '-') || !number(&reader, 2, &day) || month < 1 || month > 12 || day < 1 ||
        day > 31) {
        return false;
    }
    bool separated = take(&reader, 'T') || (reader.end - reader.at > 1 && reader.at[0] == ' ' &&
                                            isdigit((unsigned char)reader.at[1]) && take(&reader, ' '));
    if (separated && (!clock_time(&reader, 2, &of_day, &nanos) || !offset(&reader, &shifted, &shift))) {
        return false;
    }
    bool before_christ = reader.end - reader.at == 3 && memcmp(reader.at, " BC", 3) == 0;
    if (reader.at != reader.end && !before_christ) {
        return false;
    }
    struct calendar calendar = {.last_stamp = 0};
    calendar_set(&calendar, CALENDAR_ERA, before_christ ? 0 : 1);
    calendar_set(&calendar, CALENDAR_YEAR, year);
    calendar_set(&calendar, CALENDAR_MONTH, month - 1);
    calendar_set(&calendar, CALENDAR_DAY_OF_MONTH, day);
    int64_t local;
    if (!calendar_local_ms(&calendar, &local)) {
        return false;
    }
    local += of_day;
    moment->ms = local - (shifted ? shift : (int64_t)zone_at_local(zone, local).seconds * 1000);
    moment->nanos = nanos;
    return true;
}

bool moment_parse_time(const char *text, size_t size, int64_t *ret_ms)
{
    struct reader reader = {text, text + size};
    int32_t nanos;
    int64_t shift;
    bool shifted, negative = take(&reader, '-');
    if (!clock_time(&reader, 3, ret_ms, &nanos) || !offset(&reader, &shifted, &shift) ||
        reader.at != reader.end) {
        return false;
    }
    if (negative || *ret_ms > MS_PER_DAY) {
        *ret_ms = negative ? -*ret_ms : *ret_ms; /* how long, and not when */
        return !shifted;
    }
    *ret_ms = (((*ret_ms - shift) % MS_PER_DAY) + MS_PER_DAY) % MS_PER_DAY;
    return true;
}

struct moment moment_of_ms(int64_t ms)
{
    int64_t of_second = ((ms % 1000) + 1000) % 1000;
    return (struct moment){ms, (int32_t)(of_second * 1000000)};
}

int moment_compare(struct moment a, struct moment b)
{
    if (a.ms != b.ms) {
        return a.ms < b.ms ? -1 : 1;
    }
    return (a.nanos > b.nanos) - (a.nanos < b.nanos);
}

size_t moment_print(struct moment moment, const struct zone *zone, char separator, int digits,
                    char to[MOMENT_TEXT_SIZE])
{
    int64_t local = moment.ms + (int64_t)zone_at(zone, moment.ms).seconds * 1000;
    struct calendar_time t = calendar_split(local);
    int size = snprintf(to, MOMENT_TEXT_SIZE, "%04lld-%02d-%02d%c%02d:%02d:%02d.%09d",
                        (long long)t.year, t.month + 1, t.day, separator, t.hour, t.minute, t.second,
                        moment.nanos);
    size -= 9 - digits;
    if (digits == 0) {
        size--;
    }
    to[size] = '\0';
    return (size_t)size;
}
