/*
 * Streams: the bytes of objects being written, on their way from formats to the store. All streams of
 * a task share one memory; when that is full, the largest are sent early, waited for, or spilled.
 * [task thread]
 */
#ifndef S3_OUTPUT_H
#define S3_OUTPUT_H

#include <string.h>

#include "connectors/s3/compress.h"
#include "connectors/s3/store.h"

struct output;

struct stream {
    struct stream *next, *previous;  /* all open ones of the task */
    struct upload *upload;           /* NULL: closed */
    struct chain chain;              /* for the store, less than a piece */
    struct chain raw;                /* to be compressed, less than a member */
    bool sent;                       /* the store has begun with it */
    uint64_t bytes;                  /* taken, before compression */
};

struct output {
    const struct settings *settings;
    struct memory *memory;
    struct store *store;
    struct compressor *compressor;   /* NULL: none */
    struct stream *streams;
};

/** Opens a stream; takes the key over (freed on failure too). -1: out of memory. */
int stream_open(struct output *output, struct stream *stream, char *key, void *owner);
/** Appends; may hand a piece to the store. -1: out of memory, or a member cannot be compressed. */
int stream_append_slow(struct output *output, struct stream *stream, const void *data, size_t size);
/** Completes the object. tags: taken over, NULL for none. -1 as above. */
int stream_finish(struct output *output, struct stream *stream, char *tags, bool conditional);
/** Gives the object up. True: done() still comes for its upload. Closed ones are fine (false). */
bool stream_drop(struct output *output, struct stream *stream);

/** Appends where the last block has room, which is nearly always. */
static inline int stream_append(struct output *output, struct stream *stream, const void *data,
                                size_t size)
{
    struct block *last = output->compressor ? NULL : stream->chain.last;
    if (last && last->spilled < 0 && last->capacity - last->size >= size) {
        memcpy(last->data + last->size, data, size);
        last->size += (uint32_t)size;
        stream->chain.size += size;
        stream->bytes += size;
        return 0;
    }
    return stream_append_slow(output, stream, data, size);
}

enum relief { RELIEVED, RELIEF_WAIT, RELIEF_FAILED };
/**
 * Memory is full: sends or spills the largest open streams. RELIEF_WAIT: most of it is on its way
 * already, wait for the store. RELIEF_FAILED with errno: the spill file cannot be written.
 */
enum relief output_relieve(struct output *output);

#endif
