/*
 * An ordered set of keys and values, and the reading of .properties files into it: exactly
 * java.util.Properties.load. The set is used for every configuration that is still text: worker
 * file, connector, task, client. Keys are unique; the last one given wins. Not thread-safe.
 */
#ifndef CORE_CONFIG_PROPERTIES_H
#define CORE_CONFIG_PROPERTIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"

struct property {
    char *name;  /* UTF-8 */
    char *value; /* UTF-8, as given, blanks kept */
};

struct properties {
    struct property *items; /* in the order the keys first came */
    size_t count, capacity;
    /* index by hash of name, managed by the implementation */
    uint32_t *index;
    size_t index_size;
};

/** A zeroed struct properties is an empty one. */
void properties_finish(struct properties *properties);
/** NULL where absent. */
const char *properties_get(const struct properties *properties, const char *name);
/** Adds or replaces; copies. */
void properties_set(struct properties *properties, const char *name, const char *value);
bool properties_remove(struct properties *properties, const char *name);
void properties_copy(struct properties *to, const struct properties *from);
/** Adds to `to` every key of `from` below prefix, with the prefix taken off. */
void properties_copy_prefixed(struct properties *to, const struct properties *from,
                              const char *prefix);
/** Reads a file; errors name the file and the line. Existing keys are kept or replaced. */
int properties_load_file(struct properties *properties, const char *path,
                         struct error *error) CHECKED;
/** Bytes of a file, NUL-terminated, at most PROPERTIES_TEXT_MAX; owned by the caller. */
int properties_read_file(const char *path, char **ret_data, size_t *ret_size,
                         struct error *error) CHECKED;
/**
 * The same as properties_load_file() from memory; name is used in messages. Bytes are ISO-8859-1,
 * as Properties.load(InputStream) takes them and Connect therefore does. U+0000 (which Java would
 * take) is refused.
 */
int properties_load(struct properties *properties, const char *data, size_t size, const char *name,
                    struct error *error) CHECKED;

#endif
