/* What the two sides of the SQL source share: connector (source_connector.c) and task (source.c). */
#ifndef SQL_SOURCE_H
#define SQL_SOURCE_H

#include <sluice/source.h>

#include "connectors/sql/source_settings.h"

#define SQL_EXCEPTION "java.sql.SQLException"
enum { SQL_ERROR_SIZE = 1100 };

/** The host of an instance. */
const struct sluice_host *source_host(const void *self);

void sql_source_validate(void *self, const struct sluice_config *config,
                         const struct sluice_report *report);
enum sluice_result sql_source_task_configs(void *self, const struct sluice_config *config, int max_tasks,
                                           const struct sluice_report *report);

int source_open_database(const struct source_settings *settings, struct sql_database **ret_database,
                         struct sql_error *error);
/** Message, SQLState and vendor's code as one line. */
void source_describe_error(const struct sql_error *error, char to[SQL_ERROR_SIZE]);
/** Full quoted names of all tables that are wanted, joined by commas: to be freed. */
int source_list_tables(const struct source_settings *settings, struct sql_database *database,
                       char **ret_text, size_t *ret_wanted, struct sql_error *error);
/** The next of names so joined, to be freed; NULL behind the last. A comma may stand in quotes. */
char *source_next_name(const char **at, char quote);

#endif
