/*
 * sluice.rest.RestSourceConnector: records out of HTTP requests, acknowledgements back to clients.
 * poll() never waits: it takes complete requests and returns; the http thread calls wake() when there
 * are some again.
 */
#include <stdio.h>
#include <string.h>

#include "connectors/rest/allow.h"
#include "connectors/rest/body.h"
#include "connectors/rest/metadata.h"
#include "connectors/rest/rest.h"
#include "connectors/rest/server.h"
#include "connectors/rest/streams.h"

enum {
    POLL_BYTES = 1 << 20,   /* bodies in one batch, unless a single one is larger */
    POLL_RECORDS = 10000,   /* the same of records */
    DRAIN_MS = 500,         /* for bodies on their way when the task is to stop */
    STOP_MS = 2000,         /* for answers on their way */
};

struct source {
    const struct sluice_host *host;
    const struct sluice_source_context *context;
    const struct sluice_cluster *cluster;
    struct rest_settings settings;
    struct rest_server *server;
    struct rest_request *taken;  /* from the server, not yet looked at */
    struct rest_allow allow, streams;
    struct rest_body body;
    struct sluice_metric *records;
};

static void *create(const struct sluice_host *host)
{
    struct source *source = calloc(1, sizeof(*source));
    if (source) {
        source->host = host;
    }
    return source;
}

static void destroy(void *self)
{
    struct source *source = self;
    if (!source) {
        return;
    }
    rest_server_destroy(source->server);
    rest_allow_finish(&source->allow);
    rest_allow_finish(&source->streams);
    rest_body_finish(&source->body);
    free(source);
}

static void validate(void *self, const struct sluice_config *config,
                     const struct sluice_report *report)
{
    struct source *source = self;
    struct rest_settings settings;
    const char *key;
    char message[400];
    if (rest_settings_read(source->host->config, config, &settings, &key, message,
                           sizeof(message)) != 0) {
        report->invalid(report, key, "%s", message);
    }
}

static void ready(void *user)
{
    const struct source *source = user;
    source->context->wake(source->host);
}

static enum sluice_result start(void *self, const struct sluice_config *config)
{
    struct source *source = self;
    const struct sluice_host *host = source->host;
    const char *key;
    char message[600];
    source->context = host->extension(host, SLUICE_SOURCE_CONTEXT);
    if (!source->context) {
        return host->error(host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION,
                           "The host offers no %s", SLUICE_SOURCE_CONTEXT);
    }
    source->cluster = host->extension(host, SLUICE_CLUSTER);
    if (rest_settings_read(host->config, config, &source->settings, &key, message,
                           sizeof(message)) != 0) {
        return host->error(host, SLUICE_FATAL, SLUICE_CONFIG_EXCEPTION, "%s", message);
    }
    const char *allow = host->config->get_string(config, "sluice.topics.allow");
    if (rest_allow_init(&source->allow, allow, message, sizeof(message)) != 0) {
        return host->error(host, SLUICE_FATAL, SLUICE_CONFIG_EXCEPTION,
                           "Invalid value %s for configuration sluice.topics.allow: %s", allow, message);
    }
    const char *streams = source->settings.streams_allow;
    if (rest_allow_init(&source->streams, streams, message, sizeof(message)) != 0) {
        return host->error(host, SLUICE_FATAL, SLUICE_CONFIG_EXCEPTION,
                           "Invalid value %s for configuration sluice.streams.allow: %s", streams, message);
    }
    rest_body_init(&source->body, source->settings.records_max);
    source->records = host->metric(host, "http-records", SLUICE_COUNTER);
    source->server = rest_server_create(&source->settings, host, ready, source, message,
                                        sizeof(message));
    if (!source->server) {
        return host->error(host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION, "%s", message);
    }
    return SLUICE_OK;
}

/* -- requests to records -- */

static bool allowed(void *self, const char *topic)
{
    struct source *source = self;
    rest_allow_check(&source->allow, topic);
    return source->allow.allowed;
}

static bool stream_allowed(void *self, const char *topic)
{
    struct source *source = self;
    rest_allow_check(&source->streams, topic);
    return source->streams.valid && source->streams.allowed;
}

/* Every record of the request fails with the same; the Proxy finds such faults record by record. */
static void fail_all(struct rest_request *request, int32_t code, const char *format)
{
    char message[REST_TOPIC_MAX + 100];
    (void)snprintf(message, sizeof(message), format, request->route.topic);
    for (size_t i = 0; i < request->count; i++) {
        rest_result_fail(&request->results[i], code, message);
    }
}

static void add_records(struct source *source, struct sluice_batch *batch,
                        struct rest_request *request)
{
    const struct sluice_records *records = source->host->records;
    for (size_t i = 0; i < source->body.count; i++) {
        const struct rest_record *from = &source->body.records[i];
        struct sluice_record *record = records->add(batch, request->route.topic);
        int32_t partition = from->partition >= 0 ? from->partition : request->route.partition;
        if (partition >= 0) {
            records->set_partition(record, partition);
        }
        if (from->key) {
            records->set_key(record, NULL, from->key);
        }
        if (from->value) {
            records->set_value(record, NULL, from->value);
        }
        records->set_context(record, &request->results[i]);
    }
}

/* True where records of it are in the batch; else it is complete. */
static bool produce(struct source *source, struct sluice_batch *batch, struct rest_request *request)
{
    const struct sluice_host *host = source->host;
    struct rest_route *route = &request->route;
    /*
     * Values are views of the body: it is used again once the last record_done() has come, and the
     * host reads nothing of a record after that.
     */
    static char empty[1];
    char *text = request->body ? request->body : empty;
    if (rest_body_parse(&source->body, host, batch, text, request->size,
                        route->format, route->partitioned, &request->fault) != 0) {
        return false;
    }
    if (route->partitioned && route->partition < 0) {
        (void)rest_fault_status(&request->fault, 500); /* ProducerRecord's constructor refuses it */
        return false;
    }
    if (rest_request_results(request, source->body.count) != 0) {
        (void)rest_fault_set(&request->fault, 500, 500, "Out of memory");
        return false;
    }
    rest_allow_check(&source->allow, route->topic);
    if (!source->allow.valid) {
        fail_all(request, REST_KAFKA_ERROR, "Invalid topics: [%s]");
        return false;
    }
    if (!source->allow.allowed) {
        fail_all(request, REST_FORBIDDEN, "Not authorized to access topics: [%s]");
        return false;
    }
    host->metric_add(source->records, (int64_t)source->body.count);
    rest_server_weigh(source->server, request, source->body.count * REST_RECORD_WEIGHT);
    add_records(source, batch, request);
    return true;
}

/* A request below /streams. True where records of it are in the batch. */
static bool handle_stream(struct source *source, struct sluice_batch *batch, struct rest_request *request,
                          const struct rest_cluster *cluster)
{
    const struct sluice_host *host = source->host;
    struct rest_stream_record *records = NULL;
    struct rest_route *route = &request->route;
    size_t count = 0;
    if (route->kind != REST_STREAMS && !stream_allowed(source, route->topic)) {
        (void)rest_fault_set(&request->fault, 400, REST_FORBIDDEN,
                             "Not authorized to access the stream %s", route->topic);
        return false;
    }
    if (route->kind != REST_STREAM_RECORD && route->kind != REST_STREAM_RECORDS) {
        rest_streams_answer(cluster, request, batch, source->settings.streams_delete);
        return false;
    }
    if (rest_streams_parse(host, batch, route, request->body ? request->body : "", request->size,
                           source->settings.records_max, &records, &count, &request->fault) != 0) {
        return false;
    }
    if (rest_request_results(request, count) != 0) {
        (void)rest_fault_set(&request->fault, 500, 500, "Out of memory");
        return false;
    }
    host->metric_add(source->records, (int64_t)count);
    rest_server_weigh(source->server, request, count * REST_RECORD_WEIGHT);
    for (size_t i = 0; i < count; i++) {
        struct sluice_record *record = host->records->add(batch, route->topic);
        host->records->set_key(record, host->data->schema_plain(SLUICE_STRING, false), records[i].key);
        host->records->set_value(record, records[i].schema, records[i].value);
        host->records->set_context(record, &request->results[i]);
    }
    return true;
}

static void handle(struct source *source, struct sluice_batch *batch, struct rest_request *request)
{
    bool pending = false;
    if (request->route.kind == REST_PRODUCE) {
        pending = produce(source, batch, request);
    } else {
        bool stream = rest_streams_is(&request->route);
        const struct rest_cluster cluster = {
            .host = source->host,
            .context = source->context,
            .reads = source->cluster,
            .allowed = stream ? stream_allowed : allowed,
            .user = source,
            .timeout_ms = (int)source->settings.metadata_ms,
        };
        if (stream) {
            pending = handle_stream(source, batch, request, &cluster);
        } else {
            rest_metadata(&cluster, request, batch);
        }
    }
    if (!pending) {
        if (request->answer.size > 0) { /* a read's */
            rest_server_weigh(source->server, request, request->answer.capacity);
        }
        rest_server_done(source->server, request);
    }
}

/*
 * Goes on until records are there or the server has nothing left, or nothing that may be taken: only a server
 * of which that was found wakes the task again.
 */
static enum sluice_result poll_requests(void *self, struct sluice_batch *batch, int timeout_ms)
{
    (void)timeout_ms;
    struct source *source = self;
    const struct sluice_records *records = source->host->records;
    bool heavy = false;
    do {
        if (!source->taken) {
            source->taken = rest_server_take(source->server, POLL_BYTES);
        }
        /* invariant 5: a batch is bounded by records too; tiny ones weigh more than their text */
        while (source->taken && records->count(batch) < POLL_RECORDS &&
               !(heavy = rest_server_heavy(source->server))) {
            struct rest_request *request = source->taken;
            source->taken = request->next;
            handle(source, batch, request);
        }
        if (records->count(batch) > 0 || heavy) {
            break;
        }
    } while (source->taken || (source->taken = rest_server_take(source->server, POLL_BYTES)) != NULL);
    return SLUICE_OK;
}

/* -- acknowledgements -- */

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), end_size = strlen(end);
    return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

/* The Proxy's four codes per record, by what kind of exception it was (§4.1). */
static int32_t code_of(const struct sluice_delivery *delivery)
{
    enum { AUTHENTICATION = 309, AUTHORIZATION = 310 }; /* struct sluice_delivery.error_code */
    const char *java = delivery->error_class ? delivery->error_class : "";
    if (delivery->error_code == AUTHENTICATION || ends_with(java, "AuthenticationException")) {
        return REST_UNAUTHENTICATED;
    }
    if (delivery->error_code == AUTHORIZATION || ends_with(java, "AuthorizationException")) {
        return REST_FORBIDDEN;
    }
    return delivery->retriable ? REST_KAFKA_RETRIABLE : REST_KAFKA_ERROR;
}

static void record_done(void *self, const struct sluice_record *record,
                        const struct sluice_delivery *delivery)
{
    struct source *source = self;
    struct rest_result *result = source->host->records->context(record);
    struct rest_request *request = result->request;
    if (delivery->result == SLUICE_OK) {
        /* invariant 2: a client hears of an offset only here, behind durable delivery */
        result->partition = delivery->partition;
        result->offset = delivery->offset;
    } else if (delivery->result != SLUICE_DROP || delivery->error) {
        rest_result_fail(result, code_of(delivery), delivery->error);
    }
    if (atomic_fetch_sub_explicit(&request->left, 1, memory_order_acq_rel) == 1) {
        rest_server_done(source->server, request);
    }
}

/* -- the end -- */

static void drain(void *self)
{
    struct source *source = self;
    if (source->server) {
        rest_server_drain(source->server, DRAIN_MS);
    }
}

static void stop(void *self)
{
    struct source *source = self;
    if (!source->server) {
        return;
    }
    while (source->taken) { /* the host polled no more: nothing of these was written */
        struct rest_request *request = source->taken;
        source->taken = request->next;
        (void)rest_fault_set(&request->fault, 503, 503,
                             "The REST source is stopping; send the request again");
        rest_server_done(source->server, request);
    }
    rest_server_stop(source->server, STOP_MS);
}

static const void *extension(void *self, const char *id)
{
    (void)self;
    static const char yes[] = "answers";
    return strcmp(id, SLUICE_SOURCE_ANSWERS) == 0 ? yes : NULL;
}

static const struct sluice_source vtable = {
    .size = sizeof(struct sluice_source),
    .create = create,
    .destroy = destroy,
    .connector = {.validate = validate},
    .start = start,
    .poll = poll_requests,
    .record_done = record_done,
    .stop = stop,
    .drain = drain,
    .extension = extension,
};

static const char *const aliases[] = {"RestSource", "RestSourceConnector", NULL};

const struct sluice_descriptor rest_source_descriptor = {
    .size = sizeof(struct sluice_descriptor),
    .kind = SLUICE_SOURCE,
    .class_name = "sluice.rest.RestSourceConnector",
    .aliases = aliases,
    .version = SLUICE_VERSION,
    .doc = "Takes records by HTTP with the v2 API of Kafka REST Proxy.",
    .options = rest_options,
    .vtable = &vtable,
};
