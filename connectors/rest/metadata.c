/*
 * Metadata reads, see metadata.h (s3-sink-and-rest-proxy.md §4.2). The host tells names, partitions,
 * offsets, nodes and configs; the words are the Proxy's.
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

/* {"partition":0,"leader":1,"replicas":[{"broker":1,"leader":true,"in_sync":true}]} */
static void append_partition(struct buffer *answer, const struct sluice_data *data, size_t number,
                             const struct sluice_value *partition)
{
    static const struct sluice_name *leader_name, *replicas_name, *isr_name;
    if (!leader_name) {
        leader_name = data->intern("leader", 6);
        replicas_name = data->intern("replicas", 8);
        isr_name = data->intern("isr", 3);
    }
    int64_t leader = data->integer(data->find(partition, leader_name));
    const struct sluice_value *replicas = data->find(partition, replicas_name);
    const struct sluice_value *isr = data->find(partition, isr_name);
    (void)buffer_printf(answer, "{\"partition\":%zu,\"leader\":%lld,\"replicas\":[", number,
                        (long long)leader);
    for (size_t i = 0; i < data->count(replicas); i++) {
        int64_t id = data->integer(data->at(replicas, i));
        bool in_sync = false;
        for (size_t k = 0; k < data->count(isr) && !in_sync; k++) {
            in_sync = data->integer(data->at(isr, k)) == id;
        }
        (void)buffer_printf(answer, "%s{\"broker\":%lld,\"leader\":%s,\"in_sync\":%s}",
                            i > 0 ? "," : "", (long long)id, id == leader ? "true" : "false",
                            in_sync ? "true" : "false");
    }
    (void)buffer_append_text(answer, "]}");
}

static void append_partitions(struct buffer *answer, const struct sluice_data *data,
                              const struct sluice_value *partitions)
{
    (void)buffer_append_char(answer, '[');
    for (size_t i = 0; i < data->count(partitions); i++) {
        if (i > 0) {
            (void)buffer_append_char(answer, ',');
        }
        append_partition(answer, data, i, data->at(partitions, i));
    }
    (void)buffer_append_char(answer, ']');
}

static void no_answer(struct rest_request *request)
{
    (void)rest_fault_set(&request->fault, 500, REST_KAFKA_RETRIABLE,
                         "Timed out waiting for the broker");
}

/* Everything below /topics/{topic}. */
static void describe(const struct rest_cluster *cluster, struct rest_request *request,
                     struct sluice_batch *batch)
{
    const struct rest_route *route = &request->route;
    const struct sluice_host *host = cluster->host;
    const struct sluice_data *data = host->data;
    struct buffer *answer = &request->answer;
    if (!rest_topic_valid(route->topic)) {
        (void)rest_fault_set(&request->fault, 400, REST_BAD_REQUEST,
                             "The request attempted to perform an operation on an invalid topic.");
        return;
    }
    const struct sluice_value *configs = NULL, *partitions =
        cluster->reads ? cluster->reads->topic(host, batch, route->topic, cluster->timeout_ms) : NULL;
    if (partitions && route->kind == REST_TOPIC) {
        configs = cluster->reads->topic_configs(host, batch, route->topic, cluster->timeout_ms);
    }
    if (!partitions || (route->kind == REST_TOPIC && !configs)) {
        no_answer(request);
        return;
    }
    if (data->type(partitions) == SLUICE_NULL || (configs && data->type(configs) == SLUICE_NULL)) {
        (void)rest_fault_set(&request->fault, 404, REST_UNKNOWN_TOPIC,
                             "This server does not host this topic-partition.");
        return;
    }
    if ((route->kind == REST_PARTITION || route->kind == REST_OFFSETS) &&
        (route->partition < 0 || (size_t)route->partition >= data->count(partitions))) {
        (void)rest_fault_set(&request->fault, 404, REST_PARTITION_NOT_FOUND, "Partition not found.");
        return;
    }
    int64_t beginning = 0, end = 0;
    switch (route->kind) {
    case REST_TOPIC: {
        struct sluice_span text = data->to_json(batch, configs);
        (void)buffer_append_text(answer, "{\"name\":");
        rest_append_json(answer, route->topic);
        (void)buffer_append_text(answer, ",\"configs\":");
        (void)buffer_append(answer, text.data, text.size);
        (void)buffer_append_text(answer, ",\"partitions\":");
        append_partitions(answer, data, partitions);
        (void)buffer_append_char(answer, '}');
        break;
    }
    case REST_PARTITIONS:
        append_partitions(answer, data, partitions);
        break;
    case REST_PARTITION:
        append_partition(answer, data, (size_t)route->partition,
                         data->at(partitions, (size_t)route->partition));
        break;
    default:
        if (!cluster->context->offsets(host, route->topic, route->partition, cluster->timeout_ms,
                                       &beginning, &end)) {
            no_answer(request);
            return;
        }
        (void)buffer_printf(answer, "{\"beginning_offset\":%lld,\"end_offset\":%lld}",
                            (long long)beginning, (long long)end);
        break;
    }
}

static void list_brokers(const struct rest_cluster *cluster, struct rest_request *request,
                         struct sluice_batch *batch)
{
    const struct sluice_value *nodes =
        cluster->reads ? cluster->reads->nodes(cluster->host, batch, cluster->timeout_ms) : NULL;
    if (!nodes) {
        no_answer(request);
        return;
    }
    struct sluice_span text = cluster->host->data->to_json(batch, nodes);
    (void)buffer_printf(&request->answer, "{\"brokers\":%.*s}", (int)text.size, text.data);
}

void rest_metadata(const struct rest_cluster *cluster, struct rest_request *request,
                   struct sluice_batch *batch)
{
    if (request->route.kind == REST_BROKERS) {
        list_brokers(cluster, request, batch);
        return;
    }
    if (request->route.kind == REST_TOPICS) {
        const struct sluice_value *topics =
            cluster->context->topics(cluster->host, batch, cluster->timeout_ms);
        if (topics) {
            append_topics(request, cluster->host, topics, cluster->allowed, cluster->user);
        } else {
            no_answer(request);
        }
        return;
    }
    if (rest_topic_valid(request->route.topic) &&
        !cluster->allowed(cluster->user, request->route.topic)) {
        (void)rest_fault_set(&request->fault, 403, REST_FORBIDDEN,
                             "Not authorized to access topics: [%s]", request->route.topic);
        return;
    }
    describe(cluster, request, batch);
}
