/* English names of time zones, as Java has them. */
#ifndef LIB_JAVA_ZONE_NAMES_H
#define LIB_JAVA_ZONE_NAMES_H

struct zone_names {
    const char *standard, *standard_short, *summer, *summer_short;
};

/** Names of a zone of the tz database; NULL where Java has none, as for fixed offsets. */
const struct zone_names *zone_names_find(const char *id);

#endif
