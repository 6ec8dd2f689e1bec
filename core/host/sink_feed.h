/*
 * The broker thread of a sink task: owns the consumer, keeps the subscription up to date, and hands
 * chunks of messages to the task thread, bounded by bytes.
 *
 * While put() hangs, this thread goes on polling with its partitions paused, so the group is not
 * lost. A partition that is revoked meanwhile is given up uncommitted after a while, and what was
 * queued of it is dropped.
 *
 * Queues are under task->lock; task->changed tells the task thread.
 */
#ifndef CORE_HOST_SINK_FEED_H
#define CORE_HOST_SINK_FEED_H

#include "core/host/task.h"

enum feed_kind {
    FEED_NONE,
    FEED_CHUNK,     /* chunk */
    FEED_ASSIGNED,  /* offsets: partitions with their positions */
    FEED_REVOKED,   /* offsets: partitions; answer with feed_revoked_done() */
    FEED_LOST,      /* offsets: partitions */
    FEED_COMMITTED, /* offsets: as asked; error.code set where it failed */
    FEED_FAILED,    /* error: the task cannot go on */
};

/** One thing to do for the task thread; offsets and error are its own, feed_item_finish() frees. */
struct feed_item {
    enum feed_kind kind;
    struct broker_chunk *chunk;
    struct broker_offset *offsets;
    size_t count;
    struct error error;
    uint64_t revocation; /* number to answer with */
    struct feed_item *next;
};

struct feed;

/** Starts the thread, which joins the group. budget: bytes of chunks that may be out at once. */
int feed_create(struct task *task, int64_t budget, struct feed **ret_feed, struct error *error) CHECKED;
/**
 * Commits offsets (may be none), leaves the group, joins the thread. Chunks that are out stay valid.
 * NULL is fine.
 */
void feed_stop(struct feed *feed, const struct broker_offset *offsets, size_t count);

/** Next thing, events before chunks; chunks only if wanted. Lock held. False: nothing. */
bool feed_take(struct feed *feed, bool want_chunk, struct feed_item *ret_item);
void feed_item_finish(struct feed_item *item);

/** A chunk is no longer needed: releases it and its share of the budget. [any thread] */
void feed_release(struct feed *feed, struct broker_chunk *chunk);
/** The revocation is dealt with; these offsets are committed before it is granted. [task thread] */
void feed_revoked_done(struct feed *feed, uint64_t revocation, const struct broker_offset *offsets,
                       size_t count);
/** Asynchronous; the outcome comes as FEED_COMMITTED. [task thread] */
void feed_commit(struct feed *feed, const struct broker_offset *offsets, size_t count);
/** Drops what is queued of the partition and reads on from there. [task thread] */
void feed_seek(struct feed *feed, const char *topic, int32_t partition, int64_t offset);
/** Stops or restarts single partitions. [task thread] */
void feed_pause(struct feed *feed, const struct broker_partition *partitions, size_t count, bool pause);
/** Stops or restarts all, those assigned later too. [task thread] */
void feed_pause_all(struct feed *feed, bool pause);
/** True while the partition is this member's. [any thread] */
bool feed_owns(struct feed *feed, const char *topic, int32_t partition);
/** Offset behind a partition's newest message as last heard; -1: not known. [any thread] */
int64_t feed_end(struct feed *feed, const char *topic, int32_t partition);
/** True once after end offsets moved. Lock held. */
bool feed_moved(struct feed *feed);

#endif
