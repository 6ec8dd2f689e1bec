/*
 * Sink and store: what the store says of uploads, on its own thread, and the task's thread that takes it in,
 * or waits for it. See sink.h.
 */
#include "connectors/s3/sink.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

enum {
    ROOM_WAIT_MS = 100,
    FINISH_WAITS = 50,      /* of ROOM_WAIT_MS at most */
};

/* -- what the store says [store's thread] -- */

static struct sink *sink_of(struct store_client *client)
{
    return (struct sink *)((char *)client - offsetof(struct sink, client));
}

static void on_done(struct store_client *client, struct upload *upload)
{
    struct sink *sink = sink_of(client);
    upload->next = NULL;
    pthread_mutex_lock(&sink->lock);
    bool first = !sink->done_first;
    if (first) {
        sink->done_first = upload;
    } else {
        sink->done_last->next = upload;
    }
    sink->done_last = upload;
    pthread_cond_broadcast(&sink->changed);
    pthread_mutex_unlock(&sink->lock);
    if (first && sink->context) {
        sink->context->durable(sink->host);
    }
}

static bool owns(struct store_client *client, const char *topic, int32_t partition)
{
    struct sink *sink = sink_of(client);
    return !sink->context || sink->context->owns(sink->host, topic, partition);
}

static bool may_finish(struct store_client *client, const struct upload *upload)
{
    struct ticket *ticket = upload->owner;
    /* invariant 3: a task that lost the partition leaves the object to its successor */
    return !atomic_load(&ticket->cancelled) && owns(client, ticket->topic, ticket->partition);
}

static void on_trouble(struct store_client *client, const char *message)
{
    struct sink *sink = sink_of(client);
    pthread_mutex_lock(&sink->lock);
    bool was = sink->in_trouble;
    sink->in_trouble = message != NULL;
    snprintf(sink->trouble, sizeof(sink->trouble), "%s", message ? message : "");
    pthread_cond_broadcast(&sink->changed);
    pthread_mutex_unlock(&sink->lock);
    if (message && !was) {
        sink->host->log(sink->host, SLUICE_WARN, "%s. Trying again every %" PRId64 " ms", message,
                        sink->settings.task_backoff);
    } else if (!message && was) {
        sink->host->log(sink->host, SLUICE_INFO, "The store works again");
        if (sink->context) {
            sink->context->wake(sink->host);
        }
    }
}

static void on_failed(struct store_client *client, const char *message)
{
    struct sink *sink = sink_of(client);
    pthread_mutex_lock(&sink->lock);
    bool first = !sink->failed;
    if (first) {
        sink->failed = true;
        snprintf(sink->failure, sizeof(sink->failure), "%s", message);
    }
    pthread_cond_broadcast(&sink->changed);
    pthread_mutex_unlock(&sink->lock);
    if (first && sink->context) {
        sink->context->raise_error(sink->host, SLUICE_CONNECT_EXCEPTION, message);
    }
}

/* -- uploads that ended -- */

void sink_drain(struct sink *sink)
{
    pthread_mutex_lock(&sink->lock);
    struct upload *upload = sink->done_first;
    sink->done_first = sink->done_last = NULL;
    pthread_mutex_unlock(&sink->lock);
    while (upload) {
        struct upload *next = upload->next;
        struct ticket *ticket = upload->owner;
        if (upload->outcome == UPLOAD_DURABLE) {
            ticket->pending--;
            /* What came too late for its partition is written again by whoever has that now, who counts it. */
            if (!atomic_load(&ticket->cancelled)) {
                sink->host->metric_add(sink->objects, 1);
                sink->host->metric_add(sink->bytes, (int64_t)upload->size);
            }
        } else {
            ticket->broken = true;
            ticket->exists |= upload->exists;
        }
        ticket_release(ticket);
        upload_free(upload);
        sink->outstanding--;
        upload = next;
    }
    sink->host->metric_set(sink->in_flight, (int64_t)sink->outstanding);
}

/* What the store said since the last call; SLUICE_OK where all is well. */
enum sluice_result sink_store_state(struct sink *sink)
{
    char message[FAILURE_SIZE];
    pthread_mutex_lock(&sink->lock);
    bool failed = sink->failed, in_trouble = sink->in_trouble;
    snprintf(message, sizeof(message), "%s", failed ? sink->failure : sink->trouble);
    pthread_mutex_unlock(&sink->lock);
    if (failed) {
        return sink->host->error(sink->host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION, "%s", message);
    }
    if (in_trouble) {
        sink->host->retry_after(sink->host, sink->settings.task_backoff);
        return sink->host->error(sink->host, SLUICE_RETRY, SLUICE_RETRIABLE_EXCEPTION, "%s", message);
    }
    return SLUICE_OK;
}

static void wait_for_done(struct sink *sink)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)ROOM_WAIT_MS * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&sink->lock);
    if (!sink->done_first && !sink->failed && !sink->in_trouble) {
        pthread_cond_timedwait(&sink->changed, &sink->lock, &until);
    }
    pthread_mutex_unlock(&sink->lock);
}

/* Objects that are complete are written though a later record ends the task, as they are there. */
void sink_finish_completed(struct sink *sink)
{
    bool works = true;
    for (int waits = 0; works && waits < FINISH_WAITS; waits++) {
        sink_drain(sink);
        pthread_mutex_lock(&sink->lock);
        works = !sink->failed && !sink->in_trouble;
        pthread_mutex_unlock(&sink->lock);
        if (sink->outstanding == 0) {
            return;
        }
        if (works) {
            wait_for_done(sink);
        }
    }
}

/* Waits until there is room for a record; RETRY where the store does not work meanwhile. */
enum sluice_result sink_make_room(struct sink *sink)
{
    for (;;) {
        sink_drain(sink);
        bool full = memory_full(sink->memory);
        if (!full && sink->outstanding < SINK_OUTSTANDING_MAX) {
            return SLUICE_OK;
        }
        enum sluice_result result = sink_store_state(sink);
        if (result != SLUICE_OK) {
            return result;
        }
        if (!full) {
            wait_for_done(sink);
            continue;
        }
        switch (output_relieve(&sink->output)) {
        case RELIEVED:
            break;
        case RELIEF_WAIT:
            memory_wait(sink->memory, ROOM_WAIT_MS);
            break;
        case RELIEF_FAILED:
            return sink->host->error(sink->host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION,
                                     "Data of open objects cannot be spilled to %s: %s. Point "
                                     "sluice.spill.dir to a folder with room, or raise "
                                     "sluice.s3.buffer.memory",
                                     sink->settings.spill_folder, strerror(errno));
        }
    }
}

void sink_client_init(struct store_client *client)
{
    *client = (struct store_client){.done = on_done, .may_finish = may_finish, .owns = owns,
                                    .trouble = on_trouble, .failed = on_failed};
}
