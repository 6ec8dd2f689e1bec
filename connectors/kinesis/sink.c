/*
 * sluice.kinesis.KinesisSinkConnector: records into Kinesis data streams by PutRecords. [task thread]
 *
 * When put() returns all of it is in Kinesis (invariant 1), so offsets follow. A call can be taken in part:
 * what was refused is sent again, and with kinesis.ordering=key a call has a partition key once at most,
 * so nothing overtakes a record that waits. A batch that has to wait for long is given back with RETRY; what
 * was taken of it is remembered until it comes again.
 */
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "connectors/kinesis/access.h"
#include "connectors/kinesis/names.h"
#include "connectors/kinesis/partition_key.h"
#include "connectors/kinesis/plugin.h"
#include "lib/util/fingerprint.h"

enum {
    COMMIT_INTERVAL_MS = 1000,
    CALL_RECORDS = 500,
    KEYS_SEEN = 2048,      /* a power of two, over twice CALL_RECORDS */
    LOOK_AHEAD = 8192,     /* records that a call is filled from */
    WAIT_HERE_MS = 300,    /* longer waits are the host's */
    CREATE_WAIT_MS = 120000,
    BODY_MAX = 40 << 20,
};

#define KINESIS_EXCEPTION "software.amazon.awssdk.services.kinesis.model.KinesisException"

struct entry {
    const char *stream;           /* interned in sink->streams */
    struct sluice_span key_json, data;
    uint64_t key_hash;
    size_t bytes;
    bool done;                    /* in Kinesis, reported, or left out */
};

/* Topics seen lately and their streams. */
struct target {
    struct target *next;
    char topic[KINESIS_NAME_SIZE], stream[KINESIS_NAME_SIZE];
};

struct sink {
    const struct sluice_host *host;
    const struct sluice_sink_context *context;
    struct kinesis_sink_settings settings;
    struct kinesis_access access;
    struct partition_keys keys;
    struct target *targets;
    struct buffer body;
    int64_t committed;            /* when offsets were last asked to be committed */

    /* the batch in hand, or the one that was given back */
    struct entry *entries;
    size_t count, room;
    uint64_t fingerprint;         /* of its records; 0: none was given back */
    struct sluice_batch *batch;
    int failures;                 /* calls in a row that got nothing in */
    int64_t create_until;         /* monotonic; 0: no stream was made */

    /* the call under way */
    size_t wave[CALL_RECORDS], wave_count, taken;
    uint64_t seen[KEYS_SEEN];
    struct aws_fault fault;
    bool answered;

    struct sluice_metric *written, *calls, *refused, *throttled;
};

static void *sink_create(const struct sluice_host *host)
{
    struct sink *sink = calloc(1, sizeof(*sink));
    if (sink) {
        sink->host = host;
        buffer_init(&sink->body, BODY_MAX);
    }
    return sink;
}

static void sink_stop(void *self)
{
    struct sink *sink = self;
    kinesis_access_finish(&sink->access);
}

static void sink_destroy(void *self)
{
    struct sink *sink = self;
    if (!sink) {
        return;
    }
    sink_stop(sink);
    for (struct target *target = sink->targets, *next; target; target = next) {
        next = target->next;
        free(target);
    }
    buffer_finish(&sink->body);
    free(sink->entries);
    free(sink);
}

static void sink_validate(void *self, const struct sluice_config *config,
                          const struct sluice_report *report)
{
    struct sink *sink = self;
    struct kinesis_sink_settings settings;
    const char *key = "";
    char message[KINESIS_MESSAGE];
    if (kinesis_sink_settings_read(&settings, sink->host, config, &key, message, sizeof(message)) != 0) {
        report->invalid(report, key, "%s", message);
    }
}

static enum sluice_result sink_start(void *self, const struct sluice_config *config)
{
    struct sink *sink = self;
    const struct sluice_host *host = sink->host;
    const char *key = "";
    char message[KINESIS_MESSAGE];
    if (kinesis_sink_settings_read(&sink->settings, host, config, &key, message, sizeof(message)) != 0) {
        return host->error(host, SLUICE_FATAL, SLUICE_CONFIG_EXCEPTION, "%s", message);
    }
    if (kinesis_access_open(&sink->access, &sink->settings.access, host, message, sizeof(message)) != 0) {
        return host->error(host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION, "%s", message);
    }
    partition_keys_init(&sink->keys, host, &sink->settings);
    sink->context = host->extension(host, SLUICE_SINK_CONTEXT);
    sink->written = host->metric(host, "records-written", SLUICE_COUNTER);
    sink->calls = host->metric(host, "calls", SLUICE_COUNTER);
    sink->refused = host->metric(host, "records-refused", SLUICE_COUNTER);
    sink->throttled = host->metric(host, "records-throttled", SLUICE_COUNTER);
    return SLUICE_OK;
}

/* -- a batch -- */

static int make_room(struct sink *sink, struct sluice_batch *batch, size_t count)
{
    uint64_t of = fingerprint_records(sink->host, batch, count) | 1;
    bool again = sink->fingerprint == of && sink->count == count;
    if (count > sink->room) {
        struct entry *entries = reallocarray(sink->entries, count, sizeof(*entries));
        if (!entries) {
            return -1;
        }
        sink->entries = entries;
        sink->room = count;
    }
    for (size_t i = 0; i < count; i++) {
        sink->entries[i] = (struct entry){.done = again && sink->entries[i].done};
    }
    sink->count = count;
    sink->fingerprint = of;
    return 0;
}

static const char *stream_of(struct sink *sink, const char *topic, char *message, size_t size)
{
    for (const struct target *target = sink->targets; target; target = target->next) {
        if (strcmp(target->topic, topic) == 0) {
            return target->stream;
        }
    }
    struct target *target = calloc(1, sizeof(*target));
    if (!target) {
        snprintf(message, size, "out of memory");
        return NULL;
    }
    snprintf(target->topic, sizeof(target->topic), "%s", topic);
    if (!kinesis_name(sink->settings.stream_map, sink->settings.stream_map_count, sink->settings.stream,
                      "topic", topic, target->stream) || !kinesis_stream_valid(target->stream)) {
        snprintf(message, size, "Topic %s gives no name of a stream (1 to 128 of a-z, A-Z, 0-9, _, ., -): set "
                                "kinesis.stream or kinesis.stream.map", topic);
        free(target);
        return NULL;
    }
    target->next = sink->targets;
    sink->targets = target;
    return target->stream;
}

static struct sluice_span data_of(const struct sink *sink, struct sluice_batch *batch,
                                  const struct sluice_value *value)
{
    const struct sluice_data *data = sink->host->data;
    enum sluice_type type = data->type(value);
    return type == SLUICE_STRING || type == SLUICE_BYTES ? data->text(value) : data->to_json(batch, value);
}

/* A record that cannot be written: to the reporter where there is one, else the task's end. */
static enum sluice_result refuse(struct sink *sink, struct sluice_batch *batch, size_t i,
                                 const char *message)
{
    const struct sluice_host *host = sink->host;
    const struct sluice_record *record = host->records->at(batch, i);
    host->metric_add(sink->refused, 1);
    if (sink->context && sink->context->has_reporter(host)) {
        enum sluice_result result = sink->context->report(host, record, SLUICE_DATA_EXCEPTION, message);
        sink->entries[i].done = result == SLUICE_OK;
        return result;
    }
    (void)host->error(host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION, "%s (record %s-%d@%" PRId64 ")",
                      message, host->records->original_topic(record),
                      (int)host->records->original_partition(record), host->records->offset(record));
    host->error_cause(host, SLUICE_DATA_EXCEPTION, "%s", message);
    return SLUICE_FATAL;
}

static enum sluice_result prepare(struct sink *sink, struct sluice_batch *batch, size_t i)
{
    const struct sluice_host *host = sink->host;
    const struct sluice_record *record = host->records->at(batch, i);
    const struct sluice_value *value = host->records->value(record);
    struct entry *entry = &sink->entries[i];
    struct sluice_span key;
    char message[KINESIS_MESSAGE];
    if (host->data->type(value) == SLUICE_NULL) {
        if (sink->settings.ignore_nulls) {
            entry->done = true;
            return SLUICE_OK;
        }
        return refuse(sink, batch, i, "A record without value cannot be written to Kinesis; "
                                      "behavior.on.null.values=ignore leaves such records out");
    }
    entry->stream = stream_of(sink, host->records->topic(record), message, sizeof(message));
    if (!entry->stream || partition_key_of(&sink->keys, batch, record, &key, &entry->key_json, message,
                                           sizeof(message)) != 0) {
        return refuse(sink, batch, i, message);
    }
    entry->key_hash = fingerprint(0, key.data, key.size) | 1;
    entry->data = data_of(sink, batch, value);
    entry->bytes = entry->data.size + key.size;
    if (entry->bytes > (size_t)sink->settings.record_bytes) {
        snprintf(message, sizeof(message), "A record of %zu bytes, data and partition key, is too large: Kinesis "
                                           "takes %" PRId64 " (kinesis.record.bytes)", entry->bytes,
                 sink->settings.record_bytes);
        return refuse(sink, batch, i, message);
    }
    return SLUICE_OK;
}

/* -- calls -- */

/* False where the key is in the call already. */
static bool note_key(struct sink *sink, uint64_t key)
{
    size_t at = (size_t)(key ^ key >> 32) & (KEYS_SEEN - 1);
    while (sink->seen[at]) {
        if (sink->seen[at] == key) {
            return false;
        }
        at = (at + 1) & (KEYS_SEEN - 1);
    }
    sink->seen[at] = key;
    return true;
}

/* Picks records for one call, from the first that is to be written on. */
static void choose(struct sink *sink, size_t first)
{
    const struct kinesis_sink_settings *settings = &sink->settings;
    const char *stream = sink->entries[first].stream;
    size_t bytes = 0;
    sink->wave_count = 0;
    if (settings->in_order) {
        memset(sink->seen, 0, sizeof(sink->seen));
    }
    for (size_t i = first; i < sink->count && i < first + LOOK_AHEAD; i++) {
        const struct entry *entry = &sink->entries[i];
        if (entry->done || entry->stream != stream) {
            continue;
        }
        if (sink->wave_count == (size_t)settings->batch_records ||
            (sink->wave_count > 0 && bytes + entry->bytes > (size_t)settings->batch_bytes)) {
            break;
        }
        if (settings->in_order && !note_key(sink, entry->key_hash)) {
            continue;
        }
        bytes += entry->bytes;
        sink->wave[sink->wave_count++] = i;
    }
}

static void write_body(struct sink *sink)
{
    struct buffer *body = &sink->body;
    buffer_reset(body);
    (void)buffer_printf(body, "{\"StreamName\":\"%s\",\"Records\":[", sink->entries[sink->wave[0]].stream);
    for (size_t i = 0; i < sink->wave_count; i++) {
        const struct entry *entry = &sink->entries[sink->wave[i]];
        (void)buffer_append_text(body, i > 0 ? ",{\"Data\":\"" : "{\"Data\":\"");
        if (buffer_reserve(body, (entry->data.size + 2) / 3 * 4 + 1) == 0) {
            int size = EVP_EncodeBlock((unsigned char *)body->data + body->size,
                                       (const unsigned char *)entry->data.data, (int)entry->data.size);
            body->size += (size_t)size;
        }
        (void)buffer_append_text(body, "\",\"PartitionKey\":");
        (void)buffer_append(body, entry->key_json.data, entry->key_json.size);
        (void)buffer_append_char(body, '}');
    }
    (void)buffer_append_text(body, "]}");
}

/* {"FailedRecordCount":1,"Records":[{"SequenceNumber":..},{"ErrorCode":..,"ErrorMessage":..}]} */
static void read_answer(struct sink *sink, const struct http_reply *reply)
{
    const struct sluice_data *data = sink->host->data;
    struct sluice_json_error error = {.size = sizeof(error)};
    struct sluice_value *answer = NULL;
    char *text = sink->host->records->alloc(sink->batch, reply->body.size + 1);
    if (reply->body.size > 0) {
        memcpy(text, reply->body.data, reply->body.size);
    }
    text[reply->body.size] = '\0';
    const struct sluice_value *list = NULL;
    if (data->from_json(sink->batch, text, reply->body.size, SLUICE_JSON_STRICT, &answer, &error) == SLUICE_OK) {
        list = data->find(answer, data->intern("Records", 7));
    }
    if (data->count(list) != sink->wave_count) {
        sink->fault.class = AWS_TRANSIENT; /* whether it was taken is not known: it is sent again */
        snprintf(sink->fault.message, sizeof(sink->fault.message), "The answer does not fit PutRecords");
        return;
    }
    for (size_t i = 0; i < sink->wave_count; i++) {
        const struct sluice_value *result = data->at(list, i);
        struct sluice_span code = data->text(data->find(result, data->intern("ErrorCode", 9)));
        if (code.size == 0) {
            sink->entries[sink->wave[i]].done = true;
            sink->taken++;
            continue;
        }
        struct sluice_span why = data->text(data->find(result, data->intern("ErrorMessage", 12)));
        sink->fault.class = AWS_THROTTLED;
        sink->fault.status = reply->status;
        snprintf(sink->fault.code, sizeof(sink->fault.code), "%.*s", (int)code.size, code.data);
        snprintf(sink->fault.message, sizeof(sink->fault.message), "%.*s", (int)(why.size < 250 ? why.size : 250),
                 why.data ? why.data : "");
    }
}

static void answered(void *user, struct http_reply *reply)
{
    struct sink *sink = user;
    sink->answered = true;
    kinesis_classify(&sink->access, reply, &sink->fault);
    if (sink->fault.class == AWS_FINE) {
        read_answer(sink, reply);
    }
}

static void call(struct sink *sink)
{
    sink->taken = 0;
    sink->answered = false;
    sink->fault = (struct aws_fault){.class = AWS_TRANSIENT, .retry_after_ms = -1};
    sink->host->metric_add(sink->calls, 1);
    write_body(sink);
    if (!kinesis_start(&sink->access, "PutRecords", &sink->body, answered, sink, sink->fault.message,
                       sizeof(sink->fault.message))) {
        return;
    }
    while (!sink->answered) {
        http_client_run(sink->access.http, 1000);
    }
    sink->host->metric_add(sink->written, (int64_t)sink->taken);
}

/* The stream is not there: made where that is wanted. True: try again. */
static bool create_stream(struct sink *sink, const char *stream)
{
    struct buffer body;
    struct aws_fault fault;
    char text[KINESIS_MESSAGE];
    if (!sink->settings.create) {
        return false;
    }
    int64_t now = kinesis_now_ms();
    if (sink->create_until != 0) {
        return now < sink->create_until;
    }
    buffer_init(&body, 1000);
    (void)buffer_printf(&body, "{\"StreamName\":\"%s\",\"ShardCount\":%" PRId64 "}", stream,
                        sink->settings.create_shards);
    json_t *reply = kinesis_call(&sink->access, "CreateStream", &body, &fault);
    buffer_finish(&body);
    bool made = reply != NULL;
    json_decref(reply);
    if (made || strcmp(fault.code, "ResourceInUseException") == 0) {
        sink->host->log(sink->host, SLUICE_INFO, "Stream %s is being made, with %" PRId64 " shards", stream,
                        sink->settings.create_shards);
        sink->create_until = now + CREATE_WAIT_MS;
        return true;
    }
    sink->host->log(sink->host, SLUICE_WARN, "Stream %s could not be made: %s", stream,
                    aws_fault_text(&fault, text, sizeof(text)));
    return kinesis_may_retry(&fault);
}

/* What a call that was not taken as a whole leads to; OK: go on, it was waited for. */
static enum sluice_result after_fault(struct sink *sink, const char *stream)
{
    const struct sluice_host *host = sink->host;
    char text[KINESIS_MESSAGE];
    bool missing = sink->fault.class == AWS_MISSING;
    bool again = kinesis_may_retry(&sink->fault) || strcmp(sink->fault.code, "ResourceInUseException") == 0 ||
                 (missing && create_stream(sink, stream));
    aws_fault_text(&sink->fault, text, sizeof(text));
    if (!again) {
        sink->fingerprint = 0;
        (void)host->error(host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION,
                          missing ? "There is no stream %s in %s: make it, or set kinesis.stream.create=true"
                                  : "Writing to the stream %s in %s failed",
                          stream, sink->settings.access.region);
        host->error_cause(host, KINESIS_EXCEPTION, "%s", text);
        return SLUICE_FATAL;
    }
    sink->failures = sink->taken > 0 ? 1 : sink->failures + 1;
    host->metric_add(sink->throttled, (int64_t)(sink->wave_count - sink->taken));
    int64_t wait = kinesis_backoff(&sink->access, sink->failures);
    if (sink->fault.retry_after_ms > wait) {
        wait = sink->fault.retry_after_ms;
    }
    if (wait <= WAIT_HERE_MS) {
        struct timespec time = {wait / 1000, wait % 1000 * 1000000};
        nanosleep(&time, NULL);
        return SLUICE_OK;
    }
    host->log(host, SLUICE_WARN, "%zu records for stream %s wait for %" PRId64 " ms: %s",
              sink->wave_count - sink->taken, stream, wait, text);
    host->retry_after(host, wait);
    return host->error(host, SLUICE_RETRY, SLUICE_RETRIABLE_EXCEPTION, "%s", text);
}

static void ask_for_commit(struct sink *sink)
{
    int64_t now = kinesis_now_ms();
    if (sink->context && now - sink->committed >= COMMIT_INTERVAL_MS) {
        sink->committed = now;
        sink->context->durable(sink->host);
    }
}

static enum sluice_result sink_put(void *self, struct sluice_batch *batch)
{
    struct sink *sink = self;
    const struct sluice_host *host = sink->host;
    size_t count = host->records->count(batch);
    if (count == 0) {
        return SLUICE_OK;
    }
    if (make_room(sink, batch, count) != 0) {
        return host->error(host, SLUICE_RETRY, SLUICE_RETRIABLE_EXCEPTION, "Out of memory");
    }
    for (size_t i = 0; i < count; i++) {
        enum sluice_result result = sink->entries[i].done ? SLUICE_OK : prepare(sink, batch, i);
        if (result != SLUICE_OK) {
            return result;
        }
    }
    sink->batch = batch;
    for (size_t first = 0; first < count;) {
        if (sink->entries[first].done) {
            first++;
            continue;
        }
        choose(sink, first);
        call(sink);
        enum sluice_result result = SLUICE_OK;
        if (sink->fault.class != AWS_FINE) {
            result = after_fault(sink, sink->entries[first].stream);
        } else {
            sink->failures = 0;
            sink->create_until = 0;
        }
        if (result != SLUICE_OK) {
            return result;
        }
    }
    sink->fingerprint = 0;
    ask_for_commit(sink);
    return SLUICE_OK; /* invariant 1: offsets follow, all of it is in Kinesis */
}

const struct sluice_sink kinesis_sink = {
    .size = sizeof(struct sluice_sink),
    .create = sink_create,
    .destroy = sink_destroy,
    .connector = {.validate = sink_validate},
    .start = sink_start,
    .put = sink_put,
    .stop = sink_stop,
};
