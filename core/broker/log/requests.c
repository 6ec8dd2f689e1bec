/*
 * From frames to what they ask for; the small requests are answered here. [owner's one thread]
 */
#include <stdlib.h>
#include <string.h>

#include "core/broker/log/owner.h"

enum { CONFIG_PAIRS = 64, CONFIG_TEXT = 4096 };

static void answer(struct client *client, uint32_t id, int result, struct error *error)
{
    if (client->closing) {
        error_clear(error);
        return;
    }
    if (result != 0) {
        client_reply_error(client, id, error);
        error_clear(error);
        return;
    }
    client_reply_end(client, client_reply_begin(client, id));
}

static void hello(struct client *client, struct wire_reader *reader)
{
    struct owner *owner = client->owner;
    char name[sizeof(client->name)];
    uint32_t magic = wire_get_u32(reader);
    uint32_t version = wire_get_u32(reader);
    uint32_t watch = wire_get_u32(reader);
    wire_get_text(reader, name, sizeof(name));
    if (reader->failed || magic != WIRE_MAGIC || version != WIRE_VERSION || client->hello) {
        client_close(client, "it does not speak the protocol of this version of sluice");
        return;
    }
    client->hello = true;
    client->watch = watch != 0;
    if (*name) {
        memcpy(client->name, name, sizeof(name));
    }
    size_t begin = wire_begin(&client->out, WIRE_WELCOME, 0);
    wire_put_i64(&client->out, owner->epoch);
    wire_put_i64(&client->out, (int64_t)++owner->last_producer);
    wire_end(&client->out, begin);
    client_flush_later(client);
}

static void metadata(struct client *client, uint32_t id, struct wire_reader *reader)
{
    char name[WIRE_MAX_TOPIC_NAME + 1];
    struct error error = {0};
    wire_get_text(reader, name, sizeof(name));
    uint32_t create = wire_get_u32(reader);
    if (reader->failed) {
        client_close(client, "a request for metadata is malformed");
        return;
    }
    struct topic *topic = topic_find(client->owner, name, strlen(name));
    int result = 0;
    if (!topic && create) {
        result = topic_create(client->owner, name, -1, NULL, 0, &topic, &error);
    } else if (!topic) {
        result = error_set_class(&error, ERROR_UNKNOWN_TOPIC,
                                 "org.apache.kafka.common.errors.UnknownTopicOrPartitionException",
                                 "There is no topic %s in the embedded log", name);
    }
    if (result != 0) {
        answer(client, id, result, &error);
        return;
    }
    size_t begin = client_reply_begin(client, id);
    wire_put_u32(&client->out, (uint32_t)topic->count);
    wire_put_u32(&client->out, topic->settings.max_message_bytes);
    client_reply_end(client, begin);
}

static void list_topics(struct client *client, uint32_t id)
{
    const struct owner *owner = client->owner;
    size_t begin = client_reply_begin(client, id);
    wire_put_u32(&client->out, (uint32_t)owner->topic_count);
    for (size_t i = 0; i < owner->topic_count; i++) {
        wire_put_text(&client->out, owner->topics[i]->name);
        wire_put_u32(&client->out, (uint32_t)owner->topics[i]->count);
    }
    client_reply_end(client, begin);
}

static void create_topic(struct client *client, uint32_t id, struct wire_reader *reader)
{
    char name[WIRE_MAX_TOPIC_NAME + 2] = ""; /* one more: too long is told, not cut off */
    char *texts[CONFIG_PAIRS * 2] = {0};
    struct error error = {0};
    struct topic *topic;
    wire_get_text(reader, name, sizeof(name));
    int32_t partitions = (int32_t)wire_get_u32(reader);
    int32_t replication = (int32_t)wire_get_u32(reader);
    uint32_t pairs = wire_get_u32(reader);
    for (uint32_t i = 0; i < pairs * 2 && pairs <= CONFIG_PAIRS && !reader->failed; i++) {
        texts[i] = wire_get_strdup(reader, CONFIG_TEXT);
        reader->failed = reader->failed || !texts[i];
    }
    int result = -1;
    if (reader->failed || pairs > CONFIG_PAIRS) {
        client_close(client, "a request to create a topic is malformed");
    } else if (replication != -1 && replication != 1) {
        result = error_set_class(&error, ERROR_CONFIG,
                                 "org.apache.kafka.common.errors.InvalidReplicationFactorException",
                                 "Replication factor: %d larger than available brokers: 1. (The "
                                 "embedded log keeps one copy; of a dead letter queue say so: "
                                 "errors.deadletterqueue.topic.replication.factor=1)",
                                 replication);
    } else {
        result = topic_create(client->owner, name, partitions, (const char *const *)texts, pairs,
                              &topic, &error);
    }
    answer(client, id, result, &error);
    for (size_t i = 0; i < CONFIG_PAIRS * 2; i++) {
        free(texts[i]);
    }
}

static void change_topic(struct client *client, enum wire_type type, uint32_t id,
                         struct wire_reader *reader)
{
    char name[WIRE_MAX_TOPIC_NAME + 1];
    struct error error = {0};
    int32_t count = 0;
    wire_get_text(reader, name, sizeof(name));
    if (type == WIRE_GROW) {
        count = (int32_t)wire_get_u32(reader);
    }
    if (reader->failed) {
        client_close(client, "a request to change a topic is malformed");
        return;
    }
    answer(client, id,
           type == WIRE_GROW ? topic_grow(client->owner, name, count, &error)
                             : topic_delete(client->owner, name, &error),
           &error);
}

static void configs(struct client *client, uint32_t id, struct wire_reader *reader, bool all)
{
    char name[WIRE_MAX_TOPIC_NAME + 1];
    struct error error = {0};
    wire_get_text(reader, name, sizeof(name));
    struct partition *partition =
        reader->failed ? NULL : partition_find(client->owner, name, 0, &error);
    if (!partition) {
        answer(client, id, -1, &error);
        return;
    }
    const struct topic *topic = partition->topic;
    size_t begin = client_reply_begin(client, id);
    uint32_t count = 0;
    if (all) {
        topic_put_all_configs(topic, &client->out);
        client_reply_end(client, begin);
        return;
    }
    for (size_t i = 0; i < topic->configs_size; i++) {
        count += topic->configs[i] == '\0';
    }
    wire_put_u32(&client->out, count / 2);
    for (const char *text = topic->configs; text < topic->configs + topic->configs_size;
         text += strlen(text) + 1) {
        wire_put_text(&client->out, text);
    }
    client_reply_end(client, begin);
}

static void alter_topic(struct client *client, uint32_t id, struct wire_reader *reader)
{
    char name[WIRE_MAX_TOPIC_NAME + 1];
    struct topic_change changes[CONFIG_PAIRS] = {0};
    struct error error = {0};
    wire_get_text(reader, name, sizeof(name));
    uint32_t count = wire_get_u32(reader);
    for (uint32_t i = 0; i < count && count <= CONFIG_PAIRS && !reader->failed; i++) {
        changes[i].name = wire_get_strdup(reader, CONFIG_TEXT);
        uint32_t set = wire_get_u32(reader);
        char *value = wire_get_strdup(reader, CONFIG_TEXT);
        changes[i].value = set ? value : NULL;
        if (!set) {
            free(value);
        }
    }
    if (reader->failed || count > CONFIG_PAIRS) {
        client_close(client, "a request to change a topic is malformed");
    } else {
        answer(client, id, topic_alter(client->owner, name, changes, count, &error), &error);
    }
    for (size_t i = 0; i < CONFIG_PAIRS; i++) {
        free((char *)(uintptr_t)changes[i].name);
        free((char *)(uintptr_t)changes[i].value);
    }
}

static void partition_offsets(struct client *client, uint32_t id, struct wire_reader *reader)
{
    char name[WIRE_MAX_TOPIC_NAME + 1];
    struct error error = {0};
    wire_get_text(reader, name, sizeof(name));
    int32_t number = (int32_t)wire_get_u32(reader);
    struct partition *partition =
        reader->failed ? NULL : partition_find(client->owner, name, number, &error);
    if (!partition) {
        answer(client, id, -1, &error);
        return;
    }
    round_commit(client->owner);
    size_t begin = client_reply_begin(client, id);
    wire_put_i64(&client->out, partition->start);
    wire_put_i64(&client->out, partition->next);
    client_reply_end(client, begin);
}

void request_handle(struct client *client, const struct wire_head *head, const char *payload)
{
    struct wire_reader reader = {payload, payload + head->size, false};
    uint32_t id = head->id;
    if (!client->hello && head->type != WIRE_HELLO) {
        client_close(client, "it sends requests before HELLO");
        return;
    }
    switch ((enum wire_type)head->type) {
    case WIRE_PRODUCE:
        produce_handle(client, id, payload, head->size);
        break;
    case WIRE_HELLO:
        hello(client, &reader);
        break;
    case WIRE_METADATA:
        metadata(client, id, &reader);
        break;
    case WIRE_JOIN:
        group_join(client, &reader);
        break;
    case WIRE_REVOKED:
        group_revoked(client, &reader);
        break;
    case WIRE_START:
        session_start(client, &reader);
        break;
    case WIRE_STOP:
        session_stop(client, wire_get_u32(&reader));
        break;
    case WIRE_CREDIT:
        client->granted = (uint64_t)wire_get_i64(&reader);
        break;
    case WIRE_COMMIT:
        offsets_commit(client, id, &reader);
        break;
    case WIRE_TOPICS:
        list_topics(client, id);
        break;
    case WIRE_CREATE:
        create_topic(client, id, &reader);
        break;
    case WIRE_DELETE:
    case WIRE_GROW:
        change_topic(client, (enum wire_type)head->type, id, &reader);
        break;
    case WIRE_CONFIGS:
    case WIRE_CONFIGS_ALL:
        configs(client, id, &reader, head->type == WIRE_CONFIGS_ALL);
        break;
    case WIRE_ALTER:
        alter_topic(client, id, &reader);
        break;
    case WIRE_OFFSETS:
        partition_offsets(client, id, &reader);
        break;
    case WIRE_GROUP_OFFSETS:
        offsets_list(client, id, &reader);
        break;
    case WIRE_GROUP_ALTER:
        offsets_alter(client, id, &reader);
        break;
    case WIRE_GROUP_DELETE:
        offsets_delete_group(client, id, &reader);
        break;
    default:
        client_close(client, "it sends frames of an unknown type");
        break;
    }
}
