/* gzip by ISA-L (fast levels) and libdeflate (the others), zstd by libzstd; see compress.h. */
#include "connectors/s3/compress.h"

#include <stdlib.h>

#include <isa-l/igzip_lib.h>
#include <libdeflate.h>
#include <zstd.h>

/* Levels 0 and 1 go to ISA-L where it is several times as fast; it has no use for the higher ones. */
enum { ISAL_UP_TO = 1, USUAL_GZIP = 6, USUAL_ZSTD = 3 };

struct compressor {
    bool zstd;
    int level;
    char *input, *output;
    size_t output_capacity;
    struct libdeflate_compressor *deflate;
    struct isal_zstream isal;
    uint8_t *isal_buffer;
    ZSTD_CCtx *frames;
};

struct compressor *compressor_create(bool zstd, int level)
{
    struct compressor *compressor = calloc(1, sizeof(*compressor));
    if (!compressor) {
        return NULL;
    }
    compressor->zstd = zstd;
    compressor->level = level >= 0 ? level : zstd ? USUAL_ZSTD : USUAL_GZIP;
    compressor->output_capacity = ZSTD_compressBound(COMPRESS_MEMBER);
    if (zstd) {
        compressor->frames = ZSTD_createCCtx();
    } else if (compressor->level > 0 && compressor->level <= ISAL_UP_TO) {
        compressor->isal_buffer = malloc(ISAL_DEF_LVL1_DEFAULT);
    } else {
        compressor->deflate = libdeflate_alloc_compressor(compressor->level);
        if (compressor->deflate) {
            compressor->output_capacity =
                libdeflate_gzip_compress_bound(compressor->deflate, COMPRESS_MEMBER);
        }
    }
    compressor->output_capacity += 4096;
    compressor->input = malloc(COMPRESS_MEMBER);
    compressor->output = malloc(compressor->output_capacity);
    if (!compressor->input || !compressor->output ||
        (!compressor->frames && !compressor->isal_buffer && !compressor->deflate)) {
        compressor_destroy(compressor);
        return NULL;
    }
    return compressor;
}

void compressor_destroy(struct compressor *compressor)
{
    if (compressor) {
        ZSTD_freeCCtx(compressor->frames);
        if (compressor->deflate) {
            libdeflate_free_compressor(compressor->deflate);
        }
        free(compressor->isal_buffer);
        free(compressor->input);
        free(compressor->output);
        free(compressor);
    }
}

const char *compressor_extension(const struct compressor *compressor)
{
    return compressor->zstd ? ".zst" : ".gz";
}

char *compressor_input(struct compressor *compressor)
{
    return compressor->input;
}

static size_t run_isal(struct compressor *compressor, size_t size)
{
    struct isal_zstream *stream = &compressor->isal;
    isal_deflate_stateless_init(stream);
    stream->level = (uint32_t)compressor->level;
    stream->level_buf = compressor->isal_buffer;
    stream->level_buf_size = ISAL_DEF_LVL1_DEFAULT;
    stream->gzip_flag = IGZIP_GZIP;
    stream->end_of_stream = 1;
    stream->flush = NO_FLUSH;
    stream->next_in = (uint8_t *)compressor->input;
    stream->avail_in = (uint32_t)size;
    stream->next_out = (uint8_t *)compressor->output;
    stream->avail_out = (uint32_t)compressor->output_capacity;
    return isal_deflate_stateless(stream) == COMP_OK ? stream->total_out : 0;
}

const char *compressor_run(struct compressor *compressor, size_t size, size_t *ret_size)
{
    if (compressor->frames) {
        size_t result =
            ZSTD_compressCCtx(compressor->frames, compressor->output, compressor->output_capacity,
                              compressor->input, size, compressor->level);
        *ret_size = ZSTD_isError(result) ? 0 : result;
    } else if (compressor->deflate) {
        *ret_size = libdeflate_gzip_compress(compressor->deflate, compressor->input, size,
                                             compressor->output, compressor->output_capacity);
    } else {
        *ret_size = run_isal(compressor, size);
    }
    return *ret_size > 0 ? compressor->output : NULL;
}
