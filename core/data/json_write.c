/*
 * Values to JSON text as JsonConverter with schemas.enable=false writes them (kafka-connect.md §4.5).
 * What was not edited is its own text. Nothing is kept in a value: the same one may be written under
 * several schemas, and schemas' defaults belong to all threads. [one thread per batch at a time]
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/data/batch.h"
#include "core/data/json_text.h"
#include "core/data/value.h"
#include "core/data/value_api.h"
#include "lib/java/double_text.h"

enum { MS_PER_DAY = 86400000 };

/* Text that grows in an arena; what was reserved but not used goes back at the end. */
struct out {
    struct arena *arena;
    char *data, *at, *end;
};

static __attribute__((noinline)) void out_grow(struct out *out, size_t more)
{
    size_t size = (size_t)(out->at - out->data), room = ((size_t)(out->end - out->data) + more) * 2;
    char *data = arena_alloc(out->arena, room);
    if (size > 0) {
        memcpy(data, out->data, size);
    }
    *out = (struct out){out->arena, data, data + size, data + room};
}

static inline char *out_reserve(struct out *out, size_t more)
{
    if ((size_t)(out->end - out->at) < more) {
        out_grow(out, more);
    }
    return out->at;
}

static inline void put(struct out *out, const char *data, size_t size)
{
    char *to = out_reserve(out, size);
    memcpy(to, data, size);
    out->at = to + size;
}

static inline void put_char(struct out *out, char c)
{
    char *to = out_reserve(out, 1);
    *to = c;
    out->at = to + 1;
}

static void put_string(struct out *out, const char *data, size_t size)
{
    const unsigned char *end = (const unsigned char *)data + size;
    if (json_plain_end((const unsigned char *)data, end) == end) { /* most need no escapes */
        char *to = out_reserve(out, size + 2);
        *to++ = '"';
        memcpy(to, data, size);
        to[size] = '"';
        out->at = to + size + 1;
        return;
    }
    struct sluice_span quoted = json_quote(out->arena, data, size);
    put(out, quoted.data, quoted.size);
}

static void put_integer(struct out *out, int64_t number)
{
    char text[24];
    char *end = text + sizeof(text), *p = end;
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do {
        *--p = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (number < 0) {
        *--p = '-';
    }
    put(out, p, (size_t)(end - p));
}

static void put_real(struct out *out, const struct sluice_value *value)
{
    char text[JAVA_DOUBLE_TEXT_SIZE];
    double number = value_real(value);
    size_t size = value->type == SLUICE_FLOAT32 ? java_float_text((float)number, text)
                                                : java_double_text(number, text);
    bool quoted = !isfinite(number);
    if (quoted) {
        put_char(out, '"');
    }
    put(out, text, size);
    if (quoted) {
        put_char(out, '"');
    }
}

static void put_base64(struct out *out, const char *data, size_t size)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *p = out_reserve(out, (size + 2) / 3 * 4 + 2);
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
    out->at = p;
}

/* A java.util.Date's number depends on the name of its schema: days, else ms. */
static int64_t date_number(const struct sluice_value *value, const struct sluice_schema *schema)
{
    const char *name = schema ? schema_name(schema) : NULL;
    if (name && strcmp(name, SLUICE_SCHEMA_DATE) == 0) {
        int64_t days = value->integer / MS_PER_DAY;
        return (int32_t)(value->integer % MS_PER_DAY < 0 ? days - 1 : days);
    }
    return value->integer;
}

static void write_value(struct out *out, const struct sluice_value *value,
                        const struct sluice_schema *schema);

static void write_struct(struct out *out, const struct sluice_value *value)
{
    const struct members *members = value->members;
    put_char(out, '{');
    for (size_t i = 0; i < members->count; i++) {
        const struct sluice_value *key = schema_field_key(members->schema, i);
        const struct sluice_schema *field = schema_field(members->schema, i);
        const struct sluice_value *member = value_at(value, i);
        if (member->type == SLUICE_NULL && schema_default(field)) {
            member = schema_default(field); /* replace.null.with.default is on without being asked */
        }
        if (i > 0) {
            put_char(out, ',');
        }
        put(out, key->json, key->json_size);
        put_char(out, ':');
        write_value(out, member, field);
    }
    put_char(out, '}');
}

static void write_pairs(struct out *out, const struct sluice_value *value,
                        const struct sluice_schema *schema)
{
    size_t count = value_count(value);
    put_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        put(out, i > 0 ? ",[" : "[", i > 0 ? 2 : 1);
        write_value(out, value_key_at(value, i), schema ? schema_key(schema) : NULL);
        put_char(out, ',');
        write_value(out, value_at(value, i), schema ? schema_value(schema) : NULL);
        put_char(out, ']');
    }
    put_char(out, ']');
}

/* Text to be copied: what stands side by side where it came from goes at once. */
struct stretch {
    const char *begin, *end;
};

static const struct stretch nothing = {"", ""};

static inline void end_stretch(struct stretch *stretch, struct out *out)
{
    if (stretch->begin != stretch->end) {
        put(out, stretch->begin, (size_t)(stretch->end - stretch->begin));
    }
    *stretch = nothing;
}

static inline void add_text(struct stretch *stretch, struct out *out, const char *text, size_t size)
{
    if (text != stretch->end) {
        end_stretch(stretch, out);
        stretch->begin = text;
    }
    stretch->end = text + size;
}

static void write_map(struct out *out, const struct sluice_value *value,
                      const struct sluice_schema *schema)
{
    const struct members *members = value_members(value);
    struct stretch stretch = nothing;
    if (members->other_keys) {
        write_pairs(out, value, schema);
        return;
    }
    put_char(out, '{');
    for (size_t i = 0; i < members->count; i++) {
        const struct member *member = &members->list[i];
        const struct sluice_value *inner = member->value ? member->value : &value_null;
        if (member->key_json == stretch.end + 1 && *stretch.end == ',') {
            stretch.end++;
        } else if (i > 0) {
            end_stretch(&stretch, out);
            put_char(out, ',');
        }
        add_text(&stretch, out, member->key_json, member->key_json_size + 1);
        if (inner->json) {
            add_text(&stretch, out, inner->json, inner->json_size);
        } else {
            end_stretch(&stretch, out);
            write_value(out, inner, schema ? schema_value(schema) : NULL);
        }
    }
    end_stretch(&stretch, out);
    put_char(out, '}');
}

static void write_array(struct out *out, const struct sluice_value *value,
                        const struct sluice_schema *schema)
{
    size_t count = value_count(value);
    put_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            put_char(out, ',');
        }
        write_value(out, value_at(value, i), schema ? schema_value(schema) : NULL);
    }
    put_char(out, ']');
}

static void write_value(struct out *out, const struct sluice_value *value,
                        const struct sluice_schema *schema)
{
    if (value->json) {
        put(out, value->json, value->json_size);
        return;
    }
    const struct sluice_schema *same =
        schema && schema_type(schema) == (enum sluice_type)value->type ? schema : NULL;
    switch ((enum sluice_type)value->type) {
    case SLUICE_NULL:
        put(out, "null", 4);
        break;
    case SLUICE_BOOLEAN:
        put(out, value->integer ? "true" : "false", value->integer ? 4 : 5);
        break;
    case SLUICE_FLOAT32:
    case SLUICE_FLOAT64:
        put_real(out, value);
        break;
    case SLUICE_STRING:
        put_string(out, value->text.data, value->text.size);
        break;
    case SLUICE_BYTES:
        put_base64(out, value->text.data, value->text.size);
        break;
    case SLUICE_DECIMAL:
        put_base64(out, value->decimal.data, value->decimal.size);
        break;
    case SLUICE_ARRAY:
        write_array(out, value, same);
        break;
    case SLUICE_MAP:
        write_map(out, value, same);
        break;
    case SLUICE_STRUCT:
        write_struct(out, value);
        break;
    case SLUICE_DATE:
        put_integer(out, date_number(value, schema));
        break;
    default:
        put_integer(out, value->integer);
    }
}

/* Room that will do in most cases: what the arena has left, or what is known of one level. */
static size_t estimate(const struct arena *arena, const struct sluice_value *value)
{
    enum { ENOUGH = 4096, MOST = 16384 };
    size_t left = (size_t)(arena->end - arena->next) & ~(size_t)15, size = 64;
    if (left >= ENOUGH) {
        return left < MOST ? left : MOST; /* most of it goes back */
    }
    if (value->type == SLUICE_MAP || value->type == SLUICE_ARRAY || value->type == SLUICE_STRUCT) {
        const struct members *members = value_members(value);
        for (size_t i = 0; i < members->count; i++) {
            const struct member *member = &members->list[i];
            size += member->key_json_size + 24;
            if (member->value && member->value->json) {
                size += member->value->json_size;
            } else if (member->value && member->value->type == SLUICE_STRING) {
                size += member->value->text.size;
            }
        }
    } else if (value->type == SLUICE_STRING || value->type == SLUICE_BYTES) {
        size += value->text.size * 2;
    }
    return size;
}

struct sluice_span value_to_json(struct sluice_batch *batch, const struct sluice_value *value)
{
    if (!value) {
        return (struct sluice_span){"null", 4};
    }
    if (value->json) {
        return (struct sluice_span){value->json, value->json_size};
    }
    struct arena *arena = batch_arena(batch);
    size_t room = estimate(arena, value);
    char *data = arena_alloc(arena, room);
    struct out out = {arena, data, data, data + room};
    write_value(&out, value, NULL);
    size_t size = (size_t)(out.at - out.data);
    size_t reserved = ((size_t)(out.end - out.data) + 15) & ~(size_t)15, used = (size + 15) & ~(size_t)15;
    if (out.data + reserved == arena->next) {
        arena->next = out.data + used; /* the last to be taken: what is left goes back */
    }
    return (struct sluice_span){out.data, size};
}
