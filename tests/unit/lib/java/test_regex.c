/* Java's regular expressions: what the dialects see differently, limits, replacing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/java/regex.h"

static struct regex *compile(const char *pattern)
{
    struct regex *regex = NULL;
    struct regex_error error = {0};
    if (regex_create(pattern, &regex, &error)) {
        fail_msg("%s: %s", pattern, error.message);
    }
    return regex;
}

static int matches(const char *pattern, const char *text)
{
    struct regex *regex = compile(pattern);
    int result = regex_matches(regex, text, strlen(text));
    regex_destroy(regex);
    return result;
}

static int finds(const char *pattern, const char *text)
{
    struct regex *regex = compile(pattern);
    int result = regex_find(regex, text, strlen(text), NULL, NULL);
    regex_destroy(regex);
    return result;
}

static void refused(const char *pattern, const char *beginning)
{
    struct regex *regex = NULL;
    struct regex_error error = {0};
    assert_int_equal(regex_create(pattern, &regex, &error), -1);
    assert_null(regex);
    if (strncmp(error.message, beginning, strlen(beginning)) != 0) {
        fail_msg("%s: %s", pattern, error.message);
    }
}

static void test_classes(void **state)
{
    (void)state;
    assert_true(matches("[a-c[x-z]&&[^b]]+", "acxz"));
    assert_false(matches("[a-c[x-z]&&[^b]]", "b"));
    assert_true(matches("[^a-c&&[b]]", "a")); /* all but what both hold */
    assert_false(matches("[^a-c&&[b]]", "b"));
    assert_true(matches("[a&b]+", "a&b"));
    assert_true(matches("\\b{0,}a\\b{1}", "a")); /* a count behind it, unlike \b{g} */
    assert_true(matches("(?x)[& ]a]+", "a]")); /* Java's way back from the blank loses the & */
    assert_false(matches("(?x)[& ]a]", "&"));
    assert_false(matches("(?x)[ab& &b]", "a"));
    assert_true(matches("[\\w&&[^\\d_]]+", "abc"));
    assert_false(finds("[\\w&&[^\\d_]]", "12_"));
    assert_true(matches("[^\\W]", "a"));
    assert_true(matches("[\\D\\S]", "1")); /* not blank */
    assert_true(matches("[]a]", "]"));
    assert_true(matches("[a-c&&b-d&&c]", "c"));
    assert_false(matches("[a-c&&b-d&&c]", "b"));
    assert_true(matches("[\\x{1F600}-\\x{1F64F}]", "\U0001F610"));
}

static void test_case_folding(void **state)
{
    (void)state;
    assert_true(matches("(?i)[a-c]+", "ABC"));
    assert_false(matches("(?i)\u00e9", "\u00c9"));
    assert_true(matches("(?iu)\u00e9[\u00e0-\u00ef]", "\u00c9\u00c9"));
    assert_true(matches("(?i:a)b", "Ab"));
    assert_false(matches("(?i:a)b", "AB"));
    assert_true(matches("(?i)(a)\\1", "aA"));
    assert_true(matches("a(?i)b|c", "aB"));
    assert_true(matches("a(?i)b|c", "C")); /* flags reach to the end of the group */
    assert_true(matches("(?i)\\p{Lower}", "A"));
}

static void test_lines(void **state)
{
    (void)state;
    assert_true(finds("a$", "a\n"));
    assert_true(finds("a$", "a\r\n"));
    assert_false(finds("a$", "a\n\n"));
    assert_false(finds("(?d)a$", "a\r\n"));
    assert_true(finds("(?m)^b$", "a\rb\r\nc"));
    assert_false(finds("(?m)\\r$\\n", "a\r\n"));
    assert_false(matches(".", "\xc2\x85"));
    assert_true(matches("(?s).", "\xc2\x85"));
    assert_true(matches("(?d).", "\r"));
    assert_true(matches("(?x) a b # c\n c", "abc"));
}

static void test_look_behind(void **state)
{
    (void)state;
    assert_true(finds("(?<=a+)b", "aab"));
    assert_true(finds("(?<=x|a{1,3})b", "ab"));
    assert_false(finds("(?<!a{2,})b", "aab"));
    assert_true(finds("(?<!a{2,})b", "ab"));
    refused("(?<=a+b+)c", "Not supported here: ");
}

static void test_refusals(void **state)
{
    (void)state;
    refused("a{2", "Unclosed counted closure near index 3");
    refused("a**", "Dangling meta character '*' near index 2");
    refused("(?c)a", "Not supported here: flag c");
    refused("\\b{g}", "Not supported here: \\b{g}");
    refused("a{70000}", "Not supported here: more than 65535");
    refused("[a-\\d]", "Illegal character range");
    refused("\\u12", "Illegal Unicode escape sequence");
    refused("\\x{110000}", "Hexadecimal codepoint is too big");
    refused("\\p{", "Unclosed character family");
    refused("a\\", "Unexpected internal error near index 2");
    refused("[a\\", "Unclosed character class near index 3");
    refused("(\\", "Unclosed group near index 3");
    refused("\xF0\x9F\x98\x80\t[", "Unclosed character class near index 2\n\xF0\x9F\x98\x80\t[\n  ^");
    char deep[2001];
    memset(deep, '(', 2000);
    deep[2000] = '\0';
    refused(deep, "Not supported here: groups are nested");
    memset(deep, '[', 2000);
    refused(deep, "Not supported here: groups are nested");
}

static void test_messages_are_cut_between_characters(void **state)
{
    (void)state;
    for (size_t shift = 0; shift < 2; shift++) {
        char pattern[1003] = "x(";
        size_t size = 1 + shift;
        pattern[0] = 'x';
        pattern[1] = 'x';
        while (size + 2 < sizeof(pattern)) {
            pattern[size++] = '\xc3';
            pattern[size++] = '\xa9';
        }
        pattern[size - 2] = '(';
        pattern[size - 1] = '\0';
        struct regex *regex = NULL;
        struct regex_error error;
        assert_int_equal(regex_create(pattern, &regex, &error), -1);
        size_t length = strlen(error.message);
        assert_true(length >= sizeof(error.message) - 2);
        assert_int_equal(error.message[length - 1], '\xa9');
    }
}

static void test_no_pattern_hangs(void **state)
{
    (void)state;
    char text[4003];
    memset(text, 'a', 4000);
    strcpy(text + 4000, "!c"); /* what must end a match is there, so it has to be tried */
    assert_int_equal(matches("(a|aa)+(b|a?)+c", text), REGEX_LIMIT);
    assert_int_equal(matches("(x+x+)+y|(a*)*c", text), REGEX_LIMIT);
}

static void test_malformed_text_matches_nothing(void **state)
{
    (void)state;
    assert_int_equal(finds("a|.*", "\xff\xfe"), REGEX_NO);
}

static void replaced(const char *pattern, const char *text, const char *replacement,
                     const char *first, const char *all)
{
    struct regex *regex = compile(pattern);
    struct regex_error error = {0};
    struct buffer out;
    buffer_init(&out, 1000);
    assert_int_not_equal(regex_replace_first(regex, text, strlen(text), replacement, &out, &error),
                         REGEX_FAILED);
    assert_string_equal(out.data, first);
    buffer_reset(&out);
    assert_int_not_equal(regex_replace_all(regex, text, strlen(text), replacement, &out, &error),
                         REGEX_FAILED);
    assert_string_equal(out.data, all);
    buffer_finish(&out);
    regex_destroy(regex);
}

static void test_replacing(void **state)
{
    (void)state;
    replaced("a(b)?", "abxa", "<$1>", "<b>xa", "<b>x<>");
    replaced("", "\u00e9a", "-", "-\u00e9a", "-\u00e9-a-");
    replaced("a*", "baac", "x", "xbaac", "xbxxcx"); /* as Java: an empty match behind aa too */
    replaced("z", "abc", "$9", "abc", "abc");       /* what is not used is not checked */
    replaced("(?<year>\\d{4})-(\\d\\d)", "2025-07", "$2/${year}\\$", "07/2025$", "07/2025$");

    struct regex *regex = compile("a");
    struct regex_error error = {0};
    struct buffer out;
    buffer_init(&out, 8);
    assert_int_equal(regex_replace_all(regex, "aaaa", 4, "123", &out, &error), REGEX_FAILED);
    assert_string_equal(error.java_class, "java.lang.OutOfMemoryError");
    buffer_finish(&out);
    assert_int_equal(regex_replace_first(regex, "a", 1, "$1", &out, &error), REGEX_FAILED);
    assert_string_equal(error.message, "No group 1");
    buffer_finish(&out);
    regex_destroy(regex);
}

static void *match_many(void *data)
{
    const struct regex *regex = data;
    for (int i = 0; i < 2000; i++) {
        if (regex_matches(regex, "orders-2025-eu", 14) != REGEX_YES) {
            return data;
        }
    }
    return NULL;
}

static void test_threads_share_a_pattern(void **state)
{
    (void)state;
    struct regex *regex = compile("(\\w+)-(\\d+)-(eu|us)");
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, match_many, regex), 0);
    }
    for (int i = 0; i < 4; i++) {
        void *failed = NULL;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    regex_destroy(regex);
    regex_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_case_folding),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_look_behind),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_messages_are_cut_between_characters),
        cmocka_unit_test(test_no_pattern_hangs),
        cmocka_unit_test(test_malformed_text_matches_nothing),
        cmocka_unit_test(test_replacing),
        cmocka_unit_test(test_threads_share_a_pattern),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
