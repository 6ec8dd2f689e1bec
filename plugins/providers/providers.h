/* What the providers of files share. [connector thread] */
#ifndef PLUGINS_PROVIDERS_PROVIDERS_H
#define PLUGINS_PROVIDERS_PROVIDERS_H

#include <sluice/plugin.h>

#define PROVIDER_PACKAGE "org.apache.kafka.common.config.provider."

extern const struct sluice_descriptor file_provider, directory_provider, env_provider;

/** Paths under which a provider may read; none: everywhere. */
struct allowed_paths {
    char **paths; /* absolute, normalised */
    size_t count;
};

/**
 * The path without `.` and `..` (symbolic links are not followed), owned by the caller; NULL with a
 * warning where it is outside. The form of it that is refused is told in the warning only.
 */
char *allowed_paths_check(const struct allowed_paths *allowed, const struct sluice_host *host,
                          const char *path);

/** What providers that read paths have in common: the instance, its life and its options. */
struct path_provider {
    const struct sluice_host *host;
    struct allowed_paths allowed;
};

extern const struct sluice_option path_provider_options[];
void *path_provider_create(const struct sluice_host *host);
void path_provider_destroy(void *self);
enum sluice_result path_provider_configure(void *self, const struct sluice_config *config) SLUICE_CHECKED;

#endif
