/* English names of time zones, as Java has them. */
#ifndef LIB_JAVA_ZONE_NAMES_H
#define LIB_JAVA_ZONE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct zone_names {
    const char *standard, *standard_short, *summer, *summer_short;
    int16_t minutes[4]; /* east of UTC, as which Java reads each of these */
};

/** Names of a zone of the tz database; NULL where Java has none, as for fixed offsets. */
const struct zone_names *zone_names_find(const char *id);
/**
 * Offset of a name, long (`Pacific Standard Time`) or short (`PST`), that text begins with, any
 * case; *ret_length its bytes. False: none known.
 */
bool zone_name_match(const char *text, size_t size, int32_t *ret_seconds, size_t *ret_length);

#endif
