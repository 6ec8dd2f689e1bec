/* The SQL sink's keys: those of the JDBC sink connectors people use, and ours. */
#include "connectors/sql/sink_settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "connectors/sql/options.h"
#include "lib/schedule/runs.h"
#include "lib/util/buffer.h"

static const char *const insert_modes[] = {"insert", "upsert", "update", "multi", "insert_ignore",
                                           "INSERT", "UPSERT", "UPDATE", "MULTI", NULL};
static const char *const pk_modes[] = {"none", "kafka", "record_key", "record_value",
                                       "NONE", "KAFKA", "RECORD_KEY", "RECORD_VALUE", NULL};
static const char *const table_types[] = {"TABLE", "PARTITIONED TABLE", "VIEW", NULL};
static const char *const quotings[] = {"always", "never", "ALWAYS", "NEVER", NULL};
static const char *const precisions[] = {"MICROSECONDS", "NANOSECONDS", NULL};
static const char *const unknown_fields[] = {"fail", "ignore", NULL};
static const char *const calendars[] = {"LEGACY", "PROLEPTIC_GREGORIAN", NULL};
static const char *const date_zones[] = {"DB_TIMEZONE", "UTC", NULL};

const struct sluice_option sql_sink_options[] = {
    SQL_CONNECTION_OPTIONS,
    {SQL_OPTION("connection.attempts", INT), .default_value = "3", .importance = SLUICE_LOW,
     .valid = SLUICE_VALID_RANGE, .min = 1, .max = INT32_MAX, .group = "Connection",
     .doc = "Accepted. A connection that cannot be made is tried again as max.retries and "
            "retry.backoff.ms say."},
    {SQL_OPTION("connection.backoff.ms", LONG), .default_value = "10000", .importance = SLUICE_LOW,
     .group = "Connection", .doc = "Accepted; see connection.attempts."},
    {SQL_OPTION("insert.mode", STRING), .default_value = "insert", .importance = SLUICE_HIGH,
     .valid = SLUICE_VALID_ONE_OF, .values = insert_modes, .group = "Writes",
     .display_name = "Insert Mode",
     .doc = "insert: plain rows. upsert: insert, or update the row with the same key. update: only "
            "rows that exist. insert_ignore (ours): insert, or leave the row with the same key as "
            "it is. multi is insert."},
    {SQL_OPTION("batch.size", INT), .default_value = "3000", .importance = SLUICE_MEDIUM,
     .valid = SLUICE_VALID_RANGE, .min = 0, .max = INT32_MAX, .group = "Writes",
     .display_name = "Batch Size",
     .doc = "How many rows are given to the database at once, when possible. All rows of a batch of "
            "records are one transaction."},
    {SQL_OPTION("delete.enabled", BOOLEAN), .default_value = "false", .importance = SLUICE_MEDIUM,
     .group = "Writes", .display_name = "Enable deletes",
     .doc = "Whether a null value deletes the row of its key. Needs pk.mode=record_key."},
    {SQL_OPTION("table.types", LIST), .default_value = "TABLE,PARTITIONED TABLE",
     .importance = SLUICE_LOW, .valid = SLUICE_VALID_ONE_OF, .values = table_types,
     .group = "Writes", .doc = "Kinds of tables that may be written to."},
    {SQL_OPTION("replace.null.with.default", BOOLEAN), .default_value = "true",
     .importance = SLUICE_LOW, .group = "Writes",
     .doc = "Whether a null in a field with a default is written as that default."},
    {SQL_OPTION("table.name.format", STRING), .default_value = "${topic}",
     .importance = SLUICE_MEDIUM, .valid = SLUICE_VALID_NON_EMPTY, .group = "Data Mapping",
     .display_name = "Table Name Format",
     .doc = "Name of the table; ${topic} stands for the topic. Dots separate catalog, schema and "
            "table; a part with dots stands in double quotes."},
    {SQL_OPTION("table.name.normalize", BOOLEAN), .default_value = "false",
     .importance = SLUICE_MEDIUM, .group = "Data Mapping",
     .doc = "Whether characters other than letters, digits and _ of the name become _."},
    {SQL_OPTION("topics.to.tables.mapping", LIST), .importance = SLUICE_MEDIUM,
     .group = "Data Mapping",
     .doc = "topic:table pairs, which go before table.name.format. Topics without a pair are named "
            "by the format."},
    {SQL_OPTION("pk.mode", STRING), .default_value = "none", .importance = SLUICE_HIGH,
     .valid = SLUICE_VALID_ONE_OF, .values = pk_modes, .group = "Data Mapping",
     .display_name = "Primary Key Mode",
     .doc = "none; kafka: topic, partition and offset; record_key: the key, or fields of it; "
            "record_value: fields of the value."},
    {SQL_OPTION("pk.fields", LIST), .default_value = "", .importance = SLUICE_MEDIUM,
     .group = "Data Mapping", .display_name = "Primary Key Fields",
     .doc = "Names of the primary key's columns; what is empty by pk.mode: kafka: "
            "__connect_topic, __connect_partition, __connect_offset; record_key: all fields of the "
            "key; record_value: all fields of the value."},
    {SQL_OPTION("fields.whitelist", LIST), .default_value = "", .importance = SLUICE_MEDIUM,
     .group = "Data Mapping", .display_name = "Fields Whitelist",
     .doc = "Fields of the value that are written; empty: all. Key fields are always written."},
    {SQL_OPTION("db.timezone", STRING), .default_value = "UTC", .importance = SLUICE_MEDIUM,
     .valid = SLUICE_VALID_CUSTOM, .check = runs_check_zone, .group = "Data Mapping",
     .display_name = "DB Time Zone",
     .doc = "Zone of timestamps in columns without a zone of their own. Dates and times of day have "
            "none and are written as they are."},
    {SQL_OPTION("date.timezone", STRING), .default_value = "DB_TIMEZONE", .importance = SLUICE_LOW,
     .valid = SLUICE_VALID_ONE_OF, .values = date_zones, .group = "Data Mapping",
     .doc = "Accepted: dates are always written as they are."},
    {SQL_OPTION("date.calendar.system", STRING), .default_value = "LEGACY",
     .importance = SLUICE_LOW, .valid = SLUICE_VALID_ONE_OF, .values = calendars,
     .group = "Data Mapping", .doc = "Accepted: dates are Gregorian."},
    {SQL_OPTION("timestamp.fields.list", LIST), .default_value = "", .importance = SLUICE_LOW,
     .group = "Data Mapping",
     .doc = "INT64 and STRING fields that are timestamps; numbers count from 1970 UTC in "
            "timestamp.precision.mode."},
    {SQL_OPTION("timestamp.precision.mode", STRING), .default_value = "MICROSECONDS",
     .importance = SLUICE_LOW, .valid = SLUICE_VALID_ONE_OF, .values = precisions,
     .group = "Data Mapping", .doc = "Unit of numbers in timestamp.fields.list."},
    {SQL_OPTION("string.output.value.column.name", STRING), .default_value = "record_value",
     .importance = SLUICE_LOW, .valid = SLUICE_VALID_NON_EMPTY, .group = "Data Mapping",
     .doc = "Column for a value that is one text."},
    {SQL_OPTION("auto.create", BOOLEAN), .default_value = "false", .importance = SLUICE_MEDIUM,
     .group = "DDL Support", .display_name = "Auto-Create",
     .doc = "Whether a missing table is made from the record."},
    {SQL_OPTION("auto.evolve", BOOLEAN), .default_value = "false", .importance = SLUICE_MEDIUM,
     .group = "DDL Support", .display_name = "Auto-Evolve",
     .doc = "Whether missing columns are added to the table. Columns are never changed or dropped."},
    {SQL_OPTION("quote.sql.identifiers", STRING), .default_value = "always",
     .importance = SLUICE_MEDIUM, .valid = SLUICE_VALID_ONE_OF, .values = quotings,
     .group = "DDL Support",
     .doc = "Whether names are quoted: always, or never (PostgreSQL then makes them lower-case)."},
    {SQL_OPTION("sql.quote.identifiers", BOOLEAN), .importance = SLUICE_LOW,
     .group = "DDL Support", .doc = "The same under its other name: true is always, false never."},
    {SQL_OPTION("mssql.use.merge.holdlock", BOOLEAN), .default_value = "true",
     .importance = SLUICE_LOW, .internal = true},
    {SQL_OPTION("trim.sensitive.log", BOOLEAN), .default_value = "false", .importance = SLUICE_LOW,
     .internal = true},
    {SQL_OPTION("max.retries", INT), .default_value = "10", .importance = SLUICE_MEDIUM,
     .valid = SLUICE_VALID_RANGE, .min = 0, .max = INT32_MAX, .group = "Retries",
     .display_name = "Maximum Retries",
     .doc = "How often a batch is tried again when the database is away, locked or deadlocked, "
            "before the task fails."},
    {SQL_OPTION("retry.backoff.ms", INT), .default_value = "3000", .importance = SLUICE_MEDIUM,
     .valid = SLUICE_VALID_RANGE, .min = 0, .max = INT32_MAX, .group = "Retries",
     .display_name = "Retry Backoff (millis)", .doc = "How long to wait before each of them."},
    {SQL_OPTION("sluice.unknown.fields", STRING), .default_value = "fail",
     .importance = SLUICE_LOW, .valid = SLUICE_VALID_ONE_OF, .values = unknown_fields,
     .group = "Data Mapping",
     .doc = "What becomes of a field without a column where auto.evolve is off: fail, or ignore."},
    {.name = NULL},
};

static enum insert_mode insert_mode_of(const char *text)
{
    return strcasecmp(text, "upsert") == 0          ? INSERT_UPSERT
           : strcasecmp(text, "update") == 0        ? INSERT_UPDATE
           : strcasecmp(text, "insert_ignore") == 0 ? INSERT_IGNORE
                                                    : INSERT_PLAIN;
}

static enum pk_mode pk_mode_of(const char *text)
{
    return strcasecmp(text, "kafka") == 0          ? PK_KAFKA
           : strcasecmp(text, "record_key") == 0   ? PK_RECORD_KEY
           : strcasecmp(text, "record_value") == 0 ? PK_RECORD_VALUE
                                                   : PK_NONE;
}

static bool dialect_fits(const char *dialect, enum sql_product product)
{
    return !*dialect || strcmp(dialect, sql_dialects[1 + product]) == 0;
}

int sink_settings_read(const struct sluice_config_api *api, const struct sluice_config *config,
                       struct sink_settings *settings, char *message, size_t message_size)
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
        jdbc_url_finish(&settings->url);
        return -1;
    }
    settings->insert_mode = insert_mode_of(api->get_string(config, "insert.mode"));
    settings->pk_mode = pk_mode_of(api->get_string(config, "pk.mode"));
    settings->pk_field_count = api->get_list(config, "pk.fields", &settings->pk_fields);
    settings->whitelist_count = api->get_list(config, "fields.whitelist", &settings->whitelist);
    settings->timestamp_field_count =
        api->get_list(config, "timestamp.fields.list", &settings->timestamp_fields);
    settings->timestamp_nanoseconds =
        strcmp(api->get_string(config, "timestamp.precision.mode"), "NANOSECONDS") == 0;
    settings->batch_size = (size_t)api->get_long(config, "batch.size");
    settings->batch_size += settings->batch_size == 0;
    settings->delete_enabled = api->get_boolean(config, "delete.enabled");
    settings->replace_null_with_default = api->get_boolean(config, "replace.null.with.default");
    settings->auto_create = api->get_boolean(config, "auto.create");
    settings->auto_evolve = api->get_boolean(config, "auto.evolve");
    settings->ignore_unknown_fields =
        strcmp(api->get_string(config, "sluice.unknown.fields"), "ignore") == 0;
    settings->normalize = api->get_boolean(config, "table.name.normalize");
    settings->quoted = strcasecmp(api->get_string(config, "quote.sql.identifiers"), "never") != 0;
    if (api->is_set(config, "sql.quote.identifiers")) {
        settings->quoted = api->get_boolean(config, "sql.quote.identifiers");
    }
    const char *const *types;
    size_t type_count = api->get_list(config, "table.types", &types);
    for (size_t i = 0; i < type_count; i++) {
        settings->table_kinds |= 1u << (strcmp(types[i], "VIEW") == 0    ? SQL_KIND_VIEW
                                        : strcmp(types[i], "TABLE") == 0 ? SQL_KIND_TABLE
                                                                         : SQL_KIND_PARTITIONED);
    }
    settings->table_format = api->get_string(config, "table.name.format");
    settings->mapping_count = api->get_list(config, "topics.to.tables.mapping", &settings->mapping);
    settings->string_column = api->get_string(config, "string.output.value.column.name");
    settings->max_retries = api->get_long(config, "max.retries");
    settings->retry_backoff = api->get_long(config, "retry.backoff.ms");
    return 0;
}

void sink_settings_finish(struct sink_settings *settings)
{
    jdbc_url_finish(&settings->url);
    zone_close(settings->zone);
    memset(settings, 0, sizeof(*settings));
}

void sql_sink_validate(void *self, const struct sluice_config *config,
                       const struct sluice_report *report)
{
    const struct sluice_host *host = *(const struct sluice_host **)self;
    const struct sluice_config_api *api = host->config;
    const char *url_text = api->get_string(config, "connection.url");
    const char *insert = api->get_string(config, "insert.mode");
    const char *pk = api->get_string(config, "pk.mode");
    const char *dialect = api->get_string(config, "dialect.name");
    struct jdbc_url url;
    char why[300];
    if (url_text && dialect && jdbc_url_parse(url_text, &url, why, sizeof(why)) == 0) {
        if (!dialect_fits(dialect, url.product)) {
            report->invalid(report, "dialect.name",
                            "Dialect %s does not fit connection.url; leave dialect.name empty", dialect);
        }
        jdbc_url_finish(&url);
    }
    if (!insert || !pk) {
        return;
    }
    enum insert_mode insert_mode = insert_mode_of(insert);
    enum pk_mode pk_mode = pk_mode_of(pk);
    const char *const *fields;
    size_t field_count = api->get_list(config, "pk.fields", &fields);
    if (insert_mode != INSERT_PLAIN && pk_mode == PK_NONE) {
        report->invalid(report, "pk.mode",
                        "Primary key mode must be set to 'kafka', 'record_key' or 'record_value' "
                        "when insert.mode is '%s'",
                        insert);
    }
    if (pk_mode == PK_KAFKA && field_count != 0 && field_count != 3) {
        report->invalid(report, "pk.fields",
                        "With pk.mode=kafka the names of all three columns (topic, partition, "
                        "offset) are needed, or none; %zu are given",
                        field_count);
    }
    if (api->get_boolean(config, "delete.enabled") && pk_mode != PK_RECORD_KEY) {
        report->invalid(report, "delete.enabled",
                        "Deletes are only supported for pk.mode record_key");
    }
    const char *const *mapping;
    size_t mapping_count = api->get_list(config, "topics.to.tables.mapping", &mapping);
    for (size_t i = 0; i < mapping_count; i++) {
        const char *colon = strchr(mapping[i], ':');
        if (!colon || colon == mapping[i] || !colon[1]) {
            report->invalid(report, "topics.to.tables.mapping",
                            "'%s' is not of the form topic:table", mapping[i]);
        }
    }
}

char *sink_settings_table(const struct sink_settings *settings, const char *topic)
{
    size_t size = strlen(topic);
    for (size_t i = 0; i < settings->mapping_count; i++) {
        if (strncmp(settings->mapping[i], topic, size) == 0 && settings->mapping[i][size] == ':') {
            return strdup(settings->mapping[i] + size + 1);
        }
    }
    struct buffer name;
    buffer_init(&name, 4096);
    const char *at = settings->table_format, *mark;
    while ((mark = strstr(at, "${topic}"))) {
        buffer_append(&name, at, (size_t)(mark - at));
        buffer_append_text(&name, topic);
        at = mark + strlen("${topic}");
    }
    buffer_append_text(&name, at);
    char *text = buffer_take(&name);
    for (char *c = settings->normalize && text ? text : ""; *c; c++) {
        bool good = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9');
        *c = good ? *c : '_';
    }
    return text;
}
