/*
 * One connection to a database: what the SQL sink and source need of SQLite, PostgreSQL and MariaDB
 * (MySQL). Three implementations: sqlite.c, postgres.c, mysql.c.
 *
 * A connection belongs to one thread. Statements are written with `?` for each value, whatever the
 * database calls it; values are always bound, never written into the text.
 */
#ifndef SQL_DATABASE_H
#define SQL_DATABASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/data.h>

#include "connectors/sql/jdbc_url.h"

/** What to do about an error. */
enum sql_error_class {
    SQL_RETRY,     /**< the same batch again, on this connection: deadlock, lock, serialisation */
    SQL_RECONNECT, /**< the server is away: connect anew, later */
    SQL_STALE,     /**< the table is not what it was: read it anew, once */
    SQL_DATA,      /**< a row is bad, the others may be good */
    SQL_FATAL,     /**< nothing helps but a person */
};

struct sql_error {
    enum sql_error_class class;
    char state[8];      /**< SQLSTATE; "" where the database has none */
    int vendor;         /**< the database's own number; 0: none */
    char message[1000]; /**< the database's words, without values of passwords */
};

#define SQL_UPSERT_NEEDS "upsert needs a primary key or unique index on the columns of pk.fields"

/** Fills and returns -1. */
int sql_error_set(struct sql_error *error, enum sql_error_class class, const char *state, int vendor,
                  const char *format, ...) __attribute__((format(printf, 5, 6)));

enum sql_kind { SQL_NULL, SQL_BOOLEAN, SQL_INTEGER, SQL_REAL, SQL_TEXT, SQL_BYTES };

/** A value bound to a statement or read from a row. Texts and bytes are borrowed. */
struct sql_value {
    enum sql_kind kind;
    union {
        int64_t integer; /**< SQL_BOOLEAN (0 or 1), SQL_INTEGER */
        double real;
        struct sluice_span text; /**< SQL_TEXT (UTF-8), SQL_BYTES */
    };
};

/** How many values of one column can travel together, as one array (PostgreSQL). */
enum sql_array {
    SQL_ARRAY_NONE = '\0', /**< they cannot */
    SQL_ARRAY_INTEGERS = 'i',
    SQL_ARRAY_REALS = 'r',
    SQL_ARRAY_TEXTS = 't',
    SQL_ARRAY_BYTES = 'b',
};

/**
 * A statement for any number of rows: head, then row, then tail. Where `multi` rows are joined by
 * commas, so that one statement carries many.
 */
struct sql_statement {
    char *head; /**< INSERT INTO "t" ("a","b") VALUES */
    char *row;  /**< (?,?) */
    char *tail; /**< ON CONFLICT .. */
    size_t value_count; /**< in row */
    bool multi;
    char *arrays;       /**< the same with an array a column: `$1`, ..; NULL: a column has none */
    char *array_kinds;  /**< of these, an enum sql_array each */
    uint64_t id; /**< unique in the process: what a client remembers it by */
};

void sql_statement_finish(struct sql_statement *statement);

/** Type of a column, as far as its values differ for Connect. */
enum sql_type {
    SQL_TYPE_OTHER, /**< read and written as text */
    SQL_TYPE_INT8,
    SQL_TYPE_INT16,
    SQL_TYPE_INT32,
    SQL_TYPE_INT64,
    SQL_TYPE_UINT64,
    SQL_TYPE_FLOAT32,
    SQL_TYPE_FLOAT64,
    SQL_TYPE_BOOLEAN,
    SQL_TYPE_DECIMAL,
    SQL_TYPE_STRING,
    SQL_TYPE_BYTES,
    SQL_TYPE_DATE,
    SQL_TYPE_TIME,
    SQL_TYPE_TIME_ZONE, /**< with an offset */
    SQL_TYPE_TIMESTAMP,
    SQL_TYPE_TIMESTAMP_ZONE, /**< an instant */
    SQL_TYPE_JSON,
    SQL_TYPE_ANY, /**< SQLite without a declared type (expressions, too): as its values are */
};

struct sql_column {
    char *name;
    char *type_name; /**< as declared */
    enum sql_type type;
    int precision, scale; /**< DECIMAL; -1: not said */
    enum sql_kind seen;   /**< SQL_TYPE_ANY: what holds all values so far (fields_see()) */
    bool not_null;
    bool has_default;
    bool generated; /**< auto-increment, identity, serial */
    int key_order;  /**< place in the primary key from 1; 0: not part of it */
    enum sql_array array;
    char *cast; /**< type that a text of an array is cast to; NULL: none */
};

enum sql_table_kind { SQL_KIND_TABLE, SQL_KIND_PARTITIONED, SQL_KIND_VIEW };

/** A name of up to three parts; NULL parts are not said. */
struct sql_name {
    char *catalog, *schema, *table;
};

struct sql_table {
    struct sql_name name; /**< as the database knows it */
    enum sql_table_kind kind;
    struct sql_column *columns;
    size_t column_count;
};

void sql_table_free(struct sql_table *table);
/** Column of this name: exactly, else the only one that differs by case; NULL: none. */
const struct sql_column *sql_table_column(const struct sql_table *table, const char *name, size_t size);

struct sql_database;

/** Rows of a query. Columns have name, type, precision, scale, not_null. */
struct sql_rows {
    struct sql_column *columns;
    size_t column_count;
};

struct sql_open {
    const struct jdbc_url *url;
    const char *user, *password; /**< NULL: as the URL says */
    const char *zone;            /**< of the session, for columns without a zone of their own */
    const char *application;     /**< shown in the server's list of sessions */
};

struct sql_client {
    enum sql_product product;
    const char *quote; /**< around names */

    int (*open)(const struct sql_open *how, struct sql_database **ret_database,
                struct sql_error *error);
    void (*close)(struct sql_database *database);
    /** Statements without values and rows, outside of transactions: DDL. */
    int (*execute)(struct sql_database *database, const char *sql, struct sql_error *error);
    /**
     * A transaction. What begin() and write() do wrong may be told as late as by the commit(), so that
     * the whole is one round trip; settle() waits for it (NULL: it is always told at once). After any
     * failure: rollback().
     */
    int (*begin)(struct sql_database *database, struct sql_error *error);
    int (*settle)(struct sql_database *database, struct sql_error *error);
    int (*commit)(struct sql_database *database, struct sql_error *error);
    void (*rollback)(struct sql_database *database);
    /**
     * Runs the statement for each row, in as few round trips as it can. Within a transaction; on
     * failure nothing is known of which rows were taken: roll back.
     */
    int (*write)(struct sql_database *database, const struct sql_statement *statement,
                 const struct sql_value *const *rows, size_t row_count, struct sql_error *error);
    /** *ret_table is NULL where there is no such table. */
    int (*describe)(struct sql_database *database, const struct sql_name *name,
                    struct sql_table **ret_table, struct sql_error *error);
    /** All tables and views whose catalog and schema are like these (LIKE patterns; NULL: any). */
    int (*list)(struct sql_database *database, const char *catalog, const char *schema,
                struct sql_table **ret_tables, size_t *ret_count, struct sql_error *error);
    /**
     * Whether an upsert into a table, named in full, goes by its keys, the first key_count of the columns
     * written. 0 with words empty: it does; 0 with words: by these unique indexes instead; -1: by none.
     * NULL: the database refuses by itself what does not.
     */
    int (*check_upsert)(struct sql_database *database, const struct sql_name *name,
                        const char *const *columns, size_t column_count, size_t key_count, char *words,
                        size_t size, struct sql_error *error);
    /** Starts a query; its rows are read before anything else is done with the connection. */
    int (*query)(struct sql_database *database, const char *sql, const struct sql_value *values,
                 size_t value_count, struct sql_rows **ret_rows, struct sql_error *error);
    /** Next row: 1 with column_count values that live until the next call; 0: no more; -1: error. */
    int (*next)(struct sql_rows *rows, struct sql_value *values, struct sql_error *error);
    void (*end)(struct sql_rows *rows);
};

extern const struct sql_client sql_sqlite, sql_postgresql, sql_mysql;

/** The client for a URL. */
const struct sql_client *sql_client_for(const struct jdbc_url *url);

/* What the implementations share. */

/** Copies text with `?` outside of quotes and comments replaced by `$1`, `$2`, .., and `??` by `?`; to be freed. */
char *sql_numbered(const char *sql, size_t first);
/** Copies text whose `?` are PostgreSQL's operators, so that sql_numbered() gives them back; to be freed. */
char *sql_escaped(const char *sql);
/** head, n times row, tail; to be freed. NULL: out of memory. */
char *sql_statement_text(const struct sql_statement *statement, size_t rows);
void sql_columns_free(struct sql_column *columns, size_t count);
void sql_tables_free(struct sql_table *tables, size_t count);

#endif
