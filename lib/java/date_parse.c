/* SimpleDateFormat.parse, lenient, locale en_US. */
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "lib/java/calendar.h"
#include "lib/java/date_pattern.h"
#include "lib/java/dates.h"
#include "lib/java/digits.h"
#include "lib/java/zone_names.h"

struct parse {
    const char *text;
    size_t size, at;
    struct calendar calendar;
    bool century; /* a two-digit year was that in which the century begins */
};

static int char_at(const struct parse *parse, size_t i)
{
    return i < parse->size ? (unsigned char)parse->text[i] : -1;
}

static bool starts_with(const struct parse *parse, size_t at, size_t end, const char *text)
{
    size_t size = strlen(text);
    return at <= end && size <= end - at && memcmp(parse->text + at, text, size) == 0;
}

/** What DecimalFormat makes of digits: a Long where it fits, else a Double. */
struct number {
    double large;
    uint64_t whole;
};

/** Digits from *at; false: none. */
static bool take_digits(const struct parse *parse, size_t *at, size_t end, struct number *ret)
{
    size_t step, first = *at;
    *ret = (struct number){0};
    for (int digit; *at < end && (digit = java_digit(parse->text + *at, end - *at, &step)) >= 0;
         *at += step) {
        ret->whole = ret->whole * 10 + (unsigned)digit;
        ret->large = ret->large * 10 + digit;
    }
    return *at > first;
}

/** `E3` behind digits, as DecimalFormat takes it although nobody writes years so. */
static void take_exponent(const struct parse *parse, size_t *at, size_t end, struct number *number)
{
    struct number exponent;
    size_t i = *at + 1;
    if (!starts_with(parse, *at, end, "E")) {
        return;
    }
    bool negative = starts_with(parse, i, end, "-");
    i += negative;
    if (!take_digits(parse, &i, end, &exponent) || exponent.large >= 9.2e18) {
        return;
    }
    *at = i;
    number->large *= pow(10, negative ? -exponent.large : exponent.large);
    for (uint64_t n = exponent.whole; n > 0 && n < 20 && number->large < 9.2e18; n--) {
        number->whole = negative ? number->whole / 10 : number->whole * 10;
    }
    number->whole = exponent.whole >= 20 ? 0 : number->whole;
}

/**
 * An integer before `end`, as DecimalFormat reads one and Number.intValue() narrows it. False:
 * none.
 */
static bool take_number(struct parse *parse, size_t end, int32_t *ret)
{
    static const char nan[] = "NaN", infinity[] = "\xE2\x88\x9E";
    size_t i = parse->at;
    if (starts_with(parse, i, end, nan)) {
        parse->at += sizeof(nan) - 1;
        *ret = 0;
        return true;
    }
    bool negative = starts_with(parse, i, end, "-");
    i += negative;
    struct number number = {.large = 1e300};
    if (starts_with(parse, i, end, infinity)) {
        i += sizeof(infinity) - 1;
    } else if (take_digits(parse, &i, end, &number)) {
        take_exponent(parse, &i, end, &number);
    } else {
        return false;
    }
    if (number.large >= 9.2e18) { /* a Double in Java: its intValue() is clamped, a Long's is cut */
        *ret = negative ? INT_MIN : INT_MAX;
    } else {
        *ret = (int32_t)(uint32_t)(negative ? 0 - number.whole : number.whole);
    }
    parse->at = i;
    return true;
}

/** Longest of some names the text has at its place, any case; -1: none. */
static int take_name(struct parse *parse, const char *const *names, int count, size_t short_length)
{
    int best = -1;
    size_t best_length = 0;
    for (int i = 0; i < count; i++) {
        size_t lengths[] = {strlen(names[i]), short_length};
        for (size_t j = 0; j < (short_length ? 2 : 1); j++) {
            size_t length = lengths[j];
            if (length > best_length && length <= parse->size - parse->at &&
                strncasecmp(parse->text + parse->at, names[i], length) == 0) {
                best = i;
                best_length = length;
            }
        }
    }
    parse->at += best_length;
    return best;
}

/** hh, hhmm or hh:mm behind a sign. minutes: wanted at all; hours may be one digit before a colon.
 */
static bool take_offset(struct parse *parse, int sign, bool minutes, bool colon, bool one_digit)
{
    size_t i = parse->at;
    int c = char_at(parse, i++);
    if (c < '0' || c > '9') {
        return false;
    }
    int hours = c - '0';
    c = char_at(parse, i);
    if (c >= '0' && c <= '9') {
        hours = hours * 10 + c - '0';
        i++;
    } else if (!one_digit) {
        return false;
    }
    int minute = 0;
    if (minutes) {
        if (colon && char_at(parse, i++) != ':') {
            return false;
        }
        int tens = char_at(parse, i), ones = char_at(parse, i + 1);
        if (tens < '0' || tens > '9' || ones < '0' || ones > '9') {
            return false;
        }
        minute = (tens - '0') * 10 + ones - '0';
        i += 2;
    }
    if (hours > 23 || minute > 59) {
        return false;
    }
    calendar_set(&parse->calendar, CALENDAR_ZONE_OFFSET, sign * (hours * 60 + minute) * 60000);
    parse->at = i;
    return true;
}

/** `z` and `Z`: `+0200`, `GMT`, `GMT+2:00`, a name. start: before the blanks. */
static bool take_zone(struct parse *parse, size_t start)
{
    int c = char_at(parse, parse->at);
    if (c == '+' || c == '-') {
        parse->at++;
        return take_offset(parse, c == '+' ? 1 : -1, true, false, false);
    }
    if (parse->size - start >= 3 && strncasecmp(parse->text + start, "GMT", 3) == 0) {
        parse->at = start + 3;
        c = char_at(parse, parse->at);
        if (c == '+' || c == '-') {
            parse->at++;
            return take_offset(parse, c == '+' ? 1 : -1, true, true, true);
        }
        calendar_set(&parse->calendar, CALENDAR_ZONE_OFFSET, 0);
        return true;
    }
    int32_t seconds;
    size_t length;
    if (!zone_name_match(parse->text + parse->at, parse->size - parse->at, &seconds, &length)) {
        return false;
    }
    calendar_set(&parse->calendar, CALENDAR_ZONE_OFFSET, seconds * 1000);
    parse->at += length;
    return true;
}

/** `X`: `Z`, `+02`, `+0200`, `+02:00`, as many letters say. */
static bool take_iso_zone(struct parse *parse, int count)
{
    int c = char_at(parse, parse->at++);
    if (c == 'Z') {
        calendar_set(&parse->calendar, CALENDAR_ZONE_OFFSET, 0);
        return true;
    }
    return (c == '+' || c == '-') &&
           take_offset(parse, c == '+' ? 1 : -1, count > 1, count == 3, false);
}

static bool is_two_digits(const struct parse *parse, size_t first)
{
    size_t step, count = 0;
    while (first < parse->at && java_digit(parse->text + first, parse->at - first, &step) >= 0) {
        first += step;
        count++;
    }
    return count == 2 && first == parse->at;
}

/** Bytes of so many characters of Java's from a place on; SIZE_MAX: there are less. */
static size_t bytes_of(const struct parse *parse, size_t from, int count)
{
    size_t at = from;
    while (count > 0 && at < parse->size) {
        unsigned char c = (unsigned char)parse->text[at];
        count -= c >= 0xF0 ? 2 : 1;
        for (at++; at < parse->size && ((unsigned char)parse->text[at] & 0xC0) == 0x80;) {
            at++;
        }
    }
    return count > 0 ? SIZE_MAX : at - from;
}

/** The year, put in the right century where two digits stand for it. */
static void set_year(struct parse *parse, const struct date_format *format,
                     const struct date_item *item, size_t first, int32_t value)
{
    enum calendar_field field = item->letter == 'Y' ? CALENDAR_WEEK_YEAR : CALENDAR_YEAR;
    if (item->count <= 2 && is_two_digits(parse, first)) {
        int32_t begin = format->century_year % 100;
        parse->century = value == begin;
        value += format->century_year / 100 * 100 + (value < begin ? 100 : 0);
    }
    calendar_set(&parse->calendar, field, value);
}

static bool set_name(struct parse *parse, enum calendar_field field, int value, int base)
{
    if (value >= 0) {
        calendar_set(&parse->calendar, field, value + base);
    }
    return value >= 0;
}

/** Fields that are names. matchString() does not step over blanks, so they are matched at start. */
static bool take_text(struct parse *parse, const struct date_item *item, size_t start)
{
    static const char *const eras[] = {"BC", "AD"};
    static const char *const halves[] = {"AM", "PM", "a", "p"};
    parse->at = start;
    int value;
    switch (item->letter) {
    case 'G':
        value = take_name(parse, eras, 2, 0);
        return set_name(parse, CALENDAR_ERA, value, 0);
    case 'a':
        value = take_name(parse, halves, 4, 0);
        return set_name(parse, CALENDAR_AM_PM, value < 0 ? value : value % 2, 0);
    case 'E':
        return set_name(parse, CALENDAR_DAY_OF_WEEK, take_name(parse, date_days, 7, 3), 1);
    default:
        return set_name(parse, CALENDAR_MONTH, take_name(parse, date_months, 12, 3), 0);
    }
}

static void set_number(struct parse *parse, const struct date_format *format,
                       const struct date_item *item, size_t first, int32_t value)
{
    static const char letters[] = "dHkKhmsSDFwW";
    static const enum calendar_field fields[] = {
        CALENDAR_DAY_OF_MONTH, CALENDAR_HOUR_OF_DAY,
        CALENDAR_HOUR_OF_DAY,  CALENDAR_HOUR,
        CALENDAR_HOUR,         CALENDAR_MINUTE,
        CALENDAR_SECOND,       CALENDAR_MILLISECOND,
        CALENDAR_DAY_OF_YEAR,  CALENDAR_DAY_OF_WEEK_IN_MONTH,
        CALENDAR_WEEK_OF_YEAR, CALENDAR_WEEK_OF_MONTH,
    };
    switch (item->letter) {
    case 'y':
    case 'Y':
        set_year(parse, format, item, first, value);
        break;
    case 'M':
    case 'L':
        calendar_set(&parse->calendar, CALENDAR_MONTH, (int32_t)((uint32_t)value - 1));
        break;
    case 'u': /* ISO weekday to Calendar's; others are carried over by calendar_local_ms() */
        calendar_set(&parse->calendar, CALENDAR_DAY_OF_WEEK,
                     value < 1 || value > 7 ? value : value % 7 + 1);
        break;
    default:
        if ((item->letter == 'k' && value == 24) || (item->letter == 'h' && value == 12)) {
            value = 0;
        }
        calendar_set(&parse->calendar, fields[strchr(letters, item->letter) - letters], value);
    }
}

/** SimpleDateFormat.subParse. obey: take as many characters as there are letters, none more. */
static bool take_item(struct parse *parse, const struct date_format *format,
                      const struct date_item *item, bool obey)
{
    size_t start = parse->at;
    while (char_at(parse, parse->at) == ' ' || char_at(parse, parse->at) == '\t') {
        parse->at++;
    }
    size_t first = parse->at;
    if (first >= parse->size) {
        return false;
    }
    switch (item->letter) {
    case 'M':
    case 'L':
        if (item->count <= 2) {
            break;
        }
        return take_text(parse, item, start);
    case 'G':
    case 'E':
    case 'a':
        return take_text(parse, item, start);
    case 'z':
    case 'Z':
        return take_zone(parse, start);
    case 'X':
        return take_iso_zone(parse, item->count);
    }
    size_t end = parse->size;
    if (obey) {
        size_t room = bytes_of(parse, start, item->count);
        if (room == SIZE_MAX) {
            return false;
        }
        end = start + room;
    }
    int32_t value;
    if (!take_number(parse, end, &value)) {
        return false;
    }
    set_number(parse, format, item, first, value);
    return true;
}

/** A number in front of another one ends where its letters end, so that `yyyyMMdd` can be read. */
static bool is_number(const struct date_item *item)
{
    return item->letter && !strchr("GEazZX", item->letter) &&
           !(strchr("ML", item->letter) && item->count > 2);
}

static int64_t utc_of(const struct parse *parse, const struct zone *zone, int64_t local)
{
    int64_t offset = parse->calendar.stamp[CALENDAR_ZONE_OFFSET]
                         ? parse->calendar.value[CALENDAR_ZONE_OFFSET]
                         : (int64_t)zone_at_local(zone, local).seconds * 1000;
    return (int64_t)((uint64_t)local - (uint64_t)offset);
}

bool date_format_parse(const struct date_format *format, const struct zone *zone, const char *text,
                       size_t size, int64_t *ret_ms, size_t *ret_end)
{
    struct parse parse = {.text = text, .size = size};
    for (size_t i = 0; i < format->item_count; i++) {
        const struct date_item *item = &format->items[i];
        if (item->letter) {
            bool obey = i + 1 < format->item_count && is_number(item + 1);
            if (!take_item(&parse, format, item, obey)) {
                return false;
            }
        } else if ((size_t)item->count <= size - parse.at &&
                   memcmp(text + parse.at, item->text, (size_t)item->count) == 0) {
            parse.at += (size_t)item->count;
        } else {
            return false;
        }
    }
    int64_t local;
    if (parse.at == 0 || !calendar_local_ms(&parse.calendar, &local)) {
        return false; /* DateFormat.parse(String) takes "nothing read" for a failure */
    }
    *ret_ms = utc_of(&parse, zone, local);
    if (parse.century && *ret_ms < format->century_ms) {
        const enum calendar_field years[] = {CALENDAR_YEAR, CALENDAR_WEEK_YEAR};
        for (int i = 0; i < 2; i++) {
            int32_t *value = &parse.calendar.value[years[i]];
            *value = (int32_t)((uint32_t)*value + 100);
        }
        (void)calendar_local_ms(&parse.calendar, &local); /* it did not fail before */
        *ret_ms = utc_of(&parse, zone, local);
    }
    if (ret_end) {
        *ret_end = parse.at;
    }
    return true;
}
