/* Objects as rows of records; see stream.h. [task thread] */
#include "connectors/s3/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <isa-l/igzip_lib.h>
#include <zstd.h>

/* -- decompression: members and frames one behind the other are one text -- */

enum { OUTPUT = 256 << 10 };

struct codec {
    bool zstd;
    bool inside;            /* a member has begun and not ended */
    struct inflate_state gzip;
    ZSTD_DStream *frames;
    char output[OUTPUT];
};

static struct codec *codec_create(bool zstd)
{
    struct codec *codec = calloc(1, sizeof(*codec));
    if (!codec) {
        return NULL;
    }
    codec->zstd = zstd;
    if (zstd) {
        codec->frames = ZSTD_createDStream();
        if (!codec->frames) {
            free(codec);
            return NULL;
        }
        return codec;
    }
    isal_inflate_init(&codec->gzip);
    codec->gzip.crc_flag = ISAL_GZIP;
    return codec;
}

static void codec_destroy(struct codec *codec)
{
    if (codec) {
        ZSTD_freeDStream(codec->frames);
        free(codec);
    }
}

static bool run_zstd(struct codec *codec, const char *data, size_t size, struct buffer *text)
{
    ZSTD_inBuffer in = {data, size, 0};
    for (;;) {
        ZSTD_outBuffer out = {codec->output, OUTPUT, 0};
        size_t left = ZSTD_decompressStream(codec->frames, &out, &in);
        if (ZSTD_isError(left) || buffer_append(text, codec->output, out.pos) != 0) {
            return false;
        }
        codec->inside = left != 0;
        if (in.pos == in.size && (left == 0 || out.pos < out.size)) {
            return true;
        }
    }
}

static bool run_gzip(struct codec *codec, const char *data, size_t size, struct buffer *text)
{
    struct inflate_state *state = &codec->gzip;
    state->next_in = (uint8_t *)data;
    state->avail_in = (uint32_t)size;
    do {
        if (!codec->inside && state->avail_in > 0) {
            codec->inside = true;
        }
        state->next_out = (uint8_t *)codec->output;
        state->avail_out = OUTPUT;
        if (isal_inflate(state) != ISAL_DECOMP_OK ||
            buffer_append(text, codec->output, OUTPUT - state->avail_out) != 0) {
            return false;
        }
        if (state->block_state == ISAL_BLOCK_FINISH) {
            codec->inside = false;
            isal_inflate_reset(state);
            state->crc_flag = ISAL_GZIP;
        }
    } while (state->avail_in > 0 || state->avail_out == 0);
    return true;
}

static bool codec_run(struct codec *codec, const char *data, size_t size, struct buffer *text)
{
    return codec->zstd ? run_zstd(codec, data, size, text) : run_gzip(codec, data, size, text);
}

/* -- pieces -- */

static int ask(struct object_stream *stream)
{
    while (stream->fetch_count < STREAM_AHEAD && stream->asked < stream->size) {
        uint64_t left = stream->size - stream->asked;
        size_t size = left < STREAM_PIECE ? (size_t)left : STREAM_PIECE;
        struct fetch *fetch =
            fetch_object(stream->reader, stream->key, stream->etag, stream->asked, size);
        if (!fetch) {
            return -1;
        }
        stream->fetches[stream->fetch_count++] = fetch;
        stream->asked += size;
    }
    return 0;
}

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), end_size = strlen(end);
    return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

int stream_begin(struct object_stream *stream, struct reader *reader, const struct entry *entry,
                 const char *separator, size_t record_max)
{
    bool gzip = ends_with(entry->key, ".gz"), zstd = ends_with(entry->key, ".zst");
    *stream = (struct object_stream){
        .reader = reader,
        .key = strdup(entry->key),
        .etag = strdup(entry->etag),
        .size = entry->size,
        .codec = gzip || zstd ? codec_create(zstd) : NULL,
        .separator = separator,
        .separator_size = strlen(separator),
        .record_max = record_max,
    };
    buffer_init(&stream->text, record_max + (size_t)STREAM_PIECE * 64);
    if (!stream->key || !stream->etag || ((gzip || zstd) && !stream->codec)) {
        return -1;
    }
    return ask(stream);
}

void stream_end(struct object_stream *stream)
{
    for (size_t i = 0; i < stream->fetch_count; i++) {
        fetch_release(stream->reader, stream->fetches[i]);
    }
    codec_destroy(stream->codec);
    buffer_finish(&stream->text);
    free(stream->key);
    free(stream->etag);
    *stream = (struct object_stream){0};
}

static enum stream_result fail(struct object_stream *stream, const char *why)
{
    snprintf(stream->message, sizeof(stream->message), "%.400s cannot be read: %s", stream->key, why);
    return STREAM_FAILED;
}

/* Takes the next piece in. STREAM_TEXT: it did. */
static enum stream_result take(struct object_stream *stream, int timeout_ms)
{
    if (stream->fetch_count == 0) {
        stream->ended = true;
        return stream->codec && stream->codec->inside
                   ? fail(stream, "its compressed data ends in the middle")
                   : STREAM_TEXT;
    }
    struct fetch *fetch = stream->fetches[0];
    if (!fetch_wait(stream->reader, fetch, timeout_ms)) {
        return STREAM_WAIT;
    }
    enum stream_result result = STREAM_TEXT;
    if (fetch->state == FETCH_GONE) {
        result = STREAM_GONE;
    } else if (fetch->state == FETCH_FAILED) {
        snprintf(stream->message, sizeof(stream->message), "%s", fetch->message);
        result = STREAM_FAILED;
    } else {
        buffer_consume(&stream->text, stream->at);
        stream->searched -= stream->at;
        stream->at = 0;
        if (stream->codec
                ? !codec_run(stream->codec, fetch->body.data, fetch->body.size, &stream->text)
                : buffer_append(&stream->text, fetch->body.data, fetch->body.size) != 0) {
            result = stream->text.failed
                         ? fail(stream, "a record is larger than sluice.s3.buffer.memory allows, or "
                                        "there is no memory")
                         : fail(stream, "its data is not what its name says, or damaged");
        }
    }
    fetch_release(stream->reader, fetch);
    stream->fetch_count--;
    memmove(&stream->fetches[0], &stream->fetches[1], stream->fetch_count * sizeof(fetch));
    if (result == STREAM_TEXT && ask(stream) != 0) {
        return fail(stream, "out of memory");
    }
    return result;
}

enum stream_result stream_next(struct object_stream *stream, int timeout_ms,
                               struct sluice_span *ret_text)
{
    for (;;) {
        char *begin = stream->text.data ? stream->text.data + stream->at : NULL;
        size_t left = stream->text.size - stream->at;
        char *from = begin ? stream->text.data + stream->searched : NULL;
        char *end = begin && stream->separator_size > 0
                        ? memmem(from, stream->text.size - stream->searched, stream->separator,
                                 stream->separator_size)
                        : NULL;
        if (end) {
            *ret_text = (struct sluice_span){begin, (size_t)(end - begin)};
            stream->at = (size_t)(end - stream->text.data) + stream->separator_size;
            stream->searched = stream->at;
            return STREAM_TEXT;
        }
        if (stream->ended) {
            if (left == 0) {
                return STREAM_END;
            }
            *ret_text = (struct sluice_span){begin, left}; /* the last one without a separator */
            stream->at = stream->searched = stream->text.size;
            return STREAM_TEXT;
        }
        if (left > stream->record_max) {
            return fail(stream, "a record is larger than sluice.s3.buffer.memory");
        }
        if (left >= stream->separator_size && stream->separator_size > 0) {
            stream->searched = stream->text.size - stream->separator_size + 1;
        }
        enum stream_result result = take(stream, timeout_ms);
        if (result != STREAM_TEXT) {
            return result;
        }
    }
}

bool stream_at_end(const struct object_stream *stream)
{
    return stream->at == stream->text.size && (stream->ended || stream->fetch_count == 0) &&
           stream->asked == stream->size;
}
