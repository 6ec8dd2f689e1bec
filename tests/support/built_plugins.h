/* The plugins of this build, in the registry of a test, a fuzzer or a bench. [main thread] */
#ifndef TESTS_SUPPORT_BUILT_PLUGINS_H
#define TESTS_SUPPORT_BUILT_PLUGINS_H

#include <libgen.h>
#include <stdio.h>
#include <unistd.h>

#include "core/plugin/registry.h"

static inline void built_plugin_failed(void *user, const char *path, const struct error *error)
{
    (void)user;
    if (error) {
        fprintf(stderr, "%s: %s\n", path, error->message);
    }
}

/** A registry of them; what cannot be loaded is told on standard error. registry_destroy() it. */
static inline struct registry *built_plugins(void)
{
    char self[4096], folder[4200];
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    self[length > 0 ? length : 0] = '\0';
    (void)snprintf(folder, sizeof(folder), "%s/../plugins", dirname(self));
    const char *const path = folder;
    struct registry *registry = registry_create();
    registry_scan(registry, &path, 1, NULL, built_plugin_failed, NULL);
    return registry;
}

#endif
