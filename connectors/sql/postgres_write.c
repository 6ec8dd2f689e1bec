/*
 * Writing to PostgreSQL. A transaction is one pipeline, BEGIN to COMMIT, so that the server is waited for
 * once. Rows go as arrays, a parameter a column (postgres_arrays.c); where a value is of another kind than
 * its column, and for statements that are no INSERT, as texts of no said type, a parameter a value, so that
 * the server takes them for what the column is.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connectors/sql/postgres.h"

enum {
    PARAMETERS_MAX = 65535, /* of one statement */
    ROWS_MAX = 1000,        /* the same */
    ARRAYS_NAME = 0,        /* in place of a number of rows: the statement with arrays, for any number */
};

int postgres_reserve_values(struct sql_database *database, size_t count)
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

int postgres_reserve_text(struct sql_database *database, size_t size)
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
    return value->kind == SQL_TEXT || value->kind == SQL_BYTES ? value->text.size + 1 : POSTGRES_NUMBER_SIZE;
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
        size = postgres_number_text(value, to);
    }
    database->values[i] = to;
    database->lengths[i] = (int)size;
    *at = to + size + 1;
    return true;
}

int postgres_fill(struct sql_database *database, size_t value_count,
                  const struct sql_value *const *rows, size_t row_count, struct sql_error *error)
{
    size_t room = 0, i = 0;
    for (size_t row = 0; row < row_count; row++) {
        for (size_t column = 0; column < value_count; column++) {
            room += value_room(&rows[row][column]);
        }
    }
    if (postgres_reserve_values(database, row_count * value_count) != 0 ||
        postgres_reserve_text(database, room) != 0) {
        return postgres_no_memory(error);
    }
    char *at = database->text;
    for (size_t row = 0; row < row_count; row++) {
        for (size_t column = 0; column < value_count; column++) {
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

/* Queues what is told by settle(). */
static int queue(struct sql_database *database, const char *sql, struct sql_error *error)
{
    return PQsendQueryParams(database->connection, sql, 0, NULL, NULL, NULL, NULL, 0)
               ? 0
               : postgres_fail(database, NULL, error);
}

/* Queues PREPARE; it is remembered at once and forgotten where anything of the pipeline fails. */
static int prepare(struct sql_database *database, const struct sql_statement *statement, size_t rows,
                   struct sql_error *error)
{
    if (is_prepared(database, statement->id, rows)) {
        return 0;
    }
    if (database->prepared_count == PREPARED_MAX) {
        if (queue(database, "DEALLOCATE ALL", error) != 0) {
            return -1;
        }
        database->prepared_count = 0;
    }
    char name[48], *made = NULL;
    statement_name(statement->id, rows, name);
    if (rows != ARRAYS_NAME) {
        char *text = sql_statement_text(statement, rows);
        made = text ? sql_numbered(text, 1) : NULL;
        free(text);
        if (!made) {
            return postgres_no_memory(error);
        }
    }
    int sent = PQsendPrepare(database->connection, name, made ? made : statement->arrays, 0, NULL);
    free(made);
    if (!sent) {
        return postgres_fail(database, NULL, error);
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
            outcome = postgres_fail(database, result, error);
        } else if (status == PGRES_COMMAND_OK && strcmp(PQcmdStatus(result), "ROLLBACK") == 0 &&
                   outcome == 0) {
            outcome = sql_error_set(error, SQL_RETRY, "25P02", 0, "the transaction was rolled back");
        }
        PQclear(result);
    }
    if (PQstatus(database->connection) == CONNECTION_BAD && outcome == 0) {
        outcome = postgres_fail(database, NULL, error);
    }
    return outcome;
}

int postgres_settle(struct sql_database *database, struct sql_error *error)
{
    if (!PQpipelineSync(database->connection)) {
        return postgres_fail(database, NULL, error);
    }
    return pipeline_end(database, error);
}

int postgres_begin(struct sql_database *database, struct sql_error *error)
{
    if (!PQenterPipelineMode(database->connection)) {
        return postgres_fail(database, NULL, error);
    }
    database->begun = true;
    return queue(database, "BEGIN", error);
}

int postgres_commit(struct sql_database *database, struct sql_error *error)
{
    if (queue(database, "COMMIT", error) != 0 || postgres_settle(database, error) != 0) {
        return -1;
    }
    database->begun = false;
    PQexitPipelineMode(database->connection);
    return 0;
}

void postgres_rollback(struct sql_database *database)
{
    struct sql_error ignored;
    if (!database->begun) {
        return;
    }
    database->begun = false;
    postgres_settle(database, &ignored);
    PQexitPipelineMode(database->connection);
    PQclear(PQexec(database->connection, "ROLLBACK"));
    /* Which statements of the pipeline the server has is not known. */
    PQclear(PQexec(database->connection, "DEALLOCATE ALL"));
    database->prepared_count = 0;
}

static int send_statement(struct sql_database *database, const struct sql_statement *statement,
                          const struct sql_value *const *rows, size_t row_count, struct sql_error *error)
{
    bool arrays = false;
    size_t parameters = statement->value_count;
    if (statement->arrays &&
        postgres_fill_arrays(database, statement, rows, row_count, &arrays, error) != 0) {
        return -1;
    }
    if (!arrays) {
        parameters *= row_count;
        if (postgres_fill(database, statement->value_count, rows, row_count, error) != 0) {
            return -1;
        }
    }
    size_t rows_of_name = arrays ? ARRAYS_NAME : row_count;
    char name[48];
    statement_name(statement->id, rows_of_name, name);
    if (prepare(database, statement, rows_of_name, error) != 0) {
        return -1;
    }
    return PQsendQueryPrepared(database->connection, name, (int)parameters, database->values,
                               database->lengths, database->formats, 0)
               ? 0
               : postgres_fail(database, NULL, error);
}

int postgres_write(struct sql_database *database, const struct sql_statement *statement,
                   const struct sql_value *const *rows, size_t row_count, struct sql_error *error)
{
    size_t most = statement->multi ? PARAMETERS_MAX / statement->value_count : 1;
    most = most > ROWS_MAX ? ROWS_MAX : most ? most : 1;
    for (size_t done = 0; done < row_count;) {
        size_t now = row_count - done < most ? row_count - done : most;
        if (send_statement(database, statement, rows + done, now, error) != 0) {
            struct sql_error answer;
            if (postgres_settle(database, &answer) != 0) {
                *error = answer; /* came first, and says more */
            }
            return -1;
        }
        done += now;
    }
    return 0;
}
