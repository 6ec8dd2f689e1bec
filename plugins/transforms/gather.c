/*
 * sluice.transforms.ConcatFields and ArrayFromFields, $Key and $Value: several fields become one, a
 * text or an array. Owned by the chain; [task thread].
 */
#include <stdlib.h>
#include <string.h>

#include "plugins/transforms/classes.h"
#include "plugins/transforms/schemas.h"

/* What a null among the fields does. */
enum on_null {
    ON_NULL_KEEP, /* stands in the array as null, in the text as nothing */
    ON_NULL_SKIP, /* is left out, with its separator */
    ON_NULL_NULL, /* makes the result null */
};

static const char *const on_null_values[] = {"keep", "skip", "null", NULL};

struct gather {
    struct transform base;
    bool is_array; /* ArrayFromFields */
    const char *purpose;
    const struct sluice_name **names;
    size_t count;
    struct text_set index;
    const char *target_text;
    const struct sluice_name *target;
    const char *separator;
    enum on_null on_null;
    bool drop;
    struct schema_cache cache;
};

static void *create(const struct sluice_host *host)
{
    return transform_create(host, sizeof(struct gather));
}

static void destroy(void *self)
{
    struct gather *gather = self;
    if (gather) {
        schema_cache_finish(&gather->cache, &gather->base);
        text_set_finish(&gather->index);
        free(gather->names);
        free(gather);
    }
}

static enum sluice_result configure(void *self, const char *class_name,
                                    const struct sluice_config *config)
{
    struct gather *gather = self;
    const struct sluice_config_api *api = gather->base.host->config;
    transform_variant(&gather->base, class_name);
    gather->is_array = strstr(class_name, "ArrayFromFields") != NULL;
    gather->purpose = gather->is_array ? "making an array of fields" : "concatenating fields";
    gather->target_text = api->get_string(config, "target");
    gather->target = gather->base.data->intern(gather->target_text, strlen(gather->target_text));
    /* as given: a blank is a separator like any other */
    gather->separator = gather->is_array ? NULL : api->original(config, "separator");
    gather->separator = gather->separator ? gather->separator : " ";
    gather->drop = api->get_boolean(config, "drop.fields");
    const char *on_null = api->get_string(config, "on.null");
    gather->on_null = strcmp(on_null, "keep") == 0   ? ON_NULL_KEEP
                      : strcmp(on_null, "skip") == 0 ? ON_NULL_SKIP
                                                     : ON_NULL_NULL;
    const char *const *items = NULL;
    gather->count = api->get_list(config, "fields", &items);
    gather->names = calloc(gather->count + 1, sizeof(*gather->names));
    bool fine = gather->names != NULL;
    for (size_t i = 0; fine && i < gather->count; i++) {
        gather->names[i] = gather->base.data->intern(items[i], strlen(items[i]));
        fine = text_set_add(&gather->index, items[i], strlen(items[i]), i);
    }
    return fine ? SLUICE_OK : NO_MEMORY(&gather->base);
}

/* -- values: fields has gather->count entries, NULL or null where there is none -- */

static const struct sluice_value *make_array(const struct gather *gather,
                                             struct sluice_batch *batch,
                                             const struct sluice_value *const *fields)
{
    const struct sluice_data *data = gather->base.data;
    struct sluice_value *array = data->new_array(batch, gather->count);
    for (size_t i = 0; i < gather->count; i++) {
        if (!is_null(&gather->base, fields[i])) {
            data->append(batch, array, fields[i]);
        } else if (gather->on_null == ON_NULL_NULL) {
            return data->new_null(batch);
        } else if (gather->on_null == ON_NULL_KEEP) {
            data->append(batch, array, data->new_null(batch));
        }
    }
    return array;
}

static const struct sluice_value *make_text(const struct gather *gather, struct sluice_batch *batch,
                                            const struct sluice_value *const *fields)
{
    const struct sluice_data *data = gather->base.data;
    size_t separator = strlen(gather->separator), size = 0;
    struct sluice_span *parts =
        gather->base.records->alloc(batch, (gather->count + 1) * sizeof(*parts));
    size_t count = 0;
    for (size_t i = 0; i < gather->count; i++) {
        enum sluice_type type = data->type(fields[i]);
        if (type == SLUICE_NULL && gather->on_null == ON_NULL_NULL) {
            return data->new_null(batch);
        }
        if (type == SLUICE_NULL && gather->on_null == ON_NULL_SKIP) {
            continue;
        }
        parts[count] = type == SLUICE_NULL     ? (struct sluice_span){"", 0}
                       : type == SLUICE_STRING ? data->text(fields[i])
                                               : data->to_text(batch, fields[i]);
        size += parts[count++].size + separator;
    }
    char *text = gather->base.records->alloc(batch, size + 1), *at = text;
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            memcpy(at, gather->separator, separator);
            at += separator;
        }
        memcpy(at, parts[i].data, parts[i].size);
        at += parts[i].size;
    }
    return data->new_string_view(batch, text, (size_t)(at - text));
}

static const struct sluice_value *make(const struct gather *gather, struct sluice_batch *batch,
                                       const struct sluice_value *const *fields)
{
    return gather->is_array ? make_array(gather, batch, fields) : make_text(gather, batch, fields);
}

/* -- schemas -- */

/* Of the new field: a text, or an array of what the fields are, which has to be one type. */
static enum sluice_result target_schema(const struct gather *gather,
                                        const struct sluice_schema *source,
                                        const struct sluice_schema **ret_schema)
{
    const struct sluice_data *data = gather->base.data;
    if (!gather->is_array) {
        *ret_schema = data->schema_retain(data->schema_plain(SLUICE_STRING, true));
        return SLUICE_OK;
    }
    const struct sluice_schema *element = NULL;
    enum sluice_result result = SLUICE_OK;
    for (size_t i = 0; i < gather->count && result == SLUICE_OK; i++) {
        ptrdiff_t at = data->schema_find(source, gather->names[i]);
        if (at < 0) {
            continue;
        }
        const struct sluice_schema *one =
            schema_with_optional(&gather->base, data->schema_field(source, (size_t)at), true);
        if (!one) {
            result = NO_MEMORY(&gather->base);
        } else if (!element) {
            element = data->schema_retain(one);
        } else if (!data->schema_equal(element, one)) {
            struct sluice_span name = data->name_text(gather->names[i]);
            result = BAD_RECORD(&gather->base,
                                "Field %.*s has another schema than the fields before it; an array "
                                "needs one schema (convert the fields first)",
                                (int)name.size, name.data);
        }
        data->schema_release(one);
    }
    if (result == SLUICE_OK) {
        struct schema_draft draft;
        draft_init(&draft, &gather->base, SLUICE_ARRAY);
        draft.spec.optional = true;
        draft.spec.value_schema = element ? element : data->schema_plain(SLUICE_STRING, true);
        result = draft_build(&draft, ret_schema);
        draft_finish(&draft);
    }
    data->schema_release(element);
    return result;
}

static enum sluice_result make_plan(struct gather *gather, const struct sluice_schema *source,
                                    const struct schema_plan **ret_plan)
{
    const struct sluice_data *data = gather->base.data;
    struct schema_draft draft;
    draft_init(&draft, &gather->base, SLUICE_STRUCT);
    draft.spec.optional = data->schema_optional(source);
    enum sluice_result result = draft_like(&draft, source);
    size_t count = data->schema_field_count(source);
    for (size_t i = 0; i < count && result == SLUICE_OK; i++) {
        struct sluice_span name = data->name_text(data->schema_field_name(source, i));
        bool gone = (gather->drop && text_set_find(&gather->index, name.data, name.size) >= 0) ||
                    (name.size == strlen(gather->target_text) &&
                     memcmp(name.data, gather->target_text, name.size) == 0);
        if (!gone) {
            result = draft_field(&draft, name, data->schema_field(source, i), (ptrdiff_t)i);
        }
    }
    const struct sluice_schema *made = NULL;
    if (result == SLUICE_OK) {
        result = target_schema(gather, source, &made);
    }
    if (result == SLUICE_OK) {
        struct sluice_span name = {gather->target_text, strlen(gather->target_text)};
        result = draft_field(&draft, name, made, -1);
        data->schema_release(made);
    }
    return draft_keep(&draft, result, &gather->cache, source, ret_plan);
}

static enum sluice_result apply_struct(struct gather *gather, struct sluice_record *record,
                                       struct sluice_batch *batch, const struct sluice_value *value)
{
    const struct sluice_data *data = gather->base.data;
    enum sluice_result result = require_struct(&gather->base, value, gather->purpose);
    if (result != SLUICE_OK) {
        return result;
    }
    const struct sluice_schema *source = data->struct_schema(value);
    const struct schema_plan *plan = schema_cache_find(&gather->cache, &gather->base, source);
    if (!plan) {
        result = make_plan(gather, source, &plan);
        if (result != SLUICE_OK) {
            return result;
        }
    }
    const struct sluice_value **fields =
        gather->base.records->alloc(batch, (gather->count + 1) * sizeof(*fields));
    for (size_t i = 0; i < gather->count; i++) {
        ptrdiff_t at = data->schema_find(source, gather->names[i]);
        fields[i] = at < 0 ? NULL : struct_field(&gather->base, batch, value, (size_t)at);
    }
    struct sluice_value *made = data->new_struct(batch, plan->target);
    size_t count = data->schema_field_count(plan->target);
    for (size_t i = 0; i < count; i++) {
        data->set_at(batch, made, i,
                     plan->from[i] < 0
                         ? make(gather, batch, fields)
                         : struct_field(&gather->base, batch, value, (size_t)plan->from[i]));
    }
    transform_replace(&gather->base, record, plan->target, made);
    return SLUICE_OK;
}

/* -- the transform -- */

static enum sluice_result apply(void *self, struct sluice_record *record)
{
    struct gather *gather = self;
    const struct transform *base = &gather->base;
    const struct sluice_data *data = base->data;
    struct sluice_batch *batch = base->records->batch_of(record);
    const struct sluice_schema *schema;
    const struct sluice_value *value = transform_operand(base, record, &schema);
    if (is_null(base, value)) {
        return SLUICE_OK;
    }
    if (schema) {
        return apply_struct(gather, record, batch, value);
    }
    enum sluice_result result = require_map(base, value, gather->purpose);
    if (result != SLUICE_OK) {
        return result;
    }
    const struct sluice_value **fields =
        base->records->alloc(batch, (gather->count + 1) * sizeof(*fields));
    for (size_t i = 0; i < gather->count; i++) {
        fields[i] = data->find(value, gather->names[i]);
    }
    const struct sluice_value *made = make(gather, batch, fields);
    struct sluice_value *edited = data->edit(batch, value);
    for (size_t i = 0; gather->drop && i < gather->count; i++) {
        if (gather->names[i] != gather->target) {
            data->remove(batch, edited, gather->names[i]);
        }
    }
    data->put(batch, edited, gather->target, made);
    transform_replace(base, record, NULL, edited);
    return SLUICE_OK;
}

#define TARGET_OPTIONS                                                                             \
    OPTION(.name = "fields", .type = SLUICE_OPTION_LIST, .required = true,                         \
           .importance = SLUICE_HIGH, .valid = SLUICE_VALID_NON_EMPTY_LIST,                        \
           .doc = "Fields that are put together, in this order; a missing one counts as null."),   \
        OPTION(.name = "target", .type = SLUICE_OPTION_STRING, .required = true,                   \
               .importance = SLUICE_HIGH, .valid = SLUICE_VALID_NON_EMPTY,                         \
               .doc = "Name of the field that holds the result; new ones stand at the end."),      \
        OPTION(.name = "drop.fields", .type = SLUICE_OPTION_BOOLEAN, .default_value = "true",      \
               .importance = SLUICE_MEDIUM,                                                        \
               .doc = "Whether the fields put together are taken out.")

static const struct sluice_option concat_options[] = {
    TARGET_OPTIONS,
    OPTION(.name = "separator", .type = SLUICE_OPTION_STRING, .default_value = " ",
           .importance = SLUICE_HIGH,
           .doc = "What stands between the texts, taken as given; one blank by default, and none "
                  "where the value is empty."),
    OPTION(.name = "on.null", .type = SLUICE_OPTION_STRING, .default_value = "null",
           .importance = SLUICE_MEDIUM, .valid = SLUICE_VALID_ONE_OF, .values = on_null_values,
           .recommended = on_null_values,
           .doc =
               "What a null among the fields does: null makes the result null, skip leaves it out "
               "with its separator, keep takes it as the empty text."),
    OPTIONS_END,
};

static const struct sluice_option array_options[] = {
    TARGET_OPTIONS,
    OPTION(.name = "on.null", .type = SLUICE_OPTION_STRING, .default_value = "keep",
           .importance = SLUICE_MEDIUM, .valid = SLUICE_VALID_ONE_OF, .values = on_null_values,
           .recommended = on_null_values,
           .doc = "What a null among the fields does: keep puts it into the array, skip leaves it "
                  "out, null makes the result null."),
    OPTIONS_END,
};

static const struct sluice_transform functions = {
    .size = sizeof(struct sluice_transform),
    .create = create,
    .destroy = destroy,
    .configure = configure,
    .apply = apply,
};

KEY_AND_VALUE(concat_fields, SLUICE_PACKAGE "ConcatFields",
              "Puts the texts of several fields together into one.", concat_options, &functions);
KEY_AND_VALUE(array_from_fields, SLUICE_PACKAGE "ArrayFromFields",
              "Puts several fields together into an array.", array_options, &functions);
