/*
 * Messages of a consumer: taken from librdkafka in batches, handed out as chunks that point into its
 * fetch buffers, given back when a chunk is released. Nothing is copied; a chunk's arrays are used
 * again. Fetching is the polling thread's, releasing anybody's.
 */
#include <stdlib.h>
#include <string.h>

#include "core/broker/kafka.h"

enum {
    SPARE_MAX = 8,
    FIRST_MESSAGES = 16,
    MESSAGE_OVERHEAD = 320, /* of librdkafka per message, apart from its bytes */
};

struct kafka_chunk {
    struct broker_chunk_base base; /* first: priv points here */
    struct broker_chunk chunk;
    struct kafka_consumer *consumer;
    struct kafka_chunk *next;
    size_t capacity;
    rd_kafka_message_t **taken; /* destroyed with the chunk */
    size_t taken_count;
    struct broker_message *messages;
    struct broker_header *headers;
    size_t header_count, header_capacity;
};

static void chunk_free(struct kafka_chunk *chunk)
{
    free(chunk->taken);
    free(chunk->messages);
    free(chunk->headers);
    free(chunk);
}

void kafka_chunk_free_spare(struct kafka_consumer *consumer)
{
    while (consumer->spare) {
        struct kafka_chunk *next = consumer->spare->next;
        chunk_free(consumer->spare);
        consumer->spare = next;
    }
}

static void chunk_release(struct broker_chunk *public)
{
    struct kafka_chunk *chunk = public->priv;
    struct kafka_consumer *consumer = chunk->consumer;
    for (size_t i = 0; i < chunk->taken_count; i++) {
        rd_kafka_message_destroy(chunk->taken[i]);
    }
    pthread_mutex_lock(&consumer->chunk_lock);
    bool keep = consumer->spare_count < SPARE_MAX;
    if (keep) {
        chunk->next = consumer->spare;
        consumer->spare = chunk;
        consumer->spare_count++;
    }
    pthread_mutex_unlock(&consumer->chunk_lock);
    if (!keep) {
        chunk_free(chunk);
    }
    kafka_consumer_unreference(consumer);
}

static struct kafka_chunk *chunk_new(struct kafka_consumer *consumer, size_t capacity)
{
    pthread_mutex_lock(&consumer->chunk_lock);
    struct kafka_chunk *chunk = consumer->spare;
    if (chunk) {
        consumer->spare = chunk->next;
        consumer->spare_count--;
    }
    pthread_mutex_unlock(&consumer->chunk_lock);
    if (chunk && chunk->capacity < capacity) {
        chunk_free(chunk);
        chunk = NULL;
    }
    if (!chunk) {
        chunk = calloc(1, sizeof(*chunk));
        if (!chunk) {
            return NULL;
        }
        chunk->capacity = capacity;
        chunk->taken = malloc(capacity * sizeof(struct rd_kafka_message_t *));
        chunk->messages = malloc(capacity * sizeof(*chunk->messages));
        if (!chunk->taken || !chunk->messages) {
            chunk_free(chunk);
            return NULL;
        }
    }
    chunk->base.release = chunk_release;
    chunk->consumer = consumer;
    chunk->taken_count = chunk->header_count = 0;
    chunk->chunk = (struct broker_chunk){.messages = chunk->messages, .priv = chunk};
    return chunk;
}

/* -- messages -- */

/* The partition of a message, if it is ours; runs of one partition find it at once. */
static struct kafka_held *held_of(struct kafka_consumer *consumer, const rd_kafka_message_t *message)
{
    if (consumer->last < consumer->held_count) {
        struct kafka_held *held = &consumer->held[consumer->last];
        if (held->seen == message->rkt && held->partition == message->partition) {
            return held;
        }
    }
    struct kafka_held *held =
        kafka_consumer_find(consumer, rd_kafka_topic_name(message->rkt), message->partition);
    if (held) {
        held->seen = message->rkt;
        consumer->last = (size_t)(held - consumer->held);
    }
    return held;
}

static enum broker_timestamp_type timestamp_type(rd_kafka_timestamp_type_t type)
{
    switch (type) {
    case RD_KAFKA_TIMESTAMP_CREATE_TIME:
        return BROKER_TIMESTAMP_CREATE;
    case RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME:
        return BROKER_TIMESTAMP_LOG_APPEND;
    default:
        return BROKER_TIMESTAMP_NONE;
    }
}

/* Headers go to the chunk's array; which may move, so messages point there when all are in. */
static bool add_headers(struct kafka_chunk *chunk, struct broker_message *to,
                        const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers;
    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return true;
    }
    size_t count = rd_kafka_header_cnt(headers);
    if (chunk->header_count + count > chunk->header_capacity) {
        size_t capacity = (chunk->header_count + count) * 2;
        struct broker_header *grown = realloc(chunk->headers, capacity * sizeof(*grown));
        if (!grown) {
            return false;
        }
        chunk->headers = grown;
        chunk->header_capacity = capacity;
    }
    for (size_t i = 0; i < count; i++) {
        const char *name;
        const void *value;
        size_t size;
        if (rd_kafka_header_get_all(headers, i, &name, &value, &size) ==
            RD_KAFKA_RESP_ERR_NO_ERROR) {
            chunk->headers[chunk->header_count + to->header_count++] =
                (struct broker_header){name, value, (uint32_t)size};
            chunk->chunk.bytes += sizeof(*chunk->headers) + size;
        }
    }
    chunk->header_count += to->header_count;
    return true;
}

void kafka_chunk_note_end(struct kafka_consumer *consumer, struct kafka_held *held)
{
    int64_t low, high;
    if (rd_kafka_get_watermark_offsets(consumer->handle.rk, held->topic, held->partition, &low,
                                       &high) == RD_KAFKA_RESP_ERR_NO_ERROR &&
        high >= held->position) {
        held->end = high;
    }
}

/* True: the message stays with the chunk. */
static bool take(struct kafka_consumer *consumer, struct kafka_chunk *chunk,
                 rd_kafka_message_t *message, struct kafka_held **last, bool *astray, bool *failed)
{
    struct kafka_held *held = message->rkt ? held_of(consumer, message) : NULL;
    if (message->err) {
        kafka_consumer_error(consumer, message->err, rd_kafka_message_errstr(message),
                             message->rkt ? rd_kafka_topic_name(message->rkt) : NULL,
                             message->partition);
        if (held) { /* librdkafka counts it as a message, see prepare() in kafka_consumer.c */
            held->astray = true;
            *astray = true;
        }
        return false;
    }
    /* What was fetched before a seek librdkafka drops. An offset below our position is where it began
     * anew, by auto.offset.reset: it is no old one. */
    if (!held || held->unknown) {
        return false;
    }
    struct broker_message *to = &chunk->messages[chunk->chunk.count];
    rd_kafka_timestamp_type_t type;
    int64_t timestamp = rd_kafka_message_timestamp(message, &type);
    to->topic = held->topic; /* member by member: an initialiser would be made of zeros first */
    to->partition = held->partition;
    to->timestamp_type = timestamp_type(type);
    to->offset = message->offset;
    to->timestamp = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? BROKER_NO_TIMESTAMP : timestamp;
    to->key = message->key;
    to->value = message->payload;
    to->key_size = (uint32_t)message->key_len;
    to->value_size = (uint32_t)message->len;
    to->headers = NULL;
    to->header_count = 0;
    to->opaque = NULL;
    if (!add_headers(chunk, to, message)) {
        *failed = true;
        return false;
    }
    chunk->chunk.bytes += message->key_len + message->len + MESSAGE_OVERHEAD;
    chunk->chunk.count++;
    held->position = message->offset + 1;
    if (*last && *last != held) {
        kafka_chunk_note_end(consumer, *last);
    }
    *last = held;
    return true;
}

static void take_all(struct kafka_consumer *consumer, struct kafka_chunk *chunk,
                     rd_kafka_message_t **messages, size_t count, struct kafka_held **last,
                     bool *astray, bool *failed)
{
    for (size_t i = 0; i < count; i++) {
        rd_kafka_message_t *message = messages[i]; /* the array may be chunk->taken itself */
        if (!*failed && take(consumer, chunk, message, last, astray, failed)) {
            chunk->taken[chunk->taken_count++] = message;
        } else {
            rd_kafka_message_destroy(message);
        }
    }
}

static void bring_back(struct kafka_consumer *consumer)
{
    for (size_t i = 0; i < consumer->held_count; i++) {
        struct kafka_held *held = &consumer->held[i];
        struct error error = {0};
        if (held->astray && held->position >= 0 &&
            kafka_consumer_move(consumer, held, held->position, &error) != 0 &&
            consumer->failure.code == ERROR_NONE) {
            consumer->failure = error; /* going on might skip a message */
            error = (struct error){0};
        }
        held->astray = false;
        error_clear(&error);
    }
}

static void point_headers(struct kafka_chunk *chunk)
{
    size_t at = 0;
    for (size_t i = 0; chunk->header_count > 0 && i < chunk->chunk.count; i++) {
        chunk->messages[i].headers = chunk->headers + at;
        at += chunk->messages[i].header_count;
    }
}

int kafka_chunk_fetch(struct kafka_consumer *consumer, size_t max_messages, size_t max_bytes,
                      struct broker_chunk **ret_chunk, struct error *error)
{
    /* invariant 5: what a message takes is not known before it is taken, so it is estimated */
    size_t wanted = max_bytes / consumer->average;
    wanted = wanted < 1 ? 1 : wanted > max_messages ? max_messages : wanted;
    size_t stashed = consumer->stash_count;
    struct kafka_chunk *chunk = chunk_new(consumer, wanted + stashed);
    if (!chunk) {
        return error_set(error, ERROR_NO_MEMORY, "No memory for messages");
    }
    bool astray = false, failed = false;
    struct kafka_held *last = NULL;
    if (stashed > 0) {
        take_all(consumer, chunk, consumer->stash, stashed, &last, &astray, &failed);
        consumer->stash_count = 0;
    } else {
        ssize_t count = rd_kafka_consume_batch_queue(consumer->messages, 0, chunk->taken, wanted);
        take_all(consumer, chunk, chunk->taken, count > 0 ? (size_t)count : 0, &last, &astray, &failed);
    }
    if (last) {
        kafka_chunk_note_end(consumer, last);
    }
    if (astray) {
        bring_back(consumer);
    }
    point_headers(chunk);
    atomic_fetch_add(&consumer->references, 1); /* the chunk's, given up by its release */
    if (failed || chunk->chunk.count == 0) {
        chunk_release(&chunk->chunk);
        return failed ? error_set(error, ERROR_NO_MEMORY, "No memory for messages") : 0;
    }
    consumer->average = chunk->chunk.bytes / chunk->chunk.count + 1;
    *ret_chunk = &chunk->chunk;
    return 0;
}

/* -- stash -- */

int kafka_chunk_stash(struct kafka_consumer *consumer, rd_kafka_message_t *message)
{
    if (consumer->stash_count == consumer->stash_capacity) {
        size_t capacity = consumer->stash_capacity ? consumer->stash_capacity * 2 : FIRST_MESSAGES;
        rd_kafka_message_t **grown = realloc(consumer->stash, capacity * sizeof(message));
        if (!grown) {
            return -1;
        }
        consumer->stash = grown;
        consumer->stash_capacity = capacity;
    }
    consumer->stash[consumer->stash_count++] = message;
    return 0;
}

void kafka_chunk_forget(struct kafka_consumer *consumer, const char *topic, int32_t partition)
{
    size_t kept = 0;
    for (size_t i = 0; i < consumer->stash_count; i++) {
        rd_kafka_message_t *message = consumer->stash[i];
        if (topic && (message->partition != partition ||
                      strcmp(rd_kafka_topic_name(message->rkt), topic) != 0)) {
            consumer->stash[kept++] = message;
        } else {
            rd_kafka_message_destroy(message);
        }
    }
    consumer->stash_count = kept;
}
