/*
 * InsertField$Key, InsertField$Value: topic, partition, offset, timestamp or a constant as further
 * fields (kafka-connect.md §3.4). Owned by the chain; [task thread].
 */
#include <stdlib.h>
#include <string.h>

#include "plugins/transforms/classes.h"
#include "plugins/transforms/schemas.h"

#define PURPOSE "field insertion"

/* In the order they are added. */
enum inserted { TOPIC, PARTITION, OFFSET, TIMESTAMP, STATIC, INSERTED_COUNT };

static const char *const keys[INSERTED_COUNT] = {"topic.field", "partition.field", "offset.field",
                                                 "timestamp.field", "static.field"};

struct insert_field {
    struct transform base;
    const struct sluice_name *names[INSERTED_COUNT]; /* NULL: not wanted */
    bool required[INSERTED_COUNT];
    const struct sluice_value *static_value;
    struct schema_cache cache;
};

static void *create(const struct sluice_host *host)
{
    return transform_create(host, sizeof(struct insert_field));
}

static void destroy(void *self)
{
    struct insert_field *insert = self;
    if (insert) {
        schema_cache_finish(&insert->cache, &insert->base);
        free(insert);
    }
}

static enum sluice_result configure(void *self, const char *class_name,
                                    const struct sluice_config *config)
{
    struct insert_field *insert = self;
    struct transform *base = &insert->base;
    const struct sluice_config_api *api = base->host->config;
    transform_variant(base, class_name);
    transform_null_option(base, config);
    bool any = false;
    for (size_t i = 0; i < INSERTED_COUNT; i++) {
        const char *name = api->get_string(config, keys[i]);
        if (!name) {
            continue;
        }
        any = true;
        size_t size = strlen(name);
        insert->required[i] = size > 0 && name[size - 1] == '!';
        size -= size > 0 && (name[size - 1] == '!' || name[size - 1] == '?');
        insert->names[i] = base->data->intern(name, size);
    }
    const char *text = api->get_string(config, "static.value");
    insert->static_value = text ? constant_text(base, text) : NULL;
    if (!any) {
        return BAD_CONFIG(base, "No field insertion configured");
    }
    if (insert->names[STATIC] && !insert->static_value) {
        /* Java prints an object's address here */
        return BAD_CONFIG(base,
                          "Invalid value null for configuration static.value: No value specified "
                          "for static field: org.apache.kafka.connect.transforms."
                          "InsertField$InsertionSpec@%x",
                          (unsigned)((uintptr_t)insert >> 4 & 0x7FFFFFFF));
    }
    return SLUICE_OK;
}

/* A field's value; NULL: the record has none. offset of source records is an error. */
static enum sluice_result value_of(const struct insert_field *insert,
                                   const struct sluice_record *record, struct sluice_batch *batch,
                                   enum inserted what, bool with_schema,
                                   const struct sluice_value **ret_value)
{
    const struct sluice_data *data = insert->base.data;
    const struct sluice_records *records = insert->base.records;
    int64_t timestamp;
    *ret_value = NULL;
    switch (what) {
    case TOPIC: {
        const char *topic = records->topic(record);
        *ret_value = data->new_string_view(batch, topic, strlen(topic));
        break;
    }
    case PARTITION:
        if (records->partition(record) != SLUICE_NO_PARTITION) {
            *ret_value = data->new_integer(batch, SLUICE_INT32, records->partition(record));
        }
        break;
    case OFFSET:
        if (records->offset(record) == SLUICE_NO_OFFSET) {
            return BAD_RECORD(&insert->base,
                              "Only SinkRecord supported for [%s], found: "
                              "org.apache.kafka.connect.source.SourceRecord",
                              PURPOSE);
        }
        *ret_value = data->new_integer(batch, SLUICE_INT64, records->offset(record));
        break;
    case TIMESTAMP:
        timestamp = records->timestamp(record);
        if (timestamp != SLUICE_NO_TIMESTAMP) {
            *ret_value = with_schema ? data->new_date(batch, timestamp)
                                     : data->new_integer(batch, SLUICE_INT64, timestamp);
        }
        break;
    default:
        *ret_value = insert->static_value;
        break;
    }
    return SLUICE_OK;
}

static enum sluice_result add_field(const struct insert_field *insert, struct schema_draft *draft,
                                    enum inserted what)
{
    static const enum sluice_type types[] = {[TOPIC] = SLUICE_STRING,
                                             [PARTITION] = SLUICE_INT32,
                                             [OFFSET] = SLUICE_INT64,
                                             [TIMESTAMP] = SLUICE_INT64,
                                             [STATIC] = SLUICE_STRING};
    const struct sluice_data *data = insert->base.data;
    bool optional = !insert->required[what];
    struct sluice_span name = data->name_text(insert->names[what]);
    if (what != TIMESTAMP) {
        return draft_field(draft, name, data->schema_plain(types[what], optional), -1);
    }
    const struct sluice_schema *schema =
        schema_logical(&insert->base, SLUICE_INT64, SLUICE_SCHEMA_TIMESTAMP, optional);
    enum sluice_result result =
        schema ? draft_field(draft, name, schema, -1) : NO_MEMORY(&insert->base);
    data->schema_release(schema);
    return result;
}

static enum sluice_result make_plan(struct insert_field *insert, const struct sluice_schema *source,
                                    const struct schema_plan **ret_plan)
{
    const struct sluice_data *data = insert->base.data;
    struct schema_draft draft;
    draft_init(&draft, &insert->base, SLUICE_STRUCT);
    enum sluice_result result = draft_like(&draft, source);
    size_t count = data->schema_field_count(source);
    for (size_t i = 0; i < count && result == SLUICE_OK; i++) {
        result = draft_field(&draft, data->name_text(data->schema_field_name(source, i)),
                             data->schema_field(source, i), (ptrdiff_t)i);
    }
    for (enum inserted i = TOPIC; i < INSERTED_COUNT && result == SLUICE_OK; i++) {
        if (insert->names[i]) {
            result = add_field(insert, &draft, i);
        }
    }
    return draft_keep(&draft, result, &insert->cache, source, ret_plan);
}

static enum sluice_result apply_map(struct insert_field *insert, struct sluice_record *record,
                                    struct sluice_batch *batch, const struct sluice_value *value)
{
    const struct sluice_data *data = insert->base.data;
    enum sluice_result result = require_map(&insert->base, value, PURPOSE);
    if (result != SLUICE_OK) {
        return result;
    }
    struct sluice_value *edited = data->edit(batch, value);
    for (enum inserted i = TOPIC; i < INSERTED_COUNT; i++) {
        const struct sluice_value *added = NULL;
        if (!insert->names[i]) {
            continue;
        }
        result = value_of(insert, record, batch, i, false, &added);
        if (result != SLUICE_OK) {
            return result;
        }
        if (added) {
            data->put(batch, edited, insert->names[i], added);
        }
    }
    transform_replace(&insert->base, record, NULL, edited);
    return SLUICE_OK;
}

static enum sluice_result apply_struct(struct insert_field *insert, struct sluice_record *record,
                                       struct sluice_batch *batch, const struct sluice_value *value)
{
    const struct sluice_data *data = insert->base.data;
    enum sluice_result result = require_struct(&insert->base, value, PURPOSE);
    if (result != SLUICE_OK) {
        return result;
    }
    const struct sluice_schema *source = data->struct_schema(value);
    const struct schema_plan *plan = schema_cache_find(&insert->cache, &insert->base, source);
    if (!plan) {
        result = make_plan(insert, source, &plan);
        if (result != SLUICE_OK) {
            return result;
        }
    }
    struct sluice_value *made = data->new_struct(batch, plan->target);
    size_t at = data->schema_field_count(source);
    for (size_t i = 0; i < at; i++) {
        result = put_field(&insert->base, batch, made, i,
                           struct_field(&insert->base, batch, value, i));
        if (result != SLUICE_OK) {
            return result;
        }
    }
    for (enum inserted i = TOPIC; i < INSERTED_COUNT; i++) {
        const struct sluice_value *added = NULL;
        if (!insert->names[i]) {
            continue;
        }
        result = value_of(insert, record, batch, i, true, &added);
        if (result != SLUICE_OK) {
            return result;
        }
        if (added) {
            data->set_at(batch, made, at, added);
        }
        at++;
    }
    transform_replace(&insert->base, record, plan->target, made);
    return SLUICE_OK;
}

static enum sluice_result apply(void *self, struct sluice_record *record)
{
    struct insert_field *insert = self;
    const struct sluice_schema *schema;
    const struct sluice_value *value = transform_operand(&insert->base, record, &schema);
    if (is_null(&insert->base, value)) {
        return SLUICE_OK;
    }
    struct sluice_batch *batch = insert->base.records->batch_of(record);
    return schema ? apply_struct(insert, record, batch, value)
                  : apply_map(insert, record, batch, value);
}

#define SUFFIX                                                                                     \
    "Suffix with <code>!</code> to make this a required field, or <code>?</code> to keep it "     \
    "optional (the default)."

static const struct sluice_option options[] = {
    OPTION(.name = "topic.field", .type = SLUICE_OPTION_STRING, .importance = SLUICE_MEDIUM,
           .doc = "Field name for Kafka topic. " SUFFIX),
    OPTION(.name = "partition.field", .type = SLUICE_OPTION_STRING, .importance = SLUICE_MEDIUM,
           .doc = "Field name for Kafka partition. " SUFFIX),
    OPTION(.name = "offset.field", .type = SLUICE_OPTION_STRING, .importance = SLUICE_MEDIUM,
           .doc = "Field name for Kafka offset - only applicable to sink connectors.<br/>" SUFFIX),
    OPTION(.name = "timestamp.field", .type = SLUICE_OPTION_STRING, .importance = SLUICE_MEDIUM,
           .doc = "Field name for record timestamp. " SUFFIX),
    OPTION(.name = "static.field", .type = SLUICE_OPTION_STRING, .importance = SLUICE_MEDIUM,
           .doc = "Field name for static data field. " SUFFIX),
    OPTION(.name = "static.value", .type = SLUICE_OPTION_STRING, .importance = SLUICE_MEDIUM,
           .doc = "Static field value, if field name configured."),
    REPLACE_NULL_OPTION,
    OPTIONS_END,
};

static const struct sluice_transform functions = {
    .size = sizeof(struct sluice_transform),
    .create = create,
    .destroy = destroy,
    .configure = configure,
    .apply = apply,
};

KEY_AND_VALUE(insert_field, CONNECT_TRANSFORM "InsertField",
              "Adds topic, partition, offset, timestamp or a constant as fields.", options,
              &functions);
