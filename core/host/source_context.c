/* What a source may ask of its host: struct sluice_source_context. */
#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "core/host/source_task.h"

static struct source_task *source_of(const struct sluice_host *host)
{
    return task_of(host)->loop;
}

static const struct sluice_value *stored_offset(const struct sluice_host *host,
                                                struct sluice_batch *batch,
                                                const struct sluice_value *source_partition)
{
    struct task *task = source_of(host)->task;
    struct error error = {0};
    struct sluice_span text = data_api.to_json(batch, source_partition);
    json_t *partition =
        json_loadb(text.data, text.size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    if (!partition) {
        task_log(task, LOG_LEVEL_WARN,
                 "The stored offset could not be read: its source partition is no JSON");
        return NULL;
    }
    json_t *reply = task_request(
        task, json_pack("{s:s,s:[o]}", "type", "offsets_get", "partitions", partition), INT64_MAX,
        &error);
    if (!reply) {
        task_log(task, LOG_LEVEL_WARN, "The stored offset could not be read: %s", error.message);
        error_clear(&error);
        return NULL;
    }
    const struct sluice_value *result = NULL;
    json_t *offset = json_array_get(json_object_get(reply, "offsets"), 0);
    if (json_is_object(offset)) {
        char *json = json_dumps(offset, JSON_COMPACT);
        if (json) {
            size_t size = strlen(json);
            char *copy = records_api.alloc(batch, size);
            memcpy(copy, json, size);
            struct sluice_value *value = NULL;
            struct sluice_json_error why = {.size = sizeof(why)};
            if (data_api.from_json(batch, copy, size, SLUICE_JSON_STRICT, &value, &why) == SLUICE_OK) {
                result = value;
            }
        }
        free(json);
    }
    json_decref(reply);
    return result;
}

static void request_task_reconfiguration(const struct sluice_host *host)
{
    struct error error = {0};
    if (channel_send(source_of(host)->task->process->control,
                     json_pack("{s:s}", "type", "reconfigure"), &error) != 0) {
        error_clear(&error); /* the control thread sees the end of the channel too */
    }
}

static void say(struct source_task *source, const char *what, struct error *error)
{
    task_log(source->task, LOG_LEVEL_WARN, "%s: %s", what, error->message ? error->message : "");
    error_clear(error);
}

/* To be freed by broker_topics_free(); false: they could not be listed, which is said. */
static bool list_topics(struct source_task *source, int timeout_ms, struct broker_topics *ret_list)
{
    struct error error = {0};
    pthread_mutex_lock(&source->admin);
    int result = broker_topics(source->broker, timeout_ms, ret_list, &error);
    pthread_mutex_unlock(&source->admin);
    if (result != 0) {
        say(source, "Topics could not be listed", &error);
    }
    return result == 0;
}

static const struct sluice_value *topics(const struct sluice_host *host, struct sluice_batch *batch,
                                         int timeout_ms)
{
    struct broker_topics list = {0};
    if (!list_topics(source_of(host), timeout_ms, &list)) {
        return NULL;
    }
    struct sluice_value *array = data_api.new_array(batch, list.count);
    for (size_t i = 0; i < list.count; i++) {
        data_api.append(batch, array,
                        data_api.new_string(batch, list.topics[i].name, strlen(list.topics[i].name)));
    }
    broker_topics_free(&list);
    return array;
}

static int32_t partitions(const struct sluice_host *host, const char *topic, int timeout_ms)
{
    struct broker_topics list = {0};
    if (!list_topics(source_of(host), timeout_ms, &list)) {
        return -1;
    }
    int32_t count = 0;
    for (size_t i = 0; i < list.count; i++) {
        if (strcmp(list.topics[i].name, topic) == 0) {
            count = list.topics[i].partition_count;
        }
    }
    broker_topics_free(&list);
    return count;
}

static bool topic_offsets(const struct sluice_host *host, const char *topic, int32_t partition,
                          int timeout_ms, int64_t *ret_beginning, int64_t *ret_end)
{
    struct source_task *source = source_of(host);
    struct error error = {0};
    pthread_mutex_lock(&source->admin);
    int result = broker_offsets(source->broker, topic, partition, timeout_ms, ret_beginning, ret_end,
                                &error);
    pthread_mutex_unlock(&source->admin);
    error_clear(&error);
    return result == 0;
}

const struct sluice_source_context source_context = {
    .size = sizeof(struct sluice_source_context),
    .wake = task_wake,
    .offset = stored_offset,
    .request_task_reconfiguration = request_task_reconfiguration,
    .raise_error = task_raise_error,
    .topics = topics,
    .partitions = partitions,
    .offsets = topic_offsets,
};
