/*
 * Source offsets in the file of standalone Kafka Connect (FileOffsetBackingStore): a
 * Java-serialised HashMap<byte[],byte[]> whose keys are JSON `["connector",{partition}]` and whose
 * values are JSON
 * `{offset}` (kafka-connect.md §7.4). In memory partitions are compared by meaning, not by bytes: a
 * JVM may have written their members in another order.
 *
 * The map belongs to one thread. Saving has a part for that thread (offsets_file_encode) and one
 * that waits for the disk and may be left to another (offsets_file_write).
 */
#ifndef CORE_STORE_OFFSETS_FILE_H
#define CORE_STORE_OFFSETS_FILE_H

#include <jansson.h>
#include <stddef.h>

#include "core/base/error.h"

struct offsets_file;

/**
 * Reads path, or starts empty where there is none. Errors name the file and the place. Nobody else can
 * open it so until it is closed (ERROR_BUSY): of two maps the one written last would count. The lock is on
 * the file itself, which is made, empty, where it is not there; who only reads it, and a JVM, see none.
 */
int offsets_file_open(const char *path, struct offsets_file **ret_file,
                      struct error *error) CHECKED;
/** NULL is fine. */
void offsets_file_close(struct offsets_file *file);
/** The offset (borrowed), or NULL. partition is an object; borrowed. */
json_t *offsets_file_get(const struct offsets_file *file, const char *connector, json_t *partition);
/** offset NULL or null: the entry goes. Both are copied. */
void offsets_file_set(struct offsets_file *file, const char *connector, json_t *partition,
                      json_t *offset);
/** [{"partition":{},"offset":{}}..] of one connector, in the order of Connect's answers; new
 * reference. */
json_t *offsets_file_list(const struct offsets_file *file, const char *connector);
/** The file's new content, owned by the caller; NULL without memory. */
char *offsets_file_encode(const struct offsets_file *file, size_t *ret_size);
/** Puts content in place of the file's: whole or not at all, and on the disk before it returns. [any
 * thread, one] */
int offsets_file_write(struct offsets_file *file, const char *content, size_t size,
                       struct error *error) CHECKED;
const char *offsets_file_path(const struct offsets_file *file);

#endif
