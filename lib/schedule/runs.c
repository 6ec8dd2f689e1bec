/* The runs of a polling source. */
#include "lib/schedule/runs.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "lib/java/dates.h"
#include "lib/util/refuse_value.h"

const char *const runs_catchups[] = {"none", "last", "all", "false", "true", NULL};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* -- configuration -- */

bool runs_check_cron(const char *name, const char *value, char *message, size_t size)
{
    struct cron cron;
    char why[300];
    return !value || !*value || cron_parse(value, &cron, why, sizeof(why)) == 0 ||
           refuse_value(name, value, why, message, size);
}

bool runs_check_zone(const char *name, const char *value, char *message, size_t size)
{
    struct zone *zone = NULL;
    char why[200];
    if (value && zone_open(value, &zone, why, sizeof(why)) != 0) {
        return refuse_value(name, value, why, message, size);
    }
    zone_close(zone);
    return true;
}

static enum schedule_catchup catchup_of(const char *text)
{
    static const enum schedule_catchup values[] = {CATCHUP_NONE, CATCHUP_LAST, CATCHUP_ALL,
                                                   CATCHUP_NONE, CATCHUP_ALL};
    for (int i = 0; text && runs_catchups[i]; i++) {
        if (strcasecmp(runs_catchups[i], text) == 0) {
            return values[i];
        }
    }
    return CATCHUP_LAST;
}

int runs_init(struct runs *runs, const struct sluice_host *host, const struct sluice_config *config,
              int64_t interval_ms, char *message, size_t size)
{
    const struct sluice_config_api *api = host->config;
    struct schedule *schedule = &runs->schedule;
    const char *cron = api->get_string(config, "schedule.cron");
    memset(runs, 0, sizeof(*runs));
    runs->host = host;
    runs->context = host->extension(host, SLUICE_SOURCE_CONTEXT);
    schedule->has_cron = cron && *cron;
    if ((schedule->has_cron && cron_parse(cron, &schedule->cron, message, size) != 0) ||
        zone_open(api->get_string(config, "schedule.timezone"), &runs->zone, message, size) != 0) {
        return -1;
    }
    schedule->zone = runs->zone;
    schedule->catchup = catchup_of(api->get_string(config, "schedule.catchup"));
    schedule->run_at_start = api->get_boolean(config, "schedule.run.at.start");
    schedule->interval_ms = interval_ms;
    schedule->retries = api->get_long(config, "schedule.retries");
    schedule->retry_delay_ms = api->get_long(config, "schedule.retry.delay.ms");
    runs->task = api->get_long(config, "sluice.task.number");
    if (schedule->has_cron) {
        runs->next_run = host->metric(host, "schedule-next-run-ms", SLUICE_GAUGE);
        runs->last_run = host->metric(host, "schedule-last-run-ms", SLUICE_GAUGE);
    }
    return 0;
}

void runs_finish(struct runs *runs)
{
    zone_close(runs->zone);
    runs->zone = NULL;
    runs->schedule.zone = NULL;
}

/* -- what is on record -- */

static void put(const struct runs *runs, struct sluice_batch *batch, struct sluice_value *map,
                const char *name, struct sluice_value *value)
{
    runs->host->data->put(batch, map, runs->host->data->intern(name, strlen(name)), value);
}

static void put_number(const struct runs *runs, struct sluice_batch *batch, struct sluice_value *map,
                       const char *name, int64_t value)
{
    put(runs, batch, map, name, runs->host->data->new_integer(batch, SLUICE_INT64, value));
}

static void put_text(const struct runs *runs, struct sluice_batch *batch, struct sluice_value *map,
                     const char *name, const char *value)
{
    put(runs, batch, map, name, runs->host->data->new_string(batch, value, strlen(value)));
}

static struct sluice_value *partition_of(const struct runs *runs, struct sluice_batch *batch, int64_t task)
{
    struct sluice_value *map = runs->host->data->new_map(batch, 2);
    put_text(runs, batch, map, "schedule", "cron");
    if (task > 0) {
        put_number(runs, batch, map, "task", task);
    }
    return map;
}

/* Tick of the run that ended last; INT64_MIN: none is stored. A task that is new takes up the first's. */
static int64_t last_tick(const struct runs *runs, struct sluice_batch *batch)
{
    const struct sluice_data *data = runs->host->data;
    const struct sluice_value *stored = NULL;
    for (int64_t task = runs->task; !stored && task >= 0; task = task > 0 ? 0 : -1) {
        stored = runs->context->offset(runs->host, batch, partition_of(runs, batch, task));
    }
    const struct sluice_value *tick = stored ? data->find(stored, data->intern("tick", 4)) : NULL;
    enum sluice_type type = data->type(tick);
    return type >= SLUICE_INT8 && type <= SLUICE_INT64 ? data->integer(tick) : INT64_MIN;
}

/* No topic: nothing is written, the offset is stored behind the run's records. */
static void store(const struct runs *runs, struct sluice_batch *batch, struct sluice_value *map)
{
    struct sluice_record *record = runs->host->records->add(batch, NULL);
    runs->host->records->set_source(record, partition_of(runs, batch, runs->task), map);
}

/* From here on ticks count as missed, also where the process ends before the first. */
static void record_plan(const struct runs *runs, struct sluice_batch *batch, int64_t now)
{
    struct sluice_value *map = runs->host->data->new_map(batch, 2);
    put_number(runs, batch, map, "tick", now);
    put_text(runs, batch, map, "result", "planned");
    store(runs, batch, map);
}

static void record_end(const struct runs *runs, struct sluice_batch *batch, int attempts,
                       const char *result)
{
    const struct sluice_host *host = runs->host;
    int64_t end = now_ms(), tick = runs->schedule.tick;
    struct sluice_value *map = host->data->new_map(batch, 6);
    put_number(runs, batch, map, "tick", tick);
    put_number(runs, batch, map, "begin", runs->begin);
    put_number(runs, batch, map, "end", end);
    put_number(runs, batch, map, "attempts", attempts);
    put_number(runs, batch, map, "records", runs->records);
    put_text(runs, batch, map, "result", result);
    store(runs, batch, map);
    host->metric_set(runs->last_run, tick);
    host->log(host, SLUICE_INFO,
              "Run of tick %" PRId64 " ended after %" PRId64 " ms, attempt %d, %" PRId64 " records: %s",
              tick, end - runs->begin, attempts, runs->records, result);
}

static void say_next(const struct runs *runs)
{
    const struct sluice_host *host = runs->host;
    struct date_format *format = NULL;
    char text[80] = "?", message[DATE_MESSAGE_MAX];
    if (!runs->schedule.has_cron) {
        return;
    }
    host->metric_set(runs->next_run, runs->schedule.due_ms);
    if (date_format_create("yyyy-MM-dd HH:mm:ss XXX", &format, message, sizeof(message)) == 0) {
        date_format_print(format, runs->zone, runs->schedule.due_ms, text, sizeof(text));
    }
    date_format_destroy(format);
    host->log(host, SLUICE_INFO, "Next run at %s", text);
}

/* -- runs -- */

bool runs_on(struct runs *runs, struct sluice_batch *batch, int timeout_ms, bool *ret_begun)
{
    struct schedule *schedule = &runs->schedule;
    int64_t wait;
    *ret_begun = false;
    if (!runs->planned) {
        int64_t now = now_ms(), last = schedule->has_cron ? last_tick(runs, batch) : INT64_MIN;
        schedule_start(schedule, now, last);
        runs->planned = true;
        say_next(runs);
        if (schedule->has_cron && last == INT64_MIN) {
            record_plan(runs, batch, now);
        }
    }
    if (schedule->running) {
        return true;
    }
    if (!schedule_due(schedule, now_ms(), &wait)) {
        if (wait < timeout_ms) {
            struct timespec pause = {wait / 1000, wait % 1000 * 1000000};
            nanosleep(&pause, NULL);
        }
        return false;
    }
    runs->begin = schedule->attempts > 1 ? runs->begin : now_ms();
    runs->records = 0;
    *ret_begun = true;
    return true;
}

void runs_added(struct runs *runs, struct sluice_record *record)
{
    runs->host->records->set_context(record, runs);
    atomic_fetch_add(&runs->under_way, 1);
    runs->records++;
}

void runs_record_done(struct runs *runs, const struct sluice_record *record)
{
    if (runs->host->records->context(record) == runs && atomic_fetch_sub(&runs->under_way, 1) == 1 &&
        runs->schedule.has_cron) {
        runs->context->wake(runs->host);
    }
}

void runs_through(struct runs *runs, struct sluice_batch *batch)
{
    /* A run is done when its records are durable, not before (invariant 1). */
    if (runs->schedule.has_cron && atomic_load(&runs->under_way) > 0) {
        return;
    }
    if (runs->schedule.has_cron) {
        record_end(runs, batch, runs->schedule.attempts, "ok");
    }
    schedule_done(&runs->schedule, now_ms());
    say_next(runs);
}

bool runs_failed(struct runs *runs, struct sluice_batch *batch, const char *why)
{
    const struct sluice_host *host = runs->host;
    int attempts = runs->schedule.attempts;
    if (schedule_failed(&runs->schedule, now_ms())) {
        host->metric_set(runs->next_run, runs->schedule.due_ms);
        host->log(host, SLUICE_WARN, "Run failed, it is tried again in %" PRId64 " ms: %s",
                  runs->schedule.retry_delay_ms, why);
        return true;
    }
    host->log(host, SLUICE_ERROR, "Run failed for good: %s", why);
    record_end(runs, batch, attempts, why);
    say_next(runs);
    return false;
}

void runs_again(struct runs *runs)
{
    runs->schedule.running = false;
}
