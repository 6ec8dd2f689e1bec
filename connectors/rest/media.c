/* Media types, see media.h. */
#include "connectors/rest/media.h"

#include <string.h>
#include <strings.h>

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " \t");
}

/* Behind a token (RFC 9110 §5.6.2); where there is none, the same place. */
static const char *skip_token(const char *at)
{
    while ((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9') ||
           (*at && strchr("!#$%&'*+-.^_`|~", *at))) {
        at++;
    }
    return at;
}

/* A weight: 0 to 1 with at most three places. */
static bool is_weight(const char *text, size_t size)
{
    if (size == 0 || size > 5 || (text[0] != '0' && text[0] != '1') || (size > 1 && text[1] != '.')) {
        return false;
    }
    for (size_t i = 2; i < size; i++) {
        if (text[i] < '0' || text[i] > (text[0] == '1' ? '0' : '9')) {
            return false;
        }
    }
    return true;
}

static const char *skip_value(const char *at)
{
    if (*at != '"') {
        return skip_token(at);
    }
    for (at++; *at && *at != '"'; at++) {
        if (*at == '\\' && at[1]) {
            at++;
        }
    }
    return *at ? at + 1 : at;
}

/* One media type with its parameters; behind it, or NULL. */
static const char *parse(const char *at, bool weighted, struct rest_media *ret_media)
{
    at = skip_blanks(at);
    const char *end = skip_token(at);
    ret_media->text = at;
    if (end == at) {
        return NULL;
    }
    if (*end == '/') {
        const char *subtype = end + 1;
        end = skip_token(subtype);
        if (end == subtype) {
            return NULL;
        }
    } else if (!weighted) {
        return NULL; /* of Accept, `text` means what `text/` and a star does */
    }
    ret_media->size = (size_t)(end - at);
    at = skip_blanks(end);
    while (*at == ';') {
        const char *name = skip_blanks(at + 1);
        at = skip_token(name);
        if (at == name) {
            return *at == '\0' ? at : NULL; /* a semicolon at the end is fine */
        }
        if (*at != '=') {
            return NULL;
        }
        const char *value = at + 1;
        at = skip_value(value);
        if (at == value || (weighted && (*name == 'q' || *name == 'Q') && value == name + 2 &&
                            !is_weight(value, (size_t)(at - value)))) {
            return NULL;
        }
        at = skip_blanks(at);
    }
    return *at == '\0' || *at == ',' ? at : NULL;
}

int rest_media_content(const char *header, struct rest_media *ret_media)
{
    const char *end = parse(header, false, ret_media);
    return end && *end == '\0' ? 0 : -1;
}

bool rest_media_is(const struct rest_media *media, const char *type)
{
    return media->size == strlen(type) && strncasecmp(media->text, type, media->size) == 0;
}

int rest_media_negotiate(const char *header, const char **ret_type)
{
    *ret_type = NULL;
    if (!header || !*header || strcmp(header, "*/*") == 0) {
        *ret_type = REST_TYPE_V2;
        return 0;
    }
    /* Weights do not matter: the Proxy's own type wins where it is named at all. */
    for (const char *at = header;; at++) {
        struct rest_media media;
        at = parse(at, true, &media);
        if (!at) {
            return -1;
        }
        if (rest_media_is(&media, REST_TYPE_V2) || rest_media_is(&media, "*/*") ||
            rest_media_is(&media, "application/*")) {
            *ret_type = REST_TYPE_V2;
        } else if (!*ret_type && rest_media_is(&media, REST_TYPE_JSON)) {
            *ret_type = REST_TYPE_JSON;
        }
        if (*at == '\0') {
            return 0;
        }
    }
}
