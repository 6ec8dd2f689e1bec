/*
 * Writing to PostgreSQL: many rows in one statement, many statements in one pipeline, and the server is
 * waited for once a write.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connectors/sql/postgres.h"
#include "lib/java/double_text.h"

enum {
    PARAMETERS_MAX = 65535, /* of one statement */
    ROWS_MAX = 1000,        /* the same */
    NUMBER_SIZE = 40,
};


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

int postgres_fill(struct sql_database *database, size_t value_count,
                  const struct sql_value *const *rows, size_t row_count, struct sql_error *error)
{
    size_t room = 0, i = 0;
    for (size_t row = 0; row < row_count; row++) {
        for (size_t column = 0; column < value_count; column++) {
            room += value_room(&rows[row][column]);
        }
    }
    if (reserve(database, row_count * value_count) != 0 ||
        reserve_text(database, room) != 0) {
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
        return postgres_no_memory(error);
    }
    int sent = PQsendPrepare(database->connection, name, numbered, 0, NULL);
    free(numbered);
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
        }
        PQclear(result);
    }
    if (PQstatus(database->connection) == CONNECTION_BAD && outcome == 0) {
        outcome = postgres_fail(database, NULL, error);
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
        if (postgres_fill(database, statement->value_count, rows + done, rows_now, error) != 0) {
            return -1;
        }
        if (!PQsendQueryPrepared(database->connection, name, (int)(rows_now * statement->value_count),
                                 database->values, database->lengths, database->formats, 0)) {
            return postgres_fail(database, NULL, error);
        }
        done += rows_now;
    }
    return 0;
}

int postgres_write(struct sql_database *database, const struct sql_statement *statement,
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
        return postgres_fail(database, NULL, error);
    }
    int sent = send_rows(database, statement, rows, row_count, error), answered = 0;
    struct sql_error answer;
    if (!PQpipelineSync(database->connection)) {
        answered = postgres_fail(database, NULL, &answer);
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
