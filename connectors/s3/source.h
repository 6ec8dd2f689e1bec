/*
 * The S3 source of one task: which objects there are to read, and how far each is read. Owned by the
 * task thread.
 */
#ifndef S3_SOURCE_H
#define S3_SOURCE_H

#include <sluice/plugin.h>

#include "connectors/s3/stream.h"
#include "lib/java/regex.h"

enum { PART_VALUE, PART_KEY, PART_HEADERS, PARTS };

struct source_settings {
    struct settings bucket;
    bool generic;
    const char *topics_dir, *directory_delim, *file_delim, *tombstones;
    enum format_kind format, key_format;
    bool keys, headers;
    const char *bytes_extension, *separator;
    int64_t poll_interval, batch_max, not_before;
    bool ignore_errors, log_errors;
    uint64_t task_number, task_count;
    const char *const *topics;  /* GENERIC: TOPIC:REGEX */
    size_t topic_count;
};

/**
 * How far a row of objects is read that are only ever added to at its end: in RESTORE_BACKUP those of
 * one topic partition in one folder, by offset; in GENERIC a single object.
 */
struct place {
    struct place *next;         /* in its bucket of the table */
    char *folder, *file;        /* file: "topic+partition", or the object's name */
    int64_t offset;             /* RESTORE_BACKUP: in the name of the object read last */
    char *name;                 /* of that object; NULL: none read yet */
    int64_t records;            /* of it that are handed on */
    bool end;                   /* all of it is */
    uint64_t held;              /* number of the listing that found an object of it without all parts */
    bool told;                  /* and the user heard of it */
    bool uneven;                /* numbers without zeros in front: a listing has 10 before 9 */
};

/** An object that is to be read. */
struct item {
    struct entry entry[PARTS];  /* key NULL: has no such part */
    struct place *place;
    const char *topic;          /* lives as long as the source */
    int32_t partition;          /* SLUICE_NO_PARTITION: any */
    int64_t offset;
    bool tombstones;            /* keys of null values */
    struct object_stream *streams; /* of the parts; NULL: not begun */
    struct sluice_span taken[PARTS]; /* texts that wait for those of the other parts */
    int64_t records;            /* handed on so far, also in former lives */
    int64_t seen;               /* read in this one */
};

struct topic_text {
    struct topic_text *next;
    char name[];
};

struct objects {
    const struct source_settings *settings;
    const struct sluice_host *host;
    const struct sluice_source_context *context;
    struct reader *reader;
    struct place **places;      /* a table by hash */
    size_t place_capacity, place_count;
    struct topic_text *topics;
    struct regex **expressions;
    struct fetch *listing;      /* under way */
    struct item *items;         /* to be read, in this order */
    size_t item_count, item_capacity;
    size_t first;               /* those before are done */
    char *rest;                 /* token: a listing that had enough goes on from there */
    uint64_t listings;          /* begun */
};

/** -1 with a sentence: an expression is wrong. */
int objects_init(struct objects *objects, const struct source_settings *settings,
                 const struct sluice_host *host, const struct sluice_source_context *context,
                 struct reader *reader, char *message, size_t size);
void objects_finish(struct objects *objects);
/**
 * Lists what is new, waiting at most so long: 1 done, 0 goes on at the next call, -1 with a sentence.
 * Only when no item is left. batch: for stored offsets.
 */
int objects_list(struct objects *objects, struct sluice_batch *batch, int timeout_ms, char *message,
                 size_t size);
/** What is still to be read is left to the next listing. */
void objects_forget(struct objects *objects);
/* source_places.c */
/** The place, with what the worker has stored of it. NULL: out of memory. */
struct place *source_place(struct objects *objects, struct sluice_batch *batch, const char *folder,
                           size_t folder_size, const char *file);
void source_places_finish(struct objects *objects);
/** Connect's sourcePartition of a place. */
const struct sluice_value *source_partition(const struct objects *objects, struct sluice_batch *batch,
                                            const struct place *place);
/** The item to be read now; NULL: none is left. */
struct item *objects_first(struct objects *objects);
/** What its place calls it: to be freed. NULL: out of memory. */
char *objects_name(const struct source_settings *settings, const struct item *item);
/** It is read, or left out: on to the next. */
void objects_done(struct objects *objects);
/** Begins to fetch the next items, as far as the memory allows. -1: out of memory. */
int objects_ahead(struct objects *objects);

#endif
