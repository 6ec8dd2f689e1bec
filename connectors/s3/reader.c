/* What both readers have in common: the thread, and fetches; see reader.h. */
#include "connectors/s3/reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { IDLE_MS = 1000, BACKOFF_MAX_MS = 20000 };

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* -- fetches -- */

static void free_fetch(struct reader *reader, struct fetch *fetch)
{
    pthread_mutex_lock(&reader->lock);
    if (fetch->all_previous) {
        fetch->all_previous->all_next = fetch->all_next;
    } else if (reader->all == fetch) {
        reader->all = fetch->all_next;
    }
    if (fetch->all_next) {
        fetch->all_next->all_previous = fetch->all_previous;
    }
    pthread_mutex_unlock(&reader->lock);
    for (size_t i = 0; i < fetch->entry_count; i++) {
        free(fetch->entries[i].key);
    }
    free(fetch->entries);
    free(fetch->key);
    free(fetch->token);
    free(fetch->next_token);
    buffer_finish(&fetch->body);
    free(fetch);
}

static struct fetch *submit(struct reader *reader, struct fetch *fetch, const char *key,
                            const char *token)
{
    fetch->reader = reader;
    fetch->key = strdup(key);
    fetch->token = token ? strdup(token) : NULL;
    if (!fetch->key || (token && !fetch->token)) {
        free_fetch(reader, fetch);
        return NULL;
    }
    pthread_mutex_lock(&reader->lock);
    fetch->all_next = reader->all;
    if (reader->all) {
        reader->all->all_previous = fetch;
    }
    reader->all = fetch;
    if (reader->last) {
        reader->last->next = fetch;
    } else {
        reader->first = fetch;
    }
    reader->last = fetch;
    pthread_cond_broadcast(&reader->changed);
    pthread_mutex_unlock(&reader->lock);
    reader->vtable->wake(reader);
    return fetch;
}

struct fetch *fetch_object(struct reader *reader, const char *key, const char *etag, uint64_t offset,
                           size_t size)
{
    struct fetch *fetch = calloc(1, sizeof(*fetch));
    if (!fetch) {
        return NULL;
    }
    fetch->offset = offset;
    fetch->size = size;
    snprintf(fetch->etag, sizeof(fetch->etag), "%s", etag);
    buffer_init(&fetch->body, size + 1);
    return submit(reader, fetch, key, NULL);
}

struct fetch *fetch_list(struct reader *reader, const char *prefix, const char *token)
{
    struct fetch *fetch = calloc(1, sizeof(*fetch));
    if (!fetch) {
        return NULL;
    }
    fetch->list = true;
    return submit(reader, fetch, prefix, token);
}

bool fetch_wait(struct reader *reader, struct fetch *fetch, int timeout_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_mutex_lock(&reader->lock);
    while (fetch->state == FETCH_UNDER_WAY &&
           pthread_cond_timedwait(&reader->changed, &reader->lock, &until) != ETIMEDOUT) {
    }
    bool ended = fetch->state != FETCH_UNDER_WAY;
    pthread_mutex_unlock(&reader->lock);
    return ended;
}

void fetch_release(struct reader *reader, struct fetch *fetch)
{
    if (!fetch) {
        return;
    }
    pthread_mutex_lock(&reader->lock);
    bool under_way = fetch->state == FETCH_UNDER_WAY;
    fetch->abandoned = under_way;
    pthread_mutex_unlock(&reader->lock);
    if (!under_way) {
        free_fetch(reader, fetch);
    }
}

void fetch_end(struct reader *reader, struct fetch *fetch, enum fetch_state state)
{
    pthread_mutex_lock(&reader->lock);
    bool abandoned = fetch->abandoned;
    fetch->state = state;
    pthread_cond_broadcast(&reader->changed);
    pthread_mutex_unlock(&reader->lock);
    if (abandoned) {
        free_fetch(reader, fetch);
    }
    if (state == FETCH_DONE && reader->in_trouble) {
        reader->in_trouble = false;
        reader->host->log(reader->host, SLUICE_INFO, "The store works again");
    }
}

void fetch_again(struct reader *reader, struct fetch *fetch, const char *why, int64_t least_ms)
{
    const struct settings *settings = reader->settings;
    fetch->attempts++;
    int64_t base = settings->retry_backoff > 0 ? settings->retry_backoff : 1;
    int shift = fetch->attempts < 16 ? fetch->attempts - 1 : 15;
    base = base > BACKOFF_MAX_MS >> shift ? BACKOFF_MAX_MS : base << shift;
    if (fetch->attempts > settings->part_retries) {
        base = settings->task_backoff > 0 ? settings->task_backoff : 1;
        if (!reader->in_trouble) {
            reader->in_trouble = true;
            reader->host->log(reader->host, SLUICE_WARN, "%s cannot be read: %s. Trying again every %" PRId64
                              " ms", fetch->key, why, settings->task_backoff);
        }
    }
    reader->random = reader->random * 6364136223846793005u + 1442695040888963407u; /* jitter */
    int64_t wait = (int64_t)((reader->random >> 20) % (uint64_t)(base + 1));
    fetch->not_before = now_ms() + (wait > least_ms ? wait : least_ms);
    fetch->next = reader->deferred;
    reader->deferred = fetch;
}

bool fetch_add(struct fetch *fetch, char *key, uint64_t size, int64_t modified, const char *etag)
{
    if (fetch->entry_count == fetch->entry_capacity) {
        size_t capacity = fetch->entry_capacity ? fetch->entry_capacity * 2 : 64;
        struct entry *grown = realloc(fetch->entries, capacity * sizeof(*grown));
        if (!grown) {
            free(key);
            return false;
        }
        fetch->entries = grown;
        fetch->entry_capacity = capacity;
    }
    struct entry *entry = &fetch->entries[fetch->entry_count++];
    *entry = (struct entry){.key = key, .size = size, .modified = modified};
    snprintf(entry->etag, sizeof(entry->etag), "%s", etag);
    return true;
}

/* -- the thread -- */

static void start_deferred(struct reader *reader, bool stopping, int64_t *next)
{
    struct fetch *all = reader->deferred;
    int64_t now = now_ms();
    reader->deferred = NULL;
    while (all) {
        struct fetch *fetch = all;
        all = fetch->next;
        if (stopping || fetch->abandoned) {
            fetch_end(reader, fetch, FETCH_FAILED);
        } else if (fetch->not_before <= now) {
            fetch->next = NULL;
            reader->vtable->begin(reader, fetch);
        } else {
            *next = fetch->not_before < *next ? fetch->not_before : *next;
            fetch->next = reader->deferred;
            reader->deferred = fetch;
        }
    }
}

static void *run(void *user)
{
    struct reader *reader = user;
    for (;;) {
        pthread_mutex_lock(&reader->lock);
        struct fetch *fetch = reader->first;
        bool stopping = reader->stopping;
        reader->first = reader->last = NULL;
        pthread_mutex_unlock(&reader->lock);
        while (fetch) {
            struct fetch *next = fetch->next;
            fetch->next = NULL;
            if (stopping || fetch->abandoned) {
                fetch_end(reader, fetch, FETCH_FAILED);
            } else {
                reader->vtable->begin(reader, fetch);
            }
            fetch = next;
        }
        int64_t next = now_ms() + IDLE_MS;
        start_deferred(reader, stopping, &next);
        if (stopping) {
            return NULL;
        }
        int64_t wait = next - now_ms();
        reader->vtable->run(reader, wait > 0 ? (int)wait : 0);
    }
}

struct reader *reader_create(const struct settings *settings, const struct sluice_host *host,
                             char *message, size_t size)
{
    struct reader *reader = settings->file_path ? file_reader_create(settings, host, message, size)
                                                : s3_reader_create(settings, host, message, size);
    if (!reader) {
        return NULL;
    }
    reader->settings = settings;
    reader->host = host;
    reader->random = (uint64_t)now_ms() ^ (uintptr_t)reader;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&reader->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&reader->lock, NULL);
    if (pthread_create(&reader->thread, NULL, run, reader) != 0) {
        snprintf(message, size, "No thread can be started");
        reader_destroy(reader);
        return NULL;
    }
    reader->has_thread = true;
    return reader;
}

void reader_destroy(struct reader *reader)
{
    if (!reader) {
        return;
    }
    if (reader->has_thread) {
        pthread_mutex_lock(&reader->lock);
        reader->stopping = true;
        pthread_cond_broadcast(&reader->changed);
        pthread_mutex_unlock(&reader->lock);
        reader->vtable->wake(reader);
        pthread_join(reader->thread, NULL);
    }
    while (reader->all) {
        free_fetch(reader, reader->all);
    }
    pthread_cond_destroy(&reader->changed);
    pthread_mutex_destroy(&reader->lock);
    reader->vtable->destroy(reader);
}
