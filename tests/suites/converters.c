/*
 * Cases of converters (converters.jsonl): bytes read and written back, and data written; see
 * vectors.h.
 */
#include <stdio.h>
#include <string.h>

#include "core/config/properties.h"
#include "tests/suites/vectors.h"

#define TOPIC "topic"
#define HEADER "h"

static enum sluice_converter_role role_of(const json_t *test)
{
    const char *kind = vector_text(test, "kind");
    return strcmp(kind, "key") == 0     ? SLUICE_CONVERT_KEY
           : strcmp(kind, "value") == 0 ? SLUICE_CONVERT_VALUE
                                        : SLUICE_CONVERT_HEADER;
}

/* NULL: it failed, ret_failure says why. */
static struct plugin_instance *make(const json_t *test, struct plugin_failure *ret_failure)
{
    const char *class_name = vector_text(test, "class"), *name;
    struct properties properties = {0};
    struct plugin_instance *instance = NULL;
    json_t *value;
    json_object_foreach(json_object_get(test, "config"), name, value)
    {
        if (json_is_string(value)) { /* null: the default */
            properties_set(&properties, name, json_string_value(value));
        }
    }
    properties_set(&properties, "converter.type", vector_text(test, "kind"));
    int made = plugin_instance_create(
        &vectors_environment,
        strstr(class_name, "SimpleHeader") ? SLUICE_HEADER_CONVERTER : SLUICE_CONVERTER, class_name,
        &instance, &ret_failure->error);
    if (made == 0) {
        made = plugin_instance_configure(instance, &properties, &ret_failure->error);
    }
    properties_finish(&properties);
    if (made == 0) {
        plugin_failure_reset();
        const struct sluice_converter *vtable = instance->descriptor->vtable;
        enum sluice_result result =
            vtable->configure(instance->self, class_name, instance->config, role_of(test));
        if (result == SLUICE_OK) {
            return instance;
        }
        plugin_failure_take(ret_failure, result, instance, "configure()");
    }
    plugin_instance_destroy(instance);
    return NULL;
}

/* The schema a case gives instead of the data's: the items of an array that is read; "null": none. */
static bool read_schema(struct vector_case *run, struct sluice_span text,
                        const struct sluice_schema **ret_schema,
                        struct plugin_failure *ret_failure)
{
    const struct sluice_value *ignored;
    *ret_schema = NULL;
    if (text.size == 4 && memcmp(text.data, "null", 4) == 0) {
        return true;
    }
    static const char before[] = "{\"schema\":{\"type\":\"array\",\"items\":";
    static const char after[] = "},\"payload\":[]}";
    size_t size = text.size + sizeof(before) + sizeof(after);
    char *json = arena_alloc(batch_arena(run->batch), size);
    int length = snprintf(json, size, "%s%.*s%s", before, (int)text.size, text.data, after);
    if (!vector_read(run, true, SLUICE_CONVERT_VALUE, TOPIC, NULL,
                     (struct sluice_span){json, (size_t)length}, ret_schema, &ignored,
                     ret_failure)) {
        return false;
    }
    records_api.set_value(records_api.add(run->batch, TOPIC), *ret_schema, ignored);
    *ret_schema = data_api.schema_value(*ret_schema);
    return true;
}

/* Schema and value of a case that writes; a record keeps the schema alive, as in a host. */
static bool read_data(struct vector_case *run, const struct sluice_schema **ret_schema,
                      const struct sluice_value **ret_value, struct plugin_failure *ret_failure)
{
    json_t *instead = json_object_get(run->test, "schema");
    if (!vector_read(run, true, SLUICE_CONVERT_VALUE, TOPIC, NULL,
                     vector_span(json_object_get(run->test, "data")), ret_schema, ret_value,
                     ret_failure)) {
        return false;
    }
    if (*ret_schema) {
        records_api.set_value(records_api.add(run->batch, TOPIC), *ret_schema, *ret_value);
    }
    return !json_is_string(instead) ||
           read_schema(run, vector_span(instead), ret_schema, ret_failure);
}

static bool same_output(struct vector_case *run, struct sluice_span got)
{
    struct sluice_span expected = vector_bytes(run, "out_b64");
    bool json = strstr(vector_text(run->test, "class"), "JsonConverter") != NULL;
    const char *enabled = vector_text(json_object_get(run->test, "config"), "schemas.enable");
    bool envelope = !enabled || strcmp(enabled, "true") == 0;
    return (!json && expected.data && got.data && vector_same_printed(expected, got)) ||
           vector_same_json(run, "out", envelope, expected, got);
}

/* stage: of what runs, for errors. */
static bool run_converter(struct vector_case *run, struct plugin_instance *instance,
                          const char **stage, struct plugin_failure *failure, bool *ret_failed)
{
    json_t *test = run->test;
    const struct sluice_converter *vtable = instance->descriptor->vtable;
    const struct sluice_schema *schema = NULL;
    const struct sluice_value *value = NULL;
    const char *error_stage = vector_text(json_object_get(test, "error"), "stage");
    plugin_failure_reset();
    if (strcmp(vector_text(test, "mode"), "bytes") == 0) {
        *stage = "to_connect";
        enum sluice_result result = vtable->to_connect(instance->self, run->batch, TOPIC, HEADER,
                                                       vector_bytes(run, "in_b64"), &schema, &value);
        *ret_failed = result != SLUICE_OK;
        if (*ret_failed) {
            plugin_failure_take(failure, result, instance, "to_connect()");
            return false;
        }
        if (error_stage && strcmp(error_stage, "to_connect") == 0) {
            vector_wrong(run, "to_connect did not fail");
            return false;
        }
        if (!vector_same_schema(run, "schema", json_object_get(test, "schema_out"), schema)) {
            return false;
        }
    } else {
        *stage = "input";
        *ret_failed = !read_data(run, &schema, &value, failure);
        if (*ret_failed) {
            return false;
        }
    }
    if (!vector_same_typed(run, "value", json_object_get(test, "value"), value)) {
        return false;
    }
    struct sluice_span out = {NULL, 0};
    *stage = "from_connect";
    plugin_failure_reset();
    enum sluice_result result =
        vtable->from_connect(instance->self, run->batch, TOPIC, HEADER, schema, value, &out);
    *ret_failed = result != SLUICE_OK;
    if (*ret_failed) {
        plugin_failure_take(failure, result, instance, "from_connect()");
        return false;
    }
    if (error_stage) {
        vector_wrong(run, "from_connect did not fail: %.*s", (int)out.size,
                     out.data ? out.data : "");
        return false;
    }
    return same_output(run, out);
}

enum outcome vectors_converter(struct vector_case *run)
{
    struct plugin_failure failure = {.record = -1};
    const char *stage = "configure";
    bool has_failed = true, same = false;
    struct plugin_instance *instance = make(run->test, &failure);
    if (instance) {
        same = run_converter(run, instance, &stage, &failure, &has_failed);
    }
    if (has_failed) {
        same = vector_same_failure(run, json_object_get(run->test, "error"), stage, &failure.error);
    }
    plugin_instance_destroy(instance);
    error_clear(&failure.error);
    return same ? PASSED : WRONG;
}
