/* See each_field.h. */
#include "plugins/transforms/each_field.h"

#include <stdlib.h>
#include <string.h>

#include "lib/java/hash_order.h"

/* How much of a value an error message shows. */
#define SHOWN 100

const char *const on_error_values[] = {"fail", "null", "default", NULL};

bool each_field_add(struct each_field *each, const char *name, size_t size)
{
    const struct sluice_name **names = realloc(each->names, (each->count + 1) * sizeof(*names));
    if (!names) {
        return false;
    }
    each->names = names;
    if (text_set_find(&each->index, name, size) >= 0) {
        return true;
    }
    names[each->count] = each->base.data->intern(name, size);
    return text_set_add(&each->index, name, size, each->count++);
}

enum sluice_result each_field_read(struct each_field *each, const struct sluice_config *config)
{
    const char *const *items = NULL;
    size_t count = each->base.host->config->get_list(config, "fields", &items);
    for (size_t i = 0; i < count; i++) {
        if (!each_field_add(each, items[i], strlen(items[i]))) {
            return NO_MEMORY(&each->base);
        }
    }
    return SLUICE_OK;
}

void each_field_read_on_error(struct each_field *each, const struct sluice_config *config)
{
    const struct sluice_config_api *api = each->base.host->config;
    const char *text = api->get_string(config, "on.error");
    each->on_error = !text || strcmp(text, "fail") == 0 ? ON_ERROR_FAIL
                     : strcmp(text, "null") == 0        ? ON_ERROR_NULL
                                                        : ON_ERROR_DEFAULT;
    each->default_text = api->get_string(config, "default.value");
}

static uint32_t bucket_of(const struct each_field *each, size_t i)
{
    struct sluice_span name = each->base.data->name_text(each->names[i]);
    return java_hash_bucket(name.data, name.size, each->count);
}

bool each_field_order(struct each_field *each)
{
    each->order = calloc(each->count + 1, sizeof(*each->order));
    for (size_t i = 0; each->order && i < each->count; i++) {
        size_t at = i;
        for (; at > 0 && bucket_of(each, each->order[at - 1]) > bucket_of(each, i); at--) {
            each->order[at] = each->order[at - 1];
        }
        each->order[at] = i;
    }
    return each->order != NULL;
}

void each_field_finish(struct each_field *each)
{
    free(each->order);
    free(each->names);
    text_set_finish(&each->index);
    schema_cache_finish(&each->cache, &each->base);
}

static enum sluice_result wrong(struct each_field *each, struct sluice_batch *batch,
                                struct sluice_span name, const struct sluice_value *value,
                                const char *reason)
{
    struct sluice_span text = each->base.data->to_text(batch, value);
    return BAD_RECORD(&each->base, "Cannot convert field %.*s: value (%.*s%s) %s", (int)name.size,
                      name.data, (int)(text.size > SHOWN ? SHOWN : text.size), text.data,
                      text.size > SHOWN ? ".." : "", reason);
}

/* One value through convert() and on.error; *ret_value is what the field shall hold. */
static enum sluice_result convert(struct each_field *each, struct sluice_batch *batch, size_t which,
                                  struct sluice_span name, const struct sluice_schema *schema,
                                  const struct sluice_value *value,
                                  const struct sluice_value **ret_value)
{
    const struct sluice_data *data = each->base.data;
    *ret_value = value;
    if (each->type->skip_null && data->type(value) == SLUICE_NULL) {
        return SLUICE_OK;
    }
    const char *reason = NULL;
    switch (each->type->convert(each, batch, which, schema, value, ret_value, &reason)) {
    case CONVERT_KEEP:
        *ret_value = value;
        return SLUICE_OK;
    case CONVERT_SET:
        return SLUICE_OK;
    case CONVERT_ERROR:
        return each->result;
    case CONVERT_WRONG:
        break;
    }
    if (each->on_error == ON_ERROR_FAIL) {
        return wrong(each, batch, name, value, reason);
    }
    *ret_value = data->new_null(batch);
    if (each->on_error == ON_ERROR_NULL || !each->default_text) {
        return SLUICE_OK;
    }
    const struct sluice_value *text =
        data->new_string(batch, each->default_text, strlen(each->default_text));
    enum conversion outcome =
        each->type->convert(each, batch, which, NULL, text, ret_value, &reason);
    if (outcome == CONVERT_KEEP) {
        *ret_value = text;
    } else if (outcome == CONVERT_WRONG) {
        return wrong(each, batch, name, text, reason);
    }
    return outcome == CONVERT_ERROR ? each->result : SLUICE_OK;
}

static enum sluice_result apply_map(struct each_field *each, struct sluice_record *record,
                                    struct sluice_batch *batch, const struct sluice_value *value)
{
    const struct sluice_data *data = each->base.data;
    enum sluice_result result = require_map(&each->base, value, each->type->purpose);
    if (result != SLUICE_OK) {
        return result;
    }
    struct sluice_value *edited = NULL;
    size_t count = each->count ? each->count : data->count(value);
    for (size_t k = 0; k < count; k++) {
        size_t i = each->order ? each->order[k] : k;
        const struct sluice_value *map = edited ? edited : value;
        ptrdiff_t at = each->count ? data->index_of(map, each->names[i]) : (ptrdiff_t)i;
        const struct sluice_value *before = at >= 0 ? data->at(map, (size_t)at) : NULL;
        if (!before && !each->type->add_missing) {
            continue;
        }
        const struct sluice_value *after = before;
        if (before) {
            struct sluice_span name =
                each->count ? data->name_text(each->names[i]) : (struct sluice_span){.data = NULL};
            if (!each->count && each->on_error == ON_ERROR_FAIL) {
                name = data->text(data->key_at(map, i));
            }
            result = convert(each, batch, each->count ? i : ANY_FIELD, name, NULL, before, &after);
            if (result != SLUICE_OK) {
                return result;
            }
            if (after == before) {
                continue;
            }
        } else {
            after = data->new_null(batch);
        }
        if (!edited) {
            edited = data->edit(batch, value);
        }
        if (at < 0) {
            data->put(batch, edited, each->names[i], after);
        } else {
            data->set_at(batch, edited, (size_t)at, after);
        }
    }
    if (edited) {
        transform_replace(&each->base, record, NULL, edited);
    }
    return SLUICE_OK;
}

static enum sluice_result convert_struct(struct each_field *each, struct sluice_batch *batch,
                                         const struct sluice_value *value, const ptrdiff_t *which,
                                         const struct sluice_schema *target,
                                         struct sluice_value **ret_value)
{
    const struct sluice_data *data = each->base.data;
    const struct sluice_schema *source = data->struct_schema(value);
    struct sluice_value *made = data->new_struct(batch, target);
    size_t count = data->schema_field_count(source);
    for (size_t i = 0; i < count; i++) {
        const struct sluice_value *field = struct_field(&each->base, batch, value, i);
        if (which[i] >= 0) {
            struct sluice_span name = data->name_text(data->schema_field_name(source, i));
            enum sluice_result result =
                convert(each, batch, each->count ? (size_t)which[i] : ANY_FIELD, name,
                        data->schema_field(source, i), field, &field);
            if (result != SLUICE_OK) {
                return result;
            }
        }
        enum sluice_result result = put_field(&each->base, batch, made, i, field);
        if (result != SLUICE_OK) {
            return result;
        }
    }
    *ret_value = made;
    return SLUICE_OK;
}

/* The struct's own default, converted like any value of it; then the schema is built again with it.
 */
static enum sluice_result add_default(struct each_field *each, struct sluice_batch *batch,
                                      struct schema_draft *draft,
                                      const struct sluice_schema *source, const ptrdiff_t *which,
                                      const struct sluice_schema **target)
{
    const struct sluice_data *data = each->base.data;
    const struct sluice_value *value = data->schema_default(source);
    if (data->type(value) != SLUICE_STRUCT) {
        return SLUICE_OK;
    }
    struct sluice_value *converted = NULL;
    enum sluice_result result = convert_struct(each, batch, value, which, *target, &converted);
    if (result != SLUICE_OK) {
        return result;
    }
    draft->spec.default_value = converted;
    const struct sluice_schema *with_default = NULL;
    result = draft_build(draft, &with_default);
    if (result == SLUICE_OK) {
        data->schema_release(*target);
        *target = with_default;
    }
    return result;
}

static enum sluice_result make_plan(struct each_field *each, struct sluice_batch *batch,
                                    const struct sluice_schema *source,
                                    const struct schema_plan **ret_plan)
{
    const struct sluice_data *data = each->base.data;
    size_t count = data->schema_field_count(source);
    struct schema_draft draft;
    draft_init(&draft, &each->base, SLUICE_STRUCT);
    draft.spec.optional = data->schema_optional(source);
    const struct sluice_schema *target = NULL;
    ptrdiff_t *which = calloc(count + 1, sizeof(*which));
    enum sluice_result result = which ? draft_like(&draft, source) : NO_MEMORY(&each->base);
    bool changed = false;
    for (size_t i = 0; i < count && result == SLUICE_OK; i++) {
        struct sluice_span name = data->name_text(data->schema_field_name(source, i));
        const struct sluice_schema *before = data->schema_field(source, i);
        const struct sluice_schema *after = NULL;
        which[i] = each->count ? text_set_find(&each->index, name.data, name.size) : 0;
        if (which[i] >= 0 && each->type->schema) {
            result = each->type->schema(each, batch, each->count ? (size_t)which[i] : ANY_FIELD,
                                        before, &after);
        }
        if (result == SLUICE_OK) {
            changed |= after && after != before;
            result = draft_field(&draft, name, after ? after : before, (ptrdiff_t)i);
        }
        data->schema_release(after);
    }
    if (result == SLUICE_OK && !changed) {
        target = data->schema_retain(source);
    } else if (result == SLUICE_OK) {
        result = draft_build(&draft, &target);
        if (result == SLUICE_OK) {
            result = add_default(each, batch, &draft, source, which, &target);
        }
    }
    if (result == SLUICE_OK) {
        *ret_plan = schema_cache_add(&each->cache, &each->base, source, target, &draft, which);
    } else {
        data->schema_release(target);
        free(which);
    }
    draft_finish(&draft);
    return result;
}

enum sluice_result each_field_plan(struct each_field *each, struct sluice_batch *batch,
                                   const struct sluice_schema *schema,
                                   const struct schema_plan **ret_plan)
{
    if (each->base.data->schema_type(schema) != SLUICE_STRUCT) {
        return BAD_RECORD(&each->base, "Cannot list fields on non-struct type");
    }
    *ret_plan = schema_cache_find(&each->cache, &each->base, schema);
    return *ret_plan ? SLUICE_OK : make_plan(each, batch, schema, ret_plan);
}

static enum sluice_result apply_struct(struct each_field *each, struct sluice_record *record,
                                       struct sluice_batch *batch,
                                       const struct sluice_schema *schema,
                                       const struct sluice_value *value)
{
    const struct schema_plan *plan = NULL;
    enum sluice_result result = SLUICE_OK;
    if (!each->type->schema_first) {
        result = require_struct(&each->base, value, each->type->purpose);
    }
    if (result == SLUICE_OK) {
        result = each_field_plan(each, batch, schema, &plan);
    }
    if (result == SLUICE_OK) {
        result = require_struct(&each->base, value, each->type->purpose);
    }
    if (result != SLUICE_OK) {
        return result;
    }
    struct sluice_value *made = NULL;
    result = convert_struct(each, batch, value, plan->which, plan->target, &made);
    if (result == SLUICE_OK) {
        transform_replace(&each->base, record, plan->target, made);
    }
    return result;
}

enum sluice_result each_field_apply(struct each_field *each, struct sluice_record *record)
{
    const struct sluice_schema *schema;
    const struct sluice_value *value = transform_operand(&each->base, record, &schema);
    if (is_null(&each->base, value)) {
        return SLUICE_OK;
    }
    struct sluice_batch *batch = each->base.records->batch_of(record);
    return schema ? apply_struct(each, record, batch, schema, value)
                  : apply_map(each, record, batch, value);
}
