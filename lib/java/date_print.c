/* SimpleDateFormat: printing. */
#include <stdlib.h>
#include <string.h>

#include "lib/java/calendar.h"
#include "lib/java/date_pattern.h"
#include "lib/java/dates.h"

/* Each of these writes at p, where there is room for the longest text, and gives the place behind it. */

static inline char *put_text(char *p, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) { /* a few bytes: no call for them */
        p[i] = text[i];
    }
    return p + size;
}

static inline char *put_two(char *p, uint32_t value)
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233"
                                "34353637383940414243444546474849505152535455565758596061626364656667"
                                "6869707172737475767778798081828384858687888990919293949596979899";
    memcpy(p, pairs + (size_t)value * 2, 2);
    return p + 2;
}

static char *put_digits(char *p, int32_t value, int digits)
{
    char text[12], *end = text + sizeof(text), *first = end;
    uint32_t rest = value < 0 ? 0 - (uint32_t)value : (uint32_t)value;
    p = put_text(p, "-", value < 0);
    do {
        *--first = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    for (int length = (int)(end - first); length < digits; length++) {
        *p++ = '0';
    }
    return put_text(p, first, (size_t)(end - first));
}

/* Most fields: two digits where the pattern says two, or three or four. */
static inline char *put_number(char *p, int32_t number, int digits)
{
    uint32_t value = (uint32_t)number; /* a negative one is large */
    if (digits == 2 && value < 100) {
        return put_two(p, value);
    }
    if (digits == 4 && value < 10000) {
        return put_two(put_two(p, value / 100), value % 100);
    }
    if (digits == 3 && value < 1000) {
        *p = (char)('0' + value / 100);
        return put_two(p + 1, value % 100);
    }
    return put_digits(p, number, digits);
}

static char *put_name(char *p, const char *name, bool full)
{
    return put_text(p, name, full ? strlen(name) : 3);
}

/** `+0200` (colon false), `+02:00`, or `+02` where minutes are left out. */
static char *put_offset(char *p, int32_t seconds, bool minutes, bool colon)
{
    int32_t value = seconds / 60;
    *p++ = value < 0 ? '-' : '+';
    value = abs(value);
    p = put_number(p, value / 60, 2);
    if (minutes) {
        p = put_text(p, ":", colon);
        p = put_number(p, value % 60, 2);
    }
    return p;
}

/** TimeZone.getDisplayName; zones without an English name are printed as their offset. */
static char *put_zone(char *p, const struct zone_offset *offset, bool full)
{
    const char *name = full ? zone_long_name(offset->abbreviation, offset->seconds) : NULL;
    if (!name && (offset->abbreviation[0] == '+' || offset->abbreviation[0] == '-')) {
        return put_offset(put_text(p, "GMT", 3), offset->seconds, true, true);
    }
    name = name ? name : offset->abbreviation;
    return put_text(p, name, strnlen(name, full ? DATE_ZONE_MAX : DATE_ZONE_SHORT));
}

/** What a letter prints as a number; negative for week years before our era only. */
static inline int32_t number_of(const struct calendar_time *time, char letter)
{
    switch (letter) {
    case 'y':
        return (int32_t)time->year;
    case 'Y':
        return (int32_t)time->week_year;
    case 'M':
    case 'L':
        return time->month + 1;
    case 'd':
        return time->day;
    case 'H':
        return time->hour;
    case 'k':
        return time->hour ? time->hour : 24;
    case 'K':
        return time->hour % 12;
    case 'h':
        return time->hour % 12 ? time->hour % 12 : 12;
    case 'm':
        return time->minute;
    case 's':
        return time->second;
    case 'S':
        return time->millisecond;
    case 'D':
        return time->day_of_year;
    case 'F':
        return time->day_of_week_in_month;
    case 'w':
        return time->week_of_year;
    case 'W':
        return time->week_of_month;
    default: /* u */
        return time->day_of_week == 1 ? 7 : time->day_of_week - 1;
    }
}

static char *put_item(char *p, const struct date_item *item, const struct calendar_time *time,
                      const struct zone_offset *offset)
{
    int count = item->count;
    switch (item->letter) {
    case 0:
        return put_text(p, item->text, (size_t)count);
    case 'G':
        return put_text(p, time->era ? "AD" : "BC", 2); /* also for GGGG, as CLDR's English says */
    case 'E':
        return put_name(p, date_days[time->day_of_week - 1], count >= 4);
    case 'a':
        return put_text(p, time->hour < 12 ? "AM" : "PM", 2);
    case 'z':
        return put_zone(p, offset, count >= 4);
    case 'Z':
        return put_offset(p, offset->seconds, true, false);
    case 'X':
        return offset->seconds == 0 ? put_text(p, "Z", 1)
                                    : put_offset(p, offset->seconds, count > 1, count == 3);
    default:
        break;
    }
    if (count >= 3 && (item->letter == 'M' || item->letter == 'L')) {
        return put_name(p, date_months[time->month], count >= 4);
    }
    int32_t value = number_of(time, item->letter);
    bool short_year = count == 2 && (item->letter == 'y' || item->letter == 'Y');
    return put_number(p, short_year ? value % 100 : value, count);
}

static size_t print_items(const struct date_format *format, const struct calendar_time *time,
                          const struct zone_offset *offset, char *to)
{
    char *p = to;
    for (size_t i = 0; i < format->item_count; i++) {
        p = put_item(p, &format->items[i], time, offset);
    }
    return (size_t)(p - to);
}

/** A pattern of fixed width: its literals at once, then the digits between them. */
static void print_fixed(const struct date_format *format, const struct calendar_time *time, char *to)
{
    memcpy(to, format->fixed_text, DATE_FIXED_MAX);
    for (size_t i = 0; i < format->field_count; i++) {
        const struct date_field *field = &format->fields[i];
        uint32_t value = (uint32_t)number_of(time, field->letter);
        char *p = to + field->at;
        if (field->digits == 3) {
            *p++ = (char)('0' + value / 100);
        } else if (field->digits == 4) {
            p = put_two(p, value / 100);
        }
        put_two(p, value % 100);
    }
}

size_t date_format_print(const struct date_format *format, const struct zone *zone, int64_t ms,
                         char *to, size_t size)
{
    struct zone_offset offset = zone_at(zone, ms);
    int64_t local;
    if (__builtin_add_overflow(ms, (int64_t)offset.seconds * 1000, &local)) {
        local = ms;
    }
    struct calendar_time time = calendar_split(local);
    if (format->fixed_size > 0 && size >= DATE_FIXED_MAX && time.era == 1 && time.year < 9999) {
        print_fixed(format, &time, to);
        to[format->fixed_size] = '\0';
        return format->fixed_size;
    }
    if (size > format->longest) {
        size_t length = print_items(format, &time, &offset, to);
        to[length] = '\0';
        return length;
    }
    char whole[DATE_TEXT_MAX];
    size_t length = print_items(format, &time, &offset, whole);
    if (size > 0) {
        size_t kept = length < size ? length : size - 1;
        memcpy(to, whole, kept);
        to[kept] = '\0';
    }
    return length;
}
