/*
 * sluice.transforms.Within$Key, $Value: any other transform on a nested part, as if that were the
 * record's value. Data without schema only. Owned by the chain; [task thread].
 */
#include <stdlib.h>
#include <string.h>

#include "plugins/field_path.h"
#include "plugins/transforms/classes.h"
#include "plugins/transforms/transform.h"

struct within {
    struct transform base;
    struct field_path path;
    const struct sluice_transform *inner;
    void *inner_self;
};

static void *create(const struct sluice_host *host)
{
    return transform_create(host, sizeof(struct within));
}

static void destroy(void *self)
{
    struct within *within = self;
    if (within && within->inner_self) {
        within->base.host->drop_plugin(within->base.host, within->inner_self);
    }
    free(within);
}

static enum sluice_result configure(void *self, const char *class_name,
                                    const struct sluice_config *config)
{
    struct within *within = self;
    const struct sluice_host *host = within->base.host;
    transform_variant(&within->base, class_name);
    const char *path = host->config->get_string(config, "path");
    const char *inner = host->config->get_string(config, "transform.type");
    const char *wrong = field_path_parse(&within->path, within->base.data, path);
    if (wrong) {
        return BAD_CONFIG(&within->base, "Invalid value %s for configuration path: %s", path, wrong);
    }
    const void *vtable = NULL;
    within->inner_self =
        host->make_plugin(host, SLUICE_TRANSFORM, inner, config, "transform.", &vtable);
    within->inner = vtable;
    if (!within->inner_self) {
        return SLUICE_FATAL;
    }
    return within->inner->configure(within->inner_self, inner,
                                    host->made_config(host, within->inner_self));
}

/* A part that was gone through: *ret_value is what it has become, NULL: it is to be left out. */
static enum sluice_result walk(struct within *within, struct sluice_record *record,
                               struct sluice_batch *batch, const struct sluice_value *value, size_t at,
                               const struct sluice_value **ret_value);

/* The end of the path. */
static enum sluice_result transform_part(struct within *within, struct sluice_record *record,
                                         const struct sluice_value *value,
                                         const struct sluice_value **ret_value)
{
    const struct sluice_records *records = within->base.records;
    const struct sluice_schema *schema = records->value_schema(record);
    const struct sluice_value *own = records->value(record);
    records->set_value(record, NULL, value);
    enum sluice_result result = within->inner->apply(within->inner_self, record);
    const struct sluice_value *made = records->value(record);
    *ret_value = result == SLUICE_DROP ? NULL
                 : made                ? made
                                       : within->base.data->new_null(records->batch_of(record));
    records->set_value(record, schema, own);
    return result == SLUICE_DROP ? SLUICE_OK : result;
}

static enum sluice_result walk_map(struct within *within, struct sluice_record *record,
                                   struct sluice_batch *batch, const struct sluice_value *map, size_t at,
                                   const struct sluice_value **ret_value)
{
    const struct sluice_data *data = within->base.data;
    const struct sluice_name *name = within->path.steps[at].name;
    ptrdiff_t place = data->index_of(map, name);
    if (place < 0) {
        return SLUICE_OK;
    }
    const struct sluice_value *before = data->at(map, (size_t)place), *after = before;
    enum sluice_result result = walk(within, record, batch, before, at + 1, &after);
    if (result == SLUICE_OK && after != before) {
        struct sluice_value *edited = data->edit(batch, map);
        if (after) {
            data->set_at(batch, edited, (size_t)place, after);
        } else {
            data->remove(batch, edited, name);
        }
        *ret_value = edited;
    }
    return result;
}

static enum sluice_result walk_array(struct within *within, struct sluice_record *record,
                                     struct sluice_batch *batch, const struct sluice_value *array,
                                     size_t at, const struct sluice_value **ret_value)
{
    const struct sluice_data *data = within->base.data;
    const struct field_step *step = &within->path.steps[at];
    size_t count = data->count(array);
    ptrdiff_t only = step->kind == STEP_ALL ? -1 : field_step_element(step, count);
    if (step->kind != STEP_ALL && only < 0) {
        return SLUICE_OK;
    }
    struct sluice_value *made = data->new_array(batch, count);
    bool changed = false;
    for (size_t i = 0; i < count; i++) {
        const struct sluice_value *before = data->at(array, i), *after = before;
        if (only < 0 || (size_t)only == i) {
            enum sluice_result result = walk(within, record, batch, before, at + 1, &after);
            if (result != SLUICE_OK) {
                return result;
            }
        }
        changed |= after != before;
        if (after) {
            data->append(batch, made, after);
        }
    }
    if (changed) {
        *ret_value = made;
    }
    return SLUICE_OK;
}

static enum sluice_result walk(struct within *within, struct sluice_record *record,
                               struct sluice_batch *batch, const struct sluice_value *value, size_t at,
                               const struct sluice_value **ret_value)
{
    enum sluice_type type = within->base.data->type(value);
    if (at == within->path.count) {
        return transform_part(within, record, value, ret_value);
    }
    if (within->path.steps[at].kind == STEP_NAME) {
        return type == SLUICE_MAP ? walk_map(within, record, batch, value, at, ret_value) : SLUICE_OK;
    }
    return type == SLUICE_ARRAY ? walk_array(within, record, batch, value, at, ret_value)
                                : SLUICE_OK;
}

static enum sluice_result apply(void *self, struct sluice_record *record)
{
    struct within *within = self;
    const struct sluice_schema *schema;
    const struct sluice_value *value = transform_operand(&within->base, record, &schema);
    if (is_null(&within->base, value)) {
        return SLUICE_OK;
    }
    if (schema) {
        return BAD_RECORD(&within->base, "Within works on data without schema only; set "
                                         "schemas.enable=false, or take the part out with ExtractField");
    }
    const struct sluice_value *after = value;
    enum sluice_result result =
        walk(within, record, within->base.records->batch_of(record), value, 0, &after);
    if (result == SLUICE_OK && after != value) {
        transform_replace(&within->base, record, NULL, after);
    }
    return result;
}

static const struct sluice_option options[] = {
    OPTION(.name = "path", .type = SLUICE_OPTION_STRING, .required = true, .importance = SLUICE_HIGH,
           .valid = SLUICE_VALID_NON_EMPTY,
           .doc = "The part, as a.b[0].c: names parted by dots (in backticks where they hold dots), "
                  "[n] for an element, from the end where negative, [*] for every element. What is "
                  "not there is left alone."),
    OPTION(.name = "transform.type", .type = SLUICE_OPTION_STRING, .required = true,
           .importance = SLUICE_HIGH, .valid = SLUICE_VALID_NON_EMPTY,
           .doc = "Class of the transform, a $Value one: the part is its value. Where it drops the "
                  "record, the part is left out."),
    OPTION(.name = "transform.*", .type = SLUICE_OPTION_STRING, .importance = SLUICE_MEDIUM,
           .doc = "Options of that transform."),
    OPTIONS_END,
};

static const struct sluice_transform functions = {
    .size = sizeof(struct sluice_transform),
    .create = create,
    .destroy = destroy,
    .configure = configure,
    .apply = apply,
};

KEY_AND_VALUE(within, SLUICE_PACKAGE "Within", "Any transform on a nested part of the key or value.",
              options, &functions);
