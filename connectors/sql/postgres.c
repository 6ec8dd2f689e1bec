/*
 * PostgreSQL by libpq: the connection and its errors. Transactions and rows: postgres_write.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "connectors/sql/postgres.h"

static enum sql_error_class class_of(const char *state)
{
    static const struct {
        const char *prefix;
        enum sql_error_class class;
    } classes[] = {
        {"40001", SQL_RETRY},     {"40P01", SQL_RETRY}, {"55P03", SQL_RETRY},
        {"40003", SQL_RECONNECT}, {"08", SQL_RECONNECT}, {"57P", SQL_RECONNECT},
        {"53", SQL_RECONNECT},    {"58", SQL_RECONNECT}, {"25006", SQL_RECONNECT},
        {"57014", SQL_RECONNECT}, {"42703", SQL_STALE},  {"42P01", SQL_STALE},
        {"0A000", SQL_STALE},     {"26000", SQL_STALE},  {"22", SQL_DATA},
        {"23", SQL_DATA},         {"42804", SQL_DATA},   {"21000", SQL_DATA},
        {"44000", SQL_DATA},      {"54000", SQL_DATA} /* too long for an index */,
        {"P0001", SQL_DATA} /* a trigger's RAISE */,
    };
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        if (strncmp(state, classes[i].prefix, strlen(classes[i].prefix)) == 0) {
            return classes[i].class;
        }
    }
    return SQL_FATAL;
}

/* Of a statement; of the connection where result is NULL. */
int postgres_fail(struct sql_database *database, const PGresult *result, struct sql_error *error)
{
    const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *text = result ? PQresultErrorMessage(result) : PQerrorMessage(database->connection);
    if (!state || PQstatus(database->connection) == CONNECTION_BAD) {
        return sql_error_set(error, SQL_RECONNECT, state ? state : "08006", 0, "%s",
                             *text ? text : "the connection was lost");
    }
    bool no_index = strcmp(state, "42P10") == 0; /* ON CONFLICT */
    return sql_error_set(error, class_of(state), state, 0, "%s%s", text,
                         no_index ? SQL_UPSERT_NEEDS : "");
}

int postgres_no_memory(struct sql_error *error)
{
    return sql_error_set(error, SQL_RETRY, "", 0, "no memory");
}

static void postgres_close(struct sql_database *database)
{
    if (database) {
        PQfinish(database->connection);
        free(database->values);
        free(database->lengths);
        free(database->formats);
        free(database->text);
        free(database);
    }
}

int postgres_execute(struct sql_database *database, const char *sql, struct sql_error *error)
{
    PGresult *result = PQexec(database->connection, sql);
    ExecStatusType status = PQresultStatus(result);
    int outcome = 0;
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        outcome = postgres_fail(database, result, error);
    }
    PQclear(result);
    return outcome;
}

/* Driver properties of JDBC's, as far as libpq has the like. */
static const struct {
    const char *jdbc, *libpq;
} properties[] = {
    {"ApplicationName", "application_name"},
    {"connectTimeout", "connect_timeout"},
    {"loginTimeout", "connect_timeout"},
    {"sslmode", "sslmode"},
    {"sslrootcert", "sslrootcert"},
    {"sslcert", "sslcert"},
    {"sslkey", "sslkey"},
    {"sslpassword", "sslpassword"},
    {"user", "user"},
    {"password", "password"},
    {"options", "options"},
    {"gssEncMode", "gssencmode"},
    {"channelBinding", "channel_binding"},
};

static const char *session_of(const char *target)
{
    static const char *const names[][2] = {{"primary", "primary"},
                                           {"master", "primary"},
                                           {"secondary", "standby"},
                                           {"slave", "standby"},
                                           {"preferSecondary", "prefer-standby"}};
    for (size_t i = 0; target && i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcasecmp(target, names[i][0]) == 0) {
            return names[i][1];
        }
    }
    return "any";
}

struct keywords {
    const char *names[32], *values[32];
    size_t count;
};

static void keyword(struct keywords *keywords, const char *name, const char *value)
{
    if (!value) {
        return;
    }
    for (size_t i = 0; i < keywords->count; i++) {
        if (strcmp(keywords->names[i], name) == 0) {
            keywords->values[i] = value;
            return;
        }
    }
    keywords->names[keywords->count] = name;
    keywords->values[keywords->count++] = value;
}

/* Warnings of the server would go to standard error. */
static void ignore_notice(void *user, const char *message)
{
    (void)user;
    (void)message;
}

static int postgres_open(const struct sql_open *how, struct sql_database **ret_database,
                         struct sql_error *error)
{
    const struct jdbc_url *url = how->url;
    struct keywords keywords = {.count = 0};
    char hosts[1024] = "", ports[128] = "", schema[300] = "";
    size_t host_size = 0, port_size = 0;
    for (size_t i = 0; i < url->host_count; i++) {
        host_size += (size_t)snprintf(hosts + host_size, sizeof(hosts) - host_size, "%s%s",
                                      i ? "," : "", url->hosts[i].name);
        port_size += (size_t)snprintf(ports + port_size, sizeof(ports) - port_size, "%s%d",
                                      i ? "," : "", url->hosts[i].port ? url->hosts[i].port : 5432);
        if (host_size >= sizeof(hosts)) {
            return sql_error_set(error, SQL_FATAL, "", 0, "connection.url: the hosts are too long");
        }
    }
    keyword(&keywords, "host", url->host_count ? hosts : "localhost");
    keyword(&keywords, "port", url->host_count ? ports : NULL);
    keyword(&keywords, "application_name", how->application);
    keyword(&keywords, "connect_timeout", "10");
    for (size_t i = 0; i < sizeof(properties) / sizeof(properties[0]); i++) {
        keyword(&keywords, properties[i].libpq, jdbc_url_parameter(url, properties[i].jdbc));
    }
    const char *ssl = jdbc_url_parameter(url, "ssl");
    if (ssl && strcasecmp(ssl, "false") != 0 && !jdbc_url_parameter(url, "sslmode")) {
        keyword(&keywords, "sslmode", "verify-full");
    }
    const char *current = jdbc_url_parameter(url, "currentSchema");
    if (current) {
        snprintf(schema, sizeof(schema), "-c search_path=%s", current);
        keyword(&keywords, "options", schema);
    }
    keyword(&keywords, "target_session_attrs",
            session_of(jdbc_url_parameter(url, "targetServerType")));
    keyword(&keywords, "user", how->user);
    keyword(&keywords, "password", how->password);
    keyword(&keywords, "dbname",
            url->database ? url->database : how->user ? how->user : jdbc_url_parameter(url, "user"));
    keyword(&keywords, "client_encoding", "UTF8");

    struct sql_database *database = calloc(1, sizeof(*database));
    if (!database) {
        return postgres_no_memory(error);
    }
    database->connection = PQconnectdbParams(keywords.names, keywords.values, 0);
    if (PQstatus(database->connection) != CONNECTION_OK) {
        /* Only the server can say that trying again is useless: its words come behind FATAL. */
        const char *text = PQerrorMessage(database->connection);
        bool refused = strstr(text, "FATAL:") &&
                       (strstr(text, "authentication") || strstr(text, "does not exist") ||
                        strstr(text, "pg_hba.conf") || strstr(text, "permission denied"));
        refused = refused || strstr(text, "certificate") || strstr(text, "no password supplied");
        sql_error_set(error, refused ? SQL_FATAL : SQL_RECONNECT, refused ? "28000" : "08001", 0,
                      "%s", text);
        goto failed;
    }
    PQsetNoticeProcessor(database->connection, ignore_notice, NULL);
    char *zone = PQescapeLiteral(database->connection, how->zone, strlen(how->zone));
    char settings[400];
    snprintf(settings, sizeof(settings),
             "SET TimeZone = %s; SET DateStyle = ISO; SET IntervalStyle = postgres; "
             "SET extra_float_digits = 1; SET bytea_output = hex",
             zone ? zone : "'UTC'");
    PQfreemem(zone);
    if (postgres_execute(database, settings, error) != 0) {
        goto failed;
    }
    *ret_database = database;
    return 0;

failed:
    postgres_close(database);
    return -1;
}

const struct sql_client sql_postgresql = {
    .product = SQL_POSTGRESQL,
    .quote = "\"",
    .open = postgres_open,
    .close = postgres_close,
    .execute = postgres_execute,
    .begin = postgres_begin,
    .settle = postgres_settle,
    .commit = postgres_commit,
    .rollback = postgres_rollback,
    .write = postgres_write,
    .describe = postgres_describe,
    .list = postgres_list,
    .query = postgres_query,
    .next = postgres_next,
    .end = postgres_end,
};
