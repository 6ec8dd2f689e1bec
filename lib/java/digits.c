/* See digits.h. Pure functions: [any thread]. */
#include "lib/java/digits.h"

#include <stdint.h>

/* Code points of digit zero of every decimal digit block in the BMP but ASCII's (Unicode 13, JDK
 * 17). */
static const uint16_t zeros[] = {
    0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66,
    0x0DE6, 0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90,
    0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10,
};

int java_digit(const char *text, size_t left, size_t *step)
{
    const unsigned char *at = (const unsigned char *)text;
    *step = 1;
    if (*at < 0x80) {
        return *at >= '0' && *at <= '9' ? *at - '0' : -1;
    }
    unsigned point;
    if (*at < 0xE0 && left >= 2) {
        point = (*at & 0x1Fu) << 6 | (at[1] & 0x3Fu);
        *step = 2;
    } else if (*at < 0xF0 && left >= 3) {
        point = (*at & 0x0Fu) << 12 | (at[1] & 0x3Fu) << 6 | (at[2] & 0x3Fu);
        *step = 3;
    } else {
        return -1;
    }
    for (size_t i = 0; i < sizeof(zeros) / sizeof(zeros[0]); i++) {
        if (point >= zeros[i] && point < zeros[i] + 10u) {
            return (int)(point - zeros[i]);
        }
    }
    return -1;
}
