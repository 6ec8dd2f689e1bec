/*
 * A value as text, as Connect's Values.convertToString writes it: what SimpleHeaderConverter sends and
 * what the S3 sink stores of headers.
 */
#ifndef LIB_JAVA_VALUES_TEXT_H
#define LIB_JAVA_VALUES_TEXT_H

#include <sluice/data.h>

#include "lib/java/dates.h"
#include "lib/util/buffer.h"

enum values_format { VALUES_DATE, VALUES_TIME, VALUES_TIMESTAMP, VALUES_FORMATS };

/** The formats of times within values. Constant once made. [any thread] */
struct values_text {
    struct date_format *formats[VALUES_FORMATS];
};

/** -1: out of memory; to be finished all the same. */
int values_text_init(struct values_text *text);
/** A zeroed one is fine. */
void values_text_finish(struct values_text *text);

/**
 * Appends the value: strings and base64 of bytes without quotes, but within them in arrays, maps and
 * structs. Where out has no room it is failed. [the batch's thread]
 */
void values_text_write(const struct values_text *text, const struct sluice_data *data,
                       struct sluice_batch *batch, const struct sluice_value *value, struct buffer *out);

#endif
