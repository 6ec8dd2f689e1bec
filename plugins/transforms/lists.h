/*
 * List options read item by item as ConfigDef splits them, and Java's split at colons, for options
 * whose items have an inner form (a:b). Stateless; [any thread].
 */
#ifndef TRANSFORMS_LISTS_H
#define TRANSFORMS_LISTS_H

#include <stdbool.h>
#include <stddef.h>

struct text {
    const char *data;
    size_t size;
};

/** Blanks (<= ' ') taken off both ends, as String.trim(). */
struct text text_trim(struct text text);
bool text_is(struct text text, const char *literal);

/**
 * Next item of a list; start with *cursor = the text (NULL: no items), false after the last. Empty
 * items are items; an empty text has none.
 */
bool list_next(const char **cursor, struct text *ret_item);
/**
 * Next part of a text between separators; start with *cursor = the text (NULL or empty: no parts).
 * Parts are kept as they are, blanks too.
 */
bool separated_next(const char **cursor, const char *separator, struct text *ret_part);
/** The list as List.toString() prints it: "[a, b]". Cut where it does not fit. */
void list_print(const char *list, char *out, size_t size);
/**
 * text.split(":"): at most limit parts are stored, the number found is returned; empty parts at the
 * end do not count.
 */
size_t split_colons(struct text text, struct text *parts, size_t limit);

#endif
