/*
 * What writes: one connection, and the tables that were met. [task thread]
 *
 * A batch of records becomes rows, an operation each. Rows of one table and shape go together, whatever
 * stands between them; of operations with the same key the last counts, and where an earlier one must
 * be done first, all that waits is written before (writer_rows.c). One batch is one transaction.
 */
#ifndef SQL_WRITER_H
#define SQL_WRITER_H

#include "connectors/sql/shape.h"

struct target {
    struct target *next;
    char *topic;            /**< whose records go here */
    char *text;             /**< its name for people */
    struct sql_name name;   /**< as configured */
    struct sql_table *table; /**< NULL: not read yet, or missing */
    bool known;             /**< table was read */
    bool upsert_checked;    /**< and its unique indexes looked at */
    struct shape *shapes;   /**< most recently used first */
};

/** An operation of the batch. */
struct operation {
    struct target *target; /**< NULL: this record is not written */
    struct shape *shape;
    const struct sql_value *values;
    uint64_t hash;
    bool exact;    /**< keys of other bytes are other keys */
    bool null_key; /**< no row is found by it */
    bool dead;     /**< a later one with the same key made it needless */
};

struct writer {
    const struct sluice_host *host;
    const struct sink_settings *settings;
    struct sql_database *database; /**< NULL: not connected */
    struct target *targets;
    struct operation *operations; /**< one a record of the batch */
    uint32_t *slots;              /**< of operations by key; 0: free, else index + 1 */
    size_t room, slot_count;
    const char *last_topic; /**< of this batch, whose texts stay where they are; NULL: none yet */
    struct target *last;
};

/** How a record or a batch fared. */
enum writer_outcome {
    WRITER_DONE,
    WRITER_BAD_RECORD, /**< fault says why; the others can be written */
    WRITER_FAILED,     /**< error says why */
};

void writer_init(struct writer *writer, const struct sluice_host *host,
                 const struct sink_settings *settings);
void writer_finish(struct writer *writer);
/** Connects where it is not. */
int writer_connect(struct writer *writer, struct sql_error *error);
void writer_disconnect(struct writer *writer);
/** Forgets what is known of tables. */
void writer_forget_tables(struct writer *writer);
/** Room for count operations. -1: no memory. */
int writer_begin(struct writer *writer, size_t count);
/**
 * Makes record number i the operation of that number; may read, make or grow its table. Not within
 * a transaction.
 */
enum writer_outcome writer_prepare(struct writer *writer, struct sluice_batch *batch, size_t i,
                                   struct shape_fault *fault, struct sql_error *error);
/** Leaves out record number i. */
void writer_skip(struct writer *writer, size_t i);
/** Writes operations from..to-1 in one transaction: all or none. */
int writer_apply(struct writer *writer, size_t from, size_t to, struct sql_error *error);
/** Index of the first operation the database refuses, each tried alone and nothing kept; to: none. */
size_t writer_first_bad(struct writer *writer, size_t from, size_t to, struct sql_error *error);

#endif
