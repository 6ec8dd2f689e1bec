/*
 * Columns of a result to fields of a Struct: schemas made once a query, values for each row.
 * [task thread]
 */
#ifndef SQL_FIELDS_H
#define SQL_FIELDS_H

#include "connectors/sql/source_settings.h"

/** How a column's values are made. */
enum field_form {
    FIELD_INTEGER,
    FIELD_REAL,
    FIELD_BOOLEAN,
    FIELD_TEXT,
    FIELD_BYTES,
    FIELD_DECIMAL,
    FIELD_DECIMAL_INTEGER, /**< a decimal that is read as an integer */
    FIELD_DECIMAL_REAL,
    FIELD_DATE,
    FIELD_TIME,
    FIELD_TIMESTAMP,
};

struct field {
    enum field_form form;
    enum sluice_type type; /**< of FIELD_INTEGER.., FIELD_REAL */
    int scale;
    bool instant; /**< a time that is text without a zone is UTC's */
    bool told;    /**< that a value of it will be refused */
    const struct sluice_schema *schema; /**< held */
};

struct fields {
    struct field *fields;
    size_t count;
    const struct sluice_schema *schema;     /**< of the value; held */
    const struct sluice_schema *key_schema; /**< NULL: no key; held */
    size_t *key_columns;                    /**< indexes of its fields */
    size_t key_count;
};

/** table: its name becomes the schema's, its primary key the key; NULL: a query. -1: message says why. */
int fields_create(const struct sluice_host *host, const struct source_settings *settings,
                  const struct sql_table *table, const struct sql_rows *rows, struct fields **ret_fields,
                  char *message, size_t message_size);
/**
 * Takes note of a row's values in columns without a type. True: their type is another now, and fields
 * have to be made anew.
 */
bool fields_see(struct sql_rows *rows, const struct sql_value *row);
void fields_destroy(const struct sluice_host *host, struct fields *fields);
/** Value, and key where there is one, of a row; in the batch. -1: a value cannot be read. */
int fields_make(const struct sluice_host *host, const struct source_settings *settings,
                struct fields *fields, const struct sql_rows *rows, const struct sql_value *row,
                struct sluice_batch *batch, struct sluice_value **ret_value,
                struct sluice_value **ret_key, char *message, size_t message_size);

#endif
