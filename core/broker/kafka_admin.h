/*
 * One request of librdkafka's admin interface: begin, hand it over with call->options and call->queue,
 * wait, end. Shared by kafka_admin.c and kafka_cluster.c.
 */
#ifndef CORE_BROKER_KAFKA_ADMIN_H
#define CORE_BROKER_KAFKA_ADMIN_H

#include "core/broker/kafka.h"

struct kafka_call {
    struct kafka_handle *handle;
    rd_kafka_queue_t *queue;
    rd_kafka_AdminOptions_t *options;
    rd_kafka_event_t *event;
    int64_t deadline;
};

int kafka_call_begin(struct kafka_call *call, struct broker *broker, rd_kafka_admin_op_t op,
                     int timeout_ms, struct error *error) CHECKED;
/** The answer, the call's own; NULL: error says why, `WHAT NAME: ...`. */
rd_kafka_event_t *kafka_call_wait(struct kafka_call *call, const char *what, const char *name,
                                  struct error *error) CHECKED;
void kafka_call_end(struct kafka_call *call);

#endif
