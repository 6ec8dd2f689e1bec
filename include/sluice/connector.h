/*
 * What source and sink connectors have in common: validation and the making of task configurations.
 * Both run in a host process of their own, apart from any task, and are killed at a deadline.
 */
#ifndef SLUICE_CONNECTOR_H
#define SLUICE_CONNECTOR_H

#include <sluice/host.h>

struct sluice_topic_partition {
    const char *topic;
    int32_t partition;
};

struct sluice_topic_offset {
    const char *topic;
    int32_t partition;
    int64_t offset;
};

/**
 * host->extension(): not NULL where `sluice check` asks. Then validate() may also tell what the API must
 * not, because Connect finds it out only when a task starts.
 */
#define SLUICE_CHECK "sluice.check/1"

/** Takes what task_configs() and validate() find. Valid during that call, on its thread. */
struct sluice_report {
    uint32_t size;
    /** An error on a key; may be called any number of times. The text is shown as it is. */
    void (*invalid)(const struct sluice_report *report, const char *name, const char *format, ...)
        SLUICE_PRINTF(3, 4);
    /** Starts one more task configuration, a copy of the connector's own. */
    void (*task)(const struct sluice_report *report);
    /** Sets a key in the task configuration started last. */
    void (*task_set)(const struct sluice_report *report, const char *name, const char *value);
    void *host_data;
};

/** First member of the vtables of sources and sinks. Every function may be NULL. */
struct sluice_connector {
    /**
     * What one option alone cannot tell: keys that exclude or need each other.
     * May contact servers, within the deadline. [connector thread]
     */
    void (*validate)(void *self, const struct sluice_config *config,
                     const struct sluice_report *report);
    /**
     * Divides the work into at most max_tasks tasks. NULL: one task for a source, max_tasks equal
     * ones for a sink. [connector thread]
     */
    enum sluice_result (*task_configs)(void *self, const struct sluice_config *config, int max_tasks,
                                       const struct sluice_report *report) SLUICE_CHECKED;
};

#endif
