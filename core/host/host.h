/*
 * sluice-host: the process that runs plugins. main.c reads the first message and calls the role.
 * Each role returns the exit status; `first` is borrowed.
 */
#ifndef CORE_HOST_HOST_H
#define CORE_HOST_HOST_H

#include <jansson.h>

#include "core/base/channel.h"
#include "core/metrics/page.h"

struct host_process {
    struct channel *control;
    struct metrics_page *page;
};

int host_scan(struct host_process *process, json_t *first);
int host_validate(struct host_process *process, json_t *first);
int host_validate_class(struct host_process *process, json_t *first);
int host_connector(struct host_process *process, json_t *first);
/** One conformance check of a plugin, for `sluice plugins check`. */
int host_check(struct host_process *process, json_t *first);
int host_offsets(struct host_process *process, json_t *first);
int host_resolve(struct host_process *process, json_t *first);
int host_task(struct host_process *process, json_t *first);

/** Installs the handlers that fill page->crash, on an alternate stack, and the arena's handler. */
void crash_install(struct metrics_page *page);
/** Each thread that runs plugin code calls this once, for its alternate stack. */
void crash_thread(void);
/** Says which plugin call runs from now on ("put io.confluent..S3SinkConnector"); "" when none. */
void host_phase(struct host_process *process, const char *call, const char *class_name);

/** Sends {"type":"failed"} with the trace of error. */
void host_fail(struct host_process *process, const struct error *error);

#endif
