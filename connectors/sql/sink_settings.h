/* The SQL sink's configuration, read once in start(). Constant afterwards. */
#ifndef SQL_SINK_SETTINGS_H
#define SQL_SINK_SETTINGS_H

#include <sluice/plugin.h>

#include "connectors/sql/database.h"
#include "lib/java/zone.h"

enum insert_mode { INSERT_PLAIN, INSERT_UPSERT, INSERT_UPDATE, INSERT_IGNORE };
enum pk_mode { PK_NONE, PK_KAFKA, PK_RECORD_KEY, PK_RECORD_VALUE };

struct sink_settings {
    struct jdbc_url url;
    const struct sql_client *client;
    const char *user, *password;
    const char *zone_id;
    struct zone *zone;
    enum insert_mode insert_mode;
    enum pk_mode pk_mode;
    const char *const *pk_fields;
    size_t pk_field_count;
    const char *const *whitelist;
    size_t whitelist_count;
    const char *const *timestamp_fields;
    size_t timestamp_field_count;
    bool timestamp_nanoseconds;
    size_t batch_size;
    bool delete_enabled;
    bool replace_null_with_default;
    bool auto_create, auto_evolve;
    bool ignore_unknown_fields;
    bool normalize;
    bool quoted;
    unsigned table_kinds; /**< 1 << enum sql_table_kind */
    const char *table_format;
    const char *const *mapping; /**< topic:table */
    size_t mapping_count;
    const char *string_column;
    int64_t max_retries;
    int64_t retry_backoff;
};

extern const struct sluice_option sql_sink_options[];

/** -1 with a sentence where something does not fit (checked before by sql_sink_validate, as a rule). */
int sink_settings_read(const struct sluice_config_api *api, const struct sluice_config *config,
                       struct sink_settings *settings, char *message, size_t message_size);
void sink_settings_finish(struct sink_settings *settings);
/** Keys that need or exclude each other. */
void sql_sink_validate(void *self, const struct sluice_config *config,
                       const struct sluice_report *report);
/** Text of the table's name for a topic, to be freed. */
char *sink_settings_table(const struct sink_settings *settings, const char *topic);

#endif
