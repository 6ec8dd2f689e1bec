/* SimpleDateFormat: patterns; printing is in date_print.c, parsing in date_parse.c. */
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

/** Bytes that an item takes at most, whatever the time and zone. */
static size_t longest_text(const struct date_item *item)
{
    size_t count = (size_t)item->count;
    switch (item->letter) {
    case 0:
        return count;
    case 'z':
        return count >= 4 ? DATE_ZONE_MAX : DATE_ZONE_SHORT;
    default: /* a year has nine digits, a name ten letters */
        return count > DATE_FIELD_MAX ? count : DATE_FIELD_MAX;
    }
}

/** Whether a field never has more digits than letters, from the year 1 to 9998. */
static bool is_fixed(const struct date_item *item)
{
    switch (item->count) {
    case 2:
        return strchr("MLdHkKhmswWFu", item->letter) != NULL;
    case 3:
        return item->letter == 'S' || item->letter == 'D';
    case 4:
        return item->letter == 'y' || item->letter == 'Y';
    default:
        return false;
    }
}

/** Fills in the layout of a pattern of fixed width. */
static void lay_out(struct date_format *format)
{
    size_t at = 0, count = 0;
    for (size_t i = 0; i < format->item_count; i++) {
        const struct date_item *item = &format->items[i];
        size_t width = (size_t)item->count;
        if (at + width >= DATE_FIXED_MAX || (item->letter && !is_fixed(item))) {
            return;
        }
        if (item->letter) {
            format->fields[count++] = (struct date_field){item->letter, (uint8_t)at, (uint8_t)width};
        } else {
            memcpy(format->fixed_text + at, item->text, width);
        }
        at += width;
    }
    format->field_count = count;
    format->fixed_size = at;
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
    for (size_t i = 0; i < format->item_count; i++) {
        format->longest += longest_text(&format->items[i]);
    }
    lay_out(format);
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
