/* Faults of produce requests, see explain.h. */
#include "connectors/rest/explain.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connectors/rest/jackson.h"
#include "lib/java/double_text.h"

struct binder {
    struct jackson *jackson;
    struct rest_fault *fault;
    bool inside; /* the value of a member is being bound: Jackson wraps what is wrong in it */
};

enum { SHOWN_MAX = 300 };

static bool refuse(struct binder *binder, int status, const char *message)
{
    (void)rest_fault_set(binder->fault, status, status, "%s", message);
    return false;
}

/* JsonMappingExceptionMapper: cuts what tells of code, and the packages of the first name in backticks. */
static void sanitize(char *message)
{
    char *cut = strstr(message, "(for Object starting at");
    if (cut) {
        while (cut > message && cut[-1] == ' ') {
            cut--;
        }
        *cut = '\0';
    }
    char *open = strchr(message, '`');
    char *close = open ? strchr(open + 1, '`') : NULL;
    char *from = open ? open + 1 : NULL;
    for (char *at = from; close && at < close - 1; at++) {
        if (*at == '.') {
            from = at + 1;
        }
    }
    if (close && from != open + 1) {
        memmove(open + 1, from, strlen(from) + 1);
    }
}

static bool bad_token(struct binder *binder)
{
    if (binder->inside) {
        sanitize(binder->jackson->message);
    }
    return refuse(binder, 400, binder->jackson->message);
}

static bool next(struct binder *binder)
{
    return jackson_next(binder->jackson) != JACKSON_ERROR || bad_token(binder);
}

/* Behind a value of which only its syntax counts. */
static bool skip(struct binder *binder)
{
    enum jackson_token token = binder->jackson->token;
    return (token != JACKSON_START_ARRAY && token != JACKSON_START_OBJECT) ||
           jackson_skip(binder->jackson) || bad_token(binder);
}

static bool is_text(const struct binder *binder, const char *text)
{
    return binder->jackson->size == strlen(text) &&
           memcmp(binder->jackson->start, text, binder->jackson->size) == 0;
}

/* Scalar as text, escapes decoded as far as they are one byte; cut where it is long. */
static const char *shown(const struct binder *binder, char text[SHOWN_MAX + 1])
{
    const struct jackson *jackson = binder->jackson;
    size_t used = 0;
    for (size_t i = 0; i < jackson->size && used < SHOWN_MAX; i++) {
        char c = jackson->start[i];
        if (c == '\\' && i + 1 < jackson->size) {
            static const char from[] = "btnfr", to[] = "\b\t\n\f\r";
            c = jackson->start[++i];
            const char *known = strchr(from, c);
            if (c == 'u' && i + 4 < jackson->size) {
                char hex[5] = {0};
                memcpy(hex, jackson->start + i + 1, 4);
                unsigned long code = strtoul(hex, NULL, 16);
                c = code < 0x80 ? (char)code : '?';
                i += 4;
            } else if (known && c) {
                c = to[known - from];
            }
        }
        text[used++] = c;
    }
    text[used] = '\0';
    return text;
}

/* Of a value that cannot become `type` at all. */
static bool mismatch(struct binder *binder, const char *type)
{
    char message[REST_MESSAGE_MAX];
    enum jackson_token token = binder->jackson->token;
    const char *what = token == JACKSON_START_ARRAY    ? "Array"
                       : token == JACKSON_START_OBJECT ? "Object"
                       : token == JACKSON_STRING       ? "String"
                       : token == JACKSON_INT          ? "Integer"
                       : token == JACKSON_FLOAT        ? "Floating-point"
                                                       : "Boolean";
    (void)snprintf(message, sizeof(message),
                   "Cannot deserialize value of type `%s` from %s value (token `JsonToken.%s`)", type,
                   what, jackson_token_name(token));
    return refuse(binder, 400, message);
}

/* Whether a whole number fits: what Jackson makes of it. */
static const char *integer_type(const struct binder *binder)
{
    char text[SHOWN_MAX + 1], *end;
    errno = 0;
    long long number = strtoll(shown(binder, text), &end, 10);
    return errno == ERANGE || binder->jackson->size > 20            ? "BigInteger"
           : number < INT32_MIN || number > INT32_MAX ? "long/Long"
                                                      : "int/Int";
}

/* As String.trim(). */
static const char *trimmed(char *text)
{
    size_t size = strlen(text);
    while (size > 0 && (unsigned char)text[size - 1] <= ' ') {
        text[--size] = '\0';
    }
    while (*text && (unsigned char)*text <= ' ') {
        text++;
    }
    return text;
}

/* Of a scalar where an object is wanted. */
static bool no_creator(struct binder *binder, const char *type)
{
    char message[REST_MESSAGE_MAX], text[SHOWN_MAX + 1], number[JAVA_DOUBLE_TEXT_SIZE];
    const char *argument = "String", *from = "String", *value = shown(binder, text), *quote = "'";
    switch (binder->jackson->token) {
    case JACKSON_START_ARRAY:
        return mismatch(binder, type);
    case JACKSON_STRING:
        value = trimmed(text);
        if (*value == '\0') {
            (void)snprintf(message, sizeof(message),
                           "Cannot coerce empty String (\"\") to `%s` value (but could if coercion was "
                           "enabled using `CoercionConfig`)",
                           type);
            return refuse(binder, 400, message);
        }
        break;
    case JACKSON_INT:
        argument = integer_type(binder);
        from = "Number";
        quote = "";
        break;
    case JACKSON_FLOAT:
        (void)java_double_text(strtod(value, NULL), number);
        argument = "double/Double";
        from = "Number";
        quote = "";
        value = number;
        break;
    default:
        argument = "boolean/Boolean";
        from = "boolean";
        quote = "";
        value = binder->jackson->token == JACKSON_TRUE ? "true" : "false";
        break;
    }
    (void)snprintf(message, sizeof(message),
                   "Cannot construct instance of `%s` (although at least one Creator exists): no "
                   "%s-argument constructor/factory method to deserialize from %s value (%s%s%s)",
                   type, argument, from, quote, value, quote);
    return refuse(binder, 400, message);
}

/* java.lang.Integer; a text is parsed, a number with a fraction cut. */
static bool integer(struct binder *binder)
{
    char message[REST_MESSAGE_MAX], text[SHOWN_MAX + 1], *end;
    const char *value = shown(binder, text);
    switch (binder->jackson->token) {
    case JACKSON_NULL:
        return true;
    case JACKSON_INT:
    case JACKSON_FLOAT: {
        double number = strtod(value, NULL);
        if (number > INT32_MIN - 1.0 && number < INT32_MAX + 1.0) {
            return true;
        }
        (void)snprintf(message, sizeof(message),
                       "Numeric value (%s) out of range of int (-2147483648 - 2147483647)", value);
        return refuse(binder, 400, message);
    }
    case JACKSON_STRING: {
        size_t blanks = strspn(value, " \t\r\n"), size = strlen(value);
        while (size > blanks && strchr(" \t\r\n", value[size - 1])) {
            size--;
        }
        size -= blanks;
        if (size == 0 || (size == 4 && strncmp(value + blanks, "null", 4) == 0)) {
            return true;
        }
        errno = 0;
        long long number = strtoll(value + blanks, &end, 10);
        bool whole = end == value + blanks + size && errno != ERANGE;
        if (whole && number >= INT32_MIN && number <= INT32_MAX) {
            return true;
        }
        if (whole && size > 9) {
            (void)snprintf(message, sizeof(message),
                           "Cannot deserialize value of type `Integer` from String \"%.100s\": Overflow: "
                           "numeric value (%.100s) out of range of `java.lang.Integer` (-2147483648 "
                           "-2147483647)",
                           value, value);
        } else {
            (void)snprintf(message, sizeof(message),
                           "Cannot deserialize value of type `Integer` from String \"%.200s\": not a "
                           "valid `java.lang.Integer` value",
                           value);
        }
        return refuse(binder, 400, message);
    }
    default:
        return mismatch(binder, "Integer");
    }
}

static bool string(struct binder *binder)
{
    enum jackson_token token = binder->jackson->token;
    return token == JACKSON_START_ARRAY || token == JACKSON_START_OBJECT ? mismatch(binder, "String")
                                                                         : true;
}

/* Unknown members are told behind the end of their object, so the first is kept. */
static bool unknown(struct binder *binder, char first[SHOWN_MAX + 1], bool *seen)
{
    if (!*seen) {
        (void)shown(binder, first);
        *seen = true;
    }
    return next(binder) && skip(binder);
}

static bool unrecognized(struct binder *binder, const char *name)
{
    char message[REST_MESSAGE_MAX];
    (void)snprintf(message, sizeof(message), "Unrecognized field: %s", name);
    return refuse(binder, 422, message);
}

/* ProduceRecord, at its START_OBJECT. */
static bool record(struct binder *binder)
{
    char first[SHOWN_MAX + 1];
    bool seen = false;
    for (;;) {
        if (!next(binder)) {
            return false;
        }
        if (binder->jackson->token == JACKSON_END_OBJECT) {
            return !seen || unrecognized(binder, first);
        }
        bool partition = is_text(binder, "partition");
        bool fine = partition                                            ? next(binder) && integer(binder)
                    : is_text(binder, "key") || is_text(binder, "value") ? next(binder) && skip(binder)
                                                                         : unknown(binder, first, &seen);
        if (!fine) {
            return false;
        }
    }
}

/* The list; *ret_null is the index of a record that is null, or -1. */
static bool records(struct binder *binder, long *ret_null)
{
    *ret_null = -1;
    if (binder->jackson->token == JACKSON_NULL) {
        return true;
    }
    if (binder->jackson->token != JACKSON_START_ARRAY) {
        /* What rest-utils leaves of java.util.ArrayList<..ProduceRequest$ProduceRecord>. */
        return mismatch(binder, "ProduceRecord>");
    }
    for (long i = 0;; i++) {
        if (!next(binder)) {
            return false;
        }
        switch (binder->jackson->token) {
        case JACKSON_END_ARRAY:
            return true;
        case JACKSON_START_OBJECT:
            if (!record(binder)) {
                return false;
            }
            break;
        case JACKSON_NULL:
            *ret_null = *ret_null < 0 ? i : *ret_null;
            break;
        default:
            return no_creator(binder, "ProduceRecord");
        }
    }
}

static bool member(struct binder *binder, char first[SHOWN_MAX + 1], bool *seen, long *null)
{
    bool is_records = is_text(binder, "records");
    bool is_schema = is_text(binder, "key_schema") || is_text(binder, "value_schema");
    bool is_id = is_text(binder, "key_schema_id") || is_text(binder, "value_schema_id");
    if (!is_records && !is_schema && !is_id) {
        return unknown(binder, first, seen);
    }
    if (!next(binder)) {
        return false; /* Jackson reads the value's first token with its name */
    }
    binder->inside = true;
    bool fine = is_records ? records(binder, null) : is_schema ? string(binder) : integer(binder);
    binder->inside = false;
    return fine;
}

/* ProduceRequest, at its START_OBJECT. */
static bool request(struct binder *binder)
{
    char first[SHOWN_MAX + 1], message[120];
    bool seen = false;
    long null = -1;
    for (;;) {
        if (!next(binder)) {
            return false;
        }
        if (binder->jackson->token == JACKSON_END_OBJECT) {
            break;
        }
        if (!member(binder, first, &seen, &null)) {
            return false;
        }
    }
    if (null >= 0) {
        (void)snprintf(message, sizeof(message),
                       "Cannot construct instance of `ProduceRequest`, problem: at index %ld", null);
        return refuse(binder, 400, message);
    }
    return !seen || unrecognized(binder, first);
}

static bool bind(struct binder *binder)
{
    if (!next(binder)) {
        return false;
    }
    enum jackson_token token = binder->jackson->token;
    if (token == JACKSON_END) {
        return true;
    }
    if (token != JACKSON_NULL &&
        !(token == JACKSON_START_OBJECT ? request(binder) : no_creator(binder, "ProduceRequest"))) {
        return false;
    }
    binder->jackson->lazy = true;
    if (!next(binder)) {
        return false;
    }
    if (binder->jackson->token != JACKSON_END) {
        char message[REST_MESSAGE_MAX];
        (void)snprintf(message, sizeof(message),
                       "Trailing token (of type %s) found after value (bound as `ProduceRequest`): not "
                       "allowed as per `DeserializationFeature.FAIL_ON_TRAILING_TOKENS`",
                       jackson_token_name(binder->jackson->token));
        return refuse(binder, 400, message);
    }
    return true;
}

bool rest_explain(const char *text, size_t size, struct rest_fault *fault)
{
    struct jackson *jackson = malloc(sizeof(*jackson));
    if (!jackson) {
        return false;
    }
    struct binder binder = {.jackson = jackson, .fault = fault};
    jackson_init(jackson, text, size);
    bool taken = bind(&binder);
    free(jackson);
    return !taken;
}
