/*
 * Topics that a task has written to or read from, told to the worker once each
 * (GET /connectors/{c}/topics, KIP-558), and again after a reset.
 */
#ifndef CORE_HOST_USED_TOPICS_H
#define CORE_HOST_USED_TOPICS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct used_topics {
    bool off; /* topic.tracking.enable=false */
    pthread_mutex_t lock;
    char **names; /* under lock */
    size_t count;
    atomic_uint resets;
    /* of the one thread that notes */
    char last[256];
    unsigned last_resets;
};

struct task;

void used_topics_init(struct used_topics *topics, bool off);
/** A record of this topic was read or is durable. [one thread, always the same] */
void used_topics_note(struct task *task, const char *topic);
/** All are told again. [any thread] */
void used_topics_reset(struct used_topics *topics);

#endif
