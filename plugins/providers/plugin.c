/* The config providers that Kafka has built in (kafka-connect.md §9.1). */
#include "plugins/providers/providers.h"

static const struct sluice_descriptor *const descriptors[] = {&file_provider, &directory_provider,
                                                              &env_provider, NULL};
SLUICE_PLUGIN(descriptors)
