/* Times of records; see extractor.h. */
#include "connectors/s3/extractor.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "connectors/s3/joda.h"

int extractor_init(struct extractor *extractor, const struct sluice_host *host,
                   const struct settings *settings)
{
    *extractor = (struct extractor){
        .kind = settings->extractor, .host = host, .field = settings->timestamp_field};
    if (extractor->kind == EXTRACT_FIELD) {
        extractor->path = field_path_create(host, extractor->field);
        return extractor->path ? 0 : -1;
    }
    return 0;
}

void extractor_finish(struct extractor *extractor)
{
    field_path_destroy(extractor->path);
    *extractor = (struct extractor){0};
}

/* 1 to 19 digits, perhaps behind a minus: milliseconds, where a long can hold them. */
static bool is_number(struct sluice_span text, int64_t *ret_value)
{
    size_t digits = text.size > 0 && text.data[0] == '-' ? text.size - 1 : text.size;
    char copy[24];
    if (digits < 1 || digits > 19) {
        return false;
    }
    for (size_t i = text.size - digits; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
    }
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    errno = 0;
    *ret_value = strtoll(copy, NULL, 10);
    return errno == 0;
}

/* What the original says of a type it has no time of; never reported, as it asks before it catches. */
static int no_time(const struct extractor *extractor, struct fault *fault)
{
    return fault_bare(fault, PARTITION_EXCEPTION, false, "Error extracting timestamp from record field: %s",
                      extractor->field);
}

static int field_time(const struct extractor *extractor, const struct sluice_schema *schema,
                      const struct sluice_value *value, int64_t *ret_time, struct fault *fault)
{
    const struct sluice_data *data = extractor->host->data;
    bool of_struct = data->type(value) == SLUICE_STRUCT;
    if (!of_struct && data->type(value) != SLUICE_MAP) {
        return fault_bare(fault, PARTITION_EXCEPTION, false, "Error encoding partition.");
    }
    const struct sluice_value *field = field_path_find(extractor->path, value, NULL, fault);
    const struct sluice_schema *type = NULL;
    if (!field || (of_struct && !(type = field_path_schema(extractor->path, schema, fault)))) {
        return -1;
    }
    struct sluice_span text;
    const char *name = type ? data->schema_name(type) : NULL;
    switch (data->type(field)) {
    case SLUICE_INT8:
    case SLUICE_INT16:
    case SLUICE_INT32:
    case SLUICE_INT64:
        if (of_struct && data->type(field) < SLUICE_INT32) {
            return no_time(extractor, fault);
        }
        *ret_time = data->integer(field);
        return 0;
    case SLUICE_DATE:
        if (of_struct && (!name || strcmp(name, SLUICE_SCHEMA_TIMESTAMP) != 0)) {
            return fault_bare(fault, CAST_EXCEPTION, false,
                              "class java.util.Date cannot be cast to class java.lang.Number "
                              "(java.util.Date and java.lang.Number are in module java.base of loader "
                              "'bootstrap')");
        }
        *ret_time = data->integer(field);
        return 0;
    case SLUICE_FLOAT32:
    case SLUICE_FLOAT64: {
        double real = data->real(field);
        if (of_struct) {
            return no_time(extractor, fault);
        }
        *ret_time = real != real ? 0 : real >= 9.2e18 ? INT64_MAX : real <= -9.2e18 ? INT64_MIN : (int64_t)real;
        return 0;
    }
    case SLUICE_STRING:
        text = data->text(field);
        if (is_number(text, ret_time) || joda_parse_iso(text.data, text.size, ret_time)) {
            return 0;
        }
        return fault_bare(fault, "java.lang.IllegalArgumentException", false, "Invalid format: \"%.*s\"",
                          (int)(text.size < 100 ? text.size : 100), text.data);
    default:
        return no_time(extractor, fault);
    }
}

int extractor_time(const struct extractor *extractor, const struct sluice_record *record, int64_t now,
                   int64_t *ret_time, struct fault *fault)
{
    const struct sluice_records *records = extractor->host->records;
    const struct sluice_value *value = records->value(record);
    bool tombstone = extractor->host->data->type(value) == SLUICE_NULL; /* has but its own time */
    if (extractor->kind == EXTRACT_WALLCLOCK && !tombstone) {
        *ret_time = now;
        return 0;
    }
    if (extractor->kind == EXTRACT_FIELD && !tombstone) {
        return field_time(extractor, records->value_schema(record), value, ret_time, fault);
    }
    *ret_time = records->timestamp(record);
    if (*ret_time == SLUICE_NO_TIMESTAMP) {
        return fault_bare(fault, PARTITION_EXCEPTION, true,
                          "Unable to determine timestamp using timestamp.extractor Record for record: "
                         "it has none.");
    }
    return 0;
}
