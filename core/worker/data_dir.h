/*
 * The worker's folder: what it keeps between runs (found plugins, source offsets where no file is
 * named, cluster id), and two locks.
 *
 * worker.lock is held by the worker itself: two workers never share a folder. hosts.lock is an
 * empty file that every process of the worker has as its standard input: the lock on that open file
 * lives as long as any of them, so that a worker that follows one that was killed can wait for its
 * orphans before it starts the same tasks again (design, section 2). The file also names the family of their marks
 * (core/base/lineage.h): what is left of an earlier worker's is killed first. [main thread]
 */
#ifndef CORE_WORKER_DATA_DIR_H
#define CORE_WORKER_DATA_DIR_H

#include "core/base/error.h"

struct data_dir {
    char *path; /* as given; owned */
    int worker_lock, hosts_lock;
    char cluster_id[128]; /* 22 characters of base64url, as Kafka's; with Kafka, the cluster's own */
};

/**
 * Makes the folder where it is missing, takes both locks; waits up to wait_ms for processes of an
 * earlier worker. Errors: ERROR_BUSY, ERROR_SYSTEM.
 */
int data_dir_init(struct data_dir *dir, const char *path, int wait_ms, struct error *error) CHECKED;
/** NULL is fine; zeroed ones are not. */
void data_dir_finish(struct data_dir *dir);
/** Path of a file in it; owned by the caller. */
char *data_dir_file(const struct data_dir *dir, const char *name);

#endif
