/* Numbers in JSON texts, read and written as Jackson does for schemaless data. [any thread] */
#ifndef CORE_DATA_JSON_NUMBER_H
#define CORE_DATA_JSON_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

enum { JSON_NUMBER_TEXT = 40 };

struct json_number {
    const unsigned char *start, *end; /* [start, end) */
    bool integral;
    bool normal; /* the text is already what would be written */
    size_t digits; /* all of them, zeros in front left out, as Jackson counts */
};

/**
 * Scans at a digit or minus. NULL, or what is wrong at number->end: a printf format that takes the
 * character there as %c and %u. strict: no leading zeros.
 */
const char *json_number_scan(const unsigned char *p, const unsigned char *end, bool strict,
                             struct json_number *number);
/**
 * Normal text: integers wrap at 64 bits, others as Double.toString, beyond its range 1E999. 0: the
 * exponent is more than a BigDecimal can have.
 */
size_t json_number_text(const struct json_number *number, char text[JSON_NUMBER_TEXT]);

#endif
