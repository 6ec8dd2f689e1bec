/*
 * sluice.transforms.ConvertFields$Key, $Value: the types of fields, without loss. Unlike Connect's
 * Cast a number that does not fit is not cut but cannot be converted, and on.error says what
 * becomes of it; fields that are missing stay missing. Owned by the chain; [task thread].
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "plugins/transforms/base64.h"
#include "plugins/transforms/classes.h"
#include "plugins/transforms/date_text.h"
#include "plugins/transforms/each_field.h"
#include "plugins/transforms/java_number.h"
#include "plugins/transforms/lists.h"

struct convert_fields {
    struct each_field each; /* first; its fields are those of the spec */
    enum sluice_type *types;
};

static void *create(const struct sluice_host *host)
{
    return transform_create(host, sizeof(struct convert_fields));
}

static void destroy(void *self)
{
    struct convert_fields *converter = self;
    if (converter) {
        each_field_finish(&converter->each);
        free(converter->types);
        free(converter);
    }
}

/* -- the spec -- */

/* field:type; SLUICE_NULL where it is not. The field may hold colons. */
static enum sluice_type read_item(struct text item, struct text *ret_field)
{
    const char *colon = memrchr(item.data, ':', item.size);
    if (!colon || colon == item.data) {
        return SLUICE_NULL;
    }
    *ret_field = text_trim((struct text){item.data, (size_t)(colon - item.data)});
    struct text name =
        text_trim((struct text){colon + 1, item.size - (size_t)(colon + 1 - item.data)});
    for (enum sluice_type type = SLUICE_INT8; type <= SLUICE_STRING; type++) {
        if (strlen(type_name(type)) == name.size &&
            strncasecmp(type_name(type), name.data, name.size) == 0) {
            return type;
        }
    }
    return SLUICE_NULL;
}

static bool check_spec(const char *name, const char *value, char *message, size_t size)
{
    (void)name;
    const char *cursor = value && *value ? value : NULL;
    struct text item, field;
    while (list_next(&cursor, &item)) {
        if (read_item(item, &field) == SLUICE_NULL) {
            snprintf(message, size,
                     "Invalid value %s for configuration spec: write field:type, type one of int8, "
                     "int16, int32, int64, float32, float64, boolean, string, not %.*s",
                     value, (int)item.size, item.data);
            return false;
        }
    }
    if (!value || !*value) { /* no field would mean every field, and to which type? */
        snprintf(message, size,
                 "Invalid value %s for configuration spec: name at least one field as field:type",
                 value ? value : "null");
        return false;
    }
    return true;
}

static enum sluice_result read_spec(struct convert_fields *converter,
                                    const struct sluice_config *config)
{
    struct each_field *each = &converter->each;
    const char *cursor = each->base.host->config->get_string(config, "spec");
    cursor = cursor && *cursor ? cursor : NULL;
    struct text item, field;
    while (list_next(&cursor, &item)) {
        enum sluice_type type = read_item(item, &field);
        if (type == SLUICE_NULL) {
            return BAD_CONFIG(&each->base, "Invalid item %.*s in spec", (int)item.size, item.data);
        }
        if (!each_field_add(each, field.data, field.size)) {
            return NO_MEMORY(&each->base);
        }
        enum sluice_type *types = realloc(converter->types, each->count * sizeof(*types));
        if (!types) {
            return NO_MEMORY(&each->base);
        }
        converter->types = types;
        types[text_set_find(&each->index, field.data, field.size)] = type;
    }
    if (each->count == 0) {
        return BAD_CONFIG(&each->base, "spec names no field; write field:type");
    }
    return SLUICE_OK;
}

/* -- one value -- */

/* Any value as a whole number; a sentence where it is none. */
static const char *whole_of(const struct sluice_data *data, struct sluice_batch *batch,
                            const struct sluice_value *value, int64_t *ret_number)
{
    enum sluice_type type = data->type(value);
    struct sluice_span text;
    struct java_decimal decimal;
    switch (type) {
    case SLUICE_BOOLEAN:
        *ret_number = data->boolean(value);
        return NULL;
    case SLUICE_INT8:
    case SLUICE_INT16:
    case SLUICE_INT32:
    case SLUICE_INT64:
    case SLUICE_DATE:
        *ret_number = data->integer(value);
        return NULL;
    case SLUICE_FLOAT32:
    case SLUICE_FLOAT64:
        *ret_number = java_double_to_long(data->real(value));
        return (double)*ret_number == data->real(value) && data->real(value) < 0x1p63
                   ? NULL
                   : "is not a whole number of 64 bits";
    case SLUICE_STRING:
        text = data->text(value);
        return java_parse_long(text.data, text.size, INT64_MIN, INT64_MAX, ret_number)
                   ? NULL
                   : "is not a whole number of 64 bits";
    case SLUICE_DECIMAL:
        text = data->to_text(batch, value);
        if (java_parse_decimal(text.data, text.size, &decimal) && decimal.scale == 0 &&
            java_parse_long(text.data, text.size, INT64_MIN, INT64_MAX, ret_number)) {
            return NULL;
        }
        return "is not a whole number of 64 bits";
    default:
        return "is not a number";
    }
}

static enum conversion to_integer(struct each_field *each, struct sluice_batch *batch,
                                  enum sluice_type target, const struct sluice_value *value,
                                  const struct sluice_value **ret_value, const char **ret_reason)
{
    static const int bits[] = {
        [SLUICE_INT8] = 8, [SLUICE_INT16] = 16, [SLUICE_INT32] = 32, [SLUICE_INT64] = 64};
    int64_t number, max = INT64_MAX >> (64 - bits[target]);
    *ret_reason = whole_of(each->base.data, batch, value, &number);
    if (!*ret_reason && (number > max || number < -max - 1)) {
        *ret_reason = "is out of range";
    }
    if (*ret_reason) {
        return CONVERT_WRONG;
    }
    *ret_value = each->base.data->new_integer(batch, target, number);
    return CONVERT_SET;
}

/* Infinity or NaN, and not a number that is too large. */
static bool is_endless(const struct sluice_data *data, enum sluice_type type, const struct sluice_value *value)
{
    if (type != SLUICE_STRING) {
        return (type == SLUICE_FLOAT32 || type == SLUICE_FLOAT64) && !isfinite(data->real(value));
    }
    struct sluice_span text = data->text(value);
    return memchr(text.data, 'I', text.size) || memchr(text.data, 'N', text.size);
}

static enum conversion to_real(struct each_field *each, struct sluice_batch *batch,
                               enum sluice_type target, const struct sluice_value *value,
                               const struct sluice_value **ret_value, const char **ret_reason)
{
    const struct sluice_data *data = each->base.data;
    enum sluice_type type = data->type(value);
    double real;
    if (type == SLUICE_STRING || type == SLUICE_DECIMAL) {
        struct sluice_span text =
            type == SLUICE_STRING ? data->text(value) : data->to_text(batch, value);
        if (!java_parse_double(text.data, text.size, &real)) {
            *ret_reason = "is not a number";
            return CONVERT_WRONG;
        }
    } else if ((type >= SLUICE_INT8 && type <= SLUICE_FLOAT64) || type == SLUICE_BOOLEAN) {
        real = type == SLUICE_BOOLEAN ? data->boolean(value) : data->real(value);
    } else {
        *ret_reason = "is not a number";
        return CONVERT_WRONG;
    }
    bool fits = isfinite(target == SLUICE_FLOAT32 ? (float)real : real);
    if (!fits && !is_endless(data, type, value)) {
        *ret_reason = "is out of range";
        return CONVERT_WRONG;
    }
    *ret_value = data->new_real(batch, target, real);
    return CONVERT_SET;
}

static enum conversion to_boolean(struct each_field *each, struct sluice_batch *batch,
                                  const struct sluice_value *value,
                                  const struct sluice_value **ret_value, const char **ret_reason)
{
    const struct sluice_data *data = each->base.data;
    enum sluice_type type = data->type(value);
    int yes = -1;
    if (type == SLUICE_STRING) {
        struct sluice_span text = data->text(value);
        struct text word = {text.data, text.size};
        yes = text_is(word, "1") || (word.size == 4 && strncasecmp(word.data, "true", 4) == 0) ? 1
              : text_is(word, "0") || (word.size == 5 && strncasecmp(word.data, "false", 5) == 0)
                  ? 0
                  : -1;
    } else if (type >= SLUICE_INT8 && type <= SLUICE_INT64) {
        yes = data->integer(value) != 0;
    } else if (type == SLUICE_FLOAT32 || type == SLUICE_FLOAT64) {
        yes = data->real(value) != 0;
    }
    if (yes < 0) {
        *ret_reason = "is neither true nor false";
        return CONVERT_WRONG;
    }
    *ret_value = data->new_boolean(batch, yes);
    return CONVERT_SET;
}

static enum conversion to_string(struct each_field *each, struct sluice_batch *batch,
                                 const struct sluice_value *value,
                                 const struct sluice_value **ret_value, const char **ret_reason)
{
    const struct sluice_data *data = each->base.data;
    enum sluice_type type = data->type(value);
    if (type == SLUICE_ARRAY || type == SLUICE_MAP || type == SLUICE_STRUCT) {
        *ret_reason = "is not a single value";
        return CONVERT_WRONG;
    }
    if (type == SLUICE_DATE) {
        char out[DATE_TEXT_SIZE];
        *ret_value = data->new_string(batch, out, date_text(data->integer(value), out));
        return CONVERT_SET;
    }
    if (type == SLUICE_BYTES) {
        struct sluice_span bytes = data->text(value);
        char *out = each->base.records->alloc(batch, base64_size(bytes.size));
        *ret_value = data->new_string_view(batch, out, base64_encode(bytes.data, bytes.size, out));
        return CONVERT_SET;
    }
    struct sluice_span text = data->to_text(batch, value);
    *ret_value = data->new_string_view(batch, text.data, text.size);
    return CONVERT_SET;
}

static enum conversion convert(struct each_field *each, struct sluice_batch *batch, size_t which,
                               const struct sluice_schema *schema, const struct sluice_value *value,
                               const struct sluice_value **ret_value, const char **ret_reason)
{
    (void)schema;
    enum sluice_type target = ((const struct convert_fields *)each)->types[which];
    if (each->base.data->type(value) == target) {
        return CONVERT_KEEP;
    }
    switch (target) {
    case SLUICE_STRING:
        return to_string(each, batch, value, ret_value, ret_reason);
    case SLUICE_BOOLEAN:
        return to_boolean(each, batch, value, ret_value, ret_reason);
    case SLUICE_FLOAT32:
    case SLUICE_FLOAT64:
        return to_real(each, batch, target, value, ret_value, ret_reason);
    default:
        return to_integer(each, batch, target, value, ret_value, ret_reason);
    }
}

/* -- the transform -- */

static enum sluice_result field_schema(struct each_field *each, struct sluice_batch *batch,
                                       size_t which, const struct sluice_schema *schema,
                                       const struct sluice_schema **ret_schema)
{
    (void)batch;
    const struct sluice_data *data = each->base.data;
    bool optional = data->schema_optional(schema) || each->on_error == ON_ERROR_NULL;
    enum sluice_type type = ((const struct convert_fields *)each)->types[which];
    *ret_schema = data->schema_retain(data->schema_plain(type, optional));
    return SLUICE_OK;
}

static const struct each_field_type convert_type = {
    .purpose = "converting types",
    .skip_null = true,
    .convert = convert,
    .schema = field_schema,
};

static enum sluice_result configure(void *self, const char *class_name,
                                    const struct sluice_config *config)
{
    struct convert_fields *converter = self;
    converter->each.type = &convert_type;
    transform_variant(&converter->each.base, class_name);
    each_field_read_on_error(&converter->each, config);
    return read_spec(converter, config);
}

static enum sluice_result apply(void *self, struct sluice_record *record)
{
    return each_field_apply(self, record);
}

static const struct sluice_option options[] = {
    OPTION(.name = "spec", .type = SLUICE_OPTION_LIST, .required = true, .importance = SLUICE_HIGH,
           .valid = SLUICE_VALID_CUSTOM, .check = check_spec,
           .doc = "Fields and their new types, as field:type. Types: int8, int16, int32, int64, "
                  "float32, float64, boolean, string. Numbers are never cut: what does not fit "
                  "cannot be converted. true, false, 1 and 0 in any case are booleans."),
    ON_ERROR_OPTIONS("fail"),
    OPTION(.name = "default.value", .type = SLUICE_OPTION_STRING, .importance = SLUICE_LOW,
           .doc = "The value under on.error=default, as a text that can be converted."),
    OPTIONS_END,
};

static const struct sluice_transform functions = {
    .size = sizeof(struct sluice_transform),
    .create = create,
    .destroy = destroy,
    .configure = configure,
    .apply = apply,
};

KEY_AND_VALUE(
    convert_fields, SLUICE_PACKAGE "ConvertFields",
    "Converts the types of fields without loss; what cannot be converted fails, or becomes "
    "null or a default.",
    options, &functions);
