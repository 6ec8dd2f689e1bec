/*
 * Client of the embedded log: what its parts share. broker_local is put together in local.c;
 * producer, consumer and admin calls each have a connection of their own to the owner process
 * (log/), opened when first needed, opened again when the owner has died.
 */
#ifndef CORE_BROKER_LOCAL_H
#define CORE_BROKER_LOCAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/broker/impl.h"
#include "core/broker/log/wire.h"

#define LOCAL_TIMEOUT_CLASS "org.apache.kafka.common.errors.TimeoutException"
#define LOCAL_DISCONNECT_CLASS "org.apache.kafka.common.errors.DisconnectException"

struct local {
    struct broker base;
    char *dir;
    char *client_id;
    struct properties log_configs; /* what an owner that we start is told with --config */
    bool may_start;                /* sluice.log.start */
    atomic_llong epoch;            /* -1: not known */
    /* admin (local_admin.c) */
    pthread_mutex_t lock;
    int fd; /* -1: none */
    uint32_t last_id;
    struct buffer in;
};

/* -- connections (local_connection.c), no state -- */

struct local_welcome {
    int64_t epoch;
    uint64_t producer_id;
};

/**
 * Connects to the owner and says hello; where nobody listens and start is set, starts one and waits
 * until it serves. timeout_ms bounds the handshake. Returns a descriptor (blocking mode, for use
 * with MSG_DONTWAIT and poll()), or -1; the error is retriable unless nothing would ever help.
 */
int local_connect(struct local *local, const char *client_id, bool watch, bool start,
                  int timeout_ms, struct local_welcome *ret_welcome, struct error *error) CHECKED;
/** Sends all of it, waiting for room up to timeout_ms. */
int local_send(int fd, const void *data, size_t size, int timeout_ms, struct error *error) CHECKED;
/** Remembers the newest epoch of topics. [any thread] */
void local_note_epoch(struct local *local, int64_t epoch);
/** The error of a REPLY, read up to its payload: 0, or -1 with error. */
int local_reply(struct wire_reader *reader, struct error *error) CHECKED;
/** A whole number from properties, within bounds; def where it is not set. */
int local_number(const struct properties *properties, const char *key, int64_t def, int64_t min,
                 int64_t max, int64_t *ret_number, struct error *error) CHECKED;

/* -- the pieces of broker_local -- */

int local_topics(struct broker *broker, int timeout_ms, struct broker_topics *ret_topics,
                 struct error *error);
int64_t local_topics_epoch(struct broker *broker);
int local_topic_create(struct broker *broker, const struct broker_topic_spec *spec, int timeout_ms,
                       struct error *error);
int local_topic_delete(struct broker *broker, const char *topic, int timeout_ms,
                       struct error *error);
int local_topic_partitions(struct broker *broker, const char *topic, int32_t count, int timeout_ms,
                           struct error *error);
int local_nodes(struct broker *broker, int timeout_ms, int32_t **ret_nodes, size_t *ret_count,
                struct error *error);
int local_topic_describe(struct broker *broker, const char *topic, int timeout_ms,
                         struct broker_topic_info *ret_info, struct error *error);
int local_topic_configs(struct broker *broker, const char *topic, bool all, int timeout_ms,
                        struct properties *ret_configs, struct error *error);
int local_topic_alter(struct broker *broker, const char *topic,
                      const struct broker_config_change *changes, size_t count, int timeout_ms,
                      struct error *error);
int local_cluster(struct broker *broker, int timeout_ms, struct broker_cluster *ret_cluster,
                  struct error *error);
int local_offsets(struct broker *broker, const char *topic, int32_t partition, int timeout_ms,
                  int64_t *ret_beginning, int64_t *ret_end, struct error *error);
int local_group_offsets(struct broker *broker, const char *group, int timeout_ms,
                        struct broker_offset **ret_offsets, size_t *ret_count, struct error *error);
int local_group_offsets_alter(struct broker *broker, const char *group,
                              const struct broker_offset *offsets, size_t count, int timeout_ms,
                              struct error *error);
int local_group_delete(struct broker *broker, const char *group, int timeout_ms,
                       struct error *error);
void local_admin_disconnect(struct local *local);

int local_producer_create(struct broker *broker, const struct properties *properties,
                          broker_delivery_fn delivered, void *user,
                          struct broker_producer **ret_producer, struct error *error);
void local_producer_destroy(struct broker_producer *producer);
size_t local_producer_send(struct broker_producer *producer, const struct broker_message *messages,
                           size_t count, bool keep);
size_t local_producer_poll(struct broker_producer *producer, int timeout_ms);
void local_producer_wake(struct broker_producer *producer);
size_t local_producer_pending(const struct broker_producer *producer);

int local_consumer_create(struct broker *broker, const struct properties *properties,
                          const struct broker_consumer_events *events,
                          struct broker_consumer **ret_consumer, struct error *error);
void local_consumer_destroy(struct broker_consumer *consumer);
int local_subscribe(struct broker_consumer *consumer, const char *const *topics, size_t count,
                    struct error *error);
int local_assign(struct broker_consumer *consumer, const struct broker_offset *offsets,
                 size_t count, struct error *error);
int local_poll(struct broker_consumer *consumer, int timeout_ms, size_t max_messages,
               size_t max_bytes, struct broker_chunk **ret_chunk, struct error *error);
int local_pause(struct broker_consumer *consumer, const struct broker_partition *partitions,
                size_t count, struct error *error);
int local_resume(struct broker_consumer *consumer, const struct broker_partition *partitions,
                 size_t count, struct error *error);
int local_seek(struct broker_consumer *consumer, const struct broker_offset *offset,
               struct error *error);
int local_position(struct broker_consumer *consumer, const struct broker_partition *partition,
                   int64_t *ret_offset, struct error *error);
int local_commit(struct broker_consumer *consumer, const struct broker_offset *offsets,
                 size_t count, struct error *error);
int local_commit_sync(struct broker_consumer *consumer, const struct broker_offset *offsets,
                      size_t count, int timeout_ms, struct error *error);
int64_t local_end_offset(struct broker_consumer *consumer,
                         const struct broker_partition *partition);
void local_consumer_wake(struct broker_consumer *consumer);

#endif
