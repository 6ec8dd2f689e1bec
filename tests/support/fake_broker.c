#include "tests/support/fake_broker.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PARTITIONS = 8, MOST = 100000 };

struct chunk {
    struct broker_chunk chunk; /* first */
    char *value;
    struct chunk *next;
};

struct broker {
    int unused;
};

struct broker_consumer {
    struct broker_consumer_events events;
};

struct pending {
    void *opaque;
    int64_t offset;
};

struct broker_producer {
    broker_delivery_fn delivered;
    void *user;
    struct pending pending[MOST];
    size_t pending_count;
    bool wake;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct {
    struct chunk *chunks;
    bool assigned[PARTITIONS], paused[PARTITIONS];
    int64_t assign[PARTITIONS];  /* position to assign at; -1: nothing to do */
    bool revoke[PARTITIONS];
    int64_t committed[PARTITIONS], sought[PARTITIONS], position[PARTITIONS];
    int failing_commits, out;
    bool wake;
    bool hold;
    int failing_deliveries;
    enum error_code delivery_code;
    char *values[MOST], *topics[MOST];
    size_t produced;
} fake;

static void until(int ms, struct timespec *ret)
{
    (void)clock_gettime(CLOCK_REALTIME, ret);
    ret->tv_sec += ms / 1000;
    ret->tv_nsec += ms % 1000 * 1000000L;
    if (ret->tv_nsec >= 1000000000L) {
        ret->tv_sec++;
        ret->tv_nsec -= 1000000000L;
    }
}

void fake_broker_reset(void)
{
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < fake.produced; i++) {
        free(fake.values[i]);
        free(fake.topics[i]);
    }
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

void fake_feed(int32_t partition, int64_t from, size_t count, const char *value)
{
    struct chunk *chunk = calloc(1, sizeof(*chunk));
    struct broker_message *messages = calloc(count, sizeof(*messages));
    chunk->value = strdup(value);
    for (size_t i = 0; i < count; i++) {
        messages[i] = (struct broker_message){
            .topic = "t",
            .partition = partition,
            .timestamp_type = BROKER_TIMESTAMP_CREATE,
            .offset = from + (int64_t)i,
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

int64_t fake_committed(int32_t partition)
{
    pthread_mutex_lock(&lock);
    int64_t offset = fake.committed[partition];
    pthread_mutex_unlock(&lock);
    return offset;
}

bool fake_wait_committed(int32_t partition, int64_t offset)
{
    struct timespec deadline;
    until(10000, &deadline);
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

void fake_acknowledge(bool on)
{
    pthread_mutex_lock(&lock);
    fake.hold = !on;
    say();
    pthread_mutex_unlock(&lock);
}

void fake_fail_deliveries(int count, enum error_code code)
{
    pthread_mutex_lock(&lock);
    fake.failing_deliveries = count;
    fake.delivery_code = code;
    pthread_mutex_unlock(&lock);
}

size_t fake_produced(void)
{
    pthread_mutex_lock(&lock);
    size_t count = fake.produced;
    pthread_mutex_unlock(&lock);
    return count;
}

const char *fake_value(size_t i)
{
    pthread_mutex_lock(&lock);
    const char *value = fake.values[i];
    pthread_mutex_unlock(&lock);
    return value;
}

const char *fake_topic(size_t i)
{
    pthread_mutex_lock(&lock);
    const char *topic = fake.topics[i];
    pthread_mutex_unlock(&lock);
    return topic;
}

/* -- broker.h -- */

int broker_open(const struct properties *properties, struct broker **ret_broker, struct error *error)
{
    (void)properties;
    (void)error;
    *ret_broker = calloc(1, sizeof(**ret_broker));
    return 0;
}

void broker_close(struct broker *broker)
{
    free(broker);
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
    struct timespec deadline;
    until(timeout_ms, &deadline);
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
    (void)consumer;
    (void)error;
    pthread_mutex_lock(&lock);
    fake.sought[offset->partition] = offset->offset;
    say();
    pthread_mutex_unlock(&lock);
    return 0;
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

int broker_topics(struct broker *broker, int timeout_ms, struct broker_topics *ret_topics,
                  struct error *error)
{
    (void)broker;
    (void)timeout_ms;
    (void)error;
    static struct broker_topic topic = {"t", PARTITIONS, false};
    *ret_topics = (struct broker_topics){&topic, 1, NULL};
    return 0;
}

void broker_topics_free(struct broker_topics *topics)
{
    (void)topics;
}

int64_t broker_topics_epoch(struct broker *broker)
{
    (void)broker;
    return 1;
}

int broker_topic_create(struct broker *broker, const struct broker_topic_spec *spec, int timeout_ms,
                        struct error *error)
{
    (void)broker;
    (void)spec;
    (void)timeout_ms;
    return error_set(error, ERROR_TOPIC_EXISTS, "it is there");
}

int broker_topic_delete(struct broker *broker, const char *topic, int timeout_ms, struct error *error)
{
    (void)broker;
    (void)timeout_ms;
    return error_set(error, ERROR_UNKNOWN_TOPIC, "The fake broker has no %s to delete", topic);
}

int broker_nodes(struct broker *broker, int timeout_ms, int32_t **ret_nodes, size_t *ret_count,
                 struct error *error)
{
    (void)broker;
    (void)timeout_ms;
    (void)ret_nodes;
    (void)ret_count;
    return error_set(error, ERROR_BROKER, "The fake broker has no nodes");
}

int broker_topic_describe(struct broker *broker, const char *topic, int timeout_ms,
                          struct broker_topic_info *ret_info, struct error *error)
{
    (void)broker;
    (void)timeout_ms;
    (void)ret_info;
    return error_set(error, ERROR_UNKNOWN_TOPIC, "The fake broker does not describe %s", topic);
}

void broker_topic_info_free(struct broker_topic_info *info)
{
    (void)info;
}

int broker_topic_configs(struct broker *broker, const char *topic, bool all, int timeout_ms,
                         struct properties *ret_configs, struct error *error)
{
    (void)broker;
    (void)all;
    (void)timeout_ms;
    (void)ret_configs;
    return error_set(error, ERROR_UNKNOWN_TOPIC, "The fake broker does not describe %s", topic);
}

int broker_offsets(struct broker *broker, const char *topic, int32_t partition, int timeout_ms,
                   int64_t *ret_beginning, int64_t *ret_end, struct error *error)
{
    (void)broker;
    (void)topic;
    (void)partition;
    (void)timeout_ms;
    (void)error;
    *ret_beginning = *ret_end = 0;
    return 0;
}

int broker_producer_create(struct broker *broker, const struct properties *properties,
                           broker_delivery_fn delivered, void *user,
                           struct broker_producer **ret_producer, struct error *error)
{
    (void)broker;
    (void)properties;
    (void)error;
    struct broker_producer *producer = calloc(1, sizeof(*producer));
    producer->delivered = delivered;
    producer->user = user;
    *ret_producer = producer;
    return 0;
}

void broker_producer_destroy(struct broker_producer *producer)
{
    free(producer);
}

size_t broker_producer_send(struct broker_producer *producer, const struct broker_message *messages,
                            size_t count, bool keep)
{
    (void)keep;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < count; i++) {
        fake.values[fake.produced] = messages[i].value
                                         ? strndup(messages[i].value, messages[i].value_size)
                                         : NULL;
        fake.topics[fake.produced] = strdup(messages[i].topic);
        producer->pending[producer->pending_count++] =
            (struct pending){messages[i].opaque, (int64_t)fake.produced++};
    }
    say();
    pthread_mutex_unlock(&lock);
    return count;
}

size_t broker_producer_poll(struct broker_producer *producer, int timeout_ms)
{
    struct timespec deadline;
    until(timeout_ms, &deadline);
    pthread_mutex_lock(&lock);
    while ((producer->pending_count == 0 || fake.hold) && !producer->wake &&
           pthread_cond_timedwait(&changed, &lock, &deadline) == 0) {
    }
    producer->wake = false;
    size_t count = fake.hold ? 0 : producer->pending_count;
    struct broker_delivery *deliveries = calloc(count + 1, sizeof(*deliveries));
    struct error failure = {0};
    for (size_t i = 0; i < count; i++) {
        const struct pending *pending = &producer->pending[i];
        deliveries[i] = (struct broker_delivery){pending->opaque, 0, pending->offset, 1000, NULL};
        if (fake.failing_deliveries > 0) {
            fake.failing_deliveries--;
            (void)error_set(&failure, fake.delivery_code, "delivery failed as the test wished");
            deliveries[i].error = &failure;
        }
    }
    producer->pending_count -= count;
    pthread_mutex_unlock(&lock);
    if (count > 0) {
        producer->delivered(producer->user, deliveries, count);
    }
    error_clear(&failure);
    free(deliveries);
    return count;
}

void broker_producer_wake(struct broker_producer *producer)
{
    pthread_mutex_lock(&lock);
    producer->wake = true;
    say();
    pthread_mutex_unlock(&lock);
}

size_t broker_producer_pending(const struct broker_producer *producer)
{
    pthread_mutex_lock(&lock);
    size_t count = producer->pending_count;
    pthread_mutex_unlock(&lock);
    return count;
}
