/* What a sample may show: names that look like secrets, long texts, deep and wide values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/host/tap.h"

static void check(const char *given, const char *words, const char *expected)
{
    json_t *value = json_loads(given, 0, NULL);
    assert_non_null(value);
    tap_redact(value, words);
    char *text = json_dumps(value, JSON_COMPACT);
    assert_string_equal(text, expected);
    free(text);
    json_decref(value);
}

static void test_names(void **state)
{
    (void)state;
    check("{\"user\":\"ann\",\"user_Password\":\"x\",\"API-KEY\":1,\"api.key\":{\"a\":1},\"tokens\":[1]}", NULL,
          "{\"user\":\"ann\",\"user_Password\":\"[hidden]\",\"API-KEY\":\"[hidden]\",\"api.key\":\"[hidden]\","
          "\"tokens\":\"[hidden]\"}");
    check("[{\"a\":{\"secret\":null,\"b\":[{\"iban\":\"x\"}]}}]", NULL,
          "[{\"a\":{\"secret\":null,\"b\":[{\"iban\":\"[hidden]\"}]}}]");
    check("{\"password\":\"x\",\"salary\":1,\"Home Address\":\"y\"}", "salary, home_address",
          "{\"password\":\"x\",\"salary\":\"[hidden]\",\"Home Address\":\"[hidden]\"}");
    check("{\"a\":1}", "", "{\"a\":1}");
    check("{\"a\":1}", ",, ,", "{\"a\":1}");
}

static void test_json_in_text(void **state)
{
    (void)state;
    check("{\"body\":\"{\\\"password\\\":\\\"x\\\",\\\"a\\\":1}\"}", NULL,
          "{\"body\":\"{\\\"password\\\":\\\"[hidden]\\\",\\\"a\\\":1}\"}");
    check("{\"body\":\"{no json, password\"}", NULL, "{\"body\":\"{no json, password\"}");
}

static void test_bounds(void **state)
{
    (void)state;
    char text[1024] = "[\"";
    for (int i = 0; i < 200; i++) {
        strcat(text, "\xc3\xa4"); /* cut between characters, not within */
    }
    strcat(text, "\"]");
    json_t *value = json_loads(text, 0, NULL);
    tap_redact(value, NULL);
    const char *cut = json_string_value(json_array_get(value, 0));
    assert_non_null(strstr(cut, "\xc3\xa4\xe2\x80\xa6 (400 bytes)"));
    json_decref(value);
    value = json_array();
    for (int i = 0; i < 1000; i++) {
        json_array_append_new(value, json_integer(i));
    }
    tap_redact(value, NULL);
    assert_int_equal(json_array_size(value), 100);
    json_decref(value);
    value = json_object();
    for (int i = 0; i < 1000; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "n%d", i);
        json_object_set_new(value, name, json_integer(i));
    }
    tap_redact(value, NULL);
    assert_int_equal(json_object_size(value), 100);
    json_decref(value);
    value = json_string("bottom");
    for (int i = 0; i < 200; i++) {
        value = json_pack("[o]", value);
    }
    tap_redact(value, NULL);
    char *shown = json_dumps(value, 0);
    assert_null(strstr(shown, "bottom"));
    free(shown);
    json_decref(value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_json_in_text),
        cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
