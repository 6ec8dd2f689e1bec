/*
 * What leaves an embedded log: the front of partitions by size and age (retention.bytes,
 * retention.ms as in Kafka, whose unit is a segment; here it is a stored value), and the data of
 * deleted topics. In pieces, so that no transaction gets long; by a timer that is set for when
 * something will be due, so that an idle log sleeps. [owner's one thread]
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/broker/log/owner.h"

#define LOGGER "sluice.log.retention"

enum { PIECE = 2000 /* values deleted in one transaction */ };

/* Records and newest timestamp of a stored value. */
static void measure(const MDB_val *value, int64_t *ret_count, int64_t *ret_newest)
{
    const char *at = value->mv_data, *end = at + value->mv_size;
    struct log_batch_head head;
    *ret_count = 0;
    *ret_newest = INT64_MIN;
    while ((size_t)(end - at) >= sizeof(head)) {
        memcpy(&head, at, sizeof(head));
        if (head.size < sizeof(head) || head.size > (size_t)(end - at)) {
            break;
        }
        *ret_count += head.count;
        *ret_newest = head.max_timestamp > *ret_newest ? head.max_timestamp : *ret_newest;
        at += head.size;
    }
}

static int64_t expiry(const struct partition *partition, int64_t newest)
{
    int64_t at;
    int64_t keep = partition->topic->settings.retention_ms;
    if (keep < 0 || __builtin_add_overflow(newest, keep, &at)) {
        return INT64_MAX;
    }
    return at;
}

int retention_trim(struct owner *owner, MDB_txn *txn, struct partition *partition, int64_t now_ms,
                   size_t *budget, int64_t *ret_expires)
{
    const struct topic_settings *settings = &partition->topic->settings;
    MDB_cursor *cursor;
    int code = mdb_cursor_open(txn, owner->store.tables[STORE_LOG], &cursor);
    while (code == 0 && *budget > 0) {
        struct store_key bytes;
        MDB_val key = store_key_log(&bytes, partition->topic->id, partition->number, 0), value;
        code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
        if (code != 0 || store_key_u32(&key, 0) != partition->topic->id ||
            store_key_u32(&key, 4) != (uint32_t)partition->number) {
            break;
        }
        int64_t count, newest;
        measure(&value, &count, &newest);
        int64_t expires = expiry(partition, newest);
        bool over = settings->retention_bytes >= 0 &&
                    partition->new_bytes - (int64_t)value.mv_size >= settings->retention_bytes;
        if (!over && expires > now_ms) {
            *ret_expires = expires;
            break;
        }
        partition->new_start = (int64_t)store_key_u64(&key, 8) + count;
        partition->new_bytes -= (int64_t)value.mv_size;
        code = mdb_cursor_del(cursor, 0);
        (*budget)--;
    }
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? 0 : code;
}

static void set_timer(struct owner *owner, int64_t expires)
{
    if (expires == INT64_MAX) {
        return;
    }
    int64_t delay = expires - clock_wall_ms();
    if (delay < owner->defaults.retention_check_ms) {
        delay = owner->defaults.retention_check_ms;
    }
    int64_t at = clock_monotonic_ms() + delay;
    owner->retention_at = at < owner->retention_at ? at : owner->retention_at;
}

void retention_note(struct owner *owner, const struct partition *partition, int64_t timestamp)
{
    set_timer(owner, expiry(partition, timestamp));
}

void retention_soon(struct owner *owner)
{
    set_timer(owner, clock_wall_ms());
}

struct pass {
    struct owner *owner;
    int64_t now, expires;
    size_t budget;
    bool garbage; /* some is left */
};

static int put_partition(struct store *store, MDB_txn *txn, const struct partition *partition)
{
    struct store_key bytes;
    int64_t numbers[3] = {partition->new_start, partition->next, partition->new_bytes};
    MDB_val key = store_key_partition(&bytes, partition->topic->id, partition->number);
    MDB_val value = {sizeof(numbers), numbers};
    return mdb_put(txn, store->tables[STORE_PARTITIONS], &key, &value, 0);
}

/* Deletes data of topics that are no more. */
static int sweep(struct pass *pass, struct store *store, MDB_txn *txn)
{
    MDB_cursor *cursor;
    int code = mdb_cursor_open(txn, store->tables[STORE_LOG], &cursor);
    uint32_t id = 0;
    while (code == 0 && pass->budget > 0) {
        struct store_key bytes;
        MDB_val key = store_key_log(&bytes, id, 0, 0), value;
        code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
        if (code != 0) {
            break;
        }
        id = store_key_u32(&key, 0);
        if (topic_by_id(pass->owner, id)) {
            id++;
            continue;
        }
        code = mdb_cursor_del(cursor, 0);
        pass->budget--;
    }
    mdb_cursor_close(cursor);
    pass->garbage = pass->budget == 0;
    return code == MDB_NOTFOUND ? 0 : code;
}

static int write_pass(struct store *store, MDB_txn *txn, void *arg)
{
    struct pass *pass = arg;
    struct owner *owner = pass->owner;
    pass->budget = PIECE;
    pass->expires = INT64_MAX;
    for (size_t t = 0; t < owner->topic_count; t++) {
        struct topic *topic = owner->topics[t];
        for (int32_t i = 0; i < topic->count; i++) {
            struct partition *partition = topic->partitions[i];
            partition->new_start = partition->start;
            partition->new_bytes = partition->bytes;
            if (partition->start == partition->next) {
                continue;
            }
            int64_t expires = INT64_MAX;
            int code = retention_trim(owner, txn, partition, pass->now, &pass->budget, &expires);
            if (code == 0 && partition->new_start != partition->start) {
                code = put_partition(store, txn, partition);
            }
            if (code != 0) {
                return code;
            }
            pass->expires = expires < pass->expires ? expires : pass->expires;
        }
    }
    return owner->garbage ? sweep(pass, store, txn) : 0;
}

void retention_run(struct owner *owner)
{
    struct pass pass = {.owner = owner, .now = clock_wall_ms()};
    struct error error = {0};
    owner->retention_at = INT64_MAX;
    if (store_write(&owner->store, write_pass, &pass, &error) != 0) {
        log_warn(LOGGER, "Old data could not be deleted: %s", error.message);
        error_clear(&error);
        owner->garbage = false; /* the next owner tries again */
        retention_soon(owner);
        return;
    }
    for (size_t t = 0; t < owner->topic_count; t++) {
        struct topic *topic = owner->topics[t];
        for (int32_t i = 0; i < topic->count; i++) {
            struct partition *partition = topic->partitions[i];
            partition->start = partition->new_start;
            partition->bytes = partition->new_bytes;
        }
    }
    owner->garbage = pass.garbage;
    set_timer(owner, pass.expires);
    if (pass.budget == 0) { /* more is due: go on in the next turn */
        owner->retention_at = clock_monotonic_ms();
    }
}
