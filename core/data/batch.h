/*
 * Batches and records as the host makes them. Plugins see them through the tables below.
 * Ownership: batch_new() gives one reference. Pools keep released batches for the next use, so that
 * a steady state allocates nothing.
 */
#ifndef CORE_DATA_BATCH_H
#define CORE_DATA_BATCH_H

#include <sluice/data.h>
#include <sluice/record.h>

#include "core/base/arena.h"

struct sluice_batch;
struct sluice_record;

/** The tables every plugin gets; constant. */
extern const struct sluice_data data_api;
extern const struct sluice_records records_api;

/** Released batches, kept to be used again; reference-counted by its batches. [any thread] */
struct batch_pool;
struct batch_pool *batch_pool_create(size_t keep_batches, size_t keep_bytes_each);
void batch_pool_destroy(struct batch_pool *pool);

/** An empty batch with one reference; pool NULL: freed at the last release. Never NULL. */
struct sluice_batch *batch_new(struct batch_pool *pool);
/** Called once at the last release, on the thread that releases, before the memory goes. */
void batch_on_release(struct sluice_batch *batch, void (*released)(void *user), void *user);
struct arena *batch_arena(struct sluice_batch *batch);

/** Raw header of a consumed record, before header conversion. */
struct batch_raw_header {
    const char *name;
    struct sluice_span value;
};

/** True for what a source added without a topic: nothing to write, only how far it has read. */
bool record_carries_offset_only(const struct sluice_record *record);
/**
 * Adds a sink record with its coordinates and original bytes (not copied: they live as long as what
 * batch_on_release() lets go). topic is not copied either.
 */
struct sluice_record *batch_add_sink(struct sluice_batch *batch, const char *topic, int32_t partition,
                                     int64_t offset, int64_t timestamp,
                                     enum sluice_timestamp_type timestamp_type, struct sluice_span key,
                                     struct sluice_span value);
/** set_key(), set_value() and set_context() of records_api, for who calls them for every record. */
void record_set_key(struct sluice_record *record, const struct sluice_schema *schema,
                    const struct sluice_value *new_key);
void record_set_value(struct sluice_record *record, const struct sluice_schema *schema,
                      const struct sluice_value *new_value);
void record_set_context(struct sluice_record *record, void *pointer);
/** Shows only records whose flag is set; flags has count() entries. One pass. */
void batch_keep(struct sluice_batch *batch, const unsigned char *flags);

/** Saves topic, partition, timestamp, key, value, headers; restore undoes changes since. For retries. */
struct record_state {
    const char *topic;
    int32_t partition;
    int64_t timestamp;
    const struct sluice_schema *key_schema, *value_schema;
    const struct sluice_value *key, *value;
    void *headers;
    uint32_t header_count;
};
void record_save(const struct sluice_record *record, struct record_state *ret_state);
void record_restore(struct sluice_record *record, const struct record_state *state);

/** Source records: what set_source() and set_context() gave. NULL where not set. */
const struct sluice_value *record_source_partition(const struct sluice_record *record);
const struct sluice_value *record_source_offset(const struct sluice_record *record);

#endif
