/* Built, it says, for an interface that does not exist. */
#include "bad_sink.h"

static const struct sluice_sink bad_vtable = {
    .size = sizeof(struct sluice_sink),
    .create = bad_create,
    .destroy = bad_destroy,
    .start = bad_start,
    .put = good_put,
    .stop = good_stop,
};

BAD_SINK("bad.WrongAbi", "Built for another interface.");

const struct sluice_entry *sluice_plugin_entry(void)
{
    static const struct sluice_entry entry = {
        .magic = SLUICE_ABI_MAGIC,
        .abi_major = 99,
        .abi_minor = 7,
        .size = sizeof(struct sluice_entry),
        .descriptors = bad_descriptors,
    };
    return &entry;
}
