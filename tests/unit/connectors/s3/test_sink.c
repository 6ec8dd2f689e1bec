/*
 * The sink against the folder store, through the loaded plugin: names, contents, rotation, offsets.
 * Cases are those of s3-sink-and-rest-proxy.md §8.2 by their ids.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/fake_sink_host.h"

static const char TOPIC[] = "t";
static char lake[64];

/* -- the folder -- */

static int remove_one(const char *path, const struct stat *status, int flag, struct FTW *walk)
{
    (void)status;
    (void)flag;
    (void)walk;
    return remove(path);
}

static int make_lake(void **state)
{
    (void)state;
    snprintf(lake, sizeof(lake), "/tmp/sluice-s3-XXXXXX");
    return mkdtemp(lake) ? 0 : -1;
}

static int remove_lake(void **state)
{
    (void)state;
    return nftw(lake, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static char found[64][512];
static size_t found_count;

static int find_one(const char *path, const struct stat *status, int flag, struct FTW *walk)
{
    (void)status;
    (void)walk;
    if (flag == FTW_F && found_count < 64) {
        snprintf(found[found_count++], sizeof(found[0]), "%s", path + strlen(lake) + 3);
    }
    return 0;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

static char *read_object(const char *key, size_t *ret_size)
{
    char *path = NULL;
    assert_true(asprintf(&path, "%s/b/%s", lake, key) > 0);
    FILE *file = fopen(path, "r");
    free(path);
    assert_non_null(file);
    char *text = calloc(1, 1 << 20);
    size_t size = fread(text, 1, (1 << 20) - 1, file);
    fclose(file);
    if (ret_size) {
        *ret_size = size;
    }
    return text;
}

/* Objects by key ascending, "key: content" joined; line breaks in contents as `|`. */
static void expect_objects(const char *expected)
{
    char *got = NULL;
    size_t got_size = 0;
    FILE *listing = open_memstream(&got, &got_size);
    found_count = 0;
    assert_int_equal(nftw(lake, find_one, 16, FTW_PHYS), 0);
    qsort(found, found_count, sizeof(found[0]), compare_names);
    for (size_t i = 0; i < found_count; i++) {
        char *text = read_object(found[i], NULL);
        for (char *c = text; *c; c++) {
            *c = *c == '\n' ? '|' : *c;
        }
        fprintf(listing, "%s: %s\n", found[i], text);
        free(text);
    }
    fclose(listing);
    assert_string_equal(got, expected);
    free(got);
}

/* -- a sink -- */

static struct fake_sink_host *try_sink(const char *const *more, char *error, size_t size)
{
    char url[100];
    snprintf(url, sizeof(url), "file:%s", lake);
    const char *properties[64] = {
        "storage.class", "io.confluent.connect.s3.storage.S3Storage",
        "s3.bucket.name", "b", "store.url", url,
    };
    size_t count = 6;
    bool has_format = false;
    for (size_t i = 0; more[i]; i++) {
        has_format = has_format || strcmp(more[i], "format.class") == 0;
        properties[count++] = more[i];
    }
    if (!has_format) {
        properties[count++] = "format.class";
        properties[count++] = "io.confluent.connect.s3.format.json.JsonFormat";
    }
    return fake_sink_host_create(S3_PLUGIN, "S3Sink", properties, error, size);
}

static struct fake_sink_host *start_sink(const char *const *more)
{
    char error[1024] = "";
    struct fake_sink_host *fake = try_sink(more, error, sizeof(error));
    if (!fake) {
        fail_msg("%s", error);
    }
    if (fake_sink_host_start(fake) != SLUICE_OK) {
        fail_msg("%s", fake->failure.error.message);
    }
    assert_int_equal(fake_sink_host_open(fake, TOPIC, 0), SLUICE_OK);
    return fake;
}

#define SINK(...) start_sink((const char *const[]){__VA_ARGS__, NULL})

static struct fake_sink_record numbered(int64_t offset, const char *value, int64_t timestamp)
{
    return (struct fake_sink_record){
        .topic = TOPIC, .offset = offset, .timestamp = timestamp, .key = "k", .value = value};
}

/* {"i":N} from an offset on. */
static enum sluice_result put_many(struct fake_sink_host *fake, int64_t from, int64_t to)
{
    static struct fake_sink_record records[20000];
    static char values[20000][32];
    for (int64_t i = from; i < to; i++) {
        snprintf(values[i - from], sizeof(values[0]), "{\"i\":%" PRId64 "}", i);
        records[i - from] = numbered(i, values[i - from], 0);
    }
    return fake_sink_host_put(fake, records, (size_t)(to - from));
}

static enum sluice_result put_one(struct fake_sink_host *fake, int64_t offset, const char *value,
                                  int64_t timestamp)
{
    struct fake_sink_record record = numbered(offset, value, timestamp);
    return fake_sink_host_put(fake, &record, 1);
}

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
    assert_int_equal(put_one(fake, 6, "{\"i\":1}", 0), SLUICE_FATAL);
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
        TEST(test_spill),
        TEST(test_large_pieces),
        TEST(test_lost_partition),
        TEST(test_blocked_name),
        TEST(test_no_writer),
        TEST(test_refused_configurations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
