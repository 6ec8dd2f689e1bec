/*
 * What the owner of an embedded log keeps on disk: one LMDB environment, DIR/data.mdb. This is the
 * only place where LMDB is set up, grown and committed; what stands in which table:
 *
 *   META        "format" u32, "starts" u32 (counts owner processes), "topic" u32 (last id given)
 *   TOPICS      name -> u32 id, i32 partitions, then key NUL value NUL .. of its configs
 *   PARTITIONS  topic id, partition (big-endian u32 each) -> i64 start, next, bytes
 *   LOG         topic id, partition, base offset (u32, u32, u64, big-endian) -> batches (format.h)
 *   PRODUCERS   producer id, topic id, partition (u64, u32, u32, big-endian) -> struct in produce.c
 *   OFFSETS     group NUL topic id, partition (big-endian u32 each) -> i64 offset
 *
 * [owner's one thread]
 */
#ifndef CORE_BROKER_LOG_STORE_H
#define CORE_BROKER_LOG_STORE_H

#include <lmdb.h>
#include <stdint.h>

#include "core/base/error.h"

enum store_table {
    STORE_META,
    STORE_TOPICS,
    STORE_PARTITIONS,
    STORE_LOG,
    STORE_PRODUCERS,
    STORE_OFFSETS,
    STORE_TABLES,
};

struct store {
    MDB_env *env;
    MDB_txn *reader; /* reset while nobody reads */
    MDB_dbi tables[STORE_TABLES];
    char *name;      /* of the folder, for messages */
    uint32_t starts; /* this owner's number */
};

/** A key of up to three big-endian numbers. */
struct store_key {
    unsigned char bytes[16];
};

/** dir_fd: the folder; name: how to call it in messages. Counts this start, durably. */
int store_open(struct store *store, int dir_fd, const char *name, struct error *error) CHECKED;
void store_close(struct store *store);

/** Does its writes in txn and returns LMDB's code. May be run again from the start: no side
 * effects. */
typedef int (*store_write_fn)(struct store *store, MDB_txn *txn, void *arg);
/**
 * Runs write in a transaction of its own and commits it: on 0 everything is on disk, synced; else
 * nothing of it is there. Grows the map and runs it again where it is full. A full disk is told in
 * the error (retriable); when the environment can no longer be trusted the process ends.
 */
int store_write(struct store *store, store_write_fn write, void *arg, struct error *error) CHECKED;

/** Begins reading what is committed now; the pointers LMDB gives are good until store_read_end().
 */
int store_read_begin(struct store *store, struct error *error) CHECKED;
void store_read_end(struct store *store);

MDB_val store_key_partition(struct store_key *key, uint32_t topic, int32_t partition);
MDB_val store_key_log(struct store_key *key, uint32_t topic, int32_t partition, int64_t offset);
MDB_val store_key_producer(struct store_key *key, uint64_t id, uint32_t topic, int32_t partition);
uint32_t store_key_u32(const MDB_val *key, size_t at);
uint64_t store_key_u64(const MDB_val *key, size_t at);

#endif
