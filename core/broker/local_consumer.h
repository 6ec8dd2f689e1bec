/*
 * Consumer of the embedded log: what its parts share. local_consumer.c: partitions, positions,
 * connecting, polling. local_member.c: what the owner says of the group, events, commits.
 * local_fetch.c: receiving data into buffers and handing them out as chunks.
 * One thread, but for local_consumer_wake() and the release of chunks.
 */
#ifndef CORE_BROKER_LOCAL_CONSUMER_H
#define CORE_BROKER_LOCAL_CONSUMER_H

#include "core/broker/local.h"
#include "core/broker/log/format.h"

/** Received bytes; messages point into them. Counted by frames that wait and by chunks. */
struct slab {
    struct pool *pool;
    struct slab *next;
    atomic_uint refs;
    size_t capacity;
    char data[];
};

/** A value as it was pushed, and how far it is handed out. */
struct data_frame {
    struct data_frame *next;
    uint32_t session;
    struct slab *slab;
    size_t size;           /* on the wire, for the credit */
    const char *at, *end;  /* what is not yet handed out */
    const char *batch_end; /* of the batch under way; NULL: none */
    uint32_t left;         /* records of it */
    bool append_time;
    int64_t append_timestamp;
    int64_t offset; /* of the next record */
};

/** A partition that is assigned. */
struct held {
    const char *topic; /* interned */
    int32_t partition;
    uint32_t session; /* 0: nothing is asked for */
    int64_t position; /* of the next message to be handed out; BROKER_BEGINNING, .. until known */
    int64_t end;      /* -1: not known */
    bool paused, started;
};

struct pending_commit {
    struct pending_commit *next;
    uint32_t id;
    struct broker_offset *offsets; /* topics interned */
    size_t count;
    bool sync, done;
    struct error error;
};

/** Something the owner said that is for the caller, served in poll(). */
struct event {
    struct event *next;
    uint32_t type; /* enum wire_type; 0: the connection ended */
    size_t size;
    char payload[];
};

struct local_consumer {
    struct broker_consumer base;
    struct local *local;
    struct broker_consumer_events events;
    char *group, *client_id;
    enum wire_reset reset;
    int64_t window, revoke_timeout;
    int fd, wake;
    bool connected_once, topics_changed;
    int backoff;
    int64_t connect_at, lost_at;
    enum error_code last_fault;
    uint32_t last_id, last_session;

    char **topics; /* subscribed */
    size_t topic_count;
    bool subscribed;
    int64_t generation;
    struct held **slots; /* by the upper bits of their session; NULL: free */
    size_t slot_count;

    struct event *event, **event_end;
    struct pending_commit *commits;
    struct error failure; /* for the next poll() to return */

    /* local_fetch.c */
    struct pool *pool;
    struct slab *slab; /* being filled */
    size_t slab_used, slab_parsed;
    struct data_frame *frames, **frames_end, *spare_frames;
    size_t waiting; /* bytes in frames */
    uint64_t consumed, granted;
};

enum { SESSION_SERIAL_BITS = 12 };

/* -- local_fetch.c -- */

struct pool *pool_create(void);
void pool_release(struct pool *pool);
/** The same pointer for the same name, as long as the pool lives; NULL: no memory. */
const char *pool_intern(struct pool *pool, const char *name);
/** Reads once what has come (without waiting) and sorts it. False: the connection is gone. */
bool fetch_receive(struct local_consumer *consumer);
/** Messages that are here, or NULL; -1: what came is damaged. */
int fetch_chunk(struct local_consumer *consumer, size_t max_messages, size_t max_bytes,
                struct broker_chunk **ret_chunk, struct error *error) CHECKED;
/** Drops frames that nobody wants any more (all: every one). Returns what they give back in credit.
 */
void fetch_drop(struct local_consumer *consumer, bool all);
/** Forgets the connection's half-read frames. */
void fetch_reset(struct local_consumer *consumer);
/** Lets the owner send more, when enough was used up. */
void fetch_grant(struct local_consumer *consumer);

/* -- local_consumer.c -- */

struct held *consumer_held(const struct local_consumer *consumer, uint32_t session);
struct held *consumer_find(const struct local_consumer *consumer, const char *topic,
                           int32_t partition);
/** Adds a partition, not yet read; NULL: no memory. */
struct held *consumer_hold(struct local_consumer *consumer, const char *topic, int32_t partition,
                           int64_t position);
/** Ends reading it and frees it. */
void consumer_let_go(struct local_consumer *consumer, struct held *held);
/** Asks for its data from its position, unless that is done, or it is paused. */
void consumer_start(struct local_consumer *consumer, struct held *held);
/** All that are held; the list is the caller's, the names are not. */
struct broker_partition *consumer_list(const struct local_consumer *consumer, size_t *ret_count);
/** Joins the group, or changes what it reads as a member. */
void consumer_join(struct local_consumer *consumer);
/** Reads what has come; false: there is no connection (any more). */
bool consumer_receive(struct local_consumer *consumer);
/** Sends a frame whole and frees it; a failure ends the connection at the next receive. */
void consumer_send(struct local_consumer *consumer, struct buffer *frame);

/* -- local_member.c -- */

/** A frame that is no data, in time of receiving. */
void consumer_take_frame(struct local_consumer *consumer, const struct wire_head *head,
                         const char *payload);
/** Something for the next poll(): a frame's payload, or type 0: the connection ended. */
void consumer_add_event(struct local_consumer *consumer, uint32_t type, const char *payload,
                        size_t size);
/** Calls back for all that was added. */
void consumer_serve_events(struct local_consumer *consumer);
void consumer_finish_commits(struct local_consumer *consumer);
/** The connection ended: nobody will answer them. */
void consumer_fail_commits(struct local_consumer *consumer);
/** Tells the caller, unless it is what was told last. */
void consumer_fault(struct local_consumer *consumer, const struct error *error);

#endif
