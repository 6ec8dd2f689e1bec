/* A source task's own state, shared by its loop, its sending and its context. */
#ifndef CORE_HOST_SOURCE_TASK_H
#define CORE_HOST_SOURCE_TASK_H

#include <stdatomic.h>

#include <sluice/cluster.h>

#include "core/data/batch.h"
#include "core/host/chain.h"
#include "core/host/converters.h"
#include "core/host/errors.h"
#include "core/host/source_offsets.h"
#include "core/host/topic_creation.h"

struct source_task {
    struct task *task;
    const struct sluice_source *vtable;
    void *self;
    const char *class_name;
    bool answers;                   /* SLUICE_SOURCE_ANSWERS: bad records are its own affair */
    struct converters converters;
    struct chain *chain;
    struct error_policy policy;
    struct topic_creation *topics;  /* NULL: the broker makes what is missing, or does not */
    struct batch_pool *pool;
    struct source_offsets *offsets;

    struct broker *broker;
    pthread_mutex_t admin;          /* one admin call at a time on `broker` */
    struct broker_producer *producer;
    pthread_t broker_thread;
    atomic_bool broker_stop;
    pthread_mutex_t done;           /* record_done() calls never overlap */
    atomic_bool blocked;            /* the task thread waits for room in the producer */
    atomic_size_t in_flight;        /* handed to the producer and not yet landed; not what the producer
                                       calls pending, which ends before the offsets of the last are told */

    int64_t next_commit, commit_interval, commit_timeout; /* monotonic ms; ms */
    int64_t poll_at;                /* monotonic ms, where poll() wants to be called later */
    struct metrics_slot *active, *bytes, *bytes_in_flight;
    struct metrics_stat *polled, *poll_time, *active_seen;
    struct metrics_stat *written; /* [broker thread] */
};

/** Opens producer and broker thread. */
int source_send_open(struct source_task *source, struct error *error) CHECKED;
/** Waits for what is under way until the deadline (monotonic ms). True: nothing is left. */
bool source_send_drain(struct source_task *source, int64_t deadline);
void source_send_close(struct source_task *source);
/** Chain, converters and producer for a polled batch; takes over the caller's reference. */
int source_send(struct source_task *source, struct sluice_batch *batch, struct error *error) CHECKED;

/** What the plugin gets for SLUICE_SOURCE_CONTEXT. */
extern const struct sluice_source_context source_context;
extern const struct sluice_cluster source_cluster;

#endif
