/* Steps through one level of a container's text in normal form. Trusts its input. [any thread] */
#ifndef CORE_DATA_JSON_WALK_H
#define CORE_DATA_JSON_WALK_H

#include <stdbool.h>

#include <sluice/data.h>

struct json_walk {
    const char *p, *end; /* behind the opening bracket; at the closing one */
};

struct json_walk json_walk_begin(struct sluice_span container);
/** Next element of an array; false behind the last. */
bool json_walk_element(struct json_walk *walk, struct sluice_span *ret_value);
/** Next member of an object, the key with its quotes; false behind the last. */
bool json_walk_member(struct json_walk *walk, struct sluice_span *ret_key,
                      struct sluice_span *ret_value);
/** Number of elements or members. */
size_t json_walk_count(struct sluice_span container);

#endif
