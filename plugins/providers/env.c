/* EnvVarConfigProvider: ${env:NAME}, of the environment that the worker was started with. */
#include <stdlib.h>
#include <string.h>

#include "lib/java/regex.h"
#include "plugins/providers/providers.h"

struct provider {
    const struct sluice_host *host;
    struct regex *allowed; /* NULL: every name */
};

static void *create(const struct sluice_host *host)
{
    struct provider *provider = calloc(1, sizeof(*provider));
    if (provider) {
        provider->host = host;
    }
    return provider;
}

static void destroy(void *self)
{
    struct provider *provider = self;
    if (provider) {
        regex_destroy(provider->allowed);
        free(provider);
    }
}

static enum sluice_result configure(void *self, const struct sluice_config *config)
{
    struct provider *provider = self;
    const struct sluice_host *host = provider->host;
    const char *pattern = host->config->get_string(config, "allowlist.pattern");
    struct regex_error error;
    if (pattern && regex_create(pattern, &provider->allowed, &error) != 0) {
        return host->error(host, SLUICE_FATAL, SLUICE_CONFIG_EXCEPTION,
                           "Invalid value %s for configuration allowlist.pattern: %s", pattern,
                           error.message);
    }
    return SLUICE_OK;
}

static enum sluice_result get(void *self, const char *path, const char *const *keys, size_t count,
                              const struct sluice_provided *provided)
{
    struct provider *provider = self;
    const struct sluice_host *host = provider->host;
    if (*path) {
        return host->error(host, SLUICE_FATAL, SLUICE_CONFIG_EXCEPTION,
                           "Path is not supported for EnvVarConfigProvider, invalid value '%s'", path);
    }
    for (size_t i = 0; i < count; i++) {
        bool allowed = !provider->allowed || regex_matches(provider->allowed, keys[i],
                                                           strlen(keys[i])) == REGEX_YES;
        const char *value = allowed ? getenv(keys[i]) : NULL;
        if (value) {
            provided->value(provided, keys[i], value);
        }
    }
    return SLUICE_OK;
}

static const struct sluice_option options[] = {
    {.size = sizeof(struct sluice_option), .name = "allowlist.pattern",
     .type = SLUICE_OPTION_STRING, .default_value = ".*", .importance = SLUICE_LOW,
     .doc = "A pattern / regular expression that needs to match for environment variables to be used "
            "by this config provider"},
    {.name = NULL},
};

static const struct sluice_config_provider vtable = {
    .size = sizeof(struct sluice_config_provider),
    .create = create,
    .destroy = destroy,
    .configure = configure,
    .get = get,
};

const struct sluice_descriptor env_provider = {
    .size = sizeof(struct sluice_descriptor),
    .kind = SLUICE_CONFIG_PROVIDER,
    .class_name = PROVIDER_PACKAGE "EnvVarConfigProvider",
    .version = KAFKA_VERSION,
    .doc = "Values of environment variables.",
    .options = options,
    .vtable = &vtable,
};
