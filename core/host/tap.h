/*
 * Live sample of a task's records, for the console: the next few at one stage of their way, as JSON,
 * with what looks like a secret taken out before it leaves this process. Bounded in records and bytes;
 * one at a time. The record path pays one relaxed load a record while nobody samples.
 */
#ifndef CORE_HOST_TAP_H
#define CORE_HOST_TAP_H

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <sluice/record.h>

enum tap_stage { TAP_NONE, TAP_POLLED, TAP_CONVERTED, TAP_TRANSFORMED };

struct task;

struct tap {
    atomic_int stage;     /* enum tap_stage that is sampled now */
    pthread_mutex_t lock; /* of all below */
    json_int_t id;        /* of the request under way; 0: none */
    json_t *records;
    size_t limit, bytes;
};

void tap_init(struct tap *tap);
/** {"type":"tap","id","stage","limit"}: begins; {"type":"tap_end","id"}: what there is, now. [control thread] */
void tap_obey(struct task *task, json_t *message);
/** Takes a record; hands the sample over when it is full. [task thread] */
void tap_take(struct task *task, const struct sluice_record *record);

/** JSON without what looks like a secret, cut where it is long. words: names, separated by commas; NULL:
 * the usual ones. In place; borrows. */
void tap_redact(json_t *value, const char *words);

#define tap_see(task, at, record)                                                        \
    do {                                                                                 \
        if (atomic_load_explicit(&(task)->tap.stage, memory_order_relaxed) == (int)(at)) \
            tap_take(task, record);                                                      \
    } while (0)

#endif
