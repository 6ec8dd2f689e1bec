/*
 * Texts with `${name}` in them. What a name stands for is asked of the caller; `$${` is `${`. A name
 * nobody knows is an error when the template is checked, not for each record. Any thread.
 */
#ifndef HTTP_TEMPLATE_H
#define HTTP_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/util/buffer.h"

/** Appends what the name (size bytes) stands for; false: no such name. */
typedef bool (*template_fn)(void *user, const char *name, size_t size, struct buffer *to);

/** Appends the template with its names replaced; encode: percent-encoded, as parts of a URL. */
bool template_write(const char *template, bool encode, template_fn value, void *user,
                    struct buffer *to);
/** True where every name is one of names (a name that ends in `:` takes any rest). */
bool template_check(const char *template, const char *const *names, char *message, size_t size);
/** Appends text percent-encoded but for RFC 3986's unreserved characters. */
void template_encode(const char *text, size_t size, struct buffer *to);

#endif
