/*
 * A mock Kafka cluster (librdkafka's own, in this process), and clients of it, for tests.
 */
#ifndef TESTS_KAFKA_FIXTURE_H
#define TESTS_KAFKA_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "core/broker/broker.h"
#include "core/config/properties.h"

enum { FIXTURE_MS = 60000 };

struct fixture {
    rd_kafka_t *rk;
    rd_kafka_mock_cluster_t *cluster;
    struct properties properties;
    struct broker *broker;
    struct broker_producer *producer;
    size_t delivered, failed;
    int64_t last_offset;
    enum error_code code; /* of the last failed delivery */
    char java_class[128], message[512];
    bool retriable;
};

void fixture_start(struct fixture *fixture, const char *topic, int partitions);
void fixture_finish(struct fixture *fixture);
/** Sends all, polling where the queue is full, and waits until all are delivered. */
void fixture_send(struct fixture *fixture, const struct broker_message *messages, size_t count);
/** count messages "0", "1", .. to one partition, without keys. */
void fixture_fill(struct fixture *fixture, const char *topic, int32_t partition, size_t count);
/** A consumer with these properties more (key, value, .., NULL). */
struct broker_consumer *fixture_consumer(struct fixture *fixture,
                                         const struct broker_consumer_events *events, ...);
/** Polls until there is a chunk; fails the test after FIXTURE_MS. */
struct broker_chunk *fixture_poll(struct broker_consumer *consumer, size_t most);

#endif
