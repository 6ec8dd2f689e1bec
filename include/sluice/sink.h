/*
 * Sinks (SinkConnector and SinkTask): kind "sluice.sink/1".
 *
 *   create -> [validate | task_configs]                                        in a connector's host
 *   create -> start -> open -> put.. (pre_commit..) -> close -> open.. -> stop -> destroy   in a task's
 */
#ifndef SLUICE_SINK_H
#define SLUICE_SINK_H

#include <sluice/connector.h>

#define SLUICE_SINK "sluice.sink/1"
/** host->extension(): struct sluice_sink_context; NULL outside a task. */
#define SLUICE_SINK_CONTEXT "sluice.sink-context/1"

struct sluice_sink_context {
    uint32_t size;
    /** Asks for pre_commit() and an offset commit soon. [any thread] */
    void (*request_commit)(const struct sluice_host *host);
    /** Ends the wait for records, so that an empty put() comes at once. [any thread] */
    void (*wake)(const struct sluice_host *host);
    /** An empty put() comes after this long without records; cleared by each put(). [task thread] */
    void (*timeout)(const struct sluice_host *host, int64_t milliseconds);
    /** Reads on from this offset after the current put(). [task thread] */
    void (*rewind)(const struct sluice_host *host, const char *topic, int32_t partition,
                   int64_t offset);
    /** No records of these partitions are fetched until resume(). [task thread] */
    void (*pause)(const struct sluice_host *host, const struct sluice_topic_partition *partitions,
                  size_t count);
    /** Undoes pause(). [task thread] */
    void (*resume)(const struct sluice_host *host, const struct sluice_topic_partition *partitions,
                   size_t count);
    /**
     * Errant record reporter (KIP-610). SLUICE_OK: reported, go on without it. Otherwise nothing
     * tolerates errors here: fail the call. The batch is retained until the report is durable, and
     * offsets behind it wait. [any thread]
     */
    enum sluice_result (*report)(const struct sluice_host *host, const struct sluice_record *record,
                                 const char *java_class, const char *message) SLUICE_CHECKED;
    /** True where report() leads anywhere. [any thread] */
    bool (*has_reporter)(const struct sluice_host *host);
    /** Fails the task from outside a call. [any thread] */
    void (*raise_error)(const struct sluice_host *host, const char *java_class, const char *message);
    /**
     * True while this task still owns its partitions as far as the broker knows: ask before making
     * something visible that a successor might make too. [any thread]
     */
    bool (*owns)(const struct sluice_host *host, const char *topic, int32_t partition);
    /**
     * More of what was put is durable: offsets may be committed before the interval is over, unless the
     * worker's own offset.flush.interval.ms says when. [any thread]
     */
    void (*durable)(const struct sluice_host *host);
};

struct sluice_sink {
    uint32_t size;
    /** Makes an instance. Shall not call the host. NULL: out of memory. */
    void *(*create)(const struct sluice_host *host);
    /** Accepts instances in any state. */
    void (*destroy)(void *self);

    struct sluice_connector connector;

    /** Gets ready for the first open(); config lives as long as the instance. [task thread & !started] */
    enum sluice_result (*start)(void *self, const struct sluice_config *config) SLUICE_CHECKED;
    /** Partitions that are new to this task; those it has stay. May be NULL. [task thread & started] */
    enum sluice_result (*open)(void *self, const struct sluice_topic_partition *partitions,
                               size_t count) SLUICE_CHECKED;
    /** Partitions that leave; only those. May be NULL. [task thread & started] */
    void (*close)(void *self, const struct sluice_topic_partition *partitions, size_t count);
    /**
     * Takes records, in order within a partition; an empty batch comes when none did for a while.
     * May retain the batch. Blocking here holds this task back and nobody else.
     * SLUICE_RETRY: the same batch comes again; take it as if it had never come before.
     * SLUICE_BAD_RECORD with host->error_record(i): records before i were taken, i is reported as
     * errors.tolerance says, and put comes again with those behind it.
     * [task thread & started]
     */
    enum sluice_result (*put)(void *self, struct sluice_batch *batch) SLUICE_CHECKED;
    /**
     * offsets: for each partition the offset behind the last record given to put(). The sink lowers
     * them to what is durable, and takes out of the array (*count) partitions with nothing to say.
     * NULL: everything put is durable when put returns.
     * SLUICE_RETRY: it is asked again soon. Another failure: all that was put since the last commit
     * may be lost, and comes again. [task thread & started]
     */
    enum sluice_result (*pre_commit)(void *self, struct sluice_topic_offset *offsets,
                                     size_t *count) SLUICE_CHECKED;
    /** The end; what is not durable by now comes again to the next task. [task thread & started] */
    void (*stop)(void *self);
    /** What else the sink can do, by id (SLUICE_ALTER_OFFSETS); NULL: not that. May be NULL. */
    const void *(*extension)(void *self, const char *id);
};

#endif
