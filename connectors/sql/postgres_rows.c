/* Queries of PostgreSQL, a row at a time as they come. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connectors/sql/postgres.h"

struct postgres_rows {
    struct sql_rows rows;
    struct sql_database *database;
    PGresult *current;
    unsigned char **bytes; /* unescaped, a column each */
};


void postgres_end(struct sql_rows *base)
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
            int outcome = postgres_fail(database, result, error);
            PQclear(result);
            return outcome;
        }
        columns[i].not_null = PQntuples(result) == 1 && *PQgetvalue(result, 0, 0) == 't';
        PQclear(result);
    }
    return 0;
}

int postgres_query(struct sql_database *database, const char *sql,
                          const struct sql_value *values, size_t value_count,
                          struct sql_rows **ret_rows, struct sql_error *error)
{
    struct postgres_rows *rows = calloc(1, sizeof(*rows));
    char *numbered = sql_numbered(sql, 1);
    PGresult *described = NULL;
    if (!rows || !numbered) {
        postgres_no_memory(error);
        goto failed;
    }
    rows->database = database;
    PGresult *result = PQprepare(database->connection, "", numbered, 0, NULL);
    if (PQresultStatus(result) != PGRES_COMMAND_OK) {
        postgres_fail(database, result, error);
        PQclear(result);
        goto failed;
    }
    PQclear(result);
    described = PQdescribePrepared(database->connection, "");
    if (PQresultStatus(described) != PGRES_COMMAND_OK) {
        postgres_fail(database, described, error);
        goto failed;
    }
    size_t count = (size_t)PQnfields(described);
    rows->rows.columns = calloc(count ? count : 1, sizeof(*rows->rows.columns));
    rows->bytes = calloc(count ? count : 1, sizeof(*rows->bytes));
    if (!rows->rows.columns || !rows->bytes) {
        postgres_no_memory(error);
        goto failed;
    }
    rows->rows.column_count = count;
    for (size_t i = 0; i < count; i++) {
        struct sql_column *column = &rows->rows.columns[i];
        column->name = strdup(PQfname(described, (int)i));
        column->type_name = strdup("");
        column->type = postgres_type(PQftype(described, (int)i), PQfmod(described, (int)i),
                               &column->precision, &column->scale);
    }
    if (read_not_null(database, described, rows->rows.columns, error) != 0) {
        goto failed;
    }
    if (postgres_fill(database, value_count, &values, 1, error) != 0) {
        goto failed;
    }
    if (!PQsendQueryParams(database->connection, numbered, (int)value_count, NULL, database->values,
                           database->lengths, database->formats, 0) ||
        !PQsetSingleRowMode(database->connection)) {
        postgres_fail(database, NULL, error);
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

int postgres_next(struct sql_rows *base, struct sql_value *values, struct sql_error *error)
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
        return postgres_fail(rows->database, rows->current, error);
    }
}
