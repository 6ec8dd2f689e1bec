/*
 * Role "scan": loads shared objects and says what is in them. What it loads is told before it is
 * loaded, so that the worker knows whom to blame when this process does not come back.
 * [main thread]
 */
#include "core/base/json_text.h"
#include "core/host/process.h"

#include <stdlib.h>
#include <string.h>

#include "core/host/describe.h"

struct scan {
    struct host_process *process;
    struct registry *registry;
};

static void on_loading(void *user, const char *path)
{
    struct scan *scan = user;
    const char *name = strrchr(path, '/');
    host_phase(scan->process, "loading", name ? name + 1 : path);
    process_send(scan->process,
                 json_pack("{s:s,s:o}", "type", "loading", "path", json_text(path)));
}

static void on_file(void *user, const char *path, const struct error *error)
{
    struct scan *scan = user;
    host_phase(scan->process, "", "");
    if (error) {
        process_send(scan->process,
                     json_pack("{s:s,s:o,s:i,s:o}", "type", "plugin_error", "path",
                               json_text(path), "code", (int)error->code, "message",
                               json_text(error->message ? error->message : "")));
        return;
    }
    json_t *plugins = json_array();
    for (size_t i = 0; i < registry_count(scan->registry); i++) {
        const char *from = NULL;
        const struct sluice_descriptor *descriptor = registry_at(scan->registry, i, &from);
        if (strcmp(from, path) == 0) {
            json_array_append_new(plugins, describe_plugin(descriptor));
        }
    }
    process_send(scan->process, json_pack("{s:s,s:o,s:o}", "type", "plugins", "path",
                                          json_text(path), "plugins", plugins));
}

int host_scan(struct host_process *process, json_t *first)
{
    json_t *list = json_object_get(first, "paths");
    size_t count = json_array_size(list);
    const char **paths = calloc(count + 1, sizeof(*paths));
    struct scan scan = {process, registry_create()};
    if (!paths || !scan.registry) {
        struct error error = {0};
        (void)error_set(&error, ERROR_NO_MEMORY, "Out of memory for a scan of plugins");
        host_fail(process, &error);
        return 1;
    }
    for (size_t k = 0; k < count; k++) {
        paths[k] = json_string_value(json_array_get(list, k));
    }
    size_t i;
    json_t *path;
    json_array_foreach(json_object_get(first, "skip"), i, path)
    {
        if (json_is_string(path)) {
            registry_skip(scan.registry, json_string_value(path));
        }
    }
    registry_scan(scan.registry, paths, count, on_loading, on_file, &scan);
    process_send(process, json_pack("{s:s}", "type", "done"));
    free(paths);
    registry_destroy(scan.registry);
    return 0;
}
