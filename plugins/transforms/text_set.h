/*
 * A fixed set of texts with their places, looked up without walking the list: the values NullValues
 * knows, field names of a configuration. Filled in configure(); read by the task thread alone.
 */
#ifndef TRANSFORMS_TEXT_SET_H
#define TRANSFORMS_TEXT_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text_slot {
    char *data; /* owned; NULL: free slot */
    size_t size;
    size_t index;
    uint32_t hash;
};

/** A zeroed one is an empty set. */
struct text_set {
    struct text_slot *slots;
    size_t mask; /* slots - 1; a power of two of them */
    size_t count;
    uint64_t lengths; /* bit (size mod 64) is set for every size in the set */
};

/** Adds a copy under this index; a text that is there keeps its former index. False: no memory. */
bool text_set_add(struct text_set *set, const char *data, size_t size, size_t index);
/** Index of a text, or -1. */
ptrdiff_t text_set_find_slow(const struct text_set *set, const char *data, size_t size);
void text_set_finish(struct text_set *set);

static inline ptrdiff_t text_set_find(const struct text_set *set, const char *data, size_t size)
{
    /* most values have a length that no entry has */
    return (set->lengths >> (size & 63)) & 1 ? text_set_find_slow(set, data, size) : -1;
}

#endif
