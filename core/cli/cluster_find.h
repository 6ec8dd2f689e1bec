/*
 * Which Kafka cluster a worker belongs to, as GET / says; the proof that there is one. The JVM's worker
 * ends where it gets no answer within default.api.timeout.ms, and so does this one, but it does not keep its
 * admin API closed for that long: after a moment the search goes on in a thread. [main thread]
 */
#ifndef CORE_CLI_CLUSTER_FIND_H
#define CORE_CLI_CLUSTER_FIND_H

#include <stdbool.h>

#include "core/base/loop.h"
#include "core/config/properties.h"
#include "core/worker/data_dir.h"

struct cluster_find;

/**
 * Asks. 0: the cluster is found, data->cluster_id is its own and *ret_find NULL; or nobody answered yet, and
 * *ret_find is to be gone on with, as the log says (and standard error where that is a terminal). -1: it will not be, for the reason in error.
 */
int cluster_find_begin(const struct properties *worker, struct data_dir *data, bool terminal,
                       struct cluster_find **ret_find, struct error *error) CHECKED;
/**
 * Goes on in a thread, which has this one's signal mask. done is called once on the loop's thread, with an
 * error where time was up or there is no hope; not after cluster_find_end(). find NULL: nothing to do.
 */
int cluster_find_go_on(struct cluster_find *find, struct loop *loop,
                       void (*done)(void *user, const struct error *error), void *user,
                       struct error *error) CHECKED;
/** Ends the search, within a second. NULL is fine. Before the loop is destroyed. */
void cluster_find_end(struct cluster_find *find);

#endif
