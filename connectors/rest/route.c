/* Routing, see route.h. [http thread] */
#include "connectors/rest/route.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TYPE_V2 "application/vnd.kafka.v2+json"
#define TYPE_JSON "application/json"

enum { SEGMENTS_MAX = 5 };

struct path {
    char text[1024];                /* decoded; segments are NUL-terminated in place */
    const char *segments[SEGMENTS_MAX];
    int count;                      /* -1: not a path of ours */
};

static int hex(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Splits at `/` first and decodes each part then, so that %2F and %00 cannot make another path. */
static void split(const char *raw, struct path *path)
{
    size_t used = 0;
    path->count = 0;
    while (*raw == '/') {
        raw++;
    }
    while (*raw) {
        if (path->count == SEGMENTS_MAX) {
            path->count = -1;
            return;
        }
        path->segments[path->count++] = path->text + used;
        while (*raw && *raw != '/') {
            char c = *raw++;
            if (c == '%') {
                int high = hex(raw[0]);
                int low = high >= 0 ? hex(raw[1]) : -1;
                if (low < 0 || (high == 0 && low == 0)) {
                    path->count = -1;
                    return;
                }
                c = (char)(high << 4 | low);
                raw += 2;
            }
            if (used + 2 >= sizeof(path->text)) {
                path->count = -1;
                return;
            }
            path->text[used++] = c;
        }
        path->text[used++] = '\0';
        while (*raw == '/') {
            raw++;
        }
    }
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

/* `type/subtype` of a header item without parameters; *ret_next is behind its comma or at the end. */
static size_t media_type(const char **item, const char **ret_next, double *ret_quality)
{
    const char *start = *item;
    while (*start == ' ' || *start == '\t') {
        start++;
    }
    size_t all = strcspn(start, ",");
    *ret_next = start[all] ? start + all + 1 : start + all;
    size_t size = 0;
    while (size < all && start[size] != ';') {
        size++;
    }
    *ret_quality = 1;
    for (size_t i = size; i + 2 < all; i++) {
        if ((start[i] == ';' || start[i] == ' ') && (start[i + 1] | 0x20) == 'q' &&
            start[i + 2] == '=') {
            *ret_quality = strtod(start + i + 3, NULL);
        }
    }
    while (size > 0 && (start[size - 1] == ' ' || start[size - 1] == '\t')) {
        size--;
    }
    *item = start;
    return size;
}

static bool is_type(const char *text, size_t size, const char *type)
{
    return size == strlen(type) && strncasecmp(text, type, size) == 0;
}

/* The best of what the client accepts and we have; NULL where nothing fits. */
static const char *negotiate(const char *accept)
{
    if (!accept || !*accept || strcmp(accept, "*/*") == 0) {
        return TYPE_V2;
    }
    const char *best = NULL;
    double best_quality = 0;
    while (*accept) {
        const char *next;
        double quality;
        size_t size = media_type(&accept, &next, &quality);
        const char *type = NULL;
        if (is_type(accept, size, TYPE_V2) || is_type(accept, size, "*/*") ||
            is_type(accept, size, "application/*") ||
            is_type(accept, size, "application/vnd.kafka+json")) {
            type = TYPE_V2;
        } else if (is_type(accept, size, TYPE_JSON)) {
            type = TYPE_JSON;
        }
        if (type && quality > best_quality) {
            best = type;
            best_quality = quality;
        }
        accept = next;
    }
    return best;
}

/* Which of the embedded formats a body is in. */
static int find_format(const char *content_type, struct rest_route *route, struct rest_fault *fault)
{
    if (!content_type) {
        /* JAX-RS takes the consumer of the highest weight then, which is binary. */
        route->kind = REST_PRODUCE_BINARY;
        return 0;
    }
    const char *next;
    double quality;
    size_t size = media_type(&content_type, &next, &quality);
    if (is_type(content_type, size, "application/vnd.kafka.json.v2+json")) {
        route->kind = REST_PRODUCE_JSON;
        return 0;
    }
    if (is_type(content_type, size, "application/vnd.kafka.binary.v2+json")) {
        route->kind = REST_PRODUCE_BINARY;
        return 0;
    }
    if (is_type(content_type, size, "application/vnd.kafka.avro.v2+json") ||
        is_type(content_type, size, "application/vnd.kafka.jsonschema.v2+json") ||
        is_type(content_type, size, "application/vnd.kafka.protobuf.v2+json")) {
        return rest_fault_set(fault, 422, REST_PAYLOAD,
                              "Payload error. Schema Registry must be configured when using schemas.");
    }
    return rest_fault_status(fault, 415);
}

static int find_path(const struct path *path, struct rest_route *route)
{
    const char *const *segments = path->segments;
    route->allow = "GET,HEAD,OPTIONS";
    if (path->count == 0) {
        route->kind = REST_ROOT;
        route->allow = "GET,HEAD,OPTIONS,POST";
        return 0;
    }
    if (path->count == 1 && strcmp(segments[0], "brokers") == 0) {
        route->kind = REST_BROKERS;
        return 0;
    }
    if (path->count < 1 || strcmp(segments[0], "topics") != 0) {
        return -1;
    }
    if (path->count == 1) {
        route->kind = REST_TOPICS;
        return 0;
    }
    size_t size = strlen(segments[1]);
    size = size < sizeof(route->topic) ? size : sizeof(route->topic) - 1;
    memcpy(route->topic, segments[1], size);
    route->topic[size] = '\0';
    if (path->count == 2) {
        route->kind = REST_TOPIC;
        route->allow = "GET,HEAD,OPTIONS,POST";
        return 0;
    }
    if (strcmp(segments[2], "partitions") != 0) {
        return -1;
    }
    if (path->count == 3) {
        route->kind = REST_PARTITIONS;
        return 0;
    }
    route->partitioned = true;
    if (parse_partition(segments[3], &route->partition) != 0) {
        return -1;
    }
    if (path->count == 4) {
        route->kind = REST_PARTITION;
        route->allow = "GET,HEAD,OPTIONS,POST";
        return 0;
    }
    route->kind = REST_OFFSETS;
    return strcmp(segments[4], "offsets") == 0 ? 0 : -1;
}

int rest_route_find(const char *method, const char *path, const char *content_type,
                    const char *accept, struct rest_route *route, struct rest_fault *fault)
{
    struct path parts;
    route->partition = -1;
    route->partitioned = false;
    route->topic[0] = '\0';
    route->type = TYPE_JSON; /* of errors that come before negotiation, as the Proxy's */
    split(path, &parts);
    if (find_path(&parts, route) != 0) {
        return rest_fault_status(fault, 404);
    }
    bool post = strcmp(method, "POST") == 0;
    if (strcmp(method, "OPTIONS") == 0) {
        route->kind = REST_OPTIONS;
        return 0;
    }
    if (!(post && strstr(route->allow, "POST")) && strcmp(method, "GET") != 0 &&
        strcmp(method, "HEAD") != 0) {
        return rest_fault_status(fault, 405);
    }
    const char *type = negotiate(accept);
    if (post && route->kind == REST_ROOT) {
        const char *next;
        double quality;
        size_t size = content_type ? media_type(&content_type, &next, &quality) : 0;
        if (content_type && !is_type(content_type, size, TYPE_V2)) {
            return rest_fault_status(fault, 415);
        }
    } else if (post) {
        int result = find_format(content_type, route, fault);
        if (result != 0) {
            /* Before negotiation, only a type named alone counts (WebApplicationExceptionMapper). */
            route->type = fault->status == 415 ? (accept && strcmp(accept, TYPE_V2) == 0 ? TYPE_V2
                                                                                         : TYPE_JSON)
                                               : (type ? type : TYPE_JSON);
            return result;
        }
    }
    if (!type) {
        return rest_fault_status(fault, 406);
    }
    route->type = type;
    return 0;
}
