/*
 * A chain of transforms, bytes to bytes in memory: chain_bench [--json] CHAIN.properties TOPIC
 * ROWS.jsonl Each row is read, goes through the chain and is written, as in a sink with
 * JsonConverter before and JsonFormat behind; records per second of CPU, and allocations per record
 * in the steady state.
 */
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/data/batch.h"
#include "core/host/chain.h"
#include "core/plugin/registry.h"

enum { MOST_ROWS = 10000, BATCH = 500, SECONDS = 2 };

static char *rows[MOST_ROWS];
static size_t sizes[MOST_ROWS], row_count;
static size_t allocations;

extern void *__libc_malloc(size_t size);
void *malloc(size_t size);
void *malloc(size_t size)
{
    allocations++;
    return __libc_malloc(size);
}

static double now(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int load(const char *path)
{
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t room = 0;
    ssize_t size;
    if (!file) {
        return -1;
    }
    while (row_count < MOST_ROWS && (size = getline(&line, &room, file)) > 0) {
        rows[row_count] = strdup(line);
        sizes[row_count++] = (size_t)size;
    }
    free(line);
    fclose(file);
    return row_count > 0 ? 0 : -1;
}

/* All rows once; returns bytes written, so that the work cannot be left out. */
static size_t pass(struct chain *chain, struct batch_pool *pool, const char *topic)
{
    size_t bytes = 0;
    for (size_t first = 0; first < row_count; first += BATCH) {
        struct sluice_batch *batch = batch_new(pool);
        for (size_t i = first; i < row_count && i < first + BATCH; i++) {
            struct sluice_value *value = NULL;
            struct sluice_json_error error = {.size = sizeof(error)};
            struct sluice_record *record = batch_add_sink(
                batch, topic, 0, (int64_t)i, 0, SLUICE_TIMESTAMP_CREATE,
                (struct sluice_span){NULL, 0}, (struct sluice_span){rows[i], sizes[i]});
            if (data_api.from_json(batch, rows[i], sizes[i], 0, &value, &error) != SLUICE_OK) {
                fprintf(stderr, "row %zu: %s\n", i, error.message);
                exit(2);
            }
            records_api.set_value(record, NULL, value);
            if (chain_apply(chain, record, NULL) == SLUICE_OK) {
                bytes += data_api.to_json(batch, records_api.value(record)).size;
            }
        }
        records_api.release(batch);
    }
    return bytes;
}

static void on_file(void *user, const char *path, const struct error *error)
{
    (void)user;
    if (error) {
        fprintf(stderr, "%s: %s\n", path, error->message);
    }
}

static struct chain *make_chain(struct plugin_environment *environment, const char *path)
{
    char self[4096], folder[4200];
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    self[length > 0 ? length : 0] = '\0';
    snprintf(folder, sizeof(folder), "%s/../plugins", dirname(self));
    const char *plugins = folder;
    registry_scan(environment->registry, &plugins, 1, NULL, on_file, NULL);
    struct properties properties = {0};
    struct error error = {0};
    struct chain *chain = NULL;
    if (properties_load_file(&properties, path, &error) != 0 ||
        chain_create(environment, &properties, &chain, &error) != 0) {
        fprintf(stderr, "%s: %s\n", path, error.message);
        exit(2);
    }
    properties_finish(&properties);
    return chain;
}

int main(int argc, char **argv)
{
    bool json = argc > 1 && strcmp(argv[1], "--json") == 0;
    argv += json;
    argc -= json;
    if (argc != 4 || load(argv[3]) != 0) {
        fprintf(stderr, "chain_bench [--json] CHAIN.properties TOPIC ROWS.jsonl\n");
        return 2;
    }
    struct plugin_environment environment = {.registry = registry_create(), .log_context = ""};
    struct chain *chain = make_chain(&environment, argv[1]);
    struct batch_pool *pool = batch_pool_create(2, (size_t)16 << 20);
    (void)pass(chain, pool, argv[2]);
    (void)pass(chain, pool, argv[2]);
    size_t passes = 0, bytes = 0, before = allocations;
    double start = now(), spent;
    do {
        bytes += pass(chain, pool, argv[2]);
        passes++;
        spent = now() - start;
    } while (spent < SECONDS);
    double records = (double)(passes * row_count);
    double rate = records / spent, each = (double)(allocations - before) / records;
    if (json) {
        printf("{\"name\":\"chain %s\",\"value\":%.0f,\"unit\":\"records/CPU s\",\"ratio\":%.3f,"
               "\"goal\":300000,\"note\":\"%.2f allocations a record\"}\n",
               argv[2], rate, rate / 300000, each);
    } else {
        printf("%s: %.0f records per CPU second (%.0f ns each, %.0f bytes out), %.2f allocations a "
               "record\n",
               argv[2], rate, 1e9 / rate, (double)bytes / records, each);
    }
    batch_pool_destroy(pool);
    chain_destroy(chain);
    registry_destroy(environment.registry);
    return 0;
}
