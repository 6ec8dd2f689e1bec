#include "core/worker/data_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file_lock.h"
#include "core/base/lineage.h"
#include "core/base/log.h"

#define LOGGER "sluice.worker"

enum { CLUSTER_ID = 22 };

char *data_dir_file(const struct data_dir *dir, const char *name)
{
    char *path = NULL;
    if (asprintf(&path, "%s/%s", dir->path, name) < 0) {
        abort();
    }
    return path;
}

static int make_folders(const char *path, struct error *error)
{
    char *copy = strdup(path);
    int result = copy ? 0 : error_set(error, ERROR_NO_MEMORY, "Out of memory");
    for (char *p = copy; result == 0 && p && *p;) {
        p += strspn(p, "/");
        p += strcspn(p, "/");
        char c = *p;
        *p = '\0';
        if (*copy && mkdir(copy, 0755) != 0 && errno != EEXIST) {
            result = error_set_errno(error, errno, "Could not make the folder %s", copy);
        }
        *p = c;
    }
    free(copy);
    return result;
}

static int open_file(const struct data_dir *dir, const char *name, int flags, struct error *error)
{
    char *path = data_dir_file(dir, name);
    int fd = open(path, flags | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) {
        (void)error_set_errno(error, errno, "Could not open %s", path);
    }
    free(path);
    return fd;
}

static int lock_worker(struct data_dir *dir, struct error *error)
{
    char text[32] = "";
    dir->worker_lock = open_file(dir, "worker.lock", O_RDWR, error);
    if (dir->worker_lock < 0) {
        return -1;
    }
    if (file_lock(dir->worker_lock, FILE_LOCK_WAIT_MS, NULL, NULL) != 0) {
        ssize_t got = pread(dir->worker_lock, text, sizeof(text) - 1, 0);
        text[got > 0 ? (size_t)got : 0] = '\0';
        text[strcspn(text, "\n")] = '\0';
        return error_set(
            error, ERROR_BUSY,
            "Another sluice (process %s) uses the folder %s; stop it, or give this one "
            "a folder of its own",
            text, dir->path);
    }
    int size = snprintf(text, sizeof(text), "%d\n", (int)getpid());
    if (ftruncate(dir->worker_lock, 0) != 0 ||
        pwrite(dir->worker_lock, text, (size_t)size, 0) != size) {
        return error_set_errno(error, errno, "Could not write %s/worker.lock", dir->path);
    }
    return 0;
}

static void tell_waiting(void *user)
{
    const struct data_dir *dir = user;
    log_info(LOGGER, "Waiting for processes of an earlier worker in %s", dir->path);
}

static int lock_hosts(struct data_dir *dir, int wait_ms, struct error *error)
{
    struct stat status;
    dir->hosts_lock = open_file(dir, "hosts.lock", O_RDONLY, error);
    if (dir->hosts_lock < 0) {
        return -1;
    }
    if (fstat(dir->hosts_lock, &status) == 0) {
        uint64_t file = (uint64_t)status.st_dev * 0x9e3779b97f4a7c15u + (uint64_t)status.st_ino;
        uint32_t family = (uint32_t)(file * 0x9e3779b97f4a7c15u >> 32);
        lineage_set_family(family);
        lineage_kill_family(family); /* those that a killed worker could not end, stopped ones among them */
    }
    return file_lock(dir->hosts_lock, wait_ms, tell_waiting, dir) == 0
               ? 0
               : error_set(error, ERROR_BUSY,
                           "Processes of an earlier sluice still run and hold %s/hosts.lock (fuser "
                           "names them); end them first",
                           dir->path);
}

static int take_cluster_id(struct data_dir *dir, struct error *error)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    int fd = open_file(dir, "cluster.id", O_RDWR, error);
    if (fd < 0) {
        return -1;
    }
    int result = 0;
    if (read(fd, dir->cluster_id, CLUSTER_ID) != CLUSTER_ID ||
        strspn(dir->cluster_id, digits) != CLUSTER_ID) {
        unsigned char random[CLUSTER_ID];
        if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
            memset(random, 0, sizeof(random));
        }
        for (size_t i = 0; i < CLUSTER_ID; i++) {
            dir->cluster_id[i] = digits[random[i] % 64];
        }
        if (ftruncate(fd, 0) != 0 || pwrite(fd, dir->cluster_id, CLUSTER_ID, 0) != CLUSTER_ID) {
            result = error_set_errno(error, errno, "Could not write %s/cluster.id", dir->path);
        }
    }
    dir->cluster_id[CLUSTER_ID] = '\0';
    close(fd);
    return result;
}

int data_dir_init(struct data_dir *dir, const char *path, int wait_ms, struct error *error)
{
    *dir = (struct data_dir){.path = strdup(path), .worker_lock = -1, .hosts_lock = -1};
    if (!dir->path) {
        return error_set(error, ERROR_NO_MEMORY, "Out of memory");
    }
    if (make_folders(path, error) != 0 || lock_worker(dir, error) != 0 ||
        lock_hosts(dir, wait_ms, error) != 0 || take_cluster_id(dir, error) != 0) {
        data_dir_finish(dir);
        return -1;
    }
    return 0;
}

void data_dir_finish(struct data_dir *dir)
{
    if (!dir) {
        return;
    }
    if (dir->hosts_lock >= 0) {
        close(dir->hosts_lock);
    }
    if (dir->worker_lock >= 0) {
        close(dir->worker_lock);
    }
    free(dir->path);
    *dir = (struct data_dir){.worker_lock = -1, .hosts_lock = -1};
}
