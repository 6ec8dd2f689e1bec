/* Calls a function that no library has. */
#include "bad_sink.h"

void bad_function_of_no_library(void);

static enum sluice_result put(void *self, struct sluice_batch *batch)
{
    (void)self;
    (void)batch;
    bad_function_of_no_library();
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

BAD_SINK("bad.MissingSymbol", "Calls a function that is nowhere.");
SLUICE_PLUGIN(bad_descriptors)
