#include "core/worker/catalog.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sluice/converter.h>
#include <sluice/sink.h>
#include <sluice/source.h>
#include <sluice/transform.h>

#include "core/base/log.h"
#include "core/plugin/names.h"
#include "core/worker/supervisor.h"
#include "lib/util/buffer.h"

#define LOGGER "sluice.worker.plugins"

enum { SCAN_DEADLINE_MS = 60000, FAILURES_MAX = 64 * 1024, CACHE_VERSION = 1 };

struct catalog {
    struct supervisor *supervisor;
    json_t *paths; /* of plugin.path */
    char *cache_file;
    char *stamp;         /* of this build */
    json_t *files;       /* [{path, stamp, plugins | error}]: in the order of plugin.path */
    json_t *descriptors; /* all, by kind and class */
    /* a scan under way */
    struct host *host;
    json_t *wanted; /* paths not told about yet */
    char *loading;
    void (*done)(void *user);
    void *user;
};

/* "inode.size.seconds.nanoseconds"; NULL where there is no such file. */
static char *stamp_of(const char *path)
{
    struct stat status;
    char *text = NULL;
    if (stat(path, &status) != 0 ||
        asprintf(&text, "%llu.%lld.%lld.%ld", (unsigned long long)status.st_ino,
                 (long long)status.st_size, (long long)status.st_mtim.tv_sec,
                 status.st_mtim.tv_nsec) < 0) {
        return NULL;
    }
    return text;
}

static const char *text_of(json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

struct catalog *catalog_create(struct supervisor *supervisor, const char *const *paths,
                               size_t count, const char *cache_file, const char *host_path)
{
    struct catalog *catalog = calloc(1, sizeof(*catalog));
    if (!catalog) {
        return NULL;
    }
    catalog->supervisor = supervisor;
    catalog->cache_file = cache_file ? strdup(cache_file) : NULL;
    catalog->stamp = stamp_of(host_path);
    catalog->files = json_array();
    catalog->descriptors = json_array();
    catalog->paths = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(catalog->paths, json_string(paths[i]));
    }
    return catalog;
}

void catalog_destroy(struct catalog *catalog)
{
    if (!catalog) {
        return;
    }
    host_abandon(catalog->host);
    json_decref(catalog->paths);
    json_decref(catalog->files);
    json_decref(catalog->descriptors);
    json_decref(catalog->wanted);
    free(catalog->cache_file);
    free(catalog->stamp);
    free(catalog->loading);
    free(catalog);
}

/* -- the cache -- */

static json_t *cache_load(const struct catalog *catalog)
{
    json_t *cache = catalog->cache_file ? json_load_file(catalog->cache_file, 0, NULL) : NULL;
    bool good = json_integer_value(json_object_get(cache, "version")) == CACHE_VERSION &&
                catalog->stamp && strcmp(text_of(cache, "host"), catalog->stamp) == 0;
    json_t *files = good ? json_incref(json_object_get(cache, "files")) : NULL;
    json_decref(cache);
    return files;
}

/* Only what loaded is kept: a file that did not may do so once something else is installed. */
static void cache_save(const struct catalog *catalog)
{
    if (!catalog->cache_file || !catalog->stamp) {
        return;
    }
    json_t *files = json_array(), *file;
    size_t i;
    json_array_foreach(catalog->files, i, file)
    {
        if (json_object_get(file, "plugins")) {
            json_array_append(files, file);
        }
    }
    json_t *cache = json_pack("{s:i,s:s,s:o}", "version", (int)CACHE_VERSION, "host",
                              catalog->stamp, "files", files);
    char *temporary = NULL;
    /* A cache that is lost or cut short is read as none: no fsync. */
    if (asprintf(&temporary, "%s.new", catalog->cache_file) >= 0) {
        if (json_dump_file(cache, temporary, JSON_COMPACT) != 0 ||
            rename(temporary, catalog->cache_file) != 0) {
            log_warn(LOGGER, "Could not keep the list of plugins in %s", catalog->cache_file);
        }
        free(temporary);
    }
    json_decref(cache);
}

/* -- looking -- */

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), end_size = strlen(end);
    return size > end_size && strcmp(text + size - end_size, end) == 0;
}

static void add_file(struct catalog *catalog, const char *path, json_t *cache)
{
    json_t *file;
    size_t i;
    json_array_foreach(catalog->files, i, file)
    {
        if (strcmp(text_of(file, "path"), path) == 0) {
            return; /* named twice */
        }
    }
    char *stamp = stamp_of(path);
    json_array_foreach(cache, i, file)
    {
        if (stamp && strcmp(text_of(file, "path"), path) == 0 &&
            strcmp(text_of(file, "stamp"), stamp) == 0) {
            json_array_append(catalog->files, file);
            free(stamp);
            return;
        }
    }
    json_t *added = json_pack("{s:s,s:s}", "path", path, "stamp", stamp ? stamp : "");
    if (added) {
        json_array_append_new(catalog->files, added);
        json_array_append_new(catalog->wanted, json_string(path));
    } else {
        log_warn(LOGGER, "A file of plugin.path whose name is no UTF-8 is left alone");
    }
    free(stamp);
}

static void add_folder(struct catalog *catalog, const char *path, int depth, json_t *cache)
{
    struct dirent **names = NULL;
    int count = scandir(path, &names, NULL, alphasort);
    if (count < 0) {
        log_warn(LOGGER, "The folder %s of plugin.path cannot be read: %m", path);
        return;
    }
    for (int i = 0; i < count; i++) {
        char *full = NULL;
        struct stat status;
        if (names[i]->d_name[0] != '.' && asprintf(&full, "%s/%s", path, names[i]->d_name) >= 0 &&
            stat(full, &status) == 0) {
            if (S_ISDIR(status.st_mode) && depth > 0) {
                add_folder(catalog, full, depth - 1, cache);
            } else if (S_ISREG(status.st_mode) && ends_with(full, ".so")) {
                add_file(catalog, full, cache);
            } else if (S_ISREG(status.st_mode) && ends_with(full, ".jar")) {
                log_info(LOGGER,
                         "%s is a Java archive and left alone: plugins are shared objects (.so)",
                         full);
            }
        }
        free(full);
        free(names[i]);
    }
    free(names);
}

struct found {
    json_t *descriptor; /* of the file's list */
    const char *path;
};

static bool same_class(const struct found *a, const struct found *b)
{
    return strcmp(text_of(a->descriptor, "kind"), text_of(b->descriptor, "kind")) == 0 &&
           strcmp(text_of(a->descriptor, "class"), text_of(b->descriptor, "class")) == 0;
}

/* Of a class that is there twice, the first by path is used, as the registry of a host has it. */
static int by_kind_and_class(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    int order = strcmp(text_of(x->descriptor, "kind"), text_of(y->descriptor, "kind"));
    order = order ? order
                  : strcmp(text_of(x->descriptor, "class"), text_of(y->descriptor, "class"));
    return order ? order : strcmp(x->path, y->path);
}

static void collect(struct catalog *catalog)
{
    json_t *file, *plugin;
    size_t i, k, count = 0;
    json_array_foreach(catalog->files, i, file)
    {
        count += json_array_size(json_object_get(file, "plugins"));
    }
    struct found *all = calloc(count + 1, sizeof(*all));
    json_array_clear(catalog->descriptors);
    count = 0;
    json_array_foreach(catalog->files, i, file)
    {
        json_array_foreach(json_object_get(file, "plugins"), k, plugin)
        {
            if (all) {
                all[count++] = (struct found){plugin, text_of(file, "path")};
            }
        }
    }
    if (all) {
        qsort(all, count, sizeof(*all), by_kind_and_class);
    }
    for (i = 0; i < count; i++) {
        json_array_append(catalog->descriptors, all[i].descriptor);
        /* Often a build folder beside what was built by hand: the old one is used in silence. */
        if (i > 0 && same_class(&all[i - 1], &all[i])) {
            log_warn(LOGGER, "%s is on plugin.path more than once, in %s and %s: remove one",
                     text_of(all[i].descriptor, "class"), all[i - 1].path, all[i].path);
        }
    }
    free(all);
}

static void finish(struct catalog *catalog, bool scanned)
{
    json_decref(catalog->wanted);
    catalog->wanted = NULL;
    collect(catalog);
    if (scanned) {
        cache_save(catalog);
    }
    void (*done)(void *) = catalog->done;
    catalog->done = NULL;
    done(catalog->user);
}

/* -- the scan -- */

/* The outcome for one path; it is no longer wanted. */
static void settle(struct catalog *catalog, const char *path, json_t *plugins, const char *failure)
{
    json_t *item;
    size_t i;
    json_array_foreach(catalog->files, i, item)
    {
        if (strcmp(text_of(item, "path"), path) == 0) {
            if (plugins) {
                json_object_set(item, "plugins", plugins);
            } else {
                json_object_set_new(item, "error", json_string(failure));
                log_warn(LOGGER, "%s is not used: %s", path, failure ? failure : "");
            }
        }
    }
    for (i = 0; i < json_array_size(catalog->wanted); i++) {
        if (strcmp(json_string_value(json_array_get(catalog->wanted, i)), path) == 0) {
            json_array_remove(catalog->wanted, i--);
        }
    }
}

static void on_message(void *user, const char *type, json_t *message)
{
    struct catalog *catalog = user;
    const char *path = text_of(message, "path");
    if (strcmp(type, "loading") == 0) {
        free(catalog->loading);
        catalog->loading = strdup(path);
    } else if (strcmp(type, "plugins") == 0) {
        settle(catalog, path, json_object_get(message, "plugins"), NULL);
    } else if (strcmp(type, "plugin_error") == 0) {
        settle(catalog, path, NULL, text_of(message, "message"));
    }
}

static void start_scan(struct catalog *catalog);

static void on_end(void *user, const struct host_end *end)
{
    struct catalog *catalog = user;
    catalog->host = NULL;
    if (!end->clean && json_array_size(catalog->wanted) > 0) {
        /* Whatever was being loaded brought the process down; the others get another one. */
        const char *path = catalog->loading ? catalog->loading : "";
        size_t before = json_array_size(catalog->wanted);
        settle(catalog, path, NULL, end->trace);
        if (json_array_size(catalog->wanted) < before) {
            start_scan(catalog);
            return;
        }
    }
    while (json_array_size(catalog->wanted) > 0) {
        char *path = strdup(json_string_value(json_array_get(catalog->wanted, 0)));
        settle(catalog, path, NULL, end->trace ? end->trace : "the scan said nothing of it");
        free(path);
    }
    finish(catalog, true);
}

static void start_scan(struct catalog *catalog)
{
    struct error error = {0};
    free(catalog->loading);
    catalog->loading = NULL;
    const struct host_options options = {
        .role = "scan",
        .name = "plugins",
        .subject = "The process that loads plugins",
        .context = "",
        .first = json_pack("{s:s,s:O}", "type", "scan", "paths", catalog->wanted),
        .deadline_ms = SCAN_DEADLINE_MS,
        .on_message = on_message,
        .on_end = on_end,
        .user = catalog,
    };
    catalog->host = json_array_size(catalog->wanted) > 0
                        ? host_start(catalog->supervisor, &options, &error)
                        : (json_decref(options.first), NULL);
    if (!catalog->host) {
        const struct host_end end = {.clean = true, .trace = error.message};
        on_end(catalog, &end);
        error_clear(&error);
    }
}

void catalog_refresh(struct catalog *catalog, void (*done)(void *user), void *user)
{
    json_t *cache = cache_load(catalog), *path;
    size_t i;
    catalog->done = done;
    catalog->user = user;
    catalog->wanted = json_array();
    json_array_clear(catalog->files);
    json_array_foreach(catalog->paths, i, path)
    {
        struct stat status;
        const char *text = json_string_value(path);
        if (stat(text, &status) == 0 && S_ISDIR(status.st_mode)) {
            add_folder(catalog, text, 1, cache);
        } else {
            add_file(catalog, text, cache);
        }
    }
    json_decref(cache);
    if (json_array_size(catalog->wanted) > 0) {
        start_scan(catalog);
    } else {
        finish(catalog, false);
    }
}

/* -- finding -- */

static bool matches(json_t *descriptor, const char *name)
{
    json_t *alias;
    size_t i;
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

static bool is_connector(json_t *descriptor)
{
    const char *kind = text_of(descriptor, "kind");
    return strcmp(kind, SLUICE_SINK) == 0 || strcmp(kind, SLUICE_SOURCE) == 0;
}

json_t *catalog_find(const struct catalog *catalog, const char *kind, const char *name)
{
    json_t *descriptor;
    size_t i;
    json_array_foreach(catalog->descriptors, i, descriptor)
    {
        if ((!kind || strcmp(text_of(descriptor, "kind"), kind) == 0) &&
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
    const char *type = strcmp(text_of(descriptor, "kind"), SLUICE_SINK) == 0 ? "sink" : "source";
    const char *class_name = text_of(descriptor, "class"),
               *version = text_of(descriptor, "version");
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
    buffer_init(&known, FAILURES_MAX);
    buffer_init(&matching, FAILURES_MAX);
    json_array_foreach(catalog->descriptors, i, descriptor)
    {
        if (!is_connector(descriptor)) {
            continue;
        }
        describe(descriptor, &known);
        /* A class in full is never ambiguous. */
        if (strcmp(text_of(descriptor, "class"), name) == 0) {
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
    buffer_init(&text, FAILURES_MAX);
    json_array_foreach(catalog->files, i, file)
    {
        if (json_object_get(file, "error")) {
            (void)buffer_printf(&text, "%s%s: %s", text.size ? "\n" : "", text_of(file, "path"),
                                text_of(file, "error"));
        }
    }
    return buffer_take(&text);
}

/* -- what a host needs -- */

/* `A` where there are `A$Key` and `A$Value`: who asks for it is told of these. */
static bool stands_above(json_t *plugin, const char *value)
{
    const char *name = text_of(plugin, "class");
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
            if (strcmp(text_of(option, "type"), "CLASS") == 0 && *text_of(option, "default")) {
                need(catalog, text_of(option, "default"), needed);
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
