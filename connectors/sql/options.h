/* Entries that the option tables of sink and source share. */
#ifndef SQL_OPTIONS_H
#define SQL_OPTIONS_H

#include <sluice/option.h>

#define SQL_OPTION(option_name, option_type) \
    .size = sizeof(struct sluice_option), .name = (option_name), .type = SLUICE_OPTION_##option_type

#define SQL_CONNECTION_OPTIONS                                                                     \
    {SQL_OPTION("connection.url", STRING), .required = true, .importance = SLUICE_HIGH,            \
     .valid = SLUICE_VALID_CUSTOM, .check = sql_check_url, .group = "Connection",                  \
     .width = SLUICE_WIDTH_LONG, .display_name = "JDBC URL",                                       \
     .doc = "JDBC connection URL: jdbc:sqlite:FILE, jdbc:postgresql://HOST:PORT/DB or "            \
            "jdbc:mysql://HOST:PORT/DB (jdbc:mariadb: likewise). Driver properties that have no "  \
            "meaning here are ignored."},                                                          \
        {SQL_OPTION("connection.user", STRING), .importance = SLUICE_HIGH, .group = "Connection",  \
         .width = SLUICE_WIDTH_MEDIUM, .display_name = "JDBC User", .doc = "JDBC connection user."}, \
        {SQL_OPTION("connection.password", PASSWORD), .importance = SLUICE_HIGH,                   \
         .group = "Connection", .width = SLUICE_WIDTH_MEDIUM, .display_name = "JDBC Password",     \
         .doc = "JDBC connection password."},                                                      \
        {SQL_OPTION("dialect.name", STRING), .default_value = "", .importance = SLUICE_LOW,        \
         .valid = SLUICE_VALID_ONE_OF, .values = sql_dialects, .group = "Connection",              \
         .width = SLUICE_WIDTH_LONG, .display_name = "Database Dialect",                           \
         .doc = "Name of the database dialect; empty: chosen by the URL, which it has to fit."},   \
        {SQL_OPTION("jdbc.credentials.provider.class", CLASS), .importance = SLUICE_LOW,           \
         .group = "Connection",                                                                    \
         .unavailable = "Java classes cannot be loaded; use a config provider for secrets"},       \
        {SQL_OPTION("jdbc.credentials.provider.*", STRING), .importance = SLUICE_LOW,              \
         .internal = true}

/** Common to both: validators and values. */
extern const char *const sql_dialects[];
bool sql_check_url(const char *name, const char *value, char *message, size_t size);

#endif
