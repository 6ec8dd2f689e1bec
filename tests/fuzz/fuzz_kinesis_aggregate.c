/* Kinesis aggregates of any bytes: as they are, and with magic and MD5 put around them. */
#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "connectors/kinesis/aggregate.h"

static volatile unsigned char seen; /* every byte handed out is read */

static void split(struct kinesis_aggregate *aggregate, const unsigned char *data, size_t size)
{
    struct kinesis_packed packed;
    size_t count = 0;
    if (!kinesis_aggregate_open(aggregate, data, size)) {
        return;
    }
    while (kinesis_aggregate_next(aggregate, &packed)) {
        for (size_t i = 0; i < packed.data.size; i++) {
            seen ^= (unsigned char)packed.data.data[i];
        }
        for (size_t i = 0; i < packed.key.size; i++) {
            seen ^= (unsigned char)packed.key.data[i];
        }
        count++;
    }
    if (count != aggregate->count) {
        abort(); /* what was opened is handed out as a whole */
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct kinesis_aggregate aggregate = {0};
    unsigned char *wrapped = malloc(size + 20);
    memcpy(wrapped, "\xf3\x89\x9a\xc2", 4);
    if (size > 0) {
        memcpy(wrapped + 4, data, size);
    }
    (void)EVP_Digest(data, size, wrapped + 4 + size, NULL, EVP_md5(), NULL);
    split(&aggregate, wrapped, size + 20);
    split(&aggregate, data, size);
    kinesis_aggregate_finish(&aggregate);
    free(wrapped);
    return 0;
}
