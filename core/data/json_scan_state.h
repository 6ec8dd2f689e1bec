/*
 * The scanner's state, what it writes and its errors; part of json_scan_body.h. [any thread, each with
 * its own]
 */
#ifndef CORE_DATA_JSON_SCAN_STATE_H
#define CORE_DATA_JSON_SCAN_STATE_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/data/json_scan.h"
#include "core/data/json_text.h"

/* Names watched at once in all open objects; where they are more, json_once() looks for twins. */
enum { KEYS_WATCHED = 256 };

struct scanner {
    const unsigned char *start, *p, *end;
    const unsigned char *run; /* first byte not yet copied to out; only used once out exists */
    struct arena *arena;
    char *out;                /* NULL while the input is normal */
    size_t out_size, out_room;
    uint32_t flags;
    bool twins;               /* some object may have a name twice */
    bool infinite;            /* some number is */
    struct sluice_json_error *error;
    size_t depth;
    uint64_t is_object[JSON_MAX_DEPTH / 64 + 1];
    uint32_t key_count;       /* of all open objects, innermost last */
    uint32_t first_key;       /* of the innermost object */
    uint32_t last_keys;       /* of the object closed last */
    struct json_shape *shape; /* of the outermost object; NULL: none */
    bool guess;               /* all its names so far were those of the shape */
    bool spaced;              /* blanks stand between a name of it and the value */
    size_t place_depth;       /* 1 where places are wanted, else out of reach */
    struct json_scanned *ret;
    uint32_t keys[KEYS_WATCHED];
    uint16_t outer_first_key[JSON_MAX_DEPTH + 1]; /* first_key of the object around, by depth */
};

/* -- output -- */

enum { PREFIX_ROOM = 4096 };

static void out_reserve(struct scanner *s, size_t more)
{
    if (s->out_room - s->out_size >= more) {
        return;
    }
    size_t input = (size_t)(s->end - s->start);
    if (s->flags & SLUICE_JSON_PREFIX && input > PREFIX_ROOM) {
        input = PREFIX_ROOM; /* most of it is not this value's */
    }
    size_t room = s->out_room ? s->out_room * 2 : input + 64;
    while (room - s->out_size < more) {
        room *= 2;
    }
    char *grown = arena_alloc(s->arena, room);
    if (s->out_size > 0) {
        memcpy(grown, s->out, s->out_size);
    }
    s->out = grown;
    s->out_room = room;
}

/* What was reserved but not used goes back, where nothing was taken behind it. */
static void out_trim(struct scanner *s)
{
    size_t reserved = (s->out_room + 15) & ~(size_t)15, used = (s->out_size + 15) & ~(size_t)15;
    if (s->out + reserved == s->arena->next) {
        s->arena->next = s->out + used;
    }
}

/* Everything up to `upto` is normal as it stands. */
static void flush(struct scanner *s, const unsigned char *upto)
{
    size_t size = (size_t)(upto - s->run);
    out_reserve(s, size + 1);
    if (size > 0) {
        memcpy(s->out + s->out_size, s->run, size);
    }
    s->out_size += size;
}

/* Replaces [from, to) of the input by text. */
static void replace(struct scanner *s, const unsigned char *from, const unsigned char *to,
                    const char *text, size_t size)
{
    flush(s, from);
    out_reserve(s, size);
    if (size > 0) {
        memcpy(s->out + s->out_size, text, size);
    }
    s->out_size += size;
    s->run = to;
}

/* -- errors -- */

static bool fail(struct scanner *s, const unsigned char *at, const char *format, unsigned value)
{
    struct sluice_json_error *error = s->error;
    uint32_t line = 1, column = 1;
    for (const unsigned char *p = s->start; p < at; p++) {
        if (*p == '\n') {
            line++;
            column = 1;
        } else if ((*p & 0xC0) != 0x80) {
            column++;
        }
    }
    error->offset = (size_t)(at - s->start);
    error->line = line;
    error->column = column;
    (void)snprintf(error->message, sizeof(error->message), format, value, value);
    return false;
}

static bool fail_unexpected(struct scanner *s, const char *expected)
{
    if (s->p >= s->end) {
        return fail(s, s->end, "Unexpected end-of-input", 0);
    }
    char format[160];
    (void)snprintf(format, sizeof(format), "Unexpected character ('%%c' (code %%u)): %s", expected);
    unsigned code = *s->p;
    if (code < 0x20 || code > 0x7E) {
        return fail(s, s->p,
                    "Illegal character (code %u): only blanks, tab, CR and LF may stand between tokens",
                    code);
    }
    return fail(s, s->p, format, code);
}

/* -- blanks -- */

static inline bool is_blank(unsigned char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static inline void skip_blanks(struct scanner *s)
{
    if (s->p < s->end && is_blank(*s->p)) {
        const unsigned char *from = s->p;
        do {
            s->p++;
        } while (s->p < s->end && is_blank(*s->p));
        replace(s, from, s->p, "", 0);
    }
}

#endif
