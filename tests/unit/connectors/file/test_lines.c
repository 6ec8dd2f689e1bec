/* Lines as FileStreamSourceTask.extractLine() cuts them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "connectors/file/lines.h"

static void give(struct lines *lines, const char *text)
{
    size_t room, size = strlen(text);
    char *to = lines_room(lines, size, &room);
    assert_non_null(to);
    memcpy(to, text, size);
    lines_added(lines, size);
}

static void expect(struct lines *lines, const char *want, size_t want_taken)
{
    const char *line;
    size_t size, taken;
    assert_true(lines_next(lines, &line, &size, &taken));
    assert_int_equal(size, strlen(want));
    assert_memory_equal(line, want, size);
    assert_int_equal(taken, want_taken);
}

static void expect_none(struct lines *lines, size_t held)
{
    const char *line;
    size_t size, taken;
    assert_false(lines_next(lines, &line, &size, &taken));
    assert_int_equal(lines_held(lines), held);
}

static void test_ends(void **state)
{
    struct lines lines = {0};
    (void)state;
    give(&lines, "a\nbc\r\nd\re\n\n\r\n");
    expect(&lines, "a", 2);
    expect(&lines, "bc", 4);
    expect(&lines, "d", 2);
    expect(&lines, "e", 2);
    expect(&lines, "", 1);
    expect(&lines, "", 2);
    expect_none(&lines, 0);
    lines_finish(&lines);
}

static void test_the_last_line_waits_for_its_end(void **state)
{
    struct lines lines = {0};
    (void)state;
    give(&lines, "one\ntw");
    expect(&lines, "one", 4);
    expect_none(&lines, 2);
    give(&lines, "o");
    expect_none(&lines, 3);
    give(&lines, "\n");
    expect(&lines, "two", 4);
    lines_finish(&lines);
}

static void test_a_carriage_return_at_the_end_waits(void **state)
{
    struct lines lines = {0};
    (void)state;
    give(&lines, "one\r");
    expect_none(&lines, 4);
    give(&lines, "\ntwo\r");
    expect(&lines, "one", 5);
    expect_none(&lines, 4);
    give(&lines, "three\n");
    expect(&lines, "two", 4);
    expect(&lines, "three", 6);
    lines_finish(&lines);
}

static void test_a_line_without_end_is_bounded(void **state)
{
    struct lines lines = {0};
    size_t room, all = 0;
    char *to;
    (void)state;
    while ((to = lines_room(&lines, 16 << 20, &room)) != NULL) {
        memset(to, 'x', room);
        lines_added(&lines, room);
        all += room;
        assert_true(all <= LINES_MOST);
        expect_none(&lines, all);
    }
    assert_true(all > LINES_MOST / 2);
    lines_finish(&lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_the_last_line_waits_for_its_end),
        cmocka_unit_test(test_a_carriage_return_at_the_end_waits),
        cmocka_unit_test(test_a_line_without_end_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
