#include "core/rest/headers.h"

#include <fnmatch.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "core/config/framework.h"
#include "lib/util/buffer.h"

#define HEADERS_KEY "response.http.headers.config"

enum { HEADERS_MOST = 64 };

struct header {
    char *name, *value;
};

struct rest_headers {
    struct header list[HEADERS_MOST];
    size_t count;
    char *origins, *methods; /* NULL: no pages of other origins */
};

/* -- response.http.headers.config -- */

/* The next item of a list whose items may stand in double quotes. Owned by the caller; NULL: none. */
static char *next_item(const char **next)
{
    const char *p = *next + strspn(*next, ", \t\r\n");
    if (!*p) {
        return NULL;
    }
    bool quoted = *p == '"';
    p += quoted;
    size_t size = quoted ? strcspn(p, "\"") : strcspn(p, ",");
    *next = p + size + (quoted && p[size]);
    while (!quoted && size > 0 && strchr(" \t\r\n", p[size - 1])) {
        size--;
    }
    return strndup(p, size);
}

static bool is_name(const char *text)
{
    return *text && text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")] == '\0';
}

static char *http_date(const char *text)
{
    char *end, shown[64];
    long long milliseconds = strtoll(text, &end, 10);
    time_t seconds = (time_t)(milliseconds / 1000);
    struct tm parts;
    if (end == text || *end || !gmtime_r(&seconds, &parts) ||
        strftime(shown, sizeof(shown), "%a, %d %b %Y %H:%M:%S GMT", &parts) == 0) {
        return NULL;
    }
    return strdup(shown);
}

/* `set X-Frame-Options:DENY`; *item is changed. */
static int add_header(struct rest_headers *headers, char *item, struct error *error)
{
    static const char *const actions[] = {"set", "add", "setDate", "addDate"};
    size_t action_size = strcspn(item, " \t");
    char *name = item + action_size + strspn(item + action_size, " \t");
    char *colon = strchr(name, ':');
    int action = -1;
    for (int i = 0; i < 4; i++) {
        if (strlen(actions[i]) == action_size && strncasecmp(actions[i], item, action_size) == 0) {
            action = i;
        }
    }
    if (action < 0 || !colon) {
        return error_set(error, ERROR_CONFIG,
                         "Invalid value %s for configuration " HEADERS_KEY
                         ": an item has the form '[set|add|setDate|addDate] name:value'",
                         item);
    }
    *colon = '\0';
    char *value = colon + 1 + strspn(colon + 1, " \t");
    if (!is_name(name) || headers->count == HEADERS_MOST || strpbrk(value, "\r\n")) {
        return error_set(error, ERROR_CONFIG,
                         "Invalid value for configuration " HEADERS_KEY ": '%s' is no header's name",
                         name);
    }
    char *shown = action >= 2 ? http_date(value) : strdup(value);
    if (!shown) {
        return error_set(error, ERROR_CONFIG,
                         "Invalid value for configuration " HEADERS_KEY
                         ": '%s' is no number of milliseconds",
                         value);
    }
    size_t i = headers->count;
    for (size_t k = 0; k < headers->count && action % 2 == 0; k++) { /* set: in place of another */
        if (strcasecmp(headers->list[k].name, name) == 0) {
            free(headers->list[k].name);
            free(headers->list[k].value);
            i = k;
        }
    }
    headers->list[i] = (struct header){strdup(name), shown};
    headers->count += i == headers->count;
    return 0;
}

static char *trimmed(const struct properties *worker, const char *key)
{
    const char *text = properties_get(worker, key);
    text = text ? text + strspn(text, " \t") : "";
    return *text ? strdup(text) : NULL;
}

int rest_headers_load(const struct properties *worker, struct rest_headers **ret_headers,
                      struct error *error)
{
    struct rest_headers *headers = calloc(1, sizeof(*headers));
    const char *next = properties_get(worker, HEADERS_KEY);
    int result = 0;
    if (!headers) {
        abort();
    }
    for (char *item; result == 0 && next && (item = next_item(&next));) {
        result = add_header(headers, item, error);
        free(item);
    }
    headers->origins = trimmed(worker, "access.control.allow.origin");
    headers->methods = trimmed(worker, "access.control.allow.methods");
    if (result != 0) {
        rest_headers_destroy(headers);
        return -1;
    }
    *ret_headers = headers;
    return 0;
}

void rest_headers_destroy(struct rest_headers *headers)
{
    if (!headers) {
        return;
    }
    for (size_t i = 0; i < headers->count; i++) {
        free(headers->list[i].name);
        free(headers->list[i].value);
    }
    free(headers->origins);
    free(headers->methods);
    free(headers);
}

/* -- other origins -- */

static const char *request_header(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

/* `*` in an origin stands for anything. */
static bool origin_allowed(const char *list, const char *origin)
{
    struct framework_item item;
    bool allowed = false;
    for (const char *next = list; !allowed && framework_next_item(&next, &item);) {
        char *pattern = strndup(item.text, item.size);
        allowed = pattern && *pattern && fnmatch(pattern, origin, FNM_NOESCAPE) == 0;
        free(pattern);
    }
    return allowed;
}

static bool listed(const char *list, const char *name, size_t size)
{
    struct framework_item item;
    for (const char *next = list; framework_next_item(&next, &item);) {
        if (item.size == size && strncasecmp(item.text, name, size) == 0) {
            return true;
        }
    }
    return false;
}

static bool all_listed(const char *list, const char *names)
{
    struct framework_item item;
    for (const char *next = names; framework_next_item(&next, &item);) {
        if (item.size > 0 && !listed(list, item.text, item.size)) {
            return false;
        }
    }
    return true;
}

static void add_origin(const struct rest_headers *headers, struct MHD_Connection *connection,
                       const char *method, struct MHD_Response *response)
{
    static const char known_headers[] = "X-Requested-With,Content-Type,Accept,Origin";
    const char *methods = headers->methods ? headers->methods : "GET,POST,HEAD";
    const char *origin = request_header(connection, "Origin");
    const char *wanted = request_header(connection, "Access-Control-Request-Method");
    const char *fields = request_header(connection, "Access-Control-Request-Headers");
    bool any = strcmp(headers->origins, "*") == 0;
    if (!any) {
        (void)MHD_add_response_header(response, "Vary", "Origin");
    }
    if (!origin || !origin_allowed(headers->origins, origin)) {
        return;
    }
    bool preflight = strcmp(method, "OPTIONS") == 0 && wanted;
    if (preflight &&
        (!listed(methods, wanted, strlen(wanted)) || !all_listed(known_headers, fields))) {
        return;
    }
    (void)MHD_add_response_header(response, "Access-Control-Allow-Origin", origin);
    (void)MHD_add_response_header(response, "Access-Control-Allow-Credentials", "true");
    if (preflight) {
        (void)MHD_add_response_header(response, "Access-Control-Max-Age", "1800");
        (void)MHD_add_response_header(response, "Access-Control-Allow-Methods", methods);
        (void)MHD_add_response_header(response, "Access-Control-Allow-Headers", known_headers);
    }
}

void rest_headers_add(const struct rest_headers *headers, struct MHD_Connection *connection,
                      const char *method, struct MHD_Response *response)
{
    for (size_t i = 0; i < headers->count; i++) {
        (void)MHD_add_response_header(response, headers->list[i].name, headers->list[i].value);
    }
    if (headers->origins) {
        add_origin(headers, connection, method, response);
    }
}
