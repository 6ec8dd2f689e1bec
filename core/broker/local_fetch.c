/*
 * The consumer's connection to an embedded log: receiving into slabs, decoding into chunks without
 * copying a message, credit. [consumer's thread; releasing chunks: any]
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "core/broker/local_consumer.h"

enum {
    SLAB_SIZE = 1024 * 1024,
    READ_LEAST = 16 * 1024,
    KEPT = 8, /* free slabs and chunks kept for the next use */
};

struct interned {
    struct interned *next;
    char name[];
};

struct chunk {
    struct broker_chunk_base base; /* first: broker_chunk_release() looks here */
    struct broker_chunk chunk;
    struct pool *pool;
    struct slab *slab;
    struct chunk *next;
    size_t message_capacity, header_capacity;
    struct broker_header *headers;
};

/** What outlives the consumer while chunks are held. */
struct pool {
    pthread_mutex_t lock;
    atomic_uint refs; /* consumer, slabs in use, chunks in use */
    struct slab *slabs;
    struct chunk *chunks;
    unsigned slab_count, chunk_count;
    struct interned *names; /* consumer's thread */
};

/* -- pool -- */

struct pool *pool_create(void)
{
    struct pool *pool = calloc(1, sizeof(*pool));
    if (pool) {
        pthread_mutex_init(&pool->lock, NULL);
        atomic_init(&pool->refs, 1);
    }
    return pool;
}

static void chunk_free(struct chunk *chunk)
{
    free(chunk->chunk.messages);
    free(chunk->headers);
    free(chunk);
}

void pool_release(struct pool *pool)
{
    if (!pool || atomic_fetch_sub(&pool->refs, 1) != 1) {
        return;
    }
    while (pool->slabs) {
        struct slab *slab = pool->slabs;
        pool->slabs = slab->next;
        free(slab);
    }
    while (pool->chunks) {
        struct chunk *chunk = pool->chunks;
        pool->chunks = chunk->next;
        chunk_free(chunk);
    }
    while (pool->names) {
        struct interned *name = pool->names;
        pool->names = name->next;
        free(name);
    }
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

const char *pool_intern(struct pool *pool, const char *name)
{
    for (struct interned *known = pool->names; known; known = known->next) {
        if (strcmp(known->name, name) == 0) {
            return known->name;
        }
    }
    size_t size = strlen(name) + 1;
    struct interned *fresh = malloc(sizeof(*fresh) + size);
    if (!fresh) {
        return NULL;
    }
    memcpy(fresh->name, name, size);
    fresh->next = pool->names;
    pool->names = fresh;
    return fresh->name;
}

static struct slab *slab_get(struct pool *pool, size_t capacity)
{
    struct slab *slab = NULL;
    if (capacity <= SLAB_SIZE) {
        capacity = SLAB_SIZE;
        pthread_mutex_lock(&pool->lock);
        slab = pool->slabs;
        if (slab) {
            pool->slabs = slab->next;
            pool->slab_count--;
        }
        pthread_mutex_unlock(&pool->lock);
    }
    if (!slab) {
        slab = malloc(sizeof(*slab) + capacity);
        if (!slab) {
            return NULL;
        }
        slab->pool = pool;
        slab->capacity = capacity;
    }
    atomic_init(&slab->refs, 1);
    atomic_fetch_add(&pool->refs, 1);
    return slab;
}

static void slab_release(struct slab *slab)
{
    if (!slab || atomic_fetch_sub(&slab->refs, 1) != 1) {
        return;
    }
    struct pool *pool = slab->pool;
    pthread_mutex_lock(&pool->lock);
    bool keep = slab->capacity == SLAB_SIZE && pool->slab_count < KEPT;
    if (keep) {
        slab->next = pool->slabs;
        pool->slabs = slab;
        pool->slab_count++;
    }
    pthread_mutex_unlock(&pool->lock);
    if (!keep) {
        free(slab);
    }
    pool_release(pool);
}

static void chunk_release(struct broker_chunk *public)
{
    struct chunk *chunk = public->priv;
    struct pool *pool = chunk->pool;
    slab_release(chunk->slab);
    pthread_mutex_lock(&pool->lock);
    bool keep = pool->chunk_count < KEPT;
    if (keep) {
        chunk->next = pool->chunks;
        pool->chunks = chunk;
        pool->chunk_count++;
    }
    pthread_mutex_unlock(&pool->lock);
    if (!keep) {
        chunk_free(chunk);
    }
    pool_release(pool);
}

static struct chunk *chunk_get(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    struct chunk *chunk = pool->chunks;
    if (chunk) {
        pool->chunks = chunk->next;
        pool->chunk_count--;
    }
    pthread_mutex_unlock(&pool->lock);
    if (!chunk) {
        chunk = calloc(1, sizeof(*chunk));
        if (!chunk) {
            return NULL;
        }
        chunk->base.release = chunk_release;
        chunk->chunk.priv = chunk;
        chunk->pool = pool;
    }
    atomic_fetch_add(&pool->refs, 1);
    chunk->chunk.count = 0;
    chunk->chunk.bytes = 0;
    chunk->slab = NULL;
    return chunk;
}

/* -- frames -- */

static void frame_free(struct local_consumer *consumer, struct data_frame *frame)
{
    slab_release(frame->slab);
    consumer->consumed += frame->size;
    consumer->waiting -= frame->size;
    frame->next = consumer->spare_frames;
    consumer->spare_frames = frame;
}

void fetch_drop(struct local_consumer *consumer, bool all)
{
    struct data_frame **link = &consumer->frames;
    while (*link) {
        struct data_frame *frame = *link;
        if (all || !consumer_held(consumer, frame->session)) {
            *link = frame->next;
            frame_free(consumer, frame);
        } else {
            link = &frame->next;
        }
    }
    consumer->frames_end = link;
}

void fetch_reset(struct local_consumer *consumer)
{
    fetch_drop(consumer, true);
    slab_release(consumer->slab);
    consumer->slab = NULL;
    consumer->slab_used = consumer->slab_parsed = 0;
    consumer->consumed = consumer->granted = 0;
    while (consumer->spare_frames) {
        struct data_frame *frame = consumer->spare_frames;
        consumer->spare_frames = frame->next;
        free(frame);
    }
}

void fetch_grant(struct local_consumer *consumer)
{
    uint64_t grant = consumer->consumed + (uint64_t)consumer->window;
    if (consumer->fd < 0 || grant - consumer->granted < (uint64_t)consumer->window / 4) {
        return;
    }
    struct buffer out;
    buffer_init(&out, 256);
    size_t begin = wire_begin(&out, WIRE_CREDIT, 0);
    wire_put_i64(&out, (int64_t)grant);
    wire_end(&out, begin);
    consumer->granted = grant;
    consumer_send(consumer, &out);
}

static bool take_data(struct local_consumer *consumer, const struct wire_head *head,
                      const char *payload)
{
    struct wire_data data;
    if (head->size < sizeof(data)) {
        return false;
    }
    memcpy(&data, payload, sizeof(data));
    struct data_frame *frame = consumer->spare_frames;
    if (frame) {
        consumer->spare_frames = frame->next;
    } else if (!(frame = malloc(sizeof(*frame)))) {
        return false;
    }
    *frame = (struct data_frame){
        .session = data.session,
        .slab = consumer->slab,
        .size = sizeof(*head) + head->size,
        .at = payload + sizeof(data),
        .end = payload + head->size,
        .offset = data.base,
    };
    atomic_fetch_add(&consumer->slab->refs, 1);
    consumer->waiting += frame->size;
    struct held *held = consumer_held(consumer, data.session);
    if (!held) {
        frame_free(consumer, frame);
        return true;
    }
    held->end = data.end;
    *consumer->frames_end = frame;
    consumer->frames_end = &frame->next;
    return true;
}

static bool parse(struct local_consumer *consumer)
{
    struct wire_head head;
    while (consumer->slab_used - consumer->slab_parsed >= sizeof(head)) {
        const char *at = consumer->slab->data + consumer->slab_parsed;
        memcpy(&head, at, sizeof(head));
        if (head.size > WIRE_FRAME_MAX) {
            return false;
        }
        if (consumer->slab_used - consumer->slab_parsed - sizeof(head) < head.size) {
            return true;
        }
        consumer->slab_parsed += sizeof(head) + head.size;
        if (head.type != WIRE_DATA) {
            consumer_take_frame(consumer, &head, at + sizeof(head));
        } else if (!take_data(consumer, &head, at + sizeof(head))) {
            return false;
        }
    }
    return true;
}

/* A slab with room for the frame that is under way. */
static bool make_room(struct local_consumer *consumer)
{
    struct slab *slab = consumer->slab;
    size_t part = consumer->slab_used - consumer->slab_parsed;
    struct wire_head head;
    size_t needed = part + READ_LEAST;
    if (part >= sizeof(head)) {
        memcpy(&head, slab->data + consumer->slab_parsed, sizeof(head));
        needed = sizeof(head) + head.size > needed ? sizeof(head) + head.size : needed;
    }
    if (slab && part == 0 && atomic_load(&slab->refs) == 1) {
        consumer->slab_used = consumer->slab_parsed = 0; /* nobody points into it */
    }
    if (slab && slab->capacity - consumer->slab_parsed >= needed) {
        return true;
    }
    struct slab *fresh = slab_get(consumer->pool, needed);
    if (!fresh) {
        return false;
    }
    if (part > 0) {
        memcpy(fresh->data, slab->data + consumer->slab_parsed, part);
    }
    slab_release(slab);
    consumer->slab = fresh;
    consumer->slab_used = part;
    consumer->slab_parsed = 0;
    return true;
}

bool fetch_receive(struct local_consumer *consumer)
{
    if (!make_room(consumer)) {
        return false;
    }
    struct slab *slab = consumer->slab;
    ssize_t n = recv(consumer->fd, slab->data + consumer->slab_used,
                     slab->capacity - consumer->slab_used, MSG_DONTWAIT);
    if (n < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    consumer->slab_used += (size_t)n;
    return n > 0 && parse(consumer);
}

/* -- chunks -- */

static bool reserve(struct chunk *chunk, size_t messages, size_t headers)
{
    if (messages > chunk->message_capacity) {
        size_t capacity = messages + messages / 2;
        void *grown = realloc(chunk->chunk.messages, capacity * sizeof(struct broker_message));
        if (!grown) {
            return false;
        }
        chunk->chunk.messages = grown;
        chunk->message_capacity = capacity;
    }
    if (headers > chunk->header_capacity) {
        size_t capacity = headers + headers / 2;
        void *grown = realloc(chunk->headers, capacity * sizeof(struct broker_header));
        if (!grown) {
            return false;
        }
        chunk->headers = grown;
        chunk->header_capacity = capacity;
    }
    return true;
}

static int damaged(const struct held *held, int64_t offset, const char *what, struct error *error)
{
    return error_set_class(
        error, ERROR_BROKER, "org.apache.kafka.common.errors.CorruptRecordException",
        "The batch of %s-%d with offset %lld is damaged: %s. Records behind it are "
        "not read; seek past it to go on",
        held->topic, held->partition, (long long)offset, what);
}

static int begin_batch(struct data_frame *frame, const struct held *held, struct error *error)
{
    struct log_batch_head head;
    const char *wrong = log_batch_open(frame->at, (size_t)(frame->end - frame->at), &head);
    if (wrong) {
        return damaged(held, frame->offset, wrong, error);
    }
    frame->batch_end = frame->at + head.size;
    frame->at += sizeof(head);
    frame->left = head.count;
    frame->append_time = head.flags & LOG_BATCH_APPEND_TIME;
    frame->append_timestamp = head.max_timestamp;
    if (frame->offset + head.count <= held->position) { /* read from its middle, or later */
        frame->offset += head.count;
        frame->at = frame->batch_end;
        frame->batch_end = NULL;
        frame->left = 0;
    }
    return 0;
}

/* Headers are referred to by their number until the array stays where it is. */
static bool add_headers(struct chunk *chunk, size_t *count, const struct log_record *record,
                        struct broker_message *message)
{
    const char *at = record->headers, *end = record->headers + record->headers_size;
    if (!reserve(chunk, 0, *count + record->header_count)) {
        return false;
    }
    message->headers = (const struct broker_header *)(uintptr_t)*count;
    for (uint32_t i = 0; i < record->header_count; i++) {
        struct log_header header;
        if (!log_header_next(&at, end, &header)) {
            return false;
        }
        chunk->headers[(*count)++] =
            (struct broker_header){header.name, header.value, header.value_size};
    }
    return true;
}

/* Records of one frame into the chunk. */
static int take_records(struct chunk *chunk, struct data_frame *frame, struct held *held,
                        size_t max_messages, size_t max_bytes, size_t *headers, struct error *error)
{
    struct broker_chunk *out = &chunk->chunk;
    while (frame->at < frame->end && out->count < max_messages && out->bytes < max_bytes) {
        if (!frame->batch_end) {
            if (begin_batch(frame, held, error) != 0) {
                return -1;
            }
            continue;
        }
        size_t room = max_messages - out->count;
        room = frame->left < room ? frame->left : room;
        if (!reserve(chunk, out->count + room, 0)) {
            return error_set(error, ERROR_NO_MEMORY, "No memory for consumed messages");
        }
        while (room-- > 0 && out->bytes < max_bytes) {
            struct log_record record;
            const char *begin = frame->at;
            if (!log_record_next(&frame->at, frame->batch_end, &record)) {
                return damaged(held, frame->offset, "a record does not fit into it", error);
            }
            int64_t offset = frame->offset++;
            frame->left--;
            if (offset < held->position) {
                continue;
            }
            struct broker_message *message = &out->messages[out->count];
            *message = (struct broker_message){
                .topic = held->topic,
                .partition = held->partition,
                .timestamp_type =
                    frame->append_time ? BROKER_TIMESTAMP_LOG_APPEND : BROKER_TIMESTAMP_CREATE,
                .offset = offset,
                .timestamp = frame->append_time ? frame->append_timestamp : record.timestamp,
                .key = record.key,
                .value = record.value,
                .key_size = record.key_size,
                .value_size = record.value_size,
                .header_count = record.header_count,
            };
            if (record.header_count > 0 && !add_headers(chunk, headers, &record, message)) {
                return damaged(held, offset, "a header does not fit into its record", error);
            }
            held->position = offset + 1; /* invariant 4: in the order of the log */
            out->bytes += (size_t)(frame->at - begin) + sizeof(*message);
            out->count++;
        }
        if (frame->left == 0) {
            frame->at = frame->batch_end;
            frame->batch_end = NULL;
        }
    }
    return 0;
}

int fetch_chunk(struct local_consumer *consumer, size_t max_messages, size_t max_bytes,
                struct broker_chunk **ret_chunk, struct error *error)
{
    struct chunk *chunk = NULL;
    struct data_frame **link = &consumer->frames;
    size_t headers = 0;
    int result = 0;
    while (*link && result == 0) {
        struct data_frame *frame = *link;
        struct held *held = consumer_held(consumer, frame->session);
        if (held && held->paused) {
            link = &frame->next;
            continue;
        }
        if (held) {
            if (!chunk && !(chunk = chunk_get(consumer->pool))) {
                result = error_set(error, ERROR_NO_MEMORY, "No memory for consumed messages");
                break;
            }
            if (chunk->slab && chunk->slab != frame->slab) {
                break; /* a chunk holds one slab */
            }
            if (!chunk->slab) {
                chunk->slab = frame->slab;
                atomic_fetch_add(&frame->slab->refs, 1);
            }
            result = take_records(chunk, frame, held, max_messages, max_bytes, &headers, error);
            if (frame->at < frame->end) {
                break;
            }
        }
        *link = frame->next;
        if (consumer->frames_end == &frame->next) {
            consumer->frames_end = link;
        }
        frame_free(consumer, frame);
        if (chunk && chunk->chunk.count == 0) { /* only records before the position */
            slab_release(chunk->slab);
            chunk->slab = NULL;
        }
    }
    fetch_grant(consumer);
    if (chunk && chunk->chunk.count == 0) {
        chunk_release(&chunk->chunk);
        chunk = NULL;
    }
    for (size_t i = 0; chunk && headers > 0 && i < chunk->chunk.count; i++) {
        struct broker_message *message = &chunk->chunk.messages[i];
        message->headers =
            message->header_count > 0 ? chunk->headers + (uintptr_t)message->headers : NULL;
    }
    if (chunk) {
        *ret_chunk = &chunk->chunk;
        if (result != 0) { /* hand out what is good; the damage is found again */
            error_clear(error);
            result = 0;
        }
    }
    return result;
}
