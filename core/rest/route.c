/* Which resource a path and a verb mean, and whether the two sides understand each other's types.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/rest/media.h"
#include "core/rest/request.h"
#include "lib/util/utf8.h"

enum { HEADER_MAX = 32 * 1024 };

struct verb {
    const char *method;
    rest_handler handle;
};

struct route {
    const char *pattern; /* {} a name, # a number */
    struct verb verbs[3];
};

static const struct route routes[] = {
    {"", {{"GET", root_get}}},
    {"health", {{"GET", health_get}}},
    {"metrics", {{"GET", metrics_get}}},
    {"connectors", {{"GET", connectors_get}, {"POST", connectors_post}}},
    {"connectors/{}", {{"GET", connector_get}, {"DELETE", connector_delete}}},
    {"connectors/{}/config",
     {{"GET", connector_config_get},
      {"PUT", connector_config_put},
      {"PATCH", connector_config_patch}}},
    {"connectors/{}/status", {{"GET", connector_status_get}}},
    {"connectors/{}/restart", {{"POST", connector_restart_post}}},
    {"connectors/{}/pause", {{"PUT", connector_pause_put}}},
    {"connectors/{}/resume", {{"PUT", connector_resume_put}}},
    {"connectors/{}/stop", {{"PUT", connector_stop_put}}},
    {"connectors/{}/offsets",
     {{"GET", connector_offsets_get},
      {"PATCH", connector_offsets_patch},
      {"DELETE", connector_offsets_delete}}},
    {"connectors/{}/topics", {{"GET", connector_topics_get}}},
    {"connectors/{}/topics/reset", {{"PUT", connector_topics_reset_put}}},
    {"connectors/{}/logs", {{"GET", connector_logs_get}}},
    {"connectors/{}/tap", {{"GET", connector_tap_get}}},
    {"connectors/{}/tasks", {{"GET", tasks_get}, {"POST", tasks_post}}},
    {"connectors/{}/tasks-config", {{"GET", tasks_config_get}}},
    {"connectors/{}/tasks/#/status", {{"GET", task_status_get}}},
    {"connectors/{}/tasks/#/restart", {{"POST", task_restart_post}}},
    {"connectors/{}/fence", {{"PUT", fence_put}}},
    {"admin/loggers", {{"GET", loggers_get}}},
    {"admin/loggers/{}", {{"GET", logger_get}, {"PUT", logger_put}}},
    {"ui", {{"GET", console_get}}},
    {"ui/{}", {{"GET", console_get}}},
    {"connector-plugins", {{"GET", plugins_get}}},
    {"connector-plugins/{}/config", {{"GET", plugin_config_get}}},
    {"connector-plugins/{}/config/validate", {{"PUT", plugin_validate_put}}},
};

/* -- paths and parameters -- */

/* What a malformed sequence of bytes stands for, as Java decodes them. In place of *text. */
static bool repair(char **text)
{
    json_t *checked = json_string(*text);
    if (checked) {
        json_decref(checked);
        return true;
    }
    struct buffer good;
    const char *next = *text, *end = next + strlen(next);
    char utf8[4];
    buffer_init(&good, HEADER_MAX * 3);
    while (next < end) {
        (void)buffer_append(&good, utf8, utf8_encode(utf8, utf8_decode_lossy(&next, end)));
    }
    free(*text);
    *text = buffer_take(&good);
    return *text != NULL;
}

/* %xx; `+` is a blank in parameters only. In place; false for a NUL. */
static bool decode(char **text, bool parameter)
{
    char *out = *text;
    for (const char *in = *text; *in; in++) {
        if (*in == '%' && isxdigit((unsigned char)in[1]) && isxdigit((unsigned char)in[2])) {
            const char digits[] = {in[1], in[2], '\0'};
            *out = (char)strtol(digits, NULL, 16);
            in += 2;
            if (*out == '\0') {
                return false;
            }
            out++;
        } else {
            *out++ = parameter && *in == '+' ? ' ' : *in;
        }
    }
    *out = '\0';
    return repair(text);
}

/* Size of a path's part without its matrix parameters (`;x=1`), which mean nothing here. */
static size_t part_size(const char *part, size_t size)
{
    const char *end = memchr(part, ';', size);
    return end ? (size_t)(end - part) : size;
}

/* True for what Jetty takes for no path at all: a bad escape, or one that leads above the root. */
static bool is_bad_path(const char *url)
{
    int depth = 0;
    for (const char *p = url; *p; p++) {
        const char *hex = p[1] == 'u' ? p + 2 : p + 1;
        size_t wanted = p[1] == 'u' ? 4 : 2;
        if (*p == '%' && (strspn(hex, "0123456789abcdefABCDEF") < wanted ||
                          strspn(hex, "0") >= wanted)) {
            return true;
        }
    }
    for (const char *p = url; *p; p += strcspn(p, "/")) {
        p += *p == '/';
        size_t size = part_size(p, strcspn(p, "/"));
        if (size == 2 && memcmp(p, "..", 2) == 0) {
            depth--;
        } else if (!(size == 1 && *p == '.') && size > 0) {
            depth++;
        }
        if (depth < 0) {
            return true;
        }
    }
    return false;
}

/* A slash at the end does not count: /connectors/ is /connectors; an empty part elsewhere does. */
static bool split(struct rest_request *request, const char *url)
{
    url += *url == '/';
    while (*url) {
        size_t size = strcspn(url, "/"), name_size = part_size(url, size);
        if (name_size == 0) {
            return url[size] == '\0';
        }
        if (request->segment_count == REST_SEGMENTS) {
            return false;
        }
        char *segment = strndup(url, name_size);
        if (!segment) {
            return false;
        }
        request->escaped[request->segment_count] = strchr(segment, '%') != NULL;
        char **kept = &request->segments[request->segment_count++];
        *kept = segment;
        if (!decode(kept, false)) {
            return false;
        }
        url += size + (url[size] == '/');
    }
    return true;
}

static bool read_number(const char *text, int *ret)
{
    char *end;
    long value = strtol(text, &end, 10);
    *ret = (int)value;
    return end != text && *end == '\0' && value >= 0 && value <= 0x7fffffff &&
           isdigit((unsigned char)*text);
}

static bool matches(struct rest_request *request, const char *pattern)
{
    size_t i = 0;
    for (; *pattern; i++) {
        size_t size = strcspn(pattern, "/");
        if (i == request->segment_count) {
            return false;
        }
        const char *segment = request->segments[i];
        if (size == 2 && memcmp(pattern, "{}", 2) == 0) {
            request->name = segment;
        } else if (size == 1 && *pattern == '#') {
            if (!read_number(segment, &request->number)) {
                return false;
            }
        } else if (request->escaped[i] || strlen(segment) != size ||
                   memcmp(pattern, segment, size) != 0) {
            return false;
        }
        pattern += size + (pattern[size] == '/');
    }
    return i == request->segment_count;
}

struct query {
    const char *name;
    void (*fn)(void *user, const char *value);
    void *user;
};

static enum MHD_Result on_argument(void *user, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
    const struct query *query = user;
    (void)kind;
    char *copy = strcmp(name, query->name) == 0 ? strdup(value ? value : "") : NULL;
    if (copy && decode(&copy, true)) {
        query->fn(query->user, copy);
    }
    free(copy);
    return MHD_YES;
}

void rest_query(struct rest_request *request, const char *name,
                void (*fn)(void *user, const char *value), void *user)
{
    struct query query = {name, fn, user};
    (void)MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND, on_argument,
                                    &query);
}

struct flag {
    bool seen, value;
};

static void on_flag(void *user, const char *value)
{
    struct flag *flag = user;
    if (!flag->seen) { /* without a value it is as if it were not there */
        *flag = (struct flag){true, *value ? strcasecmp(value, "true") == 0 : flag->value};
    }
}

bool rest_query_flag(struct rest_request *request, const char *name, bool fallback)
{
    struct flag flag = {false, fallback};
    rest_query(request, name, on_flag, &flag);
    return flag.value;
}

/* -- types -- */

#define JSON_TYPE "application/json"

static const char *header(const struct rest_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

static enum rest_media content(const struct rest_request *request)
{
    const char *type = header(request, "Content-Type");
    return type ? rest_media_content(type, JSON_TYPE) : REST_MEDIA_WILDCARD;
}

bool rest_brings_json(const struct rest_request *request)
{
    return content(request) == REST_MEDIA_EXACT;
}

/* What is wrong with a header is not told by those who made this API: nothing follows but for those
 * who would look at a page. */
static void answer_bad_header(struct rest_request *request, const char *method)
{
    bool page = strcmp(method, "GET") == 0 || strcmp(method, "POST") == 0;
    if (page) {
        rest_answer_error(request, 400, "HTTP 400 Bad Request");
    } else {
        rest_answer(request, 400, NULL);
    }
}

/* Root, health, metrics and console take requests of any type. */
static bool consumes_json(rest_handler handle)
{
    return handle != root_get && handle != health_get && handle != metrics_get &&
           handle != console_get;
}

static void negotiate(struct rest_request *request, rest_handler handle, const char *method)
{
    if (consumes_json(handle) && content(request) == REST_MEDIA_OTHER) {
        rest_answer_error(request, 415, "HTTP 415 Unsupported Media Type");
        return;
    }
    char *parameters = NULL, *ignored = NULL;
    const char *accept = header(request, "Accept");
    enum rest_media media = rest_media_accept(accept, JSON_TYPE, &parameters);
    bool other = handle == console_get ||
                 (handle == metrics_get &&
                  rest_media_accept(accept, "text/plain", &ignored) >= REST_MEDIA_WILDCARD);
    free(ignored);
    if (media == REST_MEDIA_MALFORMED) {
        answer_bad_header(request, method);
    } else if (media == REST_MEDIA_OTHER && !other) {
        rest_answer_error(request, 406, "HTTP 406 Not Acceptable");
    } else {
        request->handle = handle;
        request->parameters = parameters;
        return;
    }
    free(parameters);
}

/* -- which -- */

static void allow(struct rest_request *request, const struct route *route)
{
    struct buffer text;
    buffer_init(&text, 256);
    for (size_t i = 0; i < 3 && route->verbs[i].method; i++) {
        (void)buffer_printf(&text, "%s,", route->verbs[i].method);
        if (strcmp(route->verbs[i].method, "GET") == 0) {
            (void)buffer_append_text(&text, "HEAD,");
        }
    }
    (void)buffer_append_text(&text, "OPTIONS");
    request->allow = buffer_take(&text);
}

static void choose(struct rest_request *request, const struct route *route, const char *method)
{
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
    if (strcmp(method, "OPTIONS") == 0) {
        char *ignored = NULL;
        if (rest_media_accept(header(request, "Accept"), JSON_TYPE, &ignored) == REST_MEDIA_MALFORMED) {
            answer_bad_header(request, method);
            return;
        }
        free(ignored);
        allow(request, route);
        rest_answer_text(request, 200, "text/plain", request->allow);
        return;
    }
    for (size_t i = 0; i < 3 && route->verbs[i].method; i++) {
        if (strcmp(route->verbs[i].method, wanted) != 0) {
            continue;
        }
        negotiate(request, route->verbs[i].handle, wanted);
        return;
    }
    allow(request, route);
    rest_answer_error(request, 405, "HTTP 405 Method Not Allowed");
}

bool rest_is_internal(const struct rest_request *request)
{
    return request->handle == tasks_post || request->handle == fence_put;
}

void rest_route(struct rest_request *request, const char *url, const char *method)
{
    if (is_bad_path(url)) {
        rest_answer_text(request, 400, "text/html;charset=iso-8859-1",
                         "<h1>Bad Message 400</h1><pre>reason: Bad Request</pre>");
        return;
    }
    if (content(request) == REST_MEDIA_MALFORMED) {
        answer_bad_header(request, method);
        return;
    }
    bool good = split(request, url);
    for (size_t i = 0; good && i < sizeof(routes) / sizeof(routes[0]); i++) {
        request->name = NULL;
        if (matches(request, routes[i].pattern) &&
            rest_port_serves(request->port, strncmp(routes[i].pattern, "admin/", 6) == 0)) {
            choose(request, &routes[i], method);
            return;
        }
    }
    rest_answer_error(request, 404, "HTTP 404 Not Found");
}
