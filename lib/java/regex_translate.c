/* Pattern's grammar: alternatives, groups, quantifiers, escapes. Classes are in regex_class.c. */
#include "lib/java/regex_translate.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/java/regex_parser.h"
#include "lib/java/utf8.h"

#define DEPTH_MAX 200
#define REPETITION_MAX 65535 /* PCRE's */
#define UNBOUNDED (-1)
#define BEHIND 4 /* how far the cursor may go beyond the last character; load() makes room */

/* Expressions for what both dialects see differently. */
#define LINE_ENDS "\\n\\r\\x{85}\\x{2028}\\x{2029}"
#define NEGATED_LINE_END "[^" LINE_ENDS "]"
#define WORD "[\\p{L}\\p{Nd}\\p{Mn}_]"
#define UNICODE_WORD "[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\x{200C}\\x{200D}]"
#define BOUNDARY(word) "(?:(?<=" word ")(?!" word ")|(?<!" word ")(?=" word "))"
#define NO_BOUNDARY(word) "(?:(?<=" word ")(?=" word ")|(?<!" word ")(?!" word "))"
/* At the end, or before a line end that is the last; never between CR and LF. */
#define LAST_LINE_END                                                                              \
    "(?:\\z|(?=\\r\\n\\z)|(?=[\\r\\x{85}\\x{2028}\\x{2029}]\\z)|(?<!\\r)(?=\\n\\z))"
#define ANY_LINE_END "(?:\\z|(?=[\\r\\x{85}\\x{2028}\\x{2029}])|(?<!\\r)(?=\\n))"
#define LINE_START "(?:\\A|(?:(?<=[\\n\\x{85}\\x{2028}\\x{2029}])|(?<=\\r)(?!\\n))(?!\\z))"

static void expression(struct regex_parser *parser, bool behind);

/* -- reading -- */

void regex_fail(struct regex_parser *parser, const char *format, ...)
{
    struct regex_error *error = parser->error;
    int index = parser->cursor - 1;
    struct buffer text;
    buffer_init(&text, sizeof(error->message) * 4);
    char reason[256];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof(reason), format, args);
    va_end(args);
    buffer_append_text(&text, reason);
    if (index >= 0) {
        buffer_printf(&text, " near index %d", index);
    }
    buffer_printf(&text, "\n%s", parser->pattern);
    const char *p = parser->pattern, *end = p + strlen(p);
    int length = 0; /* in UTF-16, as String.length() */
    while (p < end) {
        length += utf8_decode_lossy(&p, end) > 0xFFFF ? 2 : 1;
    }
    if (index >= 0 && index < length) {
        buffer_append_char(&text, '\n');
        p = parser->pattern;
        for (int i = 0; i < index && p < end; i++) {
            buffer_append_char(&text, utf8_decode_lossy(&p, end) == '\t' ? '\t' : ' ');
        }
        buffer_append_char(&text, '^');
    }
    error->java_class = "java.util.regex.PatternSyntaxException";
    snprintf(error->message, sizeof(error->message), "%s", text.failed ? reason : text.data);
    buffer_finish(&text);
    longjmp(parser->failed, 1);
}

static bool is_space(int32_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(int32_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(int32_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_hex(int32_t c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static int32_t hex_value(int32_t c)
{
    return is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10;
}

/** Moves the cursor over blanks and comments, if flag x says so, and gives the character there. */
static int32_t settle(struct regex_parser *parser)
{
    const int32_t *text = parser->text;
    if (!(parser->flags & FLAG_COMMENTS)) {
        return text[parser->cursor];
    }
    while (is_space(text[parser->cursor]) || text[parser->cursor] == '#') {
        if (text[parser->cursor] != '#') {
            parser->cursor++;
            continue;
        }
        int32_t c = text[++parser->cursor];
        while (c && c != '\n' &&
               ((parser->flags & FLAG_UNIX_LINES) ||
                (c != '\r' && c != 0x85 && c != 0x2028 && c != 0x2029))) {
            c = text[++parser->cursor];
        }
    }
    return text[parser->cursor];
}

int32_t regex_peek(struct regex_parser *parser)
{
    return settle(parser);
}

/** Behind the end stays behind the end: zeros are there. */
static void advance(struct regex_parser *parser, int by)
{
    parser->cursor += by;
    if (parser->cursor > parser->size + BEHIND) {
        parser->cursor = parser->size + BEHIND;
    }
}

int32_t regex_read(struct regex_parser *parser)
{
    int32_t c = settle(parser);
    advance(parser, 1);
    return c;
}

int32_t regex_next(struct regex_parser *parser)
{
    advance(parser, 1);
    return settle(parser);
}

int32_t regex_next_escaped(struct regex_parser *parser)
{
    advance(parser, 1);
    return parser->text[parser->cursor];
}

int32_t regex_skip(struct regex_parser *parser)
{
    int32_t c = parser->cursor < parser->size ? parser->text[parser->cursor + 1] : 0;
    advance(parser, 2);
    return c;
}

void regex_enter(struct regex_parser *parser)
{
    if (++parser->depth > DEPTH_MAX) {
        regex_fail(parser, "Not supported here: groups are nested more than %d deep", DEPTH_MAX);
    }
}

void regex_leave(struct regex_parser *parser)
{
    parser->depth--;
}

static void emit(struct regex_parser *parser, const char *text)
{
    buffer_append_text(parser->out, text);
}

/* -- escapes -- */

static int32_t octal(struct regex_parser *parser)
{
    int32_t value = regex_read(parser) - '0';
    if (value < 0 || value > 7) {
        regex_fail(parser, "Illegal octal escape sequence");
    }
    for (int digits = 1; digits < 3 && value < 32; digits++) {
        int32_t c = regex_peek(parser);
        if (c < '0' || c > '7') {
            break;
        }
        value = value * 8 + regex_read(parser) - '0';
    }
    return value;
}

static int32_t hexadecimal(struct regex_parser *parser)
{
    int32_t c = regex_read(parser);
    if (is_hex(c)) {
        int32_t low = regex_read(parser);
        if (is_hex(low)) {
            return hex_value(c) * 16 + hex_value(low);
        }
    } else if (c == '{' && is_hex(regex_peek(parser))) {
        int32_t value = 0;
        while (is_hex(c = regex_read(parser))) {
            value = value * 16 + hex_value(c);
            if (value > 0x10FFFF) {
                regex_fail(parser, "Hexadecimal codepoint is too big");
            }
        }
        if (c != '}') {
            regex_fail(parser, "Unclosed hexadecimal escape sequence");
        }
        return value;
    }
    regex_fail(parser, "Illegal hexadecimal escape sequence");
}

static int32_t four_digits(struct regex_parser *parser)
{
    int32_t value = 0;
    for (int i = 0; i < 4; i++) {
        int32_t c = regex_read(parser);
        if (!is_hex(c)) {
            regex_fail(parser, "Illegal Unicode escape sequence");
        }
        value = value * 16 + hex_value(c);
    }
    return value;
}

static int32_t unicode(struct regex_parser *parser)
{
    int32_t high = four_digits(parser);
    if (high >= 0xD800 && high <= 0xDBFF) {
        int back = parser->cursor;
        if (regex_read(parser) == '\\' && regex_read(parser) == 'u') {
            int32_t low = four_digits(parser);
            if (low >= 0xDC00 && low <= 0xDFFF) {
                return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
            }
        }
        parser->cursor = back;
    }
    return high;
}

/** \N{..}: the names themselves are not known here. */
_Noreturn static void named_character(struct regex_parser *parser)
{
    if (regex_read(parser) != '{') {
        regex_fail(parser, "Illegal character name escape sequence");
    }
    char name[128];
    size_t size = 0;
    for (int32_t c; (c = regex_read(parser)) != '}';) {
        if (parser->cursor >= parser->size) {
            regex_fail(parser, "Unclosed character name escape sequence");
        }
        if (size + 5 < sizeof(name)) {
            size += utf8_encode(name + size, (uint32_t)c);
        }
    }
    name[size] = '\0';
    regex_fail(parser, "Unknown character name [%s]", name);
}

/** Name up to `>`; first is its first character. */
static void group_name(struct regex_parser *parser, int32_t first, char name[128])
{
    if (!is_letter(first)) {
        regex_fail(parser, "capturing group name does not start with a Latin letter");
    }
    size_t size = 0;
    int32_t c = first;
    do {
        if (size + 1 == 128) {
            regex_fail(parser, "Not supported here: name of a group is too long");
        }
        name[size++] = (char)c;
        c = regex_read(parser);
    } while (is_letter(c) || is_digit(c));
    name[size] = '\0';
    if (c != '>') {
        regex_fail(parser, "named capturing group is missing trailing '>'");
    }
}

static bool name_known(const struct regex_parser *parser, const char *name)
{
    for (size_t at = 0; at < parser->names.size; at += strlen(parser->names.data + at) + 1) {
        if (strcmp(parser->names.data + at, name) == 0) {
            return true;
        }
    }
    return false;
}

static void emit_reference(struct regex_parser *parser, const char *target)
{
    /* Without u, Java folds ASCII letters only; PCRE folds all there are, in references alone. */
    buffer_printf(parser->out, parser->flags & FLAG_CASE ? "(?i:\\k%s)" : "(?:\\k%s)", target);
}

/** \1..: further digits count as long as such a group has begun. */
static void numbered_reference(struct regex_parser *parser, int number)
{
    for (int32_t c; is_digit(c = regex_peek(parser)); regex_read(parser)) {
        if (number * 10 + (c - '0') > parser->groups) {
            break;
        }
        number = number * 10 + (c - '0');
    }
    if (number > parser->total_groups) {
        emit(parser, "(?!)"); /* a group that is nowhere matches nothing */
    } else {
        buffer_printf(parser->out, parser->flags & FLAG_CASE ? "(?i:\\g{%d})" : "(?:\\g{%d})",
                      number);
    }
}

static void named_reference(struct regex_parser *parser)
{
    char name[128], target[132];
    if (regex_read(parser) != '<') {
        regex_fail(parser, "\\k is not followed by '<' for named capturing group");
    }
    group_name(parser, regex_read(parser), name);
    if (!name_known(parser, name)) {
        regex_fail(parser, "named capturing group <%s> does not exist", name);
    }
    snprintf(target, sizeof(target), "<%s>", name);
    emit_reference(parser, target);
}

/** Anchors and the like, which no class may hold. False: it is none of them. */
static bool anchor(struct regex_parser *parser, int32_t c)
{
    bool unicode_words = parser->flags & FLAG_UNICODE_CLASS;
    switch (c) {
    case 'A':
        emit(parser, "(?:\\A)");
        return true;
    case 'B':
        emit(parser, unicode_words ? NO_BOUNDARY(UNICODE_WORD) : NO_BOUNDARY(WORD));
        return true;
    case 'b':
        if (parser->text[parser->cursor] == '{') {
            regex_fail(parser, "Not supported here: \\b{g}");
        }
        emit(parser, unicode_words ? BOUNDARY(UNICODE_WORD) : BOUNDARY(WORD));
        return true;
    case 'G':
        emit(parser, "(?:\\G)");
        return true;
    case 'R':
        emit(parser, "(?:\\r\\n|[\\n-\\r\\x{85}\\x{2028}\\x{2029}])");
        return true;
    case 'X':
        emit(parser, "(?:\\X)");
        return true;
    case 'Z':
        emit(parser, parser->flags & FLAG_UNIX_LINES ? "(?:\\z|(?=\\n\\z))" : LAST_LINE_END);
        return true;
    case 'z':
        emit(parser, "(?:\\z)");
        return true;
    case 'k':
        named_reference(parser);
        return true;
    default:
        if (c >= '1' && c <= '9') {
            numbered_reference(parser, c - '0');
            return true;
        }
        return false;
    }
}

int32_t regex_escape(struct regex_parser *parser, bool in_class, bool is_range,
                     const char **ret_items, bool *ret_negated)
{
    static const char horizontal[] = " \\t\\x{A0}\\x{1680}\\x{180e}\\x{2000}-\\x{200a}\\x{202f}"
                                     "\\x{205f}\\x{3000}";
    bool wide = parser->flags & FLAG_UNICODE_CLASS;
    int32_t c = regex_skip(parser);
    if (!in_class && anchor(parser, c)) {
        return ESCAPE_DONE;
    }
    if (c == 'v' && is_range) {
        return '\v'; /* as the end of a range it is the one character it used to be */
    }
    *ret_negated = c >= 'A' && c <= 'Z';
    switch (c) {
    case '0':
        return octal(parser);
    case 'D':
    case 'd':
        *ret_items = wide ? "\\p{Nd}" : "0-9";
        return ESCAPE_CLASS;
    case 'H':
    case 'h':
        *ret_items = horizontal;
        return ESCAPE_CLASS;
    case 'S':
    case 's':
        *ret_items = wide ? "\\t-\\r\\x{85}\\p{Z}" : " \\t-\\r";
        return ESCAPE_CLASS;
    case 'V':
    case 'v':
        *ret_items = "\\n-\\r\\x{85}\\x{2028}\\x{2029}";
        return ESCAPE_CLASS;
    case 'W':
    case 'w':
        *ret_items = wide ? "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\x{200C}\\x{200D}" : "a-zA-Z0-9_";
        return ESCAPE_CLASS;
    case 'N':
        named_character(parser);
    case 'a':
        return '\a';
    case 'c':
        if (parser->cursor >= parser->size) {
            regex_fail(parser, "Illegal control escape sequence");
        }
        return regex_read(parser) ^ 64;
    case 'e':
        return 27;
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case 'u':
        return unicode(parser);
    case 'x':
        return hexadecimal(parser);
    default:
        if (is_letter(c) || (c >= '1' && c <= '9')) {
            regex_fail(parser, "Illegal/unsupported escape sequence");
        }
        return c;
    }
}

/* -- atoms -- */

static void escaped_atom(struct regex_parser *parser)
{
    int32_t letter = parser->text[parser->cursor + 1];
    if (letter == 'p' || letter == 'P') {
        regex_next_escaped(parser);
        regex_property(parser);
        return;
    }
    const char *items = NULL;
    bool negated = false;
    int32_t c = regex_escape(parser, false, false, &items, &negated);
    if (c == ESCAPE_CLASS) {
        regex_predefined(parser, items, negated);
    } else if (c != ESCAPE_DONE) {
        regex_literal(parser, c);
    }
}

static void dollar(struct regex_parser *parser)
{
    bool unix_lines = parser->flags & FLAG_UNIX_LINES;
    if (parser->flags & FLAG_MULTILINE) {
        emit(parser, unix_lines ? "(?:(?=\\n)|\\z)" : ANY_LINE_END);
    } else {
        emit(parser, unix_lines ? "(?:\\z|(?=\\n\\z))" : LAST_LINE_END);
    }
}

static void caret(struct regex_parser *parser)
{
    if (!(parser->flags & FLAG_MULTILINE)) {
        emit(parser, "(?:\\A)");
    } else {
        emit(parser, parser->flags & FLAG_UNIX_LINES ? "(?:\\A|(?<=\\n)(?!\\z))" : LINE_START);
    }
}

static void dot(struct regex_parser *parser)
{
    if (parser->flags & FLAG_DOTALL) {
        emit(parser, "(?s:.)");
    } else {
        emit(parser, parser->flags & FLAG_UNIX_LINES ? "[^\\n]" : NEGATED_LINE_END);
    }
}

/* -- quantifiers -- */

/** {n}, {n,}, {n,m} behind the brace; the cursor is then behind the closing one. */
static void counted(struct regex_parser *parser, int *ret_min, int *ret_max)
{
    int32_t c = regex_skip(parser);
    if (!is_digit(c)) {
        regex_fail(parser, "Illegal repetition");
    }
    int64_t counts[2] = {0, UNBOUNDED};
    do {
        counts[0] = counts[0] * 10 + (c - '0');
        if (counts[0] > INT32_MAX) {
            regex_fail(parser, "Illegal repetition range");
        }
    } while (is_digit(c = regex_read(parser)));
    if (c == ',') {
        c = regex_read(parser);
        if (c != '}') {
            counts[1] = 0;
        }
        while (is_digit(c)) {
            counts[1] = counts[1] * 10 + (c - '0');
            if (counts[1] > INT32_MAX) {
                regex_fail(parser, "Illegal repetition range");
            }
            c = regex_read(parser);
        }
    } else {
        counts[1] = counts[0];
    }
    if (c != '}') {
        regex_fail(parser, "Unclosed counted closure");
    }
    if (counts[1] != UNBOUNDED && counts[1] < counts[0]) {
        regex_fail(parser, "Illegal repetition range");
    }
    if (counts[0] > REPETITION_MAX || counts[1] > REPETITION_MAX) {
        regex_fail(parser, "Not supported here: more than %d repetitions", REPETITION_MAX);
    }
    *ret_min = (int)counts[0];
    *ret_max = (int)counts[1];
}

/**
 * A quantifier behind an atom, if one is there. behind: the atom begins an alternative of a
 * look-behind; where such a match begins is free, so its least count says it all (unless it is
 * possessive) and keeps the look-behind as fixed in length as PCRE wants it. start, groups: where
 * the atom begins in the output, and how many groups there were before it. Gives whether the next
 * atom still begins the alternative.
 */
static bool quantifier(struct regex_parser *parser, bool behind, size_t start, int groups)
{
    int min, max;
    switch (regex_peek(parser)) {
    case '?':
        min = 0;
        max = 1;
        regex_next(parser);
        break;
    case '*':
        min = 0;
        max = UNBOUNDED;
        regex_next(parser);
        break;
    case '+':
        min = 1;
        max = UNBOUNDED;
        regex_next(parser);
        break;
    case '{':
        counted(parser, &min, &max);
        break;
    default:
        return false;
    }
    int32_t mode = regex_peek(parser);
    if (mode == '?' || mode == '+') {
        regex_next(parser);
    }
    if (max == 0 && parser->groups == groups && !parser->out->failed) {
        parser->out->size = start; /* nothing of it is left, not even a group to be counted */
        emit(parser, "(?:)");
        return behind;
    }
    if (behind && mode != '+') {
        buffer_printf(parser->out, "{%d}", min);
        return min == 0;
    }
    if (max == UNBOUNDED) {
        buffer_printf(parser->out, "{%d,}", min);
    } else {
        buffer_printf(parser->out, "{%d,%d}", min, max);
    }
    if (mode == '?' || mode == '+') {
        buffer_append_char(parser->out, (char)mode);
    }
    return false;
}

/* -- groups -- */

static unsigned flag_of(int32_t c)
{
    static const char letters[] = "idmsux";
    const char *found = c > 0 && c < 128 ? strchr(letters, (char)c) : NULL;
    if (c == 'U') {
        return FLAG_UNICODE_CLASS | FLAG_UNICODE_CASE;
    }
    return found ? 1u << (found - letters) : 0;
}

/** `(?..` with the cursor on the first flag: up to what is none. */
static void inline_flags(struct regex_parser *parser)
{
    bool off = false;
    for (int32_t c = regex_peek(parser);; c = regex_next(parser)) {
        if (c == 'c') {
            regex_fail(parser, "Not supported here: flag c (canonical equivalence)");
        }
        if (c == '-' && !off) {
            off = true;
        } else if (!flag_of(c)) {
            return;
        } else if (off) {
            parser->flags &= ~flag_of(c);
        } else {
            parser->flags |= flag_of(c);
        }
    }
}

static void begin_named_group(struct regex_parser *parser, int32_t first)
{
    char name[128];
    group_name(parser, first, name);
    if (name_known(parser, name)) {
        regex_fail(parser, "Named capturing group <%s> is already defined", name);
    }
    buffer_append(&parser->names, name, strlen(name) + 1);
    parser->groups++;
    buffer_printf(parser->out, "(?<%s>", name);
}

/** What stands behind `(?`. False: flags only, the group is over. */
static bool begin_special_group(struct regex_parser *parser, bool *ret_behind)
{
    int32_t c = regex_skip(parser);
    switch (c) {
    case ':':
    case '=':
    case '!':
    case '>':
        buffer_printf(parser->out, "(?%c", (char)c);
        return true;
    case '<':
        c = regex_read(parser);
        if (c == '=' || c == '!') {
            *ret_behind = true;
            buffer_printf(parser->out, "(?<%c", (char)c);
        } else {
            begin_named_group(parser, c);
        }
        return true;
    case '$':
    case '@':
        regex_fail(parser, "Unknown group type");
    default:
        parser->cursor--;
        inline_flags(parser);
        c = regex_read(parser);
        if (c == ')') {
            return false;
        }
        if (c != ':') {
            regex_fail(parser, "Unknown inline modifier");
        }
        emit(parser, "(?:");
        return true;
    }
}

/** A group with the cursor on its parenthesis. False: it was flags only, nothing to be repeated. */
static bool group(struct regex_parser *parser)
{
    unsigned flags = parser->flags;
    bool behind = false;
    if (regex_next(parser) == '?') {
        if (!begin_special_group(parser, &behind)) {
            return false;
        }
    } else {
        parser->groups++;
        emit(parser, "(");
    }
    regex_enter(parser);
    expression(parser, behind);
    regex_leave(parser);
    if (regex_read(parser) != ')') {
        regex_fail(parser, "Unclosed group");
    }
    parser->flags = flags;
    emit(parser, ")");
    return true;
}

/* -- sequences and alternatives -- */

/** One atom; false: flags, which cannot be repeated. */
static bool atom(struct regex_parser *parser, int32_t c)
{
    switch (c) {
    case '(':
        return group(parser);
    case '[':
        regex_class(parser);
        break;
    case '\\':
        escaped_atom(parser);
        break;
    case '^':
        regex_next(parser);
        caret(parser);
        break;
    case '$':
        regex_next(parser);
        dollar(parser);
        break;
    case '.':
        regex_next(parser);
        dot(parser);
        break;
    case '?':
    case '*':
    case '+':
        regex_next(parser);
        regex_fail(parser, "Dangling meta character '%c'", (char)c);
    case '{': /* Java repeats the empty text before it */
        emit(parser, "(?:)");
        break;
    default:
        regex_next(parser);
        regex_literal(parser, c);
    }
    return true;
}

static void sequence(struct regex_parser *parser, bool behind)
{
    for (;;) {
        int32_t c = regex_peek(parser);
        if (c == '|' || c == ')' || (c == 0 && parser->cursor >= parser->size)) {
            return;
        }
        size_t start = parser->out->size;
        int groups = parser->groups;
        if (atom(parser, c)) {
            behind = quantifier(parser, behind, start, groups);
        }
    }
}

static void expression(struct regex_parser *parser, bool behind)
{
    sequence(parser, behind);
    while (regex_peek(parser) == '|') {
        regex_next(parser);
        emit(parser, "|");
        sequence(parser, behind);
    }
}

/* -- the whole -- */

/** Pattern.RemoveQEQuoting: what \Q..\E holds is escaped instead. to has room for 3 * size + 2. */
static int remove_quotes(const int32_t *text, int size, int32_t *to)
{
    int i = 0, j;
    while (i < size - 1 && !(text[i] == '\\' && text[i + 1] == 'Q')) {
        i += text[i] == '\\' ? 2 : 1;
    }
    if (i >= size - 1) {
        memcpy(to, text, (size_t)size * sizeof(*to));
        return size;
    }
    memcpy(to, text, (size_t)i * sizeof(*to));
    j = i;
    i += 2;
    bool quoted = true, begins = true;
    while (i < size) {
        int32_t c = text[i++];
        if (c >= 128 || is_letter(c)) {
            to[j++] = c;
        } else if (is_digit(c)) {
            if (begins) { /* an escape before the quote shall not take the digit */
                to[j++] = '\\';
                to[j++] = 'x';
                to[j++] = '3';
            }
            to[j++] = c;
        } else if (c != '\\') {
            if (quoted) {
                to[j++] = '\\';
            }
            to[j++] = c;
        } else if (quoted && text[i] == 'E') {
            i++;
            quoted = false;
        } else if (quoted) {
            to[j++] = '\\';
            to[j++] = '\\';
        } else if (text[i] == 'Q') {
            i++;
            quoted = begins = true;
            continue;
        } else {
            to[j++] = c;
            if (i < size) {
                to[j++] = text[i++];
            }
        }
        begins = false;
    }
    return j;
}

/** Code points of the pattern with \Q..\E taken out; false where memory is out. */
static bool load(struct regex_parser *parser)
{
    size_t bytes = strlen(parser->pattern);
    int32_t *plain = calloc(bytes + 2, sizeof(*plain));
    parser->text =
        calloc(bytes * 5 + BEHIND + 2, sizeof(*parser->text)); /* a quoted digit is four long */
    if (!plain || !parser->text) {
        free(plain);
        return false;
    }
    int size = 0;
    for (const char *p = parser->pattern, *end = p + bytes; p < end;) {
        plain[size++] = (int32_t)utf8_decode_lossy(&p, end);
    }
    parser->size = remove_quotes(plain, size, parser->text);
    free(plain);
    return true;
}

static int translate(struct regex_parser *parser)
{
    if (setjmp(parser->failed)) {
        return -1;
    }
    parser->cursor = parser->depth = parser->groups = 0;
    parser->flags = 0;
    buffer_reset(&parser->names);
    expression(parser, false);
    if (parser->cursor != parser->size) {
        regex_fail(parser, regex_peek(parser) == ')' ? "Unmatched closing ')'"
                                                     : "Unexpected internal error");
    }
    if (parser->out->failed) {
        regex_fail(parser, "Not supported here: the pattern is too long");
    }
    return 0;
}

int regex_translate(const char *pattern, struct buffer *out, struct regex_error *error)
{
    struct regex_parser parser = {.pattern = pattern, .out = out, .error = error};
    int result = -1;
    if (strlen(pattern) > REGEX_PATTERN_MAX || !load(&parser)) {
        error->java_class = "java.util.regex.PatternSyntaxException";
        snprintf(error->message, sizeof(error->message), "Pattern is longer than %d bytes",
                 REGEX_PATTERN_MAX);
        goto out;
    }
    buffer_init(&parser.names, REGEX_PATTERN_MAX * 2);
    result = translate(&parser);
    if (result == 0) { /* again, now that references to groups that are nowhere can be told */
        parser.total_groups = parser.groups;
        buffer_reset(out);
        result = translate(&parser);
    }
out:
    free(parser.text);
    buffer_finish(&parser.names);
    return result;
}
