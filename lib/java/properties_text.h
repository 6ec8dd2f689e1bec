/*
 * The syntax of .properties files, exactly as java.util.Properties.load reads it: comments,
 * escapes, separators, continued lines. Knows nothing of configurations: every pair goes to a
 * callback. [any thread]; no state is kept between calls.
 */
#ifndef LIB_JAVA_PROPERTIES_TEXT_H
#define LIB_JAVA_PROPERTIES_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/util/buffer.h"

/** What the bytes are. Connect reads files through an InputStream, which is ISO-8859-1. */
enum properties_charset {
    PROPERTIES_LATIN1, /* load(InputStream): every byte is a character */
    PROPERTIES_UTF8,   /* load(Reader): malformed bytes become U+FFFD, as Java decodes them */
};

/** Longest text that is read, and longest logical line (continued lines joined). */
#define PROPERTIES_TEXT_MAX ((size_t)16 * 1024 * 1024)
#define PROPERTIES_LINE_MAX ((size_t)4 * 1024 * 1024)

enum properties_status {
    PROPERTIES_OK = 0,
    PROPERTIES_MALFORMED_ESCAPE, /* Java: IllegalArgumentException("Malformed \uxxxx encoding.") */
    PROPERTIES_TOO_LONG,         /* a limit above was passed */
    PROPERTIES_NO_MEMORY,
    PROPERTIES_STOPPED, /* the callback said so */
};

/**
 * One pair, in the order of the file, keys that come twice included. Both texts are UTF-8 with a
 * NUL behind them and may hold U+0000 themselves; half of a surrogate pair becomes `?`, as when
 * Java encodes it. line: where the logical line begins, from 1. Not 0 ends the reading.
 */
typedef int (*properties_pair_fn)(void *user, const char *key, size_t key_size, const char *value,
                                  size_t value_size, size_t line);

/**
 * Reads size bytes. On a failure *ret_line (may be NULL) is the first line of the logical line it
 * was found in; pairs before it have been handed out.
 */
enum properties_status properties_text_parse(const char *data, size_t size,
                                             enum properties_charset charset,
                                             properties_pair_fn on_pair, void *user,
                                             size_t *ret_line);

/** Appends a key or value of UTF-8 as store() writes it: it is read as it was meant, Latin-1 or not. */
void properties_text_append(struct buffer *out, const char *text, bool key);

#endif
