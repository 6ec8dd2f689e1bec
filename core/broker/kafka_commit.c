/*
 * Commits of a group's member, of what it holds, and what they tell of its right to the group.
 * [polling thread]
 */
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/broker/kafka.h"

enum { WATCH_LEAST_MS = 1000 };

/* Asked for and not yet answered. */
struct kafka_commit {
    struct kafka_consumer *consumer;
    struct kafka_commit *next;
    size_t count;
    struct broker_offset offsets[]; /* topics are names of the consumer */
};

/* Only of partitions that are held: those of others are somebody else's by now. */
static rd_kafka_topic_partition_list_t *held_offsets(struct kafka_consumer *consumer,
                                                     const struct broker_offset *offsets,
                                                     size_t count, struct error *error)
{
    if (!consumer->grouped) {
        (void)error_set_class(
            error, ERROR_CONFIG, "org.apache.kafka.common.errors.InvalidGroupIdException",
            "To use the group management or offset commit APIs, you must provide a valid group.id in "
            "the consumer configuration.");
        return NULL;
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++) {
        /* invariant 1: a generation that is over does not commit */
        if (!kafka_consumer_find(consumer, offsets[i].topic, offsets[i].partition)) {
            (void)error_set_class(
                error, ERROR_GENERATION,
                "org.apache.kafka.clients.consumer.CommitFailedException",
                "Offset commit cannot be completed since the consumer is not part of an active group "
                "for %s-%d: the partition was assigned to another member",
                offsets[i].topic, offsets[i].partition);
            rd_kafka_topic_partition_list_destroy(list);
            return NULL;
        }
        rd_kafka_topic_partition_list_add(list, offsets[i].topic, offsets[i].partition)->offset =
            offsets[i].offset;
    }
    return list;
}

static rd_kafka_resp_err_t outcome(rd_kafka_resp_err_t code,
                                   const rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; !code && list && i < list->cnt; i++) {
        code = list->elems[i].err;
    }
    return code == RD_KAFKA_RESP_ERR__NO_OFFSET ? RD_KAFKA_RESP_ERR_NO_ERROR : code;
}

static void finish_commit(struct kafka_commit *commit, rd_kafka_resp_err_t code)
{
    struct kafka_consumer *consumer = commit->consumer;
    struct error error = {0};
    if (code) {
        (void)kafka_error(&error, code, NULL, "Commit of offsets of %zu partitions", commit->count);
        kafka_handle_explain(&consumer->handle, &error);
    } else {
        kafka_handle_works(&consumer->handle);
    }
    for (struct kafka_commit **at = &consumer->commits; *at; at = &(*at)->next) {
        if (*at == commit) {
            *at = commit->next;
            break;
        }
    }
    if (consumer->events.committed) {
        consumer->events.committed(consumer->events.user, commit->offsets, commit->count,
                                   code ? &error : NULL);
    }
    error_clear(&error);
    free(commit);
}

/* Java's consumer ends when a heartbeat is answered so; librdkafka tells nobody of those. */
static void look_for_refusal(struct kafka_consumer *consumer, rd_kafka_resp_err_t code)
{
    if (code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
        code == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID) {
        kafka_consumer_error(consumer, code, NULL, NULL, -1);
    }
    int wait = consumer->handle.opaque.config->heartbeat_ms;
    consumer->watch_at = clock_monotonic_ms() + (wait > WATCH_LEAST_MS ? wait : WATCH_LEAST_MS);
}

/* A commit tells whether the right to the group is still there. While there is none to make, the group is
 * asked for an offset as often as it hears a heartbeat. */
void kafka_group_watch(struct kafka_consumer *consumer)
{
    rd_kafka_t *rk = consumer->handle.rk;
    rd_kafka_event_t *answer = consumer->watching ? rd_kafka_queue_poll(consumer->answers, 0) : NULL;
    if (answer) {
        consumer->watching = false;
        look_for_refusal(consumer, rd_kafka_event_error(answer));
        rd_kafka_event_destroy(answer);
    }
    if (consumer->watching || !consumer->subscribed || consumer->topics->cnt == 0 ||
        clock_monotonic_ms() < consumer->watch_at) {
        return;
    }
    if (!consumer->answers && !(consumer->answers = rd_kafka_queue_new(rk))) {
        return;
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    (void)rd_kafka_topic_partition_list_add(list, consumer->topics->elems[0].topic, 0);
    rd_kafka_ListConsumerGroupOffsets_t *wanted =
        rd_kafka_ListConsumerGroupOffsets_new(consumer->handle.opaque.config->group_id, list);
    rd_kafka_ListConsumerGroupOffsets(rk, &wanted, 1, NULL, consumer->answers);
    rd_kafka_ListConsumerGroupOffsets_destroy(wanted);
    rd_kafka_topic_partition_list_destroy(list);
    consumer->watching = true;
}

static void on_committed(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                         rd_kafka_topic_partition_list_t *list, void *opaque)
{
    (void)rk;
    struct kafka_commit *commit = opaque;
    code = outcome(code, list);
    look_for_refusal(commit->consumer, code);
    finish_commit(commit, code);
}

int kafka_commit(struct broker_consumer *base, const struct broker_offset *offsets, size_t count,
                 struct error *error)
{
    struct kafka_consumer *consumer = (struct kafka_consumer *)base;
    rd_kafka_topic_partition_list_t *list = held_offsets(consumer, offsets, count, error);
    if (!list) {
        return -1;
    }
    struct kafka_commit *commit = calloc(1, sizeof(*commit) + count * sizeof(*offsets));
    if (!commit) {
        rd_kafka_topic_partition_list_destroy(list);
        return error_set(error, ERROR_NO_MEMORY, "No memory for a commit");
    }
    commit->consumer = consumer;
    commit->count = count;
    for (size_t i = 0; i < count; i++) {
        commit->offsets[i] = offsets[i];
        commit->offsets[i].topic = kafka_consumer_name(consumer, offsets[i].topic);
    }
    rd_kafka_resp_err_t code = rd_kafka_commit_queue(consumer->handle.rk, list, consumer->control,
                                                     on_committed, commit);
    rd_kafka_topic_partition_list_destroy(list);
    if (code) {
        free(commit);
        return kafka_error(error, code, NULL, "Commit of offsets of %zu partitions", count);
    }
    struct kafka_commit **end = &consumer->commits;
    while (*end) {
        end = &(*end)->next;
    }
    *end = commit;
    return 0;
}

int kafka_commit_sync(struct broker_consumer *base, const struct broker_offset *offsets,
                      size_t count, int timeout_ms, struct error *error)
{
    struct kafka_consumer *consumer = (struct kafka_consumer *)base;
    rd_kafka_topic_partition_list_t *list = held_offsets(consumer, offsets, count, error);
    if (!list) {
        return -1;
    }
    rd_kafka_queue_t *queue = rd_kafka_queue_new(consumer->handle.rk);
    rd_kafka_resp_err_t code =
        rd_kafka_commit_queue(consumer->handle.rk, list, queue, NULL, NULL);
    rd_kafka_event_t *event = code ? NULL : rd_kafka_queue_poll(queue, timeout_ms);
    if (event) {
        code = outcome(rd_kafka_event_error(event), rd_kafka_event_topic_partition_list(event));
        rd_kafka_event_destroy(event);
    } else if (!code) {
        code = RD_KAFKA_RESP_ERR__TIMED_OUT;
    }
    rd_kafka_queue_destroy(queue);
    rd_kafka_topic_partition_list_destroy(list);
    if (code) {
        (void)kafka_error(error, code, NULL, "Commit of offsets of %zu partitions", count);
        kafka_handle_explain(&consumer->handle, error);
        return -1;
    }
    return 0;
}

void kafka_commit_end(struct kafka_consumer *consumer)
{
    while (consumer->commits) {
        finish_commit(consumer->commits, RD_KAFKA_RESP_ERR__DESTROY);
    }
}
