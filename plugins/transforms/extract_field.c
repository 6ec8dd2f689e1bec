/*
 * ExtractField$Key, ExtractField$Value: one field becomes the whole value; V2 paths reach into
 * nested ones (KIP-821; kafka-connect.md §3.9). Owned by the chain; [task thread].
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "plugins/transforms/classes.h"
#include "plugins/transforms/transform.h"

#define PURPOSE "field extraction"
#define NESTED "nested field access"

struct extract_field {
    struct transform base;
    const char *path;
    const struct sluice_name **steps;
    size_t count;
};

static void *create(const struct sluice_host *host)
{
    return transform_create(host, sizeof(struct extract_field));
}

static void destroy(void *self)
{
    struct extract_field *extract = self;
    if (extract) {
        free(extract->steps);
        free(extract);
    }
}

/* -- paths -- */

static enum sluice_result incomplete(const struct extract_field *extract, size_t at)
{
    return BAD_CONFIG(&extract->base,
                      "Incomplete backtick pair in path: [%s], consider adding a backslash before "
                      "backtick at position %zu to escape it",
                      extract->path, at);
}

/*
 * One step in backticks, from the opening one at *at: up to a backtick before a dot or the end; one
 * behind a backslash stands for itself. field has room for the whole path.
 */
static enum sluice_result quoted_step(const struct extract_field *extract, size_t *at, char *field,
                                      size_t *ret_size)
{
    const char *path = extract->path;
    size_t length = strlen(path), opening = *at, start = opening + 1, used = 0;
    for (size_t i = start;; i++) {
        const char *tick = strchr(path + i, '`');
        if (!tick) {
            return incomplete(extract, opening);
        }
        i = (size_t)(tick - path);
        bool escaped = path[i - 1] == '\\';
        bool last = i + 1 == length;
        if (!last && path[i + 1] != '.') {
            continue;
        }
        if (escaped && last) {
            return incomplete(extract, opening);
        }
        size_t stop = escaped ? i - 1 : i;
        memcpy(field + used, path + start, stop - start);
        used += stop - start;
        if (!escaped) {
            *at = last ? i + 1 : i + 2;
            *ret_size = used;
            return SLUICE_OK;
        }
        field[used++] = '`';
        start = i + 1;
    }
}

static enum sluice_result read_path(struct extract_field *extract)
{
    const struct sluice_data *data = extract->base.data;
    const char *path = extract->path;
    size_t length = strlen(path), at = 0;
    char *field = malloc(length + 1);
    enum sluice_result result = field ? SLUICE_OK : NO_MEMORY(&extract->base);
    while (at < length && result == SLUICE_OK) {
        size_t size = 0;
        if (path[at] == '`') {
            result = quoted_step(extract, &at, field, &size);
        } else {
            size = strcspn(path + at, ".");
            memcpy(field, path + at, size);
            at += size + 1;
        }
        if (result == SLUICE_OK) {
            extract->steps[extract->count++] = data->intern(field, size);
        }
    }
    if (result == SLUICE_OK && length > 0 && path[length - 1] == '.') {
        extract->steps[extract->count++] = data->intern("", 0);
    }
    free(field);
    return result;
}

static enum sluice_result configure(void *self, const char *class_name,
                                    const struct sluice_config *config)
{
    struct extract_field *extract = self;
    struct transform *base = &extract->base;
    const struct sluice_config_api *api = base->host->config;
    transform_variant(base, class_name);
    transform_null_option(base, config);
    extract->path = api->get_string(config, "field");
    const char *version = api->get_string(config, "field.syntax.version");
    /* at most one step a character, and one behind a dot at the end */
    extract->steps = calloc(strlen(extract->path) + 2, sizeof(*extract->steps));
    if (!extract->steps) {
        return NO_MEMORY(base);
    }
    if (version && strcasecmp(version, "V2") == 0) {
        return read_path(extract);
    }
    extract->steps[extract->count++] = base->data->intern(extract->path, strlen(extract->path));
    return SLUICE_OK;
}

/* -- values -- */

static enum sluice_result no_steps(const struct extract_field *extract)
{
    return extract->base.host->error(extract->base.host, SLUICE_BAD_RECORD, ILLEGAL_ARGUMENT,
                                     "fromIndex(0) > toIndex(-1)");
}

static enum sluice_result from_map(const struct extract_field *extract,
                                   const struct sluice_value *value,
                                   const struct sluice_value **ret_value)
{
    const struct transform *base = &extract->base;
    *ret_value = NULL;
    if (is_null(base, value)) {
        return SLUICE_OK;
    }
    enum sluice_result result = require_map(base, value, PURPOSE);
    if (result == SLUICE_OK && extract->count == 0) {
        return no_steps(extract);
    }
    for (size_t i = 0; result == SLUICE_OK; i++) {
        value = base->data->find(value, extract->steps[i]);
        if (is_null(base, value)) {
            return SLUICE_OK;
        }
        if (i + 1 == extract->count) {
            *ret_value = value;
            return SLUICE_OK;
        }
        result = require_map(base, value, NESTED);
    }
    return result;
}

/* The schema of the field, or an error where there is none. */
static enum sluice_result find_schema(const struct extract_field *extract,
                                      const struct sluice_schema *schema,
                                      const struct sluice_schema **ret_schema)
{
    const struct transform *base = &extract->base;
    if (extract->count == 0) {
        return no_steps(extract);
    }
    for (size_t i = 0; i < extract->count; i++) {
        if (base->data->schema_type(schema) != SLUICE_STRUCT) {
            return BAD_RECORD(base, "Cannot look up fields on non-struct type");
        }
        ptrdiff_t at = base->data->schema_find(schema, extract->steps[i]);
        if (at < 0) {
            return base->host->error(base->host, SLUICE_BAD_RECORD, ILLEGAL_ARGUMENT,
                                     "Unknown field: %s", extract->path);
        }
        schema = base->data->schema_field(schema, (size_t)at);
    }
    *ret_schema = schema;
    return SLUICE_OK;
}

static enum sluice_result from_struct(const struct extract_field *extract,
                                      struct sluice_batch *batch, const struct sluice_value *value,
                                      const struct sluice_value **ret_value)
{
    const struct transform *base = &extract->base;
    *ret_value = NULL;
    for (size_t i = 0; i < extract->count; i++) {
        if (is_null(base, value)) {
            return SLUICE_OK;
        }
        enum sluice_result result = require_struct(base, value, i == 0 ? PURPOSE : NESTED);
        if (result != SLUICE_OK) {
            return result;
        }
        ptrdiff_t at = base->data->schema_find(base->data->struct_schema(value), extract->steps[i]);
        value = at < 0 ? NULL : struct_field(base, batch, value, (size_t)at);
    }
    *ret_value = value;
    return SLUICE_OK;
}

static enum sluice_result apply(void *self, struct sluice_record *record)
{
    struct extract_field *extract = self;
    const struct transform *base = &extract->base;
    const struct sluice_schema *schema, *field_schema = NULL;
    const struct sluice_value *value = transform_operand(base, record, &schema);
    const struct sluice_value *field = NULL;
    enum sluice_result result;
    if (!schema) {
        result = from_map(extract, value, &field);
    } else {
        result = is_null(base, value) ? SLUICE_OK : require_struct(base, value, PURPOSE);
        if (result == SLUICE_OK) {
            result = find_schema(extract, schema, &field_schema);
        }
        if (result == SLUICE_OK) {
            result = from_struct(extract, base->records->batch_of(record), value, &field);
        }
    }
    if (result == SLUICE_OK) {
        transform_replace(base, record, field_schema, field);
    }
    return result;
}

static const char *const versions[] = {"V1", "V2", NULL};

static const struct sluice_option options[] = {
    OPTION(.name = "field", .type = SLUICE_OPTION_STRING, .required = true,
           .importance = SLUICE_MEDIUM, .doc = "Field name to extract."),
    REPLACE_NULL_OPTION,
    OPTION(.name = "field.syntax.version", .type = SLUICE_OPTION_STRING, .default_value = "V1",
           .importance = SLUICE_HIGH, .valid = SLUICE_VALID_ONE_OF_ANY_CASE, .values = versions,
           .doc =
               "Defines the version of the syntax to access fields. If set to `V1`, then the field "
               "paths are limited to access the elements at the root level of the struct or map. "
               "If "
               "set to `V2`, the syntax will support accessing nested elements. To access nested "
               "elements, dotted notation is used. If dots are already included in the field name, "
               "then backtick pairs can be used to wrap field names containing dots. E.g. to "
               "access "
               "the subfield `baz` from a field named \"foo.bar\" in a struct/map the following "
               "format can be used to access its elements: \"`foo.bar`.baz\"."),
    OPTIONS_END,
};

static const struct sluice_transform functions = {
    .size = sizeof(struct sluice_transform),
    .create = create,
    .destroy = destroy,
    .configure = configure,
    .apply = apply,
};

KEY_AND_VALUE(extract_field, CONNECT_TRANSFORM "ExtractField",
              "One field, nested ones too, becomes the entire key or value.", options, &functions);
