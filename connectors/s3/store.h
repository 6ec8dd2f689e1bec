/*
 * Where objects go: S3, or a folder. A store has a thread of its own; the task thread hands it the
 * bytes of an object in pieces, and hears when the object is durable under its key, or never will be.
 * An object is visible as a whole or not at all.
 *
 * A store keeps what it was given until it is durable, and tries on for as long as trying can help;
 * meanwhile it is `in trouble`, and the sink takes no more records. What trying cannot help fails
 * the task.
 */
#ifndef S3_STORE_H
#define S3_STORE_H

#include <pthread.h>

#include <sluice/plugin.h>

#include "connectors/s3/memory.h"
#include "connectors/s3/settings.h"

struct upload;

struct piece {
    struct piece *next;
    struct upload *upload;
    struct chain chain;
    bool last;             /* the object is complete with it */
    bool cancel;           /* nothing of it is wanted any more */
};

enum upload_outcome {
    UPLOAD_UNDER_WAY,
    UPLOAD_DURABLE,
    UPLOAD_DROPPED,        /* cancelled, or no longer ours to finish */
};

/** One object. Made by the writer; the store's from the first send() or cancel() on until done(). */
struct upload {
    struct upload *next;   /* for whoever has it */
    char *key;
    char *tags;            /* "a=b&c=d", encoded; NULL: none. Set before the last piece is sent */
    bool conditional;      /* only where nothing is under this key yet */
    void *owner;           /* the writer's; NULL: of no writer, a store's own */
    struct memory *memory;
    enum upload_outcome outcome;
    bool exists;           /* dropped, as another object has the key: sluice.s3.original.faults */
    size_t size;           /* bytes, once durable */
    void *state;           /* the store's */
};

/** What a store tells the sink. [store's thread] */
struct store_client {
    /** Once per upload, which is the client's again. */
    void (*done)(struct store_client *client, struct upload *upload);
    /** Asked before an upload is made visible; false: drop it. */
    bool (*may_finish)(struct store_client *client, const struct upload *upload);
    /** Whether the topic partition is this task's, as far as is known. */
    bool (*owns)(struct store_client *client, const char *topic, int32_t partition);
    /** Trying on; why. NULL: it works again. */
    void (*trouble)(struct store_client *client, const char *message);
    /** The task cannot go on. */
    void (*failed)(struct store_client *client, const char *message);
};

struct store;

struct store_vtable {
    /** Looks whether the bucket is there. -1 with a sentence for the user. [task thread, blocking] */
    int (*start)(struct store *store, char *message, size_t size);
    /** Takes the next piece of an object. [task thread] */
    void (*send)(struct store *store, struct upload *upload, struct piece *piece);
    /** Gives an object up; done() still comes for it. [task thread] */
    void (*cancel)(struct store *store, struct upload *upload);
    /**
     * Partitions of a topic came: removes what their former owners left unfinished, meanwhile. May be
     * NULL. [task thread]
     */
    void (*reclaim)(struct store *store, const char *topic, const int32_t *partitions, size_t count);
    /** Ends the thread; what is unfinished is dropped, done() comes for it before. [task thread] */
    void (*stop)(struct store *store);
    /** After stop(), or without start(). */
    void (*destroy)(struct store *store);
};

struct store {
    const struct store_vtable *vtable;
    size_t piece_size;     /* a piece that is not the last is sent when it has reached this */
    size_t piece_min;      /* or, where memory is short, this */
    const char *extensions[4]; /* how keys end, closed by NULL; set before open() */
};

/** NULL: out of memory. All arguments outlive the store. */
struct store *s3_store_create(const struct settings *settings, const struct sluice_host *host,
                              struct store_client *client, struct memory *memory);
struct store *file_store_create(const struct settings *settings, const struct sluice_host *host,
                                struct store_client *client, struct memory *memory);

/** A bounded list of pieces between the task thread and a store's. */
struct inbox {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct piece *first, *last;
    bool stopping;
};

void inbox_init(struct inbox *inbox);
void inbox_finish(struct inbox *inbox);
/** True where it was empty: whoever waits elsewhere is to be woken. */
bool inbox_put(struct inbox *inbox, struct upload *upload, struct piece *piece);
/** Everything there is, oldest first; waits at most timeout_ms for the first, -1: until one comes. */
struct piece *inbox_take(struct inbox *inbox, int timeout_ms, bool *ret_stopping);
void inbox_stop(struct inbox *inbox);

/** Frees pieces and upload. NULL is fine. */
void piece_free(struct memory *memory, struct piece *piece);
void upload_free(struct upload *upload);

#endif
