/*
 * Any bytes through a converter and back. The first byte says which converter; SimpleHeaderConverter's
 * reading of headers is half of them. What could be read can be written, or fails with words.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sluice/converter.h>

#include "core/config/properties.h"
#include "core/data/batch.h"
#include "core/plugin/instance.h"
#include "core/plugin/registry.h"
#include "tests/support/built_plugins.h"

#define CONNECT "org.apache.kafka.connect."

static const struct {
    const char *kind, *class_name, *key, *value;
} kinds[] = {
    {SLUICE_HEADER_CONVERTER, CONNECT "storage.SimpleHeaderConverter", "x", "x"},
    {SLUICE_CONVERTER, CONNECT "json.JsonConverter", "schemas.enable", "true"},
    {SLUICE_HEADER_CONVERTER, CONNECT "storage.SimpleHeaderConverter", "x", "x"},
    {SLUICE_CONVERTER, CONNECT "json.JsonConverter", "schemas.enable", "false"},
    {SLUICE_HEADER_CONVERTER, CONNECT "storage.SimpleHeaderConverter", "x", "x"},
    {SLUICE_CONVERTER, CONNECT "storage.StringConverter", "converter.encoding", "UTF-16"},
    {SLUICE_HEADER_CONVERTER, CONNECT "storage.SimpleHeaderConverter", "x", "x"},
    {SLUICE_CONVERTER, CONNECT "converters.DoubleConverter", "x", "x"},
};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static struct plugin_environment environment;
static struct plugin_instance *instances[KINDS];

static void make(size_t i)
{
    struct properties properties = {0};
    struct error error = {0};
    properties_set(&properties, kinds[i].key, kinds[i].value);
    properties_set(&properties, "converter.type", "header");
    if (plugin_instance_create(&environment, kinds[i].kind, kinds[i].class_name, &instances[i],
                               &error) != 0 ||
        plugin_instance_configure(instances[i], &properties, &error) != 0) {
        fprintf(stderr, "%s\n", error.message);
        abort();
    }
    const struct sluice_converter *vtable = instances[i]->descriptor->vtable;
    if (vtable->configure(instances[i]->self, kinds[i].class_name, instances[i]->config,
                          SLUICE_CONVERT_HEADER) != SLUICE_OK) {
        abort();
    }
    properties_finish(&properties);
}

static void load(void)
{
    environment = (struct plugin_environment){.registry = built_plugins(), .log_context = ""};
    for (size_t i = 0; i < KINDS; i++) {
        make(i);
    }
}

static void take_words(enum sluice_result result, const struct plugin_instance *instance)
{
    struct plugin_failure failure;
    plugin_failure_take(&failure, result, instance, "a call");
    if (!failure.error.message) {
        abort();
    }
    error_clear(&failure.error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!environment.registry) {
        load();
    }
    if (size == 0) {
        return 0;
    }
    const struct plugin_instance *instance = instances[data[0] % KINDS];
    const struct sluice_converter *vtable = instance->descriptor->vtable;
    struct sluice_batch *batch = batch_new(NULL);
    const struct sluice_schema *schema = NULL;
    const struct sluice_value *value = NULL;
    struct sluice_span in = {(const char *)data + 1, size - 1}, out = {NULL, 0};
    plugin_failure_reset();
    enum sluice_result result =
        vtable->to_connect(instance->self, batch, "t", "h", in, &schema, &value);
    if (result == SLUICE_OK) {
        records_api.set_value(records_api.add(batch, "t"), schema, value);
        result = vtable->from_connect(instance->self, batch, "t", "h", schema, value, &out);
    }
    if (result != SLUICE_OK) {
        take_words(result, instance);
    }
    records_api.release(batch);
    return 0;
}
