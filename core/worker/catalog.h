/*
 * Catalog: what plugins there are, told by a scan in a host process and kept in a file of the data
 * folder by path, inode, size and time, so that a start with nothing new scans nothing. The worker
 * itself never loads a plugin. [loop thread]
 */
#ifndef CORE_WORKER_CATALOG_H
#define CORE_WORKER_CATALOG_H

#include <jansson.h>
#include <stddef.h>

#include "core/base/error.h"

struct catalog;
struct supervisor;

/**
 * paths: entries of plugin.path, each a .so or a folder, later ones not overriding earlier ones
 * (copied). cache_file: where to keep what was found; copied; NULL: nowhere. host_path: a cache
 * made by another build of it does not count.
 */
struct catalog *catalog_create(struct supervisor *supervisor, const char *const *paths,
                               size_t count, const char *cache_file, const char *host_path);
/** While a scan is under way it is forgotten. NULL is fine. */
void catalog_destroy(struct catalog *catalog);
/**
 * Looks at the folders, scans what is not known, and calls done, at once where nothing is to be
 * scanned. One at a time.
 */
void catalog_refresh(struct catalog *catalog, void (*done)(void *user), void *user);

/**
 * Descriptor (as in protocol.h) of a connector class: full name, alias, simple name, with or
 * without `Connector`; NULL counts as "". Borrowed. NULL with error in Connect's words where there
 * is none, or several.
 */
json_t *catalog_find_connector(const struct catalog *catalog, const char *name,
                               struct error *error);
/** Any plugin of that name, of the kind or of any (NULL); the first where several are there.
 * Borrowed. */
json_t *catalog_find(const struct catalog *catalog, const char *kind, const char *name);
/** Number i of all descriptors, in the order of kind and class; NULL behind the last. Borrowed. */
json_t *catalog_at(const struct catalog *catalog, size_t i);
/**
 * Paths (new array) of the files a host needs for these configurations (NULL-terminated array of
 * objects): every file with a class that a value could mean, and what those classes' defaults name.
 */
json_t *catalog_files_for(const struct catalog *catalog, json_t *const *configs);
/** "path: why" for each file that could not be loaded, joined by newlines; NULL: none. Owned by the
 * caller. */
char *catalog_failures(const struct catalog *catalog);

#endif
