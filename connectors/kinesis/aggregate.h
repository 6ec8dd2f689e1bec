/*
 * Records that the Kinesis Producer Library packed into one (KPL aggregation): a magic number, a protobuf
 * message AggregatedRecord, its MD5. Whatever is not all of that is a record like any other, as the
 * Kinesis Client Library has it. Pure; memory is one table that is used again.
 */
#ifndef KINESIS_AGGREGATE_H
#define KINESIS_AGGREGATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kinesis_text {
    const char *data;
    size_t size;
};

/** One of the records inside. */
struct kinesis_packed {
    struct kinesis_text key;  /**< partition key */
    struct kinesis_text data;
};

struct kinesis_aggregate {
    struct kinesis_text *keys;  /* partition_key_table */
    size_t key_count, key_room;
    const unsigned char *at, *end; /* what is to be read of the message */
    size_t count;                  /**< records inside */
};

/** Zeroed is a good start. */
void kinesis_aggregate_finish(struct kinesis_aggregate *aggregate);
/** False: not an aggregate (or no memory). What is read points into data. */
bool kinesis_aggregate_open(struct kinesis_aggregate *aggregate, const void *data, size_t size);
/** The next record inside; false behind the last. */
bool kinesis_aggregate_next(struct kinesis_aggregate *aggregate, struct kinesis_packed *ret_packed);

#endif
