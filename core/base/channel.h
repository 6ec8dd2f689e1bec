/*
 * Messages between worker and host: JSON objects on a SOCK_STREAM socket, each behind its length
 * (4 bytes, little-endian, at most CHANNEL_MAX). A message is an object with the member "type".
 * What messages there are stands in core/host/protocol.h.
 */
#ifndef CORE_BASE_CHANNEL_H
#define CORE_BASE_CHANNEL_H

#include <jansson.h>
#include <pthread.h>

#include "core/base/error.h"
#include "lib/util/buffer.h"

#define CHANNEL_MAX (16u << 20)

struct channel {
    int fd;
    struct buffer in;       /* what has come and is not yet a whole message */
    pthread_mutex_t lock;   /* of sending */
};

/** Takes over fd (blocking or not). */
void channel_init(struct channel *channel, int fd);
void channel_finish(struct channel *channel);
/** Sends one message whole, waiting for room. Steals message. [any thread] */
int channel_send(struct channel *channel, json_t *message, struct error *error) CHECKED;
/**
 * Reads what is there (blocks where the socket does) and gives the next message, to be
 * json_decref'ed. 1: a message; 0: none yet (non-blocking); -1 with error: broken;
 * -2: end of file. [one thread]
 */
int channel_receive(struct channel *channel, json_t **ret_message, struct error *error) CHECKED;

#endif
