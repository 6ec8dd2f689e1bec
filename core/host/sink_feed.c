#include "core/host/sink_feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/host/subscription.h"

enum {
    POLL_MS = 1000,            /* events and commands end a wait; this is only a bound */
    FULL_WAIT_MS = 500,        /* how long the budget may be used up before partitions are paused */
    REVOKE_WAIT_MS = 20000,    /* how long a hanging put() may hold up a rebalance, by default */
    COMMIT_TIMEOUT_MS = 5000,
    CHUNK_MESSAGES = 1024, /* a batch of these stays in the second-level cache */
    CHUNK_BYTES = 2 << 20,
};

enum command_kind { COMMAND_COMMIT, COMMAND_SEEK, COMMAND_PAUSE, COMMAND_RESUME };

struct command {
    enum command_kind kind;
    struct broker_offset *offsets; /* owned, names too */
    size_t count;
    struct command *next;
};

struct owned {
    char *topic;
    int32_t partition;
    bool paused; /* by the plugin */
};

struct feed {
    struct task *task;
    struct broker *broker;
    struct broker_consumer *consumer;
    struct subscription *subscription;
    pthread_t thread;
    pthread_cond_t room; /* budget or a command; CLOCK_MONOTONIC, with task->lock */
    int64_t budget;

    /* under task->lock */
    struct feed_item *events, **events_end;
    struct feed_item *chunks, **chunks_end;
    struct command *commands, **commands_end;
    int64_t out;                 /* bytes of chunks not yet released */
    struct owned *owned;
    size_t owned_count;
    bool stop, started;
    bool pause_all;
    uint64_t revocations, revocations_done;
    struct broker_offset *revoked_offsets; /* to commit, from feed_revoked_done */
    size_t revoked_count;
    struct broker_offset *final_offsets;
    size_t final_count;
    int64_t lag;

    bool held;                   /* all paused: the budget is used up or the task is paused;
                                    changed by the broker thread only */
};

/* -- small things -- */

static struct broker_offset *copy_offsets(const struct broker_offset *offsets, size_t count)
{
    struct broker_offset *copy = calloc(count ? count : 1, sizeof(*copy));
    for (size_t i = 0; copy && i < count; i++) {
        copy[i] = offsets[i];
        copy[i].topic = strdup(offsets[i].topic);
    }
    return copy;
}

static void free_offsets(struct broker_offset *offsets, size_t count)
{
    for (size_t i = 0; offsets && i < count; i++) {
        free((char *)offsets[i].topic);
    }
    free(offsets);
}

void feed_item_finish(struct feed_item *item)
{
    free_offsets(item->offsets, item->count);
    error_clear(&item->error);
    *item = (struct feed_item){0};
}

static void push(struct feed_item ***end, struct feed_item *item)
{
    item->next = NULL;
    **end = item;
    *end = &item->next;
}

static struct feed_item *event_new(enum feed_kind kind)
{
    struct feed_item *item = calloc(1, sizeof(*item));
    if (!item) {
        abort(); /* the crash record tells; nothing acknowledged is lost */
    }
    item->kind = kind;
    return item;
}

static void push_event(struct feed *feed, struct feed_item *item)
{
    pthread_mutex_lock(&feed->task->lock);
    push(&feed->events_end, item);
    pthread_cond_broadcast(&feed->task->changed);
    pthread_mutex_unlock(&feed->task->lock);
}

static void push_failure(struct feed *feed, struct error *error)
{
    struct feed_item *item = event_new(FEED_FAILED);
    item->error = *error;
    *error = (struct error){0};
    push_event(feed, item);
}

static struct owned *find_owned(struct feed *feed, const char *topic, int32_t partition)
{
    for (size_t i = 0; i < feed->owned_count; i++) {
        if (feed->owned[i].partition == partition && strcmp(feed->owned[i].topic, topic) == 0) {
            return &feed->owned[i];
        }
    }
    return NULL;
}

/* Lock held. Messages of these partitions that wait in the queue are marked as not to be seen. */
static void drop_queued(struct feed *feed, const char *topic, int32_t partition)
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

/* -- events, on the broker thread -- */

static void on_assigned(void *user, const struct broker_partition *partitions, size_t count)
{
    struct feed *feed = user;
    struct feed_item *item = event_new(FEED_ASSIGNED);
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
            (struct owned){strdup(partitions[i].topic), partitions[i].partition, false};
    }
    push(&feed->events_end, item);
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
        struct owned *owned = find_owned(feed, partitions[i].topic, partitions[i].partition);
        if (owned) {
            free(owned->topic);
            *owned = feed->owned[--feed->owned_count];
        }
        drop_queued(feed, partitions[i].topic, partitions[i].partition);
    }
}

static struct feed_item *leaving(enum feed_kind kind, const struct broker_partition *partitions,
                                 size_t count)
{
    struct feed_item *item = event_new(kind);
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
    int64_t patience = task_long(task, "sluice.revoke.timeout.ms", REVOKE_WAIT_MS);
    int64_t deadline = clock_monotonic_ms() + patience;
    pthread_mutex_lock(&task->lock);
    if (feed->stop) { /* feed_stop() has the last word on offsets */
        disown(feed, partitions, count);
        pthread_mutex_unlock(&task->lock);
        return;
    }
    struct feed_item *item = leaving(FEED_REVOKED, partitions, count);
    item->revocation = ++feed->revocations;
    disown(feed, partitions, count);
    push(&feed->events_end, item);
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
    free_offsets(offsets, offset_count);
}

static void on_lost(void *user, const struct broker_partition *partitions, size_t count)
{
    struct feed *feed = user;
    struct feed_item *item = leaving(FEED_LOST, partitions, count);
    pthread_mutex_lock(&feed->task->lock);
    disown(feed, partitions, count);
    push(&feed->events_end, item);
    pthread_cond_broadcast(&feed->task->changed);
    pthread_mutex_unlock(&feed->task->lock);
}

static void on_committed(void *user, const struct broker_offset *offsets, size_t count,
                         const struct error *error)
{
    struct feed *feed = user;
    struct feed_item *item = event_new(FEED_COMMITTED);
    item->offsets = copy_offsets(offsets, count);
    item->count = item->offsets ? count : 0;
    if (error) {
        error_copy(&item->error, error);
    }
    push_event(feed, item);
}

static void on_fault(void *user, const struct error *error)
{
    struct feed *feed = user;
    task_log(feed->task, LOG_LEVEL_WARN, "Broker: %s", error->message);
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
            on_committed(feed, command->offsets, command->count, &error);
        }
        break;
    case COMMAND_SEEK:
        result = broker_consumer_seek(feed->consumer, &command->offsets[0], &error);
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
        free_offsets(command->offsets, command->count);
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
    free_offsets(all, count);
}

static void push_chunk(struct feed *feed, struct broker_chunk *chunk)
{
    struct feed_item *item = event_new(FEED_CHUNK);
    item->chunk = chunk;
    pthread_mutex_lock(&feed->task->lock);
    push(&feed->chunks_end, item);
    feed->out += (int64_t)chunk->bytes;
    for (struct command *command = feed->commands; command; command = command->next) {
        if (command->kind == COMMAND_SEEK) {
            drop_queued(feed, command->offsets[0].topic, command->offsets[0].partition);
        }
    }
    pthread_cond_broadcast(&feed->task->changed);
    pthread_mutex_unlock(&feed->task->lock);
}

static void update_lag(struct feed *feed, const struct broker_chunk *chunk)
{
    if (chunk) {
        const struct broker_message *last = &chunk->messages[chunk->count - 1];
        struct broker_partition partition = {last->topic, last->partition};
        int64_t end = broker_consumer_end_offset(feed->consumer, &partition);
        int64_t lag = end > last->offset ? end - last->offset - 1 : 0;
        pthread_mutex_lock(&feed->task->lock);
        feed->lag = lag;
        pthread_mutex_unlock(&feed->task->lock);
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
                on_fault(feed, &error);
                error_clear(&error);
            } else {
                push_failure(feed, &error);
                return NULL;
            }
        }
        int64_t now = clock_monotonic_ms();
        pthread_mutex_lock(&task->lock);
        bool full = feed->out >= feed->budget; /* invariant 5: bytes out are bounded */
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
                                 CHUNK_MESSAGES, room < CHUNK_BYTES ? room : CHUNK_BYTES, &chunk,
                                 &error) != 0) {
            push_failure(feed, &error);
            return NULL;
        }
        if (chunk) {
            update_lag(feed, chunk);
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

/* Lock held. Ends whatever the broker thread waits for. */
static void wake(struct feed *feed)
{
    pthread_cond_broadcast(&feed->room);
    if (feed->consumer) {
        broker_consumer_wake(feed->consumer);
    }
}

static void kick(void *user)
{
    wake(user);
}

/* -- task thread -- */

static int open_consumer(struct feed *feed, struct error *error)
{
    struct task *task = feed->task;
    struct properties admin = {0}, client = {0};
    char text[300];
    task_client_properties(task, "admin", &admin);
    /* What the runtime sets (kafka-connect.md §2.4), overridden by consumer.* and consumer.override.* */
    (void)snprintf(text, sizeof(text), "connect-%s", task->connector);
    properties_set(&client, "group.id", text);
    (void)snprintf(text, sizeof(text), "connector-consumer-%s-%d", task->connector, task->number);
    properties_set(&client, "client.id", text);
    properties_set(&client, "enable.auto.commit", "false");
    properties_set(&client, "auto.offset.reset", "earliest");
    task_client_properties(task, "consumer", &client);
    struct broker_consumer_events events = {
        .assigned = on_assigned,
        .revoked = on_revoked,
        .lost = on_lost,
        .committed = on_committed,
        .fault = on_fault,
        .user = feed,
    };
    int result = broker_open(&admin, &feed->broker, error);
    if (result == 0) {
        result = broker_consumer_create(feed->broker, &client, &events, &feed->consumer, error);
    }
    properties_finish(&admin);
    properties_finish(&client);
    return result;
}

bool feed_ready(const struct feed *feed, bool want_chunk)
{
    return feed->events || (want_chunk && feed->chunks);
}

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
    return true;
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
    free_queues(feed);
    broker_close(feed->broker);
    subscription_destroy(feed->subscription);
    for (size_t i = 0; i < feed->owned_count; i++) {
        free(feed->owned[i].topic);
    }
    free(feed->owned);
    free_offsets(feed->final_offsets, feed->final_count);
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
    feed->events_end = &feed->events;
    feed->chunks_end = &feed->chunks;
    feed->commands_end = &feed->commands;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&feed->room, &attributes);
    pthread_condattr_destroy(&attributes);
    if (subscription_create(&task->config, &feed->subscription, error) != 0 ||
        open_consumer(feed, error) != 0) {
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
    feed->final_offsets = copy_offsets(offsets, count);
    feed->final_count = feed->final_offsets ? count : 0;
    task->kick = NULL;
    wake(feed);
    pthread_mutex_unlock(&task->lock);
    pthread_join(feed->thread, NULL);
    feed_free(feed);
}

void feed_release(struct feed *feed, struct broker_chunk *chunk)
{
    int64_t bytes = (int64_t)chunk->bytes;
    broker_chunk_release(chunk);
    pthread_mutex_lock(&feed->task->lock);
    bool was_full = feed->out >= feed->budget;
    feed->out -= bytes;
    bool has_room = was_full && feed->out < feed->budget;
    if (has_room) {
        pthread_cond_broadcast(&feed->room);
    }
    if (has_room && feed->held && feed->consumer) {
        broker_consumer_wake(feed->consumer);
    }
    pthread_mutex_unlock(&feed->task->lock);
}

void feed_revoked_done(struct feed *feed, uint64_t revocation, const struct broker_offset *offsets,
                       size_t count)
{
    pthread_mutex_lock(&feed->task->lock);
    if (revocation > feed->revocations_done) {
        feed->revoked_offsets = copy_offsets(offsets, count);
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
        drop_queued(feed, offsets[0].topic, offsets[0].partition);
    }
    for (size_t i = 0; (kind == COMMAND_PAUSE || kind == COMMAND_RESUME) && i < count; i++) {
        struct owned *owned = find_owned(feed, offsets[i].topic, offsets[i].partition);
        if (owned) {
            owned->paused = kind == COMMAND_PAUSE;
        }
    }
    *feed->commands_end = command;
    feed->commands_end = &command->next;
    wake(feed);
    pthread_mutex_unlock(&feed->task->lock);
}

void feed_commit(struct feed *feed, const struct broker_offset *offsets, size_t count)
{
    command_add(feed, COMMAND_COMMIT, copy_offsets(offsets, count), count);
}

void feed_seek(struct feed *feed, const char *topic, int32_t partition, int64_t offset)
{
    struct broker_offset target = {topic, partition, offset};
    command_add(feed, COMMAND_SEEK, copy_offsets(&target, 1), 1);
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
    wake(feed);
    pthread_mutex_unlock(&feed->task->lock);
}

bool feed_owns(struct feed *feed, const char *topic, int32_t partition)
{
    pthread_mutex_lock(&feed->task->lock);
    bool owns = find_owned(feed, topic, partition) != NULL;
    pthread_mutex_unlock(&feed->task->lock);
    return owns;
}

int64_t feed_lag(struct feed *feed)
{
    pthread_mutex_lock(&feed->task->lock);
    int64_t lag = feed->lag;
    pthread_mutex_unlock(&feed->task->lock);
    return lag;
}
