/*
 * Producer of the embedded log, third part: what it knows of topics. The sending thread looks them
 * up, the polling thread asks the owner. [with the lock held; see local_producer.h]
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/broker/local_producer.h"
#include "core/broker/topic_name.h"

struct out_topic *producer_topic(struct local_producer *producer, const char *name)
{
    struct out_topic **bucket =
        &producer->topics[topic_murmur2(name, strlen(name)) % PRODUCER_BUCKETS];
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

struct out_partition *producer_partition(struct out_topic *topic, int32_t number)
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

static void ask(struct local_producer *producer, struct out_topic *topic, bool create)
{
    if (topic->asked_at == 0) {
        topic->asked_at = clock_monotonic_ms();
    }
    if (producer->fd >= 0 && topic->request == 0) {
        topic->request = ++producer->last_request;
        size_t begin = wire_begin(&producer->control, WIRE_METADATA, topic->request);
        wire_put_text(&producer->control, topic->name);
        wire_put_u32(&producer->control, create);
        wire_end(&producer->control, begin);
    }
}

void producer_ask_all(struct local_producer *producer, bool unknown)
{
    for (int i = 0; i < PRODUCER_BUCKETS; i++) {
        for (struct out_topic *topic = producer->topics[i]; topic; topic = topic->next) {
            if (topic->count > 0 || unknown) {
                ask(producer, topic, topic->count < 0);
            }
        }
    }
}

/* Topics that the sending thread wants to know. */
void producer_ask_questions(struct local_producer *producer)
{
    if (producer->fd < 0 || !producer->questions) {
        return;
    }
    producer->questions = false;
    for (int i = 0; i < PRODUCER_BUCKETS; i++) {
        for (struct out_topic *topic = producer->topics[i]; topic; topic = topic->next) {
            if (topic->asked_at != 0 && topic->count < 0) {
                ask(producer, topic, true);
            }
        }
    }
}

void producer_take_metadata(struct local_producer *producer, const struct wire_head *head,
                            const char *payload)
{
    struct wire_reader reader = {payload, payload + head->size, false};
    for (int i = 0; i < PRODUCER_BUCKETS; i++) {
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

void producer_take_epoch(struct local_producer *producer, struct wire_reader *reader)
{
    local_note_epoch(producer->local, wire_get_i64(reader));
    producer_ask_all(producer, false);
}

/* Anything for which a connection is needed? */
bool producer_wants_connection(const struct local_producer *producer)
{
    if (producer->listed) {
        return true;
    }
    for (int i = 0; i < PRODUCER_BUCKETS; i++) {
        for (const struct out_topic *topic = producer->topics[i]; topic; topic = topic->next) {
            if (topic->asked_at != 0) {
                return true;
            }
        }
    }
    return false;
}
