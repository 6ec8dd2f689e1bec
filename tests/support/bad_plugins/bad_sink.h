/* What the misbehaving sinks share: everything that is not their own fault. */
#ifndef BAD_SINK_H
#define BAD_SINK_H

#include <sluice/plugin.h>

static const struct sluice_host *bad_host; /* of the instance made last; one a process is enough */

static void *bad_create(const struct sluice_host *host)
{
    static int self;
    bad_host = host;
    return &self;
}

static void bad_destroy(void *self)
{
    (void)self;
}

static inline enum sluice_result bad_start(void *self, const struct sluice_config *config)
{
    (void)self;
    (void)config;
    return SLUICE_OK;
}

static inline enum sluice_result good_put(void *self, struct sluice_batch *batch)
{
    (void)self;
    (void)batch;
    return SLUICE_OK;
}

static inline void good_stop(void *self)
{
    (void)self;
}

/* bad_vtable is the file's own. */
#define BAD_SINK(name, text)                                                              \
    static const struct sluice_descriptor bad_descriptor = {                              \
        .size = sizeof(struct sluice_descriptor),                                         \
        .kind = SLUICE_SINK,                                                              \
        .class_name = name,                                                               \
        .version = "1.0",                                                                 \
        .doc = text,                                                                      \
        .vtable = &bad_vtable,                                                            \
    };                                                                                    \
    static const struct sluice_descriptor *const bad_descriptors[] = {&bad_descriptor, NULL}

#endif
