/* HTTP client on libcurl's multi interface. One client belongs to one thread; see client.h. */
#include "lib/http/client.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/http/curl_lazy.h"

enum {
    CONNECTIONS = 16,
    CONNECT_TIMEOUT_MS = 10000,
    STALL_TIMEOUT_MS = 60000,
    REPLY_MAX = 1 << 20,
    HEAD_MAX = 64 << 10,
    IDLE_HANDLES = 64,        /* easy handles kept for the next request */
    BIG_BODY = 1 << 20,       /* from here on a larger buffer to libcurl pays */
    BIG_BODY_BUFFER = 256 << 10,
};

struct http_call {
    struct http_call *next, *previous; /* of those under way */
    CURL *easy;
    struct curl_slist *headers;
    struct http_request request;       /* body and callbacks; url and headers are not kept */
    struct http_reply reply;
    bool too_large;
    void (*done)(void *user, struct http_reply *reply);
    void *user;
    char error[CURL_ERROR_SIZE];
};

struct http_client {
    CURLM *multi;
    CURL *idle[IDLE_HANDLES];
    size_t idle_count;
    struct http_call *calls;
    int connect_timeout_ms, stall_timeout_ms;
    char *proxy, *proxy_user, *proxy_password, *ca_file, *ca_pem;
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static const char *curl_problem; /* set once, before the first use */

static void curl_start(void)
{
    curl_problem = curl_lazy_load();
    if (!curl_problem) {
        curl_global_init(CURL_GLOBAL_DEFAULT);
    }
}

static char *copy(const char *text)
{
    return text && *text ? strdup(text) : NULL;
}

static void wipe(char *secret)
{
    if (secret) {
        explicit_bzero(secret, strlen(secret)); /* invariant 7: no secret stays behind in memory */
        free(secret);
    }
}

/* -- replies -- */

/* The header's value in the line at *at or behind it; *at moves behind. NULL: there is none. */
static const char *next_value(const char **at, const char *name, size_t *ret_size)
{
    size_t name_size = strlen(name);
    const char *line = *at;
    while (line && *line) {
        const char *end = strchr(line, '\n');
        end = end ? end : line + strlen(line);
        if ((size_t)(end - line) > name_size && line[name_size] == ':' &&
            strncasecmp(line, name, name_size) == 0) {
            const char *from = line + name_size + 1;
            while (from < end && (*from == ' ' || *from == '\t')) {
                from++;
            }
            while (end > from && (end[-1] == '\r' || end[-1] == ' ' || end[-1] == '\t')) {
                end--;
            }
            *ret_size = (size_t)(end - from);
            *at = end + strcspn(end, "\n");
            return from;
        }
        line = *end ? end + 1 : end;
    }
    return NULL;
}

bool http_reply_header(const struct http_reply *reply, const char *name, char *value, size_t size)
{
    size_t length = 0;
    const char *at = reply->head.data, *found = next_value(&at, name, &length);
    if (found) {
        snprintf(value, size, "%.*s", (int)length, found);
    }
    return found != NULL;
}

bool http_reply_headers(const struct http_reply *reply, const char *name, struct buffer *to)
{
    size_t length = 0;
    const char *at = reply->head.data, *value = next_value(&at, name, &length);
    bool found = value != NULL;
    for (bool first = true; value; value = next_value(&at, name, &length)) {
        (void)buffer_append_text(to, first ? "" : ", ");
        (void)buffer_append(to, value, length);
        first = false;
    }
    return found && !to->failed;
}

void http_reply_finish(struct http_reply *reply)
{
    buffer_finish(&reply->head);
    buffer_finish(&reply->body);
}

/* -- what libcurl calls -- */

static size_t on_head(char *data, size_t one, size_t size, void *user)
{
    struct http_call *call = user;
    (void)one;
    if (size >= 5 && memcmp(data, "HTTP/", 5) == 0) {
        buffer_reset(&call->reply.head); /* a later reply of the same request: 100, then the real one */
    }
    if (buffer_append(&call->reply.head, data, size) != 0) {
        call->too_large = true;
        return 0;
    }
    return size;
}

static size_t on_body(char *data, size_t one, size_t size, void *user)
{
    struct http_call *call = user;
    (void)one;
    if (buffer_append(&call->reply.body, data, size) != 0) {
        call->too_large = true;
        return 0;
    }
    return size;
}

static size_t on_read(char *into, size_t one, size_t size, void *user)
{
    struct http_call *call = user;
    return call->request.read(call->request.read_user, into, one * size);
}

/* libcurl goes back to the start where a kept connection turned out to be dead. */
static int on_seek(void *user, curl_off_t offset, int origin)
{
    struct http_call *call = user;
    if (offset != 0 || origin != SEEK_SET || !call->request.rewind) {
        return CURL_SEEKFUNC_CANTSEEK;
    }
    call->request.rewind(call->request.read_user);
    return CURL_SEEKFUNC_OK;
}

/* libcurl repeats a request on its own where a kept connection ends without an answer to it. */
static int on_send(void *user, char *remote, char *local, int remote_port, int local_port)
{
    struct http_call *call = user;
    (void)remote;
    (void)local;
    (void)remote_port;
    (void)local_port;
    call->reply.sends++;
    return CURL_PREREQFUNC_OK;
}

static enum http_failure failure_of(CURLcode code)
{
    switch (code) {
    case CURLE_OK:
        return HTTP_FINE;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
        return HTTP_CONNECT;
    case CURLE_OPERATION_TIMEDOUT:
        return HTTP_TIMEOUT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CIPHER:
        return HTTP_TLS;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT:
        return HTTP_MISUSE;
    default:
        return HTTP_BROKEN;
    }
}

/* -- calls -- */

static void set_options(struct http_client *client, struct http_call *call, const char *url)
{
    const struct http_request *request = &call->request;
    CURL *easy = call->easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L); /* `//` and `.` are part of an object's key */
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)client->connect_timeout_ms);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)(client->stall_timeout_ms + 999) / 1000);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->total_timeout_ms);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->error);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_send);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, call);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
    if (client->ca_pem) {
        struct curl_blob blob = {client->ca_pem, strlen(client->ca_pem), CURL_BLOB_NOCOPY};
        curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
    } else if (client->ca_file) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, client->ca_file);
    }
    if (request->no_proxy) {
        curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    } else if (client->proxy) {
        curl_easy_setopt(easy, CURLOPT_PROXY, client->proxy);
        if (client->proxy_user) {
            curl_easy_setopt(easy, CURLOPT_PROXYUSERNAME, client->proxy_user);
            curl_easy_setopt(easy, CURLOPT_PROXYPASSWORD,
                             client->proxy_password ? client->proxy_password : "");
        }
    }
    if (request->read) {
        curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->body_size);
        curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
        curl_easy_setopt(easy, CURLOPT_READDATA, call);
        curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
        curl_easy_setopt(easy, CURLOPT_SEEKDATA, call);
        if (request->body_size >= BIG_BODY) {
            curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)BIG_BODY_BUFFER);
        }
    } else if (request->body || strcmp(request->method, "PUT") == 0 ||
               strcmp(request->method, "POST") == 0) {
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_size);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body ? request->body : "");
    }
    if (strcmp(request->method, "HEAD") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else {
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    }
    if (request->decompress) {
        curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
    }
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->headers);
}

static int add_header(struct http_call *call, const char *line)
{
    struct curl_slist *longer = curl_slist_append(call->headers, line);
    if (!longer) {
        return -1;
    }
    call->headers = longer;
    return 0;
}

static int add_headers(struct http_call *call, const struct http_request *request)
{
    bool typed = false;
    for (size_t i = 0; request->headers && request->headers[i]; i++) {
        typed = typed || strncasecmp(request->headers[i], "Content-Type:", 13) == 0;
        if (add_header(call, request->headers[i]) != 0) {
            return -1;
        }
    }
    /* Without these, libcurl makes up an Expect for larger bodies and a type for every POST. */
    if (!typed && add_header(call, "Content-Type:") != 0) {
        return -1;
    }
    return add_header(call, request->expect_continue ? "Expect: 100-continue" : "Expect:");
}

static void call_free(struct http_call *call)
{
    curl_slist_free_all(call->headers);
    http_reply_finish(&call->reply);
    free(call);
}

static struct http_call *call_new(struct http_client *client, CURL *easy,
                                  const struct http_request *request)
{
    struct http_call *call = calloc(1, sizeof(*call));
    if (!call) {
        return NULL;
    }
    call->easy = easy;
    call->request = *request;
    buffer_init(&call->reply.head, HEAD_MAX);
    buffer_init(&call->reply.body, request->reply_max ? request->reply_max : REPLY_MAX);
    if (add_headers(call, request) != 0) {
        call_free(call);
        return NULL;
    }
    set_options(client, call, request->url);
    call->request.url = NULL;
    call->request.headers = NULL;
    return call;
}

static void call_ended(struct http_call *call, CURLcode code)
{
    struct http_reply *reply = &call->reply;
    long status = 0;
    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    reply->failure = call->too_large ? HTTP_TOO_LARGE : failure_of(code);
    /* A refusal may come, and the connection be closed, before a body was sent in full. */
    if (reply->failure == HTTP_BROKEN && status >= 400 && code == CURLE_SEND_ERROR) {
        reply->failure = HTTP_FINE;
    }
    reply->status = reply->failure == HTTP_FINE ? (int)status : 0;
    if (reply->failure == HTTP_TOO_LARGE) {
        snprintf(reply->message, sizeof(reply->message), "the reply is larger than %zu bytes",
                 reply->body.max);
    } else if (reply->failure != HTTP_FINE) {
        snprintf(reply->message, sizeof(reply->message), "%s",
                 call->error[0] ? call->error : curl_easy_strerror(code));
    }
}

/* -- clients -- */

static void client_settings(struct http_client *client, const struct http_options *options)
{
    client->connect_timeout_ms =
        options->connect_timeout_ms ? options->connect_timeout_ms : CONNECT_TIMEOUT_MS;
    client->stall_timeout_ms =
        options->stall_timeout_ms ? options->stall_timeout_ms : STALL_TIMEOUT_MS;
    client->proxy = copy(options->proxy);
    client->proxy_user = copy(options->proxy_user);
    client->proxy_password = copy(options->proxy_password);
    client->ca_file = copy(options->ca_file);
    client->ca_pem = copy(options->ca_pem);
}

const char *http_client_problem(void)
{
    return curl_problem ? curl_problem : "out of memory";
}

struct http_client *http_client_create(const struct http_options *options)
{
    pthread_once(&curl_once, curl_start);
    struct http_client *client = curl_problem ? NULL : calloc(1, sizeof(*client));
    if (!client) {
        return NULL;
    }
    client_settings(client, options);
    client->multi = curl_multi_init();
    if (!client->multi) {
        http_client_destroy(client);
        return NULL;
    }
    size_t connections = options->connections_max ? options->connections_max : CONNECTIONS;
    curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, (long)connections);
    curl_multi_setopt(client->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)connections);
    curl_multi_setopt(client->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    return client;
}

static void unlink_call(struct http_client *client, struct http_call *call)
{
    if (call->previous) {
        call->previous->next = call->next;
    } else {
        client->calls = call->next;
    }
    if (call->next) {
        call->next->previous = call->previous;
    }
}

/* The connection stays with the multi handle, the easy handle serves the next request. */
static void give_back(struct http_client *client, CURL *easy)
{
    curl_multi_remove_handle(client->multi, easy);
    if (client->idle_count < IDLE_HANDLES) {
        curl_easy_reset(easy);
        client->idle[client->idle_count++] = easy;
    } else {
        curl_easy_cleanup(easy);
    }
}

/* Breaks a request off; done() is not called. */
static void cancel(struct http_client *client, struct http_call *call)
{
    unlink_call(client, call);
    give_back(client, call->easy);
    call_free(call);
}

void http_client_destroy(struct http_client *client)
{
    if (!client) {
        return;
    }
    while (client->calls) {
        cancel(client, client->calls);
    }
    for (size_t i = 0; i < client->idle_count; i++) {
        curl_easy_cleanup(client->idle[i]);
    }
    if (client->multi) {
        curl_multi_cleanup(client->multi);
    }
    free(client->proxy);
    free(client->proxy_user);
    wipe(client->proxy_password);
    free(client->ca_file);
    free(client->ca_pem);
    free(client);
}

struct http_call *http_client_start(struct http_client *client, const struct http_request *request,
                                    void (*done)(void *user, struct http_reply *reply), void *user)
{
    CURL *easy = client->idle_count > 0 ? client->idle[--client->idle_count] : curl_easy_init();
    struct http_call *call = easy ? call_new(client, easy, request) : NULL;
    if (!call || curl_multi_add_handle(client->multi, easy) != CURLM_OK) {
        if (call) {
            call_free(call);
        }
        curl_easy_cleanup(easy);
        return NULL;
    }
    call->done = done;
    call->user = user;
    call->next = client->calls;
    if (client->calls) {
        client->calls->previous = call;
    }
    client->calls = call;
    return call;
}

void http_client_run(struct http_client *client, int timeout_ms)
{
    int running = 0, left = 0;
    curl_multi_perform(client->multi, &running);
    CURLMsg *message = curl_multi_info_read(client->multi, &left);
    if (!message) {
        curl_multi_poll(client->multi, NULL, 0, timeout_ms, NULL);
        curl_multi_perform(client->multi, &running);
        message = curl_multi_info_read(client->multi, &left);
    }
    for (; message; message = curl_multi_info_read(client->multi, &left)) {
        if (message->msg != CURLMSG_DONE) {
            continue;
        }
        struct http_call *call = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&call);
        call_ended(call, message->data.result);
        unlink_call(client, call);
        give_back(client, call->easy);
        call->done(call->user, &call->reply);
        call_free(call);
    }
}

void http_client_wake(struct http_client *client)
{
    curl_multi_wakeup(client->multi);
}

void http_fetch(const struct http_options *options, const struct http_request *request,
                struct http_reply *ret_reply)
{
    pthread_once(&curl_once, curl_start);
    if (curl_problem) {
        *ret_reply = (struct http_reply){.failure = HTTP_MISUSE};
        (void)snprintf(ret_reply->message, sizeof(ret_reply->message), "%s", curl_problem);
        return;
    }
    struct http_client client = {0};
    client_settings(&client, options);
    CURL *easy = curl_easy_init();
    struct http_call *call = easy ? call_new(&client, easy, request) : NULL;
    *ret_reply = (struct http_reply){.failure = HTTP_MISUSE, .message = "out of memory"};
    if (call) {
        call_ended(call, curl_easy_perform(easy));
        *ret_reply = call->reply;
        call->reply = (struct http_reply){0};
        call_free(call);
    }
    curl_easy_cleanup(easy);
    free(client.proxy);
    free(client.proxy_user);
    wipe(client.proxy_password);
    free(client.ca_file);
    free(client.ca_pem);
}
