/* A host for one source, see fake_source_host.h. */
#include "tests/support/fake_source_host.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sluice/cluster.h>

#include "core/config/config.h"

static struct fake_source_host *fake_of(const struct sluice_host *host)
{
    return host->host_data;
}

/* -- services -- */

static void host_log(const struct sluice_host *host, enum sluice_log_level level, const char *format,
                     ...)
{
    struct fake_source_host *fake = fake_of(host);
    (void)level;
    pthread_mutex_lock(&fake->lock);
    size_t used = strlen(fake->log);
    if (used + 600 > sizeof(fake->log)) {
        memmove(fake->log, fake->log + used / 2, used - used / 2 + 1);
        used = strlen(fake->log);
    }
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(fake->log + used, 500, format, arguments);
    va_end(arguments);
    (void)strcat(fake->log, "\n");
    pthread_mutex_unlock(&fake->lock);
}

static bool host_log_enabled(const struct sluice_host *host, enum sluice_log_level level)
{
    (void)host;
    return level >= SLUICE_INFO;
}

static enum sluice_result host_error(const struct sluice_host *host, enum sluice_result result,
                                     const char *java_class, const char *format, ...)
{
    (void)java_class;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(fake_of(host)->error, sizeof(fake_of(host)->error), format, arguments);
    va_end(arguments);
    return result;
}

static void host_error_cause(const struct sluice_host *host, const char *java_class,
                             const char *format, ...)
{
    (void)host;
    (void)java_class;
    (void)format;
}

static void host_error_record(const struct sluice_host *host, size_t index)
{
    (void)host;
    (void)index;
}

static void host_retry_after(const struct sluice_host *host, int64_t milliseconds)
{
    (void)host;
    (void)milliseconds;
}

static struct sluice_metric *host_metric(const struct sluice_host *host, const char *name,
                                         enum sluice_metric_kind kind)
{
    (void)host;
    (void)name;
    (void)kind;
    return NULL;
}

static void host_metric_change(struct sluice_metric *metric, int64_t amount)
{
    (void)metric;
    (void)amount;
}

static void wake(const struct sluice_host *host)
{
    struct fake_source_host *fake = fake_of(host);
    pthread_mutex_lock(&fake->lock);
    fake->woken = true;
    pthread_cond_broadcast(&fake->changed);
    pthread_mutex_unlock(&fake->lock);
}

static const struct sluice_value *stored_offset(const struct sluice_host *host,
                                                struct sluice_batch *batch,
                                                const struct sluice_value *source_partition)
{
    struct fake_source_host *fake = fake_of(host);
    struct sluice_json_error error = {.size = sizeof(error)};
    struct sluice_value *value = NULL;
    (void)source_partition;
    if (fake->stored && data_api.from_json(batch, fake->stored, strlen(fake->stored),
                                           SLUICE_JSON_STRICT, &value, &error) != SLUICE_OK) {
        abort();
    }
    return value;
}

static const struct sluice_value *topics(const struct sluice_host *host, struct sluice_batch *batch,
                                         int timeout_ms)
{
    struct fake_source_host *fake = fake_of(host);
    (void)timeout_ms;
    if (!fake->topics) {
        return NULL;
    }
    struct sluice_value *array = data_api.new_array(batch, 4);
    for (size_t i = 0; fake->topics[i]; i++) {
        data_api.append(batch, array,
                        data_api.new_string(batch, fake->topics[i], strlen(fake->topics[i])));
    }
    return array;
}

static int32_t partitions(const struct sluice_host *host, const char *topic, int timeout_ms)
{
    struct fake_source_host *fake = fake_of(host);
    (void)timeout_ms;
    for (size_t i = 0; fake->topics && fake->topics[i]; i++) {
        if (strcmp(fake->topics[i], topic) == 0) {
            return fake->partitions;
        }
    }
    return fake->topics ? 0 : -1;
}

static bool topic_offsets(const struct sluice_host *host, const char *topic, int32_t partition,
                          int timeout_ms, int64_t *ret_beginning, int64_t *ret_end)
{
    (void)host;
    (void)topic;
    (void)partition;
    (void)timeout_ms;
    *ret_beginning = 3;
    *ret_end = 17;
    return true;
}

static const struct sluice_source_context context = {
    .size = sizeof(struct sluice_source_context),
    .wake = wake,
    .offset = stored_offset,
    .topics = topics,
    .partitions = partitions,
    .offsets = topic_offsets,
};

static struct sluice_value *one_node(struct sluice_batch *batch)
{
    struct sluice_value *list = data_api.new_array(batch, 1);
    data_api.append(batch, list, data_api.new_integer(batch, SLUICE_INT32, 1));
    return list;
}

static const struct sluice_value *cluster_nodes(const struct sluice_host *host,
                                                struct sluice_batch *batch, int timeout_ms)
{
    (void)timeout_ms;
    return fake_of(host)->topics ? one_node(batch) : NULL;
}

/* Partition 1 has no leader and nobody in sync. */
static const struct sluice_value *cluster_topic(const struct sluice_host *host,
                                                struct sluice_batch *batch, const char *topic,
                                                int timeout_ms)
{
    int32_t count = partitions(host, topic, timeout_ms);
    if (count <= 0) {
        return count < 0 ? NULL : data_api.new_null(batch);
    }
    struct sluice_value *list = data_api.new_array(batch, (size_t)count);
    for (int32_t i = 0; i < count; i++) {
        struct sluice_value *map = data_api.new_map(batch, 3);
        data_api.put(batch, map, data_api.intern("leader", 6),
                     data_api.new_integer(batch, SLUICE_INT32, i == 1 ? -1 : 1));
        data_api.put(batch, map, data_api.intern("replicas", 8), one_node(batch));
        data_api.put(batch, map, data_api.intern("isr", 3),
                     i == 1 ? data_api.new_array(batch, 0) : one_node(batch));
        data_api.append(batch, list, map);
    }
    return list;
}

static const struct sluice_value *cluster_configs(const struct sluice_host *host,
                                                  struct sluice_batch *batch, const char *topic,
                                                  int timeout_ms)
{
    int32_t count = partitions(host, topic, timeout_ms);
    if (count <= 0) {
        return count < 0 ? NULL : data_api.new_null(batch);
    }
    struct sluice_value *map = data_api.new_map(batch, 1);
    data_api.put(batch, map, data_api.intern("retention.ms", 12), data_api.new_string(batch, "5", 1));
    return map;
}

static const struct sluice_cluster cluster = {
    .size = sizeof(struct sluice_cluster),
    .nodes = cluster_nodes,
    .topic = cluster_topic,
    .topic_configs = cluster_configs,
};

static const void *host_extension(const struct sluice_host *host, const char *id)
{
    (void)host;
    return strcmp(id, SLUICE_SOURCE_CONTEXT) == 0 ? (const void *)&context
           : strcmp(id, SLUICE_CLUSTER) == 0      ? (const void *)&cluster
                                                  : NULL;
}

/* -- delivery -- */

static void take_bytes(struct sluice_batch *batch, const struct sluice_value *value, char **ret,
                       size_t *ret_size)
{
    if (data_api.type(value) == SLUICE_NULL) {
        return;
    }
    struct sluice_span bytes = data_api.type(value) == SLUICE_BYTES ? data_api.text(value)
                                                                    : data_api.to_json(batch, value);
    *ret = malloc(bytes.size + 1);
    if (bytes.size > 0) {
        memcpy(*ret, bytes.data, bytes.size);
    }
    (*ret)[bytes.size] = '\0';
    *ret_size = bytes.size;
}

/* lock held */
static void keep(struct fake_source_host *fake, struct sluice_batch *batch)
{
    for (size_t i = 0; i < records_api.count(batch); i++) {
        const struct sluice_record *record = records_api.at(batch, i);
        if (fake->record_count == fake->record_capacity) {
            fake->record_capacity = fake->record_capacity ? fake->record_capacity * 2 : 64;
            fake->records = realloc(fake->records, fake->record_capacity * sizeof(*fake->records));
        }
        struct fake_record *to = &fake->records[fake->record_count++];
        *to = (struct fake_record){.partition = records_api.partition(record)};
        (void)snprintf(to->topic, sizeof(to->topic), "%s", records_api.topic(record));
        take_bytes(batch, records_api.key(record), &to->key, &to->key_size);
        take_bytes(batch, records_api.value(record), &to->value, &to->value_size);
    }
    pthread_cond_broadcast(&fake->changed);
}

static int64_t next_offset(struct fake_source_host *fake, const char *topic)
{
    size_t count = sizeof(fake->offsets) / sizeof(fake->offsets[0]);
    for (size_t i = 0; i < count; i++) {
        struct fake_offset *offset = &fake->offsets[i];
        if (!offset->topic[0]) {
            (void)snprintf(offset->topic, sizeof(offset->topic), "%s", topic);
        }
        if (strcmp(offset->topic, topic) == 0) {
            return offset->next++;
        }
    }
    return 0;
}

static void deliver(struct fake_source_host *fake, struct sluice_batch *batch)
{
    size_t count = records_api.count(batch);
    for (size_t i = 0; i < count; i++) {
        const struct sluice_record *record = records_api.at(batch, i);
        int32_t partition = records_api.partition(record);
        struct sluice_delivery delivery = {
            .size = sizeof(delivery),
            .partition = partition < 0 ? 0 : partition,
            .timestamp = SLUICE_NO_TIMESTAMP,
        };
        if (fake->decide) {
            fake->decide(record, &delivery);
        }
        if (delivery.result == SLUICE_OK) {
            delivery.offset = next_offset(fake, records_api.topic(record));
        } else {
            delivery.partition = SLUICE_NO_PARTITION;
            delivery.offset = SLUICE_NO_OFFSET;
        }
        fake->vtable->record_done(fake->self, record, &delivery);
    }
    records_api.release(batch);
}

void fake_source_host_release(struct fake_source_host *fake)
{
    pthread_mutex_lock(&fake->lock);
    struct sluice_batch **held = fake->held;
    size_t count = fake->held_count;
    fake->held = NULL;
    fake->held_count = 0;
    pthread_mutex_unlock(&fake->lock);
    for (size_t i = 0; i < count; i++) {
        deliver(fake, held[i]);
    }
    free(held);
}

static size_t poll_once(struct fake_source_host *fake)
{
    struct sluice_batch *batch = batch_new(fake->pool);
    enum sluice_result result = fake->vtable->poll(fake->self, batch, 100);
    size_t count = records_api.count(batch);
    fake->polls++;
    if (result != SLUICE_OK || count == 0) {
        records_api.release(batch);
        return 0;
    }
    pthread_mutex_lock(&fake->lock);
    if (!fake->quiet) {
        keep(fake, batch);
    }
    bool hold = fake->hold;
    if (hold) {
        fake->held = realloc(fake->held, (fake->held_count + 1) * sizeof(*fake->held));
        fake->held[fake->held_count++] = batch;
    }
    pthread_mutex_unlock(&fake->lock);
    if (!hold) {
        deliver(fake, batch);
    }
    return count;
}

/* Waits for a change or the timeout; lock held. */
static bool wait_change(struct fake_source_host *fake, int64_t milliseconds)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += milliseconds / 1000;
    until.tv_nsec += milliseconds % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    return pthread_cond_timedwait(&fake->changed, &fake->lock, &until) != ETIMEDOUT;
}

static void *task_main(void *user)
{
    struct fake_source_host *fake = user;
    for (;;) {
        pthread_mutex_lock(&fake->lock);
        bool stopping = fake->stopping, paused = fake->paused;
        fake->woken = false;
        pthread_mutex_unlock(&fake->lock);
        if (stopping) {
            return NULL;
        }
        if (paused || poll_once(fake) == 0) {
            pthread_mutex_lock(&fake->lock);
            while (!fake->stopping && !fake->woken && wait_change(fake, 500)) {
            }
            pthread_mutex_unlock(&fake->lock);
        }
    }
}

/* -- life -- */

struct fake_source_host *fake_source_host_create(const struct sluice_descriptor *descriptor,
                                                 const char *const *properties, char *error,
                                                 size_t size)
{
    struct fake_source_host *fake = calloc(1, sizeof(*fake));
    fake->host = (struct sluice_host){
        .size = sizeof(fake->host),
        .name = "fake",
        .version = "0",
        .data = &data_api,
        .records = &records_api,
        .config = &config_api,
        .log = host_log,
        .log_enabled = host_log_enabled,
        .error = host_error,
        .error_cause = host_error_cause,
        .error_record = host_error_record,
        .retry_after = host_retry_after,
        .metric = host_metric,
        .metric_add = host_metric_change,
        .metric_set = host_metric_change,
        .extension = host_extension,
        .host_data = fake,
    };
    fake->descriptor = descriptor;
    fake->vtable = descriptor->vtable;
    fake->partitions = 1;
    fake->pool = batch_pool_create(8, 2 << 20);
    pthread_mutex_init(&fake->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&fake->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    struct properties set = {0};
    for (size_t i = 0; properties && properties[i]; i += 2) {
        properties_set(&set, properties[i], properties[i + 1]);
    }
    const struct sluice_option *const tables[] = {descriptor->options, NULL};
    struct error why = {0};
    int result = config_create(tables, &set, &fake->config, &why);
    properties_finish(&set);
    if (result != 0) {
        (void)snprintf(error, size, "%s", why.message ? why.message : "");
        error_clear(&why);
        fake_source_host_destroy(fake);
        return NULL;
    }
    fake->self = fake->vtable->create(&fake->host);
    return fake;
}

enum sluice_result fake_source_host_start(struct fake_source_host *fake)
{
    enum sluice_result result = fake->vtable->start(fake->self, fake->config);
    if (result == SLUICE_OK) {
        fake->started = pthread_create(&fake->thread, NULL, task_main, fake) == 0;
    }
    return result;
}

bool fake_source_host_wait(struct fake_source_host *fake, size_t records)
{
    pthread_mutex_lock(&fake->lock);
    while (fake->record_count < records && wait_change(fake, 60000)) {
    }
    bool there = fake->record_count >= records;
    pthread_mutex_unlock(&fake->lock);
    return there;
}

void fake_source_host_stop(struct fake_source_host *fake)
{
    if (!fake->started) {
        return;
    }
    pthread_mutex_lock(&fake->lock);
    fake->stopping = true;
    pthread_cond_broadcast(&fake->changed);
    pthread_mutex_unlock(&fake->lock);
    pthread_join(fake->thread, NULL);
    fake->started = false;
    if (fake->vtable->drain) {
        fake->vtable->drain(fake->self);
    }
    while (poll_once(fake) > 0) {
    }
    fake_source_host_release(fake);
    fake->vtable->stop(fake->self);
}

void fake_source_host_destroy(struct fake_source_host *fake)
{
    if (!fake) {
        return;
    }
    fake_source_host_stop(fake);
    if (fake->self) {
        fake->vtable->destroy(fake->self);
    }
    config_destroy(fake->config);
    batch_pool_destroy(fake->pool);
    for (size_t i = 0; i < fake->record_count; i++) {
        free(fake->records[i].key);
        free(fake->records[i].value);
    }
    free(fake->records);
    pthread_cond_destroy(&fake->changed);
    pthread_mutex_destroy(&fake->lock);
    free(fake);
}
