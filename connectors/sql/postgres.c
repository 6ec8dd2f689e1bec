/*
 * PostgreSQL by libpq. Values go as text of no said type, so that the server takes them for what the
 * column is (uuid, json, enum, inet need no cast); bytes go as they are. Many rows travel in one
 * statement, many statements in one pipeline, and the server is waited for once a write.
 */
#include <libpq-fe.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "connectors/sql/database.h"
#include "lib/java/double_text.h"

enum {
    PARAMETERS_MAX = 65535, /* of one statement */
    ROWS_MAX = 1000,        /* of one statement */
    PREPARED_MAX = 64,      /* statements that the server keeps for us, one a number of rows */
    NUMBER_SIZE = 40,
};

struct sql_database {
    PGconn *connection;
    struct {
        uint64_t id;
        size_t rows;
    } prepared[PREPARED_MAX];
    size_t prepared_count;
    /* Of one statement: pointers into text, where values stand one behind the other. */
    const char **values;
    int *lengths, *formats;
    size_t room;
    char *text;
    size_t text_room;
};

struct postgres_rows {
    struct sql_rows rows;
    struct sql_database *database;
    PGresult *current;
    unsigned char **bytes; /* unescaped, a column each */
};

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
    };
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        if (strncmp(state, classes[i].prefix, strlen(classes[i].prefix)) == 0) {
            return classes[i].class;
        }
    }
    return SQL_FATAL;
}

/* Of a statement; of the connection where result is NULL. */
static int fail(struct sql_database *database, const PGresult *result, struct sql_error *error)
{
    const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *text = result ? PQresultErrorMessage(result) : PQerrorMessage(database->connection);
    if (!state || PQstatus(database->connection) == CONNECTION_BAD) {
        return sql_error_set(error, SQL_RECONNECT, state ? state : "08006", 0, "%s",
                             *text ? text : "the connection was lost");
    }
    return sql_error_set(error, class_of(state), state, 0, "%s", text);
}

static int no_memory(struct sql_error *error)
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

static int postgres_execute(struct sql_database *database, const char *sql, struct sql_error *error)
{
    PGresult *result = PQexec(database->connection, sql);
    ExecStatusType status = PQresultStatus(result);
    int outcome = 0;
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        outcome = fail(database, result, error);
    } else if (strcmp(sql, "COMMIT") == 0 && strcmp(PQcmdStatus(result), "ROLLBACK") == 0) {
        outcome = sql_error_set(error, SQL_RETRY, "25P02", 0, "the transaction was rolled back");
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
        return no_memory(error);
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

/* -- writing -- */

static int reserve(struct sql_database *database, size_t count)
{
    if (count <= database->room) {
        return 0;
    }
    const char **values = reallocarray(database->values, count, sizeof(*values));
    database->values = values ? values : database->values;
    int *lengths = reallocarray(database->lengths, count, sizeof(*lengths));
    database->lengths = lengths ? lengths : database->lengths;
    int *formats = reallocarray(database->formats, count, sizeof(*formats));
    database->formats = formats ? formats : database->formats;
    if (!values || !lengths || !formats) {
        return -1;
    }
    database->room = count;
    return 0;
}

static int reserve_text(struct sql_database *database, size_t size)
{
    if (size > database->text_room) {
        char *text = realloc(database->text, size + size / 2);
        if (!text) {
            return -1;
        }
        database->text = text;
        database->text_room = size + size / 2;
    }
    return 0;
}

static size_t value_room(const struct sql_value *value)
{
    return value->kind == SQL_TEXT || value->kind == SQL_BYTES ? value->text.size + 1 : NUMBER_SIZE;
}

static size_t number_text(const struct sql_value *value, char *to)
{
    if (value->kind == SQL_REAL) {
        return java_double_text(value->real, to);
    }
    if (value->kind == SQL_BOOLEAN) {
        memcpy(to, value->integer ? "t" : "f", 2);
        return 1;
    }
    char digits[24];
    size_t size = 0, length = 0;
    uint64_t rest = value->integer < 0 ? 0 - (uint64_t)value->integer : (uint64_t)value->integer;
    do {
        digits[size++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value->integer < 0) {
        to[length++] = '-';
    }
    while (size > 0) {
        to[length++] = digits[--size];
    }
    to[length] = '\0';
    return length;
}

/* Parameter number i of the next statement; advances *at. False: a text that cannot be sent. */
static bool parameter(struct sql_database *database, size_t i, const struct sql_value *value,
                      char **at)
{
    database->formats[i] = value->kind == SQL_BYTES;
    if (value->kind == SQL_NULL) {
        database->values[i] = NULL;
        database->lengths[i] = 0;
        return true;
    }
    char *to = *at;
    size_t size;
    if (value->kind == SQL_TEXT || value->kind == SQL_BYTES) {
        size = value->text.size;
        memcpy(to, value->text.data, size);
        to[size] = '\0';
        if (value->kind == SQL_TEXT && memchr(to, '\0', size)) {
            return false;
        }
    } else {
        size = number_text(value, to);
    }
    database->values[i] = to;
    database->lengths[i] = (int)size;
    *at = to + size + 1;
    return true;
}

static int fill(struct sql_database *database, const struct sql_statement *statement,
                const struct sql_value *const *rows, size_t row_count, struct sql_error *error)
{
    size_t room = 0, i = 0;
    for (size_t row = 0; row < row_count; row++) {
        for (size_t column = 0; column < statement->value_count; column++) {
            room += value_room(&rows[row][column]);
        }
    }
    if (reserve(database, row_count * statement->value_count) != 0 ||
        reserve_text(database, room) != 0) {
        return no_memory(error);
    }
    char *at = database->text;
    for (size_t row = 0; row < row_count; row++) {
        for (size_t column = 0; column < statement->value_count; column++) {
            if (!parameter(database, i++, &rows[row][column], &at)) {
                return sql_error_set(error, SQL_DATA, "22021", 0,
                                     "a text holds U+0000, which PostgreSQL cannot store");
            }
        }
    }
    return 0;
}

static bool is_prepared(const struct sql_database *database, uint64_t id, size_t rows)
{
    for (size_t i = 0; i < database->prepared_count; i++) {
        if (database->prepared[i].id == id && database->prepared[i].rows == rows) {
            return true;
        }
    }
    return false;
}

static void statement_name(uint64_t id, size_t rows, char name[48])
{
    snprintf(name, 48, "s%" PRIu64 "_%zu", id, rows);
}

/* Queues PREPARE; it is remembered at once and forgotten where anything of the pipeline fails. */
static int prepare(struct sql_database *database, const struct sql_statement *statement, size_t rows,
                   struct sql_error *error)
{
    char name[48];
    statement_name(statement->id, rows, name);
    char *text = sql_statement_text(statement, rows);
    char *numbered = text ? sql_numbered(text, 1) : NULL;
    free(text);
    if (!numbered) {
        return no_memory(error);
    }
    int sent = PQsendPrepare(database->connection, name, numbered, 0, NULL);
    free(numbered);
    if (!sent) {
        return fail(database, NULL, error);
    }
    database->prepared[database->prepared_count].id = statement->id;
    database->prepared[database->prepared_count++].rows = rows;
    return 0;
}

/* Reads what was answered up to the sync; the first failure is the one that counts. */
static int pipeline_end(struct sql_database *database, struct sql_error *error)
{
    int outcome = 0;
    for (int empty = 0; empty < 2;) {
        PGresult *result = PQgetResult(database->connection);
        if (!result) {
            empty++; /* two in a row: there is nothing more to come */
            continue;
        }
        empty = 0;
        ExecStatusType status = PQresultStatus(result);
        if (status == PGRES_PIPELINE_SYNC) {
            PQclear(result);
            break;
        }
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK &&
            status != PGRES_PIPELINE_ABORTED && outcome == 0) {
            outcome = fail(database, result, error);
        }
        PQclear(result);
    }
    if (PQstatus(database->connection) == CONNECTION_BAD && outcome == 0) {
        outcome = fail(database, NULL, error);
    }
    return outcome;
}

static int send_rows(struct sql_database *database, const struct sql_statement *statement,
                     const struct sql_value *const *rows, size_t row_count, struct sql_error *error)
{
    size_t most = statement->multi ? PARAMETERS_MAX / statement->value_count : 1;
    most = most > ROWS_MAX ? ROWS_MAX : most ? most : 1;
    for (size_t done = 0; done < row_count;) {
        size_t rows_now = row_count - done < most ? row_count - done : most;
        char name[48];
        statement_name(statement->id, rows_now, name);
        if (!is_prepared(database, statement->id, rows_now) &&
            prepare(database, statement, rows_now, error) != 0) {
            return -1;
        }
        if (fill(database, statement, rows + done, rows_now, error) != 0) {
            return -1;
        }
        if (!PQsendQueryPrepared(database->connection, name, (int)(rows_now * statement->value_count),
                                 database->values, database->lengths, database->formats, 0)) {
            return fail(database, NULL, error);
        }
        done += rows_now;
    }
    return 0;
}

static int postgres_write(struct sql_database *database, const struct sql_statement *statement,
                          const struct sql_value *const *rows, size_t row_count,
                          struct sql_error *error)
{
    /* One write makes at most two: full ones and the rest. */
    if (database->prepared_count + 2 > PREPARED_MAX) {
        if (postgres_execute(database, "DEALLOCATE ALL", error) != 0) {
            return -1;
        }
        database->prepared_count = 0;
    }
    size_t before = database->prepared_count;
    if (!PQenterPipelineMode(database->connection)) {
        return fail(database, NULL, error);
    }
    int sent = send_rows(database, statement, rows, row_count, error), answered = 0;
    struct sql_error answer;
    if (!PQpipelineSync(database->connection)) {
        answered = fail(database, NULL, &answer);
    } else {
        answered = pipeline_end(database, &answer);
    }
    PQexitPipelineMode(database->connection);
    if (answered != 0) {
        *error = answer; /* came first, and says more */
    }
    if (sent != 0 || answered != 0) {
        /* Which of the new ones the server has is not known: they get other names next time. */
        for (size_t i = before; i < database->prepared_count; i++) {
            char text[80], name[48];
            statement_name(database->prepared[i].id, database->prepared[i].rows, name);
            snprintf(text, sizeof(text), "ROLLBACK; DEALLOCATE %s", name);
            PQclear(PQexec(database->connection, text));
        }
        database->prepared_count = before;
        return -1;
    }
    return 0;
}

/* -- tables and types -- */

enum { NUMERIC_HEADER = 4 };

static enum sql_type type_of(unsigned oid, int modifier, int *ret_precision, int *ret_scale)
{
    *ret_precision = *ret_scale = -1;
    switch (oid) {
    case 16: return SQL_TYPE_BOOLEAN;
    case 17: return SQL_TYPE_BYTES;
    case 20:
    case 26: return SQL_TYPE_INT64;
    case 21: return SQL_TYPE_INT16;
    case 23: return SQL_TYPE_INT32;
    case 700: return SQL_TYPE_FLOAT32;
    case 701: return SQL_TYPE_FLOAT64;
    case 19:
    case 25:
    case 1042:
    case 1043: return SQL_TYPE_STRING;
    case 114:
    case 3802: return SQL_TYPE_JSON;
    case 1082: return SQL_TYPE_DATE;
    case 1083: return SQL_TYPE_TIME;
    case 1266: return SQL_TYPE_TIME_ZONE;
    case 1114: return SQL_TYPE_TIMESTAMP;
    case 1184: return SQL_TYPE_TIMESTAMP_ZONE;
    case 1700:
        if (modifier >= NUMERIC_HEADER) {
            *ret_precision = ((modifier - NUMERIC_HEADER) >> 16) & 0xffff;
            *ret_scale = (int)(((unsigned)(modifier - NUMERIC_HEADER) & 0x7ff) ^ 1024) - 1024;
        }
        return SQL_TYPE_DECIMAL;
    default: return SQL_TYPE_OTHER; /* uuid, enum, inet, money, arrays, ..: as text */
    }
}

static const char TABLES[] =
    "SELECT current_database(), n.nspname, c.relname, c.relkind, a.attname,"
    " format_type(a.atttypid, a.atttypmod), a.atttypid, a.atttypmod, a.attnotnull, a.atthasdef,"
    " a.attidentity <> '' OR coalesce(pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%', false),"
    " coalesce(array_position(i.indkey::int2[], a.attnum), -1) + 1"
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
    " LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum"
    " LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary"
    " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') ";

/* Rows of TABLES, ordered so that the columns of a table stand together, to tables. */
static int tables_of(const PGresult *result, struct sql_table **ret_tables, size_t *ret_count)
{
    struct sql_table *tables = NULL;
    size_t count = 0;
    for (int row = 0; row < PQntuples(result); row++) {
        const char *schema = PQgetvalue(result, row, 1), *name = PQgetvalue(result, row, 2);
        if (count == 0 || strcmp(tables[count - 1].name.schema, schema) != 0 ||
            strcmp(tables[count - 1].name.table, name) != 0) {
            struct sql_table *more = reallocarray(tables, count + 1, sizeof(*more));
            if (!more) {
                goto failed;
            }
            tables = more;
            memset(&tables[count], 0, sizeof(tables[count]));
            char kind = *PQgetvalue(result, row, 3);
            tables[count].kind = kind == 'p'               ? SQL_KIND_PARTITIONED
                                 : kind == 'v' || kind == 'm' ? SQL_KIND_VIEW
                                                              : SQL_KIND_TABLE;
            tables[count].name.schema = strdup(schema);
            tables[count].name.table = strdup(name);
            count++;
            if (!tables[count - 1].name.schema || !tables[count - 1].name.table) {
                goto failed;
            }
        }
        struct sql_table *table = &tables[count - 1];
        struct sql_column *columns =
            reallocarray(table->columns, table->column_count + 1, sizeof(*columns));
        if (!columns) {
            goto failed;
        }
        table->columns = columns;
        struct sql_column *column = &columns[table->column_count++];
        *column = (struct sql_column){
            .name = strdup(PQgetvalue(result, row, 4)),
            .type_name = strdup(PQgetvalue(result, row, 5)),
            .not_null = *PQgetvalue(result, row, 8) == 't',
            .has_default = *PQgetvalue(result, row, 9) == 't',
            .generated = *PQgetvalue(result, row, 10) == 't',
            .key_order = atoi(PQgetvalue(result, row, 11)),
        };
        column->type = type_of((unsigned)strtoul(PQgetvalue(result, row, 6), NULL, 10),
                               atoi(PQgetvalue(result, row, 7)), &column->precision, &column->scale);
        if (!column->name || !column->type_name) {
            goto failed;
        }
    }
    *ret_tables = tables;
    *ret_count = count;
    return 0;

failed:
    sql_tables_free(tables, count);
    return -1;
}

static int find_tables(struct sql_database *database, const char *where, const char *const *values,
                       int value_count, struct sql_table **ret_tables, size_t *ret_count,
                       struct sql_error *error)
{
    char sql[sizeof(TABLES) + 700];
    snprintf(sql, sizeof(sql), "%s%s", TABLES, where);
    PGresult *result =
        PQexecParams(database->connection, sql, value_count, NULL, values, NULL, NULL, 0);
    int outcome = 0;
    if (PQresultStatus(result) != PGRES_TUPLES_OK) {
        outcome = fail(database, result, error);
    } else if (tables_of(result, ret_tables, ret_count) != 0) {
        outcome = no_memory(error);
    }
    PQclear(result);
    return outcome;
}

static int postgres_describe(struct sql_database *database, const struct sql_name *name,
                             struct sql_table **ret_table, struct sql_error *error)
{
    /* First by search path, and exactly before without regard to case. The server cuts long names. */
    const char *values[] = {name->table, name->schema};
    struct sql_table *tables = NULL;
    size_t count = 0, chosen = 0, alike = 0;
    *ret_table = NULL;
    if (find_tables(database,
                    "AND lower(c.relname) = lower($1::name::text) AND CASE WHEN $2::text IS NULL"
                    " THEN n.nspname = ANY (current_schemas(true)) ELSE n.nspname = $2 END"
                    " ORDER BY c.relname = $1::name DESC,"
                    " array_position(current_schemas(true), n.nspname), 2, 3, a.attnum",
                    values, 2, &tables, &count, error) != 0) {
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        alike += strcmp(tables[i].name.schema, tables[0].name.schema) == 0;
    }
    bool exact = count > 0 && strcmp(tables[0].name.table, name->table) == 0;
    exact = exact || (count > 0 && strlen(name->table) > 63 &&
                      strncmp(tables[0].name.table, name->table, strlen(tables[0].name.table)) == 0);
    int outcome = 0;
    if (count > 0 && (exact || alike == 1)) {
        *ret_table = malloc(sizeof(**ret_table));
        if (*ret_table) {
            **ret_table = tables[chosen];
            memset(&tables[chosen], 0, sizeof(tables[chosen]));
        } else {
            outcome = no_memory(error);
        }
    }
    sql_tables_free(tables, count);
    return outcome;
}

static int postgres_list(struct sql_database *database, const char *catalog, const char *schema,
                         struct sql_table **ret_tables, size_t *ret_count, struct sql_error *error)
{
    const char *values[] = {schema, catalog};
    return find_tables(database,
                       "AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT"
                       " LIKE 'pg\\_t%' AND ($1::text IS NULL OR n.nspname LIKE $1) AND"
                       " ($2::text IS NULL OR $2 = '' OR current_database() LIKE $2)"
                       " ORDER BY 2, 3, a.attnum",
                       values, 2, ret_tables, ret_count, error);
}

/* -- queries -- */

static void postgres_end(struct sql_rows *base)
{
    struct postgres_rows *rows = (struct postgres_rows *)base;
    if (!rows) {
        return;
    }
    PQclear(rows->current);
    PGcancel *cancel = NULL;
    PGresult *result;
    while ((result = PQgetResult(rows->database->connection))) {
        if (!cancel && PQresultStatus(result) == PGRES_SINGLE_TUPLE &&
            (cancel = PQgetCancel(rows->database->connection))) {
            char text[256];
            PQcancel(cancel, text, sizeof(text)); /* nobody wants the rest */
        }
        PQclear(result);
    }
    PQfreeCancel(cancel);
    for (size_t i = 0; rows->bytes && i < base->column_count; i++) {
        PQfreemem(rows->bytes[i]);
    }
    free(rows->bytes);
    sql_columns_free(base->columns, base->column_count);
    free(rows);
}

/* Whether a result's column may be null is known of the table it comes from. */
static int read_not_null(struct sql_database *database, const PGresult *described,
                         struct sql_column *columns, struct sql_error *error)
{
    for (int i = 0; i < PQnfields(described); i++) {
        if (PQftable(described, i) == InvalidOid) {
            continue;
        }
        char table[16], number[16];
        snprintf(table, sizeof(table), "%u", PQftable(described, i));
        snprintf(number, sizeof(number), "%d", PQftablecol(described, i));
        const char *values[] = {table, number};
        PGresult *result = PQexecParams(database->connection,
                                        "SELECT attnotnull FROM pg_attribute WHERE attrelid = $1::oid"
                                        " AND attnum = $2::int2",
                                        2, NULL, values, NULL, NULL, 0);
        if (PQresultStatus(result) != PGRES_TUPLES_OK) {
            int outcome = fail(database, result, error);
            PQclear(result);
            return outcome;
        }
        columns[i].not_null = PQntuples(result) == 1 && *PQgetvalue(result, 0, 0) == 't';
        PQclear(result);
    }
    return 0;
}

static int postgres_query(struct sql_database *database, const char *sql,
                          const struct sql_value *values, size_t value_count,
                          struct sql_rows **ret_rows, struct sql_error *error)
{
    struct postgres_rows *rows = calloc(1, sizeof(*rows));
    char *numbered = sql_numbered(sql, 1);
    PGresult *described = NULL;
    if (!rows || !numbered) {
        no_memory(error);
        goto failed;
    }
    rows->database = database;
    PGresult *result = PQprepare(database->connection, "", numbered, 0, NULL);
    if (PQresultStatus(result) != PGRES_COMMAND_OK) {
        fail(database, result, error);
        PQclear(result);
        goto failed;
    }
    PQclear(result);
    described = PQdescribePrepared(database->connection, "");
    if (PQresultStatus(described) != PGRES_COMMAND_OK) {
        fail(database, described, error);
        goto failed;
    }
    size_t count = (size_t)PQnfields(described);
    rows->rows.columns = calloc(count ? count : 1, sizeof(*rows->rows.columns));
    rows->bytes = calloc(count ? count : 1, sizeof(*rows->bytes));
    if (!rows->rows.columns || !rows->bytes) {
        no_memory(error);
        goto failed;
    }
    rows->rows.column_count = count;
    for (size_t i = 0; i < count; i++) {
        struct sql_column *column = &rows->rows.columns[i];
        column->name = strdup(PQfname(described, (int)i));
        column->type_name = strdup("");
        column->type = type_of(PQftype(described, (int)i), PQfmod(described, (int)i),
                               &column->precision, &column->scale);
    }
    if (read_not_null(database, described, rows->rows.columns, error) != 0) {
        goto failed;
    }
    size_t room = 0;
    for (size_t i = 0; i < value_count; i++) {
        room += value_room(&values[i]);
    }
    if (reserve(database, value_count ? value_count : 1) != 0 || reserve_text(database, room + 1) != 0) {
        no_memory(error);
        goto failed;
    }
    char *at = database->text;
    for (size_t i = 0; i < value_count; i++) {
        if (!parameter(database, i, &values[i], &at)) {
            sql_error_set(error, SQL_DATA, "22021", 0, "a parameter holds U+0000");
            goto failed;
        }
    }
    if (!PQsendQueryParams(database->connection, numbered, (int)value_count, NULL, database->values,
                           database->lengths, database->formats, 0) ||
        !PQsetSingleRowMode(database->connection)) {
        fail(database, NULL, error);
        goto failed;
    }
    PQclear(described);
    free(numbered);
    *ret_rows = &rows->rows;
    return 0;

failed:
    PQclear(described);
    free(numbered);
    postgres_end(rows ? &rows->rows : NULL);
    return -1;
}

static void read_value(struct postgres_rows *rows, size_t i, struct sql_value *value)
{
    if (PQgetisnull(rows->current, 0, (int)i)) {
        value->kind = SQL_NULL;
        return;
    }
    const char *text = PQgetvalue(rows->current, 0, (int)i);
    switch (rows->rows.columns[i].type) {
    case SQL_TYPE_INT16:
    case SQL_TYPE_INT32:
    case SQL_TYPE_INT64:
        value->kind = SQL_INTEGER;
        value->integer = strtoll(text, NULL, 10);
        return;
    case SQL_TYPE_FLOAT32:
    case SQL_TYPE_FLOAT64:
        value->kind = SQL_REAL;
        value->real = strtod(text, NULL);
        return;
    case SQL_TYPE_BOOLEAN:
        value->kind = SQL_BOOLEAN;
        value->integer = *text == 't';
        return;
    case SQL_TYPE_BYTES:
        PQfreemem(rows->bytes[i]);
        value->kind = SQL_BYTES;
        rows->bytes[i] = PQunescapeBytea((const unsigned char *)text, &value->text.size);
        value->text.data = rows->bytes[i] ? (const char *)rows->bytes[i] : "";
        return;
    default:
        value->kind = SQL_TEXT;
        value->text.data = text;
        value->text.size = (size_t)PQgetlength(rows->current, 0, (int)i);
    }
}

static int postgres_next(struct sql_rows *base, struct sql_value *values, struct sql_error *error)
{
    struct postgres_rows *rows = (struct postgres_rows *)base;
    PQclear(rows->current);
    rows->current = PQgetResult(rows->database->connection);
    switch (rows->current ? PQresultStatus(rows->current) : PGRES_TUPLES_OK) {
    case PGRES_SINGLE_TUPLE:
        for (size_t i = 0; i < base->column_count; i++) {
            read_value(rows, i, &values[i]);
        }
        return 1;
    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:
        return 0;
    default:
        return fail(rows->database, rows->current, error);
    }
}

const struct sql_client sql_postgresql = {
    .product = SQL_POSTGRESQL,
    .quote = "\"",
    .open = postgres_open,
    .close = postgres_close,
    .execute = postgres_execute,
    .write = postgres_write,
    .describe = postgres_describe,
    .list = postgres_list,
    .query = postgres_query,
    .next = postgres_next,
    .end = postgres_end,
};
