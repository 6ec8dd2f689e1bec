/*
 * What happens to a record that a stage cannot handle: errors.tolerance, retry, the error log and the
 * dead letter queue (KIP-298, KIP-610; kafka-connect.md §5).
 */
#ifndef CORE_HOST_ERRORS_H
#define CORE_HOST_ERRORS_H

#include "core/host/task.h"

/** Connect's stage names, as in __connect.errors.stage. */
enum stage {
    STAGE_TRANSFORMATION,
    STAGE_KEY_CONVERTER,
    STAGE_VALUE_CONVERTER,
    STAGE_HEADER_CONVERTER,
    STAGE_KAFKA_PRODUCE,
    STAGE_TASK_PUT,
};

/** Executing class of STAGE_TASK_PUT and STAGE_KAFKA_PRODUCE: Connect's own, as it reports them. */
#define ERRORS_PUT_CLASS "org.apache.kafka.connect.sink.SinkTask"
#define ERRORS_PRODUCE_CLASS "org.apache.kafka.connect.runtime.WorkerSourceTask"

struct dead_letters;

struct error_policy {
    struct task *task;
    bool tolerate;           /* errors.tolerance=all */
    int64_t retry_timeout;   /* ms; -1: for ever */
    int64_t retry_delay_max; /* ms */
    bool log, log_messages;
    struct dead_letters *dead_letters; /* NULL: none configured */
    struct metrics_slot *failed, *errors, *skipped, *errors_logged, *retries, *last_error;
    struct metrics_slot *dead_requests, *dead_failures;
};

/** Reads errors.*; for a sink opens the dead letter queue too. */
int error_policy_init(struct error_policy *policy, struct task *task, bool sink,
                      struct error *error) CHECKED;
void error_policy_finish(struct error_policy *policy);

/**
 * How long to wait before try number `attempt` (from 1) of an operation begun at `started`
 * (monotonic ms): 300 ms doubled each time, as RetryWithToleranceOperator does. -1: give up.
 */
int64_t error_policy_backoff(const struct error_policy *policy, int attempt, int64_t started);

/**
 * A record failed for good: counts, logs, sends it to the dead letter queue. 0: tolerated, leave it
 * out. -1 with error: the task ends. message is the consumed record of a sink; source that of a
 * source, for the log; either may be NULL. [task thread; for STAGE_TASK_PUT any thread]
 */
int error_policy_record(struct error_policy *policy, enum stage stage, const char *executing_class,
                        const struct error *failure, const struct broker_message *message,
                        const struct sluice_record *source, struct error *error) CHECKED;

/**
 * Waits until every dead letter is durable (or failed), at most timeout_ms. False: one is pending, or one of
 * STAGE_TASK_PUT failed, which ends the task.
 */
bool error_policy_flush(struct error_policy *policy, int timeout_ms);

#endif
