/*
 * The S3 sink alone: one partition of equal JSON values into a store, through the loaded plugin.
 *
 *   s3_bench PLUGIN STORE_URL RECORDS SIZE [KEY VALUE]..     e.g. flush.size 10000
 *
 * Prints JSON lines: CPU microseconds per record of the sink (this process less the making of
 * batches), records per second of wall time until all is committed, and the peak of memory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "tests/support/fake_sink_host.h"

enum { BATCH = 1024, PROPERTIES = 96 };

static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct sluice_batch *make_batch(struct batch_pool *pool, const char *value, size_t size,
                                       int64_t offset)
{
    static const char topic[] = "bench";
    struct sluice_span none = {0};
    struct sluice_json_error error = {.size = sizeof(error)};
    struct sluice_batch *batch = batch_new(pool);
    for (int i = 0; i < BATCH; i++) {
        struct sluice_value *made = NULL;
        struct sluice_record *record = batch_add_sink(batch, topic, 0, offset + i, 0,
                                                      SLUICE_TIMESTAMP_CREATE, none, none);
        if (data_api.from_json(batch, value, size, 0, &made, &error) != SLUICE_OK) {
            abort();
        }
        records_api.set_value(record, NULL, made);
    }
    return batch;
}

static enum sluice_result put(struct fake_sink_host *fake, struct sluice_batch *batch)
{
    enum sluice_result result;
    struct timespec pause = {.tv_nsec = 10000000};
    while ((result = fake->vtable->put(fake->instance->self, batch)) == SLUICE_RETRY) {
        nanosleep(&pause, NULL);
    }
    return result;
}

static int run(struct fake_sink_host *fake, int64_t records, int64_t flush, size_t size)
{
    char *value = malloc(size + 1);
    struct batch_pool *pool = batch_pool_create(4, 4 << 20);
    if (!value || size < 16) {
        return 2;
    }
    memset(value, 'x', size);
    memcpy(value, "{\"a\":\"", 6);
    memcpy(value + size - 2, "\"}", 3);
    double making = 0, cpu = seconds(CLOCK_PROCESS_CPUTIME_ID), wall = seconds(CLOCK_MONOTONIC);
    int64_t done = 0;
    for (; done < records; done += BATCH) {
        double before = seconds(CLOCK_THREAD_CPUTIME_ID);
        struct sluice_batch *batch = make_batch(pool, value, size, done);
        making += seconds(CLOCK_THREAD_CPUTIME_ID) - before;
        if (put(fake, batch) != SLUICE_OK) {
            fprintf(stderr, "put failed: %s\n", fake->raised);
            return 1;
        }
        records_api.release(batch);
    }
    if (!fake_sink_host_wait(fake, "bench", 0, done / flush * flush)) {
        fprintf(stderr, "not committed: %s\n", fake->raised);
        return 1;
    }
    cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu - making;
    wall = seconds(CLOCK_MONOTONIC) - wall;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("{\"name\": \"s3.cpu\", \"value\": %.3f, \"unit\": \"us/record\"}\n", cpu / (double)done * 1e6);
    printf("{\"name\": \"s3.records\", \"value\": %.0f, \"unit\": \"1/s\"}\n", (double)done / wall);
    printf("{\"name\": \"s3.objects\", \"value\": %.0f, \"unit\": \"1/s\"}\n",
           (double)(done / flush) / wall);
    printf("{\"name\": \"s3.rss\", \"value\": %ld, \"unit\": \"KiB\"}\n", usage.ru_maxrss);
    free(value);
    return 0;
}

int main(int argc, char **argv)
{
    const char *properties[PROPERTIES] = {
        "storage.class", "S3Storage", "format.class", "JsonFormat", "s3.bucket.name", "bench",
        "s3.region", "us-east-1", "store.url", argc > 2 ? argv[2] : ""};
    size_t count = 10;
    int64_t flush = 10000;
    if (argc < 5 || argc > 60 || argc % 2 == 0) {
        fprintf(stderr, "usage: s3_bench PLUGIN STORE_URL RECORDS SIZE [KEY VALUE]..\n");
        return 2;
    }
    for (int i = 5; i < argc; i += 2) {
        properties[count++] = argv[i];
        properties[count++] = argv[i + 1];
        flush = strcmp(argv[i], "flush.size") == 0 ? atoll(argv[i + 1]) : flush;
    }
    char text[32], error[1024];
    snprintf(text, sizeof(text), "%lld", (long long)flush);
    properties[count++] = "flush.size";
    properties[count++] = text;
    struct fake_sink_host *fake =
        fake_sink_host_create(argv[1], "S3Sink", properties, error, sizeof(error));
    if (!fake || fake_sink_host_start(fake) != SLUICE_OK ||
        fake_sink_host_open(fake, "bench", 0) != SLUICE_OK) {
        fprintf(stderr, "%s\n", fake ? fake->failure.error.message : error);
        return 2;
    }
    int result = run(fake, atoll(argv[3]), flush, (size_t)atoll(argv[4]));
    fake_sink_host_destroy(fake);
    return result;
}
