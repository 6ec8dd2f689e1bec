#include "core/store/replace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

int replace_file(const char *path, const char *content, size_t size, mode_t mode, struct error *error)
{
    char *temporary = NULL;
    struct stat status;
    int result = 0;
    if (asprintf(&temporary, "%s.new", path) < 0) {
        return error_set(error, ERROR_NO_MEMORY, "Out of memory to write %s", path);
    }
    mode = stat(path, &status) == 0 ? status.st_mode & 07777 : mode;
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0 || write_all(fd, content, size) != 0 || fsync(fd) != 0 ||
        rename(temporary, path) != 0 || sync_folder(path) != 0) {
        result = error_set_errno(error, errno, "Could not write %s", path);
    }
    if (fd >= 0) {
        close(fd);
    }
    free(temporary);
    return result;
}
