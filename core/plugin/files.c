/* See files.h. */
#include "core/plugin/files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), end_size = strlen(end);
    return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

static void unreadable(const struct plugin_files_events *events, const char *path)
{
    struct error error = {0};
    (void)error_set_errno(&error, errno, "plugin.path entry '%s' cannot be read", path);
    events->skipped(events->user, path, &error);
    error_clear(&error);
}

static void look_at(const struct plugin_files_events *events, const char *path, int depth, size_t *jars);

static void look_into(const struct plugin_files_events *events, const char *folder, int depth, size_t *jars)
{
    struct dirent **names = NULL;
    int count = scandir(folder, &names, NULL, alphasort);
    if (count < 0) {
        unreadable(events, folder);
        return;
    }
    for (int i = 0; i < count; i++) {
        char *path = NULL;
        if (names[i]->d_name[0] != '.' && asprintf(&path, "%s/%s", folder, names[i]->d_name) >= 0) {
            look_at(events, path, depth, jars);
        }
        free(path);
        free(names[i]);
    }
    free(names);
}

static void look_at(const struct plugin_files_events *events, const char *path, int depth, size_t *jars)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        return;
    }
    if (S_ISDIR(status.st_mode) && depth > 0) {
        look_into(events, path, depth - 1, jars);
    } else if (S_ISREG(status.st_mode) && ends_with(path, ".so")) {
        events->found(events->user, path);
    } else if (S_ISREG(status.st_mode) && ends_with(path, ".jar")) {
        (*jars)++;
    }
}

void plugin_files(const char *folder, const struct plugin_files_events *events)
{
    size_t jars = 0;
    look_into(events, folder, 1, &jars);
    if (jars > 0) { /* a JVM's folders have hundreds: one line for all of them */
        struct error error = {0};
        (void)error_set(&error, ERROR_PLUGIN_LOAD, "%s: %zu Java archive%s left alone, sluice loads shared objects (.so)",
                        folder, jars, jars == 1 ? "" : "s");
        events->skipped(events->user, folder, &error);
        error_clear(&error);
    }
}
