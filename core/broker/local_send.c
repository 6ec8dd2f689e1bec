/*
 * Producer of the embedded log, first part: messages are encoded into the open batch of their
 * partition. [sending thread, with the lock held; see local_producer.h]
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/broker/local_producer.h"
#include "core/broker/topic_name.h"

/* Emptied batches kept for the next, as many as this much memory allows. */
#define KEPT_BYTES ((size_t)4 << 20)

/* -- batches -- */

static struct batch *batch_get(struct local_producer *producer, struct out_partition *partition)
{
    struct batch *batch = producer->spare;
    if (batch) {
        producer->spare = batch->next;
        producer->spare_bytes -= batch->bytes.capacity;
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

void batch_free(struct batch *batch)
{
    buffer_finish(&batch->bytes);
    error_clear(&batch->error);
    free(batch->slots);
    free(batch);
}

void batch_recycle(struct local_producer *producer, struct batch *batch)
{
    if (batch->bytes.capacity > 2 * LOG_BATCH_BYTES || batch->bytes.failed ||
        producer->spare_bytes + batch->bytes.capacity > KEPT_BYTES) {
        batch_free(batch);
        return;
    }
    struct buffer bytes = batch->bytes;
    struct slot *slots = batch->slots;
    uint32_t capacity = batch->capacity;
    error_clear(&batch->error);
    *batch = (struct batch){
        .bytes = bytes, .slots = slots, .capacity = capacity, .next = producer->spare};
    buffer_reset(&batch->bytes);
    producer->spare = batch;
    producer->spare_bytes += bytes.capacity;
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

void producer_finish(struct local_producer *producer, struct batch *batch)
{
    batch->next = NULL;
    *producer->finished_end = batch;
    producer->finished_end = &batch->next;
}

void batch_seal(struct local_producer *producer, struct batch *batch)
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

/* -- waking the polling thread -- */

static void kick(struct local_producer *producer)
{
    if (producer->polling && !producer->kicked) {
        producer->kicked = true;
        uint64_t one = 1;
        (void)!write(producer->wake, &one, sizeof(one));
    }
}

void producer_list(struct local_producer *producer, struct out_partition *partition)
{
    if (!partition->listed) {
        partition->listed = true;
        partition->listed_next = producer->listed;
        producer->listed = partition;
    }
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
    producer_finish(producer, batch);
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
        (void)error_set_class(
            error, ERROR_TIMEOUT, LOCAL_TIMEOUT_CLASS,
            "Topic %s not present in metadata after %lld ms: the embedded log %s is "
            "not reachable",
            topic->name, (long long)producer->max_block, producer->local->dir);
        error->retriable = true;
        return -1;
    }
    topic->asked_at = topic->asked_at ? topic->asked_at : clock_monotonic_ms();
    producer->questions = true;
    kick(producer);
    return 0;
}

static int check_message(struct local_producer *producer, const struct out_topic *topic,
                         const struct broker_message *message, size_t size, struct error *error)
{
    if (message->partition < -1 || message->partition >= topic->count) {
        /* Kafka's producer waits for it so long first; an embedded log grows only by command. */
        (void)error_set_class(error, ERROR_UNKNOWN_PARTITION,
                              "org.apache.kafka.common.errors.TimeoutException",
                              "Partition %d of topic %s with partition count %d is not present in "
                              "metadata after %lld ms.",
                              message->partition, topic->name, topic->count,
                              (long long)producer->max_block);
        error->retriable = true;
        return -1;
    }
    if ((int64_t)size > producer->message_max) {
        return error_set_class(
            error, ERROR_TOO_LARGE, "org.apache.kafka.common.errors.RecordTooLargeException",
            "The message is %zu bytes when serialized which is larger than %lld, "
            "which is %s.", size, (long long)producer->message_max,
            producer->message_max == LOG_MESSAGE_MOST ? "the most that the embedded log takes"
                                                      : "the value of the max.request.size configuration");
    }
    if (size > topic->max_message) {
        return error_set_class(
            error, ERROR_TOO_LARGE, "org.apache.kafka.common.errors.RecordTooLargeException",
            "The message is %zu bytes when serialized, larger than max.message.bytes "
            "of topic %s (%u)",
            size, topic->name, topic->max_message);
    }
    return 0;
}

static bool append(struct local_producer *producer, struct out_topic *topic,
                   const struct broker_message *message, size_t size, int64_t now, bool *ret_room)
{
    struct out_partition *partition = producer_partition(topic, choose(topic, message));
    if (!partition) {
        return false;
    }
    struct batch *batch = partition->open ? partition->last : NULL;
    if (batch && batch->bytes.size - batch->at + size > LOG_BATCH_BYTES) {
        batch_seal(producer, batch);
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
    *ret_room |= partition->under_way < PRODUCER_WINDOW;
    producer_list(producer, partition);
    return true;
}

size_t local_producer_send(struct broker_producer *base, const struct broker_message *messages,
                           size_t count, bool keep)
{
    struct local_producer *producer = (struct local_producer *)base;
    (void)
        keep; /* copied either way: a batch is one piece of memory, sent and checksummed as such */
    struct out_topic *topic = NULL;
    const char *topic_name = NULL;
    size_t taken = 0;
    pthread_mutex_lock(&producer->lock);
    int64_t now = clock_wall_ms();
    size_t appended = 0;
    bool room = false; /* something can be sent at once */
    for (; taken < count; taken++) {
        const struct broker_message *message = &messages[taken];
        struct error error = {0};
        size_t size = encoded_size(message);
        int state = 1;
        if (message->topic != topic_name) {
            const char *wrong = topic_name_wrong(message->topic, strlen(message->topic));
            topic = wrong ? NULL : producer_topic(producer, message->topic);
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
            !append(producer, topic, message, size, now, &room)) {
            break;
        }
        appended++;
    }
    atomic_fetch_add(&producer->pending, appended);
    if (room) {
        kick(producer); /* else an acknowledgement does it */
    }
    pthread_mutex_unlock(&producer->lock);
    return taken;
}
