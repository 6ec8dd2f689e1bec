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
    bool begun; /* a transaction, in a pipeline */
};

/** Fills error by what the server said of a statement, or of the connection (NULL); -1. */
int postgres_fail(struct sql_database *database, const PGresult *result, struct sql_error *error);
int postgres_no_memory(struct sql_error *error);
int postgres_execute(struct sql_database *database, const char *sql, struct sql_error *error);

/* postgres_write.c */
int postgres_begin(struct sql_database *database, struct sql_error *error);
int postgres_settle(struct sql_database *database, struct sql_error *error);
int postgres_commit(struct sql_database *database, struct sql_error *error);
void postgres_rollback(struct sql_database *database);
int postgres_write(struct sql_database *database, const struct sql_statement *statement,
                   const struct sql_value *const *rows, size_t row_count, struct sql_error *error);
/** Makes database->values, lengths and formats of one statement. -1: a text that cannot be sent. */
int postgres_fill(struct sql_database *database, size_t value_count,
                  const struct sql_value *const *rows, size_t row_count, struct sql_error *error);

/** Room for so many bytes of text, and so many values. -1: no memory. */
int postgres_reserve_text(struct sql_database *database, size_t size);
int postgres_reserve_values(struct sql_database *database, size_t count);

/* postgres_arrays.c */
enum { POSTGRES_NUMBER_SIZE = 40 };
/** Prints what is neither text nor bytes; its length. */
size_t postgres_number_text(const struct sql_value *value, char to[POSTGRES_NUMBER_SIZE]);
/**
 * Makes database->values, lengths and formats of the arrays of a statement, a column each. *ret_fit is
 * false where a value is of a kind that its column's array does not hold. -1: no memory, too much.
 */
int postgres_fill_arrays(struct sql_database *database, const struct sql_statement *statement,
                         const struct sql_value *const *rows, size_t row_count, bool *ret_fit,
                         struct sql_error *error);

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
