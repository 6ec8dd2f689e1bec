/*
 * Producer of Kafka. Order, retries and acknowledgements are librdkafka's; here records are handed
 * over, in batches where they need neither headers nor a timestamp, and deliveries are handed out.
 * send() is one thread's, poll() another's; `lock` guards what send() refuses until poll() tells.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "core/broker/kafka.h"
#include "core/broker/topic_name.h"

enum { DELIVERIES = 512, PRODUCE_BATCH = 256, TOPIC_BUCKETS = 64, LOOK_MS = 1000 };

struct topic_entry {
    struct topic_entry *next;
    rd_kafka_topic_t *topic;
    char name[];
};

/* A record that librdkafka did not take; its delivery is a failure. */
struct refused {
    void *opaque;
    struct error error;
};

struct kafka_producer {
    struct broker_producer base;
    struct kafka_handle handle;
    broker_delivery_fn delivered;
    void *user;
    rd_kafka_queue_t *queue;
    atomic_size_t pending;

    struct topic_entry *topics[TOPIC_BUCKETS]; /* the sending thread's */
    struct topic_entry *last;
    rd_kafka_message_t batch[PRODUCE_BATCH];

    pthread_mutex_t lock;
    struct refused *refused;
    size_t refused_count, refused_capacity;

    uint64_t told; /* handle.faults.changes when it was logged last; the polling thread's */
    struct broker_delivery deliveries[DELIVERIES];
    struct error errors[DELIVERIES];
    const rd_kafka_message_t *messages[DELIVERIES];
};

/* -- sending thread -- */

static struct topic_entry *topic_of(struct kafka_producer *producer, const char *name)
{
    if (producer->last && strcmp(producer->last->name, name) == 0) {
        return producer->last;
    }
    size_t size = strlen(name);
    struct topic_entry **at = &producer->topics[topic_murmur2(name, size) % TOPIC_BUCKETS];
    while (*at && strcmp((*at)->name, name) != 0) {
        at = &(*at)->next;
    }
    if (!*at) {
        struct topic_entry *entry = malloc(sizeof(*entry) + size + 1);
        if (!entry) {
            return NULL;
        }
        entry->next = NULL;
        memcpy(entry->name, name, size + 1);
        entry->topic = rd_kafka_topic_new(producer->handle.rk, name, NULL);
        if (!entry->topic) {
            free(entry);
            return NULL;
        }
        *at = entry;
    }
    producer->last = *at;
    return *at;
}

static void refuse(struct kafka_producer *producer, const struct broker_message *message,
                   rd_kafka_resp_err_t code, const char *why)
{
    pthread_mutex_lock(&producer->lock);
    if (producer->refused_count == producer->refused_capacity) {
        size_t capacity = producer->refused_capacity ? producer->refused_capacity * 2 : 16;
        struct refused *grown = realloc(producer->refused, capacity * sizeof(*grown));
        if (!grown) {
            abort(); /* the crash record tells; the record's source offset stays behind */
        }
        producer->refused = grown;
        producer->refused_capacity = capacity;
    }
    struct refused *refused = &producer->refused[producer->refused_count++];
    *refused = (struct refused){.opaque = message->opaque};
    char text[512];
    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        code = rd_kafka_fatal_error(producer->handle.rk, text, sizeof(text));
        why = text;
    }
    if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
        (void)error_set_class(&refused->error, ERROR_TOO_LARGE,
                              "org.apache.kafka.common.errors.RecordTooLargeException",
                              "A record of %llu bytes for topic %s is larger than %lld, which is the "
                              "value of the max.request.size configuration",
                              (unsigned long long)message->value_size + message->key_size,
                              message->topic, (long long)producer->handle.opaque.config->max_request);
    } else {
        (void)kafka_error(&refused->error, code, why, "Producing to topic %s", message->topic);
    }
    atomic_fetch_add(&producer->pending, 1);
    pthread_mutex_unlock(&producer->lock);
    rd_kafka_queue_yield(producer->queue);
}

static rd_kafka_resp_err_t produce_one(struct kafka_producer *producer, rd_kafka_topic_t *topic,
                                       const struct broker_message *message, int flags)
{
    rd_kafka_headers_t *headers = NULL;
    if (message->header_count > 0) {
        headers = rd_kafka_headers_new(message->header_count);
        for (uint32_t i = 0; i < message->header_count; i++) {
            const struct broker_header *header = &message->headers[i];
            (void)rd_kafka_header_add(headers, header->name, -1, header->value,
                                      header->value ? (ssize_t)header->size : 0);
        }
    }
    atomic_fetch_add(&producer->pending, 1); /* before its delivery can come */
    rd_kafka_vu_t values[8] = {
        {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = topic},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = message->partition},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = flags},
        {.vtype = RD_KAFKA_VTYPE_VALUE,
         .u.mem = {(void *)(uintptr_t)message->value, message->value_size}},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)message->key, message->key_size}},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = message->opaque},
    };
    size_t count = 6;
    if (message->timestamp != BROKER_NO_TIMESTAMP) {
        values[count++] =
            (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = message->timestamp};
    }
    if (headers) {
        values[count++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers};
    }
    rd_kafka_error_t *failed = rd_kafka_produceva(producer->handle.rk, values, count);
    rd_kafka_resp_err_t code = rd_kafka_error_code(failed);
    if (failed) {
        rd_kafka_error_destroy(failed);
        if (headers) {
            rd_kafka_headers_destroy(headers);
        }
        atomic_fetch_sub(&producer->pending, 1);
    }
    return code;
}

/* How many of messages go to one topic with neither headers nor a timestamp. */
static size_t plain_run(const struct broker_message *messages, size_t count)
{
    size_t n = 0;
    while (n < count && n < PRODUCE_BATCH && messages[n].header_count == 0 &&
           messages[n].timestamp == BROKER_NO_TIMESTAMP &&
           (messages[n].topic == messages[0].topic ||
            strcmp(messages[n].topic, messages[0].topic) == 0)) {
        n++;
    }
    return n;
}

/* Takes a run; returns how many were taken, fewer where the queue is full. */
static size_t produce_run(struct kafka_producer *producer, rd_kafka_topic_t *topic,
                          const struct broker_message *messages, size_t count, int flags)
{
    rd_kafka_message_t *batch = producer->batch;
    for (size_t i = 0; i < count; i++) {
        batch[i] = (rd_kafka_message_t){
            .partition = messages[i].partition,
            .payload = (void *)(uintptr_t)messages[i].value,
            .len = messages[i].value_size,
            .key = (void *)(uintptr_t)messages[i].key,
            .key_len = messages[i].key_size,
            ._private = messages[i].opaque,
        };
    }
    atomic_fetch_add(&producer->pending, count);
    int good = rd_kafka_produce_batch(topic, RD_KAFKA_PARTITION_UA,
                                      flags | RD_KAFKA_MSG_F_PARTITION, batch, (int)count);
    if ((size_t)good == count) {
        return count;
    }
    atomic_fetch_sub(&producer->pending, count - (size_t)good);
    for (size_t i = 0; i < count; i++) {
        if (batch[i].err == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            return i; /* so are all behind it: order is kept */
        }
        if (batch[i].err) {
            refuse(producer, &messages[i], batch[i].err, NULL);
        }
    }
    return count;
}

size_t kafka_producer_send(struct broker_producer *base, const struct broker_message *messages,
                           size_t count, bool keep)
{
    struct kafka_producer *producer = (struct kafka_producer *)base;
    int flags = keep ? 0 : RD_KAFKA_MSG_F_COPY;
    size_t sent = 0;
    while (sent < count) {
        const struct broker_message *message = &messages[sent];
        const char *wrong = topic_name_wrong(message->topic, strlen(message->topic));
        struct topic_entry *entry = wrong ? NULL : topic_of(producer, message->topic);
        if (!entry) {
            refuse(producer, message,
                   wrong ? RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION : rd_kafka_last_error(), wrong);
            sent++;
            continue;
        }
        size_t run = plain_run(message, count - sent);
        if (run > 1) {
            size_t taken = produce_run(producer, entry->topic, message, run, flags);
            sent += taken;
            if (taken < run) {
                break;
            }
            continue;
        }
        rd_kafka_resp_err_t code = produce_one(producer, entry->topic, message, flags);
        if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            break; /* invariant 5: buffer.memory is used up */
        }
        if (code) {
            refuse(producer, message, code, NULL);
        }
        sent++;
    }
    return sent;
}

/* -- polling thread -- */

static size_t deliver_refused(struct kafka_producer *producer)
{
    pthread_mutex_lock(&producer->lock);
    struct refused *list = producer->refused;
    size_t count = producer->refused_count;
    producer->refused = NULL;
    producer->refused_count = producer->refused_capacity = 0;
    pthread_mutex_unlock(&producer->lock);
    for (size_t i = 0; i < count; i++) {
        struct broker_delivery delivery = {list[i].opaque, BROKER_NO_PARTITION, BROKER_NO_OFFSET,
                                           BROKER_NO_TIMESTAMP, &list[i].error};
        atomic_fetch_sub(&producer->pending, 1);
        producer->delivered(producer->user, &delivery, 1);
        error_clear(&list[i].error);
    }
    free(list);
    return count;
}

static void fill_error(struct kafka_producer *producer, const rd_kafka_message_t *message,
                       struct error *error)
{
    const char *topic = rd_kafka_topic_name(message->rkt);
#if RD_KAFKA_VERSION >= 0x020200ff
    const char *detail = rd_kafka_message_produce_errstr(message);
#else
    const char *detail = NULL;
#endif
    (void)kafka_error(error, message->err, detail, "Producing to topic %s", topic);
    kafka_handle_explain(&producer->handle, error);
}

static size_t deliver(struct kafka_producer *producer, rd_kafka_event_t *event)
{
    size_t total = 0, count;
    while ((count = rd_kafka_event_message_array(event, producer->messages, DELIVERIES)) > 0) {
        bool works = false;
        for (size_t i = 0; i < count; i++) {
            const rd_kafka_message_t *message = producer->messages[i];
            producer->errors[i] = (struct error){0};
            struct broker_delivery *delivery = &producer->deliveries[i];
            *delivery = (struct broker_delivery){message->_private, message->partition,
                                                 message->offset,
                                                 rd_kafka_message_timestamp(message, NULL), NULL};
            if (message->err) {
                fill_error(producer, message, &producer->errors[i]);
                delivery->error = &producer->errors[i];
            } else {
                works = true;
            }
        }
        if (works) {
            kafka_handle_works(&producer->handle);
        }
        atomic_fetch_sub(&producer->pending, count);
        producer->delivered(producer->user, producer->deliveries, count);
        for (size_t i = 0; i < count; i++) {
            error_clear(&producer->errors[i]);
        }
        total += count;
    }
    return total;
}

/* Logs a new fault once. A refusal that lasts ends what waits: nothing would ever send it. */
static void look_at_faults(struct kafka_producer *producer)
{
    struct kafka_faults *faults = &producer->handle.faults;
    struct error error = {0};
    pthread_mutex_lock(&faults->lock);
    bool fresh = faults->changes != producer->told && faults->code;
    producer->told = faults->changes;
    if (fresh) {
        (void)kafka_error(&error, faults->code, faults->text, "bootstrap.servers=%s",
                          producer->handle.opaque.config->servers);
    }
    pthread_mutex_unlock(&faults->lock);
    if (fresh) {
        log_warn(KAFKA_LOGGER, "%s: %s", rd_kafka_name(producer->handle.rk), error.message);
        error_clear(&error);
    }
    if (kafka_handle_refused(&producer->handle, NULL)) {
        (void)rd_kafka_purge(producer->handle.rk, RD_KAFKA_PURGE_F_QUEUE);
    }
}

static size_t serve(struct kafka_producer *producer, rd_kafka_event_t *event)
{
    size_t count = 0;
    switch (rd_kafka_event_type(event)) {
    case RD_KAFKA_EVENT_DR:
        count = deliver(producer, event);
        break;
    case RD_KAFKA_EVENT_ERROR:
        kafka_handle_fault(&producer->handle, rd_kafka_event_error(event),
                           rd_kafka_event_error_string(event));
        break;
    default:
        break;
    }
    rd_kafka_event_destroy(event);
    return count;
}

/* Without a limit it still looks once a second: not every fault comes as an event. */
size_t kafka_producer_poll(struct broker_producer *base, int timeout_ms)
{
    struct kafka_producer *producer = (struct kafka_producer *)base;
    size_t count = deliver_refused(producer);
    int wait_ms = timeout_ms < 0 ? LOOK_MS : timeout_ms;
    rd_kafka_event_t *event = rd_kafka_queue_poll(producer->queue, count > 0 ? 0 : wait_ms);
    while (event) {
        count += serve(producer, event);
        event = rd_kafka_queue_poll(producer->queue, 0);
    }
    look_at_faults(producer);
    return count + deliver_refused(producer);
}

void kafka_producer_wake(struct broker_producer *base)
{
    rd_kafka_queue_yield(((struct kafka_producer *)base)->queue);
}

size_t kafka_producer_pending(const struct broker_producer *base)
{
    return atomic_load(&((struct kafka_producer *)(uintptr_t)base)->pending);
}

/* -- beginning and end -- */

static void prepare(rd_kafka_conf_t *conf)
{
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
}

int kafka_producer_create(struct broker *broker, const struct properties *properties,
                          broker_delivery_fn delivered, void *user,
                          struct broker_producer **ret_producer, struct error *error)
{
    (void)broker;
    struct kafka_producer *producer = calloc(1, sizeof(*producer));
    if (!producer) {
        return error_set(error, ERROR_NO_MEMORY, "No memory for a producer");
    }
    producer->base.impl = &broker_kafka;
    producer->delivered = delivered;
    producer->user = user;
    if (kafka_handle_start(&producer->handle, properties, KAFKA_PRODUCER, prepare, producer,
                           error) != 0) {
        free(producer);
        return -1;
    }
    pthread_mutex_init(&producer->lock, NULL);
    producer->queue = rd_kafka_queue_get_main(producer->handle.rk);
    *ret_producer = &producer->base;
    return 0;
}

void kafka_producer_destroy(struct broker_producer *base)
{
    struct kafka_producer *producer = (struct kafka_producer *)base;
    (void)rd_kafka_purge(producer->handle.rk,
                         RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    for (int i = 0; i < TOPIC_BUCKETS; i++) {
        struct topic_entry *next;
        for (struct topic_entry *entry = producer->topics[i]; entry; entry = next) {
            next = entry->next;
            rd_kafka_topic_destroy(entry->topic);
            free(entry);
        }
    }
    rd_kafka_queue_destroy(producer->queue);
    kafka_handle_finish(&producer->handle);
    for (size_t i = 0; i < producer->refused_count; i++) {
        error_clear(&producer->refused[i].error);
    }
    free(producer->refused);
    pthread_mutex_destroy(&producer->lock);
    free(producer);
}
