/* Default and Field partitioners, and the choice among all; see partitioner.h. */
#include "connectors/s3/partitioner.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* -- default: partition=N -- */

static int encode_default(struct partitioner *partitioner, const struct sluice_record *record,
                          int64_t timestamp, struct buffer *ret_path, struct fault *fault)
{
    (void)timestamp;
    (void)fault;
    return buffer_printf(ret_path, "partition=%" PRId32,
                         partitioner->host->records->original_partition(record));
}

static void destroy_plain(struct partitioner *partitioner)
{
    free(partitioner);
}

static const struct partitioner_vtable default_partitioner = {
    .encode = encode_default, .destroy = destroy_plain, .constant = true};

struct partitioner *default_partitioner_create(void)
{
    struct partitioner *partitioner = calloc(1, sizeof(*partitioner));
    if (partitioner) {
        partitioner->vtable = &default_partitioner;
    }
    return partitioner;
}

/* -- fields: a=1/b=x -- */

struct field_partitioner {
    struct partitioner base;
    size_t count;
    struct field_path *paths[];
};

/* INT32 and INT64 of dates are java.util.Date there, which no number is. */
static int not_a_number(struct fault *fault)
{
    return fault_bare(fault, CAST_EXCEPTION, false,
                      "class java.util.Date cannot be cast to class java.lang.Number (java.util.Date and "
                      "java.lang.Number are in module java.base of loader 'bootstrap')");
}

static int encode_field(struct field_partitioner *self, size_t i, const struct sluice_schema *schema,
                        const struct sluice_value *whole, struct buffer *ret_path, struct fault *fault)
{
    const struct sluice_data *data = self->base.host->data;
    const char *name = self->base.settings->field_names[i];
    bool is_null;
    const struct sluice_value *value = field_path_find(self->paths[i], whole, &is_null, fault);
    if (schema ? !field_path_schema(self->paths[i], schema, fault) : !value && !is_null) {
        return -1;
    }
    (void)buffer_printf(ret_path, "%s%s=", i > 0 ? self->base.settings->directory_delim : "", name);
    if (!value) {
        return buffer_append_text(ret_path, "null");
    }
    struct sluice_span text;
    switch (data->type(value)) {
    case SLUICE_INT8:
    case SLUICE_INT16:
    case SLUICE_INT32:
    case SLUICE_INT64:
        return buffer_printf(ret_path, "%" PRId64, data->integer(value));
    case SLUICE_BOOLEAN:
        return buffer_append_text(ret_path, data->boolean(value) ? "true" : "false");
    case SLUICE_STRING:
        text = data->text(value);
        return buffer_append(ret_path, text.data, text.size);
    case SLUICE_DATE:
        return not_a_number(fault);
    default:
        return fault_bare(fault, PARTITION_EXCEPTION, true, "Error encoding partition.");
    }
}

static int encode_fields(struct partitioner *partitioner, const struct sluice_record *record,
                         int64_t timestamp, struct buffer *ret_path, struct fault *fault)
{
    (void)timestamp;
    struct field_partitioner *self = (struct field_partitioner *)partitioner;
    const struct sluice_value *value = partitioner->host->records->value(record);
    enum sluice_type type = partitioner->host->data->type(value);
    if (type != SLUICE_STRUCT && !(type == SLUICE_MAP && partitioner->settings->field_maps)) {
        return fault_bare(fault, PARTITION_EXCEPTION, true, "Error encoding partition.");
    }
    const struct sluice_schema *schema =
        type == SLUICE_STRUCT ? partitioner->host->records->value_schema(record) : NULL;
    for (size_t i = 0; i < self->count; i++) {
        if (encode_field(self, i, schema, value, ret_path, fault) != 0) {
            return -1;
        }
    }
    return 0;
}

static void destroy_fields(struct partitioner *partitioner)
{
    struct field_partitioner *self = (struct field_partitioner *)partitioner;
    for (size_t i = 0; i < self->count; i++) {
        field_path_destroy(self->paths[i]);
    }
    free(self);
}

static const struct partitioner_vtable field_partitioner = {.encode = encode_fields,
                                                            .destroy = destroy_fields};

struct partitioner *field_partitioner_create(const struct sluice_host *host,
                                             const struct settings *settings)
{
    struct field_partitioner *self =
        calloc(1, sizeof(*self) + settings->field_count * sizeof(self->paths[0]));
    if (!self) {
        return NULL;
    }
    self->base.vtable = &field_partitioner;
    for (; self->count < settings->field_count; self->count++) {
        self->paths[self->count] = field_path_create(host, settings->field_names[self->count]);
        if (!self->paths[self->count]) {
            destroy_fields(&self->base);
            return NULL;
        }
    }
    return &self->base;
}

/* -- the choice -- */

struct partitioner *partitioner_create(const struct sluice_host *host,
                                       const struct settings *settings, char *message, size_t size)
{
    struct partitioner *partitioner;
    snprintf(message, size, "Out of memory");
    switch (settings->partitioner) {
    case PARTITIONER_DEFAULT:
        partitioner = default_partitioner_create();
        break;
    case PARTITIONER_FIELD:
        partitioner = field_partitioner_create(host, settings);
        break;
    default:
        partitioner = time_partitioner_create(settings, message, size);
        break;
    }
    if (partitioner) {
        partitioner->host = host;
        partitioner->settings = settings;
    }
    return partitioner;
}

void partitioner_destroy(struct partitioner *partitioner)
{
    if (partitioner) {
        partitioner->vtable->destroy(partitioner);
    }
}
