/* What this plugin offers. */
#ifndef HTTP_PLUGIN_H
#define HTTP_PLUGIN_H

#include <sluice/plugin.h>

extern const struct sluice_sink http_sink;
extern const struct sluice_option http_sink_options[];
extern const struct sluice_source http_source;
extern const struct sluice_option http_source_options[];

#endif
