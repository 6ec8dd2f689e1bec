/*
 * TimestampConverter$Key, TimestampConverter$Value: times as texts, numbers and Connect's logical
 * types, one into the other (kafka-connect.md §3.2). Owned by the chain; [task thread].
 */
#include <stdlib.h>
#include <string.h>

#include "lib/java/dates.h"
#include "plugins/transforms/classes.h"
#include "plugins/transforms/each_field.h"
#include "plugins/transforms/lists.h"

#define MS_PER_DAY INT64_C(86400000)
#define REQUIRES_FORMAT                                                                            \
    "TimestampConverter requires format option to be specified when using string timestamps"

enum kind { KIND_STRING, KIND_UNIX, KIND_DATE, KIND_TIME, KIND_TIMESTAMP, KIND_NONE };

static const char *const kinds[] = {"string", "unix", "Date", "Time", "Timestamp", NULL};
static const char *const precisions[] = {"nanoseconds", "microseconds", "milliseconds", "seconds",
                                         NULL};

struct timestamp_converter {
    struct each_field each; /* first */
    enum kind target;
    int precision; /* place in precisions */
    const char *pattern;
    struct date_format *format;             /* NULL: none */
    const struct sluice_schema *schemas[2]; /* of the target; [1]: optional */
};

static void *create(const struct sluice_host *host)
{
    return transform_create(host, sizeof(struct timestamp_converter));
}

static void destroy(void *self)
{
    struct timestamp_converter *converter = self;
    if (converter) {
        const struct sluice_data *data = converter->each.base.data;
        data->schema_release(converter->schemas[0]);
        data->schema_release(converter->schemas[1]);
        each_field_finish(&converter->each);
        date_format_destroy(converter->format);
        free(converter);
    }
}

/* -- one value -- */

static int64_t floor_days(int64_t ms)
{
    int64_t rest = ms % MS_PER_DAY;
    return ms - (rest < 0 ? rest + MS_PER_DAY : rest);
}

static int64_t saturating(int64_t value, int64_t factor)
{
    int64_t result;
    return !__builtin_mul_overflow(value, factor, &result) ? result
           : value > 0                                     ? INT64_MAX
                                                           : INT64_MIN;
}

static enum conversion failed(struct timestamp_converter *converter, enum sluice_result result)
{
    converter->each.result = result;
    return CONVERT_ERROR;
}

/* Any representation as milliseconds; false with the error set. */
static bool to_ms(struct timestamp_converter *converter, enum kind source,
                  const struct sluice_value *value, int64_t *ret_ms)
{
    const struct transform *base = &converter->each.base;
    const struct sluice_data *data = base->data;
    if (source == KIND_STRING) {
        struct sluice_span text = data->text(value);
        if (!converter->format) {
            failed(converter,
                   base->host->error(base->host, SLUICE_BAD_RECORD, NULL_POINTER,
                                     "A string timestamp came in, but format is not set"));
            return false;
        }
        if (!date_format_parse(converter->format, zone_utc(), text.data, text.size, ret_ms, NULL)) {
            failed(converter, BAD_RECORD(base,
                                         "Could not parse timestamp: value (%.*s) does not match "
                                         "pattern (%s)",
                                         (int)text.size, text.data, converter->pattern));
            return false;
        }
        return true;
    }
    *ret_ms = data->integer(value);
    if (source == KIND_UNIX) {
        static const int64_t divisors[] = {1000000, 1000, 1, 1};
        *ret_ms = converter->precision == 3 ? saturating(*ret_ms, 1000)
                                            : *ret_ms / divisors[converter->precision];
    }
    return true;
}

static const struct sluice_value *from_ms(struct timestamp_converter *converter,
                                          struct sluice_batch *batch, int64_t ms)
{
    const struct sluice_data *data = converter->each.base.data;
    static const int64_t factors[] = {1000000, 1000, 1, 1};
    char stack[256], *out = stack;
    size_t size;
    switch (converter->target) {
    case KIND_STRING:
        size = date_format_print(converter->format, zone_utc(), ms, stack, sizeof(stack));
        if (size >= sizeof(stack)) {
            out = converter->each.base.records->alloc(batch, size + 1);
            date_format_print(converter->format, zone_utc(), ms, out, size + 1);
        }
        return data->new_string(batch, out, size);
    case KIND_UNIX:
        return data->new_integer(
            batch, SLUICE_INT64,
            converter->precision == 3 ? ms / 1000 : saturating(ms, factors[converter->precision]));
    case KIND_DATE:
        return data->new_date(batch, floor_days(ms));
    case KIND_TIME:
        return data->new_date(batch, ms - floor_days(ms));
    default:
        return data->new_date(batch, ms);
    }
}

static enum kind kind_of_schema(const struct transform *base, const struct sluice_schema *schema)
{
    const char *name = base->data->schema_name(schema);
    enum sluice_type type = base->data->schema_type(schema);
    return name && strcmp(name, SLUICE_SCHEMA_TIMESTAMP) == 0 ? KIND_TIMESTAMP
           : name && strcmp(name, SLUICE_SCHEMA_DATE) == 0    ? KIND_DATE
           : name && strcmp(name, SLUICE_SCHEMA_TIME) == 0    ? KIND_TIME
           : type == SLUICE_STRING                            ? KIND_STRING
           : type == SLUICE_INT64                             ? KIND_UNIX
                                                              : KIND_NONE;
}

static enum kind kind_of_value(const struct transform *base, const struct sluice_value *value)
{
    enum sluice_type type = base->data->type(value);
    return type == SLUICE_DATE     ? KIND_TIMESTAMP
           : type == SLUICE_INT64  ? KIND_UNIX
           : type == SLUICE_STRING ? KIND_STRING
                                   : KIND_NONE;
}

static enum sluice_result unknown_schema(const struct transform *base,
                                         const struct sluice_schema *schema)
{
    const char *name = base->data->schema_name(schema);
    return base->host->error(base->host, SLUICE_BAD_RECORD, SLUICE_CONNECT_EXCEPTION,
                             "Schema Schema{%s%s%s} does not correspond to a known timestamp type "
                             "format",
                             name ? name : "", name ? ":" : "",
                             type_name(base->data->schema_type(schema)));
}

static enum conversion convert(struct each_field *each, struct sluice_batch *batch, size_t which,
                               const struct sluice_schema *schema, const struct sluice_value *value,
                               const struct sluice_value **ret_value, const char **ret_reason)
{
    (void)which;
    (void)ret_reason;
    struct timestamp_converter *converter = (struct timestamp_converter *)each;
    const struct transform *base = &each->base;
    enum kind kind = KIND_NONE;
    if (schema) {
        kind = kind_of_schema(base, schema);
        if (kind == KIND_NONE) {
            return failed(converter, unknown_schema(base, schema));
        }
    }
    if (is_null(base, value)) {
        return CONVERT_KEEP;
    }
    if (!schema) {
        kind = kind_of_value(base, value);
        if (kind == KIND_NONE) {
            return failed(converter,
                          BAD_RECORD(base,
                                     "TimestampConverter does not support class %s objects "
                                     "as timestamps",
                                     java_class(base->data, value)));
        }
    }
    int64_t ms;
    if (!to_ms(converter, kind, value, &ms)) {
        return CONVERT_ERROR;
    }
    *ret_value = from_ms(converter, batch, ms);
    return CONVERT_SET;
}

static enum sluice_result field_schema(struct each_field *each, struct sluice_batch *batch,
                                       size_t which, const struct sluice_schema *schema,
                                       const struct sluice_schema **ret_schema)
{
    (void)batch;
    (void)which;
    const struct timestamp_converter *converter = (const struct timestamp_converter *)each;
    const struct sluice_data *data = each->base.data;
    *ret_schema = data->schema_retain(converter->schemas[data->schema_optional(schema)]);
    return SLUICE_OK;
}

/* -- the transform -- */

static const struct each_field_type converter_type = {
    .purpose = "converting timestamp formats",
    .add_missing = true,
    .convert = convert,
    .schema = field_schema,
};

static int place_in(const char *const *values, const char *text)
{
    int i = 0;
    while (values[i] && strcmp(values[i], text) != 0) {
        i++;
    }
    return i;
}

static bool make_schemas(struct timestamp_converter *converter)
{
    const struct transform *base = &converter->each.base;
    for (int optional = 0; optional < 2; optional++) {
        const struct sluice_schema **at = &converter->schemas[optional];
        switch (converter->target) {
        case KIND_STRING:
            *at = base->data->schema_retain(base->data->schema_plain(SLUICE_STRING, optional));
            break;
        case KIND_UNIX:
            *at = base->data->schema_retain(base->data->schema_plain(SLUICE_INT64, optional));
            break;
        case KIND_DATE:
            *at = schema_logical(base, SLUICE_INT32, SLUICE_SCHEMA_DATE, optional);
            break;
        case KIND_TIME:
            *at = schema_logical(base, SLUICE_INT32, SLUICE_SCHEMA_TIME, optional);
            break;
        default:
            *at = schema_logical(base, SLUICE_INT64, SLUICE_SCHEMA_TIMESTAMP, optional);
        }
    }
    return converter->schemas[0] && converter->schemas[1];
}

static enum sluice_result configure(void *self, const char *class_name,
                                    const struct sluice_config *config)
{
    struct timestamp_converter *converter = self;
    struct each_field *each = &converter->each;
    const struct sluice_config_api *api = each->base.host->config;
    each->type = &converter_type;
    transform_variant(&each->base, class_name);
    transform_null_option(&each->base, config);
    converter->target = (enum kind)place_in(kinds, api->get_string(config, "target.type"));
    converter->precision = place_in(precisions, api->get_string(config, "unix.precision"));
    converter->pattern = api->get_string(config, "format");
    const char *field = api->get_string(config, "field");
    bool blank = !converter->pattern ||
                 text_trim((struct text){converter->pattern, strlen(converter->pattern)}).size == 0;
    if (converter->target == KIND_STRING && blank) {
        return BAD_CONFIG(&each->base, REQUIRES_FORMAT);
    }
    char message[DATE_MESSAGE_MAX];
    if (!blank &&
        date_format_create(converter->pattern, &converter->format, message, sizeof(message)) != 0) {
        return BAD_CONFIG(&each->base,
                          "Invalid value java.lang.IllegalArgumentException: %s for configuration "
                          "TimestampConverter requires a SimpleDateFormat-compatible pattern for "
                          "string timestamps: %s",
                          message, converter->pattern);
    }
    if (!make_schemas(converter) ||
        (field && *field && !each_field_add(each, field, strlen(field)))) {
        return NO_MEMORY(&each->base);
    }
    return SLUICE_OK;
}

/* A struct schema whose values are null: the schema is rewritten all the same, as Connect does. */
static enum sluice_result apply_null(struct timestamp_converter *converter,
                                     struct sluice_record *record,
                                     const struct sluice_schema *schema)
{
    const struct schema_plan *plan = NULL;
    enum sluice_result result = each_field_plan(
        &converter->each, converter->each.base.records->batch_of(record), schema, &plan);
    if (result == SLUICE_OK) {
        transform_replace(&converter->each.base, record, plan->target, NULL);
    }
    return result;
}

static enum sluice_result apply(void *self, struct sluice_record *record)
{
    struct timestamp_converter *converter = self;
    struct each_field *each = &converter->each;
    const struct sluice_schema *schema;
    const struct sluice_value *value = transform_operand(&each->base, record, &schema);
    if (each->count > 0) {
        return schema && is_null(&each->base, value) ? apply_null(converter, record, schema)
                                                     : each_field_apply(each, record);
    }
    const struct sluice_value *converted = value;
    struct sluice_batch *batch = each->base.records->batch_of(record);
    if (convert(each, batch, ANY_FIELD, schema, value, &converted, NULL) == CONVERT_ERROR) {
        return each->result;
    }
    const struct sluice_schema *target =
        schema ? converter->schemas[each->base.data->schema_optional(schema)] : NULL;
    transform_replace(&each->base, record, target, converted);
    return SLUICE_OK;
}

static const struct sluice_option options[] = {
    OPTION(.name = "field", .type = SLUICE_OPTION_STRING, .default_value = "",
           .importance = SLUICE_HIGH,
           .doc =
               "The field containing the timestamp, or empty if the entire value is a timestamp"),
    OPTION(.name = "target.type", .type = SLUICE_OPTION_STRING, .required = true,
           .importance = SLUICE_HIGH, .valid = SLUICE_VALID_ONE_OF, .values = kinds,
           .doc = "The desired timestamp representation: string, unix, Date, Time, or Timestamp"),
    OPTION(.name = "format", .type = SLUICE_OPTION_STRING, .default_value = "",
           .importance = SLUICE_MEDIUM,
           .doc = "A SimpleDateFormat-compatible format for the timestamp. Used to generate the "
                  "output when type=string or used to parse the input if the input is a string."),
    OPTION(.name = "unix.precision", .type = SLUICE_OPTION_STRING, .default_value = "milliseconds",
           .importance = SLUICE_LOW, .valid = SLUICE_VALID_ONE_OF, .values = precisions,
           .doc =
               "The desired Unix precision for the timestamp: seconds, milliseconds, "
               "microseconds, or nanoseconds. Used to generate the output when type=unix or used "
               "to parse the input if the input is a Long.Note: This SMT will cause precision "
               "loss during conversions from, and to, values with sub-millisecond components."),
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

KEY_AND_VALUE(timestamp_converter, CONNECT_TRANSFORM "TimestampConverter",
              "Converts times between texts, Unix times and Connect's Date, Time and Timestamp.",
              options, &functions);
