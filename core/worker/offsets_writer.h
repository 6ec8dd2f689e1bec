/*
 * Writes the offset file off the loop: a thread of its own waits for the disk. What comes while a
 * write is under way goes out together with the next one.
 */
#ifndef CORE_WORKER_OFFSETS_WRITER_H
#define CORE_WORKER_OFFSETS_WRITER_H

#include "core/base/loop.h"
#include "core/store/offsets_file.h"

struct offsets_writer;

/** file is borrowed. NULL without memory or thread. [loop thread], as all here */
struct offsets_writer *offsets_writer_create(struct loop *loop, struct offsets_file *file);
/** Waits for the write under way; those who wait are not told. NULL is fine. */
void offsets_writer_destroy(struct offsets_writer *writer);
/**
 * Has the file as it is now written; done is called on the loop's thread when it is on the disk
 * (message NULL), or cannot be. key names who asked, for offsets_writer_forget().
 */
void offsets_writer_save(struct offsets_writer *writer, void *key, int64_t id,
                         void (*done)(void *key, int64_t id, const char *message));
/** No callback for this key any more. */
void offsets_writer_forget(struct offsets_writer *writer, const void *key);

#endif
