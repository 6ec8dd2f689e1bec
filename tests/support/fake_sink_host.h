/*
 * A host for one sink, for unit tests and profiling: loads the plugin as a host does, gives it records
 * made of JSON, and keeps what it says. The caller is the task thread.
 *
 * Links core_plugin, core_config, core_data.
 */
#ifndef TESTS_SUPPORT_FAKE_SINK_HOST_H
#define TESTS_SUPPORT_FAKE_SINK_HOST_H

#include <pthread.h>
#include <stdbool.h>

#include "core/data/batch.h"
#include "core/plugin/instance.h"

struct fake_sink_record {
    const char *topic;      /* must stay the same pointer for equal topics, as with a real host */
    int32_t partition;
    int64_t offset, timestamp;
    const char *key;        /* text; NULL: null */
    const char *value;      /* JSON; NULL: null */
    const struct sluice_schema *schema; /* of the value; NULL: schemaless */
    const char *header;     /* name of a header with the value "v"; NULL: none */
};

struct fake_sink_host {
    struct registry *registry;
    struct plugin_environment environment;
    struct plugin_instance *instance;
    const struct sluice_sink *vtable;
    struct plugin_failure failure;    /* of the last call that failed */

    pthread_mutex_t lock;
    pthread_cond_t changed;
    int commit_requests, reports;
    int64_t timeout;                  /* as asked for by the last put(); -1: none */
    bool has_reporter;                /* [test] */
    bool lost;                        /* [test] owns() says no */
    char raised[1024];                /* by raise_error() */
    char reported[256];
};

/** Loads the plugin and configures the class; properties: key, value, .. closed by NULL. NULL: error. */
struct fake_sink_host *fake_sink_host_create(const char *plugin, const char *class_name,
                                             const char *const *properties, char *error, size_t size);
void fake_sink_host_destroy(struct fake_sink_host *fake);
enum sluice_result fake_sink_host_start(struct fake_sink_host *fake);
enum sluice_result fake_sink_host_open(struct fake_sink_host *fake, const char *topic,
                                       int32_t partition);
void fake_sink_host_close(struct fake_sink_host *fake, const char *topic, int32_t partition);
/** One put(); on failure the error's text is in fake->failure. */
enum sluice_result fake_sink_host_put(struct fake_sink_host *fake,
                                      const struct fake_sink_record *records, size_t count);
/** Offset the sink would commit now; -1: none. consumed: what the host offers. */
int64_t fake_sink_host_committed(struct fake_sink_host *fake, const char *topic, int32_t partition,
                                 int64_t consumed);
/** Waits, 10 s at most, until it is this one. */
bool fake_sink_host_wait(struct fake_sink_host *fake, const char *topic, int32_t partition,
                         int64_t offset);

#endif
