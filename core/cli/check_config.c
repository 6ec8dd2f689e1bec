/* What `sluice check` says about configurations: the framework's keys, plugins, unknown names. */
#include "core/cli/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sluice/plugin.h>

#include "core/config/memory.h"
#include "core/rest/rest.h"

#define MOST_TABLES 64

/* Tables of everything a key of this file may belong to. */
struct known {
    const struct sluice_option *tables[MOST_TABLES + 1];
    size_t count;
};

static void know(struct known *known, const struct sluice_option *table)
{
    if (known->count < MOST_TABLES) {
        known->tables[known->count++] = table;
    }
}

/** Errors of a report become findings, but for values that a provider is to give. */
static void take_report(struct check_file *file, const struct config_report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        const struct config_value *value = &report->values[i];
        if (check_is_variable(properties_get(&file->properties, value->name))) {
            continue;
        }
        for (size_t k = 0; k < value->error_count; k++) {
            check_error(file, value->name, value->option ? value->option->doc : NULL, "%s",
                        value->errors[k]);
        }
    }
}

/** Keys nobody knows, and those that can be set without effect. */
static void check_names(struct check_file *file, const struct known *known,
                        const struct properties *properties, const char *prefix)
{
    for (size_t i = 0; i < properties->count; i++) {
        const char *name = properties->items[i].name;
        const struct sluice_option *option = config_find_option(known->tables, name);
        char *key = NULL, *hint = NULL;
        memory_checked(asprintf(&key, "%s%s", prefix, name) < 0 ? NULL : key);
        if (!option) {
            const char *nearest = framework_nearest(name, known->tables);
            if (nearest) {
                memory_checked(asprintf(&hint, "did you mean %s%s?", prefix, nearest) < 0 ? NULL
                                                                                          : hint);
            }
            check_warning(file, key, hint, "no such key is known; it has no effect");
        } else if (option->unavailable) {
            check_warning(file, key, option->unavailable, "is known, but not available here");
        }
        free(key);
        free(hint);
    }
}

/** Finds a class, or says that there is none. */
static const struct check_plugin *find_class(struct check_file *file,
                                             const struct check_plugins *plugins, const char *kind,
                                             const char *key, const char *name)
{
    const struct check_plugin *plugin = check_plugins_find(plugins, kind, name);
    if (!plugin && !check_is_variable(name)) {
        char *nearest = check_plugins_nearest(plugins, kind, name);
        char *hint = NULL;
        int length = nearest ? asprintf(&hint,
                                        "did you mean %s? `sluice plugins list` shows what "
                                        "there is",
                                        nearest)
                             : asprintf(&hint, "`sluice plugins list` shows what there is; "
                                               "plugin.path says where else to look");
        memory_checked(length < 0 ? NULL : hint);
        check_error(file, key, hint,
                    "Invalid value %s for configuration %s: Class %s could not be "
                    "found.",
                    name, key, name);
        free(hint);
        free(nearest);
    }
    return plugin;
}

/** A plugin named by one key and configured by those below a prefix. */
static void check_part(struct check_file *file, const struct check_plugins *plugins,
                       const char *kind, const char *key, const char *name, const char *prefix,
                       const char *role)
{
    const struct check_plugin *plugin = find_class(file, plugins, kind, key, name);
    if (!plugin) {
        return;
    }
    struct properties own = {0};
    properties_copy_prefixed(&own, &file->properties, prefix);
    if (strcmp(kind, SLUICE_TRANSFORM) == 0 || strcmp(kind, SLUICE_PREDICATE) == 0) {
        properties_remove(&own, "type");
        properties_remove(&own, "predicate");
        properties_remove(&own, "negate");
    }
    struct known known = {0};
    know(&known, plugin->table);
    check_names(file, &known, &own, prefix);
    if (role && !properties_get(&own, "converter.type")) {
        properties_set(&own, "converter.type", role);
    }
    check_plugin_validate(plugins, plugin, &own, prefix, file);
    properties_finish(&own);
}

static void check_converters(struct check_file *file, const struct check_plugins *plugins)
{
    static const char *const roles[] = {"key", "value", "header"};
    for (size_t i = 0; i < 3; i++) {
        char key[32], prefix[32];
        snprintf(key, sizeof(key), "%s.converter", roles[i]);
        snprintf(prefix, sizeof(prefix), "%s.converter.", roles[i]);
        const char *name = properties_get(&file->properties, key);
        if (!name) {
            continue;
        }
        bool header = i == 2 && !check_plugins_find(plugins, SLUICE_CONVERTER, name);
        check_part(file, plugins, header ? SLUICE_HEADER_CONVERTER : SLUICE_CONVERTER, key, name,
                   prefix, roles[i]);
    }
}

/* -- connectors -- */

static bool lists(const struct properties *properties, const char *list, const char *wanted)
{
    struct framework_item item;
    for (const char *next = properties_get(properties, list); framework_next_item(&next, &item);) {
        if (item.size == strlen(wanted) && memcmp(item.text, wanted, item.size) == 0) {
            return true;
        }
    }
    return false;
}

/** The parts that `transforms` or `predicates` lists. */
static void check_aliases(struct check_file *file, const struct check_plugins *plugins,
                          const char *list, const char *kind)
{
    struct framework_item alias;
    for (const char *next = properties_get(&file->properties, list);
         framework_next_item(&next, &alias);) {
        char *prefix = NULL, *key = NULL;
        memory_checked(
            asprintf(&prefix, "%s.%.*s.", list, (int)alias.size, alias.text) < 0 ? NULL : prefix);
        memory_checked(asprintf(&key, "%stype", prefix) < 0 ? NULL : key);
        const char *name = properties_get(&file->properties, key);
        if (name) {
            check_part(file, plugins, kind, key, name, prefix, NULL);
        }
        free(key);
        memory_checked(asprintf(&key, "%spredicate", prefix) < 0 ? NULL : key);
        const char *predicate = properties_get(&file->properties, key);
        if (predicate && !lists(&file->properties, "predicates", predicate)) {
            check_error(file, key, "put it into the list `predicates`",
                        "names the predicate '%s', which `predicates` does not list", predicate);
        }
        free(key);
        free(prefix);
    }
}

/** Whether a key is below the list's name, of an alias that it lists: `transforms.ALIAS.type`. */
static bool is_of_listed_alias(const struct properties *properties, const char *name,
                               const char *list)
{
    size_t length = strlen(list);
    if (strncmp(name, list, length) != 0 || name[length] != '.') {
        return false;
    }
    const char *alias = name + length + 1;
    size_t size = strcspn(alias, ".");
    char *text = memory_checked(strndup(alias, size));
    bool listed = alias[size] == '.' && lists(properties, list, text);
    free(text);
    return listed;
}

/** Keys that check_part() has seen to are left out of the check of names. */
static void check_connector_names(struct check_file *file, const struct known *known)
{
    struct properties rest = {0};
    for (size_t i = 0; i < file->properties.count; i++) {
        const struct property *item = &file->properties.items[i];
        if (!is_of_listed_alias(&file->properties, item->name, "transforms") &&
            !is_of_listed_alias(&file->properties, item->name, "predicates")) {
            properties_set(&rest, item->name, item->value);
        }
    }
    check_names(file, known, &rest, "");
    properties_finish(&rest);
}

/** Classes that the connector's own options name bring options of their own. */
static void know_classes(struct check_file *file, const struct check_plugins *plugins,
                         const struct check_plugin *connector, struct known *known)
{
    for (const struct sluice_option *option = connector->table; option->name; option++) {
        const char *given = properties_get(&file->properties, option->name);
        const char *name = given ? given : option->default_value;
        if (option->type != SLUICE_OPTION_CLASS || !name || !*name) {
            continue;
        }
        /* whether there is such a class is the connector's to say: it may know some of its own */
        const struct check_plugin *plugin = check_plugins_find(plugins, NULL, name);
        if (plugin) {
            know(known, plugin->table);
        }
    }
}

static void check_connector(struct check_file *file, const struct check_plugins *plugins)
{
    const char *class_name = properties_get(&file->properties, "connector.class");
    const struct check_plugin *source = check_plugins_find(plugins, SLUICE_SOURCE, class_name);
    const struct check_plugin *sink = check_plugins_find(plugins, SLUICE_SINK, class_name);
    const struct check_plugin *connector = sink ? sink : source;
    bool looks_like_sink = properties_get(&file->properties, "topics") ||
                           properties_get(&file->properties, "topics.regex");
    bool is_sink = connector ? connector == sink : looks_like_sink;
    file->type = is_sink ? CHECK_SINK : CHECK_SOURCE;
    if (!connector) {
        (void)find_class(file, plugins, looks_like_sink ? SLUICE_SINK : SLUICE_SOURCE,
                         "connector.class", class_name);
    }

    struct framework_tables framework;
    struct config_report report;
    framework_tables_init(&framework, &file->properties, is_sink);
    config_validate(framework.tables, &file->properties, &report);
    framework_check_connector(&file->properties, NULL, is_sink, &report);
    take_report(file, &report);
    config_report_finish(&report);

    struct known known = {0};
    for (size_t i = 0; framework.tables[i]; i++) {
        know(&known, framework.tables[i]);
    }
    know(&known, framework_handed_on);
    if (!is_sink) {
        const struct sluice_option *const creation[] = {framework_topic_creation, NULL};
        know(&known, framework_topic_creation);
        struct properties given = {0};
        for (size_t i = 0; i < file->properties.count; i++) {
            const struct property *item = &file->properties.items[i];
            if (strncmp(item->name, "topic.creation.", 15) == 0 &&
                strcmp(item->name, "topic.creation.groups") != 0) {
                properties_set(&given, item->name, item->value);
            }
        }
        config_validate(creation, &given, &report);
        take_report(file, &report);
        config_report_finish(&report);
        properties_finish(&given);
    }
    check_converters(file, plugins);
    check_aliases(file, plugins, "transforms", SLUICE_TRANSFORM);
    check_aliases(file, plugins, "predicates", SLUICE_PREDICATE);
    if (connector) {
        know(&known, connector->table);
        know_classes(file, plugins, connector, &known);
        check_plugin_validate(plugins, connector, &file->properties, "", file);
        check_connector_names(file, &known); /* of an unknown class nobody knows the keys */
    }
    framework_tables_finish(&framework);
}

/* -- workers -- */

/** Addresses as `run` takes them. */
static void check_listeners(struct check_file *file, const char *key)
{
    struct framework_item item;
    const char *next = properties_get(&file->properties, key);
    if (check_is_variable(next)) {
        return;
    }
    while (framework_next_item(&next, &item)) {
        char *address = memory_checked(strndup(item.text, item.size));
        struct rest_listener listener;
        struct error error = {0};
        if (*address && rest_parse_listener(address, &listener, &error) != 0) {
            check_error(file, key, "for example http://127.0.0.1:8083", "%s", error.message);
        }
        error_clear(&error);
        free(address);
    }
}

static void check_servers(struct check_file *file)
{
    const char *servers = properties_get(&file->properties, "bootstrap.servers");
    const char *hint = "HOST:PORT of some brokers, or local:DIR for the embedded log";
    if (servers && !check_is_variable(servers) &&
        (!*servers || strcmp(servers, "local:") == 0)) {
        check_error(file, "bootstrap.servers", hint, *servers ? "local: names no folder"
                                                              : "names no broker");
    }
}

/** Classes and parameters of the listed ones; what is said of others, or of anything else, has no effect. */
static void check_providers(struct check_file *file, const struct check_plugins *plugins)
{
    static const char list[] = "config.providers";
    struct framework_item item;
    for (const char *next = properties_get(&file->properties, list);
         framework_next_item(&next, &item);) {
        char *key = NULL, *prefix = NULL;
        if (item.size == 0) {
            continue;
        }
        memory_checked(
            asprintf(&key, "%s.%.*s.class", list, (int)item.size, item.text) < 0 ? NULL : key);
        memory_checked(
            asprintf(&prefix, "%s.%.*s.param.", list, (int)item.size, item.text) < 0 ? NULL : prefix);
        const char *name = properties_get(&file->properties, key);
        if (name) {
            check_part(file, plugins, SLUICE_CONFIG_PROVIDER, key, name, prefix, NULL);
        } else {
            check_error(file, key, "the class of the provider that config.providers lists",
                        "Missing required configuration \"%s\" which has no default value.", key);
        }
        free(key);
        free(prefix);
    }
    for (size_t i = 0; i < file->properties.count; i++) {
        const char *name = file->properties.items[i].name;
        if (strncmp(name, list, strlen(list)) != 0 || name[strlen(list)] != '.') {
            continue;
        }
        const char *part = strchr(name + strlen(list) + 1, '.');
        if (!is_of_listed_alias(&file->properties, name, list)) {
            check_warning(file, name, "put its provider into the list `config.providers`",
                          "is of a provider that `config.providers` does not list; it has no effect");
        } else if (strcmp(part, ".class") != 0 && strncmp(part, ".param.", 7) != 0) {
            check_warning(file, name, "a provider has `class` and `param.NAME`",
                          "no such key is known; it has no effect");
        }
    }
}

static void check_worker(struct check_file *file, const struct check_plugins *plugins)
{
    bool distributed = properties_get(&file->properties, "group.id") ||
                       properties_get(&file->properties, "config.storage.topic");
    const struct sluice_option *const tables[] = {
        framework_worker, distributed ? framework_distributed : framework_standalone,
        framework_secrets, NULL};
    struct config_report report;
    config_validate(tables, &file->properties, &report);
    take_report(file, &report);
    config_report_finish(&report);
    struct known known = {0};
    know(&known, check_admin_keys()); /* first: what the worker itself says of a key counts */
    for (size_t i = 0; tables[i]; i++) {
        know(&known, tables[i]);
    }
    know(&known, distributed ? framework_standalone : framework_distributed);
    check_names(file, &known, &file->properties, "");
    check_listeners(file, "listeners");
    check_listeners(file, "admin.listeners");
    check_servers(file);
    check_converters(file, plugins);
    check_providers(file, plugins);
}

void check_config(struct check_file *file, const struct check_plugins *plugins)
{
    static const char *const worker_keys[] = {"bootstrap.servers", "offset.storage.file.filename",
                                              "group.id",          "plugin.path",
                                              "listeners",         "offset.flush.interval.ms"};
    if (properties_get(&file->properties, "connector.class")) {
        check_connector(file, plugins);
        check_clients(file);
        return;
    }
    for (size_t i = 0; i < sizeof(worker_keys) / sizeof(worker_keys[0]); i++) {
        if (properties_get(&file->properties, worker_keys[i])) {
            file->type = CHECK_WORKER;
            check_worker(file, plugins);
            check_clients(file);
            return;
        }
    }
    if (!check_client_file(file)) {
        check_error(file, NULL, "a connector needs connector.class, a worker bootstrap.servers",
                    "neither a connector's, a worker's nor a client's configuration");
    }
}
