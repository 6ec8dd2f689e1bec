/* The scan: normal form, what is refused, limits; against jansson on random documents. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "core/data/batch.h"

static struct sluice_batch *batch;

static int set_up(void **state)
{
    (void)state;
    batch = batch_new(NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    records_api.release(batch);
    return 0;
}

static enum sluice_result parse(const char *text, size_t size, uint32_t flags, char *out, size_t room,
                                struct sluice_json_error *error)
{
    struct sluice_value *value = NULL;
    enum sluice_result result = data_api.from_json(batch, text, size, flags, &value, error);
    if (result == SLUICE_OK) {
        struct sluice_span json = data_api.to_json(batch, value);
        assert_true(json.size < room);
        memcpy(out, json.data, json.size);
        out[json.size] = '\0';
    }
    return result;
}

static void check(const char *in, const char *expected)
{
    char out[4096];
    struct sluice_json_error error = {.size = sizeof(error)};
    size_t size = strlen(in);
    char *exact = malloc(size ? size : 1); /* so that a sanitizer sees a read past the end */
    memcpy(exact, in, size);
    if (parse(exact, size, SLUICE_JSON_CONNECT, out, sizeof(out), &error) != SLUICE_OK) {
        fail_msg("%s: %s", in, error.message);
    }
    assert_string_equal(out, expected);
    /* normal form is a fixed point */
    char again[4096];
    assert_int_equal(parse(out, strlen(out), SLUICE_JSON_CONNECT, again, sizeof(again), &error), SLUICE_OK);
    assert_string_equal(again, out);
    free(exact);
}

static void test_normal_form(void **state)
{
    (void)state;
    static const char *const table[][2] = {
        {"0", "0"}, {"-0", "0"}, {"01", "1"}, {"-0.0", "0.0"}, {"1.10", "1.1"}, {"1e2", "100.0"},
        {"1e-2", "0.01"}, {"1e22", "1.0E22"}, {"123456789.0", "1.23456789E8"},
        {"1234567.125", "1234567.125"}, {"12345678.5", "1.23456785E7"}, {"1e400", "\"Infinity\""},
        {"-1e400", "\"-Infinity\""}, {"9223372036854775808", "-9223372036854775808"},
        {"123456789012345678901234567890", "-4362896299872285998"}, {"0.001", "0.001"},
        {"0.0001", "1.0E-4"}, {"9999999.0", "9999999.0"}, {"10000000.0", "1.0E7"}, {"5.0", "5.0"},
        {"5.00", "5.0"}, {"0.0", "0.0"}, {"3.141592653589793238462643383279", "3.141592653589793"},
        {"\"\\u00e9\"", "\"\xC3\xA9\""}, {"\"\\ud83d\"", "\"\\uD83D\""},
        {"\"\\ud83d\\ude00\"", "\"\\uD83D\\uDE00\""}, {"\"\xF0\x9F\x98\x80\"", "\"\\uD83D\\uDE00\""},
        {"\"\\u001f\"", "\"\\u001F\""}, {"\"\\u000a\"", "\"\\n\""}, {"\"\\/\"", "\"/\""},
        {"\"\\u0041\"", "\"A\""}, {"\"\xC0\x80\"", "\"\\u0000\""}, {"\"\\u0022\"", "\"\\\"\""},
        {" { \"a\" : [ 1 , 2 ] , \"b\" : { } } ", "{\"a\":[1,2],\"b\":{}}"},
        {"{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":3,\"b\":2}"},
        {"{\"a\":1,\"\\u0061\":2}", "{\"a\":2}"},
        {"{\"a\":{\"a\":1},\"b\":[{\"a\":1,\"a\":2}]}", "{\"a\":{\"a\":1},\"b\":[{\"a\":2}]}"},
        {"{\"a\":1} trailing", "{\"a\":1}"}, {"\xEF\xBB\xBF{}", "{}"}, {"null", "null"}, {"[]", "[]"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        check(table[i][0], table[i][1]);
    }
}

static void test_normal_text_is_not_copied(void **state)
{
    (void)state;
    static const char text[] = "{\"index\":7528,\"latitude\":-89.9787,\"name\":\"\xC3\xA9 \\\"x\\\"\","
                               "\"list\":[true,false,null],\"n\":{}}";
    struct sluice_value *value = NULL;
    struct sluice_json_error error = {.size = sizeof(error)};
    assert_int_equal(data_api.from_json(batch, text, sizeof(text) - 1, 0, &value, &error), SLUICE_OK);
    struct sluice_span json = data_api.to_json(batch, value);
    assert_ptr_equal(json.data, text);
    assert_int_equal(json.size, sizeof(text) - 1);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t column;
    } table[] = {
        {"+1", 1}, {".5", 1}, {"NaN", 1}, {"-", 2}, {"1.", 3}, {"1e", 3}, {"\"\\x\"", 3}, {"\"\\u12\"", 6},
        {"\"a\nb\"", 3}, {"\"abc", 5}, {"\"\xFF\"", 2}, {"\"\xE2\x82\"", 3}, {"[1,2,]", 6}, {"[,]", 2},
        {"{\"a\":}", 6}, {"{\"a\":1,}", 8}, {"{a:1}", 2}, {"{'a':1}", 2}, {"/*c*/1", 1}, {"}", 1},
        {"{", 2}, {"[", 2}, {"{\"a\"", 5}, {"{\"a\" 1}", 6}, {"nul", 1}, {"truex", 1}, {"\x01", 1},
        {"[1 2]", 4}, {"\"\xF8\x88\x80\x80\x80\"", 2},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        char out[64];
        struct sluice_json_error error = {.size = sizeof(error)};
        size_t size = strlen(table[i].text);
        char *exact = malloc(size);
        memcpy(exact, table[i].text, size);
        if (parse(exact, size, 0, out, sizeof(out), &error) != SLUICE_BAD_RECORD) {
            fail_msg("accepted: %s", table[i].text);
        }
        assert_true(error.message[0] != '\0');
        if (error.column != table[i].column && table[i].column + 1 != error.column) {
            fail_msg("%s: column %u (%s)", table[i].text, error.column, error.message);
        }
        free(exact);
    }
}

static void test_strict(void **state)
{
    (void)state;
    char out[64];
    struct sluice_json_error error = {.size = sizeof(error)};
    static const char *const bad[] = {"01", "1 2", "{} x", "\xEF\xBB\xBF{}", "\"\xC0\x80\"",
                                      "\"\xED\xA0\x80\""};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(parse(bad[i], strlen(bad[i]), SLUICE_JSON_STRICT, out, sizeof(out), &error),
                         SLUICE_BAD_RECORD);
    }
    assert_int_equal(parse(" 1 \n", 4, SLUICE_JSON_STRICT, out, sizeof(out), &error), SLUICE_OK);
}

static struct sluice_value *parse_flags(const char *text, size_t size, uint32_t flags)
{
    struct sluice_value *value = NULL;
    struct sluice_json_error error = {.size = sizeof(error)};
    assert_int_equal(data_api.from_json(batch, text, size, flags, &value, &error), SLUICE_OK);
    return value;
}

static void assert_json_of(const struct sluice_value *value, const char *expected)
{
    struct sluice_span json = data_api.to_json(batch, value);
    assert_int_equal(json.size, strlen(expected));
    assert_memory_equal(json.data, expected, json.size);
}

static void test_wide_encodings(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t size;
    } cases[] = {
        {"\"\0a\0\"\0", 6},                       {"\0\"\0a\0\"", 6},
        {"\xFF\xFE\"\0a\0\"\0", 8},               {"\xFE\xFF\0\"\0a\0\"", 8},
        {"\"\0\0\0a\0\0\0\"\0\0\0", 12},         {"\0\0\0\"\0\0\0a\0\0\0\"", 12},
        {"\xFF\xFE\0\0\"\0\0\0a\0\0\0\"\0\0\0", 16}, {"\0\0\xFE\xFF\0\0\0\"\0\0\0a\0\0\0\"", 16},
        {"\"\0a\0\"\0x", 7}, /* half a unit at the end */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_json_of(parse_flags(cases[i].text, cases[i].size, SLUICE_JSON_CONNECT), "\"a\"");
    }
    /* a pair of surrogates, and a code point beyond Unicode */
    assert_json_of(parse_flags("\"\0\x3D\xD8\0\xDE\"\0", 8, SLUICE_JSON_CONNECT), "\"\\uD83D\\uDE00\"");
    struct sluice_value *value;
    struct sluice_json_error error = {.size = sizeof(error)};
    assert_int_equal(data_api.from_json(batch, "\"\0\0\0\0\0\x11\0\"\0\0\0", 12, 0, &value, &error),
                     SLUICE_BAD_RECORD);
}

static void test_infinite_numbers_are_no_strings(void **state)
{
    (void)state;
    static const char text[] = "{\"a\":[1e400,\"1E999\",{\"b\":-1e999}],\"c\":\"x\"}";
    struct sluice_value *value = parse_flags(text, sizeof(text) - 1, SLUICE_JSON_CONNECT);
    assert_json_of(value, "{\"a\":[\"Infinity\",\"1E999\",{\"b\":\"-Infinity\"}],\"c\":\"x\"}");
    const struct sluice_value *list = data_api.at(value, 0);
    assert_int_equal(data_api.type(data_api.at(list, 0)), SLUICE_FLOAT64);
    assert_true(data_api.real(data_api.at(list, 0)) > 1e308);
    assert_int_equal(data_api.type(data_api.at(list, 1)), SLUICE_STRING);
}

/* Short ones are converted without strtod(): to the same bits. */
static void test_reals_are_rounded_as_by_strtod(void **state)
{
    (void)state;
    static const char *const texts[] = {"0.1", "-0.3", "999.5", "0.0", "-0.0", "1234567.12345678", "0.001", "123456789.12345",
                                        "12345678.1234567", "1.5E10", "-9999999.99999999", "4.35", "0.000123"};
    static const char digits[] = "90817263549018273645123498760005678901234";
    char text[40];
    srandom(7);
    for (size_t i = 0; i < 20000; i++) {
        if (i < sizeof(texts) / sizeof(*texts)) {
            snprintf(text, sizeof(text), "[%s]", texts[i]);
        } else {
            snprintf(text, sizeof(text), "[%s%ld.%.*s]", i % 2 ? "-" : "", random() % 10000000, (int)(i % 8) + 1,
                     digits + random() % 30);
        }
        struct sluice_value *value = parse_flags(text, strlen(text), SLUICE_JSON_EXACT_NUMBERS);
        double real = data_api.real(data_api.at(value, 0)), expected = strtod(text + 1, NULL);
        assert_memory_equal(&real, &expected, sizeof(real));
    }
}

static void test_exact_numbers(void **state)
{
    (void)state;
    static const char text[] = "[1.50,1e2,123456789012345678901,1e400,-0.0]";
    struct sluice_value *value = parse_flags(text, sizeof(text) - 1, SLUICE_JSON_EXACT_NUMBERS);
    assert_json_of(value, text);
    assert_int_equal(data_api.type(data_api.at(value, 1)), SLUICE_FLOAT64);
    assert_true(data_api.real(data_api.at(value, 1)) == 100);
    assert_int_equal(data_api.type(data_api.at(value, 2)), SLUICE_INT64);
    assert_int_equal(data_api.integer(data_api.at(value, 2)), INT64_C(-5670419503621182411));
}

/* Names that come again in other objects are no reason to copy. */
static void test_names_are_watched_by_object(void **state)
{
    (void)state;
    static const char text[] = "{\"id\":1,\"of\":{\"id\":2},\"all\":[{\"id\":3},{\"id\":4,\"of\":{\"id\":5}}],\"z\":6}";
    assert_ptr_equal(data_api.to_json(batch, parse_flags(text, sizeof(text) - 1, 0)).data, text);
    static const char twice[] = "{\"id\":1,\"of\":{\"id\":2},\"id\":3}";
    assert_json_of(parse_flags(twice, sizeof(twice) - 1, 0), "{\"id\":3,\"of\":{\"id\":2}}");
}

static void test_numbers_have_bounds(void **state)
{
    (void)state;
    struct sluice_value *value;
    struct sluice_json_error error = {.size = sizeof(error)};
    static const char *const bad[] = {"1e99999999999", "[1e2147483649]", "1,2", "1]", "0e-99999999999"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(data_api.from_json(batch, bad[i], strlen(bad[i]), 0, &value, &error),
                         SLUICE_BAD_RECORD);
    }
    assert_json_of(parse_flags("-1e-400", 7, 0), "-0.0"); /* not zero before it was rounded */
    assert_json_of(parse_flags("1e0000000000000002", 18, 0), "100.0");
}

static void test_prefix(void **state)
{
    (void)state;
    static const struct {
        const char *text, *normal;
        size_t taken;
    } table[] = {
        {"{\"a\":1},{\"b\":2}]", "{\"a\":1}", 7}, {" 12 ,3", "12", 3},      {"\"x\\/y\"}", "\"x/y\"", 6},
        {"null]", "null", 4},                     {"[ 1 , 2 ] x", "[1,2]", 9}, {"1.50}", "1.5", 4},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct sluice_value *value = NULL;
        struct sluice_json_error error = {.size = sizeof(error)};
        assert_int_equal(data_api.from_json(batch, table[i].text, strlen(table[i].text),
                                            SLUICE_JSON_STRICT | SLUICE_JSON_PREFIX, &value, &error),
                         SLUICE_OK);
        assert_int_equal(error.offset, table[i].taken);
        struct sluice_span json = data_api.to_json(batch, value);
        assert_int_equal(json.size, strlen(table[i].normal));
        assert_memory_equal(json.data, table[i].normal, json.size);
    }
}

static void test_blanks_are_no_value(void **state)
{
    (void)state;
    struct sluice_value *value = (struct sluice_value *)1;
    struct sluice_json_error error = {.size = sizeof(error)};
    assert_int_equal(data_api.from_json(batch, " \n", 2, 0, &value, &error), SLUICE_OK);
    assert_null(value);
}

static void test_limits(void **state)
{
    (void)state;
    enum { DEPTH = 1000 };
    char text[2 * DEPTH + 8];
    struct sluice_json_error error = {.size = sizeof(error)};
    struct sluice_value *value;
    memset(text, '[', DEPTH);
    memset(text + DEPTH, ']', DEPTH);
    assert_int_equal(data_api.from_json(batch, text, 2 * DEPTH, 0, &value, &error), SLUICE_OK);
    memset(text, '[', DEPTH + 1);
    memset(text + DEPTH + 1, ']', DEPTH + 1);
    assert_int_equal(data_api.from_json(batch, text, 2 * DEPTH + 2, 0, &value, &error),
                     SLUICE_BAD_RECORD);
    assert_non_null(strstr(error.message, "(1001) exceeds the maximum allowed (1000"));
    memset(text, '1', 1001);
    assert_int_equal(data_api.from_json(batch, text, 1001, 0, &value, &error), SLUICE_BAD_RECORD);
    assert_non_null(strstr(error.message, "Number value length (1001)"));
}

static void test_many_members_once(void **state)
{
    (void)state;
    char text[40000];
    size_t size = 0;
    text[size++] = '{';
    for (int i = 0; i < 1000; i++) {
        size += (size_t)sprintf(text + size, "%s\"key%d\":%d", i ? "," : "", i % 900, i);
    }
    text[size++] = '}';
    struct sluice_value *value = NULL;
    struct sluice_json_error error = {.size = sizeof(error)};
    assert_int_equal(data_api.from_json(batch, text, size, 0, &value, &error), SLUICE_OK);
    assert_int_equal(data_api.count(value), 900);
    const struct sluice_value *first = data_api.find(value, data_api.intern("key5", 4));
    assert_int_equal(data_api.integer(first), 905);
}

/* -- against jansson -- */

static uint32_t seed = 12345;

static uint32_t chance(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

static json_t *random_value(int depth)
{
    char text[16];
    json_t *value;
    switch (chance(depth > 4 ? 5 : 7)) {
    case 0:
        return json_null();
    case 1:
        return json_boolean(chance(2));
    case 2:
        return json_integer((json_int_t)chance(1u << 30) - (1 << 29));
    case 3:
        return json_real((double)chance(100000) / 64 - 500);
    case 4: {
        size_t size = chance(10);
        static const char *const parts[] = {"a", "\"", "\\", "\n", "\xC3\xA9", "\xE2\x82\xAC", "/", "\x01"};
        char string[64] = "";
        for (size_t i = 0; i < size; i++) {
            strcat(string, parts[chance(8)]);
        }
        return json_string(string);
    }
    case 5:
        value = json_array();
        for (uint32_t i = chance(5); i > 0; i--) {
            json_array_append_new(value, random_value(depth + 1));
        }
        return value;
    default:
        value = json_object();
        for (uint32_t i = chance(6); i > 0; i--) {
            (void)sprintf(text, "k%u", chance(50));
            json_object_set_new(value, text, random_value(depth + 1));
        }
        return value;
    }
}

static void test_random_documents(void **state)
{
    (void)state;
    for (int i = 0; i < 3000; i++) {
        json_t *document = random_value(0);
        char *text = json_dumps(document, JSON_ENCODE_ANY | (i % 2 ? JSON_INDENT(2) : 0) |
                                              (i % 3 ? JSON_ENSURE_ASCII : 0));
        struct sluice_value *value = NULL;
        struct sluice_json_error error = {.size = sizeof(error)};
        assert_int_equal(data_api.from_json(batch, text, strlen(text), SLUICE_JSON_STRICT, &value, &error),
                         SLUICE_OK);
        struct sluice_span json = data_api.to_json(batch, data_api.copy(batch, value));
        struct sluice_span same = data_api.to_json(batch, value);
        assert_int_equal(json.size, same.size);
        assert_memory_equal(json.data, same.data, json.size);
        json_t *back = json_loadb(json.data, json.size, JSON_DECODE_ANY, NULL);
        assert_true(json_equal(back, document));
        json_decref(back);
        json_decref(document);
        free(text);
    }
}

/*
 * Objects that begin alike are expected to go on like the one before: whatever order they come in,
 * each is read as if it came alone, opened or not.
 */
static void test_what_came_before_does_not_matter(void **state)
{
    (void)state;
    static const char *const table[][2] = {
        {"{\"number\":1,\"b\":\"x\",\"c\":null}", "{\"number\":1,\"b\":\"x\",\"c\":null}"},
        {"{\"number\":1,\"b\":\"x\"}", "{\"number\":1,\"b\":\"x\"}"},
        {"{\"number\":1, \"b\":\"x\",\n\"c\":null}", "{\"number\":1,\"b\":\"x\",\"c\":null}"},
        {"{ \"number\":1,\"b\":\"x\", \"c\":2}", "{\"number\":1,\"b\":\"x\",\"c\":2}"},
        {"{\"number\":1,\"b\":\"x\",\"c\":2,\"b\":3}", "{\"number\":1,\"b\":3,\"c\":2}"},
        {"{\"number\":1,\"c\":\"x\",\"b\":[1,2]}", "{\"number\":1,\"c\":\"x\",\"b\":[1,2]}"},
        {"{\"number\":1,\"b\":\"x\",\"b\":4,\"c\":5}", "{\"number\":1,\"b\":4,\"c\":5}"},
        {"{\"number\":1,\"bb\":\"x\",\"c\":6}", "{\"number\":1,\"bb\":\"x\",\"c\":6}"},
        {"{\"number\":1,\"b\" : \"\\u00e9\\n\",\"c\" :1e2 , \"d\": {\"b\":1,\"b\":2}, \"e\":7 }",
         "{\"number\":1,\"b\":\"\xC3\xA9\\n\",\"c\":100.0,\"d\":{\"b\":2},\"e\":7}"},
        {"{\"number\": 01, \"b\":{\"number\":1,\"b\":\"\\/\"},\"c\":[ ]}",
         "{\"number\":1,\"b\":{\"number\":1,\"b\":\"/\"},\"c\":[]}"},
        {"{\"number\":1e999,\"b\":\"x\"}", "{\"number\":\"Infinity\",\"b\":\"x\"}"},
        {"{\"number\":1,\"\\u0062\":2,\"b\":3}", "{\"number\":1,\"b\":3}"},
        {"{\"number\":1,\"\xC3\xA9\":2,\"c\":\"\xC3\xA9\"}",
         "{\"number\":1,\"\xC3\xA9\":2,\"c\":\"\xC3\xA9\"}"},
        {"{\"number\":1}", "{\"number\":1}"},
        {"  {\"number\":1,\"b\":\"a name that is longer than a block of thirty-two bytes\"}  ",
         "{\"number\":1,\"b\":\"a name that is longer than a block of thirty-two bytes\"}"},
        {"{}", "{}"},
    };
    enum { TEXTS = sizeof(table) / sizeof(table[0]) };
    char large[1200] = "{\"number\":1", out[4096]; /* more members than are remembered */
    for (int i = 0; i < 64; i++) {
        sprintf(large + strlen(large), ",\"member%d\":%d", i, i);
    }
    strcat(large, "}");
    srand(7);
    int same = 0;
    for (int i = 0; i < 20000; i++, same -= same > 0) {
        static int which;
        which = same > 0 ? which : rand() % (TEXTS + 1); /* runs of one, so that it is expected */
        same = same > 0 ? same : rand() % 8 + 1;
        const char *in = which < TEXTS ? table[which][0] : large;
        const char *expected = which < TEXTS ? table[which][1] : large;
        struct sluice_json_error error = {.size = sizeof(error)};
        size_t size = strlen(in);
        char *exact = malloc(size);
        memcpy(exact, in, size);
        struct sluice_value *value = NULL;
        assert_int_equal(data_api.from_json(batch, exact, size, SLUICE_JSON_CONNECT, &value, &error), SLUICE_OK);
        struct sluice_span json =
            data_api.to_json(batch, i / 1000 % 2 ? value : data_api.copy(batch, value));
        assert_true(json.size < sizeof(out));
        memcpy(out, json.data, json.size);
        out[json.size] = '\0';
        assert_string_equal(out, expected);
        free(exact);
        if (rand() % 16 == 0) { /* a text that is cut off anywhere is refused */
            char *cut = malloc(size);
            size_t left = (size_t)rand() % (strlen(strrchr(in, '}')) == 1 ? size - 1 : size / 2) + 1;
            memcpy(cut, in, left);
            if (memchr(cut, '{', left)) {
                assert_int_equal(data_api.from_json(batch, cut, left, SLUICE_JSON_CONNECT, &value, &error),
                                 SLUICE_BAD_RECORD);
            }
            free(cut);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_normal_form, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_normal_text_is_not_copied, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_strict, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_wide_encodings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_infinite_numbers_are_no_strings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reals_are_rounded_as_by_strtod, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_exact_numbers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_names_are_watched_by_object, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_numbers_have_bounds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_prefix, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_blanks_are_no_value, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_limits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many_members_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_random_documents, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_came_before_does_not_matter, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
