/* Where an answer says its next page is. */
#include "connectors/http/link.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/util/buffer.h"

enum { REFERENCE_MAX = 16384 };

static const char BLANKS[] = " \t";

/* One of the relations of a rel parameter's value is `next`. */
static bool has_next(const char *value, size_t size)
{
    for (size_t i = 0; i < size;) {
        size_t begin = i;
        while (i < size && value[i] != ' ' && value[i] != '\t') {
            i++;
        }
        if (i - begin == 4 && strncasecmp(value + begin, "next", 4) == 0) {
            return true;
        }
        i += i == begin;
    }
    return false;
}

/* Parameters of a link, up to the comma behind it or the end. *ret_next: the first rel has `next`. */
static const char *read_parameters(const char *at, bool *ret_next)
{
    bool seen = false;
    *ret_next = false;
    for (;;) {
        at += strspn(at, BLANKS);
        if (*at != ';') {
            at += strcspn(at, ",");
            return at;
        }
        at += 1 + strspn(at + 1, BLANKS);
        const char *name = at;
        size_t name_size = strcspn(at, " \t=;,\"");
        at += name_size;
        at += strspn(at, BLANKS);
        if (*at != '=') {
            continue;
        }
        at += 1 + strspn(at + 1, BLANKS);
        const char *value = at;
        size_t size;
        if (*at == '"') {
            value = ++at;
            while (*at && *at != '"') {
                at += at[0] == '\\' && at[1] ? 2 : 1;
            }
            size = (size_t)(at - value);
            at += *at == '"';
        } else {
            size = strcspn(at, " \t;,");
            at += size;
        }
        if (name_size == 3 && strncasecmp(name, "rel", 3) == 0 && !seen) {
            seen = true;
            *ret_next = has_next(value, size);
        }
    }
}

char *link_next(const char *header)
{
    for (const char *at = header;;) {
        at += strspn(at, " \t,");
        if (*at != '<') {
            return NULL;
        }
        const char *uri = at + 1, *end = strchr(uri, '>');
        bool next;
        if (!end) {
            return NULL;
        }
        at = read_parameters(end + 1, &next);
        if (next) {
            return strndup(uri, (size_t)(end - uri));
        }
    }
}

bool link_is_reference(const char *text)
{
    return *text == '/' || strncasecmp(text, "http://", 7) == 0 || strncasecmp(text, "https://", 8) == 0;
}

static bool has_scheme(const char *text)
{
    size_t size = strcspn(text, ":/?#");
    return size > 0 && text[size] == ':';
}

char *link_absolute(const char *base, const char *reference)
{
    const char *host = strstr(base, "://");
    size_t scheme = host ? (size_t)(host - base) : 0;
    size_t origin = host ? scheme + 3 + strcspn(host + 3, "/?#") : 0, kept = origin;
    struct buffer url;
    if (!host) {
        return NULL;
    }
    if (strncmp(reference, "//", 2) == 0) {
        kept = scheme + 1; /* another host, as it says: compared below */
    } else if (has_scheme(reference)) {
        kept = 0;
    } else if (*reference == '?') {
        kept += strcspn(base + origin, "?#");
    } else if (*reference != '/') {
        /* In the folder of the base. */
        size_t path = strcspn(base + origin, "?#");
        while (path > 0 && base[origin + path - 1] != '/') {
            path--;
        }
        kept += path;
    }
    buffer_init(&url, REFERENCE_MAX);
    buffer_append(&url, base, kept);
    buffer_append_text(&url, kept == origin && *reference != '/' ? "/" : "");
    buffer_append(&url, reference, strcspn(reference, "#"));
    char *text = buffer_take(&url);
    if (text && (strncasecmp(text, base, origin) != 0 || !strchr("/?#", text[origin]) ||
                 strpbrk(text, " \t\r\n\\"))) {
        free(text);
        return NULL;
    }
    return text;
}
