/* Texts with names in them. */
#include "connectors/http/template.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { VALUE_MAX = 1 << 20 };

/* The next `${name}`; *ret_name is NULL where the rest is plain text. Gives the plain text's size. */
static size_t next_name(const char *text, const char **ret_name, size_t *ret_size, const char **ret_rest)
{
    const char *at = text;
    *ret_name = NULL;
    while ((at = strstr(at, "${"))) {
        const char *end = strchr(at, '}');
        if (end && (at == text || at[-1] != '$')) {
            *ret_name = at + 2;
            *ret_size = (size_t)(end - at - 2);
            *ret_rest = end + 1;
            return (size_t)(at - text);
        }
        at += 2;
    }
    *ret_rest = text + strlen(text);
    return strlen(text);
}

static void append_plain(struct buffer *to, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (i + 2 < size && text[i] == '$' && text[i + 1] == '$' && text[i + 2] == '{') {
            continue;
        }
        buffer_append_char(to, text[i]);
    }
}

void template_encode(const char *text, size_t size, struct buffer *to)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c < 128 && isalnum(c)) || memchr("-._~", c, 4)) {
            buffer_append_char(to, (char)c);
        } else {
            buffer_printf(to, "%%%02X", c);
        }
    }
}

bool template_write(const char *template, bool encode, template_fn value, void *user,
                    struct buffer *to)
{
    const char *name, *rest;
    size_t name_size = 0;
    for (; *template; template = rest) {
        size_t plain = next_name(template, &name, &name_size, &rest);
        append_plain(to, template, plain);
        if (!name) {
            continue;
        }
        if (!encode) {
            if (!value(user, name, name_size, to)) {
                return false;
            }
            continue;
        }
        struct buffer raw;
        buffer_init(&raw, VALUE_MAX);
        bool known = value(user, name, name_size, &raw);
        if (raw.failed) {
            to->failed = true;
        } else if (raw.data) {
            template_encode(raw.data, raw.size, to);
        }
        buffer_finish(&raw);
        if (!known) {
            return false;
        }
    }
    return true;
}

bool template_check(const char *template, const char *const *names, char *message, size_t size)
{
    const char *name, *rest;
    size_t name_size = 0;
    for (; *template; template = rest) {
        next_name(template, &name, &name_size, &rest);
        bool known = !name;
        for (size_t i = 0; !known && names[i]; i++) {
            size_t length = strlen(names[i]);
            known = names[i][length - 1] == ':'
                        ? name_size > length && strncmp(name, names[i], length) == 0
                        : name_size == length && strncmp(name, names[i], length) == 0;
        }
        if (!known) {
            snprintf(message, size, "there is no ${%.*s} here", (int)name_size, name);
            return false;
        }
    }
    return true;
}
