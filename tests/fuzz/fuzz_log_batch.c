/* Batches of the embedded log as an owner checks them and a consumer reads them. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/broker/log/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct log_batch_head head;
    size_t largest;
    uint64_t sum = 0;
    if (size < sizeof(head) || size > 1 << 20) {
        return 0;
    }
    char *copy = malloc(size);
    memcpy(copy, data, size);
    (void)log_batch_open(copy, size, &head);
    memcpy(&head, copy, sizeof(head));
    log_batch_seal(copy, size, head); /* a right checksum, so that the rest is reached */
    if (!log_batch_open(copy, size, &head) && !log_batch_check(copy, &head, &largest)) {
        const char *at = copy + sizeof(head), *end = copy + head.size;
        struct log_record record;
        while (log_record_next(&at, end, &record)) {
            const char *cursor = record.headers;
            struct log_header header;
            for (uint32_t i = 0; i < record.header_count; i++) {
                if (!log_header_next(&cursor, record.headers + record.headers_size, &header)) {
                    abort(); /* the check let it through */
                }
                sum += strlen(header.name) + header.value_size;
            }
            sum += record.key_size + record.value_size;
        }
        if (at != end) {
            abort();
        }
    }
    free(copy);
    return sum == UINT64_MAX;
}
