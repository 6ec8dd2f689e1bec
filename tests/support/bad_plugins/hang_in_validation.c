/* Never returns from validate(). */
#include "bad_sink.h"

#include <unistd.h>

static void validate(void *self, const struct sluice_config *config,
                     const struct sluice_report *report)
{
    (void)self;
    (void)config;
    (void)report;
    for (;;) {
        (void)pause();
    }
}

static const struct sluice_sink bad_vtable = {
    .size = sizeof(struct sluice_sink),
    .create = bad_create,
    .destroy = bad_destroy,
    .connector = {.validate = validate},
    .start = bad_start,
    .put = good_put,
    .stop = good_stop,
};

BAD_SINK("bad.HangInValidation", "Never returns from validate.");
SLUICE_PLUGIN(bad_descriptors)
