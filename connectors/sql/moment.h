/* Times as databases write them, to milliseconds and nanoseconds and back. Pure functions: any thread. */
#ifndef SQL_MOMENT_H
#define SQL_MOMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/java/zone.h"

struct moment {
    int64_t ms;    /**< since 1970 UTC */
    int32_t nanos; /**< within the second, milliseconds included (java.sql.Timestamp's) */
};

enum { MOMENT_TEXT_SIZE = 64 };

/**
 * Reads `YYYY-MM-DD[( |T)HH:MM[:SS[.f..]]][Z|+HH[:MM]]`, also with ` BC` at the end, and PostgreSQL's
 * `infinity` and `-infinity`, as its JDBC driver does. zone: of texts that name none. False: it is
 * something else.
 */
bool moment_parse(const char *text, size_t size, const struct zone *zone, struct moment *moment);
/**
 * Reads `HH:MM[:SS[.f..]][+HH[:MM]]` to milliseconds of the day in UTC; and MySQL's durations, below zero
 * or longer than a day, as they are.
 */
bool moment_parse_time(const char *text, size_t size, int64_t *ret_ms);
struct moment moment_of_ms(int64_t ms);
/** -1, 0, 1. */
int moment_compare(struct moment a, struct moment b);
/** `YYYY-MM-DD HH:MM:SS.fffffffff`, cut to so many digits, as a clock of the zone shows it. */
size_t moment_print(struct moment moment, const struct zone *zone, char separator, int digits,
                    char to[MOMENT_TEXT_SIZE]);

#endif
