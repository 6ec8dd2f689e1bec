/* Bodies in and out: JSON by jansson, with Connect's answers for what is not as it should be. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/rest/request.h"

json_t *rest_body(struct rest_request *request)
{
    json_error_t why;
    json_t *body = request->body.size > 0 ? json_loadb(request->body.data, request->body.size,
                                                       JSON_DECODE_ANY | JSON_ALLOW_NUL, &why)
                                          : json_null();
    if (!body) {
        char message[JSON_ERROR_TEXT_LENGTH + 64];
        (void)snprintf(message, sizeof(message), "%s (line: %d, column: %d)", why.text, why.line,
                       why.column);
        rest_answer_error(request, 500, message);
    } else if (json_is_null(body)) {
        rest_answer_error(request, 500, NULL);
        body = NULL;
    }
    return body;
}

/* A number's text; the shortest that means the same. */
static json_t *real_text(double value)
{
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, sizeof(text), "%.*g", digits, value);
        if (strtod(text, NULL) == value) {
            break;
        }
    }
    return json_string(text);
}

static json_t *scalar(json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_STRING: /* a NUL inside would cut it short */
        return strlen(json_string_value(value)) == json_string_length(value) ? json_incref(value)
                                                                             : NULL;
    case JSON_INTEGER:
        return json_sprintf("%lld", (long long)json_integer_value(value));
    case JSON_REAL:
        return real_text(json_real_value(value));
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
            (void)snprintf(
                message, sizeof(message),
                "Cannot deserialize value of type `java.lang.String` for the key '%.200s'", name);
            rest_answer_error(request, 500, message);
            json_decref(config);
            return NULL;
        }
        json_object_set_new(config, name, text);
    }
    return config;
}
