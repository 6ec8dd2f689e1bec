/* Offsets of a request in the order of a HashMap: places as Java 17 has them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/store/offsets_order.h"

static void add(json_t *items, json_t *partition)
{
    assert_non_null(partition);
    json_array_append_new(items, json_pack("{s:o,s:i}", "partition", partition, "number",
                                           (int)json_array_size(items)));
}

static void check_order(json_t *(*order)(json_t *items), json_t *items, const int *expected,
                        size_t count)
{
    json_t *ordered = order(items);
    assert_int_equal(json_array_size(ordered), count);
    for (size_t i = 0; i < count; i++) {
        json_t *number = json_object_get(json_array_get(ordered, i), "number");
        assert_int_equal(json_integer_value(number), expected[i]);
    }
    json_decref(ordered);
}

static void check(json_t *items, const int *expected, size_t count)
{
    check_order(offsets_in_java_order, items, expected, count);
}

static void test_order(void **state)
{
    (void)state;
    static const char *const files[] = {"/tmp/a", "/tmp/b", "x", "long name.txt", "é"};
    static const int few[] = {0, 8, 1, 3, 6, 5, 4, 2, 7};
    static const int many[] = {8,  6,  9,  10, 11, 2,  12, 3,  4,  0,  21, 1,  20, 23, 22,
                               5,  19, 28, 25, 24, 7,  27, 26, 17, 18, 13, 14, 15, 16};
    json_t *items = json_array();
    for (size_t i = 0; i < 5; i++) {
        add(items, json_pack("{s:s}", "filename", files[i]));
    }
    add(items, json_pack("{s:s,s:i}", "kafka_topic", "t", "kafka_partition", 3));
    add(items, json_pack("{s:i,s:b}", "n", -5, "b", 1));
    add(items, json_pack("{s:I,s:f}", "n", (json_int_t)5000000000, "d", 1.5));
    add(items, json_null());
    check(items, few, sizeof(few) / sizeof(few[0]));
    for (int i = 0; i < 20; i++) { /* the table grows */
        char text[8] = {'t', (char)(i < 10 ? '0' + i : '1'), (char)(i < 10 ? '\0' : '0' + i - 10)};
        add(items, json_pack("{s:s}", "t", text));
    }
    check(items, many, sizeof(many) / sizeof(many[0]));
    json_decref(items);
}

static void test_last_of_a_partition(void **state)
{
    (void)state;
    static const int expected[] = {3, 2};
    json_t *items = json_array();
    add(items, json_pack("{s:s}", "filename", "/tmp/a"));
    add(items, json_pack("{s:s}", "filename", "/tmp/b"));
    add(items, json_pack("{s:s}", "filename", "/tmp/b"));
    add(items, json_pack("{s:s}", "filename", "/tmp/a"));
    check(items, expected, 2);
    json_decref(items);
}

/* Whole numbers are Longs to a class: negative ones hash otherwise. */
static void test_class_order(void **state)
{
    (void)state;
    static const int expected[] = {5, 4, 7, 0, 2, 1, 8, 3, 6};
    json_t *items = json_array();
    add(items, json_pack("{s:i}", "n", -5));
    add(items, json_pack("{s:i}", "n", 5));
    add(items, json_pack("{s:I}", "n", (json_int_t)5000000000));
    add(items, json_pack("{s:i}", "n", -1));
    add(items, json_pack("{s:f}", "n", 1.5));
    add(items, json_pack("{s:b}", "n", 1));
    add(items, json_pack("{s:n}", "n"));
    add(items, json_pack("{s:s}", "n", "x"));
    add(items, json_pack("{s:s}", "n", "/tmp/a"));
    check_order(offsets_in_class_order, items, expected, 9);
    json_decref(items);
}

static void test_source_order(void **state)
{
    (void)state;
    static const char *const names[] = {"/tmp/a", "/tmp/b", "x", "long name.txt", "é", "b", "c"};
    static const int expected[7][7] = {{0},
                                       {1, 0},
                                       {1, 0, 2},
                                       {1, 0, 2, 3},
                                       {1, 0, 2, 4, 3},
                                       {5, 1, 0, 2, 3, 4},
                                       {5, 1, 0, 6, 3, 2, 4}};
    for (size_t n = 1; n <= 7; n++) {
        json_t *items = json_array();
        for (size_t i = 0; i < n; i++) {
            add(items, json_pack("{s:s}", "f", names[i]));
            json_object_set_new(json_array_get(items, i), "key",
                                json_sprintf("[\"c\",{\"f\":\"%s\"}]", names[i]));
        }
        check_order(offsets_in_source_order, items, expected[n - 1], n);
        assert_null(json_object_get(json_array_get(items, 0), "key"));
        json_decref(items);
    }
}

static void test_group_order(void **state)
{
    (void)state;
    static const int expected[] = {7,  8,  0,  10, 11, 13, 14, 16, 17, 19,
                                   18, 15, 12, 6,  1,  9,  2,  3,  4,  5};
    json_t *items = json_array();
    for (int i = 0; i < 20; i++) {
        add(items, json_pack("{s:s,s:i}", "kafka_topic", i % 3 == 0 ? "other" : "orders",
                             "kafka_partition", i));
    }
    check_order(offsets_in_group_order, items, expected, 20);
    json_decref(items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_order),
                                       cmocka_unit_test(test_class_order),
                                       cmocka_unit_test(test_source_order),
                                       cmocka_unit_test(test_group_order),
                                       cmocka_unit_test(test_last_of_a_partition)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
