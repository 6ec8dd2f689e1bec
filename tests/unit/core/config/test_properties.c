/* The ordered set of properties and its reading of files; syntax itself: tests/suites/vectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/config/properties.h"

static void load(struct properties *properties, const char *text)
{
    struct error error = {0};
    assert_int_equal(properties_load(properties, text, strlen(text), "test", &error), 0);
}

static void test_set_keeps_order(void **state)
{
    (void)state;
    struct properties properties = {0};
    char name[16], value[16];
    assert_null(properties_get(&properties, "k1"));
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "k%d", i);
        snprintf(value, sizeof(value), "v%d", i);
        properties_set(&properties, name, value);
    }
    properties_set(&properties, "k500", "again");
    assert_int_equal(properties.count, 1000);
    assert_string_equal(properties.items[500].name, "k500");
    assert_string_equal(properties_get(&properties, "k500"), "again");
    assert_true(properties_remove(&properties, "k0"));
    assert_false(properties_remove(&properties, "k0"));
    assert_string_equal(properties.items[0].name, "k1");
    for (int i = 1; i < 1000; i++) {
        snprintf(name, sizeof(name), "k%d", i);
        assert_non_null(properties_get(&properties, name));
    }
    properties_set(&properties, "k1", properties_get(&properties, "k1")); /* its own value */
    assert_string_equal(properties_get(&properties, "k1"), "v1");
    properties_finish(&properties);
    properties_finish(&properties);
    properties_finish(NULL);
}

static void test_prefixed_copies(void **state)
{
    (void)state;
    struct properties from = {0}, to = {0};
    load(&from, "producer.acks=1\nproducer.=x\nproducer=y\nconsumer.a=2\nproducer.b.c=3\n");
    properties_copy_prefixed(&to, &from, "producer.");
    assert_int_equal(to.count, 2);
    assert_string_equal(properties_get(&to, "acks"), "1");
    assert_string_equal(properties_get(&to, "b.c"), "3");
    properties_copy(&to, &from);
    assert_int_equal(to.count, 7);
    properties_finish(&from);
    properties_finish(&to);
}

static void test_syntax(void **state)
{
    (void)state;
    struct properties properties = {0};
    load(&properties,
         "# c\n! c\r\n a = b \\\r\n   c\nd:e\nf g\n\\u00e9=\\ud83d\\ude00\nh=\\ud83d\n\xe9=1");
    assert_string_equal(properties_get(&properties, "a"), "b c");
    assert_string_equal(properties_get(&properties, "d"), "e");
    assert_string_equal(properties_get(&properties, "f"), "g");
    assert_string_equal(properties_get(&properties, "h"), "?");
    assert_int_equal(properties.count, 5); /* the last line is the key of the fourth again */
    assert_string_equal(properties_get(&properties, "\u00e9"), "1");
    properties_finish(&properties);

    load(&properties, "\\\r\n"); /* continued by nothing: no pair */
    assert_int_equal(properties.count, 0);
    load(&properties, "\\\n"); /* but this is one, of two empty texts */
    assert_string_equal(properties_get(&properties, ""), "");
    properties_finish(&properties);
}

static void test_errors_name_file_and_line(void **state)
{
    (void)state;
    struct properties properties = {0};
    struct error error = {0};
    static const char bad[] = "a=1\n\n# x\nb=2\\\n  3\\\n \\u00g1\n";
    assert_int_equal(properties_load(&properties, bad, sizeof(bad) - 1, "w.properties", &error),
                     -1);
    assert_int_equal(error.code, ERROR_SYNTAX);
    assert_non_null(strstr(error.message, "w.properties, line 4: Malformed \\uxxxx encoding."));
    static const char nul[] = "a=1\nb=\\u0000";
    assert_int_equal(properties_load(&properties, nul, sizeof(nul) - 1, "w", &error), -1);
    assert_non_null(strstr(error.message, "w, line 2: "));
    assert_int_equal(properties_load_file(&properties, "/nonexistent/x", &error), -1);
    assert_int_equal(error.code, ERROR_SYSTEM);
    assert_non_null(strstr(error.message, "/nonexistent/x"));
    assert_int_equal(properties_load_file(&properties, "/", &error), -1);
    error_clear(&error);
    properties_finish(&properties);
}

static void test_file(void **state)
{
    (void)state;
    char path[] = "/tmp/sluice-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    struct properties properties = {0};
    struct error error = {0};
    assert_int_equal(properties_load_file(&properties, path, &error), 0); /* empty */
    assert_int_equal(write(fd, "a=1\nb=2", 7), 7);
    assert_int_equal(properties_load_file(&properties, path, &error), 0);
    assert_string_equal(properties_get(&properties, "b"), "2");
    close(fd);
    unlink(path);
    properties_finish(&properties);
}

static void test_too_long(void **state)
{
    (void)state;
    size_t size = 5 * 1024 * 1024;
    char *text = malloc(size);
    assert_non_null(text);
    memset(text, 'x', size);
    struct properties properties = {0};
    struct error error = {0};
    assert_int_equal(properties_load(&properties, text, size, "w", &error), -1);
    assert_non_null(strstr(error.message, "w, line 1: too long"));
    error_clear(&error);
    properties_finish(&properties);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_keeps_order),
        cmocka_unit_test(test_prefixed_copies),
        cmocka_unit_test(test_syntax),
        cmocka_unit_test(test_errors_name_file_and_line),
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
