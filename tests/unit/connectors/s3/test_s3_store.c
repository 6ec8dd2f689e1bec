/*
 * The sink against a strict S3 service (tests/integration/s3/fake_s3.py): signatures, one PUT or parts,
 * many at once, every class of fault, and what is left behind.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/fake_s3_process.h"
#include "tests/support/fake_sink_host.h"

enum { TRIES = 6000 }; /* with 10 ms between them */

static const char TOPIC[] = "t";

/* -- the service -- */

static int start_server(void **state)
{
    (void)state;
    return fake_s3_start(FAKE_S3);
}

static int stop_server(void **state)
{
    (void)state;
    return fake_s3_stop();
}

static json_t *control(const char *text)
{
    json_t *state = fake_s3_control(text);
    assert_non_null(state);
    return state;
}

static void order(const char *text)
{
    json_decref(control(text));
}

static int clean_server(void **state)
{
    (void)state;
    order("{\"reset\": true, \"buckets\": [\"b\"]}");
    return 0;
}

static json_int_t requests(const char *op)
{
    json_t *state = control(NULL);
    json_int_t count = json_integer_value(json_object_get(json_object_get(state, "requests"), op));
    json_decref(state);
    return count;
}

/* So many objects, all signatures right, no multipart upload left. */
static void expect_clean(size_t objects)
{
    json_t *state = control(NULL);
    assert_int_equal(json_object_size(json_object_get(state, "objects")), objects);
    assert_int_equal(json_integer_value(json_object_get(state, "uploads")), 0);
    assert_int_equal(json_array_size(json_object_get(state, "errors")), 0);
    json_decref(state);
}

/* Until so many requests of the kind have come, the service's answers to them aside. */
static void await_requests(const char *op, json_int_t count)
{
    for (int try = 0; try < TRIES && requests(op) < count; try++) {
        usleep(10000);
    }
    assert_int_equal(requests(op), count);
}

static void await_uploads(json_int_t count)
{
    json_int_t left = -1;
    for (int try = 0; try < TRIES && left != count; try++) {
        json_t *state = control(NULL);
        left = json_integer_value(json_object_get(state, "uploads"));
        json_decref(state);
        usleep(10000);
    }
    assert_int_equal(left, count);
}

static json_t *object_of(json_t *state, const char *key)
{
    char name[300];
    snprintf(name, sizeof(name), "b/%s", key);
    json_t *object = json_object_get(json_object_get(state, "objects"), name);
    assert_non_null(object);
    return object;
}

/* -- the sink -- */

static struct fake_sink_host *make_sink(const char *const *more)
{
    char error[1024] = "";
    const char *properties[64] = {
        "storage.class", "io.confluent.connect.s3.storage.S3Storage",
        "format.class", "io.confluent.connect.s3.format.json.JsonFormat",
        "s3.bucket.name", "b", "s3.region", "us-east-1", "store.url", fake_s3_url,
        "aws.access.key.id", "access", "aws.secret.access.key", "secret",
        "s3.retry.backoff.ms", "10", "retry.backoff.ms", "100",
    };
    size_t count = 18;
    for (size_t i = 0; more[i]; i++) {
        properties[count++] = more[i];
    }
    struct fake_sink_host *fake =
        fake_sink_host_create(S3_PLUGIN, "S3Sink", properties, error, sizeof(error));
    if (!fake) {
        fail_msg("%s", error);
    }
    return fake;
}

static struct fake_sink_host *start_sink(const char *const *more)
{
    struct fake_sink_host *fake = make_sink(more);
    if (fake_sink_host_start(fake) != SLUICE_OK) {
        fail_msg("%s", fake->failure.error.message);
    }
    assert_int_equal(fake_sink_host_open(fake, TOPIC, 0), SLUICE_OK);
    return fake;
}

#define SINK(...) start_sink((const char *const[]){__VA_ARGS__, NULL})

static char *long_value(size_t size)
{
    char *value = malloc(size + 3);
    memset(value + 1, 'x', size);
    value[0] = value[size + 1] = '"';
    value[size + 2] = '\0';
    return value;
}

static enum sluice_result put(struct fake_sink_host *fake, int64_t from, int64_t to,
                              const char *value)
{
    static struct fake_sink_record records[2000];
    for (int64_t i = from; i < to; i++) {
        records[i - from] =
            (struct fake_sink_record){.topic = TOPIC, .offset = i, .key = "k", .value = value};
    }
    return fake_sink_host_put(fake, records, (size_t)(to - from));
}

/* As a host does: a batch that is refused with RETRY comes again. */
static enum sluice_result put_until_taken(struct fake_sink_host *fake, int64_t from, int64_t to,
                                          const char *value)
{
    enum sluice_result result = put(fake, from, to, value);
    for (int try = 0; try < TRIES && result == SLUICE_RETRY; try++) {
        usleep(10000);
        result = put(fake, from, to, value);
    }
    return result;
}

/* -- tests -- */

static void test_small_objects_by_one_put(void **state)
{
    (void)state;
    struct fake_sink_host *fake = SINK("flush.size", "1", "s3.acl.canned", "private",
                                       "s3.ssea.name", "AES256", "sluice.s3.storage.class",
                                       "STANDARD_IA");
    assert_int_equal(put(fake, 0, 200, "{\"a\":1}"), SLUICE_OK);
    assert_true(fake_sink_host_wait(fake, TOPIC, 0, 200));
    fake_sink_host_destroy(fake);
    expect_clean(200);
    assert_int_equal(requests("PutObject"), 200);
    assert_int_equal(requests("CreateMultipartUpload"), 0);
    json_t *got = control(NULL);
    json_t *headers =
        json_object_get(object_of(got, "topics/t/partition=0/t+0+0000000199.json"), "headers");
    assert_string_equal(json_string_value(json_object_get(headers, "x-amz-acl")), "private");
    assert_string_equal(json_string_value(json_object_get(headers, "x-amz-storage-class")),
                        "STANDARD_IA");
    assert_string_equal(
        json_string_value(json_object_get(headers, "x-amz-server-side-encryption")), "AES256");
    assert_null(json_object_get(headers, "content-type"));
    json_decref(got);
}

static void test_many_at_once(void **state)
{
    (void)state;
    order("{\"faults\": [{\"op\": \"PutObject\", \"action\": \"slow:0.03\", \"times\": 100000}]}");
    struct fake_sink_host *fake = SINK("flush.size", "1", "sluice.s3.uploads.max", "32");
    assert_int_equal(put(fake, 0, 300, "{\"a\":1}"), SLUICE_OK);
    assert_true(fake_sink_host_wait(fake, TOPIC, 0, 300));
    fake_sink_host_destroy(fake);
    expect_clean(300);
    json_t *got = control(NULL);
    json_int_t peak = json_integer_value(json_object_get(got, "peak"));
    json_decref(got);
    assert_in_range(peak, 8, 32);
}

static void test_parts(void **state)
{
    (void)state;
    struct fake_sink_host *fake =
        SINK("flush.size", "13", "s3.part.size", "5242880", "s3.object.tagging", "true",
             "s3.object.tagging.key.value.pairs", "team:a b,env:x", "s3.send.digest", "true");
    char *value = long_value(1 << 20);
    for (int64_t i = 0; i < 13; i++) {
        assert_int_equal(put(fake, i, i + 1, value), SLUICE_OK);
    }
    assert_true(fake_sink_host_wait(fake, TOPIC, 0, 13));
    fake_sink_host_destroy(fake);
    free(value);
    expect_clean(1);
    assert_int_equal(requests("UploadPart"), 3);
    json_t *got = control(NULL);
    json_t *object = object_of(got, "topics/t/partition=0/t+0+0000000000.json");
    assert_int_equal(json_integer_value(json_object_get(object, "size")), 13 * ((1 << 20) + 3));
    json_t *tags = json_object_get(object, "tags");
    assert_string_equal(json_string_value(json_object_get(tags, "endOffset")), "12");
    assert_string_equal(json_string_value(json_object_get(tags, "recordCount")), "13");
    assert_string_equal(json_string_value(json_object_get(tags, "team")), "a b");
    json_decref(got);
}

static void test_parts_in_little_memory(void **state)
{
    (void)state;
    char *value = long_value(100 << 10);
    struct fake_sink_host *fake =
        SINK("flush.size", "300", "s3.part.size", "5242880", "sluice.s3.buffer.memory", "2097152");
    for (int64_t i = 0; i < 300; i++) { /* 30 MB through 2 MiB: spilled, then sent */
        assert_int_equal(put(fake, i, i + 1, value), SLUICE_OK);
    }
    assert_true(fake_sink_host_wait(fake, TOPIC, 0, 300));
    fake_sink_host_destroy(fake);
    free(value);
    expect_clean(1);
    json_t *got = control(NULL);
    json_t *object = object_of(got, "topics/t/partition=0/t+0+0000000000.json");
    assert_int_equal(json_integer_value(json_object_get(object, "size")), 300 * ((100 << 10) + 3));
    json_decref(got);
}

static void test_odd_keys(void **state)
{
    (void)state;
    struct fake_sink_host *fake =
        SINK("flush.size", "1", "topics.dir", "a b/ü+=//~&?#%*'()", "directory.delim", "/",
             "file.delim", "+ +");
    assert_int_equal(put(fake, 0, 1, "1"), SLUICE_OK);
    assert_true(fake_sink_host_wait(fake, TOPIC, 0, 1));
    fake_sink_host_destroy(fake);
    expect_clean(1);
    json_t *got = control(NULL);
    (void)object_of(got, "a b/ü+=//~&?#%*'()/t/partition=0/t+ +0+ +0000000000.json");
    json_decref(got);
}

static void test_faults_that_pass(void **state)
{
    (void)state;
    order("{\"faults\": ["
          "{\"op\": \"PutObject\", \"action\": \"500\", \"times\": 5},"
          "{\"op\": \"PutObject\", \"action\": \"503\", \"times\": 3},"
          "{\"op\": \"PutObject\", \"action\": \"400\", \"times\": 2},"
          "{\"op\": \"PutObject\", \"action\": \"reset\", \"times\": 5},"
          "{\"op\": \"PutObject\", \"action\": \"reset-after\", \"times\": 3},"
          "{\"op\": \"PutObject\", \"action\": \"conflict\", \"times\": 1},"
          "{\"op\": \"PutObject\", \"action\": \"expired\", \"times\": 1}]}");
    struct fake_sink_host *fake = SINK("flush.size", "1", "sluice.s3.uploads.max", "4");
    assert_int_equal(put(fake, 0, 100, "{\"a\":1}"), SLUICE_OK);
    assert_true(fake_sink_host_wait(fake, TOPIC, 0, 100));
    fake_sink_host_destroy(fake);
    expect_clean(100);
}

static void test_faults_of_parts(void **state)
{
    (void)state;
    order("{\"faults\": ["
          "{\"op\": \"CreateMultipartUpload\", \"action\": \"500\"},"
          "{\"op\": \"UploadPart\", \"action\": \"reset\", \"times\": 2},"
          "{\"op\": \"UploadPart\", \"action\": \"503\"},"
          "{\"op\": \"CompleteMultipartUpload\", \"action\": \"error200\"},"
          "{\"op\": \"CompleteMultipartUpload\", \"action\": \"reset-after\"}]}");
    char *value = long_value(1 << 20);
    struct fake_sink_host *fake = SINK("flush.size", "11", "s3.part.size", "5242880");
    assert_int_equal(put(fake, 0, 11, value), SLUICE_OK);
    /* The answer to the completion got lost: the object is found to be there, and right. */
    assert_true(fake_sink_host_wait(fake, TOPIC, 0, 11));
    fake_sink_host_destroy(fake);
    free(value);
    expect_clean(1);
    assert_int_equal(requests("HeadObject"), 1);
}

/* A multipart upload was begun, the answer with its id is lost: it is found by its key, and aborted. */
static void test_lost_beginning(void **state)
{
    (void)state;
    char *value = long_value(1 << 20);
    struct fake_sink_host *fake = SINK("flush.size", "11", "s3.part.size", "5242880");
    order("{\"open\": [\"topics/t/partition=0/t+0+0000000000.json.gz\"], \"faults\": ["
          "{\"op\": \"CreateMultipartUpload\", \"action\": \"reset-after\", \"times\": 2},"
          "{\"op\": \"ListMultipartUploads\", \"action\": \"503\"},"
          "{\"op\": \"AbortMultipartUpload\", \"action\": \"500\"}]}");
    assert_int_equal(put(fake, 0, 11, value), SLUICE_OK);
    assert_true(fake_sink_host_wait(fake, TOPIC, 0, 11));
    fake_sink_host_destroy(fake);
    free(value);
    json_t *left = control(NULL);
    assert_int_equal(json_object_size(json_object_get(left, "objects")), 1);
    /* That of a longer key is not ours to abort. */
    assert_int_equal(json_integer_value(json_object_get(left, "uploads")), 1);
    json_decref(left);
    assert_int_equal(requests("AbortMultipartUpload"), 3);
}

/* The same on a connection that was used before: the HTTP library asks again by itself, and says nothing. */
static void test_lost_beginning_repeated_silently(void **state)
{
    (void)state;
    struct fake_sink_host *fake = SINK("flush.size", "6", "s3.part.size", "5242880", "sluice.s3.uploads.max", "1");
    char *value = long_value(1 << 20);
    assert_int_equal(put(fake, 0, 6, "1"), SLUICE_OK);
    assert_true(fake_sink_host_wait(fake, TOPIC, 0, 6));
    order("{\"faults\": [{\"op\": \"CreateMultipartUpload\", \"action\": \"reset-after\"}]}");
    assert_int_equal(put(fake, 6, 12, value), SLUICE_OK);
    free(value);
    assert_true(fake_sink_host_wait(fake, TOPIC, 0, 12));
    fake_sink_host_destroy(fake);
    assert_int_equal(requests("CreateMultipartUpload"), 2);
    expect_clean(2);
}

static void test_outage(void **state)
{
    (void)state;
    struct fake_sink_host *fake = SINK("flush.size", "1", "s3.part.retries", "1");
    order("{\"faults\": [{\"op\": \"PutObject\", \"action\": \"500\", \"times\": 30}]}");
    assert_int_equal(put(fake, 0, 10, "1"), SLUICE_OK);
    int64_t next = 10;
    enum sluice_result result = SLUICE_OK;
    for (int try = 0; try < TRIES && result != SLUICE_RETRY; try++, next++) {
        usleep(10000);
        result = put(fake, next, next + 1, "1");
    }
    assert_int_equal(result, SLUICE_RETRY); /* nothing more is taken while S3 is away */
    assert_non_null(strstr(fake->failure.error.message, "InternalError (HTTP 500)"));
    assert_int_equal(put_until_taken(fake, next - 1, next, "1"), SLUICE_OK);
    assert_true(fake_sink_host_wait(fake, TOPIC, 0, next));
    fake_sink_host_destroy(fake);
    expect_clean((size_t)next);
}

/* What was in trouble went with its partition: records are taken again, though no request will succeed. */
static void test_trouble_ends_with_its_partition(void **state)
{
    (void)state;
    struct fake_sink_host *fake = SINK("flush.size", "1", "s3.part.retries", "1");
    order("{\"faults\": [{\"op\": \"PutObject\", \"action\": \"500\", \"times\": 1000}]}");
    enum sluice_result result = put(fake, 0, 1, "1");
    for (int try = 0; try < TRIES && result != SLUICE_RETRY; try++) {
        usleep(10000);
        result = put(fake, 1, 2, "1");
    }
    assert_int_equal(result, SLUICE_RETRY);
    fake_sink_host_close(fake, TOPIC, 0);
    order("{\"faults\": []}");
    assert_int_equal(fake_sink_host_open(fake, TOPIC, 0), SLUICE_OK);
    assert_int_equal(put_until_taken(fake, 0, 2, "1"), SLUICE_OK);
    assert_true(fake_sink_host_wait(fake, TOPIC, 0, 2));
    fake_sink_host_destroy(fake);
    expect_clean(2);
}

/* A clock, a token that are wrong behind an outage, when the request was repeated often already. */
static void test_corrections_behind_an_outage(void **state)
{
    (void)state;
    order("{\"faults\": [{\"op\": \"PutObject\", \"action\": \"500\", \"times\": 3},"
          "{\"op\": \"PutObject\", \"action\": \"skewed\", \"times\": 2},"
          "{\"op\": \"PutObject\", \"action\": \"expired\"}]}");
    struct fake_sink_host *fake = SINK("flush.size", "1", "s3.part.retries", "1");
    assert_int_equal(put(fake, 0, 1, "1"), SLUICE_OK);
    assert_true(fake_sink_host_wait(fake, TOPIC, 0, 1));
    fake_sink_host_destroy(fake);
    expect_clean(1);
}

/* The successor aborts what the former owner has open: that must not fail the former owner. */
static void test_refused_after_loss(void **state)
{
    (void)state;
    char *value = long_value(1 << 20);
    struct fake_sink_host *fake = SINK("flush.size", "100", "s3.part.size", "5242880");
    order("{\"faults\": [{\"op\": \"UploadPart\", \"action\": \"404\", \"times\": 100}]}");
    fake->lost = true;
    assert_int_equal(put(fake, 0, 12, value), SLUICE_OK);
    free(value);
    await_requests("AbortMultipartUpload", 1);
    fake_sink_host_close(fake, TOPIC, 0);
    assert_string_equal(fake->raised, "");
    fake_sink_host_destroy(fake);
    expect_clean(0);
}

static void expect_raised(struct fake_sink_host *fake, const char *part)
{
    assert_false(fake_sink_host_wait(fake, TOPIC, 0, 1));
    if (!strstr(fake->raised, part)) {
        fail_msg("`%s` does not say `%s`", fake->raised, part);
    }
    assert_int_equal(put(fake, 1, 2, "1"), SLUICE_FATAL);
    assert_int_equal(fake_sink_host_committed(fake, TOPIC, 0, 2), -1);
    fake_sink_host_destroy(fake);
}

static void test_denied(void **state)
{
    (void)state;
    struct fake_sink_host *fake = SINK("flush.size", "1");
    order("{\"faults\": [{\"op\": \"PutObject\", \"action\": \"403\"}]}");
    assert_int_equal(put(fake, 0, 1, "1"), SLUICE_OK);
    expect_raised(fake, "AccessDenied (HTTP 403): As ordered by the test. [request 42]. Check the");
    fake = SINK("flush.size", "1", "aws.secret.access.key", "wrong-one");
    assert_int_equal(put(fake, 0, 1, "1"), SLUICE_OK);
    expect_raised(fake, "SignatureDoesNotMatch");
    json_t *got = control(NULL);
    assert_int_equal(json_object_size(json_object_get(got, "objects")), 0);
    json_decref(got);
}

static void test_denied_in_the_middle(void **state)
{
    (void)state;
    char *value = long_value(1 << 20);
    order("{\"faults\": [{\"op\": \"UploadPart\", \"action\": \"403\"}]}");
    struct fake_sink_host *fake = SINK("flush.size", "100", "s3.part.size", "5242880");
    assert_int_equal(put(fake, 0, 12, value), SLUICE_OK);
    free(value);
    expect_raised(fake, "AccessDenied");
    expect_clean(0); /* the upload was aborted */
}

static void test_close_aborts(void **state)
{
    (void)state;
    char *value = long_value(1 << 20);
    struct fake_sink_host *fake = SINK("flush.size", "100", "s3.part.size", "5242880");
    assert_int_equal(put(fake, 0, 12, value), SLUICE_OK);
    free(value);
    fake_sink_host_close(fake, TOPIC, 0);
    fake_sink_host_destroy(fake);
    expect_clean(0);
}

static void test_lost_partition(void **state)
{
    (void)state;
    struct fake_sink_host *fake = SINK("flush.size", "1");
    fake->lost = true;
    assert_int_equal(put(fake, 0, 5, "1"), SLUICE_OK);
    fake_sink_host_destroy(fake);
    expect_clean(0);
    assert_int_equal(requests("PutObject"), 0);
}

static void test_no_bucket(void **state)
{
    (void)state;
    struct fake_sink_host *fake =
        make_sink((const char *const[]){"flush.size", "1", "s3.bucket.name", "nobody", NULL});
    assert_int_equal(fake_sink_host_start(fake), SLUICE_FATAL);
    assert_non_null(strstr(fake->failure.error.message, "There is no bucket nobody"));
    fake_sink_host_destroy(fake);
}

static void test_wrong_region(void **state)
{
    (void)state;
    struct fake_sink_host *fake = SINK("flush.size", "1", "s3.region", "eu-west-1");
    assert_int_equal(put(fake, 0, 1, "1"), SLUICE_OK);
    assert_true(fake_sink_host_wait(fake, TOPIC, 0, 1));
    fake_sink_host_destroy(fake);
    expect_clean(1);
}

static void test_skewed_clock(void **state)
{
    (void)state;
    order("{\"faults\": [{\"op\": \"PutObject\", \"action\": \"skewed\"}]}");
    struct fake_sink_host *fake = SINK("flush.size", "1");
    assert_int_equal(put(fake, 0, 3, "1"), SLUICE_OK);
    assert_true(fake_sink_host_wait(fake, TOPIC, 0, 3));
    fake_sink_host_destroy(fake);
    expect_clean(3);
}

static void test_conditional(void **state)
{
    (void)state;
    static const char *const values[] = {"1", "1", "2"};
    for (int life = 0; life < 3; life++) {
        struct fake_sink_host *fake = SINK("flush.size", "1", "rotate.schedule.interval.ms",
                                           "3600000", "timezone", "UTC");
        assert_int_equal(put(fake, 0, 1, values[life]), SLUICE_OK);
        if (life < 2) { /* the second writes what is there already */
            assert_true(fake_sink_host_wait(fake, TOPIC, 0, 1));
            fake_sink_host_destroy(fake);
        } else {
            expect_raised(fake, "An object is at topics/t/partition=0/t+0+0000000000.json already");
        }
    }
    json_t *got = control(NULL);
    json_t *object = object_of(got, "topics/t/partition=0/t+0+0000000000.json");
    assert_int_equal(json_integer_value(json_object_get(object, "puts")), 1);
    json_decref(got);
}

static void test_unsigned_payload(void **state)
{
    (void)state;
    struct fake_sink_host *fake =
        SINK("flush.size", "1", "sluice.s3.payload.signing", "unsigned");
    assert_int_equal(put(fake, 0, 1, "1"), SLUICE_OK);
    assert_true(fake_sink_host_wait(fake, TOPIC, 0, 1));
    fake_sink_host_destroy(fake);
    expect_clean(1);
}

/* CRC-32C of small objects, and of parts and their list; the service reckons them itself. */
static void test_checksums(void **state)
{
    (void)state;
    struct fake_sink_host *fake =
        SINK("flush.size", "6", "s3.part.size", "5242880", "sluice.s3.checksum", "crc32c");
    char *value = long_value(1 << 20);
    for (int64_t i = 0; i < 6; i++) {
        assert_int_equal(put(fake, i, i + 1, value), SLUICE_OK);
    }
    assert_int_equal(put(fake, 6, 12, "1"), SLUICE_OK);
    assert_true(fake_sink_host_wait(fake, TOPIC, 0, 12));
    fake_sink_host_destroy(fake);
    free(value);
    expect_clean(2);
    assert_int_equal(requests("UploadPart"), 2);
    json_t *got = control(NULL);
    json_t *headers =
        json_object_get(object_of(got, "topics/t/partition=0/t+0+0000000006.json"), "headers");
    assert_int_equal(strlen(json_string_value(json_object_get(headers, "x-amz-checksum-crc32c"))), 8);
    json_decref(got);
}

/* What a killed task left open goes when its partition comes; nobody else's does. */
static void test_orphans(void **state)
{
    (void)state;
    static const char *const others[] = {
        "topics/t/partition=1/t+1+0000000000.json",     /* another partition */
        "topics/t/partition=0/t+0+0000000000.json.gz",  /* another connector's extension */
        "topics/t/partition=0/other+0+0000000000.json", "topics/t2/partition=0/t2+0+0000000000.json",
        "elsewhere/t/partition=0/t+0+0000000000.json", "topics/t/partition=0/t+0+x.json"};
    order("{\"open\": [\"topics/t/partition=0/t+0+0000000007.json\", "
          "\"topics/t/a b=+/c/t+0+0000000000.json\", \"topics/t/partition=1/t+1+0000000000.json\", "
          "\"topics/t/partition=0/t+0+0000000000.json.gz\", "
          "\"topics/t/partition=0/other+0+0000000000.json\", "
          "\"topics/t2/partition=0/t2+0+0000000000.json\", "
          "\"elsewhere/t/partition=0/t+0+0000000000.json\", \"topics/t/partition=0/t+0+x.json\"]}");
    struct fake_sink_host *fake = SINK("flush.size", "1");
    await_uploads(sizeof(others) / sizeof(others[0]));
    assert_int_equal(requests("AbortMultipartUpload"), 2);
    fake_sink_host_destroy(fake);
    fake = SINK("flush.size", "1", "sluice.s3.abort.orphans", "false");
    assert_int_equal(put(fake, 0, 1, "1"), SLUICE_OK);
    assert_true(fake_sink_host_wait(fake, TOPIC, 0, 1));
    fake_sink_host_destroy(fake);
    assert_int_equal(requests("ListMultipartUploads"), 1);
    /* Without the right to list them the task runs all the same. */
    order("{\"faults\": [{\"op\": \"ListMultipartUploads\", \"action\": \"403\"}]}");
    fake = SINK("flush.size", "1");
    assert_int_equal(put(fake, 0, 1, "1"), SLUICE_OK);
    assert_true(fake_sink_host_wait(fake, TOPIC, 0, 1));
    fake_sink_host_destroy(fake);
}

/* However long the service does not work; and what this task has begun meanwhile stays. */
static void test_orphans_behind_an_outage(void **state)
{
    (void)state;
    order("{\"open\": [\"topics/t/partition=0/t+0+0000000000.json\", "
          "\"topics/t/partition=0/t+0+0000000007.json\"], \"faults\": ["
          "{\"op\": \"ListMultipartUploads\", \"action\": \"500\", \"times\": 6},"
          "{\"op\": \"AbortMultipartUpload\", \"action\": \"500\", \"times\": 5},"
          "{\"op\": \"AbortMultipartUpload\", \"action\": \"skewed\", \"times\": 7}]}");
    char *value = long_value(1 << 20);
    struct fake_sink_host *fake =
        SINK("flush.size", "7", "s3.part.size", "5242880", "s3.part.retries", "1", "retry.backoff.ms", "10");
    assert_int_equal(put(fake, 0, 6, value), SLUICE_OK);
    await_requests("UploadPart", 1); /* its upload is open from here on */
    await_requests("AbortMultipartUpload", 5 + 7 + 2);
    await_uploads(1);
    assert_int_equal(put(fake, 6, 7, value), SLUICE_OK);
    free(value);
    assert_true(fake_sink_host_wait(fake, TOPIC, 0, 7));
    fake_sink_host_destroy(fake);
    expect_clean(1);
}

static void test_stop_during_uploads(void **state)
{
    (void)state;
    order("{\"faults\": [{\"op\": \"PutObject\", \"action\": \"slow:4\", \"times\": 1000}]}");
    struct fake_sink_host *fake = SINK("flush.size", "1");
    assert_int_equal(put(fake, 0, 50, "1"), SLUICE_OK);
    usleep(100000); /* some are under way; stop must not wait for them all */
    fake_sink_host_destroy(fake);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, clean_server)
    const struct CMUnitTest tests[] = {
        TEST(test_small_objects_by_one_put),
        TEST(test_many_at_once),
        TEST(test_parts),
        TEST(test_parts_in_little_memory),
        TEST(test_odd_keys),
        TEST(test_faults_that_pass),
        TEST(test_faults_of_parts),
        TEST(test_lost_beginning),
        TEST(test_lost_beginning_repeated_silently),
        TEST(test_outage),
        TEST(test_trouble_ends_with_its_partition),
        TEST(test_corrections_behind_an_outage),
        TEST(test_refused_after_loss),
        TEST(test_denied),
        TEST(test_denied_in_the_middle),
        TEST(test_close_aborts),
        TEST(test_lost_partition),
        TEST(test_no_bucket),
        TEST(test_wrong_region),
        TEST(test_skewed_clock),
        TEST(test_conditional),
        TEST(test_unsigned_payload),
        TEST(test_checksums),
        TEST(test_orphans),
        TEST(test_orphans_behind_an_outage),
        TEST(test_stop_during_uploads),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
