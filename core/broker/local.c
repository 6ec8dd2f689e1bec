/*
 * The embedded log as a broker: opening and closing. Threads as in broker.h.
 */
#include "core/broker/local.h"

#include <stdlib.h>
#include <string.h>

enum { PREFIX_SIZE = 6 /* "local:" */ };

static const char *const log_keys[] = {
    "log.retention.ms",    "log.retention.minutes",           "log.retention.hours",
    "log.retention.bytes", "log.retention.check.interval.ms", "message.max.bytes",
    "num.partitions",
};

static int local_open(const struct properties *properties, struct broker **ret_broker,
                      struct error *error)
{
    const char *dir = properties_get(properties, "bootstrap.servers") + PREFIX_SIZE;
    const char *client_id = properties_get(properties, "client.id");
    const char *start = properties_get(properties, "sluice.log.start");
    if (*dir == '\0' || strchr(dir, ',')) {
        return error_set_class(error, ERROR_CONFIG,
                               "org.apache.kafka.common.config.ConfigException",
                               "bootstrap.servers=local:%s does not name one folder; write "
                               "bootstrap.servers=local:DIR",
                               dir);
    }
    struct local *local = calloc(1, sizeof(*local));
    if (!local) {
        return error_set(error, ERROR_NO_MEMORY, "No memory for a broker client");
    }
    local->base.impl = &broker_local;
    local->dir = strdup(dir);
    local->client_id = strdup(client_id ? client_id : "");
    local->may_start = !start || strcmp(start, "false") != 0;
    local->fd = -1;
    atomic_init(&local->epoch, -1);
    pthread_mutex_init(&local->lock, NULL);
    buffer_init(&local->in, WIRE_FRAME_MAX + sizeof(struct wire_head));
    for (size_t i = 0; i < sizeof(log_keys) / sizeof(log_keys[0]); i++) {
        const char *value = properties_get(properties, log_keys[i]);
        if (value) {
            properties_set(&local->log_configs, log_keys[i], value);
        }
    }
    if (!local->dir || !local->client_id) {
        broker_local.close(&local->base);
        return error_set(error, ERROR_NO_MEMORY, "No memory for a broker client");
    }
    *ret_broker = &local->base;
    return 0;
}

static void local_close(struct broker *broker)
{
    struct local *local = (struct local *)broker;
    local_admin_disconnect(local);
    buffer_finish(&local->in);
    pthread_mutex_destroy(&local->lock);
    properties_finish(&local->log_configs);
    free(local->dir);
    free(local->client_id);
    free(local);
}

const struct broker_impl broker_local = {
    .open = local_open,
    .close = local_close,
    .producer_create = local_producer_create,
    .producer_destroy = local_producer_destroy,
    .producer_send = local_producer_send,
    .producer_poll = local_producer_poll,
    .producer_wake = local_producer_wake,
    .producer_pending = local_producer_pending,
    .consumer_create = local_consumer_create,
    .consumer_destroy = local_consumer_destroy,
    .subscribe = local_subscribe,
    .assign = local_assign,
    .poll = local_poll,
    .pause = local_pause,
    .resume = local_resume,
    .seek = local_seek,
    .position = local_position,
    .commit = local_commit,
    .commit_sync = local_commit_sync,
    .end_offset = local_end_offset,
    .consumer_wake = local_consumer_wake,
    .topics = local_topics,
    .topics_epoch = local_topics_epoch,
    .topic_create = local_topic_create,
    .topic_delete = local_topic_delete,
    .topic_partitions = local_topic_partitions,
    .nodes = local_nodes,
    .topic_describe = local_topic_describe,
    .topic_configs = local_topic_configs,
    .topic_alter = local_topic_alter,
    .cluster = local_cluster,
    .offsets = local_offsets,
    .group_offsets = local_group_offsets,
    .group_offsets_alter = local_group_offsets_alter,
    .group_delete = local_group_delete,
};
