/* SimpleDateFormat: patterns and printing; parsing is in date_parse.c. */
#include "lib/java/dates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/java/calendar.h"
#include "lib/java/date_pattern.h"

const char *const date_months[12] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};
const char *const date_days[7] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                  "Thursday", "Friday", "Saturday"};

struct compiler {
    struct date_format *format;
    char letter; /* of the run being counted; 0: none */
    int count;
};

static struct date_item *add_item(struct date_format *format, char letter)
{
    struct date_item *item = &format->items[format->item_count++];
    *item = (struct date_item){.letter = letter, .text = format->text + format->text_size};
    return item;
}

static void add_literal(struct date_format *format, char c)
{
    struct date_item *item = format->item_count ? &format->items[format->item_count - 1] : NULL;
    if (!item || item->letter) {
        item = add_item(format, 0);
    }
    format->text[format->text_size++] = c;
    item->count++;
}

/** False: X more often than there are forms, which is told where the run ends. */
static bool end_run(struct compiler *compiler)
{
    bool good = compiler->letter != 'X' || compiler->count <= 3;
    if (compiler->letter) {
        add_item(compiler->format, compiler->letter)->count = compiler->count;
        compiler->letter = 0;
    }
    return good;
}

static const char *bad_zone(const struct compiler *compiler, char *message, size_t message_size)
{
    snprintf(message, message_size, "invalid ISO 8601 format: length=%d", compiler->count);
    return message;
}

/** SimpleDateFormat.compile: NULL, or what is wrong. */
static const char *compile(struct date_format *format, const char *pattern, char *message,
                           size_t message_size)
{
    struct compiler compiler = {.format = format};
    bool quoted = false;
    for (const char *p = pattern; *p; p++) {
        char c = *p;
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool known = letter && strchr("GyMdkHmsSEDFwWahKzZYuXL", c);
        bool ends = c == '\'' || quoted || !letter || (known && compiler.letter != c);
        if (ends && !end_run(&compiler)) {
            return bad_zone(&compiler, message, message_size);
        }
        if (c == '\'') {
            if (p[1] == '\'') { /* a quote itself, within quotes and outside */
                add_literal(format, '\'');
                p++;
            } else {
                quoted = !quoted;
            }
        } else if (quoted || !letter) {
            add_literal(format, c);
        } else if (!known) {
            snprintf(message, message_size, "Illegal pattern character '%c'", c);
            return message;
        } else {
            if (compiler.letter != c) {
                compiler.letter = c;
                compiler.count = 0;
            }
            compiler.count++;
        }
    }
    if (quoted) {
        return "Unterminated quote";
    }
    if (!end_run(&compiler)) {
        return bad_zone(&compiler, message, message_size);
    }
    return NULL;
}

int date_format_create(const char *pattern, struct date_format **ret_format, char *message,
                       size_t message_size)
{
    size_t size = strlen(pattern);
    if (size > DATE_PATTERN_MAX) {
        snprintf(message, message_size, "Pattern is longer than %d bytes", DATE_PATTERN_MAX);
        return -1;
    }
    struct date_format *format = calloc(1, sizeof(*format));
    if (!format || !(format->items = calloc(size + 1, sizeof(*format->items))) ||
        !(format->text = malloc(size + 1))) {
        date_format_destroy(format);
        snprintf(message, message_size, "Out of memory");
        return -1;
    }
    char reason[DATE_MESSAGE_MAX];
    const char *wrong = compile(format, pattern, reason, sizeof(reason));
    if (wrong) {
        snprintf(message, message_size, "%s", wrong);
        date_format_destroy(format);
        return -1;
    }
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct calendar_time today = calendar_split((int64_t)now.tv_sec * 1000);
    struct calendar start = {0};
    calendar_set(&start, CALENDAR_YEAR, (int32_t)today.year - 80);
    calendar_set(&start, CALENDAR_MONTH, today.month);
    calendar_set(&start, CALENDAR_DAY_OF_MONTH, today.day);
    calendar_set(&start, CALENDAR_HOUR_OF_DAY, today.hour);
    calendar_set(&start, CALENDAR_MINUTE, today.minute);
    calendar_set(&start, CALENDAR_SECOND, today.second);
    (void)calendar_local_ms(&start, &format->century_ms); /* no era is set: it cannot fail */
    format->century_year = (int32_t)today.year - 80;
    *ret_format = format;
    return 0;
}

void date_format_destroy(struct date_format *format)
{
    if (format) {
        free(format->items);
        free(format->text);
        free(format);
    }
}

/* -- printing -- */

struct output {
    char *to;
    size_t size, length;
};

static inline void put(struct output *out, const char *text, size_t size)
{
    if (size == 1 && out->length < out->size) { /* most literals */
        out->to[out->length++] = *text;
        return;
    }
    if (out->length < out->size) {
        size_t room = out->size - out->length;
        size_t taken = size < room ? size : room;
        for (size_t i = 0; i < taken; i++) { /* a few bytes: no call for them */
            out->to[out->length + i] = text[i];
        }
    }
    out->length += size;
}

static void put_text(struct output *out, const char *text)
{
    put(out, text, strlen(text));
}

/* Most fields: two digits where the pattern says two, or three or four. */
static inline bool put_short(struct output *out, int64_t value, int digits)
{
    static const uint16_t beyond[] = {0, 0, 100, 1000, 10000}; /* what has more digits */
    if (digits < 2 || digits > 4 || value < 0 || value >= beyond[digits] ||
        out->length + 4 > out->size) {
        return false;
    }
    char *to = out->to + out->length;
    uint32_t rest = (uint32_t)value;
    if (digits > 2) {
        uint32_t high = rest / (digits == 3 ? 100 : 1000);
        rest -= high * (digits == 3 ? 100 : 1000);
        *to++ = (char)('0' + high);
        if (digits == 4) {
            *to++ = (char)('0' + rest / 100);
            rest %= 100;
        }
    }
    to[0] = (char)('0' + rest / 10);
    to[1] = (char)('0' + rest % 10);
    out->length += (size_t)digits;
    return true;
}

static void put_digits(struct output *out, int64_t value, int digits)
{
    char text[24], *end = text + sizeof(text), *p = end;
    put(out, "-", value < 0);
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        *--p = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    for (int length = (int)(end - p); length < digits; length++) {
        put(out, "0", 1);
    }
    put(out, p, (size_t)(end - p));
}

static inline void put_number(struct output *out, int64_t value, int digits)
{
    if (!put_short(out, value, digits)) {
        put_digits(out, value, digits);
    }
}

static void put_name(struct output *out, const char *name, bool full)
{
    put(out, name, full ? strlen(name) : 3);
}

/** `+0200` (colon false), `+02:00`, or `+02` where minutes are left out. */
static void put_offset(struct output *out, int32_t seconds, bool minutes, bool colon)
{
    int32_t value = seconds / 60;
    put(out, value < 0 ? "-" : "+", 1);
    value = abs(value);
    put_number(out, value / 60, 2);
    if (minutes) {
        put(out, ":", colon);
        put_number(out, value % 60, 2);
    }
}

/** TimeZone.getDisplayName; zones without an English name are printed as their offset. */
static void put_zone(struct output *out, const struct zone_offset *offset, bool full)
{
    const char *name = full ? zone_long_name(offset->abbreviation, offset->seconds) : NULL;
    if (name) {
        put_text(out, name);
    } else if (offset->abbreviation[0] == '+' || offset->abbreviation[0] == '-') {
        put(out, "GMT", 3);
        put_offset(out, offset->seconds, true, true);
    } else {
        put_text(out, offset->abbreviation);
    }
}

static void put_item(struct output *out, const struct date_item *item,
                     const struct calendar_time *time, const struct zone_offset *offset)
{
    int count = item->count;

    switch (item->letter) {
    case 0:
        put(out, item->text, (size_t)count);
        break;
    case 'G':
        put_text(out, time->era ? "AD" : "BC"); /* also for GGGG, as CLDR's English says */
        break;
    case 'y':
    case 'Y': {
        int64_t year = item->letter == 'y' ? time->year : time->week_year;
        put_number(out, count == 2 ? year % 100 : year, count);
        break;
    }
    case 'M':
    case 'L':
        if (count >= 3) {
            put_name(out, date_months[time->month], count >= 4);
        } else {
            put_number(out, time->month + 1, count);
        }
        break;
    case 'E':
        put_name(out, date_days[time->day_of_week - 1], count >= 4);
        break;
    case 'a':
        put_text(out, time->hour < 12 ? "AM" : "PM");
        break;
    case 'd':
        put_number(out, time->day, count);
        break;
    case 'H':
        put_number(out, time->hour, count);
        break;
    case 'k':
        put_number(out, time->hour ? time->hour : 24, count);
        break;
    case 'K':
        put_number(out, time->hour % 12, count);
        break;
    case 'h':
        put_number(out, time->hour % 12 ? time->hour % 12 : 12, count);
        break;
    case 'm':
        put_number(out, time->minute, count);
        break;
    case 's':
        put_number(out, time->second, count);
        break;
    case 'S':
        put_number(out, time->millisecond, count);
        break;
    case 'D':
        put_number(out, time->day_of_year, count);
        break;
    case 'F':
        put_number(out, time->day_of_week_in_month, count);
        break;
    case 'w':
        put_number(out, time->week_of_year, count);
        break;
    case 'W':
        put_number(out, time->week_of_month, count);
        break;
    case 'u':
        put_number(out, time->day_of_week == 1 ? 7 : time->day_of_week - 1, count);
        break;
    case 'z':
        put_zone(out, offset, count >= 4);
        break;
    case 'Z':
        put_offset(out, offset->seconds, true, false);
        break;
    case 'X':
        if (offset->seconds == 0) {
            put(out, "Z", 1);
        } else {
            put_offset(out, offset->seconds, count > 1, count == 3);
        }
        break;
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
    struct output out = {.to = to, .size = size ? size - 1 : 0};
    for (size_t i = 0; i < format->item_count; i++) {
        put_item(&out, &format->items[i], &time, &offset);
    }
    if (size) {
        to[out.length < out.size ? out.length : out.size] = '\0';
    }
    return out.length;
}
