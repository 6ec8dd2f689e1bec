/* What this plugin offers. */
#ifndef S3_PLUGIN_H
#define S3_PLUGIN_H

#include <sluice/plugin.h>

extern const struct sluice_sink s3_sink;
extern const struct sluice_source s3_source;

#endif
