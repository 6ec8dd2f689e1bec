/*
 * Cast$Key, Cast$Value: the types of fields, or of the whole value, as Java casts them
 * (kafka-connect.md §3.1). Owned by the chain; [task thread].
 */
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

#define MS_PER_DAY INT64_C(86400000)
/* What the JVM says of an item that is nothing but colons. */
#define NO_PARTS "Index 1 out of bounds for length 0"
#define TYPES "INT8, INT16, INT32, INT64, FLOAT32, FLOAT64, BOOLEAN, STRING"

struct cast {
    struct each_field each;  /* first: its fields are those of the spec */
    enum sluice_type *types; /* per field */
    enum sluice_type whole;  /* SLUICE_NULL: fields are cast */
};

static void *create(const struct sluice_host *host)
{
    return transform_create(host, sizeof(struct cast));
}

static void destroy(void *self)
{
    struct cast *cast = self;
    if (cast) {
        each_field_finish(&cast->each);
        free(cast->types);
        free(cast);
    }
}

/* -- the spec -- */

/* text.toUpperCase(Locale.ROOT), as far as it can give a type's name; cut at the size of out. */
static void to_upper(struct text text, char *out, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < text.size && used + 1 < size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        unsigned char next = i + 1 < text.size ? (unsigned char)text.data[i + 1] : 0;
        if ((c == 0xC4 && next == 0xB1) || (c == 0xC5 && next == 0xBF)) {
            out[used++] = c == 0xC4 ? 'I' : 'S'; /* dotless i and long s */
            i++;
        } else {
            out[used++] = c >= 'a' && c <= 'z' ? (char)(c - 32) : (char)c;
        }
    }
    out[used] = '\0';
}

/* Type of an item's name; SLUICE_NULL with a message where nothing can be cast to it. */
static enum sluice_type type_of(struct text name, char *message, size_t size)
{
    char upper[512];
    name = text_trim(name);
    to_upper(name, upper, sizeof(upper));
    for (enum sluice_type type = SLUICE_INT8; type <= SLUICE_STRUCT; type++) {
        if (strcmp(type_name(type), upper) != 0) {
            continue;
        }
        if (type <= SLUICE_STRING) {
            return type;
        }
        snprintf(message, size,
                 "Cast transformation does not support casting to %s; supported types are [" TYPES
                 "]",
                 upper);
        return SLUICE_NULL;
    }
    snprintf(message, size,
             "Invalid value java.lang.IllegalArgumentException: No enum constant "
             "org.apache.kafka.connect.data.Schema.Type.%s for configuration Invalid type found in "
             "casting spec: %.*s",
             upper, (int)name.size, name.data);
    return SLUICE_NULL;
}

/* Reads the spec; cast NULL: only checks it. False with a message, or out of memory (none). */
static bool read_spec(struct cast *cast, const char *spec, char *message, size_t size)
{
    size_t items = 0;
    bool whole = false;
    const char *cursor = spec && *spec ? spec : NULL;
    struct text item;
    while (list_next(&cursor, &item)) {
        struct text parts[2] = {{.data = ""}, {.data = ""}};
        size_t count = split_colons(item, parts, 2);
        items++;
        if (count == 0) {
            snprintf(message, size, NO_PARTS);
            return false;
        }
        if (count > 2) {
            char list[200];
            list_print(spec, list, sizeof(list));
            snprintf(message, size,
                     "Invalid value %s for configuration renames: Invalid rename mapping: %.*s",
                     list, (int)item.size, item.data);
            return false;
        }
        enum sluice_type type = type_of(parts[count == 2], message, size);
        if (type == SLUICE_NULL) {
            return false;
        }
        if (count != 2) {
            whole = true;
            if (cast) {
                cast->whole = type;
            }
        } else if (cast) {
            struct text field = text_trim(parts[0]);
            if (!each_field_add(&cast->each, field.data, field.size)) {
                return false;
            }
            enum sluice_type *types = realloc(cast->types, cast->each.count * sizeof(*types));
            if (!types) {
                return false;
            }
            cast->types = types;
            types[text_set_find(&cast->each.index, field.data, field.size)] = type;
        }
    }
    if (items == 0) {
        snprintf(message, size, "Must specify at least one field to cast.");
        return false;
    }
    if (whole && items > 1) {
        snprintf(message, size,
                 "Cast transformations that specify a type to cast the entire value to may only "
                 "specify a single cast in their spec");
        return false;
    }
    return true;
}

static bool check_spec(const char *name, const char *value, char *message, size_t size)
{
    (void)name;
    return read_spec(NULL, value, message, size) || strcmp(message, NO_PARTS) == 0;
}

/* -- one value -- */

/* A logical Date, Time or Timestamp as its number; -1: failed, 0: left as it is, 1: *ret_number. */
static int encode_logical(struct each_field *each, const struct sluice_schema *schema,
                          const struct sluice_value *value, int64_t *ret_number)
{
    const struct sluice_data *data = each->base.data;
    const char *name = schema ? data->schema_name(schema) : NULL;
    if (!name || data->type(value) != SLUICE_DATE) {
        return 0;
    }
    int64_t ms = data->integer(value);
    if (strcmp(name, SLUICE_SCHEMA_TIMESTAMP) == 0) {
        *ret_number = ms;
    } else if (strcmp(name, SLUICE_SCHEMA_DATE) == 0) {
        if (ms % MS_PER_DAY != 0) {
            each->result =
                BAD_RECORD(&each->base, "Kafka Connect Date type should not have any time "
                                        "fields set to non-zero values.");
            return -1;
        }
        *ret_number = (int32_t)(ms / MS_PER_DAY);
    } else if (strcmp(name, SLUICE_SCHEMA_TIME) == 0) {
        if (ms < 0 || ms > MS_PER_DAY) {
            each->result =
                BAD_RECORD(&each->base, "Kafka Connect Time type should not have any date "
                                        "fields set to non-zero values.");
            return -1;
        }
        *ret_number = ms;
    } else {
        return 0;
    }
    return 1;
}

static enum conversion out_of_range(struct each_field *each, struct sluice_batch *batch,
                                    const struct sluice_value *value)
{
    struct sluice_span text = each->base.data->to_text(batch, value);
    each->result = BAD_RECORD(&each->base, "Value (%.*s) was out of range for requested data type",
                              (int)text.size, text.data);
    return CONVERT_ERROR;
}

static enum conversion unexpected(struct each_field *each, const struct sluice_value *value)
{
    each->result = BAD_RECORD(&each->base, "Unexpected type in Cast transformation: class %s",
                              java_class(each->base.data, value));
    return CONVERT_ERROR;
}

/* What a value is as a number: whole (Number.longValue()) and real (doubleValue()). */
struct number {
    bool is_real; /* a float or a double: real counts */
    int64_t whole;
    double real;
    float single;
};

static enum conversion to_integer(struct each_field *each, struct sluice_batch *batch,
                                  enum sluice_type type, const struct sluice_value *value,
                                  const struct number *number,
                                  const struct sluice_value **ret_value)
{
    static const int bits[] = {
        [SLUICE_INT8] = 8, [SLUICE_INT16] = 16, [SLUICE_INT32] = 32, [SLUICE_INT64] = 64};
    const struct sluice_data *data = each->base.data;
    int64_t result;
    if (data->type(value) == SLUICE_STRING) {
        struct sluice_span text = data->text(value);
        int64_t max = INT64_MAX >> (64 - bits[type]);
        if (!java_parse_long(text.data, text.size, -max - 1, max, &result)) {
            return out_of_range(each, batch, value);
        }
    } else if (number->is_real) {
        result = type == SLUICE_INT64 ? java_double_to_long(number->real)
                                      : java_double_to_int(number->real);
    } else {
        result = number->whole;
    }
    *ret_value = data->new_integer(batch, type, result);
    return CONVERT_SET;
}

static enum conversion to_real(struct each_field *each, struct sluice_batch *batch,
                               enum sluice_type type, const struct sluice_value *value,
                               const struct number *number, const struct sluice_value **ret_value)
{
    const struct sluice_data *data = each->base.data;
    double real = number->real;
    float single = number->single;
    if (data->type(value) == SLUICE_STRING) {
        struct sluice_span text = data->text(value);
        if (!(type == SLUICE_FLOAT32 ? java_parse_float(text.data, text.size, &single)
                                     : java_parse_double(text.data, text.size, &real))) {
            return out_of_range(each, batch, value);
        }
    }
    *ret_value = data->new_real(batch, type, type == SLUICE_FLOAT32 ? (double)single : real);
    return CONVERT_SET;
}

static enum conversion to_string(struct each_field *each, struct sluice_batch *batch,
                                 const struct sluice_value *value,
                                 const struct sluice_value **ret_value)
{
    const struct sluice_data *data = each->base.data;
    struct sluice_span text;
    switch (data->type(value)) {
    case SLUICE_STRING:
        return CONVERT_KEEP;
    case SLUICE_DATE: {
        char out[DATE_TEXT_SIZE];
        size_t size = date_text(data->integer(value), out);
        *ret_value = data->new_string(batch, out, size);
        return CONVERT_SET;
    }
    case SLUICE_BYTES: {
        struct sluice_span bytes = data->text(value);
        char *out = each->base.records->alloc(batch, base64_size(bytes.size));
        size_t size = base64_encode(bytes.data, bytes.size, out);
        *ret_value = data->new_string_view(batch, out, size);
        return CONVERT_SET;
    }
    default:
        text = data->to_text(batch, value);
        *ret_value = data->new_string_view(batch, text.data, text.size);
        return CONVERT_SET;
    }
}

/* False: not a number, boolean or string. */
static bool as_number(const struct transform *transform, struct sluice_batch *batch,
                      const struct sluice_value *value, struct number *number)
{
    const struct sluice_data *data = transform->data;
    enum sluice_type type = data->type(value);
    if (type == SLUICE_DECIMAL) {
        struct sluice_span text = data->to_text(batch, value);
        struct java_decimal decimal;
        if (!java_parse_decimal(text.data, text.size, &decimal)) {
            return false;
        }
        number->whole = java_decimal_long(&decimal);
        return java_parse_double(text.data, text.size, &number->real) &&
               java_parse_float(text.data, text.size, &number->single);
    }
    if (type == SLUICE_FLOAT32 || type == SLUICE_FLOAT64) {
        number->is_real = true;
        number->real = data->real(value);
        number->single = (float)number->real;
        number->whole = java_double_to_long(number->real);
        return true;
    }
    number->whole = type == SLUICE_BOOLEAN ? data->boolean(value) : data->integer(value);
    number->real = (double)number->whole;
    number->single = (float)number->whole;
    return type == SLUICE_BOOLEAN || (type >= SLUICE_INT8 && type <= SLUICE_INT64) ||
           type == SLUICE_STRING;
}

static enum conversion cast_one(struct each_field *each, struct sluice_batch *batch,
                                enum sluice_type target, const struct sluice_schema *schema,
                                const struct sluice_value *value,
                                const struct sluice_value **ret_value)
{
    const struct sluice_data *data = each->base.data;
    enum sluice_type type = data->type(value);
    if (type == SLUICE_NULL) {
        return CONVERT_KEEP;
    }
    if (!schema && (type == SLUICE_DATE || type == SLUICE_DECIMAL)) {
        each->result =
            BAD_RECORD(&each->base,
                       "Cast transformation was passed a value of type class %s which is "
                       "not supported by Connect's data API",
                       java_class(each->base.data, value));
        return CONVERT_ERROR;
    }
    enum sluice_type inferred = schema ? data->schema_type(schema) : type;
    if (inferred > SLUICE_BYTES) {
        each->result = BAD_RECORD(&each->base,
                                  "Cast transformation does not support casting from %s; supported "
                                  "types are [" TYPES ", BYTES]",
                                  type_name(inferred));
        return CONVERT_ERROR;
    }
    if (target == SLUICE_STRING) {
        return to_string(each, batch, value, ret_value);
    }
    struct number number = {.is_real = false};
    int encoded = encode_logical(each, schema, value, &number.whole);
    if (encoded < 0) {
        return CONVERT_ERROR;
    }
    if (encoded > 0) {
        number.real = (double)number.whole;
        number.single = (float)number.whole;
    } else if (!as_number(&each->base, batch, value, &number)) {
        return unexpected(each, value);
    }
    if (target == SLUICE_BOOLEAN) {
        struct sluice_span text =
            type == SLUICE_STRING ? data->text(value) : (struct sluice_span){.data = NULL};
        bool yes = text.data ? text.size == 4 && strncasecmp(text.data, "true", 4) == 0
                             : number.whole != 0;
        *ret_value = data->new_boolean(batch, yes);
        return CONVERT_SET;
    }
    return target <= SLUICE_INT64 ? to_integer(each, batch, target, value, &number, ret_value)
                                  : to_real(each, batch, target, value, &number, ret_value);
}

static enum conversion convert(struct each_field *each, struct sluice_batch *batch, size_t which,
                               const struct sluice_schema *schema, const struct sluice_value *value,
                               const struct sluice_value **ret_value, const char **ret_reason)
{
    (void)ret_reason;
    const struct cast *cast = (const struct cast *)each;
    if (which == ANY_FIELD) {
        return CONVERT_KEEP;
    }
    return cast_one(each, batch, cast->types[which], schema, value, ret_value);
}

/* -- schemas -- */

/* SchemaBuilder.defaultValue: under a logical type's name only values of its class are good. */
static bool is_good_default(const struct sluice_data *data, const struct schema_draft *draft)
{
    const char *name = draft->spec.name;
    enum sluice_type type = data->type(draft->spec.default_value);
    if (!name) {
        return true;
    }
    if (strcmp(name, SLUICE_SCHEMA_DECIMAL) == 0) {
        return type == SLUICE_DECIMAL;
    }
    return type == SLUICE_DATE ||
           (strcmp(name, SLUICE_SCHEMA_DATE) != 0 && strcmp(name, SLUICE_SCHEMA_TIME) != 0 &&
            strcmp(name, SLUICE_SCHEMA_TIMESTAMP) != 0);
}

/* Puts optional and the cast default of a source schema into a draft and builds it. */
static enum sluice_result build_cast(struct cast *cast, struct sluice_batch *batch,
                                     struct schema_draft *draft, enum sluice_type type,
                                     const struct sluice_schema *schema,
                                     const struct sluice_schema **ret_schema)
{
    const struct sluice_data *data = cast->each.base.data;
    draft->spec.optional = data->schema_optional(schema);
    const struct sluice_value *value = data->schema_default(schema);
    if (data->type(value) != SLUICE_NULL) {
        draft->spec.default_value = value;
        const struct sluice_value *converted = NULL;
        switch (cast_one(&cast->each, batch, type, schema, value, &converted)) {
        case CONVERT_SET:
            draft->spec.default_value = converted;
            break;
        case CONVERT_ERROR:
            return cast->each.result;
        default:
            break;
        }
        if (!is_good_default(data, draft)) {
            return cast->each.base.host->error(cast->each.base.host, SLUICE_BAD_RECORD,
                                               SCHEMA_BUILDER_EXCEPTION, "Invalid default value");
        }
    }
    return draft_build(draft, ret_schema);
}

static enum sluice_result field_schema(struct each_field *each, struct sluice_batch *batch,
                                       size_t which, const struct sluice_schema *schema,
                                       const struct sluice_schema **ret_schema)
{
    struct cast *cast = (struct cast *)each;
    struct schema_draft draft;
    draft_init(&draft, &each->base, cast->types[which]);
    enum sluice_result result =
        build_cast(cast, batch, &draft, cast->types[which], schema, ret_schema);
    draft_finish(&draft);
    return result;
}

static enum sluice_result whole_plan(struct cast *cast, struct sluice_batch *batch,
                                     const struct sluice_schema *schema,
                                     const struct schema_plan **ret_plan)
{
    struct each_field *each = &cast->each;
    struct schema_draft draft;
    draft_init(&draft, &each->base, cast->whole);
    const struct sluice_schema *target = NULL;
    enum sluice_result result = draft_like(&draft, schema);
    if (result == SLUICE_OK) {
        result = build_cast(cast, batch, &draft, cast->whole, schema, &target);
    }
    if (result == SLUICE_OK) {
        *ret_plan = schema_cache_add(&each->cache, &each->base, schema, target, NULL, NULL);
    }
    draft_finish(&draft);
    return result;
}

/* -- the transform -- */

static const struct each_field_type cast_type = {
    .purpose = "cast types",
    .add_missing = true,
    .skip_null = true,
    .schema_first = true,
    .convert = convert,
    .schema = field_schema,
};

static enum sluice_result configure(void *self, const char *class_name,
                                    const struct sluice_config *config)
{
    struct cast *cast = self;
    struct transform *base = &cast->each.base;
    cast->each.type = &cast_type;
    transform_variant(base, class_name);
    transform_null_option(base, config);
    char message[512] = "Out of memory";
    if (!read_spec(cast, base->host->config->get_string(config, "spec"), message,
                   sizeof(message))) {
        return strcmp(message, NO_PARTS) == 0
                   ? base->host->error(base->host, SLUICE_FATAL,
                                       "java.lang.ArrayIndexOutOfBoundsException", NO_PARTS)
                   : BAD_CONFIG(base, "%s", message);
    }
    if (!each_field_order(&cast->each)) {
        return NO_MEMORY(base);
    }
    return SLUICE_OK;
}

static enum sluice_result apply(void *self, struct sluice_record *record)
{
    struct cast *cast = self;
    struct each_field *each = &cast->each;
    if (cast->whole == SLUICE_NULL) {
        return each_field_apply(each, record);
    }
    const struct sluice_schema *schema;
    const struct sluice_value *value = transform_operand(&each->base, record, &schema);
    if (is_null(&each->base, value)) {
        return SLUICE_OK;
    }
    struct sluice_batch *batch = each->base.records->batch_of(record);
    const struct schema_plan *plan = NULL;
    if (schema) {
        plan = schema_cache_find(&each->cache, &each->base, schema);
        if (!plan) {
            enum sluice_result result = whole_plan(cast, batch, schema, &plan);
            if (result != SLUICE_OK) {
                return result;
            }
        }
    }
    const struct sluice_value *converted = value;
    if (cast_one(each, batch, cast->whole, schema, value, &converted) == CONVERT_ERROR) {
        return each->result;
    }
    transform_replace(&each->base, record, plan ? plan->target : NULL, converted);
    return SLUICE_OK;
}

static const struct sluice_option options[] = {
    OPTION(.name = "spec", .type = SLUICE_OPTION_LIST, .required = true, .importance = SLUICE_HIGH,
           .valid = SLUICE_VALID_CUSTOM, .check = check_spec,
           .doc =
               "List of fields and the type to cast them to of the form field1:type,field2:type to "
               "cast fields of Maps or Structs. A single type to cast the entire value. Valid "
               "types are int8, int16, int32, int64, float32, float64, boolean, and string. Note "
               "that binary fields can only be cast to string."),
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

KEY_AND_VALUE(cast, CONNECT_TRANSFORM "Cast",
              "Casts fields, or the entire key or value, to another primitive type.", options,
              &functions);
