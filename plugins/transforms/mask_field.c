/*
 * MaskField$Key, MaskField$Value: hides fields behind the empty value of their type, or a
 * replacement (kafka-connect.md §3.5). Owned by the chain; [task thread].
 */
#include <stdlib.h>
#include <string.h>

#include "lib/java/digits.h"
#include "plugins/transforms/classes.h"
#include "plugins/transforms/each_field.h"
#include "plugins/transforms/java_number.h"

struct mask_field {
    struct each_field each;  /* first */
    const char *replacement; /* NULL: empty values */
    const struct sluice_value *text; /* replacement, or the empty text */
    bool is_number;
    struct java_decimal number;
    double real;
    char *digits;            /* the replacement with the digits of any script as ASCII; owned */
    unsigned char *unscaled; /* of number; owned */
    size_t unscaled_size;
};

static void *create(const struct sluice_host *host)
{
    return transform_create(host, sizeof(struct mask_field));
}

static void destroy(void *self)
{
    struct mask_field *mask = self;
    if (mask) {
        each_field_finish(&mask->each);
        free(mask->unscaled);
        free(mask->digits);
        free(mask);
    }
}

static enum conversion mask_empty(struct each_field *each, struct sluice_batch *batch,
                                  const struct sluice_value *value,
                                  const struct sluice_value **ret_value)
{
    const struct sluice_data *data = each->base.data;
    enum sluice_type type = data->type(value);
    switch (type) {
    case SLUICE_INT8:
    case SLUICE_INT16:
    case SLUICE_INT32:
    case SLUICE_INT64:
        *ret_value = data->new_integer(batch, type, 0);
        return CONVERT_SET;
    case SLUICE_FLOAT32:
    case SLUICE_FLOAT64:
        *ret_value = data->new_real(batch, type, 0);
        return CONVERT_SET;
    case SLUICE_BOOLEAN:
        *ret_value = data->new_boolean(batch, false);
        return CONVERT_SET;
    case SLUICE_STRING:
        *ret_value = ((struct mask_field *)each)->text;
        return CONVERT_SET;
    case SLUICE_DECIMAL:
        *ret_value = data->new_decimal(batch, "", 1, 0);
        return CONVERT_SET;
    case SLUICE_DATE:
        *ret_value = data->new_date(batch, 0);
        return CONVERT_SET;
    case SLUICE_ARRAY:
        *ret_value = data->new_array(batch, 0);
        return CONVERT_SET;
    case SLUICE_MAP:
        *ret_value = data->new_map(batch, 0);
        return CONVERT_SET;
    default:
        each->result = BAD_RECORD(&each->base, "Cannot mask value of type: class %s",
                                  java_class(each->base.data, value));
        return CONVERT_ERROR;
    }
}

static enum conversion mask_with(struct mask_field *mask, struct sluice_batch *batch,
                                 const struct sluice_value *value,
                                 const struct sluice_value **ret_value)
{
    struct each_field *each = &mask->each;
    const struct sluice_data *data = each->base.data;
    enum sluice_type type = data->type(value);
    if (type == SLUICE_STRING) {
        *ret_value = mask->text;
        return CONVERT_SET;
    }
    bool integer = type >= SLUICE_INT8 && type <= SLUICE_INT64;
    bool real = type == SLUICE_FLOAT32 || type == SLUICE_FLOAT64;
    if (!integer && !real && type != SLUICE_DECIMAL) {
        each->result =
            BAD_RECORD(&each->base, "Cannot mask value of type class %s with custom replacement.",
                       java_class(each->base.data, value));
        return CONVERT_ERROR;
    }
    if (!mask->is_number) {
        each->result =
            BAD_RECORD(&each->base, "Unable to convert %s (class java.lang.String) to %snumber",
                       mask->replacement, type == SLUICE_DECIMAL ? "" : "a ");
        return CONVERT_ERROR;
    }
    if (integer) {
        *ret_value = data->new_integer(batch, type, java_decimal_long(&mask->number));
    } else if (real) {
        *ret_value = data->new_real(batch, type, mask->real);
    } else {
        *ret_value = data->new_decimal(batch, mask->unscaled, mask->unscaled_size,
                                       (int32_t)mask->number.scale);
    }
    return CONVERT_SET;
}

static enum conversion convert(struct each_field *each, struct sluice_batch *batch, size_t which,
                               const struct sluice_schema *schema, const struct sluice_value *value,
                               const struct sluice_value **ret_value, const char **ret_reason)
{
    (void)which;
    (void)schema;
    (void)ret_reason;
    struct mask_field *mask = (struct mask_field *)each;
    return mask->replacement ? mask_with(mask, batch, value, ret_value)
                             : mask_empty(each, batch, value, ret_value);
}

static const struct each_field_type mask_type = {
    .purpose = "mask fields",
    .add_missing = true,
    .skip_null = true,
    .convert = convert,
};

/* Reads the replacement as a number once, for every type it may have to stand for. */
static enum sluice_result read_number(struct mask_field *mask)
{
    size_t size = strlen(mask->replacement), used = 0, step;
    mask->digits = malloc(size + 1);
    mask->unscaled = malloc(size + 1);
    if (!mask->digits || !mask->unscaled) {
        return NO_MEMORY(&mask->each.base);
    }
    for (size_t i = 0; i < size; i += step) { /* BigDecimal's */
        int digit = java_digit(mask->replacement + i, size - i, &step);
        step = digit < 0 ? 1 : step;
        mask->digits[used++] = digit < 0 ? mask->replacement[i] : (char)('0' + digit);
    }
    mask->digits[used] = '\0';
    mask->is_number = java_parse_decimal(mask->digits, used, &mask->number) &&
                      java_parse_double(mask->digits, used, &mask->real);
    if (mask->is_number) {
        char first = mask->digits[strcspn(mask->digits, "123456789eE")];
        if (mask->real == 0 && (first < '1' || first > '9')) {
            mask->real = 0; /* a decimal knows no -0.0, but may be too small for a number */
        }
        mask->unscaled_size = java_decimal_bytes(&mask->number, mask->unscaled, size + 1);
    }
    return SLUICE_OK;
}

static enum sluice_result configure(void *self, const char *class_name,
                                    const struct sluice_config *config)
{
    struct mask_field *mask = self;
    struct each_field *each = &mask->each;
    each->type = &mask_type;
    transform_variant(&each->base, class_name);
    transform_null_option(&each->base, config);
    mask->replacement = each->base.host->config->get_string(config, "replacement");
    const char *text = mask->replacement ? mask->replacement : "";
    mask->text = constant_text(&each->base, text);
    enum sluice_result result = each_field_read(each, config);
    if (result == SLUICE_OK && !each_field_order(each)) {
        result = NO_MEMORY(&each->base);
    }
    if (result == SLUICE_OK && mask->replacement) {
        result = read_number(mask);
    }
    return result;
}

static enum sluice_result apply(void *self, struct sluice_record *record)
{
    struct mask_field *mask = self;
    const struct transform *base = &mask->each.base;
    const struct sluice_schema *schema;
    const struct sluice_value *value = transform_operand(base, record, &schema);
    if (is_null(base, value)) {
        return schema ? require_struct(base, value, mask_type.purpose)
                      : require_map(base, value, mask_type.purpose);
    }
    if (schema && base->data->type(value) != SLUICE_STRUCT) {
        return require_struct(base, value, mask_type.purpose);
    }
    return each_field_apply(&mask->each, record);
}

static const struct sluice_option options[] = {
    OPTION(.name = "fields", .type = SLUICE_OPTION_LIST, .required = true,
           .importance = SLUICE_HIGH, .valid = SLUICE_VALID_NON_EMPTY_LIST,
           .doc = "Names of fields to mask."),
    OPTION(.name = "replacement", .type = SLUICE_OPTION_STRING, .importance = SLUICE_LOW,
           .valid = SLUICE_VALID_NON_EMPTY,
           .doc =
               "Custom value replacement, that will be applied to all 'fields' values (numeric or "
               "non-empty string values only)."),
    REPLACE_NULL_OPTION,
    OPTIONS_END,
};

static const struct sluice_transform functions = {
    .size = sizeof(struct sluice_transform),
    .create = create,
    .destroy = destroy,
    .configure = configure,
    .apply = apply,
};

KEY_AND_VALUE(mask_field, CONNECT_TRANSFORM "MaskField",
              "Hides fields behind the empty value of their type, or a replacement.", options,
              &functions);
