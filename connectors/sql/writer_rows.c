/*
 * Operations to statements, in an order that gives what one after another would.
 *
 * Rows of one shape go together and deletes last, for keys that differ do not touch each other. Where the
 * database may take keys of other bytes for the same (row_keys_hash()) their order is kept. A key that is
 * null finds no row: such rows are all written.
 */
#include <stdlib.h>
#include <string.h>

#include "connectors/sql/row.h"
#include "connectors/sql/writer.h"

static int wait_row(const struct sql_value ***rows, size_t *count, size_t *room,
                    const struct sql_value *values)
{
    if (*count == *room) {
        size_t more = *room ? *room * 2 : 64;
        const struct sql_value **grown = reallocarray(*rows, more, sizeof(*grown));
        if (!grown) {
            return -1;
        }
        *rows = grown;
        *room = more;
    }
    (*rows)[(*count)++] = values;
    return 0;
}

static int write_rows(struct writer *writer, const struct sql_statement *statement,
                      const struct sql_value *const *rows, size_t count, struct sql_error *error)
{
    size_t most = writer->settings->batch_size;
    for (size_t done = 0; done < count; done += most) {
        size_t now = count - done < most ? count - done : most;
        if (writer->settings->client->write(writer->database, statement, rows + done, now, error) != 0) {
            return -1;
        }
    }
    return 0;
}

/* Writes what waits: rows first, then deletes; their keys are others. */
static int flush(struct writer *writer, struct operation *from, struct operation *to,
                 struct sql_error *error)
{
    int outcome = 0;
    for (struct operation *o = from; o < to && outcome == 0; o++) {
        if (!o->target || o->dead) {
            continue;
        }
        struct shape *shape = o->shape;
        bool update_all = writer->settings->insert_mode == INSERT_UPDATE && !shape->deletes &&
                          shape->column_count > shape->key_count;
        if ((shape->deletes ? wait_row(&shape->delete_rows, &shape->delete_count, &shape->delete_room,
                                       o->values)
                            : wait_row(&shape->rows, &shape->row_count, &shape->row_room,
                                       o->values + (update_all ? shape->key_count : 0))) != 0) {
            outcome = sql_error_set(error, SQL_RETRY, "", 0, "no memory");
        }
    }
    for (int deletes = 0; deletes < 2; deletes++) {
        for (struct target *target = writer->targets; target; target = target->next) {
            for (struct shape *shape = target->shapes; shape; shape = shape->next) {
                if (outcome == 0 && deletes && shape->delete_count) {
                    outcome = write_rows(writer, &shape->delete_row, shape->delete_rows,
                                         shape->delete_count, error);
                } else if (outcome == 0 && !deletes && shape->row_count) {
                    outcome = write_rows(writer, &shape->write, shape->rows, shape->row_count, error);
                }
                *(deletes ? &shape->delete_count : &shape->row_count) = 0;
            }
        }
    }
    return outcome;
}

/* Whether an operation comes behind another one whose key may be the same, if both are written at once. */
static bool comes_behind(const struct writer *writer, const struct operation *operation,
                         const struct operation *other)
{
    return operation->shape->deletes || (other->shape == operation->shape &&
                                         writer->settings->client->product != SQL_POSTGRESQL);
}

/*
 * The operation before this one on the same row; *ret_slot is where this one is to be noted. *ret_together
 * is false where one waits whose key the database may take for the same.
 */
static struct operation *earlier(struct writer *writer, const struct operation *operation,
                                 size_t *ret_slot, bool *ret_together)
{
    size_t mask = writer->slot_count - 1, slot = (size_t)operation->hash & mask;
    struct operation *found = NULL;
    *ret_together = true;
    for (; writer->slots[slot]; slot = (slot + 1) & mask) {
        struct operation *other = &writer->operations[writer->slots[slot] - 1];
        if (other->hash != operation->hash || other->target->table != operation->target->table ||
            other->shape->key_count != operation->shape->key_count) {
            continue;
        }
        bool equal = row_keys_equal(other->values, operation->values, operation->shape->key_count);
        if (equal && !operation->null_key) {
            found = other;
            *ret_slot = slot;
            if (operation->exact) {
                return found;
            }
        } else if (equal || !operation->exact || !other->exact) {
            *ret_together = *ret_together && comes_behind(writer, operation, other);
        }
    }
    *ret_slot = found ? *ret_slot : slot;
    return found;
}

static int apply_all(struct writer *writer, size_t from, size_t to, struct sql_error *error)
{
    const struct sink_settings *settings = writer->settings;
    bool keyed = settings->insert_mode == INSERT_UPSERT || settings->insert_mode == INSERT_UPDATE ||
                 settings->delete_enabled;
    struct operation *waiting = writer->operations + from;
    memset(writer->slots, 0, writer->slot_count * sizeof(*writer->slots));
    for (size_t i = from; i < to; i++) {
        struct operation *operation = &writer->operations[i];
        operation->dead = false;
        if (!operation->target || !keyed || operation->shape->key_count == 0) {
            continue;
        }
        size_t slot;
        bool together;
        struct operation *before = earlier(writer, operation, &slot, &together);
        bool last_counts = before && settings->insert_mode != INSERT_PLAIN &&
                           settings->insert_mode != INSERT_IGNORE &&
                           (operation->shape->deletes || before->shape == operation->shape);
        if (last_counts) {
            before->dead = true;
        }
        if (!together || (before && !last_counts)) { /* both are needed, one after the other */
            if (flush(writer, waiting, operation, error) != 0) {
                return -1;
            }
            waiting = operation;
            memset(writer->slots, 0, writer->slot_count * sizeof(*writer->slots));
            earlier(writer, operation, &slot, &together);
        }
        writer->slots[slot] = (uint32_t)i + 1;
    }
    return flush(writer, waiting, writer->operations + to, error);
}

int writer_apply(struct writer *writer, size_t from, size_t to, struct sql_error *error)
{
    const struct sql_client *client = writer->settings->client;
    if (client->begin(writer->database, error) == 0 && apply_all(writer, from, to, error) == 0 &&
        client->commit(writer->database, error) == 0) {
        return 0;
    }
    client->rollback(writer->database);
    return -1;
}

size_t writer_first_bad(struct writer *writer, size_t from, size_t to, struct sql_error *error)
{
    const struct sql_client *client = writer->settings->client;
    struct sql_error why;
    size_t i = from;
    if (client->begin(writer->database, &why) != 0) {
        client->rollback(writer->database);
        return to;
    }
    while (i < to && apply_all(writer, i, i + 1, &why) == 0 &&
           (!client->settle || client->settle(writer->database, &why) == 0)) {
        i++;
    }
    if (i < to) {
        *error = why;
    }
    client->rollback(writer->database);
    return i;
}
