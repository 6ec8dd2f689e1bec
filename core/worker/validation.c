#include "core/worker/validation.h"

#include <stdlib.h>
#include <string.h>

#include <sluice/sink.h>
#include <sluice/source.h>
#include <sluice/transform.h>

#include "core/base/log.h"
#include "core/config/framework.h"
#include "lib/util/buffer.h"

enum { MESSAGE_MAX = 1 << 20 };

struct validation {
    struct loop *loop;
    struct host *host;
    struct loop_timer *later; /* done without a host: not from within the caller's call */
    char *subject, *context;
    const struct catalog *catalog;
    json_t *answer; /* the host's message */
    char *failure, *failure_class, *failure_trace;
    void (*done)(void *user, const struct validation_result *result);
    void *user;
};

static const char *text_of(json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

/* -- definitions, as ConfigKeyInfo -- */

static json_t *define(const struct sluice_option *option)
{
    static const char *const types[] = {"BOOLEAN", "STRING", "INT",   "SHORT",   "LONG",
                                        "DOUBLE",  "LIST",   "CLASS", "PASSWORD"};
    static const char *const importances[] = {"HIGH", "MEDIUM", "LOW"};
    static const char *const widths[] = {"NONE", "SHORT", "MEDIUM", "LONG"};
    json_t *dependents = json_array();
    for (const char *const *name = option->dependents; name && *name; name++) {
        json_array_append_new(dependents, json_string(*name));
    }
    return json_pack("{s:s,s:s,s:b,s:s?,s:s,s:s,s:s?,s:s,s:s,s:o,s:i}", "name", option->name,
                     "type", types[option->type], "required", (int)option->required,
                     "default_value", option->required ? NULL : option->default_value, "importance",
                     importances[option->importance], "documentation",
                     option->doc ? option->doc : "", "group", option->group, "width",
                     widths[option->width], "display_name",
                     option->display_name ? option->display_name : option->name, "dependents",
                     dependents, "order",
                     option->order || option->group ? option->order : -1);
}

/* From the scan's words. */
static json_t *define_described(json_t *option)
{
    json_t *order = json_object_get(option, "order"), *shown = json_object_get(option, "default");
    return json_pack(
        "{s:O,s:O,s:O,s:O,s:O,s:O,s:O,s:O,s:O,s:O,s:I}", "name", json_object_get(option, "name"),
        "type", json_object_get(option, "type"), "required", json_object_get(option, "required"),
        "default_value", shown ? shown : json_null(), "importance",
        json_object_get(option, "importance"), "documentation", json_object_get(option, "doc"),
        "group", json_object_get(option, "group"), "width", json_object_get(option, "width"),
        "display_name", json_object_get(option, "display_name"), "dependents",
        json_object_get(option, "dependents"), "order",
        json_integer_value(order) || json_is_string(json_object_get(option, "group"))
            ? json_integer_value(order)
            : (json_int_t)-1);
}

/* The framework's, for what a class does not define itself. */
static void add_framework(json_t *list, const struct sluice_option *table)
{
    for (; table->name; table++) {
        json_t *known;
        size_t i;
        bool own = false;
        json_array_foreach(list, i, known)
        {
            own = own || strcmp(text_of(known, "name"), table->name) == 0;
        }
        if (!own && !table->internal && !strchr(table->name, '*')) {
            json_array_append_new(list, define(table));
        }
    }
}

json_t *validation_definitions(json_t *descriptor)
{
    const char *kind = text_of(descriptor, "kind");
    json_t *list = json_array(), *option;
    size_t i;
    json_array_foreach(json_object_get(descriptor, "options"), i, option)
    {
        if (!json_is_true(json_object_get(option, "internal")) &&
            !strchr(text_of(option, "name"), '*')) {
            json_array_append_new(list, define_described(option));
        }
    }
    bool sink = strcmp(kind, SLUICE_SINK) == 0;
    if (sink || strcmp(kind, SLUICE_SOURCE) == 0) {
        add_framework(list, framework_connector);
        add_framework(list, sink ? framework_sink : framework_source);
    }
    return list;
}

/* -- the answer -- */

/* What we have beside Kafka's classes is built in and always there: lists of recommended values are as a
 * JVM worker's with the same plugins. /connector-plugins has all. */
#define OWN_PACKAGE "sluice."

static json_t *classes_of(const struct catalog *catalog, const char *kind)
{
    json_t *list = json_array(), *descriptor;
    for (size_t i = 0; (descriptor = catalog_at(catalog, i)); i++) {
        if (strcmp(text_of(descriptor, "kind"), kind) == 0 &&
            strncmp(text_of(descriptor, "class"), OWN_PACKAGE, sizeof(OWN_PACKAGE) - 1) != 0) {
            json_array_append(list, json_object_get(descriptor, "class"));
        }
    }
    return list;
}

/* `transforms.a.type` offers the classes that there are: only the worker knows all of them. */
static void add_recommended(const struct validation *validation)
{
    json_t *config;
    size_t i;
    json_array_foreach(json_object_get(validation->answer, "configs"), i, config)
    {
        json_t *value = json_object_get(config, "value");
        const char *name = text_of(value, "name");
        size_t size = strlen(name);
        bool is_type = size > 5 && strcmp(name + size - 5, ".type") == 0 &&
                       strcmp(text_of(json_object_get(config, "definition"), "type"), "CLASS") == 0;
        if (is_type && strncmp(name, "transforms.", 11) == 0) {
            json_object_set_new(value, "recommended_values",
                                classes_of(validation->catalog, SLUICE_TRANSFORM));
        } else if (is_type && strncmp(name, "predicates.", 11) == 0) {
            json_object_set_new(value, "recommended_values",
                                classes_of(validation->catalog, SLUICE_PREDICATE));
        }
    }
}

static void validation_free(struct validation *validation)
{
    if (validation) {
        loop_cancel(validation->later);
        json_decref(validation->answer);
        free(validation->failure);
        free(validation->failure_class);
        free(validation->failure_trace);
        free(validation->subject);
        free(validation->context);
        free(validation);
    }
}

static void finish(void *user)
{
    struct validation *validation = user;
    validation->later = NULL;
    struct validation_result result = {.failure = validation->failure,
                                       .failure_class = validation->failure_class,
                                       .failure_trace = validation->failure_trace};
    if (!validation->failure) {
        add_recommended(validation);
        result.configs = json_object_get(validation->answer, "configs");
        result.groups = json_object_get(validation->answer, "groups");
        result.unknown = json_object_get(validation->answer, "unknown");
        result.start_failure =
            json_string_value(json_object_get(validation->answer, "start_failure"));
        result.start_trace = json_string_value(json_object_get(validation->answer, "start_trace"));
        result.error_count = (int)json_integer_value(json_object_get(validation->answer, "errors"));
    }
    validation->done(validation->user, &result);
    validation_free(validation);
}

static void on_message(void *user, const char *type, json_t *message)
{
    struct validation *validation = user;
    if (strcmp(type, "validated") == 0) {
        json_decref(validation->answer);
        validation->answer = json_incref(message);
    }
}

static void on_end(void *user, const struct host_end *end)
{
    struct validation *validation = user;
    validation->host = NULL;
    if (!end->clean || !validation->answer) {
        validation->failure = strdup(end->message ? end->message : "The validation " HOST_ENDED_ITSELF);
        validation->failure_class = strdup(end->class_name && *end->class_name
                                               ? end->class_name
                                               : "org.apache.kafka.connect.errors.ConnectException");
        if (end->trace && (!end->class_name || !*end->class_name)) { /* the answer has its first line */
            log_line(LOG_LEVEL_ERROR, "sluice.worker.validation", validation->context, "%s", end->trace);
        }
        validation->failure_trace = strdup(end->trace ? end->trace : validation->failure);
    }
    finish(validation);
}

struct validation *
validation_start(struct loop *loop, struct supervisor *supervisor, const struct catalog *catalog,
                 json_t *descriptor, json_t *config, json_t *worker, int64_t deadline_ms,
                 const char *name, void (*done)(void *user, const struct validation_result *result),
                 void *user)
{
    struct validation *validation = calloc(1, sizeof(*validation));
    struct error error = {0};
    if (!validation || asprintf(&validation->subject, "The validation of %s", name) < 0 ||
        asprintf(&validation->context, "[%s|worker] ", name) < 0) {
        abort();
    }
    validation->loop = loop;
    validation->catalog = catalog;
    validation->done = done;
    validation->user = user;
    json_t *const configs[] = {config, worker, NULL};
    const struct host_options options = {
        .role = "validate",
        .name = name,
        .subject = validation->subject,
        .context = validation->context,
        .first = json_pack("{s:s,s:O,s:O,s:O,s:O,s:o}", "type", "validate", "class",
                           json_object_get(descriptor, "class"), "kind",
                           json_object_get(descriptor, "kind"), "config", config, "worker", worker,
                           "plugin_path", catalog_files_for(catalog, configs)),
        .deadline_ms = deadline_ms,
        .on_message = on_message,
        .on_end = on_end,
        .user = validation,
    };
    validation->host = host_start(supervisor, &options, &error);
    if (!validation->host) {
        validation->failure = strdup(error.message ? error.message : "out of memory");
        validation->later = loop_after(loop, 0, finish, validation);
    }
    error_clear(&error);
    return validation;
}

void validation_cancel(struct validation *validation)
{
    if (validation) {
        host_abandon(validation->host);
        validation_free(validation);
    }
}

char *validation_message(const struct validation_result *result)
{
    struct buffer text;
    json_t *config, *message;
    size_t i, k;
    buffer_init(&text, MESSAGE_MAX);
    (void)buffer_printf(
        &text, "Connector configuration is invalid and contains the following %d error(s):",
        result->error_count);
    json_array_foreach(result->configs, i, config){
        json_array_foreach(json_object_get(json_object_get(config, "value"), "errors"), k,
                           message){(void)buffer_printf(&text, "\n%s", json_string_value(message));
}
}
(void)buffer_append_text(&text, "\nYou can also find the above list of errors at the endpoint "
                                "`/connector-plugins/{connectorType}/config/validate`");
return buffer_take(&text);
}
