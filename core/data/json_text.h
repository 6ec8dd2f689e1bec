/*
 * Bytes of JSON strings, many at a time. Compiled for what the file that includes it is compiled for:
 * 32 bytes with AVX2, 16 with SSE2, else one by one. Reads nothing outside [p, end). [any thread]
 */
#ifndef CORE_DATA_JSON_TEXT_H
#define CORE_DATA_JSON_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/util/utf8.h"

#if defined(__AVX2__)
#include <immintrin.h>
#define JSON_BLOCK 32
#elif defined(__SSE2__)
#include <emmintrin.h>
#define JSON_BLOCK 16
#endif

#ifdef JSON_BLOCK
/* A bit for each byte of the block that is a quote or a backslash; plain: or below 0x20 or not ASCII. */
static inline uint32_t json_block_stops(const unsigned char *p, int plain)
{
#if JSON_BLOCK == 32
    __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)p);
    __m256i stop = _mm256_or_si256(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('"')),
                                   _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\\')));
    if (plain) { /* compared with signs: what is not ASCII is below 0x20 too */
        stop = _mm256_or_si256(stop, _mm256_cmpgt_epi8(_mm256_set1_epi8(0x20), bytes));
    }
    return (uint32_t)_mm256_movemask_epi8(stop);
#else
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i stop = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                                _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
    if (plain) {
        stop = _mm_or_si128(stop, _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20)));
    }
    return (uint32_t)_mm_movemask_epi8(stop);
#endif
}
#endif

/*
 * A bit for each of eight bytes that is a quote, a backslash, below 0x20 or not ASCII: the high one of
 * the byte. Behind the first, in the order of their worth, bits may be wrong.
 */
static inline uint64_t json_eight_stops(const unsigned char *p)
{
    const uint64_t each = 0x0101010101010101u;
    uint64_t bytes;
    memcpy(&bytes, p, sizeof(bytes));
    uint64_t quote = bytes ^ each * '"', backslash = bytes ^ each * '\\';
    uint64_t stops = bytes | (bytes - each * 0x20) | (quote - each) | (backslash - each);
    return stops & each * 0x80;
}

static inline const unsigned char *json_find_stop(const unsigned char *p, const unsigned char *end,
                                                  int plain)
{
#ifdef JSON_BLOCK
    while (end - p >= JSON_BLOCK) {
        uint32_t stops = json_block_stops(p, plain);
        if (stops != 0) {
            return p + __builtin_ctz(stops);
        }
        p += JSON_BLOCK;
    }
#endif
    while (plain && end - p >= 8) {
        uint64_t stops = json_eight_stops(p);
        if (stops != 0) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
            return p + (__builtin_ctzll(stops) >> 3);
#else
            break;
#endif
        }
        p += 8;
    }
    while (p < end && *p != '"' && *p != '\\' && (!plain || (*p >= 0x20 && *p < 0x80))) {
        p++;
    }
    return p;
}

/** First byte in [p, end) that is a quote, a backslash, below 0x20 or not ASCII; end where none is. */
static inline const unsigned char *json_plain_end(const unsigned char *p, const unsigned char *end)
{
    return json_find_stop(p, end, 1);
}

/** First quote or backslash in [p, end); end where none is. */
static inline const unsigned char *json_quote_or_escape(const unsigned char *p,
                                                        const unsigned char *end)
{
    return json_find_stop(p, end, 0);
}

/** json_same() may read as many bytes behind what it compares with. */
enum { JSON_SAME_ROOM = 64 };

/** Whether [p, end) begins with the size bytes at known. */
static inline int json_same(const unsigned char *p, const unsigned char *end, const char *known,
                            size_t size)
{
#ifdef __AVX2__
    if (size <= 32 && end - p >= 32) {
        __m256i same = _mm256_cmpeq_epi8(_mm256_loadu_si256((const __m256i *)(const void *)p),
                                         _mm256_loadu_si256((const __m256i *)(const void *)known));
        uint64_t differ = ~(uint64_t)(uint32_t)_mm256_movemask_epi8(same);
        return (differ & (((uint64_t)1 << size) - 1)) == 0;
    }
#endif
    return (size_t)(end - p) >= size && memcmp(p, known, size) == 0;
}

/** Writes \\uXXXX, six bytes, upper-case as Jackson does. */
static inline size_t json_put_unit(char *to, uint32_t unit)
{
    static const char digits[] = "0123456789ABCDEF";
    to[0] = '\\';
    to[1] = 'u';
    to[2] = digits[unit >> 12 & 15];
    to[3] = digits[unit >> 8 & 15];
    to[4] = digits[unit >> 4 & 15];
    to[5] = digits[unit & 15];
    return 6;
}

/** Normal form of one UTF-16 unit or code point up to U+10FFFF; at most 12 bytes. */
static inline size_t json_put_char(char *to, uint32_t c)
{
    static const char shorts[] = "btn\0fr"; /* from 0x08 */
    if (c == '"' || c == '\\') {
        to[0] = '\\';
        to[1] = (char)c;
        return 2;
    }
    if (c >= 0x08 && c <= 0x0D && shorts[c - 0x08] != '\0') {
        to[0] = '\\';
        to[1] = shorts[c - 0x08];
        return 2;
    }
    if (c < 0x20 || (c >= 0xD800 && c <= 0xDFFF)) {
        return json_put_unit(to, c);
    }
    if (c < 0x10000) {
        return utf8_encode(to, c);
    }
    c -= 0x10000;
    (void)json_put_unit(to, 0xD800 + (c >> 10));
    return 6 + json_put_unit(to + 6, 0xDC00 + (c & 0x3FF));
}

#endif
