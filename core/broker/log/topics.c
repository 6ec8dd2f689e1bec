/*
 * Topics and partitions of an embedded log: loading, creating, growing, deleting.
 * [owner's one thread]
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "core/broker/log/owner.h"
#include "core/broker/topic_name.h"

#define LOGGER "sluice.log.topics"

/* Kafka's rule for names. */
static int check_name(const char *name, size_t size, struct error *error)
{
    const char *wrong = topic_name_wrong(name, size);
    if (wrong) {
        return error_set_class(error, ERROR_INVALID_TOPIC,
                               "org.apache.kafka.common.errors.InvalidTopicException",
                               "Topic name is invalid: %s", wrong);
    }
    return 0;
}

/* -- in memory -- */

static size_t place(const struct owner *owner, const char *name, size_t size, bool *ret_found)
{
    size_t low = 0, high = owner->topic_count;
    *ret_found = false;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const char *other = owner->topics[middle]->name;
        int order = strncmp(other, name, size);
        if (order == 0 && other[size] != '\0') {
            order = 1;
        }
        if (order == 0) {
            *ret_found = true;
            return middle;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct topic *topic_find(const struct owner *owner, const char *name, size_t size)
{
    bool found;
    size_t at = place(owner, name, size, &found);
    return found ? owner->topics[at] : NULL;
}

struct topic *topic_by_id(const struct owner *owner, uint32_t id)
{
    for (size_t i = 0; i < owner->topic_count; i++) {
        if (owner->topics[i]->id == id) {
            return owner->topics[i];
        }
    }
    return NULL;
}

int topic_unknown(const char *name, struct error *error)
{
    return error_set_class(error, ERROR_UNKNOWN_TOPIC,
                           "org.apache.kafka.common.errors.UnknownTopicOrPartitionException",
                           "There is no topic %s in the embedded log", name);
}

struct partition *partition_find(const struct owner *owner, const char *name, int32_t number,
                                 struct error *error)
{
    struct topic *topic = topic_find(owner, name, strlen(name));
    if (!topic) {
        (void)topic_unknown(name, error);
        return NULL;
    }
    if (number < 0 || number >= topic->count) {
        (void)error_set_class(error, ERROR_UNKNOWN_PARTITION,
                              "org.apache.kafka.common.errors.UnknownTopicOrPartitionException",
                              "Topic %s has no partition %d (it has %d)", name, number,
                              topic->count);
        return NULL;
    }
    return topic->partitions[number];
}

static void topic_free(struct topic *topic)
{
    for (int32_t i = 0; topic && i < topic->count; i++) {
        free(topic->partitions[i]);
    }
    if (topic) {
        free(topic->partitions);
        free(topic->name);
        free(topic->configs);
        free(topic);
    }
}

void topics_free(struct owner *owner)
{
    for (size_t i = 0; i < owner->topic_count; i++) {
        topic_free(owner->topics[i]);
    }
    free(owner->topics);
    owner->topics = NULL;
    owner->topic_count = 0;
}

static int add_partitions(struct topic *topic, int32_t count)
{
    struct partition **grown =
        realloc(topic->partitions, (size_t)count * sizeof(struct partition *));
    if (!grown) {
        return -1;
    }
    topic->partitions = grown;
    while (topic->count < count) {
        struct partition *partition = calloc(1, sizeof(*partition));
        if (!partition) {
            return -1;
        }
        partition->topic = topic;
        partition->number = topic->count;
        partition->appends_end = &partition->appends;
        topic->partitions[topic->count++] = partition;
    }
    return 0;
}

static int insert(struct owner *owner, struct topic *topic)
{
    bool found;
    size_t at = place(owner, topic->name, strlen(topic->name), &found);
    struct topic **grown = realloc(owner->topics, (owner->topic_count + 1) * sizeof(*grown));
    if (!grown) {
        return -1;
    }
    memmove(grown + at + 1, grown + at, (owner->topic_count - at) * sizeof(*grown));
    grown[at] = topic;
    owner->topics = grown;
    owner->topic_count++;
    owner->partition_count += topic->count;
    return 0;
}

/* Tells everybody who watches. */
static void changed(struct owner *owner)
{
    owner->epoch++;
    for (struct client *client = owner->clients; client; client = client->next) {
        if (client->watch && !client->closing) {
            size_t begin = wire_begin(&client->out, WIRE_EPOCH, 0);
            wire_put_i64(&client->out, owner->epoch);
            wire_end(&client->out, begin);
            client_flush_later(client);
        }
    }
}

static struct topic *topic_new(uint32_t id, const char *name, size_t name_size, int32_t partitions,
                               const struct topic_settings *settings, const char *configs,
                               size_t configs_size)
{
    struct topic *topic = calloc(1, sizeof(*topic));
    if (!topic) {
        return NULL;
    }
    topic->id = id;
    topic->name = strndup(name, name_size);
    topic->settings = *settings;
    topic->configs = malloc(configs_size + 1);
    if (!topic->name || !topic->configs || add_partitions(topic, partitions) != 0) {
        topic_free(topic);
        return NULL;
    }
    if (configs_size > 0) {
        memcpy(topic->configs, configs, configs_size);
    }
    topic->configs_size = configs_size;
    return topic;
}

/* -- on disk -- */

int topic_put(struct store *store, MDB_txn *txn, const struct topic *topic, int32_t count)
{
    MDB_val key = {strlen(topic->name), topic->name};
    MDB_val value = {8 + topic->configs_size, NULL};
    int code = mdb_put(txn, store->tables[STORE_TOPICS], &key, &value, MDB_RESERVE);
    if (code == 0) {
        memcpy(value.mv_data, &topic->id, 4);
        memcpy((char *)value.mv_data + 4, &count, 4);
        memcpy((char *)value.mv_data + 8, topic->configs, topic->configs_size);
    }
    return code;
}

static int write_new(struct store *store, MDB_txn *txn, void *arg)
{
    struct topic *topic = arg;
    MDB_val key = {5, "topic"}, value = {4, &topic->id};
    int code = mdb_put(txn, store->tables[STORE_META], &key, &value, 0);
    return code == 0 ? topic_put(store, txn, topic, topic->count) : code;
}

struct growth {
    struct topic *topic;
    int32_t count;
};

static int write_growth(struct store *store, MDB_txn *txn, void *arg)
{
    struct growth *growth = arg;
    return topic_put(store, txn, growth->topic, growth->count);
}

static int del_partitions(struct store *store, MDB_txn *txn, uint32_t topic)
{
    MDB_cursor *cursor;
    int code = mdb_cursor_open(txn, store->tables[STORE_PARTITIONS], &cursor);
    if (code != 0) {
        return code;
    }
    for (;;) {
        struct store_key bytes;
        MDB_val key = store_key_partition(&bytes, topic, 0), value;
        code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
        if (code != 0 || store_key_u32(&key, 0) != topic) {
            break;
        }
        code = mdb_cursor_del(cursor, 0);
        if (code != 0) {
            break;
        }
    }
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? 0 : code;
}

/* Committed offsets of a topic that goes. */
static int del_offsets(struct store *store, MDB_txn *txn, uint32_t topic)
{
    MDB_cursor *cursor;
    int code = mdb_cursor_open(txn, store->tables[STORE_OFFSETS], &cursor);
    if (code != 0) {
        return code;
    }
    MDB_val key, value;
    code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    while (code == 0) {
        if (key.mv_size >= 8 && store_key_u32(&key, key.mv_size - 8) == topic) {
            code = mdb_cursor_del(cursor, 0);
        }
        if (code == 0) {
            code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
        }
    }
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? 0 : code;
}

static int write_deletion(struct store *store, MDB_txn *txn, void *arg)
{
    struct topic *topic = arg;
    MDB_val key = {strlen(topic->name), topic->name};
    int code = mdb_del(txn, store->tables[STORE_TOPICS], &key, NULL);
    if (code == 0) {
        code = del_partitions(store, txn, topic->id);
    }
    return code == 0 ? del_offsets(store, txn, topic->id) : code;
}

static int load_partitions(struct owner *owner, MDB_txn *txn, struct topic *topic)
{
    for (int32_t i = 0; i < topic->count; i++) {
        struct partition *partition = topic->partitions[i];
        struct store_key bytes;
        int64_t numbers[3];
        MDB_val key = store_key_partition(&bytes, topic->id, i), value;
        int code = mdb_get(txn, owner->store.tables[STORE_PARTITIONS], &key, &value);
        if (code == MDB_NOTFOUND) {
            continue;
        }
        if (code != 0 || value.mv_size != sizeof(numbers)) {
            return code ? code : MDB_CORRUPTED;
        }
        memcpy(numbers, value.mv_data, sizeof(numbers));
        partition->start = numbers[0];
        partition->next = partition->pending_next = numbers[1];
        partition->bytes = numbers[2];
    }
    return 0;
}

static int load_topic(struct owner *owner, MDB_txn *txn, const MDB_val *key, const MDB_val *value)
{
    uint32_t id;
    int32_t count;
    if (value->mv_size < 8) {
        return MDB_CORRUPTED;
    }
    memcpy(&id, value->mv_data, 4);
    memcpy(&count, (const char *)value->mv_data + 4, 4);
    const char *configs = (const char *)value->mv_data + 8;
    struct topic_settings settings = owner->defaults.settings;
    int code = topic_configs_apply(configs, value->mv_size - 8, &settings);
    if (code != 0 || count < 1 || count > WIRE_MAX_TOPIC_PARTITIONS) {
        return MDB_CORRUPTED;
    }
    struct topic *topic =
        topic_new(id, key->mv_data, key->mv_size, count, &settings, configs, value->mv_size - 8);
    if (!topic || insert(owner, topic) != 0) {
        topic_free(topic);
        return ENOMEM;
    }
    owner->last_topic = id > owner->last_topic ? id : owner->last_topic;
    return load_partitions(owner, txn, topic);
}

int topics_load(struct owner *owner, struct error *error)
{
    struct store *store = &owner->store;
    if (store_read_begin(store, error) != 0) {
        return -1;
    }
    MDB_cursor *cursor = NULL;
    MDB_val key = {5, "topic"}, value;
    int code = mdb_get(store->reader, store->tables[STORE_META], &key, &value);
    if (code == 0 && value.mv_size == 4) {
        memcpy(&owner->last_topic, value.mv_data, 4);
    }
    code = mdb_cursor_open(store->reader, store->tables[STORE_TOPICS], &cursor);
    if (code == 0) {
        code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
        while (code == 0) {
            code = load_topic(owner, store->reader, &key, &value);
            if (code == 0) {
                code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
            }
        }
        mdb_cursor_close(cursor);
    }
    store_read_end(store);
    owner->epoch = (int64_t)store->starts << 32; /* so that it changes with every owner */
    owner->garbage = true;
    if (code != MDB_NOTFOUND) {
        return error_set(error, ERROR_SYSTEM,
                         "The embedded log %s is damaged: its topics cannot be "
                         "read: %s",
                         store->name, mdb_strerror(code));
    }
    return 0;
}

/* -- requests -- */

static char *join_configs(const char *const *configs, size_t count, size_t *ret_size)
{
    size_t size = 0;
    for (size_t i = 0; i < count * 2; i++) {
        size += strlen(configs[i]) + 1;
    }
    char *joined = malloc(size + 1), *at = joined;
    for (size_t i = 0; joined && i < count * 2; i++) {
        at = stpcpy(at, configs[i]) + 1;
    }
    *ret_size = size;
    return joined;
}

int topic_create(struct owner *owner, const char *name, int32_t partitions,
                 const char *const *configs, size_t count, struct topic **ret_topic,
                 struct error *error)
{
    struct topic_settings settings = owner->defaults.settings;
    if (check_name(name, strlen(name), error) != 0) {
        return -1;
    }
    if (topic_find(owner, name, strlen(name))) {
        return error_set_class(error, ERROR_TOPIC_EXISTS,
                               "org.apache.kafka.common.errors.TopicExistsException",
                               "Topic '%s' already exists.", name);
    }
    if (partitions == -1) {
        partitions = owner->defaults.partitions;
    }
    if (partitions < 1 || partitions > WIRE_MAX_TOPIC_PARTITIONS) {
        return error_set_class(error, ERROR_CONFIG,
                               "org.apache.kafka.common.errors.InvalidPartitionsException",
                               "Number of partitions must be from 1 to %d, not %d",
                               WIRE_MAX_TOPIC_PARTITIONS, partitions);
    }
    if (owner->topic_count >= WIRE_MAX_TOPICS ||
        owner->partition_count + partitions > WIRE_MAX_PARTITIONS) {
        return error_set_class(
            error, ERROR_CONFLICT, "org.apache.kafka.common.errors.PolicyViolationException",
            "An embedded log has at most %d topics and %d partitions; delete some, "
            "or use Kafka",
            WIRE_MAX_TOPICS, WIRE_MAX_PARTITIONS);
    }
    for (size_t i = 0; i < count; i++) {
        if (topic_setting(&settings, configs[i * 2], configs[i * 2 + 1], error) != 0) {
            return -1;
        }
    }
    size_t size;
    char *joined = join_configs(configs, count, &size);
    struct topic *topic = joined ? topic_new(owner->last_topic + 1, name, strlen(name), partitions,
                                             &settings, joined, size)
                                 : NULL;
    free(joined);
    if (!topic) {
        return error_set(error, ERROR_NO_MEMORY, "No memory for topic %s", name);
    }
    if (store_write(&owner->store, write_new, topic, error) != 0) {
        topic_free(topic);
        return -1;
    }
    owner->last_topic++;
    if (insert(owner, topic) != 0) { /* it is on disk: the next owner has it */
        topic_free(topic);
        return error_set(error, ERROR_NO_MEMORY, "No memory for topic %s", name);
    }
    *ret_topic = topic;
    changed(owner);
    groups_topics_changed(owner);
    return 0;
}

int topic_grow(struct owner *owner, const char *name, int32_t count, struct error *error)
{
    struct topic *topic = topic_find(owner, name, strlen(name));
    if (!topic) {
        return topic_unknown(name, error);
    }
    if (count <= topic->count || count > WIRE_MAX_TOPIC_PARTITIONS ||
        owner->partition_count + count - topic->count > WIRE_MAX_PARTITIONS) {
        return error_set_class(error, ERROR_CONFIG,
                               "org.apache.kafka.common.errors.InvalidPartitionsException",
                               "The topic %s currently has %d partition(s); %d would not be an "
                               "increase, or more than the embedded log takes (%d)",
                               name, topic->count, count, WIRE_MAX_TOPIC_PARTITIONS);
    }
    struct growth growth = {topic, count};
    if (store_write(&owner->store, write_growth, &growth, error) != 0) {
        return -1;
    }
    int32_t before = topic->count;
    int result = add_partitions(topic, count);
    owner->partition_count += topic->count - before;
    changed(owner);
    groups_topics_changed(owner);
    return result == 0 ? 0 : error_set(error, ERROR_NO_MEMORY, "No memory for topic %s", name);
}

int topic_delete(struct owner *owner, const char *name, struct error *error)
{
    bool found;
    size_t at = place(owner, name, strlen(name), &found);
    if (!found) {
        return topic_unknown(name, error);
    }
    round_commit(owner); /* nothing that was gathered may point to it */
    struct topic *topic = owner->topics[at];
    if (store_write(&owner->store, write_deletion, topic, error) != 0) {
        return -1;
    }
    groups_topic_gone(owner, topic);
    sessions_end(owner, topic);
    producers_forget_topic(owner, topic->id);
    owner->topic_count--;
    memmove(owner->topics + at, owner->topics + at + 1,
            (owner->topic_count - at) * sizeof(struct topic *));
    owner->partition_count -= topic->count;
    owner->garbage = true;
    log_info(LOGGER, "Topic %s was deleted", name);
    topic_free(topic);
    changed(owner);
    groups_topics_changed(owner);
    return 0;
}
