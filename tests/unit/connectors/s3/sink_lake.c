/* A folder with a sink that writes into it; see sink_lake.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/connectors/s3/sink_lake.h"

const char TOPIC[] = "t";
char lake[64];

/* -- the folder -- */

static int remove_one(const char *path, const struct stat *status, int flag, struct FTW *walk)
{
    (void)status;
    (void)flag;
    (void)walk;
    return remove(path);
}

int make_lake(void **state)
{
    (void)state;
    snprintf(lake, sizeof(lake), "/tmp/sluice-s3-XXXXXX");
    return mkdtemp(lake) ? 0 : -1;
}

int remove_lake(void **state)
{
    (void)state;
    return nftw(lake, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static char found[64][512];
static size_t found_count;

static int find_one(const char *path, const struct stat *status, int flag, struct FTW *walk)
{
    (void)status;
    (void)walk;
    if (flag == FTW_F && found_count < 64) {
        snprintf(found[found_count++], sizeof(found[0]), "%s", path + strlen(lake) + 3);
    }
    return 0;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

char *read_object(const char *key, size_t *ret_size)
{
    char *path = NULL;
    assert_true(asprintf(&path, "%s/b/%s", lake, key) > 0);
    FILE *file = fopen(path, "r");
    free(path);
    assert_non_null(file);
    char *text = calloc(1, 1 << 20);
    size_t size = fread(text, 1, (1 << 20) - 1, file);
    fclose(file);
    if (ret_size) {
        *ret_size = size;
    }
    return text;
}

/* Objects by key ascending, "key: content" joined; line breaks in contents as `|`. */
void expect_objects(const char *expected)
{
    char *got = NULL;
    size_t got_size = 0;
    FILE *listing = open_memstream(&got, &got_size);
    found_count = 0;
    assert_int_equal(nftw(lake, find_one, 16, FTW_PHYS), 0);
    qsort(found, found_count, sizeof(found[0]), compare_names);
    for (size_t i = 0; i < found_count; i++) {
        char *text = read_object(found[i], NULL);
        for (char *c = text; *c; c++) {
            *c = *c == '\n' ? '|' : *c;
        }
        fprintf(listing, "%s: %s\n", found[i], text);
        free(text);
    }
    fclose(listing);
    assert_string_equal(got, expected);
    free(got);
}

/* -- a sink -- */

struct fake_sink_host *try_sink(const char *const *more, char *error, size_t size)
{
    char url[100];
    snprintf(url, sizeof(url), "file:%s", lake);
    const char *properties[64] = {
        "storage.class", "io.confluent.connect.s3.storage.S3Storage",
        "s3.bucket.name", "b", "store.url", url,
    };
    size_t count = 6;
    bool has_format = false;
    for (size_t i = 0; more[i]; i++) {
        has_format = has_format || strcmp(more[i], "format.class") == 0;
        properties[count++] = more[i];
    }
    if (!has_format) {
        properties[count++] = "format.class";
        properties[count++] = "io.confluent.connect.s3.format.json.JsonFormat";
    }
    return fake_sink_host_create(S3_PLUGIN, "S3Sink", properties, error, size);
}

struct fake_sink_host *start_sink(const char *const *more)
{
    char error[1024] = "";
    struct fake_sink_host *fake = try_sink(more, error, sizeof(error));
    if (!fake) {
        fail_msg("%s", error);
    }
    if (fake_sink_host_start(fake) != SLUICE_OK) {
        fail_msg("%s", fake->failure.error.message);
    }
    assert_int_equal(fake_sink_host_open(fake, TOPIC, 0), SLUICE_OK);
    return fake;
}

struct fake_sink_record numbered(int64_t offset, const char *value, int64_t timestamp)
{
    return (struct fake_sink_record){
        .topic = TOPIC, .offset = offset, .timestamp = timestamp, .key = "k", .value = value};
}

/* {"i":N} from an offset on. */
enum sluice_result put_many(struct fake_sink_host *fake, int64_t from, int64_t to)
{
    static struct fake_sink_record records[20000];
    static char values[20000][32];
    for (int64_t i = from; i < to; i++) {
        snprintf(values[i - from], sizeof(values[0]), "{\"i\":%" PRId64 "}", i);
        records[i - from] = numbered(i, values[i - from], 0);
    }
    return fake_sink_host_put(fake, records, (size_t)(to - from));
}

enum sluice_result put_one(struct fake_sink_host *fake, int64_t offset, const char *value,
                                  int64_t timestamp)
{
    struct fake_sink_record record = numbered(offset, value, timestamp);
    return fake_sink_host_put(fake, &record, 1);
}
