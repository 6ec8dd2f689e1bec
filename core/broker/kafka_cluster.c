/*
 * What a Kafka cluster is made of: topics with their partitions, configs, offsets. [any thread, one at
 * a time per handle]
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/broker/kafka_admin.h"

enum { SLICE_MS = 1000 /* between looks for refusals, while librdkafka waits by itself */ };

/* Does one of librdkafka's blocking calls say: come again? */
static bool again(struct kafka_handle *handle, rd_kafka_resp_err_t code, int64_t deadline,
                  struct error *error)
{
    (void)rd_kafka_poll(handle->rk, 0); /* faults */
    if (kafka_handle_refused(handle, error)) {
        return false;
    }
    return (code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__TIMED_OUT ||
            code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ||
            code == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE) &&
           clock_monotonic_ms() < deadline;
}

static int slice(int64_t deadline)
{
    int64_t left = deadline - clock_monotonic_ms();
    return left < 1 ? 1 : left > SLICE_MS ? SLICE_MS : (int)left;
}

static int failed(struct kafka_handle *handle, rd_kafka_resp_err_t code, const char *what,
                  const char *name, struct error *error)
{
    if (!error || error->code == ERROR_NONE) { /* else it was refused */
        if (code == RD_KAFKA_RESP_ERR__TRANSPORT) {
            code = RD_KAFKA_RESP_ERR__TIMED_OUT; /* nobody was there all the time */
        }
        (void)kafka_error(error, code, NULL, "%s%s", what, name);
        kafka_handle_explain(handle, error);
    }
    return -1;
}

/* Metadata of all topics, or of one. */
static int get_metadata(struct kafka_handle *handle, const char *topic, int timeout_ms,
                        const struct rd_kafka_metadata **ret, struct error *error)
{
    int64_t deadline = clock_monotonic_ms() + timeout_ms;
    rd_kafka_topic_t *only = topic ? rd_kafka_topic_new(handle->rk, topic, NULL) : NULL;
    rd_kafka_resp_err_t code;
    do {
        code = rd_kafka_metadata(handle->rk, topic == NULL, only, ret, slice(deadline));
    } while (code && again(handle, code, deadline, error));
    if (only) {
        rd_kafka_topic_destroy(only);
    }
    if (code) {
        return failed(handle, code, topic ? "Metadata of topic " : "Metadata of the cluster",
                      topic ? topic : "", error);
    }
    kafka_handle_works(handle);
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct broker_topic *)a)->name, ((const struct broker_topic *)b)->name);
}

/* librdkafka does not hand over the broker's own mark. */
static bool is_internal(const char *name)
{
    return strcmp(name, "__consumer_offsets") == 0 || strcmp(name, "__transaction_state") == 0 ||
           strcmp(name, "__share_group_state") == 0;
}

int kafka_topics(struct broker *broker, int timeout_ms, struct broker_topics *ret_topics,
                 struct error *error)
{
    struct kafka_handle *handle = kafka_admin_handle((struct kafka *)broker, error);
    const struct rd_kafka_metadata *metadata;
    if (!handle || get_metadata(handle, NULL, timeout_ms, &metadata, error) != 0) {
        return -1;
    }
    struct broker_topics topics = {0};
    topics.topics = calloc((size_t)metadata->topic_cnt + 1, sizeof(*topics.topics));
    for (int i = 0; topics.topics && i < metadata->topic_cnt; i++) {
        const struct rd_kafka_metadata_topic *from = &metadata->topics[i];
        char *name = from->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ? NULL : strdup(from->topic);
        if (name) {
            topics.topics[topics.count++] =
                (struct broker_topic){name, from->partition_cnt, is_internal(name)};
        }
    }
    rd_kafka_metadata_destroy(metadata);
    if (!topics.topics) {
        return error_set(error, ERROR_NO_MEMORY, "No memory for the list of topics");
    }
    qsort(topics.topics, topics.count, sizeof(*topics.topics), by_name);
    *ret_topics = topics;
    return 0;
}

int64_t kafka_topics_epoch(struct broker *broker)
{
    (void)broker;
    return -1; /* Kafka tells nobody: whoever wants to know asks for the topics from time to time */
}

static int by_number(const void *a, const void *b)
{
    int32_t first = *(const int32_t *)a, second = *(const int32_t *)b;
    return (first > second) - (first < second);
}

int kafka_nodes(struct broker *broker, int timeout_ms, int32_t **ret_nodes, size_t *ret_count,
                struct error *error)
{
    struct kafka_handle *handle = kafka_admin_handle((struct kafka *)broker, error);
    const struct rd_kafka_metadata *metadata;
    if (!handle || get_metadata(handle, NULL, timeout_ms, &metadata, error) != 0) {
        return -1;
    }
    size_t count = (size_t)metadata->broker_cnt;
    int32_t *nodes = calloc(count + 1, sizeof(*nodes));
    for (size_t i = 0; nodes && i < count; i++) {
        nodes[i] = metadata->brokers[i].id;
    }
    rd_kafka_metadata_destroy(metadata);
    if (!nodes) {
        return error_set(error, ERROR_NO_MEMORY, "No memory for a list of nodes");
    }
    qsort(nodes, count, sizeof(*nodes), by_number);
    *ret_nodes = nodes;
    *ret_count = count;
    return 0;
}

/* Copies one topic's partitions, replicas and in-sync replicas of it into one block of ids. */
static int copy_partitions(const struct rd_kafka_metadata_topic *topic,
                           struct broker_topic_info *ret_info)
{
    size_t count = (size_t)topic->partition_cnt, ids = 0;
    for (size_t i = 0; i < count; i++) {
        ids += (size_t)topic->partitions[i].replica_cnt + (size_t)topic->partitions[i].isr_cnt;
    }
    struct broker_partition_info *partitions = calloc(count + 1, sizeof(*partitions));
    int32_t *block = calloc(ids + 1, sizeof(*block)), *at = block;
    if (!partitions || !block) {
        free(partitions);
        free(block);
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        const struct rd_kafka_metadata_partition *from = &topic->partitions[i];
        if (from->id < 0 || (size_t)from->id >= count) {
            continue;
        }
        struct broker_partition_info *to = &partitions[from->id];
        *to = (struct broker_partition_info){
            .leader = from->leader,
            .replicas = at,
            .replica_count = (size_t)from->replica_cnt,
            .isr = at + from->replica_cnt,
            .isr_count = (size_t)from->isr_cnt,
        };
        memcpy(at, from->replicas, to->replica_count * sizeof(*at));
        memcpy(at + to->replica_count, from->isrs, to->isr_count * sizeof(*at));
        at += to->replica_count + to->isr_count;
    }
    *ret_info = (struct broker_topic_info){partitions, count, block};
    return 0;
}

/* Asks for all topics: metadata of one that is not there may make it. */
int kafka_topic_describe(struct broker *broker, const char *topic, int timeout_ms,
                         struct broker_topic_info *ret_info, struct error *error)
{
    struct kafka_handle *handle = kafka_admin_handle((struct kafka *)broker, error);
    const struct rd_kafka_metadata *metadata;
    if (!handle || get_metadata(handle, NULL, timeout_ms, &metadata, error) != 0) {
        return -1;
    }
    int result = -2;
    for (int i = 0; result == -2 && i < metadata->topic_cnt; i++) {
        if (strcmp(metadata->topics[i].topic, topic) == 0 && metadata->topics[i].partition_cnt > 0) {
            result = copy_partitions(&metadata->topics[i], ret_info);
        }
    }
    rd_kafka_metadata_destroy(metadata);
    if (result == -2) {
        return kafka_error(error, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, NULL, "Topic %s", topic);
    }
    return result == 0 ? 0
                       : error_set(error, ERROR_NO_MEMORY, "No memory for the description of a topic");
}

int kafka_topic_configs(struct broker *broker, const char *topic, bool all, int timeout_ms,
                        struct properties *ret_configs, struct error *error)
{
    struct kafka_call call;
    if (kafka_call_begin(&call, broker, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, timeout_ms, error) != 0) {
        return -1;
    }
    int result = -1;
    rd_kafka_ConfigResource_t *wanted =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
    rd_kafka_DescribeConfigs(call.handle->rk, &wanted, 1, call.options, call.queue);
    rd_kafka_event_t *event = kafka_call_wait(&call, "Configs of topic", topic, error);
    if (event) {
        size_t count, entry_count = 0;
        const rd_kafka_ConfigResource_t **resources = rd_kafka_DescribeConfigs_result_resources(
            rd_kafka_event_DescribeConfigs_result(event), &count);
        rd_kafka_resp_err_t code = count > 0 ? rd_kafka_ConfigResource_error(resources[0]) : 0;
        if (code) {
            (void)kafka_error(error, code, rd_kafka_ConfigResource_error_string(resources[0]),
                              "Configs of topic %s", topic);
        } else {
            const rd_kafka_ConfigEntry_t **entries =
                count > 0 ? rd_kafka_ConfigResource_configs(resources[0], &entry_count) : NULL;
            for (size_t i = 0; i < entry_count; i++) {
                const char *value = rd_kafka_ConfigEntry_value(entries[i]);
                if (value && (all || rd_kafka_ConfigEntry_source(entries[i]) ==
                                         RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG)) {
                    properties_set(ret_configs, rd_kafka_ConfigEntry_name(entries[i]), value);
                }
            }
            result = 0;
        }
    }
    rd_kafka_ConfigResource_destroy(wanted);
    kafka_call_end(&call);
    return result;
}

#if RD_KAFKA_VERSION >= 0x020200ff
int kafka_topic_alter(struct broker *broker, const char *topic,
                      const struct broker_config_change *changes, size_t count, int timeout_ms,
                        struct error *error)
{
    struct kafka_call call;
    if (kafka_call_begin(&call, broker, RD_KAFKA_ADMIN_OP_INCREMENTALALTERCONFIGS, timeout_ms,
                         error) != 0) {
        return -1;
    }
    int result = 0;
    rd_kafka_ConfigResource_t *wanted = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
    for (size_t i = 0; i < count && result == 0; i++) {
        rd_kafka_error_t *refused = rd_kafka_ConfigResource_add_incremental_config(
            wanted, changes[i].name,
            changes[i].value ? RD_KAFKA_ALTER_CONFIG_OP_TYPE_SET
                             : RD_KAFKA_ALTER_CONFIG_OP_TYPE_DELETE,
            changes[i].value);
        if (refused) {
            result = kafka_error(error, rd_kafka_error_code(refused),
                                 rd_kafka_error_string(refused), "Changing configs of topic %s", topic);
            rd_kafka_error_destroy(refused);
        }
    }
    if (result == 0) {
        rd_kafka_IncrementalAlterConfigs(call.handle->rk, &wanted, 1, call.options, call.queue);
        rd_kafka_event_t *event = kafka_call_wait(&call, "Changing configs of topic", topic, error);
        result = -1;
        if (event) {
            size_t resource_count;
            const rd_kafka_ConfigResource_t **resources =
                rd_kafka_IncrementalAlterConfigs_result_resources(
                    rd_kafka_event_IncrementalAlterConfigs_result(event), &resource_count);
            rd_kafka_resp_err_t code =
                resource_count > 0 ? rd_kafka_ConfigResource_error(resources[0]) : 0;
            result = code ? kafka_error(error, code,
                                        rd_kafka_ConfigResource_error_string(resources[0]),
                                        "Changing configs of topic %s", topic)
                          : 0;
        }
    }
    rd_kafka_ConfigResource_destroy(wanted);
    kafka_call_end(&call);
    return result;
}
#else
int kafka_topic_alter(struct broker *broker, const char *topic,
                      const struct broker_config_change *changes, size_t count, int timeout_ms,
                        struct error *error)
{
    (void)broker, (void)changes, (void)count, (void)timeout_ms;
    return kafka_error(error, RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE,
                       "librdkafka 2.2.0 or newer is needed, this build has an older one",
                       "Changing configs of topic %s", topic);
}
#endif

static int by_id(const void *a, const void *b)
{
    int32_t left = ((const struct broker_node *)a)->id, right = ((const struct broker_node *)b)->id;
    return (left > right) - (left < right);
}

int kafka_cluster(struct broker *broker, int timeout_ms, struct broker_cluster *ret_cluster,
                  struct error *error)
{
    struct kafka_handle *handle = kafka_admin_handle((struct kafka *)broker, error);
    const struct rd_kafka_metadata *metadata;
    int64_t deadline = clock_monotonic_ms() + timeout_ms;
    if (!handle || get_metadata(handle, NULL, timeout_ms, &metadata, error) != 0) {
        return -1;
    }
    int left = (int)(deadline - clock_monotonic_ms());
    char *id = rd_kafka_clusterid(handle->rk, left < 1 ? 1 : left);
    struct broker_cluster cluster = {
        .id = id ? strdup(id) : NULL,
        .controller = rd_kafka_controllerid(handle->rk, left < 1 ? 1 : left),
        .nodes = calloc((size_t)metadata->broker_cnt + 1, sizeof(*cluster.nodes)),
    };
    if (id) {
        rd_kafka_mem_free(handle->rk, id);
    }
    for (int i = 0; cluster.nodes && i < metadata->broker_cnt; i++) {
        const struct rd_kafka_metadata_broker *from = &metadata->brokers[i];
        char *host = strdup(from->host);
        if (host) {
            cluster.nodes[cluster.count++] = (struct broker_node){from->id, host, from->port};
        }
    }
    rd_kafka_metadata_destroy(metadata);
    if (!cluster.nodes) {
        broker_cluster_free(&cluster);
        return error_set(error, ERROR_NO_MEMORY, "No memory for the cluster's description");
    }
    qsort(cluster.nodes, cluster.count, sizeof(*cluster.nodes), by_id);
    *ret_cluster = cluster;
    return 0;
}

int kafka_offsets(struct broker *broker, const char *topic, int32_t partition, int timeout_ms,
                  int64_t *ret_beginning, int64_t *ret_end, struct error *error)
{
    struct kafka_handle *handle = kafka_admin_handle((struct kafka *)broker, error);
    if (!handle) {
        return -1;
    }
    int64_t deadline = clock_monotonic_ms() + timeout_ms;
    rd_kafka_resp_err_t code;
    do {
        code = rd_kafka_query_watermark_offsets(handle->rk, topic, partition, ret_beginning,
                                                ret_end, slice(deadline));
    } while (code && again(handle, code, deadline, error));
    if (code) {
        return failed(handle, code, "Offsets of topic ", topic, error);
    }
    kafka_handle_works(handle);
    return 0;
}
