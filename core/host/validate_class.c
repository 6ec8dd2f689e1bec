/*
 * Role "validate_class": checks a configuration against the option table of one class alone and, for
 * connectors, with its own validate(): for tools, which do the rest themselves. [main thread]
 */
#include "core/base/json_text.h"
#include "core/host/process.h"

#include <string.h>

#include "core/host/class_validate.h"

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
            json_array_append_new(errors, json_text(value->errors[k]));
        }
        json_t *text = value->value ? json_text(value->value) : json_null();
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
        /* what one option alone cannot tell is asked only when every option is good in itself */
        if (report.error_count > 0 ||
            class_validate(process, &environment, descriptor, &properties, &report, &error) == 0) {
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
