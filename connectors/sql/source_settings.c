/* The SQL source's keys: those of the JDBC source connectors people use, and ours. */
#include "connectors/sql/source_settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "connectors/sql/names.h"
#include "connectors/sql/options.h"
#include "lib/java/regex.h"
#include "lib/schedule/runs.h"

static const char *const modes[] = {"", "bulk", "incrementing", "timestamp", "timestamp+incrementing",
                                    NULL};
static const char *const numerics[] = {"none", "precision_only", "best_fit", "best_fit_eager_double",
                                       "NONE", "PRECISION_ONLY", "BEST_FIT", "BEST_FIT_EAGER_DOUBLE",
                                       NULL};
static const char *const granularities[] = {"connect_logical", "micros_long", "micros_string",
                                            "micros_iso_datetime_string", "nanos_long",
                                            "nanos_string", "nanos_iso_datetime_string", NULL};
static const char *const table_types[] = {"TABLE", "VIEW", "SYSTEM TABLE", "GLOBAL TEMPORARY",
                                          "LOCAL TEMPORARY", "ALIAS", "SYNONYM", "PARTITIONED TABLE",
                                          NULL};
static const char *const isolations[] = {"DEFAULT", "READ_UNCOMMITTED", "READ_COMMITTED",
                                         "REPEATABLE_READ", "SERIALIZABLE", "SQL_SERVER_SNAPSHOT",
                                         NULL};
static const char *const key_modes[] = {"none", "primary_key", "columns", NULL};

const struct sluice_option sql_source_options[] = {
    SQL_CONNECTION_OPTIONS,
    {SQL_OPTION("connection.attempts", INT), .default_value = "3", .importance = SLUICE_LOW,
     .valid = SLUICE_VALID_RANGE, .min = 1, .max = INT32_MAX, .group = "Connection",
     .doc = "Accepted. A connection that cannot be made is tried again as query.retry.attempts says."},
    {SQL_OPTION("connection.backoff.ms", LONG), .default_value = "10000", .importance = SLUICE_LOW,
     .valid = SLUICE_VALID_RANGE, .min = 0, .max = INT64_MAX, .group = "Connection",
     .doc = "How long to wait at most before a failed connection or query is tried again; half a second at first, "
            "and twice as long each time."},
    {SQL_OPTION("table.whitelist", LIST), .default_value = "", .importance = SLUICE_MEDIUM,
     .group = "Connection", .display_name = "Table Whitelist",
     .doc = "Tables to copy, by name or full name; empty: all but those of table.blacklist."},
    {SQL_OPTION("table.blacklist", LIST), .default_value = "", .importance = SLUICE_MEDIUM,
     .group = "Connection", .display_name = "Table Blacklist", .doc = "Tables not to copy."},
    {SQL_OPTION("table.include.list", LIST), .default_value = "", .importance = SLUICE_MEDIUM,
     .group = "Connection", .doc = "Regular expressions; full names of tables to copy match one."},
    {SQL_OPTION("table.exclude.list", LIST), .default_value = "", .importance = SLUICE_MEDIUM,
     .group = "Connection", .doc = "Regular expressions; full names that match one are left out."},
    {SQL_OPTION("catalog.pattern", STRING), .importance = SLUICE_MEDIUM, .group = "Connection",
     .display_name = "Catalog pattern", .doc = "LIKE pattern of catalogs to look in; null: any."},
    {SQL_OPTION("schema.pattern", STRING), .importance = SLUICE_HIGH, .group = "Connection",
     .display_name = "Schema pattern", .doc = "LIKE pattern of schemas to look in; null: any."},
    {SQL_OPTION("table.types", LIST), .default_value = "TABLE", .importance = SLUICE_LOW,
     .valid = SLUICE_VALID_ONE_OF, .values = table_types, .group = "Connector",
     .doc = "Kinds of tables to copy; TABLE takes partitioned ones along."},
    {SQL_OPTION("numeric.precision.mapping", BOOLEAN), .default_value = "false",
     .importance = SLUICE_LOW, .group = "Connection",
     .doc = "Old form of numeric.mapping=precision_only."},
    {SQL_OPTION("numeric.mapping", STRING), .importance = SLUICE_LOW, .valid = SLUICE_VALID_ONE_OF,
     .values = numerics, .group = "Connection", .display_name = "Map Numeric Values, Integral or Decimal",
     .doc = "What NUMERIC and DECIMAL columns become: none: Decimal; precision_only: an integer where "
            "the scale is 0 and it fits; best_fit: that, and a double where there is a scale and the "
            "digits fit; best_fit_eager_double: a double wherever there is a scale. Columns without a "
            "scale become text, or a double with best_fit."},
    {SQL_OPTION("dialect.options", STRING), .importance = SLUICE_LOW, .internal = true},
    {SQL_OPTION("mode", STRING), .required = true, .importance = SLUICE_HIGH,
     .valid = SLUICE_VALID_ONE_OF, .values = modes, .group = "Mode",
     .display_name = "Table Loading Mode",
     .doc = "bulk: all rows each time; incrementing: new rows by a column that grows; timestamp: new "
            "and changed rows by columns of their time; timestamp+incrementing: both, which misses "
            "nothing."},
    {SQL_OPTION("incrementing.column.name", STRING), .default_value = "",
     .importance = SLUICE_MEDIUM, .group = "Mode", .display_name = "Incrementing Column Name",
     .doc = "The column that grows; empty: the generated one. May be of any type that is ordered, but not bytes. Rows "
            "where it is null are not read."},
    {SQL_OPTION("incrementing.column.mapping", LIST), .default_value = "",
     .importance = SLUICE_MEDIUM, .group = "Mode",
     .doc = "regex:column pairs for tables whose columns have other names."},
    {SQL_OPTION("timestamp.column.name", LIST), .default_value = "", .importance = SLUICE_MEDIUM,
     .group = "Mode", .display_name = "Timestamp Column Name",
     .doc = "Columns of which the first that is not null is a row's time."},
    {SQL_OPTION("timestamp.columns.mapping", LIST), .default_value = "",
     .importance = SLUICE_MEDIUM, .group = "Mode",
     .doc = "regex:[column1|column2] pairs for tables whose columns have other names."},
    {SQL_OPTION("timestamp.initial", LONG), .importance = SLUICE_LOW, .group = "Mode",
     .doc = "Rows behind this time are read first, milliseconds since 1970; -1: from now on."},
    {SQL_OPTION("timestamp.initial.ms", LONG), .importance = SLUICE_LOW, .group = "Mode",
     .doc = "The same under its other name."},
    {SQL_OPTION("incrementing.initial", LONG), .default_value = "-1", .importance = SLUICE_LOW,
     .group = "Mode", .doc = "Rows behind this number are read first."},
    {SQL_OPTION("validate.non.null", BOOLEAN), .default_value = "true", .importance = SLUICE_LOW,
     .group = "Mode", .display_name = "Validate Non Null",
     .doc = "Whether columns to follow must be NOT NULL (rows with null in them are never read)."},
    {SQL_OPTION("query", STRING), .default_value = "", .importance = SLUICE_MEDIUM,
     .group = "Mode", .display_name = "Query",
     .doc = "Rows of this query instead of tables. It may have a WHERE of its own."},
    {SQL_OPTION("query.masked", PASSWORD), .default_value = "", .importance = SLUICE_MEDIUM,
     .group = "Mode", .doc = "The same, never shown."},
    {SQL_OPTION("query.suffix", STRING), .default_value = "", .importance = SLUICE_LOW,
     .group = "Mode", .doc = "Appended to every query."},
    {SQL_OPTION("transaction.isolation.mode", STRING), .default_value = "DEFAULT",
     .importance = SLUICE_LOW, .valid = SLUICE_VALID_ONE_OF, .values = isolations,
     .group = "Mode",
     .doc = "Accepted: each query is a transaction of its own, with the server's isolation."},
    {SQL_OPTION("query.retry.attempts", INT), .default_value = "-1", .importance = SLUICE_LOW,
     .group = "Mode",
     .doc = "How often a query that fails because the server is away is tried again; -1: for ever. "
            "Queries that are wrong fail the task at once."},
    {SQL_OPTION("poll.interval.ms", INT), .default_value = "5000", .importance = SLUICE_HIGH,
     .valid = SLUICE_VALID_RANGE, .min = 0, .max = INT32_MAX, .group = "Connector",
     .display_name = "Poll Interval (ms)", .doc = "How long after the end of a table's poll the next begins."},
    {SQL_OPTION("batch.max.rows", INT), .default_value = "1000", .importance = SLUICE_LOW,
     .valid = SLUICE_VALID_RANGE, .min = 1, .max = INT32_MAX, .group = "Connector",
     .display_name = "Max Rows Per Batch", .doc = "Most rows in one batch of records."},
    {SQL_OPTION("max.buffer.size", INT), .default_value = "0", .importance = SLUICE_LOW,
     .group = "Connector", .doc = "Accepted: rows are read as records are asked for."},
    {SQL_OPTION("poll.linger.ms", LONG), .default_value = "5000", .importance = SLUICE_LOW,
     .group = "Connector", .doc = "Accepted."},
    {SQL_OPTION("table.poll.interval.ms", LONG), .default_value = "60000",
     .importance = SLUICE_LOW, .valid = SLUICE_VALID_RANGE, .min = 1, .max = INT64_MAX,
     .group = "Connector", .display_name = "Metadata Change Monitoring Interval (ms)",
     .doc = "How often new and removed tables are looked for."},
    {SQL_OPTION("table.monitoring.startup.polling.limit.ms", LONG), .default_value = "10000",
     .importance = SLUICE_LOW, .internal = true},
    {SQL_OPTION("topic.prefix", STRING), .default_value = "", .importance = SLUICE_HIGH,
     .group = "Connector", .display_name = "Topic Prefix",
     .doc = "In front of a table's name it makes the topic; with query it is the topic. ${schema} "
            "and ${table} in it stand for the names, and then nothing is appended."},
    {SQL_OPTION("timestamp.delay.interval.ms", LONG), .default_value = "0",
     .importance = SLUICE_HIGH, .valid = SLUICE_VALID_RANGE, .min = 0, .max = INT64_MAX,
     .group = "Connector", .display_name = "Delay Interval (ms)",
     .doc = "Rows younger than this wait, so that transactions which end late are not missed."},
    {SQL_OPTION("timestamp.granularity", STRING), .default_value = "connect_logical",
     .importance = SLUICE_LOW, .valid = SLUICE_VALID_ONE_OF, .values = granularities,
     .group = "Connector", .doc = "What timestamps become: Connect's Timestamp (milliseconds), or "
                                  "numbers or texts that keep micro- or nanoseconds."},
    {SQL_OPTION("db.timezone", STRING), .default_value = "UTC", .importance = SLUICE_MEDIUM,
     .valid = SLUICE_VALID_CUSTOM, .check = runs_check_zone, .group = "Connection",
     .display_name = "DB time zone", .doc = "Zone of timestamps in columns without one of their own."},
    {SQL_OPTION("date.calendar.system", STRING), .default_value = "LEGACY",
     .importance = SLUICE_LOW, .internal = true},
    {SQL_OPTION("quote.sql.identifiers", STRING), .default_value = "always",
     .importance = SLUICE_MEDIUM, .group = "Connection",
     .doc = "Accepted: names come from the database and are always quoted."},
    {SQL_OPTION("sql.quote.identifiers", BOOLEAN), .default_value = "true",
     .importance = SLUICE_LOW, .internal = true},
    {SQL_OPTION("table.names.qualify", BOOLEAN), .default_value = "true",
     .importance = SLUICE_LOW, .internal = true},
    {SQL_OPTION("sluice.key.mode", STRING), .default_value = "none", .importance = SLUICE_LOW,
     .valid = SLUICE_VALID_ONE_OF, .values = key_modes, .group = "Connector",
     .doc = "Key of the records: none, the primary key's columns, or those of sluice.key.columns."},
    {SQL_OPTION("sluice.key.columns", LIST), .default_value = "", .importance = SLUICE_LOW,
     .group = "Connector", .doc = "Columns of the key with sluice.key.mode=columns."},
    SCHEDULE_OPTIONS,
    {SQL_OPTION("tables", LIST), .importance = SLUICE_HIGH, .internal = true},
    {SQL_OPTION("tables.fetched", BOOLEAN), .default_value = "false", .importance = SLUICE_HIGH,
     .internal = true},
    {.name = NULL},
};

/* Index of a text in a list, any case. */
static int index_of(const char *const *list, const char *text)
{
    for (int i = 0; text && list[i]; i++) {
        if (strcasecmp(list[i], text) == 0) {
            return i;
        }
    }
    return 0;
}

/* False: no memory. */
static bool read_mode(const struct sluice_config_api *api, const struct sluice_config *config,
                      struct source_settings *settings)
{
    int mode = index_of(modes, api->get_string(config, "mode"));
    settings->mode = mode > 0 ? (enum source_mode)(mode - 1) : MODE_BULK;
    const char *query = api->get_string(config, "query");
    const char *masked = api->get_string(config, "query.masked");
    query = query && *query ? query : masked && *masked ? masked : NULL;
    if (query) {
        settings->query = settings->client->product == SQL_POSTGRESQL ? sql_escaped(query) : strdup(query);
    }
    settings->suffix = api->get_string(config, "query.suffix");
    settings->incrementing_column = api->get_string(config, "incrementing.column.name");
    settings->timestamp_column_count =
        api->get_list(config, "timestamp.column.name", &settings->timestamp_columns);
    settings->incrementing_mapping_count =
        api->get_list(config, "incrementing.column.mapping", &settings->incrementing_mapping);
    settings->timestamp_mapping_count =
        api->get_list(config, "timestamp.columns.mapping", &settings->timestamp_mapping);
    const char *initial = api->is_set(config, "timestamp.initial") ? "timestamp.initial"
                          : api->is_set(config, "timestamp.initial.ms") ? "timestamp.initial.ms"
                                                                        : NULL;
    settings->has_timestamp_initial = initial != NULL;
    settings->timestamp_initial = initial ? api->get_long(config, initial) : 0;
    settings->has_incrementing_initial = api->is_set(config, "incrementing.initial");
    settings->incrementing_initial = api->get_long(config, "incrementing.initial");
    settings->validate_non_null = api->get_boolean(config, "validate.non.null");
    return !query || settings->query;
}

int source_settings_read(const struct sluice_config_api *api, const struct sluice_config *config,
                         struct source_settings *settings, char *message, size_t message_size)
{
    memset(settings, 0, sizeof(*settings));
    if (jdbc_url_parse(api->get_string(config, "connection.url"), &settings->url, message,
                       message_size) != 0) {
        return -1;
    }
    settings->client = sql_client_for(&settings->url);
    settings->user = api->get_string(config, "connection.user");
    settings->password = api->get_string(config, "connection.password");
    settings->zone_id = api->get_string(config, "db.timezone");
    if (zone_open(settings->zone_id, &settings->zone, message, message_size) != 0) {
        source_settings_finish(settings);
        return -1;
    }
    if (!read_mode(api, config, settings)) {
        snprintf(message, message_size, "no memory");
        source_settings_finish(settings);
        return -1;
    }
    settings->catalog_pattern = api->get_string(config, "catalog.pattern");
    settings->schema_pattern = api->get_string(config, "schema.pattern");
    settings->whitelist_count = api->get_list(config, "table.whitelist", &settings->whitelist);
    settings->blacklist_count = api->get_list(config, "table.blacklist", &settings->blacklist);
    settings->include_count = api->get_list(config, "table.include.list", &settings->include);
    settings->exclude_count = api->get_list(config, "table.exclude.list", &settings->exclude);
    const char *const *types;
    size_t type_count = api->get_list(config, "table.types", &types);
    for (size_t i = 0; i < type_count; i++) {
        settings->table_kinds |= strcmp(types[i], "VIEW") == 0
                                     ? 1u << SQL_KIND_VIEW
                                     : 1u << SQL_KIND_TABLE | 1u << SQL_KIND_PARTITIONED;
    }
    const char *numeric = api->get_string(config, "numeric.mapping");
    settings->numeric = (enum numeric_mapping)(index_of(numerics, numeric) % 4);
    if (!numeric && api->get_boolean(config, "numeric.precision.mapping")) {
        settings->numeric = NUMERIC_PRECISION_ONLY;
    }
    settings->granularity =
        (enum granularity)index_of(granularities, api->get_string(config, "timestamp.granularity"));
    settings->delay_ms = api->get_long(config, "timestamp.delay.interval.ms");
    settings->poll_interval_ms = api->get_long(config, "poll.interval.ms");
    settings->table_poll_interval_ms = api->get_long(config, "table.poll.interval.ms");
    settings->batch_max_rows = (size_t)api->get_long(config, "batch.max.rows");
    settings->query_retries = api->get_long(config, "query.retry.attempts");
    settings->backoff_ms = api->get_long(config, "connection.backoff.ms");
    settings->topic_prefix = api->get_string(config, "topic.prefix");
    settings->key_mode =
        (enum source_key)index_of(key_modes, api->get_string(config, "sluice.key.mode"));
    settings->key_column_count = api->get_list(config, "sluice.key.columns", &settings->key_columns);
    return 0;
}

void source_settings_finish(struct source_settings *settings)
{
    jdbc_url_finish(&settings->url);
    zone_close(settings->zone);
    free(settings->query);
    memset(settings, 0, sizeof(*settings));
}

bool source_settings_is(const char *text, const struct sql_name *name)
{
    struct sql_name wanted;
    char message[200];
    char *full = sql_name_text(name);
    bool found = full && (strcmp(text, full) == 0 || strcmp(text, name->table) == 0);
    free(full);
    if (found || sql_name_parse(text, &wanted, message, sizeof(message)) != 0) {
        return found;
    }
    found = strcmp(wanted.table, name->table) == 0 &&
            (!wanted.schema || (name->schema && strcmp(wanted.schema, name->schema) == 0)) &&
            (!wanted.catalog || !name->catalog || strcmp(wanted.catalog, name->catalog) == 0);
    sql_name_finish(&wanted);
    return found;
}

static bool is_named(const struct sql_table *table, const char *const *list, size_t count)
{
    bool found = false;
    for (size_t i = 0; i < count && !found; i++) {
        found = source_settings_is(list[i], &table->name);
    }
    return found;
}

static bool matches(const char *const *list, size_t count, const char *text)
{
    bool found = false;
    for (size_t i = 0; i < count && !found; i++) {
        struct regex *regex = NULL;
        struct regex_error error;
        if (regex_create(list[i], &regex, &error) == 0) {
            found = regex_matches(regex, text, strlen(text)) == REGEX_YES;
            regex_destroy(regex);
        }
    }
    return found;
}

bool source_settings_wants(const struct source_settings *settings, const struct sql_table *table)
{
    if (!(settings->table_kinds & 1u << table->kind)) {
        return false;
    }
    if (settings->whitelist_count) {
        return is_named(table, settings->whitelist, settings->whitelist_count);
    }
    if (settings->blacklist_count) {
        return !is_named(table, settings->blacklist, settings->blacklist_count);
    }
    char *full = sql_name_text(&table->name);
    bool wanted = full && (!settings->include_count ||
                           matches(settings->include, settings->include_count, full)) &&
                  !matches(settings->exclude, settings->exclude_count, full);
    if (full && wanted && settings->mode != MODE_BULK && settings->incrementing_mapping_count +
        settings->timestamp_mapping_count > 0 && !settings->include_count) {
        char *incrementing = source_settings_mapped(settings->incrementing_mapping,
                                                    settings->incrementing_mapping_count, full);
        char *timestamp = source_settings_mapped(settings->timestamp_mapping,
                                                 settings->timestamp_mapping_count, full);
        wanted = incrementing || timestamp;
        free(incrementing);
        free(timestamp);
    }
    free(full);
    return wanted;
}

char *source_settings_mapped(const char *const *mapping, size_t count, const char *table)
{
    for (size_t i = 0; i < count; i++) {
        const char *colon = strrchr(mapping[i], ':');
        char *pattern = colon ? strndup(mapping[i], (size_t)(colon - mapping[i])) : NULL;
        const char *const list[] = {pattern};
        bool found = pattern && matches(list, 1, table);
        free(pattern);
        if (found) {
            return strdup(colon + 1);
        }
    }
    return NULL;
}
