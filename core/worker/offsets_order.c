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
    uint32_t bucket;
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
        places[i] = (struct place){
            item, java_bucket(hash_of(json_object_get(item, "partition")), count), i};
    }
    qsort(places, count, sizeof(*places), by_bucket);
    for (i = 0; i < count; i++) {
        json_array_append(ordered, places[i].item);
    }
    free(places);
    return ordered;
}
