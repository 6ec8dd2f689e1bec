/*
 * A chain of transforms, bytes to bytes in memory: chain_bench [--json] CHAIN.properties TOPIC
 * ROWS.jsonl. Each row is read by JsonConverter, goes through the chain and is written by
 * JsonConverter, as in a sink task; records per second of CPU, and allocations per record in the
 * steady state.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sluice/converter.h>

#include "core/data/batch.h"
#include "core/host/chain.h"
#include "core/plugin/instance.h"
#include "tests/support/built_plugins.h"

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

static const char converter_class[] = "org.apache.kafka.connect.json.JsonConverter";
static struct plugin_instance *converter;

static void fail(const char *what)
{
    fprintf(stderr, "chain_bench: %s failed\n", what);
    exit(2);
}

static void make_converter(const struct plugin_environment *environment)
{
    struct properties properties = {0};
    struct error error = {0};
    properties_set(&properties, "schemas.enable", "false");
    properties_set(&properties, "converter.type", "value");
    if (plugin_instance_create(environment, SLUICE_CONVERTER, converter_class, &converter,
                               &error) != 0 ||
        plugin_instance_configure(converter, &properties, &error) != 0) {
        fail(error.message);
    }
    const struct sluice_converter *vtable = converter->descriptor->vtable;
    if (vtable->configure(converter->self, converter_class, converter->config,
                          SLUICE_CONVERT_VALUE) != SLUICE_OK) {
        fail("JsonConverter");
    }
    properties_finish(&properties);
}

/* All rows once; returns bytes written, so that the work cannot be left out. */
static size_t pass(struct chain *chain, struct batch_pool *pool, const char *topic)
{
    const struct sluice_converter *vtable = converter->descriptor->vtable;
    size_t bytes = 0;
    for (size_t first = 0; first < row_count; first += BATCH) {
        struct sluice_batch *batch = batch_new(pool);
        for (size_t i = first; i < row_count && i < first + BATCH; i++) {
            struct sluice_span row = {rows[i], sizes[i]}, out = {NULL, 0};
            const struct sluice_schema *schema = NULL;
            const struct sluice_value *value = NULL;
            struct sluice_record *record =
                batch_add_sink(batch, topic, 0, (int64_t)i, 1753920245123, SLUICE_TIMESTAMP_CREATE,
                               (struct sluice_span){NULL, 0}, row);
            if (vtable->to_connect(converter->self, batch, topic, NULL, row, &schema, &value) !=
                SLUICE_OK) {
                fail("reading a row");
            }
            records_api.set_value(record, schema, value);
            if (chain_apply(chain, record, NULL) != SLUICE_OK ||
                vtable->from_connect(converter->self, batch, records_api.topic(record), NULL,
                                     records_api.value_schema(record), records_api.value(record),
                                     &out) != SLUICE_OK) {
                fail("the chain");
            }
            bytes += out.size;
        }
        records_api.release(batch);
    }
    return bytes;
}

static struct chain *make_chain(struct plugin_environment *environment, const char *path)
{
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
    struct plugin_environment environment = {.registry = built_plugins(), .log_context = ""};
    struct chain *chain = make_chain(&environment, argv[1]);
    make_converter(&environment);
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
    plugin_instance_destroy(converter);
    chain_destroy(chain);
    registry_destroy(environment.registry);
    return 0;
}
