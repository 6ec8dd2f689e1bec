/* Percent-encoding and URLs of endpoints. No state. */
#include "lib/aws/uri.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool unreserved(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '.' || c == '_' || c == '~';
}

void aws_uri_encode(struct buffer *buffer, const char *text, size_t size, bool keep_slashes)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if (unreserved(c) || (keep_slashes && c == '/')) {
            (void)buffer_append_char(buffer, (char)c);
        } else {
            char escaped[3] = {'%', digits[c >> 4], digits[c & 15]};
            (void)buffer_append(buffer, escaped, sizeof(escaped));
        }
    }
}

void aws_uri_decode(char *text)
{
    char *to = text;
    for (const char *from = text; *from; from++) {
        unsigned byte = (unsigned char)*from;
        if (*from == '+') {
            byte = ' ';
        } else if (*from == '%' && isxdigit((unsigned char)from[1]) && isxdigit((unsigned char)from[2])) {
            (void)sscanf(from + 1, "%2x", &byte);
            from += 2;
        }
        *to++ = (char)byte;
    }
    *to = '\0';
}

bool aws_url_parse(const char *text, struct aws_url *ret_url)
{
    *ret_url = (struct aws_url){0};
    if (strncasecmp(text, "https://", 8) == 0) {
        ret_url->tls = true;
        text += 8;
    } else if (strncasecmp(text, "http://", 7) == 0) {
        text += 7;
    } else {
        return false;
    }
    for (const char *c = text; *c; c++) {
        if ((unsigned char)*c <= ' ' || *c == '?' || *c == '#' || *c == '@' || *c == 127) {
            return false;
        }
    }
    size_t authority = strcspn(text, "/");
    const char *colon = NULL;
    const char *bracket = memchr(text, ']', authority);
    for (const char *c = bracket ? bracket : text; c < text + authority; c++) {
        colon = *c == ':' ? c : colon;
    }
    size_t host = colon ? (size_t)(colon - text) : authority;
    if (host == 0 || host >= sizeof(ret_url->host)) {
        return false;
    }
    memcpy(ret_url->host, text, host);
    ret_url->port = ret_url->tls ? 443 : 80;
    if (colon && colon + 1 < text + authority) {
        char *end = NULL;
        long port = strtol(colon + 1, &end, 10);
        if (end != text + authority || port < 1 || port > 65535) {
            return false;
        }
        ret_url->port = (int)port;
    }
    if (ret_url->port == (ret_url->tls ? 443 : 80)) {
        snprintf(ret_url->authority, sizeof(ret_url->authority), "%s", ret_url->host);
    } else {
        snprintf(ret_url->authority, sizeof(ret_url->authority), "%s:%d", ret_url->host,
                 ret_url->port);
    }
    size_t path = strlen(text + authority);
    while (path > 0 && text[authority + path - 1] == '/') {
        path--;
    }
    if (path >= sizeof(ret_url->path)) {
        return false;
    }
    memcpy(ret_url->path, text + authority, path);
    return true;
}
