/* Routing, see route.h. [http thread] */
#include "connectors/rest/route.h"

#include <stdlib.h>
#include <string.h>

#include "connectors/rest/media.h"

enum {
    SEGMENTS_MAX = 10,
    DEEPEST = 5, /* of what is served */
};

struct path {
    const char *segments[SEGMENTS_MAX]; /* as sent: names are not to be escaped, parameters may be */
    size_t sizes[SEGMENTS_MAX];         /* without matrix parameters (`;a=b`) */
    int count;                          /* -1: not a path of ours */
};

static int hex(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Behind scheme and host of an absolute target; NULL where it is no path. */
static const char *path_of(const char *target)
{
    if (*target != '/') {
        const char *host = strstr(target, "://");
        if (!host || host == target) {
            return NULL;
        }
        target = strchr(host + 3, '/');
    }
    return target;
}

const char *rest_route_below(const char *path, const char *const *prefixes, size_t count)
{
    const char *at = path_of(path);
    for (size_t i = 0; at && i < count; i++) {
        size_t size = strlen(prefixes[i]);
        if (strncmp(at, prefixes[i], size) == 0 && (at[size] == '/' || at[size] == '\0')) {
            return at[size] ? at + size : "/";
        }
    }
    return path;
}

/*
 * Splits at `/` first and decodes parameters later, so that %2F and %00 cannot make another path. One
 * `/` at the end is fine; empty segments are no path. -1: an escape is bad.
 */
static int split(const char *target, struct path *path)
{
    const char *at = path_of(target);
    path->count = 0;
    if (!at) {
        return -1;
    }
    while (*at == '/' && at[1] && at[1] != '#') {
        const char *start = ++at;
        bool matrix = false;
        size_t size = 0;
        for (; *at && *at != '/' && *at != '#'; at++) {
            if (*at == '%') {
                int high = hex(at[1]);
                int low = high >= 0 ? hex(at[2]) : -1;
                if (low < 0 || (high == 0 && low == 0)) {
                    return -1;
                }
            }
            matrix = matrix || *at == ';';
            size += matrix ? 0 : 1;
        }
        if (path->count == SEGMENTS_MAX || at == start) {
            path->count = -1;
        }
        if (path->count >= 0) {
            path->segments[path->count] = start;
            path->sizes[path->count++] = size;
        }
    }
    return 0;
}

/* A parameter decoded and cut at its place. */
static void decode(const struct path *path, int segment, char *text, size_t text_size)
{
    const char *at = path->segments[segment], *end = at + path->sizes[segment];
    size_t used = 0;
    while (at < end && used + 1 < text_size) {
        if (*at == '%') {
            text[used++] = (char)(hex(at[1]) << 4 | hex(at[2]));
            at += 3;
        } else {
            text[used++] = *at++;
        }
    }
    text[used] = '\0';
}

static bool is_segment(const struct path *path, int segment, const char *name)
{
    return path->sizes[segment] == strlen(name) &&
           memcmp(path->segments[segment], name, path->sizes[segment]) == 0;
}

bool rest_topic_valid(const char *topic)
{
    size_t size = strlen(topic);
    if (size == 0 || size > REST_TOPIC_MAX || strcmp(topic, ".") == 0 || strcmp(topic, "..") == 0) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        char c = topic[i];
        bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '.' || c == '_' || c == '-';
        if (!fine) {
            return false;
        }
    }
    return true;
}

/* A path parameter of Java type int; anything else is no such path, as JAX-RS has it. */
static int parse_partition(const char *text, int32_t *ret)
{
    const char *digits = *text == '-' || *text == '+' ? text + 1 : text;
    size_t size = strlen(digits);
    if (size == 0 || size > 10 || strspn(digits, "0123456789") != size) {
        return -1;
    }
    long long value = strtoll(text, NULL, 10);
    if (value < INT32_MIN || value > INT32_MAX) {
        return -1;
    }
    *ret = (int32_t)value;
    return 0;
}

/* Which of the embedded formats a body is in. */
static int find_format(const char *content_type, struct rest_route *route, struct rest_fault *fault)
{
    static const struct {
        const char *type;
        enum rest_format format;
    } formats[] = {
        {"application/vnd.kafka.json.v2+json", REST_FORMAT_JSON},
        {"application/vnd.kafka.binary.v2+json", REST_FORMAT_BINARY},
        {"application/vnd.kafka.avro.v2+json", REST_FORMAT_AVRO},
        {"application/vnd.kafka.jsonschema.v2+json", REST_FORMAT_JSON_SCHEMA},
        {"application/vnd.kafka.protobuf.v2+json", REST_FORMAT_PROTOBUF},
    };
    route->kind = REST_PRODUCE;
    /* Without a type JAX-RS takes the consumer of the highest weight, which is binary. */
    route->format = REST_FORMAT_BINARY;
    struct rest_media media;
    if (!content_type) {
        return 0;
    }
    if (rest_media_content(content_type, &media) != 0) {
        return rest_fault_status(fault, 400);
    }
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        if (rest_media_is(&media, formats[i].type)) {
            route->format = formats[i].format;
            return 0;
        }
    }
    return rest_fault_status(fault, 415);
}

static int find_path(const struct path *path, struct rest_route *route)
{
    route->allow = "HEAD, GET, OPTIONS";
    if (path->count == 0) {
        route->kind = REST_ROOT;
        route->allow = "HEAD, POST, GET, OPTIONS";
        return 0;
    }
    if (path->count == 1 && is_segment(path, 0, "brokers")) {
        route->kind = REST_BROKERS;
        return 0;
    }
    if (path->count < 1 || path->count > DEEPEST || !is_segment(path, 0, "topics")) {
        return -1;
    }
    if (path->count == 1) {
        route->kind = REST_TOPICS;
        return 0;
    }
    decode(path, 1, route->topic, sizeof(route->topic));
    if (path->count == 2) {
        route->kind = REST_TOPIC;
        route->allow = "HEAD, POST, GET, OPTIONS";
        return 0;
    }
    if (!is_segment(path, 2, "partitions")) {
        return -1;
    }
    if (path->count == 3) {
        route->kind = REST_PARTITIONS;
        return 0;
    }
    char partition[16];
    decode(path, 3, partition, sizeof(partition));
    route->partitioned = true;
    if (parse_partition(partition, &route->partition) != 0) {
        return -1;
    }
    if (path->count == 4) {
        route->kind = REST_PARTITION;
        route->allow = "HEAD, POST, GET, OPTIONS";
        return 0;
    }
    route->kind = REST_OFFSETS;
    return is_segment(path, 4, "offsets") ? 0 : -1;
}

int rest_route_streams(const char *method, const char *path, struct rest_route *route,
                       struct rest_fault *fault)
{
    static const struct {
        int count;
        const char *last;
        const char *method;
        enum rest_kind kind;
    } routes[] = {
        {1, NULL, "GET", REST_STREAMS},
        {2, NULL, "GET", REST_STREAM},
        {2, NULL, "POST", REST_STREAM_CREATE},
        {2, NULL, "DELETE", REST_STREAM_DELETE},
        {3, "record", "PUT", REST_STREAM_RECORD},
        {3, "records", "PUT", REST_STREAM_RECORDS},
    };
    struct path parts;
    if (split(path, &parts) != 0 || parts.count < 1 || !is_segment(&parts, 0, "streams")) {
        return 0;
    }
    route->kind = REST_STREAMS; /* of faults */
    route->type = REST_TYPE_JSON;
    route->partition = -1;
    route->partitioned = false;
    route->topic[0] = '\0';
    if (parts.count >= 2) {
        decode(&parts, 1, route->topic, sizeof(route->topic));
    }
    bool found = false;
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        if (routes[i].count != parts.count || (routes[i].last && !is_segment(&parts, 2, routes[i].last))) {
            continue;
        }
        route->allow = parts.count == 1   ? "GET, OPTIONS"
                       : parts.count == 2 ? "GET, POST, DELETE, OPTIONS"
                                          : "PUT, OPTIONS";
        found = true;
        if (strcmp(method, routes[i].method) == 0) {
            route->kind = routes[i].kind;
            return 1;
        }
    }
    if (found && strcmp(method, "OPTIONS") == 0) {
        route->kind = REST_OPTIONS;
        route->type = "text/plain";
        return 1;
    }
    return rest_fault_status(fault, found ? 405 : 404);
}

int rest_route_find(const char *method, const char *path, const char *content_type,
                    const char *accept, struct rest_route *route, struct rest_fault *fault)
{
    struct path parts;
    route->partition = -1;
    route->partitioned = false;
    route->topic[0] = '\0';
    route->type = REST_TYPE_JSON; /* of errors that come before negotiation */
    if (split(path, &parts) != 0) {
        return rest_fault_status(fault, 400);
    }
    const char *type = NULL;
    bool accepted = rest_media_negotiate(accept, &type) == 0;
    if (find_path(&parts, route) != 0) {
        bool v3 = parts.count >= 2 && is_segment(&parts, 0, "v3") && is_segment(&parts, 1, "clusters");
        if (v3 || (parts.count >= 2 && is_segment(&parts, 0, "consumers"))) {
            return rest_fault_set(fault, 404, 404, "HTTP 404 Not Found: of REST Proxy's APIs, %s is not served here",
                                  v3 ? "v3" : "that of consumers");
        }
        /* A partition that is no number is found out behind negotiation, a path before. */
        route->type = route->partitioned && type ? type : REST_TYPE_JSON;
        return rest_fault_status(fault, 404);
    }
    bool post = strcmp(method, "POST") == 0;
    if (strcmp(method, "OPTIONS") == 0) {
        route->kind = REST_OPTIONS;
        route->type = "text/plain";
        return 0;
    }
    if (!(post && strstr(route->allow, "POST")) && strcmp(method, "GET") != 0 &&
        strcmp(method, "HEAD") != 0) {
        return rest_fault_status(fault, 405);
    }
    if (!accepted) {
        return rest_fault_status(fault, 400);
    }
    struct rest_media media;
    int result = 0;
    if (post && route->kind != REST_ROOT) {
        result = find_format(content_type, route, fault);
    } else if (post && content_type) {
        result = rest_media_content(content_type, &media) != 0  ? rest_fault_status(fault, 400)
                 : !rest_media_is(&media, REST_TYPE_V2) ? rest_fault_status(fault, 415)
                                                        : 0;
    }
    if (result != 0) {
        /* Before negotiation, only a type named alone counts (WebApplicationExceptionMapper). */
        if (fault->status == 415 && accept && strcmp(accept, REST_TYPE_V2) == 0) {
            route->type = REST_TYPE_V2;
        }
        return result;
    }
    if (!type) {
        return rest_fault_status(fault, 406);
    }
    route->type = type;
    return 0;
}
