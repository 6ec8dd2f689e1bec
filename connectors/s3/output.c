/* Streams and what to do when memory is short; see output.h. */
#include "connectors/s3/output.h"

#include <errno.h>
#include <stdlib.h>

int stream_open(struct output *output, struct stream *stream, char *key, void *owner)
{
    struct upload *upload = key ? calloc(1, sizeof(*upload)) : NULL;
    if (!upload) {
        free(key);
        return -1;
    }
    upload->key = key;
    upload->owner = owner;
    upload->memory = output->memory;
    *stream = (struct stream){.upload = upload, .next = output->streams};
    if (output->streams) {
        output->streams->previous = stream;
    }
    output->streams = stream;
    return 0;
}

static void unlink_stream(struct output *output, struct stream *stream)
{
    if (stream->previous) {
        stream->previous->next = stream->next;
    } else {
        output->streams = stream->next;
    }
    if (stream->next) {
        stream->next->previous = stream->previous;
    }
    stream->upload = NULL;
}

static int send_piece(struct output *output, struct stream *stream, bool last)
{
    struct piece *piece = calloc(1, sizeof(*piece));
    if (!piece) {
        return -1;
    }
    piece->chain = stream->chain;
    piece->last = last;
    stream->chain = (struct chain){0};
    stream->sent = true;
    output->store->vtable->send(output->store, stream->upload, piece);
    return 0;
}

/* Turns the raw bytes into one more member. */
static int compress(struct output *output, struct stream *stream)
{
    struct chain_reader reader;
    size_t size = 0, compressed_size = 0;
    chain_rewind(&reader, output->memory, &stream->raw);
    char *input = compressor_input(output->compressor);
    while (size < stream->raw.size) {
        size_t part = chain_read(&reader, input + size, stream->raw.size - size);
        if (part == 0) {
            return -1;
        }
        size += part;
    }
    const char *compressed = compressor_run(output->compressor, size, &compressed_size);
    chain_free(output->memory, &stream->raw);
    return compressed ? chain_append(output->memory, &stream->chain, compressed, compressed_size) : -1;
}

static int append_raw(struct output *output, struct stream *stream, const char *data, size_t size)
{
    while (size > 0) {
        size_t room = COMPRESS_MEMBER - stream->raw.size;
        size_t part = size < room ? size : room;
        if (chain_append(output->memory, &stream->raw, data, part) != 0) {
            return -1;
        }
        data += part;
        size -= part;
        if (stream->raw.size == COMPRESS_MEMBER && compress(output, stream) != 0) {
            return -1;
        }
    }
    return 0;
}

int stream_append_slow(struct output *output, struct stream *stream, const void *data, size_t size)
{
    stream->bytes += size;
    if (output->compressor) {
        if (append_raw(output, stream, data, size) != 0) {
            return -1;
        }
        return stream->chain.size >= output->store->piece_size ? send_piece(output, stream, false) : 0;
    }
    /* Pieces are cut at the very byte, so that the parts of an object never depend on timing. */
    const char *from = data;
    while (size > 0) {
        size_t room = output->store->piece_size - stream->chain.size;
        size_t part = size < room ? size : room;
        if (chain_append(output->memory, &stream->chain, from, part) != 0) {
            return -1;
        }
        from += part;
        size -= part;
        if (stream->chain.size >= output->store->piece_size && size > 0 &&
            send_piece(output, stream, false) != 0) {
            return -1;
        }
    }
    return 0;
}

int stream_finish(struct output *output, struct stream *stream, char *tags, bool conditional)
{
    stream->upload->tags = tags;
    stream->upload->conditional = conditional;
    if (output->compressor && stream->raw.size > 0 && compress(output, stream) != 0) {
        return -1;
    }
    if (send_piece(output, stream, true) != 0) {
        return -1;
    }
    unlink_stream(output, stream);
    return 0;
}

bool stream_drop(struct output *output, struct stream *stream)
{
    struct upload *upload = stream->upload;
    if (!upload) {
        return false;
    }
    chain_free(output->memory, &stream->chain);
    chain_free(output->memory, &stream->raw);
    bool sent = stream->sent;
    unlink_stream(output, stream);
    if (sent) {
        output->store->vtable->cancel(output->store, upload);
    } else {
        upload_free(upload);
    }
    return sent;
}

enum relief output_relieve(struct output *output)
{
    size_t limit = (size_t)output->settings->memory_limit;
    while (memory_used(output->memory) > limit / 4 * 3) {
        struct stream *largest = NULL;
        size_t open = 0, largest_size = 0;
        for (struct stream *stream = output->streams; stream; stream = stream->next) {
            size_t size = stream->chain.resident + stream->raw.resident;
            open += size;
            if (size > largest_size) {
                largest = stream;
                largest_size = size;
            }
        }
        if (!largest || memory_used(output->memory) - open > limit / 2) {
            return RELIEF_WAIT;
        }
        if (largest->chain.size >= output->store->piece_min) {
            if (send_piece(output, largest, false) != 0) {
                errno = ENOMEM;
                return RELIEF_FAILED;
            }
        } else if (chain_spill(output->memory, &largest->chain) != 0 ||
                   chain_spill(output->memory, &largest->raw) != 0) {
            return RELIEF_FAILED;
        }
    }
    return RELIEVED;
}
