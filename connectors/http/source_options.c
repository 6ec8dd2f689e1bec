/* The option table of the HTTP source. */
#include <stdio.h>

#include "connectors/http/plugin.h"
#include "connectors/http/source.h"
#include "lib/util/refuse_value.h"

static const char *const methods[] = {"GET", "POST", "PUT", "get", "post", "put", NULL};
const char *const http_offset_modes[] = {"SIMPLE_INCREMENTING", "CHAINING", "CURSOR_PAGINATION",
                                    "SNAPSHOT_PAGINATION", NULL};
static const char *const error_behaviors[] = {"fail", "ignore", "log", NULL};
static const char *const next_places[] = {"body", "link", NULL};
static const char *const request_names[] = {"offset", "entityName", NULL};
static const char *const topic_names[] = {"entityName", NULL};

static bool check_names(const char *name, const char *value, const char *const *names, const char *which,
                        char *message, size_t size)
{
    char why[200];
    if (value && !template_check(value, names, why, sizeof(why))) {
        snprintf(message, size, "Invalid value %s for configuration %s: %s; %s", value, name, why, which);
        return false;
    }
    return true;
}

static bool check_request(const char *name, const char *value, char *message, size_t size)
{
    return check_names(name, value, request_names, "offset and entityName are", message, size);
}

static bool check_url(const char *name, const char *value, char *message, size_t size)
{
    return http_check_url(name, value, message, size) && check_request(name, value, message, size);
}

static bool check_topic(const char *name, const char *value, char *message, size_t size)
{
    return check_names(name, value, topic_names, "entityName is", message, size);
}

static bool check_pointer(const char *name, const char *value, char *message, size_t size)
{
    return !value || !*value || *value == '/' ||
           refuse_value(name, value, "a JSON pointer begins with /", message, size);
}

const struct sluice_option http_source_options[] = {
    {HTTP_OPTION("url", STRING), .required = true, .importance = SLUICE_HIGH,
     .valid = SLUICE_VALID_CUSTOM, .check = check_url, .group = "Request",
     .doc = "What to ask. ${offset} and ${entityName} stand for how far it was read and for what."},
    {HTTP_OPTION("entity.names", LIST), .default_value = "", .importance = SLUICE_HIGH,
     .group = "Request", .doc = "Things to ask for, shared among tasks; each has its own offset."},
    {HTTP_OPTION("topic.name.pattern", STRING), .default_value = "${entityName}",
     .importance = SLUICE_HIGH, .valid = SLUICE_VALID_CUSTOM, .check = check_topic, .group = "Request",
     .doc = "The topic; ${entityName} stands for the entity."},
    {HTTP_OPTION("http.request.method", STRING), .default_value = "GET", .importance = SLUICE_MEDIUM,
     .valid = SLUICE_VALID_ONE_OF, .values = methods, .group = "Request", .doc = "Method of requests."},
    {HTTP_OPTION("http.request.headers", STRING), .default_value = "", .importance = SLUICE_MEDIUM,
     .valid = SLUICE_VALID_CUSTOM, .check = http_check_headers, .group = "Request",
     .doc = "Headers: Name: value, separated by |."},
    {HTTP_OPTION("http.request.parameters", STRING), .default_value = "",
     .importance = SLUICE_MEDIUM, .valid = SLUICE_VALID_CUSTOM, .check = check_request, .group = "Request",
     .doc = "Appended to the URL: name=value&name=value, with ${offset} and ${entityName}."},
    {HTTP_OPTION("http.request.body", STRING), .default_value = "", .importance = SLUICE_MEDIUM,
     .valid = SLUICE_VALID_CUSTOM, .check = check_request, .group = "Request",
     .doc = "Body of requests, with ${offset} and ${entityName}."},
    {HTTP_OPTION("request.interval.ms", LONG), .default_value = "15000", .importance = SLUICE_HIGH,
     .valid = SLUICE_VALID_RANGE, .min = 0, .max = INT64_MAX, .group = "Request",
     .doc = "How long to wait after the last page before it is asked again."},
    {HTTP_OPTION("sluice.page.interval.ms", LONG), .default_value = "0", .importance = SLUICE_LOW,
     .valid = SLUICE_VALID_RANGE, .min = 0, .max = INT64_MAX, .group = "Request",
     .doc = "How long to wait between pages, for servers that limit the rate."},
    {HTTP_OPTION("http.offset.mode", STRING), .default_value = "SIMPLE_INCREMENTING",
     .importance = SLUICE_HIGH, .valid = SLUICE_VALID_ONE_OF_ANY_CASE, .values = http_offset_modes, .group = "Offset",
     .doc = "SIMPLE_INCREMENTING: a number that grows by the records read; CHAINING: what "
            "http.offset.json.pointer finds in the last record; CURSOR_PAGINATION: the next page as "
            "the answer names it; SNAPSHOT_PAGINATION: all pages each time."},
    {HTTP_OPTION("http.initial.offset", STRING), .default_value = "", .importance = SLUICE_HIGH,
     .group = "Offset", .doc = "${offset} of the first request."},
    {HTTP_OPTION("http.offset.json.pointer", STRING), .default_value = "",
     .importance = SLUICE_MEDIUM, .valid = SLUICE_VALID_CUSTOM, .check = check_pointer, .group = "Offset",
     .doc = "CHAINING: where the offset is in a record."},
    {HTTP_OPTION("http.next.page.json.pointer", STRING), .default_value = "",
     .importance = SLUICE_MEDIUM, .valid = SLUICE_VALID_CUSTOM, .check = check_pointer, .group = "Offset",
     .doc = "Where the next page is in an answer: a URL, or what ${offset} is to be."},
    {HTTP_OPTION("sluice.next.page.from", STRING), .default_value = "body", .importance = SLUICE_LOW,
     .valid = SLUICE_VALID_ONE_OF, .values = next_places, .group = "Offset",
     .doc = "body: by http.next.page.json.pointer; link: by the answer's Link header, rel=next."},
    {HTTP_OPTION("http.response.data.json.pointer", STRING), .default_value = "",
     .importance = SLUICE_MEDIUM, .valid = SLUICE_VALID_CUSTOM, .check = check_pointer, .group = "Response",
     .doc = "Where the records are in an answer: a list, or one record."},
    {HTTP_OPTION("sluice.key.json.pointer", STRING), .default_value = "", .importance = SLUICE_LOW,
     .valid = SLUICE_VALID_CUSTOM, .check = check_pointer, .group = "Response",
     .doc = "Where the key is in a record; empty: records have none."},
    {HTTP_OPTION("behavior.on.error", STRING), .default_value = "fail", .importance = SLUICE_MEDIUM,
     .valid = SLUICE_VALID_ONE_OF_ANY_CASE, .values = error_behaviors, .group = "Response",
     .doc = "An answer that is an error and not tried again, or no JSON: fail, ignore or log."},
    SCHEDULE_OPTIONS,
    HTTP_CONNECTION_OPTIONS,
    AUTH_OPTIONS,
    {.name = NULL},
};
