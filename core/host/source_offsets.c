#include "core/host/source_offsets.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

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
    struct submitted *first, **end;
    char *committable;           /* JSON of the newest offset that counts; NULL: none yet */
    size_t committable_room;
    bool fresh;                  /* not yet taken */
    bool taken;                  /* part of the last take */
    struct source_partition *next;
};

struct source_offsets {
    pthread_mutex_t lock;
    struct source_partition *partitions;
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

void source_offsets_destroy(struct source_offsets *offsets)
{
    if (!offsets) {
        return;
    }
    while (offsets->partitions) {
        struct source_partition *partition = offsets->partitions;
        offsets->partitions = partition->next;
        for (struct submitted *s = partition->first; s; s = s->next) {
            records_api.release(s->batch);
        }
        free_list(partition->first);
        free(partition->text);
        free(partition->committable);
        free(partition);
    }
    free_list(offsets->spare);
    pthread_mutex_destroy(&offsets->lock);
    free(offsets);
}

static struct source_partition *partition_of(struct source_offsets *offsets, struct sluice_span text)
{
    for (struct source_partition *p = offsets->partitions; p; p = p->next) {
        if (strlen(p->text) == text.size && memcmp(p->text, text.data, text.size) == 0) {
            return p;
        }
    }
    struct source_partition *partition = calloc(1, sizeof(*partition));
    char *copy = strndup(text.data, text.size);
    if (!partition || !copy) {
        abort();
    }
    partition->text = copy;
    partition->end = &partition->first;
    partition->next = offsets->partitions;
    offsets->partitions = partition;
    return partition;
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
    if (partition->committable_room < offset.size + 1) {
        char *grown = realloc(partition->committable, offset.size + 64);
        if (!grown) {
            abort();
        }
        partition->committable = grown;
        partition->committable_room = offset.size + 64;
    }
    memcpy(partition->committable, offset.data, offset.size);
    partition->committable[offset.size] = '\0';
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

json_t *source_offsets_take(struct source_offsets *offsets)
{
    json_t *list = NULL;
    pthread_mutex_lock(&offsets->lock);
    for (struct source_partition *p = offsets->partitions; p; p = p->next) {
        p->taken = p->fresh;
        if (!p->fresh) {
            continue;
        }
        p->fresh = false;
        json_t *partition = json_loads(p->text, JSON_DECODE_ANY, NULL);
        json_t *offset = json_loads(p->committable, JSON_DECODE_ANY, NULL);
        list = list ? list : json_array();
        json_array_append_new(list, json_pack("[o,o]", partition, offset));
    }
    pthread_mutex_unlock(&offsets->lock);
    return list;
}

void source_offsets_untake(struct source_offsets *offsets)
{
    pthread_mutex_lock(&offsets->lock);
    for (struct source_partition *p = offsets->partitions; p; p = p->next) {
        p->fresh = p->fresh || p->taken;
    }
    pthread_mutex_unlock(&offsets->lock);
}
