/*
 * The sink against the folder store, through the loaded plugin: names, offsets, memory, errors.
 * Cases are those of s3-sink-and-rest-proxy.md §8.2 by their ids.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/connectors/s3/sink_lake.h"

/* -- names and counts -- */

static void test_l1_flush(void **state)
{
    (void)state;
    struct fake_sink_host *fake = SINK("flush.size", "3");
    assert_int_equal(put_many(fake, 0, 7), SLUICE_OK);
    assert_true(fake_sink_host_wait(fake, TOPIC, 0, 6));
    fake_sink_host_destroy(fake);
    expect_objects("topics/t/partition=0/t+0+0000000000.json: {\"i\":0}|{\"i\":1}|{\"i\":2}|\n"
                   "topics/t/partition=0/t+0+0000000003.json: {\"i\":3}|{\"i\":4}|{\"i\":5}|\n");
}

static void test_l4_l6_names(void **state)
{
    (void)state;
    struct fake_sink_host *fake =
        SINK("flush.size", "2", "filename.offset.zero.pad.width", "2", "directory.delim", "_",
             "file.delim", "#", "topics.dir", "x");
    assert_int_equal(put_many(fake, 99, 103), SLUICE_OK);
    assert_true(fake_sink_host_wait(fake, TOPIC, 0, 103));
    fake_sink_host_destroy(fake);
    expect_objects("x_t_partition=0_t#0#101.json: {\"i\":101}|{\"i\":102}|\n"
                   "x_t_partition=0_t#0#99.json: {\"i\":99}|{\"i\":100}|\n");
}

static void test_l5_blank_topics_dir(void **state)
{
    (void)state;
    struct fake_sink_host *fake = SINK("flush.size", "0", "topics.dir", "");
    assert_int_equal(put_many(fake, 5, 6), SLUICE_OK);
    assert_true(fake_sink_host_wait(fake, TOPIC, 0, 6));
    fake_sink_host_destroy(fake);
    expect_objects("t/partition=0/t+0+0000000005.json: {\"i\":5}|\n");
}

static void test_many_small_in_order(void **state)
{
    (void)state;
    struct fake_sink_host *fake = SINK("flush.size", "1");
    assert_int_equal(fake_sink_host_open(fake, TOPIC, 1), SLUICE_OK);
    for (int64_t i = 0; i < 2000; i += 500) {
        assert_int_equal(put_many(fake, i, i + 500), SLUICE_OK);
        int64_t committed = fake_sink_host_committed(fake, TOPIC, 0, i + 500);
        for (int64_t object = 0; object < committed; object++) { /* all behind it are there */
            char path[200];
            snprintf(path, sizeof(path), "%s/b/topics/t/partition=0/t+0+%010" PRId64 ".json", lake,
                     object);
            assert_int_equal(access(path, F_OK), 0);
        }
    }
    assert_true(fake_sink_host_wait(fake, TOPIC, 0, 2000));
    assert_int_equal(fake_sink_host_committed(fake, TOPIC, 1, 0), -1);
    fake_sink_host_destroy(fake);
}

static void test_partitions_apart(void **state)
{
    (void)state;
    struct fake_sink_host *fake = SINK("flush.size", "2");
    assert_int_equal(fake_sink_host_open(fake, TOPIC, 1), SLUICE_OK);
    struct fake_sink_record records[3] = {numbered(0, "1", 0), numbered(0, "2", 0),
                                          numbered(1, "3", 0)};
    records[1].partition = 1;
    records[2].partition = 1;
    assert_int_equal(fake_sink_host_put(fake, records, 3), SLUICE_OK);
    assert_true(fake_sink_host_wait(fake, TOPIC, 1, 2));
    assert_int_equal(fake_sink_host_committed(fake, TOPIC, 0, 1), -1);
    /* Only the revoked one goes, and what it had open with it. */
    fake_sink_host_close(fake, TOPIC, 0);
    records[0] = numbered(2, "4", 0);
    records[1] = numbered(3, "5", 0);
    records[0].partition = records[1].partition = 1;
    assert_int_equal(fake_sink_host_put(fake, records, 2), SLUICE_OK);
    assert_true(fake_sink_host_wait(fake, TOPIC, 1, 4));
    /* Regained, it is read again from the start: same name, same bytes. */
    assert_int_equal(fake_sink_host_open(fake, TOPIC, 0), SLUICE_OK);
    assert_int_equal(put_many(fake, 0, 2), SLUICE_OK);
    assert_true(fake_sink_host_wait(fake, TOPIC, 0, 2));
    fake_sink_host_destroy(fake);
    expect_objects("topics/t/partition=0/t+0+0000000000.json: {\"i\":0}|{\"i\":1}|\n"
                   "topics/t/partition=1/t+1+0000000000.json: 2|3|\n"
                   "topics/t/partition=1/t+1+0000000002.json: 4|5|\n");
}

static void test_repeated_put(void **state)
{
    (void)state;
    struct fake_sink_host *fake = SINK("flush.size", "3");
    assert_int_equal(put_many(fake, 0, 2), SLUICE_OK);
    assert_int_equal(put_many(fake, 0, 4), SLUICE_OK); /* the first two are known */
    assert_true(fake_sink_host_wait(fake, TOPIC, 0, 3));
    fake_sink_host_destroy(fake);
    expect_objects("topics/t/partition=0/t+0+0000000000.json: {\"i\":0}|{\"i\":1}|{\"i\":2}|\n");
}

static void test_r3_overwrite(void **state)
{
    (void)state;
    for (int life = 0; life < 2; life++) {
        struct fake_sink_host *fake = SINK("flush.size", life == 0 ? "1" : "2");
        assert_int_equal(put_many(fake, 0, 2), SLUICE_OK);
        assert_true(fake_sink_host_wait(fake, TOPIC, 0, 2));
        fake_sink_host_destroy(fake);
    }
    expect_objects("topics/t/partition=0/t+0+0000000000.json: {\"i\":0}|{\"i\":1}|\n"
                   "topics/t/partition=0/t+0+0000000001.json: {\"i\":1}|\n");
}

/* -- memory, ownership, errors -- */

static void test_spill(void **state)
{
    (void)state;
    struct fake_sink_host *fake =
        SINK("flush.size", "4000", "partitioner.class", "FieldPartitioner", "partition.field.name",
             "i", "sluice.s3.partition.maps", "true", "sluice.s3.buffer.memory", "1048576",
             "s3.compression.type", "gzip", "sluice.spill.dir", lake);
    static char value[2048];
    for (int64_t i = 0; i < 4000; i++) { /* 7 MB in 400 files through 1 MiB */
        int size = snprintf(value, sizeof(value), "{\"i\":%d,\"x\":\"", (int)(i % 400));
        for (int at = size; at < 1800; at++) {
            value[at] = (char)('a' + rand() % 26);
        }
        memcpy(value + 1800, "\"}", 3);
        assert_int_equal(put_one(fake, i, value, 0), SLUICE_OK);
    }
    assert_true(fake_sink_host_wait(fake, TOPIC, 0, 4000));
    fake_sink_host_destroy(fake);
    char command[400];
    snprintf(command, sizeof(command),
             "test `find %s/b -type f | wc -l` = 400 && "
             "test `find %s/b -type f | xargs gzip -dc | wc -l` = 4000", lake, lake);
    assert_int_equal(system(command), 0);
}

static void test_large_pieces(void **state)
{
    (void)state;
    struct fake_sink_host *fake = SINK("flush.size", "20000", "sluice.s3.buffer.memory", "1048576");
    assert_int_equal(put_many(fake, 0, 20000), SLUICE_OK);
    assert_true(fake_sink_host_wait(fake, TOPIC, 0, 20000));
    size_t size;
    char *text = read_object("topics/t/partition=0/t+0+0000000000.json", &size);
    char *at = text;
    for (int i = 0; i < 20000; i++) {
        char line[32];
        int length = snprintf(line, sizeof(line), "{\"i\":%d}\n", i);
        assert_memory_equal(at, line, (size_t)length);
        at += length;
    }
    assert_int_equal(at - text, size);
    free(text);
    fake_sink_host_destroy(fake);
}

static void test_lost_partition(void **state)
{
    (void)state;
    struct fake_sink_host *fake = SINK("flush.size", "1");
    fake->lost = true;
    assert_int_equal(put_many(fake, 0, 3), SLUICE_OK);
    fake_sink_host_close(fake, TOPIC, 0);
    fake_sink_host_destroy(fake);
    expect_objects("");
}

static void test_blocked_name(void **state)
{
    (void)state;
    char path[100];
    struct fake_sink_host *fake = SINK("flush.size", "1");
    snprintf(path, sizeof(path), "%s/b/topics", lake);
    fclose(fopen(path, "w")); /* a file where a folder is to be */
    assert_int_equal(put_many(fake, 0, 1), SLUICE_OK);
    assert_false(fake_sink_host_wait(fake, TOPIC, 0, 1));
    assert_non_null(strstr(fake->raised, "topics/t/partition=0/t+0+0000000000.json"));
    assert_int_equal(put_many(fake, 1, 2), SLUICE_FATAL);
    fake_sink_host_destroy(fake);
}

static void test_no_writer(void **state)
{
    (void)state;
    struct fake_sink_host *fake = SINK("flush.size", "1");
    struct fake_sink_record record = numbered(0, "1", 0);
    record.topic = "other";
    assert_int_equal(fake_sink_host_put(fake, &record, 1), SLUICE_FATAL);
    assert_string_equal(fake->failure.error.message,
                        "No writer found for topic partition other-0. The record's topic-partition "
                        "does not match any assigned partitions. Assigned partitions: [t-0]");
    fake_sink_host_destroy(fake);
}

static void expect_refused(const char *const *more, const char *part)
{
    char error[1024] = "";
    struct fake_sink_host *fake = try_sink(more, error, sizeof(error));
    if (fake) {
        assert_int_equal(fake_sink_host_start(fake), SLUICE_FATAL);
        snprintf(error, sizeof(error), "%s", fake->failure.error.message);
        fake_sink_host_destroy(fake);
    }
    if (!strstr(error, part)) {
        fail_msg("`%s` does not say `%s`", error, part);
    }
}

#define REFUSED(part, ...) expect_refused((const char *const[]){__VA_ARGS__, NULL}, part)

static void test_refused_configurations(void **state)
{
    (void)state;
    REFUSED("flush.size", "topics.dir", "x");
    REFUSED("Avro", "flush.size", "1", "format.class",
            "io.confluent.connect.s3.format.avro.AvroFormat");
    REFUSED("s3.part.size", "flush.size", "1", "s3.part.size", "1000000");
    REFUSED("store.kafka.keys", "flush.size", "1", "behavior.on.null.values", "write");
    REFUSED("timezone configuration must be set", "flush.size", "1", "rotate.schedule.interval.ms",
            "1000");
    REFUSED("Locale cannot be empty", "flush.size", "1", "partitioner.class", "HourlyPartitioner",
            "timezone", "UTC");
    REFUSED("Mars", "flush.size", "1", "timezone", "Mars/Base");
    REFUSED("Illegal pattern component: j", "flush.size", "1", "partitioner.class",
            "TimeBasedPartitioner", "timezone", "UTC", "locale", "en", "partition.duration.ms", "1",
            "path.format", "jj");
    REFUSED("version 2", "flush.size", "1", "s3.credentials.provider.class",
            "com.amazonaws.auth.DefaultAWSCredentialsProviderChain");
    REFUSED("shutdown.timeout.ms: Not a number of type LONG", "flush.size", "1",
            "shutdown.timeout.ms", "soon");
    REFUSED("s3.wan.mode", "flush.size", "1", "s3.wan.mode", "true");
    REFUSED("keys.format.class", "flush.size", "1", "store.kafka.keys", "true");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_lake, remove_lake)
    const struct CMUnitTest tests[] = {
        TEST(test_l1_flush),
        TEST(test_l4_l6_names),
        TEST(test_l5_blank_topics_dir),
        TEST(test_many_small_in_order),
        TEST(test_partitions_apart),
        TEST(test_repeated_put),
        TEST(test_r3_overwrite),
        TEST(test_spill),
        TEST(test_large_pieces),
        TEST(test_lost_partition),
        TEST(test_blocked_name),
        TEST(test_no_writer),
        TEST(test_refused_configurations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
