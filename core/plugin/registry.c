/* See registry.h: an array of classes, sorted by name. Not thread-safe until all is loaded; then
 * read-only. */
#include "core/plugin/registry.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/plugin/files.h"
#include "core/plugin/load.h"
#include "core/plugin/names.h"

struct entry {
    const struct sluice_descriptor *descriptor;
    const char *path; /* owned by paths */
};

struct registry {
    struct entry *entries; /* by class name, then path */
    size_t count;
    char **paths;
    size_t path_count;
};

struct registry *registry_create(void)
{
    return calloc(1, sizeof(struct registry));
}

void registry_destroy(struct registry *registry)
{
    if (registry) {
        for (size_t i = 0; i < registry->path_count; i++) {
            free(registry->paths[i]);
        }
        free(registry->paths);
        free(registry->entries);
        free(registry);
    }
}

static int by_class(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int order = strcmp(x->descriptor->class_name, y->descriptor->class_name);
    return order != 0 ? order : strcmp(x->path, y->path);
}

/* Remembers a path whether it was loaded or not; NULL where memory is out. */
static const char *add_path(struct registry *registry, const char *path)
{
    char *copy = strdup(path);
    char **paths = realloc(registry->paths, (registry->path_count + 1) * sizeof(*paths));
    registry->paths = paths ? paths : registry->paths;
    if (!copy || !paths) {
        free(copy);
        return NULL;
    }
    return registry->paths[registry->path_count++] = copy;
}

void registry_skip(struct registry *registry, const char *path)
{
    (void)add_path(registry, path);
}

int registry_add(struct registry *registry, const char *name, const struct sluice_entry *entry,
                 struct error *error)
{
    size_t more = 0;
    while (entry->descriptors[more]) {
        more++;
    }
    char *copy = strdup(name);
    struct entry *entries = realloc(registry->entries, (registry->count + more) * sizeof(*entries));
    registry->entries = entries ? entries : registry->entries;
    char **paths = realloc(registry->paths, (registry->path_count + 1) * sizeof(*paths));
    registry->paths = paths ? paths : registry->paths;
    if (!copy || !entries || !paths) {
        free(copy);
        return error_set(error, ERROR_NO_MEMORY, "Out of memory for plugin '%s'", name);
    }
    registry->paths[registry->path_count++] = copy;
    for (size_t i = 0; i < more; i++) {
        registry->entries[registry->count++] = (struct entry){entry->descriptors[i], copy};
    }
    qsort(registry->entries, registry->count, sizeof(*registry->entries), by_class);
    return 0;
}

int registry_load(struct registry *registry, const char *path, struct error *error)
{
    for (size_t i = 0; i < registry->path_count; i++) {
        if (strcmp(registry->paths[i], path) == 0) {
            return 0;
        }
    }
    const struct sluice_entry *entry = NULL;
    if (plugin_load(path, &entry, error) != 0) {
        return -1;
    }
    return registry_add(registry, path, entry, error);
}

/* -- scanning -- */

struct scan {
    struct registry *registry;
    void (*on_loading)(void *, const char *);
    void (*on_file)(void *, const char *, const struct error *);
    void *user;
};

static void scan_file(void *user, const char *path)
{
    struct scan *scan = user;
    struct error error = {0};
    if (scan->on_loading) {
        scan->on_loading(scan->user, path);
    }
    int result = registry_load(scan->registry, path, &error);
    if (scan->on_file) {
        scan->on_file(scan->user, path, result == 0 ? NULL : &error);
    }
    error_clear(&error);
}

static void scan_skipped(void *user, const char *path, const struct error *error)
{
    struct scan *scan = user;
    if (scan->on_file) {
        scan->on_file(scan->user, path, error);
    }
}

void registry_scan(struct registry *registry, const char *const *paths, size_t count,
                   void (*on_loading)(void *user, const char *path),
                   void (*on_file)(void *user, const char *path, const struct error *error),
                   void *user)
{
    struct scan scan = {registry, on_loading, on_file, user};
    const struct plugin_files_events events = {scan_file, scan_skipped, &scan};
    struct error error = {0};
    for (size_t i = 0; i < count; i++) {
        struct stat status;
        if (!paths[i] || !*paths[i]) {
            continue;
        }
        if (stat(paths[i], &status) != 0) {
            (void)error_set_errno(&error, errno, "plugin.path entry '%s' cannot be read", paths[i]);
            scan_skipped(&scan, paths[i], &error);
            error_clear(&error);
        } else if (S_ISDIR(status.st_mode)) {
            plugin_files(paths[i], &events);
        } else {
            scan_file(&scan, paths[i]);
        }
    }
}

/* -- finding -- */

static bool matches(const struct sluice_descriptor *descriptor, const char *wanted)
{
    if (names_match(descriptor->class_name, wanted)) {
        return true;
    }
    for (const char *const *alias = descriptor->aliases; alias && *alias; alias++) {
        if (names_match(*alias, wanted)) {
            return true;
        }
    }
    return false;
}

static bool is_exact(const struct sluice_descriptor *descriptor, const char *wanted)
{
    if (strcmp(descriptor->class_name, wanted) == 0) {
        return true;
    }
    for (const char *const *alias = descriptor->aliases; alias && *alias; alias++) {
        if (strcmp(*alias, wanted) == 0) {
            return true;
        }
    }
    return false;
}

const struct sluice_descriptor *registry_find(const struct registry *registry, const char *kind,
                                              const char *class_name, struct error *error)
{
    const struct entry *found = NULL;
    for (size_t i = 0; i < registry->count; i++) {
        const struct entry *entry = &registry->entries[i];
        if (kind && strcmp(entry->descriptor->kind, kind) != 0) {
            continue;
        }
        if (is_exact(entry->descriptor, class_name)) {
            return entry->descriptor; /* of two files with one class the first by path serves */
        }
        if (!matches(entry->descriptor, class_name)) {
            continue;
        }
        if (found && strcmp(found->descriptor->class_name, entry->descriptor->class_name) != 0) {
            (void)error_set_class(
                error, ERROR_UNKNOWN_CLASS, SLUICE_CONNECT_EXCEPTION,
                "More than one plugin matches alias %s. Please use full package + "
                "class name instead. Classes found: %s in %s, %s in %s",
                class_name, found->descriptor->class_name, found->path,
                entry->descriptor->class_name, entry->path);
            return NULL;
        }
        found = found ? found : entry;
    }
    if (!found) {
        (void)error_set_class(
            error, ERROR_UNKNOWN_CLASS, SLUICE_CONNECT_EXCEPTION,
            "Failed to find any class that implements %s and which name matches %s; "
            "`sluice plugins list` shows what there is on plugin.path",
            kind ? kind : "a plugin", class_name);
        return NULL;
    }
    return found->descriptor;
}

size_t registry_count(const struct registry *registry)
{
    return registry->count;
}

const struct sluice_descriptor *registry_at(const struct registry *registry, size_t i,
                                            const char **ret_path)
{
    if (ret_path) {
        *ret_path = registry->entries[i].path;
    }
    return registry->entries[i].descriptor;
}
