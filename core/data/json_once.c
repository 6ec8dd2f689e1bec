#include "core/data/json_once.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/data/json_walk.h"
#include "core/data/value.h"

struct entry {
    struct sluice_span key, value;
};

struct text {
    struct arena *arena;
    char *data;
    size_t size;
};

static void put(struct text *out, const char *data, size_t size)
{
    memcpy(out->data + out->size, data, size); /* never longer than the input */
    out->size += size;
}

static void write_once(struct text *out, struct sluice_span value);

/* Entries of an object with each key once, found by open addressing. */
static void write_object(struct text *out, struct sluice_span value)
{
    size_t members = json_walk_count(value);
    size_t room = 8;
    while (room < members * 2) {
        room *= 2;
    }
    struct entry *entries = arena_alloc(out->arena, (members + 1) * sizeof(*entries));
    uint32_t *table = arena_alloc(out->arena, room * sizeof(*table));
    memset(table, 0, room * sizeof(*table));
    size_t count = 0;
    struct json_walk walk = json_walk_begin(value);
    struct entry entry;
    while (json_walk_member(&walk, &entry.key, &entry.value)) {
        size_t at = bytes_hash(entry.key.data, entry.key.size) & (room - 1);
        while (table[at] && (entries[table[at] - 1].key.size != entry.key.size ||
                             memcmp(entries[table[at] - 1].key.data, entry.key.data,
                                    entry.key.size) != 0)) {
            at = (at + 1) & (room - 1);
        }
        if (table[at]) {
            entries[table[at] - 1].value = entry.value;
        } else {
            entries[count++] = entry;
            table[at] = (uint32_t)count;
        }
    }
    put(out, "{", 1);
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            put(out, ",", 1);
        }
        put(out, entries[i].key.data, entries[i].key.size);
        put(out, ":", 1);
        write_once(out, entries[i].value);
    }
    put(out, "}", 1);
}

/* Recursion is bounded by the scan's JSON_MAX_DEPTH. */
static void write_once(struct text *out, struct sluice_span value)
{
    if (value.data[0] == '{') {
        write_object(out, value);
    } else if (value.data[0] == '[') {
        struct json_walk walk = json_walk_begin(value);
        struct sluice_span element;
        bool first = true;
        put(out, "[", 1);
        while (json_walk_element(&walk, &element)) {
            if (!first) {
                put(out, ",", 1);
            }
            first = false;
            write_once(out, element);
        }
        put(out, "]", 1);
    } else {
        put(out, value.data, value.size);
    }
}

struct sluice_span json_once(struct arena *arena, struct sluice_span normal)
{
    struct text out = {arena, arena_alloc(arena, normal.size), 0};
    write_once(&out, normal);
    /* Nothing is dropped where nothing was shorter. */
    return out.size == normal.size ? normal : (struct sluice_span){out.data, out.size};
}
