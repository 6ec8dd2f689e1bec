#include "core/store/replace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file_lock.h"

static int write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t put_size = write(fd, data, size);
        if (put_size < 0 && errno == EINTR) {
            continue;
        }
        if (put_size <= 0) {
            return -1;
        }
        data += put_size;
        size -= (size_t)put_size;
    }
    return 0;
}

/* The new name is on the disk only once its folder is. */
static int sync_folder(const char *path)
{
    char *copy = strdup(path);
    int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    int result = fd >= 0 ? fsync(fd) : -1;
    if (fd >= 0) {
        close(fd);
    }
    free(copy);
    return result;
}

/* Where a folder takes no new name: a file that is mounted by itself, as containers do, or a folder of
 * somebody else's. The file itself may be ours to write. */
static bool is_of_the_name(int errno_value)
{
    return errno_value == EBUSY || errno_value == EXDEV || errno_value == EACCES ||
           errno_value == EPERM || errno_value == EROFS;
}

static int write_file(const char *path, int flags, mode_t mode, const char *content, size_t size)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | flags, mode);
    int result = -1;
    if (fd >= 0 && write_all(fd, content, size) == 0 && ftruncate(fd, (off_t)size) == 0) {
        result = fsync(fd);
    }
    if (fd >= 0) {
        int kept = errno;
        close(fd);
        errno = kept;
    }
    return result;
}

/* Locks the file that is about to get the name. -1: with errno. */
static int lock_file(const char *path, int *ret_fd)
{
    *ret_fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*ret_fd < 0) {
        return -1;
    }
    int failure = file_lock(*ret_fd, FILE_LOCK_WAIT_MS, NULL, NULL);
    if (failure != 0) {
        close(*ret_fd);
        *ret_fd = -1;
        errno = failure;
    }
    return failure ? -1 : 0;
}

int replace_file(const char *name, const char *content, size_t size, mode_t mode, int *lock,
                 struct error *error)
{
    char *temporary = NULL, *real = realpath(name, NULL);
    const char *path = real ? real : name;
    struct stat status;
    int locked = -1;
    if (asprintf(&temporary, "%s.new", path) < 0) {
        free(real);
        return error_set(error, ERROR_NO_MEMORY, "Out of memory to write %s", path);
    }
    bool there = stat(path, &status) == 0, renamed = false;
    int result = write_file(temporary, O_CREAT | O_TRUNC, there ? status.st_mode & 07777 : mode,
                            content, size);
    if (result == 0 && lock) {
        result = lock_file(temporary, &locked);
    }
    if (result == 0) {
        result = rename(temporary, path);
        renamed = result == 0;
    }
    if (renamed) {
        result = sync_folder(path);
    }
    int failure = errno;
    if (renamed && lock) {
        int former = *lock;
        *lock = locked;
        locked = former;
    }
    if (locked >= 0) {
        close(locked);
    }
    if (result != 0 && there && !renamed && is_of_the_name(failure)) {
        result = write_file(path, 0, 0, content, size); /* as the JVM does; a crash leaves a part */
        failure = errno;
        (void)unlink(temporary); /* until now a second copy */
    }
    if (result != 0) {
        (void)error_set_errno(error, failure, "Could not write %s", path);
    }
    free(temporary);
    free(real);
    return result;
}
