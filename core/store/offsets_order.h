/*
 * The orders in which Connect goes through offsets: of Java's hash maps. Items are
 * {"partition": .., "offset": ..}; each function gives a new array of the same items. Pure.
 */
#ifndef CORE_STORE_OFFSETS_ORDER_H
#define CORE_STORE_OFFSETS_ORDER_H

#include <jansson.h>

/** As they are looked at when a request brings them; of one partition the last stays. */
json_t *offsets_in_java_order(json_t *items);
/** As a source's class is given those of a request: what was a short number is a Long by then. */
json_t *offsets_in_class_order(json_t *items);
/** As a source's are listed. Each item has its stored "key", which is taken out. */
json_t *offsets_in_source_order(json_t *items);
/** As those of a sink's group are listed: partitions have kafka_topic and kafka_partition. */
json_t *offsets_in_group_order(json_t *items);

#endif
