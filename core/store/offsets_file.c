#include "core/store/offsets_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file_lock.h"
#include "core/base/log.h"
#include "core/store/java_map.h"
#include "core/store/offsets_order.h"
#include "core/store/replace_file.h"
#include "lib/java/hash_order.h"
#include "lib/util/buffer.h"

enum { FILE_MAX = 512 << 20, TEXT_MAX = 16 << 20 };

struct offsets_file {
    char *path;
    int lock; /* descriptor of what path names now; -1: none. [who writes] */
    /* by the key's text with sorted members: {"key": text as written, "connector", "partition",
       "offset"} */
    json_t *entries;
};

/* -- JSON as Kafka Connect writes it -- */

struct member {
    const char *name;
    json_t *value;
    uint32_t bucket;
    size_t number;
};

static int by_bucket(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    if (x->bucket != y->bucket) {
        return x->bucket < y->bucket ? -1 : 1;
    }
    return x->number < y->number ? -1 : 1;
}

/* A copy whose members stand in the order a java.util.HashMap would give them. */
static json_t *in_java_order(json_t *value)
{
    if (json_is_array(value)) {
        json_t *array = json_array(), *item;
        size_t i;
        json_array_foreach(value, i, item)
        {
            json_array_append_new(array, in_java_order(item));
        }
        return array;
    }
    if (!json_is_object(value)) {
        return json_incref(value);
    }
    size_t count = json_object_size(value), i = 0;
    struct member *members = calloc(count + 1, sizeof(*members));
    json_t *object = json_object(), *item;
    const char *name;
    json_object_foreach(value, name, item)
    {
        if (members) {
            uint32_t bucket = java_hash_bucket(name, strlen(name), count);
            members[i] = (struct member){name, item, bucket, i};
            i++;
        }
    }
    if (members) {
        qsort(members, i, sizeof(*members), by_bucket);
    }
    for (size_t k = 0; k < i; k++) {
        json_object_set_new(object, members[k].name, in_java_order(members[k].value));
    }
    free(members);
    return object;
}

/* Compact, and what is beyond the BMP as a pair of escapes, as Jackson writes it. */
static char *print(json_t *value)
{
    json_t *ordered = in_java_order(value);
    char *text = json_dumps(ordered, JSON_COMPACT | JSON_ENCODE_ANY);
    json_decref(ordered);
    struct buffer out;
    buffer_init(&out, TEXT_MAX);
    for (const char *p = text; p && *p;) {
        if ((unsigned char)*p >= 0xf0 && p[1] && p[2] && p[3]) {
            uint32_t c = ((uint32_t)p[0] & 7) << 18 | ((uint32_t)p[1] & 63) << 12 |
                         ((uint32_t)p[2] & 63) << 6 | ((uint32_t)p[3] & 63);
            (void)buffer_printf(&out, "\\u%04X\\u%04X", 0xd800 + ((c - 0x10000) >> 10),
                                0xdc00 + ((c - 0x10000) & 0x3ff));
            p += 4;
        } else {
            (void)buffer_append_char(&out, *p++);
        }
    }
    free(text);
    return buffer_take(&out);
}

/* Two keys that mean the same have the same text here. Owned by the caller. */
static char *meaning(const char *connector, json_t *partition)
{
    json_t *key = json_pack("[s,O]", connector, partition);
    char *text = key ? json_dumps(key, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    json_decref(key);
    return text;
}

/* -- the map -- */

json_t *offsets_file_get(const struct offsets_file *file, const char *connector, json_t *partition)
{
    char *key = meaning(connector, partition);
    json_t *entry = key ? json_object_get(file->entries, key) : NULL;
    free(key);
    return json_object_get(entry, "offset");
}

static void put(struct offsets_file *file, const char *text, const char *connector,
                json_t *partition, json_t *offset)
{
    char *key = meaning(connector, partition);
    if (!key) {
        return;
    }
    if (!offset || json_is_null(offset)) {
        json_object_del(file->entries, key);
    } else {
        json_t *entry = json_object_get(file->entries, key);
        if (entry) { /* keeps the key's bytes: a JVM finds it by them */
            json_object_set_new(entry, "offset", json_deep_copy(offset));
        } else {
            json_object_set_new(file->entries, key,
                                json_pack("{s:s,s:s,s:o,s:o}", "key", text, "connector", connector,
                                          "partition", json_deep_copy(partition), "offset",
                                          json_deep_copy(offset)));
        }
    }
    free(key);
}

void offsets_file_set(struct offsets_file *file, const char *connector, json_t *partition,
                      json_t *offset)
{
    json_t *key = json_pack("[s,O]", connector, partition);
    char *text = key ? print(key) : NULL;
    if (text) {
        put(file, text, connector, partition, offset);
    }
    free(text);
    json_decref(key);
}

json_t *offsets_file_list(const struct offsets_file *file, const char *connector)
{
    json_t *list = json_array(), *entry;
    const char *key;
    json_object_foreach(file->entries, key, entry)
    {
        if (strcmp(json_string_value(json_object_get(entry, "connector")), connector) == 0) {
            json_array_append_new(
                list, json_pack("{s:O,s:O,s:O}", "partition", json_object_get(entry, "partition"),
                                "offset", json_object_get(entry, "offset"), "key",
                                json_object_get(entry, "key")));
        }
    }
    json_t *ordered = offsets_in_source_order(list);
    json_decref(list);
    return ordered;
}

const char *offsets_file_path(const struct offsets_file *file)
{
    return file->path;
}

/* -- reading -- */

static int on_entry(void *user, const char *key, size_t key_size, const char *value,
                    size_t value_size)
{
    struct offsets_file *file = user;
    const size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
    json_t *name = key ? json_loadb(key, key_size, flags, NULL) : NULL;
    json_t *offset = value ? json_loadb(value, value_size, flags, NULL) : NULL;
    const char *connector = json_string_value(json_array_get(name, 0));
    json_t *partition = json_array_get(name, 1);
    if (connector && partition && offset) { /* a null value is an offset that was reset */
        char *text = strndup(key, key_size);
        if (text) {
            put(file, text, connector, partition, offset);
        }
        free(text);
    }
    json_decref(name);
    json_decref(offset);
    return 0;
}

static int read_all(const char *path, char **ret_data, size_t *ret_size, struct error *error)
{
    struct buffer data;
    buffer_init(&data, FILE_MAX);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        *ret_size = 0;
        return errno == ENOENT ? 0 : error_set_errno(error, errno, "Could not open %s", path);
    }
    int result = 0;
    for (;;) {
        char block[65536];
        ssize_t got = read(fd, block, sizeof(block));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            result = error_set_errno(error, errno, "Could not read %s", path);
        }
        if (got <= 0) {
            break;
        }
        if (buffer_append(&data, block, (size_t)got) != 0) {
            result = error_set(error, ERROR_TOO_LARGE, "%s is too large for an offset file", path);
            break;
        }
    }
    close(fd);
    *ret_size = data.size;
    *ret_data = buffer_take(&data);
    return result;
}

/*
 * Whoever holds the lock may put another file in place of this one, locked as well: what was locked here
 * counts only where path still names it. A file that cannot be made or opened is not locked; reading or
 * writing it will tell.
 */
static int lock(struct offsets_file *file, struct error *error)
{
    for (;;) {
        struct stat locked, named;
        int fd = open(file->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT) {
            fd = open(file->path, O_RDONLY | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0644);
        }
        int failure = fd >= 0 ? file_lock(fd, FILE_LOCK_WAIT_MS, NULL, NULL) : 0;
        if (failure == EWOULDBLOCK) {
            close(fd);
            return error_set(error, ERROR_BUSY,
                             "Another worker stores source offsets in %s (fuser names its process); stop "
                             "it, or give this one a file of its own: offset.storage.file.filename",
                             file->path);
        }
        if (failure != 0) {
            log_warn("sluice.store", "%s cannot be locked (%s): let no other worker use it", file->path,
                     strerror(failure));
        }
        if (fd < 0 || failure != 0 ||
            (fstat(fd, &locked) == 0 && stat(file->path, &named) == 0 &&
             locked.st_dev == named.st_dev && locked.st_ino == named.st_ino)) {
            file->lock = fd;
            return 0;
        }
        close(fd);
    }
}

int offsets_file_open(const char *path, struct offsets_file **ret_file, struct error *error)
{
    struct offsets_file *file = calloc(1, sizeof(*file));
    char *data = NULL;
    size_t size = 0;
    if (file) {
        file->lock = -1;
    }
    if (!file || !(file->path = strdup(path)) || !(file->entries = json_object())) {
        offsets_file_close(file);
        return error_set(error, ERROR_NO_MEMORY, "Out of memory for offsets");
    }
    int result = lock(file, error);
    result = result == 0 ? read_all(path, &data, &size, error) : result;
    if (result == 0 && size > 0) { /* an empty one is what FileOffsetBackingStore starts with */
        result = java_map_read(data, size, path, on_entry, file, error);
    }
    free(data);
    if (result != 0) {
        offsets_file_close(file);
        return -1;
    }
    *ret_file = file;
    return 0;
}

void offsets_file_close(struct offsets_file *file)
{
    if (file) {
        if (file->lock >= 0) {
            close(file->lock);
        }
        json_decref(file->entries);
        free(file->path);
        free(file);
    }
}

/* -- writing -- */

char *offsets_file_encode(const struct offsets_file *file, size_t *ret_size)
{
    struct buffer out;
    json_t *entry;
    const char *name;
    size_t number = 0;
    buffer_init(&out, FILE_MAX);
    java_map_begin(&out, json_object_size(file->entries));
    json_object_foreach(file->entries, name, entry)
    {
        const char *key = json_string_value(json_object_get(entry, "key"));
        char *value = print(json_object_get(entry, "offset"));
        if (!value) {
            buffer_finish(&out);
            return NULL;
        }
        java_map_add(&out, number++, key, strlen(key), value, strlen(value));
        free(value);
    }
    java_map_end(&out);
    *ret_size = out.size;
    return buffer_take(&out);
}

/* invariant 1: whoever waits for the offsets is told after this has returned, not before */
int offsets_file_write(struct offsets_file *file, const char *content, size_t size,
                       struct error *error)
{
    return replace_file(file->path, content, size, 0644, &file->lock, error) == 0
               ? 0
               : error_wrap(error, ERROR_SYSTEM, NULL, "Could not store offsets in %s", file->path);
}
