/* FileStreamSource without a broker: records and offsets of what a file holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sluice/offsets.h>

#include "connectors/file/file.h"
#include "tests/support/fake_source_host.h"

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

static void append(const char *text)
{
    FILE *file = fopen(path, "ae");
    assert_non_null(file);
    assert_int_equal(fputs(text, file) >= 0, 1);
    assert_int_equal(fclose(file), 0);
}

static struct fake_source_host *start(const char *batch_size, const char *stored)
{
    const char *const properties[] = {"file", path, "topic", "t", batch_size ? "batch.size" : NULL,
                                      batch_size, NULL};
    char why[512];
    struct fake_source_host *fake =
        fake_source_host_create(&file_source_descriptor, properties, why, sizeof(why));
    assert_non_null(fake);
    fake->stored = stored;
    assert_int_equal(fake->vtable->start(fake->self, fake->config), SLUICE_OK);
    return fake;
}

/* What one poll gives: values and positions, `a@2 bc@5`. */
static const char *poll(struct fake_source_host *fake)
{
    static char text[4096];
    size_t used = 0;
    struct sluice_batch *batch = batch_new(fake->pool);
    text[0] = '\0';
    enum sluice_result result = fake->vtable->poll(fake->self, batch, 0);
    if (result != SLUICE_OK) {
        records_api.release(batch);
        return fake->error;
    }
    for (size_t i = 0; i < records_api.count(batch); i++) {
        const struct sluice_record *record = records_api.at(batch, i);
        struct sluice_span value = data_api.text(records_api.value(record));
        struct sluice_span offset = data_api.to_json(batch, record_source_offset(record));
        struct sluice_span partition = data_api.to_json(batch, record_source_partition(record));
        char want[128];
        int64_t position = -1;
        snprintf(want, sizeof(want), "{\"filename\":\"%s\"}", path);
        assert_int_equal(partition.size, strlen(want));
        assert_memory_equal(partition.data, want, partition.size);
        assert_int_equal(sscanf(offset.data, "{\"position\":%" SCNd64 "}", &position), 1);
        assert_string_equal(records_api.topic(record), "t");
        assert_int_equal(records_api.partition(record), SLUICE_NO_PARTITION);
        assert_true(records_api.timestamp(record) > 1600000000000);
        assert_ptr_equal(records_api.value_schema(record),
                         data_api.schema_plain(SLUICE_STRING, false));
        assert_null(records_api.key_schema(record));
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%.*s@%" PRId64,
                                 i ? " " : "", (int)value.size, value.data, position);
    }
    records_api.release(batch);
    return text;
}

static void test_lines_and_positions(void **state)
{
    (void)state;
    append("a\nbc\r\nd");
    struct fake_source_host *fake = start(NULL, NULL);
    assert_string_equal(poll(fake), "a@2 bc@6");
    assert_string_equal(poll(fake), "");
    append("ef\n\n");
    assert_string_equal(poll(fake), "def@10 @11");
    fake_source_host_destroy(fake);
}

static void test_goes_on_at_the_stored_position(void **state)
{
    (void)state;
    append("one\ntwo\nthree\n");
    struct fake_source_host *fake = start(NULL, "{\"position\":4}");
    assert_string_equal(poll(fake), "two@8 three@14");
    fake_source_host_destroy(fake);
}

/* The original counts characters there, and would read the second line again after a restart. */
static void test_positions_count_bytes(void **state)
{
    (void)state;
    append("\xC3\xA4\xE2\x82\xAC\nb\n");
    struct fake_source_host *fake = start(NULL, NULL);
    assert_string_equal(poll(fake), "\xC3\xA4\xE2\x82\xAC@6 b@8");
    fake_source_host_destroy(fake);
}

static void test_what_is_no_utf8_is_replaced(void **state)
{
    (void)state;
    append("a\xFF\xE2\x82z\n");
    struct fake_source_host *fake = start(NULL, NULL);
    assert_string_equal(poll(fake), "a\xEF\xBF\xBD\xEF\xBF\xBDz@6");
    fake_source_host_destroy(fake);
}

static void test_batches_are_bounded_and_nothing_is_left_behind(void **state)
{
    (void)state;
    append("1\n2\n3\n4\n5\n");
    struct fake_source_host *fake = start("2", NULL);
    assert_string_equal(poll(fake), "1@2 2@4");
    assert_string_equal(poll(fake), "3@6 4@8");
    assert_string_equal(poll(fake), "5@10");
    assert_string_equal(poll(fake), "");
    fake_source_host_destroy(fake);
}

static void test_a_missing_file_is_waited_for(void **state)
{
    (void)state;
    assert_int_equal(unlink(path), 0);
    struct fake_source_host *fake = start(NULL, NULL);
    assert_string_equal(poll(fake), "");
    assert_string_equal(poll(fake), "");
    assert_non_null(strstr(fake->log, "Couldn't find file"));
    append("here\n");
    assert_string_equal(poll(fake), "here@5");
    fake_source_host_destroy(fake);
}

static void test_a_file_that_was_cut_is_waited_for(void **state)
{
    (void)state;
    append("0123456789\n");
    struct fake_source_host *fake = start(NULL, "{\"position\":20}");
    assert_string_equal(poll(fake), "");
    assert_non_null(strstr(fake->log, "was read up to 20"));
    append("x\n");
    assert_string_equal(poll(fake), "");
    append("0123456next\n");
    assert_string_equal(poll(fake), "next@25");
    fake_source_host_destroy(fake);
}

static void test_a_stored_position_that_is_no_number(void **state)
{
    (void)state;
    append("a\n");
    struct fake_source_host *fake = start(NULL, "{\"position\":\"4\"}");
    assert_non_null(strstr(poll(fake), "Offset position is the incorrect type"));
    fake_source_host_destroy(fake);
}

static void test_a_folder_is_refused(void **state)
{
    (void)state;
    const char *const properties[] = {"file", "/tmp", "topic", "t", NULL};
    char why[512];
    struct fake_source_host *fake =
        fake_source_host_create(&file_source_descriptor, properties, why, sizeof(why));
    assert_int_equal(fake->vtable->start(fake->self, fake->config), SLUICE_OK);
    assert_non_null(strstr(poll(fake), "/tmp is a folder"));
    fake_source_host_destroy(fake);
}

static const char *alter(const char *partition, const char *offset)
{
    static char text[1024];
    const struct sluice_alter_offsets *extension;
    struct fake_source_host *fake = start(NULL, NULL);
    struct sluice_batch *batch = batch_new(fake->pool);
    struct sluice_json_error why = {.size = sizeof(why)};
    struct sluice_value *values[2] = {NULL, NULL};
    const char *const texts[2] = {partition, offset};
    for (int i = 0; i < 2; i++) {
        if (texts[i]) {
            assert_int_equal(data_api.from_json(batch, texts[i], strlen(texts[i]), 0, &values[i], &why),
                             SLUICE_OK);
        }
    }
    const struct sluice_offset_change change = {values[0], values[1]};
    bool handled = false;
    extension = fake->vtable->extension(fake->self, SLUICE_ALTER_OFFSETS);
    fake->error[0] = '\0';
    enum sluice_result result =
        extension->alter(fake->self, fake->config, &change, 1, &handled);
    snprintf(text, sizeof(text), "%s", result == SLUICE_OK ? "ok" : fake->error);
    records_api.release(batch);
    fake_source_host_destroy(fake);
    return text;
}

static void test_alter_offsets(void **state)
{
    (void)state;
    assert_string_equal(alter("{\"filename\":\"f\"}", "{\"position\":3}"), "ok");
    assert_string_equal(alter("{\"x\":1}", NULL), "ok");
    assert_non_null(strstr(alter("{\"filename\":\"f\"}", "{\"x\":3}"),
                           "Offset objects should either be null or contain the key 'position'"));
    assert_non_null(strstr(alter("{\"filename\":\"f\"}", "{\"position\":\"3\"}"),
                           "The value for the 'position' key in the offset is expected to be a Long "
                           "value"));
    assert_non_null(strstr(alter("{\"filename\":\"f\"}", "{\"position\":-1}"),
                           "The value for the 'position' key in the offset should be a non-negative "
                           "value"));
    assert_non_null(strstr(alter("{\"x\":\"f\"}", "{\"position\":1}"),
                           "Partition objects should contain the key 'filename'"));
    assert_non_null(strstr(alter(NULL, "{\"position\":1}"), "Partition objects cannot be null"));
}

static bool wakes(struct fake_source_host *fake)
{
    return fake->vtable->extension(fake->self, SLUICE_SOURCE_WAKES) != NULL;
}

/* At the end of the file the next line wakes the host; what else happens in the folder may. */
static void test_a_line_wakes(void **state)
{
    (void)state;
    append("a\n");
    struct fake_source_host *fake = start(NULL, NULL);
    assert_string_equal(poll(fake), "a@2");
    assert_string_equal(poll(fake), "");
    if (!wakes(fake)) {
        fake_source_host_destroy(fake);
        skip(); /* /tmp is of another machine */
    }
    append("b\n");
    pthread_mutex_lock(&fake->lock);
    while (!fake->woken) {
        pthread_cond_wait(&fake->changed, &fake->lock);
    }
    pthread_mutex_unlock(&fake->lock);
    assert_false(wakes(fake));
    assert_string_equal(poll(fake), "b@4");
    assert_string_equal(poll(fake), "");
    assert_true(wakes(fake));
    fake->vtable->stop(fake->self);
    assert_false(wakes(fake));
    fake_source_host_destroy(fake);
}

/* By its other name it may be written without a word to the folder of the first. */
static void test_a_file_of_two_names_is_polled(void **state)
{
    (void)state;
    char other[80];
    snprintf(other, sizeof(other), "%s-2", path);
    assert_int_equal(link(path, other), 0);
    struct fake_source_host *fake = start(NULL, NULL);
    assert_string_equal(poll(fake), "");
    assert_false(wakes(fake));
    assert_int_equal(unlink(other), 0);
    fake_source_host_destroy(fake);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_path, remove_path)
    const struct CMUnitTest tests[] = {
        TEST(test_lines_and_positions),
        TEST(test_goes_on_at_the_stored_position),
        TEST(test_positions_count_bytes),
        TEST(test_what_is_no_utf8_is_replaced),
        TEST(test_batches_are_bounded_and_nothing_is_left_behind),
        TEST(test_a_missing_file_is_waited_for),
        TEST(test_a_file_that_was_cut_is_waited_for),
        TEST(test_a_stored_position_that_is_no_number),
        TEST(test_a_folder_is_refused),
        TEST(test_alter_offsets),
        TEST(test_a_line_wakes),
        TEST(test_a_file_of_two_names_is_polled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
