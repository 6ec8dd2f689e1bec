/* FileConfigProvider: ${file:/path/to.properties:key}. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/java/properties_text.h"
#include "lib/util/buffer.h"
#include "plugins/providers/providers.h"

enum { FILE_MOST = 16 << 20 };

/* The content as bytes; false: it cannot be read. */
static bool read_file(const char *path, struct buffer *content)
{
    char chunk[16384];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;
    bool good = fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
    while (good) {
        ssize_t size = read(fd, chunk, sizeof(chunk));
        if (size < 0 && errno == EINTR) {
            continue;
        }
        if (size <= 0) {
            good = size == 0;
            break;
        }
        good = buffer_append(content, chunk, (size_t)size) == 0;
    }
    if (fd >= 0) {
        close(fd);
    }
    explicit_bzero(chunk, sizeof(chunk));
    return good;
}

struct wanted {
    const char *const *keys;
    size_t count;
    const struct sluice_provided *provided;
};

static int on_pair(void *user, const char *key, size_t key_size, const char *value,
                   size_t value_size, size_t line)
{
    const struct wanted *wanted = user;
    (void)key_size;
    (void)value_size;
    (void)line;
    for (size_t i = 0; i < wanted->count; i++) {
        if (strcmp(wanted->keys[i], key) == 0) {
            wanted->provided->value(wanted->provided, key, value);
            break;
        }
    }
    return 0;
}

static enum sluice_result get(void *self, const char *path, const char *const *keys, size_t count,
                              const struct sluice_provided *provided)
{
    struct path_provider *provider = self;
    const struct sluice_host *host = provider->host;
    char *clean = *path ? allowed_paths_check(&provider->allowed, host, path) : NULL;
    if (!clean) {
        return SLUICE_OK;
    }
    struct buffer content;
    buffer_init(&content, FILE_MOST);
    struct wanted wanted = {keys, count, provided};
    bool good = read_file(clean, &content) &&
                properties_text_parse(content.data ? content.data : "", content.size,
                                      PROPERTIES_UTF8, on_pair, &wanted, NULL) == PROPERTIES_OK;
    if (content.data) {
        explicit_bzero(content.data, content.size);
    }
    buffer_finish(&content);
    free(clean);
    return good ? SLUICE_OK
                : host->error(host, SLUICE_FATAL, SLUICE_CONFIG_EXCEPTION,
                              "Could not read properties from file %s", path);
}

static const struct sluice_config_provider vtable = {
    .size = sizeof(struct sluice_config_provider),
    .create = path_provider_create,
    .destroy = path_provider_destroy,
    .configure = path_provider_configure,
    .get = get,
};

const struct sluice_descriptor file_provider = {
    .size = sizeof(struct sluice_descriptor),
    .kind = SLUICE_CONFIG_PROVIDER,
    .class_name = PROVIDER_PACKAGE "FileConfigProvider",
    .version = KAFKA_VERSION,
    .doc = "Values of a properties file.",
    .options = path_provider_options,
    .vtable = &vtable,
};
