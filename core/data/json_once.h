/* Member names once: what the scan does when it suspects that an object has a name twice. */
#ifndef CORE_DATA_JSON_ONCE_H
#define CORE_DATA_JSON_ONCE_H

#include <sluice/data.h>

#include "core/base/arena.h"

/**
 * The text, otherwise normal, with each name once in each object: the last value at the first's place
 * (as Jackson's ObjectNode keeps it). The same span where no name came twice.
 */
struct sluice_span json_once(struct arena *arena, struct sluice_span normal);

#endif
