/*
 * Consumer of the embedded log: membership, positions, commits and the events of a caller's poll().
 * A connection is a membership: when it ends, all partitions of a group are lost, and the consumer
 * joins again by itself. Assigned by hand, they stay and are read on from where they were.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/broker/local_consumer.h"

enum {
    FIRST_BACKOFF_MS = 5,
    MAX_BACKOFF_MS = 500,
    SPAWN_AFTER_MS = 500,
    CONNECT_MS = 10000,
    SEND_MS = 30000,
    POSITION_MS = 30000,
    DEFAULT_WINDOW = 4 << 20,
    SLOTS_MAX = 1 << (32 - SESSION_SERIAL_BITS),
};

/* -- partitions -- */

struct held *consumer_held(const struct local_consumer *consumer, uint32_t session)
{
    size_t slot = session >> SESSION_SERIAL_BITS;
    struct held *held = slot < consumer->slot_count ? consumer->slots[slot] : NULL;
    return held && held->session == session && session != 0 ? held : NULL;
}

struct held *consumer_find(const struct local_consumer *consumer, const char *topic,
                           int32_t partition)
{
    for (size_t i = 0; i < consumer->slot_count; i++) {
        struct held *held = consumer->slots[i];
        if (held && held->partition == partition &&
            (held->topic == topic || strcmp(held->topic, topic) == 0)) {
            return held;
        }
    }
    return NULL;
}

struct held *consumer_hold(struct local_consumer *consumer, const char *topic, int32_t partition,
                           int64_t position)
{
    size_t slot = 0;
    while (slot < consumer->slot_count && consumer->slots[slot]) {
        slot++;
    }
    if (slot == consumer->slot_count) {
        size_t count = consumer->slot_count ? consumer->slot_count * 2 : 16;
        struct held **grown =
            count > SLOTS_MAX ? NULL : realloc(consumer->slots, count * sizeof(struct held *));
        if (!grown) {
            return NULL;
        }
        memset(grown + consumer->slot_count, 0,
               (count - consumer->slot_count) * sizeof(struct held *));
        consumer->slots = grown;
        consumer->slot_count = count;
    }
    struct held *held = calloc(1, sizeof(*held));
    if (held) {
        held->topic = pool_intern(consumer->pool, topic);
        held->partition = partition;
        held->position = position;
        held->end = -1;
        if (!held->topic) {
            free(held);
            return NULL;
        }
        consumer->slots[slot] = held;
    }
    return held;
}

void consumer_send(struct local_consumer *consumer, struct buffer *frame)
{
    struct error ignored = {0};
    if (consumer->fd >= 0 && !frame->failed &&
        local_send(consumer->fd, frame->data, frame->size, SEND_MS, &ignored) != 0) {
        (void)shutdown(consumer->fd, SHUT_RDWR); /* the next receive sees it */
        error_clear(&ignored);
    }
    buffer_finish(frame);
}

static void stop(struct local_consumer *consumer, struct held *held)
{
    if (held->session != 0 && consumer->fd >= 0) {
        struct buffer out;
        buffer_init(&out, 256);
        size_t begin = wire_begin(&out, WIRE_STOP, 0);
        wire_put_u32(&out, held->session);
        wire_end(&out, begin);
        consumer_send(consumer, &out);
    }
    held->session = 0;
}

void consumer_start(struct local_consumer *consumer, struct held *held)
{
    if (consumer->fd < 0 || held->session != 0 || held->paused) {
        return;
    }
    uint32_t slot = 0;
    while (consumer->slots[slot] != held) {
        slot++;
    }
    uint32_t serial;
    do {
        serial = ++consumer->last_session & ((1u << SESSION_SERIAL_BITS) - 1);
    } while (serial == 0);
    held->session = slot << SESSION_SERIAL_BITS | serial;
    held->started = false;
    struct buffer out;
    buffer_init(&out, 4096);
    size_t begin = wire_begin(&out, WIRE_START, 0);
    wire_put_u32(&out, held->session);
    wire_put_text(&out, held->topic);
    wire_put_u32(&out, (uint32_t)held->partition);
    wire_put_i64(&out, held->position);
    wire_put_u32(&out, consumer->reset);
    wire_end(&out, begin);
    consumer_send(consumer, &out);
}

void consumer_let_go(struct local_consumer *consumer, struct held *held)
{
    stop(consumer, held);
    for (size_t i = 0; i < consumer->slot_count; i++) {
        if (consumer->slots[i] == held) {
            consumer->slots[i] = NULL;
        }
    }
    free(held);
}

struct broker_partition *consumer_list(const struct local_consumer *consumer, size_t *ret_count)
{
    struct broker_partition *all = calloc(consumer->slot_count + 1, sizeof(*all));
    *ret_count = 0;
    for (size_t i = 0; all && i < consumer->slot_count; i++) {
        if (consumer->slots[i]) {
            all[(*ret_count)++] =
                (struct broker_partition){consumer->slots[i]->topic, consumer->slots[i]->partition};
        }
    }
    return all;
}

static void let_all_go(struct local_consumer *consumer)
{
    for (size_t i = 0; i < consumer->slot_count; i++) {
        if (consumer->slots[i]) {
            consumer_let_go(consumer, consumer->slots[i]);
        }
    }
    fetch_drop(consumer, false);
}

/* -- connection -- */

static void disconnect(struct local_consumer *consumer)
{
    if (consumer->fd >= 0) {
        close(consumer->fd);
    }
    consumer->fd = -1;
    consumer->lost_at = consumer->connect_at = clock_monotonic_ms();
    consumer->backoff = FIRST_BACKOFF_MS;
    for (size_t i = 0; i < consumer->slot_count; i++) {
        if (consumer->slots[i]) {
            consumer->slots[i]->session = 0;
        }
    }
    fetch_reset(consumer);
    consumer_fail_commits(consumer);
    while (consumer->event) { /* of a connection that is no more */
        struct event *next = consumer->event->next;
        free(consumer->event);
        consumer->event = next;
    }
    consumer->event_end = &consumer->event;
    consumer_add_event(consumer, 0, NULL, 0);
}

bool consumer_receive(struct local_consumer *consumer)
{
    if (consumer->fd >= 0 && !fetch_receive(consumer)) {
        disconnect(consumer);
    }
    return consumer->fd >= 0;
}

void consumer_join(struct local_consumer *consumer)
{
    if (consumer->fd < 0 || !consumer->subscribed) {
        return;
    }
    struct buffer out;
    buffer_init(&out, WIRE_FRAME_MAX);
    size_t begin = wire_begin(&out, WIRE_JOIN, 0);
    wire_put_text(&out, consumer->group);
    wire_put_u32(&out, consumer->reset);
    wire_put_u32(&out, (uint32_t)consumer->revoke_timeout);
    wire_put_u32(&out, (uint32_t)consumer->topic_count);
    for (size_t i = 0; i < consumer->topic_count; i++) {
        wire_put_text(&out, consumer->topics[i]);
    }
    wire_end(&out, begin);
    consumer_send(consumer, &out);
}

static bool wants_connection(const struct local_consumer *consumer)
{
    size_t held = 0;
    while (held < consumer->slot_count && !consumer->slots[held]) {
        held++;
    }
    return consumer->fd < 0 && (consumer->subscribed || held < consumer->slot_count);
}

static void reconnect(struct local_consumer *consumer, int64_t now)
{
    struct error error = {0};
    struct local_welcome welcome;
    bool spawn = !consumer->connected_once || now - consumer->lost_at >= SPAWN_AFTER_MS;
    consumer->fd = local_connect(consumer->local, consumer->client_id, true, spawn, CONNECT_MS,
                                 &welcome, &error);
    if (consumer->fd < 0) {
        consumer->connect_at = clock_monotonic_ms() + consumer->backoff;
        consumer->backoff =
            consumer->backoff * 2 < MAX_BACKOFF_MS ? consumer->backoff * 2 : MAX_BACKOFF_MS;
        if (spawn) { /* before that it is expected back */
            consumer_fault(consumer, &error);
        }
        error_clear(&error);
        return;
    }
    consumer->connected_once = true;
    consumer->last_fault = ERROR_NONE;
    fetch_grant(consumer);
    consumer_join(consumer);
    for (size_t i = 0; i < consumer->slot_count; i++) {
        if (consumer->slots[i]) {
            consumer_start(consumer, consumer->slots[i]);
        }
    }
}

/* -- polling -- */

/* Partitions that are paused must not use up the credit of the others. */
static void spare_credit(struct local_consumer *consumer)
{
    if ((int64_t)consumer->waiting < consumer->window / 2) {
        return;
    }
    for (size_t i = 0; i < consumer->slot_count; i++) {
        if (consumer->slots[i] && consumer->slots[i]->paused) {
            stop(consumer, consumer->slots[i]); /* read again from its position when resumed */
        }
    }
    fetch_drop(consumer, false);
    fetch_grant(consumer);
}

/* Waits for the owner, a wake or the deadline; true: woken. */
static bool wait_once(struct local_consumer *consumer, int64_t deadline)
{
    int64_t now = clock_monotonic_ms();
    int64_t until = deadline;
    if (wants_connection(consumer) && consumer->connect_at < until) {
        until = consumer->connect_at;
    }
    int64_t wait = until - now;
    struct pollfd fds[2] = {
        {.fd = consumer->wake, .events = POLLIN},
        {.fd = consumer->fd, .events = POLLIN},
    };
    int n = poll(fds, 2, wait <= 0 ? 0 : wait > 3600000 ? 3600000 : (int)wait);
    if (n > 0 && fds[0].revents) {
        uint64_t value;
        (void)!read(consumer->wake, &value, sizeof(value));
        return true;
    }
    return false;
}

int local_poll(struct broker_consumer *base, int timeout_ms, size_t max_messages, size_t max_bytes,
               struct broker_chunk **ret_chunk, struct error *error)
{
    struct local_consumer *consumer = (struct local_consumer *)base;
    int64_t deadline = clock_monotonic_ms() + (timeout_ms < 0 ? INT32_MAX : timeout_ms);
    *ret_chunk = NULL;
    for (bool woken = false;;) {
        int64_t now = clock_monotonic_ms();
        if (wants_connection(consumer) && now >= consumer->connect_at) {
            reconnect(consumer, now);
        }
        if ((int64_t)consumer->waiting < consumer->window / 2) {
            (void)consumer_receive(consumer);
        }
        consumer_serve_events(consumer);
        if (consumer->failure.code != ERROR_NONE) {
            *error = consumer->failure;
            consumer->failure = (struct error){0};
            return -1;
        }
        if (fetch_chunk(consumer, max_messages, max_bytes, ret_chunk, error) != 0) {
            return -1;
        }
        bool changed = consumer->topics_changed;
        consumer->topics_changed = false;
        if (*ret_chunk || woken || changed || clock_monotonic_ms() >= deadline) {
            return 0;
        }
        spare_credit(consumer);
        woken = wait_once(consumer, deadline);
    }
}

void local_consumer_wake(struct broker_consumer *base)
{
    struct local_consumer *consumer = (struct local_consumer *)base;
    uint64_t one = 1;
    (void)!write(consumer->wake, &one, sizeof(one));
}

/* -- what is read -- */

int local_subscribe(struct broker_consumer *base, const char *const *topics, size_t count,
                    struct error *error)
{
    struct local_consumer *consumer = (struct local_consumer *)base;
    if (!consumer->group) {
        return error_set_class(
            error, ERROR_CONFIG, "org.apache.kafka.common.errors.InvalidGroupIdException",
            "To use the group management or offset commit APIs, you must provide a "
            "valid group.id in the consumer configuration.");
    }
    char **copies = calloc(count + 1, sizeof(*copies));
    for (size_t i = 0; copies && i < count; i++) {
        copies[i] = strdup(topics[i]);
    }
    if (!copies) {
        return error_set(error, ERROR_NO_MEMORY, "No memory for a subscription");
    }
    for (size_t i = 0; i < consumer->topic_count; i++) {
        free(consumer->topics[i]);
    }
    free(consumer->topics);
    if (!consumer->subscribed) {
        let_all_go(consumer); /* what was assigned by hand */
    }
    consumer->topics = copies;
    consumer->topic_count = count;
    consumer->subscribed = true;
    consumer_join(consumer);
    return 0;
}

int local_assign(struct broker_consumer *base, const struct broker_offset *offsets, size_t count,
                 struct error *error)
{
    struct local_consumer *consumer = (struct local_consumer *)base;
    if (consumer->subscribed) {
        return error_set_class(
            error, ERROR_CONFLICT, "java.lang.IllegalStateException",
            "Subscription to topics, partitions and pattern are mutually exclusive");
    }
    let_all_go(consumer);
    for (size_t i = 0; i < count; i++) {
        struct held *held =
            consumer_hold(consumer, offsets[i].topic, offsets[i].partition, offsets[i].offset);
        if (!held) {
            return error_set(error, ERROR_NO_MEMORY, "No memory for an assignment");
        }
        consumer_start(consumer, held);
    }
    return 0;
}

static int not_assigned(const char *topic, int32_t partition, struct error *error)
{
    return error_set_class(error, ERROR_UNKNOWN_PARTITION, "java.lang.IllegalStateException",
                           "No current assignment for partition %s-%d", topic, partition);
}

static int set_paused(struct local_consumer *consumer, const struct broker_partition *partitions,
                      size_t count, bool paused, struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        struct held *held =
            consumer_find(consumer, partitions[i].topic, partitions[i].partition);
        if (!held) {
            return not_assigned(partitions[i].topic, partitions[i].partition, error);
        }
        held->paused = paused;
        if (!paused) {
            consumer_start(consumer, held);
        }
    }
    return 0;
}

int local_pause(struct broker_consumer *base, const struct broker_partition *partitions,
                size_t count, struct error *error)
{
    return set_paused((struct local_consumer *)base, partitions, count, true, error);
}

int local_resume(struct broker_consumer *base, const struct broker_partition *partitions,
                 size_t count, struct error *error)
{
    return set_paused((struct local_consumer *)base, partitions, count, false, error);
}

int local_seek(struct broker_consumer *base, const struct broker_offset *offset,
               struct error *error)
{
    struct local_consumer *consumer = (struct local_consumer *)base;
    struct held *held = consumer_find(consumer, offset->topic, offset->partition);
    if (!held) {
        return not_assigned(offset->topic, offset->partition, error);
    }
    stop(consumer, held);
    fetch_drop(consumer, false);
    held->position = offset->offset;
    consumer_start(consumer, held);
    return 0;
}

int local_position(struct broker_consumer *base, const struct broker_partition *partition,
                   int64_t *ret_offset, struct error *error)
{
    struct local_consumer *consumer = (struct local_consumer *)base;
    int64_t deadline = clock_monotonic_ms() + POSITION_MS;
    struct held *held;
    while ((held = consumer_find(consumer, partition->topic, partition->partition)) &&
           held->position < 0) {
        int64_t now = clock_monotonic_ms();
        if (now >= deadline) {
            (void)error_set_class(
                error, ERROR_TIMEOUT, LOCAL_TIMEOUT_CLASS,
                "Position of %s-%d is not known: the embedded log does not answer", held->topic,
                held->partition);
            error->retriable = true;
            return -1;
        }
        if (wants_connection(consumer) && now >= consumer->connect_at) {
            reconnect(consumer, now);
        }
        (void)wait_once(consumer, deadline);
        (void)consumer_receive(consumer);
    }
    if (!held) {
        return not_assigned(partition->topic, partition->partition, error);
    }
    *ret_offset = held->position;
    return 0;
}

int64_t local_end_offset(struct broker_consumer *base, const struct broker_partition *partition)
{
    const struct held *held =
        consumer_find((struct local_consumer *)base, partition->topic, partition->partition);
    return held ? held->end : -1;
}

/* -- beginning and end -- */

static int configure(struct local_consumer *consumer, const struct properties *properties,
                     struct error *error)
{
    const char *group = properties_get(properties, "group.id");
    const char *id = properties_get(properties, "client.id");
    const char *reset = properties_get(properties, "auto.offset.reset");
    consumer->reset = WIRE_RESET_LATEST; /* Kafka's default */
    if (reset && strcmp(reset, "earliest") == 0) {
        consumer->reset = WIRE_RESET_EARLIEST;
    } else if (reset && strcmp(reset, "none") == 0) {
        consumer->reset = WIRE_RESET_NONE;
    } else if (reset && strcmp(reset, "latest") != 0) {
        return error_set_class(
            error, ERROR_CONFIG, "org.apache.kafka.common.config.ConfigException",
            "Invalid value %s for configuration auto.offset.reset: earliest, latest "
            "or none is expected",
            reset);
    }
    if (group && (!*group || strlen(group) > WIRE_MAX_GROUP_NAME)) {
        return error_set_class(error, ERROR_CONFIG,
                               "org.apache.kafka.common.errors.InvalidGroupIdException",
                               "group.id must have 1 to %d bytes", WIRE_MAX_GROUP_NAME);
    }
    if (local_number(properties, "fetch.max.bytes", DEFAULT_WINDOW, 65536, INT32_MAX,
                     &consumer->window, error) != 0 ||
        local_number(properties, "max.poll.interval.ms", 60000, 100, 600000,
                     &consumer->revoke_timeout, error) != 0) {
        return -1;
    }
    consumer->group = group ? strdup(group) : NULL;
    consumer->client_id = strdup(id ? id : consumer->local->client_id);
    consumer->pool = pool_create();
    consumer->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (consumer->wake < 0 || !consumer->pool || !consumer->client_id ||
        (group && !consumer->group)) {
        return error_set_errno(error, errno, "A consumer cannot be created");
    }
    return 0;
}

static void consumer_free(struct local_consumer *consumer)
{
    if (consumer->fd >= 0) {
        close(consumer->fd);
        consumer->fd = -1;
    }
    for (size_t i = 0; i < consumer->slot_count; i++) {
        free(consumer->slots[i]);
    }
    free(consumer->slots);
    consumer->slot_count = 0;
    fetch_reset(consumer);
    pool_release(consumer->pool);
    while (consumer->event) {
        struct event *next = consumer->event->next;
        free(consumer->event);
        consumer->event = next;
    }
    while (consumer->commits) {
        struct pending_commit *next = consumer->commits->next;
        error_clear(&consumer->commits->error);
        free(consumer->commits->offsets);
        free(consumer->commits);
        consumer->commits = next;
    }
    for (size_t i = 0; i < consumer->topic_count; i++) {
        free(consumer->topics[i]);
    }
    free(consumer->topics);
    if (consumer->wake >= 0) {
        close(consumer->wake);
    }
    error_clear(&consumer->failure);
    free(consumer->group);
    free(consumer->client_id);
    free(consumer);
}

int local_consumer_create(struct broker *broker, const struct properties *properties,
                          const struct broker_consumer_events *events,
                          struct broker_consumer **ret_consumer, struct error *error)
{
    struct local_consumer *consumer = calloc(1, sizeof(*consumer));
    if (!consumer) {
        return error_set(error, ERROR_NO_MEMORY, "No memory for a consumer");
    }
    consumer->base.impl = &broker_local;
    consumer->local = (struct local *)broker;
    consumer->events = events ? *events : (struct broker_consumer_events){0};
    consumer->fd = consumer->wake = -1;
    consumer->generation = -1;
    consumer->backoff = FIRST_BACKOFF_MS;
    consumer->event_end = &consumer->event;
    consumer->frames_end = &consumer->frames;
    if (configure(consumer, properties, error) != 0) {
        consumer_free(consumer);
        return -1;
    }
    *ret_consumer = &consumer->base;
    return 0;
}

void local_consumer_destroy(struct broker_consumer *base)
{
    struct local_consumer *consumer = (struct local_consumer *)base;
    size_t count;
    struct broker_partition *all = consumer_list(consumer, &count);
    if (consumer->subscribed && count > 0 && all) {
        if (consumer->fd >= 0 && consumer->events.revoked) {
            consumer->events.revoked(consumer->events.user, all, count);
        } else if (consumer->fd < 0 && consumer->events.lost) {
            consumer->events.lost(consumer->events.user, all, count);
        }
    }
    consumer_finish_commits(consumer);
    free(all);
    consumer_free(consumer); /* the end of the socket is the end of the member */
}
