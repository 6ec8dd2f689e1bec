/*
 * The sink's side of the plugin interface: from start to stop, and its topic partitions. Records are in
 * sink_put.c, what the store says in sink_store.c. [task thread]
 */
#include "connectors/s3/sink.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "connectors/s3/joda.h"
#include "connectors/s3/plugin.h"

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
        if (sink_find_writer(sink, partitions[i].topic, partitions[i].partition)) {
            continue;
        }
        const char *topic = keep_topic(sink, partitions[i].topic);
        struct writer *writer = topic ? writer_create(sink, topic, partitions[i].partition) : NULL;
        if (!writer) {
            goto out_of_memory;
        }
        sink->writers[sink->writer_count++] = writer;
    }
    return reclaim(sink, known) == 0 ? SLUICE_OK : sink_no_memory(sink);
out_of_memory:
    return sink_no_memory(sink);
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
    sink_drain(sink);
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
    if (values_text_init(&sink->header_text) != 0) {
        return config_error(sink, "Out of memory");
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
        joda_zone_open(settings->timezone, &sink->zone, message, sizeof(message)) != 0) {
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
    sink_drain(sink);
}

static void *s3_create(const struct sluice_host *host)
{
    struct sink *sink = calloc(1, sizeof(*sink));
    if (!sink) {
        return NULL;
    }
    sink->host = host;
    sink_client_init(&sink->client);
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
    values_text_finish(&sink->header_text);
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
    .put = sink_put,
    .pre_commit = sink_pre_commit,
    .stop = s3_stop,
};
