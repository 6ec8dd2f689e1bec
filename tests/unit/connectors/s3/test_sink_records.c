/*
 * The sink against the folder store: nulls, keys, headers, formats, directories, and rotation by time.
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

/* -- nulls, keys, headers, formats -- */

static void test_n1_null_fails(void **state)
{
    (void)state;
    struct fake_sink_host *fake = SINK("flush.size", "1");
    struct fake_sink_record records[2] = {numbered(0, "1", 0), numbered(1, NULL, 0)};
    assert_int_equal(fake_sink_host_put(fake, records, 2), SLUICE_FATAL);
    assert_non_null(strstr(fake->failure.error.message, "behavior.on.null.values"));
    fake_sink_host_destroy(fake);
    expect_objects("");
}

static void test_n2_null_ignored(void **state)
{
    (void)state;
    struct fake_sink_host *fake = SINK("flush.size", "2", "behavior.on.null.values", "IGNORE");
    fake->has_reporter = true;
    struct fake_sink_record records[3] = {numbered(0, "1", 0), numbered(1, "null", 0),
                                          numbered(2, "2", 0)};
    assert_int_equal(fake_sink_host_put(fake, records, 3), SLUICE_OK);
    assert_true(fake_sink_host_wait(fake, TOPIC, 0, 3));
    assert_int_equal(fake->reports, 1);
    assert_non_null(strstr(fake->reported, "Skipping null value record."));
    fake_sink_host_destroy(fake);
    expect_objects("topics/t/partition=0/t+0+0000000000.json: 1|2|\n");
}

static void test_n3_n4_null_written(void **state)
{
    (void)state;
    struct fake_sink_host *fake =
        SINK("flush.size", "3", "behavior.on.null.values", "write", "store.kafka.keys", "true",
             "keys.format.class", "io.confluent.connect.s3.format.json.JsonFormat");
    struct fake_sink_record records[3] = {numbered(0, "1", 0), numbered(1, NULL, 0),
                                          numbered(2, "2", 0)};
    assert_int_equal(fake_sink_host_put(fake, records, 3), SLUICE_OK);
    assert_true(fake_sink_host_wait(fake, TOPIC, 0, 3));
    fake_sink_host_destroy(fake);
    expect_objects("topics/t/partition=0/t+0+0000000000.json: 1|2|\n"
                   "topics/t/partition=0/t+0+0000000000.keys.json: \"k\"|\"k\"|\n"
                   "topics/t/tombstone/t+0+0000000001.keys.json: \"k\"|\n");
}

static void test_k1_k2_keys_and_headers(void **state)
{
    (void)state;
    struct fake_sink_host *fake =
        SINK("flush.size", "1", "store.kafka.keys", "true", "keys.format.class", "StringFormat",
             "store.kafka.headers", "true", "headers.format.class", "JsonFormat");
    struct fake_sink_record record = numbered(0, "{\"a\":1}", 0);
    record.header = "h";
    assert_int_equal(fake_sink_host_put(fake, &record, 1), SLUICE_OK);
    assert_true(fake_sink_host_wait(fake, TOPIC, 0, 1));
    record.offset = 1;
    record.key = NULL;
    assert_int_equal(fake_sink_host_put(fake, &record, 1), SLUICE_FATAL);
    assert_string_equal(fake->failure.error.message,
                        "org.apache.kafka.connect.errors.DataException: Key cannot be null for "
                        "SinkRecord: SinkRecord{kafkaOffset=1, topic='t', kafkaPartition=0} ");
    fake->has_reporter = true;
    assert_int_equal(fake_sink_host_put(fake, &record, 1), SLUICE_OK);
    assert_int_equal(fake->reports, 1);
    fake_sink_host_destroy(fake);
    expect_objects(
        "topics/t/partition=0/t+0+0000000000.headers.json: "
        "{\"headers\":[{\"key\":\"h\",\"value\":\"v\"}]}|\n"
        "topics/t/partition=0/t+0+0000000000.json: {\"a\":1}|\n"
        "topics/t/partition=0/t+0+0000000000.keys.txt: k|\n");
}

static void test_b1_bytes(void **state)
{
    (void)state;
    struct fake_sink_host *fake =
        SINK("flush.size", "1", "format.class",
             "io.confluent.connect.s3.format.bytearray.ByteArrayFormat");
    assert_int_equal(put_one(fake, 0, "\"text is no bytes\"", 0), SLUICE_FATAL);
    assert_non_null(strstr(fake->failure.error.message,
                           "ByteArrayConverter is not compatible with objects of type class java.lang.String"));
    fake_sink_host_destroy(fake);
    expect_objects("");
}

static void test_l8_compression(void **state)
{
    (void)state;
    static const char *const levels[] = {"-1", "0", "1", "9"};
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        struct fake_sink_host *fake = SINK("flush.size", "20000", "s3.compression.type", "gzip",
                                           "s3.compression.level", levels[i]);
        assert_int_equal(put_many(fake, 0, 20000), SLUICE_OK); /* more than one member */
        assert_true(fake_sink_host_wait(fake, TOPIC, 0, 20000));
        fake_sink_host_destroy(fake);
        char command[300];
        snprintf(command, sizeof(command),
                 "test `gzip -dc %s/b/topics/t/partition=0/t+0+0000000000.json.gz | md5sum | cut -c1-32`"
                 " = `seq 0 19999 | sed 's/.*/{\"i\":&}/' | md5sum | cut -c1-32`", lake);
        assert_int_equal(system(command), 0);
    }
}

/* -- directories and time -- */

enum { TEN = 1488477600 }; /* 2017-03-02 10:00 in Los Angeles */

#define HOURLY                                                                                    \
    "partitioner.class", "io.confluent.connect.storage.partitioner.HourlyPartitioner", "locale", \
        "en", "timezone", "America/Los_Angeles", "timestamp.extractor", "Record"

static void test_t1_rotate_interval(void **state)
{
    (void)state;
    struct fake_sink_host *fake = SINK("flush.size", "1000", "rotate.interval.ms", "60000", HOURLY);
    for (int64_t i = 0; i < 18; i++) {
        char value[8];
        snprintf(value, sizeof(value), "%" PRId64, i);
        int64_t time = (TEN + (i < 9 ? i * 20 : 7200 + (i - 9) * 20)) * (int64_t)1000;
        assert_int_equal(put_one(fake, i, value, time), SLUICE_OK);
    }
    assert_true(fake_sink_host_wait(fake, TOPIC, 0, 15));
    fake_sink_host_destroy(fake);
    expect_objects("topics/t/year=2017/month=03/day=02/hour=10/t+0+0000000000.json: 0|1|2|\n"
                   "topics/t/year=2017/month=03/day=02/hour=10/t+0+0000000003.json: 3|4|5|\n"
                   "topics/t/year=2017/month=03/day=02/hour=10/t+0+0000000006.json: 6|7|8|\n"
                   "topics/t/year=2017/month=03/day=02/hour=12/t+0+0000000009.json: 9|10|11|\n"
                   "topics/t/year=2017/month=03/day=02/hour=12/t+0+0000000012.json: 12|13|14|\n");
}

static void put_t2(struct fake_sink_host *fake)
{
    static const int64_t minutes[] = {0, -2, 9, -5, 10};
    static const char *const values[] = {"0", "1", "2", "3", "4"};
    for (int64_t i = 0; i < 5; i++) {
        assert_int_equal(put_one(fake, i, values[i], (TEN + minutes[i] * 60) * 1000), SLUICE_OK);
    }
}

static void test_t2_t3_late_data(void **state)
{
    (void)state;
    struct fake_sink_host *fake = SINK("flush.size", "1000", "rotate.interval.ms", "600000", HOURLY,
                                       "rotate.file.on.partition.change", "false");
    put_t2(fake);
    assert_true(fake_sink_host_wait(fake, TOPIC, 0, 4));
    fake_sink_host_destroy(fake);
    expect_objects("topics/t/year=2017/month=03/day=02/hour=09/t+0+0000000001.json: 1|3|\n"
                   "topics/t/year=2017/month=03/day=02/hour=10/t+0+0000000000.json: 0|2|\n");
    (void)remove_lake(NULL);
    assert_int_equal(make_lake(NULL), 0);
    fake = SINK("flush.size", "1000", "rotate.interval.ms", "600000", HOURLY);
    put_t2(fake);
    assert_true(fake_sink_host_wait(fake, TOPIC, 0, 4));
    fake_sink_host_destroy(fake);
    expect_objects("topics/t/year=2017/month=03/day=02/hour=09/t+0+0000000001.json: 1|\n"
                   "topics/t/year=2017/month=03/day=02/hour=09/t+0+0000000003.json: 3|\n"
                   "topics/t/year=2017/month=03/day=02/hour=10/t+0+0000000000.json: 0|\n"
                   "topics/t/year=2017/month=03/day=02/hour=10/t+0+0000000002.json: 2|\n");
}

static void test_t4_t6_interval_needs_data(void **state)
{
    (void)state;
    struct fake_sink_host *fake = SINK("flush.size", "1000", "rotate.interval.ms", "1");
    assert_int_equal(put_many(fake, 0, 5), SLUICE_OK);
    assert_int_equal(fake_sink_host_put(fake, NULL, 0), SLUICE_OK);
    assert_int_equal(fake_sink_host_committed(fake, TOPIC, 0, 5), -1);
    fake_sink_host_destroy(fake);
    expect_objects("");
}

static void test_t5_schedule(void **state)
{
    (void)state;
    struct fake_sink_host *fake =
        SINK("flush.size", "1000", "rotate.schedule.interval.ms", "200", "timezone", "UTC");
    assert_int_equal(put_many(fake, 0, 2), SLUICE_OK);
    assert_in_range(fake->timeout, 1, 200);
    usleep((useconds_t)(fake->timeout + 1) * 1000); /* what a host does that has no records */
    assert_int_equal(fake_sink_host_put(fake, NULL, 0), SLUICE_OK);
    assert_true(fake_sink_host_wait(fake, TOPIC, 0, 2));
    fake_sink_host_destroy(fake);
    expect_objects("topics/t/partition=0/t+0+0000000000.json: {\"i\":0}|{\"i\":1}|\n");
}

static void test_t8_record_field(void **state)
{
    (void)state;
    struct fake_sink_host *fake =
        SINK("flush.size", "4", "partitioner.class", "DailyPartitioner", "locale", "en", "timezone",
             "UTC", "timestamp.extractor", "RecordField", "timestamp.field", "a.ts");
    struct fake_sink_record records[4] = {
        numbered(0, "{\"a\":{\"ts\":1700000000000}}", 0),
        numbered(1, "{\"a\":{\"ts\":\"1700000000000\"}}", 0),
        numbered(2, "{\"a\":{\"ts\":\"2023-11-14T22:13:20Z\"}}", 0),
        numbered(3, "{\"a\":{\"ts\":1.7e12}}", 0)};
    assert_int_equal(fake_sink_host_put(fake, records, 4), SLUICE_OK);
    assert_true(fake_sink_host_wait(fake, TOPIC, 0, 4));
    records[0] = numbered(4, "{\"b\":1}", 0);
    fake->has_reporter = true;
    assert_int_equal(fake_sink_host_put(fake, records, 1), SLUICE_FATAL);
    assert_string_equal(fake->failure.error.message, "The field 'a.ts' does not exist.");
    records[0] = numbered(4, "{\"a.ts\":1700000000000}", 0); /* a name with a dot is no field's */
    assert_int_equal(fake_sink_host_put(fake, records, 1), SLUICE_FATAL);
    fake_sink_host_destroy(fake);
    expect_objects("topics/t/year=2023/month=11/day=14/t+0+0000000000.json: "
                   "{\"a\":{\"ts\":1700000000000}}|{\"a\":{\"ts\":\"1700000000000\"}}|"
                   "{\"a\":{\"ts\":\"2023-11-14T22:13:20Z\"}}|{\"a\":{\"ts\":1.7E12}}|\n");
}

static void test_f1_f3_fields(void **state)
{
    (void)state;
    struct fake_sink_host *fake = SINK("flush.size", "4", "partitioner.class", "FieldPartitioner",
                                       "partition.field.name", "i, s", "sluice.s3.partition.maps",
                                       "true");
    struct fake_sink_record records[4] = {
        numbered(0, "{\"i\":1,\"s\":\"x y\"}", 0), numbered(1, "{\"i\":2,\"s\":null}", 0),
        numbered(2, "{\"i\":1,\"s\":\"x y\"}", 0), numbered(3, "{\"i\":2,\"s\":true}", 0)};
    assert_int_equal(fake_sink_host_put(fake, records, 4), SLUICE_OK);
    assert_true(fake_sink_host_wait(fake, TOPIC, 0, 4));
    fake->has_reporter = true;
    assert_int_equal(put_one(fake, 4, "{\"i\":1.5,\"s\":\"x\"}", 0), SLUICE_OK);
    assert_int_equal(put_one(fake, 5, "{\"i\":1,\"s\":\"../../x\"}", 0), SLUICE_OK);
    assert_int_equal(fake->reports, 2);
    assert_non_null(strstr(fake->reported, "`..`"));
    char longer[400];
    snprintf(longer, sizeof(longer), "{\"i\":1,\"s\":\"%0300d\"}", 7); /* no name of a folder */
    assert_int_equal(put_one(fake, 6, longer, 0), SLUICE_OK);
    assert_int_equal(fake->reports, 3);
    assert_non_null(strstr(fake->reported, "255"));
    assert_int_equal(put_one(fake, 7, "{\"i\":1}", 0), SLUICE_FATAL);
    fake_sink_host_destroy(fake);
    expect_objects("topics/t/i=1/s=x y/t+0+0000000000.json: "
                   "{\"i\":1,\"s\":\"x y\"}|{\"i\":1,\"s\":\"x y\"}|\n"
                   "topics/t/i=2/s=null/t+0+0000000001.json: {\"i\":2,\"s\":null}|\n"
                   "topics/t/i=2/s=true/t+0+0000000003.json: {\"i\":2,\"s\":true}|\n");
}

static void test_f4_max_open_files(void **state)
{
    (void)state;
    struct fake_sink_host *fake =
        SINK("flush.size", "100", "partitioner.class", "FieldPartitioner", "partition.field.name",
             "i", "sluice.s3.partition.maps", "true", "partitioner.max.open.files", "5");
    assert_int_equal(put_many(fake, 0, 6), SLUICE_OK);
    assert_true(fake_sink_host_wait(fake, TOPIC, 0, 5));
    fake_sink_host_destroy(fake);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_lake, remove_lake)
    const struct CMUnitTest tests[] = {
        TEST(test_n1_null_fails),
        TEST(test_n2_null_ignored),
        TEST(test_n3_n4_null_written),
        TEST(test_k1_k2_keys_and_headers),
        TEST(test_b1_bytes),
        TEST(test_l8_compression),
        TEST(test_t1_rotate_interval),
        TEST(test_t2_t3_late_data),
        TEST(test_t4_t6_interval_needs_data),
        TEST(test_t5_schedule),
        TEST(test_t8_record_field),
        TEST(test_f1_f3_fields),
        TEST(test_f4_max_open_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
