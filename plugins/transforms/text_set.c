/* See text_set.h. Open addressing, at most half full. */
#include "plugins/transforms/text_set.h"

#include <stdlib.h>
#include <string.h>

/* Length, both ends and the middle: constant time however long the value is. */
static uint32_t hash_of(const char *data, size_t size)
{
    uint64_t parts[3] = {0, 0, 0};
    if (size >= 8) {
        memcpy(&parts[0], data, 8);
        memcpy(&parts[1], data + size - 8, 8);
        memcpy(&parts[2], data + size / 2 - 4, 8);
    } else if (size > 0) {
        memcpy(&parts[0], data, size);
    }
    uint64_t hash = (parts[0] ^ size) * UINT64_C(0x9E3779B97F4A7C15);
    hash = (hash ^ (hash >> 29) ^ parts[1]) * UINT64_C(0xBF58476D1CE4E5B9);
    hash = (hash ^ (hash >> 32) ^ parts[2]) * UINT64_C(0x94D049BB133111EB);
    return (uint32_t)(hash >> 32);
}

static struct text_slot *slot_for(const struct text_set *set, const char *data, size_t size,
                                  uint32_t hash)
{
    size_t i = hash & set->mask;
    for (;; i = (i + 1) & set->mask) {
        struct text_slot *slot = &set->slots[i];
        if (!slot->data ||
            (slot->hash == hash && slot->size == size && memcmp(slot->data, data, size) == 0)) {
            return slot;
        }
    }
}

static bool grow(struct text_set *set)
{
    size_t wanted = set->slots ? (set->mask + 1) * 2 : 16;
    struct text_set bigger = {.slots = calloc(wanted, sizeof(struct text_slot)),
                              .mask = wanted - 1};
    if (!bigger.slots) {
        return false;
    }
    for (size_t i = 0; set->slots && i <= set->mask; i++) {
        struct text_slot *old = &set->slots[i];
        if (old->data) {
            *slot_for(&bigger, old->data, old->size, old->hash) = *old;
        }
    }
    free(set->slots);
    set->slots = bigger.slots;
    set->mask = bigger.mask;
    return true;
}

bool text_set_add(struct text_set *set, const char *data, size_t size, size_t index)
{
    if ((!set->slots || set->count * 2 > set->mask) && !grow(set)) {
        return false;
    }
    uint32_t hash = hash_of(data, size);
    struct text_slot *slot = slot_for(set, data, size, hash);
    if (slot->data) {
        return true;
    }
    char *copy = malloc(size + 1);
    if (!copy) {
        return false;
    }
    memcpy(copy, data, size);
    copy[size] = '\0';
    *slot = (struct text_slot){.data = copy, .size = size, .index = index, .hash = hash};
    set->count++;
    set->lengths |= UINT64_C(1) << (size & 63);
    return true;
}

ptrdiff_t text_set_find_slow(const struct text_set *set, const char *data, size_t size)
{
    if (set->count == 0) {
        return -1;
    }
    const struct text_slot *slot = slot_for(set, data, size, hash_of(data, size));
    return slot->data ? (ptrdiff_t)slot->index : -1;
}

void text_set_finish(struct text_set *set)
{
    for (size_t i = 0; set->slots && i <= set->mask; i++) {
        free(set->slots[i].data);
    }
    free(set->slots);
    *set = (struct text_set){.slots = NULL};
}
