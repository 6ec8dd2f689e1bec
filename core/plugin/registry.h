/*
 * Plugins of this process: shared objects loaded, their classes found by name. Used in hosts only
 * (scan, validate, connector, task); a worker never loads a plugin.
 */
#ifndef CORE_PLUGIN_REGISTRY_H
#define CORE_PLUGIN_REGISTRY_H

#include <stddef.h>

#include <sluice/plugin.h>

#include "core/base/error.h"

struct registry;

struct registry *registry_create(void);
/** Forgets; shared objects stay loaded. */
void registry_destroy(struct registry *registry);
/**
 * Loads one shared object and adds its classes. Errors say what is wrong and what to do:
 * not a shared object, missing symbol (which), no entry, wrong magic, ABI (expected, found), table
 * without vtable, ..
 */
int registry_load(struct registry *registry, const char *path, struct error *error) CHECKED;
/** A file that is never to be loaded: one that took a process with it. registry_load() passes over
 * it. */
void registry_skip(struct registry *registry, const char *path);
/** Adds the classes of an entry that is in memory already, under a name instead of a path. */
int registry_add(struct registry *registry, const char *name, const struct sluice_entry *entry,
                 struct error *error) CHECKED;
/**
 * Loads what plugin.path names: each entry a .so, or a folder with .so files in it or one level
 * below. on_file is told each outcome (error NULL: loaded) and may be NULL. JARs are counted.
 */
void registry_scan(struct registry *registry, const char *const *paths, size_t count,
                   void (*on_loading)(void *user, const char *path),
                   void (*on_file)(void *user, const char *path, const struct error *error),
                   void *user);
/**
 * Finds a class: full name, alias, simple name, or simple name without the kind's word (`S3Sink`,
 * `FileStreamSource`). kind NULL: any. NULL with error where there is none, or several differ.
 */
const struct sluice_descriptor *registry_find(const struct registry *registry, const char *kind,
                                              const char *class_name, struct error *error);
size_t registry_count(const struct registry *registry);
/** Number i, by class name ascending; *ret_path the file it came from. */
const struct sluice_descriptor *registry_at(const struct registry *registry, size_t i,
                                            const char **ret_path);

#endif
