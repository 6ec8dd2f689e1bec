/*
 * The same upserts as the SQL sink's, from memory, by a bare loop: what a database takes at most.
 *
 *     sql_bare sqlite FILE ROWS            a prepared statement, transactions of 3,000 rows
 *     sql_bare postgresql CONNINFO ROWS    1,000 rows a statement, transactions of 3,000 rows
 *
 * Prints rows a second and rows a CPU-second, of this process.
 */
#include <libpq-fe.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { COLUMNS = 5, PER_STATEMENT = 1000, PER_TRANSACTION = 3000, VALUE_SIZE = 48, KEYS = 100000 };

static const char create[] = "CREATE TABLE bare (id BIGINT PRIMARY KEY, name TEXT, score DOUBLE PRECISION,"
                             " at TEXT, n BIGINT)";
static const char tail[] = " ON CONFLICT (id) DO UPDATE SET name=EXCLUDED.name, score=EXCLUDED.score,"
                           " at=EXCLUDED.at, n=EXCLUDED.n";

static void make(char values[COLUMNS][VALUE_SIZE], long id)
{
    id %= KEYS;
    snprintf(values[0], VALUE_SIZE, "%ld", id);
    snprintf(values[1], VALUE_SIZE, "name-%035ld", id);
    snprintf(values[2], VALUE_SIZE, "%ld.5", id % 1000);
    snprintf(values[3], VALUE_SIZE, "2024-01-02T03:04:05");
    snprintf(values[4], VALUE_SIZE, "%ld", id % 7);
}

static void check(int good, const char *what)
{
    if (!good) {
        fprintf(stderr, "sql_bare: %s\n", what);
        exit(1);
    }
}

static void run_sqlite(const char *file, long rows)
{
    sqlite3 *db;
    sqlite3_stmt *statement;
    char sql[400];
    check(sqlite3_open(file, &db) == SQLITE_OK, "open");
    sqlite3_exec(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; DROP TABLE IF EXISTS bare", 0, 0, 0);
    check(sqlite3_exec(db, create, 0, 0, 0) == SQLITE_OK, sqlite3_errmsg(db));
    snprintf(sql, sizeof(sql), "INSERT INTO bare VALUES (?,?,?,?,?)%s", tail);
    check(sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK, sqlite3_errmsg(db));
    for (long i = 0; i < rows; i++) {
        char values[COLUMNS][VALUE_SIZE];
        if (i % PER_TRANSACTION == 0) {
            sqlite3_exec(db, i ? "COMMIT; BEGIN IMMEDIATE" : "BEGIN IMMEDIATE", 0, 0, 0);
        }
        make(values, i);
        sqlite3_bind_int64(statement, 1, i % KEYS);
        sqlite3_bind_text(statement, 2, values[1], -1, SQLITE_STATIC);
        sqlite3_bind_double(statement, 3, (double)(i % 1000) + 0.5);
        sqlite3_bind_text(statement, 4, values[3], -1, SQLITE_STATIC);
        sqlite3_bind_int64(statement, 5, i % 7);
        check(sqlite3_step(statement) == SQLITE_DONE, sqlite3_errmsg(db));
        sqlite3_reset(statement);
    }
    sqlite3_exec(db, "COMMIT", 0, 0, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
}

static void run_postgres(const char *where, long rows)
{
    static char text[PER_STATEMENT][COLUMNS][VALUE_SIZE];
    static const char *values[PER_STATEMENT * COLUMNS];
    PGconn *db = PQconnectdb(where);
    check(PQstatus(db) == CONNECTION_OK, PQerrorMessage(db));
    PQclear(PQexec(db, "DROP TABLE IF EXISTS bare"));
    PQclear(PQexec(db, create));
    char *sql = malloc(PER_STATEMENT * 48 + sizeof(tail) + 100), *to = sql;
    to += sprintf(to, "INSERT INTO bare VALUES ");
    for (int i = 0; i < PER_STATEMENT; i++) {
        int n = i * COLUMNS;
        to += sprintf(to, "%s($%d,$%d,$%d,$%d,$%d)", i ? "," : "", n + 1, n + 2, n + 3, n + 4, n + 5);
    }
    strcpy(to, tail);
    PGresult *result = PQprepare(db, "s", sql, 0, NULL);
    check(PQresultStatus(result) == PGRES_COMMAND_OK, PQerrorMessage(db));
    PQclear(result);
    for (long i = 0; i < rows; i += PER_STATEMENT) {
        if (i % PER_TRANSACTION == 0) {
            PQclear(PQexec(db, i ? "COMMIT" : "SELECT 1"));
            PQclear(PQexec(db, "BEGIN"));
        }
        for (int row = 0; row < PER_STATEMENT; row++) {
            make(text[row], i + row);
            for (int column = 0; column < COLUMNS; column++) {
                values[row * COLUMNS + column] = text[row][column];
            }
        }
        result = PQexecPrepared(db, "s", PER_STATEMENT * COLUMNS, values, NULL, NULL, 0);
        check(PQresultStatus(result) == PGRES_COMMAND_OK, PQerrorMessage(db));
        PQclear(result);
    }
    PQclear(PQexec(db, "COMMIT"));
    PQfinish(db);
    free(sql);
}

int main(int argc, char **argv)
{
    check(argc == 4, "usage: sql_bare sqlite|postgresql WHERE ROWS");
    long rows = atol(argv[3]);
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    if (strcmp(argv[1], "sqlite") == 0) {
        run_sqlite(argv[2], rows);
    } else {
        run_postgres(argv[2], rows);
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    double wall = (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
    double cpu = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                 (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    printf("%.0f %.0f\n", (double)rows / wall, (double)rows / cpu);
    return 0;
}
