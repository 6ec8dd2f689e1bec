/*
 * Committed offsets of groups, kept in the store only. [owner's one thread]
 */
#include <stdlib.h>
#include <string.h>

#include "core/broker/log/owner.h"

#define OFFSETS_IN_FRAME 65536u

bool offsets_key(char key[320], const char *group, uint32_t topic, int32_t partition,
                 MDB_val *ret_key)
{
    size_t size = strlen(group);
    struct store_key tail;
    if (size > WIRE_MAX_GROUP_NAME) {
        return false;
    }
    MDB_val end = store_key_partition(&tail, topic, partition);
    memcpy(key, group, size + 1);
    memcpy(key + size + 1, end.mv_data, end.mv_size);
    *ret_key = (MDB_val){size + 1 + end.mv_size, key};
    return true;
}

int64_t offsets_get(struct owner *owner, const char *group, uint32_t topic, int32_t partition)
{
    char bytes[320];
    MDB_val key, value;
    int64_t offset = -1;
    if (offsets_key(bytes, group, topic, partition, &key) &&
        mdb_get(owner->store.reader, owner->store.tables[STORE_OFFSETS], &key, &value) == 0 &&
        value.mv_size == sizeof(offset)) {
        memcpy(&offset, value.mv_data, sizeof(offset));
    }
    return offset;
}

static int bad_group(const char *group, struct error *error)
{
    if (*group == '\0') {
        return error_set_class(error, ERROR_CONFIG,
                               "org.apache.kafka.common.errors.InvalidGroupIdException",
                               "The group id is empty: set group.id");
    }
    return 0;
}

/* Resolves names into ids; NULL with error, or the connection is closed (no error). */
static struct offset_write *gather_offsets(struct client *client, uint32_t id, const char *group,
                                           struct wire_reader *reader, struct error *error)
{
    uint32_t count = wire_get_u32(reader);
    if (reader->failed || count > OFFSETS_IN_FRAME) {
        client_close(client, "a list of offsets is malformed");
        return NULL;
    }
    struct offset_entry *entries =
        arena_alloc(&client->owner->round.arena, (count + 1) * sizeof(*entries));
    for (uint32_t i = 0; i < count; i++) {
        char topic[WIRE_MAX_TOPIC_NAME + 1];
        wire_get_text(reader, topic, sizeof(topic));
        int32_t number = (int32_t)wire_get_u32(reader);
        int64_t offset = wire_get_i64(reader);
        if (reader->failed || offset < -1) {
            client_close(client, "a list of offsets is malformed");
            return NULL;
        }
        struct partition *partition = partition_find(client->owner, topic, number, error);
        if (!partition) {
            return NULL;
        }
        entries[i] = (struct offset_entry){partition->topic->id, number, offset};
    }
    struct offset_write *write = arena_alloc(&client->owner->round.arena, sizeof(*write));
    *write = (struct offset_write){
        .client = client,
        .id = id,
        .group = arena_strdup(&client->owner->round.arena, group),
        .entries = entries,
        .count = count,
    };
    return write;
}

static void refuse(struct client *client, uint32_t id, struct error *error)
{
    if (error->code != ERROR_NONE) {
        client_reply_error(client, id, error);
        error_clear(error);
    }
}

void offsets_commit(struct client *client, uint32_t id, struct wire_reader *reader)
{
    char group[WIRE_MAX_GROUP_NAME + 1];
    struct error error = {0};
    wire_get_text(reader, group, sizeof(group));
    int64_t generation = wire_get_i64(reader);
    struct offset_write *write = NULL;
    if (reader->failed) {
        client_close(client, "a commit is malformed");
    } else if (bad_group(group, &error) == 0) {
        write = gather_offsets(client, id, group, reader, &error);
    }
    if (write &&
        group_check_commit(client, group, generation, write->entries, write->count, &error) == 0) {
        round_add_offsets(client->owner, write);
        return;
    }
    refuse(client, id, &error);
}

void offsets_alter(struct client *client, uint32_t id, struct wire_reader *reader)
{
    char group[WIRE_MAX_GROUP_NAME + 1];
    struct error error = {0};
    wire_get_text(reader, group, sizeof(group));
    struct offset_write *write = NULL;
    if (reader->failed) {
        client_close(client, "a request to alter offsets is malformed");
    } else if (group_has_members(client->owner, group)) {
        (void)error_set_class(
            &error, ERROR_GROUP_NOT_EMPTY, "org.apache.kafka.common.errors.GroupNotEmptyException",
            "Group %s has members; stop them before its offsets are changed", group);
    } else if (bad_group(group, &error) == 0) {
        write = gather_offsets(client, id, group, reader, &error);
    }
    if (write) {
        round_add_offsets(client->owner, write);
        return;
    }
    refuse(client, id, &error);
}

/* -- whole groups -- */

static bool of_group(const MDB_val *key, const char *group, size_t size)
{
    return key->mv_size == size + 1 + 8 && memcmp(key->mv_data, group, size + 1) == 0;
}

void offsets_list(struct client *client, uint32_t id, struct wire_reader *reader)
{
    struct owner *owner = client->owner;
    struct store *store = &owner->store;
    char group[WIRE_MAX_GROUP_NAME + 1];
    struct error error = {0};
    wire_get_text(reader, group, sizeof(group));
    if (reader->failed) {
        client_close(client, "a request for offsets is malformed");
        return;
    }
    round_commit(owner);
    if (store_read_begin(store, &error) != 0) {
        refuse(client, id, &error);
        return;
    }
    size_t size = strlen(group);
    size_t begin = client_reply_begin(client, id);
    size_t count_at = client->out.size - begin;
    uint32_t count = 0;
    wire_put_u32(&client->out, 0);
    MDB_cursor *cursor = NULL;
    MDB_val key = {size + 1, group}, value;
    int code = mdb_cursor_open(store->reader, store->tables[STORE_OFFSETS], &cursor);
    if (code == 0) {
        code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
        while (code == 0 && of_group(&key, group, size)) {
            int64_t offset;
            const struct topic *topic = topic_by_id(owner, store_key_u32(&key, size + 1));
            if (topic && value.mv_size == sizeof(offset)) {
                memcpy(&offset, value.mv_data, sizeof(offset));
                wire_put_text(&client->out, topic->name);
                wire_put_u32(&client->out, store_key_u32(&key, size + 5));
                wire_put_i64(&client->out, offset);
                count++;
            }
            code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
        }
        mdb_cursor_close(cursor);
    }
    store_read_end(store);
    if (!client->out.failed) {
        memcpy(client->out.data + begin + count_at, &count, sizeof(count));
    }
    client_reply_end(client, begin);
}

struct group_deletion {
    const char *group;
    size_t count;
};

static int write_group_deletion(struct store *store, MDB_txn *txn, void *arg)
{
    struct group_deletion *deletion = arg;
    size_t size = strlen(deletion->group);
    MDB_cursor *cursor;
    int code = mdb_cursor_open(txn, store->tables[STORE_OFFSETS], &cursor);
    deletion->count = 0;
    while (code == 0) {
        MDB_val key = {size + 1, (void *)(uintptr_t)deletion->group}, value;
        code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
        if (code != 0 || !of_group(&key, deletion->group, size)) {
            break;
        }
        code = mdb_cursor_del(cursor, 0);
        deletion->count++;
    }
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? 0 : code;
}

void offsets_delete_group(struct client *client, uint32_t id, struct wire_reader *reader)
{
    char group[WIRE_MAX_GROUP_NAME + 1];
    struct error error = {0};
    struct group_deletion deletion = {.group = group};
    wire_get_text(reader, group, sizeof(group));
    if (reader->failed) {
        client_close(client, "a request to delete a group is malformed");
        return;
    }
    round_commit(client->owner);
    if (group_has_members(client->owner, group)) {
        (void)error_set_class(&error, ERROR_GROUP_NOT_EMPTY,
                              "org.apache.kafka.common.errors.GroupNotEmptyException",
                              "Group %s has members; stop them before it is deleted", group);
    } else if (store_write(&client->owner->store, write_group_deletion, &deletion, &error) == 0 &&
               deletion.count == 0) {
        (void)error_set_class(&error, ERROR_NOT_FOUND,
                              "org.apache.kafka.common.errors.GroupIdNotFoundException",
                              "There is no group %s", group);
    }
    if (error.code == ERROR_NONE) {
        client_reply_end(client, client_reply_begin(client, id));
    }
    refuse(client, id, &error);
}
