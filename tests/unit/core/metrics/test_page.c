/* Stats as seen through their windows, against what Kafka's Rate, Avg and Max give. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/metrics/page.h"
#include "core/metrics/prometheus.h"

#define ALL (METRICS_RATE | METRICS_TOTAL | METRICS_AVG | METRICS_MAX)
#define READ(kind, now) metrics_read(page, stat, kind, now, NULL)

static struct metrics_page *page;

static int begin(void **state)
{
    (void)state;
    page = calloc(1, sizeof(*page));
    return page ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    free(page);
    return 0;
}

static void test_windows(void **state)
{
    (void)state;
    struct metrics_stat *stat = metrics_stat(page, "a-*", ALL, 1);
    int64_t t = 1000000;
    assert_ptr_equal(metrics_stat(page, "a-*", ALL, 1), stat);
    assert_true(READ(METRICS_RATE, t) == 0 && READ(METRICS_AVG, t) == 0);
    metrics_record(page, stat, 30, t);
    metrics_record(page, stat, 60, t + 1000);
    /* two windows of 30 s: one is taken for elapsed at the least */
    assert_float_equal(READ(METRICS_RATE, t + 1000), 90.0 / 31, 1e-9);
    assert_float_equal(READ(METRICS_AVG, t + 1000), 45, 1e-9);
    assert_float_equal(READ(METRICS_MAX, t + 1000), 60, 1e-9);
    metrics_record(page, stat, 10, t + 30000); /* the second window begins */
    assert_float_equal(READ(METRICS_RATE, t + 50000), 100.0 / 50, 1e-9);
    assert_float_equal(READ(METRICS_MAX, t + 50000), 60, 1e-9);
    /* the first is forgotten 60 s after it began, all of it 60 s after the second did */
    assert_float_equal(READ(METRICS_MAX, t + 60000), 10, 1e-9);
    assert_float_equal(READ(METRICS_RATE, t + 60000), 10.0 / 30, 1e-9);
    assert_float_equal(READ(METRICS_RATE, t + 90000), 0, 1e-9);
    assert_float_equal(READ(METRICS_TOTAL, t + 90000), 100, 1e-9);
    /* the ring turns */
    for (int i = 0; i < 100; i++) {
        metrics_record(page, stat, 1, t + 100000 + i * 30000);
    }
    assert_float_equal(READ(METRICS_TOTAL, t), 200, 1e-9);
    assert_float_equal(READ(METRICS_RATE, t + 100000 + 99 * 30000), 2.0 / 30, 1e-9);
    assert_int_equal(metrics_value(page, "a-total"), 200);
    assert_int_equal(metrics_value(page, "a-max"), 0);
}

static void test_share_and_divisor(void **state)
{
    (void)state;
    bool any;
    struct metrics_stat *stat = metrics_stat(page, "c-*-percentage", METRICS_SHARE, 1);
    (void)metrics_read(page, stat, METRICS_SHARE, 5, &any);
    assert_false(any);
    for (int i = 0; i < 4; i++) {
        metrics_record(page, stat, i > 0, 1000);
    }
    assert_float_equal(metrics_read(page, stat, METRICS_SHARE, 1000, &any), 0.75, 1e-9);
    assert_true(any);
    stat = metrics_stat(page, "d-*-time-ms", METRICS_AVG | METRICS_MAX, 1000);
    metrics_record(page, stat, 1500, 1000);
    assert_float_equal(READ(METRICS_AVG, 1000), 1.5, 1e-9);
    struct prometheus out;
    prometheus_init(&out);
    prometheus_own_page(&out, "x", page);
    char *text = prometheus_take(&out); /* long past: nothing is in the window */
    assert_non_null(strstr(text, "\nkafka_connect_x_c_success_percentage 0\n"));
    assert_non_null(strstr(text, "\nkafka_connect_x_c_failure_percentage 0\n"));
    assert_non_null(strstr(text, "\nkafka_connect_x_d_avg_time_ms 0\n"));
    free(text);
}

static void test_ratio(void **state)
{
    (void)state;
    assert_float_equal(metrics_ratio(page, METRICS_RUNNING, 1000), 0, 1e-9);
    metrics_state(page, METRICS_OTHER, 1000);
    metrics_state(page, METRICS_RUNNING, 2000);
    metrics_state(page, METRICS_PAUSED, 5000);
    assert_float_equal(metrics_ratio(page, METRICS_RUNNING, 6000), 0.6, 1e-9);
    assert_float_equal(metrics_ratio(page, METRICS_PAUSED, 11000), 0.6, 1e-9);
}

static void test_histogram(void **state)
{
    (void)state;
    metrics_observe(page, METRICS_PUT, 1000, 1);
    metrics_observe(page, METRICS_PUT, 1001, 2);
    metrics_observe(page, METRICS_PUT, (int64_t)60 * 1000000000, 1);
    struct prometheus out;
    prometheus_init(&out);
    prometheus_page(&out, "c", 0, page);
    char *text = prometheus_take(&out);
    assert_non_null(strstr(text, "# TYPE kafka_connect_connector_task_metrics_stage_latency_seconds histogram\n"));
    assert_non_null(strstr(text, "stage=\"put\",le=\"1e-06\"} 1\n"));
    assert_non_null(strstr(text, "stage=\"put\",le=\"5e-06\"} 3\n"));
    assert_non_null(strstr(text, "stage=\"put\",le=\"30\"} 3\n"));
    assert_non_null(strstr(text, "stage=\"put\",le=\"+Inf\"} 4\n"));
    assert_non_null(strstr(text, "_count{connector=\"c\",task=\"0\",stage=\"put\"} 4\n"));
    assert_null(strstr(text, "stage=\"poll\""));
    for (size_t i = 0; i < METRICS_BUCKETS; i++) {
        char end[48];
        (void)snprintf(end, sizeof(end), "le=\"%g\"", (double)metrics_bounds[i] / 1e9);
        assert_non_null(strstr(text, end));
    }
    free(text);
}

/* What a plugin may have written over a page does no harm to who reads it. */
static void test_any_bytes(void **state)
{
    (void)state;
    unsigned seed = 7;
    for (int round = 0; round < 50; round++) {
        for (size_t i = 0; i < offsetof(struct metrics_page, phase); i++) {
            seed = seed * 1103515245 + 12345;
            ((unsigned char *)page)[i] = round == 0 ? 0xff : (unsigned char)(seed >> 16);
        }
        for (size_t i = 0; i < METRICS_STATS; i++) {
            atomic_store(&page->stats[i].used, 1);
        }
        struct prometheus out;
        prometheus_init(&out);
        prometheus_page(&out, "c", 0, page);
        free(prometheus_take(&out));
        (void)metrics_value(page, "sink-record-read-total");
    }
}

static void *write_pairs(void *user)
{
    struct metrics_stat *stat = user;
    for (int i = 0; i < 50000; i++) {
        metrics_record(page, stat, 7, 1000 + i / 25);
        (void)sched_yield(); /* a task has batches to work on in between; a reader gives up at last */
    }
    return NULL;
}

static void test_race(void **state)
{
    (void)state;
    struct metrics_stat *stat = metrics_stat(page, "r-*", ALL, 1);
    atomic_store(&page->window_ms, 3); /* samples turn all the time */
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, write_pairs, stat), 0);
    for (int i = 0; i < 20000; i++) {
        double average = READ(METRICS_AVG, 1500);
        assert_true(average == 0 || average == 7); /* never half of two samples */
    }
    (void)pthread_join(thread, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_windows, begin, end),
        cmocka_unit_test_setup_teardown(test_share_and_divisor, begin, end),
        cmocka_unit_test_setup_teardown(test_ratio, begin, end),
        cmocka_unit_test_setup_teardown(test_histogram, begin, end),
        cmocka_unit_test_setup_teardown(test_any_bytes, begin, end),
        cmocka_unit_test_setup_teardown(test_race, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
