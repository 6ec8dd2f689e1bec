/* Data to JSON payloads, checked against their schemas (json.h). [task thread] */
#include <stdlib.h>
#include <string.h>

#include "lib/util/decimal_scale.h"
#include "plugins/converters/json.h"

enum sluice_result json_check_room(struct json_converter *self)
{
    if (self->out.failed) {
        return BAD_RECORD(&self->base, "The record's JSON takes more than %zu bytes, or memory is out",
                          self->out.max);
    }
    return SLUICE_OK;
}

static void append(struct json_converter *self, const char *text)
{
    (void)buffer_append(&self->out, text, strlen(text));
}

static void append_json(struct json_converter *self, struct sluice_batch *batch,
                        const struct sluice_value *value)
{
    struct sluice_span json = self->base.data->to_json(batch, value);
    (void)buffer_append(&self->out, json.data, json.size);
}

static enum sluice_result wrong_class(struct json_converter *self, const struct sluice_schema *schema,
                                      const struct sluice_value *value)
{
    enum sluice_type type = self->base.data->schema_type(schema);
    return BAD_RECORD(&self->base, "Invalid type for %s: class %s",
                      type == SLUICE_BYTES ? "bytes type" : type_name(type),
                      java_class(self->base.data, value));
}

/* -- logical types -- */

static enum sluice_result write_decimal(struct json_converter *self, struct sluice_batch *batch,
                                        const struct sluice_schema *schema,
                                        const struct sluice_value *value)
{
    const struct sluice_data *data = self->base.data;
    if (data->type(value) != SLUICE_DECIMAL) {
        return BAD_RECORD(&self->base, "Invalid type for Decimal, expected BigDecimal but was class %s",
                          java_class(self->base.data, value));
    }
    if (self->numeric) {
        struct sluice_span text = data->to_text(batch, value);
        (void)buffer_append(&self->out, text.data, text.size);
        return SLUICE_OK;
    }
    char message[160];
    const char *refused = decimal_scale_refused(data, schema, value, message, sizeof(message));
    if (refused) {
        return self->base.host->error(self->base.host, SLUICE_BAD_RECORD, refused, "%s", message);
    }
    append_json(self, batch, value);
    return SLUICE_OK;
}

static enum sluice_result write_date(struct json_converter *self, const struct sluice_value *value,
                                     enum logical logical)
{
    static const char *const names[] = {
        [LOGICAL_DATE] = "Date", [LOGICAL_TIME] = "Time", [LOGICAL_TIMESTAMP] = "Timestamp"};
    const struct sluice_data *data = self->base.data;
    if (data->type(value) != SLUICE_DATE) {
        return BAD_RECORD(&self->base, "Invalid type for %s, expected Date but was class %s",
                          names[logical], java_class(self->base.data, value));
    }
    int64_t number = data->integer(value);
    if (logical == LOGICAL_DATE) {
        if (number % MS_PER_DAY != 0) {
            return BAD_RECORD(&self->base, "Kafka Connect Date type should not have any time fields set "
                                           "to non-zero values.");
        }
        number = (int32_t)(number / MS_PER_DAY); /* cut to an int, as Date.fromLogical does */
    } else if (logical == LOGICAL_TIME && (number < 0 || number > MS_PER_DAY)) {
        return BAD_RECORD(&self->base, "Kafka Connect Time type should not have any date fields set to "
                                       "non-zero values.");
    }
    (void)buffer_printf(&self->out, "%lld", (long long)number);
    return SLUICE_OK;
}

/* -- containers -- */

static enum sluice_result write_array(struct json_converter *self, struct sluice_batch *batch,
                                      const struct sluice_schema *schema,
                                      const struct sluice_value *value)
{
    const struct sluice_data *data = self->base.data;
    const struct sluice_schema *element = schema ? data->schema_value(schema) : NULL;
    append(self, "[");
    for (size_t i = 0; i < data->count(value); i++) {
        if (i > 0) {
            append(self, ",");
        }
        enum sluice_result result = json_write(self, batch, element, data->at(value, i));
        if (result != SLUICE_OK) {
            return result;
        }
    }
    append(self, "]");
    return SLUICE_OK;
}

static bool has_only_string_keys(const struct sluice_data *data, const struct sluice_value *map)
{
    for (size_t i = 0; i < data->count(map); i++) {
        if (data->type(data->key_at(map, i)) != SLUICE_STRING) {
            return false;
        }
    }
    return true;
}

static enum sluice_result write_map(struct json_converter *self, struct sluice_batch *batch,
                                    const struct sluice_schema *schema,
                                    const struct sluice_value *value)
{
    const struct sluice_data *data = self->base.data;
    const struct sluice_schema *key_schema = schema ? data->schema_key(schema) : NULL;
    const struct sluice_schema *value_schema = schema ? data->schema_value(schema) : NULL;
    if (schema && !key_schema) { /* of an empty map, as SimpleHeaderConverter reads one */
        return self->base.host->error(self->base.host, SLUICE_BAD_RECORD, NULL_POINTER,
                                      "The map's schema has no schema of keys");
    }
    bool object = key_schema ? data->schema_type(key_schema) == SLUICE_STRING
                             : has_only_string_keys(data, value);
    append(self, object ? "{" : "[");
    for (size_t i = 0; i < data->count(value); i++) {
        const struct sluice_value *key = data->key_at(value, i);
        append(self, i == 0 ? "" : ",");
        append(self, object ? "" : "[");
        enum sluice_result result = SLUICE_OK;
        if (object && data->type(key) == SLUICE_NULL && key_schema && data->schema_optional(key_schema)) {
            append(self, "\"null\"");
        } else {
            result = json_write(self, batch, key_schema, key);
        }
        append(self, object ? ":" : ",");
        if (result == SLUICE_OK) {
            result = json_write(self, batch, value_schema, data->at(value, i));
        }
        if (result != SLUICE_OK) {
            return result;
        }
        append(self, object ? "" : "]");
    }
    append(self, object ? "}" : "]");
    return SLUICE_OK;
}

static enum sluice_result write_struct(struct json_converter *self, struct sluice_batch *batch,
                                       const struct sluice_schema *schema,
                                       const struct sluice_value *value)
{
    const struct sluice_data *data = self->base.data;
    if (!schema || !data->schema_equal(data->struct_schema(value), schema)) {
        return BAD_RECORD(&self->base, "Mismatching schema.");
    }
    append(self, "{");
    for (size_t i = 0; i < data->schema_field_count(schema); i++) {
        append(self, i == 0 ? "" : ",");
        append_json(self, batch, data->key_at(value, i));
        append(self, ":");
        enum sluice_result result =
            json_write(self, batch, data->schema_field(schema, i), data->at(value, i));
        if (result != SLUICE_OK) {
            return result;
        }
    }
    append(self, "}");
    return SLUICE_OK;
}

enum sluice_result json_write(struct json_converter *self, struct sluice_batch *batch,
                              const struct sluice_schema *schema, const struct sluice_value *value)
{
    const struct sluice_data *data = self->base.data;
    enum sluice_type type = data->type(value);
    if (type == SLUICE_NULL) {
        const struct sluice_value *fallback = schema ? data->schema_default(schema) : NULL;
        if (fallback && !self->keep_null) {
            return json_write(self, batch, schema, fallback);
        }
        if (schema && !data->schema_optional(schema)) {
            return BAD_RECORD(&self->base, "Conversion error: null value for field that is required and "
                                           "has no default value");
        }
        append(self, "null");
        return json_check_room(self);
    }
    enum sluice_result result = SLUICE_OK;
    enum logical logical = schema ? json_logical(self, schema) : LOGICAL_NONE;
    if (logical == LOGICAL_DECIMAL) {
        result = write_decimal(self, batch, schema, value);
    } else if (logical != LOGICAL_NONE) {
        result = write_date(self, value, logical);
    } else if (!schema && (type == SLUICE_DECIMAL || type == SLUICE_DATE)) {
        result = BAD_RECORD(&self->base, "Java class class %s does not have corresponding schema type.",
                            java_class(self->base.data, value));
    } else if (schema && data->schema_type(schema) != type) {
        result = wrong_class(self, schema, value);
    } else if (type == SLUICE_ARRAY) {
        result = write_array(self, batch, schema, value);
    } else if (type == SLUICE_MAP) {
        result = write_map(self, batch, schema, value);
    } else if (type == SLUICE_STRUCT) {
        result = write_struct(self, batch, schema, value);
    } else {
        append_json(self, batch, value);
    }
    return result == SLUICE_OK ? json_check_room(self) : result;
}
