/*
 * An object as a row of records' texts: fetched piece by piece ahead of the reader, decompressed by the
 * end of its key, split at separators. Holds two pieces and the record that is being read. [task thread]
 */
#ifndef S3_STREAM_H
#define S3_STREAM_H

#include "connectors/s3/reader.h"

enum { STREAM_PIECE = 1 << 20, STREAM_AHEAD = 3 };

enum stream_result { STREAM_TEXT, STREAM_WAIT, STREAM_END, STREAM_GONE, STREAM_FAILED };

struct codec;

struct object_stream {
    struct reader *reader;
    char *key, *etag;
    uint64_t size, asked;          /* of the object; asked for up to here */
    struct fetch *fetches[STREAM_AHEAD];
    size_t fetch_count;
    struct codec *codec;           /* NULL: plain */
    struct buffer text;
    size_t at;                     /* text before it is done with */
    const char *separator;         /* outlives the stream; "" : the whole object is one record */
    size_t separator_size, record_max;
    size_t searched;               /* no separator before it */
    bool ended;                    /* text holds all there is */
    char message[700];
};

/** Begins to fetch. -1: out of memory. record_max bounds one record. */
int stream_begin(struct object_stream *stream, struct reader *reader, const struct entry *entry,
                 const char *separator, size_t record_max);
/** The next record's text, without separator, valid until the next call; waits at most so long. */
enum stream_result stream_next(struct object_stream *stream, int timeout_ms,
                               struct sluice_span *ret_text);
/** True where it is known that nothing follows. */
bool stream_at_end(const struct object_stream *stream);
void stream_end(struct object_stream *stream);

#endif
