/*
 * Role "validate": checks a whole connector configuration as Connect does: the framework's keys, the
 * class's own, those of its transforms, predicates and converters, and the class's own validate().
 * All of it may be plugin code that hangs: the worker ends this process at its deadline and finds the
 * call in the page. [main thread]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sluice/plugin.h>

#include "core/base/json_text.h"
#include "core/config/client_properties.h"
#include "core/config/framework.h"
#include "core/host/class_validate.h"
#include "core/host/process.h"
#include "core/host/resolve.h"
#include "core/host/validate_clients.h"
#include "core/host/validate_report.h"
#include "core/plugin/instance.h"
#include "lib/java/hash_order.h"

struct validation {
    struct host_process *process;
    struct plugin_environment environment;
    const struct sluice_descriptor *descriptor;
    bool sink;
    json_t *raw; /* as it was given; borrowed */
    struct properties worker, config;
    struct properties nulls; /* names of keys that were given as null */
    struct validate_report report;
};

/* -- classes -- */

static const struct sluice_option no_options[] = {{.name = NULL}};

static const struct sluice_option *options_of(void *user, bool predicate, const char *class_name)
{
    const struct validation *validation = user;
    struct error ignored = {0};
    const struct sluice_descriptor *descriptor =
        registry_find(validation->environment.registry,
                      predicate ? SLUICE_PREDICATE : SLUICE_TRANSFORM, class_name, &ignored);
    error_clear(&ignored);
    return !descriptor ? NULL : descriptor->options ? descriptor->options : no_options;
}

/* `A$Key, A$Value` for the name of a class that only they make. Owned by the caller; NULL: none. */
static char *inner_classes(const struct registry *registry, const char *name)
{
    char *list = NULL;
    size_t size = strlen(name);
    for (size_t i = 0; i < registry_count(registry); i++) {
        const char *found = registry_at(registry, i, NULL)->class_name;
        if (strncmp(found, name, size) == 0 && found[size] == '$') {
            char *longer = NULL;
            if (asprintf(&longer, "%s%s%s", list ? list : "", list ? ", " : "", found) < 0) {
                abort();
            }
            free(list);
            list = longer;
        }
    }
    return list;
}

/* Connect's sentence for a class that will not do; NULL: it will. *ret_class: its full
 * name; NULL: there is none. */
static char *class_problem(const struct validation *validation, const char *key, const char *kind,
                           const char *what, const char *name, const char **ret_class,
                           bool *ret_found)
{
    const struct registry *registry = validation->environment.registry;
    struct error ignored = {0};
    char *message = NULL;
    int size = 0;
    *ret_class = name;
    *ret_found = true;
    const struct sluice_descriptor *right = registry_find(registry, kind, name, &ignored);
    error_clear(&ignored);
    if (!right && strcmp(kind, SLUICE_HEADER_CONVERTER) == 0) { /* converters are these as well */
        right = registry_find(registry, SLUICE_CONVERTER, name, &ignored);
        error_clear(&ignored);
    }
    if (right) {
        *ret_class = right->class_name;
        return NULL;
    }
    const struct sluice_descriptor *other = registry_find(registry, NULL, name, &ignored);
    char *inner = other ? NULL : inner_classes(registry, name);
    error_clear(&ignored);
    /* what is below java. is taken for a class of the JVM's, which is none of Connect's interfaces */
    if (other || strncmp(name, "java.", 5) == 0) {
        *ret_class = other ? other->class_name : name;
        size = asprintf(&message, "Class class %s does not implement the %s interface", *ret_class,
                        what);
    } else if (inner) {
        size = asprintf(&message, "This class is abstract and cannot be created. Did you mean %s?",
                        inner);
    } else {
        *ret_class = NULL;
        *ret_found = false;
        const char *given = properties_get(&validation->config, key); /* blanks included */
        given = given ? given : name;
        size = asprintf(&message, "Invalid value %s for configuration %s: Class %s could not be found.",
                        given, key, given);
    }
    if (size < 0) {
        abort();
    }
    free(inner);
    return message;
}

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), tail = strlen(end);
    return size >= tail && strcmp(text + size - tail, end) == 0;
}

/* Kind that a CLASS key asks for; false: none that is known here. */
static bool kind_of(const char *key, const char **ret_kind, const char **ret_what)
{
    if (strncmp(key, "transforms.", 11) == 0 && ends_with(key, ".type")) {
        *ret_kind = SLUICE_TRANSFORM;
        *ret_what = "Transformation";
    } else if (strncmp(key, "predicates.", 11) == 0 && ends_with(key, ".type")) {
        *ret_kind = SLUICE_PREDICATE;
        *ret_what = "Predicate";
    } else if (strcmp(key, "key.converter") == 0 || strcmp(key, "value.converter") == 0) {
        *ret_kind = SLUICE_CONVERTER;
        *ret_what = "Converter";
    } else if (strcmp(key, "header.converter") == 0) {
        *ret_kind = SLUICE_HEADER_CONVERTER;
        *ret_what = "HeaderConverter";
    } else {
        return false;
    }
    return true;
}

/* -- the class's own validate() -- */

static bool is_own(const struct validation *validation, const struct sluice_option *option)
{
    for (const struct sluice_option *own = validation->descriptor->options; own && own->name; own++) {
        if (own == option) {
            return true;
        }
    }
    return false;
}

/* Asked only when every key of the class is good in itself. */
static int ask_class(struct validation *validation, struct config_report *report,
                     struct error *error)
{
    for (size_t i = 0; i < report->count; i++) {
        bool good = report->values[i].error_count == 0 &&
                    !properties_get(&validation->nulls, report->values[i].name);
        if (!good && is_own(validation, report->values[i].option)) {
            return 0;
        }
    }
    return class_validate(validation->process, &validation->environment, validation->descriptor,
                          &validation->config, report, error);
}

/* -- putting it together -- */

/* What is handed on to clients, or checked when the connector starts. */
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

/* What stands for a value in the answer: a value that came of a provider as its variable. */
static const char *shown(const struct validation *validation, const char *name, const char *value)
{
    const char *raw = json_string_value(json_object_get(validation->raw, name));
    const char *resolved = properties_get(&validation->config, name);
    return value && raw && resolved && strcmp(raw, resolved) != 0 && strcmp(value, "[hidden]") != 0
               ? raw
               : value;
}

/* Takes over value. */
static json_t *shown_json(const struct validation *validation, const char *name, json_t *value)
{
    const char *text = json_string_value(value), *other = shown(validation, name, text);
    if (text && other && text != other) {
        json_decref(value);
        return json_text(other);
    }
    return value;
}

static void add_value(struct validation *validation, const struct config_value *value)
{
    const char *kind, *what;
    const char *text = value->value; /* a class's full name, where it is one */
    char *problem = NULL;
    bool found = true;
    if (value->option && text && value->option->type == SLUICE_OPTION_CLASS &&
        kind_of(value->name, &kind, &what)) {
        problem = class_problem(validation, value->name, kind, what, text, &text, &found);
    }
    if (problem && found && value->error_count > 0) { /* the first that a validator finds is told */
        free(problem);
        problem = NULL;
    }
    validate_report_add(&validation->report, value->option, value->name,
                        shown(validation, value->name, text), value->errors,
                        value->error_count);
    if (problem) {
        validate_report_error(&validation->report,
                              json_array_size(validation->report.configs) - 1, problem, !found);
        free(problem);
    }
}

#define NULL_VALUE "Null value can not be supplied as the configuration value."

static const struct config_value *find_value(const struct config_report *report, const char *name)
{
    for (size_t i = 0; i < report->count; i++) {
        if (report->values[i].option && strcmp(report->values[i].name, name) == 0) {
            return &report->values[i];
        }
    }
    return NULL;
}

/* A value of the framework's own, which Connect puts into a map; those of the class come in a list. */
static bool is_framework(const struct validation *validation, const struct config_value *value)
{
    return value && value->option && !value->option->internal && !is_own(validation, value->option);
}

/* Keys of nobody that are null, and errors on keys that nobody defines, come first; the former in the
 * order of the java.util.HashMap that has the framework's values, too. */
static void add_undefined(struct validation *validation, const struct config_report *report)
{
    static char *const null_value[] = {(char *)NULL_VALUE};
    const struct properties *nulls = &validation->nulls;
    size_t values = 0, done = 0;
    for (size_t i = 0; i < report->count; i++) {
        values += is_framework(validation, &report->values[i]);
    }
    for (size_t i = 0; i < nulls->count; i++) {
        values += !is_framework(validation, find_value(report, nulls->items[i].name));
    }
    for (uint32_t bucket = 0; done < nulls->count; bucket++) {
        for (size_t i = 0; i < nulls->count; i++) {
            const char *name = nulls->items[i].name;
            if (java_hash_bucket(name, strlen(name), values) != bucket) {
                continue;
            }
            done++;
            const struct config_value *known = find_value(report, name);
            if (!known || known->option->internal) {
                validate_report_add(&validation->report, NULL, name, NULL, null_value, 1);
            }
        }
    }
    for (size_t i = 0; i < report->count; i++) {
        const struct config_value *one = &report->values[i];
        if (one->option) {
            continue;
        }
        if (one->error_count > 0) {
            add_value(validation, one);
        } else if (!handed_on(one->name)) {
            json_array_append_new(validation->report.unknown, json_text(one->name));
        }
    }
}

/* The class's own keys may be null as far as they say; those of the framework may not. */
static void refuse_nulls(struct validation *validation, struct config_report *report)
{
    for (size_t i = 0; i < validation->nulls.count; i++) {
        const char *name = validation->nulls.items[i].name;
        if (is_framework(validation, find_value(report, name))) {
            config_report_add(report, name, NULL_VALUE);
        }
    }
}

static int check_connector(struct validation *validation, struct error *error)
{
    if (validation->sink &&
        framework_check_dead_letters(&validation->config, &validation->nulls, error) != 0) {
        return -1;
    }
    struct framework_tables framework;
    struct config_report report = {0};
    framework_tables_init_full(&framework, &validation->config, validation->sink, options_of,
                               validation);
    const struct sluice_option *tables[5] = {0};
    size_t count = 0;
    for (; framework.tables[count]; count++) {
        tables[count] = framework.tables[count];
    }
    tables[count] = validation->descriptor->options ? validation->descriptor->options : no_options;
    host_phase(validation->process, "validate", validation->descriptor->class_name);
    config_validate_nulls(tables, &validation->config, &validation->nulls, &report);
    host_phase(validation->process, "", "");
    framework_check_connector(&validation->config, &validation->nulls, validation->sink, &report);
    refuse_nulls(validation, &report);
    int result = ask_class(validation, &report, error);
    if (result == 0) {
        add_undefined(validation, &report);
        for (size_t i = 0; i < report.count; i++) {
            const struct config_value *value = &report.values[i];
            bool listed = value->option && (!value->option->internal || value->error_count > 0);
            if (listed) {
                add_value(validation, value);
            }
        }
    }
    config_report_finish(&report);
    framework_tables_finish(&framework);
    return result;
}

/* -- converters -- */

/* In the order of a java.util.HashMap, as Connect answers. */
static void add_converter_values(struct validation *validation, const char *prefix,
                                 const struct config_report *report)
{
    size_t done = 0;
    for (uint32_t bucket = 0; done < report->count; bucket++) {
        for (size_t i = 0; i < report->count; i++) {
            const struct config_value *value = &report->values[i];
            char *name = NULL;
            if (java_hash_bucket(value->name, strlen(value->name), report->count) != bucket) {
                continue;
            }
            done++;
            if (!value->option || value->option->internal) {
                continue;
            }
            if (asprintf(&name, "%s.%s", prefix, value->name) < 0) {
                abort();
            }
            validate_report_add(&validation->report, value->option, name,
                                shown(validation, name, value->value), value->errors,
                                value->error_count);
            free(name);
        }
    }
}

/* Keys of a converter that the connector itself names; the worker's are not its affair. */
static void check_converter(struct validation *validation, const char *key, const char *type,
                            const char *kind)
{
    char *class_name = NULL, *prefix = NULL;
    const char *given = properties_get(&validation->config, key);
    struct error ignored = {0};
    if (!given || asprintf(&class_name, "%s", given + strspn(given, " \t")) < 0 ||
        asprintf(&prefix, "%s.", key) < 0) {
        return;
    }
    class_name[strcspn(class_name, " \t\r\n")] = '\0';
    const struct sluice_descriptor *descriptor =
        registry_find(validation->environment.registry, kind, class_name, &ignored);
    error_clear(&ignored);
    if (!descriptor && strcmp(kind, SLUICE_HEADER_CONVERTER) == 0) {
        descriptor = registry_find(validation->environment.registry, SLUICE_CONVERTER, class_name,
                                   &ignored);
        error_clear(&ignored);
    }
    if (descriptor && descriptor->options) {
        const struct sluice_option *const tables[] = {descriptor->options, NULL};
        struct properties own = {0}, nulls = {0};
        struct config_report report = {0};
        properties_copy_prefixed(&own, &validation->config, prefix);
        properties_copy_prefixed(&nulls, &validation->nulls, prefix);
        properties_remove(&nulls, "converter.type");
        if (!properties_get(&own, "converter.type")) {
            properties_set(&own, "converter.type", type);
        }
        host_phase(validation->process, "validate", descriptor->class_name);
        config_validate_nulls(tables, &own, &nulls, &report);
        host_phase(validation->process, "", "");
        add_converter_values(validation, key, &report);
        config_report_finish(&report);
        properties_finish(&own);
        properties_finish(&nulls);
    }
    free(class_name);
    free(prefix);
}

/* -- overrides of clients -- */

static void on_override(void *user, json_t *definition, const char *name, json_t *value,
                        json_t *errors)
{
    struct validation *validation = user;
    validate_report_put(&validation->report, definition ? definition : json_null(), name,
                        shown_json(validation, name, value), errors);
}

static int check_overrides(struct validation *validation, struct error *error)
{
    char *wrong = validate_overrides(validation->environment.registry, &validation->worker,
                                     &validation->config, &validation->nulls, validation->sink,
                                     client_keys_taken(validation->descriptor->options),
                                     on_override, validation);
    if (!wrong) {
        return 0;
    }
    (void)error_set_class(error, ERROR_CONFIG, SLUICE_CONFIG_EXCEPTION, "%s", wrong);
    free(wrong);
    return -1;
}

/* -- the role -- */

static int run(struct validation *validation, json_t *first, struct error *error)
{
    const char *kind = process_text(first, "kind");
    if (resolve_configs(&validation->environment, &validation->worker, &validation->config, NULL,
                        error) != 0) {
        return -1;
    }
    validation->descriptor = registry_find(validation->environment.registry, *kind ? kind : NULL,
                                           process_text(first, "class"), error);
    if (!validation->descriptor) {
        return -1;
    }
    validation->sink = strcmp(validation->descriptor->kind, SLUICE_SINK) == 0;
    if (!validation->sink && strcmp(validation->descriptor->kind, SLUICE_SOURCE) != 0) {
        return error_set(error, ERROR_UNKNOWN_CLASS, "%s is a %s, not a connector",
                         validation->descriptor->class_name, validation->descriptor->kind);
    }
    if (check_connector(validation, error) != 0 || check_overrides(validation, error) != 0) {
        return -1;
    }
    check_converter(validation, "header.converter", "header", SLUICE_HEADER_CONVERTER);
    check_converter(validation, "key.converter", "key", SLUICE_CONVERTER);
    check_converter(validation, "value.converter", "value", SLUICE_CONVERTER);
    return 0;
}

/* With what would keep a source from being made at all, of which validation says nothing. */
static json_t *answer(const struct validation *validation)
{
    struct error error = {0};
    char *trace = NULL;
    if (!validation->sink && framework_check_topic_creation(&validation->config, &validation->worker,
                                                            &error) != 0) {
        trace = error_trace(&error);
    }
    json_t *message = json_pack(
        "{s:s,s:O,s:O,s:O,s:i,s:s*,s:s*}", "type", "validated", "configs", validation->report.configs,
        "groups", validation->report.groups, "unknown", validation->report.unknown, "errors",
        validation->report.error_count, "start_failure", error.message, "start_trace", trace);
    free(trace);
    error_clear(&error);
    return message;
}

static void read_nulls(struct validation *validation)
{
    const char *name;
    json_t *value;
    json_object_foreach(validation->raw, name, value)
    {
        if (json_is_null(value)) {
            properties_set(&validation->nulls, name, "");
        }
    }
}

int host_validate(struct host_process *process, json_t *first)
{
    struct error error = {0};
    struct validation validation = {
        .process = process,
        .environment = {.registry = registry_create(), .page = process->page},
        .raw = json_object_get(first, "config"),
    };
    process_load_plugins(validation.environment.registry, json_object_get(first, "plugin_path"));
    process_properties(&validation.config, validation.raw);
    read_nulls(&validation);
    process_properties(&validation.worker, json_object_get(first, "worker"));
    validate_report_init(&validation.report);
    int status = run(&validation, first, &error) == 0 ? 0 : 1;
    if (status == 0) {
        process_send(process, answer(&validation));
    } else {
        host_fail(process, &error);
    }
    validate_report_finish(&validation.report);
    error_clear(&error);
    properties_finish(&validation.nulls);
    properties_finish(&validation.config);
    properties_finish(&validation.worker);
    registry_destroy(validation.environment.registry);
    return status;
}
