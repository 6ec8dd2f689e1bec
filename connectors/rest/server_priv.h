/* The server's insides, shared by its loop (server.c) and what happens per request (serve.c). */
#ifndef CONNECTORS_REST_SERVER_PRIV_H
#define CONNECTORS_REST_SERVER_PRIV_H

#include <pthread.h>

#include "connectors/rest/server.h"

/* Oldest first. */
struct rest_ages {
    struct rest_age *oldest, *newest;
};

struct rest_queue {
    struct rest_request *first, *last;
};

struct rest_server {
    const struct rest_settings *settings;
    const struct sluice_host *host;
    void (*ready)(void *user);
    void *user;

    struct MHD_Daemon *daemons[REST_LISTENERS_MAX];
    unsigned ports[REST_LISTENERS_MAX];
    int kick;                          /* eventfd: something for the http thread to look at */
    pthread_t thread;
    bool running;                      /* [task thread] the thread is to be joined */

    /* [http thread] */
    int64_t now;                       /* monotonic ms, once per turn */
    struct rest_request *all, *pool;
    size_t pooled;
    struct rest_ages reading, taken, answering; /* requests */
    struct rest_ages between;          /* connections without a request, see connection.c */
    size_t connections;
    int64_t judged;                    /* when slow clients were looked for, see shortage.c */
    struct rest_queue stalled;
    struct rest_queue fresh;           /* complete since the queue was locked last */
    size_t reserved;                   /* bytes of bodies not yet answered */
    size_t pending;                    /* requests between their first byte and their answer's last */
    bool quiesced;
    bool resumed;                      /* connections were, since the daemons ran last */

    atomic_size_t weight;              /* of records and answers that are out, see rest_server_weigh() */
    atomic_bool held;                  /* the task thread waits until it is less */

    _Atomic(struct rest_request *) done; /* stack: broker and task threads push, http thread takes all */

    pthread_mutex_t lock;
    pthread_cond_t changed;            /* CLOCK_MONOTONIC */
    /* under lock */
    struct rest_queue queue;           /* complete, for the task thread */
    bool waiting;                      /* the task thread found the queue empty */
    bool draining, drained;            /* asked for; reached */
    bool stopping;
    int64_t stop_deadline;

    struct sluice_metric *requests, *refused, *bytes;
};

static inline void rest_queue_push(struct rest_queue *queue, struct rest_request *request)
{
    request->next = NULL;
    if (queue->last) {
        queue->last->next = request;
    } else {
        queue->first = request;
    }
    queue->last = request;
}

static inline struct rest_request *rest_queue_pop(struct rest_queue *queue)
{
    struct rest_request *request = queue->first;
    if (request) {
        queue->first = request->next;
        if (!queue->first) {
            queue->last = NULL;
        }
        request->next = NULL;
    }
    return request;
}

static inline void rest_age_add(struct rest_ages *ages, struct rest_age *age, int64_t deadline)
{
    age->deadline = deadline;
    age->timed = true;
    age->newer = NULL;
    age->older = ages->newest;
    if (ages->newest) {
        ages->newest->newer = age;
    } else {
        ages->oldest = age;
    }
    ages->newest = age;
}

static inline void rest_age_remove(struct rest_ages *ages, struct rest_age *age)
{
    if (!age->timed) {
        return;
    }
    age->timed = false;
    *(age->older ? &age->older->newer : &ages->oldest) = age->newer;
    *(age->newer ? &age->newer->older : &ages->newest) = age->older;
}

/* connection.c; all [http thread] */

/** libmicrohttpd's begin and end of a connection; cls is the server. */
void rest_connection_notify(void *cls, struct MHD_Connection *connection, void **socket_context,
                            enum MHD_ConnectionNotificationCode code);
/** The headers of a request are in. */
void rest_connection_begin(struct rest_server *server, struct MHD_Connection *connection);
/** Its request is over: the time for the next one's headers begins. */
void rest_connection_end(struct rest_server *server, struct MHD_Connection *connection);
/** Ends those whose headers take too long. */
void rest_connections_expire(struct rest_server *server);
/** Ends the one that has been without a request for longest, and at least for that long. */
void rest_connections_evict(struct rest_server *server, int64_t at_least_ms);
/** Ends a connection: libmicrohttpd sees the end and cleans up. */
void rest_connection_shut(struct MHD_Connection *connection);

/* serve.c; all [http thread] */

/** libmicrohttpd's access handler; cls is the server. */
enum MHD_Result rest_serve(void *cls, struct MHD_Connection *connection, const char *url,
                           const char *method, const char *version, const char *upload_data,
                           size_t *upload_data_size, void **con_cls);
/** libmicrohttpd's end of a request, whatever became of it. */
void rest_serve_end(void *cls, struct MHD_Connection *connection, void **con_cls,
                    enum MHD_RequestTerminationCode code);
/** A request is back from the task: answers it, or forgets it where the client is gone. */
void rest_serve_back(struct rest_server *server, struct rest_request *request);
/** Deals with requests that are over their time; returns ms until the next may be, or -1. */
int64_t rest_serve_expire(struct rest_server *server);
/** Ends the connection of one whose body is not complete; why is said where nothing was yet. */
void rest_serve_end_body(struct rest_server *server, struct rest_request *request,
                         const struct rest_fault *why);
/** Ends the connections of requests whose body is not complete. */
void rest_serve_hang_up(struct rest_server *server);
/** Ends waiting of every request, before the daemons stop. */
void rest_serve_abandon(struct rest_server *server);
/** A request that was never taken, or not yet: 503. */
void rest_serve_refuse(struct rest_server *server, struct rest_request *request);

/* shortage.c; [http thread] */

/** Its body or its answer is the client's to move from now on. */
void rest_shortage_pace(const struct rest_server *server, struct rest_request *request);

/** Parts with slow clients while others wait for what they hold; returns ms until the next look, or -1. */
int64_t rest_shortage_relieve(struct rest_server *server);

#endif
