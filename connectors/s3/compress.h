/*
 * Compression of objects, a member (gzip) or frame (zstd) at a time: both formats may be strung
 * together. Members are cut by the amount of data only, so that writing the same records again gives
 * the same bytes. One per task. [task thread]
 */
#ifndef S3_COMPRESS_H
#define S3_COMPRESS_H

#include <stdbool.h>
#include <stddef.h>

struct compressor;

/** Bytes a member is made of, but for the last one. */
enum { COMPRESS_MEMBER = 256 << 10 };

/** level: -1 (usual) or 0..9. NULL: out of memory. */
struct compressor *compressor_create(bool zstd, int level);
void compressor_destroy(struct compressor *compressor);
/** ".gz", ".zst" */
const char *compressor_extension(const struct compressor *compressor);
/** Where at most COMPRESS_MEMBER bytes to compress are to be put. */
char *compressor_input(struct compressor *compressor);
/** Compresses size bytes of the input; the result is valid until the next call. NULL: failed. */
const char *compressor_run(struct compressor *compressor, size_t size, size_t *ret_size);

#endif
