/*
 * Config providers: kind "sluice.config-provider/1". A value `${name:path:key}` of a connector's or
 * the worker's configuration is looked up by the provider that config.providers names `name`
 * (KIP-297). Providers run in host processes, where the values are used; the worker never sees them.
 * All calls come from one thread, before anything else of that process.
 */
#ifndef SLUICE_CONFIG_PROVIDER_H
#define SLUICE_CONFIG_PROVIDER_H

#include <sluice/host.h>

#define SLUICE_CONFIG_PROVIDER "sluice.config-provider/1"

/** Takes what get() finds. Valid during that call. */
struct sluice_provided {
    uint32_t size;
    /** Value of a key that was asked for, copied; without it the text of the variable stays as it is. */
    void (*value)(const struct sluice_provided *provided, const char *key, const char *value);
    /** The values are good for so long; the connector is restarted then (config.action.reload). */
    void (*time_to_live)(const struct sluice_provided *provided, int64_t milliseconds);
    void *host_data;
};

struct sluice_config_provider {
    uint32_t size;
    /** Makes an instance. Shall not call the host. NULL: out of memory. */
    void *(*create)(const struct sluice_host *host);
    /** Accepts instances in any state. */
    void (*destroy)(void *self);
    /** With config.providers.<name>.param.*, the prefix taken away. May be NULL. */
    enum sluice_result (*configure)(void *self, const struct sluice_config *config) SLUICE_CHECKED;
    /** Finds the keys under path ("": none was given). An error refuses the whole configuration. */
    enum sluice_result (*get)(void *self, const char *path, const char *const *keys, size_t count,
                              const struct sluice_provided *provided) SLUICE_CHECKED;
};

#endif
