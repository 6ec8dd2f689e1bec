/*
 * Cases of Connect's ConfigDefs (configdef.jsonl) against the option tables of the framework and of
 * the plugins: `key` is one object of GET /connector-plugins/{p}/config, `validate_plugin` a
 * configuration checked; see vectors.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config/framework.h"
#include "core/config/properties.h"
#include "tests/suites/vectors.h"

/* -- key -- */

static json_t *texts(const char *const *list)
{
    json_t *array = json_array();
    for (; list && *list; list++) {
        json_array_append_new(array, json_string(*list));
    }
    return array;
}

static json_t *text_or_null(const char *text)
{
    return text ? json_string(text) : json_null();
}

/** The object that REST answers with. */
static json_t *describe(const struct sluice_option *option)
{
    static const char *const types[] = {"BOOLEAN", "STRING", "INT",   "SHORT",   "LONG",
                                        "DOUBLE",  "LIST",   "CLASS", "PASSWORD"};
    static const char *const importances[] = {"HIGH", "MEDIUM", "LOW"};
    static const char *const widths[] = {"NONE", "SHORT", "MEDIUM", "LONG"};
    json_t *key = json_object();
    json_object_set_new(key, "name", json_string(option->name));
    json_object_set_new(key, "type", json_string(types[option->type]));
    json_object_set_new(key, "required", json_boolean(option->required));
    json_object_set_new(key, "default_value",
                        option->required ? json_null() : text_or_null(option->default_value));
    json_object_set_new(key, "importance", json_string(importances[option->importance]));
    json_object_set_new(key, "documentation", text_or_null(option->doc));
    json_object_set_new(key, "group", text_or_null(option->group));
    json_object_set_new(key, "width", json_string(widths[option->width]));
    json_object_set_new(key, "display_name",
                        json_string(option->display_name ? option->display_name : option->name));
    json_object_set_new(key, "dependents", texts(option->dependents));
    json_object_set_new(key, "order", json_integer(option->group ? option->order : -1));
    return key;
}

/** Tables of a class in the order of its keys; false: no such class here. */
static bool find_tables(const char *class_name, const struct sluice_option *tables[4])
{
    static const struct sluice_option none = {.name = NULL};
    const char *dot = class_name ? strrchr(class_name, '.') : NULL;
    const char *simple = dot ? dot + 1 : class_name;
    if (!simple) {
        return false;
    }
    bool sink = strcmp(simple, "SinkConnectorConfig") == 0;
    tables[0] = &none;
    tables[1] = tables[2] = &none;
    tables[3] = NULL;
    if (!sink && strcmp(simple, "SourceConnectorConfig") != 0) {
        struct error error = {0};
        const struct sluice_descriptor *descriptor =
            registry_find(vectors_environment.registry, NULL, class_name, &error);
        error_clear(&error);
        if (!descriptor) {
            return false;
        }
        tables[0] = descriptor->options ? descriptor->options : &none;
        sink = strcmp(descriptor->kind, SLUICE_SINK) == 0;
        if (!sink && strcmp(descriptor->kind, SLUICE_SOURCE) != 0) {
            return true;
        }
    }
    tables[1] = framework_connector;
    tables[2] = sink ? framework_sink : framework_source;
    return true;
}

/** Keys a class has of its own accord: families and what is ours alone are not listed by Connect.
 */
static bool is_listed(const struct sluice_option *option)
{
    return !option->internal && !strchr(option->name, '*');
}

enum outcome vectors_key(struct vector_case *run)
{
    json_t *test = run->test;
    const struct sluice_option *found[4], *const *tables = found;
    if (!find_tables(vector_text(test, "class"), found)) {
        return vector_wrong(run, "no plugin of this class is here");
    }
    const json_t *want = json_object_get(test, "key");
    json_int_t index = json_integer_value(json_object_get(test, "index")), i = 0;
    json_int_t of = json_integer_value(json_object_get(test, "of"));
    json_t *got = NULL;
    for (; *tables; tables++) {
        for (const struct sluice_option *option = *tables; option->name; option++) {
            if (is_listed(option) && i++ == index) {
                got = describe(option);
            }
        }
    }
    char *shown = got ? json_dumps(got, 0) : NULL;
    vector_wrong(run, "%lld keys, %s", (long long)i, shown ? shown : "no key");
    bool good = i == of && (of == 0 || json_equal(got, want));
    free(shown);
    json_decref(got);
    return good ? PASSED : WRONG;
}

/* -- validate_plugin -- */

static json_t *values_of(const struct config_report *report)
{
    json_t *values = json_object();
    for (size_t i = 0; i < report->count; i++) {
        if (report->values[i].option) {
            json_object_set_new(values, report->values[i].name,
                                text_or_null(report->values[i].value));
        }
    }
    return values;
}

static json_t *errors_of(const struct config_report *report)
{
    json_t *errors = json_object();
    for (size_t i = 0; i < report->count; i++) {
        if (report->values[i].error_count > 0) {
            json_object_set_new(errors, report->values[i].name,
                                texts((const char *const *)report->values[i].errors));
        }
    }
    return errors;
}

/** [[name, value]..] as an object. */
static json_t *pairs(const json_t *list)
{
    json_t *object = json_object(), *pair;
    size_t i;
    json_array_foreach(list, i, pair)
    {
        json_object_set(object, json_string_value(json_array_get(pair, 0)),
                        json_array_get(pair, 1));
    }
    return object;
}

enum outcome vectors_validate(struct vector_case *run)
{
    json_t *test = run->test;
    const struct sluice_option *found[4];
    if (!find_tables(vector_text(test, "class"), found)) {
        return vector_wrong(run, "no plugin of this class is here");
    }
    const struct sluice_option *const tables[] = {found[0], NULL};
    struct properties properties = {0};
    struct config_report report;
    const char *name;
    json_t *value;
    json_object_foreach(json_object_get(test, "config"), name, value)
    {
        if (json_is_string(value)) {
            properties_set(&properties, name, json_string_value(value));
        }
    }
    config_validate(tables, &properties, &report);
    json_t *values = values_of(&report), *errors = errors_of(&report);
    json_t *want_values = pairs(json_object_get(test, "values"));
    json_t *want_errors = pairs(json_object_get(test, "errors"));
    char *shown_values = json_dumps(values, 0), *shown_errors = json_dumps(errors, 0);
    vector_wrong(run, "%s %s", shown_values, shown_errors);
    bool good = json_equal(values, want_values) && json_equal(errors, want_errors);
    free(shown_values);
    free(shown_errors);
    json_decref(values);
    json_decref(errors);
    json_decref(want_values);
    json_decref(want_errors);
    config_report_finish(&report);
    properties_finish(&properties);
    return good ? PASSED : WRONG;
}
