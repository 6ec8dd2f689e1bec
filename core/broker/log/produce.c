/*
 * Appending. Batches of one turn are gathered where they lie in the clients' buffers, written in
 * one transaction together with committed offsets and what makes resends harmless, then
 * acknowledged.
 *
 * A producer numbers its batches per partition. The owner keeps the last numbers and their offsets
 * in the same transaction as the data, so that a batch which is sent again, because its
 * acknowledgement was lost with a connection or an owner, gets the offsets it has and is not stored
 * twice. Each connection carries a producer's unacknowledged batches in order, so a number that was
 * seen is a duplicate and any other is new. [owner's one thread]
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/broker/log/owner.h"

enum {
    PRODUCERS = 4096, /* producer and partition pairs remembered; the oldest is forgotten */
    BUCKETS = 4096,
    RECENT = 5, /* batches of one pair; a client has fewer in flight */
};

/* Batches of one turn for one partition are joined up to this size. */
#define VALUE_BYTES ((size_t)256 * 1024)

struct sequence {
    uint64_t number;
    int64_t base;
};

/** On disk as it is, in the machine's order. */
struct producer_state {
    uint64_t count; /* used entries of recent */
    struct sequence recent[RECENT];
};

struct producer {
    uint64_t id;
    uint32_t topic;
    int32_t partition;
    struct producer_state state, committed;
    bool dirty;
    struct producer *dirty_next, *bucket_next;
    struct producer *older, *newer;
};

struct producers {
    struct producer *buckets[BUCKETS];
    struct producer *oldest, *newest;
    size_t count;
};

/* -- producers -- */

static struct producer **bucket_of(struct producers *producers, uint64_t id, uint32_t topic,
                                   int32_t partition)
{
    uint64_t hash = (id * 0x9e3779b97f4a7c15u) ^ ((uint64_t)topic << 32 | (uint32_t)partition);
    hash *= 0x9e3779b97f4a7c15u;
    return &producers->buckets[hash >> 40 & (BUCKETS - 1)];
}

static void unlink_age(struct producers *producers, struct producer *producer)
{
    *(producer->older ? &producer->older->newer : &producers->oldest) = producer->newer;
    *(producer->newer ? &producer->newer->older : &producers->newest) = producer->older;
}

static void link_newest(struct producers *producers, struct producer *producer)
{
    producer->newer = NULL;
    producer->older = producers->newest;
    *(producers->newest ? &producers->newest->newer : &producers->oldest) = producer;
    producers->newest = producer;
}

static void forget(struct producers *producers, struct producer *producer)
{
    struct producer **link =
        bucket_of(producers, producer->id, producer->topic, producer->partition);
    while (*link != producer) {
        link = &(*link)->bucket_next;
    }
    *link = producer->bucket_next;
    unlink_age(producers, producer);
    producers->count--;
    free(producer);
}

static struct producer *producer_get(struct producers *producers, uint64_t id, uint32_t topic,
                                     int32_t partition)
{
    struct producer **bucket = bucket_of(producers, id, topic, partition);
    for (struct producer *producer = *bucket; producer; producer = producer->bucket_next) {
        if (producer->id == id && producer->topic == topic && producer->partition == partition) {
            unlink_age(producers, producer);
            link_newest(producers, producer);
            return producer;
        }
    }
    struct producer *producer = calloc(1, sizeof(*producer));
    if (producer) {
        producer->id = id;
        producer->topic = topic;
        producer->partition = partition;
        producer->bucket_next = *bucket;
        *bucket = producer;
        link_newest(producers, producer);
        producers->count++;
    }
    return producer;
}

void producers_forget_topic(struct owner *owner, uint32_t topic)
{
    struct producers *producers = owner->producers;
    struct producer *next;
    for (struct producer *producer = producers->oldest; producer; producer = next) {
        next = producer->newer;
        if (producer->topic == topic) {
            forget(producers, producer);
        }
    }
}

int producers_load(struct owner *owner, struct error *error)
{
    struct store *store = &owner->store;
    owner->producers = calloc(1, sizeof(*owner->producers));
    owner->last_producer = (uint64_t)store->starts << 32;
    if (!owner->producers) {
        return error_set(error, ERROR_NO_MEMORY, "No memory for the table of producers");
    }
    if (store_read_begin(store, error) != 0) {
        return -1;
    }
    MDB_cursor *cursor = NULL;
    MDB_val key, value;
    int code = mdb_cursor_open(store->reader, store->tables[STORE_PRODUCERS], &cursor);
    /* Ids grow with time, so their order is that of age. */
    while (code == 0 && mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
        struct producer *producer =
            key.mv_size == 16 && value.mv_size == sizeof(struct producer_state)
                ? producer_get(owner->producers, store_key_u64(&key, 0), store_key_u32(&key, 8),
                               (int32_t)store_key_u32(&key, 12))
                : NULL;
        if (producer) {
            memcpy(&producer->state, value.mv_data, sizeof(producer->state));
            if (producer->state.count > RECENT) {
                producer->state.count = 0;
            }
            producer->committed = producer->state;
        }
    }
    mdb_cursor_close(cursor);
    store_read_end(store);
    return 0;
}

void producers_free(struct owner *owner)
{
    while (owner->producers && owner->producers->oldest) {
        forget(owner->producers, owner->producers->oldest);
    }
    free(owner->producers);
    owner->producers = NULL;
}

static bool seen(const struct producer *producer, uint64_t number, int64_t *ret_base)
{
    for (uint64_t i = 0; i < producer->state.count; i++) {
        if (producer->state.recent[i].number == number) {
            *ret_base = producer->state.recent[i].base;
            return true;
        }
    }
    return false;
}

static void remember(struct owner *owner, struct producer *producer, uint64_t number, int64_t base)
{
    struct producer_state *state = &producer->state;
    if (state->count == RECENT) {
        memmove(state->recent, state->recent + 1, (RECENT - 1) * sizeof(state->recent[0]));
        state->count--;
    }
    state->recent[state->count++] = (struct sequence){number, base};
    if (!producer->dirty) {
        producer->dirty = true;
        producer->dirty_next = owner->round.dirty;
        owner->round.dirty = producer;
    }
}

/* -- acknowledging -- */

static void ack(struct client *client, uint32_t id, int64_t base, int64_t append_time,
                const struct error *error)
{
    struct wire_ack body = {
        .error = error ? error->code : 0,
        .retriable = error && error->retriable,
        .base = base,
        .append_time = append_time,
    };
    size_t begin = wire_begin(&client->out, WIRE_ACK, id);
    (void)buffer_append(&client->out, &body, sizeof(body));
    if (error) {
        wire_put_text(&client->out, error->java_class ? error->java_class : "");
        wire_put_text(&client->out, error->message ? error->message : "");
    }
    wire_end(&client->out, begin);
    client_flush_later(client);
}

/* -- gathering -- */

static struct append *add(struct client *client, uint32_t id, struct partition *partition)
{
    struct round *round = &client->owner->round;
    struct append *append = arena_alloc(&round->arena, sizeof(*append));
    *append =
        (struct append){.client = client, .id = id, .partition = partition, .append_time = -1};
    if (!round->appends_end) {
        round->appends_end = &round->appends;
    }
    *round->appends_end = append;
    round->appends_end = &append->round_next;
    return append;
}

static void gather(struct client *client, uint32_t id, struct partition *partition,
                   const struct wire_produce *request, char *batch,
                   const struct log_batch_head *head)
{
    struct owner *owner = client->owner;
    struct round *round = &owner->round;
    struct producer *producer = NULL;
    if (request->producer != 0) {
        producer = producer_get(owner->producers, request->producer, partition->topic->id,
                                partition->number);
    }
    int64_t base;
    if (producer && seen(producer, request->sequence, &base)) {
        add(client, id, partition)->base =
            base; /* invariant 2, 3: acknowledged, not stored again */
        return;
    }
    struct append *append = add(client, id, partition);
    append->producer = producer;
    append->data = batch;
    append->size = head->size;
    append->count = head->count;
    append->base = partition->pending_next; /* invariant 4: numbered in the order of arrival */
    partition->pending_next += head->count;
    if (partition->topic->settings.append_time) {
        struct log_batch_head stamped = *head;
        stamped.flags |= LOG_BATCH_APPEND_TIME;
        stamped.max_timestamp = append->append_time = clock_wall_ms();
        log_batch_seal(batch, head->size, stamped);
    }
    *partition->appends_end = append;
    partition->appends_end = &append->next;
    if (!partition->touched) {
        partition->touched = true;
        partition->touched_next = round->touched;
        round->touched = partition;
    }
    round->bytes += head->size;
    if (producer) {
        remember(owner, producer, request->sequence, append->base);
    }
}

void produce_handle(struct client *client, uint32_t id, const char *payload, size_t size)
{
    struct owner *owner = client->owner;
    struct error error = {0};
    struct wire_produce request;
    struct log_batch_head head;
    size_t largest = 0;
    if (size < sizeof(request)) {
        client_close(client, "a produce frame is too short");
        return;
    }
    memcpy(&request, payload, sizeof(request));
    payload += sizeof(request);
    size -= sizeof(request);
    if (request.topic_size > WIRE_MAX_TOPIC_NAME || request.topic_size > size) {
        client_close(client, "a produce frame names no topic");
        return;
    }
    char name[WIRE_MAX_TOPIC_NAME + 1];
    memcpy(name, payload, request.topic_size);
    name[request.topic_size] = '\0';
    char *batch = (char *)(uintptr_t)payload + request.topic_size; /* lies in client->in */
    size -= request.topic_size;
    const char *wrong = log_batch_open(batch, size, &head);
    if (!wrong && head.size != size) {
        wrong = "there are bytes behind it";
    }
    if (!wrong && head.flags != 0) {
        wrong = "it has flags that a producer does not set";
    }
    if (!wrong) {
        wrong = log_batch_check(batch, &head, &largest);
    }
    if (wrong) {
        client_close(client, wrong);
        return;
    }
    struct topic *topic = topic_find(owner, name, strlen(name));
    if (!topic && topic_create(owner, name, -1, NULL, 0, &topic, &error) != 0) {
        goto refused;
    }
    struct partition *partition = partition_find(owner, name, request.partition, &error);
    if (!partition) {
        goto refused;
    }
    if (largest > topic->settings.max_message_bytes) {
        (void)error_set_class(&error, ERROR_TOO_LARGE,
                              "org.apache.kafka.common.errors.RecordTooLargeException",
                              "A record of %zu bytes is larger than max.message.bytes of topic %s "
                              "(%u)",
                              largest, name, topic->settings.max_message_bytes);
        goto refused;
    }
    gather(client, id, partition, &request, batch, &head);
    return;
refused:
    ack(client, id, -1, -1, &error);
    error_clear(&error);
}

void round_add_offsets(struct owner *owner, struct offset_write *write)
{
    struct round *round = &owner->round;
    if (!round->offsets_end) {
        round->offsets_end = &round->offsets;
    }
    *round->offsets_end = write;
    round->offsets_end = &write->next;
}

/* -- writing -- */

static int write_partition(struct owner *owner, MDB_txn *txn, struct partition *partition)
{
    struct store *store = &owner->store;
    struct store_key bytes;
    MDB_val key, value;
    partition->new_start = partition->start;
    partition->new_bytes = partition->bytes;
    struct append *next;
    for (struct append *first = partition->appends; first; first = next) {
        size_t size = 0;
        for (next = first; next && (next == first || size + next->size <= VALUE_BYTES);
             next = next->next) {
            size += next->size;
        }
        key = store_key_log(&bytes, partition->topic->id, partition->number, first->base);
        value = (MDB_val){size, NULL};
        int code = mdb_put(txn, store->tables[STORE_LOG], &key, &value, MDB_RESERVE);
        if (code != 0) {
            return code;
        }
        char *to = value.mv_data;
        for (struct append *append = first; append != next; append = append->next) {
            memcpy(to, append->data, append->size);
            to += append->size;
        }
        partition->new_bytes += (int64_t)size;
    }
    int64_t keep = partition->topic->settings.retention_bytes;
    if (keep >= 0 && partition->new_bytes > keep) {
        size_t budget = 1000;
        int64_t expires;
        int code = retention_trim(owner, txn, partition, INT64_MIN, &budget, &expires);
        if (code != 0) {
            return code;
        }
    }
    int64_t numbers[3] = {partition->new_start, partition->pending_next, partition->new_bytes};
    key = store_key_partition(&bytes, partition->topic->id, partition->number);
    value = (MDB_val){sizeof(numbers), numbers};
    return mdb_put(txn, store->tables[STORE_PARTITIONS], &key, &value, 0);
}

static int write_offsets(struct owner *owner, MDB_txn *txn, const struct offset_write *write)
{
    for (size_t i = 0; i < write->count; i++) {
        char bytes[320];
        MDB_val key, value = {sizeof(write->entries[i].offset), &write->entries[i].offset};
        if (!offsets_key(bytes, write->group, write->entries[i].topic, write->entries[i].partition,
                         &key)) {
            return MDB_BAD_VALSIZE;
        }
        int code = write->entries[i].offset < 0
                       ? mdb_del(txn, owner->store.tables[STORE_OFFSETS], &key, NULL)
                       : mdb_put(txn, owner->store.tables[STORE_OFFSETS], &key, &value, 0);
        if (code != 0 && code != MDB_NOTFOUND) {
            return code;
        }
    }
    return 0;
}

static int write_producers(struct owner *owner, MDB_txn *txn)
{
    MDB_dbi table = owner->store.tables[STORE_PRODUCERS];
    struct store_key bytes;
    for (struct producer *producer = owner->round.dirty; producer;
         producer = producer->dirty_next) {
        MDB_val key =
            store_key_producer(&bytes, producer->id, producer->topic, producer->partition);
        MDB_val value = {sizeof(producer->state), &producer->state};
        int code = mdb_put(txn, table, &key, &value, 0);
        if (code != 0) {
            return code;
        }
    }
    size_t excess = owner->producers->count > PRODUCERS ? owner->producers->count - PRODUCERS : 0;
    for (struct producer *old = owner->producers->oldest; old && excess > 0; old = old->newer) {
        MDB_val key = store_key_producer(&bytes, old->id, old->topic, old->partition);
        int code = mdb_del(txn, table, &key, NULL);
        if (code != 0 && code != MDB_NOTFOUND) {
            return code;
        }
        excess--;
    }
    return 0;
}

static int write_round(struct store *store, MDB_txn *txn, void *arg)
{
    struct owner *owner = arg;
    (void)store;
    int code = 0;
    for (struct partition *p = owner->round.touched; p && code == 0; p = p->touched_next) {
        code = write_partition(owner, txn, p);
    }
    for (struct offset_write *w = owner->round.offsets; w && code == 0; w = w->next) {
        code = write_offsets(owner, txn, w);
    }
    return code == 0 ? write_producers(owner, txn) : code;
}

static void settle_partition(struct owner *owner, struct partition *partition, bool written)
{
    const struct append *first = partition->appends;
    partition->touched = false;
    partition->appends = NULL;
    partition->appends_end = &partition->appends;
    if (!written) {
        partition->pending_next = partition->next;
        return;
    }
    if (first && partition->start == partition->next) { /* it was empty */
        struct log_batch_head head;
        memcpy(&head, first->data, sizeof(head));
        retention_note(owner, partition, head.max_timestamp);
    }
    partition->start = partition->new_start;
    partition->bytes = partition->new_bytes;
    partition->next = partition->pending_next;
    sessions_wake(partition);
}

void round_commit(struct owner *owner)
{
    struct round *round = &owner->round;
    struct error error = {0};
    if (!round->appends && !round->offsets) {
        return;
    }
    bool written = store_write(&owner->store, write_round, owner, &error) == 0;
    for (struct append *append = round->appends; append; append = append->round_next) {
        /* invariant 2: told only after the commit is on disk */
        ack(append->client, append->id, append->base, append->append_time, written ? NULL : &error);
    }
    for (struct offset_write *write = round->offsets; write; write = write->next) {
        if (written) {
            client_reply_end(write->client, client_reply_begin(write->client, write->id));
        } else {
            client_reply_error(write->client, write->id, &error);
        }
    }
    for (struct partition *p = round->touched; p; p = p->touched_next) {
        settle_partition(owner, p, written);
    }
    for (struct producer *producer = round->dirty; producer; producer = producer->dirty_next) {
        producer->dirty = false;
        *(written ? &producer->committed : &producer->state) =
            written ? producer->state : producer->committed;
    }
    while (written && owner->producers->count > PRODUCERS) {
        forget(owner->producers, owner->producers->oldest);
    }
    struct arena arena = round->arena;
    arena_reset(&arena, 1 << 20);
    *round = (struct round){.arena = arena};
    error_clear(&error);
}
