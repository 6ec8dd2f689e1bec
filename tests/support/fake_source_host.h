/*
 * A host for one source, for unit tests and profiling: its task thread polls and delivers, to no broker
 * but to memory. Offsets count up per topic and partition 0..N-1.
 *
 * Links core_data and core_config. Fields marked [test] may be set before start, or under lock later.
 */
#ifndef TESTS_SUPPORT_FAKE_SOURCE_HOST_H
#define TESTS_SUPPORT_FAKE_SOURCE_HOST_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <sluice/plugin.h>

#include "core/data/batch.h"

struct fake_record {
    char topic[256];
    int32_t partition; /* as the source set it */
    char *key;         /* NUL-terminated; NULL: null */
    size_t key_size;
    char *value;
    size_t value_size;
};

struct fake_source_host {
    struct sluice_host host;
    const struct sluice_descriptor *descriptor;
    const struct sluice_source *vtable;
    void *self;
    struct sluice_config *config;
    struct batch_pool *pool;
    char error[1024];  /* of the last call that failed */
    char log[16384];   /* lines, newest last */

    pthread_t thread;
    bool started;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool woken, stopping;
    bool paused;       /* [test] no polls */
    bool hold;         /* [test] acknowledgements wait in `held` until fake_source_host_release() */
    bool quiet;        /* [test] records are not kept: for profiling */
    /** [test] Changes what a record's delivery will say; NULL: all is fine. [task thread] */
    void (*decide)(const struct sluice_record *record, struct sluice_delivery *delivery);
    const char *stored;        /* [test] JSON of the offset stored for any partition; NULL: none */
    const char *const *topics; /* [test] for metadata, closed by NULL; NULL: the broker is away */
    int32_t partitions;        /* [test] of each topic */

    struct fake_record *records;
    size_t record_count, record_capacity;
    atomic_llong polls; /* ended */
    struct fake_offset {
        char topic[256];
        int64_t next;
    } offsets[16];
    struct sluice_batch **held;
    size_t held_count;
};

/** properties: key, value, .. closed by NULL. NULL with text in error (size bytes) on bad ones. */
struct fake_source_host *fake_source_host_create(const struct sluice_descriptor *descriptor,
                                                 const char *const *properties, char *error,
                                                 size_t size);
/** start() and the task thread. */
enum sluice_result fake_source_host_start(struct fake_source_host *fake);
/** Delivers what was held back, on the calling thread, which is the broker thread then. */
void fake_source_host_release(struct fake_source_host *fake);
/** Waits until so many records came, at most 5 s. */
bool fake_source_host_wait(struct fake_source_host *fake, size_t records);
/** drain, last polls, stop: as a host does it. */
void fake_source_host_stop(struct fake_source_host *fake);
void fake_source_host_destroy(struct fake_source_host *fake);

#endif
