/*
 * Number texts as Java reads them: Long.parseLong, Double.parseDouble, new BigDecimal(text), and
 * the low bits of a BigDecimal. Stateless; [any thread].
 */
#ifndef TRANSFORMS_JAVA_NUMBER_H
#define TRANSFORMS_JAVA_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Long.parseLong within min..max: optional sign, then Unicode decimal digits of the BMP. */
bool java_parse_long(const char *text, size_t size, int64_t min, int64_t max, int64_t *ret_value);
/** Double.parseDouble: blanks around, NaN, Infinity, decimal or hexadecimal, suffix f, F, d, D. */
bool java_parse_double(const char *text, size_t size, double *ret_value);
/** Float.parseFloat: the same, rounded once. */
bool java_parse_float(const char *text, size_t size, float *ret_value);

/** A decimal number as text: digits (point taken out) times ten to the power of -scale. */
struct java_decimal {
    bool negative;
    const char *digits[2]; /* before and after the point */
    size_t sizes[2];
    int64_t scale;
};
/** The syntax of new BigDecimal(text), ASCII digits. Points into text. */
bool java_parse_decimal(const char *text, size_t size, struct java_decimal *ret_decimal);
/** BigDecimal.longValue(): the integer part modulo 2^64. */
int64_t java_decimal_long(const struct java_decimal *decimal);
/**
 * Unscaled value as big-endian two's complement into out (at most limit bytes); its size, or 0
 * where it does not fit.
 */
size_t java_decimal_bytes(const struct java_decimal *decimal, unsigned char *out, size_t limit);
/** (int), (long) and the like of a double: NaN is 0, out of range saturates. */
int64_t java_double_to_long(double value);
int32_t java_double_to_int(double value);

#endif
