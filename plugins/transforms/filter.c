/* Filter: drops every record it sees; made for use with a predicate (KIP-585). [task thread] */
#include <stdlib.h>

#include "plugins/transforms/classes.h"
#include "plugins/transforms/transform.h"

static void *create(const struct sluice_host *host)
{
    return transform_create(host, sizeof(struct transform));
}

static enum sluice_result configure(void *self, const char *class_name,
                                    const struct sluice_config *config)
{
    (void)self;
    (void)class_name;
    (void)config;
    return SLUICE_OK;
}

static enum sluice_result apply(void *self, struct sluice_record *record)
{
    (void)self;
    (void)record;
    return SLUICE_DROP;
}

static const struct sluice_option options[] = {OPTIONS_END};

static const struct sluice_transform functions = {
    .size = sizeof(struct sluice_transform),
    .create = create,
    .destroy = free,
    .configure = configure,
    .apply = apply,
};

DESCRIPTOR(filter, CONNECT_TRANSFORM "Filter",
           "Drops records; used with a predicate that says which.", options, &functions);
