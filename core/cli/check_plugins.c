/* Plugins for `sluice check`: what a host's scan says of them, and validation in a host. */
#include "core/cli/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cli/cli.h"
#include "core/cli/host_ask.h"
#include "core/cli/plugins.h"
#include "core/config/memory.h"
#include "core/plugin/names.h"

enum { SCAN_WITHIN = 30000, VALIDATE_WITHIN = 10000, MOST_CRASHES = 100 };

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

/* -- scanning -- */

static enum sluice_option_type type_of(const char *name)
{
    return strcmp(name, "CLASS") == 0      ? SLUICE_OPTION_CLASS
           : strcmp(name, "PASSWORD") == 0 ? SLUICE_OPTION_PASSWORD
                                           : SLUICE_OPTION_STRING;
}

static void add_plugin(struct check_plugins *plugins, json_t *descriptor)
{
    json_t *options = json_object_get(descriptor, "options"), *option;
    struct sluice_option *table = memory_zeroed(json_array_size(options) + 1, sizeof(*table));
    size_t i, count = 0;
    json_array_foreach(options, i, option)
    {
        if (*text_of(option, "name")) {
            table[count++] = (struct sluice_option){
                .size = sizeof(*table),
                .name = text_of(option, "name"),
                .type = type_of(text_of(option, "type")),
                .default_value = json_string_value(json_object_get(option, "default")),
                .doc = text_of(option, "doc"),
                .unavailable = json_string_value(json_object_get(option, "unavailable")),
            };
        }
    }
    plugins->items = memory_grown(plugins->items, plugins->count + 1, sizeof(*plugins->items));
    plugins->items[plugins->count++] = (struct check_plugin){json_incref(descriptor), table};
}

static void forget(struct check_plugins *plugins)
{
    for (size_t i = 0; i < plugins->count; i++) {
        json_decref(plugins->items[i].descriptor);
        free(plugins->items[i].table);
    }
    free(plugins->items);
    plugins->items = NULL;
    plugins->count = 0;
}

/** Takes what a scan said; the file it was loading when nothing came any more, or NULL. */
static const char *take_scan(struct check_plugins *plugins, const struct host_answer *answer)
{
    const char *loading = NULL;
    size_t i, k;
    json_t *message, *descriptor;
    json_array_foreach(answer->messages, i, message)
    {
        const char *type = text_of(message, "type");
        if (strcmp(type, "loading") == 0) {
            loading = text_of(message, "path");
            continue;
        }
        loading = NULL;
        if (strcmp(type, "plugin_error") == 0) {
            fprintf(stderr, "sluice check: %s\n", text_of(message, "message"));
        }
        json_array_foreach(json_object_get(message, "plugins"), k, descriptor)
        {
            add_plugin(plugins, descriptor);
        }
    }
    return loading;
}

int check_plugins_scan(struct check_plugins *plugins, const char *plugin_path)
{
    *plugins = (struct check_plugins){.path = plugins_path(plugin_path)};
    json_t *skip = json_array(); /* files that took a host with them */
    int status = CLI_FAILED;
    for (bool again = true; again;) {
        struct host_answer answer;
        struct error error = {0};
        again = false;
        if (host_ask(
                json_pack("{s:s,s:O,s:O}", "type", "scan", "paths", plugins->path, "skip", skip),
                SCAN_WITHIN, &answer, &error)) {
            fprintf(stderr, "sluice check: %s\n", error.message);
            status = CLI_ENVIRONMENT;
        } else {
            const char *blamed = take_scan(plugins, &answer);
            status = answer.failure ? CLI_FAILED : CLI_OK;
            if (answer.failure) {
                fprintf(stderr, "sluice check: %s%s%s\n", blamed ? blamed : "", blamed ? ": " : "",
                        answer.failure);
                again = blamed && json_array_size(skip) < MOST_CRASHES;
            }
            if (again) {
                json_array_append_new(skip, json_string(blamed));
                forget(plugins);
            }
        }
        error_clear(&error);
        host_answer_finish(&answer);
    }
    json_decref(skip);
    return status;
}

void check_plugins_finish(struct check_plugins *plugins)
{
    forget(plugins);
    json_decref(plugins->path);
    *plugins = (struct check_plugins){0};
}

/* -- finding -- */

static bool is_of_kind(const struct check_plugin *plugin, const char *kind)
{
    return !kind || strcmp(text_of(plugin->descriptor, "kind"), kind) == 0;
}

static bool is_called(const json_t *descriptor, const char *name)
{
    size_t i;
    json_t *alias;
    if (names_match(text_of(descriptor, "class"), name)) {
        return true;
    }
    json_array_foreach(json_object_get(descriptor, "aliases"), i, alias)
    {
        if (names_match(json_string_value(alias), name)) {
            return true;
        }
    }
    return false;
}

const struct check_plugin *check_plugins_find(const struct check_plugins *plugins, const char *kind,
                                              const char *name)
{
    for (size_t i = 0; i < plugins->count; i++) {
        if (is_of_kind(&plugins->items[i], kind) && is_called(plugins->items[i].descriptor, name)) {
            return &plugins->items[i];
        }
    }
    return NULL;
}

static const char *simple_name(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot ? dot + 1 : name;
}

/** Simple name of a class, and what is left of it without `Connector`; owned by the caller. */
static char *short_name(const char *class_name)
{
    char *name = memory_text(simple_name(class_name));
    char *word = strstr(name, "Connector");
    if (word && word != name && !word[strlen("Connector")]) {
        *word = '\0';
    }
    return name;
}

char *check_plugins_nearest(const struct check_plugins *plugins, const char *kind, const char *name)
{
    /* `Connector` may be misspelt itself: both forms are candidates. */
    struct sluice_option *names = memory_zeroed(2 * plugins->count + 1, sizeof(*names));
    size_t count = 0;
    for (size_t i = 0; i < plugins->count; i++) {
        if (is_of_kind(&plugins->items[i], kind)) {
            const char *class_name = text_of(plugins->items[i].descriptor, "class");
            names[count++].name = short_name(class_name);
            names[count++].name = memory_text(simple_name(class_name));
        }
    }
    const struct sluice_option *const tables[] = {names, NULL};
    char *wanted = short_name(name);
    const char *nearest = framework_nearest(wanted, tables);
    char *copy = nearest ? memory_text(nearest) : NULL;
    for (size_t i = 0; i < count; i++) {
        free((char *)names[i].name);
    }
    free(names);
    free(wanted);
    return copy;
}

/* -- validating -- */

static json_t *object_of(const struct properties *properties)
{
    json_t *object = json_object();
    for (size_t i = 0; i < properties->count; i++) {
        json_object_set_new(object, properties->items[i].name,
                            json_string(properties->items[i].value));
    }
    return object;
}

static void take_validated(const json_t *validated, const struct check_plugin *plugin,
                           const struct properties *properties, const char *prefix,
                           struct check_file *file)
{
    const struct sluice_option *const tables[] = {plugin->table, NULL};
    size_t i, k;
    json_t *config, *sentence;
    json_array_foreach(json_object_get(validated, "configs"), i, config)
    {
        const char *name = text_of(config, "name");
        if (check_is_variable(properties_get(properties, name))) {
            continue; /* what it is to be is not known here */
        }
        char *key = NULL;
        memory_checked(asprintf(&key, "%s%s", prefix, name) < 0 ? NULL : key);
        const struct sluice_option *option = config_find_option(tables, name);
        json_array_foreach(json_object_get(config, "errors"), k, sentence)
        {
            check_error(file, key, option ? option->doc : NULL, "%s", json_string_value(sentence));
        }
        free(key);
    }
}

void check_plugin_validate(const struct check_plugins *plugins, const struct check_plugin *plugin,
                           const struct properties *properties, const char *prefix,
                           struct check_file *file)
{
    struct host_answer answer;
    struct error error = {0};
    const char *class_name = text_of(plugin->descriptor, "class");
    json_t *question = json_pack("{s:s,s:s,s:s,s:o,s:O}", "type", "validate_class", "class", class_name,
                                 "kind", text_of(plugin->descriptor, "kind"), "config",
                                 object_of(properties), "plugin_path", plugins->path);
    if (host_ask(question, VALIDATE_WITHIN, &answer, &error)) {
        check_error(file, NULL, NULL, "%s", error.message);
    } else if (answer.failure) {
        check_error(file, NULL, "the plugin is at fault; `sluice plugins check` tells more",
                    "%s cannot be asked about its configuration: %s", class_name, answer.failure);
    } else {
        take_validated(host_answer_find(&answer, "validated"), plugin, properties, prefix, file);
    }
    error_clear(&error);
    host_answer_finish(&answer);
}
