#include "connectors/file/lines.h"

#include <stdlib.h>
#include <string.h>

void lines_finish(struct lines *lines)
{
    free(lines->data);
    *lines = (struct lines){0};
}

size_t lines_held(const struct lines *lines)
{
    return lines->end - lines->begin;
}

char *lines_room(struct lines *lines, size_t least, size_t *ret_room)
{
    size_t held = lines_held(lines);
    if (lines->begin > 0) {
        memmove(lines->data, lines->data + lines->begin, held);
        lines->begin = 0;
        lines->end = held;
    }
    if (lines->room - held < least) {
        if (held + least > LINES_MOST) {
            return NULL;
        }
        size_t room = held + least > 2 * lines->room ? held + least : 2 * lines->room;
        char *grown = realloc(lines->data, room);
        if (!grown) {
            return NULL;
        }
        lines->data = grown;
        lines->room = room;
    }
    *ret_room = lines->room - held;
    return lines->data + held;
}

void lines_added(struct lines *lines, size_t size)
{
    lines->end += size;
}

/* The first \n or \r of n bytes; NULL: none. */
static const char *find_end(const char *data, size_t size)
{
    const char *newline = memchr(data, '\n', size);
    const char *carriage = memchr(data, '\r', newline ? (size_t)(newline - data) : size);
    return carriage ? carriage : newline;
}

bool lines_next(struct lines *lines, const char **ret_line, size_t *ret_size, size_t *ret_taken)
{
    const char *begin = lines->data + lines->begin;
    size_t held = lines_held(lines);
    const char *end = held > lines->scanned
                          ? find_end(begin + lines->scanned, held - lines->scanned)
                          : NULL;
    if (!end || (*end == '\r' && end + 1 == begin + held)) {
        lines->scanned = end ? (size_t)(end - begin) : held;
        return false;
    }
    *ret_line = begin;
    *ret_size = (size_t)(end - begin);
    *ret_taken = *ret_size + (*end == '\r' && end[1] == '\n' ? 2 : 1);
    lines->begin += *ret_taken;
    lines->scanned = 0;
    return true;
}
