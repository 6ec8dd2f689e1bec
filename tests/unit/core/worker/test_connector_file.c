/* Files that describe a connector: read in each form, and written so that they are read the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/worker/connector_file.h"

static int parse(const char *text, struct connector_file *file, struct error *error)
{
    return connector_file_parse("/x/lake.json", text, strlen(text), file, error);
}

static const char *get(const struct connector_file *file, const char *name)
{
    return json_string_value(json_object_get(file->config, name));
}

static void test_forms(void **state)
{
    struct connector_file file;
    struct error error = {0};
    (void)state;
    assert_int_equal(parse("connector.class=C\nx=y\n", &file, &error), 0);
    assert_string_equal(file.name, "lake");
    assert_false(file.named);
    assert_string_equal(get(&file, "name"), "lake");
    connector_file_finish(&file);
    assert_int_equal(parse("{\"name\":\"n\",\"tasks.max\":3,\"on\":true}", &file, &error), 0);
    assert_string_equal(file.name, "n");
    assert_string_equal(get(&file, "tasks.max"), "3");
    assert_string_equal(get(&file, "on"), "true");
    connector_file_finish(&file);
    assert_int_equal(
        parse("{\"name\":\"n\",\"config\":{\"a\":\"b\"},\"initial_state\":\"stopped\"}", &file, &error),
        0);
    assert_int_equal(file.initial_state, TARGET_STOPPED);
    assert_string_equal(get(&file, "name"), "n");
    connector_file_finish(&file);
}

static void test_errors_name_the_place(void **state)
{
    static const char *const bad[][2] = {
        {"{\n\"a\": ", "line 2"},
        {"{\"a\": {\"b\": 1}}", "'a'"},
        {"{\"a\": null}", "'a'"},
        {"{\"name\":\"n\",\"config\":{\"name\":\"m\"}}", "'m'"},
        {"{\"config\":{},\"initial_state\":\"asleep\"}", "initial_state"},
        {"a=\\u00zz\n", "line"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct connector_file file;
        struct error error = {0};
        assert_int_equal(parse(bad[i][0], &file, &error), -1);
        assert_non_null(strstr(error.message, "/x/lake.json"));
        assert_non_null(strstr(error.message, bad[i][1]));
        assert_null(file.config);
        error_clear(&error);
    }
}

static void test_written_as_read(void **state)
{
    static const char *const ends[] = {"json", "properties"};
    static const char *const texts[] = {"",        " a",      "a ",      "#x",         "a=b:c",
                                        "\\n",     "a\nb\tc", "\fa\r",   "\u00e4",     "\u20acx",
                                        "\U0001f600", "!",     "a\\"};
    char folder[] = "/tmp/sluice-test-XXXXXX", path[80];
    (void)state;
    assert_non_null(mkdtemp(folder));
    for (size_t e = 0; e < 2; e++) {
        json_t *config = json_pack("{s:s}", "name", "n");
        struct connector_file file;
        struct error error = {0};
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
            char key[64];
            (void)snprintf(key, sizeof(key), "k%zu%s", i, texts[i]);
            json_object_set_new(config, key, json_string(texts[i]));
        }
        (void)snprintf(path, sizeof(path), "%s/n.%s", folder, ends[e]);
        assert_int_equal(connector_file_write(path, config, &error), 0);
        assert_int_equal(connector_file_read(path, &file, &error), 0);
        assert_true(json_equal(file.config, config));
        connector_file_finish(&file);
        json_decref(config);
        (void)unlink(path);
    }
    (void)rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_errors_name_the_place),
        cmocka_unit_test(test_written_as_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
