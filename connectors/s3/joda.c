/* Joda-Time's patterns and ISO 8601 texts; see joda.h. */
#include "connectors/s3/joda.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/java/locale_names.h"
#include "lib/java/zone_names.h"

enum { MS_SECOND = 1000, MS_MINUTE = 60000, MS_HOUR = 3600000, MS_DAY = 86400000 };

/* -- calendar (days from civil dates and back: H. Hinnant's era arithmetic) -- */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

static int64_t days_of(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = floor_div(year, 400);
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

struct civil {
    int64_t year, week_year;
    int month, day, day_of_year, day_of_week, week; /* from 1; Monday is 1 */
    int hour, minute, second, millisecond;
};

static int weekday_of(int64_t days)
{
    return (int)(days + 3 - floor_div(days + 3, 7) * 7) + 1;
}

static struct civil civil_of(int64_t local_ms)
{
    int64_t days = floor_div(local_ms, MS_DAY);
    int64_t rest = local_ms - days * MS_DAY;
    int64_t shifted = days + 719468;
    int64_t era = floor_div(shifted, 146097);
    int64_t of_era = shifted - era * 146097;
    int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_index = (5 * of_year + 2) / 153;
    struct civil civil = {
        .year = year_of_era + era * 400 + (month_index >= 10),
        .month = (int)(month_index < 10 ? month_index + 3 : month_index - 9),
        .day = (int)(of_year - (153 * month_index + 2) / 5 + 1),
        .day_of_week = weekday_of(days),
        .hour = (int)(rest / MS_HOUR),
        .minute = (int)(rest / MS_MINUTE % 60),
        .second = (int)(rest / MS_SECOND % 60),
        .millisecond = (int)(rest % MS_SECOND),
    };
    civil.day_of_year = (int)(days - days_of(civil.year, 1, 1)) + 1;
    /* An ISO week belongs to the year its Thursday is in. */
    int64_t thursday = days - civil.day_of_week + 4;
    civil.week_year = civil.year;
    if (thursday < days_of(civil.year, 1, 1)) {
        civil.week_year--;
    } else if (thursday >= days_of(civil.year + 1, 1, 1)) {
        civil.week_year++;
    }
    civil.week = (int)((thursday - days_of(civil.week_year, 1, 1)) / 7) + 1;
    return civil;
}

/* -- patterns -- */

struct part {
    char letter;      /* 0: literal text */
    int count;
    size_t at, size;  /* literal: in text */
};

struct joda_format {
    struct locale_names names;
    char *text;       /* all literals */
    size_t count;
    struct part parts[];
};

static const char LETTERS[] = "GCYxwevEyDMdaKhHkmsSzZ";

struct joda_format *joda_format_create(const char *pattern, const char *language, char *message,
                                       size_t size)
{
    size_t length = strlen(pattern);
    struct joda_format *format =
        calloc(1, sizeof(*format) + (length + 1) * sizeof(format->parts[0]));
    char *text = malloc(length + 1);
    if (!format || !text) {
        free(format);
        free(text);
        snprintf(message, size, "Out of memory");
        return NULL;
    }
    format->text = text;
    locale_names_find(language, &format->names);
    size_t used = 0;
    for (const char *c = pattern; *c;) {
        struct part *part = &format->parts[format->count++];
        *part = (struct part){.at = used};
        if (*c == '\'') {
            c++;
            if (*c == '\'') {
                text[used++] = *c++;
            } else {
                while (*c && !(*c == '\'' && c[1] != '\'')) {
                    c += *c == '\''; /* doubled: one of them */
                    text[used++] = *c++;
                }
                c += *c == '\'';
            }
            part->size = used - part->at;
        } else if (isalpha((unsigned char)*c)) {
            if (!strchr(LETTERS, *c) || *c == 'v') {
                snprintf(message, size, "Illegal pattern component: %c", *c);
                joda_format_destroy(format);
                return NULL;
            }
            part->letter = *c;
            while (*c == part->letter) {
                part->count++;
                c++;
            }
        } else {
            text[used++] = *c++;
            part->size = 1;
        }
    }
    return format;
}

void joda_format_destroy(struct joda_format *format)
{
    if (format) {
        free(format->text);
        free(format);
    }
}

static void print_number(struct buffer *to, int64_t value, int digits)
{
    (void)buffer_printf(to, "%s%0*" PRId64, value < 0 ? "-" : "", digits, value < 0 ? -value : value);
}

static void print_year(struct buffer *to, int64_t year, int count)
{
    if (count == 2) {
        print_number(to, (year < 0 ? -year : year) % 100, 2);
    } else {
        print_number(to, year, count);
    }
}

static void print_name(struct buffer *to, const struct joda_format *format, size_t name)
{
    (void)buffer_append(to, format->names.name[name].text, format->names.name[name].size);
}

/* So many digits of the second's fraction, cut and not rounded. */
static void print_fraction(struct buffer *to, int millisecond, int count)
{
    char digits[8];
    snprintf(digits, sizeof(digits), "%03d", millisecond % 1000);
    for (int i = 0; i < count; i++) {
        (void)buffer_append_char(to, i < 3 ? digits[i] : '0');
    }
}

/* Zones whose winter time the tz database calls daylight saving time, which Joda-Time does not know. */
static bool is_summer(const char *zone, bool daylight)
{
    static const struct {
        const char *zone;
        bool always;
    } negative[] = {{"Europe/Dublin", false},    {"Eire", false},           {"Africa/Casablanca", true},
                    {"Africa/El_Aaiun", true},   {"Africa/Windhoek", true}};
    for (size_t i = 0; i < sizeof(negative) / sizeof(negative[0]); i++) {
        if (strcmp(negative[i].zone, zone) == 0) {
            return negative[i].always || !daylight;
        }
    }
    return daylight;
}

static void print_zone(struct buffer *to, char letter, int count, int64_t utc_ms, const struct zone *zone)
{
    struct zone_offset offset = zone_at(zone, utc_ms);
    const struct zone_names *names = letter == 'z' ? zone_names_find(zone_id(zone)) : NULL;
    if (names) {
        bool summer = is_summer(zone_id(zone), offset.daylight);
        (void)buffer_append_text(to, count >= 4 ? summer ? names->summer : names->standard
                                     : summer   ? names->summer_short
                                                : names->standard_short);
    } else if (letter == 'Z' && count >= 3) {
        (void)buffer_append_text(to, zone_id(zone));
    } else {
        int minutes = abs(offset.seconds) / 60;
        (void)buffer_printf(to, "%c%02d%s%02d", offset.seconds < 0 ? '-' : '+', minutes / 60,
                            letter == 'z' || count == 2 ? ":" : "", minutes % 60);
    }
}

static void print_part(struct buffer *to, const struct joda_format *format, const struct part *part,
                       const struct civil *time, int64_t utc_ms, const struct zone *zone)
{
    int count = part->count;
    int64_t of_era = time->year > 0 ? time->year : 1 - time->year;
    switch (part->letter) {
    case 'G':
        print_name(to, format, time->year > 0 ? LOCALE_AD : LOCALE_BC);
        break;
    case 'C':
        print_number(to, of_era / 100, count);
        break;
    case 'Y':
        print_year(to, of_era, count);
        break;
    case 'x':
        print_year(to, time->week_year, count);
        break;
    case 'y':
        print_year(to, time->year, count);
        break;
    case 'w':
        print_number(to, time->week, count);
        break;
    case 'e':
        print_number(to, time->day_of_week, count);
        break;
    case 'E':
        print_name(to, format, (count >= 4 ? LOCALE_DAY : LOCALE_SHORT_DAY) + (size_t)time->day_of_week - 1);
        break;
    case 'D':
        print_number(to, time->day_of_year, count);
        break;
    case 'M':
        if (count >= 3) {
            print_name(to, format, (count >= 4 ? LOCALE_MONTH : LOCALE_SHORT_MONTH) + (size_t)time->month - 1);
        } else {
            print_number(to, time->month, count);
        }
        break;
    case 'd':
        print_number(to, time->day, count);
        break;
    case 'a':
        print_name(to, format, time->hour < 12 ? LOCALE_AM : LOCALE_PM);
        break;
    case 'K':
        print_number(to, time->hour % 12, count);
        break;
    case 'h':
        print_number(to, (time->hour + 11) % 12 + 1, count);
        break;
    case 'H':
        print_number(to, time->hour, count);
        break;
    case 'k':
        print_number(to, (time->hour + 23) % 24 + 1, count);
        break;
    case 'm':
        print_number(to, time->minute, count);
        break;
    case 's':
        print_number(to, time->second, count);
        break;
    case 'S':
        print_fraction(to, time->millisecond, count);
        break;
    default:
        print_zone(to, part->letter, count, utc_ms, zone);
        break;
    }
}

int joda_format_print(const struct joda_format *format, int64_t utc_ms, const struct zone *zone,
                      struct buffer *ret_text)
{
    struct civil time = civil_of(utc_ms + (int64_t)zone_at(zone, utc_ms).seconds * MS_SECOND);
    for (size_t i = 0; i < format->count; i++) {
        const struct part *part = &format->parts[i];
        if (part->letter) {
            print_part(ret_text, format, part, &time, utc_ms, zone);
        } else {
            (void)buffer_append(ret_text, format->text + part->at, part->size);
        }
    }
    return ret_text->failed ? -1 : 0;
}

/* -- ISO 8601 -- */

struct scan {
    const char *at, *end;
};

/* Digits, from least to most of them. */
static bool scan_digits(struct scan *scan, int least, int most, int64_t *ret_value)
{
    int count = 0;
    int64_t value = 0;
    while (scan->at < scan->end && count < most && isdigit((unsigned char)*scan->at)) {
        value = value * 10 + (*scan->at++ - '0');
        count++;
    }
    *ret_value = value;
    return count >= least;
}

/* Letters in either case, as Joda-Time's parsers take them. */
static bool scan_char(struct scan *scan, char c)
{
    if (scan->at < scan->end && toupper((unsigned char)*scan->at) == c) {
        scan->at++;
        return true;
    }
    return false;
}

static int days_in(int64_t year, int64_t month)
{
    return (int)(days_of(month == 12 ? year + 1 : year, (int)(month % 12 + 1), 1) -
                 days_of(year, (int)month, 1));
}

static bool scan_date(struct scan *scan, int64_t *ret_days)
{
    bool negative = scan_char(scan, '-');
    int64_t year, month = 1, day = 1;
    if ((!negative && scan_char(scan, '+') && scan->at == scan->end) ||
        !scan_digits(scan, 1, 9, &year)) {
        return false;
    }
    year = negative ? -year : year;
    *ret_days = days_of(year, 1, 1);
    if (!scan_char(scan, '-')) {
        return true;
    }
    if (scan_char(scan, 'W')) {
        int64_t week, weekday = 1;
        if (!scan_digits(scan, 1, 2, &week) || week < 1 || week > 53 ||
            (scan_char(scan, '-') && !scan_digits(scan, 1, 1, &weekday)) || weekday < 1 ||
            weekday > 7) {
            return false;
        }
        int64_t fourth = days_of(year, 1, 4);
        *ret_days = fourth - (weekday_of(fourth) - 1) + (week - 1) * 7 + weekday - 1;
        return true;
    }
    const char *begin = scan->at;
    if (!scan_digits(scan, 1, 3, &month)) {
        return false;
    }
    if (scan->at - begin == 3) {
        *ret_days += month - 1;
        return month >= 1 && month <= (days_in(year, 2) == 29 ? 366 : 365);
    }
    if (month < 1 || month > 12 || (scan_char(scan, '-') && !scan_digits(scan, 1, 2, &day)) ||
        day < 1 || day > days_in(year, month)) {
        return false;
    }
    *ret_days = days_of(year, (int)month, (int)day);
    return true;
}

/* A fraction of the unit that came last. */
static bool scan_fraction(struct scan *scan, int64_t unit, int64_t *ret_ms)
{
    if (!scan_char(scan, '.') && !scan_char(scan, ',')) {
        return true;
    }
    double scale = 0.1, fraction = 0;
    const char *begin = scan->at;
    for (; scan->at < scan->end && isdigit((unsigned char)*scan->at); scan->at++) {
        fraction += (*scan->at - '0') * scale;
        scale /= 10;
    }
    *ret_ms += (int64_t)(fraction * (double)unit + 1e-6);
    return scan->at > begin;
}

static bool scan_time(struct scan *scan, int64_t *ret_ms)
{
    int64_t hour, minute = 0, second = 0, unit = MS_HOUR;
    *ret_ms = 0;
    if (!scan_digits(scan, 1, 2, &hour) || hour > 24) {
        return false;
    }
    if (scan_char(scan, ':')) {
        unit = MS_MINUTE;
        if (!scan_digits(scan, 1, 2, &minute) || minute > 59) {
            return false;
        }
        if (scan_char(scan, ':')) {
            unit = MS_SECOND;
            if (!scan_digits(scan, 1, 2, &second) || second > 59) {
                return false;
            }
        }
    }
    if (!scan_fraction(scan, unit, ret_ms)) {
        return false;
    }
    *ret_ms += hour * MS_HOUR + minute * MS_MINUTE + second * MS_SECOND;
    return hour < 24;
}

static bool scan_offset(struct scan *scan, int64_t *ret_ms)
{
    *ret_ms = 0;
    if (scan->at == scan->end || scan_char(scan, 'Z')) {
        return true;
    }
    int sign = scan_char(scan, '-') ? -1 : scan_char(scan, '+') ? 1 : 0;
    int64_t hour, minute = 0, second = 0;
    if (sign == 0 || !scan_digits(scan, 2, 2, &hour) || hour > 23) {
        return false;
    }
    bool colon = scan_char(scan, ':');
    if (colon || scan->at < scan->end) {
        if (!scan_digits(scan, 2, 2, &minute) || minute > 59 ||
            (scan_char(scan, ':') && !scan_digits(scan, 2, 2, &second))) {
            return false;
        }
    }
    *ret_ms = sign * (hour * MS_HOUR + minute * MS_MINUTE + second * MS_SECOND);
    return true;
}

bool joda_parse_iso(const char *text, size_t size, int64_t *ret_ms)
{
    struct scan scan = {text, text + size};
    int64_t day = 0, time = 0, offset = 0;
    bool has_time = scan_char(&scan, 'T');
    if (has_time && (scan.at == scan.end || !isdigit((unsigned char)*scan.at))) {
        return false; /* without a date there must be a time */
    }
    if (!has_time) {
        if (!scan_date(&scan, &day)) {
            return false;
        }
        has_time = scan_char(&scan, 'T');
        if (has_time && scan.at == scan.end) {
            *ret_ms = day * MS_DAY;
            return true;
        }
    }
    if (has_time && scan.at < scan.end && isdigit((unsigned char)*scan.at) &&
        !scan_time(&scan, &time)) {
        return false;
    }
    if (!scan_offset(&scan, &offset) || scan.at != scan.end) {
        return false;
    }
    *ret_ms = day * MS_DAY + time - offset;
    return true;
}

int64_t joda_utc_of(const struct zone *zone, int64_t local_ms)
{
    /* DateTimeZone.convertLocalToUTC, not strict */
    int64_t guessed = (int64_t)zone_at(zone, local_ms).seconds * MS_SECOND;
    int64_t offset = (int64_t)zone_at(zone, local_ms - guessed).seconds * MS_SECOND;
    if (guessed != offset && guessed < 0 &&
        (int64_t)zone_at(zone, local_ms - offset).seconds * MS_SECOND != offset) {
        offset = guessed; /* in a gap, west of Greenwich */
    }
    return local_ms - offset;
}

/* -- zones -- */

static bool has_form(const char *text, const char *form)
{
    for (; *form; form++, text++) {
        if (*form == '0' ? *text < '0' || *text > '9' : *text != *form) {
            return false;
        }
    }
    return !*text;
}

int joda_zone_open(const char *id, struct zone **ret_zone, char *message, size_t size)
{
    size_t prefix = strncmp(id, "UTC", 3) == 0 || strncmp(id, "GMT", 3) == 0 ? 3
                    : strncmp(id, "UT", 2) == 0                              ? 2
                                                                             : 0;
    const char *offset = id + prefix;
    if ((*offset != '+' && *offset != '-') || strcmp(id, "GMT+0") == 0 || strcmp(id, "GMT-0") == 0) {
        return zone_open(strcmp(id, "UT") == 0 ? "UTC" : id, ret_zone, message, size);
    }
    if (has_form(offset + 1, "00") || has_form(offset + 1, "0000") || has_form(offset + 1, "00:00")) {
        return zone_open(offset, ret_zone, message, size);
    }
    snprintf(message, size, "Unknown time zone '%.100s': an offset has two digits each: +05:30", id);
    return -1;
}
