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

/* "1" for a column of integers is the key 1. Texts that are written otherwise are left to the database. */
static void settle_key(const struct shape_column *column, struct sql_value *value)
{
    char text[24], again[24], *end;
    if (value->kind != SQL_TEXT || column->type < SQL_TYPE_INT8 || column->type > SQL_TYPE_INT64 ||
        value->text.size == 0 || value->text.size >= sizeof(text)) {
        return;
    }
    snprintf(text, sizeof(text), "%.*s", (int)value->text.size, value->text.data);
    long long number = strtoll(text, &end, 10);
    snprintf(again, sizeof(again), "%lld", number);
    if (strlen(text) == value->text.size && strcmp(text, again) == 0) {
        put_integer(value, number);
    }
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
            if (i < shape->key_count) {
                settle_key(column, &values[i]);
            }
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

static uint64_t mix_bytes(uint64_t hash, const char *at, size_t size)
{
    size_t left = size;
    uint64_t word;
    for (; left >= sizeof(word); at += sizeof(word), left -= sizeof(word)) {
        memcpy(&word, at, sizeof(word));
        hash = mix(hash, word);
    }
    word = 0;
    memcpy(&word, at, left);
    return mix(mix(hash, word), size);
}

/* What is left of a number without sign and the zeros that say nothing; 0: it is none. */
static size_t plain_decimal(const char *text, size_t size, char *to, size_t room)
{
    size_t used = 0, fraction = 0;
    for (size_t i = size > 0 && (*text == '-' || *text == '+'); i < size; i++) {
        bool point = text[i] == '.' && fraction == 0;
        if ((!point && !isdigit((unsigned char)text[i])) || used == room) {
            return 0;
        }
        if (point || used > 0 || text[i] != '0') {
            to[used++] = text[i];
        }
        fraction = point ? used : fraction;
    }
    while (fraction > 0 && used >= fraction && (to[used - 1] == '0' || to[used - 1] == '.')) {
        used--;
    }
    if (used == 0) {
        to[used++] = '0';
    }
    return used;
}

/* The hash of what the database may compare of a value: letters without case, digits. */
static uint64_t mix_alike(uint64_t hash, enum sql_type type, const struct sql_value *value)
{
    char text[64];
    struct sluice_span span = {text, 0};
    switch (value->kind) {
    case SQL_TEXT:
    case SQL_BYTES:
        span = value->text;
        break;
    case SQL_REAL:
        span.size = (size_t)snprintf(text, sizeof(text), "%.17g", value->real);
        break;
    case SQL_NULL:
        return mix(hash, SQL_NULL);
    default:
        span.size = (size_t)snprintf(text, sizeof(text), "%lld", (long long)value->integer);
    }
    char number[128];
    size_t digits = type == SQL_TYPE_DECIMAL ? plain_decimal(span.data, span.size, number, sizeof(number)) : 0;
    if (digits > 0) {
        return mix_bytes(hash, number, digits);
    }
    for (size_t done = 0; done < span.size;) { /* a piece at a time, whatever its size */
        size_t used = 0;
        char piece[64];
        for (; done < span.size && used < sizeof(piece); done++) {
            unsigned char c = (unsigned char)span.data[done];
            if (c >= 128 || isalnum(c)) {
                piece[used++] = (char)(c < 128 ? tolower(c) : c);
            }
        }
        hash = used > 0 ? mix_bytes(hash, piece, used) : hash;
    }
    return hash;
}

/* Whether a value of other bytes is another one to the database, too. */
static bool is_exact(const struct shape_column *column, const struct sql_value *value)
{
    switch (value->kind) {
    case SQL_INTEGER:
        return column->type >= SQL_TYPE_INT8 && column->type <= SQL_TYPE_UINT64;
    case SQL_TEXT:
    case SQL_BYTES:
        return column->bytewise;
    default:
        return value->kind == SQL_NULL;
    }
}

uint64_t row_keys_hash(const struct shape *shape, const struct sql_value *values, bool *ret_exact,
                       bool *ret_null)
{
    uint64_t hash = 0xcbf29ce484222325u;
    *ret_exact = true;
    *ret_null = false;
    for (size_t i = 0; i < shape->key_count; i++) {
        const struct sql_value *value = &values[i];
        *ret_null = *ret_null || value->kind == SQL_NULL;
        if (!is_exact(&shape->columns[i], value)) {
            *ret_exact = false;
            hash = mix_alike(hash, shape->columns[i].type, value);
        } else if (value->kind == SQL_INTEGER) {
            hash = mix(hash, (uint64_t)value->integer);
        } else if (value->kind == SQL_NULL) {
            hash = mix(hash, SQL_NULL);
        } else {
            hash = mix_bytes(hash, value->text.data, value->text.size);
        }
    }
    return hash;
}
