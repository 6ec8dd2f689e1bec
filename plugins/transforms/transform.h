/*
 * What all transforms here have in common: the host's tables, the side of the record they work on
 * ($Key or $Value), Connect's requirement errors, and reading of struct fields with defaults.
 * Owned by each instance; [task thread] throughout.
 */
#ifndef TRANSFORMS_TRANSFORM_H
#define TRANSFORMS_TRANSFORM_H

#include <string.h>

#include <sluice/transform.h>

#include "lib/java/class_names.h"

#define ILLEGAL_ARGUMENT "java.lang.IllegalArgumentException"
#define NULL_POINTER "java.lang.NullPointerException"
#define SCHEMA_BUILDER_EXCEPTION "org.apache.kafka.connect.errors.SchemaBuilderException"

/** First member of every transform's own struct. */
struct transform {
    const struct sluice_host *host;
    const struct sluice_data *data;
    const struct sluice_records *records;
    bool key;       /* ..$Key: works on the record's key, else on its value */
    bool keep_null; /* replace.null.with.default=false */
};

/** `return BAD_RECORD(transform, "..", ..);` with DataException. */
#define BAD_RECORD(transform, ...)                                                                 \
    (transform)->host->error((transform)->host, SLUICE_BAD_RECORD, SLUICE_DATA_EXCEPTION,          \
                             __VA_ARGS__)
/** The same at configure(), with ConfigException. */
#define BAD_CONFIG(transform, ...)                                                                 \
    (transform)->host->error((transform)->host, SLUICE_FATAL, SLUICE_CONFIG_EXCEPTION, __VA_ARGS__)
#define NO_MEMORY(transform)                                                                       \
    (transform)->host->error((transform)->host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION,            \
                             "Out of memory")

/** Texts about patterns, for BAD_RECORD and BAD_CONFIG (value, key, message). */
#define REGEX_GAVE_UP                                                                              \
    "The regular expression takes too many steps on this value; make it less ambiguous"
#define INVALID_REGEX "Invalid value %s for configuration %s: Invalid regex: %s"

/** Zeroed memory of size bytes that begins with a struct transform; NULL: out of memory. */
void *transform_create(const struct sluice_host *host, size_t size);
/** Reads the variant out of the class name: ..$Key, anything else is the value. */
void transform_variant(struct transform *transform, const char *class_name);
/** Reads replace.null.with.default, for tables that have it. */
void transform_null_option(struct transform *transform, const struct sluice_config *config);

/** Key or value, and its schema (NULL: none). */
static inline const struct sluice_value *transform_operand(const struct transform *transform,
                                                           const struct sluice_record *record,
                                                           const struct sluice_schema **ret_schema)
{
    const struct sluice_records *records = transform->records;
    *ret_schema = transform->key ? records->key_schema(record) : records->value_schema(record);
    return transform->key ? records->key(record) : records->value(record);
}
void transform_replace(const struct transform *transform, struct sluice_record *record,
                       const struct sluice_schema *schema, const struct sluice_value *value);
/** The schemaless map stays what it is, but is a HashMap from now on: the original copies it into one. */
void transform_copy_map(const struct transform *transform, struct sluice_record *record,
                        struct sluice_batch *batch, const struct sluice_value *map);

/** A text of the configuration as a value that may go into every record. */
static inline const struct sluice_value *constant_text(const struct transform *transform,
                                                       const char *text)
{
    return transform->data->name_value(transform->data->intern(text, strlen(text)));
}

static inline bool is_null(const struct transform *transform, const struct sluice_value *value)
{
    return transform->data->type(value) == SLUICE_NULL;
}

/** Connect's Requirements; purpose as in its messages. */
enum sluice_result require_map(const struct transform *transform, const struct sluice_value *value,
                               const char *purpose) SLUICE_CHECKED;
enum sluice_result require_struct(const struct transform *transform,
                                  const struct sluice_value *value,
                                  const char *purpose) SLUICE_CHECKED;

/** Field i of a struct; a null one gives the schema's default unless nulls are to be kept. */
const struct sluice_value *struct_field(const struct transform *transform,
                                        struct sluice_batch *batch,
                                        const struct sluice_value *value, size_t i);
/**
 * Struct.put's check of null: an error where the field needs a value and has no default.
 */
enum sluice_result check_not_null(const struct transform *transform,
                                  const struct sluice_schema *schema, const char *name,
                                  const struct sluice_value *value) SLUICE_CHECKED;

/** Struct.put's check of a value for field i of a struct of this schema, with all it holds. */
enum sluice_result check_field(const struct transform *transform,
                               const struct sluice_schema *schema, size_t i,
                               const struct sluice_value *value) SLUICE_CHECKED;

/** Struct.put of a value that another struct had under the same schema: null needs a check. */
enum sluice_result put_field(const struct transform *transform, struct sluice_batch *batch,
                             struct sluice_value *made, size_t i,
                             const struct sluice_value *value) SLUICE_CHECKED;

/** The option that many of Connect's transforms share. */
#define REPLACE_NULL_OPTION                                                                        \
    {                                                                                              \
        .size = sizeof(struct sluice_option), .name = "replace.null.with.default",                 \
        .type = SLUICE_OPTION_BOOLEAN, .default_value = "true", .importance = SLUICE_MEDIUM,       \
        .doc =                                                                                     \
            "Whether to replace fields that have a default value and that are null to the "        \
            "default value. When set to true, the default value is used, otherwise null is used."  \
    }

#define OPTION(...)                                                                                \
    {                                                                                              \
        .size = sizeof(struct sluice_option), __VA_ARGS__                                          \
    }
#define OPTIONS_END                                                                                \
    {                                                                                              \
        .name = NULL                                                                               \
    }

/** Descriptors of one family's $Key and $Value classes, or of a single class. */
#define CONNECT_TRANSFORM "org.apache.kafka.connect.transforms."
#define SLUICE_PACKAGE "sluice.transforms."
#define DESCRIPTOR(identifier, class, text, table, functions)                                      \
    const struct sluice_descriptor identifier = {                                                  \
        .size = sizeof(struct sluice_descriptor),                                                  \
        .kind = SLUICE_TRANSFORM,                                                                  \
        .class_name = class,                                                                       \
        .version = KAFKA_VERSION,                                                                 \
        .doc = text,                                                                               \
        .options = table,                                                                          \
        .vtable = functions,                                                                       \
    }
#define KEY_AND_VALUE(identifier, class, text, table, functions)                                   \
    DESCRIPTOR(identifier##_key, class "$Key", text, table, functions);                            \
    DESCRIPTOR(identifier##_value, class "$Value", text, table, functions)

#endif
