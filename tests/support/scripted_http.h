/* A server that gives answers by a script, a connection each; for unit tests. */
#ifndef TESTS_SUPPORT_SCRIPTED_HTTP_H
#define TESTS_SUPPORT_SCRIPTED_HTTP_H

#include <pthread.h>

struct scripted_answer {
    int status;
    const char *body;
};

struct scripted_http {
    int fd, port;
    pthread_t thread;
    const struct scripted_answer *answers; /* closed by status 0; the last one goes on */
    char taken[1000];                      /* paths that got status 200; after stop() */
};

/** The answers outlive it. */
void scripted_http_start(struct scripted_http *server, const struct scripted_answer *answers);
void scripted_http_stop(struct scripted_http *server);

#endif
