/*
 * Rows as PostgreSQL's arrays in their binary form, one a column: five parameters carry a thousand rows, no
 * number is printed, and the server parses and plans one statement whatever the number of rows.
 *
 * An array: dimensions (1), flags, type of its elements, their number, index of the first; then each
 * element with its size before it, -1 for NULL. All big-endian.
 */
#include <endian.h>
#include <limits.h>
#include <string.h>

#include "connectors/sql/postgres.h"
#include "lib/java/double_text.h"

enum { HEADER_SIZE = 20, ARRAY_MAX = 1 << 29 /* the server takes less than 1 GiB */ };

static char *put32(char *to, uint32_t value)
{
    value = htobe32(value);
    return mempcpy(to, &value, sizeof(value));
}

static char *put64(char *to, uint64_t value)
{
    value = htobe64(value);
    return mempcpy(put32(to, sizeof(value)), &value, sizeof(value));
}

static char *put_header(char *to, enum sql_array kind, size_t count)
{
    uint32_t type = kind == SQL_ARRAY_INTEGERS ? 20 : kind == SQL_ARRAY_REALS ? 701
                    : kind == SQL_ARRAY_BYTES  ? 17 : 25;
    to = put32(to, 1);
    to = put32(to, 0);
    to = put32(to, type);
    to = put32(to, (uint32_t)count);
    return put32(to, 1);
}

static size_t integer_text(int64_t value, char *to)
{
    char digits[24];
    size_t size = 0, length = 0;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        digits[size++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0) {
        to[length++] = '-';
    }
    while (size > 0) {
        to[length++] = digits[--size];
    }
    to[length] = '\0';
    return length;
}

size_t postgres_number_text(const struct sql_value *value, char to[POSTGRES_NUMBER_SIZE])
{
    if (value->kind == SQL_REAL) {
        return java_double_text(value->real, to);
    }
    if (value->kind == SQL_BOOLEAN) {
        memcpy(to, value->integer ? "t" : "f", 2);
        return 1;
    }
    return integer_text(value->integer, to);
}

/* Bytes that a column's array takes at most; 0: too many. */
static size_t room_of(enum sql_array kind, size_t column, const struct sql_value *const *rows,
                      size_t row_count)
{
    size_t room = HEADER_SIZE + row_count * (sizeof(uint32_t) + POSTGRES_NUMBER_SIZE);
    if (kind == SQL_ARRAY_TEXTS || kind == SQL_ARRAY_BYTES) {
        for (size_t row = 0; row < row_count; row++) {
            const struct sql_value *value = &rows[row][column];
            room += value->kind == SQL_TEXT || value->kind == SQL_BYTES ? value->text.size : 0;
        }
    }
    return room <= ARRAY_MAX ? room : 0;
}

/* Writes one column; NULL: a value does not fit. */
static char *put_column(enum sql_array kind, size_t column, const struct sql_value *const *rows,
                        size_t row_count, char *to)
{
    to = put_header(to, kind, row_count);
    for (size_t row = 0; row < row_count; row++) {
        const struct sql_value *value = &rows[row][column];
        if (value->kind == SQL_NULL) {
            to = put32(to, UINT32_MAX);
        } else if (kind == SQL_ARRAY_INTEGERS) {
            if (value->kind != SQL_INTEGER) {
                return NULL;
            }
            to = put64(to, (uint64_t)value->integer);
        } else if (kind == SQL_ARRAY_REALS) {
            if (value->kind != SQL_REAL && value->kind != SQL_INTEGER) {
                return NULL;
            }
            double real = value->kind == SQL_REAL ? value->real : (double)value->integer;
            uint64_t bits;
            memcpy(&bits, &real, sizeof(bits));
            to = put64(to, bits);
        } else if (value->kind == (kind == SQL_ARRAY_BYTES ? SQL_BYTES : SQL_TEXT)) {
            to = mempcpy(put32(to, (uint32_t)value->text.size), value->text.data, value->text.size);
        } else if (kind == SQL_ARRAY_TEXTS && value->kind != SQL_BYTES) {
            size_t size = postgres_number_text(value, to + sizeof(uint32_t));
            to = put32(to, (uint32_t)size) + size;
        } else {
            return NULL;
        }
    }
    return to;
}

int postgres_fill_arrays(struct sql_database *database, const struct sql_statement *statement,
                         const struct sql_value *const *rows, size_t row_count, bool *ret_fit,
                         struct sql_error *error)
{
    size_t room = 0;
    *ret_fit = false;
    for (size_t column = 0; column < statement->value_count; column++) {
        size_t more = room_of((enum sql_array)statement->array_kinds[column], column, rows, row_count);
        if (!more) {
            return 0;
        }
        room += more;
    }
    if (postgres_reserve_values(database, statement->value_count) != 0 ||
        postgres_reserve_text(database, room) != 0) {
        return postgres_no_memory(error);
    }
    char *at = database->text;
    for (size_t column = 0; column < statement->value_count; column++) {
        char *end = put_column((enum sql_array)statement->array_kinds[column], column, rows, row_count, at);
        if (!end) {
            return 0;
        }
        database->values[column] = at;
        database->lengths[column] = (int)(end - at);
        database->formats[column] = 1;
        at = end;
    }
    *ret_fit = true;
    return 0;
}
