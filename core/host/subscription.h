/*
 * Which topics a sink reads: `topics`, or `topics.regex` in Java's dialect over the cluster's
 * metadata (never the broker library's own regex). New topics are picked up. [broker thread]
 */
#ifndef CORE_HOST_SUBSCRIPTION_H
#define CORE_HOST_SUBSCRIPTION_H

#include "core/broker/broker.h"
#include "core/config/properties.h"

struct subscription;

/** client: the consumer's properties; metadata.max.age.ms bounds how long a new topic is not seen. */
int subscription_create(const struct properties *config, const struct properties *client,
                        struct subscription **ret, struct error *error) CHECKED;
void subscription_destroy(struct subscription *subscription);
/** Subscribes where what there is to read has changed. Cheap when nothing did. */
int subscription_refresh(struct subscription *subscription, struct broker *broker,
                         struct broker_consumer *consumer, struct error *error) CHECKED;
/** How long the broker thread may wait before the next refresh is due, at most timeout_ms. */
int subscription_wait(const struct subscription *subscription, int timeout_ms);

#endif
