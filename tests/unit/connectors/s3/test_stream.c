/* Objects as rows of records (stream.c, reader_file.c): pieces, compression, separators, what is damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "connectors/s3/compress.h"
#include "connectors/s3/stream.h"

static char folder[] = "/tmp/sluice-stream-XXXXXX";
static struct settings settings = {.bucket = "b", .retry_backoff = 1, .task_backoff = 10};
static struct sluice_host host;
static struct reader *reader;

static void no_log(const struct sluice_host *self, enum sluice_log_level level, const char *format, ...)
{
    (void)self;
    (void)level;
    (void)format;
}

static int set_up(void **state)
{
    (void)state;
    char message[300], path[400];
    if (!mkdtemp(folder)) {
        return -1;
    }
    settings.file_path = folder;
    host.log = no_log;
    (void)snprintf(path, sizeof(path), "%s/b", folder);
    (void)mkdir(path, 0777);
    reader = reader_create(&settings, &host, message, sizeof(message));
    return reader ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    char command[400];
    reader_destroy(reader);
    (void)snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command);
}

static void put(const char *key, const void *data, size_t size)
{
    char path[400];
    (void)snprintf(path, sizeof(path), "%s/b/%s", folder, key);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void begin(struct object_stream *stream, const char *key, size_t size, const char *separator,
                  size_t record_max)
{
    char name[100];
    (void)snprintf(name, sizeof(name), "%s", key);
    struct entry entry = {.key = name, .size = size};
    assert_int_equal(stream_begin(stream, reader, &entry, separator, record_max), 0);
}

static enum stream_result next(struct object_stream *stream, struct sluice_span *text)
{
    enum stream_result result;
    while ((result = stream_next(stream, 1000, text)) == STREAM_WAIT) {
    }
    return result;
}

static void expect(struct object_stream *stream, const char *text)
{
    struct sluice_span span;
    assert_int_equal(next(stream, &span), STREAM_TEXT);
    assert_int_equal(span.size, strlen(text));
    assert_memory_equal(span.data, text, span.size);
}

static void expect_end(struct object_stream *stream)
{
    struct sluice_span span;
    assert_int_equal(next(stream, &span), STREAM_END);
    assert_int_equal(next(stream, &span), STREAM_END);
    stream_end(stream);
}

/* Lines "0", "1", .. of ever other lengths, over many pieces. */
static char *many_lines(size_t count, size_t *ret_size)
{
    char *text = malloc(count * 1100), *to = text;
    for (size_t i = 0; i < count; i++) {
        to += sprintf(to, "%zu", i);
        memset(to, 'x', i * 7919 % 1000);
        to += i * 7919 % 1000;
        *to++ = '\n';
    }
    *ret_size = (size_t)(to - text);
    return text;
}

static void expect_many(struct object_stream *stream, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char number[24];
        struct sluice_span span;
        assert_false(stream_at_end(stream));
        assert_int_equal(next(stream, &span), STREAM_TEXT);
        int length = snprintf(number, sizeof(number), "%zu", i);
        assert_int_equal(span.size, (size_t)length + i * 7919 % 1000);
        assert_memory_equal(span.data, number, (size_t)length);
    }
    expect_end(stream);
}

static void test_lines(void **state)
{
    (void)state;
    struct object_stream stream;
    put("plain", "a\n\nlast", 7);
    begin(&stream, "plain", 7, "\n", 1000);
    expect(&stream, "a");
    expect(&stream, "");
    assert_false(stream_at_end(&stream));
    expect(&stream, "last");
    assert_true(stream_at_end(&stream));
    expect_end(&stream);
    put("empty", "", 0);
    begin(&stream, "empty", 0, "\n", 1000);
    assert_true(stream_at_end(&stream));
    expect_end(&stream);
    put("long", "a<>b<c<>", 8);
    begin(&stream, "long", 8, "<>", 1000);
    expect(&stream, "a");
    expect(&stream, "b<c");
    assert_true(stream_at_end(&stream));
    expect_end(&stream);
    begin(&stream, "long", 8, "", 1000);
    expect(&stream, "a<>b<c<>");
    expect_end(&stream);
}

static void test_many_pieces(void **state)
{
    (void)state;
    size_t size;
    char *text = many_lines(9000, &size);
    struct object_stream stream;
    assert_true(size > 3 * STREAM_PIECE);
    put("many", text, size);
    begin(&stream, "many", size, "\n", 5000);
    expect_many(&stream, 9000);
    free(text);
}

/* The members the sink makes, of both kinds, one behind the other. */
static void test_compressed(void **state)
{
    (void)state;
    size_t size, text_size;
    char *text = many_lines(2000, &text_size);
    assert_true(text_size > 3 * COMPRESS_MEMBER);
    for (int zstd = 0; zstd < 2; zstd++) {
        const char *key = zstd ? "many.zst" : "many.gz";
        struct compressor *compressor = compressor_create(zstd, 1);
        char *all = malloc(text_size + 4096);
        size_t all_size = 0;
        for (size_t at = 0; at < text_size;) {
            size_t part = text_size - at < COMPRESS_MEMBER ? text_size - at : COMPRESS_MEMBER;
            memcpy(compressor_input(compressor), text + at, part);
            const char *member = compressor_run(compressor, part, &size);
            memcpy(all + all_size, member, size);
            all_size += size;
            at += part;
        }
        compressor_destroy(compressor);
        put(key, all, all_size);
        struct object_stream stream;
        begin(&stream, key, all_size, "\n", 5000);
        expect_many(&stream, 2000);

        /* cut in the middle of a member, and damaged */
        struct sluice_span span;
        enum stream_result result;
        begin(&stream, key, all_size - 5, "\n", 5000);
        while ((result = next(&stream, &span)) == STREAM_TEXT) {
        }
        assert_int_equal(result, STREAM_FAILED);
        assert_non_null(strstr(stream.message, "ends in the middle"));
        stream_end(&stream);
        memset(all + all_size / 2, 0x5a, 64);
        put(key, all, all_size);
        begin(&stream, key, all_size, "\n", 5000);
        while ((result = next(&stream, &span)) == STREAM_TEXT) {
        }
        assert_int_equal(result, STREAM_FAILED);
        assert_non_null(strstr(stream.message, key));
        stream_end(&stream);
        free(all);
    }
    free(text);
}

static void test_gone_and_too_long(void **state)
{
    (void)state;
    struct object_stream stream;
    struct sluice_span span;
    begin(&stream, "never-there", 10, "\n", 1000);
    assert_int_equal(next(&stream, &span), STREAM_GONE);
    stream_end(&stream);
    put("shrunk", "abc", 3);
    begin(&stream, "shrunk", 10, "\n", 1000);
    assert_int_equal(next(&stream, &span), STREAM_GONE);
    stream_end(&stream);
    char *text = calloc(1, 3 * STREAM_PIECE);
    memset(text, 'x', 3 * STREAM_PIECE);
    put("endless", text, 3 * STREAM_PIECE);
    begin(&stream, "endless", 3 * STREAM_PIECE, "\n", 1000);
    assert_int_equal(next(&stream, &span), STREAM_FAILED);
    assert_non_null(strstr(stream.message, "sluice.s3.buffer.memory"));
    stream_end(&stream);
    begin(&stream, "endless", 3 * STREAM_PIECE, "\n", 1000); /* given up while it is fetched */
    stream_end(&stream);
    free(text);
}

static void test_list(void **state)
{
    (void)state;
    char path[400];
    (void)snprintf(path, sizeof(path), "%s/b/dir", folder);
    assert_int_equal(mkdir(path, 0777), 0);
    put("dir/b", "22", 2);
    put("dir/a+ ü", "1", 1);
    struct fetch *fetch = fetch_list(reader, "dir/", NULL);
    assert_true(fetch_wait(reader, fetch, 5000));
    assert_int_equal(fetch->state, FETCH_DONE);
    assert_int_equal(fetch->entry_count, 2);
    assert_string_equal(fetch->entries[0].key, "dir/a+ ü");
    assert_string_equal(fetch->entries[1].key, "dir/b");
    assert_int_equal(fetch->entries[1].size, 2);
    fetch_release(reader, fetch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines), cmocka_unit_test(test_many_pieces),
        cmocka_unit_test(test_compressed), cmocka_unit_test(test_gone_and_too_long),
        cmocka_unit_test(test_list),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
