/*
 * Metadata reads, see metadata.h (s3-sink-and-rest-proxy.md §4.2). The host tells names, partitions and
 * offsets; leaders, replicas and topic configurations are not known to a plugin: leader -1 (Kafka's
 * number for none known), empty lists.
 */
#include "connectors/rest/metadata.h"

#include <stdlib.h>
#include <string.h>

static void append_topics(struct rest_request *request, const struct sluice_host *host,
                          const struct sluice_value *topics,
                          bool (*allowed)(void *user, const char *topic), void *user)
{
    const struct sluice_data *data = host->data;
    struct buffer *answer = &request->answer;
    bool first = true;
    (void)buffer_append_char(answer, '[');
    for (size_t i = 0; i < data->count(topics); i++) {
        struct sluice_span name = data->text(data->at(topics, i));
        char topic[REST_TOPIC_MAX + 1];
        if (name.size > REST_TOPIC_MAX) {
            continue;
        }
        memcpy(topic, name.data, name.size);
        topic[name.size] = '\0';
        if (allowed(user, topic)) {
            if (!first) {
                (void)buffer_append_char(answer, ',');
            }
            rest_append_json(answer, topic);
            first = false;
        }
    }
    (void)buffer_append_char(answer, ']');
}

static void append_partition(struct buffer *answer, int32_t partition)
{
    (void)buffer_printf(answer, "{\"partition\":%d,\"leader\":-1,\"replicas\":[]}", partition);
}

static void append_partitions(struct buffer *answer, int32_t count)
{
    (void)buffer_append_char(answer, '[');
    for (int32_t i = 0; i < count; i++) {
        if (i > 0) {
            (void)buffer_append_char(answer, ',');
        }
        append_partition(answer, i);
    }
    (void)buffer_append_char(answer, ']');
}

static void no_answer(struct rest_request *request)
{
    (void)rest_fault_set(&request->fault, 500, REST_KAFKA_RETRIABLE,
                         "Timed out waiting for the broker");
}

/* Everything below /topics/{topic}. */
static void describe(struct rest_request *request, const struct sluice_host *host,
                     const struct sluice_source_context *context, int timeout_ms)
{
    const struct rest_route *route = &request->route;
    struct buffer *answer = &request->answer;
    int32_t count = rest_topic_valid(route->topic)
                        ? context->partitions(host, route->topic, timeout_ms)
                        : 0;
    if (count < 0) {
        no_answer(request);
        return;
    }
    if (count == 0) {
        (void)rest_fault_set(&request->fault, 404, REST_TOPIC_NOT_FOUND, "Topic not found.");
        return;
    }
    if ((route->kind == REST_PARTITION || route->kind == REST_OFFSETS) &&
        (route->partition < 0 || route->partition >= count)) {
        (void)rest_fault_set(&request->fault, 404, REST_PARTITION_NOT_FOUND, "Partition not found.");
        return;
    }
    int64_t beginning = 0, end = 0;
    switch (route->kind) {
    case REST_TOPIC:
        (void)buffer_append_text(answer, "{\"name\":");
        rest_append_json(answer, route->topic);
        (void)buffer_append_text(answer, ",\"configs\":{},\"partitions\":");
        append_partitions(answer, count);
        (void)buffer_append_char(answer, '}');
        break;
    case REST_PARTITIONS:
        append_partitions(answer, count);
        break;
    case REST_PARTITION:
        append_partition(answer, route->partition);
        break;
    default:
        if (!context->offsets(host, route->topic, route->partition, timeout_ms, &beginning, &end)) {
            no_answer(request);
            return;
        }
        (void)buffer_printf(answer, "{\"beginning_offset\":%lld,\"end_offset\":%lld}",
                            (long long)beginning, (long long)end);
        break;
    }
}

void rest_metadata(struct rest_request *request, const struct sluice_host *host,
                   const struct sluice_source_context *context, struct sluice_batch *batch,
                   bool (*allowed)(void *user, const char *topic), void *user, int timeout_ms)
{
    if (request->route.kind == REST_BROKERS) {
        (void)buffer_append_text(&request->answer, "{\"brokers\":[]}");
        return;
    }
    if (request->route.kind == REST_TOPICS) {
        const struct sluice_value *topics = context->topics(host, batch, timeout_ms);
        if (topics) {
            append_topics(request, host, topics, allowed, user);
        } else {
            no_answer(request);
        }
        return;
    }
    if (!allowed(user, request->route.topic)) {
        (void)rest_fault_set(&request->fault, 403, REST_FORBIDDEN,
                             "Not authorized to access topics: [%s]", request->route.topic);
        return;
    }
    describe(request, host, context, timeout_ms);
}
