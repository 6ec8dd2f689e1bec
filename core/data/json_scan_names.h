/*
 * Names of the outermost object: which are expected (json_shape.h), where its members stand, and the
 * watch for names that come twice; part of json_scan_body.h. [any thread, each with its own scanner]
 */
#ifndef CORE_DATA_JSON_SCAN_NAMES_H
#define CORE_DATA_JSON_SCAN_NAMES_H

#include "core/data/json_scan_state.h"

/*
 * Watches for a name that comes twice in one object by comparing small hashes: a hit only means that
 * there may be twins; json_once() makes sure.
 */
static inline void watch_key(struct scanner *s, const unsigned char *key, size_t size)
{
    uint64_t head = 0, tail = 0;
    if (size >= 8) {
        memcpy(&head, key, 8);
        memcpy(&tail, key + size - 8, 8);
    } else if (size >= 4) {
        memcpy(&head, key, 4);
        memcpy(&tail, key + size - 4, 4);
    } else if (size > 0) {
        head = (uint64_t)key[0] << 16 | (uint64_t)key[size >> 1] << 8 | key[size - 1];
    }
    uint64_t mixed = (head ^ (tail << 7 | tail >> 57) ^ size) * 0x9E3779B97F4A7C15u;
    uint32_t hash = (uint32_t)(mixed >> 32);
    uint32_t hit = 0;
    for (uint32_t i = s->first_key; i < s->key_count; i++) {
        hit |= s->keys[i] == hash;
    }
    if (s->key_count == KEYS_WATCHED) {
        s->twins = true;
        return;
    }
    s->twins |= hit != 0;
    s->keys[s->key_count++] = hash;
}

/* -- the outermost object's shape and its members' places -- */

/* Where s->p will stand in the normal text. */
static inline uint32_t place_here(const struct scanner *s)
{
    return (uint32_t)(s->out_size + (size_t)(s->p - s->run));
}

static void begin_shape(struct scanner *s)
{
    struct json_shape *shape = json_shape_for(s->p + 1, s->end);
    s->shape = shape;
    s->guess = shape != NULL && shape->count > 0;
    if (shape && (shape->to_open > 0 || shape->learn)) {
        shape->to_open -= shape->to_open > 0;
        s->place_depth = 1;
    }
}

/* A name is not the one expected: from here on names are watched, those before it too. */
static void end_guess(struct scanner *s, uint32_t names)
{
    memcpy(s->keys, s->shape->hash, names * sizeof(*s->keys));
    s->guess = false;
}

/* The object has ended: was it as expected? Otherwise its names are those expected from now on. */
static void end_shape(struct scanner *s)
{
    struct json_shape *shape = s->shape;
    if (s->twins || s->place_depth != 1) {
        s->ret->place_count = 0; /* which twins would be wrong, or too many */
    }
    if (s->guess && s->last_keys == shape->count) {
        shape->next_wait = 0;
        shape->learn = false;
        s->ret->key_bits = shape->key_bits;
        return;
    }
    if (s->guess) {
        end_guess(s, s->last_keys);
    }
    if (shape->learn && !s->twins) {
        size_t used = 0, count = s->ret->place_count;
        shape->key_bits = 0;
        const char *normal = s->out ? s->out : (const char *)s->run;
        for (size_t i = 0; i < count; i++) {
            size_t size = s->ret->places[i].key_size;
            if (used + size + 1 > SHAPE_TEXT) {
                count = 0;
                break;
            }
            const char *name = normal + s->ret->places[i].key;
            memcpy(shape->text + used, name, size);
            shape->key_bits |= key_bit(name + 1, size - 2);
            shape->text[used + size] = ':';
            used += size + 1;
            shape->end[i] = (uint16_t)used;
            shape->hash[i] = s->keys[i];
        }
        shape->count = (uint32_t)count;
        shape->wait = shape->next_wait;
        shape->next_wait = shape->next_wait * 2 + 1;
        if (shape->next_wait > SHAPE_LONGEST_WAIT) {
            shape->next_wait = SHAPE_LONGEST_WAIT;
        }
        shape->learn = false;
    } else if (shape->wait > 0) {
        shape->wait--;
    } else {
        shape->learn = true;
    }
}

/* At a name of the outermost object: over it and its colon, where it is the one expected. */
static inline bool guess_key(struct scanner *s)
{
    const struct json_shape *shape = s->shape;
    uint32_t i = s->key_count;
    if (i >= shape->count) {
        return false;
    }
    size_t from = i > 0 ? shape->end[i - 1] : 0, size = shape->end[i] - from;
    if (!json_same(s->p, s->end, shape->text + from, size)) {
        return false;
    }
    if (s->place_depth == 1) {
        struct json_place *place = &s->ret->places[s->ret->place_count];
        place->key = place_here(s);
        place->key_size = (uint32_t)size - 1;
    }
    s->p += size;
    s->key_count++;
    skip_blanks(s);
    return true;
}

static inline void begin_place(struct scanner *s)
{
    struct json_place *place = &s->ret->places[s->ret->place_count];
    place->value = place_here(s);
    place->escapes = false;
}

static inline void end_place(struct scanner *s)
{
    struct json_place *place = &s->ret->places[s->ret->place_count];
    place->value_size = place_here(s) - place->value;
    if (++s->ret->place_count == SHAPE_KEYS) {
        s->place_depth = SIZE_MAX; /* too many */
    }
}

/*
 * Behind a plain value that begins at p; NULL: it is not one for sure. Plain is a string without
 * escapes in ASCII, or a number from zero up that is as it would be written (json_number.c says why so).
 */
static inline const unsigned char *plain_end(const unsigned char *p, const unsigned char *end)
{
    enum { ALWAYS_64_BITS = 18, WHOLE = 7, DECIMAL = 15 };
    const unsigned char *from = p;
    if (*p == '"') {
        p = json_plain_end(p + 1, end);
        return p < end && *p == '"' ? p + 1 : NULL;
    }
    if (*p == '0') {
        return p + 1;
    }
    while (p < end && *p >= '0' && *p <= '9') {
        p++;
    }
    ptrdiff_t whole = p - from, all = whole;
    if (whole > 0 && p < end && *p == '.') {
        const unsigned char *fraction = ++p;
        while (p < end && *p >= '0' && *p <= '9') {
            p++;
        }
        all += p - fraction;
        bool shortest = p > fraction && (p[-1] != '0' || p - fraction == 1);
        return shortest && whole <= WHOLE && all <= DECIMAL ? p : NULL;
    }
    return whole > 0 && whole <= ALWAYS_64_BITS ? p : NULL;
}

/*
 * At a name of the outermost object: over as many members as have the name that is expected, a plain
 * value and another member behind them; no blanks. That is nearly all of most objects.
 */
static inline void scan_expected(struct scanner *s)
{
    const struct json_shape *shape = s->shape;
    const unsigned char *p = s->p, *const end = s->end;
    const unsigned char *const base = s->run - s->out_size; /* the normal text, were it all in one place */
    struct json_place *place = s->place_depth == 1 ? &s->ret->places[s->ret->place_count] : NULL;
    uint32_t i = s->key_count;
    size_t from = i > 0 ? shape->end[i - 1] : 0;
    for (; i + 1 < shape->count; i++) {
        size_t size = shape->end[i] - from;
        if (!json_same(p, end, shape->text + from, size)) {
            break;
        }
        const unsigned char *value = p + size;
        const unsigned char *behind = value < end ? plain_end(value, end) : NULL;
        if (!behind || behind == end || *behind != ',') {
            s->spaced = value < end && is_blank(*value);
            break;
        }
        if (place) {
            place->key = (uint32_t)(p - base);
            place->key_size = (uint32_t)size - 1;
            place->value = (uint32_t)(value - base);
            place->value_size = (uint32_t)(behind - value);
            place->escapes = false;
            place++;
        }
        from = shape->end[i];
        p = behind + 1;
    }
    if (place) {
        s->ret->place_count = (size_t)(place - s->ret->places);
    }
    s->key_count = i;
    s->p = p;
    skip_blanks(s);
}

#endif
