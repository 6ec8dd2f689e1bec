/*
 * Topics that a source's records need (KIP-158): where a connector has topic.creation.* keys, a topic
 * that is not there is made as its group says, before the first record is sent to it. [task thread]
 */
#ifndef CORE_HOST_TOPIC_CREATION_H
#define CORE_HOST_TOPIC_CREATION_H

#include "core/broker/broker.h"
#include "core/config/properties.h"

struct topic_creation;

/**
 * *ret is NULL where the connector has no such keys or the worker says topic.creation.enable=false:
 * then a missing topic is the broker's affair. Errors: ConfigException, naming the key.
 */
int topic_creation_create(const struct properties *connector, const struct properties *worker,
                          struct topic_creation **ret, struct error *error) CHECKED;
void topic_creation_destroy(struct topic_creation *creation);
/** True where the topic was not seen yet: ask for it with topic_creation_ensure(). Cheap. */
bool topic_creation_needed(struct topic_creation *creation, const char *topic);
/**
 * The topic is there when this returns 0; made where it was not. error->retriable: it may be tried
 * again. context: in front of log lines. Blocks up to timeout_ms for each of two requests.
 */
int topic_creation_ensure(struct topic_creation *creation, struct broker *broker, const char *topic,
                          int timeout_ms, const char *context, struct error *error) CHECKED;

/* -- for tests and tools -- */

/** How a topic would be made; borrowed. */
void topic_creation_spec(const struct topic_creation *creation, const char *topic,
                         struct broker_topic_spec *ret_spec, const char **ret_group);

#endif
