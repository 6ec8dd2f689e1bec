/*
 * sluice.kinesis.KinesisSourceConnector: records out of all shards of Kinesis data streams. [task thread]
 *
 * A shard belongs to one task, by its number. Each has at most one request under way; poll() drives them all
 * and hands on what came. How far a shard is read is a Connect offset of its own, {stream, shard} ->
 * {sequenceNumber, subSequenceNumber}; at the end of a closed one, shardEnd. A shard that came of a split or
 * merge is read once all its parents are read and delivered, whichever tasks have them, so that a key's
 * records stay in order.
 */
#include "connectors/kinesis/source.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "connectors/kinesis/plugin.h"

static void *source_create(const struct sluice_host *host)
{
    struct source *source = calloc(1, sizeof(*source));
    if (source) {
        source->host = host;
    }
    return source;
}

static void source_stop(void *self)
{
    struct source *source = self;
    kinesis_access_finish(&source->access); /* breaks off what is under way */
    for (struct shard *shard = source->shards.first; shard; shard = shard->next) {
        shard->call = NULL;
    }
}

static void source_destroy(void *self)
{
    struct source *source = self;
    if (!source) {
        return;
    }
    source_stop(source);
    shards_finish(&source->shards);
    kinesis_aggregate_finish(&source->aggregate);
    for (size_t i = 0; source->topics && i < source->settings.stream_count; i++) {
        free(source->topics[i]);
    }
    free(source->topics);
    free(source);
}

/* -- configuration -- */

static void validate(void *self, const struct sluice_config *config, const struct sluice_report *report)
{
    struct source *source = self;
    struct kinesis_source_settings settings;
    const char *key = "";
    char message[KINESIS_MESSAGE];
    if (kinesis_source_settings_read(&settings, source->host, config, &key, message, sizeof(message)) != 0) {
        report->invalid(report, key, "%s", message);
    }
}

/*
 * Always max_tasks of them, each of which finds its shards on its own: new shards need no new tasks, and none
 * ever moves from one task to another, which would read on before the other's offsets are stored.
 */
static enum sluice_result task_configs(void *self, const struct sluice_config *config, int max_tasks,
                                       const struct sluice_report *report)
{
    char text[16];
    (void)self;
    (void)config;
    for (int i = 0; i < max_tasks; i++) {
        report->task(report);
        snprintf(text, sizeof(text), "%d", i);
        report->task_set(report, "sluice.task.number", text);
        snprintf(text, sizeof(text), "%d", max_tasks);
        report->task_set(report, "sluice.task.count", text);
    }
    return SLUICE_OK;
}

static int make_topics(struct source *source, char *message, size_t size)
{
    const struct kinesis_source_settings *settings = &source->settings;
    source->topics = calloc(settings->stream_count, sizeof(*source->topics));
    for (size_t i = 0; source->topics && i < settings->stream_count; i++) {
        char topic[KINESIS_NAME_SIZE];
        if (!kinesis_name(settings->topic_map, settings->topic_map_count, settings->topic, "stream",
                          settings->streams[i], topic)) {
            snprintf(message, size, "Stream %s gives no name of a topic (kafka.topic, kafka.topic.map)",
                     settings->streams[i]);
            return -1;
        }
        source->topics[i] = strdup(topic);
    }
    if (!source->topics || !source->topics[settings->stream_count - 1]) {
        snprintf(message, size, "out of memory");
        return -1;
    }
    return 0;
}

static const struct sluice_name *name(const struct source *source, const char *text)
{
    return source->host->data->intern(text, strlen(text));
}

static enum sluice_result source_start(void *self, const struct sluice_config *config)
{
    struct source *source = self;
    const struct sluice_host *host = source->host;
    const char *key = "";
    char message[KINESIS_MESSAGE];
    source->context = host->extension(host, SLUICE_SOURCE_CONTEXT);
    if (kinesis_source_settings_read(&source->settings, host, config, &key, message, sizeof(message)) != 0 ||
        make_topics(source, message, sizeof(message)) != 0) {
        return host->error(host, SLUICE_FATAL, SLUICE_CONFIG_EXCEPTION, "%s", message);
    }
    if (kinesis_access_open(&source->access, &source->settings.access, host, message, sizeof(message)) != 0) {
        return host->error(host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION, "%s", message);
    }
    source->names = (struct source_names){
        .stream = name(source, "stream"),
        .shard = name(source, "shard"),
        .sequence = name(source, "sequenceNumber"),
        .sub_sequence = name(source, "subSequenceNumber"),
        .end = name(source, "shardEnd"),
        .timestamp = name(source, "timestamp"),
        .records = name(source, "Records"),
        .data = name(source, "Data"),
        .key = name(source, "PartitionKey"),
        .number = name(source, "SequenceNumber"),
        .arrival = name(source, "ApproximateArrivalTimestamp"),
        .iterator = name(source, "NextShardIterator"),
        .behind = name(source, "MillisBehindLatest"),
    };
    source->records = host->metric(host, "records-read", SLUICE_COUNTER);
    source->behind = host->metric(host, "millis-behind-latest", SLUICE_GAUGE);
    source->throttled = host->metric(host, "calls-throttled", SLUICE_COUNTER);
    source->renewed = host->metric(host, "iterators-renewed", SLUICE_COUNTER);
    return SLUICE_OK;
}

/* -- offsets -- */

static const struct sluice_value *text_value(const struct source *source, const char *text)
{
    return source->host->data->new_string(source->batch, text, strlen(text));
}

const struct sluice_value *source_partition(const struct source *source, const char *stream, const char *shard)
{
    const struct sluice_data *data = source->host->data;
    struct sluice_value *partition = data->new_map(source->batch, 2);
    data->put(source->batch, partition, source->names.stream, text_value(source, stream));
    data->put(source->batch, partition, source->names.shard, text_value(source, shard));
    return partition;
}

static const struct sluice_value *stored(const struct source *source, const char *stream, const char *shard)
{
    if (!source->context) {
        return NULL;
    }
    return source->context->offset(source->host, source->batch, source_partition(source, stream, shard));
}

/* A record that nobody writes: what is stored of a shard that gave none. */
static void store(struct source *source, const struct shard *shard, struct sluice_value *offset)
{
    struct sluice_record *record = source->host->records->add(source->batch, NULL);
    source->host->records->set_source(record, source_partition(source, shard->stream, shard->id), offset);
}

void source_shard_end(struct source *source, struct shard *shard)
{
    const struct sluice_data *data = source->host->data;
    struct sluice_value *offset = data->new_map(source->batch, 2);
    if (shard->sequence[0]) {
        data->put(source->batch, offset, source->names.sequence, text_value(source, shard->sequence));
    }
    data->put(source->batch, offset, source->names.end, data->new_boolean(source->batch, true));
    store(source, shard, offset);
    shard->state = SHARD_ENDED;
    shard->behind = 0;
    free(shard->iterator);
    shard->iterator = NULL;
    source->next_discovery = 0; /* its children are there */
}

/* -- which shards, and from where -- */

/* True where something of a parent, or of one before it, was read: then this one is read from its beginning. */
static bool descends_from_read(const struct source *source, const struct shard *shard, int depth)
{
    for (int i = 0; i < KINESIS_PARENTS && depth < 50; i++) {
        const char *id = shard->parents[i];
        if (!id[0]) {
            continue;
        }
        const struct shard *parent = shards_find(&source->shards, shard->stream, id);
        if (stored(source, shard->stream, id) || (parent && descends_from_read(source, parent, depth + 1))) {
            return true;
        }
    }
    return false;
}

/* Goes on where it was; true where an offset is stored. */
static bool resume(struct source *source, struct shard *shard)
{
    const struct sluice_data *data = source->host->data;
    const struct sluice_value *offset = stored(source, shard->stream, shard->id);
    if (!offset || data->type(offset) != SLUICE_MAP) {
        return false;
    }
    struct sluice_span sequence = data->text(data->find(offset, source->names.sequence));
    const struct sluice_value *sub_sequence = data->find(offset, source->names.sub_sequence);
    snprintf(shard->sequence, sizeof(shard->sequence), "%.*s", (int)sequence.size,
             sequence.data ? sequence.data : "");
    shard->state = SHARD_NO_ITERATOR;
    if (data->boolean(data->find(offset, source->names.end))) {
        shard->state = SHARD_ENDED;
    } else if (!shard->sequence[0]) {
        shard->start = SHARD_TIMESTAMP;
        shard->timestamp = data->integer(data->find(offset, source->names.timestamp));
    } else if (data->type(sub_sequence) != SLUICE_NULL) {
        shard->start = SHARD_AT; /* the aggregate once more, without what was delivered of it */
        shard->sub_sequence = data->integer(sub_sequence) + 1;
    } else {
        shard->start = SHARD_AFTER;
    }
    return true;
}

/* LATEST is kept as a time until a record comes: what is written while the task is down is not missed. */
static void store_beginning(struct source *source, struct shard *shard)
{
    const struct sluice_data *data = source->host->data;
    struct sluice_value *offset = data->new_map(source->batch, 1);
    shard->timestamp = ((int64_t)time(NULL) + source->access.clock_offset) * 1000;
    data->put(source->batch, offset, source->names.timestamp,
              data->new_integer(source->batch, SLUICE_INT64, shard->timestamp));
    store(source, shard, offset);
}

static void begin(struct source *source, struct shard *shard)
{
    bool first = !source->discovered && source->settings.position == KINESIS_LATEST;
    if (resume(source, shard)) {
        return;
    }
    shard->state = SHARD_WAITS;
    shard->start = SHARD_TRIM_HORIZON;
    if (source->settings.position == KINESIS_TIMESTAMP) {
        shard->start = SHARD_TIMESTAMP;
        shard->timestamp = source->settings.timestamp;
    } else if (first && !descends_from_read(source, shard, 0)) {
        if (shard->open) {
            shard->start = SHARD_LATEST;
            shard->state = SHARD_NO_ITERATOR; /* its parents are old: nothing of them is to come before */
            source->host->log(source->host, SLUICE_INFO, "Reading %s of %s", shard->id, shard->stream);
            store_beginning(source, shard);
        } else {
            source_shard_end(source, shard); /* all of it is old */
        }
    }
}

/* Whether a parent is read, or nobody will read it any more. */
static bool is_read(struct source *source, const char *stream, const char *id)
{
    struct shard *parent = shards_find(&source->shards, stream, id);
    if (!parent || (parent->state == SHARD_FOREIGN && !parent->listed)) {
        return true; /* older than what Kinesis keeps */
    }
    if (parent->state == SHARD_ENDED) {
        return atomic_load(&parent->pending) == 0;
    }
    if (parent->state != SHARD_FOREIGN || parent->foreign_end) {
        return parent->foreign_end;
    }
    int64_t now = kinesis_now_ms();
    if (now >= parent->foreign_look) {
        const struct sluice_data *data = source->host->data;
        const struct sluice_value *offset = stored(source, stream, id);
        parent->foreign_look = now + FOREIGN_LOOK_MS;
        parent->foreign_end = data->boolean(data->find(offset, source->names.end));
    }
    return parent->foreign_end;
}

static void look_at_parents(struct source *source, struct shard *shard)
{
    for (int i = 0; i < KINESIS_PARENTS; i++) {
        if (shard->parents[i][0] && !is_read(source, shard->stream, shard->parents[i])) {
            return;
        }
    }
    source->host->log(source->host, SLUICE_INFO, "Reading %s of %s", shard->id, shard->stream);
    shard->state = SHARD_NO_ITERATOR;
    shard->due = 0;
}

static size_t stream_number(const struct source *source, const char *stream)
{
    size_t i = 0;
    while (source->settings.streams[i] != stream) {
        i++;
    }
    return i;
}

static void sort_out(struct source *source)
{
    const struct kinesis_source_settings *settings = &source->settings;
    for (struct shard *shard = source->shards.first; shard; shard = shard->next) {
        if (shard->state == SHARD_NEW) {
            size_t number = stream_number(source, shard->stream);
            shard->owner = source;
            shard->topic = source->topics[number];
            if (shard_task(shard->id, number, settings->task_count) != settings->task_number) {
                shard->state = SHARD_FOREIGN;
            } else {
                begin(source, shard);
            }
        }
    }
}

/* Looks for new shards; source->fault says why the task is to end. */
static void discover(struct source *source)
{
    const struct kinesis_source_settings *settings = &source->settings;
    struct aws_fault fault;
    char why[KINESIS_MESSAGE];
    for (size_t i = 0; i < settings->stream_count; i++) {
        if (shards_list(&source->shards, &source->access, settings->streams[i], &fault) == 0) {
            continue;
        }
        aws_fault_text(&fault, why, sizeof(why));
        if (!kinesis_may_retry(&fault)) {
            source_fail(source, fault.class == AWS_MISSING ? "There is no stream %s in %s: %s"
                                                           : "Shards of the stream %s in %s cannot be listed: %s",
                        settings->streams[i], settings->access.region, why);
            return;
        }
        source->discovery_failures++;
        source->next_discovery = kinesis_now_ms() + kinesis_backoff(&source->access, source->discovery_failures);
        source->host->log(source->host, SLUICE_WARN, "Shards of the stream %s could not be listed, trying again: %s",
                          settings->streams[i], why);
        return;
    }
    source->discovery_failures = 0;
    source->next_discovery = kinesis_now_ms() + settings->discovery_ms;
    sort_out(source);
    source->discovered = true;
}

/* -- polling -- */

void source_fail(struct source *source, const char *format, ...)
{
    va_list arguments;
    if (source->fault[0]) {
        return;
    }
    va_start(arguments, format);
    vsnprintf(source->fault, sizeof(source->fault), format, arguments);
    va_end(arguments);
}

/* Starts what is due; gives the time until something else is. */
static int64_t start_due(struct source *source)
{
    int64_t now = kinesis_now_ms(), wait = source->next_discovery - now, behind = 0;
    size_t under_way = 0;
    for (struct shard *shard = source->shards.first; shard; shard = shard->next) {
        under_way += shard->call ? 1 : 0;
    }
    for (struct shard *shard = source->shards.first; shard; shard = shard->next) {
        if (shard->state == SHARD_WAITS) {
            look_at_parents(source, shard);
            wait = wait < PARENT_LOOK_MS ? wait : PARENT_LOOK_MS;
        }
        if (shard->call || (shard->state != SHARD_NO_ITERATOR && shard->state != SHARD_READY)) {
            continue;
        }
        behind = shard->behind > behind ? shard->behind : behind;
        if (shard->due <= now && under_way < FETCHES_MAX) { /* invariant 5: so many answers at a time */
            source_shard_ask(source, shard);
            under_way++;
        } else if (shard->due > now && shard->due - now < wait) {
            wait = shard->due - now;
        }
    }
    source->host->metric_set(source->behind, behind);
    return wait > 0 ? wait : 0;
}

static enum sluice_result source_poll(void *self, struct sluice_batch *batch, int timeout_ms)
{
    struct source *source = self;
    const struct sluice_records *records = source->host->records;
    int64_t end = kinesis_now_ms() + timeout_ms, now;
    source->batch = batch;
    do {
        if (source->fault[0]) {
            break;
        }
        if (kinesis_now_ms() >= source->next_discovery) {
            discover(source);
        }
        int64_t wait = start_due(source);
        now = kinesis_now_ms();
        if (records->count(batch) > 0) {
            wait = 0;
        }
        http_client_run(source->access.http, (int)(wait < end - now ? wait : end > now ? end - now : 0));
        now = kinesis_now_ms();
    } while (records->count(batch) == 0 && now < end);
    source->batch = NULL;
    if (source->fault[0] && records->count(batch) == 0) {
        return source->host->error(source->host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION, "%s", source->fault);
    }
    return SLUICE_OK;
}

/* [broker thread, or task thread] */
static void source_record_done(void *self, const struct sluice_record *record,
                               const struct sluice_delivery *delivery)
{
    struct source *source = self;
    struct shard *shard = source->host->records->context(record);
    if (shard && (delivery->result == SLUICE_OK || delivery->result == SLUICE_DROP)) {
        atomic_fetch_sub(&shard->pending, 1);
    }
}

/* Offsets that an operator sets. */
static enum sluice_result alter(void *self, const struct sluice_config *config,
                                const struct sluice_offset_change *changes, size_t count, bool *ret_handled)
{
    struct source *source = self;
    const struct sluice_host *host = source->host;
    const struct sluice_data *data = host->data;
    (void)config;
    for (size_t i = 0; i < count; i++) {
        if (data->type(data->find(changes[i].partition, name(source, "stream"))) != SLUICE_STRING ||
            data->type(data->find(changes[i].partition, name(source, "shard"))) != SLUICE_STRING) {
            return host->error(host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION,
                               "A partition has the members stream and shard");
        }
    }
    *ret_handled = true; /* there are no others */
    return SLUICE_OK;
}

static const void *source_extension(void *self, const char *id)
{
    static const struct sluice_alter_offsets alter_offsets = {.size = sizeof(struct sluice_alter_offsets),
                                                              .alter = alter};
    (void)self;
    return strcmp(id, SLUICE_ALTER_OFFSETS) == 0 ? &alter_offsets : NULL;
}

const struct sluice_source kinesis_source = {
    .size = sizeof(struct sluice_source),
    .create = source_create,
    .destroy = source_destroy,
    .connector = {.validate = validate, .task_configs = task_configs},
    .start = source_start,
    .poll = source_poll,
    .record_done = source_record_done,
    .stop = source_stop,
    .extension = source_extension,
};
