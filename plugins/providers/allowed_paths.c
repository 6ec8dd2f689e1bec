/* Paths that providers may read, and what providers of paths have in common. [connector thread] */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plugins/providers/providers.h"

/* As Path.normalize(): by its text alone. */
static char *normalised(const char *path)
{
    size_t size = strlen(path);
    char *out = malloc(size + 2), *end = out;
    if (!out) {
        return NULL;
    }
    bool absolute = *path == '/';
    size_t depth = 0;
    while (*path) {
        path += strspn(path, "/");
        size_t part = strcspn(path, "/");
        if (part == 0 || (part == 1 && *path == '.')) {
            path += part;
            continue;
        }
        if (part == 2 && memcmp(path, "..", 2) == 0 && (depth > 0 || absolute)) {
            if (depth > 0) {
                do {
                    end--;
                } while (end > out && *end != '/');
                depth--;
            }
            path += part;
            continue;
        }
        if (absolute || end > out) {
            *end++ = '/';
        }
        memcpy(end, path, part);
        end += part;
        depth++;
        path += part;
    }
    if (absolute && end == out) {
        *end++ = '/';
    }
    *end = '\0';
    return out;
}

/* Reads `allowed.paths`; each must be absolute and exist. A list without a path is refused: it would allow all. */
static enum sluice_result allowed_paths_read(struct allowed_paths *allowed,
                                             const struct sluice_host *host,
                                             const struct sluice_config *config)
{
    const char *const *items = NULL;
    size_t count = host->config->get_list(config, "allowed.paths", &items);
    allowed->paths = calloc(count + 1, sizeof(*allowed->paths));
    for (size_t i = 0; allowed->paths && i < count; i++) {
        if (!*items[i]) {
            continue;
        }
        if (*items[i] != '/') {
            return host->error(host, SLUICE_FATAL, SLUICE_CONFIG_EXCEPTION, "Path %s is not absolute",
                               items[i]);
        }
        if (access(items[i], F_OK) != 0) {
            return host->error(host, SLUICE_FATAL, SLUICE_CONFIG_EXCEPTION, "Path %s does not exist",
                               items[i]);
        }
        char *path = normalised(items[i]);
        if (!path) {
            return host->error(host, SLUICE_FATAL, SLUICE_CONFIG_EXCEPTION, "Out of memory");
        }
        allowed->paths[allowed->count++] = path;
    }
    if (!allowed->paths || (count > 0 && allowed->count == 0)) {
        return host->error(host, SLUICE_FATAL, SLUICE_CONFIG_EXCEPTION, "%s",
                           allowed->paths ? "allowed.paths has no path in it" : "Out of memory");
    }
    return SLUICE_OK;
}

static void allowed_paths_finish(struct allowed_paths *allowed)
{
    for (size_t i = 0; i < allowed->count; i++) {
        free(allowed->paths[i]);
    }
    free(allowed->paths);
}

/* Part by part: /etc does not allow /etcetera. */
static bool starts_with(const char *path, const char *front)
{
    size_t size = strlen(front);
    return strcmp(front, "/") == 0 ||
           (strncmp(path, front, size) == 0 && (path[size] == '\0' || path[size] == '/'));
}

char *allowed_paths_check(const struct allowed_paths *allowed, const struct sluice_host *host,
                          const char *path)
{
    if (allowed->count == 0) {
        return strdup(path);
    }
    char *clean = normalised(path);
    for (size_t i = 0; clean && i < allowed->count; i++) {
        if (starts_with(clean, allowed->paths[i])) {
            return clean;
        }
    }
    host->log(host, SLUICE_WARN, "The path %s is not allowed to be accessed", path);
    free(clean);
    return NULL;
}

const struct sluice_option path_provider_options[] = {
    {.size = sizeof(struct sluice_option), .name = "allowed.paths", .type = SLUICE_OPTION_LIST,
     .importance = SLUICE_LOW,
     .doc = "Paths that this provider may read from. If not set, all paths are allowed."},
    {.name = NULL},
};

void *path_provider_create(const struct sluice_host *host)
{
    struct path_provider *provider = calloc(1, sizeof(*provider));
    if (provider) {
        provider->host = host;
    }
    return provider;
}

void path_provider_destroy(void *self)
{
    struct path_provider *provider = self;
    if (provider) {
        allowed_paths_finish(&provider->allowed);
        free(provider);
    }
}

enum sluice_result path_provider_configure(void *self, const struct sluice_config *config)
{
    struct path_provider *provider = self;
    return allowed_paths_read(&provider->allowed, provider->host, config);
}
