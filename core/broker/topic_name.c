#include "core/broker/topic_name.h"

#include <string.h>

#define MAX_NAME 249 /* file names of 255 bytes, less a partition number */

const char *topic_name_wrong(const char *name, size_t size)
{
    if (size == 0) {
        return "the empty string is not allowed";
    }
    if ((size == 1 && name[0] == '.') || (size == 2 && name[0] == '.' && name[1] == '.')) {
        return "'.' or '..' is not allowed";
    }
    if (size > MAX_NAME) {
        return "the length is more than the maximum allowed length 249";
    }
    for (size_t i = 0; i < size; i++) {
        char c = name[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '.' || c == '_' || c == '-')) {
            return "it contains one or more characters other than ASCII alphanumerics, '.', '_' "
                   "and "
                   "'-'";
        }
    }
    return NULL;
}

uint32_t topic_murmur2(const void *key, size_t size)
{
    const uint32_t m = 0x5bd1e995;
    const unsigned char *p = key;
    uint32_t h = 0x9747b28cu ^ (uint32_t)size;
    for (; size >= 4; size -= 4, p += 4) {
        uint32_t k =
            (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
        k *= m;
        k ^= k >> 24;
        k *= m;
        h *= m;
        h ^= k;
    }
    if (size > 2) {
        h ^= (uint32_t)p[2] << 16;
    }
    if (size > 1) {
        h ^= (uint32_t)p[1] << 8;
    }
    if (size > 0) {
        h ^= p[0];
        h *= m;
    }
    h ^= h >> 13;
    h *= m;
    h ^= h >> 15;
    return h;
}

int32_t topic_partition_of(const void *key, size_t size, int32_t partitions)
{
    return (int32_t)((topic_murmur2(key, size) & 0x7fffffff) % (uint32_t)partitions);
}
