/* Signed requests: date and signature are of one instant, wherever a second ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "connectors/s3/s3_access.h"

static time_t clock_now, clock_step;

/* The one of this program: a second ends with each look at it. */
time_t time(time_t *ret_now)
{
    time_t now = clock_now;
    clock_now += clock_step;
    if (ret_now) {
        *ret_now = now;
    }
    return now;
}

static void quiet(const struct sluice_host *host, enum sluice_log_level level, const char *format, ...)
{
    (void)host;
    (void)level;
    (void)format;
}

static const char *line_of(const struct s3_signed *ready, const char *name)
{
    for (size_t i = 0; i < ready->count; i++) {
        if (strncmp(ready->lines[i], name, strlen(name)) == 0) {
            return ready->lines[i];
        }
    }
    fail_msg("no %s", name);
    return NULL;
}

static void sign(struct s3_access *access, struct s3_signed *ready)
{
    char message[500];
    struct s3_draft draft = {.method = "GET", .key = "k", .payload_hash = SIGV4_UNSIGNED_PAYLOAD};
    if (!s3_access_sign(access, &draft, ready, message, sizeof(message))) {
        fail_msg("%s", message);
    }
}

static void test_one_instant(void **state)
{
    (void)state;
    static const time_t begin = 1800000000;
    struct sluice_host host = {.log = quiet};
    struct settings settings = {
        .region = "us-east-1", .bucket = "b", .store_url = "http://127.0.0.1:9",
        .credentials = {.source = AWS_SOURCE_STATIC, .access_key = "access", .secret_key = "secret"}};
    struct s3_access access = {0};
    char message[500];
    clock_now = begin;
    assert_int_equal(s3_access_open(&access, &settings, &host, message, sizeof(message)), 0);
    struct s3_signed moving, still;
    clock_step = 1;
    clock_now = begin;
    sign(&access, &moving);
    time_t end = clock_now;
    clock_step = 0;
    bool found = false;
    for (time_t at = begin; at <= end; at++) {
        clock_now = at;
        sign(&access, &still);
        if (strcmp(line_of(&still, "x-amz-date"), line_of(&moving, "x-amz-date")) == 0) {
            assert_string_equal(line_of(&moving, "Authorization"), line_of(&still, "Authorization"));
            found = true;
        }
        s3_signed_finish(&still);
    }
    assert_true(found);
    s3_signed_finish(&moving);
    s3_access_finish(&access);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_one_instant)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
