/* Which resource a path and a verb mean, and whether the two sides understand each other's types.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/rest/request.h"

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

/* %xx; `+` is a blank in parameters only. In place; false for a NUL or bytes that are no UTF-8. */
static bool decode(char *text, bool parameter)
{
    char *out = text;
    for (const char *in = text; *in; in++) {
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
    json_t *checked = json_string(text);
    json_decref(checked);
    return checked != NULL;
}

/* Empty segments do not count: /connectors/ is /connectors. */
static bool split(struct rest_request *request, const char *url)
{
    while (*url) {
        url += strspn(url, "/");
        size_t size = strcspn(url, "/");
        if (size == 0) {
            break;
        }
        if (request->segment_count == REST_SEGMENTS) {
            return false;
        }
        char *segment = strndup(url, size);
        if (!segment) {
            return false;
        }
        request->segments[request->segment_count++] = segment;
        if (!decode(segment, false)) {
            return false;
        }
        url += size;
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
        } else if (strlen(segment) != size || memcmp(pattern, segment, size) != 0) {
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
    char *copy = strcmp(name, query->name) == 0 && value ? strdup(value) : NULL;
    if (copy && decode(copy, true)) {
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
    if (!flag->seen) {
        *flag = (struct flag){true, strcasecmp(value, "true") == 0};
    }
}

bool rest_query_flag(struct rest_request *request, const char *name, bool fallback)
{
    struct flag flag = {false, fallback};
    rest_query(request, name, on_flag, &flag);
    return flag.value;
}

/* -- types -- */

/* One range of an Accept header takes JSON (or plain text, for what is plain text). */
static bool range_takes(const char *range, size_t size, const char *type)
{
    while (size > 0 && isspace((unsigned char)*range)) {
        range++;
        size--;
    }
    const char *parameters = memchr(range, ';', size);
    size_t name = parameters ? (size_t)(parameters - range) : size;
    while (name > 0 && isspace((unsigned char)range[name - 1])) {
        name--;
    }
    size_t front = strcspn(type, "/") + 1;
    bool takes = (name == 3 && memcmp(range, "*/*", 3) == 0) || (name == 1 && *range == '*') ||
                 (name == strlen(type) && strncasecmp(range, type, name) == 0) ||
                 (name == front + 1 && range[front] == '*' && strncasecmp(range, type, front) == 0);
    /* q=0 says: not this one. */
    const char *q = parameters ? strstr(parameters, "q=") : NULL;
    return takes && !(q && q < range + size && strtod(q + 2, NULL) <= 0);
}

static bool accepts(struct rest_request *request, const char *type)
{
    const char *accept =
        MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, "Accept");
    if (!accept || !*accept) {
        return true;
    }
    for (;;) {
        size_t size = strcspn(accept, ",");
        if (range_takes(accept, size, type)) {
            return true;
        }
        if (accept[size] == '\0') {
            return false;
        }
        accept += size + 1;
    }
}

static bool brings_json(struct rest_request *request)
{
    const char *type =
        MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, "Content-Type");
    if (!type || !*type) {
        return true;
    }
    size_t size = strcspn(type, "; \t");
    return size == strlen("application/json") && strncasecmp(type, "application/json", size) == 0;
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
        allow(request, route);
        rest_answer_text(request, 200, "text/plain", request->allow);
        return;
    }
    for (size_t i = 0; i < 3 && route->verbs[i].method; i++) {
        if (strcmp(route->verbs[i].method, wanted) != 0) {
            continue;
        }
        if (strcmp(wanted, "GET") != 0 && !brings_json(request)) {
            rest_answer_error(request, 415, "HTTP 415 Unsupported Media Type");
        } else if (!accepts(request, "application/json") &&
                   route->verbs[i].handle != console_get &&
                   !(route->verbs[i].handle == metrics_get && accepts(request, "text/plain"))) {
            rest_answer_error(request, 406, "HTTP 406 Not Acceptable");
        } else {
            request->handle = route->verbs[i].handle;
        }
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
