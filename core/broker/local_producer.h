/*
 * Producer of the embedded log: what its parts share. local_send.c takes messages and builds
 * batches [sending thread]; local_producer.c connects, sends, reads and delivers [polling thread];
 * local_metadata.c knows the topics [both].
 * `lock` guards everything they share; all I/O is the polling thread's.
 */
#ifndef CORE_BROKER_LOCAL_PRODUCER_H
#define CORE_BROKER_LOCAL_PRODUCER_H

#include "core/broker/local.h"
#include "core/broker/log/format.h"

enum {
    PRODUCER_WINDOW = 2, /* batches of a partition under way: one is committed, one waits for it */
    PRODUCER_BUCKETS = 64,
};

struct slot {
    void *opaque;
    int64_t timestamp;
};

struct out_partition;

struct batch {
    struct batch *next;      /* in its partition, then in the list of finished ones */
    struct batch *sent_next; /* under way, in the order of sending */
    struct out_partition *partition;
    struct buffer bytes; /* frame */
    size_t at;           /* of the batch in it */
    struct slot *slots;
    uint32_t count, capacity, header_count, id;
    int64_t max_timestamp, deadline;
    bool sent, done;
    int64_t base, append_time;
    struct error error;
};

struct out_partition {
    struct out_topic *topic;
    int32_t number;
    uint64_t sequence;          /* of the last batch closed */
    struct batch *first, *last; /* not yet delivered; the last one is open when `open` */
    bool open;
    int under_way;
    bool listed;
    struct out_partition *listed_next; /* has something to send */
};

struct out_topic {
    struct out_topic *next;
    char *name;
    struct out_partition **partitions; /* grows; those in use stay where they are */
    int32_t known;                     /* how many there are structs for */
    int32_t count;                     /* -1: not asked yet or not answered */
    uint32_t max_message;
    uint32_t request;   /* id of the question under way; 0: none */
    int64_t asked_at;   /* first question without an answer */
    struct error error; /* of the last answer */
    uint32_t sticky;
};

struct local_producer {
    struct broker_producer base;
    struct local *local;
    broker_delivery_fn delivered;
    void *user;
    char *client_id;
    int64_t memory_max, message_max, delivery_timeout, max_block;

    pthread_mutex_t lock;
    int fd, wake;
    bool woken, polling, kicked; /* polling: about to wait, or waiting */
    bool connected_once;
    int backoff;
    int64_t connect_at, lost_at;
    uint64_t id; /* producer id, of the first connection */
    uint32_t last_request;
    struct out_topic *topics[PRODUCER_BUCKETS];
    struct out_partition *listed;
    struct batch *sent, **sent_end; /* under way */
    struct batch *sending;          /* being written, then those behind it in `sent` */
    size_t sending_at;              /* bytes of it that are written */
    struct buffer control;          /* small frames, sent between batches */
    struct batch *finished, **finished_end;
    struct batch *spare;
    size_t spare_bytes;
    int64_t memory;
    atomic_size_t pending;
    bool questions;   /* a topic is to be asked for */
    bool answered;    /* metadata came: send() may get further */
    struct buffer in; /* polling thread only */
};

/* -- local_send.c; all with the lock held -- */

/** Numbers it and computes its checksum: it does not change any more. */
void batch_seal(struct local_producer *producer, struct batch *batch);
void batch_free(struct batch *batch);
/** Keeps its memory for the next one. */
void batch_recycle(struct local_producer *producer, struct batch *batch);
/** Puts it among those that poll() hands out. */
void producer_finish(struct local_producer *producer, struct batch *batch);
/** This partition may have something to send. */
void producer_list(struct local_producer *producer, struct out_partition *partition);

/* -- local_metadata.c; all with the lock held -- */

/** What is known of a topic, or that nothing is; NULL: no memory. [sending thread] */
struct out_topic *producer_topic(struct local_producer *producer, const char *name);
struct out_partition *producer_partition(struct out_topic *topic, int32_t number);
/** Asks the owner for topics the sending thread waits for. */
void producer_ask_questions(struct local_producer *producer);
/** Asks again for all that are known, as they may have grown; unknown: for the others, too. */
void producer_ask_all(struct local_producer *producer, bool unknown);
void producer_take_metadata(struct local_producer *producer, const struct wire_head *head,
                            const char *payload);
/** Topics have come or gone. */
void producer_take_epoch(struct local_producer *producer, struct wire_reader *reader);
/** Is there anything for which a connection is needed? */
bool producer_wants_connection(const struct local_producer *producer);

#endif
