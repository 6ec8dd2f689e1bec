/* The producer: keeps what is sent, and acknowledges, holds back or fails it as the test wishes. */
#include "tests/support/fake_broker.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/fake_parts.h"

enum { MOST = 100000 };

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
    bool hold;
    int failing_deliveries;
    enum error_code delivery_code;
    char *values[MOST], *topics[MOST];
    size_t produced;
} fake;

void fake_producer_reset(void)
{
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < fake.produced; i++) {
        free(fake.values[i]);
        free(fake.topics[i]);
    }
    memset(&fake, 0, sizeof(fake));
    pthread_mutex_unlock(&lock);
}

static void say(void)
{
    pthread_cond_broadcast(&changed);
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
    struct timespec deadline = fake_until(timeout_ms);
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
