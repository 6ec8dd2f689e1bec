/*
 * One HTTP request of the admin API, between server.c (its life), route.c (what it asks for) and
 * the files of the resources (what that means). [thread of the listener] unless said otherwise.
 */
#ifndef CORE_REST_REQUEST_H
#define CORE_REST_REQUEST_H

#include <jansson.h>
#include <microhttpd.h>
#include <stdbool.h>

#include "core/worker/herder.h"
#include "lib/util/buffer.h"

#define REST_SEGMENTS 8
#define REST_BODY_MAX (8 << 20)

struct rest_client;
struct rest_request;
struct rest_port;
typedef void (*rest_handler)(struct rest_request *request);

struct rest_request {
    struct rest *rest;
    struct MHD_Connection *connection;
    struct rest_port *port;       /* it came through */
    struct rest_client *client;   /* its connection's */
    const char *method;           /* static or the daemon's, as long as the request */
    char *url;                    /* as it was asked for, for the log; owned */
    int64_t began;                /* monotonic ms */
    char *segments[REST_SEGMENTS]; /* of the path, decoded; owned */
    bool escaped[REST_SEGMENTS];   /* had a %xx */
    size_t segment_count;
    const char *name; /* what stood for {} in the route; NULL: nothing */
    int number;       /* what stood for # */
    rest_handler handle;
    struct buffer body;
    bool asked; /* the herder has it */
    struct rest_question *question; /* while it has; server.c's */
    /* the answer; set once, by whichever thread */
    int status;
    char *text;       /* owned; NULL: no body */
    const char *type; /* its Content-Type; static */
    char *location, *allow;
    char *parameters; /* of the accepted type, which that of the answer has too; NULL: none */
    bool page; /* of the console: a browser may run nothing but our own script in it */
    /* server.c: while it is suspended */
    struct rest_request *prev, *next;
    bool suspended;
    bool goodbye; /* rest_stop() waits for its answer to be out */
};

/** Finds what is asked for; answers by itself (404, 405, 406, 415, OPTIONS) where that is not
 * there. */
void rest_route(struct rest_request *request, const char *url, const char *method);
/** True where the port it came through serves that part of the API. */
bool rest_port_serves(const struct rest_port *port, bool admin);
/** True for what workers say to each other, which has a protection of its own. */
bool rest_is_internal(const struct rest_request *request);
/** A query parameter, decoded: calls fn for each of that name. */
void rest_query(struct rest_request *request, const char *name,
                void (*fn)(void *user, const char *value), void *user);
/** True where the parameter's first value is `true` in any case. */
bool rest_query_flag(struct rest_request *request, const char *name, bool fallback);

/** Answers at once. */
void rest_answer(struct rest_request *request, int status, json_t *body);
void rest_answer_error(struct rest_request *request, int status, const char *message);
void rest_answer_text(struct rest_request *request, int status, const char *type, const char *text);
/** Suspends it until the herder answers. Takes over what. */
void rest_ask(struct rest_request *request, const struct herder_request *what);
/** The same, for the health check: a herder that is silent for that long is unhealthy (KIP-1017). */
void rest_ask_health(struct rest_request *request);

/** True where the request names JSON itself as its body's type. */
bool rest_brings_json(const struct rest_request *request);
/**
 * The body as JSON, or NULL: answered with 415, or 500, as Jackson's failures are. A whole number that 64
 * bits do not hold is a text with HERDER_BIG_NUMBER before it.
 */
json_t *rest_body(struct rest_request *request);
/** The same for texts and nothing else: numbers in it become texts, as they were written. */
json_t *rest_body_of_texts(struct rest_request *request);
/** The same, and JSON null for no body and for null, which others answer with 500. */
json_t *rest_body_of_texts_or_null(struct rest_request *request);
/**
 * A configuration: an object of strings (numbers and booleans become text, null stays). NULL:
 * answered. New reference.
 */
json_t *rest_config(struct rest_request *request, json_t *object);

/* The resources, one file each. */
void root_get(struct rest_request *request);
void health_get(struct rest_request *request);
void metrics_get(struct rest_request *request);
void connectors_get(struct rest_request *request);
void connectors_post(struct rest_request *request);
void connector_get(struct rest_request *request);
void connector_delete(struct rest_request *request);
void connector_config_get(struct rest_request *request);
void connector_config_put(struct rest_request *request);
void connector_config_patch(struct rest_request *request);
void connector_status_get(struct rest_request *request);
void connector_restart_post(struct rest_request *request);
void connector_pause_put(struct rest_request *request);
void connector_resume_put(struct rest_request *request);
void connector_stop_put(struct rest_request *request);
void connector_offsets_get(struct rest_request *request);
void connector_offsets_patch(struct rest_request *request);
void connector_offsets_delete(struct rest_request *request);
void connector_topics_get(struct rest_request *request);
void connector_topics_reset_put(struct rest_request *request);
void connector_logs_get(struct rest_request *request);
void connector_tap_get(struct rest_request *request);
void console_get(struct rest_request *request);
void tasks_get(struct rest_request *request);
void tasks_post(struct rest_request *request);
void tasks_config_get(struct rest_request *request);
void task_status_get(struct rest_request *request);
void task_restart_post(struct rest_request *request);
void fence_put(struct rest_request *request);
void loggers_get(struct rest_request *request);
void logger_get(struct rest_request *request);
void logger_put(struct rest_request *request);
void plugins_get(struct rest_request *request);
void plugin_config_get(struct rest_request *request);
void plugin_validate_put(struct rest_request *request);

#endif
