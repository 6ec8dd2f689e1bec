/* What the parts of the PostgreSQL client share. One thread. */
#ifndef SQL_POSTGRES_H
#define SQL_POSTGRES_H

#include <libpq-fe.h>

#include "connectors/sql/database.h"

enum { PREPARED_MAX = 64 /* statements that the server keeps for us, one a number of rows */ };

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

/** Fills error by what the server said of a statement, or of the connection (NULL); -1. */
int postgres_fail(struct sql_database *database, const PGresult *result, struct sql_error *error);
int postgres_no_memory(struct sql_error *error);
int postgres_execute(struct sql_database *database, const char *sql, struct sql_error *error);

/* postgres_write.c */
int postgres_write(struct sql_database *database, const struct sql_statement *statement,
                   const struct sql_value *const *rows, size_t row_count, struct sql_error *error);
/** Makes database->values, lengths and formats of one statement. -1: a text that cannot be sent. */
int postgres_fill(struct sql_database *database, size_t value_count,
                  const struct sql_value *const *rows, size_t row_count, struct sql_error *error);

/* postgres_tables.c */
enum sql_type postgres_type(unsigned oid, int modifier, int *ret_precision, int *ret_scale);
int postgres_describe(struct sql_database *database, const struct sql_name *name,
                      struct sql_table **ret_table, struct sql_error *error);
int postgres_list(struct sql_database *database, const char *catalog, const char *schema,
                  struct sql_table **ret_tables, size_t *ret_count, struct sql_error *error);

/* postgres_rows.c */
int postgres_query(struct sql_database *database, const char *sql, const struct sql_value *values,
                   size_t value_count, struct sql_rows **ret_rows, struct sql_error *error);
int postgres_next(struct sql_rows *rows, struct sql_value *values, struct sql_error *error);
void postgres_end(struct sql_rows *rows);

#endif
