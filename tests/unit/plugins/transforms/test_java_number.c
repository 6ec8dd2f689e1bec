/* Numbers as Java reads them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "plugins/transforms/java_number.h"

static void test_long(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t min, max, value;
        bool good;
    } cases[] = {
        {"0", INT8_MIN, INT8_MAX, 0, true},
        {"-128", INT8_MIN, INT8_MAX, -128, true},
        {"128", INT8_MIN, INT8_MAX, 0, false},
        {"-129", INT8_MIN, INT8_MAX, 0, false},
        {"+7", INT8_MIN, INT8_MAX, 7, true},
        {"007", INT8_MIN, INT8_MAX, 7, true},
        {"9223372036854775807", INT64_MIN, INT64_MAX, INT64_MAX, true},
        {"-9223372036854775808", INT64_MIN, INT64_MAX, INT64_MIN, true},
        {"9223372036854775808", INT64_MIN, INT64_MAX, 0, false},
        {"99999999999999999999999999", INT64_MIN, INT64_MAX, 0, false},
        {"", INT64_MIN, INT64_MAX, 0, false},
        {"-", INT64_MIN, INT64_MAX, 0, false},
        {"--1", INT64_MIN, INT64_MAX, 0, false},
        {" 1", INT64_MIN, INT64_MAX, 0, false},
        {"1.0", INT64_MIN, INT64_MAX, 0, false},
        {"\u0663\u0664", INT64_MIN, INT64_MAX, 34, true}, /* Arabic digits */
        {"\u0967", INT64_MIN, INT64_MAX, 1, true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t value = 0;
        bool good = java_parse_long(cases[i].text, strlen(cases[i].text), cases[i].min,
                                    cases[i].max, &value);
        assert_int_equal(good, cases[i].good);
        if (good) {
            assert_true(value == cases[i].value);
        }
    }
}

static void test_double(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double value;
        bool good;
    } cases[] = {
        {"1.5", 1.5, true},
        {" 1.5\t", 1.5, true},
        {"1e3", 1000, true},
        {"1.", 1, true},
        {".5", 0.5, true},
        {"-2d", -2, true},
        {"3f", 3, true},
        {"0x1p3", 8, true},
        {"0x1.8p1F", 3, true},
        {"Infinity", HUGE_VAL, true},
        {"-Infinity", -HUGE_VAL, true},
        {"infinity", 0, false},
        {".", 0, false},
        {"", 0, false},
        {"f", 0, false},
        {"0x1", 0, false},
        {"1e", 0, false},
        {"1_0", 0, false},
        {"NaNf", 0, false},
        {"1e400", HUGE_VAL, true},
        {"nan", 0, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        double value = 0;
        bool good = java_parse_double(cases[i].text, strlen(cases[i].text), &value);
        assert_int_equal(good, cases[i].good);
        if (good) {
            assert_true(value == cases[i].value);
        }
    }
    double nan_value = 0;
    assert_true(java_parse_double("NaN", 3, &nan_value));
    assert_true(nan_value != nan_value);
    float single = 0;
    assert_true(java_parse_float("16777217", 8, &single));
    assert_true(single == 16777216.0f);
    char many[400];
    memset(many, '1', sizeof(many));
    assert_true(java_parse_double(many, sizeof(many), &nan_value));
    assert_true(isinf(nan_value));
}

static void test_decimal(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t low;
        bool good;
    } cases[] = {
        {"3.7", 3, true},      {"-3.7", -3, true},  {"1e3", 1000, true},
        {"1234e-2", 12, true}, {"0.001", 0, true},  {"18446744073709551617", 1, true},
        {"1e64", 0, true},     {"1e-400", 0, true}, {"abc", 0, false},
        {"", 0, false},        {"+", 0, false},     {"1e", 0, false},
        {"0x1f", 0, false},    {" 1", 0, false},    {"1e99999999999", 0, false},
        {"-.5", 0, true},      {"5.", 5, true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct java_decimal decimal;
        bool good = java_parse_decimal(cases[i].text, strlen(cases[i].text), &decimal);
        assert_int_equal(good, cases[i].good);
        if (good) {
            assert_true(java_decimal_long(&decimal) == cases[i].low);
        }
    }
}

static void test_unscaled(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t limit, size;
        const char *bytes;
    } cases[] = {
        {"0", 4, 1, "\x00"},
        {"-0", 4, 1, "\x00"},
        {"127", 4, 1, "\x7F"},
        {"128", 4, 2, "\x00\x80"},
        {"-128", 4, 1, "\x80"},
        {"-129", 4, 2, "\xFF\x7F"},
        {"255", 1, 0, ""},
        {"-200", 1, 0, ""},
        {"1.28", 4, 2, "\x00\x80"},
        {"-1", 1, 1, "\xFF"},
        {"65536", 3, 3, "\x01\x00\x00"},
        {"65536", 2, 0, ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct java_decimal decimal;
        unsigned char out[8];
        assert_true(java_parse_decimal(cases[i].text, strlen(cases[i].text), &decimal));
        assert_int_equal(java_decimal_bytes(&decimal, out, cases[i].limit), cases[i].size);
        assert_memory_equal(out, cases[i].bytes, cases[i].size);
    }
}

static void test_narrowing(void **state)
{
    (void)state;
    assert_true(java_double_to_long(NAN) == 0);
    assert_true(java_double_to_long(1e30) == INT64_MAX);
    assert_true(java_double_to_long(-1e30) == INT64_MIN);
    assert_true(java_double_to_long(-1.9) == -1);
    assert_int_equal(java_double_to_int(3e9), INT32_MAX);
    assert_int_equal(java_double_to_int(-3e9), INT32_MIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_long),      cmocka_unit_test(test_double),
        cmocka_unit_test(test_decimal),   cmocka_unit_test(test_unscaled),
        cmocka_unit_test(test_narrowing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
