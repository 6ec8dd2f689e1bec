/* What a source may ask about the cluster: struct sluice_cluster. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "core/host/source_task.h"

static struct source_task *source_of(const struct sluice_host *host)
{
    return task_of(host)->loop;
}

/* NULL, or a NULL value where there is no such topic. */
static const struct sluice_value *no_answer(struct source_task *source, struct sluice_batch *batch,
                                            const char *what, struct error *error)
{
    const struct sluice_value *none = NULL;
    if (error->code == ERROR_UNKNOWN_TOPIC) {
        none = data_api.new_null(batch);
    } else {
        task_log(source->task, LOG_LEVEL_WARN, "%s: %s", what, error->message ? error->message : "");
    }
    error_clear(error);
    return none;
}

static struct sluice_value *id_list(struct sluice_batch *batch, const int32_t *ids, size_t count)
{
    struct sluice_value *list = data_api.new_array(batch, count);
    for (size_t i = 0; i < count; i++) {
        data_api.append(batch, list, data_api.new_integer(batch, SLUICE_INT32, ids[i]));
    }
    return list;
}

static const struct sluice_name *name(const char *text)
{
    return data_api.intern(text, strlen(text));
}

static const struct sluice_value *nodes(const struct sluice_host *host, struct sluice_batch *batch,
                                        int timeout_ms)
{
    struct source_task *source = source_of(host);
    struct error error = {0};
    int32_t *ids = NULL;
    size_t count = 0;
    pthread_mutex_lock(&source->admin);
    int result = broker_nodes(source->broker, timeout_ms, &ids, &count, &error);
    pthread_mutex_unlock(&source->admin);
    if (result != 0) {
        return no_answer(source, batch, "Nodes could not be listed", &error);
    }
    const struct sluice_value *list = id_list(batch, ids, count);
    free(ids);
    return list;
}

static const struct sluice_value *topic(const struct sluice_host *host, struct sluice_batch *batch,
                                        const char *topic_name, int timeout_ms)
{
    struct source_task *source = source_of(host);
    struct error error = {0};
    struct broker_topic_info info = {0};
    pthread_mutex_lock(&source->admin);
    int result = broker_topic_describe(source->broker, topic_name, timeout_ms, &info, &error);
    pthread_mutex_unlock(&source->admin);
    if (result != 0) {
        return no_answer(source, batch, "A topic could not be described", &error);
    }
    struct sluice_value *partitions = data_api.new_array(batch, info.count);
    for (size_t i = 0; i < info.count; i++) {
        const struct broker_partition_info *from = &info.partitions[i];
        struct sluice_value *to = data_api.new_map(batch, 3);
        data_api.put(batch, to, name("leader"),
                     data_api.new_integer(batch, SLUICE_INT32, from->leader));
        data_api.put(batch, to, name("replicas"),
                     id_list(batch, from->replicas, from->replica_count));
        data_api.put(batch, to, name("isr"), id_list(batch, from->isr, from->isr_count));
        data_api.append(batch, partitions, to);
    }
    broker_topic_info_free(&info);
    return partitions;
}

static const struct sluice_value *topic_configs(const struct sluice_host *host,
                                                struct sluice_batch *batch, const char *topic_name,
                                                int timeout_ms)
{
    struct source_task *source = source_of(host);
    struct error error = {0};
    struct properties configs = {0};
    pthread_mutex_lock(&source->admin);
    int result =
        broker_topic_configs(source->broker, topic_name, true, timeout_ms, &configs, &error);
    pthread_mutex_unlock(&source->admin);
    if (result != 0) {
        properties_finish(&configs);
        return no_answer(source, batch, "Configs of a topic could not be read", &error);
    }
    struct sluice_value *map = data_api.new_map(batch, configs.count);
    for (size_t i = 0; i < configs.count; i++) {
        const char *value = configs.items[i].value;
        data_api.put(batch, map, name(configs.items[i].name),
                     data_api.new_string(batch, value, strlen(value)));
    }
    properties_finish(&configs);
    return map;
}

/* 1, 0 where the error is the one that says so, or -1 with a sentence. */
static int outcome(int result, int harmless, struct error *error, char *message, size_t size)
{
    bool fine = result != 0 && (int)error->code == harmless;
    if (result != 0 && !fine) {
        snprintf(message, size, "%s", error->message ? error->message : "the broker refused it");
    }
    error_clear(error);
    return result == 0 ? 1 : fine ? 0 : -1;
}

static int topic_create(const struct sluice_host *host, const char *topic_name, int32_t count,
                        int timeout_ms, char *message, size_t size)
{
    struct source_task *source = source_of(host);
    struct error error = {0};
    struct broker_topic_spec spec = {.name = topic_name, .partitions = count, .replication_factor = -1};
    pthread_mutex_lock(&source->admin);
    int result = broker_topic_create(source->broker, &spec, timeout_ms, &error);
    pthread_mutex_unlock(&source->admin);
    return outcome(result, ERROR_TOPIC_EXISTS, &error, message, size);
}

static int topic_delete(const struct sluice_host *host, const char *topic_name, int timeout_ms,
                        char *message, size_t size)
{
    struct source_task *source = source_of(host);
    struct error error = {0};
    pthread_mutex_lock(&source->admin);
    int result = broker_topic_delete(source->broker, topic_name, timeout_ms, &error);
    pthread_mutex_unlock(&source->admin);
    return outcome(result, ERROR_UNKNOWN_TOPIC, &error, message, size);
}

const struct sluice_cluster source_cluster = {
    .size = sizeof(struct sluice_cluster),
    .nodes = nodes,
    .topic = topic,
    .topic_configs = topic_configs,
    .topic_create = topic_create,
    .topic_delete = topic_delete,
};
