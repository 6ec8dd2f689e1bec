/* Fields by dotted paths; see field_path.h. */
#include "connectors/s3/field_path.h"

#include <stdlib.h>
#include <string.h>

struct field_path {
    const struct sluice_data *data;
    char *text;
    size_t count;
    const struct sluice_name *steps[];
};

struct field_path *field_path_create(const struct sluice_host *host, const char *path)
{
    size_t steps = 1;
    for (const char *c = path; *c; c++) {
        steps += *c == '.';
    }
    struct field_path *made = calloc(1, sizeof(*made) + steps * sizeof(made->steps[0]));
    if (!made || !(made->text = strdup(path))) {
        free(made);
        return NULL;
    }
    made->data = host->data;
    for (const char *part = path;; part++) {
        size_t size = strcspn(part, ".");
        made->steps[made->count++] = host->data->intern(part, size);
        part += size;
        if (!*part) {
            break;
        }
    }
    while (made->count > 1 && host->data->name_text(made->steps[made->count - 1]).size == 0) {
        made->count--;
    }
    return made;
}

void field_path_destroy(struct field_path *path)
{
    if (path) {
        free(path->text);
        free(path);
    }
}

const char *field_path_text(const struct field_path *path)
{
    return path->text;
}

static const struct sluice_value *step(const struct field_path *path, const struct sluice_name *name,
                                       const struct sluice_value *value, bool *ret_null,
                                       struct fault *fault)
{
    const struct sluice_data *data = path->data;
    enum sluice_type type = data->type(value);
    struct sluice_span text = data->name_text(name);
    int size = (int)text.size;
    if (text.size == 0) {
        fault_bare(fault, SLUICE_CONNECT_EXCEPTION, false, "The field to extract cannot be null or empty.");
        return NULL;
    }
    const struct sluice_value *found =
        type == SLUICE_MAP || type == SLUICE_STRUCT ? data->find(value, name) : NULL;
    if (found && data->type(found) != SLUICE_NULL) {
        return found;
    }
    *ret_null = found != NULL;
    fault_bare(fault, SLUICE_DATA_EXCEPTION, false, "The field '%.200s' does not exist.", path->text);
    if (type == SLUICE_MAP) {
        fault_cause(fault, SLUICE_DATA_EXCEPTION, "Unable to find nested field '%.*s'", size, text.data);
    } else if (type != SLUICE_STRUCT) {
        fault_cause(fault, SLUICE_DATA_EXCEPTION, "Argument not a Struct or Map. Cannot get field '%.*s'.",
                    size, text.data);
    } else if (found) {
        fault_cause(fault, SLUICE_DATA_EXCEPTION, "The field '%.*s' does not exist.", size, text.data);
    } else {
        fault_cause(fault, SLUICE_DATA_EXCEPTION, "%.*s is not a valid field name", size, text.data);
    }
    return NULL;
}

const struct sluice_value *field_path_find(const struct field_path *path,
                                           const struct sluice_value *value, bool *ret_null,
                                           struct fault *fault)
{
    bool is_null = false;
    for (size_t i = 0; i < path->count && value; i++) {
        value = step(path, path->steps[i], value, &is_null, fault);
    }
    if (ret_null) {
        *ret_null = is_null;
    }
    return value;
}

static const char *schema_text(const struct sluice_data *data, const struct sluice_schema *schema,
                               char *text, size_t size)
{
    const char *name = data->schema_name(schema);
    snprintf(text, size, "Schema{%.150s%sSTRUCT}", name ? name : "", name ? ":" : "");
    return text;
}

const struct sluice_schema *field_path_schema(const struct field_path *path,
                                              const struct sluice_schema *schema, struct fault *fault)
{
    const struct sluice_data *data = path->data;
    const struct sluice_schema *at = schema;
    char text[200];
    for (size_t i = 0; i < path->count; i++) {
        if (data->schema_type(at) != SLUICE_STRUCT) {
            fault_bare(fault, SLUICE_DATA_EXCEPTION, false, "Unable to get field '%.200s' from schema %s.",
                       path->text, schema_text(data, schema, text, sizeof(text)));
            fault_cause(fault, SLUICE_DATA_EXCEPTION, "Cannot look up fields on non-struct type");
            return NULL;
        }
        ptrdiff_t found = data->schema_find(at, path->steps[i]);
        if (found < 0 && i + 1 < path->count) {
            fault_bare(fault, "java.lang.NullPointerException", false,
                       "Cannot invoke \"org.apache.kafka.connect.data.Field.schema()\" because "
                       "\"innermost\" is null");
            return NULL;
        }
        if (found < 0) {
            fault_bare(fault, SLUICE_DATA_EXCEPTION, false,
                       "Field '%.200s' is not present in the schema.", path->text);
            return NULL;
        }
        at = data->schema_field(at, (size_t)found);
    }
    return at;
}
