/* FileStreamSink, loaded as a host loads it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/support/fake_sink_host.h"

#define CLASS "org.apache.kafka.connect.file.FileStreamSinkConnector"

static char path[64];

static int make_path(void **state)
{
    (void)state;
    snprintf(path, sizeof(path), "/tmp/sluice-file-XXXXXX");
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_path(void **state)
{
    (void)state;
    (void)unlink(path);
    return 0;
}

static const char *content(void)
{
    static char text[8192];
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    return text;
}

static struct fake_sink_host *create(const char *file)
{
    const char *const properties[] = {"file", file, NULL};
    char why[512];
    struct fake_sink_host *fake =
        fake_sink_host_create(FILE_PLUGIN, CLASS, properties, why, sizeof(why));
    assert_non_null(fake);
    return fake;
}

static enum sluice_result put(struct fake_sink_host *fake, const char *value)
{
    const struct fake_sink_record record = {.topic = "t", .value = value};
    return fake_sink_host_put(fake, &record, 1);
}

static void test_values_are_printed_as_java_prints_them(void **state)
{
    (void)state;
    struct fake_sink_host *fake = create(path);
    assert_int_equal(fake_sink_host_start(fake), SLUICE_OK);
    static const char *const values[] = {
        "\"text\"", "{\"a\":1,\"b\":[true,null,1.5]}", NULL, "10000000.0", "\"\xC3\xA4\"",
        "\"x\\uD83Dy\\u00ed\\uDC00\""};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        assert_int_equal(put(fake, values[i]), SLUICE_OK);
    }
    assert_string_equal(content(),
                        "text\n{a=1, b=[true, null, 1.5]}\nnull\n1.0E7\n\xC3\xA4\nx?y\xC3\xAD?\n");
    assert_int_equal(fake_sink_host_committed(fake, "t", 0, 6), 6);
    fake_sink_host_destroy(fake);
}

static void test_appends_to_what_is_there(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct fake_sink_host *fake = create(path);
        assert_int_equal(fake_sink_host_start(fake), SLUICE_OK);
        assert_int_equal(put(fake, "\"a\""), SLUICE_OK);
        fake_sink_host_destroy(fake);
    }
    assert_string_equal(content(), "a\na\n");
}

static void test_a_file_that_cannot_be_made(void **state)
{
    (void)state;
    struct fake_sink_host *fake = create("/no/such/folder/f");
    assert_int_equal(fake_sink_host_start(fake), SLUICE_FATAL);
    assert_string_equal(fake->failure.error.message,
                        "Couldn't find or create file '/no/such/folder/f' for FileStreamSinkTask");
    fake_sink_host_destroy(fake);
}

/* A limit of the file's size stands for a disk that is full in the middle of a put(). */
static void test_a_full_disk_neither_loses_nor_repeats(void **state)
{
    (void)state;
    struct rlimit before, small;
    struct fake_sink_host *fake = create(path);
    assert_int_equal(fake_sink_host_start(fake), SLUICE_OK);
    assert_int_equal(put(fake, "\"first\""), SLUICE_OK);
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 10;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    enum sluice_result result = put(fake, "\"second\"");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(result, SLUICE_RETRY);
    assert_string_equal(content(), "first\n");
    assert_int_equal(put(fake, "\"second\""), SLUICE_OK);
    assert_string_equal(content(), "first\nsecond\n");
    fake_sink_host_destroy(fake);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_path, remove_path)
    const struct CMUnitTest tests[] = {
        TEST(test_values_are_printed_as_java_prints_them),
        TEST(test_appends_to_what_is_there),
        TEST(test_a_file_that_cannot_be_made),
        TEST(test_a_full_disk_neither_loses_nor_repeats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
