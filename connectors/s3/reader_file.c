/* Reading a folder as a bucket (store.url=file:PATH); see reader.h. [reader's thread] */
#include "connectors/s3/reader.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct file_reader {
    struct reader base;
    char *root; /* of the bucket */
};

static void give_up(struct reader *reader, struct fetch *fetch, int error)
{
    if (error == ENOENT || error == ENOTDIR) {
        fetch_end(reader, fetch, FETCH_GONE);
    } else if (error == EACCES || error == EPERM || error == EISDIR || error == ENAMETOOLONG ||
               error == ENOMEM) {
        snprintf(fetch->message, sizeof(fetch->message), "%.400s cannot be read: %s", fetch->key,
                 strerror(error));
        fetch_end(reader, fetch, FETCH_FAILED);
    } else {
        fetch_again(reader, fetch, strerror(error), 0);
    }
}

static void read_object(struct file_reader *reader, struct fetch *fetch)
{
    char path[PATH_MAX];
    int error = ENAMETOOLONG;
    if (snprintf(path, sizeof(path), "%s/%s", reader->root, fetch->key) < (int)sizeof(path)) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        error = fd < 0 ? errno : 0;
        buffer_reset(&fetch->body);
        if (fd >= 0 && buffer_reserve(&fetch->body, fetch->size) != 0) {
            error = ENOMEM;
        }
        while (error == 0 && fetch->body.size < fetch->size) {
            ssize_t got = pread(fd, fetch->body.data + fetch->body.size, fetch->size - fetch->body.size,
                                (off_t)(fetch->offset + fetch->body.size));
            if (got < 0 && errno == EINTR) {
                continue;
            }
            error = got < 0 ? errno : got == 0 ? ENOENT /* shorter than it was */ : 0;
            fetch->body.size += got > 0 ? (size_t)got : 0;
        }
        if (fd >= 0) {
            close(fd);
        }
    }
    if (error == 0) {
        fetch_end(&reader->base, fetch, FETCH_DONE);
    } else {
        give_up(&reader->base, fetch, error);
    }
}

/* All files below a folder whose keys begin with the prefix. */
static int walk(struct file_reader *reader, struct fetch *fetch, const char *folder)
{
    char path[PATH_MAX], key[PATH_MAX];
    size_t prefix = strlen(fetch->key);
    if (snprintf(path, sizeof(path), "%s/%s", reader->root, folder) >= (int)sizeof(path)) {
        return ENAMETOOLONG;
    }
    DIR *directory = opendir(path);
    if (!directory) {
        return errno == ENOENT ? 0 : errno;
    }
    int error = 0;
    for (const struct dirent *each = readdir(directory); each && error == 0; each = readdir(directory)) {
        struct stat status;
        if (strcmp(each->d_name, ".") == 0 || strcmp(each->d_name, "..") == 0) {
            continue;
        }
        int length = snprintf(key, sizeof(key), "%s%s%s", folder, *folder ? "/" : "", each->d_name);
        if (length >= (int)sizeof(key) || fstatat(dirfd(directory), each->d_name, &status, 0) != 0) {
            continue; /* gone meanwhile */
        }
        size_t common = (size_t)length < prefix ? (size_t)length : prefix;
        if (memcmp(key, fetch->key, common) != 0) {
            continue;
        }
        if (S_ISDIR(status.st_mode)) {
            error = walk(reader, fetch, key);
        } else if (S_ISREG(status.st_mode) && (size_t)length >= prefix) {
            char *copy = strdup(key);
            error = copy && fetch_add(fetch, copy, (uint64_t)status.st_size, status.st_mtime, "")
                        ? 0
                        : ENOMEM;
        }
    }
    closedir(directory);
    return error;
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->key, ((const struct entry *)b)->key);
}

static void begin(struct reader *base, struct fetch *fetch)
{
    struct file_reader *reader = (struct file_reader *)base;
    if (!fetch->list) {
        read_object(reader, fetch);
        return;
    }
    while (fetch->entry_count > 0) { /* of a try before */
        free(fetch->entries[--fetch->entry_count].key);
    }
    int error = walk(reader, fetch, "");
    if (error != 0) {
        give_up(base, fetch, error);
        return;
    }
    if (fetch->entry_count > 0) {
        qsort(fetch->entries, fetch->entry_count, sizeof(struct entry), by_key);
    }
    fetch_end(base, fetch, FETCH_DONE);
}

/* Nothing goes on between calls: only new fetches are waited for. */
static void run(struct reader *base, int timeout_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    until.tv_sec += timeout_ms / 1000 + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&base->lock);
    while (!base->first && !base->stopping &&
           pthread_cond_timedwait(&base->changed, &base->lock, &until) != ETIMEDOUT) {
    }
    pthread_mutex_unlock(&base->lock);
}

static void wake(struct reader *base)
{
    (void)base; /* submitting signals already */
}

static void destroy(struct reader *base)
{
    struct file_reader *reader = (struct file_reader *)base;
    free(reader->root);
    free(reader);
}

static const struct reader_vtable vtable = {
    .begin = begin, .run = run, .wake = wake, .destroy = destroy};

struct reader *file_reader_create(const struct settings *settings, const struct sluice_host *host,
                                  char *message, size_t size)
{
    (void)host;
    struct file_reader *reader = calloc(1, sizeof(*reader));
    if (!reader || asprintf(&reader->root, "%s/%s", settings->file_path, settings->bucket) < 0) {
        snprintf(message, size, "Out of memory");
        free(reader);
        return NULL;
    }
    if (access(reader->root, R_OK | X_OK) != 0) {
        snprintf(message, size, "There is no folder %s that can be read (store.url, s3.bucket.name): %s",
                 reader->root, strerror(errno));
        free(reader->root);
        free(reader);
        return NULL;
    }
    reader->base.vtable = &vtable;
    return &reader->base;
}
