/*
 * Requests that wait for their answer: topics and groups of a Kafka cluster. One client per broker
 * handle, made when first needed. [any thread, one at a time per handle]
 */
#include "core/broker/kafka_admin.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"

enum {
    LOOK_MS = 100, /* for refusals, while an answer is awaited */
    AGAIN_MS = 100,
    TRY_MS = 5000
};

struct kafka_handle *kafka_admin_handle(struct kafka *kafka, struct error *error)
{
    pthread_mutex_lock(&kafka->lock);
    struct kafka_handle *handle = &kafka->admin;
    if (!handle->rk && kafka_handle_start(handle, &kafka->properties, KAFKA_ADMIN, NULL, NULL,
                                          error) != 0) {
        handle = NULL;
    }
    pthread_mutex_unlock(&kafka->lock);
    return handle;
}

/* -- calls -- */

static void call_begin_on(struct kafka_call *call, struct kafka_handle *handle,
                          rd_kafka_admin_op_t op, int timeout_ms)
{
    char text[256];
    timeout_ms = timeout_ms < 1 ? 1 : timeout_ms;
    *call = (struct kafka_call){.handle = handle};
    call->deadline = clock_monotonic_ms() + timeout_ms;
    call->queue = rd_kafka_queue_new(handle->rk);
    call->options = rd_kafka_AdminOptions_new(handle->rk, op);
    (void)rd_kafka_AdminOptions_set_request_timeout(call->options, timeout_ms, text, sizeof(text));
}

int kafka_call_begin(struct kafka_call *call, struct broker *broker, rd_kafka_admin_op_t op,
                     int timeout_ms, struct error *error)
{
    struct kafka_handle *handle = kafka_admin_handle((struct kafka *)broker, error);
    if (!handle) {
        *call = (struct kafka_call){0};
        return -1;
    }
    call_begin_on(call, handle, op, timeout_ms);
    return 0;
}

rd_kafka_event_t *kafka_call_wait(struct kafka_call *call, const char *what, const char *name,
                                  struct error *error)
{
    while (!call->event && clock_monotonic_ms() < call->deadline + LOOK_MS) {
        call->event = rd_kafka_queue_poll(call->queue, LOOK_MS);
        (void)rd_kafka_poll(call->handle->rk, 0); /* faults */
        if (!call->event && kafka_handle_refused(call->handle, error)) {
            return NULL;
        }
    }
    rd_kafka_resp_err_t code =
        call->event ? rd_kafka_event_error(call->event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
    if (code) {
        (void)kafka_error(error, code, call->event ? rd_kafka_event_error_string(call->event) : NULL,
                          "%s %s", what, name);
        kafka_handle_explain(call->handle, error);
        return NULL;
    }
    kafka_handle_works(call->handle);
    return call->event;
}

void kafka_call_end(struct kafka_call *call)
{
    if (call->event) {
        rd_kafka_event_destroy(call->event);
    }
    if (call->options) {
        rd_kafka_AdminOptions_destroy(call->options);
    }
    if (call->queue) {
        rd_kafka_queue_destroy(call->queue);
    }
}

/* Outcome of the only topic that was asked for. */
static int topic_outcome(const rd_kafka_topic_result_t **results, size_t count, const char *what,
                         const char *name, struct error *error)
{
    rd_kafka_resp_err_t code = count > 0 ? rd_kafka_topic_result_error(results[0]) : 0;
    if (!code) {
        return 0;
    }
    return kafka_error(error, code, rd_kafka_topic_result_error_string(results[0]), "%s %s", what,
                       name);
}

/* -- topics -- */

int kafka_topic_create(struct broker *broker, const struct broker_topic_spec *spec, int timeout_ms,
                       struct error *error)
{
    struct kafka_call call;
    if (kafka_call_begin(&call, broker, RD_KAFKA_ADMIN_OP_CREATETOPICS, timeout_ms, error) != 0) {
        return -1;
    }
    char text[512];
    int result = -1;
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(spec->name, spec->partitions,
                                                       spec->replication_factor, text, sizeof(text));
    if (!topic) {
        (void)kafka_error(error, RD_KAFKA_RESP_ERR_INVALID_REQUEST, text, "Creating topic %s",
                          spec->name);
    } else {
        for (size_t i = 0; i < spec->config_count; i++) {
            (void)rd_kafka_NewTopic_set_config(topic, spec->configs[2 * i], spec->configs[2 * i + 1]);
        }
        (void)rd_kafka_AdminOptions_set_operation_timeout(call.options, timeout_ms, text,
                                                          sizeof(text));
        rd_kafka_CreateTopics(call.handle->rk, &topic, 1, call.options, call.queue);
        rd_kafka_event_t *event = kafka_call_wait(&call, "Creating topic", spec->name, error);
        if (event) {
            size_t count;
            const rd_kafka_topic_result_t **results = rd_kafka_CreateTopics_result_topics(
                rd_kafka_event_CreateTopics_result(event), &count);
            result = topic_outcome(results, count, "Creating topic", spec->name, error);
        }
        rd_kafka_NewTopic_destroy(topic);
    }
    kafka_call_end(&call);
    return result;
}

int kafka_topic_delete(struct broker *broker, const char *name, int timeout_ms, struct error *error)
{
    struct kafka_call call;
    if (kafka_call_begin(&call, broker, RD_KAFKA_ADMIN_OP_DELETETOPICS, timeout_ms, error) != 0) {
        return -1;
    }
    int result = -1;
    rd_kafka_DeleteTopic_t *topic = rd_kafka_DeleteTopic_new(name);
    char text[256];
    (void)rd_kafka_AdminOptions_set_operation_timeout(call.options, timeout_ms, text, sizeof(text));
    rd_kafka_DeleteTopics(call.handle->rk, &topic, 1, call.options, call.queue);
    rd_kafka_event_t *event = kafka_call_wait(&call, "Deleting topic", name, error);
    if (event) {
        size_t count;
        const rd_kafka_topic_result_t **results = rd_kafka_DeleteTopics_result_topics(
            rd_kafka_event_DeleteTopics_result(event), &count);
        result = topic_outcome(results, count, "Deleting topic", name, error);
    }
    rd_kafka_DeleteTopic_destroy(topic);
    kafka_call_end(&call);
    return result;
}

int kafka_topic_partitions(struct broker *broker, const char *name, int32_t partitions,
                           int timeout_ms, struct error *error)
{
    struct kafka_call call;
    if (kafka_call_begin(&call, broker, RD_KAFKA_ADMIN_OP_CREATEPARTITIONS, timeout_ms, error) != 0) {
        return -1;
    }
    char text[512];
    int result = -1;
    rd_kafka_NewPartitions_t *grown = rd_kafka_NewPartitions_new(
        name, partitions < 0 ? 0 : (size_t)partitions, text, sizeof(text));
    if (!grown) {
        (void)kafka_error(error, RD_KAFKA_RESP_ERR_INVALID_PARTITIONS, text, "Growing topic %s",
                          name);
    } else {
        (void)rd_kafka_AdminOptions_set_operation_timeout(call.options, timeout_ms, text,
                                                          sizeof(text));
        rd_kafka_CreatePartitions(call.handle->rk, &grown, 1, call.options, call.queue);
        rd_kafka_event_t *event = kafka_call_wait(&call, "Growing topic", name, error);
        if (event) {
            size_t count;
            const rd_kafka_topic_result_t **results = rd_kafka_CreatePartitions_result_topics(
                rd_kafka_event_CreatePartitions_result(event), &count);
            result = topic_outcome(results, count, "Growing topic", name, error);
        }
        rd_kafka_NewPartitions_destroy(grown);
    }
    kafka_call_end(&call);
    return result;
}

/* -- groups -- */

static int partitions_outcome(const rd_kafka_topic_partition_list_t *list, const char *group,
                              struct error *error)
{
    for (int i = 0; list && i < list->cnt; i++) {
        if (list->elems[i].err) {
            rd_kafka_resp_err_t code = list->elems[i].err;
            if (code == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID) { /* so says one with members */
                code = RD_KAFKA_RESP_ERR_NON_EMPTY_GROUP;
            }
            return kafka_error(error, code, NULL, "Offset of %s-%d of group %s",
                               list->elems[i].topic, list->elems[i].partition, group);
        }
    }
    return 0;
}

static int group_outcome(const rd_kafka_group_result_t **results, size_t count, const char *group,
                         struct error *error)
{
    const rd_kafka_error_t *failed = count > 0 ? rd_kafka_group_result_error(results[0]) : NULL;
    if (failed) {
        return kafka_error(error, rd_kafka_error_code(failed), rd_kafka_error_string(failed),
                           "Group %s", group);
    }
    return count > 0
               ? partitions_outcome(rd_kafka_group_result_partitions(results[0]), group, error)
               : 0;
}

static int copy_offsets(const rd_kafka_topic_partition_list_t *list,
                        struct broker_offset **ret_offsets, size_t *ret_count, struct error *error)
{
    size_t capacity = list ? (size_t)list->cnt : 0;
    size_t count = 0;
    struct broker_offset *offsets = calloc(capacity + 1, sizeof(*offsets));
    for (size_t i = 0; offsets && i < capacity; i++) {
        const rd_kafka_topic_partition_t *item = &list->elems[i];
        char *topic = item->offset >= 0 ? strdup(item->topic) : NULL;
        if (topic) {
            offsets[count++] = (struct broker_offset){topic, item->partition, item->offset};
        }
    }
    if (!offsets) {
        return error_set(error, ERROR_NO_MEMORY, "No memory for offsets of a group");
    }
    *ret_offsets = offsets;
    *ret_count = count;
    return 0;
}

static int left(int64_t deadline)
{
    int64_t ms = deadline - clock_monotonic_ms();
    return ms < 1 ? 1 : (int)ms;
}

/* How long a request is waited for that may be made twice: librdkafka 2.12.1 forgets one whose
 * coordinator it has asked for three times in vain, as while the first group of a cluster has its
 * topic made. */
static int next_try(int *try_ms, int64_t deadline)
{
    int ms = left(deadline), most = *try_ms;
    *try_ms = most < INT_MAX / 2 ? 2 * most : INT_MAX; /* one that answers slowly is waited for, too */
    return ms < most ? ms : most;
}

/* A coordinator that moves, still loads (as just after the first group was made) or did not answer
 * is asked again. */
static bool again(struct error *error, int64_t deadline)
{
    bool moves = error->code == ERROR_BROKER_UNAVAILABLE && error->retriable;
    if ((!moves && error->code != ERROR_TIMEOUT) ||
        clock_monotonic_ms() + AGAIN_MS >= deadline) {
        return false;
    }
    error_clear(error);
    (void)usleep(AGAIN_MS * 1000);
    return true;
}

static int list_offsets(struct kafka_handle *handle, const char *group, int timeout_ms,
                        struct broker_offset **ret_offsets, size_t *ret_count, struct error *error)
{
    struct kafka_call call;
    call_begin_on(&call, handle, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, timeout_ms);
    int result = -1;
    rd_kafka_ListConsumerGroupOffsets_t *wanted =
        rd_kafka_ListConsumerGroupOffsets_new(group, NULL);
    rd_kafka_ListConsumerGroupOffsets(call.handle->rk, &wanted, 1, call.options, call.queue);
    rd_kafka_event_t *event = kafka_call_wait(&call, "Offsets of group", group, error);
    if (event) {
        size_t count;
        const rd_kafka_group_result_t **results = rd_kafka_ListConsumerGroupOffsets_result_groups(
            rd_kafka_event_ListConsumerGroupOffsets_result(event), &count);
        result = group_outcome(results, count, group, error);
        if (result == 0) {
            result = copy_offsets(count > 0 ? rd_kafka_group_result_partitions(results[0]) : NULL,
                                  ret_offsets, ret_count, error);
        }
    }
    rd_kafka_ListConsumerGroupOffsets_destroy(wanted);
    kafka_call_end(&call);
    return result;
}

static int set_offsets(struct broker *broker, const char *group,
                       const rd_kafka_topic_partition_list_t *list, int timeout_ms,
                       struct error *error)
{
    struct kafka_call call;
    if (kafka_call_begin(&call, broker, RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS, timeout_ms,
                         error) != 0) {
        return -1;
    }
    int result = -1;
    rd_kafka_AlterConsumerGroupOffsets_t *wanted =
        rd_kafka_AlterConsumerGroupOffsets_new(group, list);
    rd_kafka_AlterConsumerGroupOffsets(call.handle->rk, &wanted, 1, call.options, call.queue);
    rd_kafka_event_t *event = kafka_call_wait(&call, "Setting offsets of group", group, error);
    if (event) {
        size_t count;
        const rd_kafka_group_result_t **results = rd_kafka_AlterConsumerGroupOffsets_result_groups(
            rd_kafka_event_AlterConsumerGroupOffsets_result(event), &count);
        result = group_outcome(results, count, group, error);
    }
    rd_kafka_AlterConsumerGroupOffsets_destroy(wanted);
    kafka_call_end(&call);
    return result;
}

static int delete_offsets(struct broker *broker, const char *group,
                          const rd_kafka_topic_partition_list_t *list, int timeout_ms,
                          struct error *error)
{
    struct kafka_call call;
    if (kafka_call_begin(&call, broker, RD_KAFKA_ADMIN_OP_DELETECONSUMERGROUPOFFSETS, timeout_ms,
                         error) != 0) {
        return -1;
    }
    int result = -1;
    rd_kafka_DeleteConsumerGroupOffsets_t *wanted =
        rd_kafka_DeleteConsumerGroupOffsets_new(group, list);
    rd_kafka_DeleteConsumerGroupOffsets(call.handle->rk, &wanted, 1, call.options, call.queue);
    rd_kafka_event_t *event = kafka_call_wait(&call, "Deleting offsets of group", group, error);
    if (event) {
        size_t count;
        const rd_kafka_group_result_t **results = rd_kafka_DeleteConsumerGroupOffsets_result_groups(
            rd_kafka_event_DeleteConsumerGroupOffsets_result(event), &count);
        result = group_outcome(results, count, group, error);
    }
    rd_kafka_DeleteConsumerGroupOffsets_destroy(wanted);
    kafka_call_end(&call);
    return result;
}

/* By a client of the group (no member of it): librdkafka 2.12.1 crashes in one that has none where the
 * coordinator says that it is not (any more). */
int kafka_group_offsets(struct broker *broker, const char *group, int timeout_ms,
                        struct broker_offset **ret_offsets, size_t *ret_count, struct error *error)
{
    int64_t deadline = clock_monotonic_ms() + timeout_ms;
    struct kafka_handle handle;
    struct properties properties = {0};
    properties_copy(&properties, &((struct kafka *)broker)->properties);
    properties_set(&properties, "group.id", group);
    int result = kafka_handle_start(&handle, &properties, KAFKA_CONSUMER, NULL, NULL, error);
    properties_finish(&properties);
    if (result != 0) {
        return -1;
    }
    int try_ms = TRY_MS;
    do {
        int ms = next_try(&try_ms, deadline);
        result = list_offsets(&handle, group, ms, ret_offsets, ret_count, error);
    } while (result != 0 && again(error, deadline));
    kafka_handle_finish(&handle);
    return result;
}

int kafka_group_offsets_alter(struct broker *broker, const char *group,
                              const struct broker_offset *offsets, size_t count, int timeout_ms,
                              struct error *error)
{
    rd_kafka_topic_partition_list_t *set = rd_kafka_topic_partition_list_new((int)count);
    rd_kafka_topic_partition_list_t *drop = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++) {
        rd_kafka_topic_partition_list_add(offsets[i].offset < 0 ? drop : set, offsets[i].topic,
                                          offsets[i].partition)
            ->offset = offsets[i].offset;
    }
    int64_t deadline = clock_monotonic_ms() + timeout_ms;
    int result = 0, try_ms = TRY_MS;
    do {
        int ms = next_try(&try_ms, deadline);
        result = set->cnt > 0 ? set_offsets(broker, group, set, ms, error) : 0;
        if (result == 0 && drop->cnt > 0) {
            result = delete_offsets(broker, group, drop, ms, error);
        }
    } while (result != 0 && again(error, deadline));
    rd_kafka_topic_partition_list_destroy(set);
    rd_kafka_topic_partition_list_destroy(drop);
    return result;
}

static int delete_group(struct broker *broker, const char *group, int timeout_ms,
                        struct error *error)
{
    struct kafka_call call;
    if (kafka_call_begin(&call, broker, RD_KAFKA_ADMIN_OP_DELETEGROUPS, timeout_ms, error) != 0) {
        return -1;
    }
    int result = -1;
    rd_kafka_DeleteGroup_t *wanted = rd_kafka_DeleteGroup_new(group);
    rd_kafka_DeleteGroups(call.handle->rk, &wanted, 1, call.options, call.queue);
    rd_kafka_event_t *event = kafka_call_wait(&call, "Deleting group", group, error);
    if (event) {
        size_t count;
        const rd_kafka_group_result_t **results = rd_kafka_DeleteGroups_result_groups(
            rd_kafka_event_DeleteGroups_result(event), &count);
        result = group_outcome(results, count, group, error);
    }
    rd_kafka_DeleteGroup_destroy(wanted);
    kafka_call_end(&call);
    return result;
}

int kafka_group_delete(struct broker *broker, const char *group, int timeout_ms,
                       struct error *error)
{
    int64_t deadline = clock_monotonic_ms() + timeout_ms;
    int result;
    do {
        result = delete_group(broker, group, left(deadline), error);
    } while (result != 0 && again(error, deadline));
    return result;
}
