/*
 * Growable bytes with a mandatory cap (after curl's dynbuf). Setting one up cannot fail; an append
 * that would pass the cap, or finds no memory, returns -1 and leaves the buffer as it was; a failed
 * buffer keeps failing until reset, so a run of appends needs one check at the end (buffer.failed).
 * data is NUL-terminated behind size whenever it is not NULL. Not thread-safe.
 */
#ifndef LIB_UTIL_BUFFER_H
#define LIB_UTIL_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct buffer {
    char *data; /* NULL while nothing was appended */
    size_t size;
    size_t capacity;
    size_t max;
    bool failed;
};

/** max: most bytes it may ever hold. */
void buffer_init(struct buffer *buffer, size_t max);
/** Frees; the buffer is as after buffer_init(). NULL and zeroed ones are fine. */
void buffer_finish(struct buffer *buffer);
/** Empties, keeps the memory, clears failed. */
void buffer_reset(struct buffer *buffer);
/** Makes room for size more bytes. */
int buffer_reserve(struct buffer *buffer, size_t size);
int buffer_append(struct buffer *buffer, const void *data, size_t size);
int buffer_append_text(struct buffer *buffer, const char *text);
int buffer_append_char(struct buffer *buffer, char c);
int buffer_printf(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/** Drops size bytes at the front. */
void buffer_consume(struct buffer *buffer, size_t size);
/** Hands the bytes over (NUL-terminated, to be freed) and empties the buffer; NULL if empty or failed. */
char *buffer_take(struct buffer *buffer);

#endif
