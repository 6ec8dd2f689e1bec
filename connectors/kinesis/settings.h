/* Option tables of source and sink, and what they say, read once. Strings live as long as the config. */
#ifndef KINESIS_SETTINGS_H
#define KINESIS_SETTINGS_H

#include <sluice/plugin.h>

#include "lib/aws/credentials.h"
#include "lib/aws/region.h"

extern const struct sluice_option kinesis_source_options[];
extern const struct sluice_option kinesis_sink_options[];

/** How the service is reached. */
struct kinesis_access_settings {
    char region[AWS_REGION_SIZE];
    const char *endpoint; /* NULL: the region's */
    struct aws_credentials_options credentials;
    int64_t backoff_ms, backoff_max_ms;
};

enum kinesis_position {
    KINESIS_EARLIEST,
    KINESIS_LATEST,
    KINESIS_TIMESTAMP,
};

enum kinesis_value {
    KINESIS_BYTES,
    KINESIS_STRING,
    KINESIS_JSON,
};

struct kinesis_source_settings {
    struct kinesis_access_settings access;
    const char *const *streams;
    size_t stream_count;
    const char *topic;               /* template with ${stream} */
    const char *const *topic_map;    /* stream:topic */
    size_t topic_map_count;
    enum kinesis_position position;
    int64_t timestamp;               /* ms since 1970 */
    enum kinesis_value value;
    bool headers, split, ignore_errors, log_errors;
    int64_t record_limit, poll_ms, discovery_ms;
    int64_t task_number, task_count;
};

enum kinesis_key_from {
    KINESIS_KEY_KEY,
    KINESIS_KEY_FIELD,
    KINESIS_KEY_FIXED,
    KINESIS_KEY_RANDOM,
};

struct kinesis_sink_settings {
    struct kinesis_access_settings access;
    const char *stream;              /* template with ${topic} */
    const char *const *stream_map;   /* topic:stream */
    size_t stream_map_count;
    enum kinesis_key_from key_from;
    const char *key_field, *key_fixed;
    bool in_order;                   /* a key at most once a call */
    bool ignore_nulls;
    int64_t batch_records, batch_bytes, record_bytes;
    bool create;
    int64_t create_shards;
};

/** -1: a sentence in message, the key in *ret_key. */
int kinesis_source_settings_read(struct kinesis_source_settings *settings, const struct sluice_host *host,
                                 const struct sluice_config *config, const char **ret_key,
                                 char *message, size_t size) SLUICE_CHECKED;
int kinesis_sink_settings_read(struct kinesis_sink_settings *settings, const struct sluice_host *host,
                               const struct sluice_config *config, const char **ret_key, char *message,
                               size_t size) SLUICE_CHECKED;

#endif
