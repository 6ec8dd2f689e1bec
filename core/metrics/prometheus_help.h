/* One sentence on each metric of ours and Connect's, for `# HELP`. [any thread] */
#ifndef CORE_METRICS_PROMETHEUS_HELP_H
#define CORE_METRICS_PROMETHEUS_HELP_H

/** name: as /metrics has it. NULL: a plugin's own. */
const char *prometheus_help(const char *name);

#endif
