/* A config provider whose values are good for a time: ${name:FILE:MILLISECONDS} is FILE's first line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sluice/config_provider.h>
#include <sluice/plugin.h>

static void *create(const struct sluice_host *host)
{
    const struct sluice_host **self = malloc(sizeof(*self));
    if (self) {
        *self = host;
    }
    return (void *)self;
}

static void destroy(void *self)
{
    free(self);
}

static enum sluice_result get(void *self, const char *path, const char *const *keys, size_t count,
                              const struct sluice_provided *provided)
{
    const struct sluice_host *host = *(const struct sluice_host **)self;
    char line[256];
    FILE *file = fopen(path, "re");
    if (!file || !fgets(line, sizeof(line), file)) {
        if (file) {
            fclose(file);
        }
        return host->error(host, SLUICE_FATAL, SLUICE_CONFIG_EXCEPTION, "No lease at %s", path);
    }
    fclose(file);
    line[strcspn(line, "\n")] = '\0';
    for (size_t i = 0; i < count; i++) {
        provided->value(provided, keys[i], line);
        provided->time_to_live(provided, strtol(keys[i], NULL, 10));
    }
    return SLUICE_OK;
}

static const struct sluice_config_provider vtable = {
    .size = sizeof(struct sluice_config_provider),
    .create = create,
    .destroy = destroy,
    .get = get,
};

static const struct sluice_descriptor lease = {
    .size = sizeof(struct sluice_descriptor),
    .kind = SLUICE_CONFIG_PROVIDER,
    .class_name = "sluice.test.LeaseProvider",
    .version = "1.0",
    .doc = "First lines of files, for a time.",
    .vtable = &vtable,
};

static const struct sluice_descriptor *const descriptors[] = {&lease, NULL};
SLUICE_PLUGIN(descriptors)
