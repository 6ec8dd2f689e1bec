/* BigDecimal's text and bytes (big_decimal.h). Pure functions: [any thread]. */
#include "plugins/converters/big_decimal.h"

#include <string.h>

#include "lib/java/digits.h"

/** Digits at p (before end) to `to`, without zeros in front of everything; *seen counts all. */
static const char *take_digits(const char *p, const char *end, char *to, size_t *count,
                               size_t *seen)
{
    size_t step;
    for (int digit; p < end && (digit = java_digit(p, (size_t)(end - p), &step)) >= 0; p += step) {
        ++*seen;
        if (*count > 0 || digit > 0) {
            to[(*count)++] = (char)('0' + digit);
        }
    }
    return p;
}

static bool parse_exponent(const char *p, const char *end, int64_t *ret_exponent)
{
    bool negative = false;
    if (p < end && (*p == '-' || *p == '+')) {
        negative = *p++ == '-';
    }
    if (p == end) {
        return false;
    }
    int64_t exponent = 0;
    size_t step, digits = 0;
    for (; p < end; p += step) {
        int digit = java_digit(p, (size_t)(end - p), &step);
        digits += digits > 0 || digit > 0;
        if (digit < 0 || digits > 10) {
            return false;
        }
        exponent = exponent * 10 + digit;
    }
    *ret_exponent = negative ? -exponent : exponent;
    return true;
}

bool big_decimal_parse(const char *text, size_t size, char *digits, struct big_decimal *ret_decimal)
{
    const char *p = text, *end = text + size;
    if (size == 0 || size > BIG_DECIMAL_TEXT_MAX) {
        return false;
    }
    bool negative = *p == '-';
    p += negative || *p == '+';
    size_t count = 0;
    size_t seen = 0, fraction = 0;
    p = take_digits(p, end, digits, &count, &seen);
    if (p < end && *p == '.') {
        p = take_digits(p + 1, end, digits, &count, &fraction);
        seen += fraction;
    }
    int64_t scale = (int64_t)fraction;
    int64_t exponent = 0;
    if (seen == 0 || (p < end && *p != 'e' && *p != 'E') ||
        (p < end && !parse_exponent(p + 1, end, &exponent))) {
        return false;
    }
    scale -= exponent;
    if (scale < INT32_MIN || scale > INT32_MAX) {
        return false;
    }
    *ret_decimal = (struct big_decimal){negative && count > 0, digits, count, (int32_t)scale};
    return true;
}

int64_t big_decimal_long(const struct big_decimal *decimal)
{
    if (decimal->scale >= 0 && (uint32_t)decimal->scale >= decimal->count) {
        return 0;
    }
    size_t kept = decimal->scale > 0 ? decimal->count - (size_t)decimal->scale : decimal->count;
    uint64_t value = 0;
    for (size_t i = 0; i < kept; i++) {
        value = value * 10 + (uint64_t)(decimal->digits[i] - '0');
    }
    /* 2^64 divides 10^64 and all that follow */
    int64_t zeros = decimal->scale < 0 ? -(int64_t)decimal->scale : 0;
    for (int64_t i = 0; i < zeros && i < 64; i++) {
        value *= 10;
    }
    return (int64_t)(decimal->negative ? 0 - value : value);
}

bool big_decimal_exact_long(const struct big_decimal *decimal, int64_t *ret_value)
{
    size_t count = decimal->count;
    int64_t scale = decimal->scale;
    while (scale > 0 && count > 0 && decimal->digits[count - 1] == '0') {
        count--;
        scale--;
    }
    if (count == 0) {
        *ret_value = 0;
        return true;
    }
    if (scale > 0 || (int64_t)count - scale > 19) {
        return false;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < count; i++) {
        value = value * 10 + (uint64_t)(decimal->digits[i] - '0');
    }
    for (; scale < 0; scale++) {
        value *= 10; /* 19 digits at most: below 2^64 */
    }
    if (value > (uint64_t)INT64_MAX + decimal->negative) {
        return false;
    }
    *ret_value = (int64_t)(decimal->negative ? 0 - value : value);
    return true;
}

/** bytes = bytes * factor + addend, least byte first; gives the new count. */
static size_t multiply_add(unsigned char *bytes, size_t count, uint32_t factor, uint32_t addend)
{
    uint64_t carry = addend;
    for (size_t i = 0; i < count; i++) {
        carry += (uint64_t)bytes[i] * factor;
        bytes[i] = (unsigned char)carry;
        carry >>= 8;
    }
    for (; carry; carry >>= 8) {
        bytes[count++] = (unsigned char)carry;
    }
    return count;
}

size_t big_decimal_unscaled(const struct big_decimal *decimal, unsigned char *bytes)
{
    size_t count = 0;
    for (size_t i = 0; i < decimal->count;) {
        uint32_t factor = 1, chunk = 0;
        for (; i < decimal->count && factor < 1000000000; i++) {
            chunk = chunk * 10 + (uint32_t)(decimal->digits[i] - '0');
            factor *= 10;
        }
        count = multiply_add(bytes, count, factor, chunk);
    }
    if (decimal->negative) {
        unsigned carry = 1;
        for (size_t i = 0; i < count; i++) {
            carry += (unsigned char)~bytes[i];
            bytes[i] = (unsigned char)carry;
            carry >>= 8;
        }
        if (!(bytes[count - 1] & 0x80)) {
            bytes[count++] = 0xFF;
        }
    } else if (count == 0 || bytes[count - 1] & 0x80) {
        bytes[count++] = 0;
    }
    while (count > 1 && bytes[count - 1] == 0xFF && bytes[count - 2] & 0x80) {
        count--; /* sign bytes that say nothing */
    }
    for (size_t i = 0; i < count / 2; i++) {
        unsigned char swapped = bytes[i];
        bytes[i] = bytes[count - 1 - i];
        bytes[count - 1 - i] = swapped;
    }
    return count;
}
