/*
 * FileStreamSink: the text of each value (Java's toString) and a newline at the end of a file.
 * [task thread]
 *
 * A put() is written as one piece. Where a file cannot take it, it is cut back to what it was and the
 * same put() comes again, so a full disk neither loses nor repeats lines.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "connectors/file/file.h"
#include "lib/util/buffer.h"

enum { BUFFER_MOST = 1 << 30, WRITE_BYTES = 1 << 20 };

struct sink {
    const struct sluice_host *host;
    const char *file; /* of the configuration; NULL: standard output */
    int fd;
    bool regular;     /* can be cut back and synced */
    bool written;     /* since the last sync */
    struct buffer buffer;
};

static const struct sluice_option options[] = {
    {.size = sizeof(struct sluice_option),
     .name = "file",
     .type = SLUICE_OPTION_STRING,
     .importance = SLUICE_HIGH,
     .doc = "Destination filename. If not specified, the standard output will be used"},
    {.name = NULL},
};

static void *create(const struct sluice_host *host)
{
    struct sink *sink = calloc(1, sizeof(*sink));
    if (sink) {
        sink->host = host;
        sink->fd = -1;
    }
    return sink;
}

static void close_file(struct sink *sink)
{
    if (sink->fd >= 0) {
        (void)close(sink->fd);
        sink->fd = -1;
    }
}

static void destroy(void *self)
{
    struct sink *sink = self;
    if (sink) {
        close_file(sink);
        buffer_finish(&sink->buffer);
        free(sink);
    }
}

static enum sluice_result start(void *self, const struct sluice_config *config)
{
    struct sink *sink = self;
    const struct sluice_host *host = sink->host;
    const char *file = host->config->get_string(config, "file");
    struct stat status;
    buffer_init(&sink->buffer, BUFFER_MOST);
    sink->file = file && *file ? file : NULL;
    sink->fd = sink->file ? open(sink->file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666)
                          : file_open_standard(STDOUT_FILENO);
    if (sink->fd < 0 || fstat(sink->fd, &status) != 0) {
        const char *why = strerror(errno);
        (void)host->error(host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION,
                          "Couldn't find or create file '%s' for FileStreamSinkTask",
                          sink->file ? sink->file : "standard output");
        host->error_cause(host, "java.io.IOException", "%s", why);
        return SLUICE_FATAL;
    }
    sink->regular = S_ISREG(status.st_mode);
    return SLUICE_OK;
}

static int64_t size_of(const struct sink *sink)
{
    struct stat status;
    return sink->regular && fstat(sink->fd, &status) == 0 ? status.st_size : -1;
}

/* *ret_written: how much of it is in the file, also where the rest does not fit. */
static int write_out(struct sink *sink, size_t *ret_written)
{
    const char *data = sink->buffer.data;
    size_t left = sink->buffer.size;
    while (left > 0) {
        ssize_t done = write(sink->fd, data, left);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done < 0) {
            return -1;
        }
        data += done;
        left -= (size_t)done;
        *ret_written += (size_t)done;
    }
    buffer_reset(&sink->buffer);
    return 0;
}

/* Half of a surrogate pair has no UTF-8; Java's encoder writes a question mark. */
static int append_text(struct buffer *buffer, struct sluice_span text)
{
    const char *end = text.data + text.size;
    for (const char *p = text.data, *half; p < end; p = half + 3) {
        half = memchr(p, 0xED, (size_t)(end - p));
        while (half && (end - half < 3 || (unsigned char)half[1] < 0xA0)) {
            half = memchr(half + 1, 0xED, (size_t)(end - half - 1));
        }
        if (!half) {
            return buffer_append(buffer, p, (size_t)(end - p));
        }
        if (buffer_append(buffer, p, (size_t)(half - p)) != 0 ||
            buffer_append_char(buffer, '?') != 0) {
            return -1;
        }
    }
    return 0;
}

static enum sluice_result fail(struct sink *sink, int64_t before, size_t written)
{
    const struct sluice_host *host = sink->host;
    const char *file = sink->file ? sink->file : "standard output", *why = strerror(errno);
    bool full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
    buffer_reset(&sink->buffer);
    /* Another task of this connector may have appended meanwhile: then nothing can be cut off. */
    if (full && before >= 0 && size_of(sink) == before + (int64_t)written &&
        ftruncate(sink->fd, before) == 0) {
        return host->error(host, SLUICE_RETRY, SLUICE_RETRIABLE_EXCEPTION,
                           "%s cannot be written: %s; it is tried again", file, why);
    }
    return host->error(host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION, "%s cannot be written: %s",
                       file, why);
}

static enum sluice_result put(void *self, struct sluice_batch *batch)
{
    struct sink *sink = self;
    const struct sluice_host *host = sink->host;
    size_t count = host->records->count(batch), written = 0;
    int64_t before = count > 0 ? size_of(sink) : -1;
    for (size_t i = 0; i < count; i++) {
        struct sluice_span text =
            host->data->to_text(batch, host->records->value(host->records->at(batch, i)));
        if (append_text(&sink->buffer, text) != 0 ||
            buffer_append_char(&sink->buffer, '\n') != 0) {
            return host->error(host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION,
                               "A value is too large to be written");
        }
        if ((sink->buffer.size >= WRITE_BYTES || i + 1 == count) &&
            write_out(sink, &written) != 0) {
            return fail(sink, before, written);
        }
    }
    sink->written = sink->written || count > 0;
    return SLUICE_OK;
}

/* invariant 1: what is committed is on the disk */
static enum sluice_result pre_commit(void *self, struct sluice_topic_offset *offsets, size_t *count)
{
    struct sink *sink = self;
    (void)offsets;
    (void)count;
    if (sink->written && sink->regular && fdatasync(sink->fd) != 0) {
        return sink->host->error(sink->host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION,
                                 "%s cannot be written: %s", sink->file, strerror(errno));
    }
    sink->written = false;
    return SLUICE_OK;
}

static void stop(void *self)
{
    close_file(self);
}

/* Offsets are the consumer group's alone. */
static enum sluice_result alter(void *self, const struct sluice_config *config,
                                const struct sluice_offset_change *changes, size_t count,
                                bool *ret_handled)
{
    (void)self;
    (void)config;
    (void)changes;
    (void)count;
    *ret_handled = true;
    return SLUICE_OK;
}

static const struct sluice_alter_offsets alter_offsets = {
    .size = sizeof(struct sluice_alter_offsets),
    .alter = alter,
};

static const void *extension(void *self, const char *id)
{
    (void)self;
    return strcmp(id, SLUICE_ALTER_OFFSETS) == 0 ? &alter_offsets : NULL;
}

static const struct sluice_sink vtable = {
    .size = sizeof(struct sluice_sink),
    .create = create,
    .destroy = destroy,
    .start = start,
    .put = put,
    .pre_commit = pre_commit,
    .stop = stop,
    .extension = extension,
};

static const char *const aliases[] = {"FileStreamSinkConnector", "FileStreamSink", NULL};

const struct sluice_descriptor file_sink_descriptor = {
    .size = sizeof(struct sluice_descriptor),
    .kind = SLUICE_SINK,
    .class_name = "org.apache.kafka.connect.file.FileStreamSinkConnector",
    .aliases = aliases,
    .version = KAFKA_VERSION,
    .doc = "Appends the text of each value to a file, or to standard output.",
    .options = options,
    .vtable = &vtable,
};
