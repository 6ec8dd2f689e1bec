/*
 * An embedded log in a temporary folder for tests: its owner process, a broker handle, and the
 * small loops that every test needs. Failures are cmocka failures of the calling test.
 */
#ifndef TESTS_LOG_FIXTURE_H
#define TESTS_LOG_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdbool.h>
#include <cmocka.h>
#include <sys/types.h>

#include "core/broker/broker.h"
#include "core/config/properties.h"

enum { FIXTURE_MS = 60000 };

struct fixture {
    char dir[512];
    char deep[700]; /* DIR of the log: dir, or deeper */
    struct properties properties;
    struct broker *broker;
    pid_t owner; /* 0: none of ours; clients start one */
    int life;
    size_t file_limit; /* of owners started from now on, bytes; 0: none */
    /* what producers were told */
    size_t delivered, failed;
    int64_t last_offset;
    enum error_code last_error;
};

/** Arguments of an owner with the defaults. */
static const char *const none[] = {NULL};

/** configs: for the owner, --config arguments, NULL-terminated; NULL: no owner is started. */
void fixture_start(struct fixture *fixture, const char *const *configs);
void fixture_finish(struct fixture *fixture);
/** Starts an owner as a worker does, and waits until it serves. */
void fixture_start_owner(struct fixture *fixture, const char *const *configs);
void fixture_kill_owner(struct fixture *fixture, int signal);

struct broker_producer *fixture_producer(struct fixture *fixture);
/** Sends one message and waits for its delivery; its offset, or -1 (see last_error). */
int64_t fixture_send(struct fixture *fixture, struct broker_producer *producer,
                     const struct broker_message *message);
/** The same with texts. */
int64_t fixture_put(struct fixture *fixture, struct broker_producer *producer, const char *topic,
                    const char *key, const char *value);
void fixture_topic(struct fixture *fixture, const char *name, int32_t partitions,
                   const char *const *configs, size_t pairs);
/** group NULL: none. Extra keys: name, value, .., NULL. */
struct broker_consumer *fixture_consumer(struct fixture *fixture, const char *group,
                                         const struct broker_consumer_events *events, ...);
/** A consumer without a group of one partition from this offset on. */
struct broker_consumer *fixture_read_from(struct fixture *fixture, const char *topic,
                                          int32_t partition, int64_t offset);
/** Polls until one chunk comes; NULL after timeout_ms. */
struct broker_chunk *fixture_poll(struct broker_consumer *consumer, int timeout_ms);

#endif
