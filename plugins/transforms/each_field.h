/*
 * Conversion of chosen fields, one by one, of a map or a struct: what NullValues, Cast, ParseTime
 * and their like share. A transform says how one value and one field's schema change; this walks
 * the record, rebuilds schemas (cached) and applies on.error. Owned by one transform; [task
 * thread].
 */
#ifndef TRANSFORMS_EACH_FIELD_H
#define TRANSFORMS_EACH_FIELD_H

#include "plugins/transforms/schemas.h"

/** Index of a field that was not listed, where all fields are meant. */
#define ANY_FIELD ((size_t)-1)

enum conversion {
    CONVERT_KEEP,  /* as it is */
    CONVERT_SET,   /* *ret_value instead */
    CONVERT_WRONG, /* cannot be converted: on.error decides; *ret_reason says why */
    CONVERT_ERROR, /* host->error() was called: fail with each->result */
};

enum on_error { ON_ERROR_FAIL, ON_ERROR_NULL, ON_ERROR_DEFAULT };

struct each_field;

/** How one transform converts; constant. */
struct each_field_type {
    const char *purpose;
    bool add_missing; /* listed fields that a map lacks come in as null (Connect's own do so) */
    bool skip_null;   /* convert() is not called for null */
    bool schema_first; /* a schema that is no struct's is told before a value that is none */
    /** which: place in the list of fields or ANY_FIELD. schema: NULL for schemaless. */
    enum conversion (*convert)(struct each_field *each, struct sluice_batch *batch, size_t which,
                               const struct sluice_schema *schema, const struct sluice_value *value,
                               const struct sluice_value **ret_value, const char **ret_reason);
    /** New schema of a field, a new reference; NULL function: as before. */
    enum sluice_result (*schema)(struct each_field *each, struct sluice_batch *batch, size_t which,
                                 const struct sluice_schema *schema,
                                 const struct sluice_schema **ret_schema);
};

/** First member of such a transform's own struct. */
struct each_field {
    struct transform base;
    const struct each_field_type *type;
    const struct sluice_name **names; /* listed fields; none: all */
    size_t count;
    size_t *order; /* of the names in a Java map; NULL: as listed */
    struct text_set index;
    enum on_error on_error;
    const char *default_text;  /* on.error=default */
    enum sluice_result result; /* what CONVERT_ERROR means */
    struct schema_cache cache;
};

/** Adds a name to the list. False: out of memory. */
bool each_field_add(struct each_field *each, const char *name, size_t size);
/** Reads the list `fields` of a configuration. */
enum sluice_result each_field_read(struct each_field *each,
                                   const struct sluice_config *config) SLUICE_CHECKED;
/** Reads on.error and default.value. */
void each_field_read_on_error(struct each_field *each, const struct sluice_config *config);
/** Fields of maps are taken as Connect does, out of a HashMap of the names. False: out of memory. */
bool each_field_order(struct each_field *each);
void each_field_finish(struct each_field *each);
/** The apply() of such transforms, for values with and without schema. Null passes. */
enum sluice_result each_field_apply(struct each_field *each,
                                    struct sluice_record *record) SLUICE_CHECKED;
/** What becomes of a struct schema; the plan is valid until the next call. */
enum sluice_result each_field_plan(struct each_field *each, struct sluice_batch *batch,
                                   const struct sluice_schema *schema,
                                   const struct schema_plan **ret_plan) SLUICE_CHECKED;

/** Options they share. */
#define FIELDS_OPTION(text)                                                                        \
    OPTION(.name = "fields", .type = SLUICE_OPTION_LIST, .default_value = "",                      \
           .importance = SLUICE_HIGH, .doc = text)
extern const char *const on_error_values[];
#define ON_ERROR_OPTIONS(what)                                                                     \
    OPTION(.name = "on.error", .type = SLUICE_OPTION_STRING, .default_value = what,                \
           .importance = SLUICE_MEDIUM, .valid = SLUICE_VALID_ONE_OF, .values = on_error_values,   \
           .recommended = on_error_values,                                                         \
           .doc = "What a value becomes that cannot be converted: fail (the record fails, "        \
                  "errors.tolerance decides), null, or default (default.value).")

#endif
