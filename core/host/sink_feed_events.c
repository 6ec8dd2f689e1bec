/* What the consumer tells a sink task's feed: partitions that come and go, commits, faults. [broker thread] */
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/host/sink_feed_priv.h"

static void on_assigned(void *user, const struct broker_partition *partitions, size_t count)
{
    struct feed *feed = user;
    struct feed_item *item = feed_event_new(FEED_ASSIGNED);
    item->offsets = calloc(count ? count : 1, sizeof(*item->offsets));
    item->count = item->offsets ? count : 0;
    for (size_t i = 0; i < item->count; i++) {
        struct error error = {0};
        int64_t position = BROKER_NO_OFFSET;
        if (broker_consumer_position(feed->consumer, &partitions[i], &position, &error) != 0) {
            position = BROKER_NO_OFFSET; /* the first message will tell */
            error_clear(&error);
        }
        item->offsets[i] = (struct broker_offset){strdup(partitions[i].topic),
                                                  partitions[i].partition, position};
        task_log(feed->task, LOG_LEVEL_INFO, "Assigned %s-%d at offset %lld", partitions[i].topic,
                 (int)partitions[i].partition, (long long)position);
    }
    pthread_mutex_lock(&feed->task->lock);
    struct owned *grown = realloc(feed->owned, (feed->owned_count + count + 1) * sizeof(*grown));
    if (!grown) {
        abort();
    }
    feed->owned = grown;
    for (size_t i = 0; i < count; i++) {
        feed->owned[feed->owned_count++] =
            (struct owned){strdup(partitions[i].topic), partitions[i].partition, false, -1};
    }
    feed_push(&feed->events_end, item);
    pthread_cond_broadcast(&feed->task->changed);
    bool hold = feed->held;
    pthread_mutex_unlock(&feed->task->lock);
    struct error error = {0};
    if (hold && broker_consumer_pause(feed->consumer, partitions, count, &error) != 0) {
        error_clear(&error);
    }
}

static void disown(struct feed *feed, const struct broker_partition *partitions, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct owned *owned = feed_find_owned(feed, partitions[i].topic, partitions[i].partition);
        if (owned) {
            free(owned->topic);
            *owned = feed->owned[--feed->owned_count];
        }
        feed_drop_queued(feed, partitions[i].topic, partitions[i].partition);
    }
}

static struct feed_item *leaving(enum feed_kind kind, const struct broker_partition *partitions,
                                 size_t count)
{
    struct feed_item *item = feed_event_new(kind);
    item->offsets = calloc(count ? count : 1, sizeof(*item->offsets));
    item->count = item->offsets ? count : 0;
    for (size_t i = 0; i < item->count; i++) {
        item->offsets[i] = (struct broker_offset){strdup(partitions[i].topic),
                                                  partitions[i].partition, BROKER_NO_OFFSET};
    }
    return item;
}

static void on_revoked(void *user, const struct broker_partition *partitions, size_t count)
{
    struct feed *feed = user;
    struct task *task = feed->task;
    if (count == 0) {
        return;
    }
    int64_t patience = feed->revoke_patience, deadline = clock_monotonic_ms() + patience;
    pthread_mutex_lock(&task->lock);
    if (feed->stop) { /* feed_stop() has the last word on offsets */
        disown(feed, partitions, count);
        pthread_mutex_unlock(&task->lock);
        return;
    }
    struct feed_item *item = leaving(FEED_REVOKED, partitions, count);
    item->revocation = ++feed->revocations;
    disown(feed, partitions, count);
    feed_push(&feed->events_end, item);
    pthread_cond_broadcast(&task->changed);
    while (feed->revocations_done < feed->revocations && !feed->stop) {
        struct timespec until = {.tv_sec = deadline / 1000, .tv_nsec = deadline % 1000 * 1000000};
        if (pthread_cond_timedwait(&feed->room, &task->lock, &until) != 0) {
            break;
        }
    }
    bool granted = feed->revocations_done >= feed->revocations;
    feed->revocations_done = feed->revocations; /* an answer that comes later is too late */
    struct broker_offset *offsets = feed->revoked_offsets;
    size_t offset_count = feed->revoked_count;
    feed->revoked_offsets = NULL;
    feed->revoked_count = 0;
    pthread_mutex_unlock(&task->lock);
    if (granted && offset_count > 0) {
        struct error error = {0};
        if (broker_consumer_commit_sync(feed->consumer, offsets, offset_count, COMMIT_TIMEOUT_MS,
                                        &error) != 0) {
            task_log(task, LOG_LEVEL_WARN, "Offsets of revoked partitions were not committed: %s",
                     error.message);
            error_clear(&error);
        }
    } else if (!granted) {
        /* invariant 1: what put() still holds is not durable, so nothing is committed for it */
        task_log(task, LOG_LEVEL_WARN,
                 "put() did not return within %lld ms while %zu partitions were taken away; they are "
                 "given up uncommitted and read again by their new owner",
                 (long long)patience, count);
    }
    feed_free_offsets(offsets, offset_count);
}

static void on_lost(void *user, const struct broker_partition *partitions, size_t count)
{
    struct feed *feed = user;
    struct feed_item *item = leaving(FEED_LOST, partitions, count);
    pthread_mutex_lock(&feed->task->lock);
    disown(feed, partitions, count);
    feed_push(&feed->events_end, item);
    pthread_cond_broadcast(&feed->task->changed);
    pthread_mutex_unlock(&feed->task->lock);
}

static void on_committed(void *user, const struct broker_offset *offsets, size_t count,
                         const struct error *error)
{
    struct feed *feed = user;
    struct feed_item *item = feed_event_new(FEED_COMMITTED);
    item->offsets = feed_copy_offsets(offsets, count);
    item->count = item->offsets ? count : 0;
    if (error) {
        error_copy(&item->error, error);
    }
    feed_push_event(feed, item);
}

static void on_fault(void *user, const struct error *error)
{
    struct feed *feed = user;
    task_log(feed->task, LOG_LEVEL_WARN, "Broker: %s", error->message);
}

const struct broker_consumer_events feed_events = {
    .assigned = on_assigned,
    .revoked = on_revoked,
    .lost = on_lost,
    .committed = on_committed,
    .fault = on_fault,
};
