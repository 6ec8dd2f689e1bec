/* Which topics may be written and seen: sluice.topics.allow. [task thread] */
#ifndef CONNECTORS_REST_ALLOW_H
#define CONNECTORS_REST_ALLOW_H

#include <stdbool.h>
#include <stddef.h>

#include "connectors/rest/route.h"

struct regex;

struct rest_allow {
    struct regex *regex; /* NULL: every topic */
    /* The last verdict: most requests name the topic of the one before. */
    char topic[REST_TOPIC_MAX + 2];
    bool valid, allowed;
};

/** pattern is a Java regular expression for whole names. -1 with a sentence in message. */
int rest_allow_init(struct rest_allow *allow, const char *pattern, char *message, size_t size)
    SLUICE_CHECKED;
void rest_allow_finish(struct rest_allow *allow);
/** Brings valid (by Kafka's rule) and allowed up to date for a topic. */
void rest_allow_check(struct rest_allow *allow, const char *topic);

#endif
