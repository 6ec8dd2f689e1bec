/*
 * The HTTP source: asks a server again and again, page by page, and makes records of what it answers.
 * One task reads the entities it was given, one after another, a request at a time. [task thread]
 *
 * How it goes on is http.offset.mode:
 *   SIMPLE_INCREMENTING  ${offset} is a number, greater by the records of each answer
 *   CHAINING             ${offset} is what a pointer finds in the last record
 *   CURSOR_PAGINATION    the answer names the next page; the last page is asked for again, and what was
 *                        read of it is left out
 *   SNAPSHOT_PAGINATION  all pages each time
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "connectors/http/common.h"
#include "connectors/http/plugin.h"
#include "connectors/http/pointer.h"
#include "connectors/http/template.h"

enum { URL_MAX = 16384, BODY_MAX = 1 << 20, OFFSET_MAX = 8192, REPLY_MAX = 64 << 20 };
enum offset_mode { OFFSET_INCREMENTING, OFFSET_CHAINING, OFFSET_CURSOR, OFFSET_SNAPSHOT };
enum on_error { ERROR_FAIL, ERROR_IGNORE, ERROR_LOG };

static const char *const methods[] = {"GET", "POST", "PUT", "get", "post", "put", NULL};
static const char *const modes[] = {"SIMPLE_INCREMENTING", "CHAINING", "CURSOR_PAGINATION",
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
    if (value && *value && *value != '/') {
        snprintf(message, size, "Invalid value %s for configuration %s: a JSON pointer begins with /", value,
                 name);
        return false;
    }
    return true;
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
     .importance = SLUICE_HIGH, .valid = SLUICE_VALID_ONE_OF_ANY_CASE, .values = modes, .group = "Offset",
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
    HTTP_CONNECTION_OPTIONS,
    AUTH_OPTIONS,
    {.name = NULL},
};

struct entity {
    const char *name;
    char *topic;
    char *offset;    /* ${offset} of the next request */
    char *page_url;  /* the next page as a URL, instead of the template; NULL: none */
    size_t seen;     /* CURSOR: records of that page that were handed out */
    bool restored;
    int64_t due;     /* monotonic ms */
};

struct source {
    const struct sluice_host *host;
    const struct sluice_source_context *context;
    struct http_settings settings;
    bool configured;
    const char *url, *method, *parameters, *body;
    char *headers[HEADERS_MAX + 1];
    enum offset_mode mode;
    enum on_error on_error;
    bool by_link;
    struct pointer offset_pointer, next_pointer, data_pointer, key_pointer;
    bool has_next_pointer, has_key_pointer;
    int64_t interval, page_interval;
    const char *initial;
    struct entity *entities;
    size_t entity_count, current;
    struct http_client *client;
    struct http_call *call; /* NULL: nothing is asked at the moment */
    struct http_reply reply;
    bool answered;
    struct buffer target, request_body;
    int attempt;
    bool renewed;
    char failure[400]; /* told by the next poll, when the records before it are handed over; "": none */
    struct sluice_metric *requests, *failures;
};

static void *source_create(const struct sluice_host *host)
{
    struct source *source = calloc(1, sizeof(*source));
    if (source) {
        source->host = host;
        buffer_init(&source->target, URL_MAX);
        buffer_init(&source->request_body, BODY_MAX);
    }
    return source;
}

static void source_stop(void *self)
{
    struct source *source = self;
    if (!source->configured) {
        return;
    }
    http_client_destroy(source->client);
    source->client = NULL;
    source->call = NULL;
    http_reply_finish(&source->reply);
    for (size_t i = 0; i < source->entity_count; i++) {
        free(source->entities[i].topic);
        free(source->entities[i].offset);
        free(source->entities[i].page_url);
    }
    free(source->entities);
    source->entities = NULL;
    source->entity_count = 0;
    headers_free(source->headers);
    pointer_finish(&source->offset_pointer);
    pointer_finish(&source->next_pointer);
    pointer_finish(&source->data_pointer);
    pointer_finish(&source->key_pointer);
    http_settings_finish(&source->settings);
    source->configured = false;
}

static void source_destroy(void *self)
{
    struct source *source = self;
    if (source) {
        source_stop(source);
        buffer_finish(&source->target);
        buffer_finish(&source->request_body);
        free(source);
    }
}

static int mode_of(const char *text)
{
    for (int i = 0; modes[i]; i++) {
        if (strcasecmp(modes[i], text) == 0) {
            return i;
        }
    }
    return 0;
}

static void validate(void *self, const struct sluice_config *config, const struct sluice_report *report)
{
    struct source *source = self;
    const struct sluice_config_api *api = source->host->config;
    struct auth auth;
    char message[300] = "";
    if (!api->get_string(config, "auth.type") || !api->get_string(config, "http.offset.mode")) {
        return;
    }
    if (auth_read(source->host, config, &auth, message, sizeof(message)) != 0) {
        report->invalid(report, "auth.type", "%s", message);
    }
    auth_finish(&auth);
    int mode = mode_of(api->get_string(config, "http.offset.mode"));
    bool by_link = strcmp(api->get_string(config, "sluice.next.page.from"), "link") == 0;
    const char *initial = api->get_string(config, "http.initial.offset");
    if (mode == OFFSET_CHAINING && !*api->get_string(config, "http.offset.json.pointer")) {
        report->invalid(report, "http.offset.json.pointer", "CHAINING needs http.offset.json.pointer");
    }
    if (mode == OFFSET_CURSOR && !by_link && !*api->get_string(config, "http.next.page.json.pointer")) {
        report->invalid(report, "http.next.page.json.pointer",
                        "CURSOR_PAGINATION needs http.next.page.json.pointer, or "
                        "sluice.next.page.from=link");
    }
    if (mode == OFFSET_INCREMENTING && initial && strspn(initial, "0123456789") != strlen(initial)) {
        report->invalid(report, "http.initial.offset", "SIMPLE_INCREMENTING needs a number");
    }
    const char *const *entities;
    size_t count = api->get_list(config, "entity.names", &entities);
    const char *topic = api->get_string(config, "topic.name.pattern");
    if (count == 0 && topic && strstr(topic, "${entityName}")) {
        report->invalid(report, "topic.name.pattern",
                        "Without entity.names the topic has to be named by topic.name.pattern");
    }
}

static enum sluice_result task_configs(void *self, const struct sluice_config *config, int max_tasks,
                                       const struct sluice_report *report)
{
    struct source *source = self;
    const char *const *entities;
    size_t count = source->host->config->get_list(config, "entity.names", &entities);
    size_t tasks = count == 0 ? 1 : count < (size_t)max_tasks ? count : (size_t)max_tasks;
    for (size_t task = 0; task < tasks; task++) {
        struct buffer mine;
        buffer_init(&mine, BODY_MAX);
        for (size_t i = task; i < count; i += tasks) {
            buffer_append_text(&mine, mine.size ? "," : "");
            buffer_append_text(&mine, entities[i]);
        }
        report->task(report);
        report->task_set(report, "entity.names", mine.data ? mine.data : "");
        buffer_finish(&mine);
    }
    return SLUICE_OK;
}

struct asked {
    const char *offset, *entity;
};

static bool request_name(void *user, const char *name, size_t size, struct buffer *to)
{
    const struct asked *asked = user;
    if (size == 6 && memcmp(name, "offset", 6) == 0) {
        buffer_append_text(to, asked->offset);
        return true;
    }
    if (size == 10 && memcmp(name, "entityName", 10) == 0) {
        buffer_append_text(to, asked->entity);
        return true;
    }
    return false;
}

static int make_entities(struct source *source, const struct sluice_config *config)
{
    const struct sluice_config_api *api = source->host->config;
    const char *pattern = api->get_string(config, "topic.name.pattern");
    const char *const *names;
    size_t count = api->get_list(config, "entity.names", &names);
    source->entity_count = count ? count : 1;
    source->entities = calloc(source->entity_count, sizeof(*source->entities));
    for (size_t i = 0; source->entities && i < source->entity_count; i++) {
        struct entity *entity = &source->entities[i];
        struct buffer topic;
        entity->name = count ? names[i] : "";
        struct asked asked = {"", entity->name};
        buffer_init(&topic, 1024);
        template_write(pattern, false, request_name, &asked, &topic);
        entity->topic = buffer_take(&topic);
        entity->offset = strdup(*source->initial || source->mode != OFFSET_INCREMENTING ? source->initial
                                                                                        : "0");
        if (!entity->topic || !entity->offset) {
            return -1;
        }
    }
    return source->entities ? 0 : -1;
}

static enum sluice_result source_start(void *self, const struct sluice_config *config)
{
    struct source *source = self;
    const struct sluice_host *host = source->host;
    const struct sluice_config_api *api = host->config;
    char message[300];
    source->configured = true;
    if (http_settings_read(host, config, &source->settings, message, sizeof(message)) != 0 ||
        headers_parse(api->get_string(config, "http.request.headers"), source->headers, message,
                      sizeof(message)) != 0) {
        return host->error(host, SLUICE_FATAL, SLUICE_CONFIG_EXCEPTION, "%s", message);
    }
    source->context = host->extension(host, SLUICE_SOURCE_CONTEXT);
    source->url = api->get_string(config, "url");
    source->method = api->get_string(config, "http.request.method");
    source->parameters = api->get_string(config, "http.request.parameters");
    source->body = api->get_string(config, "http.request.body");
    source->mode = (enum offset_mode)mode_of(api->get_string(config, "http.offset.mode"));
    source->by_link = strcmp(api->get_string(config, "sluice.next.page.from"), "link") == 0;
    const char *on_error = api->get_string(config, "behavior.on.error");
    source->on_error = strcasecmp(on_error, "fail") == 0     ? ERROR_FAIL
                       : strcasecmp(on_error, "ignore") == 0 ? ERROR_IGNORE
                                                             : ERROR_LOG;
    source->interval = api->get_long(config, "request.interval.ms");
    source->page_interval = api->get_long(config, "sluice.page.interval.ms");
    source->initial = api->get_string(config, "http.initial.offset");
    const char *next = api->get_string(config, "http.next.page.json.pointer");
    const char *key = api->get_string(config, "sluice.key.json.pointer");
    source->has_next_pointer = *next;
    source->has_key_pointer = *key;
    source->requests = host->metric(host, "requests", SLUICE_COUNTER);
    source->failures = host->metric(host, "requests-failed", SLUICE_COUNTER);
    source->client = http_client_create(&source->settings.options);
    if (!source->client) {
        return host->error(host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION, "%s",
                           http_client_problem());
    }
    if (pointer_parse(host->data, api->get_string(config, "http.offset.json.pointer"),
                      &source->offset_pointer) != 0 ||
        pointer_parse(host->data, next, &source->next_pointer) != 0 ||
        pointer_parse(host->data, key, &source->key_pointer) != 0 ||
        pointer_parse(host->data, api->get_string(config, "http.response.data.json.pointer"),
                      &source->data_pointer) != 0 ||
        make_entities(source, config) != 0) {
        return host->error(host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION, "no memory");
    }
    return SLUICE_OK;
}

/* -- offsets -- */

static void put(const struct source *source, struct sluice_batch *batch, struct sluice_value *map,
                const char *name, struct sluice_value *value)
{
    source->host->data->put(batch, map, source->host->data->intern(name, strlen(name)), value);
}

static struct sluice_value *text_value(const struct source *source, struct sluice_batch *batch,
                                       const char *text)
{
    return source->host->data->new_string(batch, text, strlen(text));
}

static struct sluice_value *partition_of(const struct source *source, struct sluice_batch *batch,
                                         const struct entity *entity)
{
    struct sluice_value *map = source->host->data->new_map(batch, 2);
    put(source, batch, map, "url", text_value(source, batch, source->url));
    put(source, batch, map, "entityName", text_value(source, batch, entity->name));
    return map;
}

/* page: URL of the page the record is of; NULL: by the template. */
static struct sluice_value *offset_of(const struct source *source, struct sluice_batch *batch,
                                      const char *offset, const char *page, size_t seen)
{
    struct sluice_value *map = source->host->data->new_map(batch, 3);
    put(source, batch, map, "offset", text_value(source, batch, offset));
    if (source->mode == OFFSET_CURSOR) {
        if (page) {
            put(source, batch, map, "page", text_value(source, batch, page));
        }
        put(source, batch, map, "seen",
            source->host->data->new_integer(batch, SLUICE_INT64, (int64_t)seen));
    }
    return map;
}

static const struct sluice_value *member(const struct source *source, const struct sluice_value *map,
                                         const char *name)
{
    return source->host->data->find(map, source->host->data->intern(name, strlen(name)));
}

static void restore(struct source *source, struct sluice_batch *batch, struct entity *entity)
{
    const struct sluice_data *data = source->host->data;
    entity->restored = true;
    const struct sluice_value *stored =
        source->mode == OFFSET_SNAPSHOT
            ? NULL
            : source->context->offset(source->host, batch, partition_of(source, batch, entity));
    if (!stored) {
        return;
    }
    const struct sluice_value *offset = member(source, stored, "offset");
    const struct sluice_value *page = member(source, stored, "page");
    const struct sluice_value *seen = member(source, stored, "seen");
    if (offset && data->type(offset) == SLUICE_STRING) {
        struct sluice_span text = data->text(offset);
        free(entity->offset);
        entity->offset = strndup(text.data, text.size);
    }
    if (page && data->type(page) == SLUICE_STRING) {
        struct sluice_span text = data->text(page);
        entity->page_url = strndup(text.data, text.size);
    }
    entity->seen = seen ? (size_t)data->integer(seen) : 0;
}

/* -- requests -- */

static void on_done(void *user, struct http_reply *reply)
{
    struct source *source = user;
    http_reply_finish(&source->reply);
    source->reply = *reply;
    memset(reply, 0, sizeof(*reply));
    source->answered = true;
    source->call = NULL;
}

/* Begins a request for the entity. -1 with a sentence. */
static int ask(struct source *source, struct entity *entity, char *message, size_t size)
{
    struct asked asked = {entity->offset ? entity->offset : "", entity->name};
    buffer_reset(&source->target);
    buffer_reset(&source->request_body);
    if (entity->page_url) {
        buffer_append_text(&source->target, entity->page_url);
    } else {
        template_write(source->url, true, request_name, &asked, &source->target);
        if (*source->parameters) {
            buffer_append_char(&source->target, strchr(source->url, '?') ? '&' : '?');
            template_write(source->parameters, true, request_name, &asked, &source->target);
        }
    }
    template_write(source->body, false, request_name, &asked, &source->request_body);
    if (source->target.failed || source->request_body.failed) {
        snprintf(message, size, "the URL or the body is too long");
        return -1;
    }
    if (auth_prepare(&source->settings.auth, &source->settings.options, message, size) != 0) {
        return -1;
    }
    const char *headers[HEADERS_MAX + 4];
    size_t count = 0;
    bool has_body = source->request_body.size > 0, typed = false, accepts = false;
    for (size_t i = 0; source->headers[i]; i++) {
        headers[count++] = source->headers[i];
        typed = typed || strncasecmp(source->headers[i], "content-type:", 13) == 0;
        accepts = accepts || strncasecmp(source->headers[i], "accept:", 7) == 0;
    }
    if (has_body && !typed) {
        headers[count++] = "Content-Type: application/json";
    }
    if (!accepts) {
        headers[count++] = "Accept: application/json";
    }
    if (source->settings.auth.header) {
        headers[count++] = source->settings.auth.header;
    }
    headers[count] = NULL;
    struct http_request request = {.method = source->method, .url = source->target.data,
                                   .headers = headers,
                                   .body = has_body ? source->request_body.data : NULL,
                                   .body_size = source->request_body.size,
                                   .total_timeout_ms = (int)source->settings.timeout_ms,
                                   .reply_max = REPLY_MAX};
    source->answered = false;
    source->call = http_client_start(source->client, &request, on_done, source);
    source->host->metric_add(source->requests, 1);
    if (!source->call && !source->answered) {
        snprintf(message, size, "no memory");
        return -1;
    }
    return 0;
}

/* The next entity, when this one has nothing more for now. */
static void rest(struct source *source, struct entity *entity, int64_t wait)
{
    entity->due = http_now_ms() + wait;
    source->attempt = 0;
    source->renewed = false;
    source->current = (source->current + 1) % source->entity_count;
}

/* A request failed for good. */
static enum sluice_result give_up(struct source *source, struct entity *entity, const char *message)
{
    const struct sluice_host *host = source->host;
    if (source->on_error == ERROR_FAIL) {
        return host->error(host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION, "Request failed: %s%s%s", message,
                           *entity->name ? "; entity " : "", entity->name);
    }
    if (source->on_error == ERROR_LOG) {
        host->log(host, SLUICE_WARN, "Request failed and is left out: %s", message);
    }
    rest(source, entity, source->interval);
    return SLUICE_OK;
}

static enum sluice_result failed(struct source *source, struct entity *entity, bool again, int64_t after,
                                 const char *message)
{
    source->host->metric_add(source->failures, 1);
    if (!again || source->attempt >= source->settings.max_retries) {
        return give_up(source, entity, message);
    }
    source->attempt++;
    int64_t wait = after >= 0 ? after : http_backoff(source->settings.retry_backoff_ms, source->attempt);
    source->host->log(source->host, SLUICE_WARN, "Request failed, it is tried again in %" PRId64 " ms: %s",
                      wait, message);
    entity->due = http_now_ms() + wait;
    return SLUICE_OK;
}

/* -- answers -- */

/* `<URL>; rel="next"` of the Link header, made absolute; NULL: none. */
static char *link_next(const struct source *source)
{
    char value[8192];
    if (!http_reply_header(&source->reply, "Link", value, sizeof(value))) {
        return NULL;
    }
    for (char *at = strchr(value, '<'); at; at = strchr(at + 1, '<')) {
        char *end = strchr(at, '>'), *comma = end ? strchr(end, ',') : NULL;
        char *rel = end ? strstr(end, "rel=") : NULL;
        if (rel && (!comma || rel < comma) &&
            (strncasecmp(rel + 4, "\"next\"", 6) == 0 || strncasecmp(rel + 4, "next", 4) == 0)) {
            return strndup(at + 1, (size_t)(end - at - 1));
        }
    }
    return NULL;
}

/* A reference as an absolute URL of the same server as the request; other servers are refused: NULL. */
static char *absolute(const struct source *source, const char *reference)
{
    const char *base = source->target.data;
    const char *host = strstr(base, "://");
    size_t origin = host ? (size_t)(host + 3 - base) + strcspn(host + 3, "/?#") : 0;
    struct buffer url;
    buffer_init(&url, URL_MAX);
    if (strncasecmp(reference, "http://", 7) == 0 || strncasecmp(reference, "https://", 8) == 0) {
        /* Credentials go along with every page: only to the server they are for. */
        if (strncasecmp(reference, base, origin) != 0 || !strchr("/?#", reference[origin])) {
            return NULL;
        }
        return strdup(reference);
    }
    buffer_append(&url, base, origin);
    if (*reference != '/') {
        return NULL;
    }
    buffer_append_text(&url, reference);
    return buffer_take(&url);
}

static bool is_reference(const char *text)
{
    return *text == '/' || strncasecmp(text, "http://", 7) == 0 || strncasecmp(text, "https://", 8) == 0;
}

/* A scalar of the answer as text, to be freed; NULL: null, empty, or no scalar. */
static char *scalar(const struct source *source, struct sluice_batch *batch, const struct sluice_value *value)
{
    const struct sluice_data *data = source->host->data;
    enum sluice_type type = data->type(value);
    if (!value || type == SLUICE_NULL || type == SLUICE_MAP || type == SLUICE_ARRAY) {
        return NULL;
    }
    struct sluice_span text = type == SLUICE_STRING ? data->text(value) : data->to_json(batch, value);
    return text.size > 0 && text.size < OFFSET_MAX ? strndup(text.data, text.size) : NULL;
}

/* Moves the entity to its next page, or lets it rest. */
static enum sluice_result turn_page(struct source *source, struct sluice_batch *batch,
                                    struct entity *entity, const struct sluice_value *answer, size_t count)
{
    bool paged = source->mode == OFFSET_CURSOR || source->mode == OFFSET_SNAPSHOT;
    char *next = NULL;
    if (paged && source->by_link) {
        next = link_next(source);
    } else if (paged && source->has_next_pointer) {
        next = scalar(source, batch, pointer_find(source->host->data, &source->next_pointer, answer));
    }
    if (next && (source->by_link || is_reference(next))) {
        char *url = absolute(source, next);
        if (!url) {
            snprintf(source->failure, sizeof(source->failure),
                     "the next page '%.200s' is on another server", next);
            free(next);
            return SLUICE_OK;
        }
        free(entity->page_url);
        entity->page_url = url;
    } else if (next) {
        free(entity->offset);
        entity->offset = strdup(next);
    }
    bool more = next != NULL;
    free(next);
    if (paged && more) {
        entity->seen = 0;
    } else if (source->mode == OFFSET_CURSOR) {
        entity->seen = count; /* the last page so far: asked for again, without what was read */
    } else if (source->mode == OFFSET_SNAPSHOT) {
        free(entity->page_url);
        entity->page_url = NULL;
        free(entity->offset);
        entity->offset = strdup(source->initial);
        entity->seen = 0;
    }
    if (!entity->offset) {
        return source->host->error(source->host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION, "no memory");
    }
    if (more) {
        entity->due = http_now_ms() + source->page_interval;
        source->attempt = 0;
        source->renewed = false;
    } else {
        rest(source, entity, source->interval);
    }
    return SLUICE_OK;
}

/* The offset behind a record; to be freed. */
static char *offset_behind(struct source *source, struct sluice_batch *batch, const struct entity *entity,
                           const struct sluice_value *item, size_t number)
{
    if (source->mode == OFFSET_INCREMENTING) {
        char text[32];
        snprintf(text, sizeof(text), "%lld", strtoll(entity->offset, NULL, 10) + (long long)number + 1);
        return strdup(text);
    }
    if (source->mode == OFFSET_CHAINING) {
        char *found =
            scalar(source, batch, pointer_find(source->host->data, &source->offset_pointer, item));
        return found ? found : strdup(entity->offset);
    }
    return strdup(entity->offset);
}

/* One record of the answer. */
static int add_record(struct source *source, struct sluice_batch *batch, struct entity *entity,
                      const struct sluice_value *item, size_t number, char **last)
{
    const struct sluice_host *host = source->host;
    struct sluice_record *record = host->records->add(batch, entity->topic);
    host->records->set_value(record, NULL, item);
    if (source->has_key_pointer) {
        host->records->set_key(record, NULL, pointer_find(host->data, &source->key_pointer, item));
    }
    free(*last);
    *last = offset_behind(source, batch, entity, item, number);
    if (!*last) {
        return -1;
    }
    if (source->mode != OFFSET_SNAPSHOT) {
        host->records->set_source(record, partition_of(source, batch, entity),
                                  offset_of(source, batch, *last, entity->page_url, number + 1));
    }
    return 0;
}

static enum sluice_result take_answer(struct source *source, struct sluice_batch *batch,
                                      struct entity *entity)
{
    const struct sluice_host *host = source->host;
    const struct sluice_data *data = host->data;
    struct sluice_json_error why = {.size = sizeof(why)};
    size_t size = source->reply.body.size;
    char *copy = host->records->alloc(batch, size + 1); /* values are views of it */
    memcpy(copy, source->reply.body.data ? source->reply.body.data : "", size);
    struct sluice_value *answer = NULL;
    char message[400];
    if (size > 0 &&
        data->from_json(batch, copy, size, SLUICE_JSON_STRICT, &answer, &why) != SLUICE_OK) {
        snprintf(message, sizeof(message), "the answer is no JSON: %s", why.message);
        return give_up(source, entity, message);
    }
    const struct sluice_value *list = pointer_find(data, &source->data_pointer, answer);
    bool is_list = list && data->type(list) == SLUICE_ARRAY;
    size_t count = is_list ? data->count(list) : list && data->type(list) != SLUICE_NULL ? 1 : 0;
    size_t from = source->mode == OFFSET_CURSOR && entity->seen < count ? entity->seen
                  : source->mode == OFFSET_CURSOR                       ? count
                                                                        : 0;
    char *last = NULL;
    if (source->mode == OFFSET_CURSOR && entity->seen > count) {
        from = 0; /* another page than before under this name */
    }
    for (size_t i = from; i < count; i++) {
        if (add_record(source, batch, entity, is_list ? data->at(list, i) : list, i, &last) != 0) {
            return host->error(host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION, "no memory");
        }
    }
    if (last && (source->mode == OFFSET_INCREMENTING || source->mode == OFFSET_CHAINING)) {
        free(entity->offset);
        entity->offset = last;
        last = NULL;
    }
    free(last);
    return turn_page(source, batch, entity, answer, count);
}

static enum sluice_result look_at_reply(struct source *source, struct sluice_batch *batch,
                                        struct entity *entity)
{
    const struct http_reply *reply = &source->reply;
    char message[400];
    source->answered = false;
    if (reply->failure == HTTP_FINE && reply->status >= 200 && reply->status < 300) {
        return take_answer(source, batch, entity);
    }
    bool answered = reply->failure == HTTP_FINE;
    if (answered && reply->status == 401 && !source->renewed && auth_refused(&source->settings.auth)) {
        source->renewed = true;
        return SLUICE_OK; /* asked again with a new token */
    }
    http_describe(reply, message, sizeof(message));
    bool again = answered ? statuses_has(&source->settings.retry_on, reply->status)
                          : reply->failure != HTTP_TOO_LARGE && reply->failure != HTTP_MISUSE;
    return failed(source, entity, again, answered ? http_retry_after(reply) : -1, message);
}

static enum sluice_result source_poll(void *self, struct sluice_batch *batch, int timeout_ms)
{
    struct source *source = self;
    int64_t deadline = http_now_ms() + timeout_ms;
    for (;;) {
        struct entity *entity = &source->entities[source->current];
        if (*source->failure) {
            char message[sizeof(source->failure)];
            memcpy(message, source->failure, sizeof(message));
            *source->failure = '\0';
            enum sluice_result result = give_up(source, entity, message);
            if (result != SLUICE_OK) {
                return result;
            }
            continue;
        }
        if (source->answered) {
            enum sluice_result result = look_at_reply(source, batch, entity);
            if (result != SLUICE_OK || source->host->records->count(batch) > 0) {
                return result;
            }
            continue;
        }
        int64_t now = http_now_ms();
        if (source->call) {
            if (now >= deadline) {
                return SLUICE_OK;
            }
            http_client_run(source->client, (int)(deadline - now));
            continue;
        }
        /* The first that is due, from the current one on. */
        int64_t soonest = entity->due;
        for (size_t i = 0; i < source->entity_count && source->attempt == 0; i++) {
            size_t n = (source->current + i) % source->entity_count;
            if (source->entities[n].due <= now) {
                source->current = n;
                entity = &source->entities[n];
                soonest = entity->due;
                break;
            }
            soonest = source->entities[n].due < soonest ? source->entities[n].due : soonest;
        }
        if (soonest > now) {
            if (now >= deadline) {
                return SLUICE_OK;
            }
            http_client_run(source->client, (int)((soonest < deadline ? soonest : deadline) - now));
            continue;
        }
        if (!entity->restored) {
            restore(source, batch, entity);
        }
        char message[400];
        if (ask(source, entity, message, sizeof(message)) != 0) {
            enum sluice_result result = failed(source, entity, true, -1, message);
            if (result != SLUICE_OK) {
                return result;
            }
        }
    }
}

const struct sluice_source http_source = {
    .size = sizeof(struct sluice_source),
    .create = source_create,
    .destroy = source_destroy,
    .connector = {.validate = validate, .task_configs = task_configs},
    .start = source_start,
    .poll = source_poll,
    .stop = source_stop,
};
