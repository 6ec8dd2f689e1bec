/*
 * Kafka by librdkafka: what its parts share. broker_kafka is put together in kafka.c, which also makes
 * clients; kafka_error.c gives faults their Java names; kafka_producer.c, kafka_consumer.c with
 * kafka_group.c (membership), kafka_commit.c and kafka_chunk.c (messages), and kafka_admin.c with
 * kafka_cluster.c are the interface. kafka_config.c decides how a client is configured.
 */
#ifndef CORE_BROKER_KAFKA_H
#define CORE_BROKER_KAFKA_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/broker/impl.h"
#include "core/broker/kafka_config.h"

#define KAFKA_LOGGER "sluice.broker.kafka"
#define KAFKA_TIMEOUT_CLASS "org.apache.kafka.common.errors.TimeoutException"

/* -- kafka_error.c -- */

/**
 * Fills error from what librdkafka or a broker said: `WHAT: what is wrong. what to do`. detail (may be
 * NULL) is their own text. Returns -1.
 */
int kafka_error(struct error *error, rd_kafka_resp_err_t code, const char *detail,
                const char *format, ...) PRINTF_LIKE(4, 5);
/** Will the cluster never take this client as it is (password, certificate)? */
bool kafka_refused(rd_kafka_resp_err_t code);

/* -- kafka.c: a client of librdkafka, of any kind -- */

/** What a client last complained of. Written by whoever polls it, read by any thread. */
struct kafka_faults {
    pthread_mutex_t lock;
    rd_kafka_resp_err_t code; /* NO_ERROR: none since something last worked */
    char text[480];
    bool exact;               /* text names the cause: nothing needs to be added */
    int refusals;             /* in a row, without anything working in between */
    int64_t refused_at;       /* the first of them; monotonic ms */
    uint64_t changes;         /* how often it became another fault */
};

struct kafka_handle {
    struct kafka_opaque opaque; /* first: librdkafka's opaque is this struct */
    rd_kafka_t *rk;
    struct kafka_faults faults;
    void *owner; /* producer or consumer, for callbacks */
};

enum { KAFKA_REFUSED_MS = 3000 }; /* how long refusals are tried again before they are final */

/** prepare (may be NULL) sets callbacks before the client exists. */
int kafka_handle_start(struct kafka_handle *handle, const struct properties *properties,
                       enum kafka_client kind, void (*prepare)(rd_kafka_conf_t *conf),
                       void *owner, struct error *error) CHECKED;
/** NULL rk is fine. A consumer has been closed before. */
void kafka_handle_finish(struct kafka_handle *handle);
void kafka_handle_fault(struct kafka_handle *handle, rd_kafka_resp_err_t code, const char *text);
/** Something worked: the cluster answers. */
void kafka_handle_works(struct kafka_handle *handle);
/** True with *error filled once the cluster has refused this client for KAFKA_REFUSED_MS. */
bool kafka_handle_refused(struct kafka_handle *handle, struct error *error);
/** Adds what the client last complained of as the cause; a refusal replaces the error. */
void kafka_handle_explain(struct kafka_handle *handle, struct error *error);

struct kafka {
    struct broker base;
    struct properties properties;
    pthread_mutex_t lock;       /* of making the client below */
    struct kafka_handle admin;  /* rk NULL until first needed */
};

/** The admin client, made when first needed; NULL: error says why. */
struct kafka_handle *kafka_admin_handle(struct kafka *kafka, struct error *error) CHECKED;

/* -- consumer -- */

/** A partition that is ours. */
struct kafka_held {
    const char *topic;             /* one of names */
    int32_t partition;
    const rd_kafka_topic_t *seen;  /* as in its messages; NULL before the first */
    rd_kafka_topic_t *simple;      /* read without a group: consume_stop() ends it; owned */
    int64_t position;              /* of the next message to hand out; < 0: not known */
    int64_t end;                   /* behind the newest message as last heard; -1: not known */
    bool paused;
    bool unknown;                  /* its committed offset is still asked for: what comes is dropped */
    bool astray;                   /* librdkafka may go on elsewhere than at position */
};

struct kafka_name {
    struct kafka_name *next;
    char text[];
};

struct kafka_commit;
struct kafka_chunk;

struct kafka_consumer {
    struct broker_consumer base;
    struct kafka_handle handle;
    struct broker_consumer_events events;
    atomic_int references;         /* the consumer and each chunk that is out */
    rd_kafka_queue_t *control;     /* rebalances, commits, faults */
    rd_kafka_queue_t *messages;    /* all partitions are forwarded to it */
    int wake;                      /* eventfd: either queue has something, or wake() */
    atomic_bool woken;
    bool grouped, subscribed;
    bool closing;                  /* librdkafka's own close is under way */
    bool busy;                     /* the last poll() gave messages */

    struct kafka_held *held;
    size_t held_count, held_capacity;
    size_t last;                   /* index of the partition that the last message was of */
    struct kafka_name *names;      /* live as long as the consumer */
    rd_kafka_message_t **stash;    /* messages that came by the control queue */
    size_t stash_count, stash_capacity;
    struct kafka_commit *commits;  /* asked, not yet answered */
    rd_kafka_topic_partition_list_t *topics;  /* subscribed; NULL: none */
    rd_kafka_topic_partition_list_t *missing; /* those of them that do not exist; NULL: none ever */
    int64_t look_at;               /* when they are looked for again, monotonic ms */
    int look_wait;
    int64_t ask_at;                /* when committed offsets are asked for again; 0: all are known */
    rd_kafka_queue_t *answers;     /* of kafka_group_watch(); NULL: none was asked yet */
    bool watching;                 /* asked, not yet answered */
    int64_t watch_at;              /* when the right to the group is looked at next */
    struct error failure;          /* for the next poll() */
    uint64_t told;                 /* handle.faults.changes when the caller was told last */
    size_t average;                /* bytes of a message */

    pthread_mutex_t chunk_lock;
    struct kafka_chunk *spare;     /* released ones, under chunk_lock */
    size_t spare_count;
};

/* -- kafka_consumer.c -- */

const char *kafka_consumer_name(struct kafka_consumer *consumer, const char *topic);
struct kafka_held *kafka_consumer_find(struct kafka_consumer *consumer, const char *topic,
                                       int32_t partition);
/** Makes it ours, to be read from position on; its messages go to `messages`. */
struct kafka_held *kafka_consumer_hold(struct kafka_consumer *consumer, const char *topic,
                                       int32_t partition, int64_t position);
void kafka_consumer_let_go(struct kafka_consumer *consumer, const char *topic, int32_t partition);
/** Sends the partition's messages to our queue. */
void kafka_consumer_forward(struct kafka_consumer *consumer, const char *topic, int32_t partition);
/** Makes librdkafka go on from offset; messages that it has fetched are dropped. */
int kafka_consumer_move(struct kafka_consumer *consumer, const struct kafka_held *held,
                        int64_t offset, struct error *error) CHECKED;
/** An error that librdkafka put among messages or events; ends the consumer or is told as a fault. */
void kafka_consumer_error(struct kafka_consumer *consumer, rd_kafka_resp_err_t code,
                          const char *detail, const char *topic, int32_t partition);
/** True of those after which Java's consumer would not go on either. */
bool kafka_consumer_ends(rd_kafka_resp_err_t code);
/** Gives up one of the references; the last one frees everything. [any thread] */
void kafka_consumer_unreference(struct kafka_consumer *consumer);

/* -- kafka_chunk.c -- */

/** Messages that are here, at most max_messages and about max_bytes; *ret_chunk NULL: none. */
int kafka_chunk_fetch(struct kafka_consumer *consumer, size_t max_messages, size_t max_bytes,
                      struct broker_chunk **ret_chunk, struct error *error) CHECKED;
/** Remembers the end of a partition as last heard. */
void kafka_chunk_note_end(struct kafka_consumer *consumer, struct kafka_held *held);
/** Drops what is stashed of this partition (topic NULL: of all). */
void kafka_chunk_forget(struct kafka_consumer *consumer, const char *topic, int32_t partition);
int kafka_chunk_stash(struct kafka_consumer *consumer, rd_kafka_message_t *message) CHECKED;
void kafka_chunk_free_spare(struct kafka_consumer *consumer);

/* -- kafka_group.c -- */

void kafka_group_prepare(rd_kafka_conf_t *conf);
int kafka_subscribe(struct broker_consumer *base, const char *const *topics, size_t count,
                    struct error *error);
/** A subscribed topic does not exist. */
void kafka_group_miss(struct kafka_consumer *consumer, const char *topic);
/** Looks whether missing topics have come, when it is time. */
void kafka_group_look(struct kafka_consumer *consumer);
/** Asks again for committed offsets that were not told, when it is time. */
void kafka_group_ask(struct kafka_consumer *consumer);
/** Leaves the group, with revoked() called, and ends what waits for an answer. */
void kafka_group_leave(struct kafka_consumer *consumer);

/* -- kafka_commit.c -- */

int kafka_commit(struct broker_consumer *base, const struct broker_offset *offsets, size_t count,
                 struct error *error);
int kafka_commit_sync(struct broker_consumer *base, const struct broker_offset *offsets,
                      size_t count, int timeout_ms, struct error *error);
/** No answer comes any more: those that wait for one have failed. */
void kafka_commit_end(struct kafka_consumer *consumer);
/** Notices a right to the group that is gone, where no commit would. */
void kafka_group_watch(struct kafka_consumer *consumer);

/* -- the rest of broker_kafka -- */

int kafka_consumer_create(struct broker *broker, const struct properties *properties,
                          const struct broker_consumer_events *events,
                          struct broker_consumer **ret_consumer, struct error *error);
void kafka_consumer_destroy(struct broker_consumer *base);
int kafka_assign(struct broker_consumer *base, const struct broker_offset *offsets, size_t count,
                 struct error *error);
int kafka_poll(struct broker_consumer *base, int timeout_ms, size_t max_messages, size_t max_bytes,
               struct broker_chunk **ret_chunk, struct error *error);
int kafka_pause(struct broker_consumer *base, const struct broker_partition *partitions,
                size_t count, struct error *error);
int kafka_resume(struct broker_consumer *base, const struct broker_partition *partitions,
                 size_t count, struct error *error);
int kafka_seek(struct broker_consumer *base, const struct broker_offset *offset,
               struct error *error);
int kafka_position(struct broker_consumer *base, const struct broker_partition *partition,
                   int64_t *ret_offset, struct error *error);
int64_t kafka_end_offset(struct broker_consumer *base, const struct broker_partition *partition);
void kafka_consumer_wake(struct broker_consumer *base);

int kafka_producer_create(struct broker *broker, const struct properties *properties,
                          broker_delivery_fn delivered, void *user,
                          struct broker_producer **ret_producer, struct error *error);
void kafka_producer_destroy(struct broker_producer *base);
size_t kafka_producer_send(struct broker_producer *base, const struct broker_message *messages,
                           size_t count, bool keep);
size_t kafka_producer_poll(struct broker_producer *base, int timeout_ms);
void kafka_producer_wake(struct broker_producer *base);
size_t kafka_producer_pending(const struct broker_producer *base);

int kafka_topics(struct broker *broker, int timeout_ms, struct broker_topics *ret_topics,
                 struct error *error);
int64_t kafka_topics_epoch(struct broker *broker);
int kafka_topic_create(struct broker *broker, const struct broker_topic_spec *spec, int timeout_ms,
                       struct error *error);
int kafka_topic_delete(struct broker *broker, const char *topic, int timeout_ms,
                       struct error *error);
int kafka_topic_partitions(struct broker *broker, const char *topic, int32_t count, int timeout_ms,
                           struct error *error);
int kafka_nodes(struct broker *broker, int timeout_ms, int32_t **ret_nodes, size_t *ret_count,
                struct error *error);
int kafka_topic_describe(struct broker *broker, const char *topic, int timeout_ms,
                         struct broker_topic_info *ret_info, struct error *error);
int kafka_topic_configs(struct broker *broker, const char *topic, bool all, int timeout_ms,
                        struct properties *ret_configs, struct error *error);
int kafka_topic_alter(struct broker *broker, const char *topic,
                      const struct broker_config_change *changes, size_t count, int timeout_ms,
                      struct error *error);
int kafka_cluster(struct broker *broker, int timeout_ms, struct broker_cluster *ret_cluster,
                  struct error *error);
int kafka_offsets(struct broker *broker, const char *topic, int32_t partition, int timeout_ms,
                  int64_t *ret_beginning, int64_t *ret_end, struct error *error);
int kafka_group_offsets(struct broker *broker, const char *group, int timeout_ms,
                        struct broker_offset **ret_offsets, size_t *ret_count, struct error *error);
int kafka_group_offsets_alter(struct broker *broker, const char *group,
                              const struct broker_offset *offsets, size_t count, int timeout_ms,
                              struct error *error);
int kafka_group_delete(struct broker *broker, const char *group, int timeout_ms,
                       struct error *error);

#endif
