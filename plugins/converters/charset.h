/*
 * Java's charsets for strings and their bytes, by the C library's iconv: what cannot be read becomes
 * U+FFFD, what cannot be written a question mark, or U+FFFD where a charset of Unicode's is written, as String
 * and getBytes() do it. Owned by one converter; [task thread].
 */
#ifndef CONVERTERS_CHARSET_H
#define CONVERTERS_CHARSET_H

#include <stdbool.h>

#include "plugins/converters/converter.h"

struct charset;

/**
 * NULL where the name is no charset's; *ret_illegal then says whether it could not even be a name.
 * *ret_utf8: it is UTF-8, for which no charset is made (NULL) and none is needed.
 */
struct charset *charset_create(const char *name, bool *ret_utf8, bool *ret_illegal);
void charset_destroy(struct charset *charset);

/** Bytes to UTF-8 in the batch. */
struct sluice_span charset_decode(struct charset *charset, const struct converter *converter,
                                  struct sluice_batch *batch, struct sluice_span bytes);
/** UTF-8 to bytes in the batch. */
struct sluice_span charset_encode(struct charset *charset, const struct converter *converter,
                                  struct sluice_batch *batch, struct sluice_span text);

/**
 * A text as getBytes(UTF_8) writes it: halves of surrogate pairs as question marks; itself where there
 * are none.
 */
struct sluice_span utf8_written(const struct converter *converter, struct sluice_batch *batch,
                                struct sluice_span text);

/** The bytes as UTF-8 that is valid: themselves, or a copy in the batch with U+FFFD where they are not. */
struct sluice_span utf8_repaired(const struct converter *converter, struct sluice_batch *batch,
                                 struct sluice_span bytes);

#endif
