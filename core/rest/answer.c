/*
 * Answers: what a request's is, set once, and how it goes out, with its headers and a line in the log. The
 * caller holds the lock of server.c where others may answer too.
 */
#include "core/rest/answer.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/log.h"

#define LOGGER "org.apache.kafka.connect.runtime.rest.RestServer" /* as Connect's */

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

void rest_answer_drop(struct rest_request *request)
{
    free(request->text);
    free(request->location);
    request->text = request->location = NULL;
    request->status = 0;
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

/* "http://host:port" of the request and the path; what needs it is encoded, and what looks encoded is
 * left, as JAX-RS builds it. */
static char *absolute(const struct rest_request *request, bool https, const char *path)
{
    const char *host = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, "Host");
    struct buffer text;
    buffer_init(&text, 65536);
    (void)buffer_printf(&text, "%s://%s", https ? "https" : "http",
                        host ? host : "localhost");
    for (const char *p = path; *p; p++) {
        bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                     (*p >= '0' && *p <= '9') || strchr("-._~!$&'()*+,;=:@", *p) ||
                     *p == '/' ||
                     (*p == '%' && isxdigit((unsigned char)p[1]) && isxdigit((unsigned char)p[2]));
        if (plain) {
            (void)buffer_append_char(&text, *p);
        } else {
            (void)buffer_printf(&text, "%%%02X", (unsigned char)*p);
        }
    }
    return buffer_take(&text);
}

void rest_answer_location(struct rest_request *request, bool https, const char *path)
{
    request->location = absolute(request, https, path);
}

/* -- on its way [thread of the listener] -- */

static const char *header_or_dash(const struct rest_request *request, const char *name)
{
    const char *value = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
    return value ? value : "-";
}

/* One line a request, in Jetty's extended NCSA form with the latency behind it. */
static void log_request(const struct rest_request *request, size_t size)
{
    char address[INET6_ADDRSTRLEN] = "-", when[64] = "";
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *from = info ? info->client_addr : NULL;
    time_t now = time(NULL);
    struct tm parts;
    if (!log_enabled_for(LOG_LEVEL_INFO, LOGGER)) {
        return;
    }
    if (from && from->sa_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)from;
        (void)inet_ntop(AF_INET, &four->sin_addr, address, sizeof(address));
    } else if (from && from->sa_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)from;
        (void)inet_ntop(AF_INET6, &six->sin6_addr, address, sizeof(address));
    }
    if (gmtime_r(&now, &parts)) {
        (void)strftime(when, sizeof(when), "%d/%b/%Y:%H:%M:%S +0000", &parts);
    }
    log_info(LOGGER, "%s - - [%s] \"%.16s %.2048s HTTP/1.1\" %d %zu \"%.256s\" \"%.256s\" %lld",
             address, when, request->method, request->url ? request->url : "", request->status,
             size, header_or_dash(request, "Referer"), header_or_dash(request, "User-Agent"),
             (long long)(clock_monotonic_ms() - request->began));
}

static void add_type(const struct rest_request *request, struct MHD_Response *response)
{
    char *with_parameters = NULL;
    if (request->parameters && strcmp(request->type, "application/json") == 0 &&
        asprintf(&with_parameters, "%s%s", request->type, request->parameters) < 0) {
        with_parameters = NULL;
    }
    (void)MHD_add_response_header(response, "Content-Type",
                                  with_parameters ? with_parameters : request->type);
    free(with_parameters);
}

enum MHD_Result rest_answer_send(struct rest_request *request, const struct rest_headers *headers)
{
    size_t size = request->text ? strlen(request->text) : 0;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(size, request->text,
                                        request->text ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
    if (!response) {
        return MHD_NO;
    }
    if (request->text) {
        add_type(request, response);
        request->text = NULL; /* the response's now */
    }
    if (request->location) {
        (void)MHD_add_response_header(response, "Location", request->location);
    }
    if (request->allow) {
        (void)MHD_add_response_header(response, "Allow", request->allow);
    }
    rest_headers_add(headers, request->connection, request->method, response);
    log_request(request, size);
    if (request->page) {
        (void)MHD_add_response_header(
            response, "Content-Security-Policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
            "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
        (void)MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
        (void)MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
        (void)MHD_add_response_header(response, "Cache-Control", "no-cache");
    }
    enum MHD_Result result =
        MHD_queue_response(request->connection, (unsigned)request->status, response);
    MHD_destroy_response(response);
    return result;
}
