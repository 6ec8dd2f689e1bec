#include "lib/java/double_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Lays out digits d.ddd x 10^exponent as Double.toString specifies: plain between 10^-3 and 10^7,
 * else computerised scientific notation, always with at least one digit behind the point.
 */
static size_t lay_out(char *out, int negative, const char *digits, int count, int exponent)
{
    char *p = out;
    if (negative) {
        *p++ = '-';
    }
    if (exponent >= 0 && exponent < 7) {
        for (int i = 0; i <= exponent; i++) {
            *p++ = i < count ? digits[i] : '0';
        }
        *p++ = '.';
        if (count <= exponent + 1) {
            *p++ = '0';
        }
        for (int i = exponent + 1; i < count; i++) {
            *p++ = digits[i];
        }
    } else if (exponent >= -3 && exponent < 0) {
        *p++ = '0';
        *p++ = '.';
        for (int i = -1; i > exponent; i--) {
            *p++ = '0';
        }
        memcpy(p, digits, (size_t)count);
        p += count;
    } else {
        *p++ = digits[0];
        *p++ = '.';
        if (count == 1) {
            *p++ = '0';
        }
        memcpy(p, digits + 1, (size_t)count - 1);
        p += count - 1;
        p += sprintf(p, "E%d", exponent);
    }
    *p = '\0';
    return (size_t)(p - out);
}

static size_t special(double value, char *text)
{
    if (isnan(value)) {
        strcpy(text, "NaN");
    } else if (isinf(value)) {
        strcpy(text, value < 0 ? "-Infinity" : "Infinity");
    } else {
        strcpy(text, signbit(value) ? "-0.0" : "0.0");
    }
    return strlen(text);
}

/* Splits what printf("%.*e") printed into digits without trailing zeros and the exponent. */
static size_t from_printed(const char *printed, char *text)
{
    char digits[24];
    int count = 0;
    int negative = *printed == '-';
    const char *p = printed + negative;
    for (; *p && *p != 'e'; p++) {
        if (*p != '.') {
            digits[count++] = *p;
        }
    }
    int exponent = *p == 'e' ? atoi(p + 1) : 0;
    while (count > 1 && digits[count - 1] == '0') {
        count--;
    }
    return lay_out(text, negative, digits, count, exponent);
}

size_t java_double_text(double value, char text[JAVA_DOUBLE_TEXT_SIZE])
{
    if (value == 0 || !isfinite(value)) {
        return special(value, text);
    }
    char printed[40];
    static const int first_try[] = {14, 15, 16}; /* 15 to 17 digits; trailing zeros are dropped */
    for (size_t i = 0; i < sizeof(first_try) / sizeof(first_try[0]); i++) {
        (void)snprintf(printed, sizeof(printed), "%.*e", first_try[i], value);
        if (strtod(printed, NULL) == value) {
            break;
        }
    }
    return from_printed(printed, text);
}

size_t java_float_text(float value, char text[JAVA_DOUBLE_TEXT_SIZE])
{
    if (value == 0 || !isfinite(value)) {
        return special((double)value, text);
    }
    char printed[40];
    for (int precision = 0; precision < 9; precision++) {
        (void)snprintf(printed, sizeof(printed), "%.*e", precision, (double)value);
        if (strtof(printed, NULL) == value) {
            break;
        }
    }
    return from_printed(printed, text);
}
