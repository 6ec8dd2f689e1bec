/*
 * The shards of the streams that a source reads: found by ListShards, kept for as long as Kinesis lists
 * them, and how far each is read. [task thread, but for pending]
 */
#ifndef KINESIS_SHARDS_H
#define KINESIS_SHARDS_H

#include <stdatomic.h>

#include "connectors/kinesis/access.h"

enum {
    KINESIS_SHARD_SIZE = 129,
    KINESIS_SEQUENCE_SIZE = 129,
    KINESIS_PARENTS = 2, /* a merge has two */
};

enum shard_state {
    SHARD_NEW,         /* found, not looked at yet */
    SHARD_FOREIGN,     /* another task's */
    SHARD_WAITS,       /* for its parents to be read to their ends */
    SHARD_NO_ITERATOR,
    SHARD_READY,       /* its iterator can be used */
    SHARD_ENDED,       /* closed, and read to its end */
};

/** What an iterator begins with. */
enum shard_start {
    SHARD_TRIM_HORIZON,
    SHARD_LATEST,
    SHARD_TIMESTAMP,
    SHARD_AT,          /* the sequence number, whose first records were delivered */
    SHARD_AFTER,
};

struct shard {
    struct shard *next;
    const char *stream, *topic;
    void *owner;                             /* the source */
    char id[KINESIS_SHARD_SIZE], parents[KINESIS_PARENTS][KINESIS_SHARD_SIZE];
    bool open, listed;                       /* in the last list that was read to its end */
    bool seen;                               /* in the one that is read */
    bool foreign_end;                        /* FOREIGN: its task says that it is read */
    int64_t foreign_look;                    /* when to look again, monotonic ms */

    enum shard_state state;
    enum shard_start start;
    char sequence[KINESIS_SEQUENCE_SIZE];    /* of the record read last; "" : none */
    int64_t sub_sequence;                    /* SHARD_AT: records of the aggregate that are delivered */
    int64_t timestamp;                       /* SHARD_TIMESTAMP */
    char *iterator;
    struct http_call *call;                  /* under way */
    struct buffer body;                      /* of it */
    int64_t asked;                           /* monotonic ms of the last request */
    int64_t due;                             /* and of the next one */
    int failures;                            /* in a row */
    int64_t behind;                          /* MillisBehindLatest */
    atomic_size_t pending;                   /* records handed on that are not delivered yet */
};

struct shards {
    struct shard *first;
};

void shards_finish(struct shards *shards);
struct shard *shards_find(const struct shards *shards, const char *stream, const char *id);
/**
 * Asks for all shards of a stream and adds those that are new, in the order of the answer. -1 with the
 * fault.
 */
int shards_list(struct shards *shards, struct kinesis_access *access, const char *stream,
                struct aws_fault *ret_fault) SLUICE_CHECKED;
/** Which of task_count tasks has it. Pure. */
int64_t shard_task(const char *id, size_t stream_number, int64_t task_count);

#endif
