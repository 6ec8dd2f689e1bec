/*
 * What the connector was configured with: kafka-rest.properties' names where the Proxy has one
 * (s3-sink-and-rest-proxy.md §4.4), `sluice.` before our own. Read once, then constant.
 */
#ifndef CONNECTORS_REST_SETTINGS_H
#define CONNECTORS_REST_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/host.h>

enum { REST_LISTENERS_MAX = 8 };

struct rest_listener {
    bool tls;
    char host[256]; /* without brackets */
    char port[8];
};

struct rest_settings {
    struct rest_listener listeners[REST_LISTENERS_MAX];
    size_t listener_count;
    const char *allow_origin, *allow_methods, *allow_headers, *expose_headers; /* never NULL */
    const char *keystore, *keystore_password, *key_password;                   /* or NULL */
    size_t body_max, inflight_max, records_max;
    unsigned connections_max, connections_per_ip_max;
    int64_t idle_ms, receive_ms, answer_ms, metadata_ms;
    const char *const *base_paths; /* `/stage`, left out of paths */
    size_t base_path_count;
    const char *streams_allow; /* NULL or "": no streams */
    bool streams_delete;
    bool reject; /* answer 429 instead of waiting when inflight_max is reached */
};

extern const struct sluice_option rest_options[];

/**
 * Reads a checked configuration; strings stay the configuration's. -1 with a sentence in message and
 * the key it is about in *ret_key.
 */
int rest_settings_read(const struct sluice_config_api *api, const struct sluice_config *config,
                       struct rest_settings *settings, const char **ret_key, char *message,
                       size_t size) SLUICE_CHECKED;

#endif
