/*
 * The listeners, and the life of a request: taken in whole, routed, suspended while the herder
 * works on it, answered. The lock guards the list of suspended requests and their answers.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/rest/request.h"
#include "core/rest/rest.h"

#define LOGGER "sluice.rest"

enum {
    LISTENERS = 8,
    BACKLOG = 128,
    CONNECTIONS = 512,
    IDLE_SECONDS = 120,
    HEADERS_MAX = 32 * 1024,
};

struct rest {
    struct MHD_Daemon *daemons[LISTENERS];
    size_t count;
    pthread_mutex_t lock;
    struct herder *herder; /* NULL: not there yet */
    bool closing;
    struct rest_request *suspended;
};

/* -- answers -- */

static void set_answer(struct rest_request *request, int status, const char *type, char *text)
{
    if (request->status == 0) {
        request->status = status;
        request->type = type;
        request->text = text;
    } else {
        free(text);
    }
}

void rest_answer(struct rest_request *request, int status, json_t *body)
{
    set_answer(request, status, "application/json",
               body ? json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY) : NULL);
}

void rest_answer_error(struct rest_request *request, int status, const char *message)
{
    json_t *text = message ? json_string(message) : json_null();
    json_t *body = json_pack("{s:i,s:o}", "error_code", status, "message",
                             text ? text : json_string("(the message is no UTF-8)"));
    rest_answer(request, status, body);
    json_decref(body);
}

void rest_answer_text(struct rest_request *request, int status, const char *type, const char *text)
{
    set_answer(request, status, type, strdup(text));
}

/* "http://host:port" of the request and the path, its names encoded. */
static char *absolute(struct rest_request *request, const char *path)
{
    const char *host = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, "Host");
    struct buffer text;
    buffer_init(&text, 65536);
    (void)buffer_printf(&text, "http://%s", host ? host : "localhost");
    size_t slashes = 0;
    for (const char *p = path; *p; p++) {
        bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                     (*p >= '0' && *p <= '9') || strchr("-._~!$&'()*+,;=:@", *p) ||
                     (*p == '/' && slashes < 2);
        slashes += *p == '/';
        if (plain) {
            (void)buffer_append_char(&text, *p);
        } else {
            (void)buffer_printf(&text, "%%%02X", (unsigned char)*p);
        }
    }
    return buffer_take(&text);
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

/* [herder's loop] */
static void on_reply(void *user, const struct herder_reply *reply)
{
    struct rest_request *request = user;
    struct rest *rest = request->rest;
    pthread_mutex_lock(&rest->lock);
    if (reply->text) {
        rest_answer_text(request, reply->status, "text/plain; version=0.0.4; charset=utf-8",
                         reply->text);
    } else if (reply->status >= 400 && !reply->body) {
        rest_answer_error(request, reply->status, reply->message);
    } else {
        rest_answer(request, reply->status, reply->body);
    }
    if (reply->location) {
        request->location = absolute(request, reply->location);
    }
    unlink_request(request);
    MHD_resume_connection(request->connection);
    pthread_mutex_unlock(&rest->lock);
}

void rest_ask(struct rest_request *request, const struct herder_request *what)
{
    struct rest *rest = request->rest;
    struct herder_request submitted = *what;
    submitted.done = on_reply;
    submitted.user = request;
    pthread_mutex_lock(&rest->lock);
    if (rest->closing || !rest->herder) {
        rest_answer_error(request, 503,
                          rest->closing ? "The worker is shutting down"
                                        : "Worker is still starting up.");
        json_decref(submitted.body);
    } else {
        request->suspended = request->asked = true;
        request->next = rest->suspended;
        if (request->next) {
            request->next->prev = request;
        }
        rest->suspended = request;
        MHD_suspend_connection(request->connection);
        herder_submit(rest->herder, &submitted);
    }
    pthread_mutex_unlock(&rest->lock);
}

/* -- the life of a request [thread of the listener] -- */

static enum MHD_Result queue_answer(struct rest_request *request)
{
    size_t size = request->text ? strlen(request->text) : 0;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(size, request->text, MHD_RESPMEM_MUST_COPY);
    if (!response) {
        return MHD_NO;
    }
    if (request->text) {
        (void)MHD_add_response_header(response, "Content-Type", request->type);
    }
    if (request->location) {
        (void)MHD_add_response_header(response, "Location", request->location);
    }
    if (request->allow) {
        (void)MHD_add_response_header(response, "Allow", request->allow);
    }
    enum MHD_Result result =
        MHD_queue_response(request->connection, (unsigned)request->status, response);
    MHD_destroy_response(response);
    return result;
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
        request->rest = user;
        request->connection = connection;
        buffer_init(&request->body, REST_BODY_MAX);
        rest_route(request, url, method);
        return MHD_YES; /* an answer has to wait for the body's end */
    }
    if (*upload_size > 0) {
        if (request->status == 0 && buffer_append(&request->body, upload_data, *upload_size) != 0) {
            rest_answer_error(request, 413, "HTTP 413 Request Entity Too Large");
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
    return answered ? queue_answer(request) : MHD_NO;
}

static void on_completed(void *user, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    struct rest_request *request = *state;
    (void)user;
    (void)connection;
    (void)code;
    if (request) {
        for (size_t i = 0; i < request->segment_count; i++) {
            free(request->segments[i]);
        }
        buffer_finish(&request->body);
        free(request->text);
        free(request->location);
        free(request->allow);
        free(request);
        *state = NULL;
    }
}

/* Names may hold %2F: decoding is left to who knows where a segment ends (route.c). */
static size_t leave_encoded(void *user, struct MHD_Connection *connection, char *text)
{
    (void)user;
    (void)connection;
    return strlen(text);
}

/* -- listeners -- */

int rest_parse_listener(const char *text, struct rest_listener *ret_listener, struct error *error)
{
    *ret_listener = (struct rest_listener){.port = -1};
    const char *rest = strstr(text, "://");
    if (!rest || (rest - text != 4 && rest - text != 5) || strncasecmp(text, "http", 4) != 0) {
        return error_set(error, ERROR_CONFIG,
                         "The listener '%s' is not of the form http://host:port", text);
    }
    if (rest - text == 5) {
        return error_set(error, ERROR_CONFIG,
                         "The listener '%s' asks for HTTPS, which this version does not offer",
                         text);
    }
    rest += 3;
    const char *colon = strrchr(rest, ':');
    const char *end = colon;
    char *number_end;
    if (colon && *rest == '[' && colon > rest && colon[-1] == ']') {
        rest++;
        end = colon - 1;
    }
    long port = colon ? strtol(colon + 1, &number_end, 10) : -1;
    if (!colon || number_end == colon + 1 || strspn(number_end, "/") != strlen(number_end) ||
        port < 0 || port > 65535 || (size_t)(end - rest) >= sizeof(ret_listener->host)) {
        return error_set(error, ERROR_CONFIG, "The listener '%s' has no good host and port", text);
    }
    memcpy(ret_listener->host, rest, (size_t)(end - rest));
    ret_listener->port = (int)port;
    return 0;
}

static int bound_port(int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof(address);
    if (getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
        return 0;
    }
    return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                               : ((struct sockaddr_in *)&address)->sin_port);
}

static int listen_on(struct rest_listener *listener, struct error *error)
{
    char port[16];
    struct addrinfo *list = NULL;
    const struct addrinfo hints = {.ai_flags = AI_PASSIVE,
                                   .ai_family = *listener->host ? AF_UNSPEC : AF_INET,
                                   .ai_socktype = SOCK_STREAM};
    (void)snprintf(port, sizeof(port), "%d", listener->port);
    int found = getaddrinfo(*listener->host ? listener->host : NULL, port, &hints, &list);
    if (found != 0) {
        return error_set(error, ERROR_CONFIG, "The listener's host '%s' cannot be found: %s",
                         listener->host, gai_strerror(found));
    }
    int one = 1;
    int fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0) {
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    }
    bool good =
        fd >= 0 && bind(fd, list->ai_addr, list->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0;
    int why = errno;
    freeaddrinfo(list);
    if (!good) {
        if (fd >= 0) {
            close(fd);
        }
        return why == EADDRINUSE
                   ? error_set(
                         error, ERROR_BUSY,
                         "The admin API cannot listen on %s:%d: the port is in use. Stop what uses "
                         "it, or choose another by listeners=http://127.0.0.1:PORT or --rest "
                         "(`off`: without it)",
                         listener->host, listener->port)
                   : error_set_errno(error, why, "The admin API cannot listen on %s:%d",
                                     listener->host, listener->port);
    }
    listener->port = bound_port(fd);
    return fd;
}

int rest_start(struct rest_listener *listeners, size_t count, struct rest **ret_rest,
               struct error *error)
{
    struct rest *rest = calloc(1, sizeof(*rest));
    if (!rest) {
        return error_set(error, ERROR_NO_MEMORY, "Out of memory for the admin API");
    }
    pthread_mutex_init(&rest->lock, NULL);
    for (size_t i = 0; i < count && i < LISTENERS; i++) {
        int fd = listen_on(&listeners[i], error);
        if (fd < 0) {
            rest_stop(rest);
            return -1;
        }
        rest->daemons[i] = MHD_start_daemon(
            MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL,
            NULL, on_access, rest, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED,
            on_completed, NULL, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
            MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADERS_MAX, MHD_OPTION_UNESCAPE_CALLBACK,
            leave_encoded, NULL, MHD_OPTION_END);
        if (!rest->daemons[i]) {
            close(fd);
            rest_stop(rest);
            return error_set(error, ERROR_SYSTEM, "The admin API could not be started on %s:%d",
                             listeners[i].host, listeners[i].port);
        }
        rest->count++;
        log_info(LOGGER, "REST admin endpoints at http://%s:%d",
                 *listeners[i].host ? listeners[i].host : "0.0.0.0", listeners[i].port);
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
        unlink_request(request);
        MHD_resume_connection(request->connection);
    }
    pthread_mutex_unlock(&rest->lock);
    for (size_t i = 0; i < rest->count; i++) {
        MHD_stop_daemon(rest->daemons[i]);
    }
    pthread_mutex_destroy(&rest->lock);
    free(rest);
}
