/*
 * Times printed by Joda-Time's patterns (DateTimeFormat), as `path.format` is written in, in the
 * proleptic Gregorian calendar with ISO weeks; names of months and days are those of a language, names of
 * zones are English. Constant once made: [any thread].
 */
#ifndef S3_JODA_H
#define S3_JODA_H

#include <stddef.h>
#include <stdint.h>

#include "lib/java/zone.h"
#include "lib/util/buffer.h"

struct joda_format;

/** NULL with Joda's words in message: a letter that means nothing. Any text is a language: see locale_names.h. */
struct joda_format *joda_format_create(const char *pattern, const char *language, char *message,
                                       size_t size);
void joda_format_destroy(struct joda_format *format);
/** Appends an instant (milliseconds since 1970) as the clock of a zone shows it. */
int joda_format_print(const struct joda_format *format, int64_t utc_ms, const struct zone *zone,
                      struct buffer *ret_text);

/**
 * Opens a zone by Joda-Time's rules: names of the tz database, UT, Z, and offsets of two digits each, as
 * they are or behind UTC, GMT or UT. +5 and +530, which Java's zones may be, are none. -1 with message.
 */
int joda_zone_open(const char *id, struct zone **ret_zone, char *message, size_t size);

/** The instant of a wall clock time, which may be one that the clock skips or shows twice. */
int64_t joda_utc_of(const struct zone *zone, int64_t local_ms);

/**
 * Reads an ISO 8601 date, time or both, as ISODateTimeFormat.dateTimeParser() does: calendar, week and
 * ordinal dates, any part left out from the right, fractions, an offset (UTC without). False: it is
 * none.
 */
bool joda_parse_iso(const char *text, size_t size, int64_t *ret_ms);

#endif
