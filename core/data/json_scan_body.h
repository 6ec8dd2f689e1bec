/*
 * The scanner (json_scan.h), compiled once for each kind of processor: a file that includes this defines
 * JSON_SCAN_UTF8, the name of its one function. [any thread, each with its own arena]
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/data/json_number.h"
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

/* -- strings -- */

static int hex(unsigned char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* At a backslash: one escape, normalised. */
static bool scan_escape(struct scanner *s)
{
    const unsigned char *from = s->p;
    if (s->end - from < 2) {
        return fail(s, s->end, "Unexpected end-of-input in VALUE_STRING", 0);
    }
    char text[16];
    size_t size;
    switch (from[1]) {
    case '"':
    case '\\':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        s->p += 2;
        return true;
    case '/':
        s->p += 2;
        replace(s, from, s->p, "/", 1);
        return true;
    case 'u':
        break;
    default:
        return fail(s, from + 1, "Unrecognized character escape '%c' (code %u)", from[1]);
    }
    uint32_t unit = 0;
    bool upper = true;
    for (int i = 2; i < 6; i++) {
        if (from + i >= s->end) {
            return fail(s, s->end, "Unexpected end-of-input in VALUE_STRING", 0);
        }
        int digit = hex(from[i]);
        if (digit < 0) {
            return fail(s, from + i,
                        "Unexpected character ('%c' (code %u)): expected a hex-digit for character "
                        "escape sequence",
                        from[i]);
        }
        unit = unit << 4 | (uint32_t)digit;
        upper &= from[i] < 'a';
    }
    s->p += 6;
    if (upper && unit >= 0xD800 && unit <= 0xDFFF) {
        return true; /* half of a character beyond the BMP, as it is written */
    }
    size = json_put_char(text, unit);
    if (size != 6 || memcmp(from, text, 6) != 0) {
        replace(s, from, s->p, text, size);
    }
    return true;
}

/*
 * At a byte above 0x7F. Jackson is lenient about overlong forms and encoded surrogates; the strict
 * flag is not.
 */
static bool scan_utf8(struct scanner *s)
{
    const unsigned char *p = s->p;
    unsigned first = *p;
    size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC0 || first > 0xF7) {
        return fail(s, p, "Invalid UTF-8 start byte 0x%02x", first);
    }
    uint32_t c = first & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        if (p + i >= s->end) {
            return fail(s, s->end, "Unexpected end-of-input in VALUE_STRING", 0);
        }
        if ((p[i] & 0xC0) != 0x80) {
            return fail(s, p + i, "Invalid UTF-8 middle byte 0x%02x", p[i]);
        }
        c = c << 6 | (p[i] & 0x3F);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    bool odd = c < least[length] || (c >= 0xD800 && c <= 0xDFFF) || c > 0x10FFFF;
    if (odd && (s->flags & SLUICE_JSON_STRICT || c > 0x10FFFF)) {
        return fail(s, p, "Invalid UTF-8 sequence beginning with 0x%02x", first);
    }
    s->p += length;
    if (length == 4 || odd) {
        char text[16];
        size_t size = json_put_char(text, c);
        replace(s, p, s->p, text, size);
    }
    return true;
}

static inline bool is_tail(unsigned char c)
{
    return (c & 0xC0) == 0x80;
}

/* Over characters of two and three bytes that nobody doubts; the rest is scan_utf8()'s. */
static inline const unsigned char *skip_common_utf8(const unsigned char *p, const unsigned char *end)
{
    while (end - p >= 3) {
        if (p[0] >= 0xC2 && p[0] <= 0xDF && is_tail(p[1])) {
            p += 2;
        } else if (p[0] >= 0xE1 && p[0] <= 0xEF && p[0] != 0xED && is_tail(p[1]) && is_tail(p[2])) {
            p += 3;
        } else {
            break;
        }
    }
    return p;
}

/* At the closing quote of a string with many bytes: are they as many characters of UTF-16? */
static bool check_length(struct scanner *s, const unsigned char *from)
{
    size_t units = 0;
    for (const unsigned char *p = from; p < s->p; p++) {
        units += ((*p & 0xC0) != 0x80) + (*p >= 0xF0); /* escapes count too much: they are rare here */
    }
    if (units > JSON_MAX_STRING) {
        return fail(s, from,
                    "String value length (%u) exceeds the maximum allowed (20000000, from "
                    "`StreamReadConstraints.getMaxStringLength()`)",
                    (unsigned)units);
    }
    s->p++;
    return true;
}

/* At an opening quote. *ret_escaped: it has escapes or bytes beyond ASCII. */
static bool scan_string(struct scanner *s, bool *ret_escaped)
{
    const unsigned char *from = ++s->p;
    *ret_escaped = false;
    for (;;) {
        s->p = json_plain_end(s->p, s->end);
        if (s->p >= s->end) {
            return fail(s, s->end, "Unexpected end-of-input in VALUE_STRING", 0);
        }
        unsigned c = *s->p;
        if (c == '"') {
            if (s->p - from > JSON_MAX_STRING) {
                return check_length(s, from);
            }
            s->p++;
            return true;
        }
        *ret_escaped = true;
        if (c == '\\') {
            if (!scan_escape(s)) {
                return false;
            }
        } else if (c < 0x20) {
            return fail(s, s->p,
                        "Illegal unquoted character ((CTRL-CHAR, code %u)): has to be escaped using "
                        "backslash to be included in string value",
                        c);
        } else {
            s->p = skip_common_utf8(s->p, s->end);
            if (s->p < s->end && *s->p >= 0x80 && !scan_utf8(s)) {
                return false;
            }
        }
    }
}

/* -- numbers, literals -- */

static bool scan_number(struct scanner *s)
{
    const unsigned char *from = s->p;
    struct json_number number;
    const char *wrong = json_number_scan(from, s->end, (s->flags & SLUICE_JSON_STRICT) != 0, &number);
    s->p = number.end;
    if (wrong) {
        return s->p >= s->end ? fail(s, s->end, "Unexpected end-of-input in a number", 0)
                              : fail(s, s->p, wrong, *s->p);
    }
    if (number.digits > JSON_MAX_NUMBER) {
        return fail(s, from,
                    "Number value length (%u) exceeds the maximum allowed (1000, from "
                    "`StreamReadConstraints.getMaxNumberLength()`)",
                    (unsigned)number.digits);
    }
    bool delimited = s->flags & SLUICE_JSON_PREFIX && s->p < s->end &&
                     (*s->p == ',' || *s->p == ']' || *s->p == '}');
    if (s->depth == 0 && s->p < s->end && !is_blank(*s->p) && !delimited) {
        return fail(s, s->p,
                    "Unexpected character ('%c' (code %u)): Expected space separating root-level values",
                    *s->p);
    }
    bool wide = number.integral && number.digits > 18 && s->flags & SLUICE_JSON_WIDE_INTEGERS;
    if (!number.normal && !wide && !(s->flags & SLUICE_JSON_EXACT_NUMBERS)) {
        char text[JSON_NUMBER_TEXT];
        size_t size = json_number_text(&number, text);
        if (size == 0) {
            return fail(s, from, "Malformed numeric value: its exponent is out of range", 0);
        }
        s->infinite |= text[size - 1] == '9' && size >= 5 && memcmp(text + size - 5, "1E999", 5) == 0;
        replace(s, from, s->p, text, size);
    }
    return true;
}

/* Behind an integer that is as it would be written, from its first digit; NULL: it is not one for sure. */
static inline const unsigned char *plain_integer_end(const unsigned char *p, const unsigned char *end)
{
    enum { ALWAYS_64_BITS = 18 };
    const unsigned char *from = p;
    while (p < end && *p >= '0' && *p <= '9') {
        p++;
    }
    bool plain = p < end && (*p == ',' || *p == '}' || *p == ']') && p - from <= ALWAYS_64_BITS;
    return plain ? p : NULL;
}

static bool is_word(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || c >= 0x80;
}

static bool scan_literal(struct scanner *s)
{
    static const char *const words[] = {"null", "true", "false"};
    for (size_t i = 0; i < 3; i++) {
        size_t size = strlen(words[i]);
        if ((size_t)(s->end - s->p) >= size && memcmp(s->p, words[i], size) == 0 &&
            (s->p + size == s->end || !is_word(s->p[size]))) {
            s->p += size;
            return true;
        }
    }
    if (s->p < s->end && is_word(*s->p)) {
        return fail(s, s->p,
                    "Unrecognized token beginning with '%c': was expecting (JSON String, Number, Array, "
                    "Object or token 'null', 'true' or 'false')",
                    *s->p);
    }
    return fail_unexpected(s, "expected a valid value (JSON String, Number, Array, Object or token "
                              "'null', 'true' or 'false')");
}

/* -- structure -- */

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
        return;
    }
    if (shape->learn && !s->twins) {
        size_t used = 0, count = s->ret->place_count;
        const char *normal = s->out ? s->out : (const char *)s->run;
        for (size_t i = 0; i < count; i++) {
            size_t size = s->ret->places[i].key_size;
            if (used + size + 1 > SHAPE_TEXT) {
                count = 0;
                break;
            }
            memcpy(shape->text + used, normal + s->ret->places[i].key, size);
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
    s->keys[s->key_count++] = shape->hash[i];
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

/* Behind a plain string at an opening quote; NULL: it is not one for sure. */
static inline const unsigned char *plain_string_end(const unsigned char *p, const unsigned char *end)
{
    const unsigned char *quote = json_plain_end(p + 1, end);
    return quote < end && *quote == '"' && quote - p <= JSON_MAX_STRING ? quote + 1 : NULL;
}

/*
 * At a name of the outermost object: over as many members as have the name that is expected, a plain
 * value and another member behind them; no blanks. That is nearly all of most objects.
 */
static inline void scan_expected(struct scanner *s)
{
    const struct json_shape *shape = s->shape;
    const unsigned char *p = s->p, *const end = s->end;
    struct json_place *place = s->place_depth == 1 ? &s->ret->places[s->ret->place_count] : NULL;
    uint32_t offset = (uint32_t)s->out_size, i = s->key_count;
    size_t from = i > 0 ? shape->end[i - 1] : 0;
    for (; i + 1 < shape->count; i++) {
        size_t size = shape->end[i] - from;
        if (!json_same(p, end, shape->text + from, size)) {
            break;
        }
        const unsigned char *value = p + size, *behind = NULL;
        if (value < end && *value == '"') {
            behind = plain_string_end(value, end);
        } else if (value < end && *value >= '1' && *value <= '9') {
            behind = plain_integer_end(value, end);
        }
        if (!behind || behind == end || *behind != ',') {
            s->spaced = value < end && is_blank(*value);
            break;
        }
        if (place) {
            place->key = offset + (uint32_t)(p - s->run);
            place->key_size = (uint32_t)size - 1;
            place->value = place->key + (uint32_t)size;
            place->value_size = (uint32_t)(behind - value);
            place->escapes = false;
            place++;
        }
        s->keys[i] = shape->hash[i];
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

static bool scan_key(struct scanner *s)
{
    if (s->guess && s->depth == 1) {
        if (guess_key(s)) {
            return true;
        }
        s->guess = false;
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
