/*
 * What librdkafka alone takes to consume a topic's partition 0, or to fill it:
 *   kafka_bare consume SERVERS TOPIC RECORDS
 *   kafka_bare produce SERVERS TOPIC RECORDS ROWS
 * Prints `records seconds cpu-seconds`. The client is configured as ours is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <librdkafka/rdkafka.h>

#include "core/base/clock.h"

enum { BATCH = 1024, MOST_ROWS = 100000 };

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char text[256];
    if (rd_kafka_conf_set(conf, name, value, text, sizeof(text)) != RD_KAFKA_CONF_OK) {
        fprintf(stderr, "kafka_bare: %s\n", text);
        exit(2);
    }
}

static rd_kafka_t *client(rd_kafka_type_t type, const char *servers)
{
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", servers);
    if (type == RD_KAFKA_CONSUMER) {
        set(conf, "queued.max.messages.kbytes", "8192");
        set(conf, "queued.min.messages", "20000");
        set(conf, "fetch.max.bytes", "8388608");
        set(conf, "fetch.queue.backoff.ms", "5");
    } else {
        set(conf, "linger.ms", "5");
        set(conf, "acks", "all");
    }
    rd_kafka_t *rk = rd_kafka_new(type, conf, text, sizeof(text));
    if (!rk) {
        fprintf(stderr, "kafka_bare: %s\n", text);
        exit(3);
    }
    return rk;
}

static void consume(const char *servers, const char *name, size_t records)
{
    rd_kafka_t *rk = client(RD_KAFKA_CONSUMER, servers);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, name, NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    static rd_kafka_message_t *messages[BATCH];
    size_t bytes = 0;
    (void)rd_kafka_consume_start_queue(topic, 0, RD_KAFKA_OFFSET_BEGINNING, queue);
    for (size_t seen = 0; seen < records;) {
        ssize_t count = rd_kafka_consume_batch_queue(queue, 5, messages, BATCH);
        for (ssize_t i = 0; i < count; i++) {
            bytes += messages[i]->len;
            seen += !messages[i]->err;
            rd_kafka_message_destroy(messages[i]);
        }
    }
    (void)rd_kafka_consume_stop(topic, 0);
    rd_kafka_queue_destroy(queue);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(rk);
    fprintf(stderr, "%zu bytes a record\n", bytes / records);
}

static void produce(const char *servers, const char *name, size_t records, const char *path)
{
    static char *rows[MOST_ROWS];
    size_t row_count = 0, room = 0;
    char *line = NULL;
    FILE *file = fopen(path, "r");
    while (file && row_count < MOST_ROWS && getline(&line, &room, file) > 0) {
        line[strcspn(line, "\n")] = '\0';
        rows[row_count++] = strdup(line);
    }
    if (row_count == 0) {
        perror(path);
        exit(3);
    }
    (void)fclose(file);
    free(line);
    rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, servers);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, name, NULL);
    static rd_kafka_message_t messages[BATCH];
    for (size_t sent = 0; sent < records;) {
        int count = 0;
        for (; count < BATCH && sent + (size_t)count < records; count++) {
            char *row = rows[(sent + (size_t)count) % row_count];
            messages[count] = (rd_kafka_message_t){.payload = row, .len = strlen(row)};
        }
        int good = rd_kafka_produce_batch(topic, 0, 0, messages, count);
        sent += (size_t)good;
        (void)rd_kafka_poll(rk, good == count ? 0 : 50);
    }
    (void)rd_kafka_flush(rk, 60000);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(rk);
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "usage: kafka_bare consume|produce SERVERS TOPIC RECORDS [ROWS]\n");
        return 2;
    }
    size_t records = strtoull(argv[4], NULL, 10);
    int64_t begin = clock_monotonic_ns();
    if (strcmp(argv[1], "consume") == 0) {
        consume(argv[2], argv[3], records);
    } else {
        produce(argv[2], argv[3], records, argc > 5 ? argv[5] : "");
    }
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    printf("%zu %.3f %.3f\n", records, (double)(clock_monotonic_ns() - begin) / 1e9,
           (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
    return 0;
}
