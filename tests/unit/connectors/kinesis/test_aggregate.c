/* Splitting of what the Kinesis Producer Library packs. */
#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "connectors/kinesis/aggregate.h"
#include "connectors/kinesis/names.h"
#include "connectors/kinesis/shards.h"

/* A message between magic and MD5; of exact size, so that the sanitizer sees a read behind it. */
static unsigned char *wrap(const char *message, size_t size, size_t *ret_size)
{
    unsigned char *out = malloc(size + 20);
    memcpy(out, "\xf3\x89\x9a\xc2", 4);
    memcpy(out + 4, message, size);
    assert_int_equal(EVP_Digest(message, size, out + 4 + size, NULL, EVP_md5(), NULL), 1);
    *ret_size = size + 20;
    return out;
}

#define MESSAGE(text) text, sizeof(text) - 1

static bool opens(const char *message, size_t size)
{
    struct kinesis_aggregate aggregate = {0};
    unsigned char *data = wrap(message, size, &size);
    bool result = kinesis_aggregate_open(&aggregate, data, size);
    kinesis_aggregate_finish(&aggregate);
    free(data);
    return result;
}

static void test_records_in_order_with_their_keys(void **state)
{
    (void)state;
    struct kinesis_aggregate aggregate = {0};
    struct kinesis_packed packed;
    size_t size;
    /* A record before the table, an explicit hash key, a tag, an unknown field, an empty record. */
    unsigned char *data = wrap(MESSAGE("\x1a\x05\x08\x01\x1a\x01x"
                                       "\x0a\x01"
                                       "a\x0a\x02"
                                       "bb\x12\x01h"
                                       "\x1a\x0a\x08\x00\x10\x00\x1a\x00\x22\x02\x0a\x00"
                                       "\x2a\x01z"
                                       "\x1a\x06\x08\x00\x1a\x02yz"), &size);
    for (int i = 0; i < 2; i++) { /* its table is used again */
        assert_true(kinesis_aggregate_open(&aggregate, data, size));
        assert_int_equal(aggregate.count, 3);
        assert_true(kinesis_aggregate_next(&aggregate, &packed));
        assert_int_equal(packed.key.size, 2);
        assert_memory_equal(packed.key.data, "bb", 2);
        assert_memory_equal(packed.data.data, "x", 1);
        assert_true(kinesis_aggregate_next(&aggregate, &packed));
        assert_int_equal(packed.data.size, 0);
        assert_memory_equal(packed.key.data, "a", 1);
        assert_true(kinesis_aggregate_next(&aggregate, &packed));
        assert_int_equal(packed.data.size, 2);
        assert_false(kinesis_aggregate_next(&aggregate, &packed));
    }
    data[size - 1] ^= 1;
    assert_false(kinesis_aggregate_open(&aggregate, data, size));
    assert_false(kinesis_aggregate_next(&aggregate, &packed));
    kinesis_aggregate_finish(&aggregate);
    free(data);
}

static void test_what_is_no_aggregate(void **state)
{
    (void)state;
    struct kinesis_aggregate aggregate = {0};
    assert_false(kinesis_aggregate_open(&aggregate, "", 0));
    assert_false(kinesis_aggregate_open(&aggregate, "\xf3\x89\x9a\xc2", 4));
    assert_false(kinesis_aggregate_open(&aggregate, "{\"a\":1}xxxxxxxxxxxxxxxxxxxx", 27));
    assert_false(opens(MESSAGE("\x0a\x05x")));                   /* cut off */
    assert_false(opens(MESSAGE("\x1a\x05\x08\x00\x1a\x01x")));   /* a key that is not there */
    assert_false(opens(MESSAGE("\x0a\x01k\x1a\x02\x08\x00")));   /* no data */
    assert_false(opens(MESSAGE("\x0a\x01k\x1a\x03\x1a\x01x")));  /* no key */
    assert_false(opens(MESSAGE("\x0a\x01k\x1a\x04\x08\x00\x18\x01"))); /* data of another type */
    assert_false(opens(MESSAGE("\x0b\x01k")));                   /* a group */
    assert_false(opens(MESSAGE("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01k"))); /* larger than all */
    assert_false(opens(MESSAGE("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01k")));
    assert_true(opens(MESSAGE("\x0a\x01k")));                    /* packs nothing */
}

static void test_names(void **state)
{
    (void)state;
    static const char *const pairs[] = {"a.b:x", "long:y.z"};
    char name[KINESIS_NAME_SIZE];
    assert_true(kinesis_name(pairs, 2, "p-${topic}-${topic}", "topic", "long", name));
    assert_string_equal(name, "y.z");
    assert_true(kinesis_name(pairs, 2, "p-${topic}-${topic}", "topic", "lon", name));
    assert_string_equal(name, "p-lon-lon");
    assert_true(kinesis_name(pairs, 0, "${other}", "topic", "q", name));
    assert_string_equal(name, "${other}");
    char longer[300];
    memset(longer, 'a', sizeof(longer));
    longer[255] = '\0';
    assert_true(kinesis_name(pairs, 0, "${topic}", "topic", longer, name));
    longer[255] = 'a';
    longer[256] = '\0';
    assert_false(kinesis_name(pairs, 0, "${topic}", "topic", longer, name));
    assert_false(kinesis_name(pairs, 0, "${topic}", "topic", "", name));
    assert_true(kinesis_stream_valid("A-z_0.9"));
    assert_false(kinesis_stream_valid("a b"));
    longer[129] = '\0';
    assert_false(kinesis_stream_valid(longer));
}

static void test_shards_are_divided_by_number(void **state)
{
    (void)state;
    assert_int_equal(shard_task("shardId-000000000000", 0, 3), 0);
    assert_int_equal(shard_task("shardId-000000000007", 0, 3), 1);
    assert_int_equal(shard_task("shardId-000000000007", 1, 3), 2);
    assert_int_equal(shard_task("odd", 0, 3), 0);
    assert_int_equal(shard_task("shardId-000000000007", 0, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records_in_order_with_their_keys),
        cmocka_unit_test(test_what_is_no_aggregate),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_shards_are_divided_by_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
