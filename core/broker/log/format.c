#include "core/broker/log/format.h"

#include <isa-l/crc.h>
#include <string.h>

uint32_t log_crc32c(uint32_t crc, const void *data, size_t size)
{
    /* isa-l runs three streams at once; its pointer is not const, but it only reads. Sizes are those of
     * frames, far below INT_MAX. */
    return ~crc32_iscsi((unsigned char *)(uintptr_t)data, (int)size, ~crc);
}

/* -- batches -- */

enum { CRC_BEGIN = offsetof(struct log_batch_head, version) };

const char *log_batch_open(const void *data, size_t size, struct log_batch_head *ret_head)
{
    if (size < sizeof(*ret_head)) {
        return "it is shorter than a batch's head";
    }
    memcpy(ret_head, data, sizeof(*ret_head));
    if (ret_head->size < sizeof(*ret_head) || ret_head->size > size) {
        return "its size does not fit";
    }
    if (ret_head->size > LOG_BATCH_MAX) {
        return "it is larger than any batch";
    }
    if (log_crc32c(0, (const char *)data + CRC_BEGIN, ret_head->size - CRC_BEGIN) !=
        ret_head->crc) {
        return "its checksum is wrong";
    }
    if (ret_head->version != LOG_FORMAT_VERSION) {
        return "its format has another version";
    }
    if (ret_head->count == 0 ||
        ret_head->count > (ret_head->size - sizeof(*ret_head)) / sizeof(struct log_record_head)) {
        return "its count of records is impossible";
    }
    return NULL;
}

const char *log_batch_check(const void *data, const struct log_batch_head *head,
                            size_t *ret_largest)
{
    const char *at = (const char *)data + sizeof(*head);
    const char *end = (const char *)data + head->size;
    size_t largest = 0;
    uint64_t headers = 0;
    for (uint32_t i = 0; i < head->count; i++) {
        const char *begin = at;
        struct log_record record;
        if (!log_record_next(&at, end, &record)) {
            return "a record does not fit into it";
        }
        const char *cursor = record.headers;
        for (uint32_t n = 0; n < record.header_count; n++) {
            struct log_header header;
            if (!log_header_next(&cursor, record.headers + record.headers_size, &header)) {
                return "a header does not fit into its record";
            }
        }
        if (cursor != record.headers + record.headers_size) {
            return "there are bytes behind the headers of a record";
        }
        headers += record.header_count;
        size_t size = (size_t)(at - begin);
        largest = size > largest ? size : largest;
    }
    if (at != end) {
        return "there are bytes behind its last record";
    }
    if (headers != head->header_count) {
        return "its count of headers is wrong";
    }
    *ret_largest = largest;
    return NULL;
}

void log_batch_seal(void *data, size_t size, struct log_batch_head head)
{
    head.size = (uint32_t)size;
    head.version = LOG_FORMAT_VERSION;
    memcpy(data, &head, sizeof(head));
    head.crc = log_crc32c(0, (const char *)data + CRC_BEGIN, size - CRC_BEGIN);
    memcpy(data, &head, sizeof(head));
}

bool log_header_next(const char **cursor, const char *end, struct log_header *ret_header)
{
    const char *at = *cursor;
    uint32_t sizes[2];
    if ((size_t)(end - at) < sizeof(sizes)) {
        return false;
    }
    memcpy(sizes, at, sizeof(sizes));
    at += sizeof(sizes);
    uint64_t value = sizes[1] == LOG_NULL ? 0 : sizes[1];
    if ((uint64_t)sizes[0] + 1 + value > (uint64_t)(end - at) ||
        memchr(at, 0, (size_t)sizes[0] + 1) != at + sizes[0]) {
        return false;
    }
    ret_header->name = at;
    at += (size_t)sizes[0] + 1;
    ret_header->value = sizes[1] == LOG_NULL ? NULL : at;
    ret_header->value_size = (uint32_t)value;
    *cursor = at + value;
    return true;
}
