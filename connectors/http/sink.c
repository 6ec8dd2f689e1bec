/*
 * The HTTP sink: a request a record, or for many of them joined. In order, one request at a time over a
 * connection that stays open. [task thread]
 *
 * What was sent before a request failed is not sent again when the batch comes again. After a crash
 * it is: delivery is at least once.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "connectors/http/common.h"
#include "connectors/http/plugin.h"
#include "connectors/http/pointer.h"
#include "connectors/http/template.h"
#include "lib/util/fingerprint.h"

enum { BODY_MAX = 256 << 20, URL_MAX = 16384 };

static const char *const methods[] = {"POST", "PUT", "PATCH", "DELETE", "post", "put", "patch", "delete", NULL};
static const char *const nulls[] = {"fail", "ignore", "delete", NULL};
static const char *const record_names[] = {"topic", "partition", "offset", "timestamp", "key", "value:", NULL};

static bool check_template(const char *name, const char *value, char *message, size_t size)
{
    char why[200];
    if (value && !template_check(value, record_names, why, sizeof(why))) {
        snprintf(message, size, "Invalid value %s for configuration %s: %s; topic, partition, offset, "
                                "timestamp, key and value:/POINTER are",
                 value, name, why);
        return false;
    }
    return true;
}

static bool check_url(const char *name, const char *value, char *message, size_t size)
{
    return http_check_url(name, value, message, size) && check_template(name, value, message, size);
}

const struct sluice_option http_sink_options[] = {
    {HTTP_OPTION("http.url", STRING), .required = true, .importance = SLUICE_HIGH,
     .valid = SLUICE_VALID_CUSTOM, .check = check_url, .group = "Connection",
     .doc = "Where requests go. ${topic}, ${partition}, ${offset}, ${timestamp}, ${key} and "
            "${value:/POINTER} stand for the record's, percent-encoded."},
    {HTTP_OPTION("http.method", STRING), .default_value = "POST", .importance = SLUICE_MEDIUM,
     .valid = SLUICE_VALID_ONE_OF, .values = methods, .group = "Connection", .doc = "Method of requests."},
    {HTTP_OPTION("http.headers.content.type", STRING), .importance = SLUICE_MEDIUM,
     .group = "Connection", .doc = "Content-Type; application/json unless said."},
    {HTTP_OPTION("http.headers.additional", STRING), .default_value = "", .importance = SLUICE_LOW,
     .valid = SLUICE_VALID_CUSTOM, .check = http_check_headers, .group = "Connection",
     .doc = "Further headers: Name: value, separated by |, or by commas where each part is one."},
    HTTP_CONNECTION_OPTIONS,
    {HTTP_OPTION("http.timeout", INT), .importance = SLUICE_LOW, .valid = SLUICE_VALID_RANGE, .min = 1,
     .max = 3600, .group = "Connection", .doc = "As http.timeout.ms, in seconds, as Aiven's sink has it."},
    AUTH_OPTIONS,
    AUTH_OPTIONS_OF_AIVEN,
    {HTTP_OPTION("batching.enabled", BOOLEAN), .default_value = "false", .importance = SLUICE_HIGH,
     .group = "Batching", .doc = "Whether one request carries several records."},
    {HTTP_OPTION("batch.max.size", INT), .default_value = "500", .importance = SLUICE_MEDIUM,
     .valid = SLUICE_VALID_RANGE, .min = 1, .max = 1000000, .group = "Batching",
     .doc = "Most records of a request."},
    {HTTP_OPTION("batch.prefix", STRING), .default_value = "", .importance = SLUICE_LOW,
     .group = "Batching", .doc = "In front of the records of a request, as [."},
    {HTTP_OPTION("batch.suffix", STRING), .importance = SLUICE_LOW, .group = "Batching",
     .doc = "Behind them, as ]; a line break unless said."},
    {HTTP_OPTION("batch.separator", STRING), .importance = SLUICE_LOW, .group = "Batching",
     .doc = "Between them; a line break unless said."},
    {HTTP_OPTION("behavior.on.null.values", STRING), .default_value = "fail",
     .importance = SLUICE_MEDIUM, .valid = SLUICE_VALID_ONE_OF, .values = nulls, .group = "Records",
     .doc = "A record without value: fail, ignore, or delete (a DELETE request without body)."},
    {.name = NULL},
};

/* How far a batch was sent when it had to be put off. */
struct progress {
    uint64_t fingerprint; /* of the records that were sent */
    size_t done;
};

struct sink {
    const struct sluice_host *host;
    const struct sluice_sink_context *context;
    struct http_settings settings;
    bool configured;
    const char *url, *method, *content_type, *prefix, *suffix, *separator;
    enum { NULLS_FAIL, NULLS_IGNORE, NULLS_DELETE } nulls;
    bool batching;
    size_t batch_max;
    char *headers[HEADERS_MAX + 1];
    struct http_client *client;
    struct buffer body, target;
    struct progress progress;
    int attempt;
    bool renewed; /* the token was renewed for this request */
    struct http_reply reply;
    bool answered;
    struct sluice_metric *requests, *failures;
};

static void *sink_create(const struct sluice_host *host)
{
    struct sink *sink = calloc(1, sizeof(*sink));
    if (sink) {
        sink->host = host;
        buffer_init(&sink->body, BODY_MAX);
        buffer_init(&sink->target, URL_MAX);
    }
    return sink;
}

static void sink_stop(void *self)
{
    struct sink *sink = self;
    if (sink->configured) {
        http_client_destroy(sink->client);
        sink->client = NULL;
        headers_free(sink->headers);
        http_settings_finish(&sink->settings);
        sink->configured = false;
    }
}

static void sink_destroy(void *self)
{
    struct sink *sink = self;
    if (sink) {
        sink_stop(sink);
        buffer_finish(&sink->body);
        buffer_finish(&sink->target);
        free(sink);
    }
}

static void validate(void *self, const struct sluice_config *config, const struct sluice_report *report)
{
    struct sink *sink = self;
    struct auth auth;
    char message[300] = "";
    if (!sink->host->config->get_string(config, "auth.type")) {
        return;
    }
    if (auth_read(sink->host, config, &auth, message, sizeof(message)) != 0) {
        report->invalid(report, "auth.type", "%s", message);
    }
    auth_finish(&auth);
}

/* A text option whose blanks count: \n and \t stand for themselves. */
static const char *given(const struct sluice_config_api *api, const struct sluice_config *config,
                         const char *name, const char *otherwise)
{
    return api->is_set(config, name) ? api->original(config, name) : otherwise;
}

static enum sluice_result sink_start(void *self, const struct sluice_config *config)
{
    struct sink *sink = self;
    const struct sluice_host *host = sink->host;
    const struct sluice_config_api *api = host->config;
    char message[300];
    sink->configured = true;
    if (http_settings_read(host, config, &sink->settings, message, sizeof(message)) != 0 ||
        headers_parse(api->get_string(config, "http.headers.additional"), true, sink->headers, message,
                      sizeof(message)) != 0) {
        return host->error(host, SLUICE_FATAL, SLUICE_CONFIG_EXCEPTION, "%s", message);
    }
    if (api->is_set(config, "http.timeout") && !api->is_set(config, "http.timeout.ms")) {
        sink->settings.timeout_ms = api->get_long(config, "http.timeout") * 1000;
    }
    sink->context = host->extension(host, SLUICE_SINK_CONTEXT);
    sink->url = api->get_string(config, "http.url");
    sink->method = api->get_string(config, "http.method");
    sink->content_type = api->get_string(config, "http.headers.content.type");
    sink->batching = api->get_boolean(config, "batching.enabled");
    sink->batch_max = (size_t)api->get_long(config, "batch.max.size");
    sink->prefix = given(api, config, "batch.prefix", "");
    sink->suffix = given(api, config, "batch.suffix", "\n");
    sink->separator = given(api, config, "batch.separator", "\n");
    const char *behavior = api->get_string(config, "behavior.on.null.values");
    sink->nulls = *behavior == 'f' ? NULLS_FAIL : *behavior == 'i' ? NULLS_IGNORE : NULLS_DELETE;
    sink->requests = host->metric(host, "requests", SLUICE_COUNTER);
    sink->failures = host->metric(host, "requests-failed", SLUICE_COUNTER);
    sink->client = http_client_create(&sink->settings.options);
    return sink->client ? SLUICE_OK
                        : host->error(host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION, "%s",
                                      http_client_problem());
}

/* -- requests -- */

struct asked {
    struct sink *sink;
    const struct sluice_record *record;
};

static void append_value(struct sink *sink, struct sluice_batch *batch, const struct sluice_value *value,
                         struct buffer *to)
{
    const struct sluice_data *data = sink->host->data;
    enum sluice_type type = data->type(value);
    struct sluice_span text = type == SLUICE_STRING || type == SLUICE_BYTES ? data->text(value)
                                                                            : data->to_json(batch, value);
    buffer_append(to, text.data, text.size);
}

static bool record_name(void *user, const char *name, size_t size, struct buffer *to)
{
    const struct asked *asked = user;
    const struct sluice_host *host = asked->sink->host;
    const struct sluice_records *records = host->records;
    const struct sluice_record *record = asked->record;
    if (size == 5 && memcmp(name, "topic", 5) == 0) {
        buffer_append_text(to, records->topic(record));
    } else if (size == 9 && memcmp(name, "partition", 9) == 0) {
        buffer_printf(to, "%d", (int)records->partition(record));
    } else if (size == 6 && memcmp(name, "offset", 6) == 0) {
        buffer_printf(to, "%" PRId64, records->offset(record));
    } else if (size == 9 && memcmp(name, "timestamp", 9) == 0) {
        buffer_printf(to, "%" PRId64, records->timestamp(record));
    } else if (size == 3 && memcmp(name, "key", 3) == 0) {
        append_value(asked->sink, records->batch_of(record), records->key(record), to);
    } else {
        char path[512];
        struct pointer pointer;
        if (size < 6 || memcmp(name, "value:", 6) != 0 || size - 6 >= sizeof(path)) {
            return false;
        }
        snprintf(path, sizeof(path), "%.*s", (int)(size - 6), name + 6);
        if (pointer_parse(host->data, path, &pointer) != 0) {
            return false;
        }
        const struct sluice_value *found = pointer_find(host->data, &pointer, records->value(record));
        pointer_finish(&pointer);
        if (found) {
            append_value(asked->sink, records->batch_of(record), found, to);
        }
    }
    return true;
}

static void on_done(void *user, struct http_reply *reply)
{
    struct sink *sink = user;
    sink->reply = *reply;
    memset(reply, 0, sizeof(*reply));
    sink->answered = true;
}

/* Sends what is in sink->body; the answer is in sink->reply. */
static int exchange(struct sink *sink, const char *method, bool has_body, char *message, size_t size)
{
    const char *headers[HEADERS_MAX + 4];
    char type[300];
    size_t count = 0;
    memset(&sink->reply, 0, sizeof(sink->reply));
    if (auth_prepare(&sink->settings.auth, &sink->settings.options, message, size) != 0) {
        return -1;
    }
    snprintf(type, sizeof(type), "Content-Type: %s",
             sink->content_type ? sink->content_type : "application/json");
    headers[count++] = type;
    for (size_t i = 0; sink->headers[i]; i++) {
        headers[count++] = sink->headers[i];
    }
    if (sink->settings.auth.header) {
        headers[count++] = sink->settings.auth.header;
    }
    headers[count] = NULL;
    struct http_request request = {.method = method, .url = sink->target.data, .headers = headers,
                                   .body = has_body ? (sink->body.data ? sink->body.data : "") : NULL,
                                   .body_size = has_body ? sink->body.size : 0,
                                   .total_timeout_ms = (int)sink->settings.timeout_ms};
    sink->answered = false;
    if (!http_client_start(sink->client, &request, on_done, sink)) {
        snprintf(message, size, "no memory");
        return -1;
    }
    while (!sink->answered) {
        http_client_run(sink->client, 1000);
    }
    sink->host->metric_add(sink->requests, 1);
    if (sink->reply.failure == HTTP_FINE && sink->reply.status >= 200 && sink->reply.status < 300) {
        return 0;
    }
    http_describe(&sink->reply, message, size);
    sink->host->metric_add(sink->failures, 1);
    return -1;
}

/* Records first..first+count-1 are bad: each to the reporter, or the task ends. */
static enum sluice_result refuse(struct sink *sink, struct sluice_batch *batch, size_t first, size_t count,
                                 const char *java_class, const char *message)
{
    const struct sluice_host *host = sink->host;
    const struct sluice_records *records = host->records;
    const struct sluice_record *record = records->at(batch, first);
    if (!sink->context || !sink->context->has_reporter(host)) {
        return host->error(host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION,
                           "Sending failed: %s (record %s-%d@%" PRId64 "%s)", message,
                           records->original_topic(record), (int)records->original_partition(record),
                           records->offset(record), count > 1 ? " and those behind it" : "");
    }
    for (size_t i = 0; i < count; i++) {
        enum sluice_result result =
            sink->context->report(host, records->at(batch, first + i), java_class, message);
        if (result != SLUICE_OK) {
            return result;
        }
    }
    return SLUICE_OK;
}

/* One request for records first..first+count-1. */
static enum sluice_result send(struct sink *sink, struct sluice_batch *batch, size_t first, size_t count,
                               bool delete)
{
    const struct sluice_host *host = sink->host;
    struct asked asked = {sink, host->records->at(batch, first)};
    char message[600];
    buffer_reset(&sink->target);
    if (!template_write(sink->url, true, record_name, &asked, &sink->target) || sink->target.failed ||
        sink->body.failed) {
        return refuse(sink, batch, first, count, SLUICE_DATA_EXCEPTION, "the URL or the body is too long");
    }
    for (;;) {
        int sent = exchange(sink, delete ? "DELETE" : sink->method, !delete, message, sizeof(message));
        struct http_reply reply = sink->reply;
        memset(&sink->reply, 0, sizeof(sink->reply));
        bool answered = reply.failure == HTTP_FINE && reply.status > 0;
        int64_t after = answered ? http_retry_after(&reply) : -1;
        bool refused = answered && reply.status == 401 && !sink->renewed &&
                       auth_refused(&sink->settings.auth);
        bool again = sent != 0 && (answered ? statuses_has(&sink->settings.retry_on, reply.status)
                                        : reply.failure != HTTP_MISUSE);
        http_reply_finish(&reply);
        if (sent == 0) {
            sink->attempt = 0;
            sink->renewed = false;
            return SLUICE_OK;
        }
        if (refused) {
            sink->renewed = true;
            continue;
        }
        if (!again || sink->attempt >= sink->settings.max_retries) {
            char why[700];
            snprintf(why, sizeof(why), "%s%s", message, again ? " (max.retries reached)" : "");
            sink->attempt = 0;
            sink->renewed = false;
            return refuse(sink, batch, first, count, SLUICE_CONNECT_EXCEPTION, why);
        }
        sink->attempt++;
        host->retry_after(host, after >= 0 ? after
                                           : http_backoff(sink->settings.retry_backoff_ms, sink->attempt));
        return host->error(host, SLUICE_RETRY, SLUICE_RETRIABLE_EXCEPTION, "%s", message);
    }
}

/* Records from `i` on into one request; *ret_count is how many it took. */
static enum sluice_result send_next(struct sink *sink, struct sluice_batch *batch, size_t i, size_t *ret_count)
{
    const struct sluice_host *host = sink->host;
    size_t total = host->records->count(batch), count = 0;
    buffer_reset(&sink->body);
    *ret_count = 1;
    if (host->data->type(host->records->value(host->records->at(batch, i))) == SLUICE_NULL) {
        return sink->nulls == NULLS_IGNORE ? SLUICE_OK
               : sink->nulls == NULLS_DELETE
                   ? send(sink, batch, i, 1, true)
                   : refuse(sink, batch, i, 1, SLUICE_DATA_EXCEPTION, "Record value must not be null");
    }
    buffer_append_text(&sink->body, sink->batching ? sink->prefix : "");
    size_t most = sink->batching ? sink->batch_max : 1;
    for (; i + count < total && count < most; count++) {
        const struct sluice_value *value = host->records->value(host->records->at(batch, i + count));
        if (host->data->type(value) == SLUICE_NULL) {
            break;
        }
        buffer_append_text(&sink->body, count > 0 ? sink->separator : "");
        append_value(sink, batch, value, &sink->body);
    }
    buffer_append_text(&sink->body, sink->batching ? sink->suffix : "");
    *ret_count = count;
    return send(sink, batch, i, count, false);
}

static enum sluice_result sink_put(void *self, struct sluice_batch *batch)
{
    struct sink *sink = self;
    const struct sluice_records *records = sink->host->records;
    size_t total = records->count(batch);
    if (total == 0) {
        return SLUICE_OK;
    }
    size_t done = sink->progress.done;
    if (done > total || fingerprint_records(sink->host, batch, done) != sink->progress.fingerprint) {
        done = 0; /* invariant 1: of another batch, and this one is not sent */
    }
    while (done < total) {
        size_t count;
        enum sluice_result result = send_next(sink, batch, done, &count);
        if (result != SLUICE_OK) {
            sink->progress = (struct progress){fingerprint_records(sink->host, batch, done), done};
            return result;
        }
        done += count;
    }
    sink->progress.done = 0;
    return SLUICE_OK;
}

const struct sluice_sink http_sink = {
    .size = sizeof(struct sluice_sink),
    .create = sink_create,
    .destroy = sink_destroy,
    .connector = {.validate = validate},
    .start = sink_start,
    .put = sink_put,
    .stop = sink_stop,
};
