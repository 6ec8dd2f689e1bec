/* Tables of MariaDB and MySQL, by information_schema. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "connectors/sql/mysql.h"


static const char TABLES[] =
    "SELECT t.TABLE_SCHEMA, t.TABLE_NAME, t.TABLE_TYPE, c.COLUMN_NAME, c.COLUMN_TYPE, c.DATA_TYPE,"
    " c.NUMERIC_PRECISION, c.NUMERIC_SCALE, c.IS_NULLABLE, c.COLUMN_DEFAULT IS NOT NULL, c.EXTRA,"
    " k.SEQ_IN_INDEX FROM information_schema.TABLES t JOIN information_schema.COLUMNS c"
    " ON c.TABLE_SCHEMA = t.TABLE_SCHEMA AND c.TABLE_NAME = t.TABLE_NAME"
    " LEFT JOIN information_schema.STATISTICS k ON k.TABLE_SCHEMA = c.TABLE_SCHEMA AND"
    " k.TABLE_NAME = c.TABLE_NAME AND k.COLUMN_NAME = c.COLUMN_NAME AND k.INDEX_NAME = 'PRIMARY'";

static char *text_of(const struct sql_value *value)
{
    return value->kind == SQL_TEXT || value->kind == SQL_BYTES
               ? strndup(value->text.data, value->text.size)
               : strdup("");
}

static enum sql_type declared(const char *type, const char *whole)
{
    static const struct {
        const char *name;
        enum sql_type type, without_sign;
    } names[] = {
        {"tinyint", SQL_TYPE_INT8, SQL_TYPE_INT16},    {"smallint", SQL_TYPE_INT16, SQL_TYPE_INT32},
        {"mediumint", SQL_TYPE_INT32, SQL_TYPE_INT32}, {"int", SQL_TYPE_INT32, SQL_TYPE_INT64},
        {"bigint", SQL_TYPE_INT64, SQL_TYPE_UINT64},   {"float", SQL_TYPE_FLOAT32, SQL_TYPE_FLOAT32},
        {"double", SQL_TYPE_FLOAT64, SQL_TYPE_FLOAT64}, {"decimal", SQL_TYPE_DECIMAL, SQL_TYPE_DECIMAL},
        {"date", SQL_TYPE_DATE, SQL_TYPE_DATE},        {"time", SQL_TYPE_TIME, SQL_TYPE_TIME},
        {"datetime", SQL_TYPE_TIMESTAMP, SQL_TYPE_TIMESTAMP},
        {"timestamp", SQL_TYPE_TIMESTAMP_ZONE, SQL_TYPE_TIMESTAMP_ZONE},
        {"json", SQL_TYPE_JSON, SQL_TYPE_JSON},        {"binary", SQL_TYPE_BYTES, SQL_TYPE_BYTES},
        {"varbinary", SQL_TYPE_BYTES, SQL_TYPE_BYTES}, {"bit", SQL_TYPE_BYTES, SQL_TYPE_BYTES},
        {"year", SQL_TYPE_INT16, SQL_TYPE_INT16},
    };
    if (strcmp(whole, "tinyint(1)") == 0 || strcmp(whole, "bit(1)") == 0) {
        return SQL_TYPE_BOOLEAN;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcasecmp(type, names[i].name) == 0) {
            return strstr(whole, "unsigned") ? names[i].without_sign : names[i].type;
        }
    }
    return strcasestr(type, "blob") ? SQL_TYPE_BYTES
           : strcasestr(type, "char") || strcasestr(type, "text") ? SQL_TYPE_STRING
                                                                  : SQL_TYPE_OTHER;
}

/* One row of TABLES. */
static int add_column(const struct sql_value *values, struct sql_table **tables, size_t *count)
{
    struct sluice_span schema = values[0].text, name = values[1].text;
    struct sql_table *last = *count ? &(*tables)[*count - 1] : NULL;
    if (!last || strlen(last->name.table) != name.size ||
        memcmp(last->name.table, name.data, name.size) != 0 ||
        strlen(last->name.schema) != schema.size ||
        memcmp(last->name.schema, schema.data, schema.size) != 0) {
        struct sql_table *more = reallocarray(*tables, *count + 1, sizeof(*more));
        if (!more) {
            return -1;
        }
        *tables = more;
        last = &more[(*count)++];
        memset(last, 0, sizeof(*last));
        last->name.schema = text_of(&values[0]);
        last->name.table = text_of(&values[1]);
        last->kind = memmem(values[2].text.data, values[2].text.size, "VIEW", 4) ? SQL_KIND_VIEW
                                                                                 : SQL_KIND_TABLE;
        if (!last->name.schema || !last->name.table) {
            return -1;
        }
    }
    struct sql_column *columns = reallocarray(last->columns, last->column_count + 1, sizeof(*columns));
    if (!columns) {
        return -1;
    }
    last->columns = columns;
    struct sql_column *column = &columns[last->column_count++];
    char *type = text_of(&values[5]), *extra = text_of(&values[10]);
    *column = (struct sql_column){
        .name = text_of(&values[3]),
        .type_name = text_of(&values[4]),
        .precision = values[6].kind == SQL_NULL ? -1 : atoi(values[6].text.data),
        .scale = values[7].kind == SQL_NULL ? -1 : atoi(values[7].text.data),
        .not_null = values[8].text.size == 2, /* NO */
        .has_default = values[9].kind == SQL_INTEGER && values[9].integer,
        .key_order = values[11].kind == SQL_INTEGER ? (int)values[11].integer : 0,
    };
    int outcome = column->name && column->type_name && type && extra ? 0 : -1;
    if (outcome == 0) {
        column->type = declared(type, column->type_name);
        column->generated = strstr(extra, "auto_increment") != NULL;
    }
    free(type);
    free(extra);
    return outcome;
}

static int find_tables(struct sql_database *database, const char *where, const struct sql_value *values,
                       size_t value_count, struct sql_table **ret_tables, size_t *ret_count,
                       struct sql_error *error)
{
    char sql[sizeof(TABLES) + 400];
    snprintf(sql, sizeof(sql), "%s%s ORDER BY 1, 2, c.ORDINAL_POSITION", TABLES, where);
    struct sql_rows *rows = NULL;
    struct sql_value row[12];
    int more = mysql_client_query(database, sql, values, value_count, &rows, error);
    *ret_tables = NULL;
    *ret_count = 0;
    while (more == 0 && (more = mysql_client_next(rows, row, error)) == 1) {
        /* precision and scale are read as numbers where the server says so */
        char numbers[2][24];
        for (size_t i = 6; i < 8; i++) {
            if (row[i].kind == SQL_INTEGER) {
                snprintf(numbers[i - 6], sizeof(numbers[0]), "%lld", (long long)row[i].integer);
                row[i].kind = SQL_TEXT;
                row[i].text.data = numbers[i - 6];
            } else if (row[i].kind == SQL_TEXT) {
                snprintf(numbers[i - 6], sizeof(numbers[0]), "%.*s", (int)row[i].text.size,
                         row[i].text.data);
                row[i].text.data = numbers[i - 6];
            }
        }
        if (add_column(row, ret_tables, ret_count) != 0) {
            more = mysql_client_no_memory(error);
        } else {
            more = 0;
        }
    }
    mysql_client_end(rows);
    if (more != 0) {
        sql_tables_free(*ret_tables, *ret_count);
        *ret_tables = NULL;
        *ret_count = 0;
    }
    return more;
}

static struct sql_value text_value(const char *text)
{
    return text ? (struct sql_value){.kind = SQL_TEXT, .text = {text, strlen(text)}}
                : (struct sql_value){.kind = SQL_NULL};
}

int mysql_client_describe(struct sql_database *database, const struct sql_name *name,
                           struct sql_table **ret_table, struct sql_error *error)
{
    /* What others call schema is a database here, and JDBC's catalog. */
    struct sql_value values[] = {text_value(name->table),
                                 text_value(name->schema ? name->schema : name->catalog)};
    struct sql_table *tables = NULL;
    size_t count = 0;
    *ret_table = NULL;
    if (find_tables(database, " WHERE t.TABLE_NAME = ? AND t.TABLE_SCHEMA = COALESCE(?, DATABASE())",
                    values, 2, &tables, &count, error) != 0) {
        return -1;
    }
    int outcome = 0;
    if (count > 0) {
        *ret_table = malloc(sizeof(**ret_table));
        if (*ret_table) {
            **ret_table = tables[0];
            memset(&tables[0], 0, sizeof(tables[0]));
        } else {
            outcome = mysql_client_no_memory(error);
        }
    }
    sql_tables_free(tables, count);
    return outcome;
}

int mysql_client_list(struct sql_database *database, const char *catalog, const char *schema,
                       struct sql_table **ret_tables, size_t *ret_count, struct sql_error *error)
{
    struct sql_value value = text_value(catalog && *catalog ? catalog : schema && *schema ? schema : NULL);
    return find_tables(database, " WHERE t.TABLE_SCHEMA LIKE COALESCE(?, DATABASE())", &value, 1,
                       ret_tables, ret_count, error);
}

/* -- upsert -- */

/* A unique index while its columns, rows of STATISTICS, go by. */
struct unique {
    size_t columns, keys, written; /* of its columns: are keys; are among what is written */
    bool exact, reachable;         /* of all indexes so far */
};

static void end_index(struct unique *index, size_t key_count)
{
    index->exact = index->exact || (index->keys == key_count && index->columns == key_count);
    index->reachable =
        index->reachable || (index->columns > 0 && index->written == index->columns);
    index->columns = index->keys = index->written = 0;
}

int mysql_client_check_upsert(struct sql_database *database, const struct sql_name *name,
                              const char *const *columns, size_t column_count, size_t key_count,
                              char *words, size_t size, struct sql_error *error)
{
    static const char INDEXES[] =
        "SELECT INDEX_NAME, COLUMN_NAME, SEQ_IN_INDEX FROM information_schema.STATISTICS WHERE"
        " TABLE_SCHEMA = ? AND TABLE_NAME = ? AND NON_UNIQUE = 0 ORDER BY 1, 3";
    const struct sql_value values[] = {text_value(name->schema), text_value(name->table)};
    struct unique index = {0};
    struct sql_rows *rows = NULL;
    struct sql_value row[3];
    size_t used = 0;
    int more = mysql_client_query(database, INDEXES, values, 2, &rows, error);
    *words = '\0';
    while (more == 0 && (more = mysql_client_next(rows, row, error)) == 1) {
        bool first = row[2].kind == SQL_INTEGER && row[2].integer == 1;
        if (first) {
            end_index(&index, key_count);
        }
        char *of = text_of(&row[0]), *column = text_of(&row[1]); /* "" of an expression */
        if (!of || !column) {
            more = mysql_client_no_memory(error);
        } else if (used < size) {
            used += (size_t)snprintf(words + used, size - used, "%s%s%s%s", first && used ? "; " : "",
                                     first ? of : "", first ? " on " : ", ", column);
        }
        index.columns++;
        for (size_t i = 0; column && i < column_count; i++) {
            bool same = strcasecmp(columns[i], column) == 0;
            index.written += same;
            index.keys += same && i < key_count;
        }
        free(of);
        free(column);
        more = more == 1 ? 0 : more;
    }
    mysql_client_end(rows);
    end_index(&index, key_count);
    if (more != 0) {
        return -1;
    }
    if (index.exact) {
        *words = '\0';
    }
    return index.exact || index.reachable
               ? 0
               : sql_error_set(error, SQL_FATAL, "", 0,
                               "insert.mode=upsert on table %s would insert every record anew, as none of "
                               "its unique indexes (%s) is on columns that are written; " SQL_UPSERT_NEEDS,
                               name->table, *words ? words : "it has none");
}
