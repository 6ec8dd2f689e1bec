/* See transform.h. */
#include "plugins/transforms/transform.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *transform_create(const struct sluice_host *host, size_t size)
{
    struct transform *transform = calloc(1, size);
    if (transform) {
        transform->host = host;
        transform->data = host->data;
        transform->records = host->records;
    }
    return transform;
}

void transform_variant(struct transform *transform, const char *class_name)
{
    const char *variant = strrchr(class_name, '$');
    transform->key = variant && strcmp(variant, "$Key") == 0;
}

void transform_null_option(struct transform *transform, const struct sluice_config *config)
{
    transform->keep_null =
        !transform->host->config->get_boolean(config, "replace.null.with.default");
}

void transform_replace(const struct transform *transform, struct sluice_record *record,
                       const struct sluice_schema *schema, const struct sluice_value *value)
{
    if (transform->key) {
        transform->records->set_key(record, schema, value);
    } else {
        transform->records->set_value(record, schema, value);
    }
}

void transform_copy_map(const struct transform *transform, struct sluice_record *record,
                        struct sluice_batch *batch, const struct sluice_value *map)
{
    const struct sluice_data *data = transform->data;
    if (strcmp(data->map_class(map), "java.util.HashMap") != 0) {
        transform_replace(transform, record, NULL, data->edit(batch, map));
    }
}

enum sluice_result require_map(const struct transform *transform, const struct sluice_value *value,
                               const char *purpose)
{
    if (transform->data->type(value) == SLUICE_MAP) {
        return SLUICE_OK;
    }
    return BAD_RECORD(transform,
                      "Only Map objects supported in absence of schema for [%s], found: %s",
                      purpose, java_class(transform->data, value));
}

enum sluice_result require_struct(const struct transform *transform,
                                  const struct sluice_value *value, const char *purpose)
{
    if (transform->data->type(value) == SLUICE_STRUCT) {
        return SLUICE_OK;
    }
    return BAD_RECORD(transform, "Only Struct objects supported for [%s], found: %s", purpose,
                      java_class(transform->data, value));
}

const struct sluice_value *struct_field(const struct transform *transform,
                                        struct sluice_batch *batch,
                                        const struct sluice_value *value, size_t i)
{
    const struct sluice_data *data = transform->data;
    const struct sluice_value *field = data->at(value, i);
    if (data->type(field) != SLUICE_NULL || transform->keep_null) {
        return field;
    }
    const struct sluice_value *instead =
        data->schema_default(data->schema_field(data->struct_schema(value), i));
    return data->type(instead) != SLUICE_NULL ? data->copy(batch, instead) : field;
}

enum sluice_result check_not_null(const struct transform *transform,
                                  const struct sluice_schema *schema, const char *name,
                                  const struct sluice_value *value)
{
    const struct sluice_data *data = transform->data;
    if (!is_null(transform, value) || data->schema_optional(schema)) {
        return SLUICE_OK;
    }
    return BAD_RECORD(transform,
                      "Invalid value: null used for required field: \"%s\", schema type: %s", name,
                      type_name(data->schema_type(schema)));
}

/* The class that values of a schema have: by its name where that is a logical type's. */
static enum sluice_type class_of(const struct sluice_data *data, const struct sluice_schema *schema)
{
    const char *name = data->schema_name(schema);
    if (!name) {
        return data->schema_type(schema);
    }
    if (strcmp(name, SLUICE_SCHEMA_DECIMAL) == 0) {
        return SLUICE_DECIMAL;
    }
    return strcmp(name, SLUICE_SCHEMA_DATE) == 0 || strcmp(name, SLUICE_SCHEMA_TIME) == 0 ||
                   strcmp(name, SLUICE_SCHEMA_TIMESTAMP) == 0
               ? SLUICE_DATE
               : data->schema_type(schema);
}

/* ConnectSchema.validateValue; as deep as the schema is. */
static enum sluice_result check_value(const struct transform *transform,
                                      const struct sluice_schema *schema,
                                      const struct sluice_value *value, const char *location)
{
    const struct sluice_data *data = transform->data;
    enum sluice_type type = data->type(value);
    char inner[400];
    enum sluice_result result = SLUICE_OK;
    if (!schema) {
        return BAD_RECORD(transform, "No schema defined for %s", location);
    }
    if (type == SLUICE_NULL) {
        return data->schema_optional(schema)
                   ? SLUICE_OK
                   : BAD_RECORD(transform,
                                "Invalid value: null used for required %s, schema type: %s",
                                location, type_name(data->schema_type(schema)));
    }
    if (type != class_of(data, schema)) {
        const char *name = data->schema_name(schema);
        return BAD_RECORD(transform,
                          "Invalid Java object for schema%s%s%s with type %s: class %s for %s",
                          name ? " \"" : "", name ? name : "", name ? "\"" : "",
                          type_name(data->schema_type(schema)), java_class(transform->data, value),
                          location);
    }
    size_t count = type == SLUICE_ARRAY || type == SLUICE_MAP || type == SLUICE_STRUCT
                       ? data->count(value)
                       : 0;
    if (type == SLUICE_STRUCT && !data->schema_equal(data->struct_schema(value), schema)) {
        return BAD_RECORD(transform, "Struct schemas do not match.");
    }
    for (size_t i = 0; i < count && result == SLUICE_OK; i++) {
        if (type == SLUICE_STRUCT) {
            result = check_field(transform, schema, i, data->at(value, i));
        } else if (type == SLUICE_ARRAY) {
            snprintf(inner, sizeof(inner), "element of array %s", location);
            result = check_value(transform, data->schema_value(schema), data->at(value, i), inner);
        } else {
            snprintf(inner, sizeof(inner), "key of map %s", location);
            result = check_value(transform, data->schema_key(schema), data->key_at(value, i), inner);
            if (result == SLUICE_OK) {
                snprintf(inner, sizeof(inner), "value of map %s", location);
                result =
                    check_value(transform, data->schema_value(schema), data->at(value, i), inner);
            }
        }
    }
    return result;
}

enum sluice_result check_field(const struct transform *transform,
                               const struct sluice_schema *schema, size_t i,
                               const struct sluice_value *value)
{
    const struct sluice_data *data = transform->data;
    struct sluice_span name = data->name_text(data->schema_field_name(schema, i));
    char location[300];
    snprintf(location, sizeof(location), "field: \"%.*s\"", (int)name.size, name.data);
    return check_value(transform, data->schema_field(schema, i), value, location);
}

enum sluice_result put_field(const struct transform *transform, struct sluice_batch *batch,
                             struct sluice_value *made, size_t i, const struct sluice_value *value)
{
    const struct sluice_data *data = transform->data;
    if (is_null(transform, value)) { /* of any other, the class is the field's */
        enum sluice_result result = check_field(transform, data->struct_schema(made), i, value);
        if (result != SLUICE_OK) {
            return result;
        }
    }
    data->set_at(batch, made, i, value);
    return SLUICE_OK;
}
