/* Entry of sql.so: the SQL sink and source under the class names of the JDBC connectors. */
#include "connectors/sql/plugin.h"

#include "connectors/sql/sink_settings.h"
#include "connectors/sql/source_settings.h"

static const char *const sink_aliases[] = {"io.aiven.connect.jdbc.JdbcSinkConnector",
                                           "sluice.sql.SqlSinkConnector", "JdbcSinkConnector",
                                           "JdbcSink", "SqlSink", NULL};

static const struct sluice_descriptor sink = {
    .size = sizeof(struct sluice_descriptor),
    .kind = SLUICE_SINK,
    .class_name = "io.confluent.connect.jdbc.JdbcSinkConnector",
    .aliases = sink_aliases,
    .version = SLUICE_VERSION,
    .doc = "Writes records into tables of SQLite, PostgreSQL, MariaDB or MySQL.",
    .options = sql_sink_options,
    .vtable = &sql_sink,
};

static const char *const source_aliases[] = {"io.aiven.connect.jdbc.JdbcSourceConnector",
                                             "sluice.sql.SqlSourceConnector", "JdbcSourceConnector",
                                             "JdbcSource", "SqlSource", NULL};

static const struct sluice_descriptor source = {
    .size = sizeof(struct sluice_descriptor),
    .kind = SLUICE_SOURCE,
    .class_name = "io.confluent.connect.jdbc.JdbcSourceConnector",
    .aliases = source_aliases,
    .version = SLUICE_VERSION,
    .doc = "Reads tables or queries of SQLite, PostgreSQL, MariaDB or MySQL.",
    .options = sql_source_options,
    .vtable = &sql_source,
};

static const struct sluice_descriptor *const descriptors[] = {&sink, &source, NULL};

SLUICE_PLUGIN(descriptors)
