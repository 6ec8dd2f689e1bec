/* What the roles of sluice-host share beside core/host/host.h. */
#ifndef CORE_HOST_PROCESS_H
#define CORE_HOST_PROCESS_H

#include <stdbool.h>

#include "core/config/properties.h"
#include "core/host/host.h"
#include "core/plugin/registry.h"

/**
 * From now on this process, and what plugins have started in it, ends with the worker, even where no thread
 * gets to see the end of the control channel.
 */
void process_die_with_worker(void);
/** The worker is gone: ends what plugins have started, and this process. Async-signal-safe. */
_Noreturn void process_orphaned(void);
/** Log lines go to the pipe on HOST_FD_LOG from now on (protocol.h). */
void process_log_to_pipe(void);
/** Takes over "environment" of a first message: what the worker was started with, for config providers. */
void process_environment(json_t *first);
/** Takes over "log_levels" of a message where it has them. */
void process_log_levels(json_t *message);
/**
 * Applies what the first message says of memory ("memory_limit", bytes) and core files ("core",
 * boolean), and what holds for every host: as many descriptors as allowed. invariant 5, 6
 */
void process_limit(json_t *first);
/** A thread that ends the process when the worker is gone; for roles that read no further message.
 */
int process_watch(struct host_process *process);

/** Sends a message or leaves: without a worker there is nobody to work for. Steals message. */
void process_send(struct host_process *process, json_t *message);
/** String members of an object; others are left out. */
void process_properties(struct properties *properties, json_t *object);
/** Loads what an array of paths names, calling registry_scan(); a file that cannot be loaded is a
 * warning. */
void process_load_plugins(struct registry *registry, json_t *paths);
/** A member of an object as text, or "" where it is none. */
const char *process_text(json_t *object, const char *name);

#endif
