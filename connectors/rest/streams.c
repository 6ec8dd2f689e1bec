/* Topics as Kinesis streams; see streams.h. */
#include "connectors/rest/streams.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { SHARDS_DEFAULT = 5, SHARDS_MAX = 10000, KEY_MAX = 256 };

bool rest_streams_is(const struct rest_route *route)
{
    return route->kind >= REST_STREAMS;
}

static const struct sluice_value *member(const struct sluice_data *data, const struct sluice_value *map,
                                         const char *name)
{
    return data->find(map, data->intern(name, strlen(name)));
}

static int invalid(struct rest_fault *fault, const char *what)
{
    return rest_fault_set(fault, 400, 400, "%s", what);
}

/* -- PUT -- */

/* As $util.base64Encode(..) of a mapping template takes them: numbers are their texts. */
static int read_key(const struct sluice_host *host, struct sluice_batch *batch,
                    const struct sluice_value *from, const struct sluice_value **ret_key,
                    struct rest_fault *fault)
{
    const struct sluice_data *data = host->data;
    enum sluice_type type = data->type(from);
    struct sluice_span text = {0};
    if (type == SLUICE_STRING) {
        text = data->text(from);
    } else if (type == SLUICE_INT64 || type == SLUICE_FLOAT64) {
        text = data->to_json(batch, from);
    }
    if (text.size == 0 || text.size > (size_t)4 * KEY_MAX) {
        return invalid(fault, "A record needs a partition key of 1 to 256 characters");
    }
    *ret_key = data->new_string_view(batch, text.data, text.size);
    return 0;
}

static int read_record(const struct sluice_host *host, struct sluice_batch *batch,
                       const struct sluice_value *from, bool single, struct rest_stream_record *record,
                       struct rest_fault *fault)
{
    const struct sluice_data *data = host->data;
    record->schema = NULL;
    record->value = data->type(from) == SLUICE_MAP ? member(data, from, single ? "Data" : "data") : NULL;
    if (data->type(record->value) == SLUICE_NULL) {
        return invalid(fault, single ? "The body needs a member Data" : "A record needs a member data");
    }
    if (!single && data->type(record->value) == SLUICE_STRING) {
        record->schema = data->schema_plain(SLUICE_STRING, false); /* the text itself, not as JSON */
    }
    return read_key(host, batch, member(data, from, single ? "PartitionKey" : "partition-key"), &record->key,
                    fault);
}

int rest_streams_parse(const struct sluice_host *host, struct sluice_batch *batch,
                       const struct rest_route *route, const char *text, size_t size, size_t records_max,
                       struct rest_stream_record **ret_records, size_t *ret_count,
                       struct rest_fault *fault)
{
    const struct sluice_data *data = host->data;
    struct sluice_json_error error = {.size = sizeof(error)};
    struct sluice_value *body = NULL;
    bool single = route->kind == REST_STREAM_RECORD;
    if (data->from_json(batch, text, size, SLUICE_JSON_STRICT | SLUICE_JSON_WIDE_INTEGERS, &body, &error) !=
            SLUICE_OK ||
        data->type(body) != SLUICE_MAP) {
        return rest_fault_set(fault, 400, 400, "The body is no JSON object: %s",
                              body || !error.message[0] ? "it is empty or of another type" : error.message);
    }
    const struct sluice_value *list = single ? NULL : member(data, body, "records");
    size_t count = single ? 1 : data->count(list);
    if (count == 0 || (!single && data->type(list) != SLUICE_ARRAY)) {
        return invalid(fault, "The body needs a list records of at least one");
    }
    if (count > records_max) {
        return rest_fault_set(fault, 413, 413, "More than %zu records (sluice.http.records.max)", records_max);
    }
    struct rest_stream_record *records = host->records->alloc(batch, count * sizeof(*records));
    for (size_t i = 0; i < count; i++) {
        if (read_record(host, batch, single ? body : data->at(list, i), single, &records[i], fault) != 0) {
            return -1;
        }
    }
    *ret_records = records;
    *ret_count = count;
    return 0;
}

/* -- the others -- */

static void no_stream(struct rest_request *request)
{
    (void)rest_fault_set(&request->fault, 400, REST_UNKNOWN_TOPIC, "Stream %s not found.", request->route.topic);
}

static void no_answer(struct rest_request *request)
{
    (void)rest_fault_set(&request->fault, 500, REST_KAFKA_RETRIABLE, "Timed out waiting for the broker");
}

static void list(const struct rest_cluster *cluster, struct rest_request *request, struct sluice_batch *batch)
{
    const struct sluice_data *data = cluster->host->data;
    const struct sluice_value *topics = cluster->context->topics(cluster->host, batch, cluster->timeout_ms);
    bool first = true;
    if (!topics) {
        no_answer(request);
        return;
    }
    (void)buffer_append_text(&request->answer, "{\"HasMoreStreams\":false,\"StreamNames\":[");
    for (size_t i = 0; i < data->count(topics); i++) {
        struct sluice_span text = data->text(data->at(topics, i));
        char name[REST_TOPIC_MAX + 2];
        (void)snprintf(name, sizeof(name), "%.*s", (int)text.size, text.data);
        if (cluster->allowed(cluster->user, name)) {
            (void)buffer_append_text(&request->answer, first ? "" : ",");
            rest_append_json(&request->answer, name);
            first = false;
        }
    }
    (void)buffer_append_text(&request->answer, "]}");
}

static void describe(const struct rest_cluster *cluster, struct rest_request *request)
{
    const char *name = request->route.topic;
    struct buffer *answer = &request->answer;
    int32_t count = cluster->context->partitions(cluster->host, name, cluster->timeout_ms);
    if (count <= 0) {
        if (count == 0) {
            no_stream(request);
        } else {
            no_answer(request);
        }
        return;
    }
    (void)buffer_printf(answer,
                        "{\"StreamDescription\":{\"StreamName\":\"%s\",\"StreamStatus\":\"ACTIVE\","
                        "\"HasMoreShards\":false,\"Shards\":[", name);
    for (int32_t i = 0; i < count; i++) {
        int64_t beginning = 0, end = 0;
        if (!cluster->context->offsets(cluster->host, name, i, cluster->timeout_ms, &beginning, &end)) {
            buffer_reset(answer);
            no_answer(request);
            return;
        }
        (void)buffer_printf(answer, "%s{\"ShardId\":\"shardId-%012" PRId32 "\",\"SequenceNumberRange\":"
                                    "{\"StartingSequenceNumber\":\"%" PRId64 "\"}}", i > 0 ? "," : "", i, beginning);
    }
    (void)buffer_append_text(answer, "]}}");
}

/* Whether the host can make and delete topics. */
static bool can_change(const struct sluice_cluster *reads)
{
    return reads && reads->size > offsetof(struct sluice_cluster, topic_delete) && reads->topic_create;
}

static void create(const struct rest_cluster *cluster, struct rest_request *request,
                   struct sluice_batch *batch)
{
    const struct sluice_data *data = cluster->host->data;
    struct sluice_json_error error = {.size = sizeof(error)};
    struct sluice_value *body = NULL;
    const struct sluice_value *shards = NULL;
    char message[300];
    if (request->size > 0 && data->from_json(batch, request->body, request->size, SLUICE_JSON_STRICT, &body,
                                             &error) != SLUICE_OK) {
        (void)rest_fault_set(&request->fault, 400, 400, "The body is no JSON object: %s", error.message);
        return;
    }
    shards = data->type(body) == SLUICE_MAP ? member(data, body, "ShardCount") : NULL;
    int64_t count = data->type(shards) == SLUICE_NULL ? SHARDS_DEFAULT : data->integer(shards);
    if (count < 1 || count > SHARDS_MAX) {
        (void)invalid(&request->fault, "ShardCount is a number from 1 to 10000");
        return;
    }
    int result = can_change(cluster->reads)
                     ? cluster->reads->topic_create(cluster->host, request->route.topic, (int32_t)count,
                                                    cluster->timeout_ms, message, sizeof(message))
                     : (snprintf(message, sizeof(message), "topics cannot be made here"), -1);
    if (result < 0) {
        (void)rest_fault_set(&request->fault, 500, REST_KAFKA_ERROR, "%s", message);
    } else if (result == 0) {
        (void)rest_fault_set(&request->fault, 400, REST_STREAM_EXISTS, "Stream %s already exists.",
                             request->route.topic);
    } else {
        (void)buffer_append_text(&request->answer, "{}");
    }
}

static void delete_stream(const struct rest_cluster *cluster, struct rest_request *request, bool may_delete)
{
    char message[300];
    if (!may_delete) {
        (void)rest_fault_set(&request->fault, 400, REST_FORBIDDEN,
                             "Streams are not deleted here; sluice.streams.delete=true allows it");
        return;
    }
    int result = can_change(cluster->reads)
                     ? cluster->reads->topic_delete(cluster->host, request->route.topic, cluster->timeout_ms,
                                                    message, sizeof(message))
                     : (snprintf(message, sizeof(message), "topics cannot be deleted here"), -1);
    if (result < 0) {
        (void)rest_fault_set(&request->fault, 500, REST_KAFKA_ERROR, "%s", message);
    } else if (result == 0) {
        no_stream(request);
    } else {
        (void)buffer_append_text(&request->answer, "{}");
    }
}

void rest_streams_answer(const struct rest_cluster *cluster, struct rest_request *request,
                         struct sluice_batch *batch, bool may_delete)
{
    switch (request->route.kind) {
    case REST_STREAMS:
        list(cluster, request, batch);
        break;
    case REST_STREAM:
        describe(cluster, request);
        break;
    case REST_STREAM_CREATE:
        create(cluster, request, batch);
        break;
    default:
        delete_stream(cluster, request, may_delete);
        break;
    }
}

/* -- answers -- */

static const char *type_of(int status, int code)
{
    switch (code) {
    case REST_UNKNOWN_TOPIC:
        return "ResourceNotFoundException";
    case REST_STREAM_EXISTS:
        return "ResourceInUseException";
    case REST_FORBIDDEN:
    case REST_UNAUTHENTICATED:
        return "AccessDeniedException";
    case REST_THROTTLED:
        return "ProvisionedThroughputExceededException";
    default:
        return status >= 500 ? "InternalFailure" : "ValidationException";
    }
}

int rest_streams_fault(struct buffer *answer, const struct rest_fault *fault)
{
    (void)buffer_printf(answer, "{\"__type\":\"%s\",\"message\":", type_of(fault->status, fault->code));
    rest_append_json(answer, fault->message);
    (void)buffer_append_char(answer, '}');
    return fault->status;
}

/* A topic's offsets grow as sequence numbers do; a record that a transform left out has none. */
static void append_place(struct buffer *answer, const struct rest_result *result)
{
    if (result->partition < 0) {
        (void)buffer_append_text(answer, "{\"ShardId\":null,\"SequenceNumber\":null}");
        return;
    }
    (void)buffer_printf(answer, "{\"ShardId\":\"shardId-%012" PRId32 "\",\"SequenceNumber\":\"%" PRId64 "\"}",
                        result->partition, result->offset);
}

/* Clients of Kinesis repeat what got 500: only what may be taken the next time. */
static int status_of(const struct rest_result *result)
{
    return result->code == REST_KAFKA_RETRIABLE ? 500 : 400;
}

int rest_streams_results(struct rest_request *request)
{
    struct buffer *answer = &request->answer;
    size_t failed = 0;
    if (request->route.kind == REST_STREAM_RECORD) {
        const struct rest_result *result = &request->results[0];
        if (result->code != 0) {
            struct rest_fault fault = {0};
            (void)rest_fault_set(&fault, status_of(result), result->code, "%s",
                                 result->message ? result->message : "");
            return rest_streams_fault(answer, &fault);
        }
        append_place(answer, result);
        return 200;
    }
    for (size_t i = 0; i < request->count; i++) {
        failed += request->results[i].code != 0 ? 1 : 0;
    }
    (void)buffer_printf(answer, "{\"FailedRecordCount\":%zu,\"Records\":[", failed);
    for (size_t i = 0; i < request->count; i++) {
        const struct rest_result *result = &request->results[i];
        (void)buffer_append_text(answer, i > 0 ? "," : "");
        if (result->code == 0) {
            append_place(answer, result);
            continue;
        }
        (void)buffer_printf(answer, "{\"ErrorCode\":\"%s\",\"ErrorMessage\":", type_of(status_of(result), result->code));
        rest_append_json(answer, result->message ? result->message : "");
        (void)buffer_append_char(answer, '}');
    }
    (void)buffer_append_text(answer, "]}");
    return 200;
}
