/* Scanner for AWS' XML replies; see xml.h. */
#include "lib/aws/xml.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/utf8.h"

/* One tag: from its `<` on. False: no further tag. */
struct tag {
    size_t begin, end;      /* of `<..>` */
    const char *name;       /* local name */
    size_t name_size;
    bool closing, empty;
};

static bool next_tag(const char *xml, size_t size, size_t from, struct tag *ret_tag)
{
    for (;;) {
        const char *open = from < size ? memchr(xml + from, '<', size - from) : NULL;
        if (!open) {
            return false;
        }
        size_t begin = (size_t)(open - xml);
        const char *close = memchr(open, '>', size - begin);
        if (!close) {
            return false;
        }
        size_t end = (size_t)(close - xml) + 1;
        from = end;
        if (open[1] == '?' || open[1] == '!') {
            continue;
        }
        *ret_tag = (struct tag){.begin = begin, .end = end};
        const char *name = open + 1;
        ret_tag->closing = *name == '/';
        name += ret_tag->closing ? 1 : 0;
        size_t length = 0;
        while (name + length < close && !strchr(" \t\r\n/", name[length])) {
            length++;
        }
        const char *colon = memchr(name, ':', length);
        if (colon) {
            length -= (size_t)(colon + 1 - name);
            name = colon + 1;
        }
        ret_tag->name = name;
        ret_tag->name_size = length;
        ret_tag->empty = close[-1] == '/';
        return true;
    }
}

bool aws_xml_next(const char *xml, size_t size, size_t *cursor, const char *name,
                  const char **ret_content, size_t *ret_content_size)
{
    size_t name_size = strlen(name);
    struct tag tag;
    for (size_t at = *cursor; next_tag(xml, size, at, &tag); at = tag.end) {
        if (tag.closing || tag.name_size != name_size || memcmp(tag.name, name, name_size) != 0) {
            continue;
        }
        *ret_content = xml + tag.end;
        *ret_content_size = 0;
        if (tag.empty) {
            *cursor = tag.end;
            return true;
        }
        size_t begin = tag.end;
        int depth = 1;
        for (at = tag.end; depth > 0 && next_tag(xml, size, at, &tag); at = tag.end) {
            if (tag.name_size == name_size && memcmp(tag.name, name, name_size) == 0 && !tag.empty) {
                depth += tag.closing ? -1 : 1;
            }
        }
        if (depth > 0) {
            return false; /* cut off */
        }
        *ret_content_size = tag.begin - begin;
        *cursor = tag.end;
        return true;
    }
    return false;
}

/* Decodes the entity at text; 0: it is none, and stands for itself. */
static size_t decode_entity(const char *text, size_t size, char out[4], size_t *ret_out)
{
    static const struct {
        const char *name;
        char c;
    } entities[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
    for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++) {
        size_t length = strlen(entities[i].name);
        if (size >= length && memcmp(text, entities[i].name, length) == 0) {
            out[0] = entities[i].c;
            *ret_out = 1;
            return length;
        }
    }
    if (size < 4 || text[1] != '#') {
        return 0;
    }
    bool hex = text[2] == 'x';
    uint32_t c = 0;
    size_t i = hex ? 3 : 2;
    for (; i < size && i < 12 && text[i] != ';'; i++) {
        int digit = text[i] >= '0' && text[i] <= '9'          ? text[i] - '0'
                    : hex && text[i] >= 'a' && text[i] <= 'f' ? text[i] - 'a' + 10
                    : hex && text[i] >= 'A' && text[i] <= 'F' ? text[i] - 'A' + 10
                                                              : -1;
        if (digit < 0) {
            return 0;
        }
        c = c * (hex ? 16 : 10) + (uint32_t)digit;
    }
    if (i >= size || text[i] != ';' || c == 0 || c > 0x10FFFF) {
        return 0;
    }
    *ret_out = utf8_encode(out, c);
    return i + 1;
}

bool aws_xml_text(const char *xml, size_t size, const char *name, char *text, size_t text_size)
{
    const char *content = NULL;
    size_t content_size = 0, cursor = 0, length = 0;
    text[0] = '\0';
    if (!xml || !aws_xml_next(xml, size, &cursor, name, &content, &content_size)) {
        return false;
    }
    for (size_t i = 0; i < content_size;) {
        char decoded[4] = {content[i]};
        size_t decoded_size = 1;
        size_t used = content[i] == '&'
                          ? decode_entity(content + i, content_size - i, decoded, &decoded_size)
                          : 1;
        if (used == 0) {
            used = 1;
        }
        if (length + decoded_size >= text_size) {
            break;
        }
        memcpy(text + length, decoded, decoded_size);
        length += decoded_size;
        i += used;
    }
    text[length] = '\0';
    return true;
}

bool aws_xml_escape(const char *text, char *out, size_t out_size)
{
    size_t length = 0;
    for (; *text; text++) {
        const char *as = *text == '&'    ? "&amp;"
                         : *text == '<'  ? "&lt;"
                         : *text == '>'  ? "&gt;"
                         : *text == '"'  ? "&quot;"
                         : *text == '\'' ? "&apos;"
                                         : NULL;
        size_t size = as ? strlen(as) : 1;
        if (length + size >= out_size) {
            return false;
        }
        memcpy(out + length, as ? as : text, size);
        length += size;
    }
    out[length] = '\0';
    return true;
}
