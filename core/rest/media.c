/* Media types in headers: type/subtype;name=value;name="value", and lists of them. */
#include "core/rest/media.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/util/buffer.h"

enum { PARAMETERS_MAX = 1024 };

/* One range of a list; texts point into the header. */
struct range {
    const char *type, *subtype;
    size_t type_size, subtype_size;
    const char *parameters; /* from behind the subtype */
    int quality;            /* thousandths */
};

static void skip_blanks(const char **next)
{
    *next += strspn(*next, " \t");
}

/* Size of the token at text; 0: none. */
static size_t token(const char *text)
{
    size_t size = 0;
    for (; text[size]; size++) {
        unsigned char c = (unsigned char)text[size];
        if (c <= ' ' || c >= 0x7F || strchr("()<>@,;:\\\"/[]?={}", c)) {
            break;
        }
    }
    return size;
}

/* Size of a quoted text with its quotes; 0: it does not end. */
static size_t quoted(const char *text)
{
    for (size_t size = 1; text[size]; size++) {
        if (text[size] == '\\' && text[size + 1]) {
            size++;
        } else if (text[size] == '"') {
            return size + 1;
        }
    }
    return 0;
}

/* 0 to 1 with up to three decimals, in thousandths; -1: no quality. */
static int read_quality(const char *text, size_t size)
{
    int value = 0, decimals = -1;
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '.' && decimals < 0) {
            decimals = 0;
        } else if (isdigit((unsigned char)text[i]) && decimals < 3 && value < 2) {
            value = decimals < 0 ? value * 10 + (text[i] - '0') : value;
            decimals += decimals >= 0;
        } else {
            return -1;
        }
    }
    if (size == 0 || value > 1) {
        return -1;
    }
    double fraction = strtod(text, NULL);
    return fraction > 1 ? -1 : (int)(fraction * 1000 + 0.5);
}

/* `;name=value` at *next, which is a semicolon; a lone one at the end is none. */
static bool read_parameter(const char **next, struct range *range, struct buffer *shown)
{
    (*next)++;
    skip_blanks(next);
    if (**next == ';' || **next == ',' || !**next) {
        return true;
    }
    const char *name = *next;
    size_t name_size = token(name);
    const char *value = name + name_size + 1;
    if (name_size == 0 || name[name_size] != '=') {
        return false;
    }
    size_t size = *value == '"' ? quoted(value) : token(value);
    if (size == 0) {
        return false;
    }
    *next = value + size;
    if (name_size == 1 && (*name == 'q' || *name == 'Q')) {
        range->quality = read_quality(value, size);
        return range->quality >= 0;
    }
    if (shown) {
        bool utf8 = size == 5 && strncasecmp(value, "utf-8", 5) == 0;
        (void)buffer_append_char(shown, ';');
        for (size_t i = 0; i < name_size; i++) {
            (void)buffer_append_char(shown, (char)tolower((unsigned char)name[i]));
        }
        (void)buffer_printf(shown, "=%.*s", (int)size, utf8 ? "utf-8" : value);
    }
    return true;
}

/* Parameters at *next up to the end of the range. */
static bool read_parameters(const char **next, struct range *range, struct buffer *shown)
{
    for (;;) {
        skip_blanks(next);
        if (**next != ';') {
            return true;
        }
        if (!read_parameter(next, range, shown)) {
            return false;
        }
    }
}

/* short_form: a type alone stands for all of it (`*`). */
static bool read_range(const char **next, bool short_form, struct range *range)
{
    skip_blanks(next);
    *range = (struct range){.type = *next, .type_size = token(*next), .quality = 1000};
    *next += range->type_size;
    if (range->type_size == 0 || (**next != '/' && !short_form)) {
        return false;
    }
    if (**next == '/') {
        range->subtype = *next + 1;
        range->subtype_size = token(range->subtype);
        *next = range->subtype + range->subtype_size;
        if (range->subtype_size == 0) {
            return false;
        }
    } else {
        range->subtype = "*";
        range->subtype_size = 1;
    }
    range->parameters = *next;
    return read_parameters(next, range, NULL);
}

static bool is_any(const char *text, size_t size)
{
    return size == 1 && *text == '*';
}

/* 3: the type itself, 2: `type/`*, 1: any; 0: another. */
static int fits(const struct range *range, const char *type)
{
    size_t front = strcspn(type, "/");
    const char *rest = type + front + 1;
    if (is_any(range->type, range->type_size)) {
        return 1;
    }
    if (range->type_size != front || strncasecmp(range->type, type, front) != 0) {
        return 0;
    }
    if (is_any(range->subtype, range->subtype_size)) {
        return 2;
    }
    return range->subtype_size == strlen(rest) &&
                   strncasecmp(range->subtype, rest, range->subtype_size) == 0
               ? 3
               : 0;
}

static enum rest_media of_fit(int fit)
{
    return fit == 3 ? REST_MEDIA_EXACT : fit > 0 ? REST_MEDIA_WILDCARD : REST_MEDIA_OTHER;
}

enum rest_media rest_media_content(const char *header, const char *type)
{
    struct range range;
    if (!read_range(&header, false, &range) || *header) {
        return REST_MEDIA_MALFORMED;
    }
    return of_fit(fits(&range, type));
}

enum rest_media rest_media_accept(const char *header, const char *type, char **ret_parameters)
{
    struct range best = {0};
    int best_fit = 0;
    *ret_parameters = NULL;
    if (!header || !header[strspn(header, " \t")]) {
        return REST_MEDIA_WILDCARD;
    }
    while (*header) {
        struct range range;
        if (!read_range(&header, true, &range) || (*header && *header != ',')) {
            return REST_MEDIA_MALFORMED;
        }
        header += *header == ',';
        skip_blanks(&header);
        int fit = fits(&range, type);
        if (fit > 0 && (best_fit == 0 || range.quality > best.quality ||
                        (range.quality == best.quality && fit > best_fit))) {
            best = range;
            best_fit = fit;
        }
    }
    if (best_fit == 3) {
        struct buffer shown;
        const char *parameters = best.parameters;
        buffer_init(&shown, PARAMETERS_MAX);
        if (read_parameters(&parameters, &best, &shown) && shown.size > 0) {
            *ret_parameters = buffer_take(&shown);
        }
        buffer_finish(&shown);
    }
    return of_fit(best_fit);
}
