/* The SQL source as a connector: what is wrong with a configuration, which tables there are, and which
 * task reads which. [connector thread; what names tables also task thread] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connectors/sql/names.h"
#include "connectors/sql/plugin.h"
#include "connectors/sql/source.h"

enum { TABLES_TEXT_MAX = 1 << 20 };

int source_open_database(const struct source_settings *settings, struct sql_database **ret_database,
                         struct sql_error *error)
{
    struct sql_open how = {.url = &settings->url, .user = settings->user,
                           .password = settings->password, .zone = settings->zone_id,
                           .application = "sluice"};
    return settings->client->open(&how, ret_database, error);
}

void source_describe_error(const struct sql_error *error, char to[SQL_ERROR_SIZE])
{
    char vendor[32] = "";
    if (!*error->state && error->vendor) {
        snprintf(vendor, sizeof(vendor), " (code %d)", error->vendor);
    }
    snprintf(to, SQL_ERROR_SIZE, "%s%s%s%s%s", error->message, *error->state ? " (SQLState " : "",
             error->state, *error->state ? ")" : "", vendor);
}

void sql_source_validate(void *self, const struct sluice_config *config,
                         const struct sluice_report *report)
{
    const struct sluice_config_api *api = source_host(self)->config;
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
    if (settings.query && source_open_database(&settings, &database, &error) == 0) {
        struct sql_rows *rows = NULL;
        if (settings.client->query(database, settings.query, NULL, 0, &rows, &error) == 0) {
            settings.client->end(rows);
        } else {
            char text[SQL_ERROR_SIZE];
            source_describe_error(&error, text);
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

int source_list_tables(const struct source_settings *settings, struct sql_database *database,
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

char *source_next_name(const char **at, char quote)
{
    const char *begin = *at, *end = begin;
    bool quoted = false;
    for (; *end && (quoted || *end != ','); end++) {
        quoted = quoted != (*end == quote);
    }
    *at = *end ? end + 1 : end;
    return end > begin ? strndup(begin, (size_t)(end - begin)) : NULL;
}

/* Tables that are listed by name and not there: they are read when they come. */
static void tell_missing(const struct sluice_host *host, const struct source_settings *settings,
                         const char *found)
{
    for (size_t i = 0; i < settings->whitelist_count; i++) {
        bool there = false;
        const char *at = found;
        for (char *text; !there && (text = source_next_name(&at, *settings->client->quote)); free(text)) {
            struct sql_name name;
            char message[200];
            if (sql_name_parse(text, &name, message, sizeof(message)) == 0) {
                there = source_settings_is(settings->whitelist[i], &name);
                sql_name_finish(&name);
            }
        }
        if (!there) {
            host->log(host, SLUICE_WARN, "table.whitelist: there is no table %s; it is read once it is there",
                      settings->whitelist[i]);
        }
    }
}

enum sluice_result sql_source_task_configs(void *self, const struct sluice_config *config, int max_tasks,
                                           const struct sluice_report *report)
{
    const struct sluice_host *host = source_host(self);
    struct source_settings settings;
    struct sql_error error;
    char message[SQL_ERROR_SIZE], *names = NULL;
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
    int found = source_open_database(&settings, &database, &error);
    bool opened = found == 0;
    if (opened) {
        found = source_list_tables(&settings, database, &names, &count, &error);
        settings.client->close(database);
    }
    if (found != 0 && error.class == SQL_FATAL) {
        source_describe_error(&error, message);
        result = host->error(host, SLUICE_FATAL, SLUICE_CONNECT_EXCEPTION,
                             opened ? "Tables cannot be listed: %s" : "Couldn't open connection: %s",
                             message);
        host->error_cause(host, SQL_EXCEPTION, "%s", message);
        goto done;
    }
    if (names) {
        tell_missing(host, &settings, names);
    }
    /* Else the task waits for the database, and asks again when it has the tables. */
    size_t tasks = count < (size_t)max_tasks ? count : (size_t)max_tasks;
    tasks += tasks == 0; /* one that waits for tables */
    const char *at = names ? names : "";
    for (size_t task = 0; task < tasks; task++) {
        size_t share = count / tasks + (task < count % tasks);
        struct buffer mine;
        buffer_init(&mine, TABLES_TEXT_MAX);
        for (size_t i = 0; i < share; i++) {
            char *name = source_next_name(&at, *settings.client->quote);
            buffer_append_text(&mine, i ? "," : "");
            buffer_append_text(&mine, name ? name : "");
            free(name);
        }
        report->task(report);
        report->task_set(report, "tables", mine.data ? mine.data : "");
        report->task_set(report, "tables.fetched", "true");
        snprintf(message, sizeof(message), "%zu", task);
        report->task_set(report, "sluice.task.number", message);
        buffer_finish(&mine);
    }

done:
    free(names);
    source_settings_finish(&settings);
    return result;
}
