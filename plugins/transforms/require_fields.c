/*
 * sluice.transforms.RequireFields$Key, $Value: a record that lacks its fields is bad: to the dead
 * letters with it, where errors are tolerated. Owned by the chain; [task thread].
 */
#include <stdlib.h>
#include <string.h>

#include "plugins/transforms/classes.h"
#include "plugins/transforms/transform.h"

#define PURPOSE "requiring fields"

struct require_fields {
    struct transform base;
    const struct sluice_name **names;
    const char *list; /* as configured; the configuration's */
    size_t count;
    bool any, nulls;
};

static void *create(const struct sluice_host *host)
{
    return transform_create(host, sizeof(struct require_fields));
}

static void destroy(void *self)
{
    struct require_fields *require = self;
    if (require) {
        free(require->names);
        free(require);
    }
}

static enum sluice_result configure(void *self, const char *class_name,
                                    const struct sluice_config *config)
{
    struct require_fields *require = self;
    const struct sluice_config_api *api = require->base.host->config;
    transform_variant(&require->base, class_name);
    require->any = strcmp(api->get_string(config, "match"), "any") == 0;
    require->nulls = api->get_boolean(config, "accept.null");
    require->list = api->get_string(config, "fields");
    const char *const *items = NULL;
    size_t count = api->get_list(config, "fields", &items);
    require->names = calloc(count + 1, sizeof(*require->names));
    if (!require->names) {
        return NO_MEMORY(&require->base);
    }
    for (; require->count < count; require->count++) {
        const char *item = items[require->count];
        require->names[require->count] = require->base.data->intern(item, strlen(item));
    }
    return SLUICE_OK;
}

static enum sluice_result apply(void *self, struct sluice_record *record)
{
    struct require_fields *require = self;
    const struct transform *base = &require->base;
    const struct sluice_schema *schema;
    const struct sluice_value *value = transform_operand(base, record, &schema);
    if (is_null(base, value)) {
        return SLUICE_OK;
    }
    enum sluice_result result = schema ? require_struct(base, value, PURPOSE)
                                       : require_map(base, value, PURPOSE);
    if (result != SLUICE_OK) {
        return result;
    }
    for (size_t i = 0; i < require->count; i++) {
        const struct sluice_value *field = base->data->find(value, require->names[i]);
        bool there = field && (require->nulls || !is_null(base, field));
        if (there && require->any) {
            return SLUICE_OK;
        }
        if (!there && !require->any) {
            struct sluice_span name = base->data->name_text(require->names[i]);
            return BAD_RECORD(base, "Field is %s: %.*s", field ? "null" : "missing", (int)name.size,
                              name.data);
        }
    }
    return require->any ? BAD_RECORD(base, "None of the fields is there: %s", require->list) : SLUICE_OK;
}

static const char *const matches[] = {"all", "any", NULL};

static const struct sluice_option options[] = {
    OPTION(.name = "fields", .type = SLUICE_OPTION_LIST, .required = true,
           .importance = SLUICE_HIGH, .valid = SLUICE_VALID_NON_EMPTY_LIST,
           .doc = "Fields that a record has to have."),
    OPTION(.name = "match", .type = SLUICE_OPTION_STRING, .default_value = "all",
           .importance = SLUICE_MEDIUM, .valid = SLUICE_VALID_ONE_OF, .values = matches,
           .recommended = matches, .doc = "Whether all of them are needed, or any one."),
    OPTION(.name = "accept.null", .type = SLUICE_OPTION_BOOLEAN, .default_value = "true",
           .importance = SLUICE_LOW, .doc = "Whether a field that is null counts as being there."),
    OPTIONS_END,
};

static const struct sluice_transform functions = {
    .size = sizeof(struct sluice_transform),
    .create = create,
    .destroy = destroy,
    .configure = configure,
    .apply = apply,
};

KEY_AND_VALUE(require_fields, SLUICE_PACKAGE "RequireFields",
              "Fails records that lack fields they have to have.", options, &functions);
