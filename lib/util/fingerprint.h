/* Fingerprints of bytes, and of which records a batch begins with. Pure functions: any thread. */
#ifndef LIB_UTIL_FINGERPRINT_H
#define LIB_UTIL_FINGERPRINT_H

#include <stdint.h>
#include <string.h>

#include <sluice/plugin.h>

static inline uint64_t fingerprint(uint64_t seed, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    uint64_t value = seed ^ 0xcbf29ce484222325u;
    for (size_t i = 0; i < size; i++) {
        value = (value ^ bytes[i]) * 0x100000001b3u; /* FNV-1a */
    }
    return value;
}

/**
 * Of where the first `count` records of a batch come from. A batch that a sink gave back may come again
 * without records whose partitions have left, or never, and another one in its place.
 */
static inline uint64_t fingerprint_records(const struct sluice_host *host, struct sluice_batch *batch, size_t count)
{
    const struct sluice_records *records = host->records;
    uint64_t value = count;
    for (size_t i = 0; i < count; i++) {
        const struct sluice_record *record = records->at(batch, i);
        const char *topic = records->original_topic(record);
        int64_t place[2] = {records->original_partition(record), records->offset(record)};
        value = fingerprint(fingerprint(value, topic, strlen(topic)), place, sizeof(place));
    }
    return value;
}

#endif
