/*
 * Prometheus text (format 0.0.4) out of hosts' pages. Names by rule from Connect's JMX names:
 * kafka_connect_<type>_<attribute>{connector=,task=}, `-` as `_`. [one thread]
 */
#ifndef CORE_METRICS_PROMETHEUS_H
#define CORE_METRICS_PROMETHEUS_H

#include <stddef.h>

#include "core/metrics/page.h"

struct prometheus_sample;

struct prometheus {
    struct prometheus_sample *samples;
    size_t count, capacity;
    int failed;
};

void prometheus_init(struct prometheus *out);
/** Every number of a page. */
void prometheus_page(struct prometheus *out, const char *connector, int task,
                     const struct metrics_page *page);
/** connector-task-metrics status: a gauge of 1 with the state as a label. */
void prometheus_status(struct prometheus *out, const char *connector, int task, const char *state);
void prometheus_worker(struct prometheus *out, size_t connectors, size_t tasks);
/** The text, owned by the caller, NULL without memory; out is empty then. */
char *prometheus_take(struct prometheus *out);

#endif
