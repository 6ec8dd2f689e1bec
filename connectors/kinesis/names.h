/* Names of topics out of names of streams, and the other way: a list of pairs, then a template. */
#ifndef KINESIS_NAMES_H
#define KINESIS_NAMES_H

#include <stdbool.h>
#include <stddef.h>

enum {
    KINESIS_STREAM_MAX = 128,
    KINESIS_NAME_SIZE = 256, /* of either, NUL included: a topic has at most 249 */
};

/**
 * The name that pairs (from:to) give for name, else the template with ${variable} replaced. False where it
 * is too long or empty.
 */
bool kinesis_name(const char *const *pairs, size_t count, const char *template, const char *variable,
                  const char *name, char ret_name[KINESIS_NAME_SIZE]);
/** 1 to 128 of [a-zA-Z0-9_.-]. */
bool kinesis_stream_valid(const char *name);

#endif
