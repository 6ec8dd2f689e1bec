/*
 * JSON payloads to data under a schema, as leniently as JsonConverter does it: numbers out of texts are
 * 0, texts out of numbers are null; only logical types and containers insist (json.h). [task thread]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/converters/big_decimal.h"
#include "plugins/converters/json.h"

enum sluice_result json_parse(struct json_converter *self, struct sluice_batch *batch,
                              struct sluice_span text, uint32_t flags, struct sluice_value **ret_value)
{
    const struct sluice_host *host = self->base.host;
    struct sluice_json_error error; /* filled where it is needed */
    error.size = sizeof(error);
    enum sluice_result result =
        self->base.data->from_json(batch, text.data, text.size, flags, ret_value, &error);
    if (result != SLUICE_OK) {
        result = BAD_RECORD(&self->base, "Converting byte[] to Kafka Connect data failed due to "
                                         "serialization error: ");
        host->error_cause(host, SERIALIZATION_EXCEPTION, "%s at line %u, column %u", error.message,
                          (unsigned)error.line, (unsigned)error.column);
    }
    return result;
}

/** Jackson's JsonNodeType. */
static const char *node_type(const struct sluice_data *data, const struct sluice_value *json)
{
    switch (json ? data->type(json) : SLUICE_NULL) {
    case SLUICE_BOOLEAN:
        return "BOOLEAN";
    case SLUICE_STRING:
        return "STRING";
    case SLUICE_ARRAY:
        return "ARRAY";
    case SLUICE_MAP:
        return "OBJECT";
    case SLUICE_NULL:
        return "NULL";
    default:
        return "NUMBER";
    }
}

static bool is_number(const struct sluice_data *data, const struct sluice_value *json)
{
    enum sluice_type type = data->type(json);
    return type == SLUICE_INT64 || type == SLUICE_FLOAT64;
}

/** The number as it was written (numbers are parsed with SLUICE_JSON_EXACT_NUMBERS). */
static bool exact_number(struct json_converter *self, struct sluice_batch *batch,
                         const struct sluice_value *json, struct big_decimal *ret_decimal)
{
    struct sluice_span text = self->base.data->to_json(batch, json);
    char *digits = self->base.records->alloc(batch, text.size);
    return big_decimal_parse(text.data, text.size, digits, ret_decimal);
}

static int64_t long_of(struct json_converter *self, struct sluice_batch *batch,
                       const struct sluice_value *json)
{
    const struct sluice_data *data = self->base.data;
    struct big_decimal decimal;
    if (data->type(json) == SLUICE_FLOAT64 && exact_number(self, batch, json, &decimal)) {
        return big_decimal_long(&decimal);
    }
    return data->type(json) == SLUICE_INT64 ? data->integer(json) : 0;
}

static const struct sluice_value *real_of(struct json_converter *self, struct sluice_batch *batch,
                                          enum sluice_type type, const struct sluice_value *json)
{
    const struct sluice_data *data = self->base.data;
    double number = 0;
    if (is_number(data, json)) {
        struct sluice_span text = data->to_json(batch, json);
        struct sluice_span copy = converter_copy(&self->base, batch, text.data, text.size);
        ((char *)copy.data)[copy.size] = '\0';
        number = type == SLUICE_FLOAT32 ? (double)strtof(copy.data, NULL) : strtod(copy.data, NULL);
        char first = copy.data[strcspn(copy.data, "123456789eE")];
        if (number == 0 && (first < '1' || first > '9')) {
            number = 0; /* Jackson's decimal has no negative zero, but may be too small for a number */
        }
    }
    return data->new_real(batch, type, number);
}

/** 0..63, 64 for the padding, -1 for anything else. */
static int base64_digit(unsigned char c)
{
    return c >= 'A' && c <= 'Z'   ? c - 'A'
           : c >= 'a' && c <= 'z' ? c - 'a' + 26
           : c >= '0' && c <= '9' ? c - '0' + 52
           : c == '+'             ? 62
           : c == '/'             ? 63
           : c == '='             ? 64
                                  : -1;
}

/** Padded base64 with blanks only between its groups of four, as Jackson reads it. */
static bool base64_decode(struct sluice_span text, unsigned char *to, size_t *ret_size)
{
    size_t size = 0, i = 0;
    for (;;) {
        while (i < text.size && (unsigned char)text.data[i] <= ' ') {
            i++;
        }
        if (i == text.size) {
            *ret_size = size;
            return true;
        }
        if (text.size - i < 4) {
            return false;
        }
        int digit[4];
        for (int j = 0; j < 4; j++) {
            digit[j] = base64_digit((unsigned char)text.data[i + (size_t)j]);
        }
        bool ends = digit[2] == 64;
        if (digit[0] < 0 || digit[0] > 63 || digit[1] < 0 || digit[1] > 63 || digit[2] < 0 ||
            digit[3] < 0 || (ends && digit[3] != 64)) {
            return false;
        }
        uint32_t bits = (uint32_t)digit[0] << 18 | (uint32_t)digit[1] << 12 |
                        (uint32_t)(digit[2] & 63) << 6 | (uint32_t)(digit[3] & 63);
        to[size++] = (unsigned char)(bits >> 16);
        if (!ends) {
            to[size++] = (unsigned char)(bits >> 8);
            if (digit[3] != 64) {
                to[size++] = (unsigned char)bits;
            }
        }
        i += 4;
    }
}

static bool binary_of(struct json_converter *self, struct sluice_batch *batch,
                      const struct sluice_value *json, struct sluice_span *ret_bytes)
{
    struct sluice_span text = self->base.data->text(json);
    unsigned char *bytes = self->base.records->alloc(batch, text.size + 4);
    ret_bytes->data = (const char *)bytes;
    return base64_decode(text, bytes, &ret_bytes->size);
}

/* -- logical types -- */

static bool scale_of(const struct sluice_data *data, const struct sluice_schema *schema,
                     int32_t *ret_scale)
{
    for (size_t i = 0; i < data->schema_parameter_count(schema); i++) {
        const char *key, *value;
        data->schema_parameter(schema, i, &key, &value);
        if (strcmp(key, "scale") == 0) {
            char *end;
            long scale = strtol(value, &end, 10);
            *ret_scale = (int32_t)scale;
            return end != value && *end == '\0' && scale >= INT32_MIN && scale <= INT32_MAX;
        }
    }
    return false;
}

static enum sluice_result read_decimal(struct json_converter *self, struct sluice_batch *batch,
                                       const struct sluice_schema *schema,
                                       const struct sluice_value *json,
                                       const struct sluice_value **ret_value)
{
    const struct sluice_data *data = self->base.data;
    if (is_number(data, json)) {
        struct big_decimal decimal;
        if (!exact_number(self, batch, json, &decimal)) {
            return BAD_RECORD(&self->base, "Invalid bytes for Decimal field");
        }
        unsigned char *bytes = self->base.records->alloc(batch, big_decimal_room(&decimal));
        size_t size = big_decimal_unscaled(&decimal, bytes);
        *ret_value = data->new_decimal(batch, bytes, size, decimal.scale);
        return SLUICE_OK;
    }
    if (data->type(json) != SLUICE_STRING) {
        return BAD_RECORD(&self->base, "Invalid type for Decimal, underlying representation should be "
                                       "numeric or bytes but was %s",
                          node_type(data, json));
    }
    struct sluice_span bytes;
    int32_t scale;
    if (!binary_of(self, batch, json, &bytes) || bytes.size == 0 || !scale_of(data, schema, &scale)) {
        return BAD_RECORD(&self->base, "Invalid bytes for Decimal field");
    }
    *ret_value = data->new_decimal(batch, bytes.data, bytes.size, scale);
    return SLUICE_OK;
}

/** Jackson's isInt(): a whole number that was short enough for 32 bits. */
static bool is_int(struct sluice_batch *batch, const struct sluice_data *data,
                   const struct sluice_value *json)
{
    if (data->type(json) != SLUICE_INT64) {
        return false;
    }
    int64_t number = data->integer(json);
    return data->to_json(batch, json).size <= 11 && number >= INT32_MIN && number <= INT32_MAX;
}

static enum sluice_result read_date(struct json_converter *self, struct sluice_batch *batch,
                                    const struct sluice_value *json, enum logical logical,
                                    const struct sluice_value **ret_value)
{
    const struct sluice_data *data = self->base.data;
    if (logical == LOGICAL_TIMESTAMP) {
        if (data->type(json) != SLUICE_INT64) {
            return BAD_RECORD(&self->base, "Invalid type for Timestamp, underlying representation "
                                           "should be integral but was %s",
                              node_type(data, json));
        }
        *ret_value = data->new_date(batch, data->integer(json));
        return SLUICE_OK;
    }
    if (!is_int(batch, data, json)) {
        return BAD_RECORD(&self->base,
                          "Invalid type for %s, underlying representation should be integer but was %s",
                          logical == LOGICAL_DATE ? "Date" : "Time", node_type(data, json));
    }
    int64_t number = data->integer(json);
    if (logical == LOGICAL_TIME && (number < 0 || number > MS_PER_DAY)) {
        return BAD_RECORD(&self->base, "Time values must use number of milliseconds greater than 0 and "
                                       "less than 86400000");
    }
    *ret_value = data->new_date(batch, logical == LOGICAL_DATE ? number * MS_PER_DAY : number);
    return SLUICE_OK;
}

/* -- containers -- */

static enum sluice_result read_array(struct json_converter *self, struct sluice_batch *batch,
                                     const struct sluice_schema *schema,
                                     const struct sluice_value *json,
                                     const struct sluice_value **ret_value)
{
    const struct sluice_data *data = self->base.data;
    struct sluice_value *array = data->new_array(batch, data->count(json));
    for (size_t i = 0; i < data->count(json); i++) {
        const struct sluice_value *element;
        enum sluice_result result =
            json_read(self, batch, data->schema_value(schema), data->at(json, i), &element);
        if (result != SLUICE_OK) {
            return result;
        }
        data->append(batch, array, element);
    }
    *ret_value = array;
    return SLUICE_OK;
}

static enum sluice_result read_entry(struct json_converter *self, struct sluice_batch *batch,
                                     const struct sluice_schema *schema, struct sluice_value *map,
                                     const struct sluice_value *key_json,
                                     const struct sluice_value *value_json)
{
    const struct sluice_data *data = self->base.data;
    const struct sluice_value *key = key_json, *value;
    enum sluice_result result = SLUICE_OK;
    if (data->schema_type(data->schema_key(schema)) != SLUICE_STRING) {
        result = json_read(self, batch, data->schema_key(schema), key_json, &key);
    }
    if (result == SLUICE_OK) {
        result = json_read(self, batch, data->schema_value(schema), value_json, &value);
    }
    if (result == SLUICE_OK) {
        data->put_key(batch, map, key, value);
    }
    return result;
}

static enum sluice_result read_map(struct json_converter *self, struct sluice_batch *batch,
                                   const struct sluice_schema *schema, const struct sluice_value *json,
                                   const struct sluice_value **ret_value)
{
    const struct sluice_data *data = self->base.data;
    bool object = data->schema_type(data->schema_key(schema)) == SLUICE_STRING;
    if (data->type(json) != (object ? SLUICE_MAP : SLUICE_ARRAY)) {
        return BAD_RECORD(&self->base, "Maps with %s fields should be encoded as JSON %s, but found %s",
                          object ? "string" : "non-string", object ? "objects" : "array of tuples",
                          node_type(data, json));
    }
    struct sluice_value *map = data->new_map(batch, data->count(json));
    for (size_t i = 0; i < data->count(json); i++) {
        const struct sluice_value *entry = data->at(json, i);
        enum sluice_result result;
        if (object) {
            result = read_entry(self, batch, schema, map, data->key_at(json, i), entry);
        } else if (data->type(entry) != SLUICE_ARRAY) {
            return BAD_RECORD(&self->base, "Found invalid map entry instead of array tuple: %s",
                              node_type(data, entry));
        } else if (data->count(entry) != 2) {
            return BAD_RECORD(&self->base,
                              "Found invalid map entry, expected length 2 but found :%zu",
                              data->count(entry));
        } else {
            result = read_entry(self, batch, schema, map, data->at(entry, 0), data->at(entry, 1));
        }
        if (result != SLUICE_OK) {
            return result;
        }
    }
    *ret_value = map;
    return SLUICE_OK;
}

enum sluice_result json_check_nulls(struct json_converter *self, const struct sluice_schema *schema,
                                    const struct sluice_value *value, const char *place)
{
    const struct sluice_data *data = self->base.data;
    if (data->type(value) == SLUICE_NULL) {
        if (data->schema_optional(schema)) {
            return SLUICE_OK;
        }
        return BAD_RECORD(&self->base, "Invalid value: null used for required %s, schema type: %s", place,
                          type_name(data->schema_type(schema)));
    }
    enum sluice_type type = data->type(value);
    char inner[512];
    for (size_t i = 0; (type == SLUICE_ARRAY || type == SLUICE_MAP) && i < data->count(value); i++) {
        enum sluice_result result = SLUICE_OK;
        if (type == SLUICE_MAP) {
            (void)snprintf(inner, sizeof(inner), "key of map %s", place);
            result = json_check_nulls(self, data->schema_key(schema), data->key_at(value, i), inner);
        }
        if (result == SLUICE_OK) {
            (void)snprintf(inner, sizeof(inner), "%s %s",
                           type == SLUICE_MAP ? "value of map" : "element of array", place);
            result = json_check_nulls(self, data->schema_value(schema), data->at(value, i), inner);
        }
        if (result != SLUICE_OK) {
            return result;
        }
    }
    return SLUICE_OK;
}

static enum sluice_result read_struct(struct json_converter *self, struct sluice_batch *batch,
                                      const struct sluice_schema *schema,
                                      const struct sluice_value *json,
                                      const struct sluice_value **ret_value)
{
    const struct sluice_data *data = self->base.data;
    if (data->type(json) != SLUICE_MAP) {
        return BAD_RECORD(&self->base, "Structs should be encoded as JSON objects, but found %s",
                          node_type(data, json));
    }
    struct sluice_value *result_struct = data->new_struct(batch, schema);
    for (size_t i = 0; i < data->schema_field_count(schema); i++) {
        const struct sluice_schema *field = data->schema_field(schema, i);
        const struct sluice_name *name = data->schema_field_name(schema, i);
        const struct sluice_value *value;
        enum sluice_result result = json_read(self, batch, field, data->find(json, name), &value);
        if (result == SLUICE_OK) {
            char place[256];
            struct sluice_span text = data->name_text(name);
            (void)snprintf(place, sizeof(place), "field: \"%.*s\"", (int)text.size, text.data);
            result = json_check_nulls(self, field, value, place);
        }
        if (result != SLUICE_OK) {
            return result;
        }
        data->set_at(batch, result_struct, i, value);
    }
    *ret_value = result_struct;
    return SLUICE_OK;
}

enum sluice_result json_read(struct json_converter *self, struct sluice_batch *batch,
                             const struct sluice_schema *schema, const struct sluice_value *json,
                             const struct sluice_value **ret_value)
{
    const struct sluice_data *data = self->base.data;
    enum sluice_type type = data->schema_type(schema);
    *ret_value = NULL;
    if (data->type(json) == SLUICE_NULL) {
        const struct sluice_value *fallback = data->schema_default(schema);
        if (fallback && !self->keep_null) {
            *ret_value = data->copy(batch, fallback);
        } else if (!data->schema_optional(schema)) {
            return BAD_RECORD(&self->base, "Invalid null value for required %s field", type_name(type));
        }
        return SLUICE_OK;
    }
    enum logical logical = json_logical(self, schema);
    if (logical == LOGICAL_DECIMAL) {
        return read_decimal(self, batch, schema, json, ret_value);
    }
    if (logical != LOGICAL_NONE) {
        return read_date(self, batch, json, logical, ret_value);
    }
    struct sluice_span bytes;
    switch (type) {
    case SLUICE_INT8:
    case SLUICE_INT16:
    case SLUICE_INT32:
    case SLUICE_INT64:
        *ret_value = data->new_integer(batch, type, long_of(self, batch, json));
        return SLUICE_OK;
    case SLUICE_FLOAT32:
    case SLUICE_FLOAT64:
        *ret_value = real_of(self, batch, type, json);
        return SLUICE_OK;
    case SLUICE_BOOLEAN:
        *ret_value = data->new_boolean(batch, data->boolean(json));
        return SLUICE_OK;
    case SLUICE_STRING:
        *ret_value = data->type(json) == SLUICE_STRING ? json : NULL;
        return SLUICE_OK;
    case SLUICE_BYTES:
        if (data->type(json) != SLUICE_STRING) {
            return SLUICE_OK;
        }
        if (!binary_of(self, batch, json, &bytes)) {
            return BAD_RECORD(&self->base, "Invalid bytes field");
        }
        *ret_value = data->new_bytes_view(batch, bytes.data, bytes.size);
        return SLUICE_OK;
    case SLUICE_ARRAY:
        return read_array(self, batch, schema, json, ret_value);
    case SLUICE_MAP:
        return read_map(self, batch, schema, json, ret_value);
    default:
        return read_struct(self, batch, schema, json, ret_value);
    }
}
