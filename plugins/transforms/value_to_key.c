/*
 * ValueToKey: makes a new key out of fields of the value (kafka-connect.md §3.8). Owned by the
 * chain; [task thread].
 */
#include <stdlib.h>
#include <string.h>

#include "plugins/transforms/classes.h"
#include "plugins/transforms/schemas.h"

#define PURPOSE "copying fields from value to key"

struct value_to_key {
    struct transform base;
    const struct sluice_name **names;
    size_t count;
    struct schema_cache cache;
};

static void *create(const struct sluice_host *host)
{
    return transform_create(host, sizeof(struct value_to_key));
}

static void destroy(void *self)
{
    struct value_to_key *copier = self;
    if (copier) {
        schema_cache_finish(&copier->cache, &copier->base);
        free(copier->names);
        free(copier);
    }
}

static enum sluice_result configure(void *self, const char *class_name,
                                    const struct sluice_config *config)
{
    (void)class_name;
    struct value_to_key *copier = self;
    transform_null_option(&copier->base, config);
    const char *const *items = NULL;
    copier->count = copier->base.host->config->get_list(config, "fields", &items);
    copier->names = calloc(copier->count + 1, sizeof(*copier->names));
    if (!copier->names) {
        return NO_MEMORY(&copier->base);
    }
    for (size_t i = 0; i < copier->count; i++) {
        copier->names[i] = copier->base.data->intern(items[i], strlen(items[i]));
    }
    return SLUICE_OK;
}

static enum sluice_result make_plan(struct value_to_key *copier, const struct sluice_schema *source,
                                    const struct schema_plan **ret_plan)
{
    const struct sluice_data *data = copier->base.data;
    struct schema_draft draft;
    draft_init(&draft, &copier->base, SLUICE_STRUCT);
    enum sluice_result result = SLUICE_OK;
    for (size_t i = 0; i < copier->count && result == SLUICE_OK; i++) {
        struct sluice_span name = data->name_text(copier->names[i]);
        ptrdiff_t at = data->schema_find(source, copier->names[i]);
        result = at >= 0 ? draft_field(&draft, name, data->schema_field(source, (size_t)at), at)
                         : BAD_RECORD(&copier->base, "Field does not exist: %.*s", (int)name.size,
                                      name.data);
    }
    return draft_keep(&draft, result, &copier->cache, source, ret_plan);
}

static enum sluice_result apply(void *self, struct sluice_record *record)
{
    struct value_to_key *copier = self;
    const struct transform *base = &copier->base;
    const struct sluice_data *data = base->data;
    struct sluice_batch *batch = base->records->batch_of(record);
    const struct sluice_schema *schema;
    const struct sluice_value *value = transform_operand(base, record, &schema);
    enum sluice_result result =
        schema ? require_struct(base, value, PURPOSE) : require_map(base, value, PURPOSE);
    if (result != SLUICE_OK) {
        return result;
    }
    if (!schema) {
        struct sluice_value *key = data->new_map(batch, copier->count);
        for (size_t i = 0; i < copier->count; i++) {
            const struct sluice_value *field = data->find(value, copier->names[i]);
            data->put(batch, key, copier->names[i], field ? field : data->new_null(batch));
        }
        base->records->set_key(record, NULL, key);
        return SLUICE_OK;
    }
    const struct sluice_schema *source = data->struct_schema(value);
    const struct schema_plan *plan = schema_cache_find(&copier->cache, base, source);
    if (!plan) {
        result = make_plan(copier, source, &plan);
        if (result != SLUICE_OK) {
            return result;
        }
    }
    struct sluice_value *key = data->new_struct(batch, plan->target);
    for (size_t i = 0; i < copier->count; i++) {
        result = put_field(base, batch, key, i,
                           struct_field(base, batch, value, (size_t)plan->from[i]));
        if (result != SLUICE_OK) {
            return result;
        }
    }
    base->records->set_key(record, plan->target, key);
    return SLUICE_OK;
}

static const struct sluice_option options[] = {
    OPTION(.name = "fields", .type = SLUICE_OPTION_LIST, .required = true,
           .importance = SLUICE_HIGH, .valid = SLUICE_VALID_NON_EMPTY_LIST,
           .doc = "Field names on the record value to extract as the record key."),
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

DESCRIPTOR(value_to_key, CONNECT_TRANSFORM "ValueToKey",
           "Makes a new key out of fields of the value.", options, &functions);
