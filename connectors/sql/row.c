/* Values of records as the database takes them. */
#include "connectors/sql/row.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connectors/sql/moment.h"
#include "lib/java/calendar.h"

enum { MS_PER_DAY = 86400000, TIME_TEXT_SIZE = 48 };

/* Written where they go, member by member: a value that is made elsewhere and copied costs more than all else here. */

static void put_integer(struct sql_value *to, int64_t value)
{
    to->kind = SQL_INTEGER;
    to->integer = value;
}

static void put_text(struct sql_value *to, struct sluice_span span)
{
    to->kind = SQL_TEXT;
    to->text.data = span.data ? span.data : "";
    to->text.size = span.size;
}

static void put_copy(struct sql_value *to, const struct sluice_host *host, struct sluice_batch *batch,
                     const char *buffer, int size)
{
    char *copy = host->records->alloc(batch, (size_t)size);
    memcpy(copy, buffer, (size_t)size);
    put_text(to, (struct sluice_span){copy, (size_t)size});
}

static int date_text(int64_t local_ms, char to[TIME_TEXT_SIZE])
{
    struct calendar_time t = calendar_split(local_ms);
    return snprintf(to, TIME_TEXT_SIZE, "%04lld-%02d-%02d%s", (long long)t.year, t.month + 1, t.day,
                    t.era == 0 ? " BC" : "");
}

static int time_text(int64_t ms, char *to, size_t size)
{
    int64_t of_day = ((ms % MS_PER_DAY) + MS_PER_DAY) % MS_PER_DAY;
    return snprintf(to, size, "%02d:%02d:%02d.%03d", (int)(of_day / 3600000),
                    (int)(of_day / 60000 % 60), (int)(of_day / 1000 % 60), (int)(of_day % 1000));
}

/* An instant, microseconds below its millisecond added: in the column's own zone where it has one. */
static void put_timestamp(struct sql_value *to, const struct sluice_host *host,
                          const struct sink_settings *settings, struct sluice_batch *batch,
                          const struct shape_column *column, int64_t ms, int microseconds)
{
    enum sql_product product = settings->client->product;
    if (product == SQL_SQLITE) {
        put_integer(to, ms);
        return;
    }
    bool utc = column->type == SQL_TYPE_TIMESTAMP_ZONE;
    int64_t local = utc ? ms : ms + (int64_t)zone_at(settings->zone, ms).seconds * 1000;
    char buffer[TIME_TEXT_SIZE * 2];
    struct calendar_time t = calendar_split(local);
    int size = snprintf(buffer, sizeof(buffer), "%04lld-%02d-%02d ", (long long)t.year, t.month + 1,
                        t.day);
    size += time_text(local, buffer + size, sizeof(buffer) - (size_t)size);
    if (microseconds) {
        size += snprintf(buffer + size, sizeof(buffer) - (size_t)size, "%03d", microseconds);
    }
    size += snprintf(buffer + size, sizeof(buffer) - (size_t)size, "%s%s",
                     utc && product == SQL_POSTGRESQL ? "+00" : "", t.era == 0 ? " BC" : "");
    put_copy(to, host, batch, buffer, size);
}

/* java.util.Date under the schema that says which of the three it is. */
static void put_date(struct sql_value *to, const struct sluice_host *host,
                     const struct sink_settings *settings, struct sluice_batch *batch,
                     const struct shape_column *column, const char *name, int64_t ms)
{
    char buffer[TIME_TEXT_SIZE];
    bool date = name && strcmp(name, SLUICE_SCHEMA_DATE) == 0;
    bool time = name && strcmp(name, SLUICE_SCHEMA_TIME) == 0;
    if (!date && !time) {
        put_timestamp(to, host, settings, batch, column, ms, 0);
    } else if (settings->client->product == SQL_SQLITE) {
        put_integer(to, ms);
    } else {
        put_copy(to, host, batch, buffer,
                 date ? date_text(ms, buffer) : time_text(ms, buffer, sizeof(buffer)));
    }
}

/* An array as PostgreSQL writes one: {"a",NULL,"b"}. */
static void put_array(struct sql_value *to_value, const struct sluice_host *host, struct sluice_batch *batch,
                      const struct sluice_value *value)
{
    const struct sluice_data *data = host->data;
    size_t count = data->count(value), room = 3, size = 0;
    for (size_t i = 0; i < count; i++) {
        room += 2 * data->to_text(batch, data->at(value, i)).size + 8;
    }
    char *to = host->records->alloc(batch, room);
    to[size++] = '{';
    for (size_t i = 0; i < count; i++) {
        const struct sluice_value *element = data->at(value, i);
        if (i > 0) {
            to[size++] = ',';
        }
        if (data->type(element) == SLUICE_NULL) {
            memcpy(to + size, "NULL", 4);
            size += 4;
            continue;
        }
        struct sluice_span part = data->to_text(batch, element);
        to[size++] = '"';
        for (size_t c = 0; c < part.size; c++) {
            if (part.data[c] == '"' || part.data[c] == '\\') {
                to[size++] = '\\';
            }
            to[size++] = part.data[c];
        }
        to[size++] = '"';
    }
    to[size++] = '}';
    put_text(to_value, (struct sluice_span){to, size});
}

/* A number of timestamp.fields.list. */
static void put_counted(struct sql_value *to, const struct sluice_host *host,
                        const struct sink_settings *settings, struct sluice_batch *batch,
                        const struct shape_column *column, int64_t count)
{
    int64_t micros = settings->timestamp_nanoseconds ? count / 1000 - (count % 1000 < 0) : count;
    int64_t ms = micros / 1000 - (micros % 1000 < 0);
    put_timestamp(to, host, settings, batch, column, ms, (int)(micros - ms * 1000));
}

static bool names_zone(struct sluice_span text)
{
    enum { DATE_SIZE = 10 };
    for (size_t i = DATE_SIZE; i < text.size; i++) {
        if (text.data[i] == 'Z' || text.data[i] == '+' || text.data[i] == '-') {
            return true;
        }
    }
    return false;
}

/*
 * Text that says a time: of a field that is listed as one (digits count from 1970, too), and, as
 * MariaDB takes no zone in a text, of any with a zone that goes into a column for times there.
 */
static bool text_timestamp(const struct sluice_host *host, const struct sink_settings *settings,
                           struct sluice_batch *batch, const struct shape_column *column,
                           struct sluice_span text, struct sql_value *to)
{
    struct moment moment;
    char number[24], *end;
    bool times = column->type == SQL_TYPE_TIMESTAMP || column->type == SQL_TYPE_TIMESTAMP_ZONE;
    if (text.size == 0 || !isdigit((unsigned char)text.data[0]) ||
        (!column->timestamp &&
                           (settings->client->product != SQL_MYSQL || !times || !names_zone(text)))) {
        return false;
    }
    if (moment_parse(text.data, text.size, settings->zone, &moment)) {
        put_timestamp(to, host, settings, batch, column, moment.ms, moment.nanos / 1000 % 1000);
        return true;
    }
    if (!column->timestamp || text.size >= sizeof(number)) {
        return false;
    }
    snprintf(number, sizeof(number), "%.*s", (int)text.size, text.data);
    long long count = strtoll(number, &end, 10);
    if (*end) {
        return false;
    }
    put_counted(to, host, settings, batch, column, count);
    return true;
}

/* What a plain number, truth or text is not. */
static void convert_rest(const struct sluice_host *host, const struct sink_settings *settings,
                         struct sluice_batch *batch, const struct shape_column *column,
                         const struct sluice_value *value, struct sql_value *to)
{
    const struct sluice_data *data = host->data;
    enum sluice_type type = data->type(value);
    switch (type) {
    case SLUICE_INT64: /* of timestamp.fields.list */
        put_counted(to, host, settings, batch, column, data->integer(value));
        return;
    case SLUICE_STRING:
        if (!text_timestamp(host, settings, batch, column, data->text(value), to)) {
            put_text(to, data->text(value));
        }
        return;
    case SLUICE_DECIMAL:
        put_text(to, data->to_text(batch, value));
        return;
    case SLUICE_DATE:
        put_date(to, host, settings, batch, column,
                 column->schema ? data->schema_name(column->schema) : NULL, data->integer(value));
        return;
    case SLUICE_ARRAY:
        if (settings->client->product == SQL_POSTGRESQL && column->type == SQL_TYPE_OTHER) {
            put_array(to, host, batch, value);
            return;
        }
        put_text(to, data->to_json(batch, value));
        return;
    case SLUICE_MAP:
    case SLUICE_STRUCT:
        put_text(to, data->to_json(batch, value));
        return;
    default:
        to->kind = SQL_NULL;
    }
}

void row_convert(const struct sluice_host *host, const struct sink_settings *settings,
                 struct sluice_batch *batch, const struct shape_column *column,
                 const struct sluice_value *value, struct sql_value *to)
{
    const struct sluice_data *data = host->data;
    enum sluice_type type = data->type(value);
    if (type == SLUICE_NULL && column->schema && settings->replace_null_with_default &&
        data->schema_default(column->schema)) {
        value = data->schema_default(column->schema);
        type = data->type(value);
    }
    if (type == SLUICE_INT64 && column->timestamp) {
        convert_rest(host, settings, batch, column, value, to);
        return;
    }
    switch (type) {
    case SLUICE_INT8:
    case SLUICE_INT16:
    case SLUICE_INT32:
    case SLUICE_INT64:
        put_integer(to, data->integer(value));
        return;
    case SLUICE_FLOAT32:
    case SLUICE_FLOAT64:
        to->kind = SQL_REAL;
        to->real = data->real(value);
        return;
    case SLUICE_BOOLEAN:
        to->kind = SQL_BOOLEAN;
        to->integer = data->boolean(value);
        return;
    case SLUICE_STRING:
        if (column->timestamp || settings->client->product == SQL_MYSQL) {
            break;
        }
        put_text(to, data->text(value));
        return;
    case SLUICE_BYTES:
        put_text(to, data->text(value));
        to->kind = SQL_BYTES;
        return;
    case SLUICE_NULL:
        to->kind = SQL_NULL;
        return;
    default:
        break;
    }
    convert_rest(host, settings, batch, column, value, to);
}

struct sql_value *row_make(const struct sluice_host *host, const struct sink_settings *settings,
                           struct sluice_batch *batch, const struct shape *shape,
                           const struct sluice_record *record)
{
    const struct sluice_records *records = host->records;
    size_t again = settings->insert_mode == INSERT_UPDATE ? shape->key_count : 0;
    struct sql_value *values =
        records->alloc(batch, (shape->column_count + again) * sizeof(*values) + 1);
    for (size_t i = 0; i < shape->column_count; i++) {
        const struct shape_column *column = &shape->columns[i];
        switch (column->source) {
        case FROM_TOPIC: {
            const char *topic = records->original_topic(record);
            put_text(&values[i], (struct sluice_span){topic, strlen(topic)});
            break;
        }
        case FROM_PARTITION:
            put_integer(&values[i], records->original_partition(record));
            break;
        case FROM_OFFSET:
            put_integer(&values[i], records->offset(record));
            break;
        default:
            row_convert(host, settings, batch, column, shape->found[i], &values[i]);
        }
    }
    if (again) {
        memcpy(values + shape->column_count, values, again * sizeof(*values));
    }
    return values;
}

bool row_keys_equal(const struct sql_value *a, const struct sql_value *b, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (a[i].kind != b[i].kind) {
            return false;
        }
        if (a[i].kind == SQL_TEXT || a[i].kind == SQL_BYTES) {
            if (a[i].text.size != b[i].text.size ||
                memcmp(a[i].text.data, b[i].text.data, a[i].text.size) != 0) {
                return false;
            }
        } else if (a[i].kind == SQL_REAL ? memcmp(&a[i].real, &b[i].real, sizeof(double)) != 0
                                         : a[i].kind != SQL_NULL && a[i].integer != b[i].integer) {
            return false;
        }
    }
    return true;
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
    return hash ^ hash >> 32;
}

uint64_t row_keys_hash(const struct sql_value *values, size_t count)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < count; i++) {
        if (values[i].kind == SQL_TEXT || values[i].kind == SQL_BYTES) {
            const char *at = values[i].text.data;
            size_t left = values[i].text.size;
            uint64_t word;
            for (; left >= sizeof(word); at += sizeof(word), left -= sizeof(word)) {
                memcpy(&word, at, sizeof(word));
                hash = mix(hash, word);
            }
            word = 0;
            memcpy(&word, at, left);
            hash = mix(mix(hash, word), values[i].text.size);
        } else {
            hash = mix(hash, values[i].kind == SQL_NULL ? SQL_NULL : (uint64_t)values[i].integer);
        }
    }
    return hash;
}
