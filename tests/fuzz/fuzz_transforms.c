/*
 * A transform with any configuration on any JSON value. Input: a properties text (a chain's, with
 * `transforms=..`), a line `--`, then JSON. What comes out has to be JSON again, and the same each
 * time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/data/batch.h"
#include "core/host/chain.h"
#include "core/plugin/registry.h"
#include "tests/support/built_plugins.h"

static struct plugin_environment environment;

static void load(void)
{
    environment = (struct plugin_environment){.registry = built_plugins(), .log_context = ""};
    if (registry_count(environment.registry) == 0) {
        abort();
    }
}

/* JSON that came out, or what failed; owned by the caller. */
static char *run(struct chain *chain, const char *json, size_t size)
{
    struct sluice_batch *batch = batch_new(NULL);
    struct sluice_value *value = NULL;
    struct sluice_json_error json_error = {.size = sizeof(json_error)};
    char *text = NULL;
    if (data_api.from_json(batch, json, size, 0, &value, &json_error) == SLUICE_OK) {
        struct sluice_record *record =
            batch_add_sink(batch, "topic", 1, 42, 1000, SLUICE_TIMESTAMP_CREATE,
                           (struct sluice_span){NULL, 0}, (struct sluice_span){NULL, 0});
        records_api.set_key(record, NULL, value);
        records_api.set_value(record, NULL, value);
        enum sluice_result result = chain_apply(chain, record, NULL);
        if (result == SLUICE_OK) {
            struct sluice_value *again = NULL;
            struct sluice_span out = data_api.to_json(batch, records_api.value(record));
            if (data_api.from_json(batch, out.data, out.size, SLUICE_JSON_STRICT, &again,
                                   &json_error) != SLUICE_OK) {
                fprintf(stderr, "%s\n%.*s\n", json_error.message, (int)out.size, out.data);
                abort();
            }
            text = strndup(out.data, out.size);
        } else if (result != SLUICE_DROP) {
            struct plugin_failure failure;
            chain_failure_take(chain, result, &failure);
            if (!failure.error.message || strncmp(failure.error.message, "apply() of ", 11) == 0) {
                abort();
            }
            text = strdup(failure.error.message);
            error_clear(&failure.error);
        }
    }
    records_api.release(batch);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!environment.registry) {
        load();
    }
    const char *text = (const char *)data;
    const char *line = memmem(text, size, "\n--\n", 4);
    if (!line) {
        return 0;
    }
    const char *json = line + 4;
    size_t json_size = size - (size_t)(json - text);
    struct properties properties = {0};
    struct error error = {0};
    struct chain *chain = NULL;
    if (properties_load(&properties, text, (size_t)(line - text), "fuzz", &error) == 0 &&
        chain_create(&environment, &properties, &chain, &error) == 0 && chain) {
        char *first = run(chain, json, json_size), *second = run(chain, json, json_size);
        if ((first == NULL) != (second == NULL) || (first && strcmp(first, second) != 0)) {
            fprintf(stderr, "%s\n%s\n", first, second);
            abort();
        }
        free(first);
        free(second);
    }
    chain_destroy(chain);
    error_clear(&error);
    properties_finish(&properties);
    return 0;
}
