/* What the option tables of sink and source share. Pure functions: any thread. */
#include "connectors/sql/options.h"

#include <stdio.h>

#include "connectors/sql/jdbc_url.h"

const char *const sql_dialects[] = {"",
                                    "SqliteDatabaseDialect",
                                    "PostgreSqlDatabaseDialect",
                                    "MySqlDatabaseDialect",
                                    NULL};

bool sql_check_url(const char *name, const char *value, char *message, size_t size)
{
    struct jdbc_url url;
    char why[300];
    if (!value || !*value) {
        if (value) {
            snprintf(message, size, "Invalid value  for configuration %s: no URL", name);
        }
        return !value;
    }
    if (jdbc_url_parse(value, &url, why, sizeof(why)) != 0) {
        /* The URL may hold a password, so it is not repeated. */
        snprintf(message, size, "Invalid value for configuration %s: %s", name, why);
        return false;
    }
    jdbc_url_finish(&url);
    return true;
}
