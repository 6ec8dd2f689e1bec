/* See hash_order.h. */
#include "lib/java/hash_order.h"

/* over units of UTF-16 */
uint32_t java_string_hash(const char *text, size_t size)
{
    uint32_t hash = 0;
    const unsigned char *at = (const unsigned char *)text, *end = at + size;
    while (at < end) {
        unsigned length = *at < 0x80 ? 1 : *at < 0xE0 ? 2 : *at < 0xF0 ? 3 : 4;
        uint32_t point = length == 1 ? *at : *at & (0xFFu >> (length + 1));
        for (unsigned i = 1; i < length && at + i < end; i++) {
            point = point << 6 | (at[i] & 0x3Fu);
        }
        if (length == 4) {
            hash = hash * 31 + (0xD7C0 + (point >> 10));
            point = 0xDC00 + (point & 0x3FF);
        }
        hash = hash * 31 + point;
        at += length;
    }
    return hash;
}

size_t java_buckets(size_t entries)
{
    size_t buckets = 16;
    while (entries > buckets / 4 * 3 && buckets < (size_t)1 << 30) {
        buckets *= 2;
    }
    return buckets;
}

size_t java_buckets_at_once(size_t entries)
{
    size_t least = entries / 3 * 4 + entries % 3 * 4 / 3 + 1, buckets = 1;
    while (buckets < least && buckets < (size_t)1 << 30) {
        buckets *= 2;
    }
    return buckets;
}

uint32_t java_bucket_of(uint32_t hash, size_t buckets)
{
    return (hash ^ hash >> 16) & (uint32_t)(buckets - 1);
}

uint32_t java_bucket(uint32_t hash, size_t entries)
{
    return java_bucket_of(hash, java_buckets(entries));
}

uint32_t java_hash_bucket(const char *text, size_t size, size_t entries)
{
    return java_bucket(java_string_hash(text, size), entries);
}
