/*
 * sluice.transforms.ParseJson$Key, $Value: texts that hold JSON become what they say. Data without
 * schema only: what comes out has none. Owned by the chain; [task thread].
 */
#include <stdlib.h>
#include <string.h>

#include "plugins/transforms/classes.h"
#include "plugins/transforms/each_field.h"

static void *create(const struct sluice_host *host)
{
    return transform_create(host, sizeof(struct each_field));
}

static void destroy(void *self)
{
    if (self) {
        each_field_finish(self);
        free(self);
    }
}

static enum conversion convert(struct each_field *each, struct sluice_batch *batch, size_t which,
                               const struct sluice_schema *schema, const struct sluice_value *value,
                               const struct sluice_value **ret_value, const char **ret_reason)
{
    (void)which;
    (void)schema;
    const struct sluice_data *data = each->base.data;
    if (data->type(value) != SLUICE_STRING) {
        return CONVERT_KEEP;
    }
    struct sluice_span text = data->text(value);
    struct sluice_value *parsed = NULL;
    struct sluice_json_error error = {.size = sizeof(error)};
    if (data->from_json(batch, text.data, text.size, SLUICE_JSON_STRICT, &parsed, &error) !=
        SLUICE_OK) {
        *ret_reason = "is no JSON";
        return CONVERT_WRONG;
    }
    *ret_value = parsed;
    return CONVERT_SET;
}

static const struct each_field_type parse_type = {
    .purpose = "parsing JSON",
    .skip_null = true,
    .convert = convert,
};

static enum sluice_result configure(void *self, const char *class_name,
                                    const struct sluice_config *config)
{
    struct each_field *each = self;
    each->type = &parse_type;
    transform_variant(&each->base, class_name);
    each_field_read_on_error(each, config);
    return each_field_read(each, config);
}

static enum sluice_result apply(void *self, struct sluice_record *record)
{
    struct each_field *each = self;
    const struct sluice_schema *schema;
    const struct sluice_value *value = transform_operand(&each->base, record, &schema);
    if (schema && !is_null(&each->base, value)) {
        return BAD_RECORD(&each->base,
                          "ParseJson works on data without schema only; set schemas.enable=false");
    }
    return each_field_apply(each, record);
}

static const struct sluice_option options[] = {
    FIELDS_OPTION("Fields whose texts hold JSON; all texts where empty."),
    ON_ERROR_OPTIONS("fail"),
    OPTION(.name = "default.value", .type = SLUICE_OPTION_STRING, .importance = SLUICE_LOW,
           .doc = "JSON that on.error=default puts in."),
    OPTIONS_END,
};

static const struct sluice_transform functions = {
    .size = sizeof(struct sluice_transform),
    .create = create,
    .destroy = destroy,
    .configure = configure,
    .apply = apply,
};

KEY_AND_VALUE(parse_json, SLUICE_PACKAGE "ParseJson", "Texts that hold JSON become what they say.",
              options, &functions);
