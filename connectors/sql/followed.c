/* What is followed, by which columns, and how far it was read. The query: followed_query.c. */
#include "connectors/sql/followed.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connectors/sql/names.h"

void position_finish(struct position *position)
{
    free(position->text);
    memset(position, 0, sizeof(*position));
}

static int say(char *message, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int say(char *message, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, size, format, arguments);
    va_end(arguments);
    return -1;
}

static int add_time(struct followed *followed, const char *name, size_t size)
{
    char **times = reallocarray(followed->times, followed->time_count + 1, sizeof(*times));
    if (!times) {
        return -1;
    }
    followed->times = times;
    times[followed->time_count] = strndup(name, size);
    return times[followed->time_count++] ? 0 : -1;
}

/* Columns by settings, mapping or the table itself; each must be there. */
static int choose_columns(const struct source_settings *settings, struct followed *followed,
                          char *message, size_t size)
{
    bool numbers = settings->mode == MODE_INCREMENTING || settings->mode == MODE_TIMESTAMP_INCREMENTING;
    bool times = settings->mode == MODE_TIMESTAMP || settings->mode == MODE_TIMESTAMP_INCREMENTING;
    const struct sql_table *table = followed->table;
    if (numbers) {
        followed->incrementing = source_settings_mapped(
            settings->incrementing_mapping, settings->incrementing_mapping_count, followed->name);
        if (!followed->incrementing && *settings->incrementing_column) {
            followed->incrementing = strdup(settings->incrementing_column);
        }
        for (size_t i = 0; table && !followed->incrementing && i < table->column_count; i++) {
            if (table->columns[i].generated) {
                followed->incrementing = strdup(table->columns[i].name);
            }
        }
        if (!followed->incrementing) {
            return say(message, size,
                       "mode=%s: table %s has no generated column; name one by "
                       "incrementing.column.name",
                       times ? "timestamp+incrementing" : "incrementing", followed->name);
        }
    }
    if (times) {
        char *mapped = source_settings_mapped(settings->timestamp_mapping,
                                              settings->timestamp_mapping_count, followed->name);
        int outcome = 0;
        for (const char *at = mapped; at && *at && outcome == 0;) {
            at += strspn(at, "[|] ");
            size_t length = strcspn(at, "|]");
            outcome = length ? add_time(followed, at, length) : 0;
            at += length;
        }
        for (size_t i = 0; !mapped && outcome == 0 && i < settings->timestamp_column_count; i++) {
            outcome = add_time(followed, settings->timestamp_columns[i],
                               strlen(settings->timestamp_columns[i]));
        }
        free(mapped);
        if (outcome != 0 || followed->time_count == 0) {
            return say(message, size, "mode=timestamp: no timestamp.column.name for %s", followed->name);
        }
    }
    return 0;
}

static int resolve(const struct sql_table *table, char **name, bool *ret_not_null, char *message,
                   size_t size)
{
    const struct sql_column *column = sql_table_column(table, *name, strlen(*name));
    if (!column) {
        return say(message, size, "table %s has no column %s", table->name.table, *name);
    }
    char *real = strdup(column->name);
    if (!real) {
        return say(message, size, "no memory");
    }
    free(*name);
    *name = real;
    *ret_not_null = column->not_null;
    return 0;
}

static int check_columns(const struct source_settings *settings, struct followed *followed,
                         char *message, size_t size)
{
    bool not_null = true, any_time = followed->time_count == 0;
    if (!followed->table) {
        return 0;
    }
    if (followed->incrementing &&
        resolve(followed->table, &followed->incrementing, &not_null, message, size) != 0) {
        return -1;
    }
    if (followed->incrementing && !not_null && settings->validate_non_null) {
        return say(message, size,
                   "Cannot make incremental queries using incrementing column %s on %s because this "
                   "column is nullable; set validate.non.null=false to read it all the same",
                   followed->incrementing, followed->name);
    }
    for (size_t i = 0; i < followed->time_count; i++) {
        if (resolve(followed->table, &followed->times[i], &not_null, message, size) != 0) {
            return -1;
        }
        any_time = any_time || not_null;
    }
    if (!any_time && settings->validate_non_null) {
        return say(message, size,
                   "Cannot make incremental queries using timestamp columns of %s because all of "
                   "them are nullable; set validate.non.null=false to read it all the same",
                   followed->name);
    }
    return 0;
}

/* The topic for a table: prefix and name, or the prefix's ${schema} and ${table} replaced. */
static char *topic_of(const struct source_settings *settings, const struct sql_table *table)
{
    const char *prefix = settings->topic_prefix;
    bool marks = table && (strstr(prefix, "${table}") || strstr(prefix, "${schema}"));
    struct buffer topic;
    buffer_init(&topic, 4096);
    while (marks && *prefix) {
        if (strncmp(prefix, "${table}", 8) == 0) {
            buffer_append_text(&topic, table->name.table);
            prefix += 8;
        } else if (strncmp(prefix, "${schema}", 9) == 0) {
            buffer_append_text(&topic, table->name.schema ? table->name.schema : "");
            prefix += 9;
        } else {
            buffer_append_char(&topic, *prefix++);
        }
    }
    buffer_append_text(&topic, prefix);
    if (table && !marks) {
        buffer_append_text(&topic, table->name.table);
    }
    return buffer_take(&topic);
}

struct followed *followed_create(const struct source_settings *settings, struct sql_table *table,
                                 char *message, size_t message_size)
{
    struct followed *followed = calloc(1, sizeof(*followed));
    if (!followed) {
        sql_table_free(table);
        say(message, message_size, "no memory");
        return NULL;
    }
    followed->table = table;
    followed->name = table ? sql_name_text(&table->name) : strdup("query");
    followed->topic = topic_of(settings, table);
    if (!followed->name || !followed->topic) {
        say(message, message_size, !followed->name ? "no memory" : "topic.prefix is empty");
        goto failed;
    }
    if (choose_columns(settings, followed, message, message_size) != 0 ||
        check_columns(settings, followed, message, message_size) != 0) {
        goto failed;
    }
    return followed;

failed:
    followed_destroy(NULL, settings, followed);
    return NULL;
}

void followed_close(const struct sluice_host *host, const struct source_settings *settings,
                    struct followed *followed)
{
    if (followed->rows) {
        if (settings->mode == MODE_TIMESTAMP) {
            followed->position.time = followed->behind; /* invariant 1: others of its last time may follow */
        }
        settings->client->end(followed->rows);
        fields_destroy(host, followed->fields);
        free(followed->row);
        free(followed->time_indexes);
        followed->rows = NULL;
        followed->fields = NULL;
        followed->row = NULL;
        followed->time_indexes = NULL;
    }
}

void followed_destroy(const struct sluice_host *host, const struct source_settings *settings,
                      struct followed *followed)
{
    if (!followed) {
        return;
    }
    followed_close(host, settings, followed);
    sql_table_free(followed->table);
    for (size_t i = 0; i < followed->time_count; i++) {
        free(followed->times[i]);
    }
    free(followed->times);
    free(followed->incrementing);
    free(followed->name);
    free(followed->topic);
    position_finish(&followed->position);
    free(followed);
}

/* A decimal without fraction, and an unsigned, are numbers too. */
static bool is_whole(const struct sql_column *column, const char *text, int64_t *ret_number)
{
    char *end;
    errno = 0;
    *ret_number = strtoll(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' && column->type != SQL_TYPE_STRING;
}

/* The incrementing column of the row just read. */
static int advance_number(const struct source_settings *settings, struct followed *followed,
                          struct sql_error *error)
{
    struct position *position = &followed->position;
    const struct sql_value *value = &followed->row[followed->number_index];
    switch (value->kind) {
    case SQL_NULL: /* comes last on PostgreSQL, else first: the others of its time are still to come */
        if (settings->client->product != SQL_POSTGRESQL) {
            position->has_number = true;
            position->kind = SQL_INTEGER;
            position->number = INT64_MIN;
        }
        return 0;
    case SQL_BYTES:
        return sql_error_set(error, SQL_FATAL, "", 0,
                             "incrementing column %s of %s holds bytes, and cannot be followed; name another one, or "
                             "use a query that makes a text of it (hex)",
                             followed->incrementing, followed->name);
    case SQL_REAL:
        position->kind = SQL_REAL;
        position->real = value->real;
        break;
    case SQL_TEXT:
        free(position->text);
        position->text = strndup(value->text.data, value->text.size);
        if (!position->text) {
            return sql_error_set(error, SQL_RETRY, "", 0, "no memory");
        }
        position->kind = is_whole(&followed->rows->columns[followed->number_index], position->text, &position->number)
                             ? SQL_INTEGER
                             : SQL_TEXT;
        break;
    default:
        position->kind = SQL_INTEGER;
        position->number = value->integer;
    }
    position->has_number = true;
    return 0;
}

/* Moves the position behind the row just read. */
static int advance(const struct source_settings *settings, struct followed *followed,
                   struct sql_error *error)
{
    struct position *position = &followed->position;
    for (size_t t = 0; t < followed->time_count; t++) {
        int index = followed->time_indexes[t];
        const struct sql_value *value = index >= 0 ? &followed->row[index] : NULL;
        struct moment moment;
        if (!value || value->kind == SQL_NULL) {
            continue;
        }
        if (value->kind == SQL_INTEGER) {
            moment = moment_of_ms(value->integer);
        } else if (value->kind != SQL_TEXT ||
                   !moment_parse(value->text.data, value->text.size, followed_zone(settings, followed),
                                 &moment)) {
            return sql_error_set(error, SQL_FATAL, "", 0, "column %s of %s holds no time",
                                 followed->times[t], followed->name);
        }
        position->time = moment;
        position->has_time = true;
        break;
    }
    return followed->number_index < 0 ? 0 : advance_number(settings, followed, error);
}

/* Schemas are made with the first row, and again where it turns out that a column holds more. */
static int make_fields(const struct sluice_host *host, const struct source_settings *settings,
                       struct followed *followed, struct sql_error *error)
{
    char message[400];
    if (!fields_see(followed->rows, followed->row) && followed->fields) {
        return 0;
    }
    fields_destroy(host, followed->fields);
    followed->fields = NULL;
    return fields_create(host, settings, followed->table, followed->rows, &followed->fields, message,
                         sizeof(message)) == 0
               ? 0
               : sql_error_set(error, SQL_FATAL, "", 0, "%s", message);
}

int followed_next(const struct sluice_host *host, const struct source_settings *settings,
                  struct followed *followed, struct sql_error *error)
{
    int more = settings->client->next(followed->rows, followed->row, error);
    if (more == 1 && make_fields(host, settings, followed, error) != 0) {
        return -1;
    }
    if (more != 1 || settings->mode == MODE_BULK) {
        return more;
    }
    return advance(settings, followed, error) == 0 ? 1 : -1;
}
