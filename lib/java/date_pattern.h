/* A compiled SimpleDateFormat pattern, shared by dates.c and date_parse.c. */
#ifndef LIB_JAVA_DATE_PATTERN_H
#define LIB_JAVA_DATE_PATTERN_H

#include <stddef.h>
#include <stdint.h>

struct date_item {
    char letter; /* 0: literal text */
    int count;   /* of letters, or of bytes of the text */
    const char *text;
};

struct date_format {
    struct date_item *items;
    size_t item_count;
    char *text; /* of the literals */
    size_t text_size;
    int32_t century_year; /* two-digit years are in the 100 years from here */
    int64_t century_ms;
};

extern const char *const date_months[12];
extern const char *const date_days[7];

#endif
