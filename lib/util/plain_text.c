#include "lib/util/plain_text.h"

#include <stdbool.h>

/* The bytes of a control character at text; 0: it is none. Those past U+007F are two bytes. */
static size_t control_size(const unsigned char *text, unsigned *ret_code)
{
    bool late = text[0] == 0xC2 && text[1] >= 0x80 && text[1] < 0xA0;
    *ret_code = late ? text[1] : text[0];
    return late ? 2 : (*text < 0x20 && *text != '\t' && *text != '\n') || *text == 0x7F;
}

int plain_text_append(struct buffer *out, const char *text)
{
    const char *from = text;
    for (const char *p = text; *p;) {
        unsigned code;
        size_t control = control_size((const unsigned char *)p, &code);
        if (control > 0) {
            (void)buffer_append(out, from, (size_t)(p - from));
            (void)buffer_printf(out, "\\u%04x", code);
            from = p + control;
        } else if (*p == '[' && p > text && p[-1] == '\n') {
            (void)buffer_append(out, from, (size_t)(p - from));
            (void)buffer_append_char(out, '\t');
            from = p;
        }
        p += control > 0 ? control : 1;
    }
    return buffer_append_text(out, from);
}
