/*
 * Connect keeps the offsets of a request in a HashMap by partition: of several that are wrong, the first
 * in the order of that map is told. [loop thread]
 */
#include "core/worker/offsets_order.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/java/hash_order.h"

struct place {
    json_t *item;
    uint32_t hash, bucket;
    size_t number; /* in the request */
};

static uint32_t hash_of_64_bits(uint64_t bits)
{
    return (uint32_t)(bits ^ bits >> 32);
}

/* hashCode() of what Jackson makes of it. */
static uint32_t hash_of(json_t *value)
{
    uint32_t hash = 0;
    uint64_t bits;
    const char *name;
    json_t *member;
    size_t i;
    switch (value ? json_typeof(value) : JSON_NULL) {
    case JSON_STRING:
        return java_string_hash(json_string_value(value), json_string_length(value));
    case JSON_INTEGER:
        bits = (uint64_t)json_integer_value(value);
        return (json_int_t)(int32_t)bits == json_integer_value(value) ? (uint32_t)bits
                                                                       : hash_of_64_bits(bits);
    case JSON_REAL: {
        double real = json_real_value(value);
        memcpy(&bits, &real, sizeof(bits));
        return hash_of_64_bits(bits);
    }
    case JSON_TRUE:
        return 1231;
    case JSON_FALSE:
        return 1237;
    case JSON_ARRAY:
        hash = 1;
        json_array_foreach(value, i, member)
        {
            hash = 31 * hash + hash_of(member);
        }
        return hash;
    case JSON_OBJECT:
        json_object_foreach(value, name, member)
        {
            hash += java_string_hash(name, strlen(name)) ^ hash_of(member);
        }
        return hash;
    default:
        return 0;
    }
}

static int by_hash(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->hash != y->hash) {
        return x->hash < y->hash ? -1 : 1;
    }
    return x->number < y->number ? -1 : 1;
}

static json_t *partition_of(const struct place *place)
{
    json_t *partition = json_object_get(place->item, "partition");
    return partition ? partition : json_null();
}

/* Of one partition the last offset stays, where the first one stood. How many are left. */
static size_t unite(struct place *places, size_t count)
{
    size_t kept = 0;
    qsort(places, count, sizeof(*places), by_hash);
    for (size_t i = 0; i < count; i++) {
        struct place *last = &places[kept ? kept - 1 : 0];
        if (kept > 0 && last->hash == places[i].hash &&
            json_equal(partition_of(last), partition_of(&places[i]))) {
            last->item = places[i].item;
        } else {
            places[kept++] = places[i];
        }
    }
    return kept;
}

static int by_bucket(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->bucket != y->bucket) {
        return x->bucket < y->bucket ? -1 : 1;
    }
    return x->number < y->number ? -1 : 1;
}

json_t *offsets_in_java_order(json_t *items)
{
    size_t count = json_array_size(items), i;
    struct place *places = calloc(count + 1, sizeof(*places));
    json_t *ordered = json_array(), *item;
    if (!places) {
        abort();
    }
    json_array_foreach(items, i, item)
    {
        places[i] = (struct place){item, hash_of(json_object_get(item, "partition")), 0, i};
    }
    count = unite(places, count);
    for (i = 0; i < count; i++) {
        places[i].bucket = java_bucket(places[i].hash, count);
    }
    qsort(places, count, sizeof(*places), by_bucket);
    for (i = 0; i < count; i++) {
        json_array_append(ordered, places[i].item);
    }
    free(places);
    return ordered;
}
