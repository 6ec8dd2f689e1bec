/* The functions behind data_api (include/sluice/data.h has their meaning); for core/data only. */
#ifndef CORE_DATA_VALUE_API_H
#define CORE_DATA_VALUE_API_H

#include <sluice/data.h>

enum sluice_type value_type(const struct sluice_value *value);
bool value_boolean(const struct sluice_value *value);
int64_t value_integer(const struct sluice_value *value);
double value_real(const struct sluice_value *value);
struct sluice_span value_text(const struct sluice_value *value);
struct sluice_span value_decimal(const struct sluice_value *value, int32_t *ret_scale);
size_t value_count(const struct sluice_value *value);
const struct sluice_value *value_at(const struct sluice_value *value, size_t i);
const struct sluice_value *value_key_at(const struct sluice_value *value, size_t i);
const struct sluice_value *value_find(const struct sluice_value *value, const struct sluice_name *name);
ptrdiff_t value_index_of(const struct sluice_value *map, const struct sluice_name *name);
const struct sluice_schema *value_struct_schema(const struct sluice_value *value);
bool value_equal(const struct sluice_value *a, const struct sluice_value *b);

const struct sluice_name *value_intern(const char *text, size_t size);
struct sluice_span value_name_text(const struct sluice_name *name);
const struct sluice_value *value_name_value(const struct sluice_name *name);

struct sluice_value *value_new_null(struct sluice_batch *batch);
struct sluice_value *value_new_boolean(struct sluice_batch *batch, bool truth);
struct sluice_value *value_new_integer(struct sluice_batch *batch, enum sluice_type type, int64_t number);
struct sluice_value *value_new_real(struct sluice_batch *batch, enum sluice_type type, double number);
struct sluice_value *value_new_string(struct sluice_batch *batch, const char *data, size_t size);
struct sluice_value *value_new_bytes(struct sluice_batch *batch, const void *data, size_t size);
struct sluice_value *value_new_string_view(struct sluice_batch *batch, const char *data, size_t size);
struct sluice_value *value_new_bytes_view(struct sluice_batch *batch, const void *data, size_t size);
struct sluice_value *value_new_decimal(struct sluice_batch *batch, const void *unscaled, size_t size,
                                       int32_t scale);
struct sluice_value *value_new_date(struct sluice_batch *batch, int64_t milliseconds);
struct sluice_value *value_new_array(struct sluice_batch *batch, size_t reserve);
struct sluice_value *value_new_map(struct sluice_batch *batch, size_t reserve);
struct sluice_value *value_new_struct(struct sluice_batch *batch, const struct sluice_schema *schema);

struct sluice_value *value_edit(struct sluice_batch *batch, const struct sluice_value *container);
void value_append(struct sluice_batch *batch, struct sluice_value *array,
                  const struct sluice_value *element);
void value_put(struct sluice_batch *batch, struct sluice_value *map, const struct sluice_name *name,
               const struct sluice_value *value);
void value_put_key(struct sluice_batch *batch, struct sluice_value *map, const struct sluice_value *key,
                   const struct sluice_value *value);
void value_set_at(struct sluice_batch *batch, struct sluice_value *container, size_t i,
                  const struct sluice_value *value);
void value_rename_at(struct sluice_batch *batch, struct sluice_value *map, size_t i,
                     const struct sluice_name *name);
bool value_remove(struct sluice_batch *batch, struct sluice_value *map, const struct sluice_name *name);
const char *value_map_class(const struct sluice_value *map);
void value_set_map_class(struct sluice_value *map, const char *class_name);
struct sluice_value *value_copy(struct sluice_batch *batch, const struct sluice_value *value);

const struct sluice_value *value_first_logical(const struct sluice_value *value);

enum sluice_result value_from_json(struct sluice_batch *batch, const char *data, size_t size,
                                   uint32_t flags, struct sluice_value **ret_value,
                                   struct sluice_json_error *error);
struct sluice_span value_to_json(struct sluice_batch *batch, const struct sluice_value *value);
struct sluice_span value_to_text(struct sluice_batch *batch, const struct sluice_value *value);

const struct sluice_schema *schema_new(const struct sluice_schema_spec *spec, char *message,
                                       size_t message_size);
const struct sluice_schema *schema_retain(const struct sluice_schema *schema);
void schema_release(const struct sluice_schema *schema);
const struct sluice_schema *schema_plain(enum sluice_type type, bool optional);
enum sluice_type schema_type(const struct sluice_schema *schema);
bool schema_optional(const struct sluice_schema *schema);
const char *schema_name(const struct sluice_schema *schema);
bool schema_version(const struct sluice_schema *schema, int32_t *ret_version);
const char *schema_doc(const struct sluice_schema *schema);
size_t schema_parameter_count(const struct sluice_schema *schema);
void schema_parameter(const struct sluice_schema *schema, size_t i, const char **ret_key,
                      const char **ret_value);
const struct sluice_value *schema_default(const struct sluice_schema *schema);
const struct sluice_schema *schema_key(const struct sluice_schema *schema);
const struct sluice_schema *schema_value(const struct sluice_schema *schema);
size_t schema_field_count(const struct sluice_schema *schema);
const struct sluice_name *schema_field_name(const struct sluice_schema *schema, size_t i);
const struct sluice_schema *schema_field(const struct sluice_schema *schema, size_t i);
ptrdiff_t schema_find(const struct sluice_schema *schema, const struct sluice_name *name);
bool schema_equal(const struct sluice_schema *a, const struct sluice_schema *b);
/** Name of field i as a STRING value, owned by the schema. */
const struct sluice_value *schema_field_key(const struct sluice_schema *schema, size_t i);

/** The batch holds a reference of the schema until its last release. NULL is fine. */
void batch_keep_schema(struct sluice_batch *batch, const struct sluice_schema *schema);

#endif
