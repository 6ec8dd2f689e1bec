/* PostgreSQL's catalog: tables, their columns, and what types mean. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connectors/sql/postgres.h"


enum { NUMERIC_HEADER = 4 };

enum sql_type postgres_type(unsigned oid, int modifier, int *ret_precision, int *ret_scale)
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
    " coalesce(array_position(i.indkey::int2[], a.attnum), -1) + 1,"
    " CASE WHEN t.typtype <> 'd' THEN format_type(a.atttypid, -1) END"
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
    " JOIN pg_type t ON t.oid = a.atttypid"
    " LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum"
    " LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary"
    " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') ";

/*
 * How texts and numbers for a column travel together. A text is cast to the type without its length, so
 * that the length is enforced as the column's is, not by cutting; a domain's is part of it.
 */
static bool set_array(struct sql_column *column, unsigned oid, const char *cast)
{
    switch (oid) {
    case 17: column->array = SQL_ARRAY_BYTES; return true;
    case 20:
    case 21:
    case 23: column->array = SQL_ARRAY_INTEGERS; return true;
    case 701: column->array = SQL_ARRAY_REALS; return true;
    case 25:
    case 1042:
    case 1043: column->array = SQL_ARRAY_TEXTS; return true;
    default: column->array = cast ? SQL_ARRAY_TEXTS : SQL_ARRAY_NONE;
    }
    return !cast || (column->cast = strdup(cast)) != NULL;
}

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
        unsigned oid = (unsigned)strtoul(PQgetvalue(result, row, 6), NULL, 10);
        column->type =
            postgres_type(oid, atoi(PQgetvalue(result, row, 7)), &column->precision, &column->scale);
        bool set = set_array(column, oid,
                             PQgetisnull(result, row, 12) ? NULL : PQgetvalue(result, row, 12));
        if (!column->name || !column->type_name || !set) {
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
        outcome = postgres_fail(database, result, error);
    } else if (tables_of(result, ret_tables, ret_count) != 0) {
        outcome = postgres_no_memory(error);
    }
    PQclear(result);
    return outcome;
}

int postgres_describe(struct sql_database *database, const struct sql_name *name,
                             struct sql_table **ret_table, struct sql_error *error)
{
    /* First by search path, and exactly before without regard to case. The server cuts long names. */
    const char *values[] = {name->table, name->schema};
    struct sql_table *tables = NULL;
    size_t count = 0, alike = 0;
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
            **ret_table = tables[0];
            memset(&tables[0], 0, sizeof(tables[0]));
        } else {
            outcome = postgres_no_memory(error);
        }
    }
    sql_tables_free(tables, count);
    return outcome;
}

int postgres_list(struct sql_database *database, const char *catalog, const char *schema,
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
