/*
 * The broker as the rest of sluice sees it: producer, consumer, admin. Two implementations, found by
 * bootstrap.servers: the embedded log for `local:DIR` (local.c), else Kafka (kafka.c).
 *
 * Threads. A producer's send() may be called from one thread while another polls it. A consumer
 * belongs to one thread, the broker thread; only its wake() may be called from any. Admin calls block
 * up to their timeout and may come from any thread, one at a time per handle.
 *
 * Messages handed out by a consumer belong to a chunk, which is reference-counted and may be released
 * on any thread, in any order, but before the consumer is destroyed.
 */
#ifndef CORE_BROKER_BROKER_H
#define CORE_BROKER_BROKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"

struct properties; /* core/config/properties.h: the client's keys, Java names, prefixes resolved */

#define BROKER_NO_PARTITION (-1)
#define BROKER_NO_OFFSET (-1)
#define BROKER_NO_TIMESTAMP INT64_MIN

enum broker_timestamp_type {
    BROKER_TIMESTAMP_NONE,
    BROKER_TIMESTAMP_CREATE,
    BROKER_TIMESTAMP_LOG_APPEND,
};

struct broker_header {
    const char *name; /* NUL-terminated */
    const void *value; /* NULL: null */
    uint32_t size;
};

struct broker_message {
    const char *topic;  /* NUL-terminated; in consumed messages the same pointer for the same topic
                           as long as the consumer lives */
    int32_t partition;  /* produce: BROKER_NO_PARTITION lets the partitioner choose (murmur2 of the key) */
    enum broker_timestamp_type timestamp_type;
    int64_t offset;     /* consume only */
    int64_t timestamp;  /* ms; produce: BROKER_NO_TIMESTAMP for now */
    const void *key;    /* NULL: null */
    const void *value;  /* NULL: null */
    uint32_t key_size;
    uint32_t value_size;
    const struct broker_header *headers;
    uint32_t header_count;
    void *opaque;       /* produce only: handed back in the delivery */
};

/* -- producer -- */

struct broker_delivery {
    void *opaque;
    int32_t partition;
    int64_t offset;
    int64_t timestamp;
    const struct error *error; /* NULL: durable; its retriable flag says whether to try again */
};

struct broker_producer;

/** Called from producer_poll(), in the order of sends within a partition, once per message sent. */
typedef void (*broker_delivery_fn)(void *user, const struct broker_delivery *deliveries, size_t count);

/* -- consumer -- */

struct broker_partition {
    const char *topic;
    int32_t partition;
};

struct broker_offset {
    const char *topic;
    int32_t partition;
    int64_t offset;
};

/** Messages of one poll. */
struct broker_chunk {
    struct broker_message *messages;
    size_t count;
    size_t bytes; /* memory it holds */
    void *priv;   /* the implementation's */
};

struct broker_consumer;

/** All called from within consumer_poll(), consumer_close(); they may call seek, pause, commit. */
struct broker_consumer_events {
    /** New partitions (only the new ones); positions are the committed offsets, else auto.offset.reset. */
    void (*assigned)(void *user, const struct broker_partition *partitions, size_t count);
    /** Partitions to give up; commits are still good until this returns. */
    void (*revoked)(void *user, const struct broker_partition *partitions, size_t count);
    /** Partitions already lost: somebody else may have them; commits would fail. */
    void (*lost)(void *user, const struct broker_partition *partitions, size_t count);
    /** Outcome of an asynchronous commit; error NULL: stored. */
    void (*committed)(void *user, const struct broker_offset *offsets, size_t count,
                      const struct error *error);
    /** A fault that does not end the consumer (broker gone, ..): said once, again when it changes. */
    void (*fault)(void *user, const struct error *error);
    void *user;
};

/* -- cluster -- */

struct broker_topic {
    const char *name;
    int32_t partition_count;
    bool internal;
};

struct broker_topics {
    struct broker_topic *topics; /* by name, ascending */
    size_t count;
    void *priv;
};

struct broker_partition_info {
    int32_t leader; /* -1: none now */
    const int32_t *replicas, *isr;
    size_t replica_count, isr_count;
};

struct broker_topic_info {
    struct broker_partition_info *partitions; /* by number */
    size_t count;
    void *priv;
};

struct broker_topic_spec {
    const char *name;
    int32_t partitions;          /* -1: the broker's default */
    int16_t replication_factor;  /* -1: the broker's default */
    const char *const *configs;  /* key, value, key, value.. */
    size_t config_count;         /* pairs */
};

struct broker_node {
    int32_t id;
    char *host;
    int32_t port;
};

/** Who makes up the cluster; freed by broker_cluster_free(). */
struct broker_cluster {
    char *id;           /* NULL: the brokers did not say */
    int32_t controller; /* -1: not known */
    struct broker_node *nodes; /* by id, ascending */
    size_t count;
};

struct broker_config_change {
    const char *name;
    const char *value; /* NULL: back to the default */
};

enum broker_position { BROKER_BEGINNING = -2, BROKER_END = -1 };

/** A connection to one cluster with one set of client properties. */
struct broker;

/**
 * Opens the cluster that properties' bootstrap.servers names; does not wait for it to answer.
 * Properties are copied. On failure *ret_broker is untouched.
 */
int broker_open(const struct properties *properties, struct broker **ret_broker,
                struct error *error) CHECKED;
/** Ends it; producers and consumers made from it are destroyed before. NULL is fine. */
void broker_close(struct broker *broker);

/**
 * linger, memory and so on come from the properties (buffer.memory: bound of what is unacknowledged).
 * delivered is called from broker_producer_poll().
 */
int broker_producer_create(struct broker *broker, const struct properties *properties,
                           broker_delivery_fn delivered, void *user,
                           struct broker_producer **ret_producer, struct error *error) CHECKED;
void broker_producer_destroy(struct broker_producer *producer);
/**
 * Queues messages; key, value and headers are copied (or referenced until the delivery, where
 * keep is true: then the caller leaves them untouched until then). Takes as many as fit and returns
 * how many; fewer than count means: poll, then try the rest. A message that can never be sent (too
 * large, bad topic) is taken and fails in its delivery.
 */
size_t broker_producer_send(struct broker_producer *producer, const struct broker_message *messages,
                            size_t count, bool keep);
/**
 * Serves deliveries, waiting up to timeout_ms for one (negative: until there is something to do).
 * Returns how many were served.
 */
size_t broker_producer_poll(struct broker_producer *producer, int timeout_ms);
/** Ends a waiting poll. [any thread] */
void broker_producer_wake(struct broker_producer *producer);
/** Messages sent and not yet delivered. [any thread] */
size_t broker_producer_pending(const struct broker_producer *producer);

int broker_consumer_create(struct broker *broker, const struct properties *properties,
                           const struct broker_consumer_events *events,
                           struct broker_consumer **ret_consumer, struct error *error) CHECKED;
/** Leaves the group first, with revoked() called. Chunks still held stay valid until released. */
void broker_consumer_destroy(struct broker_consumer *consumer);
/** Joins the group for these topics, replacing what was subscribed; may be called again any time. */
int broker_consumer_subscribe(struct broker_consumer *consumer, const char *const *topics,
                              size_t count, struct error *error) CHECKED;
/** Without a group: reads these partitions from these offsets (or BROKER_BEGINNING, BROKER_END). */
int broker_consumer_assign(struct broker_consumer *consumer, const struct broker_offset *offsets,
                           size_t count, struct error *error) CHECKED;
/**
 * Waits up to timeout_ms for messages; *ret_chunk is NULL where none came. Serves all events.
 * At most max_messages and, once one is there, about max_bytes.
 */
int broker_consumer_poll(struct broker_consumer *consumer, int timeout_ms, size_t max_messages,
                         size_t max_bytes, struct broker_chunk **ret_chunk,
                         struct error *error) CHECKED;
/** [any thread] */
void broker_chunk_release(struct broker_chunk *chunk);
int broker_consumer_pause(struct broker_consumer *consumer, const struct broker_partition *partitions,
                          size_t count, struct error *error) CHECKED;
int broker_consumer_resume(struct broker_consumer *consumer, const struct broker_partition *partitions,
                           size_t count, struct error *error) CHECKED;
/** Next message of this partition is the one at offset; messages already fetched are dropped. */
int broker_consumer_seek(struct broker_consumer *consumer, const struct broker_offset *offset,
                         struct error *error) CHECKED;
/** Offset of the next message to be handed out. */
int broker_consumer_position(struct broker_consumer *consumer, const struct broker_partition *partition,
                             int64_t *ret_offset, struct error *error) CHECKED;
/** Asynchronous; the outcome comes by events.committed. Refused when the generation is over. */
int broker_consumer_commit(struct broker_consumer *consumer, const struct broker_offset *offsets,
                           size_t count, struct error *error) CHECKED;
/** Waits for the answer, up to timeout_ms. */
int broker_consumer_commit_sync(struct broker_consumer *consumer, const struct broker_offset *offsets,
                                size_t count, int timeout_ms, struct error *error) CHECKED;
/** Offset behind the newest message as last heard, for lag; -1: unknown. No round trip. */
int64_t broker_consumer_end_offset(struct broker_consumer *consumer,
                                   const struct broker_partition *partition);
/** Ends a waiting poll. [any thread] */
void broker_consumer_wake(struct broker_consumer *consumer);

/* -- admin: each blocks up to timeout_ms -- */

/** All topics; freed by broker_topics_free(). */
int broker_topics(struct broker *broker, int timeout_ms, struct broker_topics *ret_topics,
                  struct error *error) CHECKED;
void broker_topics_free(struct broker_topics *topics);
/** *ret_there: the cluster lists it to this client. */
int broker_topic_exists(struct broker *broker, const char *topic, int timeout_ms, bool *ret_there,
                        struct error *error) CHECKED;
/** A number that changes when topics come or go; -1: not known. Cheap, no round trip. */
int64_t broker_topics_epoch(struct broker *broker);
/** ERROR_TOPIC_EXISTS where it is there already. */
int broker_topic_create(struct broker *broker, const struct broker_topic_spec *spec, int timeout_ms,
                        struct error *error) CHECKED;
int broker_topic_delete(struct broker *broker, const char *topic, int timeout_ms,
                        struct error *error) CHECKED;
/** Grows a topic. */
int broker_topic_partitions(struct broker *broker, const char *topic, int32_t count, int timeout_ms,
                            struct error *error) CHECKED;
/** Ids of the cluster's nodes that are alive, ascending; malloc'ed. */
int broker_nodes(struct broker *broker, int timeout_ms, int32_t **ret_nodes, size_t *ret_count,
                 struct error *error) CHECKED;
/** Who has the partitions of a topic; freed by broker_topic_info_free(). No such one: UNKNOWN_TOPIC. */
int broker_topic_describe(struct broker *broker, const char *topic, int timeout_ms,
                          struct broker_topic_info *ret_info, struct error *error) CHECKED;
void broker_topic_info_free(struct broker_topic_info *info);
/** Configs of a topic, added to ret_configs: those that were set for it, or all that are in force. */
int broker_topic_configs(struct broker *broker, const char *topic, bool all, int timeout_ms,
                         struct properties *ret_configs, struct error *error) CHECKED;
/** Changes these configs of a topic and leaves the others. */
int broker_topic_alter(struct broker *broker, const char *topic,
                       const struct broker_config_change *changes, size_t count, int timeout_ms,
                       struct error *error) CHECKED;
int broker_cluster(struct broker *broker, int timeout_ms, struct broker_cluster *ret_cluster,
                   struct error *error) CHECKED;
void broker_cluster_free(struct broker_cluster *cluster);
/** First offset kept and the one behind the last. */
int broker_offsets(struct broker *broker, const char *topic, int32_t partition, int timeout_ms,
                   int64_t *ret_beginning, int64_t *ret_end, struct error *error) CHECKED;
/** Committed offsets of a group; freed by broker_group_offsets_free(). */
int broker_group_offsets(struct broker *broker, const char *group, int timeout_ms,
                         struct broker_offset **ret_offsets, size_t *ret_count,
                         struct error *error) CHECKED;
void broker_group_offsets_free(struct broker_offset *offsets, size_t count);
/** Sets offsets of a group without members; offset -1 deletes that one. */
int broker_group_offsets_alter(struct broker *broker, const char *group,
                               const struct broker_offset *offsets, size_t count, int timeout_ms,
                               struct error *error) CHECKED;
int broker_group_delete(struct broker *broker, const char *group, int timeout_ms,
                        struct error *error) CHECKED;

#endif
