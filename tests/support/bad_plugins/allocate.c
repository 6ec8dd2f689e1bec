/* Takes memory in put() until there is none, and does not ask whether it got any. */
#include "bad_sink.h"

#include <stdlib.h>
#include <string.h>

enum { STEP = 1 << 20 };

static char *last;

static enum sluice_result put(void *self, struct sluice_batch *batch)
{
    (void)self;
    while (bad_host->records->count(batch) > 0) {
        char *more = malloc(STEP);
        memset(more, 1, STEP);
        memcpy(more, &last, sizeof(last)); /* kept for ever */
        last = more;
    }
    return SLUICE_OK;
}

static const struct sluice_sink bad_vtable = {
    .size = sizeof(struct sluice_sink),
    .create = bad_create,
    .destroy = bad_destroy,
    .start = bad_start,
    .put = put,
    .stop = good_stop,
};

BAD_SINK("bad.Allocate", "Takes memory without end in put.");
SLUICE_PLUGIN(bad_descriptors)
