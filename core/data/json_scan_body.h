/*
 * The scanner (json_scan.h), compiled once for each kind of processor: a file that includes this defines
 * JSON_SCAN_UTF8, the name of its one function. Structure is here; json_scan_state.h, .._scalar.h and
 * .._names.h are its other parts. [any thread, each with its own arena]
 */
#include "core/data/json_scan_names.h"
#include "core/data/json_scan_scalar.h"

static bool in_object(const struct scanner *s)
{
    return s->is_object[s->depth >> 6] >> (s->depth & 63) & 1;
}

static bool push(struct scanner *s, bool object)
{
    if (++s->depth > JSON_MAX_DEPTH) {
        return fail(s, s->p,
                    "Document nesting depth (%u) exceeds the maximum allowed (1000, from "
                    "`StreamReadConstraints.getMaxNestingDepth()`)",
                    (unsigned)s->depth);
    }
    uint64_t bit = (uint64_t)1 << (s->depth & 63);
    if (object) {
        s->is_object[s->depth >> 6] |= bit;
        s->outer_first_key[s->depth] = (uint16_t)s->first_key;
        s->first_key = s->key_count;
    } else {
        s->is_object[s->depth >> 6] &= ~bit;
    }
    return true;
}

/* Behind a closing bracket. */
static void pop(struct scanner *s)
{
    if (in_object(s)) {
        s->last_keys = s->key_count - s->first_key;
        s->key_count = s->first_key;
        s->first_key = s->outer_first_key[s->depth];
    }
    s->depth--;
}

static bool scan_key(struct scanner *s)
{
    if (s->guess && s->depth == 1) {
        if (guess_key(s)) {
            return true;
        }
        end_guess(s, s->key_count);
    }
    if (s->depth == s->place_depth) {
        s->ret->places[s->ret->place_count].key = place_here(s);
    }
    if (s->p >= s->end || *s->p != '"') {
        return fail_unexpected(s, "was expecting double-quote to start field name");
    }
    const unsigned char *key = s->p + 1;
    bool escaped;
    if (!scan_string(s, &escaped)) {
        return false;
    }
    if (s->p - key > JSON_MAX_NAME) {
        return fail(s, key,
                    "Name length (%u) exceeds the maximum allowed (50000, from "
                    "`StreamReadConstraints.getMaxNameLength()`)",
                    (unsigned)(s->p - key));
    }
    if (escaped) {
        s->twins = true; /* two spellings may name one member */
    } else {
        watch_key(s, key, (size_t)(s->p - key) - 1);
    }
    if (s->depth == s->place_depth) {
        struct json_place *place = &s->ret->places[s->ret->place_count];
        place->key_size = place_here(s) - place->key;
    }
    skip_blanks(s);
    if (s->p >= s->end || *s->p != ':') {
        return fail_unexpected(s, "was expecting a colon to separate field name and value");
    }
    s->p++;
    skip_blanks(s);
    return true;
}

/* One value with all it contains, at s->p. */
static bool scan_value(struct scanner *s)
{
    for (;;) {
        /* a value begins here */
        unsigned char c = s->p < s->end ? *s->p : 0;
        bool escaped;
        if (s->depth == s->place_depth) {
            begin_place(s);
        }
        if (c == '{' || c == '[') {
            if (!push(s, c == '{')) {
                return false;
            }
            s->p++;
            skip_blanks(s);
            if (s->p >= s->end || *s->p != (c == '{' ? '}' : ']')) {
                if (c == '{' && s->guess && !s->spaced && s->depth == 1) {
                    scan_expected(s);
                }
                if (c == '{' && !scan_key(s)) {
                    return false;
                }
                continue;
            }
            s->p++;
            pop(s);
        } else if (c == '"') {
            if (!scan_string(s, &escaped)) {
                return false;
            }
            if (s->depth == s->place_depth) {
                s->ret->places[s->ret->place_count].escapes = escaped;
            }
        } else if (c == '-' || (c >= '0' && c <= '9')) {
            if (!scan_number(s)) {
                return false;
            }
        } else if (!scan_literal(s)) {
            return false;
        }
        /* it ends here: close what it closes */
        for (;;) {
            if (s->depth == 0) {
                return true;
            }
            if (s->depth == s->place_depth) {
                end_place(s);
            }
            skip_blanks(s);
            bool object = in_object(s);
            if (s->p < s->end && *s->p == ',') {
                s->p++;
                skip_blanks(s);
                if (s->guess && !s->spaced && s->depth == 1) {
                    scan_expected(s);
                }
                if (object && !scan_key(s)) {
                    return false;
                }
                break;
            }
            if (s->p >= s->end || *s->p != (object ? '}' : ']')) {
                return fail_unexpected(s, object
                                              ? "was expecting comma to separate Object entries"
                                              : "was expecting comma to separate Array entries");
            }
            s->p++;
            pop(s);
        }
    }
}

enum sluice_result JSON_SCAN_UTF8(struct arena *arena, struct sluice_span text, uint32_t flags,
                                  struct json_scanned *ret, struct sluice_json_error *error)
{
    struct scanner s;
    s.start = s.p = (const unsigned char *)text.data;
    s.end = s.p + text.size;
    s.arena = arena;
    s.out = NULL;
    s.out_size = s.out_room = 0;
    s.flags = flags;
    s.twins = s.infinite = false;
    s.error = error;
    s.depth = 0;
    s.key_count = s.first_key = s.last_keys = 0;
    s.shape = NULL;
    s.guess = s.spaced = false;
    s.place_depth = SIZE_MAX;
    s.ret = ret;
    while (s.p < s.end && is_blank(*s.p)) {
        s.p++;
    }
    s.run = s.p;
    ret->normal = (struct sluice_span){NULL, 0};
    ret->twins = ret->infinite = false;
    ret->place_count = 0;
    ret->key_bits = 0;
    ret->shape = NULL;
    if (s.p == s.end) {
        return SLUICE_OK;
    }
    if (*s.p == '{') {
        begin_shape(&s);
    }
    if (!scan_value(&s)) {
        return SLUICE_BAD_RECORD;
    }
    const unsigned char *behind = s.p;
    if (s.out) {
        flush(&s, behind);
        out_trim(&s);
        ret->normal = (struct sluice_span){s.out, s.out_size};
    } else {
        ret->normal = (struct sluice_span){(const char *)s.run, (size_t)(behind - s.run)};
    }
    if (flags & SLUICE_JSON_PREFIX) {
        error->offset = (size_t)(behind - s.start);
    } else if (flags & SLUICE_JSON_STRICT) {
        while (s.p < s.end && is_blank(*s.p)) {
            s.p++;
        }
        if (s.p < s.end) {
            (void)fail_unexpected(&s, "nothing may follow the value");
            return SLUICE_BAD_RECORD;
        }
    }
    if (s.shape) {
        end_shape(&s);
    }
    ret->shape = s.shape;
    ret->twins = s.twins;
    ret->infinite = s.infinite;
    return SLUICE_OK;
}
