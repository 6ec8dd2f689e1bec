/*
 * Flatten$Key, Flatten$Value: nested maps and structs become one level, names joined
 * (kafka-connect.md §3.6). Owned by the chain; [task thread].
 */
#include <stdlib.h>
#include <string.h>

#include "lib/util/buffer.h"
#include "plugins/transforms/classes.h"
#include "plugins/transforms/schemas.h"

#define PURPOSE "flattening"
/* Longest joined name; a document nests at most as deep as the JSON reader lets it. */
#define NAME_MAX_BYTES (1u << 20)

struct flatten {
    struct transform base;
    const char *delimiter;
    struct buffer name; /* joined so far */
    struct schema_cache cache;
};

static void *create(const struct sluice_host *host)
{
    struct flatten *flatten = transform_create(host, sizeof(struct flatten));
    if (flatten) {
        buffer_init(&flatten->name, NAME_MAX_BYTES);
    }
    return flatten;
}

static void destroy(void *self)
{
    struct flatten *flatten = self;
    if (flatten) {
        buffer_finish(&flatten->name);
        schema_cache_finish(&flatten->cache, &flatten->base);
        free(flatten);
    }
}

static enum sluice_result configure(void *self, const char *class_name,
                                    const struct sluice_config *config)
{
    struct flatten *flatten = self;
    transform_variant(&flatten->base, class_name);
    flatten->delimiter = flatten->base.host->config->get_string(config, "delimiter");
    return SLUICE_OK;
}

/* Puts a field's name behind the prefix in flatten->name, whose size was `prefix` before. */
static enum sluice_result join(struct flatten *flatten, size_t prefix, struct sluice_span name)
{
    flatten->name.size = prefix;
    if (prefix > 0) {
        buffer_append_text(&flatten->name, flatten->delimiter);
    }
    buffer_append(&flatten->name, name.data, name.size);
    if (!flatten->name.failed) {
        return SLUICE_OK;
    }
    buffer_reset(&flatten->name);
    return BAD_RECORD(&flatten->base, "A flattened field name would be longer than %u bytes",
                      NAME_MAX_BYTES);
}

/* -- maps -- */

static enum sluice_result flatten_map(struct flatten *flatten, struct sluice_batch *batch,
                                      const struct sluice_value *value, size_t prefix,
                                      struct sluice_value *made)
{
    const struct sluice_data *data = flatten->base.data;
    size_t count = data->count(value);
    for (size_t i = 0; i < count; i++) {
        const struct sluice_value *field = data->at(value, i);
        enum sluice_result result = join(flatten, prefix, data->text(data->key_at(value, i)));
        if (result != SLUICE_OK) {
            return result;
        }
        struct buffer *name = &flatten->name;
        enum sluice_type type = data->type(field);
        if (type == SLUICE_MAP) {
            result = flatten_map(flatten, batch, field, name->size, made);
        } else if (type == SLUICE_DATE || type == SLUICE_DECIMAL) {
            result =
                BAD_RECORD(&flatten->base,
                           "Flatten transformation was passed a value of type class %s which is "
                           "not supported by Connect's data API",
                           java_class(flatten->base.data, field));
        } else if (type == SLUICE_STRUCT) {
            result =
                BAD_RECORD(&flatten->base,
                           "Flatten transformation does not support class %s for record without "
                           "schemas (for field %.*s).",
                           java_class(flatten->base.data, field), (int)name->size, name->data);
        } else {
            data->put_key(batch, made, data->new_string(batch, name->data, name->size), field);
        }
        if (result != SLUICE_OK) {
            return result;
        }
    }
    return SLUICE_OK;
}

/* -- structs -- */

/* A leaf's schema: optional where it or one above is, with its own default or that from above. */
static enum sluice_result leaf_schema(struct flatten *flatten, const struct sluice_schema *schema,
                                      bool optional, const struct sluice_value *value,
                                      const struct sluice_schema **ret_schema)
{
    const struct sluice_data *data = flatten->base.data;
    struct schema_draft draft;
    draft_init(&draft, &flatten->base, data->schema_type(schema));
    enum sluice_result result = draft_like(&draft, schema);
    draft.spec.optional = optional;
    draft.spec.default_value = value;
    draft.spec.value_schema = draft.spec.type == SLUICE_ARRAY ? data->schema_value(schema) : NULL;
    if (result == SLUICE_OK) {
        result = draft_build(&draft, ret_schema);
    }
    draft_finish(&draft);
    return result;
}

static enum sluice_result flatten_schema(struct flatten *flatten, struct schema_draft *draft,
                                         const struct sluice_schema *schema, size_t prefix,
                                         bool optional, const struct sluice_value *from_parent)
{
    const struct sluice_data *data = flatten->base.data;
    size_t count = data->schema_field_count(schema);
    for (size_t i = 0; i < count; i++) {
        const struct sluice_schema *field = data->schema_field(schema, i);
        enum sluice_result result =
            join(flatten, prefix, data->name_text(data->schema_field_name(schema, i)));
        if (result != SLUICE_OK) {
            return result;
        }
        struct sluice_span name = {flatten->name.data, flatten->name.size};
        bool either = optional || data->schema_optional(field);
        const struct sluice_value *value = data->schema_default(field);
        if (data->type(value) == SLUICE_NULL && data->type(from_parent) == SLUICE_STRUCT) {
            value = data->at(from_parent, i);
        }
        if (data->type(value) == SLUICE_NULL) {
            value = NULL;
        }
        enum sluice_type type = data->schema_type(field);
        if (type == SLUICE_STRUCT) {
            result = flatten_schema(flatten, draft, field, name.size, either, value);
        } else if (type == SLUICE_MAP) {
            result =
                BAD_RECORD(&flatten->base,
                           "Flatten transformation does not support MAP for record with schemas "
                           "(for field %.*s).",
                           (int)name.size, name.data);
        } else {
            const struct sluice_schema *leaf = NULL;
            result = leaf_schema(flatten, field, either, value, &leaf);
            if (result == SLUICE_OK) {
                result = draft_field(draft, name, leaf, -1);
                data->schema_release(leaf);
            }
        }
        if (result != SLUICE_OK) {
            return result;
        }
    }
    return SLUICE_OK;
}

/*
 * Fills made from *at on, in the order flatten_schema() took; a null struct leaves its fields null,
 * unchecked, while a null that a struct has needs an optional field.
 */
static enum sluice_result flatten_struct(const struct flatten *flatten, struct sluice_batch *batch,
                                         const struct sluice_schema *schema,
                                         const struct sluice_value *value,
                                         struct sluice_value *made, size_t *at)
{
    const struct sluice_data *data = flatten->base.data;
    size_t count = data->schema_field_count(schema);
    bool there = data->type(value) == SLUICE_STRUCT;
    enum sluice_result result = SLUICE_OK;
    for (size_t i = 0; i < count && result == SLUICE_OK; i++) {
        const struct sluice_schema *field = data->schema_field(schema, i);
        const struct sluice_value *member =
            there ? struct_field(&flatten->base, batch, value, i) : NULL;
        if (data->schema_type(field) == SLUICE_STRUCT) {
            result = flatten_struct(flatten, batch, field, member, made, at);
        } else {
            if (member) {
                result = put_field(&flatten->base, batch, made, *at, member);
            }
            ++*at;
        }
    }
    return result;
}

static enum sluice_result make_plan(struct flatten *flatten, const struct sluice_schema *source,
                                    const struct schema_plan **ret_plan)
{
    const struct sluice_data *data = flatten->base.data;
    struct schema_draft draft;
    draft_init(&draft, &flatten->base, SLUICE_STRUCT);
    enum sluice_result result = draft_like(&draft, source);
    if (result == SLUICE_OK) {
        result = flatten_schema(flatten, &draft, source, 0, data->schema_optional(source),
                                data->schema_default(source));
    }
    return draft_keep(&draft, result, &flatten->cache, source, ret_plan);
}

static enum sluice_result apply(void *self, struct sluice_record *record)
{
    struct flatten *flatten = self;
    const struct transform *base = &flatten->base;
    const struct sluice_data *data = base->data;
    struct sluice_batch *batch = base->records->batch_of(record);
    const struct sluice_schema *schema;
    const struct sluice_value *value = transform_operand(base, record, &schema);
    if (is_null(base, value)) {
        return SLUICE_OK;
    }
    enum sluice_result result =
        schema ? require_struct(base, value, PURPOSE) : require_map(base, value, PURPOSE);
    if (result != SLUICE_OK) {
        return result;
    }
    if (!schema) {
        struct sluice_value *made = data->new_map(batch, data->count(value));
        data->set_map_class(made, "java.util.LinkedHashMap");
        result = flatten_map(flatten, batch, value, 0, made);
        if (result == SLUICE_OK) {
            transform_replace(base, record, NULL, made);
        }
        return result;
    }
    const struct schema_plan *plan = schema_cache_find(&flatten->cache, base, schema);
    if (!plan) {
        result = make_plan(flatten, schema, &plan);
        if (result != SLUICE_OK) {
            return result;
        }
    }
    struct sluice_value *made = data->new_struct(batch, plan->target);
    size_t at = 0;
    result = flatten_struct(flatten, batch, schema, value, made, &at);
    if (result == SLUICE_OK) {
        transform_replace(base, record, plan->target, made);
    }
    return result;
}

static const struct sluice_option options[] = {
    OPTION(.name = "delimiter", .type = SLUICE_OPTION_STRING, .default_value = ".",
           .importance = SLUICE_MEDIUM,
           .doc = "Delimiter to insert between field names from the input record when generating "
                  "field names for the output record"),
    OPTIONS_END,
};

static const struct sluice_transform functions = {
    .size = sizeof(struct sluice_transform),
    .create = create,
    .destroy = destroy,
    .configure = configure,
    .apply = apply,
};

KEY_AND_VALUE(flatten, CONNECT_TRANSFORM "Flatten",
              "Makes nested maps and structs flat, joining the names.", options, &functions);
