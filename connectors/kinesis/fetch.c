/* Iterators and records of one shard; see source.h. [task thread, within poll()] */
#include <inttypes.h>
#include <math.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connectors/kinesis/partition_key.h"
#include "connectors/kinesis/source.h"

/* -- what goes wrong -- */

/* LATEST once more would miss what came since the first time. */
static void keep_beginning(struct shard *shard)
{
    if (shard->start == SHARD_LATEST) {
        shard->start = SHARD_TIMESTAMP;
    }
}

static void wait_and_retry(struct source *source, struct shard *shard, const struct aws_fault *fault)
{
    char text[KINESIS_MESSAGE];
    shard->failures++;
    keep_beginning(shard);
    int64_t wait = kinesis_backoff(&source->access, shard->failures);
    if (fault->retry_after_ms > wait) {
        wait = fault->retry_after_ms;
    }
    if (wait < SHARD_GAP_MS && fault->class == AWS_THROTTLED) {
        wait = SHARD_GAP_MS;
    }
    shard->due = kinesis_now_ms() + wait;
    if (fault->class == AWS_THROTTLED) {
        source->host->metric_add(source->throttled, 1);
    }
    source->host->log(source->host, shard->failures > 3 ? SLUICE_WARN : SLUICE_DEBUG,
                      "%s of %s waits for %" PRId64 " ms: %s", shard->id, shard->stream, wait,
                      aws_fault_text(fault, text, sizeof(text)));
}

/* Another iterator, from behind the record read last. */
static void renew(struct source *source, struct shard *shard)
{
    source->host->metric_add(source->renewed, 1);
    free(shard->iterator);
    shard->iterator = NULL;
    keep_beginning(shard);
    shard->state = SHARD_NO_ITERATOR;
    shard->due = 0;
}

/* A request was refused. */
static void refused(struct source *source, struct shard *shard, const struct aws_fault *fault)
{
    char text[KINESIS_MESSAGE];
    if (strcmp(fault->code, "ExpiredIteratorException") == 0) {
        renew(source, shard);
        return;
    }
    if (kinesis_may_retry(fault)) {
        wait_and_retry(source, shard, fault);
        return;
    }
    aws_fault_text(fault, text, sizeof(text));
    if (fault->class == AWS_MISSING && !shard->listed) {
        source->host->log(source->host, SLUICE_WARN, "%s of %s is gone: %s", shard->id, shard->stream, text);
        source_shard_end(source, shard);
        return;
    }
    source_fail(source, "%s of the stream %s cannot be read from %s%s: %s", shard->id, shard->stream,
                shard->sequence[0] ? "sequence number " : "its beginning", shard->sequence, text);
}

static void broken_answer(struct source *source, struct shard *shard, const char *what)
{
    struct aws_fault fault = {.class = AWS_TRANSIENT, .retry_after_ms = -1};
    snprintf(fault.message, sizeof(fault.message), "The answer of Kinesis makes no sense: %.250s", what);
    wait_and_retry(source, shard, &fault);
}

/* -- iterators -- */

static void on_iterator(void *user, struct http_reply *reply)
{
    struct shard *shard = user;
    struct source *source = shard->owner;
    struct aws_fault fault;
    shard->call = NULL;
    kinesis_classify(&source->access, reply, &fault);
    if (fault.class != AWS_FINE) {
        refused(source, shard, &fault);
        return;
    }
    json_t *object = json_loadb(reply->body.data ? reply->body.data : "", reply->body.size, 0, NULL);
    const char *iterator = json_string_value(json_object_get(object, "ShardIterator"));
    free(shard->iterator);
    shard->iterator = iterator ? strdup(iterator) : NULL;
    json_decref(object);
    if (!shard->iterator) {
        broken_answer(source, shard, "no ShardIterator");
        return;
    }
    shard->failures = 0;
    shard->state = SHARD_READY;
    shard->due = 0;
}

static void write_iterator_body(struct shard *shard)
{
    static const char *const types[] = {
        [SHARD_TRIM_HORIZON] = "TRIM_HORIZON", [SHARD_LATEST] = "LATEST", [SHARD_TIMESTAMP] = "AT_TIMESTAMP",
        [SHARD_AT] = "AT_SEQUENCE_NUMBER",     [SHARD_AFTER] = "AFTER_SEQUENCE_NUMBER",
    };
    (void)buffer_printf(&shard->body, "{\"StreamName\":\"%s\",\"ShardId\":\"%s\",\"ShardIteratorType\":\"%s\"",
                        shard->stream, shard->id, types[shard->start]);
    if (shard->start == SHARD_AT || shard->start == SHARD_AFTER) {
        (void)buffer_printf(&shard->body, ",\"StartingSequenceNumber\":\"%s\"", shard->sequence);
    } else if (shard->start == SHARD_TIMESTAMP) {
        (void)buffer_printf(&shard->body, ",\"Timestamp\":%" PRId64 ".%03d", shard->timestamp / 1000,
                            (int)(shard->timestamp % 1000));
    }
    (void)buffer_append_char(&shard->body, '}');
}

/* -- records -- */

/* One record on its way from an answer into the batch. */
struct arrival {
    struct shard *shard;
    const struct sluice_value *partition; /* Connect's */
    struct sluice_span sequence;
    int64_t sub_sequence;                 /* -1: not of an aggregate */
    int64_t time;
    struct sluice_span key, data;         /* in the batch's memory */
};

static const struct sluice_value *text_of(struct source *source, struct sluice_span text)
{
    return source->host->data->new_string_view(source->batch, text.data, text.size);
}

static void add_headers(struct source *source, struct sluice_record *record, const struct arrival *arrival)
{
    const struct sluice_host *host = source->host;
    const struct sluice_data *data = host->data;
    const struct sluice_schema *string = data->schema_plain(SLUICE_STRING, false);
    const struct sluice_schema *number = data->schema_plain(SLUICE_INT64, false);
    const struct shard *shard = arrival->shard;
    struct sluice_batch *batch = source->batch;
    host->records->header_add(record, "kinesis.stream", string,
                              data->new_string(batch, shard->stream, strlen(shard->stream)));
    host->records->header_add(record, "kinesis.shard", string, data->new_string(batch, shard->id, strlen(shard->id)));
    host->records->header_add(record, "kinesis.sequence.number", string, text_of(source, arrival->sequence));
    if (arrival->sub_sequence >= 0) {
        host->records->header_add(record, "kinesis.subsequence.number", number,
                                  data->new_integer(batch, SLUICE_INT64, arrival->sub_sequence));
    }
    host->records->header_add(record, "kinesis.arrival.timestamp", number,
                              data->new_integer(batch, SLUICE_INT64, arrival->time));
}

/* The value; NULL with a sentence where the data is none. */
static const struct sluice_value *value_of(struct source *source, struct sluice_span from,
                                           const struct sluice_schema **ret_schema, char *message, size_t size)
{
    const struct sluice_data *data = source->host->data;
    struct sluice_json_error error = {.size = sizeof(error)};
    struct sluice_value *value = NULL;
    *ret_schema = NULL;
    switch (source->settings.value) {
    case KINESIS_BYTES:
        *ret_schema = data->schema_plain(SLUICE_BYTES, true);
        return data->new_bytes_view(source->batch, from.data, from.size);
    case KINESIS_STRING:
        if (!kinesis_is_utf8(from.data, from.size, NULL)) {
            snprintf(message, size, "its data is no UTF-8 text (kinesis.value.format)");
            return NULL;
        }
        *ret_schema = data->schema_plain(SLUICE_STRING, true);
        return data->new_string_view(source->batch, from.data, from.size);
    default:
        if (data->from_json(source->batch, from.data, from.size, SLUICE_JSON_STRICT, &value, &error) != SLUICE_OK) {
            snprintf(message, size, "its data is no JSON: %s (kinesis.value.format)", error.message);
            return NULL;
        }
        return value ? value : data->new_null(source->batch);
    }
}

static void set_position(struct source *source, struct sluice_record *record, const struct arrival *arrival)
{
    const struct sluice_data *data = source->host->data;
    struct sluice_value *offset = data->new_map(source->batch, 2);
    data->put(source->batch, offset, source->names.sequence, text_of(source, arrival->sequence));
    if (arrival->sub_sequence >= 0) {
        data->put(source->batch, offset, source->names.sub_sequence,
                  data->new_integer(source->batch, SLUICE_INT64, arrival->sub_sequence));
    }
    source->host->records->set_source(record, arrival->partition, offset);
}

/* False: the task ends. */
static bool add_record(struct source *source, const struct arrival *arrival)
{
    const struct sluice_records *records = source->host->records;
    const struct sluice_data *data = source->host->data;
    const struct sluice_schema *schema = NULL;
    char why[300];
    const struct sluice_value *value = value_of(source, arrival->data, &schema, why, sizeof(why));
    if (!value && !source->settings.ignore_errors) {
        source_fail(source, "Record %.*s of %s of the stream %s cannot be read: %s. behavior.on.error=log leaves "
                            "such records out", (int)arrival->sequence.size, arrival->sequence.data,
                    arrival->shard->id, arrival->shard->stream, why);
        return false;
    }
    if (!value && source->settings.log_errors) {
        source->host->log(source->host, SLUICE_WARN, "Record %.*s of %s of the stream %s is left out: %s",
                          (int)arrival->sequence.size, arrival->sequence.data, arrival->shard->id,
                          arrival->shard->stream, why);
    }
    struct sluice_record *record = records->add(source->batch, value ? arrival->shard->topic : NULL);
    set_position(source, record, arrival);
    if (!value) {
        return true;
    }
    bool text = kinesis_is_utf8(arrival->key.data, arrival->key.size, NULL);
    records->set_key(record, data->schema_plain(text ? SLUICE_STRING : SLUICE_BYTES, true),
                     text ? text_of(source, arrival->key)
                          : data->new_bytes_view(source->batch, arrival->key.data, arrival->key.size));
    records->set_value(record, schema, value);
    records->set_timestamp(record, arrival->time);
    if (source->settings.headers) {
        add_headers(source, record, arrival);
    }
    records->set_context(record, arrival->shard);
    atomic_fetch_add(&arrival->shard->pending, 1);
    source->host->metric_add(source->records, 1);
    return true;
}

/* Base64 into the batch's memory, closed by NUL. */
static bool decode(struct source *source, struct sluice_span text, struct sluice_span *ret_data)
{
    size_t padding = 0;
    char *bytes = source->host->records->alloc(source->batch, text.size / 4 * 3 + 1);
    while (padding < 2 && padding < text.size && text.data[text.size - 1 - padding] == '=') {
        padding++;
    }
    int size = text.size == 0 ? 0
                              : EVP_DecodeBlock((unsigned char *)bytes, (const unsigned char *)text.data,
                                                (int)text.size);
    if (size < 0 || (size_t)size < padding) {
        return false;
    }
    *ret_data = (struct sluice_span){bytes, (size_t)size - padding};
    bytes[ret_data->size] = '\0';
    return true;
}

/* A record of the answer, or those that were packed into it. */
static bool take_record(struct source *source, struct shard *shard, const struct sluice_value *partition,
                        const struct sluice_value *from)
{
    const struct sluice_data *data = source->host->data;
    struct arrival arrival = {
        .shard = shard,
        .partition = partition,
        .sequence = data->text(data->find(from, source->names.number)),
        .sub_sequence = -1,
        .time = (int64_t)llround(data->real(data->find(from, source->names.arrival)) * 1000),
        .key = data->text(data->find(from, source->names.key)),
    };
    if (arrival.sequence.size == 0 || arrival.sequence.size >= sizeof(shard->sequence) ||
        !decode(source, data->text(data->find(from, source->names.data)), &arrival.data)) {
        broken_answer(source, shard, "a record without number or data");
        return false;
    }
    /* SHARD_AT: what was delivered of this one before a restart. */
    int64_t skip = shard->start == SHARD_AT && strlen(shard->sequence) == arrival.sequence.size &&
                           memcmp(shard->sequence, arrival.sequence.data, arrival.sequence.size) == 0
                       ? shard->sub_sequence
                       : 0;
    if (!source->settings.split ||
        !kinesis_aggregate_open(&source->aggregate, arrival.data.data, arrival.data.size)) {
        if (skip == 0 && !add_record(source, &arrival)) {
            return false;
        }
    } else {
        struct kinesis_packed packed;
        for (int64_t i = 0; kinesis_aggregate_next(&source->aggregate, &packed); i++) {
            /* The text ends where the next field begins: JSON is read from a copy that ends by itself. */
            char *copy = source->host->records->alloc(source->batch, packed.data.size + 1);
            if (packed.data.size > 0) {
                memcpy(copy, packed.data.data, packed.data.size);
            }
            copy[packed.data.size] = '\0';
            arrival.key = (struct sluice_span){packed.key.data, packed.key.size};
            arrival.data = (struct sluice_span){copy, packed.data.size};
            arrival.sub_sequence = i;
            if (i >= skip && !add_record(source, &arrival)) {
                return false;
            }
        }
    }
    memcpy(shard->sequence, arrival.sequence.data, arrival.sequence.size);
    shard->sequence[arrival.sequence.size] = '\0';
    shard->start = SHARD_AFTER;
    return true;
}

static void on_records(void *user, struct http_reply *reply)
{
    struct shard *shard = user;
    struct source *source = shard->owner;
    const struct sluice_data *data = source->host->data;
    struct sluice_json_error error = {.size = sizeof(error)};
    struct sluice_value *answer = NULL;
    struct aws_fault fault;
    shard->call = NULL;
    kinesis_classify(&source->access, reply, &fault);
    if (fault.class != AWS_FINE) {
        refused(source, shard, &fault);
        return;
    }
    char *text = source->host->records->alloc(source->batch, reply->body.size + 1);
    if (reply->body.size > 0) {
        memcpy(text, reply->body.data, reply->body.size);
    }
    text[reply->body.size] = '\0';
    if (data->from_json(source->batch, text, reply->body.size, SLUICE_JSON_STRICT, &answer, &error) != SLUICE_OK ||
        data->type(answer) != SLUICE_MAP) {
        broken_answer(source, shard, error.message);
        return;
    }
    const struct sluice_value *list = data->find(answer, source->names.records);
    const struct sluice_value *partition = source_partition(source, shard->stream, shard->id);
    for (size_t i = 0; i < data->count(list); i++) {
        if (!take_record(source, shard, partition, data->at(list, i))) {
            renew(source, shard); /* what was taken is not asked for again */
            shard->due = kinesis_now_ms() + source->settings.poll_ms;
            return;
        }
    }
    struct sluice_span next = data->text(data->find(answer, source->names.iterator));
    shard->failures = 0;
    shard->behind = data->integer(data->find(answer, source->names.behind));
    if (next.size == 0) {
        source_shard_end(source, shard);
        return;
    }
    free(shard->iterator);
    shard->iterator = strndup(next.data, next.size);
    if (!shard->iterator) {
        renew(source, shard);
    }
    bool more = data->count(list) > 0 || shard->behind > 0;
    int64_t gap = source->settings.poll_ms < SHARD_GAP_MS ? source->settings.poll_ms : SHARD_GAP_MS;
    shard->due = shard->asked + (more ? gap : source->settings.poll_ms);
}

void source_shard_ask(struct source *source, struct shard *shard)
{
    char message[KINESIS_MESSAGE];
    bool ready = shard->state == SHARD_READY;
    shard->asked = kinesis_now_ms();
    buffer_reset(&shard->body);
    if (ready) {
        (void)buffer_append_text(&shard->body, "{\"ShardIterator\":");
        kinesis_append_json(&shard->body, shard->iterator);
        (void)buffer_printf(&shard->body, ",\"Limit\":%" PRId64 "}", source->settings.record_limit);
    } else {
        write_iterator_body(shard);
    }
    shard->call = kinesis_start(&source->access, ready ? "GetRecords" : "GetShardIterator", &shard->body,
                                ready ? on_records : on_iterator, shard, message, sizeof(message));
    if (!shard->call) {
        broken_answer(source, shard, message);
    }
}
