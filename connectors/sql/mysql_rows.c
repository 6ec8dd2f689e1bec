/* Queries of MariaDB and MySQL: prepared, a row at a time as they come. */
#include <stdlib.h>
#include <string.h>

#include "connectors/sql/mysql.h"

enum { TEXT_FIRST = 256 };

struct mysql_rows {
    struct sql_rows rows;
    struct sql_database *database;
    MYSQL_STMT *statement;
    MYSQL_BIND *binds;
    struct mysql_cell {
        unsigned long length;
        my_bool null;
        char *text;
        size_t room;
        int64_t integer;
        double real;
    } *cells;
};


static enum sql_type type_of(const MYSQL_FIELD *field, int *ret_precision, int *ret_scale)
{
    bool is_unsigned = field->flags & UNSIGNED_FLAG, binary = field->charsetnr == 63;
    *ret_precision = *ret_scale = -1;
    switch (field->type) {
    case MYSQL_TYPE_TINY:
        return field->length == 1 ? SQL_TYPE_BOOLEAN : is_unsigned ? SQL_TYPE_INT16 : SQL_TYPE_INT8;
    case MYSQL_TYPE_BIT: return field->length == 1 ? SQL_TYPE_BOOLEAN : SQL_TYPE_BYTES;
    case MYSQL_TYPE_YEAR:
    case MYSQL_TYPE_SHORT: return is_unsigned ? SQL_TYPE_INT32 : SQL_TYPE_INT16;
    case MYSQL_TYPE_INT24: return SQL_TYPE_INT32;
    case MYSQL_TYPE_LONG: return is_unsigned ? SQL_TYPE_INT64 : SQL_TYPE_INT32;
    case MYSQL_TYPE_LONGLONG: return is_unsigned ? SQL_TYPE_UINT64 : SQL_TYPE_INT64;
    case MYSQL_TYPE_FLOAT: return SQL_TYPE_FLOAT32;
    case MYSQL_TYPE_DOUBLE: return SQL_TYPE_FLOAT64;
    case MYSQL_TYPE_DECIMAL:
    case MYSQL_TYPE_NEWDECIMAL:
        *ret_scale = (int)field->decimals;
        *ret_precision = (int)field->length - (field->decimals ? 1 : 0) - (is_unsigned ? 0 : 1);
        return SQL_TYPE_DECIMAL;
    case MYSQL_TYPE_DATE:
    case MYSQL_TYPE_NEWDATE: return SQL_TYPE_DATE;
    case MYSQL_TYPE_TIME: return SQL_TYPE_TIME;
    case MYSQL_TYPE_DATETIME: return SQL_TYPE_TIMESTAMP;
    case MYSQL_TYPE_TIMESTAMP: return SQL_TYPE_TIMESTAMP_ZONE;
    case MYSQL_TYPE_JSON: return SQL_TYPE_JSON;
    case MYSQL_TYPE_TINY_BLOB:
    case MYSQL_TYPE_MEDIUM_BLOB:
    case MYSQL_TYPE_LONG_BLOB:
    case MYSQL_TYPE_BLOB:
    case MYSQL_TYPE_STRING:
    case MYSQL_TYPE_VAR_STRING:
    case MYSQL_TYPE_VARCHAR: return binary ? SQL_TYPE_BYTES : SQL_TYPE_STRING;
    default: return SQL_TYPE_OTHER;
    }
}

void mysql_client_end(struct sql_rows *base)
{
    struct mysql_rows *rows = (struct mysql_rows *)base;
    if (!rows) {
        return;
    }
    if (rows->statement) {
        mysql_stmt_free_result(rows->statement);
        mysql_stmt_close(rows->statement);
    }
    for (size_t i = 0; rows->cells && i < base->column_count; i++) {
        free(rows->cells[i].text);
    }
    free(rows->cells);
    free(rows->binds);
    sql_columns_free(base->columns, base->column_count);
    free(rows);
}

/* Where each column's values are to be put. */
static int bind_result(struct mysql_rows *rows, struct sql_error *error)
{
    for (size_t i = 0; i < rows->rows.column_count; i++) {
        struct mysql_cell *cell = &rows->cells[i];
        MYSQL_BIND *bind = &rows->binds[i];
        memset(bind, 0, sizeof(*bind));
        bind->length = &cell->length;
        bind->is_null = &cell->null;
        switch (rows->rows.columns[i].type) {
        case SQL_TYPE_INT8:
        case SQL_TYPE_INT16:
        case SQL_TYPE_INT32:
        case SQL_TYPE_INT64:
            bind->buffer_type = MYSQL_TYPE_LONGLONG;
            bind->buffer = &cell->integer;
            continue;
        case SQL_TYPE_FLOAT32:
        case SQL_TYPE_FLOAT64:
            bind->buffer_type = MYSQL_TYPE_DOUBLE;
            bind->buffer = &cell->real;
            continue;
        default:
            break;
        }
        if (!cell->text) {
            cell->room = TEXT_FIRST;
            cell->text = malloc(cell->room);
        }
        if (!cell->text) {
            return mysql_client_no_memory(error);
        }
        bind->buffer_type = MYSQL_TYPE_STRING;
        bind->buffer = cell->text;
        bind->buffer_length = cell->room;
    }
    return mysql_stmt_bind_result(rows->statement, rows->binds)
               ? mysql_client_fail_statement(rows->database, rows->statement, error)
               : 0;
}

int mysql_client_query(struct sql_database *database, const char *sql, const struct sql_value *values,
                        size_t value_count, struct sql_rows **ret_rows, struct sql_error *error)
{
    struct mysql_rows *rows = calloc(1, sizeof(*rows));
    if (!rows || !(rows->statement = mysql_stmt_init(database->connection)) ||
        mysql_client_reserve(database, value_count) != 0) {
        mysql_client_end(rows ? &rows->rows : NULL);
        return mysql_client_no_memory(error);
    }
    rows->database = database;
    if (mysql_stmt_prepare(rows->statement, sql, strlen(sql))) {
        mysql_client_fail_statement(rows->database, rows->statement, error);
        goto failed;
    }
    size_t wanted = mysql_stmt_param_count(rows->statement);
    for (size_t i = 0; i < value_count; i++) {
        mysql_client_bind_value(&database->binds[i], &values[i]);
    }
    if (wanted != value_count) {
        sql_error_set(error, SQL_FATAL, "07001", 0, "%zu parameters for %zu values", wanted,
                      value_count);
        goto failed;
    }
    /* Rows come as they are read: a cursor would copy them to a table of the server's first. */
    if ((value_count > 0 && mysql_stmt_bind_param(rows->statement, database->binds)) ||
        mysql_stmt_execute(rows->statement)) {
        mysql_client_fail_statement(rows->database, rows->statement, error);
        goto failed;
    }
    MYSQL_RES *described = mysql_stmt_result_metadata(rows->statement);
    size_t count = described ? mysql_num_fields(described) : 0;
    rows->rows.columns = calloc(count ? count : 1, sizeof(*rows->rows.columns));
    rows->cells = calloc(count ? count : 1, sizeof(*rows->cells));
    rows->binds = calloc(count ? count : 1, sizeof(*rows->binds));
    if (!rows->rows.columns || !rows->cells || !rows->binds) {
        mysql_free_result(described);
        mysql_client_no_memory(error);
        goto failed;
    }
    rows->rows.column_count = count;
    for (size_t i = 0; i < count; i++) {
        const MYSQL_FIELD *field = &mysql_fetch_fields(described)[i];
        struct sql_column *column = &rows->rows.columns[i];
        column->name = strdup(field->name);
        column->type_name = strdup("");
        column->type = type_of(field, &column->precision, &column->scale);
        column->not_null = field->flags & NOT_NULL_FLAG;
    }
    if (described) {
        mysql_free_result(described);
    }
    if (count > 0 && bind_result(rows, error) != 0) {
        goto failed;
    }
    *ret_rows = &rows->rows;
    return 0;

failed:
    mysql_client_end(&rows->rows);
    return -1;
}

/* A value that was longer than its place is fetched again into a greater one. */
static int grow(struct mysql_rows *rows, size_t i, struct sql_error *error)
{
    struct mysql_cell *cell = &rows->cells[i];
    char *text = realloc(cell->text, cell->length);
    if (!text) {
        return mysql_client_no_memory(error);
    }
    cell->text = text;
    cell->room = cell->length;
    rows->binds[i].buffer = text;
    rows->binds[i].buffer_length = cell->room;
    if (mysql_stmt_fetch_column(rows->statement, &rows->binds[i], (unsigned)i, 0) ||
        mysql_stmt_bind_result(rows->statement, rows->binds)) {
        return mysql_client_fail_statement(rows->database, rows->statement, error);
    }
    return 0;
}

int mysql_client_next(struct sql_rows *base, struct sql_value *values, struct sql_error *error)
{
    struct mysql_rows *rows = (struct mysql_rows *)base;
    int result = base->column_count ? mysql_stmt_fetch(rows->statement) : MYSQL_NO_DATA;
    if (result == MYSQL_NO_DATA) {
        return 0;
    }
    if (result != 0 && result != MYSQL_DATA_TRUNCATED) {
        return mysql_client_fail_statement(rows->database, rows->statement, error);
    }
    for (size_t i = 0; i < base->column_count; i++) {
        struct mysql_cell *cell = &rows->cells[i];
        struct sql_value *value = &values[i];
        if (cell->null) {
            value->kind = SQL_NULL;
            continue;
        }
        MYSQL_BIND *bind = &rows->binds[i];
        if (bind->buffer_type == MYSQL_TYPE_LONGLONG) {
            value->kind = SQL_INTEGER;
            value->integer = cell->integer;
            continue;
        }
        if (bind->buffer_type == MYSQL_TYPE_DOUBLE) {
            value->kind = SQL_REAL;
            value->real = cell->real;
            continue;
        }
        if (cell->length > cell->room && grow(rows, i, error) != 0) {
            return -1;
        }
        value->text = (struct sluice_span){cell->text, cell->length};
        switch (base->columns[i].type) {
        case SQL_TYPE_BOOLEAN:
            value->integer = cell->length > 0 && cell->text[0] != '0' && cell->text[0] != '\0';
            value->kind = SQL_BOOLEAN;
            break;
        case SQL_TYPE_BYTES:
            value->kind = SQL_BYTES;
            break;
        case SQL_TYPE_DATE:
        case SQL_TYPE_TIMESTAMP:
        case SQL_TYPE_TIMESTAMP_ZONE: /* 0000-00-00 is MySQL's "no date" */
            value->kind = cell->length >= 10 && memcmp(cell->text, "0000-00-00", 10) == 0 ? SQL_NULL : SQL_TEXT;
            break;
        default:
            value->kind = SQL_TEXT;
        }
    }
    return 1;
}
