/*
 * FileStreamSource: one task reads one file line by line. [task thread]
 *
 * Its offset is {"filename": F} -> {"position": N}. The original counts characters and skips bytes, so
 * it reads lines with other than ASCII again after a restart; here N counts bytes, which is the same
 * for ASCII. It also leaves the last lines of a file unread that came with a full batch; here they
 * follow at once. A file that is shorter than its stored position is waited for, as there.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "connectors/file/file.h"
#include "connectors/file/lines.h"
#include "connectors/file/watch.h"
#include "lib/util/utf8.h"

enum {
    READ_BYTES = 256 << 10,
    POLL_BYTES = 2 << 20,       /* of lines in one batch, beside batch.size */
    REMIND_MS = 60000,          /* between warnings about a file that is not there */
    NOISE_MS = 1000,            /* of changes that were not this file's: it is looked at this often */
};

struct source {
    const struct sluice_host *host;
    const struct sluice_data *data;
    const struct sluice_records *records;
    const struct sluice_source_context *context;
    const char *file;  /* NULL: standard input */
    const char *topic; /* both of the configuration */
    size_t batch_size;
    int fd;            /* -1: not open */
    bool seekable, ended;
    int64_t position;  /* bytes of the lines handed out, as stored */
    struct lines lines;
    char *clean;       /* a line with its malformed bytes replaced */
    int64_t remind_at; /* monotonic ms */
    struct watch *watch; /* NULL: not made yet, or cannot be */
    int64_t armed_at;  /* monotonic ms */
    bool heard;        /* lines came since */
    const struct sluice_name *filename_name, *position_name;
};

static const struct sluice_option options[] = {
    {.size = sizeof(struct sluice_option),
     .name = "file",
     .type = SLUICE_OPTION_STRING,
     .importance = SLUICE_HIGH,
     .doc = "Source filename. If not specified, the standard input will be used"},
    {.size = sizeof(struct sluice_option),
     .name = "topic",
     .type = SLUICE_OPTION_STRING,
     .required = true,
     .valid = SLUICE_VALID_NON_EMPTY,
     .importance = SLUICE_HIGH,
     .doc = "The topic to publish data to"},
    {.size = sizeof(struct sluice_option),
     .name = "batch.size",
     .type = SLUICE_OPTION_INT,
     .default_value = "2000",
     .importance = SLUICE_LOW,
     .doc = "The maximum number of records the source task can read from the file each time it is "
            "polled"},
    {.name = NULL},
};

static int64_t now_ms(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void *create(const struct sluice_host *host)
{
    struct source *source = calloc(1, sizeof(*source));
    if (source) {
        source->host = host;
        source->fd = -1;
    }
    return source;
}

static void on_changed(void *user)
{
    struct source *source = user;
    source->context->wake(source->host);
}

static void close_file(struct source *source)
{
    watch_destroy(source->watch);
    source->watch = NULL;
    if (source->fd >= 0) {
        (void)close(source->fd);
        source->fd = -1;
    }
}

static void destroy(void *self)
{
    struct source *source = self;
    if (source) {
        close_file(source);
        lines_finish(&source->lines);
        free(source->clean);
        free(source);
    }
}

static enum sluice_result start(void *self, const struct sluice_config *config)
{
    struct source *source = self;
    const struct sluice_host *host = source->host;
    const char *file = host->config->get_string(config, "file");
    int64_t batch_size = host->config->get_long(config, "batch.size");
    source->data = host->data;
    source->records = host->records;
    source->context = host->extension(host, SLUICE_SOURCE_CONTEXT);
    source->file = file && *file ? file : NULL;
    source->topic = host->config->get_string(config, "topic");
    source->batch_size = batch_size > 0 ? (size_t)batch_size : 1; /* as there: one at a time */
    source->filename_name = host->data->intern("filename", strlen("filename"));
    source->position_name = host->data->intern("position", strlen("position"));
    if (!source->file) {
        source->fd = file_open_standard(STDIN_FILENO);
        if (source->fd < 0) {
            return host->error(host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION,
                               "The worker's standard input cannot be read (%s); name a 'file'",
                               strerror(errno));
        }
    }
    return SLUICE_OK;
}

static void stop(void *self)
{
    close_file(self);
}

/* {"filename": F}; F is null for standard input. */
static const struct sluice_value *partition_of(struct source *source, struct sluice_batch *batch)
{
    const struct sluice_data *data = source->data;
    struct sluice_value *map = data->new_map(batch, 1);
    data->put(batch, map, source->filename_name,
              source->file ? data->new_string(batch, source->file, strlen(source->file))
                           : data->new_null(batch));
    return map;
}

static const struct sluice_value *offset_of(struct source *source, struct sluice_batch *batch)
{
    const struct sluice_data *data = source->data;
    struct sluice_value *map = data->new_map(batch, 1);
    data->put(batch, map, source->position_name,
              source->file ? data->new_integer(batch, SLUICE_INT64, source->position)
                           : data->new_null(batch));
    return map;
}

/* Where the last run left off. */
static enum sluice_result find_position(struct source *source, struct sluice_batch *batch)
{
    const struct sluice_value *stored =
        source->context->offset(source->host, batch, partition_of(source, batch));
    const struct sluice_value *position =
        stored ? source->data->find(stored, source->position_name) : NULL;
    enum sluice_type type = source->data->type(position);
    if (type != SLUICE_NULL && (type < SLUICE_INT8 || type > SLUICE_INT64)) {
        return source->host->error(source->host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION,
                                   "Offset position is the incorrect type");
    }
    source->position = source->data->integer(position);
    struct stat status;
    if (fstat(source->fd, &status) == 0 && S_ISREG(status.st_mode) &&
        status.st_size < source->position) {
        source->host->log(source->host, SLUICE_WARN,
                          "%s has %" PRId64 " bytes, but was read up to %" PRId64
                          " before: what comes behind that is read. If it is another file now, reset "
                          "the connector's offsets.",
                          source->file, (int64_t)status.st_size, source->position);
    }
    return SLUICE_OK;
}

/* *ret_open: false where the file is not there yet. */
static enum sluice_result open_file(struct source *source, struct sluice_batch *batch,
                                    bool *ret_open)
{
    const struct sluice_host *host = source->host;
    int64_t now = now_ms(CLOCK_MONOTONIC);
    struct stat status;
    *ret_open = false;
    source->fd = open(source->file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (source->fd < 0 && errno == ENOENT) {
        if (now >= source->remind_at) {
            host->log(host, SLUICE_WARN,
                      "Couldn't find file %s for FileStreamSourceTask, sleeping to wait for it to be "
                      "created",
                      source->file);
            source->remind_at = now + REMIND_MS;
        }
        return SLUICE_OK;
    }
    if (source->fd < 0 || fstat(source->fd, &status) != 0) {
        return host->error(host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION,
                           "The file %s cannot be opened: %s", source->file, strerror(errno));
    }
    if (S_ISDIR(status.st_mode)) {
        close_file(source);
        return host->error(host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION,
                           "%s is a folder; 'file' takes one file", source->file);
    }
    source->seekable = S_ISREG(status.st_mode);
    *ret_open = true;
    return find_position(source, batch);
}

/* Reads on. *ret_more: something came. */
static enum sluice_result fill(struct source *source, bool *ret_more)
{
    size_t room = 0;
    *ret_more = false;
    char *data = lines_room(&source->lines, READ_BYTES, &room);
    if (!data) {
        return source->host->error(source->host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION,
                                   "The line at position %" PRId64
                                   " of %s is longer than %d MiB, which is the most",
                                   source->position, source->file ? source->file : "standard input",
                                   (int)(LINES_MOST >> 20));
    }
    ssize_t got;
    do {
        got = source->seekable
                  ? pread(source->fd, data, room,
                          source->position + (int64_t)lines_held(&source->lines))
                  : read(source->fd, data, room);
    } while (got < 0 && errno == EINTR);
    if (got < 0 && errno != EAGAIN) {
        return source->host->error(source->host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION,
                                   "%s cannot be read: %s",
                                   source->file ? source->file : "Standard input", strerror(errno));
    }
    source->ended = got == 0 && !source->file;
    lines_added(&source->lines, got > 0 ? (size_t)got : 0);
    *ret_more = got > 0;
    return SLUICE_OK;
}

static bool is_ascii(const char *text, size_t size)
{
    unsigned char all = 0;
    for (size_t i = 0; i < size; i++) {
        all |= (unsigned char)text[i];
    }
    return all < 0x80;
}

/* Text as Java's decoder makes it: what is no UTF-8 becomes U+FFFD. */
static const struct sluice_value *text_of(struct source *source, struct sluice_batch *batch,
                                          const char *line, size_t size)
{
    if (is_ascii(line, size)) {
        return source->data->new_string(batch, line, size);
    }
    char *clean = realloc(source->clean, 3 * size);
    if (!clean) {
        abort();
    }
    source->clean = clean;
    char *to = clean;
    for (const char *from = line, *end = line + size; from < end;) {
        to += utf8_encode(to, utf8_decode_lossy(&from, end));
    }
    return source->data->new_string(batch, clean, (size_t)(to - clean));
}

/*
 * At the end of the file: the next change is to wake the host. True: armed just now, so what came
 * before is to be looked for once more.
 */
static bool watch_anew(struct source *source)
{
    int64_t now = now_ms(CLOCK_MONOTONIC);
    if (source->fd < 0 || !source->seekable || (source->watch && watch_armed(source->watch))) {
        return false;
    }
    if (source->armed_at && !source->heard && now - source->armed_at < NOISE_MS) {
        return false; /* others write in the folder: the host polls again by itself */
    }
    if (!source->watch && !(source->watch = watch_create(on_changed, source))) {
        return false;
    }
    source->armed_at = now;
    source->heard = false;
    return watch_arm(source->watch, source->fd);
}

static enum sluice_result poll(void *self, struct sluice_batch *batch, int timeout_ms)
{
    struct source *source = self;
    const struct sluice_value *partition = NULL;
    bool more = true;
    size_t count = 0, bytes = 0;
    enum sluice_result result = SLUICE_OK;
    (void)timeout_ms; /* the host waits where nothing came */
    if (source->ended) {
        return SLUICE_OK;
    }
    if (source->fd < 0) {
        result = open_file(source, batch, &more);
    }
    while (result == SLUICE_OK && more && count < source->batch_size && bytes < POLL_BYTES) {
        const char *line;
        size_t size, taken;
        if (!lines_next(&source->lines, &line, &size, &taken)) {
            result = fill(source, &more);
            more = more || (result == SLUICE_OK && count == 0 && watch_anew(source));
            continue;
        }
        source->position += (int64_t)taken;
        partition = partition ? partition : partition_of(source, batch);
        struct sluice_record *record = source->records->add(batch, source->topic);
        source->records->set_value(record, source->data->schema_plain(SLUICE_STRING, false),
                                   text_of(source, batch, line, size));
        source->records->set_timestamp(record, now_ms(CLOCK_REALTIME));
        source->records->set_source(record, partition, offset_of(source, batch));
        count++;
        bytes += taken;
        source->heard = true;
    }
    return result;
}

/* -- offsets that an operator changes -- */

static enum sluice_result refuse(struct source *source, const char *why)
{
    return source->host->error(source->host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION, "%s", why);
}

static enum sluice_result alter(void *self, const struct sluice_config *config,
                                const struct sluice_offset_change *changes, size_t count,
                                bool *ret_handled)
{
    struct source *source = self;
    const struct sluice_data *data = source->host->data;
    const struct sluice_name *position_name = data->intern("position", strlen("position"));
    const struct sluice_name *filename_name = data->intern("filename", strlen("filename"));
    const char *file = source->host->config->get_string(config, "file");
    *ret_handled = true;
    if (!file || !*file) {
        return refuse(source,
                      "Offsets cannot be modified if the 'file' configuration is unspecified. This is "
                      "because stdin is used for input and offsets are not tracked.");
    }
    for (size_t i = 0; i < count; i++) {
        if (!changes[i].offset) {
            continue; /* whatever is stored may be forgotten */
        }
        const struct sluice_value *position = data->find(changes[i].offset, position_name);
        if (!position) {
            return refuse(source,
                          "Offset objects should either be null or contain the key 'position'");
        }
        if (data->type(position) != SLUICE_INT64) {
            return refuse(source, "The value for the 'position' key in the offset is expected to be a "
                                  "Long value");
        }
        if (data->integer(position) < 0) {
            return refuse(source, "The value for the 'position' key in the offset should be a "
                                  "non-negative value");
        }
        if (!changes[i].partition) {
            return refuse(source, "Partition objects cannot be null");
        }
        if (!data->find(changes[i].partition, filename_name)) {
            return refuse(source, "Partition objects should contain the key 'filename'");
        }
    }
    return SLUICE_OK;
}

static const struct sluice_alter_offsets alter_offsets = {
    .size = sizeof(struct sluice_alter_offsets),
    .alter = alter,
};

static const void *extension(void *self, const char *id)
{
    const struct source *source = self;
    if (strcmp(id, SLUICE_SOURCE_WAKES) == 0) {
        return source->watch && watch_armed(source->watch) ? source->watch : NULL;
    }
    return strcmp(id, SLUICE_ALTER_OFFSETS) == 0 ? &alter_offsets : NULL;
}

static const struct sluice_source vtable = {
    .size = sizeof(struct sluice_source),
    .create = create,
    .destroy = destroy,
    .start = start,
    .poll = poll,
    .stop = stop,
    .extension = extension,
};

static const char *const aliases[] = {"FileStreamSourceConnector", "FileStreamSource", NULL};

const struct sluice_descriptor file_source_descriptor = {
    .size = sizeof(struct sluice_descriptor),
    .kind = SLUICE_SOURCE,
    .class_name = "org.apache.kafka.connect.file.FileStreamSourceConnector",
    .aliases = aliases,
    .version = KAFKA_VERSION,
    .doc = "Reads a file, or standard input, line by line.",
    .options = options,
    .vtable = &vtable,
};
