/*
 * A file that describes one connector: .properties, a flat JSON object of strings, or
 * {"name", "config", "initial_state"}, as connect-standalone takes them. Pure but for the file.
 */
#ifndef CORE_WORKER_CONNECTOR_FILE_H
#define CORE_WORKER_CONNECTOR_FILE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/base/error.h"
#include "core/worker/herder.h"

struct connector_file {
    char *name;
    bool named;     /* it says so itself; else its base name serves */
    json_t *config; /* strings, "name" among them */
    enum connector_target initial_state;
};

/** Errors name the file, and line or key. */
int connector_file_parse(const char *path, const char *data, size_t size,
                         struct connector_file *ret, struct error *error) CHECKED;
/** The same with the file's content. */
int connector_file_read(const char *path, struct connector_file *ret, struct error *error) CHECKED;
/** Zeroed ones are fine. */
void connector_file_finish(struct connector_file *file);
/** Puts a configuration in place of path, whole or not at all: as JSON or properties by its ending. */
int connector_file_write(const char *path, json_t *config, struct error *error) CHECKED;
/** RUNNING, PAUSED, STOPPED in any case; false: something else. */
bool connector_target_parse(const char *text, enum connector_target *ret);
const char *connector_target_name(enum connector_target target);

#endif
