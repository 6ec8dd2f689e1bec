/*
 * Where java.util.HashMap puts a String: the order of its entries shows where two of them meet, in
 * which error comes first and in which of two values stays. Pure functions: [any thread].
 */
#ifndef LIB_JAVA_HASH_ORDER_H
#define LIB_JAVA_HASH_ORDER_H

#include <stddef.h>
#include <stdint.h>

/** String.hashCode(), of a text in UTF-8. */
uint32_t java_string_hash(const char *text, size_t size);
/** Buckets of a map of so many entries that grew from its default size. */
size_t java_buckets(size_t entries);
/** Buckets of a map that so many entries were put into at once (putAll, new HashMap(map)). */
size_t java_buckets_at_once(size_t entries);
/** Bucket of a hash code among so many (a power of two). */
uint32_t java_bucket_of(uint32_t hash, size_t buckets);
/** Bucket of a hash code in a map of so many entries that grew from its default size. */
uint32_t java_bucket(uint32_t hash, size_t entries);
/**
 * Bucket of a key in a map of so many entries that grew from its default size. Entries come by
 * bucket, within one as they were put in.
 */
uint32_t java_hash_bucket(const char *text, size_t size, size_t entries);

#endif
