/* SQL that is written: CREATE, ALTER, INSERT, UPDATE, DELETE in three dialects. */
#include "connectors/sql/ddl.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connectors/sql/names.h"
#include "connectors/sql/row.h"

enum { SQL_TEXT_MAX = 1 << 20 };

static const char *quote_of(const struct sink_settings *settings)
{
    return settings->quoted ? settings->client->quote : "";
}

/* -- types: sqlite, postgresql, mysql -- */

static const char *const integer8[] = {"INTEGER", "SMALLINT", "TINYINT"};
static const char *const integer16[] = {"INTEGER", "SMALLINT", "SMALLINT"};
static const char *const integer32[] = {"INTEGER", "INT", "INT"};
static const char *const integer64[] = {"INTEGER", "BIGINT", "BIGINT"};
static const char *const float32[] = {"REAL", "REAL", "FLOAT"};
static const char *const float64[] = {"REAL", "DOUBLE PRECISION", "DOUBLE"};
static const char *const boolean[] = {"INTEGER", "BOOLEAN", "TINYINT"};
static const char *const string[] = {"TEXT", "TEXT", "TEXT"};
static const char *const bytes[] = {"BLOB", "BYTEA", "LONGBLOB"};
static const char *const date[] = {"NUMERIC", "DATE", "DATE"};
static const char *const time_of_day[] = {"NUMERIC", "TIME", "TIME(3)"};
static const char *const timestamp[] = {"NUMERIC", "TIMESTAMP", "DATETIME(3)"};
static const char *const timestamp_fine[] = {"NUMERIC", "TIMESTAMP", "DATETIME(6)"};
static const char *const json[] = {"TEXT", "JSONB", "JSON"};

static const char *const *plain_type(enum sluice_type type)
{
    switch (type) {
    case SLUICE_INT8: return integer8;
    case SLUICE_INT16: return integer16;
    case SLUICE_INT32: return integer32;
    case SLUICE_INT64: return integer64;
    case SLUICE_FLOAT32: return float32;
    case SLUICE_FLOAT64: return float64;
    case SLUICE_BOOLEAN: return boolean;
    case SLUICE_BYTES: return bytes;
    case SLUICE_ARRAY:
    case SLUICE_MAP:
    case SLUICE_STRUCT: return json;
    case SLUICE_DATE: return timestamp;
    default: return string;
    }
}

static void write_decimal(const struct sluice_host *host, enum sql_product product,
                          const struct sluice_schema *schema, struct buffer *to)
{
    const char *scale = "0";
    for (size_t i = 0; schema && i < host->data->schema_parameter_count(schema); i++) {
        const char *key, *value;
        host->data->schema_parameter(schema, i, &key, &value);
        scale = strcmp(key, "scale") == 0 ? value : scale;
    }
    if (product == SQL_MYSQL) {
        bool digits = *scale && strspn(scale, "0123456789") == strlen(scale) && strlen(scale) < 3;
        buffer_printf(to, "DECIMAL(65,%s)", digits ? scale : "0");
    } else {
        buffer_append_text(to, product == SQL_SQLITE ? "NUMERIC" : "DECIMAL");
    }
}

static int write_type(const struct sluice_host *host, const struct sink_settings *settings,
                      const struct shape_column *column, struct buffer *to, struct shape_fault *fault)
{
    const struct sluice_data *data = host->data;
    enum sql_product product = settings->client->product;
    const char *name = column->schema ? data->schema_name(column->schema) : NULL;
    enum sluice_type type = column->schema ? data->schema_type(column->schema) : column->seen;
    if (column->timestamp && (type == SLUICE_INT64 || type == SLUICE_STRING)) {
        buffer_append_text(to, timestamp_fine[product]);
    } else if ((name && strcmp(name, SLUICE_SCHEMA_DECIMAL) == 0) || type == SLUICE_DECIMAL) {
        write_decimal(host, product, column->schema, to);
    } else if (name && strcmp(name, SLUICE_SCHEMA_DATE) == 0) {
        buffer_append_text(to, date[product]);
    } else if (name && strcmp(name, SLUICE_SCHEMA_TIME) == 0) {
        buffer_append_text(to, time_of_day[product]);
    } else if (name && strcmp(name, SLUICE_SCHEMA_TIMESTAMP) == 0) {
        buffer_append_text(to, timestamp[product]);
    } else if (type == SLUICE_ARRAY && column->schema && product == SQL_POSTGRESQL) {
        const struct sluice_schema *of = data->schema_value(column->schema);
        enum sluice_type element = of ? data->schema_type(of) : SLUICE_STRUCT;
        bool plain = element != SLUICE_ARRAY && element != SLUICE_MAP && element != SLUICE_STRUCT &&
                     element != SLUICE_BYTES && of && !data->schema_name(of);
        buffer_append_text(to, plain ? plain_type(element)[product] : json[product]);
        buffer_append_text(to, plain ? "[]" : "");
    } else if (product == SQL_MYSQL && column->key && (type == SLUICE_STRING || type == SLUICE_BYTES)) {
        buffer_append_text(to, type == SLUICE_STRING ? "VARCHAR(255)" : "VARBINARY(255)");
    } else {
        buffer_append_text(to, plain_type(type)[product]);
    }
    return to->failed ? (snprintf(fault->message, sizeof(fault->message), "no memory"), -1) : 0;
}

/* A literal, quotes doubled. U+0000 cannot stand in one. */
static void write_literal(struct buffer *to, const char *text, size_t size)
{
    buffer_append_char(to, '\'');
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\'') {
            buffer_append_char(to, '\'');
        }
        buffer_append_char(to, text[i] ? text[i] : ' ');
    }
    buffer_append_char(to, '\'');
}

/* False: this default cannot be said here (MySQL's TEXT, JSON and BLOB have none). */
static bool write_default(const struct sluice_host *host, const struct sink_settings *settings,
                          struct sluice_batch *batch, const struct shape_column *column,
                          struct buffer *to)
{
    const struct sluice_value *value =
        column->schema ? host->data->schema_default(column->schema) : NULL;
    if (!value || host->data->type(value) == SLUICE_NULL) {
        return false;
    }
    struct sql_value bound;
    row_convert(host, settings, batch, column, value, &bound);
    enum sql_product product = settings->client->product;
    if (product == SQL_MYSQL && !column->key && (bound.kind == SQL_BYTES ||
        (bound.kind == SQL_TEXT && host->data->type(value) == SLUICE_STRING))) {
        return false;
    }
    buffer_append_text(to, " DEFAULT ");
    switch (bound.kind) {
    case SQL_BOOLEAN:
        buffer_append_text(to, product == SQL_POSTGRESQL ? (bound.integer ? "TRUE" : "FALSE")
                                                         : (bound.integer ? "1" : "0"));
        return true;
    case SQL_INTEGER:
        buffer_printf(to, "%" PRId64, bound.integer);
        return true;
    case SQL_REAL:
        buffer_printf(to, "%.17g", bound.real);
        return true;
    case SQL_BYTES:
        buffer_append_text(to, product == SQL_POSTGRESQL ? "'\\x" : "x'");
        for (size_t i = 0; i < bound.text.size; i++) {
            buffer_printf(to, "%02x", (unsigned char)bound.text.data[i]);
        }
        buffer_append_char(to, '\'');
        return true;
    default:
        write_literal(to, bound.text.data, bound.text.size);
        return true;
    }
}

static int write_column(const struct sluice_host *host, const struct sink_settings *settings,
                        struct sluice_batch *batch, const struct shape_column *column, bool added,
                        struct buffer *to, struct shape_fault *fault)
{
    sql_identifier_write(to, column->name, strlen(column->name), quote_of(settings));
    buffer_append_char(to, ' ');
    if (write_type(host, settings, column, to, fault) != 0) {
        return -1;
    }
    if (column->key && !added) {
        buffer_append_text(to, " NOT NULL");
    } else if (!write_default(host, settings, batch, column, to)) {
        bool optional = added || !column->schema || host->data->schema_optional(column->schema);
        buffer_append_text(to, optional ? " NULL" : " NOT NULL");
    }
    return 0;
}

int ddl_create(const struct sluice_host *host, const struct sink_settings *settings,
               struct sluice_batch *batch, const struct sql_name *name, const struct shape *shape,
               struct buffer *to, struct shape_fault *fault)
{
    buffer_append_text(to, "CREATE TABLE ");
    sql_name_write(to, name, quote_of(settings));
    buffer_append_text(to, " (");
    /* Kafka's columns stand first, then the value's in its order, then what only the key has. */
    bool first = true;
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < shape->column_count; i++) {
            const struct shape_column *column = &shape->columns[i];
            int place = column->source <= FROM_OFFSET                                        ? 0
                        : column->source == FROM_VALUE || column->source == FROM_VALUE_FIELD ? 1
                                                                                             : 2;
            if (place != round) {
                continue;
            }
            buffer_append_text(to, first ? "\n" : ",\n");
            first = false;
            if (write_column(host, settings, batch, column, false, to, fault) != 0) {
                return -1;
            }
        }
    }
    for (size_t i = 0; i < shape->key_count; i++) {
        buffer_append_text(to, i == 0 ? ",\nPRIMARY KEY(" : ",");
        sql_identifier_write(to, shape->columns[i].name, strlen(shape->columns[i].name),
                             quote_of(settings));
    }
    buffer_append_text(to, shape->key_count ? "))" : ")");
    return to->failed ? -1 : 0;
}

int ddl_add_column(const struct sluice_host *host, const struct sink_settings *settings,
                   struct sluice_batch *batch, const struct sql_name *name,
                   const struct shape_column *column, struct buffer *to, struct shape_fault *fault)
{
    buffer_append_text(to, "ALTER TABLE ");
    sql_name_write(to, name, quote_of(settings));
    buffer_append_text(to, " ADD ");
    return write_column(host, settings, batch, column, true, to, fault) != 0 || to->failed ? -1 : 0;
}

bool ddl_may_be_missing(const struct sluice_host *host, const struct shape_column *column)
{
    return !column->schema || host->data->schema_optional(column->schema) ||
           host->data->schema_default(column->schema) != NULL;
}

/* -- statements -- */

struct writer {
    const struct sink_settings *settings;
    const struct sql_name *name;
    struct shape *shape;
};

static void names(const struct writer *w, struct buffer *to, size_t from, size_t count,
                  const char *between, const char *format)
{
    /* format: %1 is the column */
    for (size_t i = from; i < from + count; i++) {
        if (i > from) {
            buffer_append_text(to, between);
        }
        for (const char *f = format; *f; f++) {
            if (f[0] == '%') {
                const char *target = w->shape->columns[i].target;
                /* Names from the table itself are always quoted: they are what they are. */
                sql_identifier_write(to, target, strlen(target), w->settings->client->quote);
            } else {
                buffer_append_char(to, *f);
            }
        }
    }
}

static void insert_tail(const struct writer *w, struct buffer *tail)
{
    const struct shape *shape = w->shape;
    size_t rest = shape->column_count - shape->key_count;
    bool update = w->settings->insert_mode == INSERT_UPSERT && rest > 0;
    if (w->settings->insert_mode == INSERT_PLAIN) {
        return;
    }
    if (w->settings->client->product == SQL_MYSQL) {
        buffer_append_text(tail, " ON DUPLICATE KEY UPDATE ");
        if (update) {
            names(w, tail, shape->key_count, rest, ",", "%=VALUES(%)");
        } else {
            names(w, tail, 0, 1, ",", "%=%");
        }
        return;
    }
    buffer_append_text(tail, " ON CONFLICT (");
    names(w, tail, 0, shape->key_count, ",", "%");
    buffer_append_text(tail, update ? ") DO UPDATE SET " : ") DO NOTHING");
    if (update) {
        names(w, tail, shape->key_count, rest, ",", "%=EXCLUDED.%");
    }
}

static int take(struct sql_statement *statement, struct buffer *head, struct buffer *row,
                struct buffer *tail, size_t values, bool multi)
{
    static atomic_uint_fast64_t last;
    struct buffer *parts[] = {head, row, tail};
    char **texts[] = {&statement->head, &statement->row, &statement->tail};
    int outcome = 0;
    for (size_t i = 0; i < 3; i++) {
        bool failed = parts[i]->failed;
        buffer_append_text(parts[i], ""); /* an empty part is a text too */
        *texts[i] = parts[i]->data ? buffer_take(parts[i]) : NULL;
        if (!*texts[i] && !failed) {
            *texts[i] = strdup("");
        }
        buffer_finish(parts[i]);
        outcome = *texts[i] && !failed ? outcome : -1;
    }
    statement->value_count = values;
    statement->multi = multi;
    statement->id = atomic_fetch_add(&last, 1) + 1;
    return outcome;
}

/* The INSERT of head and tail with an array a column, where all columns have arrays. */
static int make_arrays(const struct writer *w, const struct sql_table *table)
{
    const struct shape *shape = w->shape;
    struct sql_statement *insert = &w->shape->write;
    struct buffer selected, arrays, made;
    buffer_init(&selected, SQL_TEXT_MAX);
    buffer_init(&arrays, SQL_TEXT_MAX);
    buffer_init(&made, SQL_TEXT_MAX);
    char *kinds = calloc(shape->column_count + 1, 1);
    bool all = kinds != NULL;
    for (size_t i = 0; all && i < shape->column_count; i++) {
        const char *target = shape->columns[i].target, *between = i ? "," : "";
        const struct sql_column *column = sql_table_column(table, target, strlen(target));
        all = column && column->array != SQL_ARRAY_NONE;
        if (all) {
            kinds[i] = (char)column->array;
            buffer_printf(&selected, "%sc%zu%s%s", between, i, column->cast ? "::" : "",
                          column->cast ? column->cast : "");
            buffer_printf(&arrays, "%s$%zu::%s[]", between, i + 1,
                          column->array == SQL_ARRAY_INTEGERS ? "int8"
                          : column->array == SQL_ARRAY_REALS  ? "float8"
                          : column->array == SQL_ARRAY_BYTES  ? "bytea"
                                                              : "text");
        }
    }
    if (all) {
        buffer_append(&made, insert->head, strlen(insert->head) - strlen(" VALUES "));
        buffer_printf(&made, " SELECT %s FROM unnest(%s) AS a(", selected.data, arrays.data);
        for (size_t i = 0; i < shape->column_count; i++) {
            buffer_printf(&made, "%sc%zu", i ? "," : "", i);
        }
        buffer_append_char(&made, ')');
        buffer_append_text(&made, insert->tail);
    }
    bool failed = !kinds || selected.failed || arrays.failed || made.failed;
    if (all && !failed) {
        insert->arrays = buffer_take(&made);
        insert->array_kinds = kinds;
        kinds = NULL;
    }
    free(kinds);
    buffer_finish(&selected);
    buffer_finish(&arrays);
    buffer_finish(&made);
    return failed ? -1 : 0;
}

int ddl_statements(const struct sink_settings *settings, const struct sql_table *table,
                   struct shape *shape)
{
    const struct sql_name *name = &table->name;
    struct writer w = {settings, name, shape};
    struct buffer head, row, tail;
    buffer_init(&head, SQL_TEXT_MAX);
    buffer_init(&row, SQL_TEXT_MAX);
    buffer_init(&tail, SQL_TEXT_MAX);
    const char *quote = settings->client->quote;
    if (settings->delete_enabled && shape->key_count > 0) {
        buffer_append_text(&head, "DELETE FROM ");
        sql_name_write(&head, name, quote);
        buffer_append_text(&head, " WHERE ");
        names(&w, &head, 0, shape->key_count, " AND ", "% = ?");
        if (take(&shape->delete_row, &head, &row, &tail, shape->key_count, false) != 0) {
            return -1;
        }
    }
    if (shape->deletes) {
        return 0;
    }
    if (settings->insert_mode == INSERT_UPDATE) {
        size_t rest = shape->column_count - shape->key_count;
        buffer_append_text(&head, "UPDATE ");
        sql_name_write(&head, name, quote);
        buffer_append_text(&head, " SET ");
        /* A row that has nothing but its key is as it should be. */
        names(&w, &head, rest ? shape->key_count : 0, rest ? rest : shape->key_count, ", ", "% = ?");
        buffer_append_text(&head, " WHERE ");
        names(&w, &head, 0, shape->key_count, " AND ", "% = ?");
        return take(&shape->write, &head, &row, &tail,
                    shape->key_count + (rest ? rest : shape->key_count), false);
    }
    buffer_append_text(&head, "INSERT INTO ");
    sql_name_write(&head, name, quote);
    buffer_append_text(&head, " (");
    names(&w, &head, 0, shape->column_count, ",", "%");
    buffer_append_text(&head, ") VALUES ");
    for (size_t i = 0; i < shape->column_count; i++) {
        buffer_append_text(&row, i == 0 ? "(?" : ",?");
    }
    buffer_append_char(&row, ')');
    insert_tail(&w, &tail);
    if (take(&shape->write, &head, &row, &tail, shape->column_count,
             settings->client->product != SQL_SQLITE) != 0) {
        return -1;
    }
    return make_arrays(&w, table);
}
