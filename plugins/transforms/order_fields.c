/*
 * sluice.transforms.OrderFields$Key, $Value: puts fields into an order, and if asked drops all
 * others or adds missing ones as null. Owned by the chain; [task thread].
 */
#include <stdlib.h>
#include <string.h>

#include "plugins/transforms/classes.h"
#include "plugins/transforms/schemas.h"

#define PURPOSE "ordering fields"

struct order_fields {
    struct transform base;
    const struct sluice_name **names;
    size_t count;
    struct text_set index;
    bool keep_rest, add_missing;
    struct schema_cache cache;
};

static void *create(const struct sluice_host *host)
{
    return transform_create(host, sizeof(struct order_fields));
}

static void destroy(void *self)
{
    struct order_fields *order = self;
    if (order) {
        schema_cache_finish(&order->cache, &order->base);
        text_set_finish(&order->index);
        free(order->names);
        free(order);
    }
}

static enum sluice_result configure(void *self, const char *class_name,
                                    const struct sluice_config *config)
{
    struct order_fields *order = self;
    const struct sluice_config_api *api = order->base.host->config;
    transform_variant(&order->base, class_name);
    order->keep_rest = strcmp(api->get_string(config, "rest"), "keep") == 0;
    order->add_missing = strcmp(api->get_string(config, "missing"), "null") == 0;
    const char *const *items = NULL;
    size_t count = api->get_list(config, "fields", &items);
    order->names = calloc(count + 1, sizeof(*order->names));
    bool fine = order->names != NULL;
    for (size_t i = 0; fine && i < count; i++) {
        if (text_set_find(&order->index, items[i], strlen(items[i])) < 0) {
            order->names[order->count] = order->base.data->intern(items[i], strlen(items[i]));
            fine = text_set_add(&order->index, items[i], strlen(items[i]), order->count++);
        }
    }
    return fine ? SLUICE_OK : NO_MEMORY(&order->base);
}

static enum sluice_result apply_map(struct order_fields *order, struct sluice_record *record,
                                    struct sluice_batch *batch, const struct sluice_value *value)
{
    const struct sluice_data *data = order->base.data;
    enum sluice_result result = require_map(&order->base, value, PURPOSE);
    if (result != SLUICE_OK) {
        return result;
    }
    size_t count = data->count(value);
    struct sluice_value *made =
        data->new_map(batch, order->keep_rest ? count + order->count : order->count);
    for (size_t i = 0; i < order->count; i++) {
        const struct sluice_value *field = data->find(value, order->names[i]);
        if (field || order->add_missing) {
            data->put(batch, made, order->names[i], field ? field : data->new_null(batch));
        }
    }
    for (size_t i = 0; order->keep_rest && i < count; i++) {
        const struct sluice_value *key = data->key_at(value, i);
        struct sluice_span name = data->text(key);
        if (text_set_find(&order->index, name.data, name.size) < 0) {
            data->put_key(batch, made, key, data->at(value, i));
        }
    }
    transform_replace(&order->base, record, NULL, made);
    return SLUICE_OK;
}

static enum sluice_result make_plan(struct order_fields *order, const struct sluice_schema *source,
                                    const struct schema_plan **ret_plan)
{
    const struct sluice_data *data = order->base.data;
    struct schema_draft draft;
    draft_init(&draft, &order->base, SLUICE_STRUCT);
    draft.spec.optional = data->schema_optional(source);
    enum sluice_result result = draft_like(&draft, source);
    for (size_t i = 0; i < order->count && result == SLUICE_OK; i++) {
        ptrdiff_t at = data->schema_find(source, order->names[i]);
        if (at >= 0) {
            result = draft_field(&draft, data->name_text(order->names[i]),
                                 data->schema_field(source, (size_t)at), at);
        } else if (order->add_missing) {
            /* nothing says what it would be: an optional text holds the null */
            result = draft_field(&draft, data->name_text(order->names[i]),
                                 data->schema_plain(SLUICE_STRING, true), -1);
        }
    }
    size_t count = order->keep_rest ? data->schema_field_count(source) : 0;
    for (size_t i = 0; i < count && result == SLUICE_OK; i++) {
        struct sluice_span name = data->name_text(data->schema_field_name(source, i));
        if (text_set_find(&order->index, name.data, name.size) < 0) {
            result = draft_field(&draft, name, data->schema_field(source, i), (ptrdiff_t)i);
        }
    }
    return draft_keep(&draft, result, &order->cache, source, ret_plan);
}

static enum sluice_result apply(void *self, struct sluice_record *record)
{
    struct order_fields *order = self;
    const struct transform *base = &order->base;
    const struct sluice_data *data = base->data;
    struct sluice_batch *batch = base->records->batch_of(record);
    const struct sluice_schema *schema;
    const struct sluice_value *value = transform_operand(base, record, &schema);
    if (is_null(base, value)) {
        return SLUICE_OK;
    }
    if (!schema) {
        return apply_map(order, record, batch, value);
    }
    enum sluice_result result = require_struct(base, value, PURPOSE);
    if (result != SLUICE_OK) {
        return result;
    }
    const struct sluice_schema *source = data->struct_schema(value);
    const struct schema_plan *plan = schema_cache_find(&order->cache, base, source);
    if (!plan) {
        result = make_plan(order, source, &plan);
        if (result != SLUICE_OK) {
            return result;
        }
    }
    struct sluice_value *made = data->new_struct(batch, plan->target);
    size_t count = data->schema_field_count(plan->target);
    for (size_t i = 0; i < count; i++) {
        if (plan->from[i] >= 0) {
            data->set_at(batch, made, i, struct_field(base, batch, value, (size_t)plan->from[i]));
        }
    }
    transform_replace(base, record, plan->target, made);
    return SLUICE_OK;
}

static const char *const rest_values[] = {"keep", "drop", NULL};
static const char *const missing_values[] = {"skip", "null", NULL};

static const struct sluice_option options[] = {
    OPTION(.name = "fields", .type = SLUICE_OPTION_LIST, .required = true,
           .importance = SLUICE_HIGH, .valid = SLUICE_VALID_NON_EMPTY_LIST,
           .doc = "Fields in the order they shall have."),
    OPTION(.name = "rest", .type = SLUICE_OPTION_STRING, .default_value = "keep",
           .importance = SLUICE_MEDIUM, .valid = SLUICE_VALID_ONE_OF, .values = rest_values,
           .recommended = rest_values,
           .doc = "What becomes of other fields: keep puts them behind, in their own order, drop "
                  "leaves them out."),
    OPTION(.name = "missing", .type = SLUICE_OPTION_STRING, .default_value = "skip",
           .importance = SLUICE_MEDIUM, .valid = SLUICE_VALID_ONE_OF, .values = missing_values,
           .recommended = missing_values,
           .doc =
               "What becomes of listed fields that a record lacks: skip leaves them out, null adds "
               "them as null."),
    OPTIONS_END,
};

static const struct sluice_transform functions = {
    .size = sizeof(struct sluice_transform),
    .create = create,
    .destroy = destroy,
    .configure = configure,
    .apply = apply,
};

KEY_AND_VALUE(order_fields, SLUICE_PACKAGE "OrderFields",
              "Puts fields into an order; drops others or adds missing ones if asked.", options,
              &functions);
