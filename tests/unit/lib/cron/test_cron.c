/* Cron expressions and schedules. What croniter says of them is compared in integration/test_schedule.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "lib/cron/schedule.h"

enum { MINUTE = 60000, HOUR = 3600000, DAY = 86400000 };

static int64_t utc(int year, int month, int day, int hour, int minute)
{
    static const int days[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    int64_t leap = (year - 1969) / 4 + (month > 2 && year % 4 == 0);
    int64_t number = (year - 1970) * INT64_C(365) + leap + days[month - 1] + day - 1;
    return number * DAY + hour * (int64_t)HOUR + minute * (int64_t)MINUTE;
}

static struct cron parsed(const char *text)
{
    struct cron cron;
    char message[300] = "";
    assert_int_equal(cron_parse(text, &cron, message, sizeof(message)), 0);
    return cron;
}

static void refused(const char *text, const char *word)
{
    struct cron cron;
    char message[300] = "";
    assert_int_equal(cron_parse(text, &cron, message, sizeof(message)), -1);
    assert_non_null(strstr(message, word));
}

static void test_refuses_what_is_none(void **state)
{
    (void)state;
    refused("", "five");
    refused("* * * *", "4 fields");
    refused("* * * * * *", "more than five");
    refused("60 * * * *", "minute");
    refused("*/0 * * * *", "minute");
    refused("5-1 * * * *", "minute");
    refused("* 24 * * *", "hour");
    refused("* * 0 * *", "day of month");
    refused("* * * 13 *", "month");
    refused("* * * * 8", "day of week");
    refused("* * L * *", "day of month");
    refused("1, * * * *", "minute");
    refused("0 0 30 2 *", "never");
    refused("99999999999999999999 * * * *", "minute");
}

static void next_is(const char *text, const char *zone_name, int64_t after, int64_t expected)
{
    struct cron cron = parsed(text);
    struct zone *zone = NULL;
    char message[200];
    assert_int_equal(zone_open(zone_name, &zone, message, sizeof(message)), 0);
    assert_int_equal(cron_next(&cron, zone, after), expected);
    zone_close(zone);
}

static void test_next(void **state)
{
    (void)state;
    next_is("0 12 * * *", "UTC", utc(2024, 5, 1, 12, 0), utc(2024, 5, 2, 12, 0));
    next_is("*/15 * * * *", "UTC", utc(2024, 5, 1, 12, 1), utc(2024, 5, 1, 12, 15));
    next_is("0 0 29 2 *", "UTC", utc(2024, 3, 1, 0, 0), utc(2028, 2, 29, 0, 0));
    next_is("0 0 13 * FRI", "UTC", utc(2024, 5, 1, 0, 0), utc(2024, 5, 3, 0, 0)); /* either */
    next_is("0 0 */10 * 5", "UTC", utc(2024, 5, 1, 0, 0), utc(2024, 5, 31, 0, 0)); /* both: begins with * */
    next_is("30 8 * jan-mar mon,7", "UTC", utc(2024, 3, 30, 0, 0), utc(2024, 3, 31, 8, 30));
    next_is("@hourly", "UTC", utc(2024, 1, 1, 0, 59), utc(2024, 1, 1, 1, 0));
    next_is("5/20 * * * *", "UTC", utc(2024, 1, 1, 0, 6), utc(2024, 1, 1, 0, 25));
}

/* New York 2024: 02:00 EST -> 03:00 EDT on 10 March at 07:00Z; 02:00 EDT -> 01:00 EST on 3 November, 06:00Z. */
static void test_clock_changes(void **state)
{
    (void)state;
    const char *zone = "America/New_York";
    int64_t jump = utc(2024, 3, 10, 7, 0), back = utc(2024, 11, 3, 6, 0);
    next_is("30 2 * * *", zone, utc(2024, 3, 9, 12, 0), jump);  /* skipped: once, right after */
    next_is("30 2 * * *", zone, jump, utc(2024, 3, 11, 6, 30));
    next_is("*/30 * * * *", zone, utc(2024, 3, 10, 6, 30), jump);
    next_is("0 */2 * * *", zone, utc(2024, 3, 10, 5, 0), utc(2024, 3, 10, 8, 0)); /* a wildcard job: none */
    next_is("30 1 * * *", zone, utc(2024, 11, 3, 0, 0), back - 30 * MINUTE);      /* comes twice: the first */
    next_is("30 1 * * *", zone, back - 30 * MINUTE, utc(2024, 11, 4, 6, 30));
    next_is("0 * * * *", zone, utc(2024, 11, 3, 5, 0), back); /* and a wildcard job at both */
    next_is("0 1,2 * * *", zone, utc(2024, 11, 3, 5, 0), utc(2024, 11, 3, 7, 0));
}

static struct schedule daily(enum schedule_catchup catchup)
{
    return (struct schedule){.has_cron = true, .cron = parsed("0 12 * * *"), .zone = zone_utc(),
                             .catchup = catchup, .retries = 2, .retry_delay_ms = 120000};
}

static void test_a_run_missed_is_made_up_for_as_asked(void **state)
{
    (void)state;
    int64_t last = utc(2024, 5, 1, 12, 0), now = utc(2024, 5, 4, 13, 0), wait;
    struct schedule none = daily(CATCHUP_NONE), late = daily(CATCHUP_LAST), all = daily(CATCHUP_ALL);
    schedule_start(&none, now, last);
    assert_false(schedule_due(&none, now, &wait));
    assert_int_equal(wait, utc(2024, 5, 5, 12, 0) - now);

    schedule_start(&late, now, last);
    assert_true(schedule_due(&late, now, &wait));
    assert_int_equal(late.tick, utc(2024, 5, 4, 12, 0));
    schedule_done(&late, now);
    assert_false(schedule_due(&late, now, &wait));

    schedule_start(&all, now, last);
    for (int day = 2; day <= 4; day++) {
        assert_true(schedule_due(&all, now, &wait));
        assert_int_equal(all.tick, utc(2024, 5, day, 12, 0));
        schedule_done(&all, now);
    }
    assert_false(schedule_due(&all, now, &wait));
}

static void test_a_delay_may_be_as_long_as_a_number(void **state)
{
    (void)state;
    struct schedule schedule = daily(CATCHUP_NONE);
    int64_t tick = utc(2024, 5, 1, 12, 0), wait;
    schedule.retries = -1;
    schedule.retry_delay_ms = INT64_MAX;
    schedule_start(&schedule, tick - HOUR, INT64_MIN);
    assert_true(schedule_due(&schedule, tick, &wait));
    assert_true(schedule_failed(&schedule, tick));
    assert_false(schedule_due(&schedule, tick + HOUR, &wait));
    assert_true(wait > HOUR);
}

static void test_a_run_that_fails_is_tried_again_and_given_up(void **state)
{
    (void)state;
    struct schedule schedule = daily(CATCHUP_NONE);
    int64_t tick = utc(2024, 5, 1, 12, 0), now = tick, wait;
    schedule_start(&schedule, tick - HOUR, INT64_MIN);
    for (int attempt = 1; attempt <= 3; attempt++) {
        assert_true(schedule_due(&schedule, now, &wait));
        assert_int_equal(schedule.attempts, attempt);
        assert_int_equal(schedule.tick, tick);
        bool again = schedule_failed(&schedule, now);
        assert_int_equal(again, attempt < 3);
        if (again) {
            assert_false(schedule_due(&schedule, now + 119999, &wait));
            now += 120000;
        }
    }
    assert_int_equal(schedule.due_ms, utc(2024, 5, 2, 12, 0)); /* retries never move the next tick */
}

static void test_without_cron_the_interval_counts_from_the_end(void **state)
{
    (void)state;
    struct schedule schedule = {.interval_ms = 5000};
    int64_t wait;
    schedule_start(&schedule, 0, INT64_MIN);
    assert_true(schedule_due(&schedule, 1000, &wait));
    schedule_done(&schedule, 3000);
    assert_false(schedule_due(&schedule, 7999, &wait));
    assert_int_equal(wait, 1);
    assert_true(schedule_due(&schedule, 8000, &wait));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refuses_what_is_none),
        cmocka_unit_test(test_next),
        cmocka_unit_test(test_clock_changes),
        cmocka_unit_test(test_a_run_missed_is_made_up_for_as_asked),
        cmocka_unit_test(test_a_delay_may_be_as_long_as_a_number),
        cmocka_unit_test(test_a_run_that_fails_is_tried_again_and_given_up),
        cmocka_unit_test(test_without_cron_the_interval_counts_from_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
