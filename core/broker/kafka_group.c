/*
 * Membership of a consumer group: positions, rebalances, topics that do not exist. [polling thread]
 *
 * Positions of new partitions are looked up here, before they are assigned, so that they are known to
 * whoever is told, and a seek in time of being told has something to change.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/broker/kafka.h"
#include "core/broker/topic_name.h"

enum { LOOK_UP_MS = 10000, LOOK_UP_TRIES = 5, ASK_AGAIN_MS = 200, ASK_MS = 1000 };
enum { LEAVE_MS = 8000, LEAVE_POLL_MS = 20 };
enum { FIRST_LOOK_MS = 250, LAST_LOOK_MS = 5000, LOOK_TIMEOUT_MS = 1000 };

/* -- positions -- */

/* Committed offsets. RD_KAFKA_OFFSET_INVALID: the group has none, and the coordinator said so;
 * RD_KAFKA_OFFSET_STORED: it did not answer. The number of those. */
static int ask_committed(struct kafka_consumer *consumer, rd_kafka_topic_partition_list_t *list,
                         int timeout_ms)
{
    rd_kafka_resp_err_t code = rd_kafka_committed(consumer->handle.rk, list, timeout_ms), last = code;
    int unknown = 0;
    for (int i = 0; i < list->cnt; i++) {
        rd_kafka_topic_partition_t *item = &list->elems[i];
        rd_kafka_resp_err_t one = code ? code : item->err;
        if (one) {
            item->offset = RD_KAFKA_OFFSET_STORED;
            unknown++;
            last = one;
            if (kafka_consumer_ends(one)) {
                kafka_consumer_error(consumer, one, NULL, code ? NULL : item->topic, item->partition);
            }
        } else if (item->offset < 0) {
            item->offset = RD_KAFKA_OFFSET_INVALID;
        }
        item->err = RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    if (unknown > 0 && !kafka_consumer_ends(last)) {
        kafka_handle_fault(&consumer->handle, last, "Committed offsets of the group cannot be read");
    }
    return unknown;
}

/* Where to begin what has no committed offset, by auto.offset.reset. What cannot be told now stays
 * RD_KAFKA_OFFSET_INVALID: librdkafka resets it. */
static void reset(struct kafka_consumer *consumer, rd_kafka_topic_partition_list_t *list)
{
    const struct kafka_config *config = consumer->handle.opaque.config;
    rd_kafka_topic_partition_list_t *open = rd_kafka_topic_partition_list_new(list->cnt);
    for (int i = 0; i < list->cnt && !config->no_reset; i++) {
        if (list->elems[i].offset == RD_KAFKA_OFFSET_INVALID) {
            rd_kafka_topic_partition_list_add(open, list->elems[i].topic, list->elems[i].partition)
                ->offset = config->from_beginning ? BROKER_BEGINNING : BROKER_END;
        }
    }
    if (open->cnt > 0 && !rd_kafka_offsets_for_times(consumer->handle.rk, open, LOOK_UP_MS)) {
        for (int i = 0; i < open->cnt; i++) {
            if (!open->elems[i].err && open->elems[i].offset >= 0) {
                (void)rd_kafka_topic_partition_list_set_offset(
                    list, open->elems[i].topic, open->elems[i].partition, open->elems[i].offset);
            }
        }
    }
    rd_kafka_topic_partition_list_destroy(open);
}

/* Offsets of where to begin: committed ones, else by auto.offset.reset. */
static void look_up(struct kafka_consumer *consumer, rd_kafka_topic_partition_list_t *list)
{
    int64_t deadline = clock_monotonic_ms() + LOOK_UP_MS;
    int left = LOOK_UP_MS;
    for (int tries = 1; ask_committed(consumer, list, left) > 0; tries++) {
        left = (int)(deadline - clock_monotonic_ms());
        if (tries == LOOK_UP_TRIES || left <= ASK_AGAIN_MS ||
            consumer->failure.code != ERROR_NONE) {
            break;
        }
        (void)usleep(ASK_AGAIN_MS * 1000);
    }
    reset(consumer, list);
}

/*
 * Partitions whose committed offset the coordinator did not tell in time. librdkafka would forget such a
 * partition, or take "not told" for "there is none"; so it is given one to begin with, what it reads from
 * there is dropped, and it is sent to the right place once that is known.
 */
void kafka_group_ask(struct kafka_consumer *consumer)
{
    if (consumer->ask_at == 0 || clock_monotonic_ms() < consumer->ask_at) {
        return;
    }
    const struct kafka_config *config = consumer->handle.opaque.config;
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new((int)consumer->held_count);
    for (size_t i = 0; i < consumer->held_count; i++) {
        if (consumer->held[i].unknown) {
            (void)rd_kafka_topic_partition_list_add(list, consumer->held[i].topic,
                                                    consumer->held[i].partition);
        }
    }
    int unknown = list->cnt > 0 ? ask_committed(consumer, list, ASK_MS) : 0;
    reset(consumer, list);
    for (int i = 0; i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *item = &list->elems[i];
        struct kafka_held *held = kafka_consumer_find(consumer, item->topic, item->partition);
        struct error error = {0};
        if (!held || item->offset == RD_KAFKA_OFFSET_STORED) {
            continue;
        }
        if (item->offset == RD_KAFKA_OFFSET_INVALID && config->no_reset) {
            kafka_consumer_error(consumer, RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET, NULL, item->topic,
                                 item->partition);
            continue;
        }
        int64_t to = item->offset >= 0         ? item->offset
                     : config->from_beginning  ? RD_KAFKA_OFFSET_BEGINNING
                                               : RD_KAFKA_OFFSET_END;
        if (kafka_consumer_move(consumer, held, to, &error) == 0) {
            held->position = to >= 0 ? to : BROKER_NO_OFFSET;
            held->unknown = false;
            kafka_chunk_forget(consumer, held->topic, held->partition);
        } else {
            unknown++;
            error_clear(&error);
        }
    }
    rd_kafka_topic_partition_list_destroy(list);
    consumer->ask_at = unknown > 0 ? clock_monotonic_ms() + ASK_AGAIN_MS : 0;
}

/* -- rebalances -- */

static void apply(struct kafka_consumer *consumer, rd_kafka_topic_partition_list_t *list,
                  bool assign)
{
    rd_kafka_t *rk = consumer->handle.rk;
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (consumer->closing) {
        (void)rd_kafka_assign(rk, NULL);
        return;
    }
    const char *protocol = rd_kafka_rebalance_protocol(rk); /* NULL while it terminates */
    if (protocol && strcmp(protocol, "COOPERATIVE") == 0) {
        rd_kafka_error_t *failed = assign ? rd_kafka_incremental_assign(rk, list)
                                          : rd_kafka_incremental_unassign(rk, list);
        if (failed) {
            code = rd_kafka_error_code(failed);
            rd_kafka_error_destroy(failed);
        }
    } else {
        code = rd_kafka_assign(rk, assign ? list : NULL);
    }
    if (code) {
        log_warn(KAFKA_LOGGER, "%s of %d partitions: %s", assign ? "Assignment" : "Revocation",
                 list->cnt, rd_kafka_err2str(code));
    }
}

/* The ones of list that are ours, or all of it. NULL: no memory. */
static struct broker_partition *ours(struct kafka_consumer *consumer,
                                     const rd_kafka_topic_partition_list_t *list, size_t *ret_count)
{
    struct broker_partition *partitions = calloc((size_t)list->cnt + 1, sizeof(*partitions));
    *ret_count = 0;
    for (int i = 0; partitions && i < list->cnt; i++) {
        const struct kafka_held *held =
            kafka_consumer_find(consumer, list->elems[i].topic, list->elems[i].partition);
        if (held) {
            partitions[(*ret_count)++] = (struct broker_partition){held->topic, held->partition};
        }
    }
    return partitions;
}

static void on_assigned(struct kafka_consumer *consumer, rd_kafka_topic_partition_list_t *list)
{
    if (consumer->closing) {
        apply(consumer, list, true);
        return;
    }
    look_up(consumer, list);
    for (int i = 0; i < list->cnt; i++) {
        rd_kafka_topic_partition_t *item = &list->elems[i];
        kafka_consumer_let_go(consumer, item->topic, item->partition);
        struct kafka_held *held =
            kafka_consumer_hold(consumer, item->topic, item->partition,
                                item->offset >= 0 ? item->offset : BROKER_NO_OFFSET);
        if (!held) {
            abort(); /* the crash record tells; nothing acknowledged is lost */
        }
        if (item->offset == RD_KAFKA_OFFSET_STORED) {
            held->unknown = true;
            consumer->ask_at = clock_monotonic_ms() + ASK_AGAIN_MS;
            item->offset = RD_KAFKA_OFFSET_END;
        }
        kafka_consumer_forward(consumer, item->topic, item->partition);
    }
    apply(consumer, list, true);
    kafka_handle_works(&consumer->handle);
    size_t count;
    struct broker_partition *partitions = ours(consumer, list, &count);
    if (count > 0 && consumer->events.assigned) {
        consumer->events.assigned(consumer->events.user, partitions, count);
    }
    free(partitions);
}

static void on_revoked(struct kafka_consumer *consumer, rd_kafka_topic_partition_list_t *list)
{
    size_t count;
    struct broker_partition *partitions = ours(consumer, list, &count);
    bool lost = rd_kafka_assignment_lost(consumer->handle.rk);
    if (count > 0 && lost && consumer->events.lost) {
        consumer->events.lost(consumer->events.user, partitions, count);
    } else if (count > 0 && !lost && consumer->events.revoked) {
        consumer->events.revoked(consumer->events.user, partitions, count);
    }
    for (size_t i = 0; i < count; i++) {
        kafka_consumer_let_go(consumer, partitions[i].topic, partitions[i].partition);
    }
    free(partitions);
    apply(consumer, list, false);
}

static void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                         rd_kafka_topic_partition_list_t *list, void *opaque)
{
    struct kafka_consumer *consumer = ((struct kafka_handle *)opaque)->owner;
    if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        on_assigned(consumer, list);
    } else if (code == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS) {
        on_revoked(consumer, list);
    } else {
        log_warn(KAFKA_LOGGER, "%s: rebalance failed: %s", rd_kafka_name(rk),
                 rd_kafka_err2str(code));
        (void)rd_kafka_assign(rk, NULL);
    }
}

void kafka_group_prepare(rd_kafka_conf_t *conf)
{
    rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
}

int kafka_subscribe(struct broker_consumer *base, const char *const *topics, size_t count,
                    struct error *error)
{
    struct kafka_consumer *consumer = (struct kafka_consumer *)base;
    if (!consumer->grouped) {
        return error_set_class(
            error, ERROR_CONFIG, "org.apache.kafka.common.errors.InvalidGroupIdException",
            "To use the group management or offset commit APIs, you must provide a valid group.id in "
            "the consumer configuration.");
    }
    for (size_t i = 0; i < count; i++) { /* what begins with ^ librdkafka would take for a pattern */
        const char *wrong = topic_name_wrong(topics[i], strlen(topics[i]));
        if (wrong) {
            return error_set_class(error, ERROR_INVALID_TOPIC,
                                   "org.apache.kafka.common.errors.InvalidTopicException",
                                   "Topic name '%s' is not valid: %s", topics[i], wrong);
        }
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++) {
        rd_kafka_topic_partition_list_add(list, topics[i], RD_KAFKA_PARTITION_UA);
    }
    rd_kafka_resp_err_t code = count > 0 ? rd_kafka_subscribe(consumer->handle.rk, list)
                                         : rd_kafka_unsubscribe(consumer->handle.rk);
    if (code) {
        rd_kafka_topic_partition_list_destroy(list);
        return kafka_error(error, code, NULL, "Subscribing to %zu topics", count);
    }
    if (consumer->topics) {
        rd_kafka_topic_partition_list_destroy(consumer->topics);
    }
    consumer->topics = list;
    consumer->subscribed = true;
    return 0;
}

/* -- subscribed topics that do not exist -- */

/*
 * librdkafka would find them when it next refreshes its metadata, minutes later. Java's consumer asks
 * at once and often, which also makes the topic where the broker may do so; so do we, and subscribe
 * anew once it is there.
 */
void kafka_group_miss(struct kafka_consumer *consumer, const char *topic)
{
    if (!consumer->missing) {
        consumer->missing = rd_kafka_topic_partition_list_new(1);
    }
    if (rd_kafka_topic_partition_list_find(consumer->missing, topic, RD_KAFKA_PARTITION_UA)) {
        return;
    }
    rd_kafka_topic_partition_list_add(consumer->missing, topic, RD_KAFKA_PARTITION_UA);
    consumer->look_wait = FIRST_LOOK_MS;
    consumer->look_at = clock_monotonic_ms();
    struct error error = {0};
    (void)kafka_error(&error, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, NULL,
                      "Subscribed topic %s does not exist (it is read as soon as it does)", topic);
    if (consumer->events.fault) {
        consumer->events.fault(consumer->events.user, &error);
    }
    error_clear(&error);
}

static bool topic_exists(struct kafka_consumer *consumer, const char *name)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(consumer->handle.rk, name, NULL);
    bool exists = false;
    if (topic && rd_kafka_metadata(consumer->handle.rk, 0, topic, &metadata, LOOK_TIMEOUT_MS) ==
                     RD_KAFKA_RESP_ERR_NO_ERROR) {
        exists = metadata->topic_cnt == 1 && !metadata->topics[0].err;
        rd_kafka_metadata_destroy(metadata);
    }
    if (topic) {
        rd_kafka_topic_destroy(topic);
    }
    return exists;
}

void kafka_group_look(struct kafka_consumer *consumer)
{
    if (consumer->look_at == 0 || clock_monotonic_ms() < consumer->look_at) {
        return;
    }
    bool found = false;
    for (int i = consumer->missing->cnt - 1; i >= 0; i--) {
        const char *topic = consumer->missing->elems[i].topic;
        bool wanted = rd_kafka_topic_partition_list_find(consumer->topics, topic,
                                                         RD_KAFKA_PARTITION_UA) != NULL;
        bool exists = wanted && topic_exists(consumer, topic);
        found = found || exists;
        if (!wanted || exists) {
            (void)rd_kafka_topic_partition_list_del_by_idx(consumer->missing, i);
        }
    }
    if (found) {
        (void)rd_kafka_subscribe(consumer->handle.rk, consumer->topics);
    }
    consumer->look_at =
        consumer->missing->cnt > 0 ? clock_monotonic_ms() + consumer->look_wait : 0;
    consumer->look_wait =
        consumer->look_wait * 2 < LAST_LOOK_MS ? consumer->look_wait * 2 : LAST_LOOK_MS;
}

/* -- end -- */

void kafka_group_leave(struct kafka_consumer *consumer)
{
    if (!consumer->grouped) {
        return;
    }
    /* Everything is given up while librdkafka's group still answers: it may end itself while a
     * callback of its own close runs, and then answers nobody any more. */
    rd_kafka_t *rk = consumer->handle.rk;
    int64_t deadline = clock_monotonic_ms() + LEAVE_MS;
    if (consumer->subscribed) {
        (void)rd_kafka_unsubscribe(rk);
        while (consumer->held_count > 0 && clock_monotonic_ms() < deadline) {
            rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, LEAVE_POLL_MS);
            if (message) {
                rd_kafka_message_destroy(message);
            }
        }
    }
    consumer->closing = true;
    (void)rd_kafka_consumer_close(rk);
    kafka_commit_end(consumer);
}
