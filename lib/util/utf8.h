/*
 * UTF-8 one character at a time, as Java writes and reads it. [any thread]
 */
#ifndef LIB_UTIL_UTF8_H
#define LIB_UTIL_UTF8_H

#include <stddef.h>
#include <stdint.h>

/** Writes the UTF-8 form of a code point (at most U+10FFFF) to four bytes; gives its length. */
static inline size_t utf8_encode(char utf8[4], uint32_t code)
{
    if (code < 0x80) {
        utf8[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        utf8[0] = (char)(0xC0 | code >> 6);
        utf8[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        utf8[0] = (char)(0xE0 | code >> 12);
        utf8[1] = (char)(0x80 | (code >> 6 & 0x3F));
        utf8[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    utf8[0] = (char)(0xF0 | code >> 18);
    utf8[1] = (char)(0x80 | (code >> 12 & 0x3F));
    utf8[2] = (char)(0x80 | (code >> 6 & 0x3F));
    utf8[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}

/**
 * Decodes the character at *next (before end) and steps over it. Malformed bytes give U+FFFD, one
 * for each longest piece that could have begun a character, and one for half of a surrogate pair (as
 * Java's decoder does).
 */
static inline uint32_t utf8_decode_lossy(const char **next, const char *end)
{
    const unsigned char *p = (const unsigned char *)*next;
    size_t left = (size_t)(end - *next);
    uint32_t code = p[0];
    size_t length;
    unsigned char low = 0x80, high = 0xBF; /* what the second byte may be */
    if (code < 0x80) {
        *next += 1;
        return code;
    }
    if (code >= 0xC2 && code <= 0xDF) {
        length = 2;
        code &= 0x1F;
    } else if (code >= 0xE0 && code <= 0xEF) {
        length = 3;
        low = code == 0xE0 ? 0xA0 : 0x80;
        code &= 0x0F;
    } else if (code >= 0xF0 && code <= 0xF4) {
        length = 4;
        low = code == 0xF0 ? 0x90 : 0x80;
        high = code == 0xF4 ? 0x8F : 0xBF;
        code &= 0x07;
    } else {
        *next += 1;
        return 0xFFFD;
    }
    for (size_t i = 1; i < length; i++) {
        if (i >= left || p[i] < low || p[i] > high) {
            *next += i;
            return 0xFFFD;
        }
        code = code << 6 | (p[i] & 0x3F);
        low = 0x80;
        high = 0xBF;
    }
    *next += length;
    return code >= 0xD800 && code <= 0xDFFF ? 0xFFFD : code; /* half of a surrogate pair: one fault */
}

/** Takes off a character that was cut at the end of a NUL-terminated text. */
static inline void utf8_trim(char *text, size_t size)
{
    size_t start = size;
    while (start > 0 && size - start < 3 && ((unsigned char)text[start - 1] & 0xC0) == 0x80) {
        start--;
    }
    if (start > 0 && (unsigned char)text[start - 1] >= 0xC0) {
        unsigned char lead = (unsigned char)text[start - 1];
        size_t wanted = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
        if (size - (start - 1) < wanted) {
            text[start - 1] = '\0';
        }
    }
}

#endif
