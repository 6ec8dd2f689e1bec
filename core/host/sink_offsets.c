/*
 * Positions of a sink task: how far each of its partitions got, and which offsets may be committed.
 * [task thread]
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/host/sink_task.h"

enum { DEAD_LETTER_WAIT_MS = 10000, BACKLOG_MS = 1000, FEW_PARTITIONS = 64 };

/* -- positions -- */

struct position *sink_position(struct sink_task *sink, const char *topic, int32_t partition)
{
    struct position *last = sink->last_position;
    if (last && last->partition == partition && strcmp(last->topic, topic) == 0) {
        return last;
    }
    for (size_t i = 0; i < sink->position_count; i++) {
        struct position *position = &sink->positions[i];
        if (position->partition == partition && strcmp(position->topic, topic) == 0) {
            sink->last_position = position;
            return position;
        }
    }
    return NULL;
}

void sink_position_add(struct sink_task *sink, const struct broker_offset *at)
{
    struct position *grown =
        realloc(sink->positions, (sink->position_count + 1) * sizeof(*sink->positions));
    char *topic = strdup(at->topic);
    if (!grown || !topic) {
        abort();
    }
    sink->positions = grown;
    sink->positions[sink->position_count++] =
        (struct position){topic, at->partition, BROKER_NO_OFFSET, at->offset};
    sink->last_position = NULL;
}

void sink_position_remove(struct sink_task *sink, const char *topic, int32_t partition)
{
    struct position *position = sink_position(sink, topic, partition);
    if (position) {
        free(position->topic); /* may be the caller's topic: not used below */
        *position = sink->positions[--sink->position_count];
        sink->last_position = NULL;
    }
}

/* The chunk's records are with the plugin now: its partitions moved on. */
void sink_advance(struct sink_task *sink, const struct broker_chunk *chunk)
{
    for (size_t i = 0; i < chunk->count; i++) {
        const struct broker_message *message = &chunk->messages[i];
        const struct broker_message *next = i + 1 < chunk->count ? message + 1 : NULL;
        if (message->partition == BROKER_NO_PARTITION ||
            (next && next->partition == message->partition && next->topic == message->topic)) {
            continue; /* only the last of a run counts */
        }
        struct position *position = sink_position(sink, message->topic, message->partition);
        if (position) {
            position->consumed = message->offset + 1;
        }
    }
}

/* -- offsets -- */

void sink_offsets_free(struct broker_offset *offsets, size_t count)
{
    for (size_t i = 0; offsets && i < count; i++) {
        free((char *)offsets[i].topic);
    }
    free(offsets);
}

static bool listed(const struct broker_offset *list, size_t count, const struct position *position)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i].partition == position->partition && strcmp(list[i].topic, position->topic) == 0) {
            return true;
        }
    }
    return false;
}

/* Keeps of what the plugin answered only what it may say (kafka-connect.md §7.1). */
static size_t accept_offsets(struct sink_task *sink, const struct sluice_topic_offset *asked,
                             size_t count, struct broker_offset *ret_offsets)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        struct position *position = sink_position(sink, asked[i].topic, asked[i].partition);
        if (!position) {
            task_log(sink->task, LOG_LEVEL_WARN,
                     "Ignoring offset %lld for %s-%d: the partition is not assigned to this task",
                     (long long)asked[i].offset, asked[i].topic, (int)asked[i].partition);
        } else if (asked[i].offset > position->consumed) {
            /* invariant 1: never past what was given to the sink */
            task_log(sink->task, LOG_LEVEL_WARN,
                     "Ignoring offset %lld for %s-%d: records only up to %lld were consumed",
                     (long long)asked[i].offset, asked[i].topic, (int)asked[i].partition,
                     (long long)position->consumed);
        } else if (asked[i].offset >= 0 && asked[i].offset != position->committed) {
            ret_offsets[kept++] = (struct broker_offset){strdup(position->topic),
                                                         position->partition, asked[i].offset};
        }
    }
    return kept;
}

struct broker_offset *sink_safe_offsets(struct sink_task *sink, const struct broker_offset *of,
                                        size_t of_count, size_t *ret_count,
                                        enum sluice_result *ret_result)
{
    size_t count = 0;
    *ret_count = 0;
    *ret_result = SLUICE_OK;
    struct sluice_topic_offset *asked = calloc(sink->position_count + 1, sizeof(*asked));
    struct broker_offset *offsets = calloc(sink->position_count + 1, sizeof(*offsets));
    if (!asked || !offsets) {
        free(asked);
        free(offsets);
        return NULL;
    }
    for (size_t i = 0; i < sink->position_count; i++) {
        const struct position *position = &sink->positions[i];
        if (position->consumed >= 0 && (!of || listed(of, of_count, position))) {
            asked[count++] = (struct sluice_topic_offset){position->topic, position->partition,
                                                          position->consumed};
        }
    }
    /* invariant 1: a record in the dead letter queue is durable there before its offset counts */
    if (count > 0 && !error_policy_flush(&sink->policy, DEAD_LETTER_WAIT_MS)) {
        task_log(sink->task, LOG_LEVEL_WARN,
                 "Offsets are not committed: the dead letter queue has not confirmed every record");
        count = 0;
    }
    if (count > 0 && sink->vtable->pre_commit) {
        size_t given = count;
        host_phase(sink->task->process, "pre_commit", sink->class_name);
        plugin_failure_reset();
        enum sluice_result result = sink->vtable->pre_commit(sink->self, asked, &count);
        host_phase(sink->task->process, "", "");
        if (result != SLUICE_OK) {
            struct error error = {0};
            (void)task_failure(sink->task, result, "pre_commit", &error);
            task_log(sink->task, LOG_LEVEL_ERROR, "Offsets are not committed: %s",
                     error.message ? error.message : "");
            error_clear(&error);
            *ret_result = result;
            count = 0;
        } else if (count > given) {
            count = given;
        }
    }
    *ret_count = accept_offsets(sink, asked, count, offsets);
    free(asked);
    return offsets;
}

void sink_update_backlog(struct sink_task *sink)
{
    int64_t now = clock_monotonic_ms(), lag = 0, most = 0, active = 0;
    if (sink->position_count > FEW_PARTITIONS && now < sink->next_backlog) {
        return; /* each look costs the square of the partitions */
    }
    sink->next_backlog = now + BACKLOG_MS;
    for (size_t i = 0; i < sink->position_count; i++) {
        const struct position *position = &sink->positions[i];
        int64_t end = feed_end(sink->feed, position->topic, position->partition);
        int64_t at = position->consumed >= 0 ? position->consumed : position->committed;
        int64_t behind = end > at && at >= 0 ? end - at : 0;
        lag += behind;
        most = behind > most ? behind : most;
        active += position->consumed > position->committed && position->committed >= 0
                      ? position->consumed - position->committed
                      : 0;
    }
    metrics_set(sink->lag, lag);
    metrics_set(sink->lag_max, most);
    metrics_set(sink->active, active);
    metrics_record(sink->task->process->page, sink->active_seen, active, now);
}
