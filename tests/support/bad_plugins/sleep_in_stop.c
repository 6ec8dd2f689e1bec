/* Never returns from stop(). */
#include "bad_sink.h"

#include <unistd.h>

static void stop(void *self)
{
    (void)self;
    for (;;) {
        (void)pause();
    }
}

static const struct sluice_sink bad_vtable = {
    .size = sizeof(struct sluice_sink),
    .create = bad_create,
    .destroy = bad_destroy,
    .start = bad_start,
    .put = good_put,
    .stop = stop,
};

BAD_SINK("bad.SleepInStop", "Never returns from stop.");
SLUICE_PLUGIN(bad_descriptors)
