/* Base64 (RFC 4648 §4, padded), for bytes that become text. Stateless. */
#ifndef TRANSFORMS_BASE64_H
#define TRANSFORMS_BASE64_H

#include <stddef.h>

static inline size_t base64_size(size_t size)
{
    return (size + 2) / 3 * 4;
}

/** Writes base64_size(size) characters, not NUL-terminated; returns how many. */
static inline size_t base64_encode(const char *data, size_t size, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *at = (const unsigned char *)data;
    char *to = out;
    for (; size >= 3; size -= 3, at += 3) {
        *to++ = digits[at[0] >> 2];
        *to++ = digits[(at[0] & 3) << 4 | at[1] >> 4];
        *to++ = digits[(at[1] & 15) << 2 | at[2] >> 6];
        *to++ = digits[at[2] & 63];
    }
    if (size > 0) {
        unsigned second = size > 1 ? at[1] : 0;
        *to++ = digits[at[0] >> 2];
        *to++ = digits[(at[0] & 3) << 4 | second >> 4];
        *to++ = size > 1 ? digits[(second & 15) << 2] : '=';
        *to++ = '=';
    }
    return (size_t)(to - out);
}

#endif
