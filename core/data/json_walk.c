#include "core/data/json_walk.h"

#include <string.h>

#include "core/data/json_text.h"

/* Behind the closing quote of the string that opens at p. */
static const char *skip_string(const char *p, const char *end)
{
    p++;
    for (;;) {
        p = (const char *)json_quote_or_escape((const unsigned char *)p, (const unsigned char *)end);
        if (*p == '"') {
            return p + 1;
        }
        p += *p == '\\' ? 2 : 1;
    }
}

static const char *skip_container(const char *p, const char *end)
{
    size_t depth = 0;
    for (;;) {
        switch (*p) {
        case '"':
            p = skip_string(p, end);
            continue;
        case '{':
        case '[':
            depth++;
            break;
        case '}':
        case ']':
            if (--depth == 0) {
                return p + 1;
            }
            break;
        default:
            break;
        }
        p++;
    }
}

static const char *skip_value(const char *p, const char *end)
{
    if (*p == '"') {
        return skip_string(p, end);
    }
    if (*p == '{' || *p == '[') {
        return skip_container(p, end);
    }
    while (p < end && *p != ',') {
        p++;
    }
    return p;
}

struct json_walk json_walk_begin(struct sluice_span container)
{
    return (struct json_walk){container.data + 1, container.data + container.size - 1};
}

bool json_walk_element(struct json_walk *walk, struct sluice_span *ret_value)
{
    if (walk->p >= walk->end) {
        return false;
    }
    const char *behind = skip_value(walk->p, walk->end);
    *ret_value = (struct sluice_span){walk->p, (size_t)(behind - walk->p)};
    walk->p = behind + 1; /* the comma */
    return true;
}

bool json_walk_member(struct json_walk *walk, struct sluice_span *ret_key,
                      struct sluice_span *ret_value)
{
    if (walk->p >= walk->end) {
        return false;
    }
    const char *colon = skip_string(walk->p, walk->end);
    *ret_key = (struct sluice_span){walk->p, (size_t)(colon - walk->p)};
    walk->p = colon + 1;
    return json_walk_element(walk, ret_value);
}

size_t json_walk_count(struct sluice_span container)
{
    struct json_walk walk = json_walk_begin(container);
    struct sluice_span key, value;
    size_t count = 0;
    if (container.data[0] == '{') {
        while (json_walk_member(&walk, &key, &value)) {
            count++;
        }
    } else {
        while (json_walk_element(&walk, &value)) {
            count++;
        }
    }
    return count;
}
