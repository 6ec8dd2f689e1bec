#include "core/base/json_text.h"

#include <stdlib.h>
#include <string.h>

#include "lib/util/utf8.h"

json_t *json_text(const char *text)
{
    json_t *string = json_string(text);
    if (string) {
        return string;
    }
    size_t size = strlen(text), used = 0;
    char *clean = malloc(3 * size + 1); /* U+FFFD has three bytes, and may stand for one */
    for (const char *at = text; clean && at < text + size;) {
        char one[4];
        size_t length = utf8_encode(one, utf8_decode_lossy(&at, text + size));
        memcpy(clean + used, one, length);
        used += length;
    }
    string = clean ? json_stringn(clean, used) : NULL;
    free(clean);
    return string;
}
