#include "core/worker/validation.h"

#include <stdlib.h>
#include <string.h>

#include <sluice/sink.h>

#include "core/config/framework.h"
#include "core/worker/validation_clients.h"
#include "lib/util/buffer.h"

enum { MESSAGE_MAX = 1 << 20 };

struct validation {
    struct loop *loop;
    struct host *host;
    struct loop_timer *later; /* done without a host: not from within the caller's call */
    json_t *descriptor, *config;
    char *subject, *context;
    const struct catalog *catalog;
    const struct properties *worker;
    json_t *own; /* "configs" of the host's message */
    char *failure;
    void (*done)(void *user, const struct validation_result *result);
    void *user;
};

void properties_of_json(struct properties *properties, json_t *object)
{
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        if (json_is_string(value)) {
            properties_set(properties, name, json_string_value(value));
        }
    }
}

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
                     dependents, "order", option->order);
}

/* The same from the scan's words. */
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
        json_integer_value(order) ? json_integer_value(order) : (json_int_t)-1);
}

json_t *validation_definitions(json_t *descriptor)
{
    json_t *list = json_array(), *option;
    size_t i;
    json_array_foreach(json_object_get(descriptor, "options"), i, option)
    {
        if (!json_is_true(json_object_get(option, "internal"))) {
            json_array_append_new(list, define_described(option));
        }
    }
    return list;
}

/* -- who knows a key -- */

/* `*` stands for a part without dots, at the end for all that follows. */
static bool family_takes(const char *family, const char *name)
{
    for (; *family; family++, name++) {
        if (*family == '*') {
            if (family[1] == '\0') {
                return *name != '\0';
            }
            size_t part = strcspn(name, ".");
            if (part == 0) {
                return false;
            }
            name += part - 1;
        } else if (*family != *name) {
            return false;
        }
    }
    return *name == '\0';
}

static json_t *find_option(json_t *descriptor, const char *name)
{
    json_t *option, *family = NULL;
    size_t i;
    json_array_foreach(json_object_get(descriptor, "options"), i, option)
    {
        const char *known = text_of(option, "name");
        if (strcmp(known, name) == 0) {
            return option;
        }
        if (strchr(known, '*') && family_takes(known, name)) {
            family = option;
        }
    }
    return family;
}

/* What is handed on to converters, transforms, predicates and clients. */
static bool handed_on(const char *name)
{
    static const char *const prefixes[] = {"key.converter.",     "value.converter.",
                                           "header.converter.",  "transforms.",
                                           "predicates.",        "producer.override.",
                                           "consumer.override.", "admin.override.",
                                           "topic.creation.",    "sluice."};
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0) {
            return true;
        }
    }
    return strcmp(name, "task.class") == 0;
}

/* -- putting it together -- */

struct outcome {
    json_t *configs, *groups, *unknown;
    int error_count;
};

static void add_group(struct outcome *outcome, json_t *group)
{
    json_t *known;
    size_t i;
    if (!json_is_string(group)) {
        return;
    }
    json_array_foreach(outcome->groups, i, known)
    {
        if (json_equal(known, group)) {
            return;
        }
    }
    json_array_append(outcome->groups, group);
}

static void add(struct outcome *outcome, json_t *definition, const char *name, json_t *value,
                json_t *errors)
{
    outcome->error_count += (int)json_array_size(errors);
    add_group(outcome, json_object_get(definition, "group"));
    json_array_append_new(outcome->configs,
                          json_pack("{s:o,s:{s:s,s:o,s:[],s:o,s:b}}", "definition",
                                    definition ? definition : json_null(), "value", "name", name,
                                    "value", value, "recommended_values", "errors", errors,
                                    "visible", 1));
}

/* A worker loads no class, but knows which there are. */
static void check_class(const struct validation *validation, const struct config_value *value,
                        json_t *errors)
{
    bool is_class = value->option && value->option->type == SLUICE_OPTION_CLASS;
    if (is_class && value->value && *value->value && value->error_count == 0 &&
        strcmp(value->name, "connector.class") != 0 &&
        !catalog_find(validation->catalog, NULL, value->value)) {
        json_array_append_new(
            errors, json_sprintf("Invalid value %s for configuration %s: Class %s could not "
                                 "be found.",
                                 value->value, value->name, value->value));
    }
}

static void add_framework(const struct validation *validation, struct outcome *outcome)
{
    struct properties properties = {0};
    struct framework_tables framework;
    struct config_report report = {0};
    bool sink = strcmp(text_of(validation->descriptor, "kind"), SLUICE_SINK) == 0;
    properties_of_json(&properties, validation->config);
    framework_tables_init(&framework, &properties, sink);
    config_validate(framework.tables, &properties, &report);
    framework_check_connector(&properties, sink, &report);
    for (size_t i = 0; i < report.count; i++) {
        const struct config_value *value = &report.values[i];
        json_t *own = find_option(validation->descriptor, value->name);
        if (!value->option && !own && value->error_count == 0) {
            if (!handed_on(value->name)) {
                json_array_append_new(outcome->unknown, json_string(value->name));
            }
            continue;
        }
        if (own) {
            continue; /* a class's own key stands for the framework's */
        }
        json_t *errors = json_array();
        for (size_t k = 0; k < value->error_count; k++) {
            json_array_append_new(errors, json_string(value->errors[k]));
        }
        check_class(validation, value, errors);
        json_t *definition = value->option ? define(value->option) : NULL;
        if (definition) { /* of a family's key the key itself */
            json_object_set_new(definition, "name", json_string(value->name));
        }
        add(outcome, definition, value->name,
            value->value ? json_string(value->value) : json_null(), errors);
    }
    config_report_finish(&report);
    framework_tables_finish(&framework);
    properties_finish(&properties);
}

static void add_override(void *user, json_t *definition, const char *name, json_t *value,
                         json_t *errors)
{
    add(user, definition, name, value, errors);
}

static void add_overrides(struct validation *validation, struct outcome *outcome)
{
    struct properties properties = {0};
    bool sink = strcmp(text_of(validation->descriptor, "kind"), SLUICE_SINK) == 0;
    properties_of_json(&properties, validation->config);
    validation->failure =
        validation_overrides(validation->worker, &properties, sink, add_override, outcome);
    properties_finish(&properties);
}

static void add_nulls(const struct validation *validation, struct outcome *outcome)
{
    const char *name;
    json_t *value;
    json_object_foreach(validation->config, name, value)
    {
        if (json_is_null(value)) {
            add(outcome, NULL, name, json_null(),
                json_pack("[s]", "Null value can not be supplied as the configuration value."));
        }
    }
}

static void add_own(const struct validation *validation, struct outcome *outcome)
{
    json_t *item;
    size_t i;
    json_array_foreach(validation->own, i, item)
    {
        const char *name = text_of(item, "name");
        json_t *option = find_option(validation->descriptor, name);
        json_t *errors = json_object_get(item, "errors"), *value = json_object_get(item, "value");
        add(outcome, option ? define_described(option) : NULL, name,
            value ? json_incref(value) : json_null(), errors ? json_incref(errors) : json_array());
    }
}

static void validation_free(struct validation *validation)
{
    if (validation) {
        loop_cancel(validation->later);
        json_decref(validation->descriptor);
        json_decref(validation->config);
        json_decref(validation->own);
        free(validation->failure);
        free(validation->subject);
        free(validation->context);
        free(validation);
    }
}

static void finish(void *user)
{
    struct validation *validation = user;
    validation->later = NULL;
    struct outcome outcome = {json_array(), json_array(), json_array(), 0};
    if (!validation->failure) {
        add_framework(validation, &outcome);
        add_own(validation, &outcome);
        add_overrides(validation, &outcome);
        add_nulls(validation, &outcome);
    }
    const struct validation_result result = {validation->failure, outcome.configs, outcome.groups,
                                             outcome.unknown, outcome.error_count};
    validation->done(validation->user, &result);
    json_decref(outcome.configs);
    json_decref(outcome.groups);
    json_decref(outcome.unknown);
    validation_free(validation);
}

static void on_message(void *user, const char *type, json_t *message)
{
    struct validation *validation = user;
    if (strcmp(type, "validated") == 0) {
        json_decref(validation->own);
        validation->own = json_incref(json_object_get(message, "configs"));
    }
}

static void on_end(void *user, const struct host_end *end)
{
    struct validation *validation = user;
    validation->host = NULL;
    if (!end->clean || !validation->own) {
        validation->failure = strdup(end->trace ? end->trace : "The validation gave no result");
    }
    finish(validation);
}

struct validation *
validation_start(struct loop *loop, struct supervisor *supervisor, const struct catalog *catalog,
                 const struct properties *worker, json_t *descriptor, json_t *config, json_t *plugin_path, int64_t deadline_ms,
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
    validation->worker = worker;
    validation->descriptor = json_incref(descriptor);
    validation->config = json_incref(config);
    validation->done = done;
    validation->user = user;
    const struct host_options options = {
        .role = "validate",
        .name = name,
        .subject = validation->subject,
        .context = validation->context,
        .first = json_pack("{s:s,s:O,s:O,s:O,s:O}", "type", "validate", "class",
                           json_object_get(descriptor, "class"), "kind",
                           json_object_get(descriptor, "kind"), "config", config, "plugin_path",
                           plugin_path),
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
