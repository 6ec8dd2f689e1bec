/* A compiled SimpleDateFormat pattern, shared by dates.c, date_print.c and date_parse.c. */
#ifndef LIB_JAVA_DATE_PATTERN_H
#define LIB_JAVA_DATE_PATTERN_H

#include <stddef.h>
#include <stdint.h>

#include "lib/java/dates.h"

enum {
    DATE_FIELD_MAX = 10, /* bytes of a printed field, where its letter does not come more often */
    DATE_ZONE_MAX = 64,  /* of a zone's name, which takes four letters */
    DATE_ZONE_SHORT = 16,
    DATE_FIXED_MAX = 64, /* of a pattern of fixed width that is printed so, NUL included */
    DATE_TEXT_MAX = DATE_PATTERN_MAX * 16, /* no letter gives more */
};

struct date_item {
    char letter; /* 0: literal text */
    int count;   /* of letters, or of bytes of the text */
    const char *text;
};

/* A number in a pattern of fixed width. */
struct date_field {
    char letter;
    uint8_t at, digits; /* 2, 3 or 4 */
};

struct date_format {
    struct date_item *items;
    size_t item_count;
    char *text; /* of the literals */
    size_t text_size;
    size_t longest; /* bytes that a printed time takes at most */
    /* Where every field has as many digits as the pattern says, years 1 to 9998; fixed_size 0: not so. */
    size_t fixed_size, field_count;
    struct date_field fields[DATE_FIXED_MAX / 2];
    char fixed_text[DATE_FIXED_MAX]; /* literals in their places */
    int32_t century_year; /* two-digit years are in the 100 years from here */
    int64_t century_ms;
};

extern const char *const date_months[12];
extern const char *const date_days[7];

#endif
