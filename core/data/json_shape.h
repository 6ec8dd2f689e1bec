/*
 * What the objects of a stream look like: most records have the names of the one before, in its order.
 * A scan that knows them compares each with one look instead of finding its end, checking it and
 * searching for its twin; a stream whose objects are opened gets its places of members from the scan.
 * A wrong guess costs a compare and changes nothing else. [each thread has its own]
 */
#ifndef CORE_DATA_JSON_SHAPE_H
#define CORE_DATA_JSON_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/data/json_text.h"

enum {
    SHAPES = 8,             /* streams that one thread reads by turns: keys, values, topics */
    SHAPE_KEYS = 64,        /* larger objects are not remembered */
    SHAPE_TEXT = 1024,      /* of all their names */
    SHAPE_OPENED = 8192,    /* objects taken apart at once after one was opened */
    SHAPE_LONGEST_WAIT = 1023,
};

struct json_shape {
    uint32_t count;               /* names; 0: none known yet */
    uint32_t wait, next_wait;     /* objects to go before another one is learnt: longer each time */
    uint32_t to_open;             /* objects still to be taken apart at once */
    bool learn;                   /* the next object */
    uint64_t key_bits;            /* key_bit() of all names */
    uint16_t end[SHAPE_KEYS];     /* of each name in text, behind its colon */
    uint32_t hash[SHAPE_KEYS];    /* as the scan's watch for twins has it */
    char text[SHAPE_TEXT + JSON_SAME_ROOM]; /* "name": by "name": */
};

/** One of 64 bits: most keys that a map has not are told by theirs. */
static inline uint64_t key_bit(const char *text, size_t size)
{
    if (size == 0) {
        return 1;
    }
    size_t mixed = size + (unsigned char)text[0] * (size_t)5 + (unsigned char)text[size - 1] * (size_t)11;
    return (uint64_t)1 << (mixed & 63);
}

/** Where a member stands in the normal text of its object. */
struct json_place {
    uint32_t key, key_size; /* quotes included */
    uint32_t value, value_size;
    bool escapes; /* the value is a string that may have some */
};

extern _Thread_local struct json_shape json_shapes[SHAPES];

/** The one for an object whose text goes on like this behind its brace; NULL: too short. */
static inline struct json_shape *json_shape_for(const unsigned char *p, const unsigned char *end)
{
    uint64_t head;
    if (end - p < (ptrdiff_t)sizeof(head)) {
        return NULL;
    }
    memcpy(&head, p, sizeof(head));
    return &json_shapes[head * 0x9E3779B97F4A7C15u >> 61];
}

/** For values to remember where they come from; 0: nowhere. */
static inline uint16_t json_shape_number(const struct json_shape *shape)
{
    return shape ? (uint16_t)(shape - json_shapes + 1) : 0;
}

/** An object of this shape was opened: those that follow will be, too. */
static inline void json_shape_opened(uint16_t number)
{
    if (number > 0) {
        json_shapes[number - 1].to_open = SHAPE_OPENED;
    }
}

#endif
