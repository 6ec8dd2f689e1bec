/*
 * Configs of an embedded log's topics: names, values, defaults. [owner's one thread]
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/broker/log/owner.h"

/* Kafka 3.9's topic configs that are stored and shown but mean nothing here, with its defaults. */
static const char *const accepted[][2] = {
    {"cleanup.policy", "delete"},
    {"compression.gzip.level", "-1"},
    {"compression.lz4.level", "9"},
    {"compression.type", "producer"},
    {"compression.zstd.level", "3"},
    {"delete.retention.ms", "86400000"},
    {"file.delete.delay.ms", "60000"},
    {"flush.messages", "9223372036854775807"},
    {"flush.ms", "9223372036854775807"},
    {"follower.replication.throttled.replicas", ""},
    {"index.interval.bytes", "4096"},
    {"leader.replication.throttled.replicas", ""},
    {"local.retention.bytes", "-2"},
    {"local.retention.ms", "-2"},
    {"max.compaction.lag.ms", "9223372036854775807"},
    {"message.downconversion.enable", "true"},
    {"message.format.version", "3.0-IV1"},
    {"message.timestamp.after.max.ms", "9223372036854775807"},
    {"message.timestamp.before.max.ms", "9223372036854775807"},
    {"message.timestamp.difference.max.ms", "9223372036854775807"},
    {"min.cleanable.dirty.ratio", "0.5"},
    {"min.compaction.lag.ms", "0"},
    {"min.insync.replicas", "1"},
    {"preallocate", "false"},
    {"remote.log.copy.disable", "false"},
    {"remote.log.delete.on.disable", "false"},
    {"remote.storage.enable", "false"},
    {"segment.bytes", "1073741824"},
    {"segment.index.bytes", "10485760"},
    {"segment.jitter.ms", "0"},
    {"segment.ms", "604800000"},
    {"unclean.leader.election.enable", "false"},
};

static int setting_number(const char *key, const char *value, int64_t min, int64_t max,
                          int64_t *ret_number, struct error *error)
{
    char *end;
    errno = 0;
    long long number = strtoll(value, &end, 10);
    if (errno != 0 || end == value || *end != '\0' || number < min || number > max) {
        return error_set_class(error, ERROR_CONFIG,
                               "org.apache.kafka.common.errors.InvalidConfigurationException",
                               "Invalid value %s for configuration %s: a whole number from %" PRId64
                               " to %" PRId64 " is expected",
                               value, key, min, max);
    }
    *ret_number = number;
    return 0;
}

int topic_setting(struct topic_settings *settings, const char *key, const char *value,
                  struct error *error)
{
    int64_t number = 0;
    if (strcmp(key, "retention.ms") == 0) {
        return setting_number(key, value, -1, INT64_MAX, &settings->retention_ms, error);
    }
    if (strcmp(key, "retention.bytes") == 0) {
        return setting_number(key, value, -1, INT64_MAX, &settings->retention_bytes, error);
    }
    if (strcmp(key, "max.message.bytes") == 0) {
        int64_t max = (int64_t)(LOG_BATCH_MAX - sizeof(struct log_batch_head));
        int result = setting_number(key, value, 0, max, &number, error);
        settings->max_message_bytes = (uint32_t)number;
        return result;
    }
    if (strcmp(key, "message.timestamp.type") == 0) {
        settings->append_time = strcmp(value, "LogAppendTime") == 0;
        if (settings->append_time || strcmp(value, "CreateTime") == 0) {
            return 0;
        }
        return error_set_class(error, ERROR_CONFIG,
                               "org.apache.kafka.common.errors.InvalidConfigurationException",
                               "Invalid value %s for configuration %s: String must be one of: "
                               "CreateTime, LogAppendTime",
                               value, key);
    }
    for (size_t i = 0; i < sizeof(accepted) / sizeof(accepted[0]); i++) {
        if (strcmp(key, accepted[i][0]) == 0) {
            return 0;
        }
    }
    return error_set_class(error, ERROR_CONFIG,
                           "org.apache.kafka.common.errors.InvalidConfigurationException",
                           "Unknown topic config name: %s", key);
}

/* What a topic was given for a config, else NULL. */
static const char *config_of(const struct topic *topic, const char *key)
{
    for (const char *at = topic->configs; at < topic->configs + topic->configs_size;) {
        const char *value = at + strlen(at) + 1;
        if (strcmp(at, key) == 0) {
            return value;
        }
        at = value + strlen(value) + 1;
    }
    return NULL;
}

static void put_config(const struct topic *topic, const char *key, const char *otherwise,
                       struct buffer *out)
{
    const char *value = config_of(topic, key);
    wire_put_text(out, key);
    wire_put_text(out, value ? value : otherwise);
}

static void put_number(const struct topic *topic, const char *key, int64_t number, struct buffer *out)
{
    char text[24];
    (void)snprintf(text, sizeof(text), "%" PRId64, number);
    put_config(topic, key, text, out);
}

void topic_put_all_configs(const struct topic *topic, struct buffer *out)
{
    size_t count = sizeof(accepted) / sizeof(accepted[0]);
    wire_put_u32(out, (uint32_t)count + 4);
    put_number(topic, "max.message.bytes", topic->settings.max_message_bytes, out);
    put_number(topic, "retention.bytes", topic->settings.retention_bytes, out);
    put_number(topic, "retention.ms", topic->settings.retention_ms, out);
    put_config(topic, "message.timestamp.type",
               topic->settings.append_time ? "LogAppendTime" : "CreateTime", out);
    for (size_t i = 0; i < count; i++) {
        put_config(topic, accepted[i][0], accepted[i][1], out);
    }
}

int topic_configs_apply(const char *data, size_t size, struct topic_settings *settings)
{
    const char *end = data + size;
    struct error ignored = {0};
    while (data < end) {
        const char *value = memchr(data, 0, (size_t)(end - data));
        if (!value || ++value >= end || !memchr(value, 0, (size_t)(end - value))) {
            return MDB_CORRUPTED;
        }
        /* What an older or newer build took is kept, whatever this one makes of it. */
        if (topic_setting(settings, data, value, &ignored) != 0) {
            error_clear(&ignored);
        }
        data = value + strlen(value) + 1;
    }
    return 0;
}
