/*
 * SQLite. Write-ahead log, full synchronisation (an acknowledged batch survives the loss of power),
 * and transactions that begin with the write lock, so that two tasks wait instead of failing.
 */
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "connectors/sql/database.h"

enum { STATEMENTS = 16, BUSY_TIMEOUT_MS = 5000 };

struct sql_database {
    sqlite3 *connection;
    struct {
        uint64_t id;
        sqlite3_stmt *statement;
    } cache[STATEMENTS]; /* most recently used first */
};

struct sqlite_rows {
    struct sql_rows rows;
    sqlite3_stmt *statement;
    struct sql_database *database;
};

static int fail(sqlite3 *connection, const char *what, struct sql_error *error)
{
    int code = sqlite3_extended_errcode(connection);
    const char *text = sqlite3_errmsg(connection);
    enum sql_error_class class = SQL_FATAL;
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_NOMEM:
        class = SQL_RETRY;
        break;
    case SQLITE_IOERR:
    case SQLITE_FULL:
    case SQLITE_CANTOPEN:
    case SQLITE_PROTOCOL:
        class = SQL_RECONNECT;
        break;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
        class = SQL_DATA;
        break;
    case SQLITE_SCHEMA:
        class = SQL_STALE;
        break;
    case SQLITE_ERROR:
        if (strstr(text, "no such column") || strstr(text, "no such table") ||
            strstr(text, "has no column named")) {
            class = SQL_STALE;
        }
        break;
    default:
        break;
    }
    return sql_error_set(error, class, "", code, "[%s] %s%s%s%s", sqlite3_errstr(code), what,
                         *what ? ": " : "", text,
                         strstr(text, "ON CONFLICT") ? "; " SQL_UPSERT_NEEDS : "");
}

static void sqlite_close(struct sql_database *database)
{
    if (!database) {
        return;
    }
    for (size_t i = 0; i < STATEMENTS; i++) {
        sqlite3_finalize(database->cache[i].statement);
    }
    sqlite3_close(database->connection);
    free(database);
}

static int sqlite_execute(struct sql_database *database, const char *sql, struct sql_error *error)
{
    if (sqlite3_exec(database->connection, sql, NULL, NULL, NULL) != SQLITE_OK) {
        return fail(database->connection, "", error);
    }
    return 0;
}

static int sqlite_begin(struct sql_database *database, struct sql_error *error)
{
    /* A transaction that reads first and writes later could find the lock taken by then. */
    return sqlite_execute(database, "BEGIN IMMEDIATE", error);
}

static int sqlite_commit(struct sql_database *database, struct sql_error *error)
{
    return sqlite_execute(database, "COMMIT", error);
}

static void sqlite_rollback(struct sql_database *database)
{
    sqlite3_exec(database->connection, "ROLLBACK", NULL, NULL, NULL);
}

static int sqlite_open(const struct sql_open *how, struct sql_database **ret_database,
                       struct sql_error *error)
{
    struct sql_database *database = calloc(1, sizeof(*database));
    if (!database) {
        return sql_error_set(error, SQL_RETRY, "", 0, "no memory");
    }
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (strncmp(how->url->path, "file:", 5) == 0) {
        flags |= SQLITE_OPEN_URI;
    }
    if (sqlite3_open_v2(how->url->path, &database->connection, flags, NULL) != SQLITE_OK) {
        if (database->connection) {
            fail(database->connection, how->url->path, error);
        } else {
            sql_error_set(error, SQL_RETRY, "", SQLITE_NOMEM, "no memory");
        }
        goto failed;
    }
    const char *journal = jdbc_url_parameter(how->url, "journal_mode");
    const char *busy = jdbc_url_parameter(how->url, "busy_timeout");
    sqlite3_busy_timeout(database->connection, busy ? atoi(busy) : BUSY_TIMEOUT_MS);
    sqlite3_extended_result_codes(database->connection, 1);
    /* The mode stays with the file; one that cannot have it (a network file system) keeps its own. */
    if (sqlite_execute(database,
                       journal && strcasecmp(journal, "delete") == 0 ? "PRAGMA journal_mode=DELETE"
                                                                     : "PRAGMA journal_mode=WAL",
                       error) != 0 ||
        sqlite_execute(database, "PRAGMA synchronous=FULL", error) != 0) {
        goto failed;
    }
    *ret_database = database;
    return 0;

failed:
    sqlite_close(database);
    return -1;
}

/* The statement for this id, compiled once; it stays the cache's. */
static sqlite3_stmt *prepared(struct sql_database *database, const struct sql_statement *statement,
                              struct sql_error *error)
{
    size_t i = 0;
    while (i < STATEMENTS - 1 && database->cache[i].id != statement->id) {
        i++;
    }
    sqlite3_stmt *found = database->cache[i].id == statement->id ? database->cache[i].statement : NULL;
    if (!found) {
        char *text = sql_statement_text(statement, 1);
        if (!text) {
            sql_error_set(error, SQL_RETRY, "", SQLITE_NOMEM, "no memory");
            return NULL;
        }
        int result = sqlite3_prepare_v3(database->connection, text, -1, SQLITE_PREPARE_PERSISTENT,
                                        &found, NULL);
        if (result != SQLITE_OK) {
            fail(database->connection, text, error);
            free(text);
            return NULL;
        }
        free(text);
        sqlite3_finalize(database->cache[i].statement);
    }
    for (; i > 0; i--) {
        database->cache[i] = database->cache[i - 1];
    }
    database->cache[0].id = statement->id;
    database->cache[0].statement = found;
    return found;
}

static int bind(sqlite3_stmt *statement, int i, const struct sql_value *value)
{
    switch (value->kind) {
    case SQL_BOOLEAN:
    case SQL_INTEGER:
        return sqlite3_bind_int64(statement, i, value->integer);
    case SQL_REAL:
        return sqlite3_bind_double(statement, i, value->real);
    case SQL_TEXT:
        return sqlite3_bind_text64(statement, i, value->text.data, value->text.size, SQLITE_STATIC,
                                   SQLITE_UTF8);
    case SQL_BYTES:
        return value->text.size == 0
                   ? sqlite3_bind_zeroblob(statement, i, 0)
                   : sqlite3_bind_blob64(statement, i, value->text.data, value->text.size,
                                         SQLITE_STATIC);
    case SQL_NULL:
    default:
        return sqlite3_bind_null(statement, i);
    }
}

static int sqlite_write(struct sql_database *database, const struct sql_statement *statement,
                        const struct sql_value *const *rows, size_t row_count,
                        struct sql_error *error)
{
    sqlite3_stmt *compiled = prepared(database, statement, error);
    if (!compiled) {
        return -1;
    }
    for (size_t row = 0; row < row_count; row++) {
        for (size_t i = 0; i < statement->value_count; i++) {
            if (bind(compiled, (int)i + 1, &rows[row][i]) != SQLITE_OK) {
                fail(database->connection, "", error);
                sqlite3_reset(compiled);
                return -1;
            }
        }
        int result = sqlite3_step(compiled);
        if (result != SQLITE_DONE && result != SQLITE_ROW) {
            fail(database->connection, "", error);
            sqlite3_reset(compiled);
            return -1;
        }
        sqlite3_reset(compiled);
    }
    sqlite3_clear_bindings(compiled); /* the texts are the caller's */
    return 0;
}

/* -- tables -- */

/* What a declared type means: SQLite's affinities, and the names that JDBC's driver knows. */
static enum sql_type declared(const char *text, int *ret_precision, int *ret_scale)
{
    static const struct {
        const char *name;
        enum sql_type type;
    } names[] = {
        {"BOOLEAN", SQL_TYPE_BOOLEAN},     {"BOOL", SQL_TYPE_BOOLEAN},
        {"TIMESTAMP", SQL_TYPE_TIMESTAMP}, {"DATETIME", SQL_TYPE_TIMESTAMP},
        {"DATE", SQL_TYPE_DATE},           {"DECIMAL", SQL_TYPE_DECIMAL},
        {"NUMERIC", SQL_TYPE_DECIMAL},     {"JSON", SQL_TYPE_JSON},
        {"TIME", SQL_TYPE_STRING},
    };
    *ret_precision = *ret_scale = -1;
    if (!text || !*text) {
        return SQL_TYPE_ANY;
    }
    size_t size = strcspn(text, " (");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strlen(names[i].name) == size && strncasecmp(names[i].name, text, size) == 0) {
            const char *open = strchr(text, '(');
            if (names[i].type == SQL_TYPE_DECIMAL && open) {
                *ret_scale = 0;
                sscanf(open, "(%d ,%d", ret_precision, ret_scale);
            }
            return names[i].type;
        }
    }
    if (strcasestr(text, "INT")) {
        return SQL_TYPE_INT64;
    }
    if (strcasestr(text, "CHAR") || strcasestr(text, "CLOB") || strcasestr(text, "TEXT")) {
        return SQL_TYPE_STRING;
    }
    if (strcasestr(text, "BLOB")) {
        return SQL_TYPE_BYTES;
    }
    if (strcasestr(text, "REAL") || strcasestr(text, "FLOA") || strcasestr(text, "DOUB")) {
        return SQL_TYPE_FLOAT64;
    }
    return SQL_TYPE_ANY;
}

static char *copy_text(sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    return strdup(text ? text : "");
}

/* Columns of a table of the main schema (or the one named). */
static int read_columns(struct sql_database *database, struct sql_table *table,
                        struct sql_error *error)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(database->connection,
                           "SELECT i.name, i.type, i.\"notnull\", i.dflt_value IS NOT NULL, i.pk,"
                           " (SELECT count(*) FROM pragma_table_info(?1, ?2) k WHERE k.pk > 0)"
                           " FROM pragma_table_info(?1, ?2) i",
                           -1, &statement, NULL) != SQLITE_OK) {
        return fail(database->connection, "", error);
    }
    const char *schema = table->name.schema ? table->name.schema : "main";
    sqlite3_bind_text(statement, 1, table->name.table, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, schema, -1, SQLITE_STATIC);
    int result;
    while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
        struct sql_column *more =
            reallocarray(table->columns, table->column_count + 1, sizeof(*more));
        if (!more) {
            break;
        }
        table->columns = more;
        struct sql_column *column = &more[table->column_count++];
        memset(column, 0, sizeof(*column));
        column->name = copy_text(statement, 0);
        column->type_name = copy_text(statement, 1);
        if (!column->name || !column->type_name) {
            break;
        }
        column->type = declared(column->type_name, &column->precision, &column->scale);
        column->key_order = sqlite3_column_int(statement, 4);
        column->not_null = sqlite3_column_int(statement, 2) || column->key_order > 0;
        column->has_default = sqlite3_column_int(statement, 3);
        /* INTEGER PRIMARY KEY alone is the row's number. */
        column->generated = column->key_order == 1 && sqlite3_column_int(statement, 5) == 1 &&
                            strcasecmp(column->type_name, "INTEGER") == 0;
    }
    int outcome = result == SQLITE_DONE ? 0
                  : result == SQLITE_ROW
                      ? sql_error_set(error, SQL_RETRY, "", SQLITE_NOMEM, "no memory")
                      : fail(database->connection, "", error);
    sqlite3_finalize(statement);
    return outcome;
}

static int find_tables(struct sql_database *database, const char *schema, const char *table,
                       struct sql_table **ret_tables, size_t *ret_count, struct sql_error *error)
{
    sqlite3_stmt *statement = NULL;
    char *text = sqlite3_mprintf("SELECT name, type FROM \"%w\".sqlite_master WHERE type IN"
                                 " ('table', 'view') AND name NOT LIKE 'sqlite\\_%%' ESCAPE '\\'"
                                 " AND (?1 IS NULL OR name = ?1 COLLATE NOCASE) ORDER BY name",
                                 schema ? schema : "main");
    int result = text ? sqlite3_prepare_v2(database->connection, text, -1, &statement, NULL)
                      : SQLITE_NOMEM;
    sqlite3_free(text);
    if (result == SQLITE_ERROR && schema) {
        return sql_error_set(error, SQL_FATAL, "", result,
                             "unknown database %s (what stands before a dot in a table's name; a dot of the name "
                             "itself: table.name.format=\"${topic}\", in quotes)", schema);
    }
    if (result != SQLITE_OK) {
        return result == SQLITE_NOMEM ? sql_error_set(error, SQL_RETRY, "", result, "no memory")
                                      : fail(database->connection, "", error);
    }
    if (table) {
        sqlite3_bind_text(statement, 1, table, -1, SQLITE_STATIC);
    }
    struct sql_table *tables = NULL;
    size_t count = 0;
    while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
        struct sql_table *more = reallocarray(tables, count + 1, sizeof(*more));
        if (!more) {
            break;
        }
        tables = more;
        memset(&tables[count], 0, sizeof(tables[count]));
        tables[count].name.table = copy_text(statement, 0);
        tables[count].name.schema = schema ? strdup(schema) : NULL;
        tables[count].kind = strcmp((const char *)sqlite3_column_text(statement, 1), "view") == 0
                                 ? SQL_KIND_VIEW
                                 : SQL_KIND_TABLE;
        count++;
    }
    sqlite3_finalize(statement);
    if (result != SQLITE_DONE) {
        sql_tables_free(tables, count);
        return result == SQLITE_ROW ? sql_error_set(error, SQL_RETRY, "", SQLITE_NOMEM, "no memory")
                                    : fail(database->connection, "", error);
    }
    for (size_t i = 0; i < count; i++) {
        if (read_columns(database, &tables[i], error) != 0) {
            sql_tables_free(tables, count);
            return -1;
        }
    }
    *ret_tables = tables;
    *ret_count = count;
    return 0;
}

static int sqlite_describe(struct sql_database *database, const struct sql_name *name,
                           struct sql_table **ret_table, struct sql_error *error)
{
    struct sql_table *tables = NULL;
    size_t count = 0;
    *ret_table = NULL;
    if (find_tables(database, name->schema, name->table, &tables, &count, error) != 0) {
        return -1;
    }
    if (count > 0) { /* names are the same whatever their case: there is one */
        *ret_table = malloc(sizeof(**ret_table));
        if (*ret_table) {
            **ret_table = tables[0];
            memset(&tables[0], 0, sizeof(tables[0]));
        }
    }
    bool memory = count == 0 || *ret_table;
    sql_tables_free(tables, count);
    return memory ? 0 : sql_error_set(error, SQL_RETRY, "", SQLITE_NOMEM, "no memory");
}

static int sqlite_list(struct sql_database *database, const char *catalog, const char *schema,
                       struct sql_table **ret_tables, size_t *ret_count, struct sql_error *error)
{
    (void)catalog;
    return find_tables(database, schema && *schema && !strchr(schema, '%') ? schema : NULL, NULL,
                       ret_tables, ret_count, error);
}

/* -- queries -- */

static void sqlite_end(struct sql_rows *base)
{
    struct sqlite_rows *rows = (struct sqlite_rows *)base;
    if (rows) {
        sqlite3_finalize(rows->statement);
        sql_columns_free(rows->rows.columns, rows->rows.column_count);
        free(rows);
    }
}

static int sqlite_query(struct sql_database *database, const char *sql, const struct sql_value *values,
                        size_t value_count, struct sql_rows **ret_rows, struct sql_error *error)
{
    struct sqlite_rows *rows = calloc(1, sizeof(*rows));
    if (!rows) {
        return sql_error_set(error, SQL_RETRY, "", SQLITE_NOMEM, "no memory");
    }
    rows->database = database;
    if (sqlite3_prepare_v2(database->connection, sql, -1, &rows->statement, NULL) != SQLITE_OK) {
        fail(database->connection, "", error);
        goto failed;
    }
    size_t wanted = (size_t)sqlite3_bind_parameter_count(rows->statement);
    for (size_t i = 0; i < value_count && i < wanted; i++) {
        struct sql_value value = values[i];
        int result = value.kind == SQL_TEXT || value.kind == SQL_BYTES
                         ? sqlite3_bind_text64(rows->statement, (int)i + 1, value.text.data,
                                               value.text.size, SQLITE_TRANSIENT, SQLITE_UTF8)
                         : bind(rows->statement, (int)i + 1, &value);
        if (result != SQLITE_OK) {
            fail(database->connection, "", error);
            goto failed;
        }
    }
    size_t count = (size_t)sqlite3_column_count(rows->statement);
    rows->rows.columns = calloc(count ? count : 1, sizeof(*rows->rows.columns));
    if (!rows->rows.columns) {
        sql_error_set(error, SQL_RETRY, "", SQLITE_NOMEM, "no memory");
        goto failed;
    }
    rows->rows.column_count = count;
    for (size_t i = 0; i < count; i++) {
        struct sql_column *column = &rows->rows.columns[i];
        const char *type = sqlite3_column_decltype(rows->statement, (int)i);
        column->name = strdup(sqlite3_column_name(rows->statement, (int)i));
        column->type_name = strdup(type ? type : "");
        column->type = declared(type, &column->precision, &column->scale);
        const char *table = sqlite3_column_table_name(rows->statement, (int)i);
        int not_null = 0, primary = 0;
        if (table &&
            sqlite3_table_column_metadata(database->connection,
                                          sqlite3_column_database_name(rows->statement, (int)i), table,
                                          sqlite3_column_origin_name(rows->statement, (int)i), NULL,
                                          NULL, &not_null, &primary, NULL) == SQLITE_OK) {
            column->not_null = not_null || primary;
        }
    }
    *ret_rows = &rows->rows;
    return 0;

failed:
    sqlite_end(&rows->rows);
    return -1;
}

static int sqlite_next(struct sql_rows *base, struct sql_value *values, struct sql_error *error)
{
    struct sqlite_rows *rows = (struct sqlite_rows *)base;
    int result = sqlite3_step(rows->statement);
    if (result == SQLITE_DONE) {
        return 0;
    }
    if (result != SQLITE_ROW) {
        return fail(rows->database->connection, "", error);
    }
    for (int i = 0; i < (int)base->column_count; i++) {
        struct sql_value *value = &values[i];
        switch (sqlite3_column_type(rows->statement, i)) {
        case SQLITE_INTEGER:
            value->kind = SQL_INTEGER;
            value->integer = sqlite3_column_int64(rows->statement, i);
            break;
        case SQLITE_FLOAT:
            value->kind = SQL_REAL;
            value->real = sqlite3_column_double(rows->statement, i);
            break;
        case SQLITE_TEXT:
            value->kind = SQL_TEXT;
            value->text.data = (const char *)sqlite3_column_text(rows->statement, i);
            value->text.size = (size_t)sqlite3_column_bytes(rows->statement, i);
            break;
        case SQLITE_BLOB:
            value->kind = SQL_BYTES;
            value->text.data = sqlite3_column_blob(rows->statement, i);
            value->text.size = (size_t)sqlite3_column_bytes(rows->statement, i);
            if (!value->text.data) {
                value->text.data = "";
            }
            break;
        default:
            value->kind = SQL_NULL;
        }
    }
    return 1;
}

const struct sql_client sql_sqlite = {
    .product = SQL_SQLITE,
    .quote = "\"",
    .open = sqlite_open,
    .close = sqlite_close,
    .execute = sqlite_execute,
    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .write = sqlite_write,
    .describe = sqlite_describe,
    .list = sqlite_list,
    .query = sqlite_query,
    .next = sqlite_next,
    .end = sqlite_end,
};
