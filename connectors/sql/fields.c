/* Columns of a result to fields of a Struct. */
#include "connectors/sql/fields.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connectors/sql/moment.h"
#include "lib/java/double_text.h"

enum { DIGITS_MAX = 2000, SHOWN_MAX = 60, MS_PER_DAY = 86400000 };

/* -- schemas -- */

/* What numeric.mapping makes of a decimal. */
static void map_decimal(const struct source_settings *settings, const struct sql_column *column,
                        struct field *field)
{
    int precision = column->precision, scale = column->scale;
    bool fits = precision > 0 && precision <= 18;
    enum numeric_mapping mapping = settings->numeric;
    field->form = FIELD_DECIMAL;
    field->scale = scale;
    if (scale < 0 && precision < 0) { /* of any scale: Connect's Decimal has one for all rows */
        field->form = mapping >= NUMERIC_BEST_FIT ? FIELD_DECIMAL_REAL : FIELD_TEXT;
        field->type = SLUICE_FLOAT64;
    } else if (mapping != NUMERIC_NONE && fits &&
               (scale == 0 || (mapping >= NUMERIC_BEST_FIT && scale < 0))) {
        field->form = FIELD_DECIMAL_INTEGER;
        field->type = precision <= 2   ? SLUICE_INT8
                      : precision <= 4 ? SLUICE_INT16
                      : precision <= 9 ? SLUICE_INT32
                                       : SLUICE_INT64;
    } else if (scale > 0 && ((mapping == NUMERIC_BEST_FIT && fits) ||
                             mapping == NUMERIC_BEST_FIT_EAGER)) {
        field->form = FIELD_DECIMAL_REAL;
        field->type = SLUICE_FLOAT64;
    }
}

static void classify(const struct source_settings *settings, const struct sql_column *column,
                     struct field *field)
{
    switch (column->type) {
    case SQL_TYPE_INT8:
    case SQL_TYPE_INT16:
    case SQL_TYPE_INT32:
    case SQL_TYPE_INT64:
        field->form = FIELD_INTEGER;
        field->type = (enum sluice_type)(SLUICE_INT8 + (column->type - SQL_TYPE_INT8));
        return;
    case SQL_TYPE_UINT64:
        field->form = FIELD_DECIMAL;
        field->scale = 0;
        return;
    case SQL_TYPE_FLOAT32:
    case SQL_TYPE_FLOAT64:
        field->form = FIELD_REAL;
        field->type = column->type == SQL_TYPE_FLOAT32 ? SLUICE_FLOAT32 : SLUICE_FLOAT64;
        return;
    case SQL_TYPE_BOOLEAN:
        field->form = FIELD_BOOLEAN;
        return;
    case SQL_TYPE_DECIMAL:
        map_decimal(settings, column, field);
        return;
    case SQL_TYPE_BYTES:
        field->form = FIELD_BYTES;
        return;
    case SQL_TYPE_DATE:
        field->form = FIELD_DATE;
        return;
    case SQL_TYPE_TIME:
    case SQL_TYPE_TIME_ZONE:
        field->form = FIELD_TIME;
        return;
    case SQL_TYPE_TIMESTAMP:
    case SQL_TYPE_TIMESTAMP_ZONE:
        field->form = FIELD_TIMESTAMP;
        field->instant = column->type == SQL_TYPE_TIMESTAMP_ZONE;
        return;
    case SQL_TYPE_ANY:
        field->form = column->seen == SQL_INTEGER || column->seen == SQL_BOOLEAN ? FIELD_INTEGER
                      : column->seen == SQL_REAL                                 ? FIELD_REAL
                      : column->seen == SQL_BYTES                                ? FIELD_BYTES
                                                                                 : FIELD_TEXT;
        field->type = field->form == FIELD_REAL ? SLUICE_FLOAT64 : SLUICE_INT64;
        return;
    default:
        field->form = FIELD_TEXT;
    }
}

static const struct sluice_schema *schema_of(const struct sluice_host *host,
                                             const struct source_settings *settings,
                                             const struct field *field, bool optional, char *message,
                                             size_t size)
{
    char scale[16];
    const char *parameters[] = {"scale", scale};
    struct sluice_schema_spec spec = {.size = sizeof(spec), .optional = optional};
    switch (field->form) {
    case FIELD_INTEGER:
    case FIELD_REAL:
    case FIELD_DECIMAL_INTEGER:
    case FIELD_DECIMAL_REAL:
        spec.type = field->type;
        break;
    case FIELD_BOOLEAN:
        spec.type = SLUICE_BOOLEAN;
        break;
    case FIELD_BYTES:
        spec.type = SLUICE_BYTES;
        break;
    case FIELD_DECIMAL:
        snprintf(scale, sizeof(scale), "%d", field->scale);
        spec.type = SLUICE_BYTES;
        spec.name = SLUICE_SCHEMA_DECIMAL;
        spec.parameters = parameters;
        spec.parameter_count = 1;
        break;
    case FIELD_DATE:
        spec.type = SLUICE_INT32;
        spec.name = SLUICE_SCHEMA_DATE;
        break;
    case FIELD_TIME:
        spec.type = SLUICE_INT32;
        spec.name = SLUICE_SCHEMA_TIME;
        break;
    case FIELD_TIMESTAMP:
        if (settings->granularity == GRANULARITY_LOGICAL) {
            spec.type = SLUICE_INT64;
            spec.name = SLUICE_SCHEMA_TIMESTAMP;
        } else {
            spec.type = settings->granularity == GRANULARITY_MICROS_LONG ||
                                settings->granularity == GRANULARITY_NANOS_LONG
                            ? SLUICE_INT64
                            : SLUICE_STRING;
        }
        break;
    default:
        spec.type = SLUICE_STRING;
    }
    spec.has_version = spec.name != NULL;
    spec.version = spec.name ? 1 : 0;
    return host->data->schema_new(&spec, message, size);
}

static int find_column(const struct sql_rows *rows, const char *name)
{
    for (size_t i = 0; i < rows->column_count; i++) {
        if (strcmp(rows->columns[i].name, name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

/* Indexes of the key's columns. */
static int read_key(const struct source_settings *settings, const struct sql_table *table,
                    const struct sql_rows *rows, struct fields *fields, char *message, size_t size)
{
    size_t most = rows->column_count;
    fields->key_columns = calloc(most ? most : 1, sizeof(*fields->key_columns));
    if (!fields->key_columns) {
        snprintf(message, size, "no memory");
        return -1;
    }
    if (settings->key_mode == SOURCE_KEY_PRIMARY && table) {
        for (int order = 1; order <= (int)table->column_count; order++) {
            for (size_t i = 0; i < table->column_count; i++) {
                int found = table->columns[i].key_order == order
                                ? find_column(rows, table->columns[i].name)
                                : -1;
                if (found >= 0 && fields->key_count < most) {
                    fields->key_columns[fields->key_count++] = (size_t)found;
                }
            }
        }
    }
    for (size_t i = 0; settings->key_mode == SOURCE_KEY_COLUMNS && i < settings->key_column_count; i++) {
        int found = find_column(rows, settings->key_columns[i]);
        if (found < 0 || fields->key_count == most) {
            snprintf(message, size, "sluice.key.columns: there is no column %s", settings->key_columns[i]);
            return -1;
        }
        fields->key_columns[fields->key_count++] = (size_t)found;
    }
    return 0;
}

static const struct sluice_schema *struct_schema(const struct sluice_host *host, const char *name,
                                                 const struct sql_rows *rows,
                                                 const struct fields *fields, const size_t *columns,
                                                 size_t count, char *message, size_t size)
{
    const char **names = calloc(count ? count : 1, sizeof(*names));
    const struct sluice_schema **schemas = calloc(count ? count : 1, sizeof(*schemas));
    const struct sluice_schema *made = NULL;
    for (size_t i = 0; names && schemas && i < count; i++) {
        size_t column = columns ? columns[i] : i;
        names[i] = rows->columns[column].name;
        schemas[i] = fields->fields[column].schema;
    }
    if (names && schemas) {
        struct sluice_schema_spec spec = {.size = sizeof(spec), .type = SLUICE_STRUCT, .name = name,
                                          .field_count = count, .field_names = names,
                                          .field_schemas = schemas};
        made = host->data->schema_new(&spec, message, size);
    }
    free(names);
    free(schemas);
    return made;
}

int fields_create(const struct sluice_host *host, const struct source_settings *settings,
                  const struct sql_table *table, const struct sql_rows *rows, struct fields **ret_fields,
                  char *message, size_t message_size)
{
    struct fields *fields = calloc(1, sizeof(*fields));
    if (!fields ||
        !(fields->fields = calloc(rows->column_count ? rows->column_count : 1, sizeof(*fields->fields)))) {
        free(fields);
        snprintf(message, message_size, "no memory");
        return -1;
    }
    fields->count = rows->column_count;
    for (size_t i = 0; i < rows->column_count; i++) {
        classify(settings, &rows->columns[i], &fields->fields[i]);
        fields->fields[i].schema = schema_of(host, settings, &fields->fields[i],
                                             !rows->columns[i].not_null, message, message_size);
        if (!fields->fields[i].schema) {
            goto failed;
        }
    }
    fields->schema = struct_schema(host, table ? table->name.table : NULL, rows, fields, NULL,
                                   fields->count, message, message_size);
    if (!fields->schema || read_key(settings, table, rows, fields, message, message_size) != 0) {
        goto failed;
    }
    if (fields->key_count > 0) {
        fields->key_schema = struct_schema(host, NULL, rows, fields, fields->key_columns,
                                           fields->key_count, message, message_size);
        if (!fields->key_schema) {
            goto failed;
        }
    }
    *ret_fields = fields;
    return 0;

failed:
    fields_destroy(host, fields);
    return -1;
}

void fields_destroy(const struct sluice_host *host, struct fields *fields)
{
    if (!fields) {
        return;
    }
    for (size_t i = 0; i < fields->count; i++) {
        if (fields->fields[i].schema) {
            host->data->schema_release(fields->fields[i].schema);
        }
    }
    if (fields->schema) {
        host->data->schema_release(fields->schema);
    }
    if (fields->key_schema) {
        host->data->schema_release(fields->key_schema);
    }
    free(fields->key_columns);
    free(fields->fields);
    free(fields);
}

bool fields_see(struct sql_rows *rows, const struct sql_value *row)
{
    bool changed = false;
    for (size_t i = 0; i < rows->column_count; i++) {
        struct sql_column *column = &rows->columns[i];
        enum sql_kind kind = row[i].kind, seen = column->seen;
        if (kind == SQL_NULL && column->not_null) { /* so it is in its table; a join, or 0000-00-00, knows better */
            column->not_null = false;
            changed = true;
        }
        if (column->type != SQL_TYPE_ANY || kind == SQL_NULL || kind == seen) {
            continue;
        }
        bool numbers = (kind == SQL_INTEGER || kind == SQL_REAL) && seen == SQL_REAL;
        bool widened = seen == SQL_INTEGER && kind == SQL_REAL;
        enum sql_kind now = seen == SQL_NULL ? kind : numbers || widened ? SQL_REAL : SQL_TEXT;
        changed = changed || now != seen;
        column->seen = now;
    }
    return changed;
}

/* -- values -- */

static struct sluice_span text_of(const struct sql_value *value, char scratch[JAVA_DOUBLE_TEXT_SIZE])
{
    switch (value->kind) {
    case SQL_REAL:
        return (struct sluice_span){scratch, java_double_text(value->real, scratch)};
    case SQL_BOOLEAN:
    case SQL_INTEGER:
        return (struct sluice_span){
            scratch,
            (size_t)snprintf(scratch, JAVA_DOUBLE_TEXT_SIZE, "%lld", (long long)value->integer)};
    default:
        return value->text;
    }
}

/* Digits to a big-endian two's complement; decimal text of any length up to DIGITS_MAX. */
static struct sluice_value *decimal_value(const struct sluice_host *host, struct sluice_batch *batch,
                                          struct sluice_span text, int scale)
{
    unsigned char bytes[DIGITS_MAX / 2];
    size_t used = 1, digits = 0;
    int fraction = -1, exponent = 0;
    bool negative = text.size > 0 && *text.data == '-', truncated = false;
    memset(bytes, 0, sizeof(bytes));
    /* bytes: little-endian while it is made */
    size_t i = negative || (text.size > 0 && *text.data == '+');
    for (; i < text.size; i++) {
        char c = text.data[i];
        if (c == '.' && fraction < 0) {
            fraction = 0;
            continue;
        }
        if (c == 'e' || c == 'E') {
            char rest[16];
            snprintf(rest, sizeof(rest), "%.*s", (int)(text.size - i - 1), text.data + i + 1);
            exponent = atoi(rest);
            break;
        }
        if (!isdigit((unsigned char)c) || ++digits > DIGITS_MAX) {
            return NULL;
        }
        if (fraction >= 0 && fraction >= scale && exponent == 0) {
            truncated = truncated || c != '0';
            continue; /* more digits than the column has: zeros */
        }
        fraction += fraction >= 0;
        unsigned carry = (unsigned)(c - '0');
        for (size_t b = 0; b < used || carry; b++) {
            if (b == sizeof(bytes)) {
                return NULL;
            }
            carry += bytes[b] * 10u;
            bytes[b] = (unsigned char)carry;
            carry >>= 8;
            used = b + 1 > used ? b + 1 : used;
        }
    }
    int missing = scale - (fraction > 0 ? fraction : 0) + exponent;
    if (digits == 0 || truncated || missing < 0 || missing > DIGITS_MAX) {
        return NULL;
    }
    for (; missing > 0; missing--) {
        unsigned carry = 0;
        for (size_t b = 0; b < used || carry; b++) {
            if (b == sizeof(bytes)) {
                return NULL;
            }
            carry += bytes[b] * 10u;
            bytes[b] = (unsigned char)carry;
            carry >>= 8;
            used = b + 1 > used ? b + 1 : used;
        }
    }
    if (used < sizeof(bytes) && bytes[used - 1] & 0x80) {
        used++; /* room for the sign */
    }
    unsigned carry = 1;
    for (size_t b = 0; negative && b < used; b++) {
        carry += (unsigned char)~bytes[b];
        bytes[b] = (unsigned char)carry;
        carry >>= 8;
    }
    unsigned char big[sizeof(bytes)];
    for (size_t b = 0; b < used; b++) {
        big[b] = bytes[used - 1 - b];
    }
    size_t skip = 0; /* no more bytes than BigInteger.toByteArray() gives */
    while (skip + 1 < used && ((big[skip] == 0 && !(big[skip + 1] & 0x80)) ||
                               (big[skip] == 0xff && big[skip + 1] & 0x80))) {
        skip++;
    }
    return host->data->new_decimal(batch, big + skip, used - skip, scale);
}

static bool read_moment(const struct sql_value *value, const struct zone *zone, struct moment *moment)
{
    if (value->kind == SQL_INTEGER) {
        *moment = moment_of_ms(value->integer); /* SQLite: as the sink and JDBC's driver write them */
        return true;
    }
    return (value->kind == SQL_TEXT || value->kind == SQL_BYTES) &&
           moment_parse(value->text.data, value->text.size, zone, moment);
}

static struct sluice_value *timestamp_value(const struct sluice_host *host,
                                            const struct source_settings *settings,
                                            struct sluice_batch *batch, struct moment moment)
{
    int64_t seconds = (moment.ms - (((moment.ms % 1000) + 1000) % 1000)) / 1000;
    char text[MOMENT_TEXT_SIZE];
    size_t size;
    switch (settings->granularity) {
    case GRANULARITY_MICROS_LONG:
        return host->data->new_integer(batch, SLUICE_INT64, seconds * 1000000 + moment.nanos / 1000);
    case GRANULARITY_NANOS_LONG:
        return host->data->new_integer(batch, SLUICE_INT64, seconds * 1000000000 + moment.nanos);
    case GRANULARITY_MICROS_STRING:
        size = (size_t)snprintf(text, sizeof(text), "%lld",
                                (long long)(seconds * 1000000 + moment.nanos / 1000));
        return host->data->new_string(batch, text, size);
    case GRANULARITY_NANOS_STRING:
        size = (size_t)snprintf(text, sizeof(text), "%lld",
                                (long long)(seconds * 1000000000 + moment.nanos));
        return host->data->new_string(batch, text, size);
    case GRANULARITY_MICROS_ISO:
    case GRANULARITY_NANOS_ISO:
        size = moment_print(moment, settings->zone, 'T',
                            settings->granularity == GRANULARITY_MICROS_ISO ? 6 : 9, text);
        return host->data->new_string(batch, text, size);
    default:
        return host->data->new_date(batch, moment.ms);
    }
}

/* NULL: it cannot be read. */
static struct sluice_value *value_of(const struct sluice_host *host,
                                     const struct source_settings *settings, const struct field *field,
                                     const struct sql_value *value, struct sluice_batch *batch)
{
    const struct sluice_data *data = host->data;
    char scratch[JAVA_DOUBLE_TEXT_SIZE];
    struct moment moment;
    int64_t ms;
    if (value->kind == SQL_NULL) {
        return data->new_null(batch);
    }
    struct sluice_span text = text_of(value, scratch);
    char *end = NULL;
    switch (field->form) {
    case FIELD_INTEGER:
    case FIELD_DECIMAL_INTEGER: {
        char number[40];
        int64_t integer = value->integer;
        if (value->kind != SQL_INTEGER && value->kind != SQL_BOOLEAN) {
            errno = 0;
            snprintf(number, sizeof(number), "%.*s", (int)text.size, text.data);
            integer = strtoll(number, &end, 10);
            bool zeros = *end == '.' && end[1 + strspn(end + 1, "0")] == '\0';
            if (errno || end == number || (*end && !zeros)) {
                return NULL;
            }
        }
        return data->new_integer(batch, field->type, integer);
    }
    case FIELD_REAL:
    case FIELD_DECIMAL_REAL: {
        double real = value->kind == SQL_REAL ? value->real : (double)value->integer;
        if (value->kind != SQL_REAL && value->kind != SQL_INTEGER) {
            char number[DIGITS_MAX];
            snprintf(number, sizeof(number), "%.*s", (int)text.size, text.data);
            real = strtod(number, &end);
            if (end == number || *end) {
                return NULL;
            }
        }
        return data->new_real(batch, field->type, real);
    }
    case FIELD_BOOLEAN:
        return value->kind == SQL_BOOLEAN || value->kind == SQL_INTEGER
                   ? data->new_boolean(batch, value->integer != 0)
                   : NULL;
    case FIELD_BYTES:
        return data->new_bytes(batch, text.data, text.size);
    case FIELD_DECIMAL:
        return decimal_value(host, batch, text, field->scale);
    case FIELD_DATE: {
        if (!read_moment(value, zone_utc(), &moment)) {
            return NULL;
        }
        int64_t of_day = ((moment.ms % MS_PER_DAY) + MS_PER_DAY) % MS_PER_DAY;
        bool has_day = moment.ms / MS_PER_DAY <= INT32_MAX && moment.ms / MS_PER_DAY >= INT32_MIN;
        return has_day ? data->new_date(batch, moment.ms - of_day)
                       : of_day ? data->new_date(batch, moment.ms) : NULL; /* infinity, as JDBC has it */
    }
    case FIELD_TIME:
        return moment_parse_time(text.data, text.size, &ms) ? data->new_date(batch, ms) : NULL;
    case FIELD_TIMESTAMP:
        return read_moment(value, field->instant ? zone_utc() : settings->zone, &moment)
                   ? timestamp_value(host, settings, batch, moment)
                   : NULL;
    default:
        return data->new_string(batch, text.data, text.size);
    }
}

/* A value that converters refuse, as they do in the JVM, without a word of where it comes from. */
static void tell_refused(const struct sluice_host *host, struct field *field, const char *name,
                         const struct sluice_value *member, const struct sql_value *value)
{
    int64_t ms = host->data->type(member) == SLUICE_DATE ? host->data->integer(member) : 0;
    bool refused = (field->form == FIELD_DATE && ms % MS_PER_DAY != 0) ||
                   (field->form == FIELD_TIME && (ms < 0 || ms > MS_PER_DAY));
    if (refused && !field->told) {
        char scratch[JAVA_DOUBLE_TEXT_SIZE];
        struct sluice_span text = text_of(value, scratch);
        field->told = true;
        host->log(host, SLUICE_WARN, "Column %s: '%.*s' is no %s of Connect's. errors.tolerance=all leaves such "
                                     "rows out; a query that casts the column to text reads them",
                  name, (int)(text.size < SHOWN_MAX ? text.size : SHOWN_MAX), text.data,
                  field->form == FIELD_DATE ? "date" : "time of day");
    }
}

int fields_make(const struct sluice_host *host, const struct source_settings *settings,
                struct fields *fields, const struct sql_rows *rows, const struct sql_value *row,
                struct sluice_batch *batch, struct sluice_value **ret_value,
                struct sluice_value **ret_key, char *message, size_t message_size)
{
    struct sluice_value *value = host->data->new_struct(batch, fields->schema);
    for (size_t i = 0; i < fields->count; i++) {
        struct sluice_value *member = value_of(host, settings, &fields->fields[i], &row[i], batch);
        if (!member) {
            char scratch[JAVA_DOUBLE_TEXT_SIZE];
            struct sluice_span text = text_of(&row[i], scratch);
            snprintf(message, message_size, "column %s: '%.*s' cannot be read as its type%s%s",
                     rows->columns[i].name, (int)(text.size < SHOWN_MAX ? text.size : SHOWN_MAX), text.data,
                     *rows->columns[i].type_name ? " " : "", rows->columns[i].type_name);
            return -1;
        }
        tell_refused(host, &fields->fields[i], rows->columns[i].name, member, &row[i]);
        host->data->set_at(batch, value, i, member);
    }
    *ret_value = value;
    *ret_key = NULL;
    if (fields->key_count > 0) {
        *ret_key = host->data->new_struct(batch, fields->key_schema);
        for (size_t i = 0; i < fields->key_count; i++) {
            host->data->set_at(batch, *ret_key, i, host->data->at(value, fields->key_columns[i]));
        }
    }
    return 0;
}
