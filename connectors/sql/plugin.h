/* What this plugin offers. */
#ifndef SQL_PLUGIN_H
#define SQL_PLUGIN_H

#include <sluice/plugin.h>

extern const struct sluice_sink sql_sink;
extern const struct sluice_source sql_source;

#endif
