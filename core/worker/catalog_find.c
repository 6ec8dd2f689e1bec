/*
 * What the catalog knows, looked up: a class by its names, and the files that a host needs for a
 * configuration. [loop thread]
 */
#include <stdlib.h>
#include <string.h>

#include <sluice/sink.h>
#include <sluice/source.h>

#include "core/plugin/names.h"
#include "core/worker/catalog_priv.h"
#include "lib/util/buffer.h"

enum { TEXT_MAX = 64 * 1024 };

/* -- finding -- */

static bool matches(json_t *descriptor, const char *name)
{
    json_t *alias;
    size_t i;
    if (names_match(catalog_text(descriptor, "class"), name)) {
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

static bool is_connector(json_t *descriptor)
{
    const char *kind = catalog_text(descriptor, "kind");
    return strcmp(kind, SLUICE_SINK) == 0 || strcmp(kind, SLUICE_SOURCE) == 0;
}

json_t *catalog_find(const struct catalog *catalog, const char *kind, const char *name)
{
    json_t *descriptor;
    size_t i;
    json_array_foreach(catalog->descriptors, i, descriptor)
    {
        if ((!kind || strcmp(catalog_text(descriptor, "kind"), kind) == 0) &&
            matches(descriptor, name)) {
            return descriptor;
        }
    }
    return NULL;
}

json_t *catalog_at(const struct catalog *catalog, size_t i)
{
    return json_array_get(catalog->descriptors, i);
}

/* As PluginDesc.toString(). */
static void describe(json_t *descriptor, struct buffer *text)
{
    const char *type = strcmp(catalog_text(descriptor, "kind"), SLUICE_SINK) == 0 ? "sink" : "source";
    const char *class_name = catalog_text(descriptor, "class"),
               *version = catalog_text(descriptor, "version");
    (void)buffer_printf(text,
                        "%sPluginDesc{klass=class %s, name='%s', version='%s', encodedVersion=%s, "
                        "type=%s, typeName='%s', location='classpath'}",
                        text->size ? ", " : "", class_name, class_name, version, version, type,
                        type);
}

json_t *catalog_find_connector(const struct catalog *catalog, const char *name, struct error *error)
{
    json_t *descriptor, *found = NULL;
    size_t i, count = 0;
    struct buffer known, matching;
    name = name ? name : "";
    buffer_init(&known, TEXT_MAX);
    buffer_init(&matching, TEXT_MAX);
    json_array_foreach(catalog->descriptors, i, descriptor)
    {
        if (!is_connector(descriptor)) {
            continue;
        }
        describe(descriptor, &known);
        /* A class in full is never ambiguous. */
        if (strcmp(catalog_text(descriptor, "class"), name) == 0) {
            found = descriptor;
            count = 1;
            break;
        }
        if (matches(descriptor, name)) {
            found = descriptor;
            count++;
            describe(descriptor, &matching);
        }
    }
    if (count > 1) {
        (void)error_set(
            error, ERROR_UNKNOWN_CLASS,
            "More than one connector matches alias %s. Please use full package and class "
            "name instead. Classes found: %s",
            name, matching.data ? matching.data : "");
        found = NULL;
    } else if (!found) {
        char *failures = catalog_failures(catalog);
        (void)error_set(error, ERROR_UNKNOWN_CLASS,
                        "Failed to find any class that implements Connector and which name matches "
                        "%s, available connectors are: %s%s%s",
                        name, known.data ? known.data : "",
                        failures ? "\nFiles of plugin.path that could not be loaded:\n" : "",
                        failures ? failures : "");
        free(failures);
    }
    buffer_finish(&known);
    buffer_finish(&matching);
    return found;
}

char *catalog_failures(const struct catalog *catalog)
{
    json_t *file;
    size_t i;
    struct buffer text;
    buffer_init(&text, TEXT_MAX);
    json_array_foreach(catalog->files, i, file)
    {
        if (json_object_get(file, "error")) {
            (void)buffer_printf(&text, "%s%s: %s", text.size ? "\n" : "", catalog_text(file, "path"),
                                catalog_text(file, "error"));
        }
    }
    return buffer_take(&text);
}

/* -- what a host needs -- */

/* `A` where there are `A$Key` and `A$Value`: who asks for it is told of these. */
static bool stands_above(json_t *plugin, const char *value)
{
    const char *name = catalog_text(plugin, "class");
    size_t size = strlen(value);
    return strncmp(name, value, size) == 0 && name[size] == '$';
}

/* What a variable stands for is not known here: where it names a class, it may be any. */
static bool may_be_any(const char *key, const char *value)
{
    static const char *const ends[] = {".type", ".class", "converter"};
    size_t size = strlen(key);
    bool names_class = false;
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        size_t end = strlen(ends[i]);
        names_class = names_class || (size >= end && strcmp(key + size - end, ends[i]) == 0);
    }
    return names_class && strstr(value, "${");
}

static bool names_any(json_t *file, const char *value)
{
    json_t *plugin;
    size_t i;
    json_array_foreach(json_object_get(file, "plugins"), i, plugin)
    {
        if (matches(plugin, value) || stands_above(plugin, value)) {
            return true;
        }
    }
    return false;
}

static void need(const struct catalog *catalog, const char *value, bool *needed);

/* A class's defaults may name classes of other files. */
static void need_defaults(const struct catalog *catalog, json_t *file, bool *needed)
{
    json_t *plugin, *option;
    size_t i, k;
    json_array_foreach(json_object_get(file, "plugins"), i, plugin)
    {
        json_array_foreach(json_object_get(plugin, "options"), k, option)
        {
            if (strcmp(catalog_text(option, "type"), "CLASS") == 0 && *catalog_text(option, "default")) {
                need(catalog, catalog_text(option, "default"), needed);
            }
        }
    }
}

static void need(const struct catalog *catalog, const char *value, bool *needed)
{
    json_t *file;
    size_t i;
    json_array_foreach(catalog->files, i, file)
    {
        if (!needed[i] && names_any(file, value)) {
            needed[i] = true;
            need_defaults(catalog, file, needed);
        }
    }
}

/* The value, and each part of it where it is a list. */
static void need_value(const struct catalog *catalog, const char *value, bool *needed)
{
    char *copy = strdup(value), *save = NULL;
    for (char *part = copy ? strtok_r(copy, ", \t\n", &save) : NULL; part;
         part = strtok_r(NULL, ", \t\n", &save)) {
        need(catalog, part, needed);
    }
    free(copy);
}

json_t *catalog_files_for(const struct catalog *catalog, json_t *const *configs)
{
    json_t *paths = json_array(), *value, *file;
    bool *needed = calloc(json_array_size(catalog->files) + 1, sizeof(bool));
    const char *name;
    bool all = false;
    size_t i;
    if (!needed) {
        return paths;
    }
    need(catalog, "org.apache.kafka.connect.storage.SimpleHeaderConverter", needed);
    for (; *configs; configs++) {
        json_object_foreach(*configs, name, value)
        {
            if (json_is_string(value)) {
                need_value(catalog, json_string_value(value), needed);
                all = all || may_be_any(name, json_string_value(value));
            }
        }
    }
    json_array_foreach(catalog->files, i, file)
    {
        if (needed[i] || all) {
            json_array_append(paths, json_object_get(file, "path"));
        }
    }
    free(needed);
    return paths;
}
