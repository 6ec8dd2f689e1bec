/* Base64, see base64.h. */
#include "connectors/rest/base64.h"

#include <stdint.h>

static int digit(unsigned char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int rest_base64_decode(const char *text, size_t size, char *bytes, size_t *ret_size)
{
    while (size > 0 && text[size - 1] == '=') {
        size--;
    }
    if (size % 4 == 1) {
        return -1;
    }
    uint32_t bits = 0;
    int have = 0;
    char *to = bytes;
    for (size_t i = 0; i < size; i++) {
        int value = digit((unsigned char)text[i]);
        if (value < 0) {
            return -1;
        }
        bits = bits << 6 | (uint32_t)value;
        have += 6;
        if (have >= 8) {
            have -= 8;
            *to++ = (char)(bits >> have & 0xff);
        }
    }
    *ret_size = (size_t)(to - bytes);
    return 0;
}
