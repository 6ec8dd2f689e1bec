/* See java_number.h. */
#include "plugins/transforms/java_number.h"

#include <stdlib.h>
#include <string.h>

#include "lib/java/digits.h"

bool java_parse_long(const char *text, size_t size, int64_t min, int64_t max, int64_t *ret_value)
{
    const unsigned char *at = (const unsigned char *)text, *end = at + size;
    bool negative = false;
    if (at < end && (*at == '-' || *at == '+')) {
        negative = *at++ == '-';
    }
    if (at == end) {
        return false;
    }
    uint64_t limit = negative ? (uint64_t) - (min + 1) + 1 : (uint64_t)max, value = 0;
    while (at < end) {
        size_t step;
        int digit = java_digit((const char *)at, (size_t)(end - at), &step);
        if (digit < 0 || value > (limit - (unsigned)digit) / 10) {
            return false;
        }
        value = value * 10 + (unsigned)digit;
        at += step;
    }
    *ret_value = (int64_t)(negative ? 0 - value : value);
    return true;
}

static const char *skip_digits(const char *at, const char *end, bool hex)
{
    while (at < end && ((*at >= '0' && *at <= '9') ||
                        (hex && ((*at >= 'a' && *at <= 'f') || (*at >= 'A' && *at <= 'F'))))) {
        at++;
    }
    return at;
}

/* True where [text, end) is a number in Java's FloatingPointLiteral syntax without sign and suffix.
 */
static bool is_floating(const char *at, const char *end)
{
    bool hex = end - at > 2 && at[0] == '0' && (at[1] == 'x' || at[1] == 'X');
    at += hex ? 2 : 0;
    const char *whole = skip_digits(at, end, hex);
    bool some = whole > at;
    at = whole;
    if (at < end && *at == '.') {
        const char *part = skip_digits(at + 1, end, hex);
        some |= part > at + 1;
        at = part;
    }
    if (!some) {
        return false;
    }
    bool exponent = at < end && (hex ? *at == 'p' || *at == 'P' : *at == 'e' || *at == 'E');
    if (exponent) {
        at++;
        at += at < end && (*at == '+' || *at == '-');
        const char *digits = skip_digits(at, end, false);
        if (digits == at) {
            return false;
        }
        at = digits;
    }
    return at == end && (exponent || !hex);
}

/*
 * The number between blanks and without suffix as a C string for strtod: in stack where it fits,
 * else in memory to be freed. NULL: not a number.
 */
static char *floating_text(const char *text, size_t size, char *stack, size_t room)
{
    const char *end = text + size;
    while (text < end && (unsigned char)*text <= ' ') {
        text++;
    }
    while (end > text && (unsigned char)end[-1] <= ' ') {
        end--;
    }
    const char *number = text < end && (*text == '-' || *text == '+') ? text + 1 : text;
    size_t left = (size_t)(end - number);
    if (!(left == 3 && memcmp(number, "NaN", 3) == 0) &&
        !(left == 8 && memcmp(number, "Infinity", 8) == 0)) {
        if (left > 0 && (end[-1] == 'f' || end[-1] == 'F' || end[-1] == 'd' || end[-1] == 'D')) {
            end--;
        }
        if (!is_floating(number, end)) {
            return NULL;
        }
    }
    size = (size_t)(end - text);
    char *copy = size < room ? stack : malloc(size + 1);
    if (copy) {
        memcpy(copy, text, size);
        copy[size] = '\0';
    }
    return copy;
}

bool java_parse_double(const char *text, size_t size, double *ret_value)
{
    char stack[128];
    char *copy = floating_text(text, size, stack, sizeof(stack));
    if (!copy) {
        return false;
    }
    *ret_value = strtod(copy, NULL);
    if (copy != stack) {
        free(copy);
    }
    return true;
}

bool java_parse_float(const char *text, size_t size, float *ret_value)
{
    char stack[128];
    char *copy = floating_text(text, size, stack, sizeof(stack));
    if (!copy) {
        return false;
    }
    *ret_value = strtof(copy, NULL);
    if (copy != stack) {
        free(copy);
    }
    return true;
}

bool java_parse_decimal(const char *text, size_t size, struct java_decimal *ret_decimal)
{
    const char *at = text, *end = text + size;
    *ret_decimal = (struct java_decimal){.negative = size > 0 && *text == '-'};
    at += at < end && (*at == '-' || *at == '+');
    const char *whole = skip_digits(at, end, false), *part = whole;
    ret_decimal->digits[0] = at;
    ret_decimal->sizes[0] = (size_t)(whole - at);
    ret_decimal->digits[1] = whole;
    at = whole;
    if (at < end && *at == '.') {
        part = skip_digits(at + 1, end, false);
        ret_decimal->digits[1] = at + 1;
        ret_decimal->sizes[1] = (size_t)(part - at - 1);
        at = part;
    }
    if (ret_decimal->sizes[0] + ret_decimal->sizes[1] == 0) {
        return false;
    }
    ret_decimal->scale = (int64_t)ret_decimal->sizes[1];
    if (at < end && (*at == 'e' || *at == 'E')) {
        int64_t exponent;
        at++;
        if (!java_parse_long(at, (size_t)(end - at), INT32_MIN, INT32_MAX, &exponent)) {
            return false;
        }
        ret_decimal->scale -= exponent;
        at = end;
    }
    return at == end && ret_decimal->scale <= INT32_MAX && ret_decimal->scale >= INT32_MIN;
}

static int decimal_digit(const struct java_decimal *decimal, size_t i)
{
    return i < decimal->sizes[0] ? decimal->digits[0][i] - '0'
                                 : decimal->digits[1][i - decimal->sizes[0]] - '0';
}

int64_t java_decimal_long(const struct java_decimal *decimal)
{
    size_t count = decimal->sizes[0] + decimal->sizes[1];
    if (decimal->scale > 0) {
        count = (uint64_t)decimal->scale < count ? count - (size_t)decimal->scale : 0;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < count; i++) {
        value = value * 10 + (unsigned)decimal_digit(decimal, i);
    }
    /* 10^64 is a multiple of 2^64 */
    for (int64_t i = decimal->scale < -64 ? -64 : decimal->scale; i < 0; i++) {
        value *= 10;
    }
    return (int64_t)(decimal->negative ? 0 - value : value);
}

size_t java_decimal_bytes(const struct java_decimal *decimal, unsigned char *out, size_t limit)
{
    size_t count = decimal->sizes[0] + decimal->sizes[1], used = 1;
    if (limit == 0) {
        return 0;
    }
    memset(out, 0, limit);
    for (size_t i = 0; i < count; i++) {
        unsigned carry = (unsigned)decimal_digit(decimal, i);
        for (size_t k = 0; k < used || carry; k++) {
            if (k == limit) {
                return 0;
            }
            unsigned wide = out[limit - 1 - k] * 10u + carry;
            out[limit - 1 - k] = (unsigned char)wide;
            carry = wide >> 8;
            used = k + 1 > used ? k + 1 : used;
        }
    }
    bool below_zero = false;
    for (size_t k = 0; decimal->negative && k < limit; k++) {
        below_zero |= out[k] != 0;
    }
    if (below_zero) {
        unsigned carry = 1;
        for (size_t k = limit; k-- > 0;) {
            unsigned wide = (unsigned char)~out[k] + carry;
            out[k] = (unsigned char)wide;
            carry = wide >> 8;
        }
    }
    /* the shortest form whose first bit is still the sign */
    size_t start = 0;
    unsigned char fill = below_zero ? 0xFF : 0;
    while (start + 1 < limit && out[start] == fill && (out[start + 1] & 0x80) == (fill & 0x80)) {
        start++;
    }
    if ((out[start] & 0x80) != (fill & 0x80)) {
        return 0; /* not even room for the sign */
    }
    memmove(out, out + start, limit - start);
    return limit - start;
}

int64_t java_double_to_long(double value)
{
    if (value != value) {
        return 0;
    }
    if (value >= 0x1p63) {
        return INT64_MAX;
    }
    return value < -0x1p63 ? INT64_MIN : (int64_t)value;
}

int32_t java_double_to_int(double value)
{
    int64_t whole = java_double_to_long(value);
    return whole > INT32_MAX ? INT32_MAX : whole < INT32_MIN ? INT32_MIN : (int32_t)whole;
}
