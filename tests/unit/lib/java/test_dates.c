/* SimpleDateFormat, time zones and the calendar beneath; the vectors hold many more patterns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "lib/java/calendar.h"
#include "lib/java/dates.h"

#define DAY 86400000LL

static struct date_format *compile(const char *pattern)
{
    struct date_format *format = NULL;
    char message[DATE_MESSAGE_MAX];
    if (date_format_create(pattern, &format, message, sizeof(message))) {
        fail_msg("%s: %s", pattern, message);
    }
    return format;
}

static struct zone *open_zone(const char *id)
{
    struct zone *zone = NULL;
    char message[DATE_MESSAGE_MAX * 2];
    if (zone_open(id, &zone, message, sizeof(message))) {
        fail_msg("%s", message);
    }
    return zone;
}

/** Milliseconds, or -1 where the text does not match. */
static int64_t parse(const char *pattern, const struct zone *zone, const char *text)
{
    struct date_format *format = compile(pattern);
    int64_t ms = -1;
    if (!date_format_parse(format, zone, text, strlen(text), &ms, NULL)) {
        ms = -1;
    }
    date_format_destroy(format);
    return ms;
}

static const char *print(const char *pattern, const struct zone *zone, int64_t ms)
{
    static char text[128];
    struct date_format *format = compile(pattern);
    size_t length = date_format_print(format, zone, ms, text, sizeof(text));
    assert_int_equal(length, strlen(text));
    date_format_destroy(format);
    return text;
}

static void test_patterns_of_the_pinterest_rows(void **state)
{
    (void)state;
    const struct zone *utc = zone_utc();
    assert_int_equal(parse("yyyy-MM-dd'T'HH:mm:ss", utc, "2018-03-16T13:20:33"), 1521206433000);
    assert_int_equal(parse("yyyy-MM-dd HH:mm:ss", utc, "2018-03-16 13:20:33"), 1521206433000);
    assert_int_equal(parse("yyyy-MM-dd HH:mm:ss", utc, "2018-03-16T13:20:33"), -1);
    assert_int_equal(parse("yyyy-MM-dd HH:mm:ss", utc, ""), -1);
    assert_string_equal(print("yyyy-MM-dd'T'HH:mm:ss", utc, 1521206433000), "2018-03-16T13:20:33");
}

static void test_end_of_what_was_read(void **state)
{
    (void)state;
    struct date_format *format = compile("yyyy-MM");
    int64_t ms;
    size_t end;
    assert_true(date_format_parse(format, zone_utc(), "2018-03-16", 10, &ms, &end));
    assert_int_equal(end, 7);
    assert_false(date_format_parse(format, zone_utc(), "2018-03", 4, &ms, &end));
    date_format_destroy(format);
    date_format_destroy(NULL);
}

static void test_short_output(void **state)
{
    (void)state;
    struct date_format *format = compile("yyyy-MM-dd");
    char text[5] = "xxxx";
    assert_int_equal(date_format_print(format, zone_utc(), 0, text, sizeof(text)), 10);
    assert_string_equal(text, "1970");
    assert_int_equal(date_format_print(format, zone_utc(), 0, NULL, 0), 10);
    date_format_destroy(format);
}

static void test_lenient_fields_carry_over(void **state)
{
    (void)state;
    const struct zone *utc = zone_utc();
    assert_int_equal(parse("yyyy-MM-dd", utc, "2024-14-01"),
                     parse("yyyy-MM-dd", utc, "2025-02-01"));
    assert_int_equal(parse("HH:mm:ss", utc, "24:00:60"), DAY + 60000);
    assert_int_equal(parse("yyyy-MM-dd", utc, "2024-00-00"),
                     parse("yyyy-MM-dd", utc, "2023-11-30"));
    assert_int_equal(parse("s", utc, "99999999999"), 1215752191000); /* cut to 32 bits as in Java */
}

static void test_two_digit_years_are_near(void **state)
{
    (void)state;
    assert_int_equal(parse("yy", zone_utc(), "70"), 0);
    assert_int_equal(parse("yy", zone_utc(), "25"), parse("yyyy", zone_utc(), "2025"));
}

static void test_julian_days_before_the_reform(void **state)
{
    (void)state;
    const struct zone *utc = zone_utc();
    int64_t first = parse("yyyy-MM-dd", utc, "1582-10-15");
    assert_string_equal(print("yyyy-MM-dd EEE", utc, first), "1582-10-15 Fri");
    assert_string_equal(print("yyyy-MM-dd EEE", utc, first - DAY), "1582-10-04 Thu");
    assert_int_equal(parse("yyyy-MM-dd", utc, "1582-10-04"), first - DAY);
    assert_string_equal(print("yyyy-MM-dd G", utc, parse("yyyy-MM-dd G", utc, "0044-03-15 BC")),
                        "0044-03-15 BC");
}

/** Every day of four centuries and around the reform is split and put together again. */
static void test_calendar_round_trip(void **state)
{
    (void)state;
    for (int64_t day = -400000; day < 100000; day += 1) {
        struct calendar_time time = calendar_split(day * DAY + 1);
        struct calendar calendar = {0};
        calendar_set(&calendar, CALENDAR_ERA, time.era);
        calendar_set(&calendar, CALENDAR_YEAR, (int32_t)time.year);
        calendar_set(&calendar, CALENDAR_MONTH, time.month);
        calendar_set(&calendar, CALENDAR_DAY_OF_MONTH, time.day);
        calendar_set(&calendar, CALENDAR_MILLISECOND, 1);
        int64_t ms = 0;
        assert_true(calendar_local_ms(&calendar, &ms));
        assert_int_equal(ms, day * DAY + 1);
    }
    assert_int_equal(calendar_split(INT64_MAX).year, 292278994);
    assert_int_equal(calendar_split(INT64_MIN).year, 292269055); /* BC */
}

/** Patterns whose fields all have a width of their own, and texts that are wider after all. */
static void test_patterns_of_fixed_width(void **state)
{
    (void)state;
    const struct zone *utc = zone_utc();
    const int64_t noon = 12 * 3600000 + 61001;
    assert_string_equal(print("yyyyMMddHHmmssSSS", utc, noon), "19700101120101001");
    assert_string_equal(print("''yyyy'o''clock' DDD kk hh KK", utc, noon), "'1970o'clock 001 12 12 00");
    assert_string_equal(print("kk KK", utc, 0), "24 00");
    assert_string_equal(print("YYYY ww WW FF uu", utc, noon), "1970 01 01 01 04");
    assert_string_equal(print("yyyy-MM-dd", utc, 253402300799999), "9999-12-31");
    assert_string_equal(print("yyyy-MM-dd", utc, 253402300800000), "10000-01-01");
    assert_string_equal(print("YYYY", utc, -62198755200000), "-0001");
    assert_string_equal(print("zzYm", utc, -62198755200000), "UTC-10");
    assert_string_equal(print("yyyy G", utc, -62198755200000), "0002 BC");
    assert_string_equal(print("'0123456789012345678901234567890123456789012345678901234567890123'yyyy", utc, 0),
                        "01234567890123456789012345678901234567890123456789012345678901231970");
    assert_string_equal(print("", utc, 0), "");
}

static void test_bad_patterns(void **state)
{
    (void)state;
    struct date_format *format = NULL;
    char message[DATE_MESSAGE_MAX];
    assert_int_equal(date_format_create("yyyy-bb", &format, message, sizeof(message)), -1);
    assert_string_equal(message, "Illegal pattern character 'b'");
    assert_int_equal(date_format_create("yyyy'", &format, message, sizeof(message)), -1);
    assert_string_equal(message, "Unterminated quote");
    assert_int_equal(date_format_create("XXXX", &format, message, sizeof(message)), -1);
    assert_string_equal(message, "invalid ISO 8601 format: length=4");
    char text[DATE_PATTERN_MAX + 2];
    memset(text, 'y', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(date_format_create(text, &format, message, sizeof(message)), -1);
}

static void test_fixed_zones(void **state)
{
    (void)state;
    static const struct {
        const char *id, *canonical;
        int32_t seconds;
    } cases[] = {
        {"UTC", "UTC", 0},
        {"Z", "UTC", 0},
        {"GMT+2", "GMT+02:00", 7200},
        {"GMT-08:00", "GMT-08:00", -28800},
        {"+0530", "GMT+05:30", 19800},
        {"UTC+5:30", "GMT+05:30", 19800},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct zone *zone = open_zone(cases[i].id);
        assert_string_equal(zone_id(zone), cases[i].canonical);
        assert_int_equal(zone_at(zone, 0).seconds, cases[i].seconds);
        zone_close(zone);
    }
    zone_close(NULL);
}

static void test_unknown_zones_are_refused(void **state)
{
    (void)state;
    static const char *const ids[] = {
        "",          "Nowhere/Land", "../../etc/passwd", "/etc/passwd",
        "GMT+24:00", "GMT+1:",       "Europe",           "tzdata.zi"};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        struct zone *zone = NULL;
        char message[256];
        assert_int_equal(zone_open(ids[i], &zone, message, sizeof(message)), -1);
        assert_non_null(strstr(message, ids[i]));
    }
}

/* Read as Java's first zone of that name; see zone_names.c. */
static void test_names_of_zones_in_texts(void **state)
{
    static const struct {
        const char *name;
        int minutes;
    } names[] = {{"PST", -480},  {"pdt", -420}, {"HKT", 480},  {"IST", 120},
                 {"AST", -240},  {"CST", -360}, {"NPT", 345},  {"ACST", 570},
                 {"WITA", 540}, /* begins with WIT, which comes first */
                 {"Singapore Standard Time", 480}, {"brasilia summer time", -180}};
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char text[64];
        (void)snprintf(text, sizeof(text), "12:00 %s", names[i].name);
        assert_int_equal(parse("HH:mm z", zone_utc(), text), (720 - names[i].minutes) * 60000);
    }
    assert_int_equal(parse("HH:mm z", zone_utc(), "12:00 Nowhere Time"), -1);
}

static void test_zone_of_the_database(void **state)
{
    (void)state;
    struct zone *zone = NULL;
    char message[256];
    if (zone_open("Europe/Berlin", &zone, message, sizeof(message))) {
        print_message("no tz database here: %s\n", message);
        skip();
    }
    assert_string_equal(print("yyyy-MM-dd HH:mm z Z XXX", zone, 1753920245123),
                        "2025-07-31 02:04 CEST +0200 +02:00");
    assert_string_equal(print("HH:mm zzzz", zone, 1735689600000),
                        "01:00 Central European Standard Time");
    /* far behind the file's last change: the footer's rule */
    assert_int_equal(zone_at(zone, parse("yyyy-MM-dd", zone_utc(), "2090-07-01")).seconds, 7200);
    assert_int_equal(zone_at(zone, parse("yyyy-MM-dd", zone_utc(), "2090-12-01")).seconds, 3600);
    /* skipped at 2025-03-30 02:00, twice at 2025-10-26 02:00 */
    assert_int_equal(parse("yyyy-MM-dd HH:mm", zone, "2025-03-30 02:30"),
                     parse("yyyy-MM-dd HH:mm X", zone, "2025-03-30 03:30 +02"));
    assert_int_equal(parse("yyyy-MM-dd HH:mm", zone, "2025-10-26 02:30"),
                     parse("yyyy-MM-dd HH:mm X", zone, "2025-10-26 02:30 +01"));
    zone_close(zone);
    zone = open_zone("America/Sao_Paulo"); /* no daylight saving any more */
    assert_int_equal(zone_at(zone, 1753920245123).seconds, -10800);
    zone_close(zone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_patterns_of_the_pinterest_rows),
        cmocka_unit_test(test_end_of_what_was_read),
        cmocka_unit_test(test_short_output),
        cmocka_unit_test(test_lenient_fields_carry_over),
        cmocka_unit_test(test_two_digit_years_are_near),
        cmocka_unit_test(test_julian_days_before_the_reform),
        cmocka_unit_test(test_calendar_round_trip),
        cmocka_unit_test(test_patterns_of_fixed_width),
        cmocka_unit_test(test_bad_patterns),
        cmocka_unit_test(test_fixed_zones),
        cmocka_unit_test(test_unknown_zones_are_refused),
        cmocka_unit_test(test_names_of_zones_in_texts),
        cmocka_unit_test(test_zone_of_the_database),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
