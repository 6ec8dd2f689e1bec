/*
 * Connect keeps offsets in HashMaps by partition: of several that are wrong the first in the order of
 * such a map is told, and lists of offsets have that order. [any thread]
 */
#include "core/store/offsets_order.h"

#include <stdbool.h>
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

/* hashCode() of what Jackson makes of it; stored: of what Connect's converter does, to which whole
 * numbers are Longs. */
static uint32_t hash_of(json_t *value, bool stored)
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
        return !stored && (json_int_t)(int32_t)bits == json_integer_value(value)
                   ? (uint32_t)bits
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
            hash = 31 * hash + hash_of(member, stored);
        }
        return hash;
    case JSON_OBJECT:
        json_object_foreach(value, name, member)
        {
            hash += java_string_hash(name, strlen(name)) ^ hash_of(member, stored);
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

/* Items in the buckets of their hashes; within one as they stand, which is their new number. */
static void put_in_buckets(struct place *places, size_t count, size_t buckets)
{
    for (size_t i = 0; i < count; i++) {
        places[i].bucket = java_bucket_of(places[i].hash, buckets);
    }
    qsort(places, count, sizeof(*places), by_bucket);
    for (size_t i = 0; i < count; i++) {
        places[i].number = i;
    }
}

static struct place *places_of(json_t *items, bool stored)
{
    struct place *places = calloc(json_array_size(items) + 1, sizeof(*places));
    json_t *item;
    size_t i;
    if (!places) {
        abort();
    }
    json_array_foreach(items, i, item)
    {
        places[i] = (struct place){item, hash_of(json_object_get(item, "partition"), stored), 0, i};
    }
    return places;
}

/* Frees the places. */
static json_t *array_of(struct place *places, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append(array, places[i].item);
    }
    free(places);
    return array;
}

json_t *offsets_in_java_order(json_t *items)
{
    struct place *places = places_of(items, false);
    size_t count = unite(places, json_array_size(items));
    put_in_buckets(places, count, java_buckets(count));
    return array_of(places, count);
}

json_t *offsets_in_class_order(json_t *items)
{
    struct place *places = places_of(items, true);
    size_t count = json_array_size(items);
    put_in_buckets(places, count, java_buckets(count));
    return array_of(places, count);
}

/* ByteBuffer.hashCode() */
static uint32_t hash_of_bytes(const char *data, size_t size)
{
    uint32_t hash = 1;
    while (size > 0) {
        hash = 31 * hash + (uint32_t)(signed char)data[--size];
    }
    return hash;
}

/* HashMap's table for a size that its constructor is told. */
static size_t table_for(size_t wanted)
{
    size_t buckets = 1;
    while (buckets < wanted) {
        buckets *= 2;
    }
    return buckets;
}

/* First by the bytes of their keys, in a copy of the map that the store gives out, then by partition
 * in a map that was made for so many and grows when it is three quarters full. */
json_t *offsets_in_source_order(json_t *items)
{
    size_t count = json_array_size(items), buckets = table_for(count);
    struct place *places = places_of(items, true);
    for (size_t i = 0; i < count; i++) {
        json_t *key = json_object_get(places[i].item, "key");
        places[i].hash = hash_of_bytes(json_string_value(key), json_string_length(key));
    }
    put_in_buckets(places, count, table_for(count + count / 3 + 1));
    for (size_t i = 0; i < count; i++) {
        places[i].hash = hash_of(json_object_get(places[i].item, "partition"), true);
    }
    while (count > buckets / 4 * 3 + buckets % 4 * 3 / 4) {
        buckets *= 2;
    }
    put_in_buckets(places, count, buckets);
    for (size_t i = 0; i < count; i++) {
        json_object_del(places[i].item, "key");
    }
    return array_of(places, count);
}

/* TopicPartition.hashCode() */
json_t *offsets_in_group_order(json_t *items)
{
    size_t count = json_array_size(items);
    struct place *places = places_of(items, true);
    for (size_t i = 0; i < count; i++) {
        json_t *partition = json_object_get(places[i].item, "partition");
        json_t *topic = json_object_get(partition, "kafka_topic");
        json_int_t number = json_integer_value(json_object_get(partition, "kafka_partition"));
        places[i].hash = 31 * (31 + (uint32_t)number) +
                         java_string_hash(json_string_value(topic), json_string_length(topic));
    }
    put_in_buckets(places, count, java_buckets(count));
    return array_of(places, count);
}
