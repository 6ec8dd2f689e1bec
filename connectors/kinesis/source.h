/* The source's parts: source.c decides what is asked, fetch.c asks and reads the answers. [task thread] */
#ifndef KINESIS_SOURCE_H
#define KINESIS_SOURCE_H

#include <stdarg.h>

#include "connectors/kinesis/access.h"
#include "connectors/kinesis/aggregate.h"
#include "connectors/kinesis/names.h"
#include "connectors/kinesis/shards.h"

enum {
    FETCHES_MAX = 4,        /* answers of up to 10 MiB at a time */
    FOREIGN_LOOK_MS = 500,  /* how often another task's progress is looked up */
    PARENT_LOOK_MS = 100,
    SHARD_GAP_MS = 200,     /* a shard answers five times a second */
};

struct source_names {
    const struct sluice_name *stream, *shard, *sequence, *sub_sequence, *end, *timestamp; /* offsets */
    const struct sluice_name *records, *data, *key, *number, *arrival, *iterator, *behind; /* answers */
};

struct source {
    const struct sluice_host *host;
    const struct sluice_source_context *context;
    struct kinesis_source_settings settings;
    struct kinesis_access access;
    struct shards shards;
    char **topics;                 /* of settings.streams */
    struct kinesis_aggregate aggregate;
    struct source_names names;
    struct sluice_batch *batch;    /* the poll's, while one runs */
    int64_t next_discovery;        /* monotonic ms */
    int discovery_failures;
    bool discovered;
    char fault[1000];              /* for the next poll(): what came before it is handed on first */
    struct sluice_metric *records, *behind, *throttled, *renewed;
};

/** {"stream":..,"shard":..} in the poll's batch. */
const struct sluice_value *source_partition(const struct source *source, const char *stream,
                                            const char *shard);
/** The shard is read to its end: stored, and its children may begin. */
void source_shard_end(struct source *source, struct shard *shard);
/** The task is to end; the first reason counts. */
void source_fail(struct source *source, const char *format, ...) SLUICE_PRINTF(2, 3);

/* fetch.c */

/** Starts the shard's next request: for an iterator, or for records. */
void source_shard_ask(struct source *source, struct shard *shard);

#endif
