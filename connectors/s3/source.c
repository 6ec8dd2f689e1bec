/*
 * io.confluent.connect.s3.source.S3SourceConnector: records out of the objects of a bucket, in the order
 * of their names, from where they were read to. [task thread]
 */
#include "connectors/s3/source.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "connectors/s3/classes.h"
#include "connectors/s3/plugin.h"
#include "lib/schedule/runs.h"

enum { TEXT_SIZE = 1000, BATCH_BYTES = 1 << 20, WAIT_MS = 100 };

struct source {
    const struct sluice_host *host;
    const struct sluice_source_context *context;
    struct source_settings settings;
    struct reader *reader;
    struct objects objects;
    struct runs runs;               /* of the schedule, if there is one; else next_listing counts */
    int64_t next_listing;           /* monotonic ms; INT64_MAX: by the next scheduled run */
    bool stopping;
    char fault[TEXT_SIZE];          /* for the next poll(): what came before it is handed on first */
    struct sluice_metric *records, *read;
    const struct sluice_name *headers_name, *key_name, *value_name, *object, *record, *end, *offset;
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* -- configuration -- */

static const char *text_of(const struct sluice_config_api *api, const struct sluice_config *config,
                           const char *name)
{
    const char *text = api->get_string(config, name);
    return text ? text : "";
}

/* -1: a sentence in message, the key in *ret_key. */
static int read_settings(struct source_settings *s, const struct sluice_host *host,
                         const struct sluice_config *config, const char **ret_key, char *message,
                         size_t size)
{
    const struct sluice_config_api *api = host->config;
    *s = (struct source_settings){0};
    if (settings_read_bucket(&s->bucket, host, config, ret_key, message, size) != 0) {
        return -1;
    }
    s->generic = strcasecmp(text_of(api, config, "mode"), "GENERIC") == 0;
    s->topics_dir = text_of(api, config, "topics.dir");
    s->directory_delim = text_of(api, config, "directory.delim");
    s->file_delim = text_of(api, config, "file.delim");
    s->tombstones = text_of(api, config, "tombstone.encoded.partition");
    s->format = format_kind_of(text_of(api, config, "format.class"));
    s->keys = !s->generic && api->get_boolean(config, "store.kafka.keys");
    s->headers = !s->generic && api->get_boolean(config, "store.kafka.headers");
    s->key_format = format_kind_of(text_of(api, config, "keys.format.class"));
    s->bytes_extension = text_of(api, config, "format.bytearray.extension");
    const char *separator = api->original(config, "format.bytearray.separator");
    s->separator = separator ? separator : "\n";
    s->poll_interval = api->get_long(config, "s3.poll.interval.ms");
    s->batch_max = api->get_long(config, "record.batch.max.size");
    s->not_before = api->get_long(config, "file.discovery.starting.timestamp");
    const char *behavior = text_of(api, config, "behavior.on.error");
    s->log_errors = strcasecmp(behavior, "log") == 0;
    s->ignore_errors = s->log_errors || strcasecmp(behavior, "ignore") == 0;
    s->task_number = (uint64_t)api->get_long(config, "sluice.task.number");
    s->task_count = (uint64_t)api->get_long(config, "sluice.task.count");
    s->topic_count = api->get_list(config, "topic.regex.list", &s->topics);
    const char *const formats[] = {"format.class", "keys.format.class"};
    const enum format_kind kinds[] = {s->format, s->keys ? s->key_format : FORMAT_JSON};
    for (int i = 0; i < 2; i++) {
        if (kinds[i] == FORMAT_AVRO || kinds[i] == FORMAT_PARQUET) {
            *ret_key = formats[i];
            snprintf(message, size, "Avro and Parquet files are not available yet; JsonFormat, "
                                    "ByteArrayFormat and StringFormat are");
            return -1;
        }
    }
    if (s->generic && s->topic_count == 0) {
        *ret_key = "topic.regex.list";
        snprintf(message, size, "mode=GENERIC needs topic.regex.list, for example "
                                "topic.regex.list=my-topic:.*");
        return -1;
    }
    return 0;
}

static void validate(void *self, const struct sluice_config *config,
                     const struct sluice_report *report)
{
    struct source *source = self;
    struct source_settings settings;
    struct objects objects = {0};
    const char *key = "";
    char message[TEXT_SIZE];
    if (read_settings(&settings, source->host, config, &key, message, sizeof(message)) != 0) {
        report->invalid(report, key, "%s", message);
    } else if (objects_init(&objects, &settings, source->host, NULL, NULL, message, sizeof(message)) != 0) {
        report->invalid(report, "topic.regex.list", "%s", message);
    }
    objects_finish(&objects);
}

static enum sluice_result task_configs(void *self, const struct sluice_config *config, int max_tasks,
                                       const struct sluice_report *report)
{
    (void)self;
    (void)config;
    char count[16], number[16];
    snprintf(count, sizeof(count), "%d", max_tasks);
    for (int i = 0; i < max_tasks; i++) {
        snprintf(number, sizeof(number), "%d", i);
        report->task(report);
        report->task_set(report, "sluice.task.number", number);
        report->task_set(report, "sluice.task.count", count);
    }
    return SLUICE_OK;
}

/* -- records -- */

/* JSON, text or bytes as a value in the batch. -1 with a sentence. */
static int make_value(struct source *source, struct sluice_batch *batch, enum format_kind format,
                      struct sluice_span text, const struct sluice_schema **ret_schema,
                      struct sluice_value **ret_value, char *message, size_t size)
{
    const struct sluice_data *data = source->host->data;
    char *copy = source->host->records->alloc(batch, text.size + 1);
    struct sluice_json_error error = {.size = sizeof(error)};
    if (text.size > 0) {
        memcpy(copy, text.data, text.size);
    }
    copy[text.size] = '\0';
    *ret_schema = NULL;
    *ret_value = NULL;
    switch (format) {
    case FORMAT_BYTES:
        *ret_schema = data->schema_plain(SLUICE_BYTES, true);
        *ret_value = data->new_bytes_view(batch, copy, text.size);
        return 0;
    case FORMAT_STRING:
        *ret_schema = data->schema_plain(SLUICE_STRING, true);
        *ret_value = data->new_string_view(batch, copy, text.size);
        return 0;
    default:
        if (data->from_json(batch, copy, text.size, SLUICE_JSON_CONNECT, ret_value, &error) != SLUICE_OK) {
            snprintf(message, size, "%s", error.message);
            return -1;
        }
        return 0;
    }
}

/* {"headers":[{"key":"a","value":"text"}]} */
static void add_headers(struct source *source, struct sluice_record *record,
                        const struct sluice_value *line)
{
    const struct sluice_data *data = source->host->data;
    const struct sluice_value *list = data->find(line, source->headers_name);
    for (size_t i = 0; i < data->count(list); i++) {
        const struct sluice_value *header = data->at(list, i);
        struct sluice_span name = data->text(data->find(header, source->key_name));
        const struct sluice_value *value = data->find(header, source->value_name);
        char text[256];
        if (data->type(header) == SLUICE_MAP && name.data && name.size < sizeof(text)) {
            snprintf(text, sizeof(text), "%.*s", (int)name.size, name.data);
            source->host->records->header_add(record, text, data->schema_plain(SLUICE_STRING, true),
                                              value);
        }
    }
}

/* What the worker stores once the record is delivered: so far the object is read. */
static void set_position(struct source *source, struct sluice_batch *batch, struct sluice_record *record,
                         const struct item *item, const struct sluice_value *partition)
{
    const struct sluice_data *data = source->host->data;
    const struct place *place = item->place;
    struct sluice_value *offset = data->new_map(batch, 4);
    data->put(batch, offset, source->object, data->new_string(batch, place->name, strlen(place->name)));
    data->put(batch, offset, source->offset, data->new_integer(batch, SLUICE_INT64, place->offset));
    data->put(batch, offset, source->record, data->new_integer(batch, SLUICE_INT64, place->records));
    data->put(batch, offset, source->end, data->new_boolean(batch, place->end));
    source->host->records->set_source(record, partition, offset);
}

static int add_record(struct source *source, struct sluice_batch *batch, const struct item *item,
                      const struct sluice_span texts[PARTS], const struct sluice_value *partition,
                      char *message, size_t size)
{
    const struct sluice_records *records = source->host->records;
    const struct source_settings *settings = &source->settings;
    const struct sluice_schema *schemas[PARTS] = {0};
    struct sluice_value *values[PARTS] = {0};
    const enum format_kind formats[PARTS] = {settings->format, settings->key_format, FORMAT_JSON};
    for (int i = 0; i < PARTS; i++) {
        if (item->entry[i].key && make_value(source, batch, formats[i], texts[i], &schemas[i],
                                             &values[i], message, size) != 0) {
            return -1;
        }
    }
    struct sluice_record *record = records->add(batch, item->topic);
    if (item->partition >= 0) {
        records->set_partition(record, item->partition);
    }
    if (values[PART_KEY]) {
        records->set_key(record, schemas[PART_KEY], values[PART_KEY]);
    }
    if (values[PART_VALUE]) {
        records->set_value(record, schemas[PART_VALUE], values[PART_VALUE]);
    }
    if (values[PART_HEADERS]) {
        add_headers(source, record, values[PART_HEADERS]);
    }
    set_position(source, batch, record, item, partition);
    runs_added(&source->runs, record);
    return 0;
}

/* -- objects -- */

enum step { STEP_RECORD, STEP_WAIT, STEP_NEXT, STEP_FAILED };

/* The place moves to this item. False: no memory. */
static bool enter_place(struct source *source, const struct item *item)
{
    struct place *place = item->place;
    if (item->seen > 0 || item->records > 0) {
        return true;
    }
    char *name = objects_name(&source->settings, item);
    if (!name) {
        return false;
    }
    free(place->name);
    place->name = name;
    place->offset = item->offset;
    place->records = 0;
    place->end = false;
    return true;
}

static enum step next_texts(struct source *source, struct item *item, int timeout_ms,
                            struct sluice_span texts[PARTS])
{
    int ended = 0, parts = 0;
    for (int i = 0; i < PARTS; i++) {
        struct object_stream *stream = &item->streams[i];
        if (!item->entry[i].key) {
            continue;
        }
        parts++;
        if (item->taken[i].data) {
            texts[i] = item->taken[i]; /* of the try before, where another part was not there yet */
            continue;
        }
        switch (stream_next(stream, timeout_ms, &texts[i])) {
        case STREAM_TEXT:
            item->taken[i] = texts[i];
            break;
        case STREAM_WAIT:
            return STEP_WAIT;
        case STREAM_END:
            ended++;
            break;
        case STREAM_GONE:
            source->host->log(source->host, SLUICE_WARN,
                              "%s was removed or replaced while it was read; what is missing of it is "
                              "left out", item->entry[i].key);
            return STEP_NEXT;
        case STREAM_FAILED:
            snprintf(source->fault, sizeof(source->fault), "%s", stream->message);
            return STEP_FAILED;
        }
    }
    if (ended == parts) {
        return STEP_NEXT;
    }
    if (ended > 0) {
        snprintf(source->fault, sizeof(source->fault),
                 "%.400s and the objects of its keys and headers have not as many records",
                 item->entry[PART_VALUE].key ? item->entry[PART_VALUE].key : item->entry[PART_KEY].key);
        return STEP_FAILED;
    }
    memset(item->taken, 0, sizeof(item->taken));
    return STEP_RECORD;
}

static bool all_read(const struct item *item)
{
    for (int i = 0; i < PARTS; i++) {
        if (item->entry[i].key && !stream_at_end(&item->streams[i])) {
            return false;
        }
    }
    return true;
}

/* Reads on in the first object. */
static enum step read_object(struct source *source, struct sluice_batch *batch, struct item *item,
                             int timeout_ms)
{
    const struct sluice_records *records = source->host->records;
    const struct sluice_value *partition = NULL;
    size_t bytes = 0;
    int64_t skip = item->records - item->seen;
    if (objects_ahead(&source->objects) != 0 || !enter_place(source, item)) {
        snprintf(source->fault, sizeof(source->fault), "Out of memory");
        return STEP_FAILED;
    }
    while (records->count(batch) < (size_t)source->settings.batch_max && bytes < BATCH_BYTES) {
        struct sluice_span texts[PARTS] = {0};
        char why[300];
        enum step step = next_texts(source, item, records->count(batch) > 0 ? 0 : timeout_ms, texts);
        if (step != STEP_RECORD) {
            return step;
        }
        item->seen++;
        if (skip > 0) { /* handed on before a restart */
            skip--;
            continue;
        }
        item->place->records = item->records = item->seen;
        item->place->end = all_read(item);
        if (!partition) {
            partition = source_partition(&source->objects, batch, item->place);
        }
        if (add_record(source, batch, item, texts, partition, why, sizeof(why)) != 0) {
            const char *key = item->entry[PART_VALUE].key ? item->entry[PART_VALUE].key
                                                          : item->entry[PART_KEY].key;
            if (!source->settings.ignore_errors) {
                snprintf(source->fault, sizeof(source->fault),
                         "Record %" PRId64 " of %.400s cannot be read: %s. behavior.on.error=log leaves "
                         "such records out", item->seen, key, why);
                item->place->records = item->records = item->seen - 1;
                item->place->end = false;
                return STEP_FAILED;
            }
            if (source->settings.log_errors) {
                source->host->log(source->host, SLUICE_WARN,
                                  "Record %" PRId64 " of %.400s is left out: %s", item->seen, key, why);
            }
            continue;
        }
        bytes += texts[PART_VALUE].size + texts[PART_KEY].size + texts[PART_HEADERS].size;
    }
    return STEP_RECORD;
}

static enum sluice_result fail(struct source *source)
{
    return source->host->error(source->host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION, "%s",
                               source->fault);
}

/* Nothing is left of what the last listing found. */
static bool all_is_read(struct source *source)
{
    return !objects_first(&source->objects) && !source->objects.listing && !source->objects.rest &&
           now_ms() < source->next_listing;
}

/* One step towards records: 1 there may be some at once, 0 nothing for now, -1 failed. */
static int advance(struct source *source, struct sluice_batch *batch, int timeout_ms)
{
    struct item *item = objects_first(&source->objects);
    if (item) {
        switch (read_object(source, batch, item, timeout_ms)) {
        case STEP_NEXT:
            item->place->end = true;
            source->host->metric_add(source->read, 1);
            objects_done(&source->objects);
            return 1;
        case STEP_FAILED:
            return -1;
        case STEP_WAIT:
            return 0;
        default:
            return 1;
        }
    }
    if (all_is_read(source)) {
        int64_t left = source->next_listing - now_ms();
        int wait = left < timeout_ms ? (int)left : timeout_ms;
        struct timespec pause = {wait / 1000, (long)(wait % 1000) * 1000000};
        nanosleep(&pause, NULL);
        return 0;
    }
    int result =
        objects_list(&source->objects, batch, timeout_ms, source->fault, sizeof(source->fault));
    if (result == 1) {
        source->next_listing =
            runs_scheduled(&source->runs) ? INT64_MAX : now_ms() + source->settings.poll_interval;
    }
    return result < 0 ? -1 : 1;
}

/* The step above failed; records before it are handed on first. */
static enum sluice_result failed(struct source *source, struct sluice_batch *batch)
{
    if (source->host->records->count(batch) > 0) {
        return SLUICE_OK;
    }
    if (!runs_scheduled(&source->runs)) {
        return fail(source);
    }
    (void)runs_failed(&source->runs, batch, source->fault);
    source->fault[0] = '\0';
    objects_forget(&source->objects); /* the next try lists anew, and goes on behind what was handed on */
    return SLUICE_OK;
}

static enum sluice_result poll_records(void *self, struct sluice_batch *batch, int timeout_ms)
{
    struct source *source = self;
    const struct sluice_records *records = source->host->records;
    int64_t until = now_ms() + timeout_ms;
    if (source->fault[0]) {
        return failed(source, batch);
    }
    if (source->stopping) {
        return SLUICE_OK;
    }
    if (runs_scheduled(&source->runs)) {
        bool begun;
        if (!runs_on(&source->runs, batch, timeout_ms, &begun)) {
            return SLUICE_OK;
        }
        if (begun) {
            source->next_listing = 0;
        }
        if (all_is_read(source)) {
            runs_through(&source->runs, batch);
            return SLUICE_OK;
        }
    }
    do {
        int wait = timeout_ms < WAIT_MS ? timeout_ms : WAIT_MS;
        int result = advance(source, batch, records->count(batch) > 0 ? 0 : wait);
        if (result < 0) {
            return failed(source, batch);
        }
        if (records->count(batch) > 0 &&
            (result == 0 || records->count(batch) >= (size_t)source->settings.batch_max)) {
            break;
        }
    } while (!source->stopping && now_ms() < until &&
             !(runs_scheduled(&source->runs) && all_is_read(source)));
    source->host->metric_add(source->records, (int64_t)records->count(batch));
    return SLUICE_OK;
}

static void record_done(void *self, const struct sluice_record *record,
                        const struct sluice_delivery *delivery)
{
    (void)delivery; /* the host stores offsets behind what is delivered; values are copies */
    runs_record_done(&((struct source *)self)->runs, record);
}

/* -- from start to stop -- */

static enum sluice_result start(void *self, const struct sluice_config *config)
{
    struct source *source = self;
    const struct sluice_host *host = source->host;
    const struct sluice_data *data = host->data;
    const char *key = "";
    char message[TEXT_SIZE];
    source->context = host->extension(host, SLUICE_SOURCE_CONTEXT);
    if (!source->context) {
        return host->error(host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION, "The host offers no %s",
                           SLUICE_SOURCE_CONTEXT);
    }
    if (read_settings(&source->settings, host, config, &key, message, sizeof(message)) != 0) {
        return host->error(host, SLUICE_FATAL, SLUICE_CONFIG_EXCEPTION, "%s: %s", key, message);
    }
    if (runs_init(&source->runs, host, config, source->settings.poll_interval, message,
                  sizeof(message)) != 0) {
        return host->error(host, SLUICE_FATAL, SLUICE_CONFIG_EXCEPTION, "%s", message);
    }
    source->reader = reader_create(&source->settings.bucket, host, message, sizeof(message));
    if (!source->reader) {
        return host->error(host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION, "%s", message);
    }
    if (objects_init(&source->objects, &source->settings, host, source->context, source->reader,
                     message, sizeof(message)) != 0) {
        return host->error(host, SLUICE_FATAL, SLUICE_CONFIG_EXCEPTION, "%s", message);
    }
    source->headers_name = data->intern("headers", 7);
    source->key_name = data->intern("key", 3);
    source->value_name = data->intern("value", 5);
    source->object = data->intern("object", 6);
    source->record = data->intern("record", 6);
    source->end = data->intern("end", 3);
    source->offset = data->intern("offset", 6);
    source->records = host->metric(host, "records-read", SLUICE_COUNTER);
    source->read = host->metric(host, "objects-read", SLUICE_COUNTER);
    return SLUICE_OK;
}

/* Nothing new is begun; what was read so far is handed on already. */
static void drain(void *self)
{
    ((struct source *)self)->stopping = true;
}

static void stop(void *self)
{
    (void)self;
}

static void *create(const struct sluice_host *host)
{
    struct source *source = calloc(1, sizeof(*source));
    if (source) {
        source->host = host;
    }
    return source;
}

static void destroy(void *self)
{
    struct source *source = self;
    if (source) {
        if (source->objects.host) {
            objects_finish(&source->objects);
        }
        reader_destroy(source->reader);
        runs_finish(&source->runs);
        free(source);
    }
}

const struct sluice_source s3_source = {
    .size = sizeof(struct sluice_source),
    .create = create,
    .destroy = destroy,
    .connector = {.validate = validate, .task_configs = task_configs},
    .start = start,
    .poll = poll_records,
    .record_done = record_done,
    .stop = stop,
    .drain = drain,
};
