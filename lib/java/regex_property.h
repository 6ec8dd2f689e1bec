/* \p{..}: names of properties as Java knows them; internal to the translation of patterns. */
#ifndef LIB_JAVA_REGEX_PROPERTY_H
#define LIB_JAVA_REGEX_PROPERTY_H

#include <stdbool.h>

#include "lib/java/regex_parser.h"

#define REGEX_ITEMS_MAX 320

/**
 * Reads a property with the cursor on the p or P; the cursor is then behind it. items: what goes
 * into
 * `[..]`; *ret_negated: its complement is meant.
 */
void regex_read_property(struct regex_parser *parser, char items[REGEX_ITEMS_MAX],
                         bool *ret_negated);

#endif
