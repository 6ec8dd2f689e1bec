/*
 * What the parts of a sink task's feed share: sink_feed.c (broker thread, life), sink_feed_events.c
 * (what the consumer tells), sink_feed_queue.c (queues and the task thread's side).
 */
#ifndef CORE_HOST_SINK_FEED_PRIV_H
#define CORE_HOST_SINK_FEED_PRIV_H

#include "core/host/sink_feed.h"

struct subscription;

enum { COMMIT_TIMEOUT_MS = 5000 };

enum command_kind { COMMAND_COMMIT, COMMAND_SEEK, COMMAND_PAUSE, COMMAND_RESUME };

struct command {
    enum command_kind kind;
    struct broker_offset *offsets; /* owned, names too */
    size_t count;
    struct command *next;
};

struct owned {
    char *topic;
    int32_t partition;
    bool paused; /* by the plugin */
    int64_t end; /* offset behind the newest message as last heard; -1: not known */
};

struct feed {
    struct task *task;
    struct broker *broker;
    struct broker_consumer *consumer;
    struct subscription *subscription;
    pthread_t thread;
    pthread_cond_t room; /* budget or a command; CLOCK_MONOTONIC, with task->lock */
    int64_t budget;
    size_t chunk_messages; /* most of one chunk: max.poll.records where it is given */
    int64_t revoke_patience; /* ms that a hanging put() may hold up a rebalance */

    /* under task->lock */
    struct feed_item *events, **events_end;
    struct feed_item *chunks, **chunks_end;
    struct command *commands, **commands_end;
    int64_t out;                 /* bytes of chunks not yet released */
    struct metrics_slot *in_flight; /* the same, for everybody to see */
    int64_t queued;              /* bytes of chunks not yet taken */
    bool sated;                  /* see feed_sated() */
    struct owned *owned;
    size_t owned_count;
    bool stop, started;
    bool pause_all;
    bool moved;                  /* some end offset, since feed_moved() was asked */
    uint64_t revocations, revocations_done;
    struct broker_offset *revoked_offsets; /* to commit, from feed_revoked_done */
    size_t revoked_count;
    struct broker_offset *final_offsets;
    size_t final_count;

    bool held;                   /* all paused: the budget is used up or the task is paused;
                                    changed by the broker thread only */
};

/** Of a consumer whose `user` is a struct feed; user is left NULL. */
extern const struct broker_consumer_events feed_events;

/* Offsets with names of their own. */
struct broker_offset *feed_copy_offsets(const struct broker_offset *offsets, size_t count);
void feed_free_offsets(struct broker_offset *offsets, size_t count);

/** Never NULL. */
struct feed_item *feed_event_new(enum feed_kind kind);
/**
 * Whether nothing more is to be fetched for now: the budget is used up, or half of it is queued, from
 * then on until an eighth is left, so that the two threads do not wake each other for every chunk, and
 * chunks are not cut to the little that became free. Lock held.
 */
bool feed_sated(struct feed *feed);
/** Appends to a queue. Lock held. */
void feed_push(struct feed_item ***end, struct feed_item *item);
/** Appends to the events and tells the task thread. Takes the lock. */
void feed_push_event(struct feed *feed, struct feed_item *item);
/** NULL where it is not this member's. Lock held. */
struct owned *feed_find_owned(struct feed *feed, const char *topic, int32_t partition);
/** Messages of this partition that wait in the queue are marked as not to be seen. Lock held. */
void feed_drop_queued(struct feed *feed, const char *topic, int32_t partition);
/** Ends whatever the broker thread waits for. Lock held. */
void feed_wake(struct feed *feed);

#endif
