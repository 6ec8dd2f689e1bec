/* Levels by name, the flood limit, forms of lines, reopening, the last lines of a connector. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "core/base/log.h"
#include "core/base/log_levels.h"
#include "core/base/log_output.h"
#include "core/base/log_tail.h"

static int lines;
static char last[256];

static void count_line(void *user, enum log_level level, const char *logger, const char *context,
                       const char *text)
{
    (void)user;
    (void)level;
    (void)logger;
    (void)context;
    lines++;
    (void)snprintf(last, sizeof(last), "%s", text);
}

static int begin(void **state)
{
    (void)state;
    lines = 0;
    log_set_writer(count_line, NULL);
    return 0;
}

static int end(void **state)
{
    (void)state;
    log_clear_levels();
    log_set_level(LOG_LEVEL_INFO);
    log_set_limit(0);
    log_output_close();
    return 0;
}

static void test_levels(void **state)
{
    (void)state;
    int64_t modified;
    assert_false(log_enabled(LOG_LEVEL_DEBUG));
    log_set_level_of("a.b", LOG_LEVEL_DEBUG);
    assert_true(log_enabled(LOG_LEVEL_DEBUG));
    assert_true(log_enabled_for(LOG_LEVEL_DEBUG, "a.b"));
    assert_true(log_enabled_for(LOG_LEVEL_DEBUG, "a.b.c"));
    assert_false(log_enabled_for(LOG_LEVEL_DEBUG, "a.bc"));
    assert_false(log_enabled_for(LOG_LEVEL_DEBUG, "a"));
    assert_int_equal(log_level_of("a.b.c", &modified), LOG_LEVEL_DEBUG);
    assert_int_equal(modified, -1);
    (void)log_level_of("a.b", &modified);
    assert_true(modified > 1500000000000);
    /* the nearest one counts, and one set above takes those below along */
    log_set_level_of("a.b.c", LOG_LEVEL_OFF);
    assert_false(log_enabled_for(LOG_LEVEL_ERROR, "a.b.c.d"));
    log_set_level_of("a", LOG_LEVEL_WARN);
    assert_int_equal(log_level_of("a.b.c", NULL), LOG_LEVEL_WARN);
    assert_false(log_enabled_for(LOG_LEVEL_INFO, "a.b"));
    log_line(LOG_LEVEL_INFO, "a.b", NULL, "no");
    log_line(LOG_LEVEL_WARN, "a.b", NULL, "yes");
    assert_int_equal(lines, 1);
}

static void count_own(void *user, const char *logger, bool own, enum log_level level, int64_t modified)
{
    int *count = user;
    (void)logger;
    (void)level;
    (void)modified;
    *count += own;
}

/* Connect's Loggers: what is known follows by the beginning of its name, and is left where it has the level. */
static void test_levels_as_connect_sets_them(void **state)
{
    (void)state;
    int64_t modified;
    int own = 0;
    assert_false(log_knows("a.b"));
    log_set_level_of("a.b", LOG_LEVEL_INFO); /* has it by inheriting */
    assert_true(log_knows("a.b"));
    (void)log_level_of("a.b", &modified);
    assert_int_equal(modified, -1);
    log_each_level(count_own, &own);
    assert_int_equal(own, 1); /* root */
    log_know("a.bc");
    log_set_level_of("a.b", LOG_LEVEL_ALL);
    assert_int_equal(log_level_of("a.bc", &modified), LOG_LEVEL_ALL);
    assert_true(modified > 0);
    assert_true(log_enabled(LOG_LEVEL_TRACE));
    assert_true(log_enabled_for(LOG_LEVEL_TRACE, "a.bc"));
    assert_false(log_enabled_for(LOG_LEVEL_DEBUG, "a.c"));
    log_set_level_of(LOG_ROOT, LOG_LEVEL_OFF);
    assert_int_equal(log_level_of("a.b", NULL), LOG_LEVEL_OFF);
    assert_false(log_enabled_for(LOG_LEVEL_ERROR, "a.bc"));
    assert_string_equal(log_level_name((enum log_level)log_level_parse("all")), "ALL");
}

static void test_levels_as_json(void **state)
{
    (void)state;
    log_set_level_of("a", LOG_LEVEL_ERROR);
    log_set_level_only("a.b", LOG_LEVEL_TRACE);
    json_t *levels = log_levels_json();
    log_clear_levels();
    log_set_level(LOG_LEVEL_OFF);
    log_levels_take(levels);
    assert_int_equal(log_level_of("a.x", NULL), LOG_LEVEL_ERROR);
    assert_int_equal(log_level_of("a.b", NULL), LOG_LEVEL_TRACE);
    assert_int_equal(log_level_of("z", NULL), LOG_LEVEL_INFO);
    json_decref(levels);
}

static void test_flood(void **state)
{
    (void)state;
    log_set_limit(10);
    for (int i = 0; i < 1000; i++) {
        log_line(LOG_LEVEL_ERROR, "flood", NULL, "record %d is bad", i);
    }
    assert_in_range(lines, 10, 30); /* a second may pass meanwhile */
    int before = lines;
    log_line(LOG_LEVEL_ERROR, "flood", NULL, "another kind");
    log_line(LOG_LEVEL_ERROR, "elsewhere", NULL, "record is bad");
    assert_int_equal(lines, before + 2);
}

static char *read_file(const char *path)
{
    static char text[4096];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t size = fread(text, 1, sizeof(text) - 1, file);
    text[size] = '\0';
    fclose(file);
    return text;
}

static void test_json_and_reopen(void **state)
{
    (void)state;
    char path[] = "/tmp/sluice-log-XXXXXX", moved[64];
    close(mkstemp(path));
    (void)snprintf(moved, sizeof(moved), "%s.1", path);
    struct error error = {0};
    const struct log_output_options options = {.file = path, .json = true};
    assert_int_equal(log_output_open(&options, &error), 0);
    log_line(LOG_LEVEL_WARN, "l\"g", "[a|b|task-12] ", "first \"\n\xff line");
    json_t *line = json_loads(read_file(path), 0, NULL);
    assert_non_null(line);
    assert_string_equal(json_string_value(json_object_get(line, "connector")), "a|b");
    assert_int_equal(json_integer_value(json_object_get(line, "task")), 12);
    assert_string_equal(json_string_value(json_object_get(line, "level")), "WARN");
    assert_string_equal(json_string_value(json_object_get(line, "logger")), "l\"g");
    assert_string_equal(json_string_value(json_object_get(line, "message")), "first \"\n\xef\xbf\xbd line");
    json_decref(line);
    assert_int_equal(rename(path, moved), 0);
    log_line(LOG_LEVEL_INFO, "l", NULL, "still the old one");
    log_output_reopen();
    log_line(LOG_LEVEL_INFO, "l", NULL, "the new one");
    assert_non_null(strstr(read_file(moved), "still the old one"));
    assert_null(strstr(read_file(moved), "the new one"));
    assert_non_null(strstr(read_file(path), "the new one"));
    log_output_close();
    unlink(path);
    unlink(moved);

    const struct log_output_options bad = {.file = "/nonexistent/x.log"};
    assert_int_equal(log_output_open(&bad, &error), -1);
    assert_non_null(strstr(error.message, "/nonexistent/x.log"));
    error_clear(&error);
}

/* A text neither steers the terminal nor passes for another entry. */
static void test_texts_stay_text(void **state)
{
    (void)state;
    char path[] = "/tmp/sluice-log-XXXXXX";
    close(mkstemp(path));
    struct error error = {0};
    const struct log_output_options options = {.file = path};
    assert_int_equal(log_output_open(&options, &error), 0);
    log_line(LOG_LEVEL_WARN, "l", "[a|task-1] ", "%s",
             "\x1b[2J\a\x7f \xc2\x9b \xc3\xa9 \xf0\x9f\x98\x80\tat x\r\n[2026-01-01 00:00:00,000] ERROR all lost");
    const char *line = strstr(read_file(path), "WARN");
    assert_non_null(line);
    assert_string_equal(line, "WARN [a|task-1] \\u001b[2J\\u0007\\u007f \\u009b \xc3\xa9 \xf0\x9f\x98\x80\tat x\\u000d\n"
                              "\t[2026-01-01 00:00:00,000] ERROR all lost (l)\n");
    log_output_close();
    unlink(path);
}

static void test_context(void **state)
{
    (void)state;
    int task;
    char *name = log_context_parse("[lake|task-3] ", &task);
    assert_string_equal(name, "lake");
    assert_int_equal(task, 3);
    free(name);
    name = log_context_parse("[a]|b|worker] ", &task);
    assert_string_equal(name, "a]|b");
    assert_int_equal(task, -1);
    free(name);
    static const char *const none[] = {NULL, "", "[", "[] ", "[lake] ", "lake|task-1"};
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        assert_null(log_context_parse(none[i], &task));
    }
}

static void test_tail(void **state)
{
    (void)state;
    for (int i = 1; i <= 2000; i++) {
        char text[128];
        (void)snprintf(text, sizeof(text), "line %d %064d", i, i);
        log_tail_add("a", i % 2 ? -1 : 0, "t", "INFO", "l", text);
    }
    log_tail_add("b", 0, "t", "INFO", "l", "other");
    json_t *read = log_tail_lines("a", 0, 100000);
    size_t count = json_array_size(json_object_get(read, "lines"));
    assert_in_range(count, 100, 800); /* bounded by bytes */
    assert_int_equal(json_integer_value(json_object_get(read, "next")), 2000);
    json_decref(read);
    read = log_tail_lines("a", 1990, 5);
    json_t *list = json_object_get(read, "lines");
    assert_int_equal(json_array_size(list), 5);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 0), "seq")), 1996);
    json_decref(read);
    read = log_tail_lines("a", 2000, 5);
    assert_int_equal(json_array_size(json_object_get(read, "lines")), 0);
    json_decref(read);
    log_tail_forget("a");
    read = log_tail_lines("a", 0, 5);
    assert_int_equal(json_array_size(json_object_get(read, "lines")), 0);
    json_decref(read);
    char name[16];
    for (int i = 0; i < 3000; i++) { /* names are bounded too */
        (void)snprintf(name, sizeof(name), "n%d", i);
        log_tail_add(name, 0, "t", "INFO", "l", "x");
    }
    read = log_tail_lines("b", 0, 5);
    assert_int_equal(json_array_size(json_object_get(read, "lines")), 0);
    json_decref(read);
    log_tail_clear();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_levels, begin, end),
        cmocka_unit_test_setup_teardown(test_levels_as_connect_sets_them, begin, end),
        cmocka_unit_test_setup_teardown(test_levels_as_json, begin, end),
        cmocka_unit_test_setup_teardown(test_flood, begin, end),
        cmocka_unit_test_setup_teardown(test_json_and_reopen, begin, end),
        cmocka_unit_test_setup_teardown(test_texts_stay_text, begin, end),
        cmocka_unit_test_setup_teardown(test_context, begin, end),
        cmocka_unit_test_setup_teardown(test_tail, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
