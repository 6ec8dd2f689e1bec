/*
 * SimpleHeaderConverter in parts: simple_header.c has the class, values_parse.c reads texts
 * as Connect's Values.parseString does. Owned by one converter; [task thread].
 */
#ifndef CONVERTERS_SIMPLE_HEADER_H
#define CONVERTERS_SIMPLE_HEADER_H

#include "lib/java/values_text.h"
#include "plugins/converters/converter.h"

struct simple_header {
    struct converter base;
    struct values_text text;
    const struct sluice_schema *last; /* a reference of what was handed out last, until the next call */
};

/** A schema, of which a reference is held, and a value; both NULL for what the text `null` means. */
struct header_value {
    const struct sluice_schema *schema;
    const struct sluice_value *value;
};

/** Arrays in arrays in maps .. : deeper texts are given up. */
#define HEADER_DEPTH_MAX 500

/**
 * The value of a text that is valid UTF-8 and not empty. False where Java runs out of its stack: text
 * that is nested deeper than HEADER_DEPTH_MAX.
 */
bool header_parse(struct simple_header *self, struct sluice_batch *batch, struct sluice_span text,
                  struct header_value *ret_value);

#endif
