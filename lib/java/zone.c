#include "lib/java/zone.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/java/calendar.h"

#define FILE_MAX ((size_t)1024 * 1024)
#define ABBREVIATION_MAX 16

/** Change to or from daylight saving, as the footer's POSIX TZ text says (RFC 8536 §3.3). */
struct rule {
    char kind; /* 'M': month, week, weekday; 'J': day 1..365 without leap days; 'N': day 0..365 */
    int month, week, day;
    int32_t seconds; /* of the local day */
};

struct kind {
    int32_t seconds;
    bool daylight;
    uint8_t name; /* place in names */
};

struct zone {
    char *id;
    size_t change_count, kind_count, name_size;
    int64_t *changes; /* seconds since 1970, ascending */
    uint8_t *change_kinds;
    struct kind *kinds; /* at least one */
    char *names;
    /* behind the last change */
    bool has_footer, has_daylight;
    struct zone_offset standard, daylight;
    char standard_name[ABBREVIATION_MAX], daylight_name[ABBREVIATION_MAX];
    struct rule start, end;
};

static const struct kind utc_kind = {0};
static const struct zone utc = {
    .id = (char *)"UTC",
    .kind_count = 1,
    .kinds = (struct kind *)&utc_kind,
    .names = (char *)"UTC",
    .name_size = 4,
};

const struct zone *zone_utc(void)
{
    return &utc;
}

const char *zone_id(const struct zone *zone)
{
    return zone->id;
}

void zone_close(struct zone *zone)
{
    if (zone && zone != &utc) {
        free(zone->id);
        free(zone->changes);
        free(zone->change_kinds);
        free(zone->kinds);
        free(zone->names);
        free(zone);
    }
}

/* -- TZif -- */

static uint32_t read_u32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t read_s64(const unsigned char *p)
{
    return (int64_t)((uint64_t)read_u32(p) << 32 | read_u32(p + 4));
}

struct tzif_header {
    size_t is_ut, is_std, leaps, changes, kinds, names;
};

/** Header of a block at p; false where it is none or its block passes the end. */
static bool read_header(const unsigned char *p, size_t left, size_t time_size,
                        struct tzif_header *ret, size_t *ret_size)
{
    if (left < 44 || memcmp(p, "TZif", 4) != 0) {
        return false;
    }
    *ret = (struct tzif_header){read_u32(p + 20), read_u32(p + 24), read_u32(p + 28),
                                read_u32(p + 32), read_u32(p + 36), read_u32(p + 40)};
    if (ret->is_ut > 256 || ret->is_std > 256 || ret->leaps > 65536 || ret->changes > 65536 ||
        ret->kinds == 0 || ret->kinds > 256 || ret->names == 0 || ret->names > 256) {
        return false;
    }
    *ret_size = 44 + ret->changes * (time_size + 1) + ret->kinds * 6 + ret->names +
                ret->leaps * (time_size + 4) + ret->is_std + ret->is_ut;
    return *ret_size <= left;
}

static const char *parse_name(const char *p, char name[ABBREVIATION_MAX])
{
    size_t length = 0;
    bool quoted = *p == '<';
    p += quoted;
    while (quoted ? *p && *p != '>' : isalpha((unsigned char)*p)) {
        if (length + 1 == ABBREVIATION_MAX) {
            return NULL;
        }
        name[length++] = *p++;
    }
    name[length] = '\0';
    if (quoted && *p++ != '>') {
        return NULL;
    }
    return length ? p : NULL;
}

static const char *parse_number(const char *p, int max, int *ret)
{
    if (!isdigit((unsigned char)*p)) {
        return NULL;
    }
    *ret = 0;
    while (isdigit((unsigned char)*p)) {
        *ret = *ret * 10 + (*p++ - '0');
        if (*ret > max) {
            return NULL;
        }
    }
    return p;
}

/** [+-]hh[:mm[:ss]] */
static const char *parse_clock(const char *p, int32_t *ret_seconds)
{
    int sign = *p == '-' ? -1 : 1, hours, minutes = 0, seconds = 0;
    p += *p == '-' || *p == '+';
    p = parse_number(p, 167, &hours);
    if (p && *p == ':') {
        p = parse_number(p + 1, 59, &minutes);
    }
    if (p && *p == ':') {
        p = parse_number(p + 1, 59, &seconds);
    }
    if (p) {
        *ret_seconds = sign * (hours * 3600 + minutes * 60 + seconds);
    }
    return p;
}

static const char *parse_rule(const char *p, struct rule *rule)
{
    if (*p++ != ',') {
        return NULL;
    }
    rule->kind = *p == 'M' || *p == 'J' ? *p++ : 'N';
    if (rule->kind == 'M') {
        p = parse_number(p, 12, &rule->month);
        p = p && *p == '.' ? parse_number(p + 1, 5, &rule->week) : NULL;
        p = p && *p == '.' ? parse_number(p + 1, 6, &rule->day) : NULL;
        if (!p || rule->month < 1 || rule->week < 1) {
            return NULL;
        }
    } else {
        p = parse_number(p, 365, &rule->day);
    }
    rule->seconds = 7200;
    return p && *p == '/' ? parse_clock(p + 1, &rule->seconds) : p;
}

/** The text behind the last block, NUL-terminated: `CET-1CEST,M3.5.0,M10.5.0/3`. */
static void parse_footer(struct zone *zone, const char *p)
{
    int32_t seconds;
    p = parse_name(p, zone->standard_name);
    p = p ? parse_clock(p, &seconds) : NULL;
    if (!p) {
        return;
    }
    zone->standard = (struct zone_offset){.seconds = -seconds, .abbreviation = zone->standard_name};
    zone->has_footer = true;
    if (!*p) {
        return;
    }
    p = parse_name(p, zone->daylight_name);
    if (!p) {
        return;
    }
    seconds -= 3600;
    if (*p != ',') {
        p = parse_clock(p, &seconds);
    }
    zone->daylight = (struct zone_offset){
        .seconds = -seconds, .daylight = true, .abbreviation = zone->daylight_name};
    p = p ? parse_rule(p, &zone->start) : NULL;
    zone->has_daylight = p && parse_rule(p, &zone->end);
}

static bool parse_tzif(struct zone *zone, const unsigned char *data, size_t size)
{
    struct tzif_header header;
    size_t first, second;
    if (!read_header(data, size, 4, &header, &first) || data[4] < '2' ||
        !read_header(data + first, size - first, 8, &header, &second)) {
        return false;
    }
    const unsigned char *p = data + first + 44;
    zone->changes = calloc(header.changes + 1, sizeof(*zone->changes));
    zone->change_kinds = calloc(header.changes + 1, 1);
    zone->kinds = calloc(header.kinds, sizeof(*zone->kinds));
    zone->names = calloc(header.names + 1, 1);
    if (!zone->changes || !zone->change_kinds || !zone->kinds || !zone->names) {
        return false;
    }
    zone->change_count = header.changes;
    zone->kind_count = header.kinds;
    zone->name_size = header.names;
    for (size_t i = 0; i < header.changes; i++, p += 8) {
        zone->changes[i] = read_s64(p);
        if (i > 0 && zone->changes[i] <= zone->changes[i - 1]) {
            return false;
        }
    }
    for (size_t i = 0; i < header.changes; i++) {
        zone->change_kinds[i] = *p++;
        if (zone->change_kinds[i] >= header.kinds) {
            return false;
        }
    }
    for (size_t i = 0; i < header.kinds; i++, p += 6) {
        int32_t seconds = (int32_t)read_u32(p);
        if (seconds < -172800 || seconds > 172800 || p[5] >= header.names) {
            return false;
        }
        zone->kinds[i] = (struct kind){seconds, p[4] != 0, p[5]};
    }
    memcpy(zone->names, p, header.names);

    char footer[128];
    const unsigned char *end = data + size;
    p = data + first + second;
    size_t length = (size_t)(end - p);
    if (length >= 2 && length < sizeof(footer) && p[0] == '\n' && end[-1] == '\n') {
        memcpy(footer, p + 1, length - 2);
        footer[length - 2] = '\0';
        parse_footer(zone, footer);
    }
    return true;
}

/* -- opening -- */

/** An offset as Java writes it: `GMT+2`, `UTC-08:00`, `+0530`; false where the id is none. */
static bool parse_fixed(const char *id, int32_t *ret_seconds)
{
    if (strncmp(id, "GMT", 3) == 0 || strncmp(id, "UTC", 3) == 0) {
        id += 3;
    }
    int sign = *id == '-' ? -1 : 1;
    if (*id != '+' && *id != '-') {
        return false;
    }
    id++;
    int digits[4], count = 0;
    bool colon = false;
    for (; *id; id++) {
        if (*id == ':' && !colon && (count == 1 || count == 2)) {
            colon = true;
            if (count == 1) {
                digits[1] = digits[0];
                digits[0] = 0;
                count = 2;
            }
        } else if (isdigit((unsigned char)*id) && count < 4) {
            digits[count++] = *id - '0';
        } else {
            return false;
        }
    }
    int hours, minutes = 0;
    if (count == 1 || count == 2) {
        hours = count == 1 ? digits[0] : digits[0] * 10 + digits[1];
        if (colon) {
            return false;
        }
    } else if (count == 4 || (count == 3 && !colon)) {
        hours = count == 4 ? digits[0] * 10 + digits[1] : digits[0];
        minutes = digits[count - 2] * 10 + digits[count - 1];
    } else {
        return false;
    }
    *ret_seconds = sign * (hours * 3600 + minutes * 60);
    return hours <= 23 && minutes <= 59;
}

static struct zone *fixed_zone(const char *id, int32_t seconds)
{
    struct zone *zone = calloc(1, sizeof(*zone));
    if (!zone) {
        return NULL;
    }
    int magnitude = seconds < 0 ? -seconds : seconds;
    char name[32] = "GMT";
    if (seconds) {
        snprintf(name, sizeof(name), "GMT%c%02d:%02d", seconds < 0 ? '-' : '+', magnitude / 3600,
                 magnitude / 60 % 60);
    } else if (strcmp(id, "GMT") != 0) {
        memcpy(name, "UTC", 4);
    }
    zone->id = strdup(name);
    zone->names = strdup(name);
    zone->kinds = calloc(1, sizeof(*zone->kinds));
    zone->kind_count = 1;
    if (!zone->id || !zone->names || !zone->kinds) {
        zone_close(zone);
        return NULL;
    }
    zone->name_size = strlen(name) + 1;
    zone->kinds[0].seconds = seconds;
    return zone;
}

/** A name of the tz database: no part of it leads out of its folder. */
static bool plain_id(const char *id)
{
    if (!isalpha((unsigned char)*id) || strstr(id, "..") || strlen(id) > 100) {
        return false;
    }
    for (; *id; id++) {
        if (!isalnum((unsigned char)*id) && !strchr("_+-/", *id)) {
            return false;
        }
    }
    return true;
}

static unsigned char *read_tz_file(const char *id, size_t *ret_size)
{
    const char *folder = getenv("TZDIR");
    char path[4096];
    int length = snprintf(path, sizeof(path), "%s/%s",
                          folder && folder[0] == '/' ? folder : "/usr/share/zoneinfo", id);
    FILE *file = length < (int)sizeof(path) ? fopen(path, "re") : NULL;
    if (!file) {
        return NULL;
    }
    unsigned char *data = malloc(FILE_MAX);
    *ret_size = data ? fread(data, 1, FILE_MAX, file) : 0;
    fclose(file);
    return data;
}

int zone_open(const char *id, struct zone **ret_zone, char *message, size_t message_size)
{
    int32_t seconds = 0;
    struct zone *zone = NULL;
    if (strcmp(id, "UTC") == 0 || strcmp(id, "Z") == 0 || strcmp(id, "GMT") == 0 ||
        parse_fixed(id, &seconds)) {
        zone = fixed_zone(id, seconds);
        if (!zone) {
            snprintf(message, message_size, "Time zone %s: out of memory.", id);
            return -1;
        }
        *ret_zone = zone;
        return 0;
    }
    size_t size = 0;
    unsigned char *data = plain_id(id) ? read_tz_file(id, &size) : NULL;
    if (!data) {
        snprintf(message, message_size,
                 "Unknown time zone '%.100s': use a name of the tz database such as Europe/Berlin "
                 "(Debian package tzdata), UTC, or an offset such as GMT+02:00.",
                 id);
        return -1;
    }
    int result = -1;
    zone = calloc(1, sizeof(*zone));
    if (zone && (zone->id = strdup(id)) && parse_tzif(zone, data, size)) {
        *ret_zone = zone;
        result = 0;
    } else {
        snprintf(message, message_size, "Time zone %.100s: its file cannot be read.", id);
        zone_close(zone);
    }
    free(data);
    return result;
}

/* -- offsets -- */

static struct zone_offset kind_offset(const struct zone *zone, size_t i)
{
    const struct kind *kind = &zone->kinds[i];
    return (struct zone_offset){kind->seconds, kind->daylight, zone->names + kind->name};
}

/** Local second since 1970 at which the rule applies in a year. */
static int64_t rule_time(const struct rule *rule, int64_t year)
{
    struct calendar calendar = {0};
    calendar_set(&calendar, CALENDAR_YEAR, (int32_t)year);
    if (rule->kind == 'M') {
        calendar_set(&calendar, CALENDAR_MONTH, rule->month - 1);
        calendar_set(&calendar, CALENDAR_DAY_OF_WEEK_IN_MONTH, rule->week == 5 ? -1 : rule->week);
        calendar_set(&calendar, CALENDAR_DAY_OF_WEEK, rule->day + 1);
    } else {
        bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        int day = rule->kind == 'N' ? rule->day + 1 : rule->day + (leap && rule->day > 59);
        calendar_set(&calendar, CALENDAR_DAY_OF_YEAR, day);
    }
    int64_t ms = 0;
    (void)calendar_local_ms(&calendar, &ms); /* no era is set: it cannot fail */
    return ms / 1000 + rule->seconds;
}

static struct zone_offset footer_offset(const struct zone *zone, int64_t second)
{
    const int64_t limit = INT64_MAX / 1000 - 200000; /* beyond, ms would overflow */
    if (!zone->has_daylight || second > limit) {
        return zone->standard;
    }
    int64_t year = calendar_split((second + zone->standard.seconds) * 1000).year;
    int64_t start = rule_time(&zone->start, year) - zone->standard.seconds;
    int64_t end = rule_time(&zone->end, year) - zone->daylight.seconds;
    bool daylight = start < end ? second >= start && second < end : second >= start || second < end;
    return daylight ? zone->daylight : zone->standard;
}

struct zone_offset zone_at(const struct zone *zone, int64_t ms)
{
    const int64_t year_1900 = -2208988800;
    int64_t second = ms / 1000 - (ms % 1000 < 0);
    if (second < year_1900 && zone->has_footer) {
        return zone->standard; /* Java's zones know no local mean time: they begin in 1900 */
    }
    size_t low = 0, high = zone->change_count; /* changes before low are not later than second */
    if (high && second >= zone->changes[high - 1] && zone->has_footer) {
        return footer_offset(zone, second);
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (zone->changes[middle] <= second) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low > 0) {
        return kind_offset(zone, zone->change_kinds[low - 1]);
    }
    if (zone->change_count == 0 && zone->has_footer) {
        return footer_offset(zone, second);
    }
    return kind_offset(zone, 0);
}

struct zone_offset zone_at_local(const struct zone *zone, int64_t local_ms)
{
    /* No zone changes twice within two days, so these are the offsets before and after. */
    const int64_t day = 86400000;
    if (local_ms < INT64_MIN + 2 * day || local_ms > INT64_MAX - 2 * day) {
        return zone_at(zone, local_ms);
    }
    struct zone_offset before = zone_at(zone, local_ms - day);
    struct zone_offset after = zone_at(zone, local_ms + day);
    if (before.seconds == after.seconds) {
        return after;
    }
    struct zone_offset there = zone_at(zone, local_ms - (int64_t)after.seconds * 1000);
    return there.seconds == after.seconds ? after : before;
}

/* -- names: what Java's resource bundles hold for the zones that texts name most -- */

struct zone_name {
    const char *abbreviation;
    const char *name;
    int16_t minutes;
};

static const struct zone_name names[] = {
    {"UTC", "Coordinated Universal Time", 0},
    {"GMT", "Greenwich Mean Time", 0},
    {"WET", "Western European Standard Time", 0},
    {"WEST", "Western European Summer Time", 60},
    {"BST", "British Summer Time", 60},
    {"CET", "Central European Standard Time", 60},
    {"CEST", "Central European Summer Time", 120},
    {"EET", "Eastern European Standard Time", 120},
    {"EEST", "Eastern European Summer Time", 180},
    {"MSK", "Moscow Standard Time", 180},
    {"IST", "India Standard Time", 330},
    {"JST", "Japan Standard Time", 540},
    {"KST", "Korean Standard Time", 540},
    {"AEST", "Australian Eastern Standard Time", 600},
    {"AEDT", "Australian Eastern Daylight Time", 660},
    {"NZST", "New Zealand Standard Time", 720},
    {"NZDT", "New Zealand Daylight Time", 780},
    {"AST", "Atlantic Standard Time", -240},
    {"ADT", "Atlantic Daylight Time", -180},
    {"EST", "Eastern Standard Time", -300},
    {"EDT", "Eastern Daylight Time", -240},
    {"CST", "Central Standard Time", -360},
    {"CDT", "Central Daylight Time", -300},
    {"MST", "Mountain Standard Time", -420},
    {"MDT", "Mountain Daylight Time", -360},
    {"PST", "Pacific Standard Time", -480},
    {"PDT", "Pacific Daylight Time", -420},
    {"AKST", "Alaska Standard Time", -540},
    {"AKDT", "Alaska Daylight Time", -480},
    {"HST", "Hawaii-Aleutian Standard Time", -600},
};

const char *zone_long_name(const char *abbreviation, int32_t seconds)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].minutes * 60 == seconds && strcmp(names[i].abbreviation, abbreviation) == 0) {
            return names[i].name;
        }
    }
    return NULL;
}
