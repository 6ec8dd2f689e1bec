/* Queries for what is new: the forms that the JDBC source connectors use. */
#include "connectors/sql/followed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "connectors/sql/names.h"

enum { QUERY_MAX = 1 << 20, VALUES_MAX = 4, TIME_SIZE = 64 };

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

const struct zone *followed_zone(const struct source_settings *settings, const struct followed *followed)
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
    const struct zone *zone = followed_zone(settings, followed);
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
    switch (position->kind) {
    case SQL_TEXT:
        return (struct sql_value){.kind = SQL_TEXT, .text = {position->text, strlen(position->text)}};
    case SQL_REAL:
        return (struct sql_value){.kind = SQL_REAL, .real = position->real};
    default:
        return (struct sql_value){.kind = SQL_INTEGER, .integer = position->number};
    }
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
        buffer_append_text(to, " WHERE ");
        write_column(settings, followed->incrementing, to);
        buffer_append_text(to, numbers ? " > ?" : " IS NOT NULL");
        if (numbers) {
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
            position->kind = SQL_INTEGER;
            position->number = settings->incrementing_initial;
        }
    }
    if (followed->incrementing && !position->has_number && !followed->table && settings->has_incrementing_initial) {
        position->has_number = true; /* of what type a query's column is, only the query tells */
        position->kind = SQL_INTEGER;
        position->number = settings->incrementing_initial;
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
