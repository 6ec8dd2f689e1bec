#include "core/data/json_number.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/data/json_scan.h"
#include "lib/java/double_text.h"

/* Longest text of 1000 digits: point, signs, exponent letter. */
enum { JSON_NUMBER_BYTES = JSON_MAX_NUMBER + 8 };

static inline bool is_digit(const unsigned char *p, const unsigned char *end)
{
    return p < end && *p >= '0' && *p <= '9';
}

/*
 * A decimal of at most 15 significant digits between 10^-3 and 10^7, without exponent and without
 * zeros to spare, is its own shortest text: no need to convert it there and back.
 */
static bool is_short_decimal(const unsigned char *whole, size_t whole_size,
                             const unsigned char *fraction, size_t fraction_size)
{
    bool zero = whole_size == 1 && whole[0] == '0';
    if (whole_size + fraction_size > 15 || whole_size > 7 ||
        (whole_size > 1 && whole[0] == '0')) {
        return false;
    }
    if (fraction[fraction_size - 1] == '0') {
        return fraction_size == 1 && !zero; /* 5.0; but 0.0 may have a sign to lose */
    }
    return !zero || fraction_size < 3 || memcmp(fraction, "000", 3) != 0;
}

const char *json_number_scan(const unsigned char *p, const unsigned char *end, bool strict,
                             struct json_number *number)
{
    *number = (struct json_number){.start = p, .end = p, .integral = true};
    bool negative = *p == '-';
    p += negative;
    const unsigned char *whole = p;
    while (is_digit(p, end)) {
        p++;
    }
    size_t whole_size = (size_t)(p - whole);
    number->end = p;
    if (whole_size == 0) {
        return "Unexpected character ('%c' (code %u)): expected digit (0-9) to follow minus sign, for "
               "valid numeric value";
    }
    bool leading_zero = whole_size > 1 && whole[0] == '0';
    if (strict && leading_zero) {
        number->end = whole;
        return "Invalid numeric value beginning with '%c' (code %u): Leading zeroes not allowed";
    }
    const unsigned char *fraction = p;
    size_t fraction_size = 0;
    if (p < end && *p == '.') {
        fraction = ++p;
        while (is_digit(p, end)) {
            p++;
        }
        fraction_size = (size_t)(p - fraction);
        number->end = p;
        number->integral = false;
        if (fraction_size == 0) {
            return "Unexpected character ('%c' (code %u)): Decimal point not followed by a digit";
        }
    }
    bool exponent = p < end && (*p == 'e' || *p == 'E');
    number->digits = whole_size + fraction_size;
    for (size_t i = 0; i + 1 < whole_size && whole[i] == '0'; i++) {
        number->digits--;
    }
    if (exponent) {
        p++;
        if (p < end && (*p == '+' || *p == '-')) {
            p++;
        }
        const unsigned char *digits = p;
        while (is_digit(p, end)) {
            p++;
        }
        number->end = p;
        number->integral = false;
        number->digits += (size_t)(p - digits);
        if (p == digits) {
            return "Unexpected character ('%c' (code %u)): Exponent indicator not followed by a digit";
        }
    }
    number->end = p;
    if (p < end && (*p == '.' || *p == '-' || *p == '+' || (*p | 0x20) == 'e' ||
                    ((*p | 0x20) >= 'a' && (*p | 0x20) <= 'z') || *p == '_')) {
        return "Unexpected character ('%c' (code %u)): Expected space separating root-level values or a "
               "delimiter behind a number";
    }
    if (number->integral) {
        number->normal = whole_size <= 18 && !leading_zero && !(negative && whole[0] == '0');
    } else {
        number->normal = !exponent && is_short_decimal(whole, whole_size, fraction, fraction_size);
    }
    return NULL;
}

/*
 * BigDecimal's bounds: ten digits of exponent, zeros in front not counted, and a scale of 32 bits. p is
 * at the number, end behind it. *ret_zero: nothing but zeros.
 */
static bool fits_big_decimal(const unsigned char *p, const unsigned char *end, bool *ret_zero)
{
    int64_t scale = 0, exponent = 0;
    bool behind_point = false;
    *ret_zero = true;
    for (; p < end && (*p | 0x20) != 'e'; p++) {
        behind_point |= *p == '.';
        scale += behind_point && *p != '.';
        *ret_zero &= *p == '0' || *p == '.' || *p == '-';
    }
    if (p < end) {
        p++;
        bool negative = *p == '-';
        p += negative || *p == '+';
        while (end - p > 10 && *p == '0') {
            p++;
        }
        if (end - p > 10) {
            return false;
        }
        for (; p < end; p++) {
            exponent = exponent * 10 + (*p - '0');
        }
        scale -= negative ? -exponent : exponent;
    }
    return scale >= INT32_MIN && scale <= INT32_MAX;
}

size_t json_number_text(const struct json_number *number, char text[JSON_NUMBER_TEXT])
{
    const unsigned char *p = number->start;
    if (number->integral) {
        bool negative = *p == '-';
        uint64_t value = 0; /* modulo 2^64, as BigInteger.longValue */
        for (p += negative; p < number->end; p++) {
            value = value * 10 + (uint64_t)(*p - '0');
        }
        value = negative ? (uint64_t)0 - value : value;
        int64_t wrapped;
        memcpy(&wrapped, &value, sizeof(wrapped));
        return (size_t)snprintf(text, JSON_NUMBER_TEXT, "%lld", (long long)wrapped);
    }
    bool zero;
    if (!fits_big_decimal(p, number->end, &zero)) {
        return 0;
    }
    char copy[JSON_NUMBER_BYTES + 1];
    size_t size = (size_t)(number->end - number->start);
    if (size > JSON_NUMBER_BYTES) { /* zeros in front that were not counted */
        p = number->end - JSON_NUMBER_BYTES;
        size = JSON_NUMBER_BYTES;
    }
    memcpy(copy, p, size);
    copy[size] = '\0';
    double value = zero ? 0.0 : strtod(copy, NULL); /* a BigDecimal has no negative zero */
    if (!isfinite(value)) {
        return (size_t)snprintf(text, JSON_NUMBER_TEXT, value < 0 ? "-1E999" : "1E999");
    }
    return java_double_text(value, text);
}
