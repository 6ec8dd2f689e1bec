/*
 * The S3 sink of one task: what all its topic partitions share. Owned by the task thread; the store's
 * thread reaches only what is behind `lock`, and the host.
 */
#ifndef S3_SINK_H
#define S3_SINK_H

#include <pthread.h>

#include "connectors/s3/format.h"
#include "connectors/s3/output.h"
#include "connectors/s3/partitioner.h"
#include "connectors/s3/writer.h"
#include "lib/java/values_text.h"

enum {
    FAILURE_SIZE = 1024,
    SINK_OUTSTANDING_MAX = 8192, /* objects on their way: bounds what a crash makes to be written again */
};

struct topic_name {
    struct topic_name *next;
    char name[];
};

struct sink {
    const struct sluice_host *host;
    const struct sluice_sink_context *context; /* NULL outside a task */
    struct settings settings;
    struct memory *memory;
    struct output output;
    struct format formats[STREAMS];
    char *extensions[STREAMS];         /* how keys end */
    const struct sluice_name *headers_name, *key_name, *value_name;
    struct values_text header_text; /* how values of headers are written */
    struct partitioner *partitioner;
    struct extractor extractor;
    struct zone *zone;                 /* of the schedule; NULL: none */
    bool needs_time;                   /* of each record */
    bool simple_path;                  /* one directory per topic partition */

    struct writer **writers;
    size_t writer_count;
    struct topic_name *topics;         /* names live as long as the task: tickets point to them */
    size_t outstanding;                /* completed by the writer, not yet by the store */

    struct store_client client;
    pthread_mutex_t lock;              /* of what follows */
    pthread_cond_t changed;
    struct upload *done_first, *done_last;
    bool failed, in_trouble;
    char failure[FAILURE_SIZE], trouble[FAILURE_SIZE];

    struct sluice_metric *objects, *bytes, *in_flight;
};

/* -- sink_store.c -- */

/** What the store calls, on its own thread. */
void sink_client_init(struct store_client *client);
/** Takes in uploads that ended since. */
void sink_drain(struct sink *sink);
/** What the store said since the last call; SLUICE_OK where all is well. */
enum sluice_result sink_store_state(struct sink *sink);
/** Waits until there is room for a record; RETRY where the store does not work meanwhile. */
enum sluice_result sink_make_room(struct sink *sink);
/** Waits, for a while, until what is complete is written. */
void sink_finish_completed(struct sink *sink);

/* -- sink_put.c -- */

/** See struct sluice_sink. */
enum sluice_result sink_put(void *self, struct sluice_batch *batch);
enum sluice_result sink_pre_commit(void *self, struct sluice_topic_offset *offsets, size_t *count);
/** NULL: the partition is not this task's. */
struct writer *sink_find_writer(const struct sink *sink, const char *topic, int32_t partition);
enum sluice_result sink_no_memory(struct sink *sink);

#endif
