/* Names of tables and columns. */
#include "connectors/sql/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_SIZE = 1000 };

/* One part up to a dot or the end; *at moves behind it. NULL: not closed, empty, or no memory. */
static char *read_part(const char **at)
{
    const char *text = *at;
    char *part = malloc(strlen(text) + 1), *to = part;
    if (!part) {
        return NULL;
    }
    if (*text == '"' || *text == '`') {
        char quote = *text++;
        while (*text && (*text != quote || text[1] == quote)) {
            text += *text == quote;
            *to++ = *text++;
        }
        if (*text != quote) {
            free(part);
            return NULL;
        }
        text++;
    } else {
        while (*text && *text != '.') {
            *to++ = *text++;
        }
    }
    *to = '\0';
    if (to == part || (*text && *text != '.')) {
        free(part);
        return NULL;
    }
    *at = text;
    return part;
}

int sql_name_parse(const char *text, struct sql_name *name, char *message, size_t message_size)
{
    char *parts[3] = {NULL, NULL, NULL};
    size_t count = 0;
    const char *at = text;
    memset(name, 0, sizeof(*name));
    if (strlen(text) > NAME_MAX_SIZE) {
        snprintf(message, message_size, "the table's name is longer than %d bytes", NAME_MAX_SIZE);
        return -1;
    }
    do {
        at += count > 0;
        parts[count] = read_part(&at);
    } while (parts[count++] && count < 3 && *at == '.');
    if (!parts[count - 1] || *at) {
        for (size_t i = 0; i < count; i++) {
            free(parts[i]);
        }
        snprintf(message, message_size,
                 "'%.100s' is no table's name: up to three parts with dots between, each of at least "
                 "one character; a part with dots stands in double quotes",
                 text);
        return -1;
    }
    name->table = parts[count - 1];
    name->schema = count > 1 ? parts[count - 2] : NULL;
    name->catalog = count > 2 ? parts[0] : NULL;
    return 0;
}

void sql_name_finish(struct sql_name *name)
{
    free(name->catalog);
    free(name->schema);
    free(name->table);
    memset(name, 0, sizeof(*name));
}

void sql_identifier_write(struct buffer *to, const char *text, size_t size, const char *quote)
{
    buffer_append_text(to, quote);
    for (size_t i = 0; i < size; i++) {
        if (*quote && text[i] == *quote) {
            buffer_append_char(to, *quote);
        }
        buffer_append_char(to, text[i]);
    }
    buffer_append_text(to, quote);
}

void sql_name_write(struct buffer *to, const struct sql_name *name, const char *quote)
{
    const char *parts[] = {name->catalog, name->schema, name->table};
    bool first = true;
    for (size_t i = 0; i < 3; i++) {
        if (parts[i]) {
            if (!first) {
                buffer_append_char(to, '.');
            }
            sql_identifier_write(to, parts[i], strlen(parts[i]), quote);
            first = false;
        }
    }
}

char *sql_name_text(const struct sql_name *name)
{
    struct buffer text;
    buffer_init(&text, 4 * NAME_MAX_SIZE);
    sql_name_write(&text, name, "");
    return buffer_take(&text);
}
