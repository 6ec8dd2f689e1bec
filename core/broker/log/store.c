#include "core/broker/log/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/log.h"

#define LOGGER "sluice.log.store"
#define STORE_FORMAT 1u

/* Address space, not memory: the first map, at least twice the file. */
#define FIRST_MAP ((size_t)1 << 30)

static const char *const table_names[STORE_TABLES] = {
    [STORE_META] = "meta", [STORE_TOPICS] = "topics",       [STORE_PARTITIONS] = "partitions",
    [STORE_LOG] = "log",   [STORE_PRODUCERS] = "producers", [STORE_OFFSETS] = "offsets",
};

static int store_error(const struct store *store, int code, const char *what, struct error *error)
{
    if (code == ENOSPC || code == EDQUOT || code == EFBIG || code == EIO) {
        /* LMDB says EIO for a write that was cut short, which is how most disks get full. */
        (void)error_set_class(
            error, ERROR_SYSTEM, "org.apache.kafka.common.errors.KafkaStorageException",
            "The embedded log %s cannot be written, most likely because its disk is "
            "full (%s): free some room, or shorten retention.ms or retention.bytes "
            "of its topics",
            store->name, strerror(code));
        error->retriable = true;
        return -1;
    }
    return error_set_class(error, ERROR_SYSTEM,
                           "org.apache.kafka.common.errors.KafkaStorageException",
                           "The embedded log %s: %s: %s", store->name, what, mdb_strerror(code));
}

static int grow(struct store *store)
{
    MDB_envinfo info;
    mdb_env_info(store->env, &info);
    size_t size = info.me_mapsize;
    if (size > SIZE_MAX / 4) {
        return MDB_MAP_FULL;
    }
    mdb_txn_abort(store->reader);
    store->reader = NULL;
    return mdb_env_set_mapsize(store->env, size * 2);
}

static int open_tables(struct store *store, MDB_txn *txn, void *arg)
{
    (void)arg;
    for (int i = 0; i < STORE_TABLES; i++) {
        int code = mdb_dbi_open(txn, table_names[i], MDB_CREATE, &store->tables[i]);
        if (code != 0) {
            return code;
        }
    }
    uint32_t format = STORE_FORMAT, starts = 0;
    MDB_val name = {6, "format"}, value;
    int code = mdb_get(txn, store->tables[STORE_META], &name, &value);
    if (code == MDB_NOTFOUND) {
        value = (MDB_val){sizeof(format), &format};
        code = mdb_put(txn, store->tables[STORE_META], &name, &value, 0);
    } else if (code == 0) {
        if (value.mv_size != sizeof(format) ||
            memcmp(value.mv_data, &format, sizeof(format)) != 0) {
            return MDB_VERSION_MISMATCH;
        }
    }
    if (code != 0) {
        return code;
    }
    name = (MDB_val){6, "starts"};
    code = mdb_get(txn, store->tables[STORE_META], &name, &value);
    if (code == 0 && value.mv_size == sizeof(starts)) {
        memcpy(&starts, value.mv_data, sizeof(starts));
    } else if (code != MDB_NOTFOUND && code != 0) {
        return code;
    }
    store->starts = starts + 1;
    value = (MDB_val){sizeof(store->starts), &store->starts};
    return mdb_put(txn, store->tables[STORE_META], &name, &value, 0);
}

int store_open(struct store *store, int dir_fd, const char *name, struct error *error)
{
    char path[64];
    struct stat file = {0};
    *store = (struct store){.name = strdup(name)};
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d/data.mdb", dir_fd);
    size_t map = FIRST_MAP;
    if (stat(path, &file) == 0) {
        while (map / 2 < (size_t)file.st_size) {
            map *= 2;
        }
    }
    int code = mdb_env_create(&store->env);
    if (code == 0) {
        code = mdb_env_set_maxdbs(store->env, STORE_TABLES);
    }
    if (code == 0) {
        code = mdb_env_set_mapsize(store->env, map);
    }
    if (code == 0) {
        /* One process (flock on DIR/lock) and one thread that never writes while it reads: LMDB
         * need not keep locks of its own, and none is left behind by kill -9. Commits are synced.
         */
        code = mdb_env_open(store->env, path, MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOTLS, 0600);
    }
    if (code != 0) {
        (void)store_error(store, code, "data.mdb could not be opened", error);
        store_close(store);
        return -1;
    }
    if (store_write(store, open_tables, NULL, error) != 0) {
        (void)error_wrap(error, ERROR_SYSTEM, NULL, "The embedded log %s could not be opened",
                         name);
        store_close(store);
        return -1;
    }
    return 0;
}

void store_close(struct store *store)
{
    if (store->env) {
        mdb_txn_abort(store->reader);
        mdb_env_close(store->env);
    }
    free(store->name);
    *store = (struct store){0};
}

int store_write(struct store *store, store_write_fn write, void *arg, struct error *error)
{
    for (;;) {
        MDB_txn *txn = NULL;
        int code = mdb_txn_begin(store->env, NULL, 0, &txn);
        if (code == MDB_MAP_RESIZED) {
            mdb_txn_abort(store->reader);
            store->reader = NULL;
            code = mdb_env_set_mapsize(store->env, 0);
            if (code == 0) {
                continue;
            }
        }
        if (code == 0) {
            code = write(store, txn, arg);
            if (code == 0) {
                code =
                    mdb_txn_commit(txn); /* invariant 2: written and synced before anyone is told */
            } else {
                mdb_txn_abort(txn);
            }
        }
        if (code == MDB_MAP_FULL) {
            code = grow(store);
            if (code == 0) {
                continue;
            }
        }
        if (code == 0) {
            return 0;
        }
        if (code == MDB_PANIC) {
            /* What is on disk is known only to one who reads it again: the next owner does. */
            log_error(LOGGER,
                      "The embedded log %s cannot write any more (%s); its owner ends and is "
                      "started again",
                      store->name, mdb_strerror(code));
            _Exit(3);
        }
        return store_error(store, code, "it could not be written", error);
    }
}

int store_read_begin(struct store *store, struct error *error)
{
    int code = store->reader ? mdb_txn_renew(store->reader)
                             : mdb_txn_begin(store->env, NULL, MDB_RDONLY, &store->reader);
    if (code != 0) {
        mdb_txn_abort(store->reader);
        store->reader = NULL;
        return store_error(store, code, "it could not be read", error);
    }
    return 0;
}

void store_read_end(struct store *store)
{
    if (store->reader) {
        mdb_txn_reset(store->reader);
    }
}

/* -- keys -- */

static void put_big(unsigned char *to, uint64_t value, size_t size)
{
    for (size_t i = size; i > 0; i--) {
        to[i - 1] = (unsigned char)value;
        value >>= 8;
    }
}

MDB_val store_key_partition(struct store_key *key, uint32_t topic, int32_t partition)
{
    put_big(key->bytes, topic, 4);
    put_big(key->bytes + 4, (uint32_t)partition, 4);
    return (MDB_val){8, key->bytes};
}

MDB_val store_key_log(struct store_key *key, uint32_t topic, int32_t partition, int64_t offset)
{
    put_big(key->bytes, topic, 4);
    put_big(key->bytes + 4, (uint32_t)partition, 4);
    put_big(key->bytes + 8, (uint64_t)offset, 8);
    return (MDB_val){16, key->bytes};
}

MDB_val store_key_producer(struct store_key *key, uint64_t id, uint32_t topic, int32_t partition)
{
    put_big(key->bytes, id, 8);
    put_big(key->bytes + 8, topic, 4);
    put_big(key->bytes + 12, (uint32_t)partition, 4);
    return (MDB_val){16, key->bytes};
}

uint64_t store_key_u64(const MDB_val *key, size_t at)
{
    uint64_t value = 0;
    for (size_t i = at; i < at + 8 && i < key->mv_size; i++) {
        value = value << 8 | ((const unsigned char *)key->mv_data)[i];
    }
    return value;
}

uint32_t store_key_u32(const MDB_val *key, size_t at)
{
    uint32_t value = 0;
    for (size_t i = at; i < at + 4 && i < key->mv_size; i++) {
        value = value << 8 | ((const unsigned char *)key->mv_data)[i];
    }
    return value;
}
