/* Lists, parts and sets of texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "plugins/transforms/lists.h"
#include "plugins/transforms/text_set.h"

/* Items joined by '|'. */
static void check_list(const char *text, const char *expected)
{
    char got[200] = "";
    struct text item;
    const char *cursor = text;
    while (list_next(&cursor, &item)) {
        snprintf(got + strlen(got), sizeof(got) - strlen(got), "%.*s|", (int)item.size, item.data);
    }
    assert_string_equal(got, expected);
}

static void test_list(void **state)
{
    (void)state;
    check_list("a", "a|");
    check_list(" a , b ", "a|b|");
    check_list("a,,b", "a||b|");
    check_list("a,", "a||");
    check_list(NULL, "");
    char out[20];
    list_print("a, b ,c", out, sizeof(out));
    assert_string_equal(out, "[a, b, c]");
    char small[6];
    list_print("abcdef,ghi", small, sizeof(small));
    assert_string_equal(small, "[abcd");
}

static void test_separated(void **state)
{
    (void)state;
    const char *cursor = " a ||b";
    struct text part;
    assert_true(separated_next(&cursor, "|", &part) && text_is(part, " a "));
    assert_true(separated_next(&cursor, "|", &part) && text_is(part, ""));
    assert_true(separated_next(&cursor, "|", &part) && text_is(part, "b"));
    assert_false(separated_next(&cursor, "|", &part));
    cursor = "";
    assert_false(separated_next(&cursor, "|", &part));
}

static void test_colons(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t count;
    } cases[] = {{"a:b", 2}, {"a:", 1},    {"a", 1},   {"", 1},
                 {":b", 2},  {"a:b:c", 3}, {"a::", 1}, {":", 0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct text parts[2];
        struct text text = {cases[i].text, strlen(cases[i].text)};
        assert_int_equal(split_colons(text, parts, 2), cases[i].count);
    }
}

static void test_set(void **state)
{
    (void)state;
    struct text_set set = {.slots = NULL};
    assert_int_equal(text_set_find(&set, "a", 1), -1);
    char name[16];
    for (size_t i = 0; i < 500; i++) {
        int size = snprintf(name, sizeof(name), "n%zu", i);
        assert_true(text_set_add(&set, name, (size_t)size, i));
    }
    assert_true(text_set_add(&set, "n7", 2, 999)); /* keeps its first index */
    assert_true(text_set_add(&set, "", 0, 500));
    for (size_t i = 0; i < 500; i++) {
        int size = snprintf(name, sizeof(name), "n%zu", i);
        assert_int_equal(text_set_find(&set, name, (size_t)size), i);
    }
    assert_int_equal(text_set_find(&set, "", 0), 500);
    assert_int_equal(text_set_find(&set, "n500", 4), -1);
    assert_int_equal(set.count, 501);
    text_set_finish(&set);
    text_set_finish(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_separated),
        cmocka_unit_test(test_colons),
        cmocka_unit_test(test_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
