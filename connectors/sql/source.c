/*
 * The SQL source's side of the plugin interface: which tables there are, which task reads which, and
 * polls. Tables are read one after another over one connection; a query stays open over several
 * polls. [connector thread for validate and task_configs, task thread for the rest]
 */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sluice/offsets.h>

#include "connectors/sql/names.h"
#include "connectors/sql/plugin.h"
#include "connectors/sql/source_offsets.h"

#define SQL_EXCEPTION "java.sql.SQLException"

enum { TABLES_TEXT_MAX = 1 << 20, ERROR_SIZE = 1100 };

struct source {
    const struct sluice_host *host;
    const struct sluice_source_context *context;
    struct source_settings settings;
    bool configured;
    struct sql_database *database;
    struct followed *tables; /* in the order they are read */
    struct followed *current; /* whose query is open, or the next to be opened; NULL: between runs */
    char **names;             /* of the tables this task was given; full, quoted */
    size_t name_count;
    char *seen;               /* all wanted tables when they were last looked at; NULL: not yet */
    int64_t looked_ms;        /* monotonic */
    struct schedule schedule;
    bool planned;
    int64_t run_begin;
    int64_t failures;         /* in a row */
    int64_t retry_at;         /* monotonic; 0: now */
    atomic_size_t under_way;  /* records polled and not yet done [any thread] */
    struct sluice_metric *rows, *errors, *next_run, *last_run;
};

static int64_t clock_ms(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static void *source_create(const struct sluice_host *host)
{
    struct source *source = calloc(1, sizeof(*source));
    if (source) {
        source->host = host;
    }
    return source;
}

static void disconnect(struct source *source)
{
    for (struct followed *f = source->tables; f; f = f->next) {
        followed_close(source->host, &source->settings, f);
    }
    if (source->database) {
        source->settings.client->close(source->database);
        source->database = NULL;
    }
}

static void forget_tables(struct source *source)
{
    while (source->tables) {
        struct followed *next = source->tables->next;
        followed_destroy(source->host, &source->settings, source->tables);
        source->tables = next;
    }
    source->current = NULL;
}

static void source_stop(void *self)
{
    struct source *source = self;
    if (!source->configured) {
        return;
    }
    disconnect(source);
    forget_tables(source);
    for (size_t i = 0; i < source->name_count; i++) {
        free(source->names[i]);
    }
    free(source->names);
    source->names = NULL;
    source->name_count = 0;
    free(source->seen);
    source->seen = NULL;
    source_settings_finish(&source->settings);
    source->configured = false;
}

static void source_destroy(void *self)
{
    if (self) {
        source_stop(self);
        free(self);
    }
}

static int open_database(const struct source_settings *settings, struct sql_database **ret_database,
                         struct sql_error *error)
{
    struct sql_open how = {.url = &settings->url, .user = settings->user,
                           .password = settings->password, .zone = settings->zone_id,
                           .application = "sluice"};
    return settings->client->open(&how, ret_database, error);
}

static void describe_error(const struct sql_error *error, char to[ERROR_SIZE])
{
    char vendor[32] = "";
    if (!*error->state && error->vendor) {
        snprintf(vendor, sizeof(vendor), " (code %d)", error->vendor);
    }
    snprintf(to, ERROR_SIZE, "%s%s%s%s%s", error->message, *error->state ? " (SQLState " : "",
             error->state, *error->state ? ")" : "", vendor);
}

/* -- connector -- */

static void validate(void *self, const struct sluice_config *config,
                     const struct sluice_report *report)
{
    struct source *source = self;
    const struct sluice_config_api *api = source->host->config;
    struct source_settings settings;
    char message[400];
    if (!api->get_string(config, "connection.url") || !api->get_string(config, "mode") ||
        source_settings_read(api, config, &settings, message, sizeof(message)) != 0) {
        return; /* the options' own checks have said so */
    }
    bool lists = settings.whitelist_count + settings.blacklist_count > 0;
    bool patterns = settings.include_count + settings.exclude_count > 0;
    bool numbers = settings.mode == MODE_INCREMENTING || settings.mode == MODE_TIMESTAMP_INCREMENTING;
    bool times = settings.mode == MODE_TIMESTAMP || settings.mode == MODE_TIMESTAMP_INCREMENTING;
    if (!*api->get_string(config, "mode")) {
        report->invalid(report, "mode", "mode is missing: bulk, incrementing, timestamp or "
                                        "timestamp+incrementing");
    }
    if (settings.whitelist_count && settings.blacklist_count) {
        report->invalid(report, "table.blacklist",
                        "table.blacklist and table.whitelist are mutually exclusive");
    }
    if (lists && patterns) {
        report->invalid(report, "table.include.list",
                        "table.include.list and table.exclude.list cannot be used with "
                        "table.whitelist and table.blacklist");
    }
    if (settings.query && (lists || patterns)) {
        report->invalid(report, "query", "query may not be combined with whole-table copying settings");
    }
    if (settings.query && !*settings.topic_prefix) {
        report->invalid(report, "topic.prefix", "With query, topic.prefix is the topic and cannot be "
                                                "empty");
    }
    if (settings.query && numbers && !*settings.incrementing_column) {
        report->invalid(report, "incrementing.column.name",
                        "With query, incrementing.column.name has to be given");
    }
    if (times && !settings.timestamp_column_count && !settings.timestamp_mapping_count) {
        report->invalid(report, "timestamp.column.name",
                        "timestamp.column.name has to be given with mode=%s",
                        api->get_string(config, "mode"));
    }
    const char *const *queries;
    size_t masked = api->get_list(config, "query.masked", &queries);
    if (masked && *api->get_string(config, "query")) {
        report->invalid(report, "query", "query and query.masked cannot both be given");
    }
    /* A query that the server cannot read is told now, not by a task. */
    struct sql_database *database = NULL;
    struct sql_error error;
    if (settings.query && open_database(&settings, &database, &error) == 0) {
        struct sql_rows *rows = NULL;
        if (settings.client->query(database, settings.query, NULL, 0, &rows, &error) == 0) {
            settings.client->end(rows);
        } else {
            char text[ERROR_SIZE];
            describe_error(&error, text);
            report->invalid(report, "query", "The query cannot be run: %s", text);
        }
        settings.client->close(database);
    }
    source_settings_finish(&settings);
}

/* Full quoted names of all tables that are wanted, joined by commas; NULL: no memory. */
static char *wanted_tables(const struct source_settings *settings, const struct sql_table *tables,
                           size_t count, size_t *ret_wanted)
{
    struct buffer text;
    buffer_init(&text, TABLES_TEXT_MAX);
    *ret_wanted = 0;
    for (size_t i = 0; i < count; i++) {
        if (source_settings_wants(settings, &tables[i])) {
            buffer_append_text(&text, (*ret_wanted)++ ? "," : "");
            sql_name_write(&text, &tables[i].name, settings->client->quote);
        }
    }
    return text.data ? buffer_take(&text) : strdup("");
}

static int list_tables(const struct source_settings *settings, struct sql_database *database,
                       char **ret_text, size_t *ret_wanted, struct sql_error *error)
{
    struct sql_table *tables = NULL;
    size_t count = 0;
    if (settings->client->list(database, settings->catalog_pattern, settings->schema_pattern, &tables,
                               &count, error) != 0) {
        return -1;
    }
    *ret_text = wanted_tables(settings, tables, count, ret_wanted);
    sql_tables_free(tables, count);
    return *ret_text ? 0 : sql_error_set(error, SQL_RETRY, "", 0, "no memory");
}

/* The next of the names that wanted_tables() joined; a comma may stand in quotes. */
static char *next_name(const char **at, char quote)
{
    const char *begin = *at, *end = begin;
    bool quoted = false;
    for (; *end && (quoted || *end != ','); end++) {
        quoted = quoted != (*end == quote);
    }
    *at = *end ? end + 1 : end;
    return end > begin ? strndup(begin, (size_t)(end - begin)) : NULL;
}

static enum sluice_result task_configs(void *self, const struct sluice_config *config, int max_tasks,
                                       const struct sluice_report *report)
{
    struct source *source = self;
    const struct sluice_host *host = source->host;
    struct source_settings settings;
    struct sql_error error;
    char message[ERROR_SIZE], *names = NULL;
    size_t count = 0;
    enum sluice_result result = SLUICE_OK;
    if (source_settings_read(host->config, config, &settings, message, sizeof(message)) != 0) {
        return host->error(host, SLUICE_FATAL, SLUICE_CONFIG_EXCEPTION, "%s", message);
    }
    if (settings.query) {
        report->task(report);
        report->task_set(report, "tables", "");
        goto done;
    }
    struct sql_database *database = NULL;
    if (open_database(&settings, &database, &error) != 0) {
        names = strdup(""); /* the task waits for the database, and asks again when it has the tables */
        if (error.class == SQL_FATAL) {
            describe_error(&error, message);
            result = host->error(host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION, "Couldn't open connection: %s", message);
            host->error_cause(host, SQL_EXCEPTION, "%s", message);
            goto done;
        }
    } else {
        int listed = list_tables(&settings, database, &names, &count, &error);
        settings.client->close(database);
        if (listed != 0) {
            describe_error(&error, message);
            result = host->error(host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION, "%s", message);
            goto done;
        }
    }
    size_t tasks = count < (size_t)max_tasks ? count : (size_t)max_tasks;
    tasks += tasks == 0; /* one that waits for tables */
    const char *at = names ? names : "";
    for (size_t task = 0; task < tasks; task++) {
        size_t share = count / tasks + (task < count % tasks);
        struct buffer mine;
        buffer_init(&mine, TABLES_TEXT_MAX);
        for (size_t i = 0; i < share; i++) {
            char *name = next_name(&at, *settings.client->quote);
            buffer_append_text(&mine, i ? "," : "");
            buffer_append_text(&mine, name ? name : "");
            free(name);
        }
        report->task(report);
        report->task_set(report, "tables", mine.data ? mine.data : "");
        report->task_set(report, "tables.fetched", "true");
        buffer_finish(&mine);
    }

done:
    free(names);
    source_settings_finish(&settings);
    return result;
}

/* -- task -- */

static enum sluice_result source_start(void *self, const struct sluice_config *config)
{
    struct source *source = self;
    const struct sluice_host *host = source->host;
    char message[400];
    if (source_settings_read(host->config, config, &source->settings, message, sizeof(message)) != 0) {
        return host->error(host, SLUICE_FATAL, SLUICE_CONFIG_EXCEPTION, "%s", message);
    }
    source->configured = true;
    source->context = host->extension(host, SLUICE_SOURCE_CONTEXT);
    const char *tables = host->config->get_string(config, "tables");
    for (char *name; tables && (name = next_name(&tables, *source->settings.client->quote));) {
        char **names = reallocarray(source->names, source->name_count + 1, sizeof(*names));
        if (!names) {
            free(name);
            return host->error(host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION, "no memory");
        }
        source->names = names;
        names[source->name_count++] = name;
    }
    source->schedule = source->settings.schedule;
    source->rows = host->metric(host, "rows-read", SLUICE_COUNTER);
    source->errors = host->metric(host, "poll-failures", SLUICE_COUNTER);
    if (source->schedule.has_cron) {
        source->next_run = host->metric(host, "schedule-next-run-ms", SLUICE_GAUGE);
        source->last_run = host->metric(host, "schedule-last-run-ms", SLUICE_GAUGE);
    }
    jdbc_url_describe(&source->settings.url, message, sizeof(message));
    host->log(host, SLUICE_INFO, "Reading from %s", message);
    return SLUICE_OK;
}

static void say_next_run(struct source *source)
{
    if (source->schedule.has_cron) {
        char text[MOMENT_TEXT_SIZE];
        moment_print(moment_of_ms(source->schedule.due_ms), source->settings.schedule_zone, ' ', 0, text);
        source->host->log(source->host, SLUICE_INFO, "Next run at %s %s", text,
                          source->settings.schedule_zone_id);
        source->host->metric_set(source->next_run, source->schedule.due_ms);
    }
}

/* Describes this task's tables; those that are gone are left out. */
static int find_tables(struct source *source, struct sluice_batch *batch, struct sql_error *error)
{
    const struct source_settings *settings = &source->settings;
    struct followed **last = &source->tables;
    char message[500];
    for (size_t i = 0; i < (settings->query ? 1 : source->name_count); i++) {
        struct sql_table *table = NULL;
        if (!settings->query) {
            struct sql_name name;
            if (sql_name_parse(source->names[i], &name, message, sizeof(message)) != 0) {
                return sql_error_set(error, SQL_FATAL, "", 0, "%s", message);
            }
            int found = settings->client->describe(source->database, &name, &table, error);
            sql_name_finish(&name);
            if (found != 0) {
                return -1;
            }
            if (!table) {
                source->host->log(source->host, SLUICE_WARN, "Table %s is gone", source->names[i]);
                continue;
            }
        }
        *last = followed_create(settings, table, message, sizeof(message));
        if (!*last) {
            return sql_error_set(error, SQL_FATAL, "", 0, "%s", message);
        }
        source_offsets_restore(source->host, source->context, settings, batch, *last);
        last = &(*last)->next;
    }
    return 0;
}

static void plan_first_run(struct source *source, struct sluice_batch *batch)
{
    int64_t tick = source->schedule.has_cron
                       ? source_offsets_last_tick(source->host, source->context, batch)
                       : INT64_MIN;
    schedule_start(&source->schedule, clock_ms(CLOCK_REALTIME), tick);
    source->planned = true;
    say_next_run(source);
}

static int make_ready(struct source *source, struct sluice_batch *batch, struct sql_error *error)
{
    if (!source->database && open_database(&source->settings, &source->database, error) != 0) {
        return -1;
    }
    return source->tables ? 0 : find_tables(source, batch, error);
}

/* Now and then: are there other tables than when tasks were made? */
static int look_for_tables(struct source *source, struct sql_error *error)
{
    int64_t now = clock_ms(CLOCK_MONOTONIC);
    if (source->settings.query ||
        (source->seen && now - source->looked_ms < source->settings.table_poll_interval_ms)) {
        return 0;
    }
    char *names = NULL;
    size_t count = 0;
    if (list_tables(&source->settings, source->database, &names, &count, error) != 0) {
        return -1;
    }
    bool changed = source->seen ? strcmp(source->seen, names) != 0
                                : source->name_count == 0 && count > 0;
    free(source->seen);
    source->seen = names;
    source->looked_ms = now;
    if (changed) {
        source->host->log(source->host, SLUICE_INFO, "Tables came or went; asking for new tasks");
        source->context->request_task_reconfiguration(source->host);
    }
    return 0;
}

static void end_run(struct source *source, struct sluice_batch *batch, const char *result)
{
    int64_t now = clock_ms(CLOCK_REALTIME);
    if (source->schedule.has_cron) {
        struct schedule_run run = {source->schedule.tick, source->run_begin, now,
                                   source->schedule.attempts, result};
        source_offsets_run(source->host, batch, &run);
        source->host->metric_set(source->last_run, source->schedule.tick);
        source->host->log(source->host, SLUICE_INFO,
                          "Run of tick %" PRId64 " ended after %" PRId64 " ms, attempt %d: %s",
                          run.tick, run.end - run.begin, run.attempts, result);
    }
}

/* What a failed query leads to. */
static enum sluice_result failed(struct source *source, struct sluice_batch *batch,
                                 const struct sql_error *error)
{
    const struct sluice_host *host = source->host;
    const struct source_settings *settings = &source->settings;
    char text[ERROR_SIZE];
    describe_error(error, text);
    host->metric_add(source->errors, 1);
    bool scheduled = source->schedule.has_cron && source->schedule.running;
    disconnect(source);
    if (error->class != SQL_RETRY && error->class != SQL_RECONNECT) {
        forget_tables(source); /* read anew, from the stored offsets on */
    }
    if (scheduled) {
        source->current = NULL;
        if (schedule_failed(&source->schedule, clock_ms(CLOCK_REALTIME))) {
            host->log(host, SLUICE_WARN, "Run failed, it is tried again in %" PRId64 " ms: %s",
                      source->schedule.retry_delay_ms, text);
        } else {
            host->log(host, SLUICE_ERROR, "Run failed for good: %s", text);
            end_run(source, batch, text);
            say_next_run(source);
        }
        return SLUICE_OK;
    }
    bool again = error->class == SQL_RETRY || error->class == SQL_RECONNECT ||
                 (error->class == SQL_STALE && source->failures == 0);
    if (!again || (settings->query_retries >= 0 && source->failures >= settings->query_retries)) {
        enum sluice_result result =
            host->error(host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION, "Query failed: %s", text);
        host->error_cause(host, SQL_EXCEPTION, "%s", text);
        return result;
    }
    int64_t wait = INT64_C(500) << (source->failures < 5 ? source->failures : 5);
    source->failures++;
    source->retry_at = clock_ms(CLOCK_MONOTONIC) + wait;
    source->schedule.running = false;
    host->log(host, SLUICE_WARN, "Query failed, trying again in %" PRId64 " ms: %s", wait, text);
    return SLUICE_OK;
}

/* Offset of a record in timestamp mode: its own time once no row of the same time can follow. */
struct pending {
    struct sluice_record *record;
    struct moment time;
};

static void settle(struct source *source, struct sluice_batch *batch, struct followed *followed,
                   struct pending *pending, bool complete)
{
    if (!pending->record) {
        return;
    }
    if (complete) {
        followed->reported = true;
        followed->reported_time = pending->time;
    }
    source->host->records->set_source(
        pending->record, source_partition(source->host, &source->settings, batch, followed),
        source_offset(source->host, &source->settings, batch, followed, followed->reported,
                      followed->reported_time));
    pending->record = NULL;
}

/* Rows of the open query into records; 1: there are more, 0: the query is through, -1. */
static int read_rows(struct source *source, struct sluice_batch *batch, struct followed *followed,
                     struct sql_error *error)
{
    const struct sluice_host *host = source->host;
    const struct source_settings *settings = &source->settings;
    struct pending pending = {NULL, {0, 0}};
    size_t count = 0;
    int more = 1;
    for (; count < settings->batch_max_rows; count++) {
        more = followed_next(host, settings, followed, error);
        if (more != 1) {
            break;
        }
        settle(source, batch, followed, &pending,
               moment_compare(pending.time, followed->position.time) != 0);
        struct sluice_value *value, *key;
        char message[300];
        if (fields_make(host, settings, followed->fields, followed->rows, followed->row, batch, &value,
                        &key, message, sizeof(message)) != 0) {
            more = sql_error_set(error, SQL_FATAL, "", 0, "%s: %s", followed->name, message);
            break;
        }
        struct sluice_record *record = host->records->add(batch, followed->topic);
        host->records->set_context(record, source);
        atomic_fetch_add(&source->under_way, 1);
        host->records->set_value(record, followed->fields->schema, value);
        if (key) {
            host->records->set_key(record, followed->fields->key_schema, key);
        }
        if (settings->mode == MODE_TIMESTAMP) {
            pending = (struct pending){record, followed->position.time};
        } else if (settings->mode != MODE_BULK) {
            host->records->set_source(record, source_partition(host, settings, batch, followed),
                                      source_offset(host, settings, batch, followed,
                                                    followed->position.has_time,
                                                    followed->position.time));
        }
    }
    settle(source, batch, followed, &pending, more == 0);
    host->metric_add(source->rows, (int64_t)count);
    return more;
}

static void pause_for(int64_t ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

/* All tables are read. A run is done when its records are durable, not before (invariant 1). */
static enum sluice_result finish_run(struct source *source, struct sluice_batch *batch)
{
    if (source->schedule.has_cron && atomic_load(&source->under_way) > 0) {
        return SLUICE_OK; /* asked again when the last is done */
    }
    end_run(source, batch, "ok");
    schedule_done(&source->schedule, clock_ms(CLOCK_REALTIME));
    say_next_run(source);
    return SLUICE_OK;
}

static enum sluice_result source_poll(void *self, struct sluice_batch *batch, int timeout_ms)
{
    struct source *source = self;
    struct sql_error error;
    int64_t wait = source->retry_at - clock_ms(CLOCK_MONOTONIC);
    if (source->retry_at && wait > 0) {
        pause_for(wait < timeout_ms ? wait : timeout_ms);
        return SLUICE_OK;
    }
    source->retry_at = 0;
    if (!source->planned) {
        plan_first_run(source, batch);
    }
    if (!source->schedule.has_cron || source->schedule.running) {
        if (make_ready(source, batch, &error) != 0 || look_for_tables(source, &error) != 0) {
            return failed(source, batch, &error);
        }
    }
    if (!source->schedule.running) {
        if (!schedule_due(&source->schedule, clock_ms(CLOCK_REALTIME), &wait)) {
            pause_for(wait < timeout_ms ? wait : timeout_ms);
            return SLUICE_OK;
        }
        source->run_begin = clock_ms(CLOCK_REALTIME);
        if (make_ready(source, batch, &error) != 0) {
            return failed(source, batch, &error);
        }
        source->current = source->tables;
    }
    if (!source->current) {
        return finish_run(source, batch);
    }
    while (source->current && source->host->records->count(batch) == 0) {
        struct followed *followed = source->current;
        if (!followed->rows && followed_open(source->host, &source->settings, source->database, followed,
                                             &error) != 0) {
            return failed(source, batch, &error);
        }
        int more = read_rows(source, batch, followed, &error);
        if (more < 0) {
            return failed(source, batch, &error);
        }
        if (more == 0) {
            followed_close(source->host, &source->settings, followed);
            source->current = followed->next;
        }
    }
    source->failures = 0;
    return source->current || source->host->records->count(batch) > 0
               ? SLUICE_OK
               : finish_run(source, batch);
}

/* What became of a record. [broker thread, or task thread] */
static void source_record_done(void *self, const struct sluice_record *record,
                               const struct sluice_delivery *delivery)
{
    struct source *source = self;
    (void)delivery;
    if (source->host->records->context(record) && atomic_fetch_sub(&source->under_way, 1) == 1) {
        source->context->wake(source->host);
    }
}

/* Offsets that an operator sets: those of followed() tables, the query, the schedule; all of maps. */
static enum sluice_result alter(void *self, const struct sluice_config *config,
                                const struct sluice_offset_change *changes, size_t count,
                                bool *ret_handled)
{
    struct source *source = self;
    const struct sluice_host *host = source->host;
    static const char *const names[] = {"table", "query", "schedule"};
    (void)config;
    for (size_t i = 0; i < count; i++) {
        bool known = false;
        for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
            known = known || (changes[i].partition &&
                              host->data->find(changes[i].partition,
                                               host->data->intern(names[n], strlen(names[n]))));
        }
        if (!known) {
            return host->error(host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION,
                               "A partition has the member table (with protocol), query or schedule");
        }
    }
    *ret_handled = true; /* there are no others */
    return SLUICE_OK;
}

static const void *source_extension(void *self, const char *id)
{
    static const struct sluice_alter_offsets alter_offsets = {
        .size = sizeof(struct sluice_alter_offsets), .alter = alter};
    (void)self;
    return strcmp(id, SLUICE_ALTER_OFFSETS) == 0 ? &alter_offsets : NULL;
}

const struct sluice_source sql_source = {
    .size = sizeof(struct sluice_source),
    .create = source_create,
    .destroy = source_destroy,
    .connector = {.validate = validate, .task_configs = task_configs},
    .start = source_start,
    .poll = source_poll,
    .record_done = source_record_done,
    .stop = source_stop,
    .extension = source_extension,
};
