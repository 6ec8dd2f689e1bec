/* A chain out of properties text and transforms.so, predicates.so as built; for unit tests. */
#ifndef TESTS_CHAINS_H
#define TESTS_CHAINS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/data/batch.h"
#include "core/host/chain.h"
#include "core/plugin/registry.h"
#include "tests/support/built_plugins.h"

static struct plugin_environment environment;

static int load_plugins(void **state)
{
    (void)state;
    environment = (struct plugin_environment){.registry = built_plugins(), .log_context = ""};
    return registry_count(environment.registry) > 0 ? 0 : -1;
}

static int unload_plugins(void **state)
{
    (void)state;
    registry_destroy(environment.registry);
    return 0;
}

/* NULL with error where the chain cannot be made. */
static struct chain *make_chain(const char *properties_text, struct error *error)
{
    struct properties properties = {0};
    struct error ignored = {0};
    if (properties_load(&properties, properties_text, strlen(properties_text), "test", &ignored) !=
        0) {
        fail_msg("%s", ignored.message);
    }
    struct chain *chain = NULL;
    if (chain_create(&environment, &properties, &chain, error) != 0) {
        chain = NULL;
    }
    properties_finish(&properties);
    return chain;
}

static const struct sluice_value *value_of(struct sluice_batch *batch, const char *json)
{
    struct sluice_value *value = NULL;
    struct sluice_json_error error = {.size = sizeof(error)};
    if (!json) {
        return NULL;
    }
    if (data_api.from_json(batch, json, strlen(json), SLUICE_JSON_STRICT, &value, &error) !=
        SLUICE_OK) {
        fail_msg("%s: %s", json, error.message);
    }
    return value;
}

static inline struct sluice_record *sink_record(struct sluice_batch *batch, const char *topic,
                                                const char *json)
{
    struct sluice_record *record =
        batch_add_sink(batch, topic, 1, 42, 1000, SLUICE_TIMESTAMP_CREATE,
                       (struct sluice_span){NULL, 0}, (struct sluice_span){NULL, 0});
    records_api.set_value(record, NULL, value_of(batch, json));
    return record;
}

/*
 * What a chain makes of a JSON value: the JSON that comes out, "(dropped)", or "class: message".
 * Owned by the caller.
 */
static inline char *outcome(struct chain *chain, const char *topic, const char *json)
{
    struct sluice_batch *batch = batch_new(NULL);
    struct sluice_record *record = sink_record(batch, topic, json);
    enum sluice_result result = chain_apply(chain, record, NULL);
    char *text = NULL;
    if (result == SLUICE_OK) {
        struct sluice_span out = data_api.to_json(batch, records_api.value(record));
        text = strndup(out.data, out.size);
    } else if (result == SLUICE_DROP) {
        text = strdup("(dropped)");
    } else {
        struct plugin_failure failure;
        chain_failure_take(chain, result, &failure);
        const char *name = failure.error.java_class ? failure.error.java_class : "?";
        if (asprintf(&text, "%s: %s", strrchr(name, '.') ? strrchr(name, '.') + 1 : name,
                     failure.error.message) < 0) {
            text = NULL;
        }
        error_clear(&failure.error);
    }
    records_api.release(batch);
    return text;
}

#endif
