/* What rest.so offers; one descriptor per class. */
#ifndef CONNECTORS_REST_REST_H
#define CONNECTORS_REST_REST_H

#include <stdlib.h>

#include <sluice/plugin.h>

extern const struct sluice_descriptor rest_source_descriptor;
extern const struct sluice_descriptor rest_converter_descriptor;

#endif
