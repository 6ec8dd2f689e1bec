/* The files of `sluice run`: at most one worker, any number of connectors. */
#ifndef CORE_CLI_RUN_CONFIG_H
#define CORE_CLI_RUN_CONFIG_H

#include <jansson.h>
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
    const char *worker_path;  /* NULL: no worker file */
    struct properties worker; /* with the defaults of `run` filled in */
    struct run_connector *connectors;
    size_t connector_count;
    char *log_dir; /* of the embedded log; NULL: a broker elsewhere */
    char *data_dir;
};

/**
 * Reads the files. A file with connector.class (or JSON) is a connector, one without is the
 * worker's. data: --data, or NULL. Every problem is printed to standard error; 0, or an exit code
 * of cli.h.
 */
int run_config_load(struct run_config *config, char **paths, size_t count, const char *data);
void run_config_finish(struct run_config *config);

#endif
