/* Reading and writing with JsonConverter, for the cases' own sake; see vectors.h. */
#include <stdio.h>
#include <string.h>

#include "core/config/properties.h"
#include "tests/suites/vectors.h"

#define JSON_CONVERTER "org.apache.kafka.connect.json.JsonConverter"

static struct plugin_instance *converters[2][3]; /* [schemas.enable][role] */

static int make(bool schemas, enum sluice_converter_role role)
{
    static const char *const roles[] = {"key", "value", "header"};
    struct plugin_instance **instance = &converters[schemas][role];
    struct error error = {0};
    struct properties properties = {0};
    properties_set(&properties, "schemas.enable", schemas ? "true" : "false");
    properties_set(&properties, "replace.null.with.default", "false");
    properties_set(&properties, "converter.type", roles[role]);
    int result = plugin_instance_create(&vectors_environment, SLUICE_CONVERTER, JSON_CONVERTER,
                                        instance, &error);
    if (result == 0) {
        result = plugin_instance_configure(*instance, &properties, &error);
    }
    properties_finish(&properties);
    if (result == 0) {
        const struct sluice_converter *vtable = (*instance)->descriptor->vtable;
        if (vtable->configure((*instance)->self, JSON_CONVERTER, (*instance)->config, role) ==
            SLUICE_OK) {
            return 0;
        }
    }
    fprintf(stderr, "vectors: no JsonConverter: %s\n",
            error.message ? error.message : "configure() failed");
    error_clear(&error);
    return -1;
}

int vectors_json_init(void)
{
    for (int i = 0; i < 6; i++) {
        if (make(i >= 3, i % 3) != 0) {
            return -1;
        }
    }
    return 0;
}

void vectors_json_finish(void)
{
    for (int i = 0; i < 6; i++) {
        plugin_instance_destroy(converters[i >= 3][i % 3]);
    }
}

json_t *vector_json(const struct sluice_value *value)
{
    struct sluice_span text;
    json_t *made;
    switch (data_api.type(value)) {
    case SLUICE_NULL:
        return json_null();
    case SLUICE_BOOLEAN:
        return json_boolean(data_api.boolean(value));
    case SLUICE_INT64:
        return json_integer(data_api.integer(value));
    case SLUICE_FLOAT64:
        return json_real(data_api.real(value));
    case SLUICE_STRING:
        text = data_api.text(value);
        return json_stringn_nocheck(text.data, text.size);
    case SLUICE_ARRAY:
        made = json_array();
        for (size_t i = 0; i < data_api.count(value); i++) {
            json_array_append_new(made, vector_json(data_api.at(value, i)));
        }
        return made;
    default:
        made = json_object();
        for (size_t i = 0; i < data_api.count(value); i++) {
            text = data_api.text(data_api.key_at(value, i));
            json_object_setn_new_nocheck(made, text.data, text.size,
                                         vector_json(data_api.at(value, i)));
        }
        return made;
    }
}

bool vector_read(struct vector_case *run, bool schemas, enum sluice_converter_role role,
                 const char *topic, const char *header, struct sluice_span text,
                 const struct sluice_schema **ret_schema, const struct sluice_value **ret_value,
                 struct plugin_failure *ret_failure)
{
    *ret_schema = NULL;
    *ret_value = NULL;
    if (!text.data) {
        return true;
    }
    struct plugin_instance *instance = converters[schemas][role];
    const struct sluice_converter *vtable = instance->descriptor->vtable;
    plugin_failure_reset();
    enum sluice_result result = vtable->to_connect(instance->self, run->batch, topic, header, text,
                                                   ret_schema, ret_value);
    if (result != SLUICE_OK) {
        plugin_failure_take(ret_failure, result, instance, "to_connect()");
    }
    return result == SLUICE_OK;
}

bool vector_write(struct vector_case *run, bool schemas, enum sluice_converter_role role,
                  const char *topic, const char *header, const struct sluice_schema *schema,
                  const struct sluice_value *value, struct sluice_span *ret_text,
                  struct plugin_failure *ret_failure)
{
    struct plugin_instance *instance = converters[schemas][role];
    const struct sluice_converter *vtable = instance->descriptor->vtable;
    *ret_text = (struct sluice_span){NULL, 0};
    plugin_failure_reset();
    enum sluice_result result = vtable->from_connect(instance->self, run->batch, topic, header,
                                                     schema, value, ret_text);
    if (result != SLUICE_OK) {
        plugin_failure_take(ret_failure, result, instance, "from_connect()");
    }
    return result == SLUICE_OK;
}
