/*
 * HoistField$Key, HoistField$Value: the whole value becomes the one field of a struct or map
 * (kafka-connect.md §3.10). Owned by the chain; [task thread].
 */
#include <stdlib.h>
#include <string.h>

#include "plugins/transforms/classes.h"
#include "plugins/transforms/schemas.h"

struct hoist_field {
    struct transform base;
    const char *field;
    const struct sluice_name *name;
    struct schema_cache cache;
};

static void *create(const struct sluice_host *host)
{
    return transform_create(host, sizeof(struct hoist_field));
}

static void destroy(void *self)
{
    struct hoist_field *hoist = self;
    if (hoist) {
        schema_cache_finish(&hoist->cache, &hoist->base);
        free(hoist);
    }
}

static enum sluice_result configure(void *self, const char *class_name,
                                    const struct sluice_config *config)
{
    struct hoist_field *hoist = self;
    transform_variant(&hoist->base, class_name);
    hoist->field = hoist->base.host->config->get_string(config, "field");
    hoist->name = hoist->base.data->intern(hoist->field, strlen(hoist->field));
    return SLUICE_OK;
}

static enum sluice_result make_plan(struct hoist_field *hoist, const struct sluice_schema *schema,
                                    const struct schema_plan **ret_plan)
{
    struct schema_draft draft;
    draft_init(&draft, &hoist->base, SLUICE_STRUCT);
    enum sluice_result result =
        draft_field(&draft, (struct sluice_span){hoist->field, strlen(hoist->field)}, schema, 0);
    return draft_keep(&draft, result, &hoist->cache, schema, ret_plan);
}

static enum sluice_result apply(void *self, struct sluice_record *record)
{
    struct hoist_field *hoist = self;
    const struct sluice_data *data = hoist->base.data;
    struct sluice_batch *batch = hoist->base.records->batch_of(record);
    const struct sluice_schema *schema;
    const struct sluice_value *value = transform_operand(&hoist->base, record, &schema);
    if (!value) {
        value = data->new_null(batch);
    }
    if (!schema) {
        struct sluice_value *map = data->new_map(batch, 1);
        data->put(batch, map, hoist->name, value);
        transform_replace(&hoist->base, record, NULL, map);
        return SLUICE_OK;
    }
    const struct schema_plan *plan = schema_cache_find(&hoist->cache, &hoist->base, schema);
    enum sluice_result result = plan ? SLUICE_OK : make_plan(hoist, schema, &plan);
    if (result == SLUICE_OK) {
        result = check_not_null(&hoist->base, schema, hoist->field, value);
    }
    if (result != SLUICE_OK) {
        return result;
    }
    struct sluice_value *made = data->new_struct(batch, plan->target);
    data->set_at(batch, made, 0, value);
    transform_replace(&hoist->base, record, plan->target, made);
    return SLUICE_OK;
}

static const struct sluice_option options[] = {
    OPTION(.name = "field", .type = SLUICE_OPTION_STRING, .required = true,
           .importance = SLUICE_MEDIUM,
           .doc = "Field name for the single field that will be created in the resulting Struct or "
                  "Map."),
    OPTIONS_END,
};

static const struct sluice_transform functions = {
    .size = sizeof(struct sluice_transform),
    .create = create,
    .destroy = destroy,
    .configure = configure,
    .apply = apply,
};

KEY_AND_VALUE(hoist_field, CONNECT_TRANSFORM "HoistField",
              "Wraps the entire key or value into a struct or map with one field.", options,
              &functions);
