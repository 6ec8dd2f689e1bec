/*
 * sluice plugin interface. A plugin is a shared object on plugin.path that exports one function,
 * sluice_plugin_entry(), and links no symbol of the host.
 *
 * Three steps, as a worker takes them: the entry is checked (magic, ABI, sizes); descriptors are
 * read without making anything; instances are made by the vtable of a descriptor's kind. All of it
 * happens in a child process: a plugin that crashes, hangs or leaks costs its own task.
 * A loaded plugin is never unloaded.
 *
 * Every function pointer in these headers says on which thread and in which state it is called:
 * [task thread] one per task, calls never overlap; [broker thread] delivers acknowledgements;
 * [connector thread] in the connector's own process; [any thread] may be called at any time.
 * Pointers handed to a function are borrowed until it returns, unless it says otherwise.
 *
 * `sluice plugins new KIND NAME` writes a project to start from.
 */
#ifndef SLUICE_PLUGIN_H
#define SLUICE_PLUGIN_H

#include <sluice/config_provider.h>
#include <sluice/connector.h>
#include <sluice/converter.h>
#include <sluice/data.h>
#include <sluice/host.h>
#include <sluice/offsets.h>
#include <sluice/option.h>
#include <sluice/record.h>
#include <sluice/result.h>
#include <sluice/sink.h>
#include <sluice/source.h>
#include <sluice/transform.h>
#include <sluice/version.h>

/** One class that a plugin offers. All of it constant and alive as long as the process. */
struct sluice_descriptor {
    uint32_t size;            /**< sizeof(struct sluice_descriptor) */
    const char *kind;         /**< SLUICE_SOURCE, SLUICE_SINK, .. or an id of a connector's own */
    const char *class_name;   /**< as written in connector.class, transforms.x.type, .. */
    const char *const *aliases; /**< other names, closed by NULL; NULL: none */
    const char *version;
    const char *doc;          /**< one line */
    const struct sluice_option *options; /**< closed by an entry without name; NULL: none */
    const void *vtable;       /**< struct sluice_source, struct sluice_sink, .. by kind */
};

struct sluice_entry {
    char magic[8];            /**< SLUICE_ABI_MAGIC */
    uint32_t abi_major;       /**< SLUICE_ABI_MAJOR */
    uint32_t abi_minor;
    uint32_t size;            /**< sizeof(struct sluice_entry) */
    const struct sluice_descriptor *const *descriptors; /**< closed by NULL */
};

#ifdef __cplusplus
extern "C" {
#endif
/** The one symbol of a plugin. Returns the same constant each time; does nothing else. */
SLUICE_EXPORT const struct sluice_entry *sluice_plugin_entry(void);
#ifdef __cplusplus
}
#endif

/** Writes sluice_plugin_entry() for an array of descriptors closed by NULL. */
#define SLUICE_PLUGIN(descriptor_array)                                                   \
    const struct sluice_entry *sluice_plugin_entry(void)                                  \
    {                                                                                     \
        static const struct sluice_entry entry = {SLUICE_ABI_MAGIC, SLUICE_ABI_MAJOR,     \
                                                  SLUICE_ABI_MINOR,                       \
                                                  sizeof(struct sluice_entry),            \
                                                  descriptor_array};                      \
        return &entry;                                                                    \
    }

#endif
