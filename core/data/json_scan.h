/*
 * The scan: checks a JSON text and brings it into normal form in one pass.
 *
 * Normal form is what Connect's JsonConverter (Jackson) writes after reading it schemaless: no blanks;
 * integers wrapped to 64 bits; decimals as Double.toString; escapes only where needed (upper-case
 * \uXXXX, short forms first), non-BMP characters as two escapes; each member name once, the last value
 * at the first's place. A text that is normal already is not copied.
 *
 * Limits as Jackson's: 1000 levels, 1000 digits in a number, 20,000,000 characters in a string, names
 * of 65,536 bytes.
 */
#ifndef CORE_DATA_JSON_SCAN_H
#define CORE_DATA_JSON_SCAN_H

#include <stdbool.h>

#include <sluice/data.h>

#include "core/base/arena.h"
#include "core/data/json_shape.h"

enum {
    JSON_MAX_DEPTH = 1000,
    JSON_MAX_NUMBER = 1000,
    JSON_MAX_STRING = 20000000,
    JSON_MAX_NAME = 65536,
};

/** What one scan found out. */
struct json_scanned {
    struct sluice_span normal; /* in the input or in the arena; data NULL: nothing but blanks */
    bool twins;                /* some object may have a name twice; only the scanner says so */
    /*
     * Some number is beyond a double's range. It is 1E999 or -1E999 in the text then, which cannot tell
     * it from a string otherwise; whoever reads it writes "Infinity" as Jackson does.
     */
    bool infinite;
    struct json_shape *shape;  /* of the object; NULL: none, or no object */
    uint64_t key_bits;         /* of all its names; 0: not known */
    size_t place_count;        /* members of the object, where they are wanted and known */
    struct json_place places[SHAPE_KEYS];
};

/** SLUICE_OK, or SLUICE_BAD_RECORD with *error filled. flags: enum sluice_json_flags. */
enum sluice_result json_scan(struct arena *arena, const char *data, size_t size, uint32_t flags,
                             struct json_scanned *ret, struct sluice_json_error *error);

/** The scanner proper, for any processor and for those with AVX2. The text is UTF-8 without a mark. */
enum sluice_result json_scan_utf8(struct arena *arena, struct sluice_span text, uint32_t flags,
                                  struct json_scanned *ret, struct sluice_json_error *error);
enum sluice_result json_scan_utf8_avx2(struct arena *arena, struct sluice_span text, uint32_t flags,
                                       struct json_scanned *ret, struct sluice_json_error *error);

#endif
