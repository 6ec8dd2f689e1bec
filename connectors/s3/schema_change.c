/* schema.compatibility; see schema_change.h. */
#include "connectors/s3/schema_change.h"

#include <string.h>

#define PROJECTOR_EXCEPTION "org.apache.kafka.connect.errors.SchemaProjectorException"

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* -- parameters -- */

/* What describes a schema without changing it. */
static bool is_remark(const char *key)
{
    static const char field_doc[] = "io.confluent.connect.avro.field.doc.";
    return strcmp(key, "connect.record.doc") == 0 || strcmp(key, "connect.record.aliases") == 0 ||
           strcmp(key, "connect.record.namespace") == 0 ||
           strncmp(key, field_doc, sizeof(field_doc) - 1) == 0;
}

static const char *parameter(const struct sluice_data *data, const struct sluice_schema *schema,
                             const char *name)
{
    for (size_t i = 0; i < data->schema_parameter_count(schema); i++) {
        const char *key, *value;
        data->schema_parameter(schema, i, &key, &value);
        if (strcmp(key, name) == 0) {
            return value;
        }
    }
    return NULL;
}

static bool is_enum(const struct sluice_data *data, const struct sluice_schema *schema)
{
    return parameter(data, schema, "org.apache.kafka.connect.data.Enum") ||
           parameter(data, schema, "io.confluent.connect.avro.Enum") ||
           parameter(data, schema, "io.confluent.connect.protobuf.Enum");
}

static bool has_all(const struct sluice_data *data, const struct sluice_schema *of,
                    const struct sluice_schema *in)
{
    for (size_t i = 0; i < data->schema_parameter_count(of); i++) {
        const char *key, *value;
        data->schema_parameter(of, i, &key, &value);
        if (!is_remark(key) && !same_text(parameter(data, in, key), value)) {
            return false;
        }
    }
    return true;
}

static bool same_parameters(const struct sluice_data *data, const struct sluice_schema *source,
                            const struct sluice_schema *target)
{
    return has_all(data, source, target) && (has_all(data, target, source) ||
                                             (is_enum(data, source) && is_enum(data, target)));
}

/* -- is it another one? -- */

static int rank(enum sluice_type type)
{
    return type >= SLUICE_INT8 && type <= SLUICE_FLOAT64 ? (int)type : 0;
}

static bool type_fits(enum sluice_type source, enum sluice_type target)
{
    return source == target || (rank(source) && rank(source) <= rank(target));
}

/* Whether values of source can be made ones of target. */
static bool fits(const struct sluice_data *data, const struct sluice_schema *source,
                 const struct sluice_schema *target)
{
    enum sluice_type type = data->schema_type(source);
    if (!type_fits(type, data->schema_type(target)) ||
        !same_text(data->schema_name(source), data->schema_name(target)) ||
        !same_parameters(data, source, target) ||
        (data->schema_optional(source) && !data->schema_optional(target) && !data->schema_default(target))) {
        return false;
    }
    if (type == SLUICE_ARRAY) {
        return fits(data, data->schema_value(source), data->schema_value(target));
    }
    if (type == SLUICE_MAP) {
        return fits(data, data->schema_key(source), data->schema_key(target)) &&
               fits(data, data->schema_value(source), data->schema_value(target));
    }
    for (size_t i = 0; type == SLUICE_STRUCT && i < data->schema_field_count(source); i++) {
        ptrdiff_t at = data->schema_find(target, data->schema_field_name(source, i));
        if (at >= 0 && !fits(data, data->schema_field(source, i), data->schema_field(target, (size_t)at))) {
            return false;
        }
    }
    for (size_t i = 0; type == SLUICE_STRUCT && i < data->schema_field_count(target); i++) {
        const struct sluice_schema *field = data->schema_field(target, i);
        if (data->schema_find(source, data->schema_field_name(target, i)) < 0 &&
            !data->schema_optional(field) && !data->schema_default(field)) {
            return false;
        }
    }
    return true;
}

int schema_change_check(const struct sluice_data *data, enum compatibility compatibility,
                        const struct sluice_schema *of_file, const struct sluice_schema *of_record,
                        struct fault *fault)
{
    static const char *const names[] = {"NONE", "BACKWARD", "FORWARD", "FULL"};
    if (of_file == of_record || data->schema_equal(of_file, of_record)) {
        return 0;
    }
    if (compatibility == COMPATIBILITY_NONE) {
        return 1;
    }
    int32_t file_version, record_version;
    if (!data->schema_version(of_file, &file_version) ||
        !data->schema_version(of_record, &record_version)) {
        return fault_bare(fault, PROJECTOR_EXCEPTION, true, "Schema version required for %s compatibility",
                          names[compatibility]);
    }
    return !fits(data, of_record, of_file) ||
           (compatibility == COMPATIBILITY_FORWARD ? record_version < file_version
                                                   : record_version > file_version);
}

/* -- projection -- */

struct projection {
    const struct sluice_data *data;
    struct sluice_batch *batch;
    struct fault *fault;
};

static const struct sluice_value *project(const struct projection *to_do, const struct sluice_schema *from,
                                          const struct sluice_schema *to,
                                          const struct sluice_value *value);

static const struct sluice_value *project_struct(const struct projection *to_do,
                                                 const struct sluice_schema *from,
                                                 const struct sluice_schema *to,
                                                 const struct sluice_value *value)
{
    const struct sluice_data *data = to_do->data;
    struct sluice_value *made = data->new_struct(to_do->batch, to);
    for (size_t i = 0; i < data->schema_field_count(to); i++) {
        const struct sluice_schema *field = data->schema_field(to, i);
        ptrdiff_t source = data->schema_find(from, data->schema_field_name(to, i));
        const struct sluice_value *member = NULL;
        if (source >= 0) {
            member = project(to_do, data->schema_field(from, (size_t)source), field,
                             data->at(value, (size_t)source));
        } else {
            /* Without a default it is optional, or fits() would have said no. */
            member = data->schema_default(field) ? data->schema_default(field)
                                                 : data->new_null(to_do->batch);
        }
        if (!member) {
            return NULL;
        }
        data->set_at(to_do->batch, made, i, member);
    }
    return made;
}

static const struct sluice_value *project_entries(const struct projection *to_do,
                                                  const struct sluice_schema *from,
                                                  const struct sluice_schema *to,
                                                  const struct sluice_value *value)
{
    const struct sluice_data *data = to_do->data;
    bool is_map = data->schema_type(to) == SLUICE_MAP;
    size_t count = data->count(value);
    struct sluice_value *made = is_map ? data->new_map(to_do->batch, count)
                                       : data->new_array(to_do->batch, count);
    for (size_t i = 0; i < count; i++) {
        const struct sluice_value *element =
            project(to_do, data->schema_value(from), data->schema_value(to), data->at(value, i));
        const struct sluice_value *key =
            is_map ? project(to_do, data->schema_key(from), data->schema_key(to), data->key_at(value, i))
                   : element;
        if (!element || !key) {
            return NULL;
        }
        if (is_map) {
            data->put_key(to_do->batch, made, key, element);
        } else {
            data->append(to_do->batch, made, element);
        }
    }
    return made;
}

static const struct sluice_value *project(const struct projection *to_do, const struct sluice_schema *from,
                                          const struct sluice_schema *to,
                                          const struct sluice_value *value)
{
    const struct sluice_data *data = to_do->data;
    enum sluice_type type = data->type(value), target = data->schema_type(to);
    if (type == SLUICE_NULL) {
        bool needed = data->schema_optional(from) && !data->schema_optional(to);
        return needed && data->schema_default(to) ? data->schema_default(to)
                                                  : data->new_null(to_do->batch);
    }
    if (data->schema_equal(from, to)) {
        return value;
    }
    switch (target) {
    case SLUICE_STRUCT:
        return project_struct(to_do, from, to, value);
    case SLUICE_ARRAY:
    case SLUICE_MAP:
        return project_entries(to_do, from, to, value);
    case SLUICE_FLOAT32:
    case SLUICE_FLOAT64:
        return rank(type) && type != target ? data->new_real(to_do->batch, target, data->real(value))
                                            : value;
    default:
        return rank(type) && rank(target) && type != target
                   ? data->new_integer(to_do->batch, target, data->integer(value))
                   : value;
    }
}

int schema_change_project(const struct sluice_data *data, enum compatibility compatibility,
                          struct sluice_batch *batch, const struct sluice_schema *of_file,
                          const struct sluice_schema **schema, const struct sluice_value **value,
                          struct fault *fault)
{
    if (!of_file || compatibility == COMPATIBILITY_NONE || data->schema_equal(of_file, *schema)) {
        return 0;
    }
    const struct projection to_do = {data, batch, fault};
    const struct sluice_value *projected = project(&to_do, *schema, of_file, *value);
    if (!projected) {
        return fault_bare(fault, PROJECTOR_EXCEPTION, true, "Out of memory");
    }
    *schema = of_file;
    *value = projected;
    return 0;
}
