/*
 * The sink's side of the plugin interface: from start to stop, put, and offsets. [task thread]
 * The store calls back on its own thread; those functions are marked.
 */
#include "connectors/s3/sink.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "connectors/s3/joda.h"
#include "connectors/s3/plugin.h"

enum {
    OUTSTANDING_MAX = 8192, /* objects on their way: bounds what a crash makes to be written again */
    ROOM_WAIT_MS = 100,
    FINISH_WAITS = 50,      /* of ROOM_WAIT_MS at most */
};

/* -- what the store says [store's thread] -- */

static struct sink *sink_of(struct store_client *client)
{
    return (struct sink *)((char *)client - offsetof(struct sink, client));
}

static void on_done(struct store_client *client, struct upload *upload)
{
    struct sink *sink = sink_of(client);
    if (upload->outcome == UPLOAD_DURABLE) {
        sink->host->metric_add(sink->objects, 1);
        sink->host->metric_add(sink->bytes, (int64_t)upload->size);
    }
    upload->next = NULL;
    pthread_mutex_lock(&sink->lock);
    bool first = !sink->done_first;
    if (first) {
        sink->done_first = upload;
    } else {
        sink->done_last->next = upload;
    }
    sink->done_last = upload;
    pthread_cond_broadcast(&sink->changed);
    pthread_mutex_unlock(&sink->lock);
    if (first && sink->context) {
        sink->context->durable(sink->host);
    }
}

static bool may_finish(struct store_client *client, const struct upload *upload)
{
    struct sink *sink = sink_of(client);
    struct ticket *ticket = upload->owner;
    if (atomic_load(&ticket->cancelled)) {
        return false;
    }
    /* invariant 3: a task that lost the partition leaves the object to its successor */
    return !sink->context || sink->context->owns(sink->host, ticket->topic, ticket->partition);
}

static void on_trouble(struct store_client *client, const char *message)
{
    struct sink *sink = sink_of(client);
    pthread_mutex_lock(&sink->lock);
    bool was = sink->in_trouble;
    sink->in_trouble = message != NULL;
    snprintf(sink->trouble, sizeof(sink->trouble), "%s", message ? message : "");
    pthread_cond_broadcast(&sink->changed);
    pthread_mutex_unlock(&sink->lock);
    if (message && !was) {
        sink->host->log(sink->host, SLUICE_WARN, "%s. Trying again every %" PRId64 " ms", message,
                        sink->settings.task_backoff);
    } else if (!message && was) {
        sink->host->log(sink->host, SLUICE_INFO, "The store works again");
        if (sink->context) {
            sink->context->wake(sink->host);
        }
    }
}

static void on_failed(struct store_client *client, const char *message)
{
    struct sink *sink = sink_of(client);
    pthread_mutex_lock(&sink->lock);
    bool first = !sink->failed;
    if (first) {
        sink->failed = true;
        snprintf(sink->failure, sizeof(sink->failure), "%s", message);
    }
    pthread_cond_broadcast(&sink->changed);
    pthread_mutex_unlock(&sink->lock);
    if (first && sink->context) {
        sink->context->raise_error(sink->host, SLUICE_CONNECT_EXCEPTION, message);
    }
}

/* -- uploads that ended -- */

static void drain(struct sink *sink)
{
    pthread_mutex_lock(&sink->lock);
    struct upload *upload = sink->done_first;
    sink->done_first = sink->done_last = NULL;
    pthread_mutex_unlock(&sink->lock);
    while (upload) {
        struct upload *next = upload->next;
        struct ticket *ticket = upload->owner;
        if (upload->outcome == UPLOAD_DURABLE) {
            ticket->pending--;
        } else {
            ticket->broken = true;
            ticket->exists |= upload->exists;
        }
        ticket_release(ticket);
        upload_free(upload);
        sink->outstanding--;
        upload = next;
    }
    sink->host->metric_set(sink->in_flight, (int64_t)sink->outstanding);
}

/* What the store said since the last call; SLUICE_OK where all is well. */
static enum sluice_result store_state(struct sink *sink)
{
    char message[FAILURE_SIZE];
    pthread_mutex_lock(&sink->lock);
    bool failed = sink->failed, in_trouble = sink->in_trouble;
    snprintf(message, sizeof(message), "%s", failed ? sink->failure : sink->trouble);
    pthread_mutex_unlock(&sink->lock);
    if (failed) {
        return sink->host->error(sink->host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION, "%s", message);
    }
    if (in_trouble) {
        sink->host->retry_after(sink->host, sink->settings.task_backoff);
        return sink->host->error(sink->host, SLUICE_RETRY, SLUICE_RETRIABLE_EXCEPTION, "%s", message);
    }
    return SLUICE_OK;
}

static void wait_for_done(struct sink *sink)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)ROOM_WAIT_MS * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&sink->lock);
    if (!sink->done_first && !sink->failed && !sink->in_trouble) {
        pthread_cond_timedwait(&sink->changed, &sink->lock, &until);
    }
    pthread_mutex_unlock(&sink->lock);
}

/* Objects that are complete are written though a later record ends the task, as they are there. */
static void finish_completed(struct sink *sink)
{
    bool works = true;
    for (int waits = 0; works && waits < FINISH_WAITS; waits++) {
        drain(sink);
        pthread_mutex_lock(&sink->lock);
        works = !sink->failed && !sink->in_trouble;
        pthread_mutex_unlock(&sink->lock);
        if (sink->outstanding == 0) {
            return;
        }
        if (works) {
            wait_for_done(sink);
        }
    }
}

/* Waits until there is room for a record; RETRY where the store does not work meanwhile. */
static enum sluice_result make_room(struct sink *sink)
{
    for (;;) {
        drain(sink);
        bool full = memory_full(sink->memory);
        if (!full && sink->outstanding < OUTSTANDING_MAX) {
            return SLUICE_OK;
        }
        enum sluice_result result = store_state(sink);
        if (result != SLUICE_OK) {
            return result;
        }
        if (!full) {
            wait_for_done(sink);
            continue;
        }
        switch (output_relieve(&sink->output)) {
        case RELIEVED:
            break;
        case RELIEF_WAIT:
            memory_wait(sink->memory, ROOM_WAIT_MS);
            break;
        case RELIEF_FAILED:
            return sink->host->error(sink->host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION,
                                     "Data of open objects cannot be spilled to %s: %s. Point "
                                     "sluice.spill.dir to a folder with room, or raise "
                                     "sluice.s3.buffer.memory",
                                     sink->settings.spill_folder, strerror(errno));
        }
    }
}

/* -- records -- */

static enum sluice_result tell(struct sink *sink, const struct fault *fault)
{
    const struct sluice_host *host = sink->host;
    if (fault->bare || strcmp(fault->java_class, SLUICE_CONNECT_EXCEPTION) == 0) {
        enum sluice_result result =
            host->error(host, SLUICE_FATAL, fault->java_class, "%s", fault->message);
        if (fault->cause_class) {
            host->error_cause(host, fault->cause_class, "%s", fault->cause);
        }
        return result;
    }
    (void)host->error(host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION, "%s: %s", fault->java_class,
                      fault->message);
    host->error_cause(host, fault->java_class, "%s", fault->message);
    return SLUICE_FATAL;
}

/* A record that cannot be written: to the reporter, where there is one and the fault is its own. */
static enum sluice_result set_aside(struct sink *sink, const struct sluice_record *record,
                                    const struct fault *fault)
{
    if (!fault->reportable || !sink->context || !sink->context->has_reporter(sink->host)) {
        return tell(sink, fault);
    }
    return sink->context->report(sink->host, record, fault->java_class, fault->message);
}

static enum sluice_result skip_null(struct sink *sink, const struct sluice_record *record)
{
    const struct sluice_host *host = sink->host;
    if (sink->settings.report_nulls && sink->context && sink->context->has_reporter(host)) {
        return sink->context->report(host, record, SLUICE_DATA_EXCEPTION,
                                     "Skipping null value record.");
    }
    if (host->log_enabled(host, SLUICE_DEBUG)) {
        host->log(host, SLUICE_DEBUG, "Null value of %s-%" PRId32 "@%" PRId64 " is skipped",
                  host->records->topic(record), host->records->original_partition(record),
                  host->records->offset(record));
    }
    return SLUICE_OK;
}

static struct writer *find_writer(const struct sink *sink, const char *topic, int32_t partition)
{
    for (size_t i = 0; i < sink->writer_count; i++) {
        struct writer *writer = sink->writers[i];
        if (writer->partition == partition && strcmp(writer->topic, topic) == 0) {
            return writer;
        }
    }
    return NULL;
}

static enum sluice_result no_writer(struct sink *sink, const char *topic, int32_t partition)
{
    struct buffer list;
    buffer_init(&list, 4096);
    for (size_t i = 0; i < sink->writer_count && !list.failed; i++) {
        (void)buffer_printf(&list, "%s%s-%" PRId32, i > 0 ? ", " : "", sink->writers[i]->topic,
                            sink->writers[i]->partition);
    }
    enum sluice_result result = sink->host->error(
        sink->host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION,
        "No writer found for topic partition %s-%" PRId32 ". The record's topic-partition does not "
        "match any assigned partitions. Assigned partitions: [%s]",
        topic, partition, list.size > 0 ? list.data : "");
    buffer_finish(&list);
    return result;
}

/* Found before anything of the batch is written. */
static enum sluice_result check_nulls(struct sink *sink, const struct sluice_batch *batch, size_t count)
{
    const struct sluice_records *records = sink->host->records;
    for (size_t i = 0; i < count; i++) {
        if (sink->host->data->type(records->value(records->at(batch, i))) == SLUICE_NULL) {
            return sink->host->error(sink->host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION,
                                     "Null valued records are not writeable with current "
                                     "behavior.on.null.values 'settings.");
        }
    }
    return SLUICE_OK;
}

/* Nulls of the batch are reported before anything of it is written, as they are there. */
static enum sluice_result skip_nulls(struct sink *sink, const struct sluice_batch *batch, size_t count)
{
    const struct sluice_records *records = sink->host->records;
    for (size_t i = 0; i < count; i++) {
        const struct sluice_record *record = records->at(batch, i);
        if (sink->host->data->type(records->value(record)) != SLUICE_NULL) {
            continue;
        }
        struct writer *writer =
            find_writer(sink, records->topic(record), records->original_partition(record));
        int64_t offset = records->offset(record);
        /* Not twice, where this put() is a repeated one. */
        if (writer && (writer->ignores || offset < writer->next || offset < writer->skipped)) {
            continue;
        }
        enum sluice_result result = skip_null(sink, record);
        if (result != SLUICE_OK) {
            return result;
        }
        if (writer) {
            writer->skipped = offset + 1;
        }
    }
    return SLUICE_OK;
}

static enum sluice_result put_records(struct sink *sink, struct sluice_batch *batch, size_t count,
                                      int64_t now)
{
    const struct sluice_records *records = sink->host->records;
    const char *last_topic = NULL;
    int32_t last_partition = -1;
    struct writer *writer = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct sluice_record *record = records->at(batch, i);
        const char *topic = records->topic(record);
        int32_t partition = records->original_partition(record);
        if (!writer || topic != last_topic || partition != last_partition) {
            writer = find_writer(sink, topic, partition);
            if (!writer) {
                return no_writer(sink, topic, partition);
            }
            last_topic = topic;
            last_partition = partition;
        }
        enum sluice_result result = SLUICE_OK;
        if (memory_full(sink->memory) || sink->outstanding >= OUTSTANDING_MAX) {
            result = make_room(sink);
        }
        struct fault fault;
        bool skipped = sink->settings.nulls == NULL_IGNORE &&
                       sink->host->data->type(records->value(record)) == SLUICE_NULL;
        if (result == SLUICE_OK && !skipped &&
            writer_put(sink, writer, batch, record, now, &fault) != 0) {
            result = set_aside(sink, record, &fault);
        }
        if (result != SLUICE_OK) {
            return result;
        }
        int64_t next = records->offset(record) + 1;
        if (writer->ignores) {
            continue;
        }
        writer->next = next > writer->next ? next : writer->next;
    }
    return SLUICE_OK;
}

static enum sluice_result tick_all(struct sink *sink, int64_t now)
{
    int64_t wait = -1;
    for (size_t i = 0; i < sink->writer_count; i++) {
        struct fault fault;
        int64_t one = -1;
        if (writer_tick(sink, sink->writers[i], now, &one, &fault) != 0) {
            return tell(sink, &fault);
        }
        wait = one >= 0 && (wait < 0 || one < wait) ? one : wait;
    }
    if (wait >= 0 && sink->context) {
        sink->context->timeout(sink->host, wait < 1 ? 1 : wait);
    }
    return SLUICE_OK;
}

/*
 * sluice.s3.original.faults: where another object has the key, its partition is read again from the next
 * offset on, so that the first record is left out; the name of the rest is another one.
 */
static enum sluice_result step_over(struct sink *sink)
{
    for (size_t i = 0; i < sink->writer_count; i++) {
        struct writer *writer = sink->writers[i];
        const struct ticket *ticket = writer->oldest;
        writer->ignores = false;
        while (ticket && !ticket->exists) {
            ticket = ticket->next;
        }
        if (!ticket) {
            continue;
        }
        struct writer *fresh = writer_create(sink, writer->topic, writer->partition);
        if (!fresh) {
            return sink->host->error(sink->host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION, "Out of memory");
        }
        fresh->durable = writer->durable;
        fresh->next = ticket->first + 1;
        fresh->ignores = true;
        sink->host->log(sink->host, SLUICE_WARN,
                        "Another object has the name of offset %" PRId64 " of %s-%" PRId32
                        ": its first record is left out (sluice.s3.original.faults)",
                        ticket->first, writer->topic, writer->partition);
        sink->context->rewind(sink->host, writer->topic, writer->partition, fresh->next);
        writer_destroy(sink, writer);
        sink->writers[i] = fresh;
    }
    return SLUICE_OK;
}

static enum sluice_result s3_put(void *self, struct sluice_batch *batch)
{
    struct sink *sink = self;
    size_t count = sink->host->records->count(batch);
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    int64_t now = (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
    drain(sink);
    enum sluice_result result = count > 0 ? store_state(sink) : SLUICE_OK;
    if (result == SLUICE_OK && sink->settings.original_faults && sink->context) {
        result = step_over(sink);
    }
    if (result == SLUICE_OK && sink->settings.nulls == NULL_FAIL) {
        result = check_nulls(sink, batch, count);
    }
    if (result == SLUICE_OK && sink->settings.nulls == NULL_IGNORE) {
        result = skip_nulls(sink, batch, count);
    }
    if (result == SLUICE_OK) {
        result = put_records(sink, batch, count, now);
        if (result != SLUICE_OK && result != SLUICE_RETRY) {
            finish_completed(sink);
        }
    }
    if (result == SLUICE_OK && (sink->settings.rotate_interval > 0 ||
                                sink->settings.rotate_schedule > 0 || sink->settings.rotate_idle > 0)) {
        result = tick_all(sink, now);
    }
    return result;
}

static enum sluice_result s3_pre_commit(void *self, struct sluice_topic_offset *offsets, size_t *count)
{
    struct sink *sink = self;
    size_t kept = 0;
    drain(sink);
    for (size_t i = 0; i < *count; i++) {
        struct writer *writer = find_writer(sink, offsets[i].topic, offsets[i].partition);
        if (!writer) {
            continue;
        }
        writer_settle(writer);
        if (writer->durable >= 0) {
            offsets[kept] = offsets[i];
            offsets[kept++].offset = writer->durable;
        }
    }
    *count = kept;
    return SLUICE_OK;
}

/* -- partitions -- */

static const char *keep_topic(struct sink *sink, const char *topic)
{
    for (struct topic_name *name = sink->topics; name; name = name->next) {
        if (strcmp(name->name, topic) == 0) {
            return name->name;
        }
    }
    size_t size = strlen(topic) + 1;
    struct topic_name *name = malloc(sizeof(*name) + size);
    if (!name) {
        return NULL;
    }
    memcpy(name->name, topic, size);
    name->next = sink->topics;
    sink->topics = name;
    return name->name;
}

static enum sluice_result no_memory(struct sink *sink)
{
    return sink->host->error(sink->host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION, "Out of memory");
}

/* What former owners of the partitions from writer number `known` on left unfinished goes, topic by topic. */
static int reclaim(struct sink *sink, size_t known)
{
    struct store *store = sink->output.store;
    int32_t *partitions = calloc(sink->writer_count + 1, sizeof(*partitions));
    if (!partitions) {
        return -1;
    }
    for (size_t i = known; i < sink->writer_count && store->vtable->reclaim; i++) {
        size_t count = 0;
        bool first = true;
        for (size_t k = known; k < sink->writer_count; k++) {
            if (sink->writers[k]->topic == sink->writers[i]->topic) {
                first = first && k >= i;
                partitions[count++] = sink->writers[k]->partition;
            }
        }
        if (first) {
            store->vtable->reclaim(store, sink->writers[i]->topic, partitions, count);
        }
    }
    free(partitions);
    return 0;
}

static enum sluice_result s3_open(void *self, const struct sluice_topic_partition *partitions,
                                  size_t count)
{
    struct sink *sink = self;
    struct writer **grown =
        realloc(sink->writers, (sink->writer_count + count + 1) * sizeof(*grown));
    if (!grown) {
        goto out_of_memory;
    }
    sink->writers = grown;
    size_t known = sink->writer_count;
    for (size_t i = 0; i < count; i++) {
        if (find_writer(sink, partitions[i].topic, partitions[i].partition)) {
            continue;
        }
        const char *topic = keep_topic(sink, partitions[i].topic);
        struct writer *writer = topic ? writer_create(sink, topic, partitions[i].partition) : NULL;
        if (!writer) {
            goto out_of_memory;
        }
        sink->writers[sink->writer_count++] = writer;
    }
    return reclaim(sink, known) == 0 ? SLUICE_OK : no_memory(sink);
out_of_memory:
    return no_memory(sink);
}

static void s3_close(void *self, const struct sluice_topic_partition *partitions, size_t count)
{
    struct sink *sink = self;
    for (size_t i = 0; i < count; i++) {
        for (size_t w = 0; w < sink->writer_count; w++) {
            struct writer *writer = sink->writers[w];
            if (writer->partition == partitions[i].partition &&
                strcmp(writer->topic, partitions[i].topic) == 0) {
                writer_destroy(sink, writer);
                sink->writers[w] = sink->writers[--sink->writer_count];
                break;
            }
        }
    }
    drain(sink);
}

/* -- from start to stop -- */

static enum sluice_result config_error(struct sink *sink, const char *message)
{
    return sink->host->error(sink->host, SLUICE_FATAL, SLUICE_CONFIG_EXCEPTION, "%s", message);
}

/* ".json.gz", ".keys.json.gz", ..: told to the store, which knows unfinished objects by them. */
static int set_extensions(struct sink *sink)
{
    static const char *const companions[STREAMS] = {"", ".keys", ".headers"};
    size_t count = 0;
    for (int i = 0; i < STREAMS; i++) {
        if (!sink->formats[i].vtable) {
            continue;
        }
        if (asprintf(&sink->extensions[i], "%s%s%s", companions[i], sink->formats[i].extension,
                     sink->output.compressor ? compressor_extension(sink->output.compressor) : "") < 0) {
            sink->extensions[i] = NULL;
            return -1;
        }
        sink->output.store->extensions[count++] = sink->extensions[i];
    }
    return 0;
}

static int open_store(struct sink *sink, char *message, size_t size)
{
    const struct settings *settings = &sink->settings;
    sink->memory = memory_create((size_t)settings->memory_limit, settings->spill_folder);
    if (!sink->memory) {
        snprintf(message, size, "Out of memory");
        return -1;
    }
    sink->output.memory = sink->memory;
    sink->output.store =
        settings->file_path
            ? file_store_create(settings, sink->host, &sink->client, sink->memory)
            : s3_store_create(settings, sink->host, &sink->client, sink->memory);
    if (!sink->output.store || set_extensions(sink) != 0) {
        snprintf(message, size, "Out of memory");
        return -1;
    }
    return sink->output.store->vtable->start(sink->output.store, message, size);
}

static enum sluice_result s3_start(void *self, const struct sluice_config *config)
{
    struct sink *sink = self;
    const struct sluice_host *host = sink->host;
    struct settings *settings = &sink->settings;
    char message[FAILURE_SIZE], text[FAILURE_SIZE];
    const char *key = "";
    sink->context = host->extension(host, SLUICE_SINK_CONTEXT);
    if (settings_read(settings, host, config, &key, text, sizeof(text)) != 0) {
        snprintf(message, sizeof(message), "%s: %.900s", key, text);
        return config_error(sink, strcmp(key, "timezone") == 0 ? text : message);
    }
    format_init(&sink->formats[STREAM_VALUE], settings->format, host, settings);
    format_init(&sink->formats[STREAM_KEY], settings->key_format, host, settings);
    format_init(&sink->formats[STREAM_HEADERS], settings->header_format, host, settings);
    static const char *const patterns[] = {"yyyy-MM-dd", "HH:mm:ss.SSS'Z'",
                                           "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'"};
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        sink->date_formats[i] = joda_format_create(patterns[i], "en", message, sizeof(message));
    }
    sink->headers_name = host->data->intern("headers", 7);
    sink->key_name = host->data->intern("key", 3);
    sink->value_name = host->data->intern("value", 5);
    sink->output.settings = settings;
    if (settings->gzip || settings->zstd) {
        sink->output.compressor = compressor_create(settings->zstd, settings->compression_level);
        if (!sink->output.compressor) {
            return config_error(sink, "Out of memory");
        }
    }
    sink->partitioner = partitioner_create(host, settings, message, sizeof(message));
    if (!sink->partitioner) {
        return config_error(sink, message);
    }
    if (settings->rotate_schedule > 0 &&
        zone_open(settings->timezone, &sink->zone, message, sizeof(message)) != 0) {
        return config_error(sink, message);
    }
    bool time_based = sink->partitioner->vtable->time_based;
    if (settings->rotate_interval > 0 && !time_based) {
        host->log(host, SLUICE_WARN,
                  "rotate.interval.ms is ignored: it needs a time-based partitioner.class");
    }
    sink->needs_time = time_based;
    sink->simple_path = sink->partitioner->vtable->constant && settings->affix == AFFIX_NONE;
    if (extractor_init(&sink->extractor, host, settings) != 0) {
        return config_error(sink, "Out of memory");
    }
    if (open_store(sink, message, sizeof(message)) != 0) {
        return host->error(host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION, "%s", message);
    }
    sink->objects = host->metric(host, "objects-written", SLUICE_COUNTER);
    sink->bytes = host->metric(host, "bytes-written", SLUICE_COUNTER);
    sink->in_flight = host->metric(host, "uploads-in-flight", SLUICE_GAUGE);
    return SLUICE_OK;
}

static void s3_stop(void *self)
{
    struct sink *sink = self;
    while (sink->writer_count > 0) {
        writer_destroy(sink, sink->writers[--sink->writer_count]);
    }
    if (sink->output.store) {
        sink->output.store->vtable->stop(sink->output.store);
    }
    drain(sink);
}

static void *s3_create(const struct sluice_host *host)
{
    struct sink *sink = calloc(1, sizeof(*sink));
    if (!sink) {
        return NULL;
    }
    sink->host = host;
    sink->client = (struct store_client){
        .done = on_done, .may_finish = may_finish, .trouble = on_trouble, .failed = on_failed};
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&sink->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&sink->lock, NULL);
    return sink;
}

static void s3_destroy(void *self)
{
    struct sink *sink = self;
    if (!sink) {
        return;
    }
    s3_stop(sink);
    if (sink->output.store) {
        sink->output.store->vtable->destroy(sink->output.store);
    }
    compressor_destroy(sink->output.compressor);
    partitioner_destroy(sink->partitioner);
    extractor_finish(&sink->extractor);
    zone_close(sink->zone);
    for (size_t i = 0; i < sizeof(sink->date_formats) / sizeof(sink->date_formats[0]); i++) {
        joda_format_destroy(sink->date_formats[i]);
    }
    memory_destroy(sink->memory);
    for (int i = 0; i < STREAMS; i++) {
        free(sink->extensions[i]);
    }
    while (sink->topics) {
        struct topic_name *next = sink->topics->next;
        free(sink->topics);
        sink->topics = next;
    }
    free(sink->writers);
    pthread_cond_destroy(&sink->changed);
    pthread_mutex_destroy(&sink->lock);
    free(sink);
}

static void s3_validate(void *self, const struct sluice_config *config,
                        const struct sluice_report *report)
{
    struct sink *sink = self;
    settings_validate(sink->host, config, report);
}

const struct sluice_sink s3_sink = {
    .size = sizeof(struct sluice_sink),
    .create = s3_create,
    .destroy = s3_destroy,
    .connector = {.validate = s3_validate},
    .start = s3_start,
    .open = s3_open,
    .close = s3_close,
    .put = s3_put,
    .pre_commit = s3_pre_commit,
    .stop = s3_stop,
};
