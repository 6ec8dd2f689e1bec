/*
 * Time zones by name, out of the system's tz database (TZif files, RFC 8536), read by ourselves:
 * libc knows one zone per process, chosen by an environment variable, and a host serves many
 * records with many zones in many threads. Constant once opened: [any thread].
 */
#ifndef LIB_JAVA_ZONE_H
#define LIB_JAVA_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct zone;

struct zone_offset {
    int32_t seconds; /* east of UTC, daylight saving included */
    bool daylight;
    const char *abbreviation; /* "CEST", "+04"; lives as long as the zone */
};

/** Never closed. */
const struct zone *zone_utc(void);
/**
 * Opens `UTC`, `GMT`, `Z`, fixed offsets as Java writes them (`GMT+2`, `GMT-08:00`, `UTC+5:30`,
 * `+02:00`), or a name of the tz database (`Europe/Berlin`) under $TZDIR or /usr/share/zoneinfo.
 * -1 with a sentence in message where there is none; Java's TimeZone would silently take GMT.
 */
int zone_open(const char *id, struct zone **ret_zone, char *message, size_t message_size);
void zone_close(struct zone *zone);
const char *zone_id(const struct zone *zone);

/** Offset at an instant, milliseconds since 1970 UTC. */
struct zone_offset zone_at(const struct zone *zone, int64_t ms);
/**
 * Offset for a wall clock time (milliseconds since 1970 as if the clock showed UTC). Of a time that
 * comes twice the later is taken; one that a clock skips is read with the offset before it: as
 * Java.
 */
struct zone_offset zone_at_local(const struct zone *zone, int64_t local_ms);

/** English name for an offset's abbreviation, or NULL where none is known. */
const char *zone_long_name(const char *abbreviation, int32_t seconds);

#endif
