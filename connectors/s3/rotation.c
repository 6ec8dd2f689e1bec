/* The schedule and changes of schema; see rotation.h. */
#include "connectors/s3/rotation.h"

#include "lib/java/zone.h"

#define PROJECTOR_EXCEPTION "org.apache.kafka.connect.errors.SchemaProjectorException"

int64_t rotation_next(const struct zone *zone, int64_t interval, int64_t now)
{
    enum { DAY = 86400000 };
    int64_t local = now + (int64_t)zone_at(zone, now).seconds * 1000;
    int64_t midnight = local / DAY * DAY;
    int64_t next = interval < DAY ? midnight + ((local - midnight) / interval + 1) * interval
                                  : midnight + DAY;
    next = next > midnight + DAY ? midnight + DAY : next;
    int64_t at = next - (int64_t)zone_at_local(zone, next).seconds * 1000;
    return at > now ? at : now + interval; /* where the clock was put back in between */
}

/* -- changes of schema -- */

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* Same type, name and parameters: only then versions are compared. */
static bool same_kind(const struct sluice_data *data, const struct sluice_schema *a,
                      const struct sluice_schema *b)
{
    if (data->schema_type(a) != data->schema_type(b) ||
        !same_text(data->schema_name(a), data->schema_name(b)) ||
        data->schema_parameter_count(a) != data->schema_parameter_count(b)) {
        return false;
    }
    for (size_t i = 0; i < data->schema_parameter_count(a); i++) {
        const char *key_a, *value_a, *key_b, *value_b;
        data->schema_parameter(a, i, &key_a, &value_a);
        data->schema_parameter(b, i, &key_b, &value_b);
        if (strcmp(key_a, key_b) != 0 || strcmp(value_a, value_b) != 0) {
            return false;
        }
    }
    return true;
}

int rotation_by_schema(struct sink *sink, const struct sluice_schema *of_file,
                       const struct sluice_schema *of_record, bool tombstone, struct fault *fault)
{
    const struct sluice_data *data = sink->host->data;
    if (tombstone || of_file == of_record) {
        return 0;
    }
    if (!of_file || !of_record) {
        return 1;
    }
    if (data->schema_equal(of_file, of_record)) {
        return 0;
    }
    if (sink->settings.compatibility == COMPATIBILITY_NONE || !same_kind(data, of_file, of_record)) {
        return 1;
    }
    int32_t file_version, record_version;
    if (!data->schema_version(of_file, &file_version) ||
        !data->schema_version(of_record, &record_version)) {
        return fault_set(fault, PROJECTOR_EXCEPTION, true,
                         "Schema version required for %s compatibility",
                         sink->settings.compatibility == COMPATIBILITY_FORWARD ? "FORWARD"
                                                                               : "BACKWARD");
    }
    return sink->settings.compatibility == COMPATIBILITY_FORWARD ? record_version < file_version
                                                                 : record_version > file_version;
}

/* -- projection -- */

static const struct sluice_value *project(struct sink *sink, struct sluice_batch *batch,
                                          const struct sluice_schema *from,
                                          const struct sluice_schema *to,
                                          const struct sluice_value *value, struct fault *fault);

static const struct sluice_value *project_struct(struct sink *sink, struct sluice_batch *batch,
                                                 const struct sluice_schema *from,
                                                 const struct sluice_schema *to,
                                                 const struct sluice_value *value,
                                                 struct fault *fault)
{
    const struct sluice_data *data = sink->host->data;
    struct sluice_value *made = data->new_struct(batch, to);
    for (size_t i = 0; i < data->schema_field_count(to); i++) {
        const struct sluice_schema *field = data->schema_field(to, i);
        ptrdiff_t source = data->schema_find(from, data->schema_field_name(to, i));
        const struct sluice_value *member = NULL;
        if (source >= 0) {
            member = project(sink, batch, data->schema_field(from, (size_t)source), field,
                             data->at(value, (size_t)source), fault);
            if (!member) {
                return NULL;
            }
        } else if (data->schema_default(field)) {
            member = data->schema_default(field);
        } else if (data->schema_optional(field)) {
            member = data->new_null(batch);
        } else {
            struct sluice_span name = data->name_text(data->schema_field_name(to, i));
            fault_set(fault, PROJECTOR_EXCEPTION, true,
                      "Required field `%.*s` is missing from source schema", (int)name.size,
                      name.data);
            return NULL;
        }
        data->set_at(batch, made, i, member);
    }
    return made;
}

static int rank(enum sluice_type type)
{
    return type >= SLUICE_INT8 && type <= SLUICE_FLOAT64 ? (int)type : 0;
}

static const struct sluice_value *project(struct sink *sink, struct sluice_batch *batch,
                                          const struct sluice_schema *from,
                                          const struct sluice_schema *to,
                                          const struct sluice_value *value, struct fault *fault)
{
    const struct sluice_data *data = sink->host->data;
    enum sluice_type source = data->schema_type(from), target = data->schema_type(to);
    if (data->type(value) == SLUICE_NULL) {
        if (data->schema_optional(to) || data->schema_default(to)) {
            return data->schema_default(to) ? data->schema_default(to) : data->new_null(batch);
        }
        fault_set(fault, PROJECTOR_EXCEPTION, true,
                  "Writer schema is optional, but reader schema does not provide a default value.");
        return NULL;
    }
    if (source == SLUICE_STRUCT && target == SLUICE_STRUCT) {
        return data->schema_equal(from, to) ? value
                                            : project_struct(sink, batch, from, to, value, fault);
    }
    if (source == SLUICE_ARRAY && target == SLUICE_ARRAY) {
        struct sluice_value *list = data->new_array(batch, data->count(value));
        for (size_t i = 0; i < data->count(value); i++) {
            const struct sluice_value *element =
                project(sink, batch, data->schema_value(from), data->schema_value(to),
                        data->at(value, i), fault);
            if (!element) {
                return NULL;
            }
            data->append(batch, list, element);
        }
        return list;
    }
    if (source == target) {
        return value;
    }
    if (rank(source) && rank(source) < rank(target)) {
        return target >= SLUICE_FLOAT32 ? data->new_real(batch, target, data->real(value))
                                        : data->new_integer(batch, target, data->integer(value));
    }
    fault_set(fault, PROJECTOR_EXCEPTION, true, "Schema type mismatch.");
    return NULL;
}

int rotation_project(struct sink *sink, struct sluice_batch *batch,
                     const struct sluice_schema *of_file, const struct sluice_schema **schema,
                     const struct sluice_value **value, struct fault *fault)
{
    if (!of_file || sink->settings.compatibility == COMPATIBILITY_NONE ||
        sink->host->data->schema_equal(of_file, *schema)) {
        return 0;
    }
    const struct sluice_value *projected = project(sink, batch, *schema, of_file, *value, fault);
    if (!projected) {
        return -1;
    }
    *schema = of_file;
    *value = projected;
    return 0;
}
