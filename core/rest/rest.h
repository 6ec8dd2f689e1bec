/*
 * Admin REST API of a worker: thin. A request is checked here for form, handed to the herder, and
 * suspended until its answer; no thread waits. One MHD daemon with one thread per listener.
 */
#ifndef CORE_REST_REST_H
#define CORE_REST_REST_H

#include <stdbool.h>

#include "core/base/error.h"
#include "core/worker/herder.h"

struct rest;

/** One of `listeners`: http://host:port or https://..; an empty host: every interface. */
struct rest_listener {
    char host[256];
    int port;
    bool https;
    bool admin; /* of `admin.listeners`: serves /admin alone */
};

struct rest_options {
    struct rest_listener *listeners; /* a port 0 is replaced by the one that was given */
    size_t count;
    /** /admin is not served by the listeners that are not its own: `admin.listeners` is set. */
    bool admin_apart;
    const struct properties *worker; /* resolved: keys of TLS, headers, authentication */
    int health_timeout_ms;           /* 0: as Connect, 10 s */
};

/** Reads one listener; errors say what is wrong with it. */
int rest_parse_listener(const char *text, struct rest_listener *ret_listener,
                        struct error *error) CHECKED;
/** Opens the listeners and answers from then on. ERROR_BUSY: a port is in use. [main thread] */
int rest_start(const struct rest_options *options, struct rest **ret_rest,
               struct error *error) CHECKED;
/** From now on requests go to herder; before, they are answered with 503. [main thread] */
void rest_open(struct rest *rest, struct herder *herder);
/** Answers what waits, ends all connections. After the herder's loop has ended. NULL is fine. */
void rest_stop(struct rest *rest);

#endif
