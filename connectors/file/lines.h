/*
 * Cuts what a file gives into lines as FileStreamSourceTask does: at \n, \r\n and a lone \r. The last
 * line is held back until its end is there; a \r at the end of what is there waits for what follows.
 * Owned by one source task; [task thread].
 */
#ifndef CONNECTORS_FILE_LINES_H
#define CONNECTORS_FILE_LINES_H

#include <stdbool.h>
#include <stddef.h>

enum { LINES_MOST = 128 << 20 }; /* bytes of one line: memory is bounded (invariant 5) */

struct lines {
    char *data;
    size_t begin, end, room; /* what is not yet handed out is data[begin, end) */
    size_t scanned;          /* behind begin: no end of a line before it */
};

void lines_finish(struct lines *lines);
/**
 * Room for at least `least` more bytes, at *ret_room of them; lines_added() says how many came. NULL:
 * the line is longer than LINES_MOST, or memory is out.
 */
char *lines_room(struct lines *lines, size_t least, size_t *ret_room);
void lines_added(struct lines *lines, size_t size);
/**
 * The next complete line without its end; *ret_taken: its bytes with the end. Valid until the next
 * lines_room(). False: there is none.
 */
bool lines_next(struct lines *lines, const char **ret_line, size_t *ret_size, size_t *ret_taken);
/** Bytes held back. */
size_t lines_held(const struct lines *lines);

#endif
