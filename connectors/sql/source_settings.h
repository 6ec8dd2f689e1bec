/* The SQL source's configuration, read once. Constant afterwards. */
#ifndef SQL_SOURCE_SETTINGS_H
#define SQL_SOURCE_SETTINGS_H

#include <sluice/plugin.h>

#include "connectors/sql/database.h"
#include "lib/java/zone.h"

enum source_mode { MODE_BULK, MODE_INCREMENTING, MODE_TIMESTAMP, MODE_TIMESTAMP_INCREMENTING };
enum numeric_mapping { NUMERIC_NONE, NUMERIC_PRECISION_ONLY, NUMERIC_BEST_FIT, NUMERIC_BEST_FIT_EAGER };
enum granularity {
    GRANULARITY_LOGICAL,
    GRANULARITY_MICROS_LONG,
    GRANULARITY_MICROS_STRING,
    GRANULARITY_MICROS_ISO,
    GRANULARITY_NANOS_LONG,
    GRANULARITY_NANOS_STRING,
    GRANULARITY_NANOS_ISO,
};
enum source_key { SOURCE_KEY_NONE, SOURCE_KEY_PRIMARY, SOURCE_KEY_COLUMNS };

struct source_settings {
    struct jdbc_url url;
    const struct sql_client *client;
    const char *user, *password;
    const char *zone_id;
    struct zone *zone;
    enum source_mode mode;
    char *query; /**< as it is sent; owned. NULL: tables */
    const char *suffix;
    const char *catalog_pattern, *schema_pattern;
    const char *const *whitelist, *const *blacklist, *const *include, *const *exclude;
    size_t whitelist_count, blacklist_count, include_count, exclude_count;
    unsigned table_kinds;
    const char *incrementing_column; /**< "": the generated one */
    const char *const *timestamp_columns;
    size_t timestamp_column_count;
    const char *const *incrementing_mapping, *const *timestamp_mapping;
    size_t incrementing_mapping_count, timestamp_mapping_count;
    bool has_timestamp_initial;
    int64_t timestamp_initial;    /**< ms; -1: the database's now */
    bool has_incrementing_initial;
    int64_t incrementing_initial; /**< read from behind this one */
    bool validate_non_null;
    enum numeric_mapping numeric;
    enum granularity granularity;
    int64_t delay_ms;
    int64_t poll_interval_ms, table_poll_interval_ms;
    size_t batch_max_rows;
    int64_t query_retries; /**< -1: for ever */
    int64_t backoff_ms;
    const char *topic_prefix;
    enum source_key key_mode;
    const char *const *key_columns;
    size_t key_column_count;
};

extern const struct sluice_option sql_source_options[];

int source_settings_read(const struct sluice_config_api *api, const struct sluice_config *config,
                         struct source_settings *settings, char *message, size_t message_size);
void source_settings_finish(struct source_settings *settings);

/** Whether the text names the table: in full or by the table alone, its parts quoted or not. */
bool source_settings_is(const char *text, const struct sql_name *name);
/** Whether a table is wanted, by the lists. */
bool source_settings_wants(const struct source_settings *settings, const struct sql_table *table);
/** Column of a `regex:column` mapping for a table, to be freed; NULL: none. */
char *source_settings_mapped(const char *const *mapping, size_t count, const char *table);

#endif
