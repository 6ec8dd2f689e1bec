/* What files and classes there are: looked for, scanned, kept. See catalog.h. */
#include "core/worker/catalog_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/plugin/files.h"
#include "core/worker/supervisor.h"

#define LOGGER "sluice.worker.plugins"

enum { SCAN_DEADLINE_MS = 60000, CACHE_VERSION = 1 };

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
                catalog->stamp && strcmp(catalog_text(cache, "host"), catalog->stamp) == 0;
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

struct look {
    struct catalog *catalog;
    json_t *cache;
};

static void add_file(struct catalog *catalog, const char *path, json_t *cache)
{
    json_t *file;
    size_t i;
    json_array_foreach(catalog->files, i, file)
    {
        if (strcmp(catalog_text(file, "path"), path) == 0) {
            return; /* named twice */
        }
    }
    char *stamp = stamp_of(path);
    json_array_foreach(cache, i, file)
    {
        if (stamp && strcmp(catalog_text(file, "path"), path) == 0 &&
            strcmp(catalog_text(file, "stamp"), stamp) == 0) {
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

static void on_found(void *user, const char *path)
{
    struct look *look = user;
    add_file(look->catalog, path, look->cache);
}

static void on_skipped(void *user, const char *path, const struct error *error)
{
    (void)user;
    (void)path;
    if (error->code == ERROR_PLUGIN_LOAD) {
        log_info(LOGGER, "%s", error->message);
    } else {
        log_warn(LOGGER, "%s", error->message);
    }
}

struct found {
    json_t *descriptor; /* of the file's list */
    const char *path;
};

static bool same_class(const struct found *a, const struct found *b)
{
    return strcmp(catalog_text(a->descriptor, "kind"), catalog_text(b->descriptor, "kind")) == 0 &&
           strcmp(catalog_text(a->descriptor, "class"), catalog_text(b->descriptor, "class")) == 0;
}

/* Of a class that is there twice, the first by path is used, as the registry of a host has it. */
static int by_kind_and_class(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    int order = strcmp(catalog_text(x->descriptor, "kind"), catalog_text(y->descriptor, "kind"));
    order = order ? order
                  : strcmp(catalog_text(x->descriptor, "class"), catalog_text(y->descriptor, "class"));
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
                all[count++] = (struct found){plugin, catalog_text(file, "path")};
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
                     catalog_text(all[i].descriptor, "class"), all[i - 1].path, all[i].path);
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
        if (strcmp(catalog_text(item, "path"), path) == 0) {
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
    const char *path = catalog_text(message, "path");
    if (strcmp(type, "loading") == 0) {
        free(catalog->loading);
        catalog->loading = strdup(path);
    } else if (strcmp(type, "plugins") == 0) {
        settle(catalog, path, json_object_get(message, "plugins"), NULL);
    } else if (strcmp(type, "plugin_error") == 0) {
        settle(catalog, path, NULL, catalog_text(message, "message"));
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
    struct look look = {catalog, cache};
    const struct plugin_files_events events = {on_found, on_skipped, &look};
    json_array_foreach(catalog->paths, i, path)
    {
        struct stat status;
        const char *text = json_string_value(path);
        if (stat(text, &status) == 0 && S_ISDIR(status.st_mode)) {
            plugin_files(text, &events);
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
