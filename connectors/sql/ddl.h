/* Tables that are made and grown, and the statements that write to them. Pure functions: any thread. */
#ifndef SQL_DDL_H
#define SQL_DDL_H

#include "connectors/sql/shape.h"
#include "lib/util/buffer.h"

/** Appends CREATE TABLE for a shape. batch: for values on the way. -1 with fault: no memory. */
int ddl_create(const struct sluice_host *host, const struct sink_settings *settings,
               struct sluice_batch *batch, const struct sql_name *name, const struct shape *shape,
               struct buffer *to, struct shape_fault *fault);
/** Appends ALTER TABLE for one column that is missing. */
int ddl_add_column(const struct sluice_host *host, const struct sink_settings *settings,
                   struct sluice_batch *batch, const struct sql_name *name,
                   const struct shape_column *column, struct buffer *to, struct shape_fault *fault);
/** True where rows that lack the column can exist: it is optional or has a default. */
bool ddl_may_be_missing(const struct sluice_host *host, const struct shape_column *column);
/** The statements of a shape, by insert.mode; columns have their targets in the table. -1: no memory. */
int ddl_statements(const struct sink_settings *settings, const struct sql_table *table,
                   struct shape *shape);

#endif
