/* What this plugin offers. */
#ifndef KINESIS_PLUGIN_H
#define KINESIS_PLUGIN_H

#include <sluice/plugin.h>

extern const struct sluice_source kinesis_source;
extern const struct sluice_sink kinesis_sink;

#endif
