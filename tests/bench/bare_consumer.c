/*
 * A consumer that only counts: what librdkafka costs without anything around it.
 *   bare_consumer SERVERS TOPIC RECORDS     prints {"records", "cpu", "wall"}
 */
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    static const char *const settings[] = {"group.id", "bare", "auto.offset.reset", "earliest",
                                           "enable.auto.commit", "false", "queued.max.messages.kbytes",
                                           "8192", "queued.min.messages", "20000", "fetch.max.bytes",
                                           "8388608", "fetch.queue.backoff.ms", "5", NULL};
    char why[300];
    if (argc != 4) {
        fprintf(stderr, "usage: bare_consumer SERVERS TOPIC RECORDS\n");
        return 2;
    }
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", argv[1], why, sizeof(why));
    for (int i = 0; settings[i]; i += 2) {
        if (rd_kafka_conf_set(conf, settings[i], settings[i + 1], why, sizeof(why)) != RD_KAFKA_CONF_OK) {
            fprintf(stderr, "%s\n", why);
            return 2;
        }
    }
    rd_kafka_t *kafka = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, argv[2], RD_KAFKA_PARTITION_UA);
    rd_kafka_poll_set_consumer(kafka);
    rd_kafka_subscribe(kafka, topics);
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(kafka);
    int64_t wanted = strtoll(argv[3], NULL, 10), count = 0;
    double begin = seconds(CLOCK_MONOTONIC);
    while (count < wanted && seconds(CLOCK_MONOTONIC) - begin < 120) {
        rd_kafka_message_t *messages[1000];
        ssize_t got = rd_kafka_consume_batch_queue(queue, 500, messages, 1000);
        for (ssize_t i = 0; i < got; i++) {
            count += messages[i]->err == 0;
            rd_kafka_message_destroy(messages[i]);
        }
    }
    printf("{\"records\": %" PRId64 ", \"cpu\": %.3f, \"wall\": %.3f}\n", count,
           seconds(CLOCK_PROCESS_CPUTIME_ID), seconds(CLOCK_MONOTONIC) - begin);
    rd_kafka_queue_destroy(queue);
    rd_kafka_topic_partition_list_destroy(topics);
    rd_kafka_consumer_close(kafka);
    rd_kafka_destroy(kafka);
    return count < wanted;
}
