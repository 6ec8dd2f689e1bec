/*
 * JSON on the record path: json_bench [--json] ROWS.jsonl
 * Pass-through scan of the rows as they are and compact, and parse, edit of four fields, write.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/data/batch.h"

enum { MOST_ROWS = 10000, BATCH = 500, SECONDS = 2 };

struct rows {
    char *text[MOST_ROWS];
    size_t size[MOST_ROWS];
    size_t count, bytes;
};

static double now(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void load(const char *path, struct rows *plain, struct rows *compact)
{
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t room = 0;
    ssize_t size;
    if (!file) {
        perror(path);
        exit(3);
    }
    struct sluice_batch *batch = batch_new(NULL);
    while ((size = getline(&line, &room, file)) > 0 && plain->count < MOST_ROWS) {
        struct sluice_value *value = NULL;
        struct sluice_json_error error = {.size = sizeof(error)};
        size -= line[size - 1] == '\n';
        char *copy = strndup(line, (size_t)size);
        if (data_api.from_json(batch, copy, (size_t)size, 0, &value, &error) != SLUICE_OK) {
            fprintf(stderr, "%s: %s\n", path, error.message);
            exit(2);
        }
        struct sluice_span normal = data_api.to_json(batch, value);
        plain->text[plain->count] = copy;
        plain->size[plain->count++] = (size_t)size;
        plain->bytes += (size_t)size;
        compact->text[compact->count] = strndup(normal.data, normal.size);
        compact->size[compact->count++] = normal.size;
        compact->bytes += normal.size;
    }
    free(line);
    (void)fclose(file);
}

static void report(const char *name, double value, const char *unit, double goal, bool json)
{
    char ratio[64] = "";
    if (json) {
        if (goal > 0) {
            (void)snprintf(ratio, sizeof(ratio), ",\"ratio\":%.3f,\"goal\":%.0f", value / goal, goal);
        }
        printf("{\"name\":\"%s\",\"value\":%.0f,\"unit\":\"%s\"%s}\n", name, value, unit, ratio);
    } else {
        printf("%-20s %15.0f %s\n", name, value, unit);
    }
}

static double run(const struct rows *rows, struct batch_pool *pool, bool edit, double *ret_records)
{
    static const char *const fields[] = {"title", "follower_count", "downloaded", "save_location"};
    const struct sluice_name *names[4];
    for (size_t i = 0; i < 4; i++) {
        names[i] = data_api.intern(fields[i], strlen(fields[i]));
    }
    double begin = now(), end = begin;
    size_t bytes = 0, records = 0;
    while (end - begin < SECONDS) {
        for (int repeat = 0; repeat < 10; repeat++) {
            struct sluice_batch *batch = batch_new(pool);
            for (size_t i = 0; i < BATCH; i++) {
                size_t row = (records + i) % rows->count;
                struct sluice_value *value = NULL;
                struct sluice_json_error error = {.size = sizeof(error)};
                if (data_api.from_json(batch, rows->text[row], rows->size[row], 0, &value, &error) !=
                    SLUICE_OK) {
                    abort();
                }
                if (edit) {
                    struct sluice_value *map = data_api.edit(batch, value);
                    data_api.put(batch, map, names[0], data_api.new_null(batch));
                    data_api.put(batch, map, names[1], data_api.new_integer(batch, SLUICE_INT32, 124000));
                    data_api.put(batch, map, names[2], data_api.new_boolean(batch, true));
                    data_api.put(batch, map, names[3], data_api.new_string_view(batch, "/data/art", 9));
                    value = map;
                }
                bytes += rows->size[row];
                if (data_api.to_json(batch, value).size == 0) {
                    abort();
                }
            }
            records += BATCH;
            records_api.release(batch);
        }
        end = now();
    }
    *ret_records = (double)records / (end - begin);
    return (double)bytes / (end - begin);
}

int main(int argc, char **argv)
{
    bool json = argc > 2 && strcmp(argv[1], "--json") == 0;
    static struct rows plain, compact;
    double records;
    load(argv[argc - 1], &plain, &compact);
    struct batch_pool *pool = batch_pool_create(4, 8 << 20);
    report("json-scan-compact", run(&compact, pool, false, &records), "bytes/CPU-second", 2e9, json);
    report("json-scan-compact-records", records, "records/CPU-second", 0, json);
    report("json-scan-spaced", run(&plain, pool, false, &records), "bytes/CPU-second", 0, json);
    report("json-edit-write", run(&compact, pool, true, &records), "bytes/CPU-second", 0, json);
    report("json-edit-write-records", records, "records/CPU-second", 0, json);
    return 0;
}
