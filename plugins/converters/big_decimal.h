/*
 * java.math.BigDecimal as far as converters need it: the text form, its value as a long, and the
 * unscaled value in two's complement. Digits stay decimal text. Pure functions: [any thread].
 */
#ifndef CONVERTERS_BIG_DECIMAL_H
#define CONVERTERS_BIG_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Longest text that is taken; turning digits into bytes takes time by the square of their number. */
#define BIG_DECIMAL_TEXT_MAX 20000

struct big_decimal {
    bool negative;
    const char *digits; /* of the unscaled value, no zeros in front; none: zero */
    size_t count;
    int32_t scale;
};

/**
 * new BigDecimal(text); digits has room for size bytes and shall live as long as the result. False
 * where Java throws NumberFormatException, and beyond BIG_DECIMAL_TEXT_MAX.
 */
bool big_decimal_parse(const char *text, size_t size, char *digits, struct big_decimal *ret_decimal);
/** longValue(): fraction cut off, wrapped to 64 bits. */
int64_t big_decimal_long(const struct big_decimal *decimal);
/** True where it is a whole number that a long can hold. */
bool big_decimal_exact_long(const struct big_decimal *decimal, int64_t *ret_value);

/** Bytes that big_decimal_unscaled() may need. */
static inline size_t big_decimal_room(const struct big_decimal *decimal)
{
    return decimal->count / 2 + 8;
}

/** unscaledValue().toByteArray(): big-endian, as short as possible, at least a byte. Gives the size. */
size_t big_decimal_unscaled(const struct big_decimal *decimal, unsigned char *bytes);

#endif
