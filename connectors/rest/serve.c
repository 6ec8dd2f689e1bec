/*
 * One request's life on the http thread: headers, body, hand-over, answer, end. All [http thread].
 *
 * READING -> (STALLED -> READING) -> TAKEN -> BACK -> end. Refused requests skip TAKEN: their body is
 * read and dropped, so that the connection can go on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "connectors/rest/headers.h"
#include "connectors/rest/server_priv.h"

#define STOPPING_TEXT "The REST source is stopping; send the request again"

enum { POOL_WITH_BUFFERS = 64 };

static const struct rest_fault stopping_fault = {503, 503, STOPPING_TEXT};

/* -- requests -- */

static struct rest_request *take_from_pool(struct rest_server *server)
{
    struct rest_request *request = server->pool;
    if (request) {
        server->pool = request->next;
        server->pooled--;
        request->next = NULL;
    } else {
        request = rest_request_create();
        if (!request) {
            return NULL;
        }
        request->all_next = server->all;
        server->all = request;
    }
    server->pending++;
    return request;
}

/* libmicrohttpd looks at resumed connections in its next run and tells nobody that one is due. */
static void resume(struct rest_server *server, struct rest_request *request)
{
    server->resumed = true;
    MHD_resume_connection(request->connection);
}

/* -- room in memory -- */

static bool reserve(struct rest_server *server, struct rest_request *request)
{
    /* invariant 5: bodies in memory never pass the limit; settings make sure that one always fits */
    if (request->length > server->settings->inflight_max - server->reserved) {
        return false;
    }
    server->reserved += request->length;
    request->reserved = request->length;
    return true;
}

static void read_body(struct rest_server *server, struct rest_request *request)
{
    rest_age_add(&server->reading, &request->age, server->now + server->settings->receive_ms);
    rest_shortage_pace(server, request);
}

/* Lets requests that wait for room go on, in their order. */
static void unstall(struct rest_server *server)
{
    while (server->stalled.first && reserve(server, server->stalled.first)) {
        struct rest_request *request = rest_queue_pop(&server->stalled);
        request->state = REST_READING;
        request->restart = true;
        read_body(server, request);
        resume(server, request);
    }
}

static void unreserve(struct rest_server *server, struct rest_request *request)
{
    server->reserved -= request->reserved;
    request->reserved = 0;
    unstall(server);
}

/* What a request weighs now: less than its records did, as a rule. */
static void reweigh(struct rest_server *server, struct rest_request *request, size_t weight)
{
    size_t more = weight - request->weight; /* or less: both wrap */
    if (more == 0) {
        return;
    }
    request->weight = weight;
    size_t now = atomic_fetch_add(&server->weight, more) + more;
    if (now <= server->settings->inflight_max && atomic_load(&server->held) &&
        atomic_exchange(&server->held, false)) {
        server->ready(server->user);
    }
}

static void recycle(struct rest_server *server, struct rest_request *request)
{
    reweigh(server, request, 0);
    server->pending--;
    /* invariant 5: buffers are kept for as many requests as are common, not for every connection */
    rest_request_reset(request, server->pooled < POOL_WITH_BUFFERS);
    request->next = server->pool;
    server->pool = request;
    server->pooled++;
    unreserve(server, request);
}

/* -- answers -- */

static bool listed(const char *list, const char *item)
{
    size_t size = strlen(item);
    while (*list) {
        list += strspn(list, ", ");
        size_t part = strcspn(list, ", ");
        if ((part == size && memcmp(list, item, size) == 0) || (part == 1 && *list == '*')) {
            return true;
        }
        list += part;
    }
    return false;
}

/* Cross-origin headers, as Jetty's filter adds them for access.control.*. */
static void add_cors(const struct rest_settings *settings, struct MHD_Connection *connection,
                     struct MHD_Response *response, bool preflight)
{
    const char *origin = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Origin");
    if (!origin || !listed(settings->allow_origin, origin)) {
        return;
    }
    (void)MHD_add_response_header(response, "Access-Control-Allow-Origin", origin);
    (void)MHD_add_response_header(response, "Access-Control-Allow-Credentials", "true");
    if (strcmp(settings->allow_origin, "*") != 0) {
        (void)MHD_add_response_header(response, "Vary", "Origin");
    }
    if (preflight) {
        (void)MHD_add_response_header(response, "Access-Control-Max-Age", "1800");
        (void)MHD_add_response_header(
            response, "Access-Control-Allow-Methods",
            *settings->allow_methods ? settings->allow_methods : "GET,POST,HEAD");
        (void)MHD_add_response_header(response, "Access-Control-Allow-Headers",
                                      *settings->allow_headers
                                          ? settings->allow_headers
                                          : "X-Requested-With,Content-Type,Accept,Origin");
    } else if (*settings->expose_headers) {
        (void)MHD_add_response_header(response, "Access-Control-Expose-Headers",
                                      settings->expose_headers);
    }
}

/* The body lives until rest_serve_end(), so that nothing is copied. */
static enum MHD_Result send_answer(struct rest_server *server, struct rest_request *request, int status,
                                   const char *body, size_t size, bool last)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(size, (void *)(uintptr_t)body, MHD_RESPMEM_PERSISTENT);
    if (!response) {
        return MHD_NO;
    }
    bool options = request->route.kind == REST_OPTIONS && status == 200;
    if (options) {
        (void)MHD_add_response_header(response, "Allow", request->route.allow);
    }
    (void)MHD_add_response_header(response, "Content-Type", request->route.type);
    if (*server->settings->allow_origin) {
        add_cors(server->settings, request->connection, response, options);
    }
    if (last) {
        (void)MHD_add_response_header(response, "Connection", "close");
    }
    if (status >= 400) {
        server->host->metric_add(server->refused, 1);
    }
    enum MHD_Result result =
        MHD_queue_response(request->connection, (unsigned)status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result answer(struct rest_server *server, struct rest_request *request)
{
    if (request->expired) {
        /* The task still has the request; nothing of it but what is ours may be touched. */
        static const char late[] =
            "{\"error_code\":50003,\"message\":\"The records were not confirmed in time; "
            "they may still be written\"}";
        return send_answer(server, request, 500, late, sizeof(late) - 1, server->quiesced);
    }
    int status = rest_request_answer(request);
    request->state = REST_BACK;
    /* invariant 5: who does not read the answer holds nothing but that, and for how long is bounded too */
    reweigh(server, request, rest_request_shrink(request));
    unreserve(server, request);
    rest_age_add(&server->answering, &request->age, server->now + server->settings->receive_ms);
    rest_shortage_pace(server, request);
    return send_answer(server, request, status, request->answer.data ? request->answer.data : "",
                       request->answer.size, server->quiesced || request->close);
}

/*
 * An answer in the middle of a body, past libmicrohttpd, which takes none there and has sent nothing yet.
 * As much as the socket takes at once, which is all of it. Not under TLS, where that is not ours to write.
 * The rest of the body is to be read all the same: an end with bytes that were not read breaks the
 * connection, and a client that is busy sending never sees its answer.
 */
static bool answer_early(struct rest_server *server, struct rest_request *request)
{
    const union MHD_ConnectionInfo *tls =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    const union MHD_ConnectionInfo *socket =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if ((tls && tls->tls_session) || !socket) {
        return false;
    }
    int status = rest_request_answer(request);
    char head[256];
    int size = snprintf(head, sizeof(head),
                        "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
                        "Connection: close\r\n\r\n",
                        status, MHD_get_reason_phrase_for((unsigned)status), request->route.type,
                        request->answer.size);
    int fd = socket->connect_fd;
    if (send(fd, head, (size_t)size, MSG_DONTWAIT | MSG_NOSIGNAL | MSG_MORE) == size) {
        (void)send(fd, request->answer.data, request->answer.size, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    server->host->metric_add(server->refused, 1);
    request->told = true;
    return true;
}

/* -- headers -- */

static void set_too_large(struct rest_server *server, struct rest_request *request)
{
    (void)rest_fault_set(&request->fault, 413, 413,
                         "The body is larger than %zu bytes (sluice.http.body.max.bytes)",
                         server->settings->body_max);
    request->discard = true;
}

static void begin(struct rest_server *server, struct rest_request *request, const char *method,
                  const char *url, struct rest_headers *headers)
{
    url = rest_route_below(url, server->settings->base_paths, server->settings->base_path_count);
    request->route.kind = REST_ROOT; /* of faults that come before there is another */
    struct rest_fault unsure;
    bool sure = rest_headers_read(request->connection, headers, &unsure) == 0;
    int found = server->settings->streams_allow && *server->settings->streams_allow
                    ? rest_route_streams(method, url, &request->route, &request->fault)
                    : 0;
    if (found < 0 || (found == 0 && rest_route_find(method, url, headers->type, headers->accept,
                                                    &request->route, &request->fault) != 0)) {
        request->discard = true;
    } else if (server->quiesced) {
        request->fault = stopping_fault;
        request->discard = true;
    }
    request->length = 0;
    if (!sure) {
        request->fault = unsure;
        request->discard = request->close = true;
    } else if (headers->chunked) {
        request->length = server->settings->body_max; /* not known: the most it may be */
    } else if (headers->length) {
        /* libmicrohttpd has refused what is no number; one that is too long for 64 bits saturates. */
        unsigned long long bytes = strtoull(headers->length, NULL, 10);
        request->length = bytes > SIZE_MAX / 2 ? SIZE_MAX / 2 : (size_t)bytes;
    }
    if (request->length > server->settings->body_max) {
        set_too_large(server, request);
    }
}

/* The first call for a request: the headers are there. */
static enum MHD_Result first_call(struct rest_server *server, struct MHD_Connection *connection,
                                  const char *method, const char *url, void **con_cls)
{
    struct rest_request *request = take_from_pool(server);
    if (!request) {
        return MHD_NO;
    }
    *con_cls = request;
    request->connection = connection;
    struct rest_headers headers;
    rest_connection_begin(server, connection);
    begin(server, request, method, url, &headers);
    server->host->metric_add(server->requests, 1);
    bool large = request->fault.status == 413;
    if (request->close || (large && (headers.expects || !answer_early(server, request)))) {
        return answer(server, request); /* instead of reading it: libmicrohttpd closes afterwards */
    }
    if (request->length == 0) {
        return MHD_YES;
    }
    if (!request->discard && (server->stalled.first || !reserve(server, request))) {
        if (!server->settings->reject) {
            request->state = REST_STALLED;
            rest_queue_push(&server->stalled, request);
            MHD_suspend_connection(connection);
            return MHD_YES;
        }
        (void)rest_fault_set(&request->fault, 429, REST_THROTTLED,
                             "Too many bytes in flight (sluice.http.inflight.max.bytes); send the "
                             "request again later");
        request->discard = true;
    }
    read_body(server, request);
    return MHD_YES;
}

/* -- body -- */

/*
 * A chunked body that is longer than any may be: the rest is dropped and 413 said behind it, as only
 * then libmicrohttpd takes an answer; a client that goes on for too long gets it from rest_serve_end_body().
 */
static void overflow(struct rest_server *server, struct rest_request *request)
{
    set_too_large(server, request);
    request->close = true;
    free(request->body);
    request->body = NULL;
    request->capacity = 0;
    unreserve(server, request);
}

static enum MHD_Result append(struct rest_server *server, struct rest_request *request,
                              const char *data, size_t size)
{
    request->restart = false;
    if (request->discard) {
        return MHD_YES;
    }
    if (size > request->length - request->size) {
        overflow(server, request);
        return MHD_YES;
    }
    if (request->size + size > request->capacity) {
        size_t capacity = request->capacity ? request->capacity * 2 : 2048;
        while (capacity < request->size + size) {
            capacity *= 2;
        }
        if (capacity > request->length || request->length <= 2 * REST_KEEP) {
            capacity = request->length; /* libmicrohttpd hands out no more than was announced */
        }
        char *body = realloc(request->body, capacity);
        if (!body) {
            return MHD_NO;
        }
        request->body = body;
        request->capacity = capacity;
    }
    memcpy(request->body + request->size, data, size);
    request->size += size;
    return MHD_YES;
}

/* Everything is in: answers what needs nobody, hands over the rest. */
static enum MHD_Result complete(struct rest_server *server, struct rest_request *request)
{
    rest_age_remove(&server->reading, &request->age);
    if (request->told) {
        return MHD_NO; /* ends the connection, as the answer said */
    }
    if (!request->discard) {
        switch (request->route.kind) {
        case REST_ROOT:
            (void)buffer_append(&request->answer, "{}", 2);
            break;
        case REST_OPTIONS:
            (void)buffer_append_text(&request->answer, request->route.allow);
            break;
        default:
            server->host->metric_add(server->bytes, (int64_t)request->size);
            request->state = REST_TAKEN;
            rest_age_add(&server->taken, &request->age, server->now + server->settings->answer_ms);
            MHD_suspend_connection(request->connection);
            rest_queue_push(&server->fresh, request);
            return MHD_YES;
        }
    }
    return answer(server, request);
}

enum MHD_Result rest_serve(void *cls, struct MHD_Connection *connection, const char *url,
                           const char *method, const char *version, const char *upload_data,
                           size_t *upload_data_size, void **con_cls)
{
    (void)version;
    struct rest_server *server = cls;
    struct rest_request *request = *con_cls;
    if (!request) {
        return first_call(server, connection, method, url, con_cls);
    }
    if (*upload_data_size > 0) {
        size_t size = *upload_data_size;
        *upload_data_size = 0;
        return append(server, request, upload_data, size);
    }
    if (request->restart) {
        request->restart = false; /* it was stalled at its headers; the body follows */
        return MHD_YES;
    }
    if (request->state == REST_BACK || request->expired) {
        return answer(server, request);
    }
    return complete(server, request);
}

void rest_serve_end(void *cls, struct MHD_Connection *connection, void **con_cls,
                    enum MHD_RequestTerminationCode code)
{
    (void)code;
    struct rest_server *server = cls;
    struct rest_request *request = *con_cls;
    *con_cls = NULL;
    rest_connection_end(server, connection);
    if (!request) {
        return;
    }
    switch (request->state) {
    case REST_TAKEN:
        rest_age_remove(&server->taken, &request->age);
        request->connection = NULL; /* the client is gone or was told; rest_serve_back() ends it */
        return;
    case REST_STALLED: {
        struct rest_queue rest = {0};
        for (struct rest_request *at; (at = rest_queue_pop(&server->stalled)) != NULL;) {
            if (at != request) {
                rest_queue_push(&rest, at);
            }
        }
        server->stalled = rest;
        break;
    }
    default:
        rest_age_remove(request->state == REST_BACK ? &server->answering : &server->reading, &request->age);
        break;
    }
    recycle(server, request);
}

/* -- coming back -- */

void rest_serve_back(struct rest_server *server, struct rest_request *request)
{
    rest_age_remove(&server->taken, &request->age);
    if (!request->connection) {
        recycle(server, request);
        return;
    }
    request->state = REST_BACK;
    if (!request->expired) {
        resume(server, request);
    }
}

void rest_serve_refuse(struct rest_server *server, struct rest_request *request)
{
    request->fault = stopping_fault;
    rest_serve_back(server, request);
}

/* Tells the client that time is over, while the task keeps the request. */
static void expire(struct rest_server *server, struct rest_request *request)
{
    rest_age_remove(&server->taken, &request->age);
    request->expired = true;
    if (request->connection) {
        resume(server, request);
    }
}

void rest_serve_end_body(struct rest_server *server, struct rest_request *request,
                         const struct rest_fault *why)
{
    rest_age_remove(&server->reading, &request->age);
    if (request->fault.status == 0) {
        request->fault = *why;
    }
    if (!request->told) {
        (void)answer_early(server, request);
    }
    rest_connection_shut(request->connection);
}

/* ms until the oldest is due, where that is before next. */
static int64_t sooner(const struct rest_server *server, const struct rest_ages *ages, int64_t next)
{
    int64_t due = ages->oldest ? ages->oldest->deadline - server->now : -1;
    return due >= 0 && (next < 0 || due < next) ? due : next;
}

int64_t rest_serve_expire(struct rest_server *server)
{
    struct rest_age *age;
    while ((age = server->taken.oldest) != NULL && age->deadline <= server->now) {
        expire(server, (struct rest_request *)age);
    }
    while ((age = server->reading.oldest) != NULL && age->deadline <= server->now) {
        struct rest_fault late;
        (void)rest_fault_set(&late, 408, 408,
                             "The body did not come within %lld ms (sluice.http.receive.timeout.ms)",
                             (long long)server->settings->receive_ms);
        rest_serve_end_body(server, (struct rest_request *)age, &late);
    }
    while ((age = server->answering.oldest) != NULL && age->deadline <= server->now) {
        rest_age_remove(&server->answering, age);
        rest_connection_shut(((struct rest_request *)age)->connection);
    }
    rest_connections_expire(server);
    int64_t next = rest_shortage_relieve(server);
    next = sooner(server, &server->taken, next);
    next = sooner(server, &server->reading, next);
    next = sooner(server, &server->answering, next);
    return sooner(server, &server->between, next);
}

void rest_serve_hang_up(struct rest_server *server)
{
    while (server->reading.oldest) {
        rest_serve_end_body(server, (struct rest_request *)server->reading.oldest, &stopping_fault);
    }
    for (struct rest_request *request; (request = rest_queue_pop(&server->stalled)) != NULL;) {
        request->state = REST_READING;
        request->discard = true;
        request->restart = true;
        resume(server, request);
        rest_serve_end_body(server, request, &stopping_fault);
    }
}

void rest_serve_abandon(struct rest_server *server)
{
    rest_serve_hang_up(server);
    while (server->taken.oldest) {
        expire(server, (struct rest_request *)server->taken.oldest);
    }
}
