#include "core/host/sink_feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/host/sink_feed_priv.h"
#include "core/host/subscription.h"

enum {
    POLL_MS = 1000,            /* events and commands end a wait; this is only a bound */
    FULL_WAIT_MS = 500,        /* how long no more may be wanted before partitions are paused */
    CHUNK_MESSAGES = 1024, /* a batch of these stays in the second-level cache */
    CHUNK_BYTES = 2 << 20,
    REVOKE_WAIT_MS = 20000,
};

static void push_failure(struct feed *feed, struct error *error)
{
    struct feed_item *item = feed_event_new(FEED_FAILED);
    item->error = *error;
    *error = (struct error){0};
    feed_push_event(feed, item);
}

/* -- broker thread -- */

static void run_command(struct feed *feed, const struct command *command)
{
    struct error error = {0};
    int result = 0;
    struct broker_partition one;
    switch (command->kind) {
    case COMMAND_COMMIT:
        result = broker_consumer_commit(feed->consumer, command->offsets, command->count, &error);
        if (result != 0) {
            feed_events.committed(feed, command->offsets, command->count, &error);
        }
        break;
    case COMMAND_SEEK:
        result = broker_consumer_seek(feed->consumer, &command->offsets[0], &error);
        if (result != 0 &&
            feed_owns(feed, command->offsets[0].topic, command->offsets[0].partition)) {
            /* invariant 1: what shall be read again would be passed over */
            push_failure(feed, &error);
            return;
        }
        break;
    case COMMAND_PAUSE:
    case COMMAND_RESUME:
        for (size_t i = 0; i < command->count && result == 0; i++) {
            one = (struct broker_partition){command->offsets[i].topic, command->offsets[i].partition};
            if (command->kind == COMMAND_PAUSE) {
                result = broker_consumer_pause(feed->consumer, &one, 1, &error);
            } else if (!feed->held) {
                result = broker_consumer_resume(feed->consumer, &one, 1, &error);
            }
        }
        break;
    }
    if (result != 0) {
        task_log(feed->task, LOG_LEVEL_WARN, "The consumer refused a request: %s", error.message);
        error_clear(&error);
    }
}

static void run_commands(struct feed *feed)
{
    for (;;) {
        pthread_mutex_lock(&feed->task->lock);
        struct command *command = feed->commands;
        pthread_mutex_unlock(&feed->task->lock);
        if (!command) {
            return;
        }
        /* It stays in the list while it runs: chunks that are pushed meanwhile are checked by it. */
        run_command(feed, command);
        pthread_mutex_lock(&feed->task->lock);
        feed->commands = command->next;
        if (!feed->commands) {
            feed->commands_end = &feed->commands;
        }
        pthread_mutex_unlock(&feed->task->lock);
        feed_free_offsets(command->offsets, command->count);
        free(command);
    }
}

/* Pauses or resumes every owned partition (those the plugin paused stay paused). */
static void hold(struct feed *feed, bool held)
{
    if (held == feed->held) {
        return;
    }
    pthread_mutex_lock(&feed->task->lock);
    feed->held = held;
    size_t count = 0;
    struct broker_offset *all = calloc(feed->owned_count + 1, sizeof(*all));
    for (size_t i = 0; all && i < feed->owned_count; i++) {
        if (held || !feed->owned[i].paused) {
            all[count++] = (struct broker_offset){strdup(feed->owned[i].topic),
                                                  feed->owned[i].partition, 0};
        }
    }
    pthread_mutex_unlock(&feed->task->lock);
    struct command command = {held ? COMMAND_PAUSE : COMMAND_RESUME, all, count, NULL};
    run_command(feed, &command);
    feed_free_offsets(all, count);
}

static void push_chunk(struct feed *feed, struct broker_chunk *chunk)
{
    struct feed_item *item = feed_event_new(FEED_CHUNK);
    item->chunk = chunk;
    pthread_mutex_lock(&feed->task->lock);
    feed_push(&feed->chunks_end, item);
    feed->out += (int64_t)chunk->bytes;
    feed->queued += (int64_t)chunk->bytes;
    metrics_set(feed->in_flight, feed->out);
    for (struct command *command = feed->commands; command; command = command->next) {
        if (command->kind == COMMAND_SEEK) {
            feed_drop_queued(feed, command->offsets[0].topic, command->offsets[0].partition);
        }
    }
    pthread_mutex_unlock(&feed->task->lock);
    pthread_cond_broadcast(&feed->task->changed);
}

/* The list of owned partitions changes on this thread only, so it is read here without the lock. */
static void update_ends(struct feed *feed)
{
    for (size_t i = 0; i < feed->owned_count; i++) {
        struct owned *owned = &feed->owned[i];
        struct broker_partition partition = {owned->topic, owned->partition};
        int64_t end = broker_consumer_end_offset(feed->consumer, &partition);
        if (end != owned->end) {
            pthread_mutex_lock(&feed->task->lock);
            owned->end = end;
            feed->moved = true;
            pthread_cond_broadcast(&feed->task->changed);
            pthread_mutex_unlock(&feed->task->lock);
        }
    }
}

static void *feed_main(void *user)
{
    struct feed *feed = user;
    struct task *task = feed->task;
    int64_t full_since = 0;
    crash_thread();
    for (;;) {
        struct error error = {0};
        run_commands(feed);
        if (subscription_refresh(feed->subscription, feed->broker, feed->consumer, &error) != 0) {
            if (error.retriable || error.code == ERROR_BROKER_UNAVAILABLE ||
                error.code == ERROR_TIMEOUT) {
                feed_events.fault(feed, &error);
                error_clear(&error);
            } else {
                push_failure(feed, &error);
                return NULL;
            }
        }
        int64_t now = clock_monotonic_ms();
        pthread_mutex_lock(&task->lock);
        bool full = feed_sated(feed);
        if (!full) {
            full_since = 0;
        } else if (full_since == 0) {
            full_since = now;
        }
        int64_t deadline = full_since + FULL_WAIT_MS;
        if (full && !feed->held && !feed->stop && !feed->commands && now < deadline) {
            struct timespec until = {.tv_sec = deadline / 1000,
                                     .tv_nsec = deadline % 1000 * 1000000};
            (void)pthread_cond_timedwait(&feed->room, &task->lock, &until);
            pthread_mutex_unlock(&task->lock);
            continue;
        }
        bool stop = feed->stop;
        bool pause = feed->pause_all || full;
        size_t room = full ? 1 : (size_t)(feed->budget - feed->out);
        pthread_mutex_unlock(&task->lock);
        if (stop) {
            break;
        }
        hold(feed, pause);
        struct broker_chunk *chunk = NULL;
        if (broker_consumer_poll(feed->consumer, subscription_wait(feed->subscription, POLL_MS),
                                 feed->chunk_messages, room < CHUNK_BYTES ? room : CHUNK_BYTES, &chunk,
                                 &error) != 0) {
            push_failure(feed, &error);
            return NULL;
        }
        update_ends(feed);
        if (chunk) {
            push_chunk(feed, chunk);
        }
    }
    run_commands(feed);
    if (feed->final_count > 0) {
        struct error error = {0};
        if (broker_consumer_commit_sync(feed->consumer, feed->final_offsets, feed->final_count,
                                        COMMIT_TIMEOUT_MS, &error) != 0) {
            task_log(task, LOG_LEVEL_WARN,
                     "The last offsets were not committed, their records will be read again: %s",
                     error.message);
            error_clear(&error);
        }
    }
    pthread_mutex_lock(&task->lock);
    struct broker_consumer *consumer = feed->consumer;
    feed->consumer = NULL; /* nobody wakes it any more */
    pthread_mutex_unlock(&task->lock);
    broker_consumer_destroy(consumer);
    return NULL;
}

static void kick(void *user)
{
    feed_wake(user);
}

/* -- task thread -- */

static int open_consumer(struct feed *feed, struct error *error)
{
    struct task *task = feed->task;
    struct properties admin = {0}, client = {0};
    task_client_properties(task, CLIENT_CONNECTOR_ADMIN, &admin);
    task_client_properties(task, CLIENT_SINK_CONSUMER, &client);
    const char *most = properties_get(&client, "max.poll.records");
    long records = most ? strtol(most, NULL, 10) : 0; /* bad ones are an error of the consumer's */
    feed->chunk_messages = records > 0 ? (size_t)records : CHUNK_MESSAGES;
    /* Nobody polls meanwhile, and the group waits no longer than max.poll.interval.ms. */
    const char *interval = properties_get(&client, "max.poll.interval.ms");
    long most_wait = interval ? strtol(interval, NULL, 10) / 2 : 0;
    feed->revoke_patience = task_long(task, "sluice.revoke.timeout.ms", REVOKE_WAIT_MS);
    if (most_wait > 0 && feed->revoke_patience > most_wait) {
        feed->revoke_patience = most_wait;
    }
    struct broker_consumer_events events = feed_events;
    events.user = feed;
    int result = subscription_create(&task->config, &client, &feed->subscription, error);
    if (result == 0) {
        result = broker_open(&admin, &feed->broker, error);
    }
    if (result == 0) {
        result = broker_consumer_create(feed->broker, &client, &events, &feed->consumer, error);
    }
    properties_finish(&admin);
    properties_finish(&client);
    return result;
}

static void free_queues(struct feed *feed)
{
    struct feed_item item;
    while (feed->events || feed->chunks) {
        (void)feed_take(feed, true, &item);
        if (item.chunk) {
            feed->out -= (int64_t)item.chunk->bytes;
            broker_chunk_release(item.chunk);
        }
        feed_item_finish(&item);
    }
}

/* The struct itself stays while batches are out, in a plugin's own threads: they come back through it. */
static void feed_free(struct feed *feed)
{
    broker_consumer_destroy(feed->consumer);
    feed->consumer = NULL;
    free_queues(feed);
    broker_close(feed->broker);
    subscription_destroy(feed->subscription);
    for (size_t i = 0; i < feed->owned_count; i++) {
        free(feed->owned[i].topic);
    }
    free(feed->owned);
    feed_free_offsets(feed->final_offsets, feed->final_count);
    pthread_mutex_lock(&feed->task->lock);
    bool last = feed->out == 0;
    pthread_mutex_unlock(&feed->task->lock);
    if (last) {
        pthread_cond_destroy(&feed->room);
        free(feed);
    }
}

int feed_create(struct task *task, int64_t budget, struct feed **ret_feed, struct error *error)
{
    struct feed *feed = calloc(1, sizeof(*feed));
    if (!feed) {
        return error_set(error, ERROR_NO_MEMORY, "Out of memory for the consumer");
    }
    feed->task = task;
    feed->budget = budget;
    feed->in_flight = task_metric(task, "sink-bytes-in-flight", 2);
    feed->events_end = &feed->events;
    feed->chunks_end = &feed->chunks;
    feed->commands_end = &feed->commands;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&feed->room, &attributes);
    pthread_condattr_destroy(&attributes);
    if (open_consumer(feed, error) != 0) {
        feed_free(feed);
        return -1;
    }
    if (pthread_create(&feed->thread, NULL, feed_main, feed) != 0) {
        feed_free(feed);
        return error_set(error, ERROR_NO_MEMORY, "The broker thread could not be started");
    }
    pthread_mutex_lock(&task->lock);
    task->kick = kick;
    task->kick_user = feed;
    pthread_mutex_unlock(&task->lock);
    *ret_feed = feed;
    return 0;
}

void feed_stop(struct feed *feed, const struct broker_offset *offsets, size_t count)
{
    if (!feed) {
        return;
    }
    struct task *task = feed->task;
    pthread_mutex_lock(&task->lock);
    feed->stop = true;
    feed->final_offsets = feed_copy_offsets(offsets, count);
    feed->final_count = feed->final_offsets ? count : 0;
    task->kick = NULL;
    feed_wake(feed);
    pthread_mutex_unlock(&task->lock);
    pthread_join(feed->thread, NULL);
    feed_free(feed);
}
