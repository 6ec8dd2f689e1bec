/* Java's regular expressions rewritten for PCRE2; internal to lib/java. */
#ifndef LIB_JAVA_REGEX_TRANSLATE_H
#define LIB_JAVA_REGEX_TRANSLATE_H

#include "lib/java/regex.h"

/**
 * Appends to out a pattern that PCRE2 (PCRE2_UTF, PCRE2_DOLLAR_ENDONLY, no other option) takes as
 * Java takes `pattern`, with the same numbered and named groups. -1 with error.
 */
int regex_translate(const char *pattern, struct buffer *out, struct regex_error *error);

#endif
