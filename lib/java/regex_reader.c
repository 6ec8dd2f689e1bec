/* Reading a pattern as java.util.regex.Pattern reads it, and saying where it is wrong. */
#include "lib/java/regex_parser.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/utf8.h"

#define DEPTH_MAX 200
#define BEHIND                                                                                     \
    4 /* how far the cursor may go beyond the last character; regex_load() makes room              \
       */

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
            uint32_t code = utf8_decode_lossy(&p, end);
            buffer_append_char(&text, code == '\t' ? '\t' : ' ');
            if (code > 0xFFFF && ++i < index) {
                buffer_append_char(&text, ' ');
            }
        }
        buffer_append_char(&text, '^');
    }
    error->java_class = "java.util.regex.PatternSyntaxException";
    snprintf(error->message, sizeof(error->message), "%s", text.failed ? reason : text.data);
    utf8_trim(error->message, strlen(error->message));
    buffer_finish(&text);
    longjmp(parser->failed, 1);
}

static bool is_space(int32_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
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

/* -- loading -- */

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
        if (c >= 128 || regex_is_letter(c)) {
            to[j++] = c;
        } else if (regex_is_digit(c)) {
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

bool regex_load(struct regex_parser *parser)
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
