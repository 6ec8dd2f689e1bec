/*
 * Errors: a code, Connect's exception class, a sentence for the user, and what caused it.
 *
 * The caller owns a struct error on its stack, initialised with {0}; a function that fails fills it
 * and returns a negative value. It is filled once, where the fault is known; it is logged once, at
 * the boundary (task, request, command). Filling it never fails: where memory is short the text is
 * cut. error_clear() frees it and accepts zeroed ones.
 */
#ifndef CORE_BASE_ERROR_H
#define CORE_BASE_ERROR_H

#include <stdbool.h>
#include <stddef.h>

#if defined(__GNUC__)
#define CHECKED __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define CHECKED
#define PRINTF_LIKE(fmt, args)
#endif

/** Stable codes; printed as [SLUICE-nnn]. Numbers are never reused. */
enum error_code {
    ERROR_NONE = 0,
    /* bad input or configuration */
    ERROR_SYNTAX = 101,           /* a file or text cannot be parsed */
    ERROR_CONFIG = 102,           /* a key's value is not acceptable */
    ERROR_UNKNOWN_CLASS = 103,    /* no plugin of that name */
    ERROR_USAGE = 104,            /* command line */
    ERROR_EXISTS = 105,
    ERROR_NOT_FOUND = 106,
    ERROR_CONFLICT = 107,
    ERROR_PROVIDER = 108,         /* a config provider could not read what a variable names */
    ERROR_TOPIC_CREATION = 109,   /* topic.creation.* of a source is not acceptable */
    /* plugins */
    ERROR_PLUGIN_LOAD = 201,      /* not a shared object, missing symbol, .. */
    ERROR_PLUGIN_ABI = 202,
    ERROR_PLUGIN_CRASH = 203,
    ERROR_PLUGIN_TIMEOUT = 204,
    ERROR_PLUGIN_MEMORY = 205,
    ERROR_PLUGIN_EXIT = 206,
    ERROR_PLUGIN_FAILED = 207,    /* it said so itself */
    /* broker */
    ERROR_BROKER = 301,           /* anything else it says */
    ERROR_BROKER_UNAVAILABLE = 302,
    ERROR_TIMEOUT = 303,
    ERROR_UNKNOWN_TOPIC = 304,
    ERROR_UNKNOWN_PARTITION = 305,
    ERROR_TOPIC_EXISTS = 306,
    ERROR_TOO_LARGE = 307,
    ERROR_GENERATION = 308,       /* a commit by one who is no longer a member */
    ERROR_AUTHENTICATION = 309,
    ERROR_AUTHORIZATION = 310,
    ERROR_INVALID_TOPIC = 311,
    ERROR_OFFSET_RANGE = 312,
    ERROR_GROUP_NOT_EMPTY = 313,
    /* environment */
    ERROR_SYSTEM = 401,           /* a system call; the text has errno's words */
    ERROR_NO_MEMORY = 402,
    ERROR_BUSY = 403,             /* a port or a folder is in use */
    ERROR_INTERNAL = 499,         /* a bug of ours */
};

struct error {
    enum error_code code;
    bool retriable;
    const char *java_class; /* static or owned with the message; NULL: ConnectException */
    char *message;          /* owned; NULL only in an empty error */
    struct error *cause;    /* owned; NULL: none */
    char *java_class_owned;
};

/** Fills an error and returns -1. error may be NULL. A full one is replaced. */
int error_set(struct error *error, enum error_code code, const char *format, ...) PRINTF_LIKE(3, 4);
/** The same with Connect's exception class (copied). */
int error_set_class(struct error *error, enum error_code code, const char *java_class,
                    const char *format, ...) PRINTF_LIKE(4, 5);
/** Adds `: ` and errno's text at the end; code ERROR_SYSTEM. */
int error_set_errno(struct error *error, int errno_value, const char *format, ...) PRINTF_LIKE(3, 4);
/** Puts a sentence in front: what was tried; the former error becomes the cause. Returns -1. */
int error_wrap(struct error *error, enum error_code code, const char *java_class, const char *format,
               ...) PRINTF_LIKE(4, 5);
/** Adds a cause at the end of the chain. */
void error_add_cause(struct error *error, const char *java_class, const char *message);
void error_copy(struct error *to, const struct error *from);
void error_clear(struct error *error);
/** "org.apache...ConnectException: message\nCaused by: ..", as a Java trace without frames. Owned by caller. */
char *error_trace(const struct error *error);

#endif
