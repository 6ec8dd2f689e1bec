/* DirectoryConfigProvider: ${dir:/path:name of a file in it}; the file's whole text is the value. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugins/providers/providers.h"

enum { VALUE_MOST = 1 << 20 };

/* Owned by the caller; NULL: it cannot be read. */
static char *read_text(int folder, const char *name)
{
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    char *text = fd >= 0 ? malloc(VALUE_MOST + 1) : NULL;
    size_t size = 0;
    while (text) {
        ssize_t got = read(fd, text + size, VALUE_MOST - size);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            free(text);
            text = NULL;
        }
        if (got <= 0) {
            break;
        }
        size += (size_t)got;
    }
    if (fd >= 0) {
        close(fd);
    }
    if (text) {
        text[size] = '\0';
    }
    return text;
}

/* Only what is a file right in the folder has a value. */
static bool is_file(int folder, const char *name)
{
    struct stat status;
    return *name && !strchr(name, '/') && fstatat(folder, name, &status, 0) == 0 &&
           S_ISREG(status.st_mode);
}

static enum sluice_result get(void *self, const char *path, const char *const *keys, size_t count,
                              const struct sluice_provided *provided)
{
    struct path_provider *provider = self;
    const struct sluice_host *host = provider->host;
    enum sluice_result result = SLUICE_OK;
    char *clean = *path ? allowed_paths_check(&provider->allowed, host, path) : NULL;
    if (!clean) {
        return SLUICE_OK;
    }
    int folder = open(clean, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
        host->log(host, SLUICE_WARN, "The path %s is not a directory", path);
    }
    for (size_t i = 0; folder >= 0 && result == SLUICE_OK && i < count; i++) {
        if (!is_file(folder, keys[i])) {
            continue;
        }
        char *text = read_text(folder, keys[i]);
        if (text) {
            provided->value(provided, keys[i], text);
            explicit_bzero(text, strlen(text));
            free(text);
        } else {
            result = host->error(host, SLUICE_FATAL, SLUICE_CONFIG_EXCEPTION,
                                 "Could not read file %s/%s for property %s", path, keys[i], keys[i]);
        }
    }
    if (folder >= 0) {
        close(folder);
    }
    free(clean);
    return result;
}

static const struct sluice_config_provider vtable = {
    .size = sizeof(struct sluice_config_provider),
    .create = path_provider_create,
    .destroy = path_provider_destroy,
    .configure = path_provider_configure,
    .get = get,
};

const struct sluice_descriptor directory_provider = {
    .size = sizeof(struct sluice_descriptor),
    .kind = SLUICE_CONFIG_PROVIDER,
    .class_name = PROVIDER_PACKAGE "DirectoryConfigProvider",
    .version = KAFKA_VERSION,
    .doc = "Values that are the files of a folder.",
    .options = path_provider_options,
    .vtable = &vtable,
};
