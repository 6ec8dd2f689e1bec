/*
 * Character classes: nesting, && and negation, written as PCRE expressions that match exactly one
 * character. A plain union is one `[..]`; a nested class becomes an alternative beside it, &&
 * becomes a look-ahead before the right side, a negation of more than one `[..]` becomes (?!..)
 * before any character. All is written to the output in place, so an error leaves nothing behind.
 */
#include <stdio.h>
#include <string.h>

#include "lib/java/regex_parser.h"
#include "lib/java/regex_property.h"

/* A class being written. */
struct set {
    size_t start;      /* in out */
    bool open;         /* within a `[` */
    bool any;          /* something is in it */
    bool alternatives; /* more than one `[..]` */
};

static void emit(struct regex_parser *parser, const char *text)
{
    buffer_append_text(parser->out, text);
}

static void insert(struct regex_parser *parser, size_t at, const char *text)
{
    size_t size = strlen(text);
    struct buffer *out = parser->out;
    if (buffer_append(out, text, size) == 0) {
        memmove(out->data + at + size, out->data + at, out->size - size - at);
        memcpy(out->data + at, text, size);
    }
}

static bool is_letter(int32_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_surrogate(int32_t c)
{
    return c >= 0xD800 && c <= 0xDFFF;
}

/** i without u: ASCII letters alone are folded, by us. */
static bool folds_ascii(const struct regex_parser *parser)
{
    return (parser->flags & FLAG_CASE) && !(parser->flags & FLAG_UNICODE_CASE);
}

static bool folds_all(const struct regex_parser *parser)
{
    return (parser->flags & FLAG_CASE) && (parser->flags & FLAG_UNICODE_CASE);
}

/* -- sets -- */

/** Ends the `[..]` under way and makes place for one more expression. */
static void begin_expression(struct regex_parser *parser, struct set *set)
{
    if (set->open) {
        emit(parser, "]");
        set->open = false;
    }
    if (set->any) {
        emit(parser, "|");
    }
    set->any = set->alternatives = true;
}

static void begin_items(struct regex_parser *parser, struct set *set)
{
    if (!set->open) {
        if (set->any) {
            emit(parser, "|");
            set->alternatives = true;
        }
        emit(parser, "[");
        set->open = set->any = true;
    }
}

static void add_items(struct regex_parser *parser, struct set *set, const char *items, bool negated)
{
    if (negated) {
        begin_expression(parser, set);
        buffer_printf(parser->out, "[^%s]", items);
    } else {
        begin_items(parser, set);
        emit(parser, items);
    }
}

static void put_range(struct regex_parser *parser, int32_t low, int32_t high)
{
    if (low <= high) {
        buffer_printf(parser->out, "\\x{%X}-\\x{%X}", (unsigned)low, (unsigned)high);
    }
}

/** The other case of what of a range is ASCII letters from first to first + 25. */
static void put_folded(struct regex_parser *parser, int32_t low, int32_t high, int32_t first,
                       int32_t distance)
{
    int32_t from = low > first ? low : first;
    int32_t to = high < first + 25 ? high : first + 25;
    put_range(parser, from + distance, to + distance);
}

static void add_range(struct regex_parser *parser, struct set *set, int32_t low, int32_t high)
{
    if (is_surrogate(low) && is_surrogate(high)) {
        begin_expression(parser, set);
        emit(parser, "(?!)"); /* half a pair is in no UTF-8 text */
        return;
    }
    begin_items(parser, set);
    put_range(parser, low, high < 0xD800 ? high : 0xD7FF);
    put_range(parser, low > 0xDFFF ? low : 0xE000, high);
    if (folds_ascii(parser)) {
        put_folded(parser, low, high, 'a', 'A' - 'a');
        put_folded(parser, low, high, 'A', 'a' - 'A');
    }
}

static void finish_set(struct regex_parser *parser, struct set *set, bool negated)
{
    if (set->open) {
        emit(parser, "]");
        set->open = false;
    }
    if (set->alternatives) {
        insert(parser, set->start, negated ? "(?:(?!" : "(?:");
        emit(parser, negated ? ")(?s:.))" : ")");
    } else if (negated) {
        insert(parser, set->start + 1, "^");
    }
}

/* -- parsing: Pattern.clazz and Pattern.range -- */

static void add_property(struct regex_parser *parser, struct set *set)
{
    char items[REGEX_ITEMS_MAX];
    bool negated;
    regex_read_property(parser, items, &negated);
    add_items(parser, set, items, negated);
}

/** What an escape within a class stands for; false: it was no single character and is in the set.
 */
static bool class_escape(struct regex_parser *parser, struct set *set, bool is_range, int32_t *ret)
{
    const char *items = NULL;
    bool negated = false;
    *ret = regex_escape(parser, true, is_range, &items, &negated);
    if (*ret == ESCAPE_CLASS && set) {
        add_items(parser, set, items, negated);
    }
    return *ret >= 0;
}

static void add_element(struct regex_parser *parser, struct set *set)
{
    int32_t low = regex_peek(parser);
    if (low == '\\') {
        int32_t letter = parser->text[parser->cursor + 1];
        if (letter == 'p' || letter == 'P') {
            regex_next_escaped(parser);
            add_property(parser, set);
            return;
        }
        bool is_range = letter && parser->text[parser->cursor + 2] == '-';
        if (!class_escape(parser, set, is_range, &low)) {
            return;
        }
    } else {
        regex_next(parser);
    }
    int32_t high = low;
    if (regex_peek(parser) == '-') {
        int32_t end = parser->text[parser->cursor + 1];
        if (end != '[' && end != ']') {
            regex_next(parser);
            high = regex_peek(parser);
            if (high == '\\') {
                class_escape(parser, NULL, true, &high);
            } else {
                regex_next(parser);
            }
            if (high < low) {
                regex_fail(parser, "Illegal character range");
            }
        }
    }
    add_range(parser, set, low, high);
}

static void class_body(struct regex_parser *parser, bool consume);

/** `&&` and its right side, the cursor on the second `&`. */
static void intersect(struct regex_parser *parser, struct set *set)
{
    int32_t c = regex_next(parser);
    bool left = set->any, right = false;
    size_t right_start = parser->out->size;
    if (left) {
        finish_set(parser, set, false);
        right_start = parser->out->size;
    }
    while (c != ']' && c != '&') {
        bool nested = c == '[';
        if (!nested) {
            parser->cursor--;
        }
        if (right) { /* united with what is there */
            insert(parser, right_start, "(?:");
            emit(parser, "|");
        }
        class_body(parser, nested);
        if (right) {
            emit(parser, ")");
        }
        right = true;
        c = regex_peek(parser);
    }
    if (!left && !right) {
        regex_fail(parser, "Bad class syntax");
    }
    if (left && right) {
        insert(parser, right_start, ")");
        insert(parser, set->start, "(?=");
    }
    set->any = set->alternatives = true;
}

/** From `[`, or from the character before the first where consume is false, to its `]`. */
static void class_body(struct regex_parser *parser, bool consume)
{
    struct set set = {.start = parser->out->size};
    bool negated = false;
    regex_enter(parser);
    int32_t c = regex_next(parser);
    if (c == '^' && parser->text[parser->cursor - 1] == '[') {
        negated = true;
        regex_next(parser);
    }
    for (;;) {
        c = regex_peek(parser);
        if (c == '&' && regex_next(parser) == '&') {
            intersect(parser, &set);
            continue;
        }
        parser->cursor -= c == '&'; /* Java's way back, which may be another one among blanks */
        if (c == '[') {
            begin_expression(parser, &set);
            class_body(parser, true);
        } else if (c == 0 && parser->cursor >= parser->size) {
            regex_fail(parser, "Unclosed character class");
        } else if (c == ']' && set.any) {
            break;
        } else {
            add_element(parser, &set);
        }
    }
    if (consume) {
        regex_next(parser);
    }
    finish_set(parser, &set, negated);
    regex_leave(parser);
}

/* -- expressions for the parser -- */

void regex_class(struct regex_parser *parser)
{
    size_t start = parser->out->size;
    class_body(parser, true);
    if (folds_all(parser)) {
        insert(parser, start, "(?i:");
        emit(parser, ")");
    }
}

void regex_property(struct regex_parser *parser)
{
    char items[REGEX_ITEMS_MAX];
    bool negated;
    regex_read_property(parser, items, &negated);
    regex_predefined(parser, items, negated);
}

void regex_predefined(struct regex_parser *parser, const char *items, bool negated)
{
    buffer_printf(parser->out, "[%s%s]", negated ? "^" : "", items);
}

void regex_literal(struct regex_parser *parser, int32_t c)
{
    if (is_surrogate(c)) {
        emit(parser, "(?!)");
    } else if (folds_all(parser)) {
        buffer_printf(parser->out, "(?i:\\x{%X})", (unsigned)c);
    } else if (folds_ascii(parser) && is_letter(c)) {
        buffer_printf(parser->out, "[%c%c]", (char)(c | 0x20), (char)(c & ~0x20));
    } else if (is_letter(c) || (c >= '0' && c <= '9')) {
        buffer_append_char(parser->out, (char)c);
    } else {
        buffer_printf(parser->out, "\\x{%X}", (unsigned)c);
    }
}
