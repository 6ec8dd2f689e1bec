/*
 * The Java serialisation stream of one HashMap<byte[],byte[]>, as ObjectOutputStream writes it; a
 * small fixed part of the grammar in the Object Serialization Specification, chapter 6. Pure.
 */
#ifndef CORE_STORE_JAVA_MAP_H
#define CORE_STORE_JAVA_MAP_H

#include <stddef.h>

#include "core/base/error.h"
#include "lib/util/buffer.h"

/** key or value NULL: null. Not 0 ends the reading. */
typedef int (*java_map_entry_fn)(void *user, const char *key, size_t key_size, const char *value,
                                 size_t value_size);

/** Reads a stream; name is used in messages. */
int java_map_read(const char *data, size_t size, const char *name, java_map_entry_fn on_entry,
                  void *user, struct error *error) CHECKED;

/** Appends the stream's begin for count entries, each entry, and its end. Failures stay in out. */
void java_map_begin(struct buffer *out, size_t count);
void java_map_add(struct buffer *out, size_t number, const char *key, size_t key_size,
                  const char *value, size_t value_size);
void java_map_end(struct buffer *out);

#endif
