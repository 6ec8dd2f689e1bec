/*
 * The runs of a polling source: the schedule.* keys, when a run begins, that it is over only when its
 * records are durable, tries again, and each run on record as an offset of the connector:
 *   {"schedule":"cron"} -> {"tick","begin","end","attempts","records","result"}
 * of task 0; those of others have {"schedule":"cron","task":N}. So a restart knows what was missed.
 * Without schedule.cron a run begins so long after the one before has ended.
 *
 *     poll():  if (!runs_on(&runs, batch, timeout_ms, &begun)) return SLUICE_OK;
 *              if (begun) .. begin with what there is to read
 *              .. add records, runs_added() for each ..
 *              nothing is left to read: runs_through(&runs, batch)
 *              the run cannot go on: runs_failed(&runs, batch, why), where runs_scheduled()
 *     record_done(): runs_record_done()
 *
 * Speaks the plugin interface, unlike the rest of lib: for sources only. [task thread], but for
 * runs_record_done().
 */
#ifndef LIB_SCHEDULE_RUNS_H
#define LIB_SCHEDULE_RUNS_H

#include <stdatomic.h>

#include <sluice/source.h>

#include "lib/cron/schedule.h"

struct runs {
    const struct sluice_host *host;
    const struct sluice_source_context *context;
    struct schedule schedule;
    struct zone *zone;       /* of schedule, owned */
    int64_t task;
    bool planned;
    int64_t begin;           /* of the run that is on, or was last: wall clock ms */
    int64_t records;         /* added by it */
    atomic_size_t under_way; /* added and not yet done [any thread] */
    struct sluice_metric *next_run, *last_run;
};

/** Reads the schedule.* keys. interval_ms: between runs where there is no schedule.cron. -1 with a sentence. */
int runs_init(struct runs *runs, const struct sluice_host *host, const struct sluice_config *config,
              int64_t interval_ms, char *message, size_t size);
/** Zeroed or half-built is fine. */
void runs_finish(struct runs *runs);

static inline bool runs_scheduled(const struct runs *runs)
{
    return runs->schedule.has_cron;
}

/**
 * Whether a run is on; *ret_begun: since this call. False: there is nothing to do now; it has waited
 * where the next run begins within timeout_ms, else the host waits.
 */
bool runs_on(struct runs *runs, struct sluice_batch *batch, int timeout_ms, bool *ret_begun);
/** A record was added to the batch: the run is on until it is done. Marks it for runs_record_done(). */
void runs_added(struct runs *runs, struct sluice_record *record);
/** [broker thread, or task thread] */
void runs_record_done(struct runs *runs, const struct sluice_record *record);
/** All is read; the run is over, but for a schedule not before its records are durable: ask again then. */
void runs_through(struct runs *runs, struct sluice_batch *batch);
/** A scheduled run cannot go on: true, it will be tried again; false: given up, on record, until the next. */
bool runs_failed(struct runs *runs, struct sluice_batch *batch, const char *why);
/** The run is off without an end: runs_on() begins it anew (what is tried again by own rules). */
void runs_again(struct runs *runs);

/** schedule.cron and schedule.timezone. */
bool runs_check_cron(const char *name, const char *value, char *message, size_t size);
bool runs_check_zone(const char *name, const char *value, char *message, size_t size);
extern const char *const runs_catchups[];

#define SCHEDULE_OPTION(option_name, option_type)                                                   \
    .size = sizeof(struct sluice_option), .name = (option_name),                                     \
    .type = SLUICE_OPTION_##option_type, .group = "Schedule"

/** Entries of a polling source's option table. task_configs() sets sluice.task.number where there are several. */
#define SCHEDULE_OPTIONS                                                                            \
    {SCHEDULE_OPTION("schedule.cron", STRING), .importance = SLUICE_MEDIUM,                         \
     .valid = SLUICE_VALID_CUSTOM, .check = runs_check_cron,                                        \
     .doc = "When to poll, instead of every so often: minute, hour, day of month, month, day of "   \
            "week, as cron has them."},                                                             \
        {SCHEDULE_OPTION("schedule.timezone", STRING), .default_value = "UTC",                      \
         .importance = SLUICE_MEDIUM, .valid = SLUICE_VALID_CUSTOM, .check = runs_check_zone,       \
         .doc = "Zone of schedule.cron."},                                                          \
        {SCHEDULE_OPTION("schedule.catchup", STRING), .default_value = "last",                      \
         .importance = SLUICE_LOW, .valid = SLUICE_VALID_ONE_OF_ANY_CASE, .values = runs_catchups,  \
         .doc = "Runs missed while nothing ran: none (or false), the last one, or all (true)."},    \
        {SCHEDULE_OPTION("schedule.run.at.start", BOOLEAN), .default_value = "false",               \
         .importance = SLUICE_LOW,                                                                  \
         .doc = "Whether a run is made when the task starts, beside those of schedule.cron."},      \
        {SCHEDULE_OPTION("schedule.retries", INT), .default_value = "0",                            \
         .importance = SLUICE_LOW, .valid = SLUICE_VALID_RANGE, .min = 0, .max = INT32_MAX,         \
         .doc = "How often a run that fails is tried again before the next tick's."},               \
        {SCHEDULE_OPTION("schedule.retry.delay.ms", LONG), .default_value = "300000",               \
         .importance = SLUICE_LOW, .valid = SLUICE_VALID_RANGE, .min = 0, .max = INT64_MAX,         \
         .doc = "How long to wait before each of them."},                                           \
        {SCHEDULE_OPTION("sluice.task.number", INT), .default_value = "0", .internal = true,        \
         .doc = "Of this task."}

#endif
