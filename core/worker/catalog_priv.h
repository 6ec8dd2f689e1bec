/* What catalog.c (finding files, the scan) and catalog_find.c (what they hold) share. [loop thread] */
#ifndef CORE_WORKER_CATALOG_PRIV_H
#define CORE_WORKER_CATALOG_PRIV_H

#include "core/worker/catalog.h"

struct host;

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

/** A member that is a text; "" where it is not there. */
static inline const char *catalog_text(json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

#endif
