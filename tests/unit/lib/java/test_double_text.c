/* Double.toString and Float.toString: recorded texts of JDK 17, and that every text reads back. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/java/double_text.h"

static void recorded_doubles(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0.0, "0.0"},
        {-0.0, "-0.0"},
        {1.0, "1.0"},
        {100.0, "100.0"},
        {0.001, "0.001"},
        {9.999e-4, "9.999E-4"},
        {9999999.0, "9999999.0"},
        {1e7, "1.0E7"},
        {12345678.5, "1.23456785E7"},
        {1e21, "1.0E21"},
        {1e22, "1.0E22"},
        {1e23, "9.999999999999999E22"}, /* the shortest would be 1.0E23 */
        {1.5e300, "1.5E300"},
        {4.9e-324, "4.9E-324"},
        {2.2250738585072011e-308, "2.225073858507201E-308"},
        {1.7976931348623157e308, "1.7976931348623157E308"},
        {9.223372036854776e18, "9.223372036854776E18"},
        {3.141592653589793, "3.141592653589793"},
        {-1e-5, "-1.0E-5"},
        {(double)INFINITY, "Infinity"},
        {(double)-INFINITY, "-Infinity"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[JAVA_DOUBLE_TEXT_SIZE];
        size_t size = java_double_text(cases[i].value, text);
        assert_string_equal(text, cases[i].text);
        assert_int_equal(size, strlen(text));
    }
}

static void recorded_floats(void **state)
{
    (void)state;
    static const struct {
        float value;
        const char *text;
    } cases[] = {
        {0.1f, "0.1"},
        {1.1f, "1.1"},
        {1e10f, "1.0E10"},
        {16777216.0f, "1.6777216E7"},
        {1.4e-45f, "1.4E-45"},
        {1e-40f, "1.0E-40"},
        {1e38f, "1.0E38"},
        {3.4028235e38f, "3.4028235E38"},
        {-2.5f, "-2.5"},
        {1.2345679e19f, "1.2345679E19"},
        {9.223372e18f, "9.223372E18"},
        {1.75392031e12f, "1.75392031E12"}, /* shortest: 1.7539203E12 */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[JAVA_DOUBLE_TEXT_SIZE];
        (void)java_float_text(cases[i].value, text);
        assert_string_equal(text, cases[i].text);
    }
}

static uint64_t next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void every_text_reads_back(void **state)
{
    (void)state;
    uint64_t seed = 88172645463325252u;
    for (int i = 0; i < 100000; i++) {
        uint64_t bits = next(&seed);
        double number;
        float single;
        uint32_t half = (uint32_t)bits;
        char text[JAVA_DOUBLE_TEXT_SIZE];
        memcpy(&number, &bits, sizeof(number));
        memcpy(&single, &half, sizeof(single));
        if (number - number == 0) {
            assert_true(java_double_text(number, text) < JAVA_DOUBLE_TEXT_SIZE);
            assert_true(strtod(text, NULL) == number);
        }
        if (single - single == 0) {
            (void)java_float_text(single, text);
            assert_true(strtof(text, NULL) == single);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_doubles),
        cmocka_unit_test(recorded_floats),
        cmocka_unit_test(every_text_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
