/*
 * JSON token by token as Jackson 2.16's UTF8StreamJsonParser reads it, with its words for what is wrong.
 * For explaining bodies that were refused, not for speed. (issue 3: the same messages as the Proxy)
 */
#ifndef CONNECTORS_REST_JACKSON_H
#define CONNECTORS_REST_JACKSON_H

#include <stdbool.h>
#include <stddef.h>

enum jackson_token {
    JACKSON_ERROR, /* message says which */
    JACKSON_END,
    JACKSON_START_OBJECT,
    JACKSON_END_OBJECT,
    JACKSON_START_ARRAY,
    JACKSON_END_ARRAY,
    JACKSON_NAME,
    JACKSON_STRING,
    JACKSON_INT,
    JACKSON_FLOAT,
    JACKSON_TRUE,
    JACKSON_FALSE,
    JACKSON_NULL,
};

enum { JACKSON_DEPTH_MAX = 1000, JACKSON_MESSAGE_MAX = 512 };

struct jackson {
    const char *text, *at, *end;
    size_t row_start; /* offset of the line */
    int row;
    enum jackson_token token;
    const char *start;              /* of the scalar or name read last; a text without its quotes */
    size_t size;
    bool lazy;                      /* texts are not read, only their beginning */
    int depth;
    struct jackson_scope {
        bool array;
        bool begun; /* has a value */
        int row;
        size_t column;
    } scopes[JACKSON_DEPTH_MAX + 1]; /* [0] is the root */
    char message[JACKSON_MESSAGE_MAX];
};

void jackson_init(struct jackson *jackson, const char *text, size_t size);
enum jackson_token jackson_next(struct jackson *jackson);
/** Reads on to the end of the array or object that has just begun. False: JACKSON_ERROR. */
bool jackson_skip(struct jackson *jackson);
/** `VALUE_STRING`. */
const char *jackson_token_name(enum jackson_token token);

#endif
