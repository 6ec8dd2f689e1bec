/*
 * Which files of plugin.path are plugins: shared objects in a folder or one below it. Both sides ask here:
 * a worker, which knows plugins by what a host told of them, and the host that loads them. [any thread]
 */
#ifndef CORE_PLUGIN_FILES_H
#define CORE_PLUGIN_FILES_H

#include "core/base/error.h"

struct plugin_files_events {
    void (*found)(void *user, const char *path);
    /** A folder that is left alone, and why; ERROR_PLUGIN_LOAD: the JARs in it, once. */
    void (*skipped)(void *user, const char *path, const struct error *error);
    void *user;
};

/** Tells what a folder of plugin.path holds, in the order of names. */
void plugin_files(const char *folder, const struct plugin_files_events *events);

#endif
