/*
 * sluice.transforms.ExpandSuffix$Key, $Value: texts like 12k, 1.5M or 340 become whole numbers, by
 * a table of suffixes, in exact decimal arithmetic. Owned by the chain; [task thread].
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/transforms/classes.h"
#include "plugins/transforms/each_field.h"
#include "plugins/transforms/java_number.h"
#include "plugins/transforms/lists.h"

/* A 64 bit number has at most 19 digits; a fraction may add as many that a factor makes whole. */
#define MOST_DIGITS 37

struct suffix {
    const char *text;
    size_t size;
    uint64_t factor;
};

struct expand_suffix {
    struct each_field each; /* first */
    struct suffix *suffixes;
    size_t count;
};

static void *create(const struct sluice_host *host)
{
    return transform_create(host, sizeof(struct expand_suffix));
}

static void destroy(void *self)
{
    struct expand_suffix *expand = self;
    if (expand) {
        each_field_finish(&expand->each);
        free(expand->suffixes);
        free(expand);
    }
}

/* -- the number -- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* 0: the whole tail is no suffix. */
static uint64_t factor_of(const struct expand_suffix *expand, const char *tail, size_t size)
{
    if (size == 0) {
        return 1;
    }
    for (size_t i = 0; i < expand->count; i++) {
        const struct suffix *suffix = &expand->suffixes[i];
        if (suffix->size == size && memcmp(suffix->text, tail, size) == 0) {
            return suffix->factor;
        }
    }
    return 0;
}

/* [+-]digits[.digits][suffix]; NULL and *ret_value, or why it is not a whole number of 64 bits. */
static const char *expand_text(const struct expand_suffix *expand, const char *at, size_t size,
                               int64_t *ret_value)
{
    const char *end = at + size;
    bool negative = at < end && *at == '-';
    at += at < end && (*at == '-' || *at == '+');
    unsigned __int128 value = 0;
    int digits = 0, scale = 0;
    const char *start = at;
    for (; at < end && is_digit(*at); at++) {
        value = value * 10 + (unsigned)(*at - '0');
        digits += value != 0;
        if (digits > MOST_DIGITS) {
            return "is too large";
        }
    }
    if (at == start) {
        return "is not a number";
    }
    if (at + 1 < end && *at == '.' && is_digit(at[1])) {
        const char *last = ++at;
        while (last < end && is_digit(*last)) {
            last++;
        }
        const char *stop = last;
        while (stop > at && stop[-1] == '0') {
            stop--; /* zeros at the end of a fraction say nothing */
        }
        for (; at < stop; at++, scale++) {
            value = value * 10 + (unsigned)(*at - '0');
            digits += value != 0;
            if (digits > MOST_DIGITS || scale >= MOST_DIGITS) {
                return "has too many digits";
            }
        }
        at = last;
    }
    uint64_t factor = factor_of(expand, at, (size_t)(end - at));
    if (factor == 0) {
        return "is not a number with a known suffix";
    }
    /* takes tens out of the factor before the fraction, so that nothing overflows on the way */
    for (; scale > 0 && factor % 10 == 0; scale--) {
        factor /= 10;
    }
    unsigned __int128 divisor = 1;
    for (; scale > 0; scale--) {
        divisor *= 10;
    }
    if (value % divisor != 0) {
        if (factor % 2 != 0 && factor % 5 != 0) {
            return "is not a whole number";
        }
        if (__builtin_mul_overflow(value, (unsigned __int128)factor, &value)) {
            return "is too large";
        }
        factor = 1;
    }
    if (value % divisor != 0) {
        return "is not a whole number";
    }
    value /= divisor;
    if (__builtin_mul_overflow(value, (unsigned __int128)factor, &value) ||
        value > (uint64_t)INT64_MAX + negative) {
        return "is too large";
    }
    *ret_value = (int64_t)(negative ? 0 - (uint64_t)value : (uint64_t)value);
    return NULL;
}

/* -- the transform -- */

static enum conversion convert(struct each_field *each, struct sluice_batch *batch, size_t which,
                               const struct sluice_schema *schema, const struct sluice_value *value,
                               const struct sluice_value **ret_value, const char **ret_reason)
{
    (void)which;
    (void)schema;
    const struct sluice_data *data = each->base.data;
    enum sluice_type type = data->type(value);
    int64_t number;
    if (type == SLUICE_STRING) {
        struct sluice_span text = data->text(value);
        *ret_reason =
            expand_text((const struct expand_suffix *)each, text.data, text.size, &number);
        if (*ret_reason) {
            return CONVERT_WRONG;
        }
    } else if (type == SLUICE_INT64) {
        return CONVERT_KEEP;
    } else if (type >= SLUICE_INT8 && type <= SLUICE_INT32) {
        number = data->integer(value);
    } else if (type == SLUICE_FLOAT32 || type == SLUICE_FLOAT64) {
        double real = data->real(value);
        number = java_double_to_long(real);
        if ((double)number != real || real >= 0x1p63) {
            *ret_reason = "is not a whole number of 64 bits";
            return CONVERT_WRONG;
        }
    } else {
        *ret_reason = "is neither a text nor a number";
        return CONVERT_WRONG;
    }
    *ret_value = data->new_integer(batch, SLUICE_INT64, number);
    return CONVERT_SET;
}

static enum sluice_result field_schema(struct each_field *each, struct sluice_batch *batch,
                                       size_t which, const struct sluice_schema *schema,
                                       const struct sluice_schema **ret_schema)
{
    (void)batch;
    (void)which;
    const struct sluice_data *data = each->base.data;
    bool optional = data->schema_optional(schema) || each->on_error == ON_ERROR_NULL;
    *ret_schema = data->schema_retain(data->schema_plain(SLUICE_INT64, optional));
    return SLUICE_OK;
}

static const struct each_field_type expand_type = {
    .purpose = "expanding suffixes",
    .skip_null = true,
    .convert = convert,
    .schema = field_schema,
};

/* One suffix:factor item; false where it is not. */
static bool read_suffix(struct text item, struct suffix *ret_suffix)
{
    struct text parts[2];
    int64_t factor;
    if (split_colons(item, parts, 2) != 2 || parts[0].size == 0 ||
        !java_parse_long(parts[1].data, parts[1].size, 1, INT64_MAX, &factor) || factor < 1) {
        return false;
    }
    *ret_suffix = (struct suffix){parts[0].data, parts[0].size, (uint64_t)factor};
    return true;
}

static bool check_suffixes(const char *name, const char *value, char *message, size_t size)
{
    (void)name;
    const char *cursor = value && *value ? value : NULL;
    struct text item;
    struct suffix suffix;
    while (list_next(&cursor, &item)) {
        if (!read_suffix(item, &suffix)) {
            snprintf(
                message, size,
                "Invalid value %s for configuration suffixes: write suffix:factor with a whole "
                "factor above 0, like k:1000, not %.*s",
                value, (int)item.size, item.data);
            return false;
        }
    }
    return true;
}

static enum sluice_result configure(void *self, const char *class_name,
                                    const struct sluice_config *config)
{
    struct expand_suffix *expand = self;
    struct each_field *each = &expand->each;
    each->type = &expand_type;
    transform_variant(&each->base, class_name);
    each_field_read_on_error(each, config);
    enum sluice_result result = each_field_read(each, config);
    const char *cursor = each->base.host->config->get_string(config, "suffixes");
    cursor = cursor && *cursor ? cursor : NULL;
    struct text item;
    while (result == SLUICE_OK && list_next(&cursor, &item)) {
        struct suffix suffix;
        struct suffix *suffixes =
            realloc(expand->suffixes, (expand->count + 1) * sizeof(*suffixes));
        if (!suffixes) {
            return NO_MEMORY(&each->base);
        }
        expand->suffixes = suffixes;
        if (!read_suffix(item, &suffix)) {
            return BAD_CONFIG(&each->base, "Invalid suffix %.*s", (int)item.size, item.data);
        }
        suffixes[expand->count++] = suffix;
    }
    return result;
}

static enum sluice_result apply(void *self, struct sluice_record *record)
{
    return each_field_apply(self, record);
}

static const struct sluice_option options[] = {
    OPTION(.name = "fields", .type = SLUICE_OPTION_LIST, .required = true,
           .importance = SLUICE_HIGH, .valid = SLUICE_VALID_NON_EMPTY_LIST,
           .doc = "Fields that hold such numbers."),
    OPTION(.name = "suffixes", .type = SLUICE_OPTION_LIST, .default_value = "k:1000,M:1000000",
           .importance = SLUICE_MEDIUM, .valid = SLUICE_VALID_CUSTOM, .check = check_suffixes,
           .doc =
               "Suffixes and what they multiply by, as suffix:factor; case counts. 1.5k is 1500; "
               "what is not a whole number after multiplying cannot be converted."),
    ON_ERROR_OPTIONS("fail"),
    OPTION(.name = "default.value", .type = SLUICE_OPTION_STRING, .importance = SLUICE_LOW,
           .doc = "The value under on.error=default, written like any other."),
    OPTIONS_END,
};

static const struct sluice_transform functions = {
    .size = sizeof(struct sluice_transform),
    .create = create,
    .destroy = destroy,
    .configure = configure,
    .apply = apply,
};

KEY_AND_VALUE(expand_suffix, SLUICE_PACKAGE "ExpandSuffix",
              "Makes whole numbers of texts with a suffix: 12k, 1.5M, 340.", options, &functions);
