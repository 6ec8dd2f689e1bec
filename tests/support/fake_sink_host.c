/* A host for one sink, see fake_sink_host.h. */
#include "tests/support/fake_sink_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/config/properties.h"

static struct fake_sink_host *fake_of(const struct sluice_host *host)
{
    const struct plugin_instance *instance = host->host_data;
    return instance->environment->user;
}

/* -- the sink's context -- */

static void request_commit(const struct sluice_host *host)
{
    struct fake_sink_host *fake = fake_of(host);
    pthread_mutex_lock(&fake->lock);
    fake->commit_requests++;
    pthread_cond_broadcast(&fake->changed);
    pthread_mutex_unlock(&fake->lock);
}

static void wake(const struct sluice_host *host)
{
    request_commit(host);
}

static void set_timeout(const struct sluice_host *host, int64_t milliseconds)
{
    fake_of(host)->timeout = milliseconds;
}

static void rewind_to(const struct sluice_host *host, const char *topic, int32_t partition,
                      int64_t offset)
{
    (void)host;
    (void)topic;
    (void)partition;
    (void)offset;
}

static void pause_resume(const struct sluice_host *host,
                         const struct sluice_topic_partition *partitions, size_t count)
{
    (void)host;
    (void)partitions;
    (void)count;
}

static enum sluice_result report(const struct sluice_host *host, const struct sluice_record *record,
                                 const char *java_class, const char *message)
{
    struct fake_sink_host *fake = fake_of(host);
    (void)record;
    fake->reports++;
    snprintf(fake->reported, sizeof(fake->reported), "%s: %.180s", java_class, message);
    return SLUICE_OK;
}

static bool has_reporter(const struct sluice_host *host)
{
    return fake_of(host)->has_reporter;
}

static void raise_error(const struct sluice_host *host, const char *java_class, const char *message)
{
    struct fake_sink_host *fake = fake_of(host);
    (void)java_class;
    pthread_mutex_lock(&fake->lock);
    snprintf(fake->raised, sizeof(fake->raised), "%s", message);
    pthread_cond_broadcast(&fake->changed);
    pthread_mutex_unlock(&fake->lock);
}

static bool owns(const struct sluice_host *host, const char *topic, int32_t partition)
{
    struct fake_sink_host *fake = fake_of(host);
    (void)topic;
    (void)partition;
    pthread_mutex_lock(&fake->lock);
    bool lost = fake->lost;
    pthread_mutex_unlock(&fake->lock);
    return !lost;
}

static const struct sluice_sink_context context = {
    .size = sizeof(struct sluice_sink_context),
    .request_commit = request_commit,
    .durable = request_commit,
    .wake = wake,
    .timeout = set_timeout,
    .rewind = rewind_to,
    .pause = pause_resume,
    .resume = pause_resume,
    .report = report,
    .has_reporter = has_reporter,
    .raise_error = raise_error,
    .owns = owns,
};

static const void *extension(void *user, const char *id)
{
    (void)user;
    return strcmp(id, SLUICE_SINK_CONTEXT) == 0 ? &context : NULL;
}

/* -- from load to destroy -- */

struct fake_sink_host *fake_sink_host_create(const char *plugin, const char *class_name,
                                             const char *const *properties, char *message, size_t size)
{
    struct fake_sink_host *fake = calloc(1, sizeof(*fake));
    struct error error = {0};
    struct properties table = {0};
    pthread_mutex_init(&fake->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&fake->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    fake->registry = registry_create();
    fake->environment = (struct plugin_environment){
        .registry = fake->registry, .log_context = "", .extension = extension, .user = fake};
    for (size_t i = 0; properties[i]; i += 2) {
        properties_set(&table, properties[i], properties[i + 1]);
    }
    int result = registry_load(fake->registry, plugin, &error);
    result = result == 0 ? plugin_instance_create(&fake->environment, SLUICE_SINK, class_name,
                                                  &fake->instance, &error)
                         : result;
    result = result == 0 ? plugin_instance_configure(fake->instance, &table, &error) : result;
    properties_finish(&table);
    if (result != 0) {
        snprintf(message, size, "%s", error.message);
        error_clear(&error);
        fake_sink_host_destroy(fake);
        return NULL;
    }
    fake->vtable = fake->instance->descriptor->vtable;
    return fake;
}

void fake_sink_host_destroy(struct fake_sink_host *fake)
{
    if (!fake) {
        return;
    }
    if (fake->vtable) {
        fake->vtable->stop(fake->instance->self);
    }
    plugin_instance_destroy(fake->instance);
    registry_destroy(fake->registry);
    error_clear(&fake->failure.error);
    pthread_cond_destroy(&fake->changed);
    pthread_mutex_destroy(&fake->lock);
    free(fake);
}

static enum sluice_result keep(struct fake_sink_host *fake, enum sluice_result result,
                               const char *what)
{
    if (result != SLUICE_OK) {
        error_clear(&fake->failure.error);
        plugin_failure_take(&fake->failure, result, fake->instance, what);
    }
    return result;
}

enum sluice_result fake_sink_host_start(struct fake_sink_host *fake)
{
    plugin_failure_reset();
    return keep(fake, fake->vtable->start(fake->instance->self, fake->instance->config), "start");
}

enum sluice_result fake_sink_host_open(struct fake_sink_host *fake, const char *topic,
                                       int32_t partition)
{
    struct sluice_topic_partition one = {topic, partition};
    plugin_failure_reset();
    return keep(fake, fake->vtable->open(fake->instance->self, &one, 1), "open");
}

void fake_sink_host_close(struct fake_sink_host *fake, const char *topic, int32_t partition)
{
    struct sluice_topic_partition one = {topic, partition};
    fake->vtable->close(fake->instance->self, &one, 1);
}

/* -- records and offsets -- */

static struct sluice_batch *make_batch(const struct fake_sink_record *records, size_t count)
{
    struct sluice_batch *batch = batch_new(NULL);
    for (size_t i = 0; i < count; i++) {
        const struct fake_sink_record *from = &records[i];
        struct sluice_span none = {0};
        struct sluice_record *record =
            batch_add_sink(batch, from->topic, from->partition, from->offset, from->timestamp,
                           SLUICE_TIMESTAMP_CREATE, none, none);
        struct sluice_value *value = NULL;
        struct sluice_json_error error = {.size = sizeof(error)};
        if (from->value && data_api.from_json(batch, from->value, strlen(from->value),
                                              SLUICE_JSON_STRICT, &value, &error) != SLUICE_OK) {
            fprintf(stderr, "bad JSON in test: %s: %s\n", from->value, error.message);
            abort();
        }
        records_api.set_value(record, from->schema, value);
        if (from->key) {
            records_api.set_key(record, NULL,
                                data_api.new_string(batch, from->key, strlen(from->key)));
        }
        if (from->header) {
            records_api.header_add(record, from->header, NULL, data_api.new_string(batch, "v", 1));
        }
    }
    return batch;
}

enum sluice_result fake_sink_host_put(struct fake_sink_host *fake,
                                      const struct fake_sink_record *records, size_t count)
{
    struct sluice_batch *batch = make_batch(records, count);
    fake->timeout = -1;
    plugin_failure_reset();
    enum sluice_result result = keep(fake, fake->vtable->put(fake->instance->self, batch), "put");
    records_api.release(batch);
    return result;
}

int64_t fake_sink_host_committed(struct fake_sink_host *fake, const char *topic, int32_t partition,
                                 int64_t consumed)
{
    struct sluice_topic_offset one = {topic, partition, consumed};
    size_t count = 1;
    if (fake->vtable->pre_commit(fake->instance->self, &one, &count) != SLUICE_OK || count == 0) {
        return -1;
    }
    return one.offset;
}

bool fake_sink_host_wait(struct fake_sink_host *fake, const char *topic, int32_t partition,
                         int64_t offset)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += 60; /* how fast it is on a busy machine is not the question */
    for (;;) {
        pthread_mutex_lock(&fake->lock);
        int seen = fake->commit_requests;
        pthread_mutex_unlock(&fake->lock);
        int64_t committed = fake_sink_host_committed(fake, topic, partition, INT64_MAX);
        if (committed >= offset) {
            return committed == offset;
        }
        pthread_mutex_lock(&fake->lock);
        int result = 0;
        while (fake->commit_requests == seen && !fake->raised[0] && result == 0) {
            result = pthread_cond_timedwait(&fake->changed, &fake->lock, &until);
        }
        bool failed = fake->raised[0] != '\0';
        pthread_mutex_unlock(&fake->lock);
        if (result != 0 || failed) {
            return false;
        }
    }
}
