/*
 * Writer of one topic partition: its open files, when they are completed, and up to which offset all
 * is durable. Tests and their order are those of s3-sink-and-rest-proxy.md §2.3. [task thread]
 */
#ifndef S3_WRITER_H
#define S3_WRITER_H

#include <sluice/plugin.h>
#include <stdatomic.h>

#include "connectors/s3/fault.h"
#include "connectors/s3/output.h"

struct sink;

/** Objects that one file consists of. */
enum { STREAM_VALUE, STREAM_KEY, STREAM_HEADERS, STREAMS };

/**
 * What is completed together: the files of a topic partition between two rotations. Its offset counts
 * when it, and all before it, are durable. References: the writer's and one per upload; counted on the
 * task thread.
 */
struct ticket {
    struct ticket *next;         /* the one completed after it */
    const char *topic;
    int32_t partition;
    int64_t offset;              /* behind its last record */
    size_t pending;              /* uploads that are not durable */
    bool broken;                 /* one of them never will be */
    bool exists;                 /* another object has the key of one of them */
    int64_t first;               /* offset in the name of its first file */
    unsigned references;
    atomic_bool cancelled;       /* read by the store's thread */
};

struct file {
    char *path;                  /* encoded partition */
    uint64_t hash;
    int64_t first, last, count;  /* offsets, records */
    bool tombstones;
    const struct sluice_schema *schema; /* a reference; NULL: schemaless */
    struct stream streams[STREAMS];     /* upload NULL: none */
    void *states[STREAMS];
};

struct seen_schema {
    struct seen_schema *next;
    const struct sluice_schema *schema; /* a reference; NULL: schemaless */
    char path[];
};

struct writer {
    const char *topic;
    int32_t partition;
    struct file **files;         /* in the order they were opened */
    size_t file_count, file_capacity;
    struct file *last_file;      /* written last, still open; NULL: none */
    char *last_path;             /* directory of the record written last */
    struct seen_schema *seen;    /* of directories that have but records that could not be written */
    size_t seen_count;
    int64_t counter;             /* records since the last rotation */
    int64_t next;                /* offset behind the last record taken */
    int64_t skipped;             /* offset behind the last null that was reported */
    int64_t last_offset;         /* of the last record written */
    int64_t base_time, last_time;
    bool has_base;
    int64_t scheduled;           /* next time by the schedule */
    int64_t written_at;          /* wall clock of the last record */
    struct ticket *current;      /* of the open files; NULL: none open */
    struct ticket *oldest, *newest;
    bool ignores;                /* records of this put(): it is being read from another offset */
    int64_t durable;             /* offset up to which all is; -1: nothing said yet */
};

/** topic lives longer than the writer and its tickets. NULL: out of memory. */
struct writer *writer_create(struct sink *sink, const char *topic, int32_t partition);
/** Gives up what is open or on its way. NULL is fine. */
void writer_destroy(struct sink *sink, struct writer *writer);

/** Takes a record; now: of this put(). -1 with fault: it was not taken. */
int writer_put(struct sink *sink, struct writer *writer, struct sluice_batch *batch,
               const struct sluice_record *record, int64_t now, struct fault *fault);
/**
 * After the records of a put(): rotations by time. *ret_wait: ms until the next one may be due, -1:
 * none. -1 with fault.
 */
int writer_tick(struct sink *sink, struct writer *writer, int64_t now, int64_t *ret_wait,
                struct fault *fault);
/** Moves durable forward behind finished tickets. */
void writer_settle(struct writer *writer);

/** Drops a reference. */
void ticket_release(struct ticket *ticket);

#endif
