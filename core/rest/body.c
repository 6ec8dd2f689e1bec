/* Bodies in and out: JSON by jansson, with Connect's answers for what is not as it should be. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/rest/request.h"

enum { VALUES_MOST = 200000 }; /* a second of reading them, in which nobody else is served */

/* Size of the number at text as JSON writes it; 0: none. */
static size_t number_size(const char *text, size_t size)
{
    size_t i = size > 0 && text[0] == '-', from = i;
    while (i < size && isdigit((unsigned char)text[i])) {
        i++;
    }
    if (i == from || (text[from] == '0' && i > from + 1)) {
        return 0;
    }
    if (i < size && text[i] == '.') {
        from = ++i;
        while (i < size && isdigit((unsigned char)text[i])) {
            i++;
        }
        if (i == from) {
            return 0;
        }
    }
    if (i < size && (text[i] == 'e' || text[i] == 'E')) {
        i += 1 + (i + 1 < size && (text[i + 1] == '+' || text[i + 1] == '-'));
        from = i;
        while (i < size && isdigit((unsigned char)text[i])) {
            i++;
        }
        if (i == from) {
            return 0;
        }
    }
    return i == size || strchr(" \t\r\n,]}", text[i]) ? i : 0;
}

/* True for a whole number that no 64 bits hold. */
static bool is_big(const char *text, size_t size)
{
    char copy[24];
    if (memchr(text, '.', size) || memchr(text, 'e', size) || memchr(text, 'E', size)) {
        return false;
    }
    if (size >= sizeof(copy)) {
        return true;
    }
    memcpy(copy, text, size);
    copy[size] = '\0';
    errno = 0;
    (void)strtoll(copy, NULL, 10);
    return errno == ERANGE;
}

/* Puts numbers in quotes, all or the big ones: as numbers they would lose how they were written, or not
 * be read at all. mark stands before them. False where there are too many values. */
static bool quote_numbers(const struct buffer *body, bool all, const char *mark,
                          struct buffer *quoted)
{
    bool text = false;
    size_t values = 1;
    for (size_t i = 0; i < body->size; i++) {
        const char *p = body->data + i;
        size_t number = text ? 0 : number_size(p, body->size - i);
        bool begins = number > 0 && (i == 0 || strchr(" \t\r\n:,[", p[-1]));
        if (begins && (all || is_big(p, number))) {
            (void)buffer_printf(quoted, "\"%s%.*s\"", mark, (int)number, p);
            i += number - 1;
            continue;
        }
        if (begins) {
            (void)buffer_append(quoted, p, number);
            i += number - 1;
            continue;
        }
        (void)buffer_append_char(quoted, *p);
        if (text && *p == '\\' && i + 1 < body->size) {
            (void)buffer_append_char(quoted, p[1]);
            i++;
        } else if (*p == '"') {
            text = !text;
        } else if (!text && *p == ',' && ++values > VALUES_MOST) {
            return false;
        }
    }
    return true;
}

static json_t *parse(struct rest_request *request, const struct buffer *text)
{
    json_error_t why;
    size_t mark = text->size >= 3 && memcmp(text->data, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    json_t *body = text->size > mark ? json_loadb(text->data + mark, text->size - mark,
                                               JSON_DECODE_ANY | JSON_ALLOW_NUL, &why)
                                  : json_null();
    if (!body) {
        char message[JSON_ERROR_TEXT_LENGTH + 64];
        (void)snprintf(message, sizeof(message), "%s (line: %d, column: %d)", why.text, why.line,
                       why.column);
        rest_answer_error(request, 500, message);
    }
    return body;
}

static bool check_type(struct rest_request *request)
{
    bool good = request->body.size == 0 || rest_brings_json(request);
    if (!good) {
        rest_answer_error(request, 415, "HTTP 415 Unsupported Media Type");
    }
    return good;
}

static json_t *read_body(struct rest_request *request, bool all, const char *mark)
{
    struct buffer quoted;
    json_t *body = NULL;
    buffer_init(&quoted, REST_BODY_MAX * 3);
    if (check_type(request)) {
        if (quote_numbers(&request->body, all, mark, &quoted)) {
            body = parse(request, &quoted);
        } else {
            rest_answer_error(request, 413, "HTTP 413 Request Entity Too Large: more than 200000 values");
        }
    }
    buffer_finish(&quoted);
    return body;
}

/* Most resources trip over null. */
static json_t *refuse_null(struct rest_request *request, json_t *body)
{
    if (!json_is_null(body)) {
        return body;
    }
    rest_answer_error(request, 500, NULL);
    return NULL;
}

json_t *rest_body(struct rest_request *request)
{
    return refuse_null(request, read_body(request, false, "\\u0001"));
}

json_t *rest_body_of_texts(struct rest_request *request)
{
    return refuse_null(request, rest_body_of_texts_or_null(request));
}

json_t *rest_body_of_texts_or_null(struct rest_request *request)
{
    return read_body(request, true, "");
}

static json_t *scalar(json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_STRING: /* a NUL inside would cut it short */
        return strlen(json_string_value(value)) == json_string_length(value) ? json_incref(value)
                                                                             : NULL;
    case JSON_TRUE:
        return json_string("true");
    case JSON_FALSE:
        return json_string("false");
    case JSON_NULL:
        return json_null();
    default:
        return NULL;
    }
}

json_t *rest_config(struct rest_request *request, json_t *object)
{
    const char *name;
    json_t *value, *config = json_object();
    if (!json_is_object(object)) {
        rest_answer_error(request, 500,
                          object ? "Cannot deserialize a configuration: it is no object" : NULL);
        json_decref(config);
        return NULL;
    }
    json_object_foreach(object, name, value)
    {
        json_t *text = scalar(value);
        if (!text) {
            char message[512];
            (void)snprintf(message, sizeof(message),
                           json_is_string(value)
                               ? "The value of the key '%.200s' has the character U+0000 in it, which "
                                 "no configuration of sluice can have"
                               : "Cannot deserialize value of type `java.lang.String` for the key "
                                 "'%.200s'",
                           name);
            rest_answer_error(request, json_is_string(value) ? 400 : 500, message);
            json_decref(config);
            return NULL;
        }
        json_object_set_new(config, name, text);
    }
    return config;
}
