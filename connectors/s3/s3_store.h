/* Inside of the S3 store: requests, objects, and the thread that drives them. [store's thread] */
#ifndef S3_S3_STORE_H
#define S3_S3_STORE_H

#include "connectors/s3/s3_access.h"
#include "connectors/s3/store.h"

/* S3_LIST: uploads of an object's key; S3_RECLAIM: those below a topic's. */
enum s3_kind { S3_PUT, S3_CREATE, S3_LIST, S3_PART, S3_COMPLETE, S3_ABORT, S3_TAG, S3_HEAD, S3_RECLAIM };

enum { ETAG_SIZE = 96, UPLOAD_ID_SIZE = 1024, PARTS_MAX = 10000 };

struct s3_store;
struct s3_object;

struct s3_request {
    struct s3_request *next;
    struct s3_store *store;
    struct s3_object *object;
    enum s3_kind kind;
    int part;                   /* S3_PART: number, from 1 */
    struct piece *piece;        /* S3_PUT, S3_PART */
    char *stray;                /* S3_ABORT: id of an upload that is not the object's own */
    struct buffer body;         /* S3_COMPLETE, S3_TAG */
    char payload_hash[SIGV4_HASH_SIZE]; /* "" until computed */
    char md5[32], crc32c[12];   /* base64; "" until computed */
    struct chain_reader reader;
    int attempts, corrections;
    bool untagged;              /* tags were refused, go on without */
    int64_t not_before;         /* monotonic ms */
    struct http_call *call;     /* under way */
    struct s3_request *all_next, *all_previous; /* of all there are */
};

struct s3_reclaim;

/**
 * One object on its way. Or, with an upload of no writer, and dropped from the first: the multipart upload
 * that somebody left, to be aborted; or the look for such.
 */
struct s3_object {
    struct s3_object *all_next, *all_previous;
    struct upload *upload;
    struct piece *first, *last; /* wait for the upload id */
    char upload_id[UPLOAD_ID_SIZE];
    bool creating;
    bool doubtful;              /* an S3_CREATE failed that may have begun an upload all the same */
    int sweeping;               /* requests on their way against such uploads; parts wait for them */
    bool complete;              /* the last piece, or the cancel, came: the writer sends no more */
    bool finishing;             /* PUT or COMPLETE is on its way, or done */
    bool dropped;
    struct s3_reclaim *reclaim; /* NULL, but for a look */
    struct part_answer {
        char etag[ETAG_SIZE], crc32c[12];
    } *answers;                 /* of the parts done, by number - 1 */
    size_t answer_capacity;
    int parts, parts_done;
    int active;                 /* requests queued or under way */
    size_t size;
    char etag[ETAG_SIZE];       /* of the whole, by S3's answer or our reckoning */
};

struct s3_store {
    struct store base;
    const struct settings *settings;
    const struct sluice_host *host;
    struct store_client *client;
    struct memory *memory;
    struct inbox inbox;
    pthread_t thread;
    bool has_thread, joined;

    struct http_client *http;
    struct s3_access access;
    bool no_reclaim;            /* uploads cannot be listed: said once, not tried again */

    struct s3_request *requests;      /* all */
    struct s3_object *objects;        /* all */
    struct s3_request *ready, *ready_last, *deferred;
    size_t active, limit;       /* requests under way; how many may be */
    bool in_trouble, failed;
    uint64_t random;
    struct sluice_metric *retries;
};

/* -- s3_request.c -- */

/** Signs and starts a request. False: no credentials now, or no memory; message says why. */
bool s3_request_start(struct s3_request *request,
                      void (*done)(void *user, struct http_reply *reply), char *message,
                      size_t size);
/** "https://host/bucket/key", for messages. */
const char *s3_request_text(const struct s3_request *request, char *text, size_t size);

/* -- s3_object.c -- */

/** A new one; the upload points to it. NULL: out of memory. */
struct s3_object *s3_object_new(struct s3_store *store, struct upload *upload);
/** A multipart upload that nobody has any more: it is aborted. */
void s3_object_orphan(struct s3_store *store, const char *key, const char *upload_id);
/** A piece came; takes it. */
void s3_object_piece(struct s3_store *store, struct piece *piece);
/** A request of the object succeeded; frees the request. */
void s3_object_done(struct s3_request *request, struct http_reply *reply);
/** The object is given up: its queued requests go, an open multipart upload is aborted. */
void s3_object_drop(struct s3_store *store, struct s3_object *object);
/** A request of an object that is given up came to nothing; frees the request. */
void s3_object_lost(struct s3_request *request);
/** Gives all uploads back, whatever their state; the thread has ended, no request is left. */
void s3_objects_end(struct s3_store *store);
/** After 412: is what is there what we would have written? Frees the request. */
void s3_object_exists(struct s3_request *request);
/** HEAD answered, or NoSuchUpload: the object was there all the time, or is not. Frees the request. */
void s3_object_head(struct s3_request *request, const struct http_reply *reply,
                    const struct aws_fault *fault);

/* -- s3_orphans.c -- */

/** Calls stray for each upload of the very key in a reply to S3_LIST but the one with the id `own`. */
void s3_strays(const struct http_reply *reply, const char *key, const char *own,
               void (*stray)(void *user, const char *id), void *user);

/** See struct store_vtable. [task thread] */
void s3_reclaim(struct store *store, const char *topic, const int32_t *partitions, size_t count);
/** It has come to the store's thread. */
void s3_reclaim_begin(struct s3_store *store, struct upload *upload);
/** Markers of the next page. */
void s3_reclaim_query(const struct s3_reclaim *reclaim, struct s3_draft *draft);
/** A page came: its orphans are aborted, the next page is asked for. */
void s3_reclaim_listed(struct s3_store *store, struct s3_object *object, const struct http_reply *reply);
void s3_reclaim_free(struct s3_reclaim *reclaim);

/* -- s3_store.c -- */

struct s3_request *s3_request_new(struct s3_store *store, struct s3_object *object, enum s3_kind kind);
void s3_request_free(struct s3_request *request);
/** Queues a request; its object's active count goes up. */
void s3_enqueue(struct s3_request *request);
/** Removes the object's requests that are queued; those under way are waited for. */
void s3_forget(struct s3_store *store, struct s3_object *object);
void s3_fail(struct s3_store *store, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
