/* See describe.h. Pure; [any thread]. */
#include "core/host/describe.h"

/* Names as ConfigDef's REST form has them. */
static const char *const types[] = {
    [SLUICE_OPTION_BOOLEAN] = "BOOLEAN",   [SLUICE_OPTION_STRING] = "STRING",
    [SLUICE_OPTION_INT] = "INT",           [SLUICE_OPTION_SHORT] = "SHORT",
    [SLUICE_OPTION_LONG] = "LONG",         [SLUICE_OPTION_DOUBLE] = "DOUBLE",
    [SLUICE_OPTION_LIST] = "LIST",         [SLUICE_OPTION_CLASS] = "CLASS",
    [SLUICE_OPTION_PASSWORD] = "PASSWORD",
};
static const char *const importances[] = {"HIGH", "MEDIUM", "LOW"};
static const char *const widths[] = {"NONE", "SHORT", "MEDIUM", "LONG"};

/* A plugin's own numbers are not to be trusted as indices. */
#define NAME_OF(names, i) ((size_t)(i) < sizeof(names) / sizeof(*(names)) ? (names)[i] : NULL)

static void set_text(json_t *object, const char *name, const char *text)
{
    json_object_set_new(object, name, text ? json_string(text) : json_null());
}

static json_t *texts(const char *const *list)
{
    json_t *array = json_array();
    for (; list && *list; list++) {
        json_array_append_new(array, json_string(*list));
    }
    return array;
}

static json_t *describe_option(const struct sluice_option *option)
{
    json_t *object = json_object();
    set_text(object, "name", option->name);
    set_text(object, "type", NAME_OF(types, option->type));
    json_object_set_new(object, "required", json_boolean(option->required));
    set_text(object, "default",
             option->required || (option->type == SLUICE_OPTION_PASSWORD && option->default_value)
                 ? NULL
                 : option->default_value);
    set_text(object, "importance", NAME_OF(importances, option->importance));
    set_text(object, "doc", option->doc ? option->doc : "");
    set_text(object, "group", option->group);
    json_object_set_new(object, "order", json_integer(option->order));
    set_text(object, "width", NAME_OF(widths, option->width));
    set_text(object, "display_name", option->display_name ? option->display_name : option->name);
    json_object_set_new(object, "dependents", texts(option->dependents));
    if (option->valid == SLUICE_VALID_ONE_OF || option->valid == SLUICE_VALID_ONE_OF_ANY_CASE) {
        json_object_set_new(object, "values", texts(option->values));
    }
    if (option->recommended) {
        json_object_set_new(object, "recommended", texts(option->recommended));
    }
    json_object_set_new(object, "internal", json_boolean(option->internal));
    set_text(object, "unavailable", option->unavailable);
    return object;
}

json_t *describe_plugin(const struct sluice_descriptor *descriptor)
{
    json_t *object = json_object();
    set_text(object, "class", descriptor->class_name);
    set_text(object, "kind", descriptor->kind);
    json_object_set_new(object, "aliases", texts(descriptor->aliases));
    set_text(object, "version", descriptor->version);
    set_text(object, "doc", descriptor->doc ? descriptor->doc : "");
    json_t *options = json_array();
    for (const struct sluice_option *o = descriptor->options; o && o->name; o++) {
        json_array_append_new(options, describe_option(o));
    }
    json_object_set_new(object, "options", options);
    return object;
}

json_t *describe_definition(const struct sluice_option *option)
{
    json_t *object = json_object();
    bool secret = option->type == SLUICE_OPTION_PASSWORD && option->default_value;
    set_text(object, "name", option->name);
    set_text(object, "type", NAME_OF(types, option->type));
    json_object_set_new(object, "required", json_boolean(option->required));
    set_text(object, "default_value",
             option->required ? NULL : secret ? "[hidden]" : option->default_value);
    set_text(object, "importance", NAME_OF(importances, option->importance));
    set_text(object, "documentation", option->doc ? option->doc : "");
    set_text(object, "group", option->group);
    set_text(object, "width", NAME_OF(widths, option->width));
    set_text(object, "display_name", option->display_name ? option->display_name : option->name);
    json_object_set_new(object, "dependents", texts(option->dependents));
    json_object_set_new(object, "order",
                        json_integer(option->order || option->group ? option->order : -1));
    return object;
}
