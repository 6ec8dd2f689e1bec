#include "core/config/properties.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/config/memory.h"
#include "lib/java/properties_text.h"
#include "lib/util/buffer.h"

/** FNV-1a; keys are few and come from the administrator, so it need not resist attacks. */
static uint32_t hash_name(const char *name)
{
    uint32_t hash = 2166136261u;
    for (; *name; name++) {
        hash = (hash ^ (unsigned char)*name) * 16777619u;
    }
    return hash;
}

/** The slot that holds name (its item's place + 1), or the empty one (0) where it would go. */
static uint32_t *find_slot(const struct properties *properties, const char *name)
{
    size_t slot = hash_name(name) & (properties->index_size - 1);
    for (;;) {
        uint32_t *entry = &properties->index[slot];
        if (*entry == 0 || strcmp(properties->items[*entry - 1].name, name) == 0) {
            return entry;
        }
        slot = (slot + 1) & (properties->index_size - 1);
    }
}

static void rebuild_index(struct properties *properties, size_t size)
{
    if (size != properties->index_size) {
        free(properties->index);
        properties->index = memory_zeroed(size, sizeof(*properties->index));
        properties->index_size = size;
    } else {
        memset(properties->index, 0, size * sizeof(*properties->index));
    }
    for (size_t i = 0; i < properties->count; i++) {
        *find_slot(properties, properties->items[i].name) = (uint32_t)i + 1;
    }
}

void properties_finish(struct properties *properties)
{
    if (!properties) {
        return;
    }
    for (size_t i = 0; i < properties->count; i++) {
        free(properties->items[i].name);
        free(properties->items[i].value);
    }
    free(properties->items);
    free(properties->index);
    *properties = (struct properties){0};
}

const char *properties_get(const struct properties *properties, const char *name)
{
    if (properties->index_size == 0) {
        return NULL;
    }
    uint32_t entry = *find_slot(properties, name);
    return entry ? properties->items[entry - 1].value : NULL;
}

void properties_set(struct properties *properties, const char *name, const char *value)
{
    char *copy = memory_text(value); /* first: value may be the one that is replaced */
    if (properties->count * 2 >= properties->index_size) {
        rebuild_index(properties, properties->index_size ? properties->index_size * 2 : 32);
    }
    uint32_t *slot = find_slot(properties, name);
    if (*slot) {
        struct property *item = &properties->items[*slot - 1];
        free(item->value);
        item->value = copy;
        return;
    }
    if (properties->count == properties->capacity) {
        properties->capacity = properties->capacity ? properties->capacity * 2 : 16;
        properties->items =
            memory_grown(properties->items, properties->capacity, sizeof(*properties->items));
    }
    properties->items[properties->count++] =
        (struct property){.name = memory_text(name), .value = copy};
    *slot = (uint32_t)properties->count;
}

bool properties_remove(struct properties *properties, const char *name)
{
    uint32_t entry = properties->index_size ? *find_slot(properties, name) : 0;
    if (entry == 0) {
        return false;
    }
    struct property *item = &properties->items[entry - 1];
    free(item->name);
    free(item->value);
    memmove(item, item + 1, (properties->count - entry) * sizeof(*item));
    properties->count--;
    rebuild_index(properties, properties->index_size);
    return true;
}

void properties_copy(struct properties *to, const struct properties *from)
{
    properties_copy_prefixed(to, from, "");
}

void properties_copy_prefixed(struct properties *to, const struct properties *from,
                              const char *prefix)
{
    size_t length = strlen(prefix);
    for (size_t i = 0; i < from->count; i++) {
        const struct property *item = &from->items[i];
        if (strncmp(item->name, prefix, length) == 0 && item->name[length]) {
            properties_set(to, item->name + length, item->value);
        }
    }
}

struct load {
    struct properties *properties;
    const char *name;
    struct error *error;
};

static int take_pair(void *user, const char *key, size_t key_size, const char *value,
                     size_t value_size, size_t line)
{
    struct load *load = user;
    if (strlen(key) != key_size || strlen(value) != value_size) {
        return error_set(load->error, ERROR_SYNTAX,
                         "%s, line %zu: key or value holds the character U+0000, which no "
                         "configuration can use; take it out",
                         load->name, line);
    }
    properties_set(load->properties, key, value);
    return 0;
}

int properties_load(struct properties *properties, const char *data, size_t size, const char *name,
                    struct error *error)
{
    struct load load = {.properties = properties, .name = name, .error = error};
    size_t line = 0;
    switch (properties_text_parse(data, size, PROPERTIES_LATIN1, take_pair, &load, &line)) {
    case PROPERTIES_OK:
        return 0;
    case PROPERTIES_STOPPED:
        break; /* take_pair() filled the error */
    case PROPERTIES_MALFORMED_ESCAPE:
        return error_set_class(error, ERROR_SYNTAX, "java.lang.IllegalArgumentException",
                               "%s, line %zu: Malformed \\uxxxx encoding. Four hexadecimal digits "
                               "follow \\u; a backslash itself is written \\\\",
                               name, line);
    case PROPERTIES_TOO_LONG:
        return error_set(error, ERROR_SYNTAX,
                         "%s, line %zu: too long; a file may have %zu bytes and a line, with those "
                         "that continue it, %zu",
                         name, line, PROPERTIES_TEXT_MAX, PROPERTIES_LINE_MAX);
    case PROPERTIES_NO_MEMORY:
        return error_set(error, ERROR_NO_MEMORY, "%s, line %zu: out of memory", name, line);
    }
    return -1;
}

int properties_read_file(const char *path, char **ret_data, size_t *ret_size, struct error *error)
{
    int result = -1;
    struct buffer data;
    buffer_init(&data,
                PROPERTIES_TEXT_MAX + 1); /* one more, so that the parser sees it is too long */
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        error_set_errno(error, errno, "%s cannot be opened", path);
        goto out;
    }
    struct stat status;
    if (fstat(fd, &status) == 0 && S_ISDIR(status.st_mode)) {
        error_set_errno(error, EISDIR, "%s cannot be read", path);
        goto out;
    }
    char piece[16384];
    for (;;) {
        ssize_t got = read(fd, piece, sizeof(piece));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            error_set_errno(error, errno, "%s cannot be read", path);
            goto out;
        }
        if (got == 0) {
            break;
        }
        if (buffer_append(&data, piece, (size_t)got)) {
            error_set(error, ERROR_SYNTAX, "%s: too long; a file may have %zu bytes", path,
                      PROPERTIES_TEXT_MAX);
            goto out;
        }
    }
    *ret_size = data.size;
    *ret_data = data.size ? buffer_take(&data) : memory_text("");
    result = 0;
out:
    if (fd >= 0) {
        close(fd);
    }
    buffer_finish(&data);
    return result;
}

int properties_load_file(struct properties *properties, const char *path, struct error *error)
{
    char *data = NULL;
    size_t size = 0;
    if (properties_read_file(path, &data, &size, error)) {
        return -1;
    }
    int result = properties_load(properties, data, size, path, error);
    free(data);
    return result;
}
