/* Values of records as the database takes them. [task thread] */
#ifndef SQL_ROW_H
#define SQL_ROW_H

#include "connectors/sql/shape.h"

/** One value for a column. What has to be made lives in the batch. */
void row_convert(const struct sluice_host *host, const struct sink_settings *settings,
                 struct sluice_batch *batch, const struct shape_column *column,
                 const struct sluice_value *value, struct sql_value *to);

/**
 * All values of a record in the order of the shape's columns: keys, others, and where rows are updated
 * the keys again, as `SET .. WHERE ..` has them. The record is the one that fitted the shape last. Lives
 * in the batch.
 */
struct sql_value *row_make(const struct sluice_host *host, const struct sink_settings *settings,
                           struct sluice_batch *batch, const struct shape *shape,
                           const struct sluice_record *record);
/** By their bytes. */
bool row_keys_equal(const struct sql_value *a, const struct sql_value *b, size_t count);
/**
 * Equal for keys that are equal by their bytes. Where the database may take keys of other bytes for the
 * same (case, blanks at the end, 1.0 and 1.00) *ret_exact is false, and the hash is equal for those, too;
 * of accents that a collation leaves out nothing is known here.
 */
uint64_t row_keys_hash(const struct shape *shape, const struct sql_value *values, bool *ret_exact,
                       bool *ret_null);

#endif
