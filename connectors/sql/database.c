/* What the three clients share: errors, statement texts, tables. Pure functions: any thread. */
#include "connectors/sql/database.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int sql_error_set(struct sql_error *error, enum sql_error_class class, const char *state, int vendor,
                  const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof(error->message), format, arguments);
    va_end(arguments);
    size_t length = strlen(error->message);
    while (length > 0 && (error->message[length - 1] == '\n' || error->message[length - 1] == ' ')) {
        error->message[--length] = '\0';
    }
    error->class = class;
    error->vendor = vendor;
    snprintf(error->state, sizeof(error->state), "%s", state ? state : "");
    return -1;
}

void sql_statement_finish(struct sql_statement *statement)
{
    free(statement->head);
    free(statement->row);
    free(statement->tail);
    free(statement->arrays);
    free(statement->array_kinds);
    memset(statement, 0, sizeof(*statement));
}

char *sql_statement_text(const struct sql_statement *statement, size_t rows)
{
    size_t head = strlen(statement->head), row = strlen(statement->row), tail = strlen(statement->tail);
    char *text = malloc(head + rows * (row + 1) + tail + 1), *to = text;
    if (!text) {
        return NULL;
    }
    to = mempcpy(to, statement->head, head);
    for (size_t i = 0; i < rows; i++) {
        if (i > 0) {
            *to++ = ',';
        }
        to = mempcpy(to, statement->row, row);
    }
    to = mempcpy(to, statement->tail, tail);
    *to = '\0';
    return text;
}

/* End of a quoted part, comment or dollar-quoted text that begins at text, or text where none does. */
static const char *skip_quoted(const char *text)
{
    if (*text == '\'' || *text == '"' || *text == '`') {
        char quote = *text++;
        while (*text && (*text != quote || text[1] == quote)) {
            text += *text == quote ? 2 : 1;
        }
        return *text ? text + 1 : text;
    }
    if (text[0] == '-' && text[1] == '-') {
        return text + strcspn(text, "\n");
    }
    if (text[0] == '/' && text[1] == '*') {
        const char *end = strstr(text + 2, "*/");
        return end ? end + 2 : text + strlen(text);
    }
    return text;
}

char *sql_numbered(const char *sql, size_t first)
{
    size_t marks = 0;
    for (const char *p = sql; *p; p++) {
        marks += *p == '?';
    }
    char *text = malloc(strlen(sql) + marks * 10 + 1), *to = text;
    while (text && *sql) {
        const char *end = skip_quoted(sql);
        if (end != sql) {
            to = mempcpy(to, sql, (size_t)(end - sql));
            sql = end;
        } else if (sql[0] == '?' && sql[1] == '?') {
            *to++ = '?';
            sql += 2;
        } else if (*sql == '?') {
            to += sprintf(to, "$%zu", first++);
            sql++;
        } else {
            *to++ = *sql++;
        }
    }
    if (text) {
        *to = '\0';
    }
    return text;
}

char *sql_escaped(const char *sql)
{
    char *text = malloc(2 * strlen(sql) + 1), *to = text;
    while (text && *sql) {
        const char *end = skip_quoted(sql);
        if (end != sql) {
            to = mempcpy(to, sql, (size_t)(end - sql));
            sql = end;
            continue;
        }
        if (*sql == '?') { /* `??` is JDBC's word for one */
            *to++ = '?';
            sql += sql[1] == '?';
        }
        *to++ = *sql++;
    }
    if (text) {
        *to = '\0';
    }
    return text;
}

void sql_columns_free(struct sql_column *columns, size_t count)
{
    for (size_t i = 0; columns && i < count; i++) {
        free(columns[i].name);
        free(columns[i].type_name);
        free(columns[i].cast);
    }
    free(columns);
}

static void table_finish(struct sql_table *table)
{
    free(table->name.catalog);
    free(table->name.schema);
    free(table->name.table);
    sql_columns_free(table->columns, table->column_count);
}

void sql_table_free(struct sql_table *table)
{
    if (table) {
        table_finish(table);
        free(table);
    }
}

void sql_tables_free(struct sql_table *tables, size_t count)
{
    for (size_t i = 0; tables && i < count; i++) {
        table_finish(&tables[i]);
    }
    free(tables);
}

const struct sql_column *sql_table_column(const struct sql_table *table, const char *name, size_t size)
{
    const struct sql_column *like = NULL;
    size_t alike = 0;
    for (size_t i = 0; i < table->column_count; i++) {
        const struct sql_column *column = &table->columns[i];
        if (strlen(column->name) != size || strncasecmp(column->name, name, size) != 0) {
            continue;
        }
        if (memcmp(column->name, name, size) == 0) {
            return column;
        }
        like = column;
        alike++;
    }
    return alike == 1 ? like : NULL;
}

const struct sql_client *sql_client_for(const struct jdbc_url *url)
{
    return url->product == SQL_SQLITE       ? &sql_sqlite
           : url->product == SQL_POSTGRESQL ? &sql_postgresql
                                            : &sql_mysql;
}
