/*
 * The listeners, and the life of a request: taken in whole, routed, suspended while the herder
 * works on it, answered. The lock guards the list of suspended requests, their answers and the clients. A thread
 * watches over health checks, which must be answered just when the herder is not, and over clients that are in the way.
 */
#include <gnutls/gnutls.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/rest/answer.h"
#include "core/rest/auth.h"
#include "core/rest/clients.h"
#include "core/rest/headers.h"
#include "core/rest/listener.h"
#include "core/rest/request.h"
#include "core/rest/rest.h"
#include "core/rest/tls.h"

#define LOGGER "sluice.rest"

enum {
    LISTENERS = 16,
    CONNECTIONS = 512,
    IDLE_SECONDS = 120,
    HEADERS_MAX = 32 * 1024,
    BYTES_MAX = 64 << 20,      /* bodies and answers of all connections of a listener */
    GOODBYE_MS = 1000,         /* for last answers to go out */
    HEALTH_TIMEOUT_MS = 10000, /* worker.health.check's in Connect; not configurable there either */
};

/* What the herder was asked: outlives its request where nobody waits any longer. */
struct rest_question {
    struct rest *rest;
    struct rest_request *request; /* NULL: it is answered */
    int64_t deadline;             /* monotonic ms; 0: none but the herder's own */
};

/* One listener. */
struct rest_port {
    struct rest *rest;
    struct MHD_Daemon *daemon;
    struct rest_tls tls;
    bool https;
    bool main, admin; /* which parts of the API it serves */
    struct rest_clients clients;
};

struct rest {
    struct rest_port ports[LISTENERS];
    size_t count;
    struct rest_headers *headers;
    struct rest_auth *auth;
    pthread_mutex_t lock;
    struct herder *herder; /* NULL: not there yet */
    bool closing;
    struct rest_request *suspended;
    int health_timeout_ms;
    pthread_cond_t changed; /* there is something to watch, it closes, or a last answer is out */
    size_t goodbyes;        /* last answers that are not out yet */
    pthread_t watch;
    bool watched; /* the thread runs */
};

/* -- what the herder answers -- */

bool rest_port_serves(const struct rest_port *port, bool admin)
{
    return admin ? port->admin : port->main;
}

static void unlink_request(struct rest_request *request)
{
    *(request->prev ? &request->prev->next : &request->rest->suspended) = request->next;
    if (request->next) {
        request->next->prev = request->prev;
    }
    request->prev = request->next = NULL;
    request->suspended = false;
}

/* Its answer is there: it goes on. Lock held. */
static void resume(struct rest_request *request)
{
    unlink_request(request);
    MHD_resume_connection(request->connection);
}

/* [herder's loop] */
static void on_reply(void *user, const struct herder_reply *reply)
{
    struct rest_question *question = user;
    struct rest *rest = question->rest;
    pthread_mutex_lock(&rest->lock);
    struct rest_request *request = question->request;
    free(question);
    if (!request) {
        pthread_mutex_unlock(&rest->lock);
        return;
    }
    request->question = NULL;
    if (reply->text) {
        rest_answer_text(request, reply->status, "text/plain; version=0.0.4; charset=utf-8",
                         reply->text);
    } else if (reply->status >= 400 && !reply->body) {
        rest_answer_error(request, reply->status, reply->message);
    } else {
        rest_answer(request, reply->status, reply->body);
    }
    if (reply->location) {
        rest_answer_location(request, request->port->https, reply->location);
    }
    resume(request);
    pthread_mutex_unlock(&rest->lock);
}

/* There is no herder (any more). */
static void refuse_early(struct rest_request *request, enum herder_verb verb, bool closing)
{
    const char *why = closing ? "The worker is shutting down" : "Worker is still starting up.";
    if (verb == HERDER_HEALTH && !closing) { /* has a form of its own */
        json_t *body = json_pack("{s:s,s:s}", "status", "starting", "message", why);
        rest_answer(request, 503, body);
        json_decref(body);
    } else {
        rest_answer_error(request, 503, why);
    }
}

/* timeout_ms: 0 for none. */
static void ask(struct rest_request *request, const struct herder_request *what, int timeout_ms)
{
    struct rest *rest = request->rest;
    struct herder_request submitted = *what;
    struct rest_question *question = calloc(1, sizeof(*question));
    if (!question) {
        abort();
    }
    *question = (struct rest_question){
        rest, request, timeout_ms > 0 ? clock_monotonic_ms() + timeout_ms : 0};
    submitted.done = on_reply;
    submitted.user = question;
    pthread_mutex_lock(&rest->lock);
    if (rest->closing || !rest->herder) {
        refuse_early(request, what->verb, rest->closing);
        json_decref(submitted.body);
        free(question);
    } else {
        request->question = question;
        pthread_cond_signal(&rest->changed);
        request->suspended = request->asked = true;
        request->next = rest->suspended;
        if (request->next) {
            request->next->prev = request;
        }
        rest->suspended = request;
        rest_client_ours(&request->port->clients, request->client);
        MHD_suspend_connection(request->connection);
        herder_submit(rest->herder, &submitted);
    }
    pthread_mutex_unlock(&rest->lock);
}

void rest_ask(struct rest_request *request, const struct herder_request *what)
{
    ask(request, what, 0);
}

/* -- health -- */

void rest_ask_health(struct rest_request *request)
{
    const struct herder_request what = {.verb = HERDER_HEALTH};
    ask(request, &what, request->rest->health_timeout_ms);
}

/* Answers what is due; the next deadline, 0: none. Lock held. */
static int64_t answer_due(struct rest *rest, int64_t now)
{
    int64_t earliest = 0;
    for (struct rest_request *request = rest->suspended, *next; request; request = next) {
        int64_t deadline = request->question ? request->question->deadline : 0;
        next = request->next;
        if (deadline == 0) {
            continue;
        }
        if (deadline > now) {
            earliest = earliest == 0 || deadline < earliest ? deadline : earliest;
            continue;
        }
        json_t *body = json_pack("{s:s,s:s}", "status", "unhealthy", "message",
                                 "Worker was unable to handle this request and may be unable to "
                                 "handle other requests.");
        rest_answer(request, 500, body);
        json_decref(body);
        request->question->request = NULL; /* the herder's answer, if it comes, is nobody's */
        request->question = NULL;
        resume(request);
    }
    return earliest;
}

/* [thread of its own] */
static void *watch(void *user)
{
    struct rest *rest = user;
    pthread_mutex_lock(&rest->lock);
    while (!rest->closing) {
        int64_t now = clock_monotonic_ms(), next = answer_due(rest, now);
        for (size_t i = 0; i < rest->count; i++) {
            int64_t look = rest_clients_relieve(&rest->ports[i].clients, now);
            next = look != 0 && (next == 0 || look < next) ? look : next;
        }
        if (next == 0) {
            pthread_cond_wait(&rest->changed, &rest->lock);
        } else {
            const struct timespec until = {.tv_sec = next / 1000, .tv_nsec = next % 1000 * 1000000};
            (void)pthread_cond_timedwait(&rest->changed, &rest->lock, &until);
        }
    }
    pthread_mutex_unlock(&rest->lock);
    return NULL;
}

static void init_watch(struct rest *rest, int timeout_ms)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&rest->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    rest->health_timeout_ms = timeout_ms > 0 ? timeout_ms : HEALTH_TIMEOUT_MS;
}

/* -- the life of a request [thread of the listener] -- */

/* A client whose certificate will not do, or who has none where one is required. */
static bool is_trusted(const struct rest_port *port, struct MHD_Connection *connection)
{
    if (!port->https || port->tls.client_auth == CLIENT_AUTH_NONE) {
        return true;
    }
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    unsigned status = 0, count = 0;
    if (!info || !info->tls_session) {
        return false;
    }
    gnutls_session_t session = info->tls_session;
    if (!gnutls_certificate_get_peers(session, &count) || count == 0) {
        return port->tls.client_auth == CLIENT_AUTH_REQUESTED;
    }
    return gnutls_certificate_verify_peers2(session, &status) == 0 && status == 0;
}

/* Answers those who may not enter. */
static void check_credentials(struct rest_request *request)
{
    const char *given =
        MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, "Authorization");
    if (request->handle && !rest_is_internal(request) &&
        !rest_auth_allows(request->rest->auth, given)) {
        request->handle = NULL;
        rest_answer_text(request, 401, "text/plain", "User cannot access the resource.");
    }
}

#define TOO_MUCH "Too many bytes of requests and answers are under way; send the request again later"

/* The client's turn begins, or goes on with so many bytes; false where others have them all. */
static bool hold(struct rest_request *request, size_t bytes)
{
    struct rest *rest = request->rest;
    struct rest_clients *clients = &request->port->clients;
    pthread_mutex_lock(&rest->lock);
    if (request->body.size == 0) {
        rest_client_theirs(clients, request->client);
    }
    bool held = rest_client_holds(clients, request->client, bytes);
    if (rest_clients_relieve(clients, clock_monotonic_ms()) != 0) {
        pthread_cond_broadcast(&rest->changed);
    }
    pthread_mutex_unlock(&rest->lock);
    return held;
}

/* A piece of it; what does not fit is dropped with all that came, and an answer waits for its end. */
static void take_body(struct rest_request *request, const char *data, size_t size)
{
    if (!hold(request, request->body.size + size)) {
        rest_answer_error(request, 503, TOO_MUCH);
    } else if (buffer_append(&request->body, data, size) != 0) {
        rest_answer_error(request, 413, "HTTP 413 Request Entity Too Large");
    }
    if (request->status != 0) {
        buffer_finish(&request->body);
        (void)hold(request, 0);
    }
}

static enum MHD_Result on_access(void *user, struct MHD_Connection *connection, const char *url,
                                 const char *method, const char *version, const char *upload_data,
                                 size_t *upload_size, void **state)
{
    struct rest_request *request = *state;
    (void)version;
    if (!request) {
        request = *state = calloc(1, sizeof(*request));
        if (!request) {
            return MHD_NO;
        }
        request->port = user;
        request->rest = request->port->rest;
        request->connection = connection;
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
        request->client = info->socket_context;
        request->method = method;
        request->url = strdup(url);
        request->began = clock_monotonic_ms();
        buffer_init(&request->body, REST_BODY_MAX);
        if (!is_trusted(request->port, connection)) {
            return MHD_NO;
        }
        rest_route(request, url, method);
        check_credentials(request);
        return MHD_YES; /* an answer has to wait for the body's end */
    }
    if (*upload_size > 0) {
        if (request->status == 0) {
            take_body(request, upload_data, *upload_size);
        }
        *upload_size = 0;
        return MHD_YES;
    }
    if (request->status == 0 && request->handle) {
        rest_handler handle = request->handle;
        request->handle = NULL;
        handle(request);
        if (request->asked) {
            return MHD_YES; /* comes back here when it is resumed, which may be any moment */
        }
    }
    pthread_mutex_lock(&request->rest->lock); /* sees what the herder's thread wrote */
    bool answered = request->status != 0;
    pthread_mutex_unlock(&request->rest->lock);
    if (!answered) {
        return MHD_NO;
    }
    buffer_finish(&request->body);
    if (!hold(request, request->text ? strlen(request->text) : 0)) {
        rest_answer_drop(request);
        rest_answer_error(request, 503, TOO_MUCH);
        (void)hold(request, strlen(request->text));
    }
    return rest_answer_send(request, request->rest->headers);
}

static void on_completed(void *user, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    struct rest_request *request = *state;
    (void)user;
    (void)connection;
    (void)code;
    if (request) {
        struct rest *rest = request->rest;
        buffer_finish(&request->body);
        (void)hold(request, 0);
        if (request->goodbye) {
            pthread_mutex_lock(&rest->lock);
            rest->goodbyes--;
            pthread_cond_broadcast(&rest->changed);
            pthread_mutex_unlock(&rest->lock);
        }
        for (size_t i = 0; i < request->segment_count; i++) {
            free(request->segments[i]);
        }
        free(request->text);
        free(request->location);
        free(request->allow);
        free(request->parameters);
        free(request->url);
        free(request);
        *state = NULL;
    }
}

static void on_connection(void *user, struct MHD_Connection *connection, void **client,
                          enum MHD_ConnectionNotificationCode code)
{
    struct rest_port *port = user;
    struct rest *rest = port->rest;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    pthread_mutex_lock(&rest->lock);
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *client = rest_client_create(&port->clients, info->connect_fd);
        if (!*client) {
            abort();
        }
        if (rest_clients_relieve(&port->clients, clock_monotonic_ms()) != 0) {
            pthread_cond_broadcast(&rest->changed);
        }
    } else {
        rest_client_destroy(&port->clients, *client);
        *client = NULL;
    }
    pthread_mutex_unlock(&rest->lock);
}

/* Names may hold %2F: decoding is left to who knows where a segment ends (route.c). */
static size_t leave_encoded(void *user, struct MHD_Connection *connection, char *text)
{
    (void)user;
    (void)connection;
    return strlen(text);
}

/* -- listeners -- */

static int open_port(struct rest *rest, struct rest_listener *listener,
                     const struct rest_options *options, struct error *error)
{
    struct rest_port *port = &rest->ports[rest->count];
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_END, 0, NULL}, {MHD_OPTION_END, 0, NULL}, {MHD_OPTION_END, 0, NULL},
        {MHD_OPTION_END, 0, NULL}, {MHD_OPTION_END, 0, NULL},
    };
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME;
    *port = (struct rest_port){
        .rest = rest,
        .https = listener->https,
        .main = !listener->admin,
        .admin = listener->admin || !options->admin_apart,
        .clients = {.count_most = CONNECTIONS, .bytes_most = BYTES_MAX},
    };
    if (listener->https) {
        const char *prefix = listener->admin ? "admin.listeners.https." : "listeners.https.";
        if (rest_tls_load(options->worker, prefix, &port->tls, error) != 0) {
            return -1;
        }
        flags |= MHD_USE_TLS;
        tls[0] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, port->tls.key};
        tls[1] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, port->tls.certificates};
        tls[2] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0, port->tls.priorities};
        if (port->tls.trusted) {
            tls[3] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_TRUST, 0, port->tls.trusted};
        }
    }
    int fd = rest_listen(listener, error);
    if (fd >= 0) {
        port->daemon = MHD_start_daemon(
            flags, 0, NULL, NULL, on_access, port, MHD_OPTION_LISTEN_SOCKET, fd,
            MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_NOTIFY_CONNECTION, on_connection, port,
            MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS + 1, /* it stops at one less (0.9.75) */
            MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADERS_MAX, MHD_OPTION_UNESCAPE_CALLBACK,
            leave_encoded, NULL, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
    }
    if (fd >= 0 && !port->daemon) {
        close(fd);
        (void)error_set(error, listener->https ? ERROR_CONFIG : ERROR_SYSTEM,
                        "The admin API could not be started on %s:%d%s", listener->host,
                        listener->port,
                        listener->https ? "; certificate, key or cipher suites will not do" : "");
    }
    if (!port->daemon) {
        rest_tls_finish(&port->tls);
        return -1;
    }
    rest->count++;
    log_info(LOGGER, "REST %sendpoints at %s://%s:%d", listener->admin ? "admin-only " : "admin ",
             listener->https ? "https" : "http", *listener->host ? listener->host : "0.0.0.0",
             listener->port);
    return 0;
}

int rest_start(const struct rest_options *options, struct rest **ret_rest, struct error *error)
{
    struct rest *rest = calloc(1, sizeof(*rest));
    if (!rest) {
        return error_set(error, ERROR_NO_MEMORY, "Out of memory for the admin API");
    }
    pthread_mutex_init(&rest->lock, NULL);
    init_watch(rest, options->health_timeout_ms);
    int result = rest_headers_load(options->worker, &rest->headers, error);
    result = result == 0 ? rest_auth_load(options->worker, &rest->auth, error) : result;
    for (size_t i = 0; result == 0 && i < options->count && i < LISTENERS; i++) {
        result = open_port(rest, &options->listeners[i], options, error);
    }
    rest->watched = result == 0 && pthread_create(&rest->watch, NULL, watch, rest) == 0;
    if (result != 0) {
        rest_stop(rest);
        return -1;
    }
    *ret_rest = rest;
    return 0;
}

void rest_open(struct rest *rest, struct herder *herder)
{
    pthread_mutex_lock(&rest->lock);
    rest->herder = herder;
    pthread_mutex_unlock(&rest->lock);
}

void rest_stop(struct rest *rest)
{
    if (!rest) {
        return;
    }
    pthread_mutex_lock(&rest->lock);
    rest->closing = true;
    while (rest->suspended) { /* a daemon cannot end with one of these */
        struct rest_request *request = rest->suspended;
        rest_answer_error(request, 503, "The worker is shutting down");
        free(request->question); /* no answer comes any more */
        request->question = NULL;
        request->goodbye = true;
        rest->goodbyes++;
        resume(request);
    }
    pthread_cond_broadcast(&rest->changed);
    int64_t end = clock_monotonic_ms() + GOODBYE_MS;
    const struct timespec until = {.tv_sec = end / 1000, .tv_nsec = end % 1000 * 1000000};
    while (rest->goodbyes > 0 &&
           pthread_cond_timedwait(&rest->changed, &rest->lock, &until) == 0) {
    }
    pthread_mutex_unlock(&rest->lock);
    if (rest->watched) {
        pthread_join(rest->watch, NULL);
    }
    for (size_t i = 0; i < rest->count; i++) {
        MHD_stop_daemon(rest->ports[i].daemon);
        rest_tls_finish(&rest->ports[i].tls);
    }
    rest_headers_destroy(rest->headers);
    rest_auth_destroy(rest->auth);
    pthread_cond_destroy(&rest->changed);
    pthread_mutex_destroy(&rest->lock);
    free(rest);
}
