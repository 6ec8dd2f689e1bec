/*
 * Strings, numbers and literals, checked and brought into normal form; part of json_scan_body.h.
 * [any thread, each with its own scanner]
 */
#ifndef CORE_DATA_JSON_SCAN_SCALAR_H
#define CORE_DATA_JSON_SCAN_SCALAR_H

#include "core/data/json_number.h"
#include "core/data/json_scan_state.h"

/* -- strings -- */

static int hex(unsigned char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* At a backslash: one escape, normalised. */
static bool scan_escape(struct scanner *s)
{
    const unsigned char *from = s->p;
    if (s->end - from < 2) {
        return fail(s, s->end, "Unexpected end-of-input in VALUE_STRING", 0);
    }
    char text[16];
    size_t size;
    switch (from[1]) {
    case '"':
    case '\\':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        s->p += 2;
        return true;
    case '/':
        s->p += 2;
        replace(s, from, s->p, "/", 1);
        return true;
    case 'u':
        break;
    default:
        return fail(s, from + 1, "Unrecognized character escape '%c' (code %u)", from[1]);
    }
    uint32_t unit = 0;
    bool upper = true;
    for (int i = 2; i < 6; i++) {
        if (from + i >= s->end) {
            return fail(s, s->end, "Unexpected end-of-input in VALUE_STRING", 0);
        }
        int digit = hex(from[i]);
        if (digit < 0) {
            return fail(s, from + i,
                        "Unexpected character ('%c' (code %u)): expected a hex-digit for character "
                        "escape sequence",
                        from[i]);
        }
        unit = unit << 4 | (uint32_t)digit;
        upper &= from[i] < 'a';
    }
    s->p += 6;
    if (upper && unit >= 0xD800 && unit <= 0xDFFF) {
        return true; /* half of a character beyond the BMP, as it is written */
    }
    size = json_put_char(text, unit);
    if (size != 6 || memcmp(from, text, 6) != 0) {
        replace(s, from, s->p, text, size);
    }
    return true;
}

/*
 * At a byte above 0x7F. Jackson is lenient about overlong forms and encoded surrogates; the strict
 * flag is not.
 */
static bool scan_utf8(struct scanner *s)
{
    const unsigned char *p = s->p;
    unsigned first = *p;
    size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC0 || first > 0xF7) {
        return fail(s, p, "Invalid UTF-8 start byte 0x%02x", first);
    }
    uint32_t c = first & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        if (p + i >= s->end) {
            return fail(s, s->end, "Unexpected end-of-input in VALUE_STRING", 0);
        }
        if ((p[i] & 0xC0) != 0x80) {
            return fail(s, p + i, "Invalid UTF-8 middle byte 0x%02x", p[i]);
        }
        c = c << 6 | (p[i] & 0x3F);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    bool odd = c < least[length] || (c >= 0xD800 && c <= 0xDFFF) || c > 0x10FFFF;
    if (odd && (s->flags & SLUICE_JSON_STRICT || c > 0x10FFFF)) {
        return fail(s, p, "Invalid UTF-8 sequence beginning with 0x%02x", first);
    }
    s->p += length;
    if (length == 4 || odd) {
        char text[16];
        size_t size = json_put_char(text, c);
        replace(s, p, s->p, text, size);
    }
    return true;
}

static inline bool is_tail(unsigned char c)
{
    return (c & 0xC0) == 0x80;
}

/* Over characters of two and three bytes that nobody doubts; the rest is scan_utf8()'s. */
static inline const unsigned char *skip_common_utf8(const unsigned char *p, const unsigned char *end)
{
    while (end - p >= 3) {
        if (p[0] >= 0xC2 && p[0] <= 0xDF && is_tail(p[1])) {
            p += 2;
        } else if (p[0] >= 0xE1 && p[0] <= 0xEF && p[0] != 0xED && is_tail(p[1]) && is_tail(p[2])) {
            p += 3;
        } else {
            break;
        }
    }
    return p;
}

/* At the closing quote of a string with many bytes: are they as many characters of UTF-16? */
static bool check_length(struct scanner *s, const unsigned char *from)
{
    size_t units = 0;
    for (const unsigned char *p = from; p < s->p; p++) {
        units += ((*p & 0xC0) != 0x80) + (*p >= 0xF0); /* escapes count too much: they are rare here */
    }
    if (units > JSON_MAX_STRING) {
        return fail(s, from,
                    "String value length (%u) exceeds the maximum allowed (20000000, from "
                    "`StreamReadConstraints.getMaxStringLength()`)",
                    (unsigned)units);
    }
    s->p++;
    return true;
}

/* At an opening quote. *ret_escaped: it has escapes or bytes beyond ASCII. */
static bool scan_string(struct scanner *s, bool *ret_escaped)
{
    const unsigned char *from = ++s->p;
    *ret_escaped = false;
    for (;;) {
        s->p = json_plain_end(s->p, s->end);
        if (s->p >= s->end) {
            return fail(s, s->end, "Unexpected end-of-input in VALUE_STRING", 0);
        }
        unsigned c = *s->p;
        if (c == '"') {
            if (s->p - from > JSON_MAX_STRING) {
                return check_length(s, from);
            }
            s->p++;
            return true;
        }
        *ret_escaped = true;
        if (c == '\\') {
            if (!scan_escape(s)) {
                return false;
            }
        } else if (c < 0x20) {
            return fail(s, s->p,
                        "Illegal unquoted character ((CTRL-CHAR, code %u)): has to be escaped using "
                        "backslash to be included in string value",
                        c);
        } else {
            s->p = skip_common_utf8(s->p, s->end);
            if (s->p < s->end && *s->p >= 0x80 && !scan_utf8(s)) {
                return false;
            }
        }
    }
}

/* -- numbers, literals -- */

static bool scan_number(struct scanner *s)
{
    const unsigned char *from = s->p;
    struct json_number number;
    const char *wrong = json_number_scan(from, s->end, (s->flags & SLUICE_JSON_STRICT) != 0, &number);
    s->p = number.end;
    if (wrong) {
        return s->p >= s->end ? fail(s, s->end, "Unexpected end-of-input in a number", 0)
                              : fail(s, s->p, wrong, *s->p);
    }
    if (number.digits > JSON_MAX_NUMBER) {
        return fail(s, from,
                    "Number value length (%u) exceeds the maximum allowed (1000, from "
                    "`StreamReadConstraints.getMaxNumberLength()`)",
                    (unsigned)number.digits);
    }
    bool delimited = s->flags & SLUICE_JSON_PREFIX && s->p < s->end &&
                     (*s->p == ',' || *s->p == ']' || *s->p == '}');
    if (s->depth == 0 && s->p < s->end && !is_blank(*s->p) && !delimited) {
        return fail(s, s->p,
                    "Unexpected character ('%c' (code %u)): Expected space separating root-level values",
                    *s->p);
    }
    bool wide = number.integral && number.digits > 18 && s->flags & SLUICE_JSON_WIDE_INTEGERS;
    if (!number.normal && !wide && !(s->flags & SLUICE_JSON_EXACT_NUMBERS)) {
        char text[JSON_NUMBER_TEXT];
        size_t size = json_number_text(&number, text);
        if (size == 0) {
            return fail(s, from, "Malformed numeric value: its exponent is out of range", 0);
        }
        s->infinite |= text[size - 1] == '9' && size >= 5 && memcmp(text + size - 5, "1E999", 5) == 0;
        replace(s, from, s->p, text, size);
    }
    return true;
}

static bool is_word(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || c >= 0x80;
}

static bool scan_literal(struct scanner *s)
{
    static const char *const words[] = {"null", "true", "false"};
    for (size_t i = 0; i < 3; i++) {
        size_t size = strlen(words[i]);
        if ((size_t)(s->end - s->p) >= size && memcmp(s->p, words[i], size) == 0 &&
            (s->p + size == s->end || !is_word(s->p[size]))) {
            s->p += size;
            return true;
        }
    }
    if (s->p < s->end && is_word(*s->p)) {
        return fail(s, s->p,
                    "Unrecognized token beginning with '%c': was expecting (JSON String, Number, Array, "
                    "Object or token 'null', 'true' or 'false')",
                    *s->p);
    }
    return fail_unexpected(s, "expected a valid value (JSON String, Number, Array, Object or token "
                              "'null', 'true' or 'false')");
}

#endif
