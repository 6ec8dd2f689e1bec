/* Operations to rows of tables. */
#include "connectors/sql/writer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connectors/sql/ddl.h"
#include "connectors/sql/names.h"
#include "connectors/sql/row.h"

enum { SHAPES_MAX = 64, DDL_MAX = 1 << 20 };

void writer_init(struct writer *writer, const struct sluice_host *host,
                 const struct sink_settings *settings)
{
    memset(writer, 0, sizeof(*writer));
    writer->host = host;
    writer->settings = settings;
}

static void free_shapes(struct writer *writer, struct target *target)
{
    while (target->shapes) {
        struct shape *next = target->shapes->next;
        shape_destroy(writer->host, target->shapes);
        target->shapes = next;
    }
}

void writer_forget_tables(struct writer *writer)
{
    for (struct target *target = writer->targets; target; target = target->next) {
        free_shapes(writer, target);
        sql_table_free(target->table);
        target->table = NULL;
        target->known = target->upsert_checked = false;
    }
}

void writer_finish(struct writer *writer)
{
    writer_forget_tables(writer);
    while (writer->targets) {
        struct target *next = writer->targets->next;
        sql_name_finish(&writer->targets->name);
        free(writer->targets->topic);
        free(writer->targets->text);
        free(writer->targets);
        writer->targets = next;
    }
    writer_disconnect(writer);
    free(writer->operations);
    free(writer->slots);
}

int writer_connect(struct writer *writer, struct sql_error *error)
{
    if (writer->database) {
        return 0;
    }
    const struct sink_settings *settings = writer->settings;
    struct sql_open how = {.url = &settings->url,
                           .user = settings->user,
                           .password = settings->password,
                           .zone = settings->zone_id,
                           .application = "sluice"};
    return settings->client->open(&how, &writer->database, error);
}

void writer_disconnect(struct writer *writer)
{
    if (writer->database) {
        writer->settings->client->close(writer->database);
        writer->database = NULL;
    }
}

/* Schemaless records of ever other members would make ever more shapes. */
static void trim_shapes(struct writer *writer)
{
    for (struct target *target = writer->targets; target; target = target->next) {
        size_t count = 0;
        struct shape **at = &target->shapes;
        while (*at && count++ < SHAPES_MAX) {
            at = &(*at)->next;
        }
        while (*at) {
            struct shape *next = (*at)->next;
            shape_destroy(writer->host, *at);
            *at = next;
        }
    }
}

int writer_begin(struct writer *writer, size_t count)
{
    trim_shapes(writer);
    writer->last_topic = NULL;
    if (count > writer->room) {
        size_t slots = 64;
        while (slots < count * 2) {
            slots *= 2;
        }
        struct operation *operations = reallocarray(writer->operations, count, sizeof(*operations));
        writer->operations = operations ? operations : writer->operations;
        uint32_t *table = reallocarray(writer->slots, slots, sizeof(*table));
        writer->slots = table ? table : writer->slots;
        if (!operations || !table) {
            return -1;
        }
        writer->room = count;
        writer->slot_count = slots;
    }
    return 0;
}

/* -- tables and shapes -- */

static struct target *target_of(struct writer *writer, const char *topic, struct shape_fault *fault)
{
    if (topic == writer->last_topic) {
        return writer->last;
    }
    for (struct target *target = writer->targets; target; target = target->next) {
        if (strcmp(target->topic, topic) == 0) {
            writer->last_topic = topic;
            writer->last = target;
            return target;
        }
    }
    struct target *target = calloc(1, sizeof(*target));
    char *name = sink_settings_table(writer->settings, topic);
    if (!target || !name || !(target->topic = strdup(topic))) {
        snprintf(fault->message, sizeof(fault->message), "no memory");
        goto failed;
    }
    if (sql_name_parse(name, &target->name, fault->message, sizeof(fault->message)) != 0) {
        goto failed;
    }
    target->text = sql_name_text(&target->name);
    if (!target->text) {
        goto failed;
    }
    free(name);
    target->next = writer->targets;
    writer->targets = target;
    return target;

failed:
    free(name);
    if (target) {
        sql_name_finish(&target->name);
        free(target->topic);
        free(target);
    }
    return NULL;
}

static int read_table(struct writer *writer, struct target *target, struct sql_error *error)
{
    if (target->known) {
        return 0;
    }
    if (writer->settings->client->describe(writer->database, &target->name, &target->table, error) != 0) {
        return -1;
    }
    target->known = true;
    return 0;
}

static int reread_table(struct writer *writer, struct target *target, struct sql_error *error)
{
    sql_table_free(target->table);
    target->table = NULL;
    target->known = false;
    return read_table(writer, target, error);
}

static enum writer_outcome create_table(struct writer *writer, struct target *target,
                                        struct sluice_batch *batch, const struct shape *shape,
                                        struct shape_fault *fault, struct sql_error *error)
{
    const struct sink_settings *settings = writer->settings;
    struct buffer sql;
    buffer_init(&sql, DDL_MAX);
    if (ddl_create(writer->host, settings, batch, &target->name, shape, &sql, fault) != 0) {
        buffer_finish(&sql);
        return WRITER_BAD_RECORD;
    }
    writer->host->log(writer->host, SLUICE_INFO, "Creating table with sql: %s", sql.data);
    int made = settings->client->execute(writer->database, sql.data, error);
    buffer_finish(&sql);
    struct sql_error why = made != 0 ? *error : (struct sql_error){.class = SQL_FATAL};
    if (made != 0 && why.class == SQL_RECONNECT) {
        return WRITER_FAILED;
    }
    /* Another task may have been quicker: what counts is that the table is there. */
    if (reread_table(writer, target, error) != 0) {
        return WRITER_FAILED;
    }
    if (!target->table) {
        if (made != 0) {
            *error = why;
        } else {
            sql_error_set(error, SQL_FATAL, "", 0, "table %s was made, but cannot be found",
                          target->text);
        }
        return WRITER_FAILED;
    }
    return WRITER_DONE;
}

/* Collations of MariaDB's and SQLite's leave out case and more, blanks at the end do not count in CHAR(n). */
static bool is_bytewise(const struct sql_client *client, const struct sql_column *column)
{
    bool padded = strncmp(column->type_name, "character(", 10) == 0 || strcmp(column->type_name, "bpchar") == 0;
    return client->product == SQL_POSTGRESQL &&
           ((column->type == SQL_TYPE_STRING && !padded) || column->type == SQL_TYPE_BYTES);
}

/* Binds a shape's columns to the table's; *ret_missing is the first that has none. */
static int bind_columns(const struct sql_client *client, struct shape *shape, const struct sql_table *table,
                        struct shape_column **ret_missing)
{
    *ret_missing = NULL;
    for (size_t i = 0; i < shape->column_count; i++) {
        struct shape_column *column = &shape->columns[i];
        const struct sql_column *found = sql_table_column(table, column->name, strlen(column->name));
        if (!found) {
            *ret_missing = *ret_missing ? *ret_missing : column;
            continue;
        }
        free(column->target);
        column->target = strdup(found->name);
        column->type = found->type;
        column->bytewise = is_bytewise(client, found);
        if (!column->target) {
            return -1;
        }
    }
    return 0;
}

static enum writer_outcome bad_record(struct shape_fault *fault, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static enum writer_outcome bad_record(struct shape_fault *fault, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(fault->message, sizeof(fault->message), format, arguments);
    va_end(arguments);
    return WRITER_BAD_RECORD;
}

static enum writer_outcome add_column(struct writer *writer, struct target *target,
                                      struct sluice_batch *batch, struct shape *shape,
                                      struct shape_column *missing, struct shape_fault *fault,
                                      struct sql_error *error)
{
    const struct sink_settings *settings = writer->settings;
    if (!missing->key && !settings->auto_evolve && settings->ignore_unknown_fields) {
        if (shape_drop_column(shape, missing) != 0) {
            return bad_record(fault, "no memory");
        }
        return shape->column_count > 0 ? WRITER_DONE
                                       : bad_record(fault, "Table %s has none of the record's fields",
                                                    target->text);
    }
    if (!ddl_may_be_missing(writer->host, missing)) {
        return bad_record(fault,
                          "Cannot ALTER TABLE %s to add missing field %s, as the field is not "
                          "optional and does not have a default value",
                          target->text, missing->name);
    }
    if (!settings->auto_evolve) {
        return bad_record(fault,
                          "Table %s is missing field %s and auto-evolution is disabled; set "
                          "auto.evolve=true, add the column, or set sluice.unknown.fields=ignore",
                          target->text, missing->name);
    }
    struct buffer sql;
    buffer_init(&sql, DDL_MAX);
    if (ddl_add_column(writer->host, settings, batch, &target->table->name, missing, &sql, fault) != 0) {
        buffer_finish(&sql);
        return WRITER_BAD_RECORD;
    }
    writer->host->log(writer->host, SLUICE_INFO, "Amending table with sql: %s", sql.data);
    int made = settings->client->execute(writer->database, sql.data, error);
    buffer_finish(&sql);
    struct sql_error why = made != 0 ? *error : (struct sql_error){.class = SQL_FATAL};
    if (made != 0 && why.class == SQL_RECONNECT) {
        return WRITER_FAILED;
    }
    if (reread_table(writer, target, error) != 0) {
        return WRITER_FAILED;
    }
    if (!target->table || !sql_table_column(target->table, missing->name, strlen(missing->name))) {
        *error = why;
        return WRITER_FAILED;
    }
    return WRITER_DONE;
}

/* Once a table: an upsert that goes by other columns than its keys is told of, one by none refused. */
static enum writer_outcome check_upsert(struct writer *writer, struct target *target,
                                        const struct shape *shape, struct sql_error *error)
{
    const struct sink_settings *settings = writer->settings;
    if (target->upsert_checked || settings->insert_mode != INSERT_UPSERT || shape->deletes ||
        !settings->client->check_upsert) {
        return WRITER_DONE;
    }
    char words[300];
    const char **columns = calloc(shape->column_count, sizeof(*columns));
    for (size_t i = 0; columns && i < shape->column_count; i++) {
        columns[i] = shape->columns[i].target;
    }
    int result = columns ? settings->client->check_upsert(
                               writer->database, &target->table->name, columns, shape->column_count,
                               shape->key_count, words, sizeof(words), error)
                         : sql_error_set(error, SQL_RETRY, "", 0, "no memory");
    free(columns);
    target->upsert_checked = result == 0;
    if (result == 0 && *words) {
        writer->host->log(writer->host, SLUICE_WARN,
                          "Table %s has no primary key or unique index on exactly the columns of pk.fields: "
                          "insert.mode=upsert updates the row that its unique indexes find (%s), and "
                          "inserts where they find none",
                          target->text, words);
    }
    return result == 0 ? WRITER_DONE : WRITER_FAILED;
}

/* Makes a new shape ready: its table is there, with all columns. *ret_absent: no table, and none needed. */
static enum writer_outcome fit_table(struct writer *writer, struct target *target,
                                     struct sluice_batch *batch, struct shape *shape,
                                     bool *ret_absent, struct shape_fault *fault,
                                     struct sql_error *error)
{
    const struct sink_settings *settings = writer->settings;
    *ret_absent = false;
    if (read_table(writer, target, error) != 0) {
        return WRITER_FAILED;
    }
    if (!target->table && shape->deletes) {
        *ret_absent = true; /* a tombstone makes no table */
        return WRITER_DONE;
    }
    if (!target->table && !settings->auto_create) {
        target->known = false; /* it may come */
        return bad_record(fault,
                          "Table %s is missing and auto-creation is disabled; make it, or set "
                          "auto.create=true",
                          target->text);
    }
    if (!target->table) {
        enum writer_outcome outcome = create_table(writer, target, batch, shape, fault, error);
        if (outcome != WRITER_DONE) {
            return outcome;
        }
    }
    if (!(settings->table_kinds & 1u << target->table->kind)) {
        return bad_record(fault, "%s is a view or another kind that table.types does not list",
                          target->text);
    }
    for (;;) {
        struct shape_column *missing;
        if (bind_columns(settings->client, shape, target->table, &missing) != 0) {
            return bad_record(fault, "no memory");
        }
        if (!missing) {
            break;
        }
        enum writer_outcome outcome =
            add_column(writer, target, batch, shape, missing, fault, error);
        if (outcome != WRITER_DONE) {
            return outcome;
        }
    }
    enum writer_outcome outcome = check_upsert(writer, target, shape, error);
    if (outcome != WRITER_DONE) {
        return outcome;
    }
    return ddl_statements(settings, target->table, shape) == 0 && shape_bind(writer->host, settings, shape) == 0
               ? WRITER_DONE
               : bad_record(fault, "no memory");
}

/* The shape for a record, made where there is none; the one used last stands first. */
static enum writer_outcome shape_of(struct writer *writer, struct target *target,
                                    struct sluice_batch *batch, const struct sluice_record *record,
                                    struct shape **ret_shape, struct shape_fault *fault,
                                    struct sql_error *error)
{
    for (struct shape **at = &target->shapes; *at; at = &(*at)->next) {
        struct shape *shape = *at;
        if (shape_fits(writer->host, shape, record)) {
            if (at != &target->shapes) {
                *at = shape->next;
                shape->next = target->shapes;
                target->shapes = shape;
            }
            *ret_shape = shape;
            return WRITER_DONE;
        }
    }
    struct shape *made = NULL;
    if (shape_create(writer->host, writer->settings, record, target->text, &made, fault) != 0) {
        return WRITER_BAD_RECORD;
    }
    /* A type that this record does not tell may be told by a later one of the batch. */
    for (size_t i = 0; !made->value_schema && i < writer->host->records->count(batch); i++) {
        const struct sluice_record *other = writer->host->records->at(batch, i);
        if (strcmp(writer->host->records->topic(other), target->topic) == 0 &&
            shape_fits(writer->host, made, other)) {
            shape_learn(writer->host, made, other);
        }
    }
    bool absent;
    enum writer_outcome outcome = fit_table(writer, target, batch, made, &absent, fault, error);
    if (outcome != WRITER_DONE || absent) {
        shape_destroy(writer->host, made);
        *ret_shape = NULL;
        return outcome;
    }
    (void)shape_fits(writer->host, made, record); /* it does: finds its values */
    made->next = target->shapes;
    target->shapes = made;
    *ret_shape = made;
    return WRITER_DONE;
}

void writer_skip(struct writer *writer, size_t i)
{
    writer->operations[i].target = NULL;
}

enum writer_outcome writer_prepare(struct writer *writer, struct sluice_batch *batch, size_t i,
                                   struct shape_fault *fault, struct sql_error *error)
{
    const struct sluice_record *record = writer->host->records->at(batch, i);
    struct operation *operation = &writer->operations[i];
    *operation = (struct operation){.target = NULL};
    struct target *target = target_of(writer, writer->host->records->topic(record), fault);
    if (!target) {
        return WRITER_BAD_RECORD;
    }
    struct shape *shape = NULL;
    enum writer_outcome outcome = shape_of(writer, target, batch, record, &shape, fault, error);
    if (outcome != WRITER_DONE || !shape) {
        return outcome;
    }
    operation->target = target;
    operation->shape = shape;
    operation->values = row_make(writer->host, writer->settings, batch, shape, record);
    operation->hash = row_keys_hash(shape, operation->values, &operation->exact, &operation->null_key);
    return WRITER_DONE;
}
