/*
 * SetSchemaMetadata$Key, SetSchemaMetadata$Value: name and version of the schema
 * (kafka-connect.md §3.11). Owned by the chain; [task thread].
 */
#include <stdlib.h>

#include "plugins/transforms/classes.h"
#include "plugins/transforms/schemas.h"

struct set_schema_metadata {
    struct transform base;
    const char *name; /* NULL: as it is */
    bool has_version;
    int32_t version;
    struct schema_cache cache;
};

static void *create(const struct sluice_host *host)
{
    return transform_create(host, sizeof(struct set_schema_metadata));
}

static void destroy(void *self)
{
    struct set_schema_metadata *setter = self;
    if (setter) {
        schema_cache_finish(&setter->cache, &setter->base);
        free(setter);
    }
}

static enum sluice_result configure(void *self, const char *class_name,
                                    const struct sluice_config *config)
{
    struct set_schema_metadata *setter = self;
    const struct sluice_config_api *api = setter->base.host->config;
    transform_variant(&setter->base, class_name);
    transform_null_option(&setter->base, config);
    setter->name = api->get_string(config, "schema.name");
    setter->has_version = api->get_string(config, "schema.version") != NULL;
    setter->version = (int32_t)api->get_long(config, "schema.version");
    if (!setter->name && !setter->has_version) {
        return BAD_CONFIG(&setter->base, "Neither schema name nor version configured");
    }
    return SLUICE_OK;
}

static enum sluice_result make_plan(struct set_schema_metadata *setter,
                                    const struct sluice_schema *source,
                                    const struct schema_plan **ret_plan)
{
    const struct sluice_data *data = setter->base.data;
    if (data->schema_type(source) != SLUICE_STRUCT) {
        /* Connect asks every schema for its fields */
        return BAD_RECORD(&setter->base, "Cannot list fields on non-struct type");
    }
    struct schema_draft draft;
    draft_init(&draft, &setter->base, SLUICE_STRUCT);
    enum sluice_result result = draft_like(&draft, source);
    draft.spec.optional = data->schema_optional(source);
    draft.spec.default_value = data->schema_default(source);
    draft.spec.name = setter->name ? setter->name : draft.spec.name;
    if (setter->has_version) {
        draft.spec.has_version = true;
        draft.spec.version = setter->version;
    }
    size_t count = data->schema_field_count(source);
    for (size_t i = 0; i < count && result == SLUICE_OK; i++) {
        result = draft_field(&draft, data->name_text(data->schema_field_name(source, i)),
                             data->schema_field(source, i), (ptrdiff_t)i);
    }
    return draft_keep(&draft, result, &setter->cache, source, ret_plan);
}

static enum sluice_result apply(void *self, struct sluice_record *record)
{
    struct set_schema_metadata *setter = self;
    const struct transform *base = &setter->base;
    const struct sluice_data *data = base->data;
    const struct sluice_schema *schema;
    const struct sluice_value *value = transform_operand(base, record, &schema);
    if (!schema) {
        return is_null(base, value)
                   ? SLUICE_OK
                   : BAD_RECORD(base, "Schema required for [updating schema metadata]");
    }
    const struct schema_plan *plan = schema_cache_find(&setter->cache, base, schema);
    if (!plan) {
        enum sluice_result result = make_plan(setter, schema, &plan);
        if (result != SLUICE_OK) {
            return result;
        }
    }
    if (data->type(value) == SLUICE_STRUCT) {
        struct sluice_batch *batch = base->records->batch_of(record);
        struct sluice_value *made = data->new_struct(batch, plan->target);
        size_t count = data->schema_field_count(plan->target);
        for (size_t i = 0; i < count; i++) {
            enum sluice_result result =
                put_field(base, batch, made, i, struct_field(base, batch, value, i));
            if (result != SLUICE_OK) {
                return result;
            }
        }
        value = made;
    }
    transform_replace(base, record, plan->target, value);
    return SLUICE_OK;
}

static const struct sluice_option options[] = {
    OPTION(.name = "schema.name", .type = SLUICE_OPTION_STRING, .importance = SLUICE_HIGH,
           .doc = "Schema name to set."),
    OPTION(.name = "schema.version", .type = SLUICE_OPTION_INT, .importance = SLUICE_HIGH,
           .doc = "Schema version to set."),
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

KEY_AND_VALUE(set_schema_metadata, CONNECT_TRANSFORM "SetSchemaMetadata",
              "Sets name, version or both of the record's key or value schema.", options,
              &functions);
