/*
 * Kafka as a broker: opening and closing, and what every client of librdkafka needs: its faults and
 * its log lines. Threads as in broker.h.
 */
#include "core/broker/kafka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"

enum { SYSLOG_WARNING = 4 };

/* What librdkafka logs of failing connections is told by on_error(), once. [its threads] */
static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    bool connection = strcmp(facility, "FAIL") == 0 || strcmp(facility, "ERROR") == 0 ||
                      strcmp(facility, "SSLCERTVRFY") == 0;
    enum log_level ours = level <= SYSLOG_WARNING && !connection ? LOG_LEVEL_WARN : LOG_LEVEL_DEBUG;
    log_line(ours, KAFKA_LOGGER, NULL, "%s: %s: %s", rk ? rd_kafka_name(rk) : "", facility, text);
    /* Connections that a broker closes at once are told here only. This is the thread of that connection,
     * which has nothing else to do. */
    if (rk && strcmp(facility, "FAIL") == 0 && kafka_config_closed_early(text)) {
        kafka_handle_fault(rd_kafka_opaque(rk), RD_KAFKA_RESP_ERR__TRANSPORT, text);
    }
}

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    struct kafka_handle *handle = opaque;
    char text[480];
    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        code = rd_kafka_fatal_error(rk, text, sizeof(text));
        reason = text;
    }
    kafka_handle_fault(handle, (rd_kafka_resp_err_t)code, reason);
}

void kafka_handle_fault(struct kafka_handle *handle, rd_kafka_resp_err_t code, const char *text)
{
    struct kafka_faults *faults = &handle->faults;
    char cause[sizeof(faults->text)];
    bool exact;
    code = kafka_config_fault(handle->opaque.config, code, text, cause, sizeof(cause), &exact);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        return;
    }
    pthread_mutex_lock(&faults->lock);
    /* That all are down is the consequence of what came before, which says why. */
    bool consequence = code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && faults->code;
    if (!consequence) {
        if (kafka_refused(code)) {
            faults->refusals++;
            if (faults->refusals == 1) {
                faults->refused_at = clock_monotonic_ms();
            }
            if (exact) { /* known for sure: final at once */
                faults->refusals++;
                faults->refused_at -= KAFKA_REFUSED_MS;
            }
        }
        /* A broker that is down does not take back that another one refused. */
        if (code != faults->code && (!kafka_refused(faults->code) || kafka_refused(code))) {
            faults->changes++;
            faults->code = code;
            faults->exact = exact;
            (void)snprintf(faults->text, sizeof(faults->text), "%s", cause);
        }
    }
    pthread_mutex_unlock(&faults->lock);
}

void kafka_handle_works(struct kafka_handle *handle)
{
    pthread_mutex_lock(&handle->faults.lock);
    handle->faults.code = RD_KAFKA_RESP_ERR_NO_ERROR;
    handle->faults.refusals = 0;
    pthread_mutex_unlock(&handle->faults.lock);
}

/* The fault under its own name. Lock held. */
static void fill(struct kafka_handle *handle, struct error *error)
{
    (void)kafka_error(error, handle->faults.code, handle->faults.text, "bootstrap.servers=%s",
                      handle->opaque.config->servers);
    if (handle->faults.exact) { /* the table's advice is for when the cause is not known */
        struct error general = *error;
        *error = (struct error){0};
        (void)error_set_class(error, general.code, general.java_class, "bootstrap.servers=%s: %s",
                              handle->opaque.config->servers, handle->faults.text);
        error_clear(&general);
    }
}

bool kafka_handle_refused(struct kafka_handle *handle, struct error *error)
{
    struct kafka_faults *faults = &handle->faults;
    pthread_mutex_lock(&faults->lock);
    bool refused = faults->refusals >= 2 && kafka_refused(faults->code) &&
                   clock_monotonic_ms() - faults->refused_at >= KAFKA_REFUSED_MS;
    if (refused) {
        fill(handle, error);
    }
    pthread_mutex_unlock(&faults->lock);
    return refused;
}

void kafka_handle_explain(struct kafka_handle *handle, struct error *error)
{
    pthread_mutex_lock(&handle->faults.lock);
    if (handle->faults.code && error) {
        struct error cause = {0};
        fill(handle, &cause);
        if (kafka_refused(handle->faults.code)) {
            error_clear(error);
            *error = cause;
        } else {
            error_add_cause(error, cause.java_class, cause.message);
            error_clear(&cause);
        }
    }
    pthread_mutex_unlock(&handle->faults.lock);
}

int kafka_handle_start(struct kafka_handle *handle, const struct properties *properties,
                       enum kafka_client kind, void (*prepare)(rd_kafka_conf_t *conf), void *owner,
                       struct error *error)
{
    *handle = (struct kafka_handle){.owner = owner};
    struct kafka_config *config;
    if (kafka_config_build(properties, kind, &config, error) != 0) {
        return -1;
    }
    handle->opaque.config = config;
    pthread_mutex_init(&handle->faults.lock, NULL);
    rd_kafka_conf_set_opaque(config->conf, handle);
    rd_kafka_conf_set_error_cb(config->conf, on_error);
    rd_kafka_conf_set_log_cb(config->conf, on_log);
    if (prepare) {
        prepare(config->conf);
    }
    char text[512];
    rd_kafka_type_t type = kind == KAFKA_CONSUMER ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER;
    handle->rk = rd_kafka_new(type, config->conf, text, sizeof(text));
    if (!handle->rk) {
        (void)error_set_class(error, ERROR_CONFIG, "org.apache.kafka.common.KafkaException",
                              "Failed to create a Kafka client for %s: %s", config->servers, text);
        kafka_handle_finish(handle);
        return -1;
    }
    config->conf = NULL;
    if (kafka_config_started(config, handle->rk, error) != 0) {
        kafka_handle_finish(handle);
        return -1;
    }
    return 0;
}

void kafka_handle_finish(struct kafka_handle *handle)
{
    if (handle->rk) {
        rd_kafka_destroy_flags(handle->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    }
    if (handle->opaque.config) {
        kafka_config_destroy(handle->opaque.config);
        pthread_mutex_destroy(&handle->faults.lock);
    }
    *handle = (struct kafka_handle){0};
}

static int kafka_open(const struct properties *properties, struct broker **ret_broker,
                      struct error *error)
{
    struct kafka *kafka = calloc(1, sizeof(*kafka));
    if (!kafka) {
        return error_set(error, ERROR_NO_MEMORY, "No memory for a broker client");
    }
    kafka->base.impl = &broker_kafka;
    pthread_mutex_init(&kafka->lock, NULL);
    properties_copy(&kafka->properties, properties);
    *ret_broker = &kafka->base;
    return 0;
}

static void kafka_close(struct broker *broker)
{
    struct kafka *kafka = (struct kafka *)broker;
    kafka_handle_finish(&kafka->admin);
    pthread_mutex_destroy(&kafka->lock);
    properties_finish(&kafka->properties);
    free(kafka);
}

const struct broker_impl broker_kafka = {
    .open = kafka_open,
    .close = kafka_close,
    .producer_create = kafka_producer_create,
    .producer_destroy = kafka_producer_destroy,
    .producer_send = kafka_producer_send,
    .producer_poll = kafka_producer_poll,
    .producer_wake = kafka_producer_wake,
    .producer_pending = kafka_producer_pending,
    .consumer_create = kafka_consumer_create,
    .consumer_destroy = kafka_consumer_destroy,
    .subscribe = kafka_subscribe,
    .assign = kafka_assign,
    .poll = kafka_poll,
    .pause = kafka_pause,
    .resume = kafka_resume,
    .seek = kafka_seek,
    .position = kafka_position,
    .commit = kafka_commit,
    .commit_sync = kafka_commit_sync,
    .end_offset = kafka_end_offset,
    .consumer_wake = kafka_consumer_wake,
    .topics = kafka_topics,
    .topics_epoch = kafka_topics_epoch,
    .topic_create = kafka_topic_create,
    .topic_delete = kafka_topic_delete,
    .topic_partitions = kafka_topic_partitions,
    .nodes = kafka_nodes,
    .topic_describe = kafka_topic_describe,
    .topic_configs = kafka_topic_configs,
    .topic_alter = kafka_topic_alter,
    .cluster = kafka_cluster,
    .offsets = kafka_offsets,
    .group_offsets = kafka_group_offsets,
    .group_offsets_alter = kafka_group_offsets_alter,
    .group_delete = kafka_group_delete,
};
