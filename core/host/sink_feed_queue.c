/*
 * The queues of a sink task's feed, and what the task thread asks of the broker thread. Everything is
 * under task->lock.
 */
#include <stdlib.h>
#include <string.h>

#include "core/host/sink_feed_priv.h"

struct broker_offset *feed_copy_offsets(const struct broker_offset *offsets, size_t count)
{
    struct broker_offset *copy = calloc(count ? count : 1, sizeof(*copy));
    for (size_t i = 0; copy && i < count; i++) {
        copy[i] = offsets[i];
        copy[i].topic = strdup(offsets[i].topic);
    }
    return copy;
}

void feed_free_offsets(struct broker_offset *offsets, size_t count)
{
    for (size_t i = 0; offsets && i < count; i++) {
        free((char *)offsets[i].topic);
    }
    free(offsets);
}

void feed_item_finish(struct feed_item *item)
{
    feed_free_offsets(item->offsets, item->count);
    error_clear(&item->error);
    *item = (struct feed_item){0};
}

void feed_push(struct feed_item ***end, struct feed_item *item)
{
    item->next = NULL;
    **end = item;
    *end = &item->next;
}

struct feed_item *feed_event_new(enum feed_kind kind)
{
    struct feed_item *item = calloc(1, sizeof(*item));
    if (!item) {
        abort(); /* the crash record tells; nothing acknowledged is lost */
    }
    item->kind = kind;
    return item;
}

void feed_push_event(struct feed *feed, struct feed_item *item)
{
    pthread_mutex_lock(&feed->task->lock);
    feed_push(&feed->events_end, item);
    pthread_cond_broadcast(&feed->task->changed);
    pthread_mutex_unlock(&feed->task->lock);
}

struct owned *feed_find_owned(struct feed *feed, const char *topic, int32_t partition)
{
    for (size_t i = 0; i < feed->owned_count; i++) {
        if (feed->owned[i].partition == partition && strcmp(feed->owned[i].topic, topic) == 0) {
            return &feed->owned[i];
        }
    }
    return NULL;
}

/* Lock held. Messages of these partitions that wait in the queue are marked as not to be seen. */
void feed_drop_queued(struct feed *feed, const char *topic, int32_t partition)
{
    for (struct feed_item *item = feed->chunks; item; item = item->next) {
        for (size_t i = 0; i < item->chunk->count; i++) {
            struct broker_message *message = &item->chunk->messages[i];
            if (message->partition == partition && strcmp(message->topic, topic) == 0) {
                message->partition = BROKER_NO_PARTITION;
            }
        }
    }
}

void feed_wake(struct feed *feed)
{
    pthread_cond_broadcast(&feed->room);
    if (feed->consumer) {
        broker_consumer_wake(feed->consumer);
    }
}

bool feed_sated(struct feed *feed)
{
    /* invariant 5: bytes out are bounded */
    if (feed->out >= feed->budget || feed->queued >= feed->budget / 2) {
        feed->sated = true;
    } else if (feed->queued <= feed->budget / 8) {
        feed->sated = false;
    }
    return feed->sated;
}

/* Lock held. */
static void wake_if_hungry(struct feed *feed)
{
    if (feed->sated && !feed_sated(feed)) {
        pthread_cond_broadcast(&feed->room);
        if (feed->held && feed->consumer) {
            broker_consumer_wake(feed->consumer);
        }
    }
}

/* -- task thread -- */

bool feed_take(struct feed *feed, bool want_chunk, struct feed_item *ret_item)
{
    struct feed_item **list = &feed->events;
    struct feed_item ***end = &feed->events_end;
    if (!*list && want_chunk) {
        list = &feed->chunks;
        end = &feed->chunks_end;
    }
    struct feed_item *item = *list;
    if (!item) {
        return false;
    }
    *list = item->next;
    if (!*list) {
        *end = list;
    }
    *ret_item = *item;
    ret_item->next = NULL;
    free(item);
    if (ret_item->chunk) {
        feed->queued -= (int64_t)ret_item->chunk->bytes;
        wake_if_hungry(feed);
    }
    return true;
}

void feed_release(struct feed *feed, struct broker_chunk *chunk)
{
    int64_t bytes = (int64_t)chunk->bytes;
    broker_chunk_release(chunk);
    pthread_mutex_lock(&feed->task->lock);
    feed->out -= bytes;
    metrics_set(feed->in_flight, feed->out);
    wake_if_hungry(feed);
    pthread_mutex_unlock(&feed->task->lock);
}

void feed_revoked_done(struct feed *feed, uint64_t revocation, const struct broker_offset *offsets,
                       size_t count)
{
    pthread_mutex_lock(&feed->task->lock);
    if (revocation > feed->revocations_done) {
        feed->revoked_offsets = feed_copy_offsets(offsets, count);
        feed->revoked_count = feed->revoked_offsets ? count : 0;
        feed->revocations_done = revocation;
    }
    pthread_cond_broadcast(&feed->room);
    pthread_mutex_unlock(&feed->task->lock);
}

static void command_add(struct feed *feed, enum command_kind kind, struct broker_offset *offsets,
                        size_t count)
{
    struct command *command = calloc(1, sizeof(*command));
    if (!command || !offsets) {
        abort();
    }
    *command = (struct command){kind, offsets, count, NULL};
    pthread_mutex_lock(&feed->task->lock);
    if (kind == COMMAND_SEEK) {
        feed_drop_queued(feed, offsets[0].topic, offsets[0].partition);
    }
    for (size_t i = 0; (kind == COMMAND_PAUSE || kind == COMMAND_RESUME) && i < count; i++) {
        struct owned *owned = feed_find_owned(feed, offsets[i].topic, offsets[i].partition);
        if (owned) {
            owned->paused = kind == COMMAND_PAUSE;
        }
    }
    *feed->commands_end = command;
    feed->commands_end = &command->next;
    feed_wake(feed);
    pthread_mutex_unlock(&feed->task->lock);
}

void feed_commit(struct feed *feed, const struct broker_offset *offsets, size_t count)
{
    command_add(feed, COMMAND_COMMIT, feed_copy_offsets(offsets, count), count);
}

void feed_seek(struct feed *feed, const char *topic, int32_t partition, int64_t offset)
{
    struct broker_offset target = {topic, partition, offset};
    command_add(feed, COMMAND_SEEK, feed_copy_offsets(&target, 1), 1);
}

void feed_pause(struct feed *feed, const struct broker_partition *partitions, size_t count, bool pause)
{
    struct broker_offset *offsets = calloc(count ? count : 1, sizeof(*offsets));
    for (size_t i = 0; offsets && i < count; i++) {
        offsets[i] = (struct broker_offset){strdup(partitions[i].topic), partitions[i].partition, 0};
    }
    command_add(feed, pause ? COMMAND_PAUSE : COMMAND_RESUME, offsets, count);
}

void feed_pause_all(struct feed *feed, bool pause)
{
    pthread_mutex_lock(&feed->task->lock);
    feed->pause_all = pause;
    feed_wake(feed);
    pthread_mutex_unlock(&feed->task->lock);
}

bool feed_owns(struct feed *feed, const char *topic, int32_t partition)
{
    pthread_mutex_lock(&feed->task->lock);
    bool owns = feed_find_owned(feed, topic, partition) != NULL;
    pthread_mutex_unlock(&feed->task->lock);
    return owns;
}

int64_t feed_end(struct feed *feed, const char *topic, int32_t partition)
{
    pthread_mutex_lock(&feed->task->lock);
    const struct owned *owned = feed_find_owned(feed, topic, partition);
    int64_t end = owned ? owned->end : -1;
    pthread_mutex_unlock(&feed->task->lock);
    return end;
}

bool feed_moved(struct feed *feed)
{
    bool moved = feed->moved;
    feed->moved = false;
    return moved;
}
