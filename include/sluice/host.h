/*
 * What the host does for a plugin.
 *
 * Each instance gets a struct sluice_host of its own in create(); it and all it points to stay valid
 * until after destroy(). Plugins link no symbol of the host: a unit test can hand in a fake one.
 */
#ifndef SLUICE_HOST_H
#define SLUICE_HOST_H

#include <sluice/data.h>
#include <sluice/option.h>
#include <sluice/record.h>
#include <sluice/result.h>

enum sluice_log_level { SLUICE_TRACE, SLUICE_DEBUG, SLUICE_INFO, SLUICE_WARN, SLUICE_ERROR };

enum sluice_metric_kind { SLUICE_COUNTER, SLUICE_GAUGE };

/** One number that is exported; add() and set() are cheap and may be called from any thread. */
struct sluice_metric;

/** Java class names of Connect's exceptions, for host->error(). */
#define SLUICE_CONNECT_EXCEPTION "org.apache.kafka.connect.errors.ConnectException"
#define SLUICE_RETRIABLE_EXCEPTION "org.apache.kafka.connect.errors.RetriableException"
#define SLUICE_DATA_EXCEPTION "org.apache.kafka.connect.errors.DataException"
#define SLUICE_CONFIG_EXCEPTION "org.apache.kafka.common.config.ConfigException"

struct sluice_host {
    uint32_t size;
    const char *name;    /**< "sluice" */
    const char *version;
    const struct sluice_data *data;
    const struct sluice_records *records;
    const struct sluice_config_api *config;

    /** Logs a line with the connector's context in front. Never log secrets. [any thread] */
    void (*log)(const struct sluice_host *host, enum sluice_log_level level, const char *format, ...)
        SLUICE_PRINTF(3, 4);
    /** True where a line of this level would be written. [any thread] */
    bool (*log_enabled)(const struct sluice_host *host, enum sluice_log_level level);

    /**
     * Says why the call that is running on this thread fails, and returns result, so that
     * `return host->error(host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION, "..", ..);` does both.
     * A second call within the same plugin call replaces the first. The text is for a user: what
     * was wrong, with which key or record, and what to do. [the thread of the call]
     */
    enum sluice_result (*error)(const struct sluice_host *host, enum sluice_result result,
                                const char *java_class, const char *format, ...)
        SLUICE_PRINTF(4, 5);
    /** Adds a `Caused by:` behind the error just given. [same] */
    void (*error_cause)(const struct sluice_host *host, const char *java_class, const char *format,
                        ...) SLUICE_PRINTF(3, 4);
    /** Which record of the batch is meant (SLUICE_BAD_RECORD from put). [same] */
    void (*error_record)(const struct sluice_host *host, size_t index);
    /** Earliest next try for SLUICE_RETRY. [same] */
    void (*retry_after)(const struct sluice_host *host, int64_t milliseconds);

    /**
     * A number under this name (`objects-written`), made on first use; NULL when there are too many.
     * [any thread]
     */
    struct sluice_metric *(*metric)(const struct sluice_host *host, const char *name,
                                    enum sluice_metric_kind kind);
    void (*metric_add)(struct sluice_metric *metric, int64_t amount); /**< NULL is fine */
    void (*metric_set)(struct sluice_metric *metric, int64_t value);  /**< NULL is fine */

    /**
     * Finds another plugin by class name or alias and kind and makes an instance, configured with
     * the keys below prefix of config. NULL with host->error() called where that fails.
     * *ret_vtable is the vtable of its kind. Destroyed by drop_plugin, at the latest with this instance.
     * [the thread of the call]
     */
    void *(*make_plugin)(const struct sluice_host *host, const char *kind, const char *class_name,
                         const struct sluice_config *config, const char *prefix,
                         const void **ret_vtable);
    /** Destroys one that make_plugin() made. [the thread of the call] */
    void (*drop_plugin)(const struct sluice_host *host, void *instance);

    /** More services by id, e.g. SLUICE_SINK_CONTEXT; NULL where not offered here. [any thread] */
    const void *(*extension)(const struct sluice_host *host, const char *id);

    void *host_data; /**< the host's own */

    /** The configuration of a plugin that make_plugin made, for its configure(). Lives as long as it. */
    const struct sluice_config *(*made_config)(const struct sluice_host *host, const void *instance);
};

#endif
