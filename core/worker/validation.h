/*
 * Validation of one connector configuration, in a host process with a deadline: values come of config
 * providers there, and validators are plugins'. [loop thread]
 */
#ifndef CORE_WORKER_VALIDATION_H
#define CORE_WORKER_VALIDATION_H

#include <jansson.h>

#include "core/config/properties.h"
#include "core/worker/catalog.h"
#include "core/worker/supervisor.h"

struct validation;

/** What came of it. All is borrowed for the call. */
struct validation_result {
    const char *failure; /* it could not be done (crash, deadline): why; else NULL */
    const char *failure_class, *failure_trace;
    json_t *configs;     /* [{"definition": {..}|null, "value": {name, value, errors, ..}}..] */
    json_t *groups;
    json_t *unknown; /* names of keys that nobody knows */
    int error_count;
    /* what Connect finds only when it makes the connector, before its class has a say; else NULL */
    const char *start_failure, *start_trace;
};

/** A sub-process is on its way; done comes later, once, never from within this call. */
struct validation *
validation_start(struct loop *loop, struct supervisor *supervisor, const struct catalog *catalog,
                 json_t *descriptor, json_t *config, json_t *worker, int64_t deadline_ms,
                 const char *name, void (*done)(void *user, const struct validation_result *result),
                 void *user);
/** done is not called any more. NULL is fine. */
void validation_cancel(struct validation *validation);
/** Connect's message for an answer of 400; owned by the caller. */
char *validation_message(const struct validation_result *result);
/** Definitions of a plugin's keys, as GET /connector-plugins/{p}/config has them; new reference. */
json_t *validation_definitions(json_t *descriptor);


#endif
