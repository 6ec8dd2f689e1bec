/* The broker itself: opened, and asked for topics; the fake has one, "t", and makes or changes none. */
#include "tests/support/fake_broker.h"

#include <stdlib.h>

#include "tests/support/fake_parts.h"

struct broker {
    int unused;
};

void fake_broker_reset(void)
{
    fake_consumer_reset();
    fake_producer_reset();
}

int broker_open(const struct properties *properties, struct broker **ret_broker, struct error *error)
{
    (void)properties;
    (void)error;
    *ret_broker = calloc(1, sizeof(**ret_broker));
    return 0;
}

void broker_close(struct broker *broker)
{
    free(broker);
}

int broker_topics(struct broker *broker, int timeout_ms, struct broker_topics *ret_topics,
                  struct error *error)
{
    (void)broker;
    (void)timeout_ms;
    (void)error;
    static struct broker_topic topic = {"t", PARTITIONS, false};
    *ret_topics = (struct broker_topics){&topic, 1, NULL};
    return 0;
}

void broker_topics_free(struct broker_topics *topics)
{
    (void)topics;
}

int64_t broker_topics_epoch(struct broker *broker)
{
    (void)broker;
    return 1;
}

int broker_topic_create(struct broker *broker, const struct broker_topic_spec *spec, int timeout_ms,
                        struct error *error)
{
    (void)broker;
    (void)spec;
    (void)timeout_ms;
    return error_set(error, ERROR_TOPIC_EXISTS, "it is there");
}

int broker_topic_delete(struct broker *broker, const char *topic, int timeout_ms, struct error *error)
{
    (void)broker;
    (void)timeout_ms;
    return error_set(error, ERROR_UNKNOWN_TOPIC, "The fake broker has no %s to delete", topic);
}

int broker_nodes(struct broker *broker, int timeout_ms, int32_t **ret_nodes, size_t *ret_count,
                 struct error *error)
{
    (void)broker;
    (void)timeout_ms;
    (void)ret_nodes;
    (void)ret_count;
    return error_set(error, ERROR_BROKER, "The fake broker has no nodes");
}

int broker_topic_describe(struct broker *broker, const char *topic, int timeout_ms,
                          struct broker_topic_info *ret_info, struct error *error)
{
    (void)broker;
    (void)timeout_ms;
    (void)ret_info;
    return error_set(error, ERROR_UNKNOWN_TOPIC, "The fake broker does not describe %s", topic);
}

void broker_topic_info_free(struct broker_topic_info *info)
{
    (void)info;
}

int broker_topic_configs(struct broker *broker, const char *topic, bool all, int timeout_ms,
                         struct properties *ret_configs, struct error *error)
{
    (void)broker;
    (void)all;
    (void)timeout_ms;
    (void)ret_configs;
    return error_set(error, ERROR_UNKNOWN_TOPIC, "The fake broker does not describe %s", topic);
}

int broker_offsets(struct broker *broker, const char *topic, int32_t partition, int timeout_ms,
                   int64_t *ret_beginning, int64_t *ret_end, struct error *error)
{
    (void)broker;
    (void)topic;
    (void)partition;
    (void)timeout_ms;
    (void)error;
    *ret_beginning = *ret_end = 0;
    return 0;
}
