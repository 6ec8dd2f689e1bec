/*
 * Digits of binary floating point numbers after Steele and White, with the particularities of JDK 17
 * that show in what it prints: at least two digits are generated where an exponent is written; the
 * rounding interval is open where the numbers fit into a machine word and closed at its upper end
 * where they do not; it is symmetric at powers of two; zeros left by rounding up are kept; integers
 * beyond 2^53 lose their meaningless digits by decimal rounding.
 */
#include "lib/java/double_text.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define FRACTION_BITS 52
#define LIMBS 64 /* of 32 bits: 5^325 * 2^1130, more than any operand here comes to */

struct number {
    uint32_t limb[LIMBS]; /* least first */
    int count;
};

struct digits {
    char digit[24];
    int count;
    int exponent; /* value = 0.digits * 10^exponent */
};

static void number_set(struct number *n, uint64_t value)
{
    n->limb[0] = (uint32_t)value;
    n->limb[1] = (uint32_t)(value >> 32);
    n->count = n->limb[1] ? 2 : n->limb[0] ? 1 : 0;
}

static void number_multiply(struct number *n, uint32_t factor)
{
    uint64_t carry = 0;
    for (int i = 0; i < n->count; i++) {
        carry += (uint64_t)n->limb[i] * factor;
        n->limb[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry) {
        n->limb[n->count++] = (uint32_t)carry;
    }
}

static void number_scale(struct number *n, int power_of_5, int power_of_2)
{
    for (; power_of_5 >= 13; power_of_5 -= 13) {
        number_multiply(n, 1220703125);
    }
    for (; power_of_5 > 0; power_of_5--) {
        number_multiply(n, 5);
    }
    int whole = power_of_2 / 32;
    if (whole > 0 && n->count > 0) {
        memmove(n->limb + whole, n->limb, (size_t)n->count * sizeof(n->limb[0]));
        memset(n->limb, 0, (size_t)whole * sizeof(n->limb[0]));
        n->count += whole;
    }
    if (power_of_2 % 32) {
        number_multiply(n, UINT32_C(1) << power_of_2 % 32);
    }
}

static int number_compare(const struct number *a, const struct number *b)
{
    if (a->count != b->count) {
        return a->count < b->count ? -1 : 1;
    }
    for (int i = a->count; i-- > 0;) {
        if (a->limb[i] != b->limb[i]) {
            return a->limb[i] < b->limb[i] ? -1 : 1;
        }
    }
    return 0;
}

static void number_add(struct number *a, const struct number *b)
{
    uint64_t carry = 0;
    int count = a->count > b->count ? a->count : b->count;
    for (int i = 0; i < count; i++) {
        carry += i < a->count ? a->limb[i] : 0;
        carry += i < b->count ? b->limb[i] : 0;
        a->limb[i] = (uint32_t)carry;
        carry >>= 32;
    }
    a->count = count;
    if (carry) {
        a->limb[a->count++] = (uint32_t)carry;
    }
}

/* a -= b, where a >= b */
static void number_subtract(struct number *a, const struct number *b)
{
    uint64_t borrow = 0;
    for (int i = 0; i < a->count; i++) {
        uint64_t take = (i < b->count ? b->limb[i] : 0) + borrow;
        borrow = a->limb[i] < take;
        a->limb[i] = (uint32_t)(a->limb[i] - take);
    }
    while (a->count > 0 && a->limb[a->count - 1] == 0) {
        a->count--;
    }
}

/* The quotient of b and s, which is one decimal digit; b becomes ten times the remainder. */
static int number_next_digit(struct number *b, const struct number *s)
{
    int quotient = 0;
    while (number_compare(b, s) >= 0) {
        number_subtract(b, s);
        quotient++;
    }
    number_multiply(b, 10);
    return quotient;
}

static uint64_t power_of_5(int n)
{
    uint64_t result = 1;
    while (n-- > 0) {
        result *= 5;
    }
    return result;
}

/* Bits that 5^n takes; where it does not fit into 64 of them an estimate, from which nothing hangs. */
static int bits_of_power_of_5(int n)
{
    return n == 0 ? 0 : n > 26 ? n * 3 : 64 - __builtin_clzll(power_of_5(n));
}

static void round_up(struct digits *d)
{
    int i = d->count - 1;
    while (d->digit[i] == '9' && i > 0) {
        d->digit[i--] = '0';
    }
    if (d->digit[i] == '9') {
        d->digit[0] = '1';
        d->exponent++;
    } else {
        d->digit[i]++;
    }
}

/* An integer below 2^63, whose last `meaningless` digits are rounded away. */
static void digits_of_integer(struct digits *d, uint64_t value, int meaningless)
{
    int dropped = meaningless;
    if (meaningless > 0) {
        uint64_t unit = power_of_5(meaningless) << meaningless;
        uint64_t rest = value % unit;
        value = value / unit + (rest >= unit / 2);
    }
    for (; value % 10 == 0; value /= 10) {
        dropped++;
    }
    char reversed[24];
    int count = 0;
    for (; value; value /= 10) {
        reversed[count++] = (char)('0' + value % 10);
    }
    for (int i = 0; i < count; i++) {
        d->digit[i] = reversed[count - 1 - i];
    }
    d->count = count;
    d->exponent = count + dropped;
}

/* value = fraction * 5^b5 * 2^b2 over 5^s5 * 2^s2 * 10^exponent; 5^m5 * 2^m2 is half a last place. */
struct scaled {
    uint64_t fraction;
    int b2, b5, s2, s5, m2, m5;
    int exponent;
};

/* Why generation ended. */
struct stop {
    bool low, high; /* what is left lies within the interval around the digits, or around one more */
    int tie;        /* sign of twice what is left against one */
};

static bool exponent_is_written(int exponent)
{
    return exponent < -3 || exponent >= 8;
}

/* In machine words; narrow: of 32 bits, whose overflow ends the generation like any other. */
static struct stop generate_in_words(struct digits *d, struct scaled *v, bool narrow)
{
    struct stop stop;
    int64_t b = (int64_t)(v->fraction * power_of_5(v->b5) << v->b2);
    int64_t s = (int64_t)(power_of_5(v->s5) << v->s2);
    int64_t m = (int64_t)(power_of_5(v->m5) << v->m2);
    int64_t tens = s * 10;
    bool first = true;
    do {
        int64_t quotient = b / s;
        b = 10 * (b % s);
        m = (int64_t)((uint64_t)m * 10);
        m = narrow ? (int32_t)m : m;
        if (m > 0) {
            stop.low = b < m;
            stop.high = (int64_t)((uint64_t)b + (uint64_t)m) > tens; /* may overflow, as in Java */
        } else {
            stop.low = stop.high = true;
        }
        if (first && quotient == 0 && !stop.high) {
            v->exponent--; /* it was estimated one too high */
        } else {
            d->digit[d->count++] = (char)('0' + quotient);
        }
        if (first && exponent_is_written(v->exponent)) {
            stop.low = stop.high = false;
        }
        first = false;
    } while (!stop.low && !stop.high);
    uint64_t twice = (uint64_t)b * 2;
    stop.tie = (twice > (uint64_t)tens) - (twice < (uint64_t)tens);
    return stop;
}

static struct stop generate(struct digits *d, struct scaled *v)
{
    struct stop stop;
    struct number b, s, m, tens, sum;
    number_set(&b, v->fraction);
    number_scale(&b, v->b5, v->b2);
    number_set(&s, 1);
    number_scale(&s, v->s5, v->s2);
    number_set(&m, 1);
    number_scale(&m, v->m5, v->m2);
    tens = s;
    number_multiply(&tens, 10);
    bool first = true;
    do {
        int quotient = number_next_digit(&b, &s);
        number_multiply(&m, 10);
        sum = b;
        number_add(&sum, &m);
        stop.low = number_compare(&b, &m) < 0;
        stop.high = number_compare(&tens, &sum) <= 0;
        if (first && quotient == 0 && !stop.high) {
            v->exponent--;
        } else {
            d->digit[d->count++] = (char)('0' + quotient);
        }
        if (first && exponent_is_written(v->exponent)) {
            stop.low = stop.high = false;
        }
        first = false;
    } while (!stop.low && !stop.high);
    number_multiply(&b, 2);
    stop.tie = number_compare(&b, &tens);
    return stop;
}

/* fraction has bit 52 set; the value is fraction * 2^(exponent - 52), good to `significant` bits. */
static void find_digits(struct digits *d, int exponent, uint64_t fraction, int significant)
{
    int trailing = __builtin_ctzll(fraction);
    int fraction_bits = FRACTION_BITS + 1 - trailing;
    int behind_point = fraction_bits - exponent - 1 > 0 ? fraction_bits - exponent - 1 : 0;
    d->count = 0;
    if (behind_point == 0 && exponent <= 62) {
        int excess = exponent - significant - 1;
        uint64_t value = exponent >= FRACTION_BITS ? fraction << (exponent - FRACTION_BITS)
                                                   : fraction >> (FRACTION_BITS - exponent);
        digits_of_integer(d, value, excess > 1 ? (int)(excess * 0.30102999566398120) : 0);
        return;
    }
    double mantissa = (double)fraction / (double)(UINT64_C(1) << FRACTION_BITS);
    struct scaled v;
    double estimate = (mantissa - 1.5) * 0.289529654 + 0.176091259 + exponent * 0.301029995663981;
    v.exponent = (int)estimate - (estimate < (int)estimate); /* rounded down; one too high is noticed */
    v.b5 = v.exponent < 0 ? -v.exponent : 0;
    v.b2 = v.b5 + behind_point + exponent;
    v.s5 = v.exponent > 0 ? v.exponent : 0;
    v.s2 = v.s5 + behind_point;
    v.m5 = v.b5;
    v.m2 = v.b2 - significant;
    v.fraction = fraction >> trailing;
    v.b2 -= fraction_bits - 1;
    int common = v.b2 < v.s2 ? v.b2 : v.s2;
    v.b2 -= common;
    v.s2 -= common;
    v.m2 -= common;
    if (fraction_bits == 1) {
        v.m2--; /* below a power of two the next number is only half as far */
    }
    if (v.m2 < 0) {
        v.b2 -= v.m2;
        v.s2 -= v.m2;
        v.m2 = 0;
    }
    int b_bits = fraction_bits + v.b2 + bits_of_power_of_5(v.b5);
    int tens_bits = v.s2 + 1 + bits_of_power_of_5(v.s5 + 1);
    struct stop stop = b_bits < 64 && tens_bits < 64
                           ? generate_in_words(d, &v, b_bits < 32 && tens_bits < 32)
                           : generate(d, &v);
    d->exponent = v.exponent + 1;
    bool odd = d->digit[d->count - 1] & 1;
    if (stop.high && (!stop.low || stop.tie > 0 || (stop.tie == 0 && odd))) {
        round_up(d);
    }
}

static char *put_zeros(char *to, int count)
{
    memset(to, '0', (size_t)count);
    return to + count;
}

static char *put_digits(char *to, const struct digits *d, int from, int end)
{
    memcpy(to, d->digit + from, (size_t)(end - from));
    return to + (end - from);
}

static char *put_exponent(char *to, int exponent)
{
    *to++ = 'E';
    if (exponent < 0) {
        *to++ = '-';
        exponent = -exponent;
    }
    if (exponent >= 100) {
        *to++ = (char)('0' + exponent / 100);
    }
    if (exponent >= 10) {
        *to++ = (char)('0' + exponent / 10 % 10);
    }
    *to++ = (char)('0' + exponent % 10);
    return to;
}

/* Plain from 10^-3 up to 10^7, else with an exponent; always a digit behind the point. */
static size_t print(const struct digits *d, bool negative, char *to)
{
    char *p = to;
    if (negative) {
        *p++ = '-';
    }
    if (d->exponent > 0 && d->exponent < 8) {
        int whole = d->count < d->exponent ? d->count : d->exponent;
        p = put_digits(p, d, 0, whole);
        p = put_zeros(p, d->exponent - whole);
        *p++ = '.';
        p = whole < d->count ? put_digits(p, d, whole, d->count) : put_zeros(p, 1);
    } else if (d->exponent <= 0 && d->exponent > -3) {
        *p++ = '0';
        *p++ = '.';
        p = put_zeros(p, -d->exponent);
        p = put_digits(p, d, 0, d->count);
    } else {
        *p++ = d->digit[0];
        *p++ = '.';
        p = d->count > 1 ? put_digits(p, d, 1, d->count) : put_zeros(p, 1);
        p = put_exponent(p, d->exponent - 1);
    }
    *p = '\0';
    return (size_t)(p - to);
}

/* Zero, infinite, not a number; 0: none of these. */
static size_t print_special(double value, char *to)
{
    const char *text = isnan(value)   ? "NaN"
                       : isinf(value) ? (value < 0 ? "-Infinity" : "Infinity")
                       : value == 0   ? (signbit(value) ? "-0.0" : "0.0")
                                      : "";
    size_t size = strlen(text);
    memcpy(to, text, size + 1);
    return size;
}

size_t java_double_text(double value, char text[JAVA_DOUBLE_TEXT_SIZE])
{
    size_t size = print_special(value, text);
    if (size > 0) {
        return size;
    }
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    int exponent = (int)(bits >> FRACTION_BITS & 0x7FF);
    uint64_t fraction = bits & ((UINT64_C(1) << FRACTION_BITS) - 1);
    int significant = FRACTION_BITS + 1;
    if (exponent == 0) {
        int zeros = __builtin_clzll(fraction);
        fraction <<= zeros - 11;
        exponent = 12 - zeros;
        significant = 64 - zeros;
    } else {
        fraction |= UINT64_C(1) << FRACTION_BITS;
    }
    struct digits digits;
    find_digits(&digits, exponent - 1023, fraction, significant);
    return print(&digits, value < 0, text);
}

size_t java_float_text(float value, char text[JAVA_DOUBLE_TEXT_SIZE])
{
    size_t size = print_special((double)value, text);
    if (size > 0) {
        return size;
    }
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    int exponent = (int)(bits >> 23 & 0xFF);
    uint32_t fraction = bits & 0x7FFFFF;
    int significant = 24;
    if (exponent == 0) {
        int zeros = __builtin_clz(fraction);
        fraction <<= zeros - 8;
        exponent = 9 - zeros;
        significant = 32 - zeros;
    } else {
        fraction |= UINT32_C(1) << 23;
    }
    struct digits digits;
    find_digits(&digits, exponent - 127, (uint64_t)fraction << (FRACTION_BITS - 23), significant);
    return print(&digits, value < 0, text);
}
