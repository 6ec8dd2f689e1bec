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

enum { FAILURE_SIZE = 1024 };

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
    struct joda_format *date_formats[3]; /* of header values: date, time, timestamp */
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

#endif
