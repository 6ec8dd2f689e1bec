#include "core/host/source_offsets.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <sluice/host.h>

#include "core/base/log.h"
#include "core/data/batch.h"

struct submitted {
    struct source_partition *partition;
    struct sluice_batch *batch;  /* holds the offset's text */
    struct sluice_span offset;   /* JSON */
    bool done;
    struct submitted *next;
};

struct source_partition {
    char *text;                  /* JSON of the partition */
    size_t size, hash;           /* of text */
    struct submitted *first, **end;
    char *committable;           /* JSON of the newest offset that counts; NULL: none yet */
    size_t committable_size, committable_room;
    bool fresh;                  /* not yet taken */
    bool taken;                  /* part of the last take */
    struct source_partition *next; /* in its bucket */
};

enum {
    FIRST_BUCKETS = 16,
    TAKE_BYTES = 4 << 20, /* of one take, about: it has to fit a control message */
};

/* A partition is here while a record of it is under way, or its offset is not stored: a source may
 * have ever new ones, one a file. invariant 5 */
struct source_offsets {
    pthread_mutex_t lock;
    struct source_partition **buckets, *last; /* last: the one that was looked for last */
    size_t bucket_count, count;
    struct submitted *spare;
};

struct source_offsets *source_offsets_create(void)
{
    struct source_offsets *offsets = calloc(1, sizeof(*offsets));
    if (offsets) {
        pthread_mutex_init(&offsets->lock, NULL);
    }
    return offsets;
}

static void free_list(struct submitted *list)
{
    while (list) {
        struct submitted *next = list->next;
        free(list);
        list = next;
    }
}

static void partition_free(struct source_partition *partition)
{
    for (struct submitted *s = partition->first; s; s = s->next) {
        records_api.release(s->batch);
    }
    free_list(partition->first);
    free(partition->text);
    free(partition->committable);
    free(partition);
}

void source_offsets_destroy(struct source_offsets *offsets)
{
    if (!offsets) {
        return;
    }
    for (size_t i = 0; i < offsets->bucket_count; i++) {
        while (offsets->buckets[i]) {
            struct source_partition *partition = offsets->buckets[i];
            offsets->buckets[i] = partition->next;
            partition_free(partition);
        }
    }
    free(offsets->buckets);
    free_list(offsets->spare);
    pthread_mutex_destroy(&offsets->lock);
    free(offsets);
}

static size_t hash_of(struct sluice_span text)
{
    size_t hash = 14695981039346656037u; /* FNV-1a */
    for (size_t i = 0; i < text.size; i++) {
        hash = (hash ^ (unsigned char)text.data[i]) * 1099511628211u;
    }
    return hash;
}

static bool is_of(const struct source_partition *partition, struct sluice_span text)
{
    return partition->size == text.size && memcmp(partition->text, text.data, text.size) == 0;
}

/* Room for one more. */
static void grow(struct source_offsets *offsets)
{
    if (offsets->count < offsets->bucket_count) {
        return;
    }
    size_t count = offsets->bucket_count ? offsets->bucket_count * 2 : FIRST_BUCKETS;
    struct source_partition **buckets = calloc(count, sizeof(struct source_partition *));
    if (!buckets) {
        abort();
    }
    for (size_t i = 0; i < offsets->bucket_count; i++) {
        struct source_partition *next;
        for (struct source_partition *p = offsets->buckets[i]; p; p = next) {
            next = p->next;
            p->next = buckets[p->hash % count];
            buckets[p->hash % count] = p;
        }
    }
    free(offsets->buckets);
    offsets->buckets = buckets;
    offsets->bucket_count = count;
}

static struct source_partition *partition_of(struct source_offsets *offsets, struct sluice_span text)
{
    if (offsets->last && is_of(offsets->last, text)) {
        return offsets->last;
    }
    grow(offsets);
    size_t hash = hash_of(text);
    struct source_partition **bucket = &offsets->buckets[hash % offsets->bucket_count];
    struct source_partition *partition = *bucket;
    while (partition && !is_of(partition, text)) {
        partition = partition->next;
    }
    if (!partition) {
        partition = calloc(1, sizeof(*partition));
        char *copy = strndup(text.data, text.size);
        if (!partition || !copy) {
            abort();
        }
        partition->text = copy;
        partition->size = text.size;
        partition->hash = hash;
        partition->end = &partition->first;
        partition->next = *bucket;
        *bucket = partition;
        offsets->count++;
    }
    offsets->last = partition;
    return partition;
}

static int check_map(const struct sluice_value *map, const char *what, struct error *error)
{
    if (data_api.type(map) != SLUICE_MAP) {
        return error_set_class(error, ERROR_PLUGIN_FAILED, SLUICE_DATA_EXCEPTION,
                               "Offsets must be specified as a Map, but the source %s of a record is none",
                               what);
    }
    for (size_t i = 0; i < data_api.count(map); i++) {
        const struct sluice_value *key = data_api.key_at(map, i);
        if (data_api.type(key) != SLUICE_STRING) {
            return error_set_class(error, ERROR_PLUGIN_FAILED, SLUICE_DATA_EXCEPTION,
                                   "Offsets may only use String keys, but the source %s of a "
                                   "record has others", what);
        }
        enum sluice_type value = data_api.type(data_api.at(map, i));
        if (value == SLUICE_MAP || value == SLUICE_ARRAY || value == SLUICE_STRUCT) {
            struct sluice_span name = data_api.text(key);
            return error_set_class(error, ERROR_PLUGIN_FAILED, SLUICE_DATA_EXCEPTION,
                                   "Offsets may only contain primitive types as values, but field "
                                   "%.*s of the source %s of a record contains %s",
                                   (int)(name.size < 200 ? name.size : 200), name.data, what,
                                   value == SLUICE_MAP     ? "MAP"
                                   : value == SLUICE_ARRAY ? "ARRAY"
                                                           : "STRUCT");
        }
    }
    return 0;
}

int source_offsets_check(const struct sluice_record *record, struct error *error)
{
    const struct sluice_value *partition = record_source_partition(record);
    const struct sluice_value *offset = record_source_offset(record);
    return (partition && check_map(partition, "partition", error) != 0) ||
                   (offset && check_map(offset, "offset", error) != 0)
               ? -1
               : 0;
}

struct submitted *source_offsets_submit(struct source_offsets *offsets,
                                        const struct sluice_record *record)
{
    const struct sluice_value *source = record_source_partition(record);
    const struct sluice_value *offset = record_source_offset(record);
    if (!source || !offset) {
        return NULL;
    }
    struct sluice_batch *batch = records_api.batch_of(record);
    struct sluice_span source_text = data_api.to_json(batch, source);
    struct sluice_span offset_text = data_api.to_json(batch, offset);
    pthread_mutex_lock(&offsets->lock);
    struct submitted *submitted = offsets->spare;
    if (submitted) {
        offsets->spare = submitted->next;
    } else if (!(submitted = malloc(sizeof(*submitted)))) {
        abort();
    }
    struct source_partition *partition = partition_of(offsets, source_text);
    *submitted = (struct submitted){partition, records_api.retain(batch), offset_text, false, NULL};
    *partition->end = submitted;
    partition->end = &submitted->next;
    pthread_mutex_unlock(&offsets->lock);
    return submitted;
}

static void remember(struct source_partition *partition, struct sluice_span offset)
{
    if (partition->committable_room < offset.size) {
        char *grown = realloc(partition->committable, offset.size + 64);
        if (!grown) {
            abort();
        }
        partition->committable = grown;
        partition->committable_room = offset.size + 64;
    }
    memcpy(partition->committable, offset.data, offset.size);
    partition->committable_size = offset.size;
    partition->fresh = true;
}

void source_offsets_done(struct source_offsets *offsets, struct submitted *submitted)
{
    if (!submitted) {
        return;
    }
    pthread_mutex_lock(&offsets->lock);
    struct source_partition *partition = submitted->partition;
    submitted->done = true;
    while (partition->first && partition->first->done) {
        struct submitted *first = partition->first;
        partition->first = first->next;
        if (!partition->first) {
            partition->end = &partition->first;
        }
        if (!first->next || !first->next->done) {
            remember(partition, first->offset);
        }
        records_api.release(first->batch);
        first->next = offsets->spare;
        offsets->spare = first;
    }
    pthread_mutex_unlock(&offsets->lock);
}

static json_t *pair_of(const struct source_partition *p)
{
    const size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
    json_error_t why = {0};
    json_t *partition = json_loadb(p->text, p->size, flags, &why);
    json_t *offset =
        partition ? json_loadb(p->committable, p->committable_size, flags, &why) : NULL;
    if (!offset) {
        log_line(LOG_LEVEL_ERROR, "sluice.host.task", NULL,
                 "The offset of source partition %s cannot be stored, as it is no JSON: %s", p->text,
                 why.text);
        json_decref(partition);
        return NULL;
    }
    return json_pack("[o,o]", partition, offset);
}

json_t *source_offsets_take(struct source_offsets *offsets)
{
    json_t *list = NULL;
    size_t bytes = 0;
    pthread_mutex_lock(&offsets->lock);
    for (size_t i = 0; i < offsets->bucket_count; i++) {
        struct source_partition **link = &offsets->buckets[i], *p;
        while ((p = *link)) {
            p->taken = p->fresh && bytes < TAKE_BYTES;
            if (p->taken) {
                p->fresh = false;
                bytes += p->size + p->committable_size;
                json_t *pair = pair_of(p);
                list = list ? list : json_array();
                json_array_append_new(list, pair);
            } else if (!p->fresh && !p->first) {
                *link = p->next;
                offsets->last = offsets->last == p ? NULL : offsets->last;
                offsets->count--;
                partition_free(p);
                continue;
            }
            link = &p->next;
        }
    }
    pthread_mutex_unlock(&offsets->lock);
    return list;
}

void source_offsets_untake(struct source_offsets *offsets)
{
    pthread_mutex_lock(&offsets->lock);
    for (size_t i = 0; i < offsets->bucket_count; i++) {
        for (struct source_partition *p = offsets->buckets[i]; p; p = p->next) {
            p->fresh = p->fresh || p->taken;
        }
    }
    pthread_mutex_unlock(&offsets->lock);
}

bool source_offsets_fresh(struct source_offsets *offsets)
{
    bool fresh = false;
    pthread_mutex_lock(&offsets->lock);
    for (size_t i = 0; i < offsets->bucket_count && !fresh; i++) {
        for (struct source_partition *p = offsets->buckets[i]; p && !fresh; p = p->next) {
            fresh = p->fresh;
        }
    }
    pthread_mutex_unlock(&offsets->lock);
    return fresh;
}
