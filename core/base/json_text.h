/*
 * Texts of others as JSON strings. [any thread]
 */
#ifndef CORE_BASE_JSON_TEXT_H
#define CORE_BASE_JSON_TEXT_H

#include <jansson.h>

/** A new string of the text; bytes of it that are no UTF-8 become U+FFFD. NULL: out of memory. */
json_t *json_text(const char *text);

#endif
