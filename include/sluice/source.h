/*
 * Sources (SourceConnector and SourceTask): kind "sluice.source/1".
 *
 *   create -> [validate | task_configs]                          in a connector's host
 *   create -> start -> poll.. (record_done.., commit..) -> stop -> destroy    in a task's host
 */
#ifndef SLUICE_SOURCE_H
#define SLUICE_SOURCE_H

#include <sluice/connector.h>

#define SLUICE_SOURCE "sluice.source/1"
/** host->extension(): struct sluice_source_context; NULL outside a task. */
#define SLUICE_SOURCE_CONTEXT "sluice.source-context/1"
/**
 * source->extension(): anything but NULL says that this source answers somebody for each record, so a
 * record that fails (transform, converter, broker) is told by record_done() and does not end the task.
 */
#define SLUICE_SOURCE_ANSWERS "sluice.source-answers/1"
/**
 * source->extension(), asked after a poll() without records: anything but NULL says that this source
 * calls wake() when something comes, so it is polled less often until then (at least every 10 s).
 * [task thread]
 */
#define SLUICE_SOURCE_WAKES "sluice.source-wakes/1"

/** What became of one record. */
struct sluice_delivery {
    uint32_t size;
    /** SLUICE_OK: durable. SLUICE_DROP: filtered, or skipped under errors.tolerance=all. Else failed. */
    enum sluice_result result;
    int32_t partition; /**< where it was written; SLUICE_NO_PARTITION unless OK */
    int64_t offset;
    int64_t timestamp;
    const char *error_class; /**< Java class name; NULL for SLUICE_OK. Valid during the call. */
    const char *error;       /**< message; NULL for SLUICE_OK. Valid during the call. */
    bool retriable;          /**< the same record may be accepted later */
    /** Stable code of a failure: 303 timeout, 304 unknown topic, 307 too large, 309 authentication,
     *  310 authorization, 311 invalid topic name; others as in docs/errors.md. 0 for SLUICE_OK. */
    int32_t error_code;
};

struct sluice_source_context {
    uint32_t size;
    /**
     * Records are there: a source whose poll() returns at once with none is polled again when it
     * calls this (or after the timeout). A poll() that waits does its own waking. [any thread]
     */
    void (*wake)(const struct sluice_host *host);
    /**
     * Stored offset for a source partition (a map made in batch), as a map in the same batch; NULL
     * where nothing is stored. [task thread]
     */
    const struct sluice_value *(*offset)(const struct sluice_host *host, struct sluice_batch *batch,
                                         const struct sluice_value *source_partition);
    /** Asks that task_configs() be called again. [any thread] */
    void (*request_task_reconfiguration)(const struct sluice_host *host);
    /** Fails the task from outside a call; error() has no call to belong to there. [any thread] */
    void (*raise_error)(const struct sluice_host *host, const char *java_class, const char *message);

    /*
     * Reads of the cluster, for sources that answer questions about topics. [task thread or a
     * plugin's own thread; blocks at most timeout_ms]
     */

    /** Names, ascending; an array of STRING in batch. NULL where the broker did not answer. */
    const struct sluice_value *(*topics)(const struct sluice_host *host, struct sluice_batch *batch,
                                         int timeout_ms);
    /** Number of partitions; 0: no such topic; -1: no answer. */
    int32_t (*partitions)(const struct sluice_host *host, const char *topic, int timeout_ms);
    /** First offset and the one behind the last; false: no answer or no such partition. */
    bool (*offsets)(const struct sluice_host *host, const char *topic, int32_t partition,
                    int timeout_ms, int64_t *ret_beginning, int64_t *ret_end);
};

struct sluice_source {
    uint32_t size;
    /** Makes an instance. Shall not call the host. NULL: out of memory. */
    void *(*create)(const struct sluice_host *host);
    /** Accepts instances in any state. */
    void (*destroy)(void *self);

    struct sluice_connector connector;

    /** Gets ready for the first poll(); config lives as long as the instance. [task thread & !started] */
    enum sluice_result (*start)(void *self, const struct sluice_config *config) SLUICE_CHECKED;
    /**
     * Adds what is there to the batch, waiting up to timeout_ms for the first record, and returns
     * early when context->wake() was called. No record is fine. SLUICE_RETRY is taken for "none now".
     * [task thread & started]
     */
    enum sluice_result (*poll)(void *self, struct sluice_batch *batch, int timeout_ms) SLUICE_CHECKED;
    /**
     * What became of a record: once for each record that poll() added, also those filtered or failed.
     * Records of one topic-partition come in order. Shall not block. NULL where nobody asks.
     * The host reads nothing of the record after this: memory of the plugin's own that its values are
     * views of need not live longer, whatever becomes of the batch.
     * [broker thread & started, or task thread for filtered and failed ones; never both at once]
     */
    void (*record_done)(void *self, const struct sluice_record *record,
                        const struct sluice_delivery *delivery);
    /** Offsets up to here are stored (SourceTask.commit). May be NULL. [task thread & started] */
    enum sluice_result (*commit)(void *self) SLUICE_CHECKED;
    /**
     * Comes between polls, with wake() before it. Records already polled are delivered and
     * record_done() called for them before destroy(); see drain().
     * [task thread & started]
     */
    void (*stop)(void *self);
    /**
     * Called when a stop is wanted, before the last polls: take in nothing new, hand out what was
     * taken in. poll() is then called until it gives no record or the graceful timeout is over.
     * May be NULL. [task thread & started]
     */
    void (*drain)(void *self);
    /** What else the source can do, by id (SLUICE_SOURCE_WAKES, ..); NULL: not that. May be NULL. */
    const void *(*extension)(void *self, const char *id);
};

#endif
