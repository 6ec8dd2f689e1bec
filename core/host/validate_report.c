#include "core/base/json_text.h"
#include "core/host/validate_report.h"

#include <stdlib.h>
#include <string.h>

#include "core/host/describe.h"
#include "core/host/process.h"
#include "core/host/resolve.h"

void validate_report_init(struct validate_report *report)
{
    *report = (struct validate_report){json_array(), json_array(), json_array(), 0};
}

void validate_report_finish(struct validate_report *report)
{
    json_decref(report->configs);
    json_decref(report->groups);
    json_decref(report->unknown);
}

static void add_group(struct validate_report *report, const char *group)
{
    json_t *known;
    size_t i;
    json_array_foreach(report->groups, i, known)
    {
        if (strcmp(json_string_value(known), group) == 0) {
            return;
        }
    }
    json_array_append_new(report->groups, json_string(group));
}

/* Messages may quote a value that came of a provider. */
static json_t *clean_text(const char *text)
{
    char *clean = resolve_hide(text);
    json_t *string = json_text(clean ? clean : "");
    free(clean);
    return string;
}

static void append(struct validate_report *report, json_t *definition, const char *name,
                   json_t *value, json_t *recommended, json_t *errors)
{
    report->error_count += (int)json_array_size(errors);
    json_array_append_new(report->configs,
                          json_pack("{s:o,s:{s:s,s:o,s:o,s:o,s:b}}", "definition", definition,
                                    "value", "name", name, "value", value, "recommended_values",
                                    recommended, "errors", errors, "visible", 1));
}

void validate_report_add(struct validate_report *report, const struct sluice_option *option,
                         const char *name, const char *shown, char *const *errors,
                         size_t error_count)
{
    json_t *messages = json_array(), *recommended = json_array(), *definition = json_null();
    for (size_t i = 0; i < error_count; i++) {
        json_array_append_new(messages, clean_text(errors[i]));
    }
    if (option) {
        definition = describe_definition(option);
        json_object_set_new(definition, "name", json_string(name));
        if (option->group) {
            add_group(report, option->group);
        }
        for (const char *const *value = option->recommended; value && *value; value++) {
            json_array_append_new(recommended, json_string(*value));
        }
    }
    append(report, definition, name, shown ? json_text(shown) : json_null(), recommended,
           messages);
}

void validate_report_put(struct validate_report *report, json_t *definition, const char *name,
                         json_t *value, json_t *errors)
{
    append(report, definition, name, value, json_array(), errors);
}

void validate_report_error(struct validate_report *report, size_t i, const char *message, bool first)
{
    json_t *value = json_object_get(json_array_get(report->configs, i), "value");
    json_t *errors = json_object_get(value, "errors");
    json_array_insert_new(errors, first ? 0 : json_array_size(errors), clean_text(message));
    report->error_count++;
}
