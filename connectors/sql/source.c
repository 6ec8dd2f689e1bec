/*
 * The SQL source's task: polls. Tables are read one after another over one connection; a query stays
 * open over several polls. [task thread]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sluice/offsets.h>

#include "connectors/sql/names.h"
#include "connectors/sql/plugin.h"
#include "connectors/sql/source.h"
#include "connectors/sql/source_offsets.h"
#include "lib/schedule/runs.h"

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
    struct runs runs;
    int64_t failures;         /* in a row */
    int64_t retry_at;         /* monotonic; 0: now */
    struct sluice_metric *rows, *errors;
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
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
    runs_finish(&source->runs);
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

const struct sluice_host *source_host(const void *self)
{
    return ((const struct source *)self)->host;
}

static enum sluice_result source_start(void *self, const struct sluice_config *config)
{
    struct source *source = self;
    const struct sluice_host *host = source->host;
    char message[400];
    if (source_settings_read(host->config, config, &source->settings, message, sizeof(message)) != 0) {
        return host->error(host, SLUICE_FATAL, SLUICE_CONFIG_EXCEPTION, "%s", message);
    }
    source->configured = true;
    if (runs_init(&source->runs, host, config, source->settings.poll_interval_ms, message,
                  sizeof(message)) != 0) {
        return host->error(host, SLUICE_FATAL, SLUICE_CONFIG_EXCEPTION, "%s", message);
    }
    source->context = host->extension(host, SLUICE_SOURCE_CONTEXT);
    const char *tables = host->config->get_string(config, "tables");
    for (char *name; tables && (name = source_next_name(&tables, *source->settings.client->quote));) {
        char **names = reallocarray(source->names, source->name_count + 1, sizeof(*names));
        if (!names) {
            free(name);
            return host->error(host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION, "no memory");
        }
        source->names = names;
        names[source->name_count++] = name;
    }
    source->rows = host->metric(host, "rows-read", SLUICE_COUNTER);
    source->errors = host->metric(host, "poll-failures", SLUICE_COUNTER);
    jdbc_url_describe(&source->settings.url, message, sizeof(message));
    host->log(host, SLUICE_INFO, "Reading from %s", message);
    return SLUICE_OK;
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

/* Now and then: are there other tables than when tasks were made? */
static int look_for_tables(struct source *source, struct sql_error *error)
{
    int64_t now = now_ms();
    bool reading = source->current && source->current->rows; /* a connection has one query at a time */
    if (source->settings.query || reading ||
        (source->seen && now - source->looked_ms < source->settings.table_poll_interval_ms)) {
        return 0;
    }
    char *names = NULL;
    size_t count = 0;
    if (source_list_tables(&source->settings, source->database, &names, &count, error) != 0) {
        return -1;
    }
    size_t named = source->settings.whitelist_count;
    if (count < (named ? named : 1) && (!source->seen || strcmp(source->seen, names) != 0)) {
        source->host->log(source->host, SLUICE_WARN,
                          "%zu tables are there of %s; others are looked for every %" PRId64
                          " ms (table.poll.interval.ms)",
                          count, named ? "those that table.whitelist names" : "those that the configuration wants",
                          source->settings.table_poll_interval_ms);
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

static int make_ready(struct source *source, struct sluice_batch *batch, struct sql_error *error)
{
    if (!source->database && source_open_database(&source->settings, &source->database, error) != 0) {
        return -1;
    }
    if (!source->tables && find_tables(source, batch, error) != 0) {
        return -1;
    }
    return look_for_tables(source, error);
}

/* What a failed query leads to. */
static enum sluice_result failed(struct source *source, struct sluice_batch *batch,
                                 const struct sql_error *error)
{
    const struct sluice_host *host = source->host;
    const struct source_settings *settings = &source->settings;
    char text[SQL_ERROR_SIZE];
    source_describe_error(error, text);
    host->metric_add(source->errors, 1);
    disconnect(source);
    if (error->class != SQL_RETRY && error->class != SQL_RECONNECT) {
        forget_tables(source); /* read anew, from the stored offsets on */
    }
    if (runs_scheduled(&source->runs)) {
        source->current = NULL;
        (void)runs_failed(&source->runs, batch, text);
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
    wait = wait < settings->backoff_ms ? wait : settings->backoff_ms;
    source->failures++;
    source->retry_at = now_ms() + wait;
    runs_again(&source->runs);
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
        followed->reported_time = followed->behind = pending->time;
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
        runs_added(&source->runs, record);
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
    if (more == 0) {
        followed->behind = followed->position.time;
    }
    host->metric_add(source->rows, (int64_t)count);
    return more;
}

static void pause_for(int64_t ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static enum sluice_result source_poll(void *self, struct sluice_batch *batch, int timeout_ms)
{
    struct source *source = self;
    struct sql_error error;
    int64_t wait = source->retry_at - now_ms();
    if (source->retry_at && wait > 0) {
        pause_for(wait < timeout_ms ? wait : timeout_ms);
        return SLUICE_OK;
    }
    source->retry_at = 0;
    /* Between scheduled runs the database is left alone; else tables that come are noticed. */
    bool begun, scheduled = runs_scheduled(&source->runs);
    if (!scheduled && make_ready(source, batch, &error) != 0) {
        return failed(source, batch, &error);
    }
    if (!runs_on(&source->runs, batch, timeout_ms, &begun)) {
        return SLUICE_OK;
    }
    if (scheduled && make_ready(source, batch, &error) != 0) {
        return failed(source, batch, &error);
    }
    if (begun) {
        source->current = source->tables;
    }
    size_t before = source->host->records->count(batch);
    while (source->current && source->host->records->count(batch) == before) {
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
    if (!source->current && source->host->records->count(batch) == before) {
        runs_through(&source->runs, batch);
    }
    return SLUICE_OK;
}

/* What became of a record. [broker thread, or task thread] */
static void source_record_done(void *self, const struct sluice_record *record,
                               const struct sluice_delivery *delivery)
{
    (void)delivery;
    runs_record_done(&((struct source *)self)->runs, record);
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
    .connector = {.validate = sql_source_validate, .task_configs = sql_source_task_configs},
    .start = source_start,
    .poll = source_poll,
    .record_done = source_record_done,
    .stop = source_stop,
    .extension = source_extension,
};
