/*
 * The host side of the plugin interface: one struct sluice_host per plugin instance, with logging,
 * errors, metrics and the making of further plugins. Source and sink contexts are put in by
 * core/host through `extension`.
 */
#ifndef CORE_PLUGIN_INSTANCE_H
#define CORE_PLUGIN_INSTANCE_H

#include <sluice/plugin.h>

#include "core/base/error.h"
#include "core/metrics/page.h"
#include "core/plugin/registry.h"

/** What all instances of a process share. */
struct plugin_environment {
    struct registry *registry;
    struct metrics_page *page; /* NULL: metrics go nowhere */
    const char *log_context;   /* "[lake|task-0] " */
    /** Further extensions by id; NULL: none. */
    const void *(*extension)(void *user, const char *id);
    void *user;
};

struct properties;

struct plugin_instance {
    struct sluice_host host; /* &host is what the plugin gets; host.host_data = the instance */
    const struct sluice_descriptor *descriptor;
    const struct plugin_environment *environment;
    void *self;
    struct sluice_config *config; /* owned; made by plugin_instance_configure */
    void *made;                   /* plugins made through host->make_plugin */
};

/** Finds the class and calls create(). Kinds of connectors' own work the same. */
int plugin_instance_create(const struct plugin_environment *environment, const char *kind,
                           const char *class_name, struct plugin_instance **ret_instance,
                           struct error *error) CHECKED;
/** Destroys the plugin's object, those it made, and the configuration. NULL is fine. */
void plugin_instance_destroy(struct plugin_instance *instance);
/** Checks properties against the class's table and keeps the typed configuration. */
int plugin_instance_configure(struct plugin_instance *instance, const struct properties *properties,
                              struct error *error) CHECKED;

/** The error of the last plugin call on this thread; taken by whoever made the call. */
struct plugin_failure {
    struct error error;  /* class, message, causes */
    ptrdiff_t record;    /* index, or -1 */
    int64_t retry_after; /* ms, or -1 */
};
/**
 * Moves the failure of the call just made on this thread to *ret_failure (caller clears its error).
 * Where the plugin returned an error without calling host->error(), says so, with what as the
 * call's name.
 */
void plugin_failure_take(struct plugin_failure *ret_failure, enum sluice_result result,
                         const struct plugin_instance *instance, const char *what);
/** Forgets what an earlier call left; cheap, called before each call into a plugin that may fail.
 */
void plugin_failure_reset(void);

#endif
