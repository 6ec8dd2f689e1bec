/*
 * A table or query that is followed: which rows are new, how far it was read, and the query that is
 * open. One task thread.
 */
#ifndef SQL_FOLLOWED_H
#define SQL_FOLLOWED_H

#include "connectors/sql/fields.h"
#include "connectors/sql/moment.h"

/** How far a table was read. */
struct position {
    bool has_time;
    struct moment time;
    bool has_number;     /**< incrementing */
    enum sql_kind kind;  /**< of it: SQL_INTEGER, SQL_REAL or SQL_TEXT */
    int64_t number;
    double real;
    char *text;          /**< owned */
};

void position_finish(struct position *position);

struct followed {
    struct followed *next;
    struct sql_table *table; /**< NULL: the query */
    char *name;              /**< unquoted full name, as in offsets; "query" */
    char *topic;
    char *incrementing;      /**< column; NULL: not followed by it */
    char **times;            /**< columns */
    size_t time_count;
    bool text_times;         /**< SQLite: times stand as text */
    bool instants;           /**< MariaDB, MySQL: times are TIMESTAMP, in UTC whatever db.timezone says */
    struct position position; /**< what the next query begins behind */
    bool reported; /**< timestamp mode: reported_time was stored, or all its rows are out */
    struct moment reported_time; /**< what records may say while rows of one time go on */
    struct moment behind; /**< timestamp mode: where a query that breaks off among them is taken up */
    /* While a query is open. */
    struct sql_rows *rows;
    struct fields *fields;
    struct sql_value *row;
    int number_index, *time_indexes; /**< columns of the result */
};

/** For a table (taken over) or, with NULL, the settings' query. NULL: message says why. */
struct followed *followed_create(const struct source_settings *settings, struct sql_table *table,
                                 char *message, size_t message_size);
void followed_destroy(const struct sluice_host *host, const struct source_settings *settings,
                      struct followed *followed);
/** The zone of times in parameters and in rows that name none. */
const struct zone *followed_zone(const struct source_settings *settings, const struct followed *followed);
/** Opens the query for what is new. followed_query.c */
int followed_open(const struct sluice_host *host, const struct source_settings *settings,
                  struct sql_database *database, struct followed *followed, struct sql_error *error);
void followed_close(const struct sluice_host *host, const struct source_settings *settings,
                    struct followed *followed);
/** Reads a row: 1 it is in followed->row and the position moved; 0 no more; -1. */
int followed_next(const struct sluice_host *host, const struct source_settings *settings,
                  struct followed *followed, struct sql_error *error);

#endif
