/* The order in which Connect goes through the offsets of a request. */
#ifndef CORE_WORKER_OFFSETS_ORDER_H
#define CORE_WORKER_OFFSETS_ORDER_H

#include <jansson.h>

/** New array of the items, ordered as a java.util.HashMap by their partitions is; of one partition the last. */
json_t *offsets_in_java_order(json_t *items);

#endif
