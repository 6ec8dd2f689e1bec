/* A rest_server without its task: tests take requests and give them back. */
#ifndef TESTS_UNIT_CONNECTORS_REST_SERVER_FIXTURE_H
#define TESTS_UNIT_CONNECTORS_REST_SERVER_FIXTURE_H

#include <pthread.h>

#include "connectors/rest/server.h"
#include "tests/unit/connectors/rest/client.h"

struct fixture {
    struct sluice_host host;
    struct rest_settings settings;
    struct rest_server *server;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool ready;
    struct client client, other;
};

/** One with generous limits, to be changed before begin(). */
struct fixture *make(void);
/** Starts the server and connects the first client. */
struct fixture *begin(struct fixture *fixture);
void end(struct fixture *fixture);
/** The server's ready(). */
void on_ready(void *user);
/** The next request, waited for. */
struct rest_request *take(struct fixture *fixture);
/** Answers it with one record's offset. */
void give_back(struct fixture *fixture, struct rest_request *request, int64_t offset);
void send_text(struct client *client, const char *text);

#endif
