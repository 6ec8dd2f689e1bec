/*
 * Consumer of Kafka: life, polling, positions. Each partition's messages are forwarded to one queue of
 * ours (`messages`); rebalances, outcomes of commits and faults come on librdkafka's own (`control`).
 * So messages are taken in batches while nothing else happens, which librdkafka's batch call needs.
 * Positions are counted here. All on the thread that polls, but wake() and releasing chunks.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/broker/kafka.h"
#include "core/broker/topic_name.h"

enum { POSITION_MS = 10000, SEEK_MS = 10000, SEEK_AGAIN_MS = 5, FETCHED_MOST = 4 << 20 };

static const uint64_t one = 1;

/* -- partitions -- */

const char *kafka_consumer_name(struct kafka_consumer *consumer, const char *topic)
{
    for (struct kafka_name *name = consumer->names; name; name = name->next) {
        if (strcmp(name->text, topic) == 0) {
            return name->text;
        }
    }
    size_t size = strlen(topic) + 1;
    struct kafka_name *name = malloc(sizeof(*name) + size);
    if (!name) {
        return NULL;
    }
    memcpy(name->text, topic, size);
    name->next = consumer->names;
    consumer->names = name;
    return name->text;
}

struct kafka_held *kafka_consumer_find(struct kafka_consumer *consumer, const char *topic,
                                       int32_t partition)
{
    for (size_t i = 0; i < consumer->held_count; i++) {
        struct kafka_held *held = &consumer->held[i];
        if (held->partition == partition && strcmp(held->topic, topic) == 0) {
            return held;
        }
    }
    return NULL;
}

void kafka_consumer_forward(struct kafka_consumer *consumer, const char *topic, int32_t partition)
{
    rd_kafka_queue_t *queue =
        rd_kafka_queue_get_partition(consumer->handle.rk, topic, partition);
    if (queue) {
        rd_kafka_queue_forward(queue, consumer->messages);
        rd_kafka_queue_destroy(queue);
    }
}

struct kafka_held *kafka_consumer_hold(struct kafka_consumer *consumer, const char *topic,
                                       int32_t partition, int64_t position)
{
    if (consumer->held_count == consumer->held_capacity) {
        size_t capacity = consumer->held_capacity ? consumer->held_capacity * 2 : 16;
        struct kafka_held *grown = realloc(consumer->held, capacity * sizeof(*grown));
        if (!grown) {
            return NULL;
        }
        consumer->held = grown;
        consumer->held_capacity = capacity;
    }
    const char *name = kafka_consumer_name(consumer, topic);
    if (!name) {
        return NULL;
    }
    struct kafka_held *held = &consumer->held[consumer->held_count++];
    *held = (struct kafka_held){
        .topic = name, .partition = partition, .position = position, .end = -1};
    return held;
}

void kafka_consumer_let_go(struct kafka_consumer *consumer, const char *topic, int32_t partition)
{
    struct kafka_held *held = kafka_consumer_find(consumer, topic, partition);
    if (!held) {
        return;
    }
    if (held->simple) {
        (void)rd_kafka_consume_stop(held->simple, partition);
        rd_kafka_topic_destroy(held->simple);
    }
    *held = consumer->held[--consumer->held_count];
    consumer->last = 0;
    kafka_chunk_forget(consumer, topic, partition);
}

static int not_assigned(const char *topic, int32_t partition, struct error *error)
{
    return error_set_class(error, ERROR_UNKNOWN_PARTITION, "java.lang.IllegalStateException",
                           "No current assignment for partition %s-%d", topic, partition);
}

/* -- faults -- */

bool kafka_consumer_ends(rd_kafka_resp_err_t code)
{
    switch (code) {
    case RD_KAFKA_RESP_ERR__FATAL:
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
    case RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL:
    case RD_KAFKA_RESP_ERR_INVALID_GROUP_ID:
    case RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
    case RD_KAFKA_RESP_ERR__BAD_MSG:
    case RD_KAFKA_RESP_ERR__BAD_COMPRESSION:
        return true;
    default:
        return false;
    }
}

void kafka_consumer_error(struct kafka_consumer *consumer, rd_kafka_resp_err_t code,
                          const char *detail, const char *topic, int32_t partition)
{
    char text[512];
    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        code = rd_kafka_fatal_error(consumer->handle.rk, text, sizeof(text));
        detail = text;
    } else if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART && topic && consumer->subscribed) {
        kafka_group_miss(consumer, topic);
        return;
    } else if (!kafka_consumer_ends(code)) {
        kafka_handle_fault(&consumer->handle, code, detail);
        return;
    }
    if (consumer->failure.code == ERROR_NONE) {
        if (topic && partition >= 0) {
            (void)kafka_error(&consumer->failure, code, detail, "Reading %s-%d", topic, partition);
        } else if (topic) {
            (void)kafka_error(&consumer->failure, code, detail, "Reading topic %s", topic);
        } else {
            const char *group = consumer->handle.opaque.config->group_id;
            (void)kafka_error(&consumer->failure, code, detail, "Consumer group %s",
                              group ? group : "(none)");
        }
        consumer->failure.retriable = false;
    }
}

/* Says a new fault once; a refusal that lasts ends the consumer. */
static void tell_faults(struct kafka_consumer *consumer)
{
    struct kafka_faults *faults = &consumer->handle.faults;
    struct error error = {0};
    pthread_mutex_lock(&faults->lock);
    bool fresh = faults->changes != consumer->told;
    consumer->told = faults->changes;
    if (fresh && faults->code) {
        (void)kafka_error(&error, faults->code, faults->text, "bootstrap.servers=%s",
                          consumer->handle.opaque.config->servers);
    }
    pthread_mutex_unlock(&faults->lock);
    if (error.code != ERROR_NONE && consumer->events.fault) {
        consumer->events.fault(consumer->events.user, &error);
    }
    error_clear(&error);
    if (consumer->failure.code == ERROR_NONE) {
        (void)kafka_handle_refused(&consumer->handle, &consumer->failure);
    }
}

/* -- polling -- */

static int serve_control(struct kafka_consumer *consumer, struct error *error)
{
    rd_kafka_t *rk = consumer->handle.rk;
    if (!consumer->grouped) {
        (void)rd_kafka_poll(rk, 0);
        return 0;
    }
    kafka_group_look(consumer);
    kafka_group_ask(consumer);
    kafka_group_watch(consumer);
    rd_kafka_message_t *message;
    while ((message = rd_kafka_consumer_poll(rk, 0))) { /* it keeps max.poll.interval.ms alive too */
        if (!message->err) {
            /* A partition that went and came back at once: librdkafka reset where its messages go.
             * Those that are here already come before all that go to our queue from now on. */
            kafka_consumer_forward(consumer, rd_kafka_topic_name(message->rkt), message->partition);
            if (kafka_chunk_stash(consumer, message) != 0) {
                rd_kafka_message_destroy(message);
                return error_set(error, ERROR_NO_MEMORY, "No memory for messages");
            }
            continue;
        }
        kafka_consumer_error(consumer, message->err, rd_kafka_message_errstr(message),
                             message->rkt ? rd_kafka_topic_name(message->rkt) : NULL,
                             message->rkt ? message->partition : -1);
        rd_kafka_message_destroy(message);
    }
    return 0;
}

/* Until something is in a queue, a wake or the deadline. */
static void wait_once(struct kafka_consumer *consumer, int64_t deadline)
{
    int64_t left = deadline - clock_monotonic_ms();
    struct pollfd fd = {.fd = consumer->wake, .events = POLLIN};
    if (poll(&fd, 1, left < 0 ? 0 : (int)left) > 0) {
        uint64_t value;
        (void)!read(consumer->wake, &value, sizeof(value));
    }
}

int kafka_poll(struct broker_consumer *base, int timeout_ms, size_t max_messages, size_t max_bytes,
               struct broker_chunk **ret_chunk, struct error *error)
{
    struct kafka_consumer *consumer = (struct kafka_consumer *)base;
    int64_t deadline = clock_monotonic_ms() + (timeout_ms < 0 ? INT32_MAX : timeout_ms);
    *ret_chunk = NULL;
    for (;;) {
        if (serve_control(consumer, error) != 0 ||
            (consumer->failure.code == ERROR_NONE &&
             kafka_chunk_fetch(consumer, max_messages, max_bytes, ret_chunk, error) != 0)) {
            return -1;
        }
        consumer->busy = *ret_chunk != NULL;
        if (*ret_chunk) {
            kafka_handle_works(&consumer->handle);
            return 0;
        }
        tell_faults(consumer);
        if (consumer->failure.code != ERROR_NONE) {
            *error = consumer->failure;
            consumer->failure = (struct error){0};
            return -1;
        }
        if (atomic_exchange(&consumer->woken, false) || clock_monotonic_ms() >= deadline) {
            return 0;
        }
        int64_t until = deadline;
        until = consumer->look_at != 0 && consumer->look_at < until ? consumer->look_at : until;
        until = consumer->ask_at != 0 && consumer->ask_at < until ? consumer->ask_at : until;
        wait_once(consumer, until);
    }
}

void kafka_consumer_wake(struct broker_consumer *base)
{
    struct kafka_consumer *consumer = (struct kafka_consumer *)base;
    atomic_store(&consumer->woken, true);
    (void)!write(consumer->wake, &one, sizeof(one));
}

/* -- what is read -- */

static void let_all_go(struct kafka_consumer *consumer)
{
    while (consumer->held_count > 0) {
        struct kafka_held *held = &consumer->held[consumer->held_count - 1];
        kafka_consumer_let_go(consumer, held->topic, held->partition);
    }
}

/* Without a group librdkafka's older interface is used: the newer one asks for the group's
 * coordinator even where nothing is committed, which needs rights that a plain reader may lack. */
static int start_simple(struct kafka_consumer *consumer, struct kafka_held *held,
                        struct error *error)
{
    rd_kafka_topic_t *topic = rd_kafka_topic_new(consumer->handle.rk, held->topic, NULL);
    if (!topic ||
        rd_kafka_consume_start_queue(topic, held->partition, held->position, consumer->messages) != 0) {
        rd_kafka_resp_err_t code = rd_kafka_last_error();
        if (topic) {
            rd_kafka_topic_destroy(topic);
        }
        return kafka_error(error, code, NULL, "Reading %s-%d", held->topic, held->partition);
    }
    held->simple = topic;
    return 0;
}

int kafka_assign(struct broker_consumer *base, const struct broker_offset *offsets, size_t count,
                 struct error *error)
{
    struct kafka_consumer *consumer = (struct kafka_consumer *)base;
    if (consumer->subscribed) {
        return error_set_class(
            error, ERROR_CONFLICT, "java.lang.IllegalStateException",
            "Subscription to topics, partitions and pattern are mutually exclusive");
    }
    let_all_go(consumer);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    int result = 0;
    for (size_t i = 0; i < count && result == 0; i++) {
        const char *wrong = topic_name_wrong(offsets[i].topic, strlen(offsets[i].topic));
        if (wrong) {
            result = error_set_class(error, ERROR_INVALID_TOPIC,
                                     "org.apache.kafka.common.errors.InvalidTopicException",
                                     "Topic name '%s' is not valid: %s", offsets[i].topic, wrong);
            break;
        }
        struct kafka_held *held = kafka_consumer_hold(consumer, offsets[i].topic,
                                                      offsets[i].partition, offsets[i].offset);
        if (!held) {
            result = error_set(error, ERROR_NO_MEMORY, "No memory for an assignment");
        } else if (!consumer->grouped) {
            result = start_simple(consumer, held, error);
        } else {
            kafka_consumer_forward(consumer, held->topic, held->partition);
            rd_kafka_topic_partition_list_add(list, held->topic, held->partition)->offset =
                held->position;
        }
    }
    if (result == 0 && consumer->grouped) {
        rd_kafka_resp_err_t code = rd_kafka_assign(consumer->handle.rk, list);
        if (code) {
            result = kafka_error(error, code, NULL, "Assigning %zu partitions", count);
        }
    }
    rd_kafka_topic_partition_list_destroy(list);
    if (result != 0) {
        let_all_go(consumer);
    }
    return result;
}

/* Pausing makes librdkafka drop what it fetched and read it again, so it is done where it changes. */
static int pause_or_resume(struct kafka_consumer *consumer,
                           const struct broker_partition *partitions, size_t count, bool pause,
                           struct error *error)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    int result = 0;
    for (size_t i = 0; i < count && result == 0; i++) {
        struct kafka_held *held =
            kafka_consumer_find(consumer, partitions[i].topic, partitions[i].partition);
        if (!held) {
            result = not_assigned(partitions[i].topic, partitions[i].partition, error);
        } else if (held->paused != pause) {
            held->paused = pause;
            rd_kafka_topic_partition_list_add(list, held->topic, held->partition);
        }
    }
    if (list->cnt > 0) {
        rd_kafka_resp_err_t code = pause ? rd_kafka_pause_partitions(consumer->handle.rk, list)
                                         : rd_kafka_resume_partitions(consumer->handle.rk, list);
        if (code && result == 0) {
            result = kafka_error(error, code, NULL, "%s partitions", pause ? "Pausing" : "Resuming");
        }
    }
    rd_kafka_topic_partition_list_destroy(list);
    return result;
}

int kafka_pause(struct broker_consumer *base, const struct broker_partition *partitions,
                size_t count, struct error *error)
{
    return pause_or_resume((struct kafka_consumer *)base, partitions, count, true, error);
}

int kafka_resume(struct broker_consumer *base, const struct broker_partition *partitions,
                 size_t count, struct error *error)
{
    return pause_or_resume((struct kafka_consumer *)base, partitions, count, false, error);
}

int kafka_consumer_move(struct kafka_consumer *consumer, const struct kafka_held *held,
                        int64_t offset, struct error *error)
{
    int64_t deadline = clock_monotonic_ms() + SEEK_MS;
    for (;;) {
        rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
        rd_kafka_topic_partition_t *item =
            rd_kafka_topic_partition_list_add(list, held->topic, held->partition);
        item->offset = offset;
        rd_kafka_error_t *failed =
            rd_kafka_seek_partitions(consumer->handle.rk, list, SEEK_MS);
        rd_kafka_resp_err_t code = failed ? rd_kafka_error_code(failed) : item->err;
        rd_kafka_error_destroy(failed);
        rd_kafka_topic_partition_list_destroy(list);
        if (!code) {
            return 0;
        }
        /* An assignment that librdkafka's own thread has not begun yet; it tells nobody when. */
        bool soon = code == RD_KAFKA_RESP_ERR__STATE || code == RD_KAFKA_RESP_ERR__PREV_IN_PROGRESS;
        if (!soon || clock_monotonic_ms() >= deadline) {
            return kafka_error(error, code, NULL, "Seeking %s-%d to %lld", held->topic,
                               held->partition, (long long)offset);
        }
        (void)poll(NULL, 0, SEEK_AGAIN_MS);
    }
}

int kafka_seek(struct broker_consumer *base, const struct broker_offset *offset,
               struct error *error)
{
    struct kafka_consumer *consumer = (struct kafka_consumer *)base;
    struct kafka_held *held = kafka_consumer_find(consumer, offset->topic, offset->partition);
    if (!held) {
        return not_assigned(offset->topic, offset->partition, error);
    }
    if (kafka_consumer_move(consumer, held, offset->offset, error) != 0) {
        return -1;
    }
    held->position = offset->offset;
    held->unknown = false;
    kafka_chunk_forget(consumer, held->topic, held->partition);
    return 0;
}

int kafka_position(struct broker_consumer *base, const struct broker_partition *partition,
                   int64_t *ret_offset, struct error *error)
{
    struct kafka_consumer *consumer = (struct kafka_consumer *)base;
    struct kafka_held *held =
        kafka_consumer_find(consumer, partition->topic, partition->partition);
    if (!held) {
        return not_assigned(partition->topic, partition->partition, error);
    }
    if (held->position < 0 && consumer->subscribed) { /* the look-up failed; the first message tells */
        return error_set(error, ERROR_TIMEOUT, "Position of %s-%d is not known yet", held->topic,
                         (int)held->partition);
    }
    if (held->position < 0) {
        int64_t low, high;
        rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(
            consumer->handle.rk, held->topic, held->partition, &low, &high, POSITION_MS);
        if (code) {
            return kafka_error(error, code, NULL, "Position of %s-%d", held->topic,
                               held->partition);
        }
        *ret_offset = held->position == BROKER_BEGINNING ? low : high;
        return 0;
    }
    *ret_offset = held->position;
    return 0;
}

/* Markers of transactions have offsets but are no messages: librdkafka's position goes past them. */
static bool only_markers_left(struct kafka_consumer *consumer, const struct kafka_held *held)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    (void)rd_kafka_topic_partition_list_add(list, held->topic, held->partition);
    bool past = rd_kafka_position(consumer->handle.rk, list) == RD_KAFKA_RESP_ERR_NO_ERROR &&
                list->elems[0].offset >= held->end;
    rd_kafka_topic_partition_list_destroy(list);
    return past;
}

int64_t kafka_end_offset(struct broker_consumer *base, const struct broker_partition *partition)
{
    struct kafka_consumer *consumer = (struct kafka_consumer *)base;
    struct kafka_held *held =
        kafka_consumer_find(consumer, partition->topic, partition->partition);
    if (!held) {
        return -1;
    }
    if (held->end < 0) {
        kafka_chunk_note_end(consumer, held);
    }
    if (!consumer->busy && held->position >= 0 && held->end > held->position &&
        only_markers_left(consumer, held)) {
        held->end = held->position;
    }
    return held->end;
}

/* -- beginning and end -- */

static void prepare(rd_kafka_conf_t *conf)
{
    kafka_group_prepare(conf);
    /* Before 2.13.2 librdkafka counts each end-of-partition note as a message when it remembers where to
     * go on after a pause, and so skips one. */
    (void)rd_kafka_conf_set(conf, "enable.partition.eof", "false", NULL, 0);
    /* Topics that do not exist are told at once: kafka_group_miss() looks after them. */
    (void)rd_kafka_conf_set(conf, "topic.metadata.propagation.max.ms", "0", NULL, 0);
}

/*
 * Buffers of a megabyte come and go with every fetch. glibc would map and unmap them, or give the end of
 * its heap back each time, and each page would be cleared anew when it is next touched. It learns from
 * the largest mapped block that is freed: such blocks come from the heap from then on, whose end stays
 * up to twice their size. (Setting the limits instead would end that learning for all others.)
 */
static void keep_fetched_memory(void)
{
    void *volatile block = malloc(FETCHED_MOST);
    free(block);
}

void kafka_consumer_unreference(struct kafka_consumer *consumer)
{
    if (atomic_fetch_sub(&consumer->references, 1) != 1) {
        return;
    }
    if (consumer->control) {
        rd_kafka_queue_destroy(consumer->control);
    }
    if (consumer->messages) {
        rd_kafka_queue_destroy(consumer->messages);
    }
    if (consumer->answers) {
        rd_kafka_queue_destroy(consumer->answers);
    }
    kafka_handle_finish(&consumer->handle);
    while (consumer->names) {
        struct kafka_name *next = consumer->names->next;
        free(consumer->names);
        consumer->names = next;
    }
    kafka_chunk_free_spare(consumer);
    if (consumer->topics) {
        rd_kafka_topic_partition_list_destroy(consumer->topics);
    }
    if (consumer->missing) {
        rd_kafka_topic_partition_list_destroy(consumer->missing);
    }
    free(consumer->held);
    free(consumer->stash);
    error_clear(&consumer->failure);
    if (consumer->wake >= 0) {
        close(consumer->wake);
    }
    pthread_mutex_destroy(&consumer->chunk_lock);
    free(consumer);
}

int kafka_consumer_create(struct broker *broker, const struct properties *properties,
                          const struct broker_consumer_events *events,
                          struct broker_consumer **ret_consumer, struct error *error)
{
    (void)broker;
    struct kafka_consumer *consumer = calloc(1, sizeof(*consumer));
    if (!consumer) {
        return error_set(error, ERROR_NO_MEMORY, "No memory for a consumer");
    }
    keep_fetched_memory();
    consumer->base.impl = &broker_kafka;
    consumer->events = events ? *events : (struct broker_consumer_events){0};
    consumer->average = 1024;
    atomic_init(&consumer->references, 1);
    pthread_mutex_init(&consumer->chunk_lock, NULL);
    consumer->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (consumer->wake < 0) {
        (void)error_set_errno(error, errno, "A consumer cannot be created");
        kafka_consumer_unreference(consumer);
        return -1;
    }
    if (kafka_handle_start(&consumer->handle, properties, KAFKA_CONSUMER, prepare, consumer,
                           error) != 0) {
        kafka_consumer_unreference(consumer);
        return -1;
    }
    rd_kafka_t *rk = consumer->handle.rk;
    consumer->grouped = consumer->handle.opaque.config->group_id != NULL;
    if (consumer->grouped) {
        (void)rd_kafka_poll_set_consumer(rk);
    }
    consumer->control =
        consumer->grouped ? rd_kafka_queue_get_consumer(rk) : rd_kafka_queue_get_main(rk);
    consumer->messages = rd_kafka_queue_new(rk);
    rd_kafka_queue_io_event_enable(consumer->control, consumer->wake, &one, sizeof(one));
    rd_kafka_queue_io_event_enable(consumer->messages, consumer->wake, &one, sizeof(one));
    *ret_consumer = &consumer->base;
    return 0;
}

void kafka_consumer_destroy(struct broker_consumer *base)
{
    struct kafka_consumer *consumer = (struct kafka_consumer *)base;
    kafka_group_leave(consumer);
    let_all_go(consumer);
    kafka_chunk_forget(consumer, NULL, 0);
    rd_kafka_queue_io_event_enable(consumer->control, -1, NULL, 0);
    rd_kafka_queue_io_event_enable(consumer->messages, -1, NULL, 0);
    kafka_consumer_unreference(consumer);
}
