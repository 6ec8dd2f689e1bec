/*
 * The batch: the unit that is produced, stored and fetched by the embedded log. A producer makes
 * it, the owner process checks and stores it byte by byte, a consumer's messages point into it.
 * Offsets are not in it: the owner numbers records when it stores them.
 *
 * All numbers are little-endian, nothing is aligned.
 *   head     struct log_batch_head; crc is CRC32C (Castagnoli) of everything behind it
 *   records  count times: struct log_record_head, key, value, headers
 *   headers  header_count times: u32 size of name (without NUL), u32 size of value, name, NUL,
 * value A stored value and the payload of a fetch is one or more batches, one behind the other.
 *
 * No state, no threads.
 */
#ifndef CORE_BROKER_LOG_FORMAT_H
#define CORE_BROKER_LOG_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the embedded log is written on little-endian machines only"
#endif

#define LOG_NULL UINT32_MAX /* a size: there is no key, value or header value */
#define LOG_FORMAT_VERSION 1
/**
 * A producer closes a batch here; a larger record is a batch of its own. Under load a commit covers what one
 * producer has under way, and costs the same for much or little (measured with 700 byte records: 512 kB
 * instead of 128 kB saves a third of the CPU time of all processes, 1 MB hardly more).
 */
#define LOG_BATCH_BYTES ((size_t)512 * 1024)
/** Most a batch may ever have, whatever max.message.bytes says. */
#define LOG_BATCH_MAX ((size_t)32 << 20)
#define LOG_MESSAGE_MOST ((int64_t)LOG_BATCH_MAX - 4096) /* of a producer */

enum log_batch_flags {
    LOG_BATCH_APPEND_TIME =
        1, /* max_timestamp is when it was appended, and counts for all records */
};

struct log_batch_head {
    uint32_t size; /* of all, this head included */
    uint32_t crc;
    uint16_t version;
    uint16_t flags;
    uint32_t count;        /* records, at least 1 */
    uint32_t header_count; /* headers of all records together */
    uint32_t reserved;     /* 0 */
    int64_t max_timestamp;
};

struct log_record_head {
    int64_t timestamp; /* ms */
    uint32_t key_size; /* or LOG_NULL */
    uint32_t value_size;
    uint32_t headers_size; /* bytes of the headers section */
    uint32_t header_count;
};

_Static_assert(sizeof(struct log_batch_head) == 32, "part of the format");
_Static_assert(sizeof(struct log_record_head) == 24, "part of the format");

/** A record as found in a batch; pointers into it. */
struct log_record {
    int64_t timestamp;
    const char *key, *value; /* NULL: null */
    uint32_t key_size, value_size;
    const char *headers;
    uint32_t headers_size, header_count;
};

struct log_header {
    const char *name; /* NUL-terminated */
    const char *value;
    uint32_t value_size;
};

/** CRC32C of data, going on from crc (0 at the start). */
uint32_t log_crc32c(uint32_t crc, const void *data, size_t size);

/**
 * The batch at the beginning of data: checks size, version and CRC, fills *ret_head. NULL, or what
 * is wrong (static text).
 */
const char *log_batch_open(const void *data, size_t size, struct log_batch_head *ret_head);
/** Walks all records of an opened batch; *ret_largest: most bytes of one. NULL, or what is wrong.
 */
const char *log_batch_check(const void *data, const struct log_batch_head *head,
                            size_t *ret_largest);
/** Closes a batch built behind a head: fills the head in and computes the CRC. */
void log_batch_seal(void *data, size_t size, struct log_batch_head head);
/** The record at *cursor, which moves behind it; false where it does not fit before end. */
static inline bool log_record_next(const char **cursor, const char *end, struct log_record *ret_record)
{
    const char *at = *cursor;
    struct log_record_head head;
    if ((size_t)(end - at) < sizeof(head)) {
        return false;
    }
    memcpy(&head, at, sizeof(head));
    at += sizeof(head);
    uint64_t key = head.key_size == LOG_NULL ? 0 : head.key_size;
    uint64_t value = head.value_size == LOG_NULL ? 0 : head.value_size;
    if (key + value + head.headers_size > (uint64_t)(end - at)) {
        return false;
    }
    ret_record->timestamp = head.timestamp;
    ret_record->key = head.key_size == LOG_NULL ? NULL : at;
    ret_record->key_size = (uint32_t)key;
    at += key;
    ret_record->value = head.value_size == LOG_NULL ? NULL : at;
    ret_record->value_size = (uint32_t)value;
    at += value;
    ret_record->headers = at;
    ret_record->headers_size = head.headers_size;
    ret_record->header_count = head.header_count;
    *cursor = at + head.headers_size;
    return true;
}
/** The header at *cursor, which moves behind it; false where it does not fit before end. */
bool log_header_next(const char **cursor, const char *end, struct log_header *ret_header);

#endif
