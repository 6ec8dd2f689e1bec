/*
 * Prometheus text (format 0.0.4). Names by rule from Connect's JMX names:
 * kafka_connect_<type>_<attribute>{connector=,task=}, `-` as `_`. [one thread]
 */
#ifndef CORE_METRICS_PROMETHEUS_H
#define CORE_METRICS_PROMETHEUS_H

#include <stddef.h>

#include "core/metrics/page.h"

struct prometheus_family;

struct prometheus {
    struct prometheus_family **table; /* by hash of their names */
    size_t count;
    int failed;
};

enum prometheus_type { PROMETHEUS_GAUGE, PROMETHEUS_COUNTER, PROMETHEUS_HISTOGRAM };

void prometheus_init(struct prometheus *out);
/**
 * One number. type: JMX's (`connect-worker-metrics`); labels: pairs of name and value, closed by NULL;
 * NULL: none.
 */
void prometheus_add(struct prometheus *out, const char *type, const char *attribute,
                    enum prometheus_type kind, const char *const *labels, double value);
/** Every number of a task's page, each under its JMX type. */
void prometheus_page(struct prometheus *out, const char *connector, int task,
                     const struct metrics_page *page);
/** Every number of a page, under the one type, without labels. */
void prometheus_own_page(struct prometheus *out, const char *type, const struct metrics_page *page);
/** The text, owned by the caller, NULL without memory; out is empty then. */
char *prometheus_take(struct prometheus *out);

#endif
