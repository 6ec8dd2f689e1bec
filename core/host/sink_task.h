/* A sink task's own state, shared by its loop, its conversion and its context. [task thread] */
#ifndef CORE_HOST_SINK_TASK_H
#define CORE_HOST_SINK_TASK_H

#include "core/data/batch.h"
#include "core/host/chain.h"
#include "core/host/converters.h"
#include "core/host/errors.h"
#include "core/host/sink_feed.h"

/** One partition this task has: how far put() got, how far the group's offset is. */
struct position {
    char *topic;
    int32_t partition;
    int64_t consumed;  /* behind the last record given to put(); BROKER_NO_OFFSET: none yet */
    int64_t committed; /* as the broker confirmed */
};

struct sink_task {
    struct task *task;
    const struct sluice_sink *vtable;
    void *self;
    const char *class_name;
    struct converters converters;
    struct chain *chain;
    struct error_policy policy;
    struct batch_pool *pool;
    struct feed *feed;

    struct position *positions;
    size_t position_count;
    struct position *last_position; /* of the last look-up; NULL after a change */

    struct broker_chunk *chunk;     /* that `batch` was made of */
    struct sluice_batch *batch;     /* to be put (again); NULL: none */
    int64_t retry_at;               /* monotonic ms */
    int64_t idle_until;             /* monotonic ms, by context->timeout(); INT64_MAX: for ever */
    struct broker_offset *rewinds;  /* asked for during put(); topics owned */
    size_t rewind_count;

    bool paused;                    /* as last told to worker and feed */
    bool commit_wanted;             /* before its time */
    bool commit_asked;              /* the worker is to be told the end of the next one, */
    bool commit_answer;             /* of the one under way */
    bool committing;                /* one commit is under way */
    int64_t next_commit, last_commit;
    int64_t next_backlog;

    int64_t commit_begin; /* monotonic ns, of the one under way */
    struct metrics_slot *bytes, *lag, *lag_max, *active, *partitions, *commit_number;
    struct metrics_stat *read, *sent, *put_time, *commits, *active_seen;
};

/* sink_offsets.c */

/** NULL where the partition is not this task's. */
struct position *sink_position(struct sink_task *sink, const char *topic, int32_t partition);
/** A partition that was assigned, with the group's offset. */
void sink_position_add(struct sink_task *sink, const struct broker_offset *at);
/** topic may be the position's own. */
void sink_position_remove(struct sink_task *sink, const char *topic, int32_t partition);
/** Sets the gauges of what is not read yet and of what is read but not committed. */
void sink_update_backlog(struct sink_task *sink);
/** The chunk's records are with the plugin now: its partitions moved on. */
void sink_advance(struct sink_task *sink, const struct broker_chunk *chunk);

/**
 * Makes a batch of a chunk: converters, then the chain; what is filtered or tolerated is hidden.
 * The batch holds the chunk until its last release. -1 with error: the task ends.
 */
int sink_convert(struct sink_task *sink, struct broker_chunk *chunk, struct sluice_batch **ret_batch,
                 struct error *error) CHECKED;

/** What the plugin gets for SLUICE_SINK_CONTEXT. */
extern const struct sluice_sink_context sink_context;

/**
 * pre_commit() for some partitions; the offsets that may be committed now, owned by the caller.
 * *ret_result: what pre_commit() said.
 */
struct broker_offset *sink_safe_offsets(struct sink_task *sink, const struct broker_offset *of,
                                        size_t of_count, size_t *ret_count,
                                        enum sluice_result *ret_result);
void sink_offsets_free(struct broker_offset *offsets, size_t count);

#endif
