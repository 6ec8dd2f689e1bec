#include "core/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_CLASS "org.apache.kafka.connect.errors.ConnectException"

static char *format_text(const char *format, va_list args)
{
    char *text = NULL;
    if (vasprintf(&text, format, args) < 0) {
        return NULL;
    }
    return text;
}

static void fill(struct error *error, enum error_code code, const char *java_class, char *message)
{
    error_clear(error);
    error->code = code;
    error->message = message;
    if (java_class) {
        error->java_class_owned = strdup(java_class);
        error->java_class = error->java_class_owned;
    }
}

int error_set(struct error *error, enum error_code code, const char *format, ...)
{
    if (error) {
        va_list args;
        va_start(args, format);
        char *message = format_text(format, args);
        va_end(args);
        fill(error, code, NULL, message);
    }
    return -1;
}

int error_set_class(struct error *error, enum error_code code, const char *java_class,
                    const char *format, ...)
{
    if (error) {
        va_list args;
        va_start(args, format);
        char *message = format_text(format, args);
        va_end(args);
        fill(error, code, java_class, message);
    }
    return -1;
}

int error_set_errno(struct error *error, int errno_value, const char *format, ...)
{
    if (error) {
        va_list args;
        va_start(args, format);
        char *what = format_text(format, args);
        va_end(args);
        char *message = NULL;
        if (asprintf(&message, "%s: %s", what ? what : "", strerror(errno_value)) < 0) {
            message = NULL;
        }
        free(what);
        fill(error, ERROR_SYSTEM, NULL, message);
    }
    return -1;
}

int error_wrap(struct error *error, enum error_code code, const char *java_class, const char *format,
               ...)
{
    if (!error) {
        return -1;
    }
    va_list args;
    va_start(args, format);
    char *message = format_text(format, args);
    va_end(args);
    struct error *cause = NULL;
    if (error->code != ERROR_NONE) {
        cause = malloc(sizeof(*cause));
        if (cause) {
            *cause = *error;
            *error = (struct error){0};
        }
    }
    fill(error, code, java_class, message);
    error->cause = cause;
    error->retriable = cause && cause->retriable;
    return -1;
}

void error_add_cause(struct error *error, const char *java_class, const char *message)
{
    struct error *cause = calloc(1, sizeof(*cause));
    if (!cause) {
        return;
    }
    fill(cause, error->code, java_class, message ? strdup(message) : NULL);
    struct error *last = error;
    while (last->cause) {
        last = last->cause;
    }
    last->cause = cause;
}

void error_copy(struct error *to, const struct error *from)
{
    error_clear(to);
    to->code = from->code;
    to->retriable = from->retriable;
    to->message = from->message ? strdup(from->message) : NULL;
    if (from->java_class) {
        to->java_class_owned = strdup(from->java_class);
        to->java_class = to->java_class_owned;
    }
    if (from->cause) {
        to->cause = calloc(1, sizeof(*to->cause));
        if (to->cause) {
            error_copy(to->cause, from->cause);
        }
    }
}

void error_clear(struct error *error)
{
    if (!error) {
        return;
    }
    if (error->cause) {
        error_clear(error->cause);
        free(error->cause);
    }
    free(error->message);
    free(error->java_class_owned);
    *error = (struct error){0};
}

char *error_trace(const struct error *error)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out) {
        return NULL;
    }
    for (const struct error *e = error; e; e = e->cause) {
        fprintf(out, "%s%s", e == error ? "" : "\nCaused by: ",
                e->java_class ? e->java_class : DEFAULT_CLASS);
        if (e->message) {
            fprintf(out, ": %s", e->message);
        }
    }
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}
