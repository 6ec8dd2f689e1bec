/* Names of tables and columns: reading dotted ones, writing quoted ones. Pure functions: any thread. */
#ifndef SQL_NAMES_H
#define SQL_NAMES_H

#include "connectors/sql/database.h"
#include "lib/util/buffer.h"

/**
 * Reads `table`, `schema.table` or `catalog.schema.table`; parts may be quoted ("a.b", `a.b`).
 * MySQL's two parts are database and table. -1 with a sentence where it is none of these.
 */
int sql_name_parse(const char *text, struct sql_name *name, char *message, size_t message_size);
void sql_name_finish(struct sql_name *name);
/** Appends the name, its parts quoted and joined by dots; quote "": as it is. */
void sql_name_write(struct buffer *to, const struct sql_name *name, const char *quote);
/** Appends one identifier, quotes inside it doubled. */
void sql_identifier_write(struct buffer *to, const char *text, size_t size, const char *quote);
/** For people and as a map's key: schema.table, unquoted; to be freed. */
char *sql_name_text(const struct sql_name *name);

#endif
