/* Tokens and errors of Jackson, see jackson.h. Names of functions follow its parser's. */
#include "connectors/rest/jackson.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "lib/util/utf8.h"

#define VALUES "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
#define SOURCE "[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: %d"

enum { NONE = -1, NUMBER_MAX = 1000, NAME_MAX_CHARS = 50000, TOKEN_MAX = 256 };

void jackson_init(struct jackson *jackson, const char *text, size_t size)
{
    jackson->text = jackson->at = text;
    jackson->end = text + size;
    jackson->row_start = 0;
    jackson->row = 1;
    jackson->token = JACKSON_END;
    jackson->depth = 0;
    jackson->scopes[0] = (struct jackson_scope){0};
    jackson->start = text;
    jackson->size = 0;
    jackson->lazy = false;
    jackson->message[0] = '\0';
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        jackson->at += 3;
    }
}

const char *jackson_token_name(enum jackson_token token)
{
    static const char *const names[] = {
        "", "null", "START_OBJECT", "END_OBJECT", "START_ARRAY", "END_ARRAY", "FIELD_NAME",
        "VALUE_STRING", "VALUE_NUMBER_INT", "VALUE_NUMBER_FLOAT", "VALUE_TRUE", "VALUE_FALSE",
        "VALUE_NULL",
    };
    return names[token];
}

/* -- errors -- */

static int __attribute__((format(printf, 2, 3))) fail(struct jackson *jackson, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(jackson->message, sizeof(jackson->message), format, arguments);
    va_end(arguments);
    return JACKSON_ERROR;
}

static size_t encode(unsigned code, char text[5])
{
    size_t size = utf8_encode(text, code);
    text[size] = '\0';
    return size;
}

/* `'x' (code 120)`; code is one char of Java. */
static const char *describe(unsigned code, char text[48])
{
    char shown[5];
    code &= 0xffff;
    if (code < 0x20 || (code >= 0x7f && code < 0xa0)) {
        (void)snprintf(text, 48, "(CTRL-CHAR, code %u)", code);
    } else {
        (void)encode(code >= 0xd800 && code < 0xe000 ? '?' : code, shown);
        (void)snprintf(text, 48, code > 255 ? "'%s' (code %u / 0x%x)" : "'%s' (code %u)", shown, code,
                       code);
    }
    return text;
}

static int unexpected(struct jackson *jackson, int code, const char *comment)
{
    char text[48];
    return fail(jackson, "Unexpected character (%s): %s", describe((unsigned)code, text), comment);
}

static int unexpected_number(struct jackson *jackson, int code, const char *comment)
{
    char text[48];
    return fail(jackson, "Unexpected character (%s) in numeric value: %s",
                describe((unsigned)code, text), comment);
}

static int end_of_input(struct jackson *jackson, const char *where)
{
    return fail(jackson, "Unexpected end-of-input%s", where);
}

static const char *type_of(const struct jackson *jackson)
{
    return jackson->depth == 0 ? "root" : jackson->scopes[jackson->depth].array ? "Array" : "Object";
}

/* -- characters -- */

static int peek(const struct jackson *jackson)
{
    return jackson->at < jackson->end ? (unsigned char)*jackson->at : NONE;
}

static int take(struct jackson *jackson)
{
    return jackson->at < jackson->end ? (unsigned char)*jackson->at++ : NONE;
}

/* The rest of a character whose first byte was taken, as a char of Java; 0: JACKSON_ERROR. */
static unsigned decode_for_error(struct jackson *jackson, unsigned first)
{
    if (first < 0x80) {
        return first ? first : 0xfffd;
    }
    int needed = (first & 0xe0) == 0xc0 ? 1 : (first & 0xf0) == 0xe0 ? 2 : (first & 0xf8) == 0xf0 ? 3 : 0;
    if (needed == 0) {
        (void)fail(jackson, "Invalid UTF-8 start byte 0x%x", first);
        return 0;
    }
    unsigned code = first & (0x3fu >> needed);
    for (int i = 0; i < needed; i++) {
        int next = take(jackson);
        if (next == NONE || (next & 0xc0) != 0x80) {
            (void)(next == NONE ? end_of_input(jackson, " in null")
                                : fail(jackson, "Invalid UTF-8 middle byte 0x%x", (unsigned)next));
            return 0;
        }
        code = code << 6 | ((unsigned)next & 63);
    }
    return code & 0xffff ? code & 0xffff : 0xfffd;
}

static bool identifier_start(unsigned code)
{
    return (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z') || code == '$' || code == '_' ||
           (code >= 0xa2 && code <= 0xa5) || code == 0xaa || code == 0xb5 || code == 0xba ||
           (code >= 0xc0 && code <= 0xff && code != 0xd7 && code != 0xf7) ||
           (code >= 0x20a0 && code <= 0x20cf) ||
           (code > 0xff && !(code >= 0x2000 && code <= 0x2bff) && !(code >= 0x3000 && code <= 0x3004) &&
            !(code >= 0xd800 && code <= 0xf8ff) && code != 0xfffd);
}

static bool identifier_part(unsigned code)
{
    return identifier_start(code) || (code >= '0' && code <= '9') || (code >= 1 && code <= 8) ||
           (code >= 0x0e && code <= 0x1b) || (code >= 0x7f && code <= 0x9f) || code == 0xad;
}

/* `Unrecognized token 'what is there'`, beginning with what was matched. */
static int invalid_token(struct jackson *jackson, const char *matched)
{
    char token[TOKEN_MAX + 16];
    size_t size = strlen(matched), length = size;
    memcpy(token, matched, size);
    if ((matched[0] & 0x80) != 0) {
        length = 1; /* one character of Latin-1 */
    }
    for (int next; (next = take(jackson)) != NONE;) {
        unsigned code = decode_for_error(jackson, (unsigned)next);
        if (code == 0) {
            return JACKSON_ERROR;
        }
        if (!identifier_part(code)) {
            break;
        }
        if (size + 8 < sizeof(token)) {
            size += encode(code, token + size);
        }
        if (++length >= TOKEN_MAX) {
            memcpy(token + size, "...", 3);
            size += 3;
            break;
        }
    }
    return fail(jackson, "Unrecognized token '%.*s': was expecting " VALUES, (int)size, token);
}

static void new_line(struct jackson *jackson)
{
    jackson->row++;
    jackson->row_start = (size_t)(jackson->at - jackson->text);
}

/* Takes blanks and the character behind them; NONE at the end, 0 where a message was made. */
static int skip_blanks(struct jackson *jackson)
{
    char text[48];
    for (int next; (next = take(jackson)) != NONE;) {
        if (next == '/') {
            (void)unexpected(jackson, next,
                             "maybe a (non-standard) comment? (not recognized as one since Feature "
                             "'ALLOW_COMMENTS' not enabled for parser)");
            return 0;
        }
        if (next > ' ') {
            return next;
        }
        if (next == '\n') {
            new_line(jackson);
        } else if (next == '\r') {
            if (peek(jackson) == '\n') {
                jackson->at++;
            }
            new_line(jackson);
        } else if (next != ' ' && next != '\t') {
            (void)fail(jackson,
                       "Illegal character (%s): only regular white space (\\r, \\n, \\t) is allowed "
                       "between tokens",
                       describe((unsigned)next, text));
            return 0;
        }
    }
    return NONE;
}

/* -- scalars -- */

static int escape(struct jackson *jackson)
{
    char text[48];
    int code = take(jackson);
    if (code == NONE) {
        return end_of_input(jackson, " in character escape sequence");
    }
    if (strchr("btnfr\"/\\", code) && code != 0) {
        return JACKSON_STRING;
    }
    if (code != 'u') {
        unsigned shown = decode_for_error(jackson, (unsigned)code);
        return shown == 0 ? JACKSON_ERROR
                          : fail(jackson, "Unrecognized character escape %s", describe(shown, text));
    }
    for (int i = 0; i < 4; i++) {
        int digit = take(jackson);
        if (digit == NONE) {
            return end_of_input(jackson, " in character escape sequence");
        }
        if (digit == 0 || !strchr("0123456789abcdefABCDEF", digit)) {
            return unexpected(jackson, digit, "expected a hex-digit for character escape sequence");
        }
    }
    return JACKSON_STRING;
}

/* The encoding of a name is looked at once its end is found. */
static bool check_name(struct jackson *jackson)
{
    const char *behind = jackson->at;
    for (jackson->at = jackson->start; jackson->at < jackson->start + jackson->size;) {
        int code = take(jackson);
        if (code >= 0x80 && decode_for_error(jackson, (unsigned)code) == 0) {
            return false;
        }
    }
    jackson->at = behind;
    return true;
}

/* A text or name behind its opening quote. */
static int text(struct jackson *jackson, bool name)
{
    char shown[48];
    size_t length = 0;
    jackson->start = jackson->at;
    for (;; length++) {
        int code = take(jackson);
        if (code == NONE) {
            return end_of_input(jackson, !name            ? " in VALUE_STRING"
                                         : length == 0 ? ": was expecting closing '\"' for name"
                                                       : " in field name");
        }
        if (code == '"') {
            jackson->size = (size_t)(jackson->at - jackson->start) - 1;
            break;
        }
        if (code == '\\') {
            if (escape(jackson) == JACKSON_ERROR) {
                return JACKSON_ERROR;
            }
        } else if (code < 0x20) {
            return fail(jackson,
                        "Illegal unquoted character (%s): has to be escaped using backslash to be "
                        "included in %s",
                        describe((unsigned)code, shown), name ? "name" : "string value");
        } else if (code >= 0x80 && !name && decode_for_error(jackson, (unsigned)code) == 0) {
            return jackson->at == jackson->end && strncmp(jackson->message, "Unexpected end", 14) == 0
                       ? end_of_input(jackson, " in VALUE_STRING")
                       : JACKSON_ERROR;
        }
    }
    if (name && !check_name(jackson)) {
        return JACKSON_ERROR;
    }
    if (name && length > NAME_MAX_CHARS) {
        return fail(jackson,
                    "Name length (%zu) exceeds the maximum allowed (%d, from "
                    "`StreamReadConstraints.getMaxNameLength()`)",
                    length, NAME_MAX_CHARS);
    }
    return name ? JACKSON_NAME : JACKSON_STRING;
}

static size_t digits(struct jackson *jackson)
{
    size_t count = 0;
    while (peek(jackson) >= '0' && peek(jackson) <= '9') {
        jackson->at++;
        count++;
    }
    return count;
}

static int end_in_number(struct jackson *jackson)
{
    char where[32];
    (void)snprintf(where, sizeof(where), " in %s", jackson_token_name(jackson->token));
    return end_of_input(jackson, where);
}

/* A word of which so many letters were taken; -1: not this one, message made. */
static int match(struct jackson *jackson, const char *word, size_t i)
{
    char matched[12];
    while (word[i] && peek(jackson) == word[i]) {
        jackson->at++;
        i++;
    }
    int next = peek(jackson);
    memcpy(matched, word, i);
    matched[i] = '\0';
    if (word[i] == '\0') {
        if (next < '0' || next == ']' || next == '}') {
            return 0;
        }
        const char *before = jackson->at++;
        unsigned code = decode_for_error(jackson, (unsigned)next);
        if (code == 0) {
            return -1;
        }
        jackson->at = before;
        if (!identifier_part(code)) {
            return 0;
        }
    }
    (void)invalid_token(jackson, matched);
    return -1;
}

/* Behind a minus that no digit follows: -INF and -Infinity are known, and refused. */
static int not_a_number(struct jackson *jackson)
{
    int code = take(jackson);
    int second = code == 'I' ? take(jackson) : NONE;
    if (code == 'I' && (second == 'N' || second == 'n')) {
        const char *word = second == 'N' ? "-INF" : "-Infinity";
        return match(jackson, word, 3) != 0
                   ? JACKSON_ERROR
                   : fail(jackson,
                          "Non-standard token '%s': enable "
                          "`JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to allow",
                          word);
    }
    if (code == 'I' && second == NONE) {
        return end_of_input(jackson, " in a Number value");
    }
    code = code == 'I' ? second : code;
    return code == NONE ? end_in_number(jackson)
                        : unexpected_number(jackson, code,
                                            "expected digit (0-9) to follow minus sign, for valid "
                                            "numeric value");
}

static int number(struct jackson *jackson)
{
    jackson->start = jackson->at;
    bool real = false;
    if (*jackson->at == '-') {
        jackson->at++;
        if (peek(jackson) < '0' || peek(jackson) > '9') {
            return not_a_number(jackson);
        }
    }
    if (peek(jackson) == '0' && jackson->at + 1 < jackson->end && jackson->at[1] >= '0' &&
        jackson->at[1] <= '9') {
        return fail(jackson, "Invalid numeric value: Leading zeroes not allowed");
    }
    size_t length = digits(jackson);
    if (peek(jackson) == '.') {
        real = true;
        jackson->at++;
        size_t count = digits(jackson);
        if (count == 0) {
            return unexpected_number(jackson, jackson->at < jackson->end ? peek(jackson) : '.',
                                     "Decimal point not followed by a digit");
        }
        length += count;
    }
    if (peek(jackson) == 'e' || peek(jackson) == 'E') {
        real = true;
        jackson->at++;
        if (peek(jackson) == '-' || peek(jackson) == '+') {
            jackson->at++;
        }
        size_t count = digits(jackson);
        if (count == 0) {
            return jackson->at == jackson->end
                       ? end_in_number(jackson)
                       : unexpected_number(jackson, peek(jackson),
                                           "Exponent indicator not followed by a digit");
        }
        length += count;
    }
    jackson->size = (size_t)(jackson->at - jackson->start);
    if (length > NUMBER_MAX) {
        return fail(jackson,
                    "Number value length (%zu) exceeds the maximum allowed (%d, from "
                    "`StreamReadConstraints.getMaxNumberLength()`)",
                    length, NUMBER_MAX);
    }
    int next = peek(jackson);
    if (jackson->depth == 0 && next != NONE && next != ' ' && next != '\t' && next != '\r' &&
        next != '\n') {
        return unexpected(jackson, next, "Expected space separating root-level values");
    }
    return real ? JACKSON_FLOAT : JACKSON_INT;
}

static int unexpected_value(struct jackson *jackson, int code)
{
    char matched[5];
    if ((code == ']' && jackson->scopes[jackson->depth].array && jackson->depth > 0) || code == ',' ||
        code == '}') {
        return unexpected(jackson, code, "expected a value");
    }
    if (code == 'N' || code == 'I') {
        const char *word = code == 'N' ? "NaN" : "Infinity";
        return match(jackson, word, 1) != 0
                   ? JACKSON_ERROR
                   : fail(jackson,
                          "Non-standard token '%s': enable "
                          "`JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to allow",
                          word);
    }
    if (code == '+') {
        return peek(jackson) == NONE
                   ? end_of_input(jackson, " in a Number value")
                   : unexpected_number(jackson, code,
                                       "JSON spec does not allow numbers to have plus signs: enable "
                                       "`JsonReadFeature.ALLOW_LEADING_PLUS_SIGN_FOR_NUMBERS` to "
                                       "allow");
    }
    if (identifier_start((unsigned)code)) {
        (void)encode((unsigned)code, matched);
        return invalid_token(jackson, matched);
    }
    return unexpected(jackson, code, "expected a valid value " VALUES);
}

/* -- structure -- */

static int open_scope(struct jackson *jackson, bool array)
{
    if (jackson->depth == JACKSON_DEPTH_MAX) {
        return fail(jackson,
                    "Document nesting depth (%d) exceeds the maximum allowed (%d, from "
                    "`StreamReadConstraints.getMaxNestingDepth()`)",
                    JACKSON_DEPTH_MAX + 1, JACKSON_DEPTH_MAX);
    }
    size_t column = (size_t)(jackson->at - jackson->text) - jackson->row_start;
    jackson->scopes[++jackson->depth] =
        (struct jackson_scope){.array = array, .row = jackson->row, .column = column};
    return array ? JACKSON_START_ARRAY : JACKSON_START_OBJECT;
}

static int close_scope(struct jackson *jackson, int code)
{
    const struct jackson_scope *scope = &jackson->scopes[jackson->depth];
    bool array = code == ']';
    if (jackson->depth == 0) {
        return fail(jackson, "Unexpected close marker '%c': expected '%c' (for root starting at " SOURCE
                    "])", code, array ? '}' : ']', 1);
    }
    if (scope->array != array) {
        return fail(jackson, "Unexpected close marker '%c': expected '%c' (for %s starting at " SOURCE
                    ", column: %zu])", code, array ? '}' : ']', type_of(jackson), scope->row,
                    scope->column);
    }
    jackson->depth--;
    return array ? JACKSON_END_ARRAY : JACKSON_END_OBJECT;
}

/* The value that begins with code. */
static int value(struct jackson *jackson, int code)
{
    switch (code) {
    case '"':
        return jackson->lazy ? JACKSON_STRING : text(jackson, false);
    case '[':
    case '{':
        return open_scope(jackson, code == '[');
    case 't':
        return match(jackson, "true", 1) == 0 ? JACKSON_TRUE : JACKSON_ERROR;
    case 'f':
        return match(jackson, "false", 1) == 0 ? JACKSON_FALSE : JACKSON_ERROR;
    case 'n':
        return match(jackson, "null", 1) == 0 ? JACKSON_NULL : JACKSON_ERROR;
    default:
        if (code == '-' || (code >= '0' && code <= '9')) {
            jackson->at--;
            return number(jackson);
        }
        return unexpected_value(jackson, code);
    }
}

static int between(struct jackson *jackson)
{
    char where[48];
    (void)snprintf(where, sizeof(where), " within/between %s entries", type_of(jackson));
    return end_of_input(jackson, where);
}

static int name(struct jackson *jackson, int code)
{
    if (code != '"') {
        unsigned shown = decode_for_error(jackson, (unsigned)code);
        return shown == 0 ? JACKSON_ERROR
                          : unexpected(jackson, (int)shown,
                                       "was expecting double-quote to start field name");
    }
    if (text(jackson, true) == JACKSON_ERROR) {
        return JACKSON_ERROR;
    }
    code = skip_blanks(jackson);
    if (code == NONE || code == 0) {
        return code == NONE ? between(jackson) : JACKSON_ERROR;
    }
    if (code != ':') {
        return unexpected(jackson, code, "was expecting a colon to separate field name and value");
    }
    return JACKSON_NAME;
}

static int read_token(struct jackson *jackson)
{
    struct jackson_scope *scope = &jackson->scopes[jackson->depth];
    int code = skip_blanks(jackson);
    if (code == 0) {
        return JACKSON_ERROR;
    }
    if (jackson->token == JACKSON_NAME) { /* behind its colon */
        return code == NONE ? between(jackson) : value(jackson, code);
    }
    if (code == NONE) {
        return jackson->depth == 0
                   ? JACKSON_END
                   : fail(jackson,
                          "Unexpected end-of-input: expected close marker for %s (start marker at "
                          SOURCE ", column: %zu])", type_of(jackson), scope->row, scope->column);
    }
    if (code == ']' || code == '}') {
        return close_scope(jackson, code);
    }
    if (jackson->depth > 0 && scope->begun) {
        if (code != ',') {
            char comment[64];
            (void)snprintf(comment, sizeof(comment), "was expecting comma to separate %s entries",
                           type_of(jackson));
            return unexpected(jackson, code, comment);
        }
        code = skip_blanks(jackson);
        if (code == NONE || code == 0) {
            return code == NONE ? between(jackson) : JACKSON_ERROR;
        }
    }
    scope->begun = true;
    return jackson->depth > 0 && !scope->array ? name(jackson, code) : value(jackson, code);
}

enum jackson_token jackson_next(struct jackson *jackson)
{
    return jackson->token = (enum jackson_token)read_token(jackson);
}

bool jackson_skip(struct jackson *jackson)
{
    int depth = jackson->depth;
    while (jackson->depth >= depth) {
        if (jackson_next(jackson) == JACKSON_ERROR) {
            return false;
        }
    }
    return true;
}
