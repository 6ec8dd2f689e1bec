/* Batches, frames, names and the partitioner of the embedded log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/broker/log/format.h"
#include "core/broker/log/wire.h"
#include "core/broker/topic_name.h"

static void crc_is_castagnoli(void **state)
{
    (void)state;
    assert_int_equal(log_crc32c(0, "123456789", 9), 0xe3069283u); /* the check value of CRC-32C */
    unsigned char zeros[32] = {0};
    assert_int_equal(log_crc32c(0, zeros, 32), 0x8a9136aau); /* RFC 3720 B.4 */
    for (size_t split = 0; split <= 9; split++) {
        uint32_t crc = log_crc32c(0, "123456789", split);
        assert_int_equal(log_crc32c(crc, &"123456789"[split], 9 - split), 0xe3069283u);
    }
}

static void murmur_is_kafkas(void **state)
{
    /* org.apache.kafka.common.utils.UtilsTest.testMurmur2 */
    static const struct {
        const char *key;
        int32_t hash;
    } known[] = {
        {"21", -973932308},
        {"foobar", -790332482},
        {"a-little-bit-long-string", -985981536},
        {"a-little-bit-longer-string", -1486304829},
        {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
        {"abc", 479470107},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        assert_int_equal((int32_t)topic_murmur2(known[i].key, strlen(known[i].key)), known[i].hash);
    }
    assert_int_equal(topic_partition_of("21", 2, 7), (-973932308 & 0x7fffffff) % 7);
}

static void names_are_kafkas(void **state)
{
    char name[251];
    (void)state;
    memset(name, 'a', sizeof(name));
    assert_null(topic_name_wrong("12471ce1b695.pin", 16));
    assert_null(topic_name_wrong("a_b-C.9", 7));
    assert_null(topic_name_wrong(name, 249));
    assert_non_null(topic_name_wrong(name, 250));
    assert_non_null(topic_name_wrong("", 0));
    assert_non_null(topic_name_wrong(".", 1));
    assert_non_null(topic_name_wrong("..", 2));
    assert_non_null(topic_name_wrong("a b", 3));
    assert_non_null(topic_name_wrong("a/b", 3));
    assert_non_null(topic_name_wrong("\xc3\xa4", 2));
}

/* Two records, the first with a header. */
static size_t build(unsigned char *to)
{
    size_t at = sizeof(struct log_batch_head);
    struct log_record_head first = {.timestamp = 5,
                                    .key_size = 1,
                                    .value_size = 3,
                                    .headers_size = 8 + 2 + 1,
                                    .header_count = 1};
    memcpy(to + at, &first, sizeof(first));
    at += sizeof(first);
    memcpy(to + at, "kval\1\0\0\0\1\0\0\0h\0x", 4 + 11);
    at += 4 + 11;
    struct log_record_head second = {.timestamp = 6, .key_size = LOG_NULL, .value_size = LOG_NULL};
    memcpy(to + at, &second, sizeof(second));
    at += sizeof(second);
    log_batch_seal(to, at,
                   (struct log_batch_head){.count = 2, .header_count = 1, .max_timestamp = 6});
    return at;
}

static void batch_round_trip(void **state)
{
    unsigned char bytes[256];
    (void)state;
    size_t size = build(bytes), largest;
    struct log_batch_head head;
    assert_null(log_batch_open(bytes, size, &head));
    assert_int_equal(head.size, size);
    assert_null(log_batch_check(bytes, &head, &largest));
    assert_int_equal(largest, 24 + 4 + 11);
    const char *at = (const char *)bytes + sizeof(head), *end = (const char *)bytes + size;
    struct log_record record = {0};
    assert_true(log_record_next(&at, end, &record));
    assert_int_equal(record.timestamp, 5);
    assert_memory_equal(record.key, "k", 1);
    assert_int_equal(record.value_size, 3);
    const char *cursor = record.headers;
    struct log_header header;
    assert_true(log_header_next(&cursor, record.headers + record.headers_size, &header));
    assert_string_equal(header.name, "h");
    assert_memory_equal(header.value, "x", 1);
    assert_true(log_record_next(&at, end, &record));
    assert_null(record.key);
    assert_null(record.value);
    assert_false(log_record_next(&at, end, &record));
}

/* Any byte changed, any byte missing is noticed; with the checksum mended, nothing is read outside.
 */
static void damage_is_noticed(void **state)
{
    unsigned char bytes[256], copy[256];
    (void)state;
    size_t size = build(bytes), largest;
    struct log_batch_head head;
    for (size_t cut = 0; cut < size; cut++) {
        assert_non_null(log_batch_open(bytes, cut, &head));
    }
    for (size_t i = 0; i < size; i++) {
        for (int bit = 0; bit < 8; bit++) {
            memcpy(copy, bytes, size);
            copy[i] ^= (unsigned char)(1u << bit);
            assert_non_null(log_batch_open(copy, size, &head));
            if (i >= sizeof(head)) {
                unsigned char *exact = malloc(size); /* so that a sanitizer sees its end */
                memcpy(exact, copy, size);
                log_batch_seal(exact, size, (struct log_batch_head){.count = 2, .header_count = 1});
                assert_null(log_batch_open(exact, size, &head));
                (void)log_batch_check(exact, &head, &largest);
                free(exact);
            }
        }
    }
}

static void frames_are_checked(void **state)
{
    struct buffer out;
    char text[8];
    (void)state;
    buffer_init(&out, 1000);
    size_t begin = wire_begin(&out, WIRE_START, 7);
    wire_put_u32(&out, 12);
    wire_put_text(&out, "topic");
    wire_put_i64(&out, -1);
    wire_end(&out, begin);
    struct wire_head head;
    memcpy(&head, out.data, sizeof(head));
    assert_int_equal(head.size, out.size - sizeof(head));
    assert_int_equal(head.id, 7);
    struct wire_reader reader = {out.data + sizeof(head), out.data + out.size, false};
    assert_int_equal(wire_get_u32(&reader), 12);
    wire_get_text(&reader, text, sizeof(text));
    assert_string_equal(text, "topic");
    assert_int_equal(wire_get_i64(&reader), -1);
    assert_false(reader.failed);
    assert_int_equal(wire_get_u32(&reader), 0);
    assert_true(reader.failed);
    reader = (struct wire_reader){out.data + sizeof(head) + 4, out.data + out.size, false};
    wire_get_text(&reader, text, 5); /* too long for its place */
    assert_true(reader.failed);
    assert_string_equal(text, "");
    buffer_finish(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc_is_castagnoli), cmocka_unit_test(murmur_is_kafkas),
        cmocka_unit_test(names_are_kafkas),  cmocka_unit_test(batch_round_trip),
        cmocka_unit_test(damage_is_noticed), cmocka_unit_test(frames_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
