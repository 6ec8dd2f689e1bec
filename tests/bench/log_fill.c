/*
 * Fills a topic for a benchmark: log_fill --dir D|--servers KAFKA --topic T --rows FILE --records N
 * [--partitions N: a batch each in turn] [--time-step MS: between records]
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/broker/broker.h"
#include "core/config/properties.h"

enum { MOST_ROWS = 100000, BATCH = 500 };

static size_t failed;

static void on_delivered(void *user, const struct broker_delivery *deliveries, size_t count)
{
    (void)user;
    for (size_t i = 0; i < count; i++) {
        if (deliveries[i].error && failed++ == 0) {
            fprintf(stderr, "log_fill: %s\n", deliveries[i].error->message);
        }
    }
}

static const char *option(int argc, char **argv, const char *name, const char *otherwise)
{
    for (int i = 1; i + 1 < argc; i++) {
        if (strcmp(argv[i], name) == 0) {
            return argv[i + 1];
        }
    }
    if (otherwise) {
        return otherwise;
    }
    fprintf(stderr, "log_fill: %s is missing\n", name);
    exit(2);
}

int main(int argc, char **argv)
{
    static char *rows[MOST_ROWS];
    size_t row_count = 0, room = 0;
    char *line = NULL, servers[4096];
    const char *topic = option(argc, argv, "--topic", NULL);
    size_t records = strtoull(option(argc, argv, "--records", NULL), NULL, 10);
    FILE *file = fopen(option(argc, argv, "--rows", NULL), "r");
    if (!file) {
        perror("log_fill");
        return 3;
    }
    while (row_count < MOST_ROWS && getline(&line, &room, file) > 0) {
        line[strcspn(line, "\n")] = '\0';
        rows[row_count++] = strdup(line);
    }
    free(line);
    (void)fclose(file);

    int32_t partitions = (int32_t)strtol(option(argc, argv, "--partitions", "1"), NULL, 10);
    int64_t step = strtoll(option(argc, argv, "--time-step", "0"), NULL, 10);
    struct properties properties = {0};
    struct broker *broker = NULL;
    struct broker_producer *producer = NULL;
    struct error error = {0};
    const char *kafka = option(argc, argv, "--servers", "");
    if (*kafka) {
        (void)snprintf(servers, sizeof(servers), "%s", kafka);
    } else {
        (void)snprintf(servers, sizeof(servers), "local:%s", option(argc, argv, "--dir", NULL));
    }
    properties_set(&properties, "bootstrap.servers", servers);
    if (*kafka) { /* as a source task's producer */
        properties_set(&properties, "acks", "all");
        properties_set(&properties, "max.in.flight.requests.per.connection", "1");
        properties_set(&properties, "enable.idempotence", "false");
    }
    if (broker_open(&properties, &broker, &error) != 0 ||
        broker_producer_create(broker, &properties, on_delivered, NULL, &producer, &error) != 0) {
        fprintf(stderr, "log_fill: %s\n", error.message);
        return 3;
    }
    for (size_t sent = 0; sent < records;) {
        struct broker_message messages[BATCH];
        size_t count = records - sent < BATCH ? records - sent : BATCH;
        for (size_t i = 0; i < count; i++) {
            const char *row = rows[(sent + i) % row_count];
            messages[i] = (struct broker_message){.topic = topic,
                                                  .partition = (int32_t)((sent + i) / BATCH) % partitions,
                                                  .timestamp = step ? (int64_t)(sent + i + 1) * step
                                                                    : BROKER_NO_TIMESTAMP,
                                                  .value = row,
                                                  .value_size = (uint32_t)strlen(row)};
        }
        size_t taken = broker_producer_send(producer, messages, count, true);
        sent += taken;
        (void)broker_producer_poll(producer, taken == count ? 0 : 100);
    }
    while (broker_producer_pending(producer) > 0) {
        (void)broker_producer_poll(producer, 1000);
    }
    broker_producer_destroy(producer);
    broker_close(broker);
    properties_finish(&properties);
    return failed > 0;
}
