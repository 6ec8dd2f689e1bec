/* What stands behind a backslash: characters, classes, anchors, references. */
#include "lib/java/regex_parser.h"

#include <stdio.h>
#include <string.h>

#include "lib/util/utf8.h"

#define WORD "[\\p{L}\\p{Nd}\\p{Mn}_]"
#define UNICODE_WORD "[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\x{200C}\\x{200D}]"
#define BOUNDARY(word) "(?:(?<=" word ")(?!" word ")|(?<!" word ")(?=" word "))"
#define NO_BOUNDARY(word) "(?:(?<=" word ")(?=" word ")|(?<!" word ")(?!" word "))"

static bool is_hex(int32_t c)
{
    return regex_is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static int32_t hex_value(int32_t c)
{
    return regex_is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10;
}

static void emit(struct regex_parser *parser, const char *text)
{
    buffer_append_text(parser->out, text);
}

/* -- characters -- */

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

void regex_group_name(struct regex_parser *parser, int32_t first, char name[REGEX_NAME_MAX])
{
    if (!regex_is_letter(first)) {
        regex_fail(parser, "capturing group name does not start with a Latin letter");
    }
    size_t size = 0;
    int32_t c = first;
    do {
        if (size + 1 == REGEX_NAME_MAX) {
            regex_fail(parser, "Not supported here: name of a group is too long");
        }
        name[size++] = (char)c;
        c = regex_read(parser);
    } while (regex_is_letter(c) || regex_is_digit(c));
    name[size] = '\0';
    if (c != '>') {
        regex_fail(parser, "named capturing group is missing trailing '>'");
    }
}

bool regex_name_known(const struct regex_parser *parser, const char *name)
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
    for (int32_t c; regex_is_digit(c = regex_peek(parser)); regex_read(parser)) {
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
    char name[REGEX_NAME_MAX], target[REGEX_NAME_MAX + 2];
    if (regex_read(parser) != '<') {
        regex_fail(parser, "\\k is not followed by '<' for named capturing group");
    }
    regex_group_name(parser, regex_read(parser), name);
    if (!regex_name_known(parser, name)) {
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
        if (parser->text[parser->cursor] == '{' && parser->text[parser->cursor + 1] == 'g') {
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
        if (regex_is_letter(c) || (c >= '1' && c <= '9')) {
            regex_fail(parser, "Illegal/unsupported escape sequence");
        }
        return c;
    }
}
