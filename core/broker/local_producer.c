/*
 * Producer of the embedded log. Messages are encoded into the open batch of their partition; a batch
 * leaves as soon as fewer than WINDOW of its partition are unacknowledged, so a lone record goes at
 * once and many share a batch while a commit runs (linger.ms and batch.size have nothing to add).
 *
 * Sent batches are kept until acknowledged and sent again, in order and with the same numbers, on the
 * next connection: the owner knows those it has (log/produce.c).
 *
 * send() may run on one thread while another polls; `lock` guards everything. Only the polling thread
 * connects, reads and calls delivered().
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/broker/local.h"
#include "core/broker/log/format.h"
#include "core/broker/topic_name.h"

enum {
    WINDOW = 2,             /* batches of a partition under way: one is committed, one waits for it */
    TOPIC_BUCKETS = 64,
    KEPT_BATCHES = 16,      /* emptied ones kept for the next */
    FIRST_BACKOFF_MS = 5,
    MAX_BACKOFF_MS = 500,
    SPAWN_AFTER_MS = 500,   /* an owner that died is given this long to be started by its worker */
    CONNECT_MS = 10000,
    READ_SIZE = 65536,
    DELIVERIES = 256,
};

struct slot {
    void *opaque;
    int64_t timestamp;
};

struct out_partition;

struct batch {
    struct batch *next;       /* in its partition, then in the list of finished ones */
    struct batch *sent_next;  /* under way, in the order of sending */
    struct out_partition *partition;
    struct buffer bytes;      /* frame */
    size_t at;                /* of the batch in it */
    struct slot *slots;
    uint32_t count, capacity, header_count, id;
    int64_t max_timestamp, deadline;
    bool sent, done;
    int64_t base, append_time;
    struct error error;
};

struct out_partition {
    struct out_topic *topic;
    int32_t number;
    uint64_t sequence;             /* of the last batch closed */
    struct batch *first, *last;    /* not yet delivered; the last one is open when `open` */
    bool open;
    int under_way;
    bool listed;
    struct out_partition *listed_next; /* has something to send */
};

struct out_topic {
    struct out_topic *next;
    char *name;
    struct out_partition **partitions; /* grows; those in use stay where they are */
    int32_t known;                     /* how many there are structs for */
    int32_t count;                     /* -1: not asked yet or not answered */
    uint32_t max_message;
    uint32_t request;                  /* id of the question under way; 0: none */
    int64_t asked_at;                  /* first question without an answer */
    struct error error;                /* of the last answer */
    uint32_t sticky;
};

struct local_producer {
    struct broker_producer base;
    struct local *local;
    broker_delivery_fn delivered;
    void *user;
    char *client_id;
    int64_t memory_max, message_max, delivery_timeout, max_block;

    pthread_mutex_t lock;
    int fd, wake;
    bool woken, polling, kicked;
    bool connected_once;
    int backoff;
    int64_t connect_at, lost_at;
    uint64_t id; /* producer id, of the first connection */
    uint32_t last_request;
    struct out_topic *topics[TOPIC_BUCKETS];
    struct out_partition *listed;
    struct batch *sent, **sent_end;      /* under way */
    struct batch *sending;               /* being written, then those behind it in `sent` */
    size_t sending_at;                   /* bytes of it that are written */
    struct buffer control;               /* small frames, sent between batches */
    struct batch *finished, **finished_end;
    struct batch *spare;
    size_t spare_count;
    int64_t memory;
    atomic_size_t pending;
    bool answered;                       /* metadata came: send() may get further */
    struct buffer in;                    /* polling thread only */
};

/* -- batches -- */

static struct batch *batch_get(struct local_producer *producer, struct out_partition *partition)
{
    struct batch *batch = producer->spare;
    if (batch) {
        producer->spare = batch->next;
        producer->spare_count--;
        batch->next = NULL;
    } else {
        batch = calloc(1, sizeof(*batch));
        if (!batch) {
            return NULL;
        }
        buffer_init(&batch->bytes, WIRE_FRAME_MAX);
    }
    batch->partition = partition;
    batch->deadline = clock_monotonic_ms() + producer->delivery_timeout;
    batch->base = batch->append_time = -1;
    batch->max_timestamp = INT64_MIN;
    (void)wire_begin(&batch->bytes, WIRE_PRODUCE, 0);
    if (partition) {
        struct wire_produce head = {
            .partition = partition->number,
            .topic_size = (uint32_t)strlen(partition->topic->name),
        };
        (void)buffer_append(&batch->bytes, &head, sizeof(head));
        (void)buffer_append(&batch->bytes, partition->topic->name, head.topic_size);
        batch->at = batch->bytes.size;
        struct log_batch_head empty = {0};
        (void)buffer_append(&batch->bytes, &empty, sizeof(empty));
    }
    return batch;
}

static void batch_free(struct batch *batch)
{
    buffer_finish(&batch->bytes);
    error_clear(&batch->error);
    free(batch->slots);
    free(batch);
}

static void batch_recycle(struct local_producer *producer, struct batch *batch)
{
    if (producer->spare_count >= KEPT_BATCHES || batch->bytes.capacity > 2 * LOG_BATCH_BYTES ||
        batch->bytes.failed) {
        batch_free(batch);
        return;
    }
    struct buffer bytes = batch->bytes;
    struct slot *slots = batch->slots;
    uint32_t capacity = batch->capacity;
    error_clear(&batch->error);
    *batch = (struct batch){.bytes = bytes, .slots = slots, .capacity = capacity,
                            .next = producer->spare};
    buffer_reset(&batch->bytes);
    producer->spare = batch;
    producer->spare_count++;
}

static bool slot_add(struct batch *batch, void *opaque, int64_t timestamp)
{
    if (batch->count == batch->capacity) {
        uint32_t capacity = batch->capacity ? batch->capacity * 2 : 64;
        struct slot *grown = realloc(batch->slots, capacity * sizeof(*grown));
        if (!grown) {
            return false;
        }
        batch->slots = grown;
        batch->capacity = capacity;
    }
    batch->slots[batch->count++] = (struct slot){opaque, timestamp};
    return true;
}

static void finish(struct local_producer *producer, struct batch *batch)
{
    batch->next = NULL;
    *producer->finished_end = batch;
    producer->finished_end = &batch->next;
}

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
        finish(producer, batch);
    }
}

/* -- sending -- */

static void kick(struct local_producer *producer)
{
    if (producer->polling && !producer->kicked) {
        producer->kicked = true;
        uint64_t one = 1;
        (void)!write(producer->wake, &one, sizeof(one));
    }
}

static void list(struct local_producer *producer, struct out_partition *partition)
{
    if (!partition->listed) {
        partition->listed = true;
        partition->listed_next = producer->listed;
        producer->listed = partition;
    }
}

static void seal(struct local_producer *producer, struct batch *batch)
{
    struct out_partition *partition = batch->partition;
    struct wire_produce request;
    char *data = batch->bytes.data;
    memcpy(&request, data + sizeof(struct wire_head), sizeof(request));
    request.sequence = ++partition->sequence;
    request.producer = producer->id;
    memcpy(data + sizeof(struct wire_head), &request, sizeof(request));
    batch->id = ++producer->last_request;
    memcpy(data + offsetof(struct wire_head, id), &batch->id, sizeof(batch->id));
    wire_end(&batch->bytes, 0);
    struct log_batch_head head = {
        .count = batch->count,
        .header_count = batch->header_count,
        .max_timestamp = batch->max_timestamp,
    };
    log_batch_seal(data + batch->at, batch->bytes.size - batch->at, head);
}

/* [polling thread] */
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
            list(producer, batch->partition);
        }
    }
    producer->sent = NULL;
    producer->sent_end = &producer->sent;
    for (int i = 0; i < TOPIC_BUCKETS; i++) {
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
            kick(producer); /* so that it waits for room, too */
            return;
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
    if (producer->fd < 0) {
        kick(producer);
        return;
    }
    struct out_partition *partition;
    while ((partition = producer->listed)) {
        producer->listed = partition->listed_next;
        partition->listed = false;
        struct batch *batch = partition->first;
        for (; batch && partition->under_way < WINDOW; batch = batch->next) {
            if (batch->sent || batch->count == 0) {
                continue;
            }
            if (batch == partition->last && partition->open) {
                seal(producer, batch);
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

/* -- topics -- */

static struct out_topic *topic_get(struct local_producer *producer, const char *name)
{
    struct out_topic **bucket =
        &producer->topics[topic_murmur2(name, strlen(name)) % TOPIC_BUCKETS];
    for (struct out_topic *topic = *bucket; topic; topic = topic->next) {
        if (strcmp(topic->name, name) == 0) {
            return topic;
        }
    }
    struct out_topic *topic = calloc(1, sizeof(*topic));
    char *copy = strdup(name);
    if (!topic || !copy) {
        free(topic);
        free(copy);
        return NULL;
    }
    topic->name = copy;
    topic->count = -1;
    topic->sticky = (uint32_t)producer->id;
    topic->next = *bucket;
    *bucket = topic;
    return topic;
}

static void ask(struct local_producer *producer, struct out_topic *topic, bool create)
{
    if (topic->asked_at == 0) {
        topic->asked_at = clock_monotonic_ms();
    }
    if (producer->fd < 0) {
        kick(producer);
        return;
    }
    if (topic->request == 0) {
        topic->request = ++producer->last_request;
        size_t begin = wire_begin(&producer->control, WIRE_METADATA, topic->request);
        wire_put_text(&producer->control, topic->name);
        wire_put_u32(&producer->control, create);
        wire_end(&producer->control, begin);
        write_out(producer);
    }
}

static struct out_partition *partition_get(struct out_topic *topic, int32_t number)
{
    if (number >= topic->known) {
        struct out_partition **grown =
            realloc(topic->partitions, ((size_t)number + 1) * sizeof(struct out_partition *));
        if (!grown) {
            return NULL;
        }
        memset(grown + topic->known, 0,
               ((size_t)(number - topic->known) + 1) * sizeof(struct out_partition *));
        topic->partitions = grown;
        topic->known = number + 1;
    }
    if (!topic->partitions[number]) {
        struct out_partition *partition = calloc(1, sizeof(*partition));
        if (!partition) {
            return NULL;
        }
        partition->topic = topic;
        partition->number = number;
        topic->partitions[number] = partition;
    }
    return topic->partitions[number];
}

/* -- taking messages -- */

static size_t encoded_size(const struct broker_message *message)
{
    size_t size = sizeof(struct log_record_head) + (message->key ? message->key_size : 0) +
                  (message->value ? message->value_size : 0);
    for (uint32_t i = 0; i < message->header_count; i++) {
        size += 8 + strlen(message->headers[i].name) + 1 +
                (message->headers[i].value ? message->headers[i].size : 0);
    }
    return size;
}

static bool encode(struct batch *batch, const struct broker_message *message, size_t size,
                   int64_t timestamp)
{
    struct buffer *out = &batch->bytes;
    size_t known = sizeof(struct log_record_head) + (message->key ? message->key_size : 0) +
                   (message->value ? message->value_size : 0);
    struct log_record_head head = {
        .timestamp = timestamp,
        .key_size = message->key ? message->key_size : LOG_NULL,
        .value_size = message->value ? message->value_size : LOG_NULL,
        .headers_size = (uint32_t)(size - known),
        .header_count = message->header_count,
    };
    if (buffer_reserve(out, size) != 0) {
        return false;
    }
    (void)buffer_append(out, &head, sizeof(head));
    if (message->key) {
        (void)buffer_append(out, message->key, message->key_size);
    }
    if (message->value) {
        (void)buffer_append(out, message->value, message->value_size);
    }
    for (uint32_t i = 0; i < message->header_count; i++) {
        const struct broker_header *header = &message->headers[i];
        size_t name = strlen(header->name);
        wire_put_u32(out, (uint32_t)name);
        wire_put_u32(out, header->value ? header->size : LOG_NULL);
        (void)buffer_append(out, header->name, name + 1);
        if (header->value) {
            (void)buffer_append(out, header->value, header->size);
        }
    }
    batch->header_count += message->header_count;
    batch->max_timestamp = timestamp > batch->max_timestamp ? timestamp : batch->max_timestamp;
    return true;
}

/* A message that can never be sent: taken, and told in its delivery. */
static bool take_failed(struct local_producer *producer, const struct broker_message *message,
                        struct error *error)
{
    struct batch *batch = batch_get(producer, NULL);
    if (!batch || !slot_add(batch, message->opaque, message->timestamp)) {
        if (batch) {
            batch_free(batch);
        }
        error_clear(error);
        return false;
    }
    batch->error = *error;
    *error = (struct error){0};
    finish(producer, batch);
    atomic_fetch_add(&producer->pending, 1);
    kick(producer);
    return true;
}

static int32_t choose(struct out_topic *topic, const struct broker_message *message)
{
    if (message->partition >= 0) {
        return message->partition;
    }
    if (message->key) {
        return topic_partition_of(message->key, message->key_size, topic->count);
    }
    return (int32_t)(topic->sticky % (uint32_t)topic->count);
}

/* 1: it can be placed; 0: not yet; -1 with error: never. */
static int resolve(struct local_producer *producer, struct out_topic *topic, struct error *error)
{
    if (topic->count > 0) {
        return 1;
    }
    if (topic->error.code != ERROR_NONE) {
        *error = topic->error;
        topic->error = (struct error){0};
        return -1;
    }
    if (topic->asked_at != 0 && clock_monotonic_ms() - topic->asked_at >= producer->max_block) {
        topic->asked_at = 0;
        (void)error_set_class(error, ERROR_TIMEOUT, LOCAL_TIMEOUT_CLASS,
                              "Topic %s not present in metadata after %lld ms: the embedded log %s is "
                              "not reachable",
                              topic->name, (long long)producer->max_block, producer->local->dir);
        error->retriable = true;
        return -1;
    }
    ask(producer, topic, true);
    return 0;
}

static int check_message(struct local_producer *producer, const struct out_topic *topic,
                         const struct broker_message *message, size_t size, struct error *error)
{
    if (message->partition < -1 || message->partition >= topic->count) {
        return error_set_class(error, ERROR_UNKNOWN_PARTITION,
                               "org.apache.kafka.common.errors.UnknownTopicOrPartitionException",
                               "Topic %s has no partition %d (it has %d)", topic->name,
                               message->partition, topic->count);
    }
    if ((int64_t)size > producer->message_max) {
        return error_set_class(error, ERROR_TOO_LARGE,
                               "org.apache.kafka.common.errors.RecordTooLargeException",
                               "The message is %zu bytes when serialized which is larger than %lld, "
                               "which is the value of the max.request.size configuration.",
                               size, (long long)producer->message_max);
    }
    if (size > topic->max_message) {
        return error_set_class(error, ERROR_TOO_LARGE,
                               "org.apache.kafka.common.errors.RecordTooLargeException",
                               "The message is %zu bytes when serialized, larger than max.message.bytes "
                               "of topic %s (%u)",
                               size, topic->name, topic->max_message);
    }
    return 0;
}

static bool append(struct local_producer *producer, struct out_topic *topic,
                   const struct broker_message *message, size_t size, int64_t now)
{
    struct out_partition *partition = partition_get(topic, choose(topic, message));
    if (!partition) {
        return false;
    }
    struct batch *batch = partition->open ? partition->last : NULL;
    if (batch && batch->bytes.size - batch->at + size > LOG_BATCH_BYTES) {
        seal(producer, batch);
        partition->open = false;
        topic->sticky++;
        batch = NULL;
    }
    if (!batch) {
        batch = batch_get(producer, partition);
        if (!batch) {
            return false;
        }
        *(partition->last ? &partition->last->next : &partition->first) = batch;
        partition->last = batch;
        partition->open = true;
    }
    int64_t timestamp = message->timestamp == BROKER_NO_TIMESTAMP ? now : message->timestamp;
    if (!slot_add(batch, message->opaque, timestamp)) {
        return false;
    }
    if (!encode(batch, message, size, timestamp)) {
        batch->count--;
        batch->bytes.failed = false; /* nothing was appended */
        return false;
    }
    producer->memory += (int64_t)size;
    list(producer, partition);
    return true;
}

size_t local_producer_send(struct broker_producer *base, const struct broker_message *messages,
                           size_t count, bool keep)
{
    struct local_producer *producer = (struct local_producer *)base;
    (void)keep; /* copied either way: a batch is one piece of memory, sent and checksummed as such */
    struct out_topic *topic = NULL;
    const char *topic_name = NULL;
    size_t taken = 0;
    pthread_mutex_lock(&producer->lock);
    int64_t now = clock_wall_ms();
    size_t appended = 0;
    for (; taken < count; taken++) {
        const struct broker_message *message = &messages[taken];
        struct error error = {0};
        size_t size = encoded_size(message);
        int state = 1;
        if (message->topic != topic_name) {
            const char *wrong = topic_name_wrong(message->topic, strlen(message->topic));
            topic = wrong ? NULL : topic_get(producer, message->topic);
            topic_name = topic ? message->topic : NULL;
            if (wrong) {
                state = error_set_class(&error, ERROR_INVALID_TOPIC,
                                        "org.apache.kafka.common.errors.InvalidTopicException",
                                        "Topic name is invalid: %s", wrong);
            } else if (!topic) {
                break;
            }
        }
        state = state == 1 ? resolve(producer, topic, &error) : state;
        if (state == 1 && check_message(producer, topic, message, size, &error) != 0) {
            state = -1;
        }
        if (state == 0) {
            break;
        }
        if (state < 0) {
            if (!take_failed(producer, message, &error)) {
                break;
            }
            continue;
        }
        /* invariant 5: what is unacknowledged is bounded by buffer.memory */
        if ((producer->memory > 0 && producer->memory + (int64_t)size > producer->memory_max) ||
            !append(producer, topic, message, size, now)) {
            break;
        }
        appended++;
    }
    atomic_fetch_add(&producer->pending, appended);
    if (producer->listed) {
        send_batches(producer);
    }
    pthread_mutex_unlock(&producer->lock);
    return taken;
}

/* -- answers: polling thread, locked -- */

static void settle(struct local_producer *producer, struct batch *batch, struct error *error)
{
    batch->done = true;
    batch->partition->under_way--;
    batch->error = *error;
    *error = (struct error){0};
    list(producer, batch->partition);
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

static void take_metadata(struct local_producer *producer, const struct wire_head *head,
                          const char *payload)
{
    struct wire_reader reader = {payload, payload + head->size, false};
    for (int i = 0; i < TOPIC_BUCKETS; i++) {
        for (struct out_topic *topic = producer->topics[i]; topic; topic = topic->next) {
            if (topic->request != head->id) {
                continue;
            }
            struct error error = {0};
            topic->request = 0;
            topic->asked_at = 0;
            if (local_reply(&reader, &error) == 0) {
                int32_t count = (int32_t)wire_get_u32(&reader);
                topic->max_message = wire_get_u32(&reader);
                topic->count = reader.failed || count < 1 ? -1 : count;
            } else {
                if (topic->count < 0) { /* an answer for who wants to send, else old news */
                    error_clear(&topic->error);
                    topic->error = error;
                    error = (struct error){0};
                }
                topic->count = -1;
            }
            error_clear(&error);
            producer->answered = true;
            return;
        }
    }
}

static void take_epoch(struct local_producer *producer, struct wire_reader *reader)
{
    local_note_epoch(producer->local, wire_get_i64(reader));
    for (int i = 0; i < TOPIC_BUCKETS; i++) {
        for (struct out_topic *topic = producer->topics[i]; topic; topic = topic->next) {
            if (topic->count > 0) {
                ask(producer, topic, false);
            }
        }
    }
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
            take_metadata(producer, &head, payload);
        } else if (head.type == WIRE_EPOCH) {
            take_epoch(producer, &reader);
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
    for (int i = 0; i < TOPIC_BUCKETS; i++) {
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
                    (void)error_set_class(&batch->error, ERROR_TIMEOUT, LOCAL_TIMEOUT_CLASS,
                                          "Expiring %u record(s) for %s-%d: %lld ms has passed since "
                                          "batch creation",
                                          batch->count, topic->name, p,
                                          (long long)producer->delivery_timeout);
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

/* Anything for which a connection is needed? */
static bool wants_connection(const struct local_producer *producer)
{
    if (producer->listed) {
        return true;
    }
    for (int i = 0; i < TOPIC_BUCKETS; i++) {
        for (const struct out_topic *topic = producer->topics[i]; topic; topic = topic->next) {
            if (topic->asked_at != 0) {
                return true;
            }
        }
    }
    return false;
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
        producer->backoff = producer->backoff * 2 < MAX_BACKOFF_MS ? producer->backoff * 2
                                                                   : MAX_BACKOFF_MS;
        error_clear(&error);
        return;
    }
    producer->fd = fd;
    buffer_finish(&producer->in); /* the end of the former connection */
    producer->connected_once = true;
    if (producer->id == 0) {
        producer->id = welcome.producer_id;
    }
    for (int i = 0; i < TOPIC_BUCKETS; i++) {
        for (struct out_topic *topic = producer->topics[i]; topic; topic = topic->next) {
            ask(producer, topic, topic->count < 0); /* partitions may have been added meanwhile */
        }
    }
    send_batches(producer);
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
                    .timestamp = batch->append_time >= 0 ? batch->append_time
                                                         : batch->slots[done].timestamp,
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
            producer->memory -= (int64_t)(batch->bytes.size - batch->at - sizeof(struct log_batch_head));
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
    bool wanted = producer->fd < 0 && wants_connection(producer);
    if (wanted && now >= producer->connect_at) {
        reconnect(producer, now);
        now = clock_monotonic_ms();
        wanted = producer->fd < 0;
    }
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
        if (producer->listed) {
            send_batches(producer);
        } else {
            write_out(producer);
        }
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
        local_number(properties, "max.request.size", 1048576, 0, (int64_t)LOG_BATCH_MAX - 4096,
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
    for (int i = 0; i < TOPIC_BUCKETS; i++) {
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
