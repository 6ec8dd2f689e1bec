/*
 * Admin REST API of a worker: thin. A request is checked here for form, handed to the herder, and
 * suspended until its answer; no thread waits. One MHD daemon with one thread per listener.
 */
#ifndef CORE_REST_REST_H
#define CORE_REST_REST_H

#include "core/base/error.h"
#include "core/worker/herder.h"

struct rest;

/** One of `listeners`: http://host:port; an empty host: every interface. */
struct rest_listener {
    char host[256];
    int port;
};

/** Reads one listener; errors say what is wrong with it. */
int rest_parse_listener(const char *text, struct rest_listener *ret_listener,
                        struct error *error) CHECKED;
/**
 * Opens the listeners and answers from then on. ERROR_BUSY: a port is in use. port 0 is replaced by
 * the one that was given. [main thread]
 */
int rest_start(struct rest_listener *listeners, size_t count, struct rest **ret_rest,
               struct error *error) CHECKED;
/** From now on requests go to herder; before, they are answered with 503. [main thread] */
void rest_open(struct rest *rest, struct herder *herder);
/** Answers what waits, ends all connections. After the herder's loop has ended. NULL is fine. */
void rest_stop(struct rest *rest);

#endif
