/* Schemas: immutable, reference-counted, compared by content (ConnectSchema). [any thread] */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/data/batch.h"
#include "core/data/value.h"
#include "core/data/value_api.h"

struct field {
    const struct sluice_name *name;
    const struct sluice_schema *schema;
    struct sluice_value key; /* the name as a value */
};

struct sluice_schema {
    atomic_size_t references; /* 0: plain, never counted */
    enum sluice_type type;
    bool optional, has_version;
    int32_t version;
    char *name, *doc;
    size_t parameter_count;
    char **parameters;
    struct sluice_batch *default_batch; /* holds default_value */
    const struct sluice_value *default_value;
    const struct sluice_schema *key, *value;
    size_t field_count;
    struct field *fields;
};

#define PLAIN(kind) [kind] = {{.type = kind}, {.type = kind, .optional = true}}
static const struct sluice_schema plain[SLUICE_STRUCT + 1][2] = {
    PLAIN(SLUICE_INT8),    PLAIN(SLUICE_INT16),  PLAIN(SLUICE_INT32),
    PLAIN(SLUICE_INT64),   PLAIN(SLUICE_FLOAT32), PLAIN(SLUICE_FLOAT64),
    PLAIN(SLUICE_BOOLEAN), PLAIN(SLUICE_STRING), PLAIN(SLUICE_BYTES),
};
#undef PLAIN

const struct sluice_schema *schema_plain(enum sluice_type type, bool optional)
{
    return type >= SLUICE_INT8 && type <= SLUICE_BYTES ? &plain[type][optional] : NULL;
}

const struct sluice_schema *schema_retain(const struct sluice_schema *schema)
{
    struct sluice_schema *s = (struct sluice_schema *)schema;
    if (s && s->references > 0) {
        atomic_fetch_add_explicit(&s->references, 1, memory_order_relaxed);
    }
    return schema;
}

static void schema_free(struct sluice_schema *schema)
{
    for (size_t i = 0; i < schema->parameter_count * 2; i++) {
        free(schema->parameters[i]);
    }
    for (size_t i = 0; i < schema->field_count; i++) {
        schema_release(schema->fields[i].schema);
    }
    schema_release(schema->key);
    schema_release(schema->value);
    records_api.release(schema->default_batch);
    free(schema->parameters);
    free(schema->fields);
    free(schema->name);
    free(schema->doc);
    free(schema);
}

void schema_release(const struct sluice_schema *schema)
{
    struct sluice_schema *s = (struct sluice_schema *)schema;
    if (s && s->references > 0 && atomic_fetch_sub(&s->references, 1) == 1) {
        schema_free(s);
    }
}

static const char *what_is_wrong(const struct sluice_schema_spec *spec)
{
    if (spec->type < SLUICE_INT8 || spec->type > SLUICE_STRUCT) {
        return "a schema's type is one of INT8 to STRUCT";
    }
    if (spec->type == SLUICE_MAP && spec->value_schema && !spec->key_schema) {
        return "a map schema needs a schema of its keys";
    }
    return NULL;
}

static char *copy_text(const char *text)
{
    char *copy = text ? strdup(text) : NULL;
    if (text && !copy) {
        abort(); /* as an arena without memory */
    }
    return copy;
}

const struct sluice_schema *schema_new(const struct sluice_schema_spec *spec, char *message,
                                       size_t message_size)
{
    const char *wrong = what_is_wrong(spec);
    if (wrong) {
        (void)snprintf(message, message_size, "%s", wrong);
        return NULL;
    }
    struct sluice_schema *schema = calloc(1, sizeof(*schema));
    if (!schema) {
        abort();
    }
    atomic_init(&schema->references, 1);
    schema->type = spec->type;
    schema->optional = spec->optional;
    schema->has_version = spec->has_version;
    schema->version = spec->version;
    schema->name = copy_text(spec->name);
    schema->doc = copy_text(spec->doc);
    schema->key = schema_retain(spec->key_schema);
    schema->value = schema_retain(spec->value_schema);
    schema->parameters = calloc(spec->parameter_count * 2 + 1, sizeof(*schema->parameters));
    schema->fields = calloc(spec->field_count + 1, sizeof(*schema->fields));
    if (!schema->parameters || !schema->fields) {
        abort();
    }
    schema->parameter_count = spec->parameter_count;
    for (size_t i = 0; i < spec->parameter_count * 2; i++) {
        schema->parameters[i] = copy_text(spec->parameters[i]);
    }
    if (spec->default_value) {
        schema->default_batch = batch_new(NULL);
        schema->default_value = value_copy(schema->default_batch, spec->default_value);
    }
    for (size_t i = 0; i < spec->field_count; i++) {
        const struct sluice_name *name =
            value_intern(spec->field_names[i], strlen(spec->field_names[i]));
        for (size_t j = 0; j < i; j++) {
            if (schema->fields[j].name == name) {
                (void)snprintf(message, message_size,
                               "Cannot create field because of field name duplication %s", name->text);
                schema_free(schema);
                return NULL;
            }
        }
        schema->fields[i] = (struct field){
            .name = name,
            .schema = schema_retain(spec->field_schemas[i]),
            .key = {.type = SLUICE_STRING,
                    .json = name->json,
                    .json_size = name->json_size,
                    .text = {name->text, name->size}},
        };
        schema->field_count = i + 1;
    }
    return schema;
}

enum sluice_type schema_type(const struct sluice_schema *schema)
{
    return schema ? schema->type : SLUICE_NULL;
}

bool schema_optional(const struct sluice_schema *schema)
{
    return schema->optional;
}

const char *schema_name(const struct sluice_schema *schema)
{
    return schema->name;
}

bool schema_version(const struct sluice_schema *schema, int32_t *ret_version)
{
    if (schema->has_version) {
        *ret_version = schema->version;
    }
    return schema->has_version;
}

const char *schema_doc(const struct sluice_schema *schema)
{
    return schema->doc;
}

size_t schema_parameter_count(const struct sluice_schema *schema)
{
    return schema->parameter_count;
}

void schema_parameter(const struct sluice_schema *schema, size_t i, const char **ret_key,
                      const char **ret_value)
{
    *ret_key = schema->parameters[i * 2];
    *ret_value = schema->parameters[i * 2 + 1];
}

const struct sluice_value *schema_default(const struct sluice_schema *schema)
{
    return schema->default_value;
}

const struct sluice_schema *schema_key(const struct sluice_schema *schema)
{
    return schema->key;
}

const struct sluice_schema *schema_value(const struct sluice_schema *schema)
{
    return schema->value;
}

size_t schema_field_count(const struct sluice_schema *schema)
{
    return schema->field_count;
}

const struct sluice_name *schema_field_name(const struct sluice_schema *schema, size_t i)
{
    return schema->fields[i].name;
}

const struct sluice_schema *schema_field(const struct sluice_schema *schema, size_t i)
{
    return schema->fields[i].schema;
}

const struct sluice_value *schema_field_key(const struct sluice_schema *schema, size_t i)
{
    return &schema->fields[i].key;
}

ptrdiff_t schema_find(const struct sluice_schema *schema, const struct sluice_name *name)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        if (schema->fields[i].name == name) {
            return (ptrdiff_t)i; /* names are interned: one text, one pointer */
        }
    }
    return -1;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_parameters(const struct sluice_schema *a, const struct sluice_schema *b)
{
    if (a->parameter_count != b->parameter_count) {
        return false;
    }
    for (size_t i = 0; i < a->parameter_count; i++) { /* a map: no order */
        size_t j = 0;
        while (j < b->parameter_count && !same_text(a->parameters[i * 2], b->parameters[j * 2])) {
            j++;
        }
        if (j == b->parameter_count ||
            !same_text(a->parameters[i * 2 + 1], b->parameters[j * 2 + 1])) {
            return false;
        }
    }
    return true;
}

bool schema_equal(const struct sluice_schema *a, const struct sluice_schema *b)
{
    if (a == b) {
        return true;
    }
    if (!a || !b || a->type != b->type || a->optional != b->optional ||
        a->has_version != b->has_version || (a->has_version && a->version != b->version) ||
        !same_text(a->name, b->name) || !same_text(a->doc, b->doc) || !same_parameters(a, b) ||
        a->field_count != b->field_count || !schema_equal(a->key, b->key) ||
        !schema_equal(a->value, b->value) || !a->default_value != !b->default_value ||
        (a->default_value && !value_equal(a->default_value, b->default_value))) {
        return false;
    }
    for (size_t i = 0; i < a->field_count; i++) {
        if (a->fields[i].name != b->fields[i].name ||
            !schema_equal(a->fields[i].schema, b->fields[i].schema)) {
            return false;
        }
    }
    return true;
}
