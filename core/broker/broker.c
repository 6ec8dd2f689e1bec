/*
 * Finds the implementation by bootstrap.servers and hands calls over to it. Owns nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "core/broker/impl.h"

#define CONFIG_EXCEPTION "org.apache.kafka.common.config.ConfigException"

#define LOCAL_PREFIX "local:"

int broker_open(const struct properties *properties, struct broker **ret_broker,
                struct error *error)
{
    const char *servers = properties_get(properties, "bootstrap.servers");
    if (!servers || !*servers) {
        return error_set_class(error, ERROR_CONFIG, CONFIG_EXCEPTION,
                               "Missing required configuration \"bootstrap.servers\" which has no "
                               "default value. For the embedded log: bootstrap.servers=local:DIR");
    }
    bool local = strncmp(servers, LOCAL_PREFIX, strlen(LOCAL_PREFIX)) == 0;
    return (local ? &broker_local : &broker_kafka)->open(properties, ret_broker, error);
}

void broker_close(struct broker *broker)
{
    if (broker) {
        broker->impl->close(broker);
    }
}

/* -- producer -- */

int broker_producer_create(struct broker *broker, const struct properties *properties,
                           broker_delivery_fn delivered, void *user,
                           struct broker_producer **ret_producer, struct error *error)
{
    return broker->impl->producer_create(broker, properties, delivered, user, ret_producer, error);
}

void broker_producer_destroy(struct broker_producer *producer)
{
    if (producer) {
        producer->impl->producer_destroy(producer);
    }
}

size_t broker_producer_send(struct broker_producer *producer, const struct broker_message *messages,
                            size_t count, bool keep)
{
    return producer->impl->producer_send(producer, messages, count, keep);
}

size_t broker_producer_poll(struct broker_producer *producer, int timeout_ms)
{
    return producer->impl->producer_poll(producer, timeout_ms);
}

void broker_producer_wake(struct broker_producer *producer)
{
    producer->impl->producer_wake(producer);
}

size_t broker_producer_pending(const struct broker_producer *producer)
{
    return producer->impl->producer_pending(producer);
}

/* -- consumer -- */

int broker_consumer_create(struct broker *broker, const struct properties *properties,
                           const struct broker_consumer_events *events,
                           struct broker_consumer **ret_consumer, struct error *error)
{
    return broker->impl->consumer_create(broker, properties, events, ret_consumer, error);
}

void broker_consumer_destroy(struct broker_consumer *consumer)
{
    if (consumer) {
        consumer->impl->consumer_destroy(consumer);
    }
}

int broker_consumer_subscribe(struct broker_consumer *consumer, const char *const *topics,
                              size_t count, struct error *error)
{
    return consumer->impl->subscribe(consumer, topics, count, error);
}

int broker_consumer_assign(struct broker_consumer *consumer, const struct broker_offset *offsets,
                           size_t count, struct error *error)
{
    return consumer->impl->assign(consumer, offsets, count, error);
}

int broker_consumer_poll(struct broker_consumer *consumer, int timeout_ms, size_t max_messages,
                         size_t max_bytes, struct broker_chunk **ret_chunk, struct error *error)
{
    return consumer->impl->poll(consumer, timeout_ms, max_messages, max_bytes, ret_chunk, error);
}

void broker_chunk_release(struct broker_chunk *chunk)
{
    if (chunk) {
        const struct broker_chunk_base *base = chunk->priv;
        base->release(chunk);
    }
}

int broker_consumer_pause(struct broker_consumer *consumer,
                          const struct broker_partition *partitions, size_t count,
                          struct error *error)
{
    return consumer->impl->pause(consumer, partitions, count, error);
}

int broker_consumer_resume(struct broker_consumer *consumer,
                           const struct broker_partition *partitions, size_t count,
                           struct error *error)
{
    return consumer->impl->resume(consumer, partitions, count, error);
}

int broker_consumer_seek(struct broker_consumer *consumer, const struct broker_offset *offset,
                         struct error *error)
{
    return consumer->impl->seek(consumer, offset, error);
}

int broker_consumer_position(struct broker_consumer *consumer,
                             const struct broker_partition *partition, int64_t *ret_offset,
                             struct error *error)
{
    return consumer->impl->position(consumer, partition, ret_offset, error);
}

int broker_consumer_commit(struct broker_consumer *consumer, const struct broker_offset *offsets,
                           size_t count, struct error *error)
{
    return consumer->impl->commit(consumer, offsets, count, error);
}

int broker_consumer_commit_sync(struct broker_consumer *consumer,
                                const struct broker_offset *offsets, size_t count, int timeout_ms,
                                struct error *error)
{
    return consumer->impl->commit_sync(consumer, offsets, count, timeout_ms, error);
}

int64_t broker_consumer_end_offset(struct broker_consumer *consumer,
                                   const struct broker_partition *partition)
{
    return consumer->impl->end_offset(consumer, partition);
}

void broker_consumer_wake(struct broker_consumer *consumer)
{
    consumer->impl->consumer_wake(consumer);
}

/* -- admin -- */

int broker_topics(struct broker *broker, int timeout_ms, struct broker_topics *ret_topics,
                  struct error *error)
{
    return broker->impl->topics(broker, timeout_ms, ret_topics, error);
}

void broker_topics_free(struct broker_topics *topics)
{
    for (size_t i = 0; topics && i < topics->count; i++) {
        free((char *)(uintptr_t)topics->topics[i].name);
    }
    if (topics) {
        free(topics->topics);
        *topics = (struct broker_topics){0};
    }
}

int64_t broker_topics_epoch(struct broker *broker)
{
    return broker->impl->topics_epoch(broker);
}

int broker_topic_create(struct broker *broker, const struct broker_topic_spec *spec, int timeout_ms,
                        struct error *error)
{
    return broker->impl->topic_create(broker, spec, timeout_ms, error);
}

int broker_topic_delete(struct broker *broker, const char *topic, int timeout_ms,
                        struct error *error)
{
    return broker->impl->topic_delete(broker, topic, timeout_ms, error);
}

int broker_topic_partitions(struct broker *broker, const char *topic, int32_t count, int timeout_ms,
                            struct error *error)
{
    return broker->impl->topic_partitions(broker, topic, count, timeout_ms, error);
}

int broker_nodes(struct broker *broker, int timeout_ms, int32_t **ret_nodes, size_t *ret_count,
                 struct error *error)
{
    return broker->impl->nodes(broker, timeout_ms, ret_nodes, ret_count, error);
}

int broker_topic_describe(struct broker *broker, const char *topic, int timeout_ms,
                          struct broker_topic_info *ret_info, struct error *error)
{
    return broker->impl->topic_describe(broker, topic, timeout_ms, ret_info, error);
}

void broker_topic_info_free(struct broker_topic_info *info)
{
    if (info) {
        free(info->partitions);
        free(info->priv);
        *info = (struct broker_topic_info){0};
    }
}

int broker_topic_configs(struct broker *broker, const char *topic, bool all, int timeout_ms,
                         struct properties *ret_configs, struct error *error)
{
    return broker->impl->topic_configs(broker, topic, all, timeout_ms, ret_configs, error);
}

int broker_topic_alter(struct broker *broker, const char *topic,
                       const struct broker_config_change *changes, size_t count, int timeout_ms,
                       struct error *error)
{
    return broker->impl->topic_alter(broker, topic, changes, count, timeout_ms, error);
}

int broker_cluster(struct broker *broker, int timeout_ms, struct broker_cluster *ret_cluster,
                   struct error *error)
{
    return broker->impl->cluster(broker, timeout_ms, ret_cluster, error);
}

void broker_cluster_free(struct broker_cluster *cluster)
{
    for (size_t i = 0; cluster && cluster->nodes && i < cluster->count; i++) {
        free(cluster->nodes[i].host);
    }
    if (cluster) {
        free(cluster->nodes);
        free(cluster->id);
        *cluster = (struct broker_cluster){0};
    }
}

int broker_offsets(struct broker *broker, const char *topic, int32_t partition, int timeout_ms,
                   int64_t *ret_beginning, int64_t *ret_end, struct error *error)
{
    return broker->impl->offsets(broker, topic, partition, timeout_ms, ret_beginning, ret_end,
                                 error);
}

int broker_group_offsets(struct broker *broker, const char *group, int timeout_ms,
                         struct broker_offset **ret_offsets, size_t *ret_count, struct error *error)
{
    return broker->impl->group_offsets(broker, group, timeout_ms, ret_offsets, ret_count, error);
}

void broker_group_offsets_free(struct broker_offset *offsets, size_t count)
{
    for (size_t i = 0; offsets && i < count; i++) {
        free((char *)(uintptr_t)offsets[i].topic);
    }
    free(offsets);
}

int broker_group_offsets_alter(struct broker *broker, const char *group,
                               const struct broker_offset *offsets, size_t count, int timeout_ms,
                               struct error *error)
{
    return broker->impl->group_offsets_alter(broker, group, offsets, count, timeout_ms, error);
}

int broker_group_delete(struct broker *broker, const char *group, int timeout_ms,
                        struct error *error)
{
    return broker->impl->group_delete(broker, group, timeout_ms, error);
}
