/*
 * Producer of the embedded log, second part: connection, acknowledgements, deliveries.
 *
 * A batch leaves as soon as fewer than PRODUCER_WINDOW of its partition are unacknowledged, so a
 * lone record goes at once and many share a batch while a commit runs (linger.ms and batch.size
 * have nothing to add). Sent batches are kept until acknowledged and sent again, in order and with
 * the same numbers, on the next connection: the owner knows those it has (log/produce.c).
 *
 * Everything here runs on the polling thread, but creation, end and wake.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/broker/local_producer.h"

enum {
    FIRST_BACKOFF_MS = 5,
    MAX_BACKOFF_MS = 500,
    SPAWN_AFTER_MS = 500, /* an owner that died is given this long to be started by its worker */
    CONNECT_MS = 10000,
    READ_SIZE = 65536,
    DELIVERIES = 256,
};

/* In the order of sends: what is done at the front of the partition goes to poll(). */
static void deliver_front(struct local_producer *producer, struct out_partition *partition)
{
    while (partition->first && partition->first->done) {
        struct batch *batch = partition->first;
        partition->first = batch->next;
        if (!partition->first) {
            partition->last = NULL;
            partition->open = false;
        }
        producer_finish(producer, batch);
    }
}

/* -- sending -- */

static void disconnect(struct local_producer *producer)
{
    if (producer->fd >= 0) {
        close(producer->fd);
    }
    producer->fd = -1;
    producer->lost_at = clock_monotonic_ms();
    producer->connect_at = producer->lost_at;
    producer->backoff = FIRST_BACKOFF_MS;
    producer->sending = NULL;
    producer->sending_at = 0;
    buffer_reset(&producer->control);
    for (struct batch *batch = producer->sent; batch; batch = batch->sent_next) {
        if (!batch->done) {
            batch->sent = false;
            batch->partition->under_way--;
            producer_list(producer, batch->partition);
        }
    }
    producer->sent = NULL;
    producer->sent_end = &producer->sent;
    for (int i = 0; i < PRODUCER_BUCKETS; i++) {
        for (struct out_topic *topic = producer->topics[i]; topic; topic = topic->next) {
            topic->request = 0;
        }
    }
}

/* Writes what waits; stops where the socket is full (the polling thread goes on then). */
static void write_out(struct local_producer *producer)
{
    while (producer->fd >= 0 && (producer->control.size > 0 || producer->sending)) {
        const char *data;
        size_t size;
        bool control = producer->control.size > 0 && producer->sending_at == 0;
        if (control) {
            data = producer->control.data;
            size = producer->control.size;
        } else {
            data = producer->sending->bytes.data + producer->sending_at;
            size = producer->sending->bytes.size - producer->sending_at;
        }
        ssize_t n = send(producer->fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno == EAGAIN) {
            return; /* poll() waits for room, too */
        }
        if (n < 0) { /* the polling thread sees the end of it and connects again */
            (void)shutdown(producer->fd, SHUT_RDWR);
            return;
        }
        if (control) {
            buffer_consume(&producer->control, (size_t)n);
        } else if ((producer->sending_at += (size_t)n) == producer->sending->bytes.size) {
            producer->sending = producer->sending->sent_next;
            producer->sending_at = 0;
        }
    }
}

/* Closes and sends what the windows allow. */
static void send_batches(struct local_producer *producer)
{
    struct out_partition *partition;
    if (producer->fd < 0) {
        return;
    }
    while ((partition = producer->listed)) {
        producer->listed = partition->listed_next;
        partition->listed = false;
        struct batch *batch = partition->first;
        for (; batch && partition->under_way < PRODUCER_WINDOW; batch = batch->next) {
            if (batch->sent || batch->count == 0) {
                continue;
            }
            if (batch == partition->last && partition->open) {
                batch_seal(producer, batch);
                partition->open = false;
                partition->topic->sticky++;
            }
            batch->sent = true;
            batch->sent_next = NULL;
            partition->under_way++;
            *producer->sent_end = batch;
            producer->sent_end = &batch->sent_next;
            producer->sending = producer->sending ? producer->sending : batch;
        }
    }
    write_out(producer);
}

/* -- answers: polling thread, locked -- */

static void settle(struct local_producer *producer, struct batch *batch, struct error *error)
{
    batch->done = true;
    batch->partition->under_way--;
    batch->error = *error;
    *error = (struct error){0};
    producer_list(producer, batch->partition);
    deliver_front(producer, batch->partition);
}

static void take_ack(struct local_producer *producer, const struct wire_head *head,
                     const char *payload)
{
    struct wire_ack ack;
    struct wire_reader reader = {payload, payload + head->size, false};
    const char *bytes = wire_get_bytes(&reader, sizeof(ack));
    struct batch **link = &producer->sent;
    while (*link && (*link)->id != head->id) {
        link = &(*link)->sent_next;
    }
    struct batch *batch = *link;
    if (!bytes || !batch || batch == producer->sending) {
        return;
    }
    memcpy(&ack, bytes, sizeof(ack));
    *link = batch->sent_next;
    if (!*link) {
        producer->sent_end = link;
    }
    struct error error = {0};
    if (ack.error != 0) {
        char java_class[200], message[2000];
        wire_get_text(&reader, java_class, sizeof(java_class));
        wire_get_text(&reader, message, sizeof(message));
        (void)error_set_class(&error, (enum error_code)ack.error, *java_class ? java_class : NULL,
                              "%s", message);
        error.retriable = ack.retriable != 0;
    } else {
        batch->base = ack.base;
        batch->append_time = ack.append_time;
    }
    settle(producer, batch, &error);
}

static void take_frames(struct local_producer *producer)
{
    size_t at = 0;
    struct wire_head head;
    while (producer->in.size - at >= sizeof(head)) {
        memcpy(&head, producer->in.data + at, sizeof(head));
        if (producer->in.size - at - sizeof(head) < head.size) {
            break;
        }
        const char *payload = producer->in.data + at + sizeof(head);
        struct wire_reader reader = {payload, payload + head.size, false};
        if (head.type == WIRE_ACK) {
            take_ack(producer, &head, payload);
        } else if (head.type == WIRE_REPLY) {
            producer_take_metadata(producer, &head, payload);
        } else if (head.type == WIRE_EPOCH) {
            producer_take_epoch(producer, &reader);
        }
        at += sizeof(head) + head.size;
    }
    buffer_consume(&producer->in, at);
}

static void receive(struct local_producer *producer)
{
    ssize_t n = -1;
    if (buffer_reserve(&producer->in, READ_SIZE) == 0) {
        n = recv(producer->fd, producer->in.data + producer->in.size, READ_SIZE, MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            return;
        }
    }
    if (n <= 0) {
        disconnect(producer);
        return;
    }
    producer->in.size += (size_t)n;
    take_frames(producer);
}

/* -- time -- */

/* Fails what is older than delivery.timeout.ms; returns when the next one will be. */
static int64_t expire(struct local_producer *producer, int64_t now)
{
    int64_t next = INT64_MAX;
    for (int i = 0; i < PRODUCER_BUCKETS; i++) {
        for (struct out_topic *topic = producer->topics[i]; topic; topic = topic->next) {
            for (int32_t p = 0; p < topic->known; p++) {
                struct out_partition *partition = topic->partitions[p];
                struct batch *first = partition ? partition->first : NULL;
                if (first && first->deadline <= now && first->sent) {
                    disconnect(producer); /* what is under way cannot be called back */
                }
                for (struct batch *batch = first; batch && batch->deadline <= now;
                     batch = batch->next) {
                    batch->done = true;
                    (void)error_set_class(
                        &batch->error, ERROR_TIMEOUT, LOCAL_TIMEOUT_CLASS,
                        "Expiring %u record(s) for %s-%d: %lld ms has passed since "
                        "batch creation",
                        batch->count, topic->name, p, (long long)producer->delivery_timeout);
                    batch->error.retriable = true;
                }
                if (first) {
                    deliver_front(producer, partition);
                }
                if (partition && partition->first && partition->first->deadline < next) {
                    next = partition->first->deadline;
                }
            }
        }
    }
    return next;
}

/* Unlocks while it connects. */
static void reconnect(struct local_producer *producer, int64_t now)
{
    struct error error = {0};
    struct local_welcome welcome = {0};
    bool start = !producer->connected_once || now - producer->lost_at >= SPAWN_AFTER_MS;
    pthread_mutex_unlock(&producer->lock);
    int fd = local_connect(producer->local, producer->client_id, true, start, CONNECT_MS, &welcome,
                           &error);
    pthread_mutex_lock(&producer->lock);
    if (fd < 0) {
        producer->connect_at = clock_monotonic_ms() + producer->backoff;
        producer->backoff =
            producer->backoff * 2 < MAX_BACKOFF_MS ? producer->backoff * 2 : MAX_BACKOFF_MS;
        error_clear(&error);
        return;
    }
    producer->fd = fd;
    buffer_finish(&producer->in); /* the end of the former connection */
    producer->connected_once = true;
    if (producer->id == 0) {
        producer->id = welcome.producer_id;
    }
    producer_ask_all(producer, true);
}

/* -- polling -- */

static size_t hand_out(struct local_producer *producer, struct batch *batches)
{
    size_t total = 0;
    struct broker_delivery deliveries[DELIVERIES];
    for (struct batch *batch = batches; batch; batch = batch->next) {
        bool failed = batch->error.code != ERROR_NONE;
        for (uint32_t done = 0; done < batch->count;) {
            size_t n = 0;
            for (; n < DELIVERIES && done < batch->count; n++, done++) {
                deliveries[n] = (struct broker_delivery){
                    .opaque = batch->slots[done].opaque,
                    .partition = batch->partition ? batch->partition->number : BROKER_NO_PARTITION,
                    .offset = failed ? BROKER_NO_OFFSET : batch->base + done,
                    .timestamp =
                        batch->append_time >= 0 ? batch->append_time : batch->slots[done].timestamp,
                    .error = failed ? &batch->error : NULL,
                };
            }
            /* Before the call: who waits for nothing to be pending is woken by it. */
            atomic_fetch_sub(&producer->pending, n);
            producer->delivered(producer->user, deliveries, n);
            total += n;
        }
    }
    return total;
}

static size_t serve(struct local_producer *producer)
{
    pthread_mutex_lock(&producer->lock);
    struct batch *batches = producer->finished;
    producer->finished = NULL;
    producer->finished_end = &producer->finished;
    for (struct batch *batch = batches; batch; batch = batch->next) {
        if (batch->partition) {
            producer->memory -=
                (int64_t)(batch->bytes.size - batch->at - sizeof(struct log_batch_head));
        }
    }
    pthread_mutex_unlock(&producer->lock);
    if (!batches) {
        return 0;
    }
    size_t total = hand_out(producer, batches);
    pthread_mutex_lock(&producer->lock);
    while (batches) {
        struct batch *next = batches->next;
        batch_recycle(producer, batches);
        batches = next;
    }
    pthread_mutex_unlock(&producer->lock);
    return total;
}

static int wait_ms(int64_t until, int64_t now)
{
    int64_t wait = until - now;
    return wait <= 0 ? 0 : wait > 3600000 ? 3600000 : (int)wait;
}

/* One wait; true: poll() has a reason to return. */
static bool wait_once(struct local_producer *producer, int64_t deadline)
{
    pthread_mutex_lock(&producer->lock);
    int64_t now = clock_monotonic_ms();
    bool wanted = producer->fd < 0 && producer_wants_connection(producer);
    if (wanted && now >= producer->connect_at) {
        reconnect(producer, now);
        now = clock_monotonic_ms();
        wanted = producer->fd < 0;
    }
    producer_ask_questions(producer);
    send_batches(producer);
    int64_t until = expire(producer, now);
    until = deadline < until ? deadline : until;
    until = wanted && producer->connect_at < until ? producer->connect_at : until;
    bool writing = producer->fd >= 0 && (producer->sending || producer->control.size > 0);
    bool ready = producer->finished || producer->woken || producer->answered;
    struct pollfd fds[2] = {
        {.fd = producer->wake, .events = POLLIN},
        {.fd = producer->fd, .events = (short)(POLLIN | (writing ? POLLOUT : 0))},
    };
    producer->polling = true;
    pthread_mutex_unlock(&producer->lock);

    int n = poll(fds, 2, ready ? 0 : wait_ms(until, now));

    pthread_mutex_lock(&producer->lock);
    producer->polling = false;
    producer->kicked = false;
    if (n > 0 && fds[0].revents) {
        uint64_t value;
        (void)!read(producer->wake, &value, sizeof(value));
    }
    if (n > 0 && fds[1].revents && fds[1].fd == producer->fd) {
        if (fds[1].revents & ~POLLOUT) {
            receive(producer);
        }
        send_batches(producer); /* what the acknowledgements made room for, before they are told */
    }
    ready = producer->finished || producer->woken || producer->answered;
    producer->woken = false;
    producer->answered = false;
    pthread_mutex_unlock(&producer->lock);
    return ready;
}

size_t local_producer_poll(struct broker_producer *base, int timeout_ms)
{
    struct local_producer *producer = (struct local_producer *)base;
    int64_t deadline = clock_monotonic_ms() + (timeout_ms < 0 ? INT32_MAX : timeout_ms);
    for (;;) {
        size_t served = serve(producer);
        if (served > 0) {
            return served;
        }
        bool ready = wait_once(producer, deadline);
        if (ready || clock_monotonic_ms() >= deadline) {
            return serve(producer);
        }
    }
}

void local_producer_wake(struct broker_producer *base)
{
    struct local_producer *producer = (struct local_producer *)base;
    pthread_mutex_lock(&producer->lock);
    producer->woken = true;
    uint64_t one = 1;
    (void)!write(producer->wake, &one, sizeof(one));
    pthread_mutex_unlock(&producer->lock);
}

size_t local_producer_pending(const struct broker_producer *base)
{
    const struct local_producer *producer = (const struct local_producer *)base;
    return atomic_load(&producer->pending);
}

/* -- beginning and end -- */

static int configure(struct local_producer *producer, const struct properties *properties,
                     struct error *error)
{
    if (local_number(properties, "buffer.memory", 32 << 20, 65536, INT64_MAX, &producer->memory_max,
                     error) != 0 ||
        local_number(properties, "max.request.size", 1048576, 0, LOG_MESSAGE_MOST,
                     &producer->message_max, error) != 0 ||
        local_number(properties, "delivery.timeout.ms", 120000, 1, INT32_MAX,
                     &producer->delivery_timeout, error) != 0 ||
        local_number(properties, "max.block.ms", 60000, 0, INT32_MAX, &producer->max_block,
                     error) != 0) {
        return -1;
    }
    const char *id = properties_get(properties, "client.id");
    producer->client_id = strdup(id ? id : producer->local->client_id);
    producer->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (producer->wake < 0 || !producer->client_id) {
        return error_set_errno(error, errno, "A producer cannot be created");
    }
    return 0;
}

int local_producer_create(struct broker *broker, const struct properties *properties,
                          broker_delivery_fn delivered, void *user,
                          struct broker_producer **ret_producer, struct error *error)
{
    struct local_producer *producer = calloc(1, sizeof(*producer));
    if (!producer) {
        return error_set(error, ERROR_NO_MEMORY, "No memory for a producer");
    }
    producer->base.impl = &broker_local;
    producer->local = (struct local *)broker;
    producer->delivered = delivered;
    producer->user = user;
    producer->fd = producer->wake = -1;
    producer->backoff = FIRST_BACKOFF_MS;
    producer->sent_end = &producer->sent;
    producer->finished_end = &producer->finished;
    pthread_mutex_init(&producer->lock, NULL);
    buffer_init(&producer->control, WIRE_FRAME_MAX);
    buffer_init(&producer->in, WIRE_FRAME_MAX);
    if (configure(producer, properties, error) != 0) {
        local_producer_destroy(&producer->base);
        return -1;
    }
    *ret_producer = &producer->base;
    return 0;
}

static void free_batches(struct batch *batch)
{
    while (batch) {
        struct batch *next = batch->next;
        batch_free(batch);
        batch = next;
    }
}

void local_producer_destroy(struct broker_producer *base)
{
    struct local_producer *producer = (struct local_producer *)base;
    for (int i = 0; i < PRODUCER_BUCKETS; i++) {
        struct out_topic *next;
        for (struct out_topic *topic = producer->topics[i]; topic; topic = next) {
            next = topic->next;
            for (int32_t p = 0; p < topic->known; p++) {
                if (topic->partitions[p]) {
                    free_batches(topic->partitions[p]->first);
                    free(topic->partitions[p]);
                }
            }
            free(topic->partitions);
            error_clear(&topic->error);
            free(topic->name);
            free(topic);
        }
    }
    free_batches(producer->finished);
    free_batches(producer->spare);
    buffer_finish(&producer->control);
    buffer_finish(&producer->in);
    if (producer->fd >= 0) {
        close(producer->fd);
    }
    if (producer->wake >= 0) {
        close(producer->wake);
    }
    pthread_mutex_destroy(&producer->lock);
    free(producer->client_id);
    free(producer);
}
