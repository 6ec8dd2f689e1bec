/*
 * DropHeaders, InsertHeader, HeaderFrom$Key, HeaderFrom$Value (kafka-connect.md §3.12). Owned by
 * the chain; [task thread].
 */
#include <sluice/converter.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/transforms/classes.h"
#include "plugins/transforms/schemas.h"

/* -- DropHeaders -- */

struct drop_headers {
    struct transform base;
    const char *const *names; /* owned by the configuration */
    size_t count;
};

static void *create_drop(const struct sluice_host *host)
{
    return transform_create(host, sizeof(struct drop_headers));
}

static enum sluice_result configure_drop(void *self, const char *class_name,
                                         const struct sluice_config *config)
{
    (void)class_name;
    struct drop_headers *drop = self;
    drop->count = drop->base.host->config->get_list(config, "headers", &drop->names);
    return SLUICE_OK;
}

static enum sluice_result apply_drop(void *self, struct sluice_record *record)
{
    struct drop_headers *drop = self;
    const struct sluice_records *records = drop->base.records;
    for (size_t i = 0; i < drop->count && records->header_count(record) > 0; i++) {
        records->header_remove(record, drop->names[i]);
    }
    return SLUICE_OK;
}

static const struct sluice_option drop_options[] = {
    OPTION(.name = "headers", .type = SLUICE_OPTION_LIST, .required = true,
           .importance = SLUICE_HIGH, .valid = SLUICE_VALID_NON_EMPTY_LIST,
           .doc = "The name of the headers to be removed."),
    OPTIONS_END,
};

static const struct sluice_transform drop_functions = {
    .size = sizeof(struct sluice_transform),
    .create = create_drop,
    .destroy = free,
    .configure = configure_drop,
    .apply = apply_drop,
};

DESCRIPTOR(drop_headers, CONNECT_TRANSFORM "DropHeaders", "Removes headers by name.", drop_options,
           &drop_functions);

/* -- InsertHeader -- */

struct insert_header {
    struct transform base;
    const char *name, *literal;
    const struct sluice_converter *converter; /* reads the literal as Values.parseString does */
    void *converter_self;
};

static void *create_insert(const struct sluice_host *host)
{
    return transform_create(host, sizeof(struct insert_header));
}

static void destroy_insert(void *self)
{
    struct insert_header *insert = self;
    if (insert && insert->converter_self) {
        insert->base.host->drop_plugin(insert->base.host, insert->converter_self);
    }
    free(insert);
}

static enum sluice_result configure_insert(void *self, const char *class_name,
                                           const struct sluice_config *config)
{
    (void)class_name;
    struct insert_header *insert = self;
    const struct sluice_host *host = insert->base.host;
    insert->name = host->config->get_string(config, "header");
    insert->literal = host->config->get_string(config, "value.literal");
    const void *vtable = NULL;
    insert->converter_self = host->make_plugin(
        host, SLUICE_HEADER_CONVERTER, "org.apache.kafka.connect.storage.SimpleHeaderConverter",
        config, "header.converter.", &vtable);
    insert->converter = vtable;
    if (!insert->converter_self) {
        return SLUICE_FATAL;
    }
    return insert->converter->configure(insert->converter_self,
                                        "org.apache.kafka.connect.storage.SimpleHeaderConverter",
                                        config, SLUICE_CONVERT_HEADER);
}

static enum sluice_result apply_insert(void *self, struct sluice_record *record)
{
    struct insert_header *insert = self;
    const struct sluice_records *records = insert->base.records;
    const struct sluice_schema *schema = NULL;
    const struct sluice_value *value = NULL;
    struct sluice_span literal = {insert->literal, strlen(insert->literal)};
    enum sluice_result result = insert->converter->to_connect(
        insert->converter_self, records->batch_of(record), records->topic(record), insert->name,
        literal, &schema, &value);
    if (result == SLUICE_OK) {
        records->header_add(record, insert->name, schema, value);
    }
    return result;
}

/* ConfigDef.NonNullValidator */
static bool check_given(const char *name, const char *value, char *message, size_t size)
{
    if (!value) {
        snprintf(message, size, "Invalid value null for configuration %s: entry must be non null",
                 name);
    }
    return value != NULL;
}

static const struct sluice_option insert_options[] = {
    OPTION(.name = "header", .type = SLUICE_OPTION_STRING, .required = true,
           .importance = SLUICE_HIGH, .valid = SLUICE_VALID_CUSTOM, .check = check_given,
           .doc = "The name of the header."),
    OPTION(.name = "value.literal", .type = SLUICE_OPTION_STRING, .required = true,
           .importance = SLUICE_HIGH, .valid = SLUICE_VALID_CUSTOM, .check = check_given,
           .doc = "The literal value that is to be set as the header value on all records."),
    OPTIONS_END,
};

static const struct sluice_transform insert_functions = {
    .size = sizeof(struct sluice_transform),
    .create = create_insert,
    .destroy = destroy_insert,
    .configure = configure_insert,
    .apply = apply_insert,
};

DESCRIPTOR(insert_header, CONNECT_TRANSFORM "InsertHeader", "Adds a header with a constant value.",
           insert_options, &insert_functions);

/* -- HeaderFrom -- */

struct header_from {
    struct transform base;
    bool move;
    const char *purpose;
    const char *const *headers; /* owned by the configuration */
    const struct sluice_name **fields;
    size_t count;
    struct text_set moved;
    struct schema_cache cache;
};

static void *create_from(const struct sluice_host *host)
{
    return transform_create(host, sizeof(struct header_from));
}

static void destroy_from(void *self)
{
    struct header_from *from = self;
    if (from) {
        free(from->fields);
        text_set_finish(&from->moved);
        schema_cache_finish(&from->cache, &from->base);
        free(from);
    }
}

static enum sluice_result configure_from(void *self, const char *class_name,
                                         const struct sluice_config *config)
{
    struct header_from *from = self;
    struct transform *base = &from->base;
    const struct sluice_config_api *api = base->host->config;
    transform_variant(base, class_name);
    transform_null_option(base, config);
    const char *const *fields = NULL;
    from->count = api->get_list(config, "fields", &fields);
    if (from->count != api->get_list(config, "headers", &from->headers)) {
        return BAD_CONFIG(base,
                          "'fields' config must have the same number of elements as 'headers' "
                          "config.");
    }
    from->move = strcmp(api->get_string(config, "operation"), "move") == 0;
    from->purpose = from->move ? "header move" : "header copy";
    from->fields = calloc(from->count + 1, sizeof(*from->fields));
    bool fine = from->fields != NULL;
    for (size_t i = 0; fine && i < from->count; i++) {
        from->fields[i] = base->data->intern(fields[i], strlen(fields[i]));
        fine = text_set_add(&from->moved, fields[i], strlen(fields[i]), i);
    }
    return fine ? SLUICE_OK : NO_MEMORY(base);
}

static enum sluice_result apply_from_map(struct header_from *from, struct sluice_record *record,
                                         struct sluice_batch *batch,
                                         const struct sluice_value *value)
{
    const struct sluice_data *data = from->base.data;
    enum sluice_result result = require_map(&from->base, value, from->purpose);
    if (result != SLUICE_OK) {
        return result;
    }
    for (size_t i = 0; i < from->count; i++) {
        from->base.records->header_add(record, from->headers[i], NULL,
                                       data->find(value, from->fields[i]));
    }
    if (from->move) {
        struct sluice_value *edited = data->edit(batch, value);
        for (size_t i = 0; i < from->count; i++) {
            data->remove(batch, edited, from->fields[i]);
        }
        transform_replace(&from->base, record, NULL, edited);
    } else {
        transform_copy_map(&from->base, record, batch, value);
    }
    return SLUICE_OK;
}

static enum sluice_result make_plan(struct header_from *from, const struct sluice_schema *source,
                                    const struct schema_plan **ret_plan)
{
    const struct sluice_data *data = from->base.data;
    struct schema_draft draft;
    draft_init(&draft, &from->base, SLUICE_STRUCT);
    enum sluice_result result = draft_like(&draft, source);
    size_t count = data->schema_field_count(source);
    for (size_t i = 0; i < count && result == SLUICE_OK; i++) {
        struct sluice_span name = data->name_text(data->schema_field_name(source, i));
        if (text_set_find(&from->moved, name.data, name.size) < 0) {
            result = draft_field(&draft, name, data->schema_field(source, i), (ptrdiff_t)i);
        }
    }
    return draft_keep(&draft, result, &from->cache, source, ret_plan);
}

/* The struct without the fields that move, in *ret_value, with *ret_schema. */
static enum sluice_result without_moved(struct header_from *from, struct sluice_batch *batch,
                                        const struct sluice_value *value,
                                        const struct sluice_schema **ret_schema,
                                        struct sluice_value **ret_value)
{
    const struct transform *base = &from->base;
    const struct sluice_data *data = base->data;
    const struct sluice_schema *source = data->struct_schema(value);
    const struct schema_plan *plan = schema_cache_find(&from->cache, base, source);
    enum sluice_result result = plan ? SLUICE_OK : make_plan(from, source, &plan);
    if (result != SLUICE_OK) {
        return result;
    }
    *ret_schema = plan->target;
    *ret_value = data->new_struct(batch, plan->target);
    size_t count = data->schema_field_count(plan->target);
    for (size_t i = 0; i < count && result == SLUICE_OK; i++) {
        result = put_field(base, batch, *ret_value, i,
                           struct_field(base, batch, value, (size_t)plan->from[i]));
    }
    return result;
}

static enum sluice_result apply_from_struct(struct header_from *from, struct sluice_record *record,
                                            struct sluice_batch *batch,
                                            const struct sluice_value *value)
{
    const struct transform *base = &from->base;
    const struct sluice_data *data = base->data;
    const struct sluice_schema *target = NULL;
    struct sluice_value *rest = NULL;
    enum sluice_result result = require_struct(base, value, from->purpose);
    if (result == SLUICE_OK && from->move) {
        result = without_moved(from, batch, value, &target, &rest);
    }
    if (result != SLUICE_OK) {
        return result;
    }
    const struct sluice_schema *source = data->struct_schema(value);
    for (size_t i = 0; i < from->count; i++) {
        ptrdiff_t at = data->schema_find(source, from->fields[i]);
        if (at < 0) {
            struct sluice_span name = data->name_text(from->fields[i]);
            return base->host->error(base->host, SLUICE_BAD_RECORD, NULL_POINTER,
                                     "Field does not exist: %.*s", (int)name.size, name.data);
        }
        base->records->header_add(record, from->headers[i], data->schema_field(source, (size_t)at),
                                  struct_field(base, batch, value, (size_t)at));
    }
    if (from->move) {
        transform_replace(base, record, target, rest);
    }
    return SLUICE_OK;
}

static enum sluice_result apply_from(void *self, struct sluice_record *record)
{
    struct header_from *from = self;
    const struct sluice_schema *schema;
    const struct sluice_value *value = transform_operand(&from->base, record, &schema);
    struct sluice_batch *batch = from->base.records->batch_of(record);
    return schema ? apply_from_struct(from, record, batch, value)
                  : apply_from_map(from, record, batch, value);
}

static const char *const operations[] = {"move", "copy", NULL};

static const struct sluice_option from_options[] = {
    OPTION(.name = "fields", .type = SLUICE_OPTION_LIST, .required = true,
           .importance = SLUICE_HIGH, .valid = SLUICE_VALID_NON_EMPTY_LIST,
           .doc = "Field names in the record whose values are to be copied or moved to headers."),
    OPTION(.name = "headers", .type = SLUICE_OPTION_LIST, .required = true,
           .importance = SLUICE_HIGH, .valid = SLUICE_VALID_NON_EMPTY_LIST,
           .doc = "Header names, in the same order as the field names listed in the fields "
                  "configuration property."),
    OPTION(.name = "operation", .type = SLUICE_OPTION_STRING, .required = true,
           .importance = SLUICE_HIGH, .valid = SLUICE_VALID_ONE_OF, .values = operations,
           .doc =
               "Either <code>move</code> if the fields are to be moved to the headers (removed "
               "from "
               "the key/value), or <code>copy</code> if the fields are to be copied to the headers "
               "(retained in the key/value)."),
    REPLACE_NULL_OPTION,
    OPTIONS_END,
};

static const struct sluice_transform from_functions = {
    .size = sizeof(struct sluice_transform),
    .create = create_from,
    .destroy = destroy_from,
    .configure = configure_from,
    .apply = apply_from,
};

KEY_AND_VALUE(header_from, CONNECT_TRANSFORM "HeaderFrom",
              "Copies or moves fields of the key or value to headers.", from_options,
              &from_functions);
