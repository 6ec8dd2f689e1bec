/*
 * sluice.predicates.FieldMatches$Key, $Value: looks at a field, so that steps of a chain depend on what
 * a record says. Owned by the chain; [task thread].
 */
#include "plugins/predicates/field_matches.h"

#include <stdlib.h>
#include <string.h>

#include "lib/java/regex.h"
#include "plugins/field_path.h"

struct field_matches {
    const struct sluice_host *host;
    struct field_path path;
    bool key;
    struct regex *regex;       /* NULL: none */
    const char *const *values; /* owned by the configuration */
    size_t value_count;
};

static void *create(const struct sluice_host *host)
{
    struct field_matches *matches = calloc(1, sizeof(*matches));
    if (matches) {
        matches->host = host;
    }
    return matches;
}

static void destroy(void *self)
{
    struct field_matches *matches = self;
    if (matches) {
        regex_destroy(matches->regex);
        free(matches);
    }
}

static enum sluice_result configure(void *self, const char *class_name,
                                    const struct sluice_config *config)
{
    struct field_matches *matches = self;
    const struct sluice_host *host = matches->host;
    const struct sluice_config_api *api = host->config;
    const char *variant = strrchr(class_name, '$');
    matches->key = variant && strcmp(variant, "$Key") == 0;
    const char *field = api->get_string(config, "field");
    const char *wrong = field_path_parse(&matches->path, host->data, field);
    if (wrong) {
        return host->error(host, SLUICE_FATAL, SLUICE_CONFIG_EXCEPTION,
                           "Invalid value %s for configuration field: %s", field, wrong);
    }
    const char *pattern = api->get_string(config, "pattern");
    matches->value_count = api->get_list(config, "values", &matches->values);
    if (pattern && matches->value_count > 0) {
        return host->error(host, SLUICE_FATAL, SLUICE_CONFIG_EXCEPTION,
                           "Only one of pattern and values can be set");
    }
    struct regex_error error;
    if (pattern && regex_create(pattern, &matches->regex, &error) != 0) {
        return host->error(host, SLUICE_FATAL, SLUICE_CONFIG_EXCEPTION,
                           "Invalid value %s for configuration pattern: Invalid regex: %s", pattern,
                           error.message);
    }
    return SLUICE_OK;
}

static enum sluice_result test_value(const struct field_matches *matches, struct sluice_batch *batch,
                                     const struct sluice_value *value, bool *ret_matches)
{
    const struct sluice_data *data = matches->host->data;
    if (data->type(value) == SLUICE_NULL) {
        return SLUICE_OK;
    }
    if (!matches->regex && matches->value_count == 0) {
        *ret_matches = true;
        return SLUICE_OK;
    }
    struct sluice_span text = data->to_text(batch, value);
    if (matches->regex) {
        enum regex_result result = regex_matches(matches->regex, text.data, text.size);
        *ret_matches |= result == REGEX_YES;
        return result == REGEX_YES || result == REGEX_NO
                   ? SLUICE_OK
                   : matches->host->error(matches->host, SLUICE_BAD_RECORD, SLUICE_DATA_EXCEPTION,
                                          "The pattern takes too many steps on this value; make it "
                                          "less ambiguous");
    }
    for (size_t i = 0; i < matches->value_count; i++) {
        *ret_matches |= strlen(matches->values[i]) == text.size &&
                        memcmp(matches->values[i], text.data, text.size) == 0;
    }
    return SLUICE_OK;
}

/* [*] is true where any element is. */
static enum sluice_result walk(const struct field_matches *matches, struct sluice_batch *batch,
                               const struct sluice_value *value, size_t at, bool *ret_matches)
{
    const struct sluice_data *data = matches->host->data;
    if (at == matches->path.count) {
        return test_value(matches, batch, value, ret_matches);
    }
    const struct field_step *step = &matches->path.steps[at];
    enum sluice_type type = data->type(value);
    if (step->kind == STEP_NAME) {
        const struct sluice_value *member =
            type == SLUICE_MAP || type == SLUICE_STRUCT ? data->find(value, step->name) : NULL;
        return member ? walk(matches, batch, member, at + 1, ret_matches) : SLUICE_OK;
    }
    size_t count = type == SLUICE_ARRAY ? data->count(value) : 0;
    ptrdiff_t only = step->kind == STEP_ALL ? -1 : field_step_element(step, count);
    enum sluice_result result = SLUICE_OK;
    if (step->kind == STEP_ELEMENT) {
        return only < 0 ? SLUICE_OK
                        : walk(matches, batch, data->at(value, (size_t)only), at + 1, ret_matches);
    }
    for (size_t i = 0; i < count && result == SLUICE_OK && !*ret_matches; i++) {
        result = walk(matches, batch, data->at(value, i), at + 1, ret_matches);
    }
    return result;
}

static enum sluice_result test(void *self, const struct sluice_record *record, bool *ret_matches)
{
    const struct field_matches *matches = self;
    const struct sluice_records *records = matches->host->records;
    *ret_matches = false;
    return walk(matches, records->batch_of(record),
                matches->key ? records->key(record) : records->value(record), 0, ret_matches);
}

#define OPTION(...)                                                                                \
    {                                                                                              \
        .size = sizeof(struct sluice_option), __VA_ARGS__                                          \
    }

static const struct sluice_option options[] = {
    OPTION(.name = "field", .type = SLUICE_OPTION_STRING, .required = true, .importance = SLUICE_HIGH,
           .valid = SLUICE_VALID_NON_EMPTY,
           .doc = "The field, nested ones as a.b[0].c; [*] is any element."),
    OPTION(.name = "values", .type = SLUICE_OPTION_LIST, .default_value = "",
           .importance = SLUICE_MEDIUM,
           .doc = "True where the field, as text, is one of these. With neither values nor pattern: "
                  "where it is there and not null."),
    OPTION(.name = "pattern", .type = SLUICE_OPTION_STRING, .importance = SLUICE_MEDIUM,
           .doc = "True where this Java regular expression matches the field as a whole."),
    {.name = NULL},
};

static const struct sluice_predicate functions = {
    .size = sizeof(struct sluice_predicate),
    .create = create,
    .destroy = destroy,
    .configure = configure,
    .test = test,
};

#define FIELD_MATCHES(identifier, variant)                                                         \
    const struct sluice_descriptor identifier = {                                                  \
        .size = sizeof(struct sluice_descriptor),                                                  \
        .kind = SLUICE_PREDICATE,                                                                  \
        .class_name = "sluice.predicates.FieldMatches" variant,                                    \
        .version = SLUICE_VERSION,                                                                 \
        .doc = "True for records with a field that is there, is one of some values, or matches.",  \
        .options = options,                                                                        \
        .vtable = &functions,                                                                      \
    }

FIELD_MATCHES(field_matches_key, "$Key");
FIELD_MATCHES(field_matches_value, "$Value");
