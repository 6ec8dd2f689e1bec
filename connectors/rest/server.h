/*
 * The HTTP side: listeners, connections, limits, and the hand-over of requests. One thread of its own
 * runs libmicrohttpd; clients wait in suspended connections, no thread waits with them.
 *
 *   http thread --ready queue--> task thread --records--> broker thread --done stack--> http thread
 */
#ifndef CONNECTORS_REST_SERVER_H
#define CONNECTORS_REST_SERVER_H

#include "connectors/rest/request.h"
#include "connectors/rest/settings.h"

struct rest_server;

/**
 * Opens the listeners and starts the thread. settings are borrowed for its life. ready() is called
 * [http thread] when requests are there after rest_server_take() had found none. NULL with a sentence
 * in message. [task thread]
 */
struct rest_server *rest_server_create(const struct rest_settings *settings,
                                       const struct sluice_host *host, void (*ready)(void *user),
                                       void *user, char *message, size_t message_size);

/** Port of a listener, as bound; for tests and logs. */
unsigned rest_server_port(const struct rest_server *server, size_t listener);

/**
 * Takes complete requests, oldest first, linked by `next`, until their bodies pass max_bytes; NULL
 * where there are none. Each shall come back by rest_server_done(). [task thread]
 */
struct rest_request *rest_server_take(struct rest_server *server, size_t max_bytes);

/** What a record costs on its way to the log, beside its text: itself, its message, its place in the answer. */
#define REST_RECORD_WEIGHT 512

/**
 * Counts what a request that was taken costs, its records or its answer, against sluice.http.inflight.max.bytes;
 * once it is answered it is its answer that counts, until that is sent. [task thread]
 */
void rest_server_weigh(struct rest_server *server, struct rest_request *request, size_t bytes);

/** True while too much is out for more of it; ready() is called once it is not. [task thread] */
bool rest_server_heavy(struct rest_server *server);

/** Gives a request back to be answered; it is not to be touched afterwards. [any thread] */
void rest_server_done(struct rest_server *server, struct rest_request *request);

/** Stops accepting; waits until bodies on their way are in, at most wait_ms. [task thread] */
void rest_server_drain(struct rest_server *server, int64_t wait_ms);

/**
 * Answers what was not taken with 503, waits until answers are sent, at most wait_ms, and ends the
 * thread. rest_server_done() may still be called afterwards. [task thread]
 */
void rest_server_stop(struct rest_server *server, int64_t wait_ms);

/** Stops if need be and frees everything; NULL is fine. [task thread] */
void rest_server_destroy(struct rest_server *server);

#endif
