/*
 * One HTTP request on its way: read by the http thread, handed to the task thread, completed by the
 * broker thread, answered by the http thread. Objects are pooled by the server, so that a steady state
 * allocates nothing. Who may touch which part is said at the part.
 */
#ifndef CONNECTORS_REST_REQUEST_H
#define CONNECTORS_REST_REQUEST_H

#include <stdatomic.h>

#include <microhttpd.h>

#include "connectors/rest/fault.h"
#include "connectors/rest/route.h"
#include "lib/util/buffer.h"

/** Largest buffer, body, answer or results, that is kept for a next use. */
#define REST_KEEP 65536

enum rest_state {
    REST_READING, /* its body comes in */
    REST_STALLED, /* waits for room in memory before its body is read */
    REST_TAKEN,   /* with the task: queued, polled or waiting for acknowledgements */
    REST_BACK,    /* complete; its answer can be sent */
};

/** Outcome of one record; the record's context. */
struct rest_result {
    struct rest_request *request;
    int64_t offset;
    int32_t partition;
    int32_t code;  /* error_code; 0: written */
    char *message; /* owned; only with a code */
};

/** Has until then; in a list of such, all of which have equally long. */
struct rest_age {
    struct rest_age *older, *newer;
    int64_t deadline; /* monotonic ms */
    bool timed;       /* it is in a list */
};

struct rest_request {
    /* [http thread] */
    struct rest_age age;                  /* first; until the body is complete, answered, the answer read */
    int64_t paced;                        /* monotonic ms when it had moved paced_bytes, see shortage.c */
    uint64_t paced_bytes;
    struct rest_request *all_next;        /* every request there is, for the end */
    struct MHD_Connection *connection;    /* NULL: the client is gone */
    enum rest_state state;
    size_t reserved;                      /* bytes counted against the limit */
    size_t length;                        /* of the body to come; body_max where not known */
    bool discard;                         /* refused: the body is read and dropped */
    bool told;                            /* the answer went out before the body was in */
    bool close;                           /* the connection is not to be used again */
    bool restart;                         /* the handler may be called once more for the headers */
    bool expired;                         /* answered before the task was done with it */

    /* whoever has it: http thread until TAKEN, task thread, then http thread again when BACK */
    struct rest_request *next;            /* of the queue or list it is in */
    struct rest_route route;
    struct rest_fault fault;              /* status 0: none */
    char *body;
    size_t size, capacity;
    struct buffer answer;

    /* task thread before records are added, broker thread each result once, http thread when BACK */
    struct rest_result *results;
    size_t count, result_capacity;
    size_t weight;                        /* what it counts in server->weight */
    atomic_size_t left;                   /* results not known yet */
};

/** An empty one; NULL: out of memory. */
struct rest_request *rest_request_create(void);
/** Room for count results, all empty. -1: out of memory. [task thread] */
int rest_request_results(struct rest_request *request, size_t count) SLUICE_CHECKED;
/** Makes a result a failure; message is copied and may be NULL. [whose turn it is] */
void rest_result_fail(struct rest_result *result, int32_t code, const char *message);
/** Writes the answer's body into request->answer and says the HTTP status. [http thread] */
int rest_request_answer(struct rest_request *request);
/** Frees what is large and its answer does not need; returns the bytes that it still holds. [http thread] */
size_t rest_request_shrink(struct rest_request *request);
/** Empties it for the next use; with keep, buffers of moderate size stay. */
void rest_request_reset(struct rest_request *request, bool keep);
void rest_request_destroy(struct rest_request *request);

/** Appends a JSON string with quotes; bytes that are no UTF-8 become U+FFFD. */
void rest_append_json(struct buffer *buffer, const char *text);

#endif
