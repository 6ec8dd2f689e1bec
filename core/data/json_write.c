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
    char *data;
    size_t size, room;
};

static char *out_reserve(struct out *out, size_t more)
{
    if (out->room - out->size < more) {
        size_t room = (out->room + more) * 2;
        char *data = arena_alloc(out->arena, room);
        if (out->size > 0) {
            memcpy(data, out->data, out->size);
        }
        out->data = data;
        out->room = room;
    }
    return out->data + out->size;
}

static inline void put(struct out *out, const char *data, size_t size)
{
    memcpy(out_reserve(out, size), data, size);
    out->size += size;
}

static inline void put_char(struct out *out, char c)
{
    *out_reserve(out, 1) = c;
    out->size++;
}

static void put_string(struct out *out, const char *data, size_t size)
{
    const unsigned char *end = (const unsigned char *)data + size;
    if (json_plain_end((const unsigned char *)data, end) == end) { /* most need no escapes */
        char *to = out_reserve(out, size + 2);
        *to++ = '"';
        memcpy(to, data, size);
        to[size] = '"';
        out->size += size + 2;
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
    char *start = out_reserve(out, (size + 2) / 3 * 4 + 2);
    char *p = start;
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
    out->size += (size_t)(p - start);
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

/* The member is `key:value` in one text, as it came. */
static bool is_as_it_came(const struct member *member)
{
    const char *json = member->value ? member->value->json : NULL;
    return json && member->key_json + member->key_json_size + 1 == json && json[-1] == ':';
}

/* Members from i on that stand side by side in the text they came from go at once; gives the next. */
static size_t write_run(struct out *out, const struct members *members, size_t i)
{
    const char *begin = members->list[i].key_json, *end = begin;
    do {
        const struct sluice_value *value = members->list[i++].value;
        end = value->json + value->json_size;
    } while (i < members->count && is_as_it_came(&members->list[i]) &&
             members->list[i].key_json == end + 1 && *end == ',');
    put(out, begin, (size_t)(end - begin));
    return i;
}

static void write_map(struct out *out, const struct sluice_value *value,
                      const struct sluice_schema *schema)
{
    const struct members *members = value_members(value);
    bool pairs = members->other_keys;
    const struct sluice_schema *value_schema = schema ? schema_value(schema) : NULL;
    put_char(out, pairs ? '[' : '{');
    for (size_t i = 0; i < members->count; i++) {
        const struct member *member = &members->list[i];
        if (i > 0) {
            put_char(out, ',');
        }
        if (!pairs && is_as_it_came(member)) {
            i = write_run(out, members, i) - 1;
            continue;
        }
        if (pairs) {
            put_char(out, '[');
            write_value(out, value_key_at(value, i), schema ? schema_key(schema) : NULL);
            put_char(out, ',');
        } else {
            put(out, member->key_json, member->key_json_size);
            put_char(out, ':');
        }
        write_value(out, value_at(value, i), value_schema);
        if (pairs) {
            put_char(out, ']');
        }
    }
    put_char(out, pairs ? ']' : '}');
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
    struct out out = {.arena = arena, .room = estimate(arena, value)};
    out.data = arena_alloc(arena, out.room);
    write_value(&out, value, NULL);
    size_t reserved = (out.room + 15) & ~(size_t)15, used = (out.size + 15) & ~(size_t)15;
    if (out.data + reserved == arena->next) {
        arena->next = out.data + used; /* the last to be taken: what is left goes back */
    }
    return (struct sluice_span){out.data, out.size};
}
