/* Queries for what is new: the forms that the JDBC source connectors use. */
#include "connectors/sql/followed.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "connectors/sql/names.h"

enum { QUERY_MAX = 1 << 20, VALUES_MAX = 4, TIME_SIZE = 64 };

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

/* -- the query -- */

static void write_column(const struct source_settings *settings, const char *name, struct buffer *to)
{
    sql_identifier_write(to, name, strlen(name), settings->client->quote);
}

/* The row's time: SQLite's text, in either form, is brought to one that compares. */
static void write_time(const struct source_settings *settings, const struct followed *followed,
                       struct buffer *to)
{
    buffer_append_text(to, followed->text_times ? "strftime('%Y-%m-%d %H:%M:%f', " : "");
    buffer_append_text(to, followed->time_count > 1 ? "COALESCE(" : "");
    for (size_t i = 0; i < followed->time_count; i++) {
        buffer_append_text(to, i ? "," : "");
        write_column(settings, followed->times[i], to);
    }
    buffer_append_text(to, followed->time_count > 1 ? ")" : "");
    buffer_append_text(to, followed->text_times ? ")" : "");
}

static void write_from(const struct source_settings *settings, const struct followed *followed,
                       struct buffer *to)
{
    if (followed->table) {
        sql_name_write(to, &followed->table->name, settings->client->quote);
        return;
    }
    size_t size = strlen(settings->query);
    while (size > 0 && strchr("; \t\r\n", settings->query[size - 1])) {
        size--;
    }
    buffer_append_char(to, '(');
    buffer_append(to, settings->query, size);
    buffer_append_text(to, "\n) sluice_query");
}

/* The zone of times in parameters and in rows that name none. */
static const struct zone *time_zone(const struct source_settings *settings, const struct followed *followed)
{
    return followed->instants ? zone_utc() : settings->zone;
}

/* A time as a parameter; text lives in scratch. */
static struct sql_value time_value(const struct source_settings *settings,
                                   const struct followed *followed, struct moment moment,
                                   char scratch[TIME_SIZE])
{
    if (settings->client->product == SQL_SQLITE && !followed->text_times) {
        return (struct sql_value){.kind = SQL_INTEGER, .integer = moment.ms};
    }
    const struct zone *zone = time_zone(settings, followed);
    size_t size = moment_print(moment, zone, ' ', settings->client->product == SQL_SQLITE ? 3 : 6, scratch);
    if (settings->client->product == SQL_POSTGRESQL) { /* a timestamp leaves the offset out */
        int seconds = zone_at(zone, moment.ms).seconds, of_day = abs(seconds);
        size += (size_t)snprintf(scratch + size, TIME_SIZE - size, "%c%02d:%02d:%02d", seconds < 0 ? '-' : '+',
                                 of_day / 3600, of_day / 60 % 60, of_day % 60);
    }
    return (struct sql_value){.kind = SQL_TEXT, .text = {scratch, size}};
}

static struct sql_value number_value(const struct position *position)
{
    return position->is_text
               ? (struct sql_value){.kind = SQL_TEXT, .text = {position->text, strlen(position->text)}}
               : (struct sql_value){.kind = SQL_INTEGER, .integer = position->number};
}

/* Where and order, with their parameters; the forms are those of the JDBC connectors. */
static size_t write_criteria(const struct source_settings *settings, const struct followed *followed,
                             struct moment end, struct buffer *to,
                             struct sql_value values[VALUES_MAX], char texts[VALUES_MAX][TIME_SIZE])
{
    size_t count = 0;
    const struct position *position = &followed->position;
    bool numbers = followed->incrementing && position->has_number;
    if (settings->mode == MODE_INCREMENTING) {
        if (numbers) {
            buffer_append_text(to, " WHERE ");
            write_column(settings, followed->incrementing, to);
            buffer_append_text(to, " > ?");
            values[count++] = number_value(position);
        }
        buffer_append_text(to, " ORDER BY ");
        write_column(settings, followed->incrementing, to);
        buffer_append_text(to, " ASC");
        return count;
    }
    buffer_append_text(to, " WHERE ");
    write_time(settings, followed, to);
    buffer_append_text(to, " < ?");
    values[count] = time_value(settings, followed, end, texts[count]);
    count++;
    buffer_append_text(to, " AND ");
    if (settings->mode == MODE_TIMESTAMP_INCREMENTING && numbers) {
        buffer_append_text(to, "((");
        write_time(settings, followed, to);
        buffer_append_text(to, " = ? AND ");
        write_column(settings, followed->incrementing, to);
        buffer_append_text(to, " > ?) OR ");
        values[count] = time_value(settings, followed, position->time, texts[count]);
        count++;
        values[count++] = number_value(position);
    }
    write_time(settings, followed, to);
    buffer_append_text(to, " > ?");
    values[count] = time_value(settings, followed, position->time, texts[count]);
    count++;
    buffer_append_text(to, settings->mode == MODE_TIMESTAMP_INCREMENTING && numbers ? ")" : "");
    buffer_append_text(to, " ORDER BY ");
    write_time(settings, followed, to);
    if (settings->mode == MODE_TIMESTAMP_INCREMENTING) {
        buffer_append_text(to, ",");
        write_column(settings, followed->incrementing, to);
    }
    buffer_append_text(to, " ASC");
    return count;
}

/* One value of one row. */
static int ask(const struct source_settings *settings, struct sql_database *database, const char *sql,
               char *to, size_t size, struct sql_error *error)
{
    struct sql_rows *rows;
    struct sql_value value = {.kind = SQL_NULL};
    if (settings->client->query(database, sql, NULL, 0, &rows, error) != 0) {
        return -1;
    }
    int more = rows->column_count == 1 ? settings->client->next(rows, &value, error) : 0;
    *to = '\0';
    if (more == 1 && (value.kind == SQL_TEXT || value.kind == SQL_BYTES)) {
        snprintf(to, size, "%.*s", (int)value.text.size, value.text.data);
    }
    settings->client->end(rows);
    return more < 0 ? -1 : 0;
}

/* The database's clock. */
static int read_now(const struct source_settings *settings, struct sql_database *database,
                    struct moment *now, struct sql_error *error)
{
    static const char *const queries[] = {"SELECT strftime('%Y-%m-%d %H:%M:%f', 'now') || 'Z'",
                                          "SELECT CURRENT_TIMESTAMP", "SELECT UTC_TIMESTAMP(6)"};
    char text[TIME_SIZE];
    if (ask(settings, database, queries[settings->client->product], text, sizeof(text), error) != 0) {
        return -1;
    }
    if (!moment_parse(text, strlen(text), zone_utc(), now)) {
        return sql_error_set(error, SQL_FATAL, "", 0, "the database's time '%s' cannot be read", text);
    }
    return 0;
}

/* SQLite has no type for times: how do they stand here? */
static int look_at_times(const struct source_settings *settings, struct sql_database *database,
                         struct followed *followed, struct sql_error *error)
{
    struct buffer sql;
    buffer_init(&sql, QUERY_MAX);
    buffer_append_text(&sql, "SELECT typeof(");
    write_time(settings, followed, &sql);
    buffer_append_text(&sql, ") FROM ");
    write_from(settings, followed, &sql);
    buffer_append_text(&sql, " WHERE ");
    write_time(settings, followed, &sql);
    buffer_append_text(&sql, " IS NOT NULL LIMIT 1");
    char text[TIME_SIZE];
    int outcome = sql.failed ? sql_error_set(error, SQL_RETRY, "", 0, "no memory")
                             : ask(settings, database, sql.data, text, sizeof(text), error);
    buffer_finish(&sql);
    if (outcome == 0 && *text) {
        followed->text_times = strcmp(text, "text") == 0;
    }
    return outcome;
}

/* MariaDB and MySQL have times in UTC (TIMESTAMP) and in db.timezone (DATETIME): which are these? */
static int look_for_instants(const struct source_settings *settings, struct sql_database *database,
                             struct followed *followed, struct sql_error *error)
{
    struct buffer sql;
    struct sql_rows *rows = NULL;
    buffer_init(&sql, QUERY_MAX);
    buffer_append_text(&sql, "SELECT * FROM ");
    write_from(settings, followed, &sql);
    buffer_append_text(&sql, " LIMIT 0");
    int outcome = sql.failed ? sql_error_set(error, SQL_RETRY, "", 0, "no memory")
                             : settings->client->query(database, sql.data, NULL, 0, &rows, error);
    buffer_finish(&sql);
    if (outcome != 0) {
        return -1;
    }
    size_t instants = 0, locals = 0;
    for (size_t i = 0; i < rows->column_count; i++) {
        for (size_t t = 0; t < followed->time_count; t++) {
            bool is_it = strcasecmp(rows->columns[i].name, followed->times[t]) == 0;
            instants += is_it && rows->columns[i].type == SQL_TYPE_TIMESTAMP_ZONE;
            locals += is_it && rows->columns[i].type != SQL_TYPE_TIMESTAMP_ZONE;
        }
    }
    settings->client->end(rows);
    if (instants > 0 && locals > 0 && zone_at(settings->zone, 0).seconds != 0) {
        return sql_error_set(error, SQL_FATAL, "", 0,
                             "%s: timestamp columns of type TIMESTAMP and of type DATETIME do not "
                             "compare unless db.timezone is UTC",
                             followed->name);
    }
    followed->instants = instants > 0;
    return 0;
}

/* Looks at how times are kept, and sets where to begin, unless position is set already. */
static int prepare(const struct source_settings *settings, struct sql_database *database,
                   struct followed *followed, struct sql_error *error)
{
    struct position *position = &followed->position;
    if (followed->time_count > 0 && settings->client->product == SQL_SQLITE &&
        look_at_times(settings, database, followed, error) != 0) {
        return -1;
    }
    if (followed->time_count > 0 && settings->client->product == SQL_MYSQL &&
        look_for_instants(settings, database, followed, error) != 0) {
        return -1;
    }
    if (followed->time_count > 0 && !position->has_time) {
        position->time = moment_of_ms(settings->timestamp_initial);
        if (settings->has_timestamp_initial && settings->timestamp_initial == -1 &&
            read_now(settings, database, &position->time, error) != 0) {
            return -1;
        }
        position->has_time = true;
    }
    /* A column that is no number is read from its beginning. */
    if (followed->incrementing && !position->has_number && followed->table) {
        const struct sql_column *column =
            sql_table_column(followed->table, followed->incrementing, strlen(followed->incrementing));
        bool integer = column && (column->type <= SQL_TYPE_UINT64 && column->type >= SQL_TYPE_INT8);
        if (integer || (column && column->type == SQL_TYPE_DECIMAL)) {
            position->has_number = true;
            position->number = settings->incrementing_initial;
        }
    }
    return 0;
}

int followed_open(const struct sluice_host *host, const struct source_settings *settings,
                  struct sql_database *database, struct followed *followed, struct sql_error *error)
{
    struct moment end = {0, 0};
    if (prepare(settings, database, followed, error) != 0) {
        return -1;
    }
    if (followed->time_count > 0) {
        if (read_now(settings, database, &end, error) != 0) {
            return -1;
        }
        end.ms -= settings->delay_ms;
        end.nanos = end.nanos % 1000000 + moment_of_ms(end.ms).nanos;
    }
    struct buffer sql;
    struct sql_value values[VALUES_MAX];
    char texts[VALUES_MAX][TIME_SIZE];
    size_t count = 0;
    buffer_init(&sql, QUERY_MAX);
    if (settings->mode == MODE_BULK && !followed->table) {
        buffer_append_text(&sql, settings->query);
    } else {
        buffer_append_text(&sql, "SELECT * FROM ");
        write_from(settings, followed, &sql);
        if (settings->mode != MODE_BULK) {
            count = write_criteria(settings, followed, end, &sql, values, texts);
        }
    }
    if (*settings->suffix) {
        buffer_append_char(&sql, ' ');
        buffer_append_text(&sql, settings->suffix);
    }
    if (sql.failed) {
        buffer_finish(&sql);
        return sql_error_set(error, SQL_FATAL, "", 0, "the query is too long");
    }
    int outcome = settings->client->query(database, sql.data, values, count, &followed->rows, error);
    buffer_finish(&sql);
    if (outcome != 0) {
        return -1;
    }
    followed->behind = followed->position.time;
    size_t columns = followed->rows->column_count;
    followed->row = calloc(columns ? columns : 1, sizeof(*followed->row));
    followed->time_indexes = calloc(followed->time_count + 1, sizeof(*followed->time_indexes));
    followed->number_index = -1;
    if (!followed->row || !followed->time_indexes) {
        followed_close(host, settings, followed);
        return sql_error_set(error, SQL_RETRY, "", 0, "no memory");
    }
    for (size_t t = 0; t < followed->time_count; t++) {
        followed->time_indexes[t] = -1;
    }
    for (size_t i = 0; i < columns; i++) {
        const char *name = followed->rows->columns[i].name;
        if (followed->incrementing && strcasecmp(name, followed->incrementing) == 0) {
            followed->number_index = (int)i;
        }
        for (size_t t = 0; t < followed->time_count; t++) {
            if (strcasecmp(name, followed->times[t]) == 0) {
                followed->time_indexes[t] = (int)i;
            }
        }
    }
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
                   !moment_parse(value->text.data, value->text.size, time_zone(settings, followed),
                                 &moment)) {
            return sql_error_set(error, SQL_FATAL, "", 0, "column %s of %s holds no time",
                                 followed->times[t], followed->name);
        }
        position->time = moment;
        position->has_time = true;
        break;
    }
    if (followed->number_index >= 0) {
        const struct sql_value *value = &followed->row[followed->number_index];
        position->has_number = value->kind != SQL_NULL;
        position->is_text = value->kind == SQL_TEXT;
        if (value->kind == SQL_INTEGER) {
            position->number = value->integer;
        } else if (value->kind == SQL_TEXT) {
            free(position->text);
            position->text = strndup(value->text.data, value->text.size);
            char *end;
            long long number = position->text ? strtoll(position->text, &end, 10) : 0;
            /* A decimal without fraction, and an unsigned, are numbers too. */
            if (position->text && end != position->text && *end == '\0' &&
                followed->rows->columns[followed->number_index].type != SQL_TYPE_STRING) {
                position->is_text = false;
                position->number = number;
            }
        }
    }
    return 0;
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
