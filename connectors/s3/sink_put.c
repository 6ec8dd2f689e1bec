/* Records of a put() on their way into writers, and the offsets that follow. [task thread] */
#include "connectors/s3/sink.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum sluice_result sink_no_memory(struct sink *sink)
{
    return sink->host->error(sink->host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION, "Out of memory");
}

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

struct writer *sink_find_writer(const struct sink *sink, const char *topic, int32_t partition)
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
            sink_find_writer(sink, records->topic(record), records->original_partition(record));
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
            writer = sink_find_writer(sink, topic, partition);
            if (!writer) {
                return no_writer(sink, topic, partition);
            }
            last_topic = topic;
            last_partition = partition;
        }
        enum sluice_result result = SLUICE_OK;
        if (memory_full(sink->memory) || sink->outstanding >= SINK_OUTSTANDING_MAX) {
            result = sink_make_room(sink);
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
            return sink_no_memory(sink);
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

enum sluice_result sink_put(void *self, struct sluice_batch *batch)
{
    struct sink *sink = self;
    size_t count = sink->host->records->count(batch);
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    int64_t now = (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
    sink_drain(sink);
    enum sluice_result result = count > 0 ? sink_store_state(sink) : SLUICE_OK;
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
            sink_finish_completed(sink);
        }
    }
    if (result == SLUICE_OK && (sink->settings.rotate_interval > 0 ||
                                sink->settings.rotate_schedule > 0 || sink->settings.rotate_idle > 0)) {
        result = tick_all(sink, now);
    }
    return result;
}

enum sluice_result sink_pre_commit(void *self, struct sluice_topic_offset *offsets, size_t *count)
{
    struct sink *sink = self;
    size_t kept = 0;
    sink_drain(sink);
    for (size_t i = 0; i < *count; i++) {
        struct writer *writer = sink_find_writer(sink, offsets[i].topic, offsets[i].partition);
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
