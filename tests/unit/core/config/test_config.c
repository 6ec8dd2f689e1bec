/* Option tables: reports in ConfigDef's words, typed values, families. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/config/config.h"

#define SIZE .size = sizeof(struct sluice_option)

static const char *const colours[] = {"red", "green", NULL};

static bool check_even(const char *name, const char *value, char *message, size_t size)
{
    if (value && strlen(value) % 2 == 0) {
        return true;
    }
    snprintf(message, size, "%s is odd", name);
    return false;
}

static const struct sluice_option options[] = {
    {SIZE, .name = "flag", .type = SLUICE_OPTION_BOOLEAN, .default_value = "true"},
    {SIZE, .name = "size", .type = SLUICE_OPTION_INT, .required = true, .valid = SLUICE_VALID_RANGE,
     .min = 1, .max = INT64_MAX},
    {SIZE, .name = "short", .type = SLUICE_OPTION_SHORT, .valid = SLUICE_VALID_RANGE, .min = 0,
     .max = INT64_MAX}, /* null unless given, which is good */
    {SIZE, .name = "long", .type = SLUICE_OPTION_LONG, .default_value = "-1"},
    {SIZE, .name = "real", .type = SLUICE_OPTION_DOUBLE, .default_value = "1e10"},
    {SIZE, .name = "list", .type = SLUICE_OPTION_LIST, .default_value = ""},
    {SIZE, .name = "colours", .type = SLUICE_OPTION_LIST, .default_value = "",
     .valid = SLUICE_VALID_ONE_OF, .values = colours},
    {SIZE, .name = "colour", .type = SLUICE_OPTION_STRING, .default_value = "RED",
     .valid = SLUICE_VALID_ONE_OF_ANY_CASE, .values = colours},
    {SIZE, .name = "word", .type = SLUICE_OPTION_STRING, .valid = SLUICE_VALID_NON_EMPTY},
    {SIZE, .name = "secret", .type = SLUICE_OPTION_PASSWORD},
    {SIZE, .name = "even", .type = SLUICE_OPTION_STRING, .default_value = "",
     .valid = SLUICE_VALID_CUSTOM, .check = check_even},
    {SIZE, .name = "group.*.size", .type = SLUICE_OPTION_INT, .valid = SLUICE_VALID_RANGE, .min = 1,
     .max = 9},
    {SIZE, .name = "other.*", .type = SLUICE_OPTION_STRING},
    {.name = NULL},
};

static const struct sluice_option *const tables[] = {options, NULL};

static void load(struct properties *properties, const char *text)
{
    struct error error = {0};
    assert_int_equal(properties_load(properties, text, strlen(text), "test", &error), 0);
}

/** What the report says of one key: its errors joined by `|`, or its value. */
static const char *outcome(const char *text, const char *name)
{
    static char seen[512];
    struct properties properties = {0};
    struct config_report report;
    load(&properties, text);
    config_validate(tables, &properties, &report);
    snprintf(seen, sizeof(seen), "(absent)");
    for (size_t i = 0; i < report.count; i++) {
        const struct config_value *value = &report.values[i];
        if (strcmp(value->name, name) != 0) {
            continue;
        }
        snprintf(seen, sizeof(seen), "%s", value->value ? value->value : "(null)");
        for (size_t j = 0; j < value->error_count; j++) {
            size_t used = j ? strlen(seen) : 0;
            snprintf(seen + used, sizeof(seen) - used, "%s%s", j ? "|" : "", value->errors[j]);
        }
        assert_true(value->error_count == 0 || value->errors[value->error_count] == NULL);
    }
    config_report_finish(&report);
    properties_finish(&properties);
    return seen;
}

static void test_report_in_configdefs_words(void **state)
{
    (void)state;
    assert_string_equal(outcome("", "size"),
                        "Missing required configuration \"size\" which has no default value.|"
                        "Invalid value null for configuration size: Value must be non-null");
    assert_string_equal(outcome("size=0", "size"),
                        "Invalid value 0 for configuration size: Value must be at least 1");
    assert_string_equal(outcome("size=1.0", "size"),
                        "Invalid value 1.0 for configuration size: Not a number of type INT|"
                        "Invalid value null for configuration size: Value must be non-null");
    assert_string_equal(outcome("size= +7 ", "size"), "7");
    assert_string_equal(outcome("", "short"), "(null)");
    assert_string_equal(outcome("short=32768", "short"),
                        "Invalid value 32768 for configuration short: Not a number of type SHORT|"
                        "Invalid value null for configuration short: Value must be non-null");
    assert_string_equal(outcome("long=9223372036854775808", "long"),
                        "Invalid value 9223372036854775808 for configuration long: Not a number of "
                        "type LONG");
    assert_string_equal(
        outcome("flag=yes", "flag"),
        "Invalid value yes for configuration flag: Expected value to be either true "
        "or false");
    assert_string_equal(outcome("flag=TRUE", "flag"), "true");
    assert_string_equal(outcome("list= a , b,,c ", "list"), "a,b,,c");
    assert_string_equal(outcome("colours=red, blue", "colours"),
                        "Invalid value blue for configuration colours: String must be one of: red, "
                        "green");
    assert_string_equal(outcome("colour=Green", "colour"), "Green");
    assert_string_equal(outcome("colour=x", "colour"),
                        "Invalid value x for configuration colour: String must be one of (case "
                        "insensitive): red, green");
    assert_string_equal(outcome("word=", "word"),
                        "Invalid value  for configuration word: String must be non-empty");
    assert_string_equal(outcome("", "word"), "(null)");
    assert_string_equal(outcome("secret=s3cr3t", "secret"), "[hidden]");
    assert_string_equal(outcome("even=odd", "even"), "even is odd");
    assert_string_equal(outcome("unknown= x", "unknown"), "x");
}

static void test_doubles_as_java_prints_them(void **state)
{
    (void)state;
    assert_string_equal(outcome("", "real"), "1.0E10");
    assert_string_equal(outcome("real=0.001", "real"), "0.001");
    assert_string_equal(outcome("real=0.00012", "real"), "1.2E-4");
    assert_string_equal(outcome("real=100f", "real"), "100.0");
    assert_string_equal(outcome("real=9999999", "real"), "9999999.0");
    assert_string_equal(outcome("real=-0", "real"), "-0.0");
    assert_string_equal(outcome("real=0x1p4", "real"), "16.0");
    assert_string_equal(outcome("real=NaN", "real"), "NaN");
    assert_string_equal(outcome("real=1e400", "real"), "Infinity");
    assert_string_equal(outcome("real=.", "real"),
                        "Invalid value . for configuration real: Not a number of type DOUBLE");
}

static void test_families(void **state)
{
    (void)state;
    assert_string_equal(outcome("group.a.size=3", "group.a.size"), "3");
    assert_string_equal(outcome("group.a.size=10", "group.a.size"),
                        "Invalid value 10 for configuration group.a.size: Value must be no more "
                        "than 9");
    assert_string_equal(outcome("", "group.*.size"), "(absent)");
    assert_null(config_find_option(tables, "group.a.b.size"));
    assert_null(config_find_option(tables, "group..size"));
    assert_null(config_find_option(tables, "other."));
    assert_string_equal(config_find_option(tables, "other.a.b")->name, "other.*");
    assert_null(config_find_option(tables, "group.*.size.x"));
}

static void test_typed_values(void **state)
{
    (void)state;
    struct properties properties = {0};
    struct sluice_config *config = NULL;
    struct error error = {0};
    load(&properties, "size=12\nlist= a,b \nz=1\nsecret= x \nother.k= v\nreal=2.5\neven=");
    assert_int_equal(config_create(tables, &properties, &config, &error), 0);
    properties_finish(&properties);
    const struct sluice_config_api *api = &config_api;
    assert_int_equal(api->get_long(config, "size"), 12);
    assert_int_equal(api->get_long(config, "long"), -1);
    assert_true(api->get_boolean(config, "flag"));
    assert_true(api->get_double(config, "real") == 2.5);
    const char *const *items;
    assert_int_equal(api->get_list(config, "list", &items), 2);
    assert_string_equal(items[1], "b");
    assert_int_equal(api->get_list(config, "colours", &items), 0);
    assert_string_equal(api->get_string(config, "secret"), "x");
    assert_string_equal(api->original(config, "secret"), "x ");
    assert_string_equal(api->get_string(config, "z"), "1");
    assert_null(api->get_string(config, "word"));
    assert_null(api->get_string(config, "no such"));
    assert_true(api->is_set(config, "even"));
    assert_false(api->is_set(config, "flag"));
    size_t cursor = 0, seen = 0;
    const char *name, *value, *last = "";
    while (api->next(config, &cursor, &name, &value)) {
        assert_true(strcmp(last, name) < 0);
        last = name;
        seen++;
    }
    assert_int_equal(seen, 7);
    assert_string_equal(properties_get(config_properties(config), "z"), "1");
    config_destroy(config);
    config_destroy(NULL);
}

static void test_first_error_fails(void **state)
{
    (void)state;
    struct properties properties = {0};
    struct sluice_config *config = NULL;
    struct error error = {0};
    load(&properties, "flag=maybe");
    assert_int_equal(config_create(tables, &properties, &config, &error), -1);
    assert_string_equal(error.java_class, "org.apache.kafka.common.config.ConfigException");
    assert_string_equal(error.message, "Invalid value maybe for configuration flag: Expected value "
                                       "to be either true or false");
    error_clear(&error);
    properties_finish(&properties);
}

static void test_later_table_wins(void **state)
{
    (void)state;
    static const struct sluice_option again[] = {
        {SIZE, .name = "size", .type = SLUICE_OPTION_STRING, .default_value = "big"},
        {.name = NULL},
    };
    const struct sluice_option *const both[] = {options, again, NULL};
    struct properties properties = {0};
    struct config_report report;
    config_validate(both, &properties, &report);
    assert_string_equal(report.values[1].name, "size");
    assert_string_equal(report.values[1].value, "big");
    assert_int_equal(report.error_count, 0);
    config_report_add(&report, "size", "one");
    config_report_add(&report, "new", "two");
    assert_int_equal(report.error_count, 2);
    assert_string_equal(report.values[report.count - 1].errors[0], "two");
    config_report_finish(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_report_in_configdefs_words),
        cmocka_unit_test(test_doubles_as_java_prints_them),
        cmocka_unit_test(test_families),
        cmocka_unit_test(test_typed_values),
        cmocka_unit_test(test_first_error_fails),
        cmocka_unit_test(test_later_table_wins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
