/* From consumed messages to a batch of records: the way of a record before put(). [task thread] */
#include <string.h>

#include "core/base/clock.h"
#include "core/host/sink_task.h"
#include "core/host/stage_clock.h"

/* What the last release of a batch lets go. Lives in the batch's arena. */
struct chunk_hold {
    struct feed *feed;
    struct broker_chunk *chunk;
};

static void release_chunk(void *user)
{
    struct chunk_hold *hold = user;
    feed_release(hold->feed, hold->chunk);
}

static struct sluice_span span(const void *data, uint32_t size)
{
    return (struct sluice_span){data, data ? size : 0};
}

static enum sluice_result convert_headers(struct sink_task *sink, struct sluice_batch *batch,
                                          struct sluice_record *record,
                                          const struct broker_message *message)
{
    const struct converter *converter = &sink->converters.header;
    for (uint32_t i = 0; i < message->header_count; i++) {
        const struct broker_header *header = &message->headers[i];
        const struct sluice_schema *schema = NULL;
        const struct sluice_value *value = NULL;
        enum sluice_result result =
            converter->vtable->to_connect(converter->self, batch, message->topic, header->name,
                                          span(header->value, header->size), &schema, &value);
        if (result != SLUICE_OK) {
            return result;
        }
        records_api.header_add(record, header->name, schema, value);
    }
    return SLUICE_OK;
}

/* One stage on one record; on failure *ret_class says who failed. */
static inline enum sluice_result run_stage(struct sink_task *sink, enum stage stage,
                                    struct sluice_batch *batch, struct sluice_record *record,
                                    const struct broker_message *message, const char **ret_class)
{
    const struct sluice_schema *schema = NULL;
    const struct sluice_value *value = NULL;
    enum sluice_result result;
    const struct converter *converter;
    switch (stage) {
    case STAGE_KEY_CONVERTER:
        converter = &sink->converters.key;
        *ret_class = converter->class_name;
        result = converter->vtable->to_connect(converter->self, batch, message->topic, NULL,
                                               span(message->key, message->key_size), &schema, &value);
        if (result == SLUICE_OK) {
            record_set_key(record, schema, value);
        }
        return result;
    case STAGE_VALUE_CONVERTER:
        converter = &sink->converters.value;
        *ret_class = converter->class_name;
        result = converter->vtable->to_connect(converter->self, batch, message->topic, NULL,
                                               span(message->value, message->value_size), &schema,
                                               &value);
        if (result == SLUICE_OK) {
            record_set_value(record, schema, value);
        }
        return result;
    case STAGE_HEADER_CONVERTER:
        *ret_class = sink->converters.header.class_name;
        return convert_headers(sink, batch, record, message);
    default:
        return chain_apply(sink->chain, record, ret_class);
    }
}

/*
 * A stage did not succeed: tries again as errors.retry.* allows, then lets the policy decide.
 * before: what the stage may have changed; NULL: nothing. 1: it worked after all; 0: leave the record
 * out; -1: the task ends.
 */
static int recover(struct sink_task *sink, enum stage stage, struct sluice_batch *batch,
                   struct sluice_record *record, const struct broker_message *message,
                   const struct record_state *before, const char *class_name,
                   enum sluice_result result, struct error *error)
{
    int64_t started = clock_monotonic_ms();
    struct plugin_failure failure = {.record = -1, .retry_after = -1};
    for (int attempt = 1;; attempt++) {
        plugin_failure_take(&failure, result, sink->task->instance, class_name);
        if (before) {
            record_restore(record, before);
        }
        int64_t delay =
            result == SLUICE_RETRY ? error_policy_backoff(&sink->policy, attempt, started) : -1;
        if (delay < 0 || !task_sleep(sink->task, delay)) {
            break;
        }
        error_clear(&failure.error);
        plugin_failure_reset();
        result = run_stage(sink, stage, batch, record, message, &class_name);
        if (result == SLUICE_OK) {
            return 1;
        }
        if (result == SLUICE_DROP) {
            return 0;
        }
    }
    int outcome =
        error_policy_record(&sink->policy, stage, class_name, &failure.error, message, NULL, error);
    error_clear(&failure.error);
    return outcome;
}

/* 1: go on; 0: leave the record out; -1: the task ends. */
static inline int convert_stage(struct sink_task *sink, enum stage stage, struct sluice_batch *batch,
                                struct sluice_record *record, const struct broker_message *message,
                                struct stage_clock *clock, struct error *error)
{
    /* Converters of key and value do not see the record: it has theirs once they succeeded, or nothing. */
    bool changes = stage == STAGE_HEADER_CONVERTER || stage == STAGE_TRANSFORMATION;
    struct record_state before;
    if (changes) {
        record_save(record, &before);
    }
    const char *class_name = "";
    stage_clock_begin(clock);
    enum sluice_result result = run_stage(sink, stage, batch, record, message, &class_name);
    stage_clock_end(clock, stage);
    return result == SLUICE_OK     ? 1
           : result == SLUICE_DROP ? 0
                                   : recover(sink, stage, batch, record, message, changes ? &before : NULL,
                                             class_name, result, error);
}

static int convert_record(struct sink_task *sink, struct sluice_batch *batch,
                          struct sluice_record *record, const struct broker_message *message,
                          struct stage_clock *clock, struct error *error)
{
    int outcome = convert_stage(sink, STAGE_KEY_CONVERTER, batch, record, message, clock, error);
    if (outcome == 1) {
        outcome = convert_stage(sink, STAGE_VALUE_CONVERTER, batch, record, message, clock, error);
    }
    if (outcome == 1 && message->header_count > 0) {
        outcome = convert_stage(sink, STAGE_HEADER_CONVERTER, batch, record, message, clock, error);
    }
    if (outcome == 1) {
        tap_see(sink->task, TAP_CONVERTED, record);
    }
    if (outcome == 1 && sink->chain) {
        outcome = convert_stage(sink, STAGE_TRANSFORMATION, batch, record, message, clock, error);
    }
    if (outcome == 1) {
        tap_see(sink->task, TAP_TRANSFORMED, record);
    }
    return outcome;
}

int sink_convert(struct sink_task *sink, struct broker_chunk *chunk, struct sluice_batch **ret_batch,
                 struct error *error)
{
    struct sluice_batch *batch = batch_new(sink->pool);
    struct chunk_hold *hold = arena_alloc(batch_arena(batch), sizeof(*hold));
    *hold = (struct chunk_hold){sink->feed, chunk};
    batch_on_release(batch, release_chunk, hold);
    unsigned char *keep = arena_alloc(batch_arena(batch), chunk->count + 1);
    host_phase(sink->task->process, "converters and transforms", sink->class_name);
    plugin_failure_reset();

    const char *topic = NULL;
    size_t count = 0, bytes = 0;
    struct stage_clock clock = {0};
    bool all = true;
    for (size_t i = 0; i < chunk->count; i++) {
        struct broker_message *message = &chunk->messages[i];
        if (message->partition == BROKER_NO_PARTITION) {
            continue; /* taken away while it waited */
        }
        if (message->topic != topic) { /* once a run of a topic is enough */
            topic = message->topic;
            used_topics_note(sink->task, topic);
        }
        struct sluice_record *record = batch_add_sink(
            batch, message->topic, message->partition, message->offset, message->timestamp,
            (enum sluice_timestamp_type)message->timestamp_type,
            span(message->key, message->key_size), span(message->value, message->value_size));
        record_set_context(record, message);
        bytes += message->value_size + message->key_size;
        stage_clock_next(&clock, sink->task);
        int outcome = convert_record(sink, batch, record, message, &clock, error);
        stage_clock_tell(&clock, sink->task->process->page);
        if (outcome < 0) {
            records_api.release(batch);
            return -1;
        }
        keep[count++] = outcome == 1;
        all = all && outcome == 1;
    }
    task_record(sink->task, sink->read, (int64_t)count);
    metrics_add(sink->bytes, (int64_t)bytes);
    if (!all) {
        batch_keep(batch, keep);
    }
    *ret_batch = batch;
    return 0;
}
