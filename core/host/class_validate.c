/* See class_validate.h. */
#include "core/host/class_validate.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct sluice_connector *class_connector(const struct sluice_descriptor *descriptor)
{
    if (strcmp(descriptor->kind, SLUICE_SINK) == 0) {
        return &((const struct sluice_sink *)descriptor->vtable)->connector;
    }
    if (strcmp(descriptor->kind, SLUICE_SOURCE) == 0) {
        return &((const struct sluice_source *)descriptor->vtable)->connector;
    }
    return NULL;
}

static void on_invalid(const struct sluice_report *report, const char *name, const char *format,
                       ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int size = vasprintf(&text, format, args);
    va_end(args);
    config_report_add(report->host_data, name, size < 0 ? "is not valid" : text);
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

int class_validate(struct host_process *process, const struct plugin_environment *environment,
                   const struct sluice_descriptor *descriptor, const struct properties *properties,
                   struct config_report *report, struct error *error)
{
    const struct sluice_connector *connector = class_connector(descriptor);
    if (!connector || !connector->validate) {
        return 0;
    }
    struct plugin_instance *instance = NULL;
    host_phase(process, "create", descriptor->class_name);
    int result = plugin_instance_create(environment, descriptor->kind, descriptor->class_name,
                                        &instance, error);
    host_phase(process, "validate", descriptor->class_name);
    if (result == 0 && plugin_instance_configure(instance, properties, error) == 0) {
        const struct sluice_report sink = {
            .size = sizeof(sink),
            .invalid = on_invalid,
            .task = on_task,
            .task_set = on_task_set,
            .host_data = report,
        };
        connector->validate(instance->self, instance->config, &sink);
    }
    host_phase(process, "destroy", descriptor->class_name);
    plugin_instance_destroy(instance);
    host_phase(process, "", "");
    return error->code == ERROR_NONE ? 0 : -1;
}
