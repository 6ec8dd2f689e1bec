/* Errors: filled once, wrapped, copied, printed as Java traces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"

static void test_trace_has_every_cause(void **state)
{
    (void)state;
    struct error error = {0};
    assert_int_equal(error_set_errno(&error, ENOENT, "Could not open %s", "x"), -1);
    assert_int_equal(error.code, ERROR_SYSTEM);
    error_add_cause(&error, "java.io.IOException", "disk");
    assert_int_equal(error_wrap(&error, ERROR_CONFIG,
                                "org.apache.kafka.common.config.ConfigException", "Bad %d", 7),
                     -1);
    char *trace = error_trace(&error);
    assert_non_null(
        strstr(trace, "org.apache.kafka.common.config.ConfigException: Bad 7\nCaused by: "));
    assert_non_null(strstr(trace, "Could not open x: No such file or directory\n"));
    assert_non_null(strstr(trace, "Caused by: java.io.IOException: disk"));
    free(trace);
    struct error copy = {0};
    error_copy(&copy, &error);
    error_clear(&error);
    assert_int_equal(error.code, ERROR_NONE);
    assert_string_equal(copy.message, "Bad 7");
    assert_non_null(copy.cause);
    error_clear(&copy);
    error_clear(&copy);
}

static void test_setting_again_replaces(void **state)
{
    (void)state;
    struct error error = {0};
    char name[] = "x.Y";
    (void)error_set_class(&error, ERROR_CONFIG, name, "one");
    name[0] = 'z'; /* the class was copied */
    assert_string_equal(error.java_class, "x.Y");
    (void)error_set(&error, ERROR_BUSY, "two");
    assert_string_equal(error.message, "two");
    assert_null(error.java_class);
    error_clear(&error);
    assert_int_equal(error_set(NULL, ERROR_BUSY, "nobody listens"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trace_has_every_cause),
        cmocka_unit_test(test_setting_again_replaces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
