/* Uses a NULL pointer in put(), two calls deep. */
#include "bad_sink.h"

static const volatile int *volatile nothing; /* what the compiler cannot know to be NULL */

static __attribute__((noinline)) int read_length(const volatile int *length)
{
    return *length;
}

static enum sluice_result put(void *self, struct sluice_batch *batch)
{
    (void)self;
    int length = bad_host->records->count(batch) > 0 ? read_length(nothing) : 0;
    return length >= 0 ? SLUICE_OK : SLUICE_RETRY;
}

static const struct sluice_sink bad_vtable = {
    .size = sizeof(struct sluice_sink),
    .create = bad_create,
    .destroy = bad_destroy,
    .start = bad_start,
    .put = put,
    .stop = good_stop,
};

BAD_SINK("bad.NullDeref", "Uses a NULL pointer in put.");
SLUICE_PLUGIN(bad_descriptors)
