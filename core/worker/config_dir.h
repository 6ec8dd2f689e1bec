/*
 * A folder that keeps connectors for good (`--config-dir DIR`): a file each, .properties or .json.
 * What REST creates, changes and deletes is written there; files changed by hand reconfigure, new ones
 * create, deleted ones delete. A bad file is told, and what ran before keeps running. [loop thread]
 */
#ifndef CORE_WORKER_CONFIG_DIR_H
#define CORE_WORKER_CONFIG_DIR_H

#include <jansson.h>

#include "core/base/error.h"
#include "core/base/loop.h"
#include "core/worker/herder.h"

struct config_dir;

/** Makes the folder where it is missing. */
int config_dir_open(struct loop *loop, struct herder *herder, const char *path,
                    struct config_dir **ret_dir, struct error *error) CHECKED;
/** NULL is fine. */
void config_dir_close(struct config_dir *dir);
/** Asks the herder for every connector that has a file, and watches from then on. */
void config_dir_start(struct config_dir *dir);

/* What REST did; dir NULL: nothing is kept. */
void config_dir_saved(struct config_dir *dir, const char *name, json_t *config);
void config_dir_removed(struct config_dir *dir, const char *name);
void config_dir_target(struct config_dir *dir, const char *name, enum connector_target target);

#endif
