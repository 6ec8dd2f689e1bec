/* Schemas to JSON and back, and the caches of both directions (json.h). [task thread] */
#include <stdlib.h>
#include <string.h>

#include "plugins/converters/json.h"

static const char *const type_names[] = {
    [SLUICE_INT8] = "int8",       [SLUICE_INT16] = "int16",   [SLUICE_INT32] = "int32",
    [SLUICE_INT64] = "int64",     [SLUICE_FLOAT32] = "float", [SLUICE_FLOAT64] = "double",
    [SLUICE_BOOLEAN] = "boolean", [SLUICE_STRING] = "string", [SLUICE_BYTES] = "bytes",
    [SLUICE_ARRAY] = "array",     [SLUICE_MAP] = "map",       [SLUICE_STRUCT] = "struct",
};

enum logical json_logical(const struct json_converter *self, const struct sluice_schema *schema)
{
    const char *name = self->base.data->schema_name(schema);
    if (!name) {
        return LOGICAL_NONE;
    }
    return strcmp(name, SLUICE_SCHEMA_DECIMAL) == 0     ? LOGICAL_DECIMAL
           : strcmp(name, SLUICE_SCHEMA_DATE) == 0      ? LOGICAL_DATE
           : strcmp(name, SLUICE_SCHEMA_TIME) == 0      ? LOGICAL_TIME
           : strcmp(name, SLUICE_SCHEMA_TIMESTAMP) == 0 ? LOGICAL_TIMESTAMP
                                                        : LOGICAL_NONE;
}

/* -- caches -- */

static uint64_t hash_of(struct sluice_span text)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < text.size; i++) {
        hash = (hash ^ (unsigned char)text.data[i]) * UINT64_C(1099511628211);
    }
    return hash;
}

/** By schema, or by text where schema is NULL. */
static struct cached_schema *find(struct schema_cache *cache, const struct sluice_schema *schema,
                                  struct sluice_span text)
{
    uint64_t hash = schema ? 0 : hash_of(text);
    for (size_t n = 0; n < cache->count; n++) {
        size_t i = (cache->last + n) % cache->count;
        struct cached_schema *entry = &cache->entries[i];
        if (schema ? entry->schema == schema
                   : entry->hash == hash && entry->size == text.size &&
                         memcmp(entry->text, text.data, text.size) == 0) {
            cache->last = i;
            entry->used = ++cache->clock;
            return entry;
        }
    }
    return NULL;
}

static void drop(struct cached_schema *entry, const struct sluice_data *data)
{
    data->schema_release(entry->schema);
    free(entry->text);
    *entry = (struct cached_schema){0};
}

/** Takes over the reference of schema, copies text; the entry unused for longest makes room. */
static struct cached_schema *add(struct schema_cache *cache, const struct sluice_data *data,
                                 const struct sluice_schema *schema, struct sluice_span text)
{
    if (!cache->entries) {
        cache->entries = calloc(cache->most, sizeof(*cache->entries));
    }
    char *copy = malloc(text.size + 1);
    if (!cache->entries || !copy) {
        free(copy);
        data->schema_release(schema);
        return NULL;
    }
    memcpy(copy, text.data, text.size);
    size_t place = cache->count;
    if (cache->count == cache->most) {
        place = 0;
        for (size_t i = 1; i < cache->count; i++) {
            place = cache->entries[i].used < cache->entries[place].used ? i : place;
        }
        drop(&cache->entries[place], data);
    } else {
        cache->count++;
    }
    cache->last = place;
    cache->entries[place] =
        (struct cached_schema){schema, copy, text.size, hash_of(text), ++cache->clock};
    return &cache->entries[place];
}

void schema_cache_finish(struct schema_cache *cache, const struct sluice_data *data)
{
    for (size_t i = 0; i < cache->count; i++) {
        drop(&cache->entries[i], data);
    }
    free(cache->entries);
    *cache = (struct schema_cache){0};
}

/* -- reading -- */

/** What a schema is made from while its JSON is read; references of the schemas are held. */
struct reading {
    struct sluice_schema_spec spec;
    const char **field_names;
    const struct sluice_schema **field_schemas;
};

static enum sluice_result read_fresh(struct json_converter *self, struct sluice_batch *batch,
                                     const struct sluice_value *json,
                                     const struct sluice_schema **ret_schema);

/** NUL-terminated, in the batch; NULL where it is no text. */
static const char *text_of(struct json_converter *self, struct sluice_batch *batch,
                           const struct sluice_value *json)
{
    const struct sluice_data *data = self->base.data;
    if (data->type(json) != SLUICE_STRING) {
        return NULL;
    }
    struct sluice_span text = data->text(json);
    struct sluice_span copy = converter_copy(&self->base, batch, text.data, text.size);
    ((char *)copy.data)[copy.size] = '\0';
    return copy.data;
}

static enum sluice_result schema_builder_error(struct json_converter *self, const char *message)
{
    return self->base.host->error(self->base.host, SLUICE_BAD_RECORD, SCHEMA_BUILDER_EXCEPTION, "%s",
                                  message);
}

static enum sluice_result read_array_parts(struct json_converter *self, struct sluice_batch *batch,
                                           const struct sluice_value *json, struct reading *reading)
{
    const struct sluice_data *data = self->base.data;
    const struct sluice_value *items = data->find(json, self->items);
    if (data->type(items) == SLUICE_NULL) {
        return BAD_RECORD(&self->base, "Array schema did not specify the element type");
    }
    return read_fresh(self, batch, items, &reading->spec.value_schema);
}

static enum sluice_result read_map_parts(struct json_converter *self, struct sluice_batch *batch,
                                         const struct sluice_value *json, struct reading *reading)
{
    const struct sluice_data *data = self->base.data;
    const struct sluice_value *keys = data->find(json, self->keys);
    const struct sluice_value *values = data->find(json, self->values);
    if (!keys) {
        return BAD_RECORD(&self->base, "Map schema did not specify the key type");
    }
    if (!values) {
        return BAD_RECORD(&self->base, "Map schema did not specify the value type");
    }
    enum sluice_result result = read_fresh(self, batch, keys, &reading->spec.key_schema);
    if (result == SLUICE_OK) {
        result = read_fresh(self, batch, values, &reading->spec.value_schema);
    }
    if (result == SLUICE_OK && !reading->spec.key_schema) {
        return schema_builder_error(self, "keySchema cannot be null.");
    }
    if (result == SLUICE_OK && !reading->spec.value_schema) {
        return schema_builder_error(self, "valueSchema cannot be null.");
    }
    return result;
}

static enum sluice_result read_fields(struct json_converter *self, struct sluice_batch *batch,
                                      const struct sluice_value *json, struct reading *reading)
{
    const struct sluice_data *data = self->base.data;
    const struct sluice_value *fields = data->find(json, self->fields);
    if (data->type(fields) != SLUICE_ARRAY) {
        return BAD_RECORD(&self->base, "Struct schema's \"fields\" argument is not an array.");
    }
    size_t count = data->count(fields);
    reading->field_names = self->base.records->alloc(batch, (count + 1) * sizeof(char *));
    reading->field_schemas = self->base.records->alloc(batch, (count + 1) * sizeof(void *));
    for (size_t i = 0; i < count; i++) {
        const struct sluice_value *field = data->at(fields, i);
        const char *name = text_of(self, batch, data->find(field, self->field));
        if (!name) {
            return BAD_RECORD(&self->base, "Struct schema's field name not specified properly");
        }
        const struct sluice_schema *schema = NULL;
        enum sluice_result result = read_fresh(self, batch, field, &schema);
        if (result != SLUICE_OK) {
            return result;
        }
        reading->field_names[i] = name;
        reading->field_schemas[i] = schema;
        reading->spec.field_count = i + 1;
        if (*name == '\0') {
            return schema_builder_error(self, "fieldName cannot be null.");
        }
    }
    return SLUICE_OK;
}

static enum sluice_result read_parameters(struct json_converter *self, struct sluice_batch *batch,
                                          const struct sluice_value *json, struct reading *reading)
{
    const struct sluice_data *data = self->base.data;
    const struct sluice_value *parameters = data->find(json, self->parameters);
    if (data->type(parameters) != SLUICE_MAP) {
        return SLUICE_OK;
    }
    size_t count = data->count(parameters);
    const char **texts = self->base.records->alloc(batch, (count * 2 + 1) * sizeof(char *));
    for (size_t i = 0; i < count; i++) {
        texts[i * 2] = text_of(self, batch, data->key_at(parameters, i));
        texts[i * 2 + 1] = text_of(self, batch, data->at(parameters, i));
        if (!texts[i * 2 + 1]) {
            return BAD_RECORD(&self->base, "Schema parameters must have string values.");
        }
    }
    reading->spec.parameters = texts;
    reading->spec.parameter_count = count;
    return SLUICE_OK;
}

static enum sluice_result make(struct json_converter *self, const struct sluice_schema_spec *spec,
                               const struct sluice_schema **ret_schema)
{
    char message[256];
    *ret_schema = self->base.data->schema_new(spec, message, sizeof(message));
    return *ret_schema ? SLUICE_OK : schema_builder_error(self, message);
}

/**
 * The default is read under the schema without it. A struct is never a valid one, as it is compared
 * with the schema that is only being built.
 */
static enum sluice_result read_default(struct json_converter *self, struct sluice_batch *batch,
                                       const struct sluice_value *json, struct reading *reading)
{
    const struct sluice_value *written = self->base.data->find(json, self->default_value);
    if (!written) {
        return SLUICE_OK;
    }
    const struct sluice_schema *bare;
    enum sluice_result result = make(self, &reading->spec, &bare);
    if (result != SLUICE_OK) {
        return result;
    }
    const struct sluice_value *value;
    result = json_read(self, batch, bare, written, &value);
    bool valid = is_null(&self->base, value) ? reading->spec.optional
                                             : reading->spec.type != SLUICE_STRUCT;
    if (result == SLUICE_OK &&
        (!valid || (value && json_check_nulls(self, bare, value, "") != SLUICE_OK))) {
        result = schema_builder_error(self, "Invalid default value");
    }
    if (result == SLUICE_OK && !is_null(&self->base, value)) {
        reading->spec.default_value = value;
    }
    self->base.data->schema_release(bare);
    return result;
}

static enum sluice_result read_parts(struct json_converter *self, struct sluice_batch *batch,
                                     const struct sluice_value *json, struct reading *reading)
{
    const struct sluice_data *data = self->base.data;
    struct sluice_schema_spec *spec = &reading->spec;
    const char *type = text_of(self, batch, data->find(json, self->type));
    if (!type) {
        return BAD_RECORD(&self->base, "Schema must contain 'type' field");
    }
    for (int i = SLUICE_INT8; i <= SLUICE_STRUCT; i++) {
        if (strcmp(type_names[i], type) == 0) {
            spec->type = (enum sluice_type)i;
        }
    }
    if (spec->type == SLUICE_NULL) {
        return BAD_RECORD(&self->base, "Unknown schema type: %s", type);
    }
    enum sluice_result result = spec->type == SLUICE_ARRAY ? read_array_parts(self, batch, json, reading)
                                : spec->type == SLUICE_MAP ? read_map_parts(self, batch, json, reading)
                                : spec->type == SLUICE_STRUCT ? read_fields(self, batch, json, reading)
                                                              : SLUICE_OK;
    if (result != SLUICE_OK) {
        return result;
    }
    spec->field_names = reading->field_names;
    spec->field_schemas = reading->field_schemas;
    spec->optional = data->boolean(data->find(json, self->optional));
    spec->name = text_of(self, batch, data->find(json, self->name));
    spec->doc = text_of(self, batch, data->find(json, self->doc));
    const struct sluice_value *version = data->find(json, self->version);
    spec->has_version = data->type(version) == SLUICE_INT64;
    spec->version = (int32_t)data->integer(version);
    result = read_parameters(self, batch, json, reading);
    return result == SLUICE_OK ? read_default(self, batch, json, reading) : result;
}

/** A new reference in *ret_schema; NULL for null. */
static enum sluice_result read_fresh(struct json_converter *self, struct sluice_batch *batch,
                                     const struct sluice_value *json,
                                     const struct sluice_schema **ret_schema)
{
    const struct sluice_data *data = self->base.data;
    *ret_schema = NULL;
    if (data->type(json) == SLUICE_NULL) {
        return SLUICE_OK;
    }
    struct reading reading = {.spec = {.size = sizeof(reading.spec)}};
    enum sluice_result result = read_parts(self, batch, json, &reading);
    if (result == SLUICE_OK) {
        result = make(self, &reading.spec, ret_schema);
    }
    data->schema_release(reading.spec.key_schema);
    data->schema_release(reading.spec.value_schema);
    for (size_t i = 0; i < reading.spec.field_count; i++) {
        data->schema_release(reading.field_schemas[i]);
    }
    return result;
}

enum sluice_result json_read_schema(struct json_converter *self, struct sluice_batch *batch,
                                    const struct sluice_value *json,
                                    const struct sluice_schema **ret_schema)
{
    const struct sluice_data *data = self->base.data;
    *ret_schema = NULL;
    if (data->type(json) == SLUICE_NULL) {
        return SLUICE_OK;
    }
    struct sluice_span text = data->to_json(batch, json);
    struct cached_schema *entry = find(&self->read, NULL, text);
    if (!entry) {
        const struct sluice_schema *schema;
        enum sluice_result result = read_fresh(self, batch, json, &schema);
        if (result != SLUICE_OK) {
            return result;
        }
        entry = add(&self->read, data, schema, text);
        if (!entry) {
            return NO_MEMORY(&self->base);
        }
    }
    *ret_schema = entry->schema;
    return SLUICE_OK;
}

/* -- writing -- */

static void append(struct json_converter *self, const char *text)
{
    (void)buffer_append(&self->out, text, strlen(text));
}

/** `,"key":"text"`, left out for NULL; the key needs no escapes. */
static void append_member(struct json_converter *self, struct sluice_batch *batch, const char *before,
                          const char *text)
{
    if (text) {
        const struct sluice_data *data = self->base.data;
        struct sluice_span json =
            data->to_json(batch, data->new_string_view(batch, text, strlen(text)));
        append(self, before);
        (void)buffer_append(&self->out, json.data, json.size);
    }
}

static enum sluice_result write_schema(struct json_converter *self, struct sluice_batch *batch,
                                       const struct sluice_schema *schema,
                                       const struct sluice_name *field);

static enum sluice_result write_parts(struct json_converter *self, struct sluice_batch *batch,
                                      const struct sluice_schema *schema)
{
    const struct sluice_data *data = self->base.data;
    enum sluice_result result = SLUICE_OK;
    switch (data->schema_type(schema)) {
    case SLUICE_ARRAY:
        append(self, ",\"items\":");
        return write_schema(self, batch, data->schema_value(schema), NULL);
    case SLUICE_MAP:
        append(self, ",\"keys\":");
        result = write_schema(self, batch, data->schema_key(schema), NULL);
        if (result == SLUICE_OK) {
            append(self, ",\"values\":");
            result = write_schema(self, batch, data->schema_value(schema), NULL);
        }
        return result;
    case SLUICE_STRUCT:
        append(self, ",\"fields\":[");
        for (size_t i = 0; i < data->schema_field_count(schema) && result == SLUICE_OK; i++) {
            append(self, i == 0 ? "" : ",");
            result = write_schema(self, batch, data->schema_field(schema, i),
                                  data->schema_field_name(schema, i));
        }
        append(self, "]");
        return result;
    default:
        return SLUICE_OK;
    }
}

static enum sluice_result write_schema(struct json_converter *self, struct sluice_batch *batch,
                                       const struct sluice_schema *schema,
                                       const struct sluice_name *field)
{
    const struct sluice_data *data = self->base.data;
    if (!schema) {
        append(self, "null");
        return SLUICE_OK;
    }
    (void)buffer_printf(&self->out, "{\"type\":\"%s\"", type_names[data->schema_type(schema)]);
    enum sluice_result result = write_parts(self, batch, schema);
    if (result != SLUICE_OK) {
        return result;
    }
    append(self, data->schema_optional(schema) ? ",\"optional\":true" : ",\"optional\":false");
    append_member(self, batch, ",\"name\":", data->schema_name(schema));
    int32_t version;
    if (data->schema_version(schema, &version)) {
        (void)buffer_printf(&self->out, ",\"version\":%d", (int)version);
    }
    append_member(self, batch, ",\"doc\":", data->schema_doc(schema));
    size_t parameters = data->schema_parameter_count(schema);
    for (size_t i = 0; i < parameters; i++) {
        const char *key, *value;
        data->schema_parameter(schema, i, &key, &value);
        append_member(self, batch, i == 0 ? ",\"parameters\":{" : ",", key);
        append_member(self, batch, ":", value);
    }
    append(self, parameters > 0 ? "}" : "");
    const struct sluice_value *fallback = data->schema_default(schema);
    if (fallback) {
        append(self, ",\"default\":");
        result = json_write(self, batch, schema, fallback);
    }
    if (field) {
        struct sluice_span name = data->name_text(field);
        append_member(self, batch, ",\"field\":", name.data);
    }
    append(self, "}");
    return result;
}

enum sluice_result json_write_schema(struct json_converter *self, struct sluice_batch *batch,
                                     const struct sluice_schema *schema)
{
    const struct sluice_data *data = self->base.data;
    struct cached_schema *entry = schema ? find(&self->written, schema, (struct sluice_span){0}) : NULL;
    if (entry) {
        (void)buffer_append(&self->out, entry->text, entry->size);
        return json_check_room(self);
    }
    size_t from = self->out.size;
    enum sluice_result result = write_schema(self, batch, schema, NULL);
    if (result == SLUICE_OK) {
        result = json_check_room(self);
    }
    if (result == SLUICE_OK && schema) {
        struct sluice_span text = {self->out.data + from, self->out.size - from};
        if (!add(&self->written, data, data->schema_retain(schema), text)) {
            return NO_MEMORY(&self->base);
        }
    }
    return result;
}
