/* Joda-Time's patterns and ISO texts. Expected texts are Joda's own, or follow from its documentation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "connectors/s3/joda.h"
#include "connectors/s3/rotation.h"

static void expect_in(const char *language, const char *pattern, const char *zone_name, int64_t ms,
                      const char *expected)
{
    char message[200] = "";
    struct zone *zone = NULL;
    struct buffer text;
    buffer_init(&text, 1000);
    assert_int_equal(zone_open(zone_name, &zone, message, sizeof(message)), 0);
    struct joda_format *format = joda_format_create(pattern, language, message, sizeof(message));
    assert_string_equal(message, "");
    assert_int_equal(joda_format_print(format, ms, zone, &text), 0);
    assert_string_equal(text.data, expected);
    buffer_finish(&text);
    joda_format_destroy(format);
    zone_close(zone);
}

static void expect(const char *pattern, const char *zone_name, int64_t ms, const char *expected)
{
    expect_in("en", pattern, zone_name, ms, expected);
}

static void test_patterns(void **state)
{
    (void)state;
    const int64_t time = 1714904099123; /* Sunday 2024-05-05T10:14:59.123Z */
    expect("'year'=YYYY/'month'=MM/'day'=dd/'hour'=HH", "UTC", time,
           "year=2024/month=05/day=05/hour=10");
    expect("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", "UTC", time, "2024-05-05T10:14:59.123Z");
    expect("'it''s' ''y''", "UTC", time, "it's '2024'");
    expect("yy YY M MMM MMMM d D", "UTC", time, "24 24 5 May May 5 126");
    expect("E EEE EEEE e", "UTC", time, "Sun Sun Sunday 7");
    expect("xxxx-'W'ww", "UTC", time, "2024-W18");
    expect("aa hh KK HH kk", "UTC", 1717201800000, "AM 12 00 00 24");
    expect("S SS SSSS", "UTC", time, "1 12 1230");
    expect("G C", "UTC", time, "AD 20");
    expect("Z ZZ ZZZ", "America/New_York", time, "-0400 -04:00 America/New_York");
    expect("z", "America/New_York", time, "EDT");
    expect("YYYY-MM-dd HH:mm", "UTC", -1, "1969-12-31 23:59");
    expect("xxxx-'W'ww-e", "UTC", 1735603200000, "2025-W01-2"); /* 2024-12-31 */
    expect("YYYY-MM-dd", "UTC", 951782400000, "2000-02-29");
}

static void test_names(void **state)
{
    (void)state;
    const int64_t may = 1714904099123, winter = 1705320000000;
    expect_in("de", "EEEE EEE MMMM MMM a G", "UTC", may, "Sonntag So. Mai Mai AM n. Chr.");
    expect_in("FI", "MMM", "UTC", winter, "tammik.");
    expect_in("en_US", "MMMM EEEE G", "UTC", winter, "Jan Mon CE"); /* no language that Java knows */
    expect("z zzzz", "Asia/Kathmandu", may, "NPT Nepal Time");
    expect("z zzzz", "Europe/Dublin", may, "IST Irish Standard Time");
    expect("z", "Europe/Dublin", winter, "GMT");
    expect("z zzzz", "+02:00", may, "+02:00 +02:00");
}

/* DateTimeZone.convertLocalToUTC, not strict. */
static void test_gap(void **state)
{
    (void)state;
    char message[200];
    struct zone *zone = NULL;
    assert_int_equal(zone_open("Atlantic/Azores", &zone, message, sizeof(message)), 0);
    /* Midnight of 2020-03-29 is skipped: it is read as one. */
    assert_int_equal(joda_utc_of(zone, 1585440000000), 1585443600000);
    assert_int_equal(joda_utc_of(zone, 1585436400000), 1585440000000);
    zone_close(zone);
    assert_int_equal(zone_open("Europe/Berlin", &zone, message, sizeof(message)), 0);
    assert_int_equal(joda_utc_of(zone, 1711852200000), 1711848600000); /* 02:30 is skipped */
    assert_int_equal(joda_utc_of(zone, 1729996200000), 1729992600000); /* 02:30 comes twice: the second */
    zone_close(zone);
    assert_int_equal(zone_open("America/New_York", &zone, message, sizeof(message)), 0);
    assert_int_equal(joda_utc_of(zone, 1710037800000), 1710055800000);
    assert_int_equal(joda_utc_of(zone, 1730597400000), 1730611800000);
    zone_close(zone);
}

static void test_bad_pattern(void **state)
{
    (void)state;
    char message[200];
    assert_null(joda_format_create("yyyy j", "en", message, sizeof(message)));
    assert_string_equal(message, "Illegal pattern component: j");
}

static void test_iso(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {
        {"2024-03-01T10:20:30Z", 1709288430000},
        {"2024-03-01T10:20:30.123+02:00", 1709281230123},
        {"2024-03-01T10:20:30.123456Z", 1709288430123},
        {"2024-03-01T23:59:59-05:00", 1709355599000},
        {"2024-03-01T10Z", 1709287200000},
        {"2024-03-01T10:30", 1709289000000},
        {"2024-03-01T10.5Z", 1709289000000},
        {"2024-03-01", 1709251200000},
        {"2024-03", 1709251200000},
        {"2024", 1704067200000},
        {"2024-061", 1709251200000},
        {"2024-W09-5T08:00Z", 1709280000000},
        {"2024-W09", 1708905600000},
        {"1969-07-20T20:17:40Z", -14182940000},
        {"2024-03-01T10:20:30+0200", 1709281230000},
        {"2024-03-01T", 1709251200000},
        {"T10:00", 36000000},
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        int64_t ms = 0;
        if (!joda_parse_iso(good[i].text, strlen(good[i].text), &ms)) {
            fail_msg("%s is refused", good[i].text);
        }
        assert_int_equal(ms, good[i].ms);
    }
    static const char *const bad[] = {"yesterday", "", "2024-13-01", "2024-02-30", "2024-366x",
                                      "2023-366", "2024-03-01 10:20", "2024-03-01T25:00",
                                      "2024-03-01T10:60", "2024-03-01T10:20:30+2", "2024-W54",
                                      "2024-03-01T10:20:30Zx", "T", "TZ"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int64_t ms;
        if (joda_parse_iso(bad[i], strlen(bad[i]), &ms)) {
            fail_msg("%s is taken", bad[i]);
        }
    }
}

static void test_schedule(void **state)
{
    (void)state;
    struct zone *zone = NULL;
    char message[200];
    assert_int_equal(zone_open("America/New_York", &zone, message, sizeof(message)), 0);
    const int64_t now = 1714904099123; /* 06:14:59 there */
    assert_int_equal(rotation_next(zone, 60000, now), 1714904100000);
    assert_int_equal(rotation_next(zone, 3600000, now), 1714906800000);
    /* 7 h: 00, 07, 14, 21, then midnight */
    assert_int_equal(rotation_next(zone, 7 * 3600000, now), 1714906800000);
    assert_int_equal(rotation_next(zone, 7 * 3600000, now + 16 * 3600000), 1714968000000);
    assert_int_equal(rotation_next(zone, 3 * 86400000LL, now), 1714968000000);
    zone_close(zone);
}

static void test_zones(void **state)
{
    (void)state;
    static const char *const good[] = {"UTC", "UT", "Z", "GMT", "+05", "-0530", "+05:30", "UTC+01", "GMT-03:30", "UT+02:00",
                                       "GMT+0", "Europe/Berlin", "Etc/GMT+5"};
    static const char *const bad[] = {"+5", "+530", "GMT+1", "UTC+1:00", "utc", "+24:00", "+05:", "+", "Mars", "UT1"};
    char message[256];
    struct zone *zone;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        if (joda_zone_open(good[i], &zone, message, sizeof(message)) != 0) {
            fail_msg("%s is refused: %s", good[i], message);
        }
        zone_close(zone);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (joda_zone_open(bad[i], &zone, message, sizeof(message)) == 0) {
            fail_msg("%s is taken", bad[i]);
        }
        assert_true(message[0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_patterns), cmocka_unit_test(test_names), cmocka_unit_test(test_gap), cmocka_unit_test(test_bad_pattern),
        cmocka_unit_test(test_iso),      cmocka_unit_test(test_schedule), cmocka_unit_test(test_zones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
