/* The files of the verbs that run a worker: of the worker, and any number of connectors. */
#ifndef CORE_CLI_RUN_CONFIG_H
#define CORE_CLI_RUN_CONFIG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/config/properties.h"
#include "core/worker/herder.h"

struct run_connector {
    char *name;
    const char *path; /* borrowed: of the command line */
    json_t *config;
    enum connector_target initial_state;
};

struct run_config {
    const char *verb;         /* for messages */
    const char *worker_path;  /* NULL: no worker file */
    struct properties worker; /* with defaults filled in */
    struct run_connector *connectors;
    size_t connector_count;
    char *log_dir; /* of the embedded log; NULL: a broker elsewhere */
    char *data_dir;
};

/**
 * `run`: a file with connector.class (or JSON) is a connector, one without is the worker's; without
 * a worker's there are defaults. data: --data, or NULL. Every problem is printed to standard error;
 * 0, or an exit code of cli.h. may_be_none: no file at all is fine.
 */
int run_config_load(struct run_config *config, char **paths, size_t count, const char *data,
                    bool may_be_none);
/**
 * As connect-standalone: the first file is the worker's, all others are connectors. Exit codes are
 * Connect's: 2 for the worker's file, 3 for a connector's.
 */
int run_config_load_standalone(struct run_config *config, char **paths, size_t count);
void run_config_finish(struct run_config *config);

#endif
