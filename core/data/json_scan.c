/*
 * Entry of the scan: other encodings become UTF-8, the processor chooses the scanner, names that came
 * twice are sorted out. [any thread, each with its own arena]
 */
#include "core/data/json_scan.h"

#include <string.h>

#include "core/data/json_once.h"
#include "core/data/json_text.h"

_Thread_local struct json_shape json_shapes[SHAPES];

/* -- encodings other than UTF-8, as Jackson finds them by the first bytes -- */

struct encoding {
    size_t unit; /* bytes; 1: UTF-8 */
    bool big;
    size_t mark; /* bytes of the mark in front */
};

static struct encoding find_encoding(const unsigned char *p, size_t size)
{
    if (size >= 4) {
        if (memcmp(p, "\0\0\xFE\xFF", 4) == 0 || memcmp(p, "\xFF\xFE\0\0", 4) == 0) {
            return (struct encoding){4, p[0] == 0, 4};
        }
        if (memcmp(p, "\xEF\xBB\xBF", 3) == 0) {
            return (struct encoding){1, false, 3};
        }
        if ((p[0] | p[1] | p[2]) == 0 || (p[1] | p[2] | p[3]) == 0) {
            return (struct encoding){4, p[0] == 0, 0};
        }
        if ((p[0] == 0xFE && p[1] == 0xFF) || (p[0] == 0xFF && p[1] == 0xFE)) {
            return (struct encoding){2, p[0] == 0xFE, 2};
        }
    }
    if (size >= 2) { /* marks count where there are four bytes only */
        if (p[0] == 0 || p[1] == 0) {
            return (struct encoding){2, p[0] == 0, 0};
        }
    }
    return (struct encoding){1, false, 0};
}

/* Surrogates become escapes: they can only stand within strings. An odd byte at the end is left out. */
static struct sluice_span to_utf8(struct arena *arena, const unsigned char *p, size_t size,
                                  struct encoding encoding)
{
    char *out = arena_alloc(arena, size * 3 + 16);
    size_t used = 0;
    for (size_t i = 0; i + encoding.unit <= size; i += encoding.unit) {
        uint32_t c = 0;
        for (size_t j = 0; j < encoding.unit; j++) {
            c = c << 8 | p[i + (encoding.big ? j : encoding.unit - 1 - j)];
        }
        if (c < 0x80) { /* raw: structure and controls are the scan's affair */
            out[used++] = (char)c;
        } else if (c > 0x10FFFF) {
            out[used++] = (char)0xFF; /* which the scan refuses */
        } else {
            used += json_put_char(out + used, c);
        }
    }
    return (struct sluice_span){out, used};
}

enum sluice_result json_scan(struct arena *arena, const char *data, size_t size, uint32_t flags,
                             struct json_scanned *ret, struct sluice_json_error *error)
{
    struct sluice_span text = {data, size};
    if (!(flags & SLUICE_JSON_STRICT)) {
        struct encoding encoding = find_encoding((const unsigned char *)data, size);
        text.data += encoding.mark;
        text.size -= encoding.mark;
        if (encoding.unit > 1) {
            text = to_utf8(arena, (const unsigned char *)text.data, text.size, encoding);
        }
    }
    enum sluice_result result;
#ifdef JSON_SCAN_AVX2
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi")) {
        result = json_scan_utf8_avx2(arena, text, flags, ret, error);
    } else
#endif
    {
        result = json_scan_utf8(arena, text, flags, ret, error);
    }
    if (result == SLUICE_OK && ret->twins) {
        ret->normal = json_once(arena, ret->normal);
    }
    return result;
}
