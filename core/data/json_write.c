/*
 * Values to JSON text as JsonConverter with schemas.enable=false writes them (kafka-connect.md §4.5).
 * A part that was not edited is its own text. [one thread per batch at a time]
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/data/batch.h"
#include "core/data/value.h"
#include "core/data/value_api.h"
#include "lib/java/double_text.h"

enum { MS_PER_DAY = 86400000 };

static void keep(const struct sluice_value *value, const char *json, size_t size)
{
    struct sluice_value *mine = (struct sluice_value *)value;
    mine->json = json;
    mine->json_size = (uint32_t)size;
}

static void write_integer(struct arena *arena, const struct sluice_value *value, int64_t number)
{
    char text[24];
    int size = snprintf(text, sizeof(text), "%lld", (long long)number);
    keep(value, arena_copy(arena, text, (size_t)size), (size_t)size);
}

static void write_real(struct arena *arena, const struct sluice_value *value)
{
    char digits[JAVA_DOUBLE_TEXT_SIZE], text[JAVA_DOUBLE_TEXT_SIZE + 2];
    double number = value_real(value);
    if (value->type == SLUICE_FLOAT32) {
        (void)java_float_text((float)number, digits);
    } else {
        (void)java_double_text(number, digits);
    }
    int size = snprintf(text, sizeof(text), isfinite(number) ? "%s" : "\"%s\"", digits);
    keep(value, arena_copy(arena, text, (size_t)size), (size_t)size);
}

static struct sluice_span base64(struct arena *arena, const char *data, size_t size)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *out = arena_alloc(arena, (size + 2) / 3 * 4 + 2);
    char *p = out;
    *p++ = '"';
    for (size_t i = 0; i < size; i += 3) {
        const unsigned char *b = (const unsigned char *)data + i;
        size_t left = size - i;
        uint32_t bits = (uint32_t)b[0] << 16 | (left > 1 ? (uint32_t)b[1] << 8 : 0) |
                        (left > 2 ? (uint32_t)b[2] : 0);
        *p++ = alphabet[bits >> 18];
        *p++ = alphabet[bits >> 12 & 63];
        *p++ = left > 1 ? alphabet[bits >> 6 & 63] : '=';
        *p++ = left > 2 ? alphabet[bits & 63] : '=';
    }
    *p++ = '"';
    return (struct sluice_span){out, (size_t)(p - out)};
}

/* A java.util.Date's number depends on the name of its schema: days, ms of the day, ms. */
static int64_t date_number(const struct sluice_value *value, const struct sluice_schema *schema)
{
    const char *name = schema ? schema_name(schema) : NULL;
    if (name && strcmp(name, SLUICE_SCHEMA_DATE) == 0) {
        int64_t days = value->integer / MS_PER_DAY;
        return value->integer % MS_PER_DAY < 0 ? days - 1 : days;
    }
    return value->integer;
}

static const struct sluice_schema *element_schema(const struct sluice_value *container,
                                                  const struct sluice_schema *schema, size_t i)
{
    if (container->type == SLUICE_STRUCT) {
        return schema_field(container->members->schema, i);
    }
    return schema && schema_type(schema) == (enum sluice_type)container->type ? schema_value(schema)
                                                                              : NULL;
}

static const struct sluice_value *ready(struct sluice_batch *batch, const struct sluice_value *value,
                                        const struct sluice_schema *schema)
{
    if (!value->json) {
        value_write(batch, value, schema);
    }
    return value;
}

static void write_container(struct sluice_batch *batch, const struct sluice_value *value,
                            const struct sluice_schema *schema)
{
    struct members *members = value_members(value);
    bool object = value->type == SLUICE_STRUCT || (value->type == SLUICE_MAP && !members->other_keys);
    bool pairs = value->type == SLUICE_MAP && !object;
    size_t size = 2;
    for (size_t i = 0; i < members->count; i++) {
        const struct sluice_value *member =
            ready(batch, value_at(value, i), element_schema(value, schema, i));
        size += member->json_size + 1;
        if (value->type == SLUICE_STRUCT) {
            size += schema_field_key(members->schema, i)->json_size + 1;
        } else if (object) {
            size += members->list[i].key_json_size + 1;
        } else if (pairs) {
            size += ready(batch, value_key_at(value, i), schema ? schema_key(schema) : NULL)->json_size +
                    3;
        }
    }
    char *out = arena_alloc(batch_arena(batch), size);
    char *p = out;
    *p++ = object ? '{' : '[';
    for (size_t i = 0; i < members->count; i++) {
        const struct sluice_value *member = value_at(value, i);
        if (i > 0) {
            *p++ = ',';
        }
        if (pairs) {
            *p++ = '[';
        }
        if (object || pairs) {
            const char *key = members->list[i].key_json;
            size_t key_size = members->list[i].key_json_size;
            if (value->type == SLUICE_STRUCT || pairs) {
                const struct sluice_value *key_value = value_key_at(value, i);
                key = ready(batch, key_value, NULL)->json;
                key_size = key_value->json_size;
            }
            memcpy(p, key, key_size);
            p += key_size;
            *p++ = pairs ? ',' : ':';
        }
        memcpy(p, member->json, member->json_size);
        p += member->json_size;
        if (pairs) {
            *p++ = ']';
        }
    }
    *p++ = object ? '}' : ']';
    keep(value, out, (size_t)(p - out));
}

void value_write(struct sluice_batch *batch, const struct sluice_value *value,
                 const struct sluice_schema *schema)
{
    struct arena *arena = batch_arena(batch);
    struct sluice_span text;
    switch (value_type(value)) {
    case SLUICE_NULL:
        keep(value, "null", 4);
        break;
    case SLUICE_BOOLEAN:
        keep(value, value->integer ? "true" : "false", value->integer ? 4 : 5);
        break;
    case SLUICE_FLOAT32:
    case SLUICE_FLOAT64:
        write_real(arena, value);
        break;
    case SLUICE_STRING:
        text = json_quote(arena, value->text.data, value->text.size);
        keep(value, text.data, text.size);
        break;
    case SLUICE_BYTES:
        text = base64(arena, value->text.data, value->text.size);
        keep(value, text.data, text.size);
        break;
    case SLUICE_DECIMAL:
        text = base64(arena, value->decimal.data, value->decimal.size);
        keep(value, text.data, text.size);
        break;
    case SLUICE_ARRAY:
    case SLUICE_MAP:
    case SLUICE_STRUCT:
        write_container(batch, value, schema);
        break;
    case SLUICE_DATE:
        write_integer(arena, value, date_number(value, schema));
        break;
    default:
        write_integer(arena, value, value->integer);
    }
}

struct sluice_span value_to_json(struct sluice_batch *batch, const struct sluice_value *value)
{
    if (!value || value->type == SLUICE_NULL) {
        return (struct sluice_span){"null", 4};
    }
    if (!value->json || value->flags & VALUE_WRITABLE) {
        value_write(batch, value, NULL);
        struct sluice_span text = {value->json, value->json_size};
        if (value->flags & VALUE_WRITABLE) {
            ((struct sluice_value *)value)->json = NULL; /* the next edit would make it wrong */
        }
        return text;
    }
    return (struct sluice_span){value->json, value->json_size};
}
