/*
 * A shape: the columns that records of one form write to one table, where their values come from, and
 * the statements for it. Made once for a pair of schemas, or a set of member names where there are no
 * schemas, and used for every record like it. [task thread]
 */
#ifndef SQL_SHAPE_H
#define SQL_SHAPE_H

#include "connectors/sql/sink_settings.h"

enum shape_source {
    FROM_TOPIC,
    FROM_PARTITION,
    FROM_OFFSET,
    FROM_KEY,         /**< the whole key */
    FROM_KEY_FIELD,
    FROM_VALUE,       /**< the whole value */
    FROM_VALUE_FIELD,
};

struct shape_column {
    enum shape_source source;
    size_t index;                       /**< of the field, in its struct or in the map it was first met in */
    char *name;                         /**< as in the record */
    const struct sluice_name *member;   /**< the same for maps, once the shape is bound */
    char *target;                       /**< as in the table */
    const struct sluice_schema *schema; /**< NULL: none. Lives as long as the shape */
    enum sluice_type seen;              /**< without a schema: what the first value that says it is */
    bool key;
    bool timestamp;                     /**< of timestamp.fields.list */
    enum sql_type type;                 /**< of the column in the table */
    bool bytewise;                      /**< texts (bytes) of other bytes are never equal in it */
};

struct shape {
    struct shape *next;
    const struct sluice_schema *key_schema, *value_schema; /**< held; NULL: none */
    bool deletes;                  /**< made of a record without value: key columns only */
    size_t key_members, value_members; /**< members of schemaless key and value, which this fits */
    bool listed;                   /**< by fields.whitelist; what else a value has does not matter */
    char **others;                 /**< members of a schemaless value that are there and no columns of it */
    size_t other_count;
    const struct sluice_name **absent; /**< of fields.whitelist, and not there */
    size_t absent_count;
    struct shape_column *columns;  /**< keys first */
    size_t column_count, key_count;
    const struct sluice_value **found; /**< bound: values of the record that fitted last, a column each */
    struct sql_statement write, delete_row; /**< made when the table is known */
    /* What waits to be written (writer_rows.c). */
    const struct sql_value **rows, **delete_rows;
    size_t row_count, delete_count, row_room, delete_room;
};

struct shape_fault {
    char message[500];
};

/**
 * The shape of a record; -1 with fault filled where it cannot be written as configured.
 * table: for words only.
 */
int shape_create(const struct sluice_host *host, const struct sink_settings *settings,
                 const struct sluice_record *record, const char *table, struct shape **ret_shape,
                 struct shape_fault *fault);
void shape_destroy(const struct sluice_host *host, struct shape *shape);
/** Takes a column out: the table has none, and need not have. -1: no memory. */
int shape_drop_column(struct shape *shape, struct shape_column *column);
/** The columns are the table's now: members are found by name, whatever their order. -1: no memory. */
int shape_bind(const struct sluice_host *host, const struct sink_settings *settings, struct shape *shape);
/** Whether the record is of this shape; of a bound one it fills found. Cheap. */
bool shape_fits(const struct sluice_host *host, struct shape *shape, const struct sluice_record *record);
/** Fills seen of columns that are not known yet. */
void shape_learn(const struct sluice_host *host, struct shape *shape,
                 const struct sluice_record *record);
/** The record's value for a column; NULL where it has none. */
const struct sluice_value *shape_value(const struct sluice_host *host, const struct shape_column *column,
                                       const struct sluice_record *record);

#endif
