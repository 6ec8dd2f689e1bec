/* What the parts of the MariaDB and MySQL client share. One thread. */
#ifndef SQL_MYSQL_H
#define SQL_MYSQL_H

#include <mariadb/mysql.h>

#include "connectors/sql/database.h"

enum { PREPARED_MAX = 48 };

struct sql_database {
    MYSQL *connection;
    struct {
        uint64_t id;
        size_t rows;
        MYSQL_STMT *statement;
    } prepared[PREPARED_MAX];
    size_t prepared_count;
    MYSQL_BIND *binds;
    size_t room;
};

int mysql_client_fail(struct sql_database *database, struct sql_error *error);
int mysql_client_fail_statement(struct sql_database *database, MYSQL_STMT *statement,
                                struct sql_error *error);
int mysql_client_no_memory(struct sql_error *error);
/** Room for so many database->binds. -1: no memory. */
int mysql_client_reserve(struct sql_database *database, size_t count);
void mysql_client_bind_value(MYSQL_BIND *to, const struct sql_value *value);

/* mysql_rows.c */
int mysql_client_query(struct sql_database *database, const char *sql, const struct sql_value *values,
                       size_t value_count, struct sql_rows **ret_rows, struct sql_error *error);
int mysql_client_next(struct sql_rows *rows, struct sql_value *values, struct sql_error *error);
void mysql_client_end(struct sql_rows *rows);

/* mysql_tables.c */
int mysql_client_describe(struct sql_database *database, const struct sql_name *name,
                          struct sql_table **ret_table, struct sql_error *error);
int mysql_client_list(struct sql_database *database, const char *catalog, const char *schema,
                      struct sql_table **ret_tables, size_t *ret_count, struct sql_error *error);
int mysql_client_check_upsert(struct sql_database *database, const struct sql_name *name,
                              const char *const *columns, size_t column_count, size_t key_count,
                              char *words, size_t size, struct sql_error *error);

#endif
