/*
 * What an implementation of core/broker/broker.h provides; broker.c finds it by bootstrap.servers
 * and hands every call over. Each of broker, producer and consumer begins with its base below; a
 * chunk's priv points to a struct broker_chunk_base. The functions have the contracts of their
 * namesakes in broker.h.
 */
#ifndef CORE_BROKER_IMPL_H
#define CORE_BROKER_IMPL_H

#include "core/broker/broker.h"
#include "core/config/properties.h"

struct broker_impl {
    int (*open)(const struct properties *properties, struct broker **ret_broker,
                struct error *error);
    void (*close)(struct broker *broker);

    int (*producer_create)(struct broker *broker, const struct properties *properties,
                           broker_delivery_fn delivered, void *user,
                           struct broker_producer **ret_producer, struct error *error);
    void (*producer_destroy)(struct broker_producer *producer);
    size_t (*producer_send)(struct broker_producer *producer, const struct broker_message *messages,
                            size_t count, bool keep);
    size_t (*producer_poll)(struct broker_producer *producer, int timeout_ms);
    void (*producer_wake)(struct broker_producer *producer);
    size_t (*producer_pending)(const struct broker_producer *producer);

    int (*consumer_create)(struct broker *broker, const struct properties *properties,
                           const struct broker_consumer_events *events,
                           struct broker_consumer **ret_consumer, struct error *error);
    void (*consumer_destroy)(struct broker_consumer *consumer);
    int (*subscribe)(struct broker_consumer *consumer, const char *const *topics, size_t count,
                     struct error *error);
    int (*assign)(struct broker_consumer *consumer, const struct broker_offset *offsets,
                  size_t count, struct error *error);
    int (*poll)(struct broker_consumer *consumer, int timeout_ms, size_t max_messages,
                size_t max_bytes, struct broker_chunk **ret_chunk, struct error *error);
    int (*pause)(struct broker_consumer *consumer, const struct broker_partition *partitions,
                 size_t count, struct error *error);
    int (*resume)(struct broker_consumer *consumer, const struct broker_partition *partitions,
                  size_t count, struct error *error);
    int (*seek)(struct broker_consumer *consumer, const struct broker_offset *offset,
                struct error *error);
    int (*position)(struct broker_consumer *consumer, const struct broker_partition *partition,
                    int64_t *ret_offset, struct error *error);
    int (*commit)(struct broker_consumer *consumer, const struct broker_offset *offsets,
                  size_t count, struct error *error);
    int (*commit_sync)(struct broker_consumer *consumer, const struct broker_offset *offsets,
                       size_t count, int timeout_ms, struct error *error);
    int64_t (*end_offset)(struct broker_consumer *consumer,
                          const struct broker_partition *partition);
    void (*consumer_wake)(struct broker_consumer *consumer);

    /* Lists are made of malloc'ed texts and one malloc'ed array; broker.c frees them. */
    int (*topics)(struct broker *broker, int timeout_ms, struct broker_topics *ret_topics,
                  struct error *error);
    int64_t (*topics_epoch)(struct broker *broker);
    int (*topic_create)(struct broker *broker, const struct broker_topic_spec *spec, int timeout_ms,
                        struct error *error);
    int (*topic_delete)(struct broker *broker, const char *topic, int timeout_ms,
                        struct error *error);
    int (*topic_partitions)(struct broker *broker, const char *topic, int32_t count, int timeout_ms,
                            struct error *error);
    int (*nodes)(struct broker *broker, int timeout_ms, int32_t **ret_nodes, size_t *ret_count,
                 struct error *error);
    /* partitions, priv: one malloc'ed array and one malloc'ed block that its lists point into */
    int (*topic_describe)(struct broker *broker, const char *topic, int timeout_ms,
                          struct broker_topic_info *ret_info, struct error *error);
    int (*topic_configs)(struct broker *broker, const char *topic, bool all, int timeout_ms,
                         struct properties *ret_configs, struct error *error);
    int (*topic_alter)(struct broker *broker, const char *topic,
                       const struct broker_config_change *changes, size_t count, int timeout_ms,
                       struct error *error);
    int (*cluster)(struct broker *broker, int timeout_ms, struct broker_cluster *ret_cluster,
                   struct error *error);
    int (*offsets)(struct broker *broker, const char *topic, int32_t partition, int timeout_ms,
                   int64_t *ret_beginning, int64_t *ret_end, struct error *error);
    int (*group_offsets)(struct broker *broker, const char *group, int timeout_ms,
                         struct broker_offset **ret_offsets, size_t *ret_count,
                         struct error *error);
    int (*group_offsets_alter)(struct broker *broker, const char *group,
                               const struct broker_offset *offsets, size_t count, int timeout_ms,
                               struct error *error);
    int (*group_delete)(struct broker *broker, const char *group, int timeout_ms,
                        struct error *error);
};

struct broker {
    const struct broker_impl *impl;
};

struct broker_producer {
    const struct broker_impl *impl;
};

struct broker_consumer {
    const struct broker_impl *impl;
};

struct broker_chunk_base {
    void (*release)(struct broker_chunk *chunk); /* [any thread] */
};

/** bootstrap.servers=local:DIR */
extern const struct broker_impl broker_local;
/** Anything else: addresses of Kafka brokers. */
extern const struct broker_impl broker_kafka;

#endif
