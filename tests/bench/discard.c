/* A sink that takes records and keeps nothing: what is measured with it is everything before put(). */
#include <sluice/plugin.h>

#include <stdlib.h>

static void *discard_create(const struct sluice_host *host)
{
    (void)host;
    return calloc(1, 1);
}

static enum sluice_result discard_start(void *self, const struct sluice_config *config)
{
    (void)self;
    (void)config;
    return SLUICE_OK;
}

static enum sluice_result discard_put(void *self, struct sluice_batch *batch)
{
    (void)self;
    (void)batch;
    return SLUICE_OK;
}

static void discard_stop(void *self)
{
    (void)self;
}

static const struct sluice_option options[] = {{.name = NULL}};

static const struct sluice_sink vtable = {
    .size = sizeof(struct sluice_sink),
    .create = discard_create,
    .destroy = free,
    .start = discard_start,
    .put = discard_put,
    .stop = discard_stop,
};

static const struct sluice_descriptor sink = {
    .size = sizeof(struct sluice_descriptor),
    .kind = SLUICE_SINK,
    .class_name = "sluice.bench.DiscardSinkConnector",
    .version = "1.0",
    .doc = "Discards records, for benchmarks.",
    .options = options,
    .vtable = &vtable,
};

static const struct sluice_descriptor *const descriptors[] = {&sink, NULL};
SLUICE_PLUGIN(descriptors)
