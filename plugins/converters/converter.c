/* What converters share (converter.h). Stateless: [any thread]. */
#include "plugins/converters/converter.h"

#include <stdlib.h>
#include <string.h>

const char *const converter_types[] = {"key", "value", "header", NULL};
const struct sluice_option converter_options[] = {CONVERTER_TYPE_OPTION, {.name = NULL}};

void *converter_create(const struct sluice_host *host, size_t size)
{
    struct converter *converter = calloc(1, size);
    if (converter) {
        converter->host = host;
        converter->data = host->data;
        converter->records = host->records;
    }
    return converter;
}

void converter_destroy(void *self)
{
    free(self);
}

enum sluice_result converter_configure(void *self, const char *class_name,
                                       const struct sluice_config *config,
                                       enum sluice_converter_role role)
{
    (void)self;
    (void)class_name;
    (void)config;
    (void)role;
    return SLUICE_OK;
}

struct sluice_span converter_copy(const struct converter *converter, struct sluice_batch *batch,
                                  const void *data, size_t size)
{
    char *copy = converter->records->alloc(batch, size + 1);
    if (size > 0) {
        memcpy(copy, data, size);
    }
    return (struct sluice_span){copy, size};
}
