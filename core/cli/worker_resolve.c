#include "core/cli/worker_resolve.h"

#include <jansson.h>
#include <string.h>

#include "core/cli/host_ask.h"
#include "core/worker/supervisor.h"

enum { RESOLVE_MS = 30000 };

static bool is_for_rest(const char *name)
{
    static const char *const prefixes[] = {"ssl.", "listeners.", "admin.listeners.", "rest.",
                                           "java.security.", "access.control.", "response.http."};
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0) {
            return true;
        }
    }
    return false;
}

int worker_resolve(const struct properties *worker, char *const *paths, size_t path_count,
                   struct properties *ret_resolved, struct error *error)
{
    json_t *wanted = json_object(), *providers = json_object(), *list = json_array();
    struct host_answer answer = {0};
    int result = 0;
    properties_copy(ret_resolved, worker);
    for (size_t i = 0; i < worker->count; i++) {
        const char *name = worker->items[i].name, *value = worker->items[i].value;
        if (strncmp(name, "config.providers", 16) == 0) {
            json_object_set_new(providers, name, json_string(value));
        } else if (is_for_rest(name) && strstr(value, "${")) {
            json_object_set_new(wanted, name, json_string(value));
        }
    }
    for (size_t i = 0; i < path_count; i++) {
        json_array_append_new(list, json_string(paths[i]));
    }
    if (json_object_size(wanted) == 0 || json_object_size(providers) == 0) {
        json_decref(list);
    } else if (host_ask(json_pack("{s:s,s:o,s:O,s:O,s:o}", "type", "resolve", "environment",
                                  supervisor_environment(), "worker", providers,
                                  "config", wanted, "plugin_path", list),
                        RESOLVE_MS, &answer, error) != 0) {
        result = -1;
    } else if (answer.failure) {
        result = error_set(error, ERROR_CONFIG, "The worker's configuration: %s", answer.failure);
    } else {
        const char *name;
        json_t *value;
        json_object_foreach(json_object_get(host_answer_find(&answer, "resolved"), "values"), name,
                            value)
        {
            properties_set(ret_resolved, name, json_string_value(value));
        }
    }
    host_answer_finish(&answer);
    json_decref(wanted);
    json_decref(providers);
    return result;
}
