/* Values as Java's String.valueOf prints them. [one thread per batch at a time] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/data/batch.h"
#include "core/data/value.h"
#include "core/data/value_api.h"
#include "lib/java/calendar.h"
#include "lib/java/double_text.h"
#include "lib/java/hash_order.h"

/* Grows inside the arena; what it outgrows is freed with the batch. */
struct out {
    struct arena *arena;
    char *data;
    size_t size, room;
};

static void put(struct out *out, const char *data, size_t size)
{
    if (size == 0) {
        return; /* data may be NULL */
    }
    if (out->room - out->size < size) {
        size_t room = (out->room + size) * 2 + 32;
        char *grown = arena_alloc(out->arena, room);
        if (out->size > 0) {
            memcpy(grown, out->data, out->size);
        }
        out->data = grown;
        out->room = room;
    }
    memcpy(out->data + out->size, data, size);
    out->size += size;
}

static void put_text(struct out *out, const char *text)
{
    put(out, text, strlen(text));
}

static void print(struct out *out, const struct sluice_value *value);

struct place {
    uint32_t bucket, i;
};

static int by_bucket(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    return x->bucket != y->bucket ? (x->bucket < y->bucket ? -1 : 1) : x->i < y->i ? -1 : 1;
}

/* The order that a HashMap has its entries in; NULL: as they are. Texts as keys only. */
static struct place *hash_order(struct out *out, const struct sluice_value *value)
{
    const struct members *members = value_members(value);
    if (members->java_class || members->other_keys || members->count < 2) {
        return NULL;
    }
    struct place *order = arena_alloc(out->arena, members->count * sizeof(*order));
    for (size_t i = 0; i < members->count; i++) {
        const struct member *member = &members->list[i];
        order[i] = (struct place){java_hash_bucket(member->key, member->key_size, members->count), (uint32_t)i};
    }
    qsort(order, members->count, sizeof(*order), by_bucket);
    return order;
}

/* AbstractMap, AbstractCollection and Struct print their members; a Struct leaves null fields out. */
static void print_container(struct out *out, const struct sluice_value *value)
{
    bool first = true;
    bool structure = value->type == SLUICE_STRUCT;
    const struct place *order = value->type == SLUICE_MAP ? hash_order(out, value) : NULL;
    put_text(out, structure ? "Struct{" : value->type == SLUICE_MAP ? "{" : "[");
    for (size_t k = 0; k < value_count(value); k++) {
        size_t i = order ? order[k].i : k;
        const struct sluice_value *member = value_at(value, i);
        if (structure && value_type(member) == SLUICE_NULL) {
            continue;
        }
        if (!first) {
            put_text(out, structure ? "," : ", ");
        }
        first = false;
        if (value->type != SLUICE_ARRAY) {
            print(out, value_key_at(value, i));
            put_text(out, "=");
        }
        print(out, member);
    }
    put_text(out, value->type == SLUICE_ARRAY ? "]" : "}");
}

/* BigInteger.toString of a big-endian two's complement number, by repeated division by 10^9. */
static size_t print_unscaled(const char *bytes, size_t size, char *out, bool *ret_negative)
{
    uint32_t limbs[64] = {0};
    size_t count = (size + 3) / 4;
    *ret_negative = size > 0 && (bytes[0] & 0x80);
    if (count > 64) {
        count = 64;
        size = 256;
    }
    for (size_t i = 0; i < size; i++) {
        size_t place = size - 1 - i;
        uint32_t byte = (unsigned char)bytes[i];
        byte = *ret_negative ? byte ^ 0xFF : byte;
        limbs[place / 4] |= byte << (place % 4 * 8);
    }
    for (size_t i = 0; *ret_negative && i < count && ++limbs[i] == 0; i++) {
    }
    char reversed[700];
    size_t digits = 0;
    while (count > 0 && limbs[count - 1] == 0) {
        count--;
    }
    while (count > 0) {
        uint64_t rest = 0;
        for (size_t i = count; i-- > 0;) {
            rest = rest << 32 | limbs[i];
            limbs[i] = (uint32_t)(rest / 1000000000);
            rest %= 1000000000;
        }
        while (count > 0 && limbs[count - 1] == 0) {
            count--;
        }
        for (int i = 0; i < 9; i++) {
            reversed[digits++] = (char)('0' + rest % 10);
            rest /= 10;
        }
    }
    while (digits > 1 && reversed[digits - 1] == '0') {
        digits--;
    }
    if (digits == 0) {
        reversed[digits++] = '0';
    }
    for (size_t i = 0; i < digits; i++) {
        out[i] = reversed[digits - 1 - i];
    }
    return digits;
}

/* BigDecimal.toString: plain for small scales, else with an exponent. */
static void print_decimal(struct out *out, const struct sluice_value *value)
{
    char digits[700], exponent[24];
    bool negative;
    int64_t count = (int64_t)print_unscaled(value->decimal.data, value->decimal.size, digits,
                                            &negative);
    int64_t scale = value->decimal.scale;
    int64_t adjusted = count - 1 - scale;
    if (negative) {
        put_text(out, "-");
    }
    if (scale >= 0 && adjusted >= -6) {
        if (scale == 0) {
            put(out, digits, (size_t)count);
            return;
        }
        if (count > scale) {
            put(out, digits, (size_t)(count - scale));
        } else {
            put_text(out, "0");
        }
        put_text(out, ".");
        for (int64_t i = scale; i > count; i--) {
            put_text(out, "0");
        }
        size_t tail = (size_t)(count < scale ? count : scale);
        put(out, digits + count - (int64_t)tail, tail);
        return;
    }
    put(out, digits, 1);
    if (count > 1) {
        put_text(out, ".");
        put(out, digits + 1, (size_t)count - 1);
    }
    (void)snprintf(exponent, sizeof(exponent), "E%+lld", (long long)adjusted);
    if (adjusted != 0) {
        put_text(out, exponent);
    }
}

/* java.util.Date.toString in UTC: Thu Jan 01 00:00:00 UTC 1970 */
static void print_date(struct out *out, int64_t milliseconds)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct calendar_time time = calendar_split(milliseconds);
    char text[80];
    int size = snprintf(text, sizeof(text), "%s %s %02d %02d:%02d:%02d UTC %lld",
                        days[time.day_of_week - 1], months[time.month], time.day, time.hour,
                        time.minute, time.second, (long long)time.year);
    put(out, text, (size_t)size);
}

static void print(struct out *out, const struct sluice_value *value)
{
    char text[JAVA_DOUBLE_TEXT_SIZE];
    struct sluice_span span;
    switch (value_type(value)) {
    case SLUICE_NULL:
        put_text(out, "null");
        break;
    case SLUICE_BOOLEAN:
        put_text(out, value->integer ? "true" : "false");
        break;
    case SLUICE_FLOAT32:
        put(out, text, java_float_text((float)value_real(value), text));
        break;
    case SLUICE_FLOAT64:
        put(out, text, java_double_text(value_real(value), text));
        break;
    case SLUICE_STRING:
        span = value_text(value);
        put(out, span.data, span.size);
        break;
    case SLUICE_BYTES:
        /* Java prints an identity hash here, which nobody can want: the bytes as they are */
        put(out, value->text.data, value->text.size);
        break;
    case SLUICE_DECIMAL:
        print_decimal(out, value);
        break;
    case SLUICE_DATE:
        print_date(out, value->integer);
        break;
    case SLUICE_ARRAY:
    case SLUICE_MAP:
    case SLUICE_STRUCT:
        print_container(out, value);
        break;
    default:
        put(out, text, (size_t)snprintf(text, sizeof(text), "%lld", (long long)value->integer));
    }
}

struct sluice_span value_to_text(struct sluice_batch *batch, const struct sluice_value *value)
{
    if (value_type(value) == SLUICE_STRING) {
        return value_text(value);
    }
    struct out out = {.arena = batch_arena(batch)};
    print(&out, value);
    return (struct sluice_span){out.data ? out.data : "", out.size};
}
