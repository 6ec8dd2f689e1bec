/* Key, value and header converter of one task, as its configuration and the worker's choose them. */
#ifndef CORE_HOST_CONVERTERS_H
#define CORE_HOST_CONVERTERS_H

#include <sluice/converter.h>

#include "core/host/task.h"

struct converter {
    struct plugin_instance *instance;
    const struct sluice_converter *vtable;
    void *self;
    const char *class_name; /* for error reports */
};

struct converters {
    struct converter key, value, header;
};

/**
 * Connect's rule: where a connector names key.converter, only its own key.converter.* keys apply;
 * otherwise the worker's class with the worker's keys (kafka-connect.md §2.3).
 */
int converters_create(struct converters *converters, struct task *task, struct error *error) CHECKED;
/** Zeroed ones are fine. */
void converters_finish(struct converters *converters);

#endif
