/*
 * Role "validate_class": checks a configuration against the option table of one class alone and, for
 * connectors, with its own validate(): for tools, which do the rest themselves. [main thread]
 */
#include "core/host/process.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sluice/plugin.h>

#include "core/config/config.h"
#include "core/plugin/instance.h"

struct findings {
    struct config_report *report;
};

static void on_invalid(const struct sluice_report *report, const char *name, const char *format,
                       ...)
{
    const struct findings *findings = report->host_data;
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int size = vasprintf(&text, format, args);
    va_end(args);
    config_report_add(findings->report, name, size < 0 ? "is not valid" : text);
    if (size >= 0) {
        free(text);
    }
}

static void on_task(const struct sluice_report *report)
{
    (void)report;
}

static void on_task_set(const struct sluice_report *report, const char *name, const char *value)
{
    (void)report;
    (void)name;
    (void)value;
}

/* Sources and sinks have theirs behind size, create and destroy. */
static const struct sluice_connector *connector_of(const struct sluice_descriptor *descriptor)
{
    if (strcmp(descriptor->kind, SLUICE_SINK) == 0) {
        return &((const struct sluice_sink *)descriptor->vtable)->connector;
    }
    if (strcmp(descriptor->kind, SLUICE_SOURCE) == 0) {
        return &((const struct sluice_source *)descriptor->vtable)->connector;
    }
    return NULL;
}

/* What one option alone cannot tell; asked only when every option is good in itself. */
static int validate_whole(struct host_process *process, struct plugin_environment *environment,
                          const struct sluice_descriptor *descriptor,
                          const struct properties *properties, struct config_report *report,
                          struct error *error)
{
    const struct sluice_connector *connector = connector_of(descriptor);
    if (!connector || !connector->validate || report->error_count > 0) {
        return 0;
    }
    struct plugin_instance *instance = NULL;
    host_phase(process, "create", descriptor->class_name);
    int result = plugin_instance_create(environment, descriptor->kind, descriptor->class_name,
                                        &instance, error);
    host_phase(process, "validate", descriptor->class_name);
    if (result == 0 && plugin_instance_configure(instance, properties, error) == 0) {
        struct findings findings = {report};
        const struct sluice_report sink = {
            .size = sizeof(sink),
            .invalid = on_invalid,
            .task = on_task,
            .task_set = on_task_set,
            .host_data = &findings,
        };
        connector->validate(instance->self, instance->config, &sink);
    }
    host_phase(process, "destroy", descriptor->class_name);
    plugin_instance_destroy(instance);
    host_phase(process, "", "");
    return error->code == ERROR_NONE ? 0 : -1;
}

static json_t *report_json(const struct config_report *report)
{
    json_t *configs = json_array();
    for (size_t i = 0; i < report->count; i++) {
        const struct config_value *value = &report->values[i];
        if (!value->option && value->error_count == 0) {
            continue; /* the framework's keys are not this class's affair */
        }
        json_t *errors = json_array();
        for (size_t k = 0; k < value->error_count; k++) {
            json_array_append_new(errors, process_string(value->errors[k]));
        }
        json_t *text = value->value ? process_string(value->value) : json_null();
        json_array_append_new(configs, json_pack("{s:s,s:o,s:o}", "name", value->name, "value",
                                                 text, "errors", errors));
    }
    return json_pack("{s:s,s:o,s:i}", "type", "validated", "configs", configs, "errors",
                     (int)report->error_count);
}

static const void *extension(void *user, const char *id)
{
    (void)user;
    return strcmp(id, SLUICE_CHECK) == 0 ? SLUICE_CHECK : NULL;
}

int host_validate_class(struct host_process *process, json_t *first)
{
    const char *class_name = process_text(first, "class");
    const char *kind = process_text(first, "kind");
    struct error error = {0};
    struct properties properties = {0};
    struct plugin_environment environment = {
        .registry = registry_create(), .page = process->page, .extension = extension};
    process_load_plugins(environment.registry, json_object_get(first, "plugin_path"));
    process_properties(&properties, json_object_get(first, "config"));

    const struct sluice_descriptor *descriptor =
        registry_find(environment.registry, *kind ? kind : NULL, class_name, &error);
    if (descriptor) {
        const struct sluice_option *const tables[] = {descriptor->options, NULL};
        struct config_report report = {0};
        host_phase(process, "validate", descriptor->class_name);
        config_validate(tables, &properties, &report);
        host_phase(process, "", "");
        if (validate_whole(process, &environment, descriptor, &properties, &report, &error) == 0) {
            process_send(process, report_json(&report));
        }
        config_report_finish(&report);
    }
    int status = error.code == ERROR_NONE ? 0 : 1;
    if (status != 0) {
        host_fail(process, &error);
    }
    error_clear(&error);
    properties_finish(&properties);
    registry_destroy(environment.registry);
    return status;
}
