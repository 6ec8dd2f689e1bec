#include "core/data/batch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/data/value_api.h"

struct header {
    const char *name;
    const struct sluice_schema *schema;
    const struct sluice_value *value;
};

struct sluice_record {
    struct sluice_batch *batch;
    const char *topic;
    int32_t partition;
    enum sluice_timestamp_type timestamp_type;
    int64_t timestamp;
    const struct sluice_schema *key_schema, *value_schema;
    const struct sluice_value *key, *value;
    struct header *headers; /* never changed in place, so that record_save() is cheap */
    uint32_t header_count;
    int32_t original_partition;
    const char *original_topic;
    int64_t offset;
    struct sluice_span original_key, original_value;
    const struct sluice_value *source_partition, *source_offset;
    void *context;
};

struct sluice_batch {
    atomic_size_t references;
    struct arena arena;
    struct sluice_record **shown;
    size_t count, capacity;
    const char *topic;                    /* of the record added last: most records of a batch share it */
    const struct sluice_schema **schemas; /* references held */
    size_t schema_count, schema_capacity;
    void (*released)(void *user);
    void *user;
    struct batch_pool *pool;
    struct sluice_batch *next; /* in the pool */
};

struct batch_pool {
    pthread_mutex_t lock;
    size_t references; /* batches out, and one for the owner */
    size_t keep, keep_bytes;
    struct sluice_batch *free;
    size_t free_count;
};

static void *checked(void *memory)
{
    if (!memory) {
        abort(); /* the crash record tells that memory ran out */
    }
    return memory;
}

/* -- pool -- */

static void batch_free(struct sluice_batch *batch)
{
    arena_finish(&batch->arena);
    free(batch->shown);
    free(batch->schemas);
    free(batch);
}

struct batch_pool *batch_pool_create(size_t keep_batches, size_t keep_bytes_each)
{
    struct batch_pool *pool = checked(calloc(1, sizeof(*pool)));
    pthread_mutex_init(&pool->lock, NULL);
    pool->references = 1;
    pool->keep = keep_batches;
    pool->keep_bytes = keep_bytes_each;
    return pool;
}

static void pool_release(struct batch_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    bool last = --pool->references == 0;
    pthread_mutex_unlock(&pool->lock);
    if (last) {
        while (pool->free) {
            struct sluice_batch *batch = pool->free;
            pool->free = batch->next;
            batch_free(batch);
        }
        pthread_mutex_destroy(&pool->lock);
        free(pool);
    }
}

void batch_pool_destroy(struct batch_pool *pool)
{
    if (pool) {
        pthread_mutex_lock(&pool->lock);
        pool->keep = 0;
        pthread_mutex_unlock(&pool->lock);
        pool_release(pool);
    }
}

struct sluice_batch *batch_new(struct batch_pool *pool)
{
    struct sluice_batch *batch = NULL;
    if (pool) {
        pthread_mutex_lock(&pool->lock);
        batch = pool->free;
        if (batch) {
            pool->free = batch->next;
            pool->free_count--;
        }
        pool->references++;
        pthread_mutex_unlock(&pool->lock);
    }
    if (!batch) {
        batch = checked(calloc(1, sizeof(*batch)));
    }
    atomic_store_explicit(&batch->references, 1, memory_order_relaxed);
    batch->pool = pool;
    return batch;
}

static void batch_put_back(struct sluice_batch *batch)
{
    struct batch_pool *pool = batch->pool;
    if (!pool) {
        batch_free(batch);
        return;
    }
    arena_reset(&batch->arena, pool->keep_bytes);
    pthread_mutex_lock(&pool->lock);
    bool keep = pool->free_count < pool->keep;
    if (keep) {
        batch->next = pool->free;
        pool->free = batch;
        pool->free_count++;
    }
    pthread_mutex_unlock(&pool->lock);
    if (!keep) {
        batch_free(batch);
    }
    pool_release(pool);
}

/* -- batches -- */

static struct sluice_batch *batch_retain(struct sluice_batch *batch)
{
    atomic_fetch_add_explicit(&batch->references, 1, memory_order_relaxed);
    return batch;
}

static void batch_release(struct sluice_batch *batch)
{
    if (!batch || atomic_fetch_sub_explicit(&batch->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    if (batch->released) {
        batch->released(batch->user);
        batch->released = NULL;
    }
    for (size_t i = 0; i < batch->schema_count; i++) {
        schema_release(batch->schemas[i]);
    }
    batch->schema_count = 0;
    batch->count = 0;
    batch->topic = NULL;
    batch_put_back(batch);
}

void batch_on_release(struct sluice_batch *batch, void (*released)(void *user), void *user)
{
    batch->released = released;
    batch->user = user;
}

struct arena *batch_arena(struct sluice_batch *batch)
{
    return &batch->arena;
}

static void keep_schema(struct sluice_batch *batch, const struct sluice_schema *schema)
{
    /* Records of a batch mostly share a few schemas: look at the last ones only. */
    size_t look = batch->schema_count < 8 ? batch->schema_count : 8;
    for (size_t i = 0; i < look; i++) {
        if (batch->schemas[batch->schema_count - 1 - i] == schema) {
            return;
        }
    }
    if (batch->schema_count == batch->schema_capacity) {
        size_t capacity = batch->schema_capacity ? batch->schema_capacity * 2 : 8;
        batch->schemas = checked(realloc(batch->schemas, capacity * sizeof(*batch->schemas)));
        batch->schema_capacity = capacity;
    }
    batch->schemas[batch->schema_count++] = schema_retain(schema);
}

static inline void keep_schema_of_many(struct sluice_batch *batch, const struct sluice_schema *schema)
{
    if (schema && (batch->schema_count == 0 || batch->schemas[batch->schema_count - 1] != schema)) {
        keep_schema(batch, schema);
    }
}

void batch_keep_schema(struct sluice_batch *batch, const struct sluice_schema *schema)
{
    keep_schema_of_many(batch, schema);
}

static size_t batch_count(const struct sluice_batch *batch)
{
    return batch->count;
}

static struct sluice_record *batch_at(const struct sluice_batch *batch, size_t i)
{
    return batch->shown[i];
}

static void *batch_alloc(struct sluice_batch *batch, size_t size)
{
    return arena_alloc(&batch->arena, size);
}

void batch_keep(struct sluice_batch *batch, const unsigned char *flags)
{
    size_t kept = 0;
    for (size_t i = 0; i < batch->count; i++) {
        if (flags[i]) {
            batch->shown[kept++] = batch->shown[i];
        }
    }
    batch->count = kept;
}

/* Memory for one more, not filled. */
static struct sluice_record *show_one(struct sluice_batch *batch)
{
    if (batch->count == batch->capacity) {
        size_t capacity = batch->capacity ? batch->capacity * 2 : 64;
        batch->shown = checked(realloc(batch->shown, capacity * sizeof(struct sluice_record *)));
        batch->capacity = capacity;
    }
    struct sluice_record *record = arena_alloc(&batch->arena, sizeof(*record));
    batch->shown[batch->count++] = record;
    return record;
}

struct sluice_record *batch_add_sink(struct sluice_batch *batch, const char *topic, int32_t partition,
                                     int64_t offset, int64_t timestamp,
                                     enum sluice_timestamp_type timestamp_type, struct sluice_span key,
                                     struct sluice_span value)
{
    struct sluice_record *record = show_one(batch);
    record->batch = batch; /* member by member: an initialiser would be made of zeros first, at twice the time */
    record->topic = record->original_topic = topic;
    record->partition = record->original_partition = partition;
    record->timestamp_type = timestamp_type;
    record->timestamp = timestamp;
    record->key_schema = record->value_schema = NULL;
    record->key = record->value = NULL;
    record->headers = NULL;
    record->header_count = 0;
    record->offset = offset;
    record->original_key = key;
    record->original_value = value;
    record->source_partition = record->source_offset = NULL;
    record->context = NULL;
    return record;
}

/* Of records without topic; told apart by its address, so that an empty name stays an error. */
static const char no_topic[] = "";

static struct sluice_record *record_add(struct sluice_batch *batch, const char *topic)
{
    struct sluice_record *record = show_one(batch);
    *record = (struct sluice_record){
        .batch = batch,
        .partition = SLUICE_NO_PARTITION,
        .original_partition = SLUICE_NO_PARTITION,
        .timestamp = SLUICE_NO_TIMESTAMP,
        .offset = SLUICE_NO_OFFSET,
    };
    if (topic && (!batch->topic || strcmp(batch->topic, topic) != 0)) {
        batch->topic = arena_strdup(&batch->arena, topic);
    }
    record->topic = record->original_topic = topic ? batch->topic : no_topic;
    return record;
}

bool record_carries_offset_only(const struct sluice_record *record)
{
    return record->original_topic == no_topic;
}

void record_save(const struct sluice_record *record, struct record_state *ret_state)
{
    *ret_state = (struct record_state){
        record->topic,        record->partition, record->timestamp, record->key_schema,
        record->value_schema, record->key,       record->value,     record->headers,
        record->header_count,
    };
}

void record_restore(struct sluice_record *record, const struct record_state *state)
{
    record->topic = state->topic;
    record->partition = state->partition;
    record->timestamp = state->timestamp;
    record->key_schema = state->key_schema;
    record->value_schema = state->value_schema;
    record->key = state->key;
    record->value = state->value;
    record->headers = state->headers;
    record->header_count = state->header_count;
}

/* -- records -- */

static struct sluice_batch *batch_of(const struct sluice_record *record)
{
    return record->batch;
}

static const char *topic(const struct sluice_record *record)
{
    return record->topic;
}

static int32_t partition(const struct sluice_record *record)
{
    return record->partition;
}

static int64_t timestamp(const struct sluice_record *record)
{
    return record->timestamp;
}

static enum sluice_timestamp_type timestamp_type(const struct sluice_record *record)
{
    return record->timestamp_type;
}

static const struct sluice_schema *key_schema(const struct sluice_record *record)
{
    return record->key_schema;
}

static const struct sluice_value *key(const struct sluice_record *record)
{
    return record->key;
}

static const struct sluice_schema *value_schema(const struct sluice_record *record)
{
    return record->value_schema;
}

static const struct sluice_value *value(const struct sluice_record *record)
{
    return record->value;
}

static size_t header_count(const struct sluice_record *record)
{
    return record->header_count;
}

static const char *header_at(const struct sluice_record *record, size_t i,
                             const struct sluice_schema **ret_schema,
                             const struct sluice_value **ret_value)
{
    *ret_schema = record->headers[i].schema;
    *ret_value = record->headers[i].value;
    return record->headers[i].name;
}

static const char *original_topic(const struct sluice_record *record)
{
    return record->original_topic;
}

static int32_t original_partition(const struct sluice_record *record)
{
    return record->original_partition;
}

static int64_t offset(const struct sluice_record *record)
{
    return record->offset;
}

static struct sluice_span original_key(const struct sluice_record *record)
{
    return record->original_key;
}

static struct sluice_span original_value(const struct sluice_record *record)
{
    return record->original_value;
}

static void set_topic(struct sluice_record *record, const char *name)
{
    record->topic = arena_strdup(&record->batch->arena, name);
}

static void set_partition(struct sluice_record *record, int32_t number)
{
    record->partition = number;
}

static void set_timestamp(struct sluice_record *record, int64_t milliseconds)
{
    record->timestamp = milliseconds;
}

void record_set_key(struct sluice_record *record, const struct sluice_schema *schema,
                    const struct sluice_value *new_key)
{
    record->key_schema = schema;
    record->key = new_key;
    keep_schema_of_many(record->batch, schema);
}

void record_set_value(struct sluice_record *record, const struct sluice_schema *schema,
                      const struct sluice_value *new_value)
{
    record->value_schema = schema;
    record->value = new_value;
    keep_schema_of_many(record->batch, schema);
}

static void header_add(struct sluice_record *record, const char *name,
                       const struct sluice_schema *schema, const struct sluice_value *new_value)
{
    struct arena *arena = &record->batch->arena;
    struct header *headers = arena_alloc(arena, (record->header_count + 1) * sizeof(*headers));
    if (record->header_count > 0) {
        memcpy(headers, record->headers, record->header_count * sizeof(*headers));
    }
    headers[record->header_count++] = (struct header){arena_strdup(arena, name), schema, new_value};
    record->headers = headers;
    batch_keep_schema(record->batch, schema);
}

static void header_remove(struct sluice_record *record, const char *name)
{
    struct header *headers =
        arena_alloc(&record->batch->arena, (record->header_count + 1) * sizeof(*headers));
    uint32_t kept = 0;
    for (uint32_t i = 0; i < record->header_count; i++) {
        if (strcmp(record->headers[i].name, name) != 0) {
            headers[kept++] = record->headers[i];
        }
    }
    record->headers = headers;
    record->header_count = kept;
}

static void set_source(struct sluice_record *record, const struct sluice_value *source_partition,
                       const struct sluice_value *source_offset)
{
    record->source_partition = source_partition;
    record->source_offset = source_offset;
}

void record_set_context(struct sluice_record *record, void *pointer)
{
    record->context = pointer;
}

static void *context(const struct sluice_record *record)
{
    return record->context;
}

const struct sluice_value *record_source_partition(const struct sluice_record *record)
{
    return record->source_partition;
}

const struct sluice_value *record_source_offset(const struct sluice_record *record)
{
    return record->source_offset;
}

const struct sluice_records records_api = {
    .size = sizeof(struct sluice_records),
    .count = batch_count,
    .at = batch_at,
    .retain = batch_retain,
    .release = batch_release,
    .batch_of = batch_of,
    .alloc = batch_alloc,
    .topic = topic,
    .partition = partition,
    .timestamp = timestamp,
    .timestamp_type = timestamp_type,
    .key_schema = key_schema,
    .key = key,
    .value_schema = value_schema,
    .value = value,
    .header_count = header_count,
    .header = header_at,
    .original_topic = original_topic,
    .original_partition = original_partition,
    .offset = offset,
    .original_key = original_key,
    .original_value = original_value,
    .set_topic = set_topic,
    .set_partition = set_partition,
    .set_timestamp = set_timestamp,
    .set_key = record_set_key,
    .set_value = record_set_value,
    .header_add = header_add,
    .header_remove = header_remove,
    .add = record_add,
    .set_source = set_source,
    .set_context = record_set_context,
    .context = context,
    .source_partition = record_source_partition,
    .source_offset = record_source_offset,
};
