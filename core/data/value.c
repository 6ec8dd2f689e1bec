/* Scalars: reading and making them, equality. [one thread per batch at a time] */
#include "core/data/value.h"

#include <stdlib.h>
#include <string.h>

#include "core/data/batch.h"
#include "core/data/value_api.h"

static inline struct sluice_value *make(struct arena *arena, enum sluice_type type)
{
    struct sluice_value *value = arena_alloc(arena, sizeof(*value));
    *value = (struct sluice_value){.type = (uint8_t)type};
    return value;
}

struct sluice_value *value_new(struct arena *arena, enum sluice_type type)
{
    return make(arena, type);
}

const struct sluice_value value_null = {.type = SLUICE_NULL, .json = "null", .json_size = 4};

/* -- reading -- */

enum sluice_type value_type(const struct sluice_value *value)
{
    return value_kind(value);
}

bool value_boolean(const struct sluice_value *value)
{
    return value && value->type == SLUICE_BOOLEAN && value->integer != 0;
}

int64_t value_integer(const struct sluice_value *value)
{
    switch (value_kind(value)) {
    case SLUICE_INT8:
    case SLUICE_INT16:
    case SLUICE_INT32:
    case SLUICE_INT64:
    case SLUICE_DATE:
        return value->integer;
    default:
        return 0;
    }
}

/*
 * A decimal whose digits and power of ten are both exact as doubles: then one division rounds as strtod()
 * does, for a tenth of its time. False: ask strtod().
 */
static bool short_real(const char *text, size_t size, double *ret_real)
{
    static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    bool negative = size > 0 && *text == '-';
    size_t point = size;
    int64_t digits = 0;
    if (size - negative > 16) { /* 15 digits and the point */
        return false;
    }
    for (size_t i = negative; i < size; i++) {
        if (text[i] >= '0' && text[i] <= '9') {
            digits = digits * 10 + (text[i] - '0');
        } else if (text[i] == '.' && point == size) {
            point = i;
        } else {
            return false;
        }
    }
    size_t fraction = point < size ? size - point - 1 : 0;
    if (size - negative - (point < size) > 15) {
        return false;
    }
    double real = (double)digits / powers[fraction];
    *ret_real = negative ? -real : real;
    return true;
}

double value_real(const struct sluice_value *value)
{
    switch (value_kind(value)) {
    case SLUICE_FLOAT32:
    case SLUICE_FLOAT64:
        if (value->flags & VALUE_LAZY) {
            double real;
            if (!short_real(value->json, value->json_size, &real)) {
                char text[1100]; /* the scanner lets no longer number through */
                size_t size = value->json_size < sizeof(text) - 1 ? value->json_size : sizeof(text) - 1;
                memcpy(text, value->json, size);
                text[size] = '\0';
                real = strtod(text, NULL);
            }
            value_thaw(value)->real = real;
            value_thaw(value)->flags &= (uint8_t)~VALUE_LAZY;
        }
        return value->real;
    default:
        return (double)value_integer(value);
    }
}

struct sluice_span value_text(const struct sluice_value *value)
{
    if (value_kind(value) != SLUICE_STRING && value_kind(value) != SLUICE_BYTES) {
        return (struct sluice_span){NULL, 0};
    }
    if (value->flags & VALUE_LAZY) {
        struct sluice_span text =
            json_unquote(batch_arena(value->batch), value->json, value->json_size);
        value_thaw(value)->text.data = text.data;
        value_thaw(value)->text.size = text.size;
        value_thaw(value)->flags &= (uint8_t)~VALUE_LAZY;
    }
    return (struct sluice_span){value->text.data, value->text.size};
}

struct sluice_span value_decimal(const struct sluice_value *value, int32_t *ret_scale)
{
    if (value_kind(value) != SLUICE_DECIMAL) {
        *ret_scale = 0;
        return (struct sluice_span){NULL, 0};
    }
    *ret_scale = value->decimal.scale;
    return (struct sluice_span){value->decimal.data, value->decimal.size};
}

bool value_equal(const struct sluice_value *a, const struct sluice_value *b)
{
    enum sluice_type type = value_kind(a);
    if (type != value_kind(b)) {
        return false;
    }
    struct sluice_span x, y;
    switch (type) {
    case SLUICE_NULL:
        return true;
    case SLUICE_FLOAT32:
    case SLUICE_FLOAT64: {
        double p = value_real(a), q = value_real(b);
        return memcmp(&p, &q, sizeof(p)) == 0 || (p != p && q != q); /* as Double.equals */
    }
    case SLUICE_STRING:
    case SLUICE_BYTES:
        x = value_text(a);
        y = value_text(b);
        return x.size == y.size && (x.size == 0 || memcmp(x.data, y.data, x.size) == 0);
    case SLUICE_DECIMAL:
        return a->decimal.scale == b->decimal.scale && a->decimal.size == b->decimal.size &&
               memcmp(a->decimal.data, b->decimal.data, a->decimal.size) == 0;
    case SLUICE_ARRAY:
    case SLUICE_MAP:
    case SLUICE_STRUCT:
        return a == b || members_equal(a, b);
    default:
        return a->integer == b->integer;
    }
}

/* -- making -- */

struct sluice_value *value_new_null(struct sluice_batch *batch)
{
    struct sluice_value *value = value_new(batch_arena(batch), SLUICE_NULL);
    *value = value_null;
    return value;
}

struct sluice_value *value_new_boolean(struct sluice_batch *batch, bool truth)
{
    struct sluice_value *value = value_new(batch_arena(batch), SLUICE_BOOLEAN);
    value->integer = truth;
    value->json = truth ? "true" : "false";
    value->json_size = truth ? 4 : 5;
    return value;
}

struct sluice_value *value_new_integer(struct sluice_batch *batch, enum sluice_type type, int64_t number)
{
    struct sluice_value *value = value_new(batch_arena(batch), type);
    value->integer = type == SLUICE_INT8    ? (int8_t)number
                     : type == SLUICE_INT16 ? (int16_t)number
                     : type == SLUICE_INT32 ? (int32_t)number
                                            : number;
    return value;
}

struct sluice_value *value_new_real(struct sluice_batch *batch, enum sluice_type type, double number)
{
    struct sluice_value *value = value_new(batch_arena(batch), type);
    value->real = type == SLUICE_FLOAT32 ? (double)(float)number : number;
    return value;
}

static inline struct sluice_value *new_text(struct sluice_batch *batch, enum sluice_type type,
                                            const void *data, size_t size, bool copy)
{
    struct arena *arena = batch_arena(batch);
    struct sluice_value *value = make(arena, type);
    value->text.data = size == 0 ? "" : copy ? arena_copy(arena, data, size) : data;
    value->text.size = size;
    return value;
}

struct sluice_value *value_new_string(struct sluice_batch *batch, const char *data, size_t size)
{
    return new_text(batch, SLUICE_STRING, data, size, true);
}

struct sluice_value *value_new_bytes(struct sluice_batch *batch, const void *data, size_t size)
{
    return new_text(batch, SLUICE_BYTES, data, size, true);
}

struct sluice_value *value_new_string_view(struct sluice_batch *batch, const char *data, size_t size)
{
    return new_text(batch, SLUICE_STRING, data, size, false);
}

struct sluice_value *value_new_bytes_view(struct sluice_batch *batch, const void *data, size_t size)
{
    return new_text(batch, SLUICE_BYTES, data, size, false);
}

struct sluice_value *value_new_decimal(struct sluice_batch *batch, const void *unscaled, size_t size,
                                       int32_t scale)
{
    struct arena *arena = batch_arena(batch);
    struct sluice_value *value = value_new(arena, SLUICE_DECIMAL);
    const signed char *bytes = unscaled;
    while (size > 1 && ((bytes[0] == 0 && bytes[1] >= 0) || (bytes[0] == -1 && bytes[1] < 0))) {
        bytes++; /* sign bytes that say nothing, as BigInteger leaves out */
        size--;
    }
    unscaled = bytes;
    value->decimal.data = size == 0 ? "" : arena_copy(arena, unscaled, size); /* "" ends in a zero byte */
    value->decimal.size = size == 0 ? 1 : (uint32_t)size;
    value->decimal.scale = scale;
    return value;
}

struct sluice_value *value_new_date(struct sluice_batch *batch, int64_t milliseconds)
{
    struct sluice_value *value = value_new(batch_arena(batch), SLUICE_DATE);
    value->integer = milliseconds;
    return value;
}
