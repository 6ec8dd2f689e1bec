#include "lib/java/properties_text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/utf8.h"

/* All of the syntax is ASCII, so a logical line is kept as UTF-8 and split by bytes. */
struct reader {
    const char *next, *end;
    enum properties_charset charset;
    struct buffer line; /* logical line, still escaped */
    struct buffer key, value;
    size_t line_number; /* of `next`, from 1 */
    size_t start_line;  /* where the logical line began */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\f';
}

static bool is_line_end(char c)
{
    return c == '\n' || c == '\r';
}

/** Steps over CR, LF or CR LF. */
static void skip_line_end(struct reader *reader)
{
    char c = *reader->next++;
    if (c == '\r' && reader->next < reader->end && *reader->next == '\n') {
        reader->next++;
    }
    reader->line_number++;
}

/** Appends the character at `next` as UTF-8 and steps over it. */
static void take_character(struct reader *reader)
{
    unsigned char c = (unsigned char)*reader->next;
    if (c < 0x80) {
        buffer_append_char(&reader->line, *reader->next++);
        return;
    }
    char utf8[4];
    uint32_t code = c;
    if (reader->charset == PROPERTIES_LATIN1) {
        reader->next++;
    } else {
        code = utf8_decode_lossy(&reader->next, reader->end);
    }
    buffer_append(&reader->line, utf8, utf8_encode(utf8, code));
}

/**
 * Reads one logical line: blank lines and comments before it are skipped, continued lines joined
 * without the blanks they begin with. False: nothing is left.
 */
static bool read_line(struct reader *reader)
{
    buffer_reset(&reader->line);
    bool skip_blanks = true, continued = false, backslash = false;
    reader->start_line = reader->line_number;
    while (reader->next < reader->end) {
        char c = *reader->next;
        if (skip_blanks) {
            if (is_blank(c)) {
                reader->next++;
                continue;
            }
            if (!continued && is_line_end(c)) {
                skip_line_end(reader);
                continue;
            }
            skip_blanks = continued = false;
        }
        if (reader->line.size == 0) {
            reader->start_line = reader->line_number;
            if (c == '#' || c == '!') {
                while (reader->next < reader->end && !is_line_end(*reader->next)) {
                    reader->next++;
                }
                skip_blanks = true;
                continue;
            }
        }
        if (!is_line_end(c)) {
            take_character(reader);
            backslash = c == '\\' && !backslash;
            continue;
        }
        bool last = reader->next + 1 == reader->end; /* Java looks behind CR alone, not CR LF */
        skip_line_end(reader);
        if (reader->line.size == 0) {
            skip_blanks = true;
        } else if (!backslash || last) {
            break;
        } else {
            reader->line.size--;
            skip_blanks = continued = true;
            backslash = false;
        }
    }
    if (reader->line.size == 0) {
        return false;
    }
    if (backslash) {
        reader->line.size--; /* nothing follows that it could escape or continue */
    }
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/** Four digits behind `\u`; -1 where they are not there. */
static int32_t hex_unit(const char *text, const char *end)
{
    if (end - text < 4) {
        return -1;
    }
    int32_t unit = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(text[i]);
        if (digit < 0) {
            return -1;
        }
        unit = unit * 16 + digit;
    }
    return unit;
}

static void append_code(struct buffer *to, uint32_t code)
{
    char utf8[4];
    buffer_append(to, utf8, utf8_encode(utf8, code));
}

/** Takes the escapes out. False: a malformed one. */
static bool unescape(const char *text, const char *end, struct buffer *to)
{
    buffer_reset(to);
    uint32_t high = 0; /* first half of a surrogate pair, waiting for the second */
    while (text < end) {
        int32_t unit = -1;
        char c = *text++;
        if (c == '\\' && text < end) {
            c = *text++;
            if (c == 'u') {
                unit = hex_unit(text, end);
                if (unit < 0) {
                    return false;
                }
                text += 4;
            } else {
                c = c == 't' ? '\t' : c == 'r' ? '\r' : c == 'n' ? '\n' : c == 'f' ? '\f' : c;
            }
        }
        if (high && unit >= 0xDC00 && unit <= 0xDFFF) {
            append_code(to, 0x10000 + ((high - 0xD800) << 10) + ((uint32_t)unit - 0xDC00));
            high = 0;
            continue;
        }
        if (high) {
            buffer_append_char(to, '?');
            high = 0;
        }
        if (unit < 0) {
            buffer_append_char(to, c);
        } else if (unit >= 0xD800 && unit <= 0xDBFF) {
            high = (uint32_t)unit;
        } else if (unit >= 0xDC00 && unit <= 0xDFFF) {
            buffer_append_char(to, '?');
        } else {
            append_code(to, (uint32_t)unit);
        }
    }
    if (high) {
        buffer_append_char(to, '?');
    }
    return true;
}

/** Splits the logical line; false: a malformed escape. */
static bool split_line(struct reader *reader)
{
    const char *line = reader->line.data, *end = line + reader->line.size;
    const char *key_end = line;
    bool backslash = false, separator = false;
    while (key_end < end) {
        char c = *key_end;
        if (!backslash && (c == '=' || c == ':' || is_blank(c))) {
            break;
        }
        backslash = c == '\\' && !backslash;
        key_end++;
    }
    const char *value = key_end;
    while (value < end) {
        if (!separator && (*value == '=' || *value == ':')) {
            separator = true;
        } else if (!is_blank(*value)) {
            break;
        }
        value++;
    }
    return unescape(line, key_end, &reader->key) && unescape(value, end, &reader->value);
}

static const char *text_of(const struct buffer *buffer)
{
    return buffer->size ? buffer->data : "";
}

enum properties_status properties_text_parse(const char *data, size_t size,
                                             enum properties_charset charset,
                                             properties_pair_fn on_pair, void *user,
                                             size_t *ret_line)
{
    struct reader reader = {.next = data, .end = data + size, .charset = charset, .line_number = 1};
    enum properties_status status = PROPERTIES_OK;
    if (size > PROPERTIES_TEXT_MAX) {
        status = PROPERTIES_TOO_LONG; /* invariant 5: memory is bounded */
        reader.start_line = 1;
        goto out;
    }
    buffer_init(&reader.line, PROPERTIES_LINE_MAX);
    buffer_init(&reader.key, PROPERTIES_LINE_MAX);
    buffer_init(&reader.value, PROPERTIES_LINE_MAX);
    while (status == PROPERTIES_OK && read_line(&reader)) {
        if (reader.line.failed) {
            status = reader.line.size + 4 > PROPERTIES_LINE_MAX ? PROPERTIES_TOO_LONG
                                                                : PROPERTIES_NO_MEMORY;
        } else if (!split_line(&reader)) {
            status = PROPERTIES_MALFORMED_ESCAPE;
        } else if (reader.key.failed || reader.value.failed) {
            status = PROPERTIES_NO_MEMORY;
        } else if (on_pair(user, text_of(&reader.key), reader.key.size, text_of(&reader.value),
                           reader.value.size, reader.start_line)) {
            status = PROPERTIES_STOPPED;
        }
    }
out:
    if (ret_line) {
        *ret_line = reader.start_line;
    }
    buffer_finish(&reader.line);
    buffer_finish(&reader.key);
    buffer_finish(&reader.value);
    return status;
}

void properties_text_append(struct buffer *out, const char *text, bool key)
{
    for (const char *p = text; *p; p++) {
        unsigned char c = (unsigned char)*p;
        if (c == '\n') {
            (void)buffer_append_text(out, "\\n");
        } else if (c == '\r') {
            (void)buffer_append_text(out, "\\r");
        } else if (c == '\t') {
            (void)buffer_append_text(out, "\\t");
        } else if (c == '\f') {
            (void)buffer_append_text(out, "\\f");
        } else if (c >= 0x80) { /* read as Latin-1: every character by its number */
            unsigned code = c >= 0xf0 ? c & 0x07u : c >= 0xe0 ? c & 0x0fu : c & 0x1fu;
            for (int more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1; more > 0 && p[1]; more--) {
                code = code << 6 | ((unsigned char)*++p & 0x3fu);
            }
            if (code > 0xffff) {
                (void)buffer_printf(out, "\\u%04X", 0xd800 + ((code - 0x10000) >> 10));
                code = 0xdc00 + ((code - 0x10000) & 0x3ff);
            }
            (void)buffer_printf(out, "\\u%04X", code);
        } else {
            bool special = c == '\\' || (c == ' ' && (key || p == text)) ||
                           (key && strchr("=:#!", c));
            (void)buffer_printf(out, "%s%c", special ? "\\" : "", c);
        }
    }
}
