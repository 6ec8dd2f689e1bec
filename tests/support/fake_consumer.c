/* The consumer: what the test assigns, revokes and feeds; what was committed, sought and paused. */
#include "tests/support/fake_broker.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/fake_parts.h"

struct chunk {
    struct broker_chunk chunk; /* first */
    char *value;
    struct chunk *next;
};

struct broker_consumer {
    struct broker_consumer_events events;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct {
    struct chunk *chunks;
    bool assigned[PARTITIONS], paused[PARTITIONS];
    int64_t assign[PARTITIONS]; /* position to assign at; -1: nothing to do */
    bool revoke[PARTITIONS];
    int64_t committed[PARTITIONS], sought[PARTITIONS], position[PARTITIONS];
    int failing_commits, failing_seeks, out;
    bool wake;
} fake;

void fake_consumer_reset(void)
{
    pthread_mutex_lock(&lock);
    memset(&fake, 0, sizeof(fake));
    for (int i = 0; i < PARTITIONS; i++) {
        fake.assign[i] = fake.committed[i] = fake.sought[i] = -1;
    }
    pthread_mutex_unlock(&lock);
}

static void say(void)
{
    pthread_cond_broadcast(&changed);
}

void fake_assign(int32_t partition, int64_t position)
{
    pthread_mutex_lock(&lock);
    fake.assign[partition] = position;
    say();
    pthread_mutex_unlock(&lock);
}

void fake_revoke(int32_t partition)
{
    pthread_mutex_lock(&lock);
    fake.revoke[partition] = true;
    say();
    while (fake.revoke[partition]) {
        pthread_cond_wait(&changed, &lock);
    }
    pthread_mutex_unlock(&lock);
}

static void feed(int32_t first, int32_t last, int64_t from, size_t each, const char *value)
{
    struct chunk *chunk = calloc(1, sizeof(*chunk));
    size_t count = each * (size_t)(last - first + 1);
    struct broker_message *messages = calloc(count, sizeof(*messages));
    chunk->value = strdup(value);
    for (size_t i = 0; i < count; i++) {
        messages[i] = (struct broker_message){
            .topic = "t",
            .partition = first + (int32_t)(i / each),
            .timestamp_type = BROKER_TIMESTAMP_CREATE,
            .offset = from + (int64_t)(i % each),
            .timestamp = 1000,
            .value = chunk->value,
            .value_size = (uint32_t)strlen(value),
        };
    }
    chunk->chunk = (struct broker_chunk){messages, count, 1000 * count, NULL};
    pthread_mutex_lock(&lock);
    struct chunk **end = &fake.chunks;
    while (*end) {
        end = &(*end)->next;
    }
    *end = chunk;
    say();
    pthread_mutex_unlock(&lock);
}

void fake_feed(int32_t partition, int64_t from, size_t count, const char *value)
{
    feed(partition, partition, from, count, value);
}

void fake_feed_up_to(int32_t partition, int64_t from, size_t count, const char *value)
{
    feed(0, partition, from, count, value);
}

int64_t fake_committed(int32_t partition)
{
    pthread_mutex_lock(&lock);
    int64_t offset = fake.committed[partition];
    pthread_mutex_unlock(&lock);
    return offset;
}

bool fake_wait_committed(int32_t partition, int64_t offset)
{
    struct timespec deadline = fake_until(10000);
    pthread_mutex_lock(&lock);
    while (fake.committed[partition] != offset &&
           pthread_cond_timedwait(&changed, &lock, &deadline) == 0) {
    }
    bool reached = fake.committed[partition] == offset;
    pthread_mutex_unlock(&lock);
    return reached;
}

void fake_fail_commits(int count)
{
    pthread_mutex_lock(&lock);
    fake.failing_commits = count;
    pthread_mutex_unlock(&lock);
}

void fake_fail_seeks(int count)
{
    pthread_mutex_lock(&lock);
    fake.failing_seeks = count;
    pthread_mutex_unlock(&lock);
}

int fake_chunks_out(void)
{
    pthread_mutex_lock(&lock);
    int out = fake.out;
    pthread_mutex_unlock(&lock);
    return out;
}

int64_t fake_sought(int32_t partition)
{
    pthread_mutex_lock(&lock);
    int64_t offset = fake.sought[partition];
    pthread_mutex_unlock(&lock);
    return offset;
}

bool fake_paused(int32_t partition)
{
    pthread_mutex_lock(&lock);
    bool paused = fake.paused[partition];
    pthread_mutex_unlock(&lock);
    return paused;
}

int broker_consumer_create(struct broker *broker, const struct properties *properties,
                           const struct broker_consumer_events *events,
                           struct broker_consumer **ret_consumer, struct error *error)
{
    (void)broker;
    (void)properties;
    (void)error;
    *ret_consumer = calloc(1, sizeof(**ret_consumer));
    (*ret_consumer)->events = *events;
    return 0;
}

void broker_consumer_destroy(struct broker_consumer *consumer)
{
    free(consumer);
}

int broker_consumer_subscribe(struct broker_consumer *consumer, const char *const *topics, size_t count,
                              struct error *error)
{
    (void)consumer;
    (void)topics;
    (void)count;
    (void)error;
    return 0;
}

/* Runs what the test asked for; the lock is not held while the loop's callbacks run. */
static void serve(struct broker_consumer *consumer)
{
    for (int32_t i = 0; i < PARTITIONS; i++) {
        struct broker_partition partition = {"t", i};
        pthread_mutex_lock(&lock);
        bool assign = fake.assign[i] >= 0, revoke = fake.revoke[i];
        if (assign) {
            fake.position[i] = fake.assign[i];
            fake.assign[i] = -1;
            fake.assigned[i] = true;
            fake.paused[i] = false;
        }
        pthread_mutex_unlock(&lock);
        if (assign) {
            consumer->events.assigned(consumer->events.user, &partition, 1);
        }
        if (revoke) {
            consumer->events.revoked(consumer->events.user, &partition, 1);
            pthread_mutex_lock(&lock);
            fake.assigned[i] = false;
            fake.revoke[i] = false;
            say();
            pthread_mutex_unlock(&lock);
        }
    }
}

static bool asked(void)
{
    for (int i = 0; i < PARTITIONS; i++) {
        if (fake.assign[i] >= 0 || fake.revoke[i]) {
            return true;
        }
    }
    return false;
}

static struct chunk *ready_chunk(void)
{
    for (struct chunk **link = &fake.chunks; *link; link = &(*link)->next) {
        int32_t partition = (*link)->chunk.messages[0].partition;
        if (fake.assigned[partition] && !fake.paused[partition]) {
            struct chunk *chunk = *link;
            *link = chunk->next;
            return chunk;
        }
    }
    return NULL;
}

int broker_consumer_poll(struct broker_consumer *consumer, int timeout_ms, size_t max_messages,
                         size_t max_bytes, struct broker_chunk **ret_chunk, struct error *error)
{
    (void)max_messages;
    (void)max_bytes;
    (void)error;
    struct timespec deadline = fake_until(timeout_ms);
    *ret_chunk = NULL;
    serve(consumer);
    pthread_mutex_lock(&lock);
    struct chunk *chunk = ready_chunk();
    while (!chunk && !asked() && !fake.wake &&
           pthread_cond_timedwait(&changed, &lock, &deadline) == 0) {
        chunk = ready_chunk();
    }
    fake.wake = false;
    if (chunk) {
        fake.out++;
        *ret_chunk = &chunk->chunk;
    }
    pthread_mutex_unlock(&lock);
    return 0;
}

void broker_chunk_release(struct broker_chunk *chunk)
{
    struct chunk *mine = (struct chunk *)chunk;
    free(chunk->messages);
    free(mine->value);
    free(mine);
    pthread_mutex_lock(&lock);
    fake.out--;
    say();
    pthread_mutex_unlock(&lock);
}

static int set_paused(const struct broker_partition *partitions, size_t count, bool paused)
{
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < count; i++) {
        fake.paused[partitions[i].partition] = paused;
    }
    say();
    pthread_mutex_unlock(&lock);
    return 0;
}

int broker_consumer_pause(struct broker_consumer *consumer, const struct broker_partition *partitions,
                          size_t count, struct error *error)
{
    (void)consumer;
    (void)error;
    return set_paused(partitions, count, true);
}

int broker_consumer_resume(struct broker_consumer *consumer, const struct broker_partition *partitions,
                           size_t count, struct error *error)
{
    (void)consumer;
    (void)error;
    return set_paused(partitions, count, false);
}

int broker_consumer_seek(struct broker_consumer *consumer, const struct broker_offset *offset,
                         struct error *error)
{
    int result = 0;
    (void)consumer;
    pthread_mutex_lock(&lock);
    if (fake.failing_seeks > 0) {
        fake.failing_seeks--;
        result = error_set(error, ERROR_TIMEOUT, "seek failed as the test wished");
    } else {
        fake.sought[offset->partition] = offset->offset;
    }
    say();
    pthread_mutex_unlock(&lock);
    return result;
}

int broker_consumer_position(struct broker_consumer *consumer, const struct broker_partition *partition,
                             int64_t *ret_offset, struct error *error)
{
    (void)consumer;
    (void)error;
    pthread_mutex_lock(&lock);
    *ret_offset = fake.position[partition->partition];
    pthread_mutex_unlock(&lock);
    return 0;
}

static int commit(const struct broker_offset *offsets, size_t count, struct error *error)
{
    int result = 0;
    pthread_mutex_lock(&lock);
    if (fake.failing_commits > 0) {
        fake.failing_commits--;
        result = error_set(error, ERROR_TIMEOUT, "commit failed as the test wished");
    }
    for (size_t i = 0; i < count && result == 0; i++) {
        fake.committed[offsets[i].partition] = offsets[i].offset;
    }
    say();
    pthread_mutex_unlock(&lock);
    return result;
}

int broker_consumer_commit(struct broker_consumer *consumer, const struct broker_offset *offsets,
                           size_t count, struct error *error)
{
    (void)error;
    struct error failure = {0};
    int result = commit(offsets, count, &failure);
    consumer->events.committed(consumer->events.user, offsets, count, result == 0 ? NULL : &failure);
    error_clear(&failure);
    return 0;
}

int broker_consumer_commit_sync(struct broker_consumer *consumer, const struct broker_offset *offsets,
                                size_t count, int timeout_ms, struct error *error)
{
    (void)consumer;
    (void)timeout_ms;
    return commit(offsets, count, error);
}

int64_t broker_consumer_end_offset(struct broker_consumer *consumer,
                                   const struct broker_partition *partition)
{
    (void)consumer;
    (void)partition;
    return -1;
}

void broker_consumer_wake(struct broker_consumer *consumer)
{
    (void)consumer;
    pthread_mutex_lock(&lock);
    fake.wake = true;
    say();
    pthread_mutex_unlock(&lock);
}
