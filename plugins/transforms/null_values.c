/*
 * sluice.transforms.NullValues$Key, $Value: texts that stand for "nothing" become null, in listed
 * fields or in all. Owned by the chain; [task thread].
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/java/regex.h"
#include "plugins/transforms/classes.h"
#include "plugins/transforms/each_field.h"
#include "plugins/transforms/lists.h"

struct null_values {
    struct each_field each; /* first */
    struct text_set values;
    bool empty;
    struct regex *regex; /* NULL: none */
};

static void *create(const struct sluice_host *host)
{
    return transform_create(host, sizeof(struct null_values));
}

static void destroy(void *self)
{
    struct null_values *nulls = self;
    if (nulls) {
        each_field_finish(&nulls->each);
        text_set_finish(&nulls->values);
        regex_destroy(nulls->regex);
        free(nulls);
    }
}

static enum conversion convert(struct each_field *each, struct sluice_batch *batch, size_t which,
                               const struct sluice_schema *schema, const struct sluice_value *value,
                               const struct sluice_value **ret_value, const char **ret_reason)
{
    (void)which;
    (void)schema;
    (void)ret_reason;
    struct null_values *nulls = (struct null_values *)each;
    const struct sluice_data *data = each->base.data;
    if (data->type(value) != SLUICE_STRING) {
        return CONVERT_KEEP;
    }
    struct sluice_span text = data->text(value);
    bool match = text.size == 0 ? nulls->empty : false;
    match = match || text_set_find(&nulls->values, text.data, text.size) >= 0;
    if (!match && nulls->regex) {
        enum regex_result result = regex_matches(nulls->regex, text.data, text.size);
        if (result != REGEX_YES && result != REGEX_NO) {
            each->result = BAD_RECORD(&each->base, REGEX_GAVE_UP);
            return CONVERT_ERROR;
        }
        match = result == REGEX_YES;
    }
    if (!match) {
        return CONVERT_KEEP;
    }
    *ret_value = data->new_null(batch);
    return CONVERT_SET;
}

static enum sluice_result field_schema(struct each_field *each, struct sluice_batch *batch,
                                       size_t which, const struct sluice_schema *schema,
                                       const struct sluice_schema **ret_schema)
{
    (void)batch;
    (void)which;
    if (each->base.data->schema_type(schema) != SLUICE_STRING) {
        *ret_schema = each->base.data->schema_retain(schema);
        return SLUICE_OK;
    }
    *ret_schema = schema_with_optional(&each->base, schema, true);
    return *ret_schema ? SLUICE_OK : NO_MEMORY(&each->base);
}

static const struct each_field_type null_type = {
    .purpose = "nulling values",
    .skip_null = true,
    .convert = convert,
    .schema = field_schema,
};

static enum sluice_result read_values(struct null_values *nulls, const struct sluice_config *config)
{
    const struct transform *base = &nulls->each.base;
    const char *text = base->host->config->get_string(config, "values");
    const char *separator = base->host->config->get_string(config, "values.separator");
    struct text item;
    while (separated_next(&text, separator, &item)) {
        if (!text_set_add(&nulls->values, item.data, item.size, 0)) {
            return NO_MEMORY(base);
        }
    }
    return SLUICE_OK;
}

static enum sluice_result configure(void *self, const char *class_name,
                                    const struct sluice_config *config)
{
    struct null_values *nulls = self;
    struct each_field *each = &nulls->each;
    const struct sluice_config_api *api = each->base.host->config;
    each->type = &null_type;
    transform_variant(&each->base, class_name);
    nulls->empty = api->get_boolean(config, "empty");
    enum sluice_result result = each_field_read(each, config);
    if (result == SLUICE_OK) {
        result = read_values(nulls, config);
    }
    const char *pattern = api->get_string(config, "regex");
    struct regex_error error;
    if (result == SLUICE_OK && pattern && regex_create(pattern, &nulls->regex, &error) != 0) {
        result = BAD_CONFIG(&each->base, INVALID_REGEX, pattern, "regex", error.message);
    }
    return result;
}

static enum sluice_result apply(void *self, struct sluice_record *record)
{
    return each_field_apply(self, record);
}

/* Unlike SLUICE_VALID_REGEX this one may be left out. */
static bool check_regex(const char *name, const char *value, char *message, size_t size)
{
    struct regex *regex = NULL;
    struct regex_error error;
    if (value && regex_create(value, &regex, &error) != 0) {
        snprintf(message, size, INVALID_REGEX, value, name, error.message);
        return false;
    }
    regex_destroy(regex);
    return true;
}

static const struct sluice_option options[] = {
    FIELDS_OPTION("Fields to look at; all where empty."),
    OPTION(.name = "values", .type = SLUICE_OPTION_STRING, .importance = SLUICE_HIGH,
           .doc = "Texts that become null: compared whole, with case and blanks, separated by "
                  "values.separator."),
    OPTION(.name = "values.separator", .type = SLUICE_OPTION_STRING, .default_value = ",",
           .importance = SLUICE_LOW, .valid = SLUICE_VALID_NON_EMPTY,
           .doc = "What stands between the texts of values; choose one that none of them holds."),
    OPTION(.name = "regex", .type = SLUICE_OPTION_STRING, .importance = SLUICE_MEDIUM,
           .valid = SLUICE_VALID_CUSTOM, .check = check_regex,
           .doc = "Java regular expression; a text that matches it as a whole becomes null."),
    OPTION(.name = "empty", .type = SLUICE_OPTION_BOOLEAN, .default_value = "true",
           .importance = SLUICE_MEDIUM, .doc = "Whether the empty text becomes null."),
    OPTIONS_END,
};

static const struct sluice_transform functions = {
    .size = sizeof(struct sluice_transform),
    .create = create,
    .destroy = destroy,
    .configure = configure,
    .apply = apply,
};

KEY_AND_VALUE(null_values, SLUICE_PACKAGE "NullValues",
              "Makes texts null that stand for nothing: empty, listed, or matching a pattern.",
              options, &functions);
