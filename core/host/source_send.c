/*
 * From polled records to acknowledged ones: chain, converters, producer, record_done().
 * source_send() is the task thread's; deliveries come on the broker thread.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/host/source_task.h"
#include "core/host/stage_clock.h"

enum { ADMIN_MS = 30000, RETRY_MS = 1000 };

/* A polled batch under way; with its flights in the batch's arena. */
struct voyage {
    struct source_task *source;
    struct sluice_batch *batch;
    atomic_size_t left; /* flights not yet done; the last one releases the batch */
    int64_t sent;       /* monotonic ns: handed to the producer */
};

struct flight {
    struct voyage *voyage;
    struct sluice_record *record;
    const char *topic; /* after the transforms */
    struct submitted *submitted;
    uint32_t size; /* of key and value; 0: left out */
};

/* `done` is held by the caller: one lock for all deliveries of a poll. */
static void land(struct flight *flight, const struct sluice_delivery *delivery)
{
    struct voyage *voyage = flight->voyage;
    struct source_task *source = voyage->source;
    if (source->vtable->record_done) {
        source->vtable->record_done(source->self, flight->record, delivery);
    }
    source_offsets_done(source->offsets, flight->submitted);
    if (atomic_fetch_sub(&voyage->left, 1) == 1) {
        records_api.release(voyage->batch);
    }
}

static void raise_failure(struct source_task *source, const struct error *failure)
{
    struct error error = {0};
    error_copy(&error, failure);
    (void)error_wrap(&error, ERROR_BROKER, SLUICE_CONNECT_EXCEPTION,
                     "Unrecoverable exception from producer send callback");
    task_raise(source->task, &error);
}

static void on_delivered(void *user, const struct broker_delivery *deliveries, size_t count)
{
    struct source_task *source = user;
    struct metrics_page *page = source->task->process->page;
    int64_t written = 0, bytes = 0, lost = 0, now = clock_monotonic_ns();
    /* A run of one batch is one observation of that many. Their batch may be gone once they land. */
    int64_t run_sent = 0, run = 0;
    const char *noted = NULL; /* neighbours mostly share a topic, and then its text, too */
    pthread_mutex_lock(&source->done);
    for (size_t i = 0; i < count; i++) {
        const struct broker_delivery *from = &deliveries[i];
        struct flight *flight = from->opaque;
        struct sluice_delivery delivery = {
            .size = sizeof(delivery),
            .result = SLUICE_OK,
            .partition = from->partition,
            .offset = from->offset,
            .timestamp = from->timestamp,
        };
        if (from->error) {
            delivery.result = SLUICE_FATAL;
            delivery.partition = SLUICE_NO_PARTITION;
            delivery.offset = SLUICE_NO_OFFSET;
            delivery.error_class = from->error->java_class ? from->error->java_class
                                                           : SLUICE_CONNECT_EXCEPTION;
            delivery.error = from->error->message;
            delivery.error_code = (int32_t)from->error->code;
            delivery.retriable = from->error->retriable;
            struct error ignored = {0};
            if (!source->answers &&
                error_policy_record(&source->policy, STAGE_KAFKA_PRODUCE, ERRORS_PRODUCE_CLASS,
                                    from->error, NULL, flight->record, &ignored) != 0) {
                /* invariant 1: its offset stays behind; the task ends and reads it again */
                raise_failure(source, from->error);
                error_clear(&ignored);
                flight->submitted = NULL;
            }
            lost += flight->size;
        } else {
            written++;
            if (flight->topic != noted) {
                used_topics_note(source->task, noted = flight->topic);
            }
            bytes += flight->size;
        }
        if (flight->voyage->sent != run_sent && run > 0) {
            metrics_observe(page, METRICS_PRODUCE, now - run_sent, run);
            run = 0;
        }
        run_sent = flight->voyage->sent;
        run++;
        land(flight, &delivery);
    }
    pthread_mutex_unlock(&source->done);
    if (run > 0) {
        metrics_observe(page, METRICS_PRODUCE, now - run_sent, run);
    }
    metrics_record(page, source->written, written, now / 1000000);
    metrics_add(source->bytes, bytes);
    metrics_add(source->bytes_in_flight, -(bytes + lost));
    metrics_add(source->active, -(int64_t)count);
    size_t left = atomic_fetch_sub(&source->in_flight, count) - count; /* landed: their offsets are told */
    if (atomic_load(&source->blocked) || left == 0) {
        pthread_mutex_lock(&source->task->lock);
        pthread_cond_broadcast(&source->task->changed);
        pthread_mutex_unlock(&source->task->lock);
    }
}

static void *broker_main(void *user)
{
    struct source_task *source = user;
    crash_thread(); /* record_done() is the plugin's */
    while (!atomic_load(&source->broker_stop)) {
        (void)broker_producer_poll(source->producer, -1); /* source_send_close() wakes it */
    }
    return NULL;
}

int source_send_open(struct source_task *source, struct error *error)
{
    struct task *task = source->task;
    struct properties admin = {0}, client = {0};
    task_client_properties(task, CLIENT_CONNECTOR_ADMIN, &admin);
    task_client_properties(task, CLIENT_SOURCE_PRODUCER, &client);
    int result = broker_open(&admin, &source->broker, error);
    if (result == 0) {
        result = broker_producer_create(source->broker, &client, on_delivered, source,
                                        &source->producer, error);
    }
    properties_finish(&admin);
    properties_finish(&client);
    if (result == 0 && pthread_create(&source->broker_thread, NULL, broker_main, source) != 0) {
        broker_producer_destroy(source->producer);
        source->producer = NULL;
        result = error_set(error, ERROR_NO_MEMORY, "The broker thread could not be started");
    }
    return result;
}

bool source_send_drain(struct source_task *source, int64_t deadline)
{
    struct task *task = source->task;
    pthread_mutex_lock(&task->lock);
    while (atomic_load(&source->in_flight) > 0 && task_wait(task, deadline)) {
    }
    pthread_mutex_unlock(&task->lock);
    return atomic_load(&source->in_flight) == 0;
}

void source_send_close(struct source_task *source)
{
    if (source->producer) {
        atomic_store(&source->broker_stop, true);
        broker_producer_wake(source->producer);
        pthread_join(source->broker_thread, NULL);
        broker_producer_destroy(source->producer);
        source->producer = NULL;
    }
    broker_close(source->broker);
    source->broker = NULL;
}

/* -- conversion -- */

static enum sluice_result convert_headers(struct source_task *source, struct sluice_batch *batch,
                                          const struct sluice_record *record, const char *topic,
                                          struct broker_message *message)
{
    const struct converter *converter = &source->converters.header;
    size_t count = records_api.header_count(record);
    struct broker_header *headers = records_api.alloc(batch, (count + 1) * sizeof(*headers));
    for (size_t i = 0; i < count; i++) {
        const struct sluice_schema *schema;
        const struct sluice_value *value;
        struct sluice_span bytes = {NULL, 0};
        const char *name = records_api.header(record, i, &schema, &value);
        enum sluice_result result = converter->vtable->from_connect(converter->self, batch, topic,
                                                                    name, schema, value, &bytes);
        if (result != SLUICE_OK) {
            return result;
        }
        headers[i] = (struct broker_header){name, bytes.data, (uint32_t)bytes.size};
    }
    message->headers = headers;
    message->header_count = (uint32_t)count;
    return SLUICE_OK;
}

static enum sluice_result run_stage(struct source_task *source, enum stage stage,
                                    struct sluice_batch *batch, struct sluice_record *record,
                                    struct broker_message *message, const char **ret_class)
{
    struct sluice_span bytes = {NULL, 0};
    enum sluice_result result;
    const struct converter *converter;
    switch (stage) {
    case STAGE_TRANSFORMATION:
        result = chain_apply(source->chain, record, ret_class);
        message->topic = records_api.topic(record);
        return result;
    case STAGE_HEADER_CONVERTER:
        *ret_class = source->converters.header.class_name;
        return convert_headers(source, batch, record, message->topic, message);
    case STAGE_KEY_CONVERTER:
        converter = &source->converters.key;
        *ret_class = converter->class_name;
        result = converter->vtable->from_connect(converter->self, batch, message->topic, NULL,
                                                 records_api.key_schema(record),
                                                 records_api.key(record), &bytes);
        message->key = bytes.data;
        message->key_size = (uint32_t)bytes.size;
        return result;
    default:
        converter = &source->converters.value;
        *ret_class = converter->class_name;
        result = converter->vtable->from_connect(converter->self, batch, message->topic, NULL,
                                                 records_api.value_schema(record),
                                                 records_api.value(record), &bytes);
        message->value = bytes.data;
        message->value_size = (uint32_t)bytes.size;
        return result;
    }
}

/* 1: send it; 0: left out, *failure says why (code 0: filtered); -1: the task ends with failure. */
static int convert_record(struct source_task *source, struct sluice_batch *batch,
                          struct sluice_record *record, struct broker_message *message,
                          struct stage_clock *clock, struct error *failure)
{
    static const enum stage stages[] = {STAGE_TRANSFORMATION, STAGE_HEADER_CONVERTER,
                                        STAGE_KEY_CONVERTER, STAGE_VALUE_CONVERTER};
    if (record_carries_offset_only(record)) {
        return 0;
    }
    tap_see(source->task, TAP_POLLED, record);
    for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
        if ((stages[i] == STAGE_TRANSFORMATION && !source->chain) ||
            (stages[i] == STAGE_HEADER_CONVERTER && records_api.header_count(record) == 0)) {
            continue;
        }
        struct record_state before;
        record_save(record, &before);
        int64_t started = 0;
        for (int attempt = 1;; attempt++) {
            const char *class_name = "";
            stage_clock_begin(clock);
            enum sluice_result result =
                run_stage(source, stages[i], batch, record, message, &class_name);
            stage_clock_end(clock, stages[i]);
            if (result == SLUICE_OK) {
                break;
            }
            if (result == SLUICE_DROP) {
                return 0;
            }
            struct plugin_failure taken = {.record = -1, .retry_after = -1};
            plugin_failure_take(&taken, result, source->task->instance, class_name);
            error_clear(failure);
            *failure = taken.error;
            record_restore(record, &before);
            started = started ? started : clock_monotonic_ms();
            int64_t delay = result == SLUICE_RETRY
                                ? error_policy_backoff(&source->policy, attempt, started)
                                : -1;
            if (delay < 0 || !task_sleep(source->task, delay)) {
                if (source->answers) {
                    return 0;
                }
                struct error error = {0};
                if (error_policy_record(&source->policy, stages[i], class_name, failure, NULL,
                                        record, &error) == 0) {
                    return 0;
                }
                error_clear(failure);
                *failure = error;
                return -1;
            }
            plugin_failure_reset();
            error_clear(failure);
        }
    }
    tap_see(source->task, TAP_TRANSFORMED, record);
    return 1;
}

static void leave_out(struct source_task *source, struct flight *flight, const struct error *failure)
{
    bool failed = failure->code != ERROR_NONE;
    struct sluice_delivery delivery = {
        .size = sizeof(delivery),
        .result = failed && source->answers ? SLUICE_BAD_RECORD : SLUICE_DROP,
        .partition = SLUICE_NO_PARTITION,
        .offset = SLUICE_NO_OFFSET,
        .timestamp = SLUICE_NO_TIMESTAMP,
        .error_class = failed ? failure->java_class : NULL,
        .error = failed ? failure->message : NULL,
        .error_code = (int32_t)failure->code,
    };
    pthread_mutex_lock(&source->done);
    land(flight, &delivery);
    pthread_mutex_unlock(&source->done);
}

/*
 * The topic of a record is there when this returns 1; 0: the record fails alone; -1: the task ends
 * with failure. -2: the task was told to stop while no broker answered.
 */
static int ensure_topic(struct source_task *source, const char *topic, struct error *failure)
{
    struct task *task = source->task;
    while (topic_creation_needed(source->topics, topic)) {
        error_clear(failure);
        pthread_mutex_lock(&source->admin);
        int result = topic_creation_ensure(source->topics, source->broker, topic, ADMIN_MS,
                                           task->context, failure);
        pthread_mutex_unlock(&source->admin);
        if (result == 0) {
            break;
        }
        if (!failure->retriable) {
            return source->answers ? 0 : -1;
        }
        task_log(task, LOG_LEVEL_WARN,
                 "Topic '%s' could neither be found nor made, it is tried again: %s", topic,
                 failure->message);
        if (!task_sleep(task, RETRY_MS)) {
            return -2;
        }
    }
    return 1;
}

static bool send_all(struct source_task *source, const struct broker_message *messages, size_t count)
{
    struct task *task = source->task;
    size_t sent = 0;
    while (sent < count) {
        atomic_fetch_add(&source->in_flight, count - sent); /* before the first can come back */
        sent += broker_producer_send(source->producer, messages + sent, count - sent, true);
        atomic_fetch_sub(&source->in_flight, count - sent);
        if (sent == count) {
            break;
        }
        /* invariant 5: the producer's memory is bounded; wait for acknowledgements */
        atomic_store(&source->blocked, true);
        pthread_mutex_lock(&task->lock);
        bool give_up = (task->stopping && clock_monotonic_ms() >= task->stop_deadline) ||
                       task->raised.code != ERROR_NONE;
        if (!give_up) {
            (void)task_wait(task, clock_monotonic_ms() + 20);
        }
        pthread_mutex_unlock(&task->lock);
        atomic_store(&source->blocked, false);
        if (give_up) {
            return false;
        }
    }
    return true;
}

int source_send(struct source_task *source, struct sluice_batch *batch, struct error *error)
{
    size_t count = records_api.count(batch);
    struct voyage *voyage = records_api.alloc(batch, sizeof(*voyage));
    struct flight *flights = records_api.alloc(batch, count * sizeof(*flights));
    struct broker_message *messages = records_api.alloc(batch, count * sizeof(*messages));
    voyage->source = source;
    voyage->batch = batch;
    atomic_init(&voyage->left, count + 1); /* one for this function */
    host_phase(source->task->process, "converters and transforms", source->class_name);
    plugin_failure_reset();

    int result = 0;
    size_t ready = 0;
    int64_t bytes = 0;
    const char *ensured = NULL; /* the topic that was there for the record before */
    struct stage_clock clock = {0};
    for (size_t i = 0; i < count; i++) {
        struct sluice_record *record = records_api.at(batch, i);
        flights[i] = (struct flight){
            voyage, record, NULL, source_offsets_submit(source->offsets, record), 0};
        stage_clock_next(&clock, source->task);
        struct error failure = {0};
        struct broker_message *message = &messages[ready];
        *message = (struct broker_message){
            .topic = records_api.topic(record),
            .partition = records_api.partition(record),
            .timestamp = records_api.timestamp(record),
            .opaque = &flights[i],
        };
        int outcome =
            result == 0 ? convert_record(source, batch, record, message, &clock, &failure) : 0;
        stage_clock_tell(&clock, source->task->process->page);
        if (outcome == 1 && message->topic != ensured) {
            outcome = ensure_topic(source, message->topic, &failure);
            ensured = outcome == 1 ? message->topic : ensured;
        }
        if (outcome == -2) {
            error_clear(&failure);
            return result; /* stopping: the batch stays as it is until the process ends */
        }
        if (outcome == 1) {
            flights[i].topic = message->topic;
            message->partition = records_api.partition(record);
            message->timestamp = records_api.timestamp(record);
            flights[i].size = message->key_size + message->value_size;
            bytes += flights[i].size;
            ready++;
        } else if (outcome == 0 && result == 0) {
            leave_out(source, &flights[i], &failure);
        } else {
            if (result == 0) {
                error_clear(error);
                *error = failure;
                failure = (struct error){0};
                result = -1;
            }
            atomic_fetch_sub(&voyage->left, 1); /* the task ends: nobody asks any more */
        }
        error_clear(&failure);
    }
    host_phase(source->task->process, "", "");
    metrics_add(source->active, (int64_t)ready);
    metrics_add(source->bytes_in_flight, bytes);
    voyage->sent = clock_monotonic_ns();
    metrics_record(source->task->process->page, source->active_seen,
                   source->active ? atomic_load(&source->active->value) : 0,
                   voyage->sent / 1000000);
    if (!send_all(source, messages, ready)) {
        return result; /* stopping or failing: the batch stays as it is until the process ends */
    }
    if (atomic_fetch_sub(&voyage->left, 1) == 1) {
        records_api.release(batch);
    }
    return result;
}
