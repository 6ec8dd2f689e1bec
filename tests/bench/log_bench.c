/*
 * Figures of the embedded log: produce in batches and as single records with 64 in flight, consume.
 *   log_bench [--dir DIR] [--records N] [--size BYTES] [--json]
 * Rates are of wall time; CPU is of client and owner, user and system. DIR is made and left.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/broker/broker.h"
#include "core/config/properties.h"

enum { SINGLES = 64 };

static bool json;
static pid_t owner;
static int life[2];
static size_t record_size = 730;
static atomic_size_t delivered, failed;

static void die(const char *what, const struct error *error)
{
    fprintf(stderr, "log_bench: %s%s%s\n", what, error ? ": " : "", error ? error->message : "");
    exit(1);
}

static void start_owner(const char *dir)
{
    char program[4096], number[16];
    ssize_t size = readlink("/proc/self/exe", program, sizeof(program) - 32);
    program[size > 0 ? size : 0] = '\0';
    char *slash = strrchr(program, '/');
    if (!slash || socketpair(AF_UNIX, SOCK_STREAM, 0, life) != 0) {
        die("no owner", NULL);
    }
    strcpy(slash, "/../sluice-log");
    owner = fork();
    if (owner == 0) {
        close(life[1]);
        (void)snprintf(number, sizeof(number), "%d", life[0]);
        execl(program, "sluice-log", dir, "--fd", number, (char *)NULL);
        _exit(127);
    }
    close(life[0]);
    char byte;
    if (read(life[1], &byte, 1) != 1) { /* it serves */
        die("no owner", NULL);
    }
}

static double owner_cpu(void)
{
    char path[64], text[1024] = "";
    unsigned long user = 0, kernel = 0;
    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)owner);
    FILE *file = fopen(path, "r");
    if (file) {
        size_t n = fread(text, 1, sizeof(text) - 1, file);
        text[n] = '\0';
        fclose(file);
    }
    char *end = strrchr(text, ')');
    if (end) {
        (void)sscanf(end + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                     &kernel);
    }
    return (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK);
}

static double own_cpu(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

struct stage {
    const char *name;
    size_t records;
    int64_t begin;
    double own, other;
};

static struct stage stage_begin(const char *name, size_t records)
{
    return (struct stage){name, records, clock_monotonic_ns(), own_cpu(), owner_cpu()};
}

static void stage_end(const struct stage *stage)
{
    double wall = (double)(clock_monotonic_ns() - stage->begin) / 1e9;
    double own = own_cpu() - stage->own, other = owner_cpu() - stage->other;
    double n = (double)stage->records;
    if (json) {
        printf("{\"name\":\"log-%s\",\"value\":%.0f,\"unit\":\"records/s\",\"ratio\":null,"
               "\"note\":\"client %.2f us, owner %.2f us of CPU per record\"}\n",
               stage->name, n / wall, own / n * 1e6, other / n * 1e6);
    } else {
        printf("%-18s %9.0f records/s   CPU per record: client %.2f us, owner %.2f us\n",
               stage->name, n / wall, own / n * 1e6, other / n * 1e6);
    }
    (void)fflush(stdout);
}

static void on_delivered(void *user, const struct broker_delivery *deliveries, size_t count)
{
    (void)user;
    for (size_t i = 0; i < count; i++) {
        if (deliveries[i].error) {
            atomic_fetch_add(&failed, 1);
        }
    }
    atomic_fetch_add(&delivered, count);
}

/* batch records a send, at most `flight` under way. */
static void produce(struct broker *broker, const struct properties *properties, const char *name,
                    const char *topic, size_t records, size_t batch, size_t flight)
{
    struct error error = {0};
    struct broker_producer *producer;
    if (broker_producer_create(broker, properties, on_delivered, NULL, &producer, &error) != 0) {
        die("producer", &error);
    }
    char *value = malloc(record_size);
    memset(value, 'x', record_size);
    struct broker_message *messages = calloc(batch, sizeof(*messages));
    for (size_t i = 0; i < batch; i++) {
        messages[i] = (struct broker_message){.topic = topic,
                                              .partition = BROKER_NO_PARTITION,
                                              .timestamp = BROKER_NO_TIMESTAMP,
                                              .value = value,
                                              .value_size = (uint32_t)record_size};
    }
    atomic_store(&delivered, 0);
    size_t sent = 0;
    while (atomic_load(&delivered) == 0) { /* connected, topic there */
        sent += broker_producer_send(producer, messages, sent == 0, true);
        (void)broker_producer_poll(producer, 100);
    }
    atomic_store(&delivered, 0);
    sent = 0;
    struct stage stage = stage_begin(name, records);
    while (atomic_load(&delivered) < records) {
        while (sent < records && sent + batch <= atomic_load(&delivered) + flight) {
            size_t count = records - sent < batch ? records - sent : batch;
            size_t taken = broker_producer_send(producer, messages, count, true);
            sent += taken;
            if (taken < count) {
                break;
            }
        }
        (void)broker_producer_poll(producer, 1000);
    }
    stage_end(&stage);
    if (atomic_load(&failed) > 0) {
        die("deliveries failed", NULL);
    }
    broker_producer_destroy(producer);
    free(messages);
    free(value);
}

static void consume(struct broker *broker, const struct properties *properties, const char *topic,
                    size_t records)
{
    struct error error = {0};
    struct broker_consumer *consumer;
    struct broker_offset from = {topic, 0, 0};
    if (broker_consumer_create(broker, properties, NULL, &consumer, &error) != 0 ||
        broker_consumer_assign(consumer, &from, 1, &error) != 0) {
        die("consumer", &error);
    }
    struct stage stage = stage_begin("consume", records);
    size_t count = 0, bytes = 0;
    while (count < records) {
        struct broker_chunk *chunk;
        if (broker_consumer_poll(consumer, 1000, 4096, 2 << 20, &chunk, &error) != 0) {
            die("poll", &error);
        }
        for (size_t i = 0; chunk && i < chunk->count; i++) {
            bytes += chunk->messages[i].value_size;
        }
        count += chunk ? chunk->count : 0;
        broker_chunk_release(chunk);
    }
    stage_end(&stage);
    if (bytes != count * record_size) {
        die("other bytes came back", NULL);
    }
    broker_consumer_destroy(consumer);
}

int main(int argc, char **argv)
{
    char made[] = "/tmp/log_bench.XXXXXX";
    const char *dir = NULL;
    size_t records = 300000;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            json = true;
        } else if (strcmp(argv[i], "--dir") == 0 && i + 1 < argc) {
            dir = argv[++i];
        } else if (strcmp(argv[i], "--records") == 0 && i + 1 < argc) {
            records = (size_t)strtoul(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--size") == 0 && i + 1 < argc) {
            record_size = (size_t)strtoul(argv[++i], NULL, 10);
        } else {
            fprintf(stderr, "usage: log_bench [--dir DIR] [--records N] [--size BYTES] [--json]\n");
            return 2;
        }
    }
    bool own_dir = !dir;
    if (!dir && !(dir = mkdtemp(made))) {
        die("no folder", NULL);
    }
    char servers[4200];
    (void)snprintf(servers, sizeof(servers), "local:%s", dir);
    struct properties properties = {0};
    struct error error = {0};
    struct broker *broker;
    properties_set(&properties, "bootstrap.servers", servers);
    start_owner(dir);
    if (broker_open(&properties, &broker, &error) != 0) {
        die("broker", &error);
    }
    produce(broker, &properties, "produce-100", "b100", records, 100, 2000);
    produce(broker, &properties, "produce-500", "b500", records, 500, 5000);
    produce(broker, &properties, "produce-64-singles", "single", records / 4, 1, SINGLES);
    consume(broker, &properties, "b500", records);
    consume(broker, &properties, "b500", records);
    consume(broker, &properties, "single", records / 4);
    broker_close(broker);
    properties_finish(&properties);
    close(life[1]);
    (void)waitpid(owner, NULL, 0);
    if (own_dir) {
        char path[4200];
        const char *const names[] = {"data.mdb", "lock", "log.sock"};
        for (size_t i = 0; i < 3; i++) {
            (void)snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
            (void)unlink(path);
        }
        (void)rmdir(dir);
    }
    return 0;
}
