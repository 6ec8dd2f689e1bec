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
 * A scheduled run asks for each entity until it has nothing more.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "connectors/http/link.h"
#include "connectors/http/plugin.h"
#include "connectors/http/source.h"

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
    runs_finish(&source->runs);
    http_settings_finish(&source->settings);
    source->configured = false;
}

static void source_destroy(void *self)
{
    struct source *source = self;
    if (source) {
        source_stop(source);
        buffer_finish(&source->target);
        free(source->moved);
        buffer_finish(&source->request_body);
        free(source);
    }
}

static int mode_of(const char *text)
{
    for (int i = 0; http_offset_modes[i]; i++) {
        if (strcasecmp(http_offset_modes[i], text) == 0) {
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
        char number[24];
        snprintf(number, sizeof(number), "%zu", task);
        report->task_set(report, "entity.names", mine.data ? mine.data : "");
        report->task_set(report, "sluice.task.number", number);
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
        headers_parse(api->get_string(config, "http.request.headers"), false, source->headers, message,
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
    source->by_offset = strstr(source->url, "${offset}") || strstr(source->parameters, "${offset}") ||
                        strstr(source->body, "${offset}");
    const char *on_error = api->get_string(config, "behavior.on.error");
    source->on_error = strcasecmp(on_error, "fail") == 0     ? ERROR_FAIL
                       : strcasecmp(on_error, "ignore") == 0 ? ERROR_IGNORE
                                                             : ERROR_LOG;
    source->interval = api->get_long(config, "request.interval.ms");
    if (runs_init(&source->runs, host, config, source->interval, message, sizeof(message)) != 0) {
        return host->error(host, SLUICE_FATAL, SLUICE_CONFIG_EXCEPTION, "%s", message);
    }
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
    source->redirects = source->moved ? source->redirects + 1 : 0;
    if (source->moved) {
        buffer_append_text(&source->target, source->moved);
        free(source->moved);
        source->moved = NULL;
    } else if (entity->page_url) {
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
                                   .reply_max = REPLY_MAX,
                                   .decompress = true};
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
void source_rest(struct source *source, struct entity *entity, int64_t wait)
{
    entity->due = runs_scheduled(&source->runs) ? INT64_MAX : http_now_ms() + wait;
    source->attempt = 0;
    source->renewed = false;
    source->current = (source->current + 1) % source->entity_count;
}

/* A request failed for good. */
enum sluice_result source_give_up(struct source *source, struct sluice_batch *batch,
                                  struct entity *entity, const char *message)
{
    const struct sluice_host *host = source->host;
    if (source->on_error == ERROR_FAIL && runs_scheduled(&source->runs)) {
        char text[600];
        snprintf(text, sizeof(text), "Request failed: %s%s%s", message, *entity->name ? "; entity " : "",
                 entity->name);
        (void)runs_failed(&source->runs, batch, text);
        return SLUICE_OK;
    }
    if (source->on_error == ERROR_FAIL) {
        return host->error(host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION, "Request failed: %s%s%s", message,
                           *entity->name ? "; entity " : "", entity->name);
    }
    if (source->on_error == ERROR_LOG) {
        host->log(host, SLUICE_WARN, "Request failed and is left out: %s", message);
    }
    source_rest(source, entity, source->interval);
    return SLUICE_OK;
}

static enum sluice_result failed(struct source *source, struct sluice_batch *batch,
                                 struct entity *entity, bool again, int64_t after, const char *message)
{
    source->host->metric_add(source->failures, 1);
    if (!again || source->attempt >= source->settings.max_retries) {
        return source_give_up(source, batch, entity, message);
    }
    source->attempt++;
    int64_t wait = after >= 0 ? after : http_backoff(source->settings.retry_backoff_ms, source->attempt);
    source->host->log(source->host, SLUICE_WARN, "Request failed, it is tried again in %" PRId64 " ms: %s",
                      wait, message);
    entity->due = http_now_ms() + wait;
    return SLUICE_OK;
}

/* A redirection within the same server: what is asked next. Others would take the credentials along. */
static bool is_moved(struct source *source)
{
    const struct http_reply *reply = &source->reply;
    char location[8192];
    bool same_method = reply->status == 307 || reply->status == 308;
    bool get = strcasecmp(source->method, "GET") == 0 &&
               (reply->status == 301 || reply->status == 302 || reply->status == 303);
    if ((!get && !same_method) || source->redirects >= REDIRECTS_MAX ||
        !http_reply_header(reply, "Location", location, sizeof(location))) {
        return false;
    }
    source->moved = link_absolute(source->target.data, location);
    return source->moved != NULL;
}

static enum sluice_result look_at_reply(struct source *source, struct sluice_batch *batch,
                                        struct entity *entity)
{
    const struct http_reply *reply = &source->reply;
    char message[400];
    source->answered = false;
    if (reply->failure == HTTP_FINE && reply->status >= 200 && reply->status < 300) {
        return source_take_answer(source, batch, entity);
    }
    bool answered = reply->failure == HTTP_FINE;
    if (answered && reply->status == 401 && !source->renewed && auth_refused(&source->settings.auth)) {
        source->renewed = true;
        return SLUICE_OK; /* asked again with a new token */
    }
    if (answered && is_moved(source)) {
        return SLUICE_OK;
    }
    http_describe(reply, message, sizeof(message));
    bool again = answered ? statuses_has(&source->settings.retry_on, reply->status)
                          : reply->failure != HTTP_TOO_LARGE && reply->failure != HTTP_MISUSE;
    return failed(source, batch, entity, again, answered ? http_retry_after(reply) : -1, message);
}

/* A scheduled run begins, also for the second time: every entity is due, snapshots from their first page. */
static void begin_run(struct source *source)
{
    source->attempt = 0;
    source->renewed = false;
    source->current = 0;
    for (size_t i = 0; i < source->entity_count; i++) {
        struct entity *entity = &source->entities[i];
        entity->due = 0;
        if (source->mode == OFFSET_SNAPSHOT) {
            source_first_page(source, entity);
        }
    }
}

static enum sluice_result source_poll(void *self, struct sluice_batch *batch, int timeout_ms)
{
    struct source *source = self;
    int64_t deadline = http_now_ms() + timeout_ms;
    for (;;) {
        bool begun = false;
        if (runs_scheduled(&source->runs) && !runs_on(&source->runs, batch, timeout_ms, &begun)) {
            return SLUICE_OK;
        }
        if (begun) {
            begin_run(source);
        }
        struct entity *entity = &source->entities[source->current];
        if (*source->failure) {
            char message[sizeof(source->failure)];
            memcpy(message, source->failure, sizeof(message));
            *source->failure = '\0';
            enum sluice_result result = source_give_up(source, batch, entity, message);
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
        if (soonest == INT64_MAX) {
            runs_through(&source->runs, batch);
            return SLUICE_OK;
        }
        if (soonest > now) {
            if (now >= deadline) {
                return SLUICE_OK;
            }
            http_client_run(source->client, (int)((soonest < deadline ? soonest : deadline) - now));
            continue;
        }
        if (!entity->restored) {
            source_restore(source, batch, entity);
        }
        char message[400];
        if (ask(source, entity, message, sizeof(message)) != 0) {
            enum sluice_result result = failed(source, batch, entity, true, -1, message);
            if (result != SLUICE_OK) {
                return result;
            }
        }
    }
}

static void source_record_done(void *self, const struct sluice_record *record,
                               const struct sluice_delivery *delivery)
{
    (void)delivery;
    runs_record_done(&((struct source *)self)->runs, record);
}

const struct sluice_source http_source = {
    .size = sizeof(struct sluice_source),
    .create = source_create,
    .destroy = source_destroy,
    .connector = {.validate = validate, .task_configs = task_configs},
    .start = source_start,
    .poll = source_poll,
    .record_done = source_record_done,
    .stop = source_stop,
};
