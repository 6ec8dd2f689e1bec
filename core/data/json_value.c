/* Between JSON text and values: lazy reading, splitting of one level. [one thread per batch at a time] */
#include <stdlib.h>
#include <string.h>

#include "core/data/batch.h"
#include "core/data/json_scan.h"
#include "core/data/json_text.h"
#include "core/data/json_walk.h"
#include "core/data/value.h"
#include "core/data/value_api.h"
#include "lib/util/utf8.h"

static bool has_backslash(struct sluice_span quoted)
{
    return memchr(quoted.data, '\\', quoted.size) != NULL;
}

static void set_number(struct sluice_value *value, const char *json, size_t size)
{
    bool negative = json[0] == '-';
    uint64_t magnitude = 0;
    for (size_t i = negative; i < size; i++) {
        if ((unsigned)(json[i] - '0') > 9) { /* a point, an exponent */
            value->type = SLUICE_FLOAT64;
            value->flags = VALUE_LAZY;
            return;
        }
        magnitude = magnitude * 10 + (uint64_t)(json[i] - '0');
    }
    value->type = SLUICE_INT64;
    value->integer = (int64_t)(negative ? (uint64_t)0 - magnitude : magnitude);
}

/* escapes: the text may hold some; it is looked for them once for all members of a container. */
static void set_from_normal(struct sluice_value *value, struct sluice_batch *batch, const char *json,
                            size_t size, bool escapes)
{
    *value = (struct sluice_value){.json = json, .json_size = (uint32_t)size};
    switch (json[0]) {
    case '{':
    case '[':
        value->type = json[0] == '{' ? SLUICE_MAP : SLUICE_ARRAY;
        value->flags = VALUE_LAZY;
        value->batch = batch;
        break;
    case '"':
        value->type = SLUICE_STRING;
        if (escapes && has_backslash((struct sluice_span){json, size})) {
            value->flags = VALUE_LAZY;
            value->batch = batch;
        } else {
            value->text.data = json + 1;
            value->text.size = size - 2;
        }
        break;
    case 't':
    case 'f':
        value->type = SLUICE_BOOLEAN;
        value->integer = json[0] == 't';
        break;
    case 'n':
        value->type = SLUICE_NULL;
        break;
    default:
        set_number(value, json, size);
    }
}

/* A value for normal JSON text, typed by its first byte; containers and floats stay lazy. */
static struct sluice_value *value_from_normal(struct sluice_batch *batch, const char *json, size_t size)
{
    struct sluice_value *value = arena_alloc(batch_arena(batch), sizeof(*value));
    set_from_normal(value, batch, json, size, true);
    return value;
}

/* Room for members and their values at once; doubled when it runs out. */
enum { FIRST_MEMBERS = 16 };

static void grow(struct arena *arena, struct members *members)
{
    size_t capacity = members->capacity ? members->capacity * 2 : FIRST_MEMBERS;
    struct member *list = arena_alloc(arena, capacity * sizeof(*list));
    if (members->count > 0) {
        memcpy(list, members->list, members->count * sizeof(*list));
    }
    members->list = list;
    members->capacity = capacity;
}

static void set_key(struct arena *arena, struct member *member, struct sluice_span key, bool escapes)
{
    member->key_json = key.data;
    member->key_json_size = (uint32_t)key.size;
    struct sluice_span text = {key.data + 1, key.size - 2};
    if (escapes && has_backslash(key)) {
        text = json_unquote(arena, key.data, key.size);
    }
    member->key = text.data;
    member->key_size = (uint32_t)text.size;
    member->key_value = NULL;
}

static struct members *split(const struct sluice_value *value)
{
    json_shape_opened(value->shape);
    struct sluice_batch *batch = value->batch;
    struct arena *arena = batch_arena(batch);
    struct members *members = arena_alloc(arena, sizeof(*members));
    *members = (struct members){.batch = batch};
    struct json_walk walk = json_walk_begin((struct sluice_span){value->json, value->json_size});
    struct sluice_span key, text;
    bool escapes = has_backslash((struct sluice_span){value->json, value->json_size});
    struct sluice_value *values = NULL;
    size_t left = 0;
    for (;;) {
        bool more = value->type == SLUICE_MAP ? json_walk_member(&walk, &key, &text)
                                              : json_walk_element(&walk, &text);
        if (!more) {
            break;
        }
        if (members->count == members->capacity) {
            grow(arena, members);
        }
        if (left == 0) {
            left = members->capacity - members->count;
            values = arena_alloc(arena, left * sizeof(*values));
        }
        struct member *member = &members->list[members->count++];
        *member = (struct member){0};
        if (value->type == SLUICE_MAP) {
            set_key(arena, member, key, escapes);
            members->key_bits |= key_bit(member->key, member->key_size);
        }
        set_from_normal(values, batch, text.data, text.size, escapes);
        member->value = values++;
        left--;
    }
    return members;
}

/* The same where the scan has told the places. */
static struct members *from_places(struct sluice_batch *batch, const struct json_scanned *scanned)
{
    struct arena *arena = batch_arena(batch);
    size_t count = scanned->place_count;
    struct members *members = arena_alloc(arena, sizeof(*members));
    struct member *list = arena_alloc(arena, count * sizeof(*list));
    struct sluice_value *values = arena_alloc(arena, count * sizeof(*values));
    *members = (struct members){.batch = batch, .list = list, .count = count, .capacity = count};
    uint64_t bits = scanned->key_bits;
    for (size_t i = 0; i < count; i++) {
        const struct json_place *place = &scanned->places[i];
        const char *key = scanned->normal.data + place->key, *json = scanned->normal.data + place->value;
        list[i] = (struct member){.key = key + 1, /* names with escapes have no places */
                                  .key_size = place->key_size - 2,
                                  .key_json = key,
                                  .key_json_size = place->key_size,
                                  .value = &values[i]};
        if (bits == 0) {
            members->key_bits |= key_bit(key + 1, place->key_size - 2);
        }
        if (*json == '"' && !place->escapes) { /* most are */
            values[i] = (struct sluice_value){.type = SLUICE_STRING,
                                              .json = json,
                                              .json_size = place->value_size,
                                              .text = {json + 1, place->value_size - 2}};
        } else {
            set_from_normal(&values[i], batch, json, place->value_size, place->escapes);
        }
    }
    members->key_bits |= bits;
    return members;
}

struct members *value_split(const struct sluice_value *value)
{
    struct members *members = split(value);
    struct sluice_value *mine = value_thaw(value);
    mine->members = members;
    mine->flags &= (uint8_t)~VALUE_LAZY;
    return members;
}

/*
 * Takes the text from what holds an infinite number, down to the number itself, so that it is written
 * anew. Recursion is bounded by JSON_MAX_DEPTH.
 */
static void settle_infinite(const struct sluice_value *value)
{
    if (!value->json || !memmem(value->json, value->json_size, "1E999", 5)) {
        return;
    }
    if (value->type == SLUICE_FLOAT64) {
        (void)value_real(value);
        value_thaw(value)->json = NULL;
    } else if (value_is_container(value->type)) {
        const struct members *members = value_members(value);
        for (size_t i = 0; i < members->count; i++) {
            settle_infinite(members->list[i].value);
        }
        value_thaw(value)->json = NULL;
    }
}

enum sluice_result value_from_json(struct sluice_batch *batch, const char *data, size_t size,
                                   uint32_t flags, struct sluice_value **ret_value,
                                   struct sluice_json_error *error)
{
    struct json_scanned scanned;
    enum sluice_result result =
        size > UINT32_MAX / 16
            ? SLUICE_BAD_RECORD
            : json_scan(batch_arena(batch), data, size, flags, &scanned, error);
    if (result != SLUICE_OK) {
        if (size > UINT32_MAX / 16) {
            *error = (struct sluice_json_error){.size = error->size, .line = 1, .column = 1};
            strcpy(error->message, "The text is larger than 256 MiB");
        }
        return result;
    }
    struct sluice_span normal = scanned.normal;
    struct sluice_value *value = normal.data ? value_from_normal(batch, normal.data, normal.size) : NULL;
    if (scanned.place_count > 0) {
        value->members = from_places(batch, &scanned);
        value->flags &= (uint8_t)~VALUE_LAZY;
    } else if (scanned.shape) {
        value->shape = json_shape_number(scanned.shape);
    }
    if (scanned.infinite) {
        settle_infinite(value);
    }
    *ret_value = value;
    return SLUICE_OK;
}

/* -- strings -- */

static uint32_t unit_at(const char *p)
{
    uint32_t unit = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        unit = unit << 4 | (uint32_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return unit;
}

struct sluice_span json_unquote(struct arena *arena, const char *json, size_t size)
{
    char *out = arena_alloc(arena, size);
    size_t used = 0;
    const char *p = json + 1, *end = json + size - 1;
    while (p < end) {
        if (*p != '\\') {
            out[used++] = *p++;
            continue;
        }
        static const char names[] = "bfnrt", meanings[] = "\b\f\n\r\t";
        const char *found = strchr(names, p[1]);
        if (p[1] != 'u') {
            out[used++] = found ? meanings[found - names] : p[1];
            p += 2;
            continue;
        }
        uint32_t c = unit_at(p + 2);
        p += 6;
        if (c >= 0xD800 && c < 0xDC00 && end - p >= 6 && p[0] == '\\' && p[1] == 'u') {
            uint32_t low = unit_at(p + 2);
            if (low >= 0xDC00 && low < 0xE000) {
                c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
                p += 6;
            }
        }
        /* A lone surrogate stays as three bytes, so that writing it gives the escape again. */
        used += utf8_encode(out + used, c);
    }
    return (struct sluice_span){out, used};
}

struct sluice_span json_quote(struct arena *arena, const char *text, size_t size)
{
    /* The scan knows how to normalise a string's inside; only quotes and backslashes differ. */
    const unsigned char *p = (const unsigned char *)text, *end = p + size;
    size_t extra = 0;
    for (const unsigned char *q = json_plain_end(p, end); q < end; q = json_plain_end(q + 1, end)) {
        extra += 11; /* at most \uXXXX\uXXXX for four bytes */
    }
    char *out = arena_alloc(arena, size + extra + 3);
    size_t used = 0;
    out[used++] = '"';
    while (p < end) {
        const unsigned char *stop = json_plain_end(p, end);
        memcpy(out + used, p, (size_t)(stop - p));
        used += (size_t)(stop - p);
        p = stop;
        if (p == end) {
            break;
        }
        unsigned c = *p;
        static const char hex[] = "0123456789ABCDEF";
        static const char shorts[] = "btn\0fr";
        size_t length = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : c >= 0xC0 ? 2 : 1;
        if ((size_t)(end - p) < length) {
            length = 1;
        }
        if (c == '"' || c == '\\') {
            out[used++] = '\\';
            out[used++] = (char)c;
        } else if (c >= 0x08 && c <= 0x0D && shorts[c - 8]) {
            out[used++] = '\\';
            out[used++] = shorts[c - 8];
        } else if (c < 0x20) {
            memcpy(out + used, "\\u00", 4);
            out[used + 4] = hex[c >> 4];
            out[used + 5] = hex[c & 15];
            used += 6;
        } else if (length == 4 || (length == 3 && c == 0xED && p[1] >= 0xA0)) {
            uint32_t point = c & (0x7Fu >> length);
            for (size_t i = 1; i < length; i++) {
                point = point << 6 | (p[i] & 0x3F);
            }
            uint32_t units[2] = {point, 0};
            if (length == 4) {
                units[0] = 0xD800 + ((point - 0x10000) >> 10 & 0x3FF);
                units[1] = 0xDC00 + (point & 0x3FF);
            }
            for (int i = 0; i < 2 && units[i]; i++) {
                memcpy(out + used, "\\u", 2);
                for (int shift = 12; shift >= 0; shift -= 4) {
                    out[used + 2 + (size_t)(12 - shift) / 4] = hex[units[i] >> shift & 15];
                }
                used += 6;
            }
        } else {
            memcpy(out + used, p, length);
            used += length;
        }
        p += length;
    }
    out[used++] = '"';
    out[used] = ':';
    return (struct sluice_span){out, used};
}
