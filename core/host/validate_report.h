/* The answer of a validation, as ConfigInfos of the admin API has it. [main thread] */
#ifndef CORE_HOST_VALIDATE_REPORT_H
#define CORE_HOST_VALIDATE_REPORT_H

#include <jansson.h>

#include "core/config/config.h"

struct validate_report {
    json_t *configs, *groups;
    json_t *unknown; /* names that nobody knows */
    int error_count;
};

void validate_report_init(struct validate_report *report);
void validate_report_finish(struct validate_report *report);
/**
 * Adds a key. option NULL: nobody defines it. name: with its prefix, also that of the definition;
 * shown (may be NULL): what stands for the value.
 */
void validate_report_add(struct validate_report *report, const struct sluice_option *option,
                         const char *name, const char *shown, char *const *errors,
                         size_t error_count);
/** Adds a key that was described elsewhere; takes over all that is JSON. */
void validate_report_put(struct validate_report *report, json_t *definition, const char *name,
                         json_t *value, json_t *errors);
/** Errors of the entry number i, one more: before the others or behind them. */
void validate_report_error(struct validate_report *report, size_t i, const char *message, bool first);

#endif
