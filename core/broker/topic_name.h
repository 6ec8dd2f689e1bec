/*
 * Kafka's rule for names of topics, and its partitioner for records with a key; used by both ends
 * of the embedded log and wherever a name is checked before a server is asked. No state, no
 * threads.
 */
#ifndef CORE_BROKER_TOPIC_NAME_H
#define CORE_BROKER_TOPIC_NAME_H

#include <stddef.h>
#include <stdint.h>

/** NULL: fine; else what is wrong, static text (org.apache.kafka.common.internals.Topic). */
const char *topic_name_wrong(const char *name, size_t size);
/** MurmurHash2, 32 bit, with Kafka's seed (org.apache.kafka.common.utils.Utils.murmur2). */
uint32_t topic_murmur2(const void *key, size_t size);
/** Partition of a key: toPositive(murmur2(key)) % partitions. */
int32_t topic_partition_of(const void *key, size_t size, int32_t partitions);

#endif
