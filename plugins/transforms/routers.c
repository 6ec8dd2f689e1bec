/*
 * RegexRouter and TimestampRouter: new topic names (kafka-connect.md §3.7). Owned by the chain;
 * [task thread].
 */
#include <stdlib.h>
#include <string.h>

#include "lib/java/dates.h"
#include "lib/java/regex.h"
#include "plugins/transforms/classes.h"
#include "plugins/transforms/transform.h"

/* Longest topic name that is made; Kafka takes 249, the producer says so. */
#define TOPIC_MAX 65536

/* -- RegexRouter -- */

struct regex_router {
    struct transform base;
    struct regex *regex;
    const char *replacement;
    struct buffer out;
    char *last_topic, *last_result; /* most records have the topic of the one before; owned */
};

static void *create_regex(const struct sluice_host *host)
{
    struct regex_router *router = transform_create(host, sizeof(struct regex_router));
    if (router) {
        buffer_init(&router->out, TOPIC_MAX);
    }
    return router;
}

static void destroy_regex(void *self)
{
    struct regex_router *router = self;
    if (router) {
        regex_destroy(router->regex);
        buffer_finish(&router->out);
        free(router->last_topic);
        free(router->last_result);
        free(router);
    }
}

static enum sluice_result configure_regex(void *self, const char *class_name,
                                          const struct sluice_config *config)
{
    (void)class_name;
    struct regex_router *router = self;
    const struct sluice_config_api *api = router->base.host->config;
    const char *pattern = api->get_string(config, "regex");
    struct regex_error error;
    router->replacement = api->get_string(config, "replacement");
    if (regex_create(pattern, &router->regex, &error) != 0) {
        return BAD_CONFIG(&router->base, INVALID_REGEX, pattern, "regex", error.message);
    }
    return SLUICE_OK;
}

/* The topic a name is routed to, in router->out; SLUICE_DROP: it stays. */
static enum sluice_result route(struct regex_router *router, const char *topic)
{
    const struct sluice_host *host = router->base.host;
    size_t size = strlen(topic);
    struct regex_error error;
    enum regex_result result = regex_matches(router->regex, topic, size);
    if (result == REGEX_NO) {
        return SLUICE_DROP;
    }
    if (result == REGEX_YES) {
        buffer_reset(&router->out);
        result = regex_replace_first(router->regex, topic, size, router->replacement, &router->out,
                                     &error);
    }
    if (result == REGEX_FAILED) {
        return host->error(host, SLUICE_BAD_RECORD, error.java_class, "%s", error.message);
    }
    if (result == REGEX_LIMIT) {
        return BAD_RECORD(&router->base, REGEX_GAVE_UP);
    }
    if (router->out.failed) {
        return BAD_RECORD(&router->base, "The new topic name is longer than %d bytes", TOPIC_MAX);
    }
    return SLUICE_OK;
}

static enum sluice_result apply_regex(void *self, struct sluice_record *record)
{
    struct regex_router *router = self;
    const struct sluice_records *records = router->base.records;
    const char *topic = records->topic(record);
    if (!router->last_topic || strcmp(router->last_topic, topic) != 0) {
        enum sluice_result result = route(router, topic);
        if (result != SLUICE_OK && result != SLUICE_DROP) {
            return result;
        }
        free(router->last_topic);
        free(router->last_result);
        router->last_topic = strdup(topic);
        router->last_result =
            result == SLUICE_DROP ? NULL : strdup(router->out.data ? router->out.data : "");
        if (!router->last_topic || (result == SLUICE_OK && !router->last_result)) {
            free(router->last_topic);
            router->last_topic = NULL;
            return NO_MEMORY(&router->base);
        }
    }
    if (router->last_result) {
        records->set_topic(record, router->last_result);
    }
    return SLUICE_OK;
}

static const struct sluice_option regex_options[] = {
    OPTION(.name = "regex", .type = SLUICE_OPTION_STRING, .required = true,
           .importance = SLUICE_HIGH, .valid = SLUICE_VALID_REGEX,
           .doc = "Regular expression to use for matching."),
    OPTION(.name = "replacement", .type = SLUICE_OPTION_STRING, .required = true,
           .importance = SLUICE_HIGH, .doc = "Replacement string."),
    OPTIONS_END,
};

static const struct sluice_transform regex_functions = {
    .size = sizeof(struct sluice_transform),
    .create = create_regex,
    .destroy = destroy_regex,
    .configure = configure_regex,
    .apply = apply_regex,
};

DESCRIPTOR(regex_router, CONNECT_TRANSFORM "RegexRouter",
           "Renames topics by a regular expression and a replacement.", regex_options,
           &regex_functions);

/* -- TimestampRouter -- */

struct timestamp_router {
    struct transform base;
    const char *topic_format;
    struct date_format *format; /* NULL: the pattern is bad, which Connect says with each record */
    char message[DATE_MESSAGE_MAX];
    struct buffer once, out;
};

static void *create_timestamp(const struct sluice_host *host)
{
    struct timestamp_router *router = transform_create(host, sizeof(struct timestamp_router));
    if (router) {
        buffer_init(&router->once, TOPIC_MAX);
        buffer_init(&router->out, TOPIC_MAX);
    }
    return router;
}

static void destroy_timestamp(void *self)
{
    struct timestamp_router *router = self;
    if (router) {
        date_format_destroy(router->format);
        buffer_finish(&router->once);
        buffer_finish(&router->out);
        free(router);
    }
}

static enum sluice_result configure_timestamp(void *self, const char *class_name,
                                              const struct sluice_config *config)
{
    (void)class_name;
    struct timestamp_router *router = self;
    const struct sluice_config_api *api = router->base.host->config;
    router->topic_format = api->get_string(config, "topic.format");
    if (date_format_create(api->get_string(config, "timestamp.format"), &router->format,
                           router->message, sizeof(router->message)) != 0) {
        router->format = NULL;
    }
    return SLUICE_OK;
}

static void replace_all(struct buffer *out, const char *text, const char *what, const char *with)
{
    buffer_reset(out);
    for (const char *hit; (hit = strstr(text, what)) != NULL; text = hit + strlen(what)) {
        buffer_append(out, text, (size_t)(hit - text));
        buffer_append_text(out, with);
    }
    buffer_append_text(out, text);
    buffer_append_char(out, '\0');
}

static void append_schema(struct buffer *out, const struct sluice_data *data,
                          const struct sluice_schema *schema)
{
    const char *name = schema ? data->schema_name(schema) : NULL;
    if (!schema) {
        buffer_append_text(out, "null");
        return;
    }
    buffer_printf(out, "Schema{%s%s%s}", name ? name : "", name ? ":" : "",
                  type_name(data->schema_type(schema)));
}

static void append_value(struct buffer *out, const struct sluice_data *data,
                         struct sluice_batch *batch, const struct sluice_value *value)
{
    struct sluice_span text = data->to_text(batch, value);
    buffer_append(out, text.data, text.size);
}

/* The record as SinkRecord.toString() or SourceRecord.toString() prints one without a timestamp. */
static void describe(struct timestamp_router *router, const struct sluice_record *record)
{
    const struct sluice_records *records = router->base.records;
    const struct sluice_data *data = router->base.data;
    struct sluice_batch *batch = records->batch_of(record);
    struct buffer *out = &router->out;
    buffer_reset(out);
    if (records->offset(record) != SLUICE_NO_OFFSET) {
        buffer_printf(
            out,
            "SinkRecord{kafkaOffset=%lld, timestampType=NoTimestampType, originalTopic=%s, "
            "originalKafkaPartition=%d, originalKafkaOffset=%lld} ",
            (long long)records->offset(record), records->original_topic(record),
            (int)records->original_partition(record), (long long)records->offset(record));
    } else {
        buffer_append_text(out, "SourceRecord{sourcePartition=");
        append_value(out, data, batch, records->source_partition(record));
        buffer_append_text(out, ", sourceOffset=");
        append_value(out, data, batch, records->source_offset(record));
        buffer_append_text(out, "} ");
    }
    buffer_printf(out, "ConnectRecord{topic='%s', kafkaPartition=", records->topic(record));
    if (records->partition(record) == SLUICE_NO_PARTITION) {
        buffer_append_text(out, "null");
    } else {
        buffer_printf(out, "%d", (int)records->partition(record));
    }
    buffer_append_text(out, ", key=");
    append_value(out, data, batch, records->key(record));
    buffer_append_text(out, ", keySchema=");
    append_schema(out, data, records->key_schema(record));
    buffer_append_text(out, ", value=");
    append_value(out, data, batch, records->value(record));
    buffer_append_text(out, ", valueSchema=");
    append_schema(out, data, records->value_schema(record));
    buffer_append_text(out, ", timestamp=null, headers=ConnectHeaders(headers=");
    for (size_t i = 0; i < records->header_count(record); i++) {
        const struct sluice_schema *schema;
        const struct sluice_value *value;
        const char *name = records->header(record, i, &schema, &value);
        buffer_printf(out, "%sConnectHeader(key=%s, value=", i ? ", " : "[", name);
        append_value(out, data, batch, value);
        buffer_append_text(out, ", schema=");
        append_schema(out, data, schema);
        buffer_append_text(out, ")");
    }
    buffer_append_text(out, records->header_count(record) > 0 ? "])}" : ")}");
}

static enum sluice_result apply_timestamp(void *self, struct sluice_record *record)
{
    struct timestamp_router *router = self;
    const struct sluice_host *host = router->base.host;
    const struct sluice_records *records = router->base.records;
    int64_t timestamp = records->timestamp(record);
    if (timestamp == SLUICE_NO_TIMESTAMP) {
        describe(router, record);
        return BAD_RECORD(&router->base, "Timestamp missing on record: %s",
                          router->out.data ? router->out.data : "");
    }
    if (!router->format) {
        return host->error(host, SLUICE_BAD_RECORD, ILLEGAL_ARGUMENT, "%s", router->message);
    }
    char text[512];
    if (date_format_print(router->format, zone_utc(), timestamp, text, sizeof(text)) >=
        sizeof(text)) {
        return BAD_RECORD(&router->base, "timestamp.format gives a text longer than %zu bytes",
                          sizeof(text) - 1);
    }
    replace_all(&router->once, router->topic_format, "${topic}", records->topic(record));
    replace_all(&router->out, router->once.failed ? "" : router->once.data, "${timestamp}", text);
    if (router->once.failed || router->out.failed) {
        return BAD_RECORD(&router->base, "The new topic name is longer than %d bytes", TOPIC_MAX);
    }
    records->set_topic(record, router->out.data);
    return SLUICE_OK;
}

static const struct sluice_option timestamp_options[] = {
    OPTION(.name = "topic.format", .type = SLUICE_OPTION_STRING,
           .default_value = "${topic}-${timestamp}", .importance = SLUICE_HIGH,
           .doc = "Format string which can contain <code>${topic}</code> and "
                  "<code>${timestamp}</code> "
                  "as placeholders for the topic and timestamp, respectively."),
    OPTION(.name = "timestamp.format", .type = SLUICE_OPTION_STRING, .default_value = "yyyyMMdd",
           .importance = SLUICE_HIGH,
           .doc = "Format string for the timestamp that is compatible with "
                  "<code>java.text.SimpleDateFormat</code>."),
    OPTIONS_END,
};

static const struct sluice_transform timestamp_functions = {
    .size = sizeof(struct sluice_transform),
    .create = create_timestamp,
    .destroy = destroy_timestamp,
    .configure = configure_timestamp,
    .apply = apply_timestamp,
};

DESCRIPTOR(timestamp_router, CONNECT_TRANSFORM "TimestampRouter",
           "Puts the record's time into the topic name.", timestamp_options, &timestamp_functions);
