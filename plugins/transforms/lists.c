/* See lists.h. */
#include "plugins/transforms/lists.h"

#include <stdio.h>
#include <string.h>

struct text text_trim(struct text text)
{
    while (text.size > 0 && (unsigned char)text.data[0] <= ' ') {
        text.data++;
        text.size--;
    }
    while (text.size > 0 && (unsigned char)text.data[text.size - 1] <= ' ') {
        text.size--;
    }
    return text;
}

bool text_is(struct text text, const char *literal)
{
    return strlen(literal) == text.size && memcmp(text.data, literal, text.size) == 0;
}

bool list_next(const char **cursor, struct text *ret_item)
{
    const char *at = *cursor;
    if (!at) {
        return false;
    }
    const char *comma = strchr(at, ',');
    struct text item = text_trim((struct text){at, comma ? (size_t)(comma - at) : strlen(at)});
    *cursor = comma ? comma + 1 : NULL;
    *ret_item = item;
    return true;
}

bool separated_next(const char **cursor, const char *separator, struct text *ret_part)
{
    const char *at = *cursor;
    if (!at || !*at) {
        return false;
    }
    const char *next = strstr(at, separator);
    *ret_part = (struct text){at, next ? (size_t)(next - at) : strlen(at)};
    *cursor = next ? next + strlen(separator) : NULL;
    return true;
}

void list_print(const char *list, char *out, size_t size)
{
    size_t used = 0;
    struct text item;
    const char *separator = "[";
    while (used < size && list_next(&list, &item)) {
        int written =
            snprintf(out + used, size - used, "%s%.*s", separator, (int)item.size, item.data);
        used += written > 0 ? (size_t)written : 0;
        separator = ", ";
    }
    if (used < size) {
        snprintf(out + used, size - used, "%s]", used == 0 ? "[" : "");
    }
}

size_t split_colons(struct text text, struct text *parts, size_t limit)
{
    size_t found = 0, kept = 0;
    const char *at = text.data, *end = text.data + text.size;
    for (;;) {
        const char *colon = memchr(at, ':', (size_t)(end - at));
        const char *stop = colon ? colon : end;
        if (found < limit) {
            parts[found] = (struct text){at, (size_t)(stop - at)};
        }
        found++;
        kept = stop > at ? found : kept;
        if (!colon) {
            break;
        }
        at = colon + 1;
    }
    /* a text without any colon is its only part, empty or not */
    return found == 1 ? 1 : kept;
}
