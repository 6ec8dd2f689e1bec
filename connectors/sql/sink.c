/*
 * The SQL sink's side of the plugin interface. [task thread]
 *
 * A put() is one transaction. When it returns all of it is durable (invariant 1), so offsets follow.
 * Where the database refuses a row the batch is halved until the row stands alone: it goes to the
 * errant-record reporter, the others are written.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "connectors/sql/plugin.h"
#include "connectors/sql/writer.h"

enum { COMMIT_INTERVAL_MS = 1000 };

#define SQL_EXCEPTION "java.sql.SQLException"

/* A record of the batch that was dealt with before the batch had to be tried again. */
struct handled {
    const char *topic;
    int32_t partition;
    int64_t offset;
};

struct sink {
    const struct sluice_host *host; /* first: sql_sink_validate() reads it */
    const struct sluice_sink_context *context;
    struct sink_settings settings;
    bool configured;
    struct writer writer;
    int64_t failures;   /* in a row */
    bool stale;         /* the tables were read anew, and that did not help yet */
    int64_t committed;  /* when offsets were last asked to be committed, ms of the monotonic clock */
    struct handled *handled;
    size_t handled_count, handled_room;
    struct sluice_metric *rows, *errors, *retries;
};

static void *sink_create(const struct sluice_host *host)
{
    struct sink *sink = calloc(1, sizeof(*sink));
    if (sink) {
        sink->host = host;
    }
    return sink;
}

static void sink_stop(void *self)
{
    struct sink *sink = self;
    if (sink->configured) {
        writer_finish(&sink->writer);
        sink_settings_finish(&sink->settings);
        sink->configured = false;
    }
}

static void sink_destroy(void *self)
{
    if (self) {
        sink_stop(self);
        free(((struct sink *)self)->handled);
        free(self);
    }
}

static enum sluice_result sink_start(void *self, const struct sluice_config *config)
{
    struct sink *sink = self;
    const struct sluice_host *host = sink->host;
    char message[400];
    if (sink_settings_read(host->config, config, &sink->settings, message, sizeof(message)) != 0) {
        return host->error(host, SLUICE_FATAL, SLUICE_CONFIG_EXCEPTION, "%s", message);
    }
    sink->configured = true;
    sink->context = host->extension(host, SLUICE_SINK_CONTEXT);
    writer_init(&sink->writer, host, &sink->settings);
    sink->rows = host->metric(host, "rows-written", SLUICE_COUNTER);
    sink->errors = host->metric(host, "rows-refused", SLUICE_COUNTER);
    sink->retries = host->metric(host, "batch-retries", SLUICE_COUNTER);
    jdbc_url_describe(&sink->settings.url, message, sizeof(message));
    host->log(host, SLUICE_INFO, "Writing to %s", message);
    return SLUICE_OK;
}

/* Where a record came from, for messages. */
static void where(const struct sink *sink, const struct sluice_record *record, char *to, size_t size)
{
    const struct sluice_records *records = sink->host->records;
    snprintf(to, size, "%s-%d@%" PRId64, records->original_topic(record),
             (int)records->original_partition(record), records->offset(record));
}

static void describe_error(const struct sql_error *error, char *to, size_t size)
{
    char code[48] = "";
    if (*error->state) {
        snprintf(code, sizeof(code), " (SQLState %s)", error->state);
    } else if (error->vendor) {
        snprintf(code, sizeof(code), " (code %d)", error->vendor);
    }
    snprintf(to, size, "%s%s", error->message, code);
}

/* Fails the call for good. */
static enum sluice_result fatal(struct sink *sink, const struct sql_error *error, const char *what)
{
    const struct sluice_host *host = sink->host;
    char text[1100];
    describe_error(error, text, sizeof(text));
    enum sluice_result result = host->error(host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION, "%s: %s", what, text);
    host->error_cause(host, SQL_EXCEPTION, "%s", text);
    return result;
}

/* What a failure of the whole batch leads to. */
static enum sluice_result give_up_or_retry(struct sink *sink, const struct sql_error *error)
{
    const struct sluice_host *host = sink->host;
    bool again = error->class == SQL_RETRY || error->class == SQL_RECONNECT ||
                 (error->class == SQL_STALE && !sink->stale);
    if (error->class == SQL_RECONNECT) {
        writer_disconnect(&sink->writer);
    }
    if (error->class == SQL_RECONNECT || error->class == SQL_STALE) {
        writer_forget_tables(&sink->writer);
    }
    sink->stale = error->class == SQL_STALE;
    if (!again || sink->failures >= sink->settings.max_retries) {
        char what[120];
        snprintf(what, sizeof(what), again ? "Gave up after %" PRId64 " retries (max.retries)" : "Writing failed",
                 sink->failures);
        return fatal(sink, error, what);
    }
    sink->failures++;
    host->metric_add(sink->retries, 1);
    char text[1100];
    describe_error(error, text, sizeof(text));
    host->log(host, SLUICE_WARN, "Write of a batch failed, %" PRId64 " retries remain: %s",
              sink->settings.max_retries - sink->failures, text);
    host->retry_after(host, error->class == SQL_STALE ? 0 : sink->settings.retry_backoff);
    enum sluice_result result = host->error(host, SLUICE_RETRY, SLUICE_RETRIABLE_EXCEPTION, "%s", text);
    host->error_cause(host, SQL_EXCEPTION, "%s", text);
    return result;
}

/* Written or reported: when the batch comes again, not once more. */
static void note_handled(struct sink *sink, struct sluice_batch *batch, size_t from, size_t to)
{
    const struct sluice_records *records = sink->host->records;
    if (sink->handled_count + (to - from) > sink->handled_room) {
        size_t room = sink->handled_count + (to - from) + 256;
        struct handled *handled = reallocarray(sink->handled, room, sizeof(*handled));
        if (!handled) {
            return; /* then it may be written twice */
        }
        sink->handled = handled;
        sink->handled_room = room;
    }
    for (size_t i = from; i < to; i++) {
        const struct sluice_record *record = records->at(batch, i);
        sink->handled[sink->handled_count++] =
            (struct handled){records->original_topic(record), records->original_partition(record),
                             records->offset(record)};
    }
}

static bool was_handled(const struct sink *sink, const struct sluice_record *record)
{
    const struct sluice_records *records = sink->host->records;
    for (size_t i = 0; i < sink->handled_count; i++) {
        const struct handled *handled = &sink->handled[i];
        if (handled->offset == records->offset(record) &&
            handled->partition == records->original_partition(record) &&
            strcmp(handled->topic, records->original_topic(record)) == 0) {
            return true;
        }
    }
    return false;
}

/* A record that cannot be written: to the reporter where there is one, else the task's end. */
static enum sluice_result refuse(struct sink *sink, struct sluice_batch *batch, size_t i,
                                 const char *java_class, const char *message)
{
    const struct sluice_host *host = sink->host;
    const struct sluice_record *record = host->records->at(batch, i);
    host->metric_add(sink->errors, 1);
    if (sink->context && sink->context->has_reporter(host)) {
        enum sluice_result result = sink->context->report(host, record, java_class, message);
        if (result == SLUICE_OK) {
            note_handled(sink, batch, i, i + 1);
        }
        return result;
    }
    char place[300];
    where(sink, record, place, sizeof(place));
    enum sluice_result result =
        host->error(host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION, "%s (record %s)", message, place);
    if (strcmp(java_class, SLUICE_CONNECT_EXCEPTION) != 0) {
        host->error_cause(host, java_class, "%s", message);
    }
    return result;
}

/* Writes operations from..to-1; a row that the database refuses is found and reported. */
static enum sluice_result apply(struct sink *sink, struct sluice_batch *batch, size_t from, size_t to,
                                struct sql_error *error)
{
    if (writer_apply(&sink->writer, from, to, error) == 0) {
        if (to - from < sink->host->records->count(batch)) {
            note_handled(sink, batch, from, to);
        }
        return SLUICE_OK;
    }
    if (error->class != SQL_DATA) {
        return SLUICE_RETRY; /* the caller asks the error's class */
    }
    bool reporter = sink->context && sink->context->has_reporter(sink->host);
    if (!reporter || to - from == 1) {
        size_t bad = to - from == 1 ? from : writer_first_bad(&sink->writer, from, to, error);
        char text[1100];
        describe_error(error, text, sizeof(text));
        return refuse(sink, batch, bad < to ? bad : from, SQL_EXCEPTION, text);
    }
    size_t half = from + (to - from) / 2;
    enum sluice_result result = apply(sink, batch, from, half, error);
    return result == SLUICE_OK ? apply(sink, batch, half, to, error) : result;
}

/* Offsets follow soon, not only at the worker's interval: what is committed is not written again. */
static void ask_for_commit(struct sink *sink)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t ms = now.tv_sec * 1000 + now.tv_nsec / 1000000;
    if (sink->context && ms - sink->committed >= COMMIT_INTERVAL_MS) {
        sink->committed = ms;
        sink->context->durable(sink->host);
    }
}

static enum sluice_result sink_put(void *self, struct sluice_batch *batch)
{
    struct sink *sink = self;
    const struct sluice_host *host = sink->host;
    size_t count = host->records->count(batch);
    struct sql_error error;
    if (count == 0) {
        return SLUICE_OK;
    }
    if (writer_begin(&sink->writer, count) != 0) {
        return host->error(host, SLUICE_RETRY, SLUICE_RETRIABLE_EXCEPTION, "no memory");
    }
    if (writer_connect(&sink->writer, &error) != 0) {
        return give_up_or_retry(sink, &error);
    }
    for (size_t i = 0; i < count; i++) {
        if (sink->handled_count > 0 && was_handled(sink, host->records->at(batch, i))) {
            writer_skip(&sink->writer, i);
            continue;
        }
        struct shape_fault fault;
        enum writer_outcome outcome = writer_prepare(&sink->writer, batch, i, &fault, &error);
        if (outcome == WRITER_FAILED) {
            return give_up_or_retry(sink, &error);
        }
        if (outcome == WRITER_BAD_RECORD) {
            writer_skip(&sink->writer, i);
            enum sluice_result result =
                refuse(sink, batch, i, SLUICE_CONNECT_EXCEPTION, fault.message);
            if (result != SLUICE_OK) {
                return result;
            }
        }
    }
    enum sluice_result result = apply(sink, batch, 0, count, &error);
    if (result == SLUICE_RETRY) {
        return give_up_or_retry(sink, &error);
    }
    sink->handled_count = 0; /* done, or failed for good */
    if (result == SLUICE_OK) {
        sink->failures = 0;
        sink->stale = false;
        host->metric_add(sink->rows, (int64_t)count);
        ask_for_commit(sink);
    }
    return result;
}

const struct sluice_sink sql_sink = {
    .size = sizeof(struct sluice_sink),
    .create = sink_create,
    .destroy = sink_destroy,
    .connector = {.validate = sql_sink_validate},
    .start = sink_start,
    .put = sink_put,
    .stop = sink_stop,
};
