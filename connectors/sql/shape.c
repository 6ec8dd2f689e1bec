/* Which columns a record has. */
#include "connectors/sql/shape.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int refuse(struct shape_fault *fault, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int refuse(struct shape_fault *fault, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(fault->message, sizeof(fault->message), format, arguments);
    va_end(arguments);
    return -1;
}

static bool listed(const char *const *list, size_t count, struct sluice_span name)
{
    for (size_t i = 0; i < count; i++) {
        if (strlen(list[i]) == name.size && memcmp(list[i], name.data, name.size) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_container(enum sluice_type type)
{
    return type == SLUICE_STRUCT || type == SLUICE_MAP || type == SLUICE_ARRAY;
}

static const char *type_word(enum sluice_type type)
{
    static const char *const words[] = {"null",   "INT8",   "INT16", "INT32", "INT64",
                                        "FLOAT32", "FLOAT64", "BOOLEAN", "STRING", "BYTES",
                                        "ARRAY",  "MAP",    "STRUCT", "Decimal", "Date"};
    return words[type];
}

/* A key or value with named members: a struct, or a map of schemaless data. */
static bool has_members(const struct sluice_schema *schema, const struct sluice_value *value,
                        const struct sluice_data *data)
{
    return schema ? data->schema_type(schema) == SLUICE_STRUCT : data->type(value) == SLUICE_MAP;
}

static size_t member_count(const struct sluice_data *data, const struct sluice_schema *schema,
                           const struct sluice_value *value)
{
    return schema ? data->schema_field_count(schema) : data->count(value);
}

static struct sluice_span member_name(const struct sluice_data *data,
                                      const struct sluice_schema *schema,
                                      const struct sluice_value *value, size_t i)
{
    return schema ? data->name_text(data->schema_field_name(schema, i))
                  : data->text(data->key_at(value, i));
}

static struct shape_column *add(struct shape *shape, enum shape_source source, size_t index,
                                const char *name, size_t size, bool key)
{
    for (size_t i = 0; i < shape->column_count; i++) {
        if (strlen(shape->columns[i].name) == size && memcmp(shape->columns[i].name, name, size) == 0) {
            return &shape->columns[i]; /* a field of the value that the key has too is the key's */
        }
    }
    struct shape_column *columns =
        reallocarray(shape->columns, shape->column_count + 1, sizeof(*columns));
    char *copy = strndup(name, size);
    if (columns) {
        shape->columns = columns;
    }
    if (!columns || !copy) {
        free(copy);
        return NULL;
    }
    struct shape_column *column = &columns[shape->column_count++];
    *column = (struct shape_column){.source = source, .index = index, .name = copy, .key = key};
    shape->key_count += key;
    return column;
}

static int add_other(struct shape *shape, const char *name, size_t size)
{
    char **others = reallocarray(shape->others, shape->other_count + 1, sizeof(*others));
    shape->others = others ? others : shape->others;
    if (!others || !(others[shape->other_count] = strndup(name, size))) {
        return -1;
    }
    shape->other_count++;
    return 0;
}

/* Adds one member of key or value. */
static int add_member(const struct sluice_data *data, const struct sink_settings *settings,
                      struct shape *shape, const struct sluice_schema *schema,
                      const struct sluice_value *value, size_t i, bool of_key, bool key,
                      struct shape_fault *fault)
{
    struct sluice_span name = member_name(data, schema, value, i);
    struct shape_column *column =
        add(shape, of_key ? FROM_KEY_FIELD : FROM_VALUE_FIELD, i, name.data, name.size, key);
    if (!column) {
        return refuse(fault, "no memory");
    }
    if (column->source == (of_key ? FROM_KEY_FIELD : FROM_VALUE_FIELD) && column->index == i) {
        column->schema = schema ? data->schema_field(schema, i) : NULL;
        column->timestamp = listed(settings->timestamp_fields, settings->timestamp_field_count, name);
    } else if (!of_key && !schema && add_other(shape, name.data, name.size) != 0) {
        return refuse(fault, "no memory");
    }
    return 0;
}

/* Key columns that are members of key or value: those of pk.fields, or all. */
static int add_key_members(const struct sluice_data *data, const struct sink_settings *settings,
                           struct shape *shape, const struct sluice_schema *schema,
                           const struct sluice_value *value, bool of_key, const char *table,
                           struct shape_fault *fault)
{
    size_t count = member_count(data, schema, value);
    size_t wanted = settings->pk_field_count ? settings->pk_field_count : count;
    for (size_t k = 0; k < wanted; k++) {
        size_t i = settings->pk_field_count ? 0 : k;
        if (settings->pk_field_count) {
            struct sluice_span field = {settings->pk_fields[k], strlen(settings->pk_fields[k])};
            struct sluice_span name = {NULL, 0};
            for (; i < count; i++) {
                name = member_name(data, schema, value, i);
                if (name.size == field.size && memcmp(name.data, field.data, field.size) == 0) {
                    break;
                }
            }
            if (i == count) {
                return refuse(fault,
                              "PK mode for table '%s' is %s with configured PK fields, but the "
                              "record's %s does not contain field: %s",
                              table, of_key ? "RECORD_KEY" : "RECORD_VALUE", of_key ? "key" : "value",
                              settings->pk_fields[k]);
            }
        }
        if (add_member(data, settings, shape, schema, value, i, of_key, true, fault) != 0) {
            return -1;
        }
    }
    return 0;
}

static int add_kafka_keys(const struct sink_settings *settings, struct shape *shape,
                          struct shape_fault *fault)
{
    static const char *const defaults[] = {"__connect_topic", "__connect_partition",
                                           "__connect_offset"};
    if (settings->pk_field_count != 0 && settings->pk_field_count != 3) {
        return refuse(fault, "pk.mode=kafka needs all three names in pk.fields, or none");
    }
    for (size_t i = 0; i < 3; i++) {
        const char *name = settings->pk_field_count ? settings->pk_fields[i] : defaults[i];
        struct shape_column *column = add(shape, FROM_TOPIC + i, 0, name, strlen(name), true);
        if (!column) {
            return refuse(fault, "no memory");
        }
        column->seen = i == 0 ? SLUICE_STRING : i == 1 ? SLUICE_INT32 : SLUICE_INT64;
    }
    return 0;
}

static int add_record_key(const struct sluice_data *data, const struct sink_settings *settings,
                          struct shape *shape, const struct sluice_schema *schema,
                          const struct sluice_value *key, const char *table,
                          struct shape_fault *fault)
{
    if (data->type(key) == SLUICE_NULL) {
        return refuse(fault, "PK mode for table '%s' is RECORD_KEY, but the record's key is null", table);
    }
    if (has_members(schema, key, data)) {
        return add_key_members(data, settings, shape, schema, key, true, table, fault);
    }
    enum sluice_type type = schema ? data->schema_type(schema) : data->type(key);
    if (is_container(type)) {
        return refuse(fault, "Key schema must be primitive type or Struct, but is of type: %s",
                      type_word(type));
    }
    if (settings->pk_field_count != 1) {
        return refuse(fault,
                      "Need exactly one PK column defined since the key schema for records is a "
                      "primitive type, defined columns are: %zu; set pk.fields to one name",
                      settings->pk_field_count);
    }
    struct shape_column *column =
        add(shape, FROM_KEY, 0, settings->pk_fields[0], strlen(settings->pk_fields[0]), true);
    if (!column) {
        return refuse(fault, "no memory");
    }
    column->schema = schema;
    return 0;
}

static int add_keys(const struct sluice_host *host, const struct sink_settings *settings,
                    struct shape *shape, const struct sluice_record *record, const char *table,
                    struct shape_fault *fault)
{
    const struct sluice_data *data = host->data;
    const struct sluice_schema *value_schema = host->records->value_schema(record);
    const struct sluice_value *value = host->records->value(record);
    switch (settings->pk_mode) {
    case PK_NONE:
        return 0;
    case PK_KAFKA:
        return add_kafka_keys(settings, shape, fault);
    case PK_RECORD_KEY:
        return add_record_key(data, settings, shape, host->records->key_schema(record),
                              host->records->key(record), table, fault);
    case PK_RECORD_VALUE:
    default:
        if (shape->deletes || !has_members(value_schema, value, data)) {
            return refuse(fault,
                          "PK mode for table '%s' is RECORD_VALUE, but the record's value is %s", table,
                          shape->deletes ? "null" : "no Struct or JSON object");
        }
        return add_key_members(data, settings, shape, value_schema, value, false, table, fault);
    }
}

static int add_values(const struct sluice_host *host, const struct sink_settings *settings,
                      struct shape *shape, const struct sluice_record *record, const char *table,
                      struct shape_fault *fault)
{
    const struct sluice_data *data = host->data;
    const struct sluice_schema *schema = host->records->value_schema(record);
    const struct sluice_value *value = host->records->value(record);
    if (!has_members(schema, value, data)) {
        enum sluice_type type = schema ? data->schema_type(schema) : data->type(value);
        if (type != SLUICE_STRING) {
            return refuse(fault,
                          "The value for table '%s' is of type %s; Structs, JSON objects and texts "
                          "can be written",
                          table, type_word(type));
        }
        struct shape_column *column =
            add(shape, FROM_VALUE, 0, settings->string_column, strlen(settings->string_column), false);
        if (!column) {
            return refuse(fault, "no memory");
        }
        column->schema = schema;
        column->seen = SLUICE_STRING;
        return 0;
    }
    size_t count = member_count(data, schema, value);
    for (size_t i = 0; i < count; i++) {
        struct sluice_span name = member_name(data, schema, value, i);
        bool wanted = settings->whitelist_count == 0 ||
                      listed(settings->whitelist, settings->whitelist_count, name);
        if (wanted && add_member(data, settings, shape, schema, value, i, false, false, fault) != 0) {
            return -1;
        }
    }
    if (shape->column_count == 0) {
        return refuse(fault, "No fields found using key and value schemas for table: %s", table);
    }
    return 0;
}

int shape_create(const struct sluice_host *host, const struct sink_settings *settings,
                 const struct sluice_record *record, const char *table, struct shape **ret_shape,
                 struct shape_fault *fault)
{
    const struct sluice_records *records = host->records;
    struct shape *shape = calloc(1, sizeof(*shape));
    if (!shape) {
        return refuse(fault, "no memory");
    }
    shape->deletes = host->data->type(records->value(record)) == SLUICE_NULL;
    if (records->key_schema(record)) {
        shape->key_schema = host->data->schema_retain(records->key_schema(record));
    }
    if (records->value_schema(record)) {
        shape->value_schema = host->data->schema_retain(records->value_schema(record));
    }
    shape->key_members = host->data->count(records->key(record));
    shape->value_members = host->data->count(records->value(record));
    shape->listed = settings->whitelist_count > 0;
    if (shape->deletes && !settings->delete_enabled) {
        refuse(fault,
               "The value for table '%s' is null; with delete.enabled=true and pk.mode=record_key it "
               "would delete the row of its key",
               table);
        goto failed;
    }
    if (add_keys(host, settings, shape, record, table, fault) != 0 ||
        (!shape->deletes && add_values(host, settings, shape, record, table, fault) != 0)) {
        goto failed;
    }
    shape_learn(host, shape, record);
    *ret_shape = shape;
    return 0;

failed:
    shape_destroy(host, shape);
    return -1;
}

void shape_destroy(const struct sluice_host *host, struct shape *shape)
{
    if (!shape) {
        return;
    }
    for (size_t i = 0; i < shape->column_count; i++) {
        free(shape->columns[i].name);
        free(shape->columns[i].target);
    }
    free(shape->columns);
    for (size_t i = 0; i < shape->other_count; i++) {
        free(shape->others[i]);
    }
    free(shape->others);
    free(shape->absent);
    free(shape->found);
    sql_statement_finish(&shape->write);
    sql_statement_finish(&shape->delete_row);
    if (shape->key_schema) {
        host->data->schema_release(shape->key_schema);
    }
    if (shape->value_schema) {
        host->data->schema_release(shape->value_schema);
    }
    free(shape->rows);
    free(shape->delete_rows);
    free(shape);
}

int shape_drop_column(struct shape *shape, struct shape_column *column)
{
    size_t i = (size_t)(column - shape->columns);
    if (!shape->value_schema && column->source == FROM_VALUE_FIELD &&
        add_other(shape, column->name, strlen(column->name)) != 0) {
        return -1;
    }
    free(column->name);
    free(column->target);
    memmove(column, column + 1, (shape->column_count - i - 1) * sizeof(*column));
    shape->column_count--;
    return 0;
}

int shape_bind(const struct sluice_host *host, const struct sink_settings *settings, struct shape *shape)
{
    shape->found = calloc(shape->column_count + 1, sizeof(*shape->found));
    shape->absent = calloc(settings->whitelist_count + 1, sizeof(*shape->absent));
    if (!shape->found || !shape->absent) {
        return -1;
    }
    for (size_t i = 0; i < shape->column_count; i++) {
        struct shape_column *column = &shape->columns[i];
        const struct sluice_schema *schema =
            column->source == FROM_KEY_FIELD ? shape->key_schema : shape->value_schema;
        if (!schema && (column->source == FROM_KEY_FIELD || column->source == FROM_VALUE_FIELD)) {
            column->member = host->data->intern(column->name, strlen(column->name));
        }
    }
    for (size_t w = 0; w < settings->whitelist_count; w++) {
        struct sluice_span name = {settings->whitelist[w], strlen(settings->whitelist[w])};
        bool there = listed((const char *const *)shape->others, shape->other_count, name);
        for (size_t i = 0; i < shape->column_count; i++) {
            there = there || (shape->columns[i].source == FROM_VALUE_FIELD &&
                              strcmp(shape->columns[i].name, name.data) == 0);
        }
        if (!there) {
            shape->absent[shape->absent_count++] = host->data->intern(name.data, name.size);
        }
    }
    return 0;
}

/* Not bound yet: the same members in the same order. */
static bool same_members(const struct sluice_data *data, const struct shape *shape,
                         enum shape_source source, const struct sluice_value *value)
{
    for (size_t i = 0; i < shape->column_count; i++) {
        const struct shape_column *column = &shape->columns[i];
        if (column->source == source) {
            if (column->index >= data->count(value)) {
                return false;
            }
            struct sluice_span name = data->text(data->key_at(value, column->index));
            if (strlen(column->name) != name.size || memcmp(column->name, name.data, name.size) != 0) {
                return false;
            }
        }
    }
    return true;
}

/* Of a schemaless value, all of whose columns are there: what else is there, and what is not? */
static bool same_others(const struct sluice_data *data, const struct shape *shape,
                        const struct sluice_value *value)
{
    for (size_t i = 0; i < shape->absent_count; i++) {
        if (data->find(value, shape->absent[i])) {
            return false;
        }
    }
    for (size_t other = 0; other < shape->other_count; other++) {
        size_t i = 0, count = data->count(value), size = strlen(shape->others[other]);
        for (; i < count; i++) {
            struct sluice_span name = data->text(data->key_at(value, i));
            if (name.size == size && memcmp(name.data, shape->others[other], size) == 0) {
                break;
            }
        }
        if (i == count) {
            return false;
        }
    }
    return true;
}

/* Fills found; false: a member of a schemaless key or value is missing. */
static bool find_values(const struct sluice_host *host, struct shape *shape,
                        const struct sluice_value *key, const struct sluice_value *value)
{
    const struct sluice_data *data = host->data;
    for (size_t i = 0; i < shape->column_count; i++) {
        const struct shape_column *column = &shape->columns[i];
        const struct sluice_value *of = column->source == FROM_KEY || column->source == FROM_KEY_FIELD
                                            ? key
                                            : value;
        const struct sluice_value *found = column->source == FROM_KEY || column->source == FROM_VALUE ? of
                                           : column->source < FROM_KEY ? NULL
                                           : column->member            ? data->find(of, column->member)
                                                                       : data->at(of, column->index);
        if (!found && column->member) {
            return false;
        }
        shape->found[i] = found;
    }
    return true;
}

bool shape_fits(const struct sluice_host *host, struct shape *shape, const struct sluice_record *record)
{
    const struct sluice_records *records = host->records;
    const struct sluice_data *data = host->data;
    const struct sluice_value *key = records->key(record), *value = records->value(record);
    if (shape->key_schema != records->key_schema(record) ||
        shape->value_schema != records->value_schema(record) ||
        shape->deletes != (data->type(value) == SLUICE_NULL)) {
        return false;
    }
    if ((!shape->value_schema && !shape->listed && data->count(value) != shape->value_members) ||
        (!shape->key_schema && data->count(key) != shape->key_members)) {
        return false;
    }
    if (shape->found) {
        return find_values(host, shape, key, value) &&
               (shape->value_schema || same_others(data, shape, value));
    }
    return (shape->value_schema || same_members(data, shape, FROM_VALUE_FIELD, value)) &&
           (shape->key_schema || same_members(data, shape, FROM_KEY_FIELD, key));
}

const struct sluice_value *shape_value(const struct sluice_host *host, const struct shape_column *column,
                                       const struct sluice_record *record)
{
    switch (column->source) {
    case FROM_KEY:
        return host->records->key(record);
    case FROM_KEY_FIELD:
        return host->data->at(host->records->key(record), column->index);
    case FROM_VALUE:
        return host->records->value(record);
    case FROM_VALUE_FIELD:
        return host->data->at(host->records->value(record), column->index);
    default:
        return NULL;
    }
}

void shape_learn(const struct sluice_host *host, struct shape *shape,
                 const struct sluice_record *record)
{
    for (size_t i = 0; i < shape->column_count; i++) {
        struct shape_column *column = &shape->columns[i];
        if (!column->schema && column->seen == SLUICE_NULL) {
            column->seen = host->data->type(shape_value(host, column, record));
        }
    }
}
