/* Lines do not depend on how a file comes: in pieces (their size is the first byte) or as one. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "connectors/file/lines.h"

/* All lines, each behind its size and what it took; how many bytes that are. */
static size_t cut(const uint8_t *data, size_t size, size_t piece, char *out)
{
    struct lines lines = {0};
    size_t used = 0, taken_all = 0;
    for (size_t at = 0; at < size;) {
        size_t n = size - at < piece ? size - at : piece, room;
        char *to = lines_room(&lines, n, &room);
        if (!to || room < n) {
            abort();
        }
        memcpy(to, data + at, n);
        lines_added(&lines, n);
        at += n;
        const char *line;
        size_t length, taken;
        while (lines_next(&lines, &line, &length, &taken)) {
            if (taken <= length || memchr(line, '\n', length) || memchr(line, '\r', length)) {
                abort();
            }
            memcpy(out + used, line, length);
            used += length;
            out[used++] = '\n';
            taken_all += taken;
        }
        if (taken_all + lines_held(&lines) != at) {
            abort();
        }
    }
    lines_finish(&lines);
    return used;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    char *one = malloc(2 * size), *other = malloc(2 * size);
    size_t a = cut(data + 1, size - 1, size, one);
    size_t b = cut(data + 1, size - 1, (size_t)data[0] + 1, other);
    if (a != b || memcmp(one, other, a) != 0) {
        abort();
    }
    free(one);
    free(other);
    return 0;
}
