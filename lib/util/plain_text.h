/*
 * Texts from outside on a terminal and in a log: they stay text. [any thread]
 */
#ifndef LIB_UTIL_PLAIN_TEXT_H
#define LIB_UTIL_PLAIN_TEXT_H

#include "lib/util/buffer.h"

/**
 * Appends a text of UTF-8 so that it can neither steer a terminal nor pass for a log entry of ours: control
 * characters are written as backslash, u and four digits, but for tab and newline; a line after the first that
 * begins with `[`, as entries do, is moved in by a tab. What buffer_append gives.
 */
int plain_text_append(struct buffer *out, const char *text);

#endif
