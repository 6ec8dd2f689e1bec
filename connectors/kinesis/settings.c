/* Reading of the options; see settings.h. */
#include "connectors/kinesis/settings.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "connectors/kinesis/names.h"

static const char *text_of(const struct sluice_config_api *api, const struct sluice_config *config,
                           const char *name)
{
    const char *text = api->get_string(config, name);
    return text ? text : "";
}

static int read_access(struct kinesis_access_settings *s, const struct sluice_host *host,
                       const struct sluice_config *config, const char **ret_key, char *message, size_t size)
{
    const struct sluice_config_api *api = host->config;
    const char *region = text_of(api, config, "kinesis.region");
    const char *access_key = text_of(api, config, "aws.access.key.id");
    const char *secret_key = text_of(api, config, "aws.secret.access.key");
    const char *token = text_of(api, config, "aws.session.token");
    const char *role = text_of(api, config, "kinesis.credentials.role.arn");
    struct aws_credentials_options *to = &s->credentials;
    s->endpoint = api->get_string(config, "kinesis.endpoint");
    s->endpoint = s->endpoint && s->endpoint[0] ? s->endpoint : NULL;
    s->backoff_ms = api->get_long(config, "retry.backoff.ms");
    s->backoff_max_ms = api->get_long(config, "retry.backoff.max.ms");
    to->profile = api->get_string(config, "kinesis.credentials.profile");
    if (region[0]) {
        snprintf(s->region, sizeof(s->region), "%s", region);
    } else if (!aws_region_default(to->profile, s->region)) {
        *ret_key = "kinesis.region";
        snprintf(message, size, "No AWS region: set kinesis.region, or AWS_REGION in the environment");
        return -1;
    }
    to->region = s->region;
    if (!access_key[0] != !secret_key[0]) {
        *ret_key = access_key[0] ? "aws.secret.access.key" : "aws.access.key.id";
        snprintf(message, size, "aws.access.key.id and aws.secret.access.key need each other");
        return -1;
    }
    if (access_key[0]) {
        to->source = AWS_SOURCE_STATIC;
        to->access_key = access_key;
        to->secret_key = secret_key;
        to->token = token[0] ? token : NULL;
    }
    if (role[0]) {
        const char *external = text_of(api, config, "kinesis.credentials.role.external.id");
        to->role_arn = role;
        to->role_external_id = external[0] ? external : NULL;
        to->role_session_name = text_of(api, config, "kinesis.credentials.role.session.name");
    }
    return 0;
}

int kinesis_source_settings_read(struct kinesis_source_settings *s, const struct sluice_host *host,
                                 const struct sluice_config *config, const char **ret_key,
                                 char *message, size_t size)
{
    const struct sluice_config_api *api = host->config;
    *s = (struct kinesis_source_settings){0};
    s->stream_count = api->get_list(config, "kinesis.stream", &s->streams);
    for (size_t i = 0; i < s->stream_count; i++) {
        bool again = false;
        for (size_t k = 0; k < i; k++) {
            again = again || strcmp(s->streams[k], s->streams[i]) == 0;
        }
        if (again || !kinesis_stream_valid(s->streams[i])) {
            *ret_key = "kinesis.stream";
            snprintf(message, size, "Invalid value %.200s for configuration kinesis.stream: %s",
                     s->streams[i], again ? "named twice" : "a stream has 1 to 128 of a-z, A-Z, 0-9, _, ., -");
            return -1;
        }
    }
    s->topic = text_of(api, config, "kafka.topic");
    s->topic_map_count = api->get_list(config, "kafka.topic.map", &s->topic_map);
    const char *position = text_of(api, config, "kinesis.position");
    s->position = strcasecmp(position, "latest") == 0 ? KINESIS_LATEST
                  : strcasecmp(position, "timestamp") == 0 || strcasecmp(position, "AT_TIMESTAMP") == 0
                      ? KINESIS_TIMESTAMP
                      : KINESIS_EARLIEST;
    s->timestamp = api->get_long(config, "kinesis.timestamp");
    if (s->position == KINESIS_TIMESTAMP && !api->is_set(config, "kinesis.timestamp")) {
        *ret_key = "kinesis.timestamp";
        snprintf(message, size, "kinesis.position=timestamp needs kinesis.timestamp, milliseconds since 1970");
        return -1;
    }
    const char *value = text_of(api, config, "kinesis.value.format");
    s->value = strcasecmp(value, "json") == 0     ? KINESIS_JSON
               : strcasecmp(value, "string") == 0 ? KINESIS_STRING
                                                  : KINESIS_BYTES;
    const char *behavior = text_of(api, config, "behavior.on.error");
    s->log_errors = strcasecmp(behavior, "log") == 0;
    s->ignore_errors = s->log_errors || strcasecmp(behavior, "ignore") == 0;
    s->headers = api->get_boolean(config, "kinesis.headers");
    s->split = api->get_boolean(config, "kinesis.deaggregate");
    s->record_limit = api->get_long(config, "kinesis.record.limit");
    s->poll_ms = api->get_long(config, "kinesis.poll.interval.ms");
    s->discovery_ms = api->get_long(config, "kinesis.shard.discovery.interval.ms");
    s->task_number = api->get_long(config, "sluice.task.number");
    s->task_count = api->get_long(config, "sluice.task.count");
    return read_access(&s->access, host, config, ret_key, message, size);
}

int kinesis_sink_settings_read(struct kinesis_sink_settings *s, const struct sluice_host *host,
                               const struct sluice_config *config, const char **ret_key, char *message,
                               size_t size)
{
    const struct sluice_config_api *api = host->config;
    *s = (struct kinesis_sink_settings){0};
    s->stream = text_of(api, config, "kinesis.stream");
    s->stream_map_count = api->get_list(config, "kinesis.stream.map", &s->stream_map);
    const char *from = text_of(api, config, "kinesis.partition.key");
    s->key_from = strcasecmp(from, "field") == 0    ? KINESIS_KEY_FIELD
                  : strcasecmp(from, "fixed") == 0  ? KINESIS_KEY_FIXED
                  : strcasecmp(from, "random") == 0 ? KINESIS_KEY_RANDOM
                                                    : KINESIS_KEY_KEY;
    s->key_field = text_of(api, config, "kinesis.partition.key.field");
    s->key_fixed = text_of(api, config, "kinesis.partition.key.value");
    if (s->key_from == KINESIS_KEY_FIELD && !s->key_field[0]) {
        *ret_key = "kinesis.partition.key.field";
        snprintf(message, size, "kinesis.partition.key=field needs kinesis.partition.key.field");
        return -1;
    }
    if (s->key_from == KINESIS_KEY_FIXED && !s->key_fixed[0]) {
        *ret_key = "kinesis.partition.key.value";
        snprintf(message, size, "kinesis.partition.key=fixed needs kinesis.partition.key.value");
        return -1;
    }
    s->in_order = strcmp(text_of(api, config, "kinesis.ordering"), "none") != 0;
    s->ignore_nulls = strcasecmp(text_of(api, config, "behavior.on.null.values"), "ignore") == 0;
    s->batch_records = api->get_long(config, "kinesis.batch.records");
    s->batch_bytes = api->get_long(config, "kinesis.batch.bytes");
    s->record_bytes = api->get_long(config, "kinesis.record.bytes");
    if (s->record_bytes > s->batch_bytes) {
        *ret_key = "kinesis.batch.bytes";
        snprintf(message, size, "kinesis.batch.bytes has to hold at least one record of kinesis.record.bytes");
        return -1;
    }
    s->create = api->get_boolean(config, "kinesis.stream.create");
    s->create_shards = api->get_long(config, "kinesis.stream.create.shards");
    return read_access(&s->access, host, config, ret_key, message, size);
}
