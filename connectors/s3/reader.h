/*
 * Reading a bucket, or the folder that stands for one: lists of keys, and ranges of objects. Requests
 * (fetches) go to a thread of the reader's, which runs many at once and tries on for as long as that can
 * help; the task thread waits for those it needs.
 */
#ifndef S3_READER_H
#define S3_READER_H

#include <pthread.h>
#include <stdatomic.h>

#include <sluice/plugin.h>

#include "connectors/s3/settings.h"
#include "lib/http/client.h"
#include "lib/util/buffer.h"

enum { ETAG_MAX = 96 };

/** What a listing says of an object. */
struct entry {
    char *key;
    uint64_t size;
    int64_t modified;       /* seconds since 1970; 0: not said */
    char etag[ETAG_MAX];    /* "" in a folder */
};

enum fetch_state {
    FETCH_UNDER_WAY,
    FETCH_DONE,
    FETCH_GONE,             /* the object is not there any more, or another one */
    FETCH_FAILED,           /* trying on does not help: message says why */
};

/** One request. The submitter's again when its state is not UNDER_WAY. */
struct fetch {
    struct fetch *next;
    bool list;
    char *key;              /* or the prefix of a list */
    char *token;            /* of a list that goes on; NULL: from the beginning */
    char etag[ETAG_MAX];    /* the object must still have it; "": any */
    uint64_t offset;
    size_t size;
    _Atomic(enum fetch_state) state;
    atomic_bool abandoned;  /* nobody waits: freed when it ends */

    struct buffer body;     /* of an object: size bytes */
    struct entry *entries;  /* of a list, in the order of their keys */
    size_t entry_count, entry_capacity;
    char *next_token;       /* of a list: there is more */
    char message[700];

    int attempts;           /* the reader's */
    int64_t not_before;
    struct http_call *call;
    void *reader;
    struct fetch *all_next, *all_previous; /* of all there are; under the reader's lock */
};

struct reader;

/** Looks whether the bucket is there. NULL with a sentence for the user. Arguments outlive it. Blocking. */
struct reader *reader_create(const struct settings *settings, const struct sluice_host *host,
                             char *message, size_t size);
/** Frees all fetches. NULL is fine. */
void reader_destroy(struct reader *reader);

/** NULL: out of memory. Copies its texts; etag "" for any. [task thread] */
struct fetch *fetch_object(struct reader *reader, const char *key, const char *etag, uint64_t offset,
                           size_t size);
struct fetch *fetch_list(struct reader *reader, const char *prefix, const char *token);
/** Waits until the fetch has ended, at most so long; false: it has not. [task thread] */
bool fetch_wait(struct reader *reader, struct fetch *fetch, int timeout_ms);
/** Gives a fetch back, ended or not. NULL is fine. [task thread] */
void fetch_release(struct reader *reader, struct fetch *fetch);

/* -- for the two kinds of reader -- */

struct reader_vtable {
    /** Ends the fetch: fetch_end() now, or from run() later. [reader's thread] */
    void (*begin)(struct reader *reader, struct fetch *fetch);
    /** Waits for what goes on, at most so long. [reader's thread] */
    void (*run)(struct reader *reader, int timeout_ms);
    /** Ends a wait in run(). [any thread] */
    void (*wake)(struct reader *reader);
    void (*destroy)(struct reader *reader);
};

struct reader {
    const struct reader_vtable *vtable;
    const struct settings *settings;
    const struct sluice_host *host;
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct fetch *first, *last;  /* submitted */
    struct fetch *all;
    struct fetch *deferred;      /* reader's thread */
    bool stopping, in_trouble;
    uint64_t random;
};

/** NULL with a sentence. */
struct reader *s3_reader_create(const struct settings *settings, const struct sluice_host *host,
                                char *message, size_t size);
struct reader *file_reader_create(const struct settings *settings, const struct sluice_host *host,
                                  char *message, size_t size);
/** The fetch is over. [reader's thread] */
void fetch_end(struct reader *reader, struct fetch *fetch, enum fetch_state state);
/** Not now: again after some time, longer each time. why: for the log, once. [reader's thread] */
void fetch_again(struct reader *reader, struct fetch *fetch, const char *why, int64_t least_ms);
/** Adds an entry to a list; takes key over. False: no memory. */
bool fetch_add(struct fetch *fetch, char *key, uint64_t size, int64_t modified, const char *etag);

#endif
