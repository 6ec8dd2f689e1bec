/*
 * java.text.SimpleDateFormat: patterns, lenient parsing and printing, locale en_US, with the
 * calendar Java uses (Gregorian from 1582-10-15, Julian before; weeks begin on Sunday).
 *
 *     struct date_format *format;
 *     char message[DATE_MESSAGE_MAX];
 *     if (date_format_create("yyyy-MM-dd'T'HH:mm:ss", &format, message, sizeof(message))) ..
 *     if (!date_format_parse(format, zone_utc(), text, size, &ms, NULL)) .. does not match
 *     size_t length = date_format_print(format, zone_utc(), ms, out, sizeof(out));
 *
 * A format is constant once made and keeps no state between calls: [any thread], all at once.
 */
#ifndef LIB_JAVA_DATES_H
#define LIB_JAVA_DATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/java/zone.h"

struct date_format;

#define DATE_MESSAGE_MAX 128
/** Longest pattern that is taken, in bytes. */
#define DATE_PATTERN_MAX 4096

/**
 * Compiles a pattern (UTF-8, NUL-terminated). -1: message holds what Java's
 * IllegalArgumentException says: `Illegal pattern character 'b'`, `Unterminated quote`, .. .
 * Two-digit years are read as within 80 years before and 20 after this call.
 */
int date_format_create(const char *pattern, struct date_format **ret_format, char *message,
                       size_t message_size);
void date_format_destroy(struct date_format *format);

/**
 * Reads the beginning of the text, leniently as Java does: fields may be out of range, and what
 * follows the pattern is ignored. zone: of texts that name none. *ret_ms: milliseconds since 1970
 * UTC; *ret_end (may be NULL): how many bytes were read. False: no match (Java: ParseException).
 */
bool date_format_parse(const struct date_format *format, const struct zone *zone, const char *text,
                       size_t size, int64_t *ret_ms, size_t *ret_end);

/**
 * Prints like snprintf: at most size bytes with a NUL, and the full length as result.
 */
size_t date_format_print(const struct date_format *format, const struct zone *zone, int64_t ms,
                         char *to, size_t size);

#endif
