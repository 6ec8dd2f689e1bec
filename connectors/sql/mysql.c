/*
 * MariaDB and MySQL by libmariadb. Prepared statements only; many rows travel in one statement. The
 * session's zone is set, its SQL mode strict: a value that does not fit is an error, never cut.
 */
#include <mariadb/errmsg.h>
#include <mariadb/mysql.h>
#include <mariadb/mysqld_error.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "connectors/sql/database.h"

enum { PARAMETERS_MAX = 65535, ROWS_MAX = 512, PREPARED_MAX = 48, TEXT_FIRST = 256 };

struct sql_database {
    MYSQL *connection;
    struct {
        uint64_t id;
        size_t rows;
        MYSQL_STMT *statement;
    } prepared[PREPARED_MAX];
    size_t prepared_count;
    MYSQL_BIND *binds;
    size_t room;
};

struct mysql_rows {
    struct sql_rows rows;
    struct sql_database *database;
    MYSQL_STMT *statement;
    MYSQL_BIND *binds;
    struct mysql_cell {
        unsigned long length;
        my_bool null;
        char *text;
        size_t room;
        int64_t integer;
        double real;
    } *cells;
};

static enum sql_error_class class_of(unsigned number)
{
    switch (number) {
    case ER_LOCK_DEADLOCK:
    case ER_LOCK_WAIT_TIMEOUT:
    case 3572: /* lock not available */
        return SQL_RETRY;
    case CR_CONNECTION_ERROR:
    case CR_CONN_HOST_ERROR:
    case CR_UNKNOWN_HOST:
    case CR_SERVER_GONE_ERROR:
    case CR_SERVER_LOST:
    case CR_SERVER_LOST_EXTENDED:
    case CR_OUT_OF_MEMORY:
    case ER_CON_COUNT_ERROR:
    case ER_UNKNOWN_COM_ERROR:
    case ER_SERVER_SHUTDOWN:
    case ER_OPTION_PREVENTS_STATEMENT:
    case ER_QUERY_INTERRUPTED:
    case ER_CONNECTION_KILLED:
    case ER_READ_ONLY_MODE:
    case ER_NET_READ_ERROR:
    case ER_DISK_FULL:
        return SQL_RECONNECT;
    case ER_BAD_FIELD_ERROR:
    case ER_NO_SUCH_TABLE:
    case ER_NEED_REPREPARE:
        return SQL_STALE;
    case ER_BAD_NULL_ERROR:
    case ER_DUP_ENTRY:
    case ER_WARN_DATA_OUT_OF_RANGE:
    case WARN_DATA_TRUNCATED:
    case ER_TRUNCATED_WRONG_VALUE:
    case ER_TRUNCATED_WRONG_VALUE_FOR_FIELD:
    case ER_DATA_TOO_LONG:
    case ER_ROW_IS_REFERENCED_2:
    case ER_NO_REFERENCED_ROW_2:
    case ER_NO_DEFAULT_FOR_FIELD:
    case ER_DIVISION_BY_ZERO:
    case 3819: /* a check constraint, MySQL */
    case 4025: /* and MariaDB */
    case ER_NET_PACKET_TOO_LARGE:
        return SQL_DATA;
    default:
        return SQL_FATAL;
    }
}

static int failed(unsigned number, const char *state, const char *text, struct sql_error *error)
{
    return sql_error_set(error, class_of(number), state, (int)number, "%s",
                         *text ? text : "the connection was lost");
}

static int fail(struct sql_database *database, struct sql_error *error)
{
    return failed(mysql_errno(database->connection), mysql_sqlstate(database->connection),
                  mysql_error(database->connection), error);
}

static int fail_statement(MYSQL_STMT *statement, struct sql_error *error)
{
    return failed(mysql_stmt_errno(statement), mysql_stmt_sqlstate(statement),
                  mysql_stmt_error(statement), error);
}

static int no_memory(struct sql_error *error)
{
    return sql_error_set(error, SQL_RETRY, "", CR_OUT_OF_MEMORY, "no memory");
}

static void forget_statements(struct sql_database *database)
{
    for (size_t i = 0; i < database->prepared_count; i++) {
        mysql_stmt_close(database->prepared[i].statement);
    }
    database->prepared_count = 0;
}

static void client_close(struct sql_database *database)
{
    if (database) {
        forget_statements(database);
        if (database->connection) {
            mysql_close(database->connection);
        }
        free(database->binds);
        free(database);
    }
}

static int client_execute(struct sql_database *database, const char *sql, struct sql_error *error)
{
    return mysql_query(database->connection, sql) != 0 ? fail(database, error) : 0;
}

static bool is_on(const char *value)
{
    return value && (strcasecmp(value, "true") == 0 || strcmp(value, "1") == 0);
}

static void set_seconds(MYSQL *connection, enum mysql_option option, const char *milliseconds,
                        unsigned seconds)
{
    if (milliseconds && atol(milliseconds) > 0) {
        seconds = (unsigned)((atol(milliseconds) + 999) / 1000);
    }
    mysql_options(connection, option, &seconds);
}

/* sslMode and its older forms: verified unless the URL says otherwise, once TLS is asked for. */
static void set_tls(MYSQL *connection, const struct jdbc_url *url)
{
    const char *mode = jdbc_url_parameter(url, "sslMode");
    bool asked = is_on(jdbc_url_parameter(url, "useSSL")) || is_on(jdbc_url_parameter(url, "useSsl"));
    const char *ca = jdbc_url_parameter(url, "serverSslCert");
    bool wanted = mode ? strcasecmp(mode, "disable") != 0 && strcasecmp(mode, "disabled") != 0 : asked;
    if (!wanted) {
        return;
    }
    bool trust = (mode && (strcasecmp(mode, "trust") == 0 || strcasecmp(mode, "preferred") == 0 ||
                           strcasecmp(mode, "required") == 0)) ||
                 is_on(jdbc_url_parameter(url, "trustServerCertificate"));
    my_bool yes = 1, verify = !trust;
    mysql_ssl_set(connection, NULL, NULL, ca, NULL, NULL);
    mysql_options(connection, MYSQL_OPT_SSL_ENFORCE, &yes);
    mysql_options(connection, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
}

static void library_start(void)
{
    mysql_library_init(0, NULL, NULL);
}

static int client_open(const struct sql_open *how, struct sql_database **ret_database,
                       struct sql_error *error)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, library_start);
    const struct jdbc_url *url = how->url;
    struct sql_database *database = calloc(1, sizeof(*database));
    if (!database || !(database->connection = mysql_init(NULL))) {
        free(database);
        return no_memory(error);
    }
    MYSQL *connection = database->connection;
    my_bool off = 0;
    unsigned local_files = 0; /* a server must not read our files */
    mysql_options(connection, MYSQL_OPT_LOCAL_INFILE, &local_files);
    mysql_options(connection, MYSQL_OPT_RECONNECT, &off);
    mysql_options(connection, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    mysql_optionsv(connection, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", how->application);
    set_seconds(connection, MYSQL_OPT_CONNECT_TIMEOUT, jdbc_url_parameter(url, "connectTimeout"), 10);
    set_seconds(connection, MYSQL_OPT_READ_TIMEOUT, jdbc_url_parameter(url, "socketTimeout"), 300);
    set_seconds(connection, MYSQL_OPT_WRITE_TIMEOUT, jdbc_url_parameter(url, "socketTimeout"), 300);
    set_tls(connection, url);
    const char *socket = jdbc_url_parameter(url, "localSocket");
    const char *user = how->user ? how->user : jdbc_url_parameter(url, "user");
    const char *password = how->password ? how->password : jdbc_url_parameter(url, "password");
    bool connected = false;
    size_t hosts = url->host_count ? url->host_count : 1;
    for (size_t i = 0; i < hosts && !connected; i++) {
        const char *host = url->host_count ? url->hosts[i].name : "localhost";
        /* JDBC means TCP, also to this machine; libmariadb takes the name for a socket. */
        if (!socket && strcmp(host, "localhost") == 0) {
            host = "127.0.0.1";
        }
        connected = mysql_real_connect(connection, host, user, password, url->database,
                                       url->host_count && url->hosts[i].port
                                           ? (unsigned)url->hosts[i].port
                                           : 3306,
                                       socket, CLIENT_FOUND_ROWS);
    }
    if (!connected) {
        fail(database, error);
        goto failed;
    }
    /* An offset of a named zone needs the server's tables; UTC is known without. */
    char text[200];
    bool utc = strcmp(how->zone, "UTC") == 0;
    char zone[128];
    mysql_real_escape_string(connection, zone, how->zone,
                             strlen(how->zone) < 60 ? strlen(how->zone) : 60);
    snprintf(text, sizeof(text), "SET time_zone = '%s', autocommit = 1", utc ? "+00:00" : zone);
    if (client_execute(database, text, error) != 0 ||
        client_execute(database,
                       "SET sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES,"
                       "NO_BACKSLASH_ESCAPES')",
                       error) != 0) {
        goto failed;
    }
    *ret_database = database;
    return 0;

failed:
    client_close(database);
    return -1;
}

/* -- writing -- */

static void bind_value(MYSQL_BIND *to, const struct sql_value *value)
{
    memset(to, 0, sizeof(*to));
    switch (value->kind) {
    case SQL_BOOLEAN:
    case SQL_INTEGER:
        to->buffer_type = MYSQL_TYPE_LONGLONG;
        to->buffer = (void *)&value->integer;
        break;
    case SQL_REAL:
        to->buffer_type = MYSQL_TYPE_DOUBLE;
        to->buffer = (void *)&value->real;
        break;
    case SQL_TEXT:
    case SQL_BYTES:
        to->buffer_type = value->kind == SQL_TEXT ? MYSQL_TYPE_STRING : MYSQL_TYPE_BLOB;
        to->buffer = (void *)(uintptr_t)value->text.data;
        to->buffer_length = value->text.size;
        break;
    case SQL_NULL:
    default:
        to->buffer_type = MYSQL_TYPE_NULL;
    }
}

static MYSQL_STMT *prepared(struct sql_database *database, const struct sql_statement *statement,
                            size_t rows, struct sql_error *error)
{
    for (size_t i = 0; i < database->prepared_count; i++) {
        if (database->prepared[i].id == statement->id && database->prepared[i].rows == rows) {
            return database->prepared[i].statement;
        }
    }
    if (database->prepared_count == PREPARED_MAX) {
        forget_statements(database);
    }
    char *text = sql_statement_text(statement, rows);
    MYSQL_STMT *made = text ? mysql_stmt_init(database->connection) : NULL;
    if (!made) {
        free(text);
        no_memory(error);
        return NULL;
    }
    if (mysql_stmt_prepare(made, text, strlen(text)) != 0) {
        fail_statement(made, error);
        mysql_stmt_close(made);
        free(text);
        return NULL;
    }
    free(text);
    database->prepared[database->prepared_count].id = statement->id;
    database->prepared[database->prepared_count].rows = rows;
    database->prepared[database->prepared_count++].statement = made;
    return made;
}

static int reserve(struct sql_database *database, size_t count)
{
    if (count > database->room) {
        MYSQL_BIND *binds = reallocarray(database->binds, count, sizeof(*binds));
        if (!binds) {
            return -1;
        }
        database->binds = binds;
        database->room = count;
    }
    return 0;
}

static int client_write(struct sql_database *database, const struct sql_statement *statement,
                        const struct sql_value *const *rows, size_t row_count, struct sql_error *error)
{
    size_t most = 1;
    while (statement->multi && most < ROWS_MAX && most * 2 * statement->value_count <= PARAMETERS_MAX) {
        most *= 2;
    }
    if (reserve(database, most * statement->value_count) != 0) {
        return no_memory(error);
    }
    for (size_t done = 0; done < row_count;) {
        size_t now = most;
        while (now > row_count - done) {
            now /= 2;
        }
        MYSQL_STMT *made = prepared(database, statement, now, error);
        if (!made) {
            return -1;
        }
        size_t i = 0;
        for (size_t row = 0; row < now; row++) {
            for (size_t column = 0; column < statement->value_count; column++) {
                bind_value(&database->binds[i++], &rows[done + row][column]);
            }
        }
        if (mysql_stmt_bind_param(made, database->binds) || mysql_stmt_execute(made)) {
            return fail_statement(made, error);
        }
        done += now;
    }
    return 0;
}

/* -- queries -- */

static enum sql_type type_of(const MYSQL_FIELD *field, int *ret_precision, int *ret_scale)
{
    bool is_unsigned = field->flags & UNSIGNED_FLAG, binary = field->charsetnr == 63;
    *ret_precision = *ret_scale = -1;
    switch (field->type) {
    case MYSQL_TYPE_TINY:
        return field->length == 1 ? SQL_TYPE_BOOLEAN : is_unsigned ? SQL_TYPE_INT16 : SQL_TYPE_INT8;
    case MYSQL_TYPE_BIT: return field->length == 1 ? SQL_TYPE_BOOLEAN : SQL_TYPE_BYTES;
    case MYSQL_TYPE_YEAR:
    case MYSQL_TYPE_SHORT: return is_unsigned ? SQL_TYPE_INT32 : SQL_TYPE_INT16;
    case MYSQL_TYPE_INT24: return SQL_TYPE_INT32;
    case MYSQL_TYPE_LONG: return is_unsigned ? SQL_TYPE_INT64 : SQL_TYPE_INT32;
    case MYSQL_TYPE_LONGLONG: return is_unsigned ? SQL_TYPE_UINT64 : SQL_TYPE_INT64;
    case MYSQL_TYPE_FLOAT: return SQL_TYPE_FLOAT32;
    case MYSQL_TYPE_DOUBLE: return SQL_TYPE_FLOAT64;
    case MYSQL_TYPE_DECIMAL:
    case MYSQL_TYPE_NEWDECIMAL:
        *ret_scale = (int)field->decimals;
        *ret_precision = (int)field->length - (field->decimals ? 1 : 0) - (is_unsigned ? 0 : 1);
        return SQL_TYPE_DECIMAL;
    case MYSQL_TYPE_DATE:
    case MYSQL_TYPE_NEWDATE: return SQL_TYPE_DATE;
    case MYSQL_TYPE_TIME: return SQL_TYPE_TIME;
    case MYSQL_TYPE_DATETIME: return SQL_TYPE_TIMESTAMP;
    case MYSQL_TYPE_TIMESTAMP: return SQL_TYPE_TIMESTAMP_ZONE;
    case MYSQL_TYPE_JSON: return SQL_TYPE_JSON;
    case MYSQL_TYPE_TINY_BLOB:
    case MYSQL_TYPE_MEDIUM_BLOB:
    case MYSQL_TYPE_LONG_BLOB:
    case MYSQL_TYPE_BLOB:
    case MYSQL_TYPE_STRING:
    case MYSQL_TYPE_VAR_STRING:
    case MYSQL_TYPE_VARCHAR: return binary ? SQL_TYPE_BYTES : SQL_TYPE_STRING;
    default: return SQL_TYPE_OTHER;
    }
}

static void client_end(struct sql_rows *base)
{
    struct mysql_rows *rows = (struct mysql_rows *)base;
    if (!rows) {
        return;
    }
    if (rows->statement) {
        mysql_stmt_free_result(rows->statement);
        mysql_stmt_close(rows->statement);
    }
    for (size_t i = 0; rows->cells && i < base->column_count; i++) {
        free(rows->cells[i].text);
    }
    free(rows->cells);
    free(rows->binds);
    sql_columns_free(base->columns, base->column_count);
    free(rows);
}

/* Where each column's values are to be put. */
static int bind_result(struct mysql_rows *rows, struct sql_error *error)
{
    for (size_t i = 0; i < rows->rows.column_count; i++) {
        struct mysql_cell *cell = &rows->cells[i];
        MYSQL_BIND *bind = &rows->binds[i];
        memset(bind, 0, sizeof(*bind));
        bind->length = &cell->length;
        bind->is_null = &cell->null;
        switch (rows->rows.columns[i].type) {
        case SQL_TYPE_INT8:
        case SQL_TYPE_INT16:
        case SQL_TYPE_INT32:
        case SQL_TYPE_INT64:
            bind->buffer_type = MYSQL_TYPE_LONGLONG;
            bind->buffer = &cell->integer;
            continue;
        case SQL_TYPE_FLOAT32:
        case SQL_TYPE_FLOAT64:
            bind->buffer_type = MYSQL_TYPE_DOUBLE;
            bind->buffer = &cell->real;
            continue;
        default:
            break;
        }
        if (!cell->text) {
            cell->room = TEXT_FIRST;
            cell->text = malloc(cell->room);
        }
        if (!cell->text) {
            return no_memory(error);
        }
        bind->buffer_type = MYSQL_TYPE_STRING;
        bind->buffer = cell->text;
        bind->buffer_length = cell->room;
    }
    return mysql_stmt_bind_result(rows->statement, rows->binds) ? fail_statement(rows->statement, error)
                                                                : 0;
}

static int client_query(struct sql_database *database, const char *sql, const struct sql_value *values,
                        size_t value_count, struct sql_rows **ret_rows, struct sql_error *error)
{
    struct mysql_rows *rows = calloc(1, sizeof(*rows));
    if (!rows || !(rows->statement = mysql_stmt_init(database->connection)) ||
        reserve(database, value_count) != 0) {
        client_end(rows ? &rows->rows : NULL);
        return no_memory(error);
    }
    rows->database = database;
    if (mysql_stmt_prepare(rows->statement, sql, strlen(sql))) {
        fail_statement(rows->statement, error);
        goto failed;
    }
    size_t wanted = mysql_stmt_param_count(rows->statement);
    for (size_t i = 0; i < value_count; i++) {
        bind_value(&database->binds[i], &values[i]);
    }
    if (wanted != value_count) {
        sql_error_set(error, SQL_FATAL, "07001", 0, "%zu parameters for %zu values", wanted,
                      value_count);
        goto failed;
    }
    /* Rows come as they are read: a cursor would copy them to a table of the server's first. */
    if ((value_count > 0 && mysql_stmt_bind_param(rows->statement, database->binds)) ||
        mysql_stmt_execute(rows->statement)) {
        fail_statement(rows->statement, error);
        goto failed;
    }
    MYSQL_RES *described = mysql_stmt_result_metadata(rows->statement);
    size_t count = described ? mysql_num_fields(described) : 0;
    rows->rows.columns = calloc(count ? count : 1, sizeof(*rows->rows.columns));
    rows->cells = calloc(count ? count : 1, sizeof(*rows->cells));
    rows->binds = calloc(count ? count : 1, sizeof(*rows->binds));
    if (!rows->rows.columns || !rows->cells || !rows->binds) {
        mysql_free_result(described);
        no_memory(error);
        goto failed;
    }
    rows->rows.column_count = count;
    for (size_t i = 0; i < count; i++) {
        const MYSQL_FIELD *field = &mysql_fetch_fields(described)[i];
        struct sql_column *column = &rows->rows.columns[i];
        column->name = strdup(field->name);
        column->type_name = strdup("");
        column->type = type_of(field, &column->precision, &column->scale);
        column->not_null = field->flags & NOT_NULL_FLAG;
    }
    if (described) {
        mysql_free_result(described);
    }
    if (count > 0 && bind_result(rows, error) != 0) {
        goto failed;
    }
    *ret_rows = &rows->rows;
    return 0;

failed:
    client_end(&rows->rows);
    return -1;
}

/* A value that was longer than its place is fetched again into a greater one. */
static int grow(struct mysql_rows *rows, size_t i, struct sql_error *error)
{
    struct mysql_cell *cell = &rows->cells[i];
    char *text = realloc(cell->text, cell->length);
    if (!text) {
        return no_memory(error);
    }
    cell->text = text;
    cell->room = cell->length;
    rows->binds[i].buffer = text;
    rows->binds[i].buffer_length = cell->room;
    if (mysql_stmt_fetch_column(rows->statement, &rows->binds[i], (unsigned)i, 0) ||
        mysql_stmt_bind_result(rows->statement, rows->binds)) {
        return fail_statement(rows->statement, error);
    }
    return 0;
}

static int client_next(struct sql_rows *base, struct sql_value *values, struct sql_error *error)
{
    struct mysql_rows *rows = (struct mysql_rows *)base;
    int result = base->column_count ? mysql_stmt_fetch(rows->statement) : MYSQL_NO_DATA;
    if (result == MYSQL_NO_DATA) {
        return 0;
    }
    if (result != 0 && result != MYSQL_DATA_TRUNCATED) {
        return fail_statement(rows->statement, error);
    }
    for (size_t i = 0; i < base->column_count; i++) {
        struct mysql_cell *cell = &rows->cells[i];
        struct sql_value *value = &values[i];
        if (cell->null) {
            value->kind = SQL_NULL;
            continue;
        }
        MYSQL_BIND *bind = &rows->binds[i];
        if (bind->buffer_type == MYSQL_TYPE_LONGLONG) {
            value->kind = SQL_INTEGER;
            value->integer = cell->integer;
            continue;
        }
        if (bind->buffer_type == MYSQL_TYPE_DOUBLE) {
            value->kind = SQL_REAL;
            value->real = cell->real;
            continue;
        }
        if (cell->length > cell->room && grow(rows, i, error) != 0) {
            return -1;
        }
        value->text = (struct sluice_span){cell->text, cell->length};
        switch (base->columns[i].type) {
        case SQL_TYPE_BOOLEAN:
            value->integer = cell->length > 0 && cell->text[0] != '0' && cell->text[0] != '\0';
            value->kind = SQL_BOOLEAN;
            break;
        case SQL_TYPE_BYTES:
            value->kind = SQL_BYTES;
            break;
        default:
            value->kind = SQL_TEXT;
        }
    }
    return 1;
}

/* -- tables -- */

static const char TABLES[] =
    "SELECT t.TABLE_SCHEMA, t.TABLE_NAME, t.TABLE_TYPE, c.COLUMN_NAME, c.COLUMN_TYPE, c.DATA_TYPE,"
    " c.NUMERIC_PRECISION, c.NUMERIC_SCALE, c.IS_NULLABLE, c.COLUMN_DEFAULT IS NOT NULL, c.EXTRA,"
    " k.SEQ_IN_INDEX FROM information_schema.TABLES t JOIN information_schema.COLUMNS c"
    " ON c.TABLE_SCHEMA = t.TABLE_SCHEMA AND c.TABLE_NAME = t.TABLE_NAME"
    " LEFT JOIN information_schema.STATISTICS k ON k.TABLE_SCHEMA = c.TABLE_SCHEMA AND"
    " k.TABLE_NAME = c.TABLE_NAME AND k.COLUMN_NAME = c.COLUMN_NAME AND k.INDEX_NAME = 'PRIMARY'";

static char *text_of(const struct sql_value *value)
{
    return value->kind == SQL_TEXT || value->kind == SQL_BYTES
               ? strndup(value->text.data, value->text.size)
               : strdup("");
}

static enum sql_type declared(const char *type, const char *whole)
{
    static const struct {
        const char *name;
        enum sql_type type, without_sign;
    } names[] = {
        {"tinyint", SQL_TYPE_INT8, SQL_TYPE_INT16},    {"smallint", SQL_TYPE_INT16, SQL_TYPE_INT32},
        {"mediumint", SQL_TYPE_INT32, SQL_TYPE_INT32}, {"int", SQL_TYPE_INT32, SQL_TYPE_INT64},
        {"bigint", SQL_TYPE_INT64, SQL_TYPE_UINT64},   {"float", SQL_TYPE_FLOAT32, SQL_TYPE_FLOAT32},
        {"double", SQL_TYPE_FLOAT64, SQL_TYPE_FLOAT64}, {"decimal", SQL_TYPE_DECIMAL, SQL_TYPE_DECIMAL},
        {"date", SQL_TYPE_DATE, SQL_TYPE_DATE},        {"time", SQL_TYPE_TIME, SQL_TYPE_TIME},
        {"datetime", SQL_TYPE_TIMESTAMP, SQL_TYPE_TIMESTAMP},
        {"timestamp", SQL_TYPE_TIMESTAMP_ZONE, SQL_TYPE_TIMESTAMP_ZONE},
        {"json", SQL_TYPE_JSON, SQL_TYPE_JSON},        {"binary", SQL_TYPE_BYTES, SQL_TYPE_BYTES},
        {"varbinary", SQL_TYPE_BYTES, SQL_TYPE_BYTES}, {"bit", SQL_TYPE_BYTES, SQL_TYPE_BYTES},
        {"year", SQL_TYPE_INT16, SQL_TYPE_INT16},
    };
    if (strcmp(whole, "tinyint(1)") == 0 || strcmp(whole, "bit(1)") == 0) {
        return SQL_TYPE_BOOLEAN;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcasecmp(type, names[i].name) == 0) {
            return strstr(whole, "unsigned") ? names[i].without_sign : names[i].type;
        }
    }
    return strcasestr(type, "blob") ? SQL_TYPE_BYTES
           : strcasestr(type, "char") || strcasestr(type, "text") ? SQL_TYPE_STRING
                                                                  : SQL_TYPE_OTHER;
}

/* One row of TABLES. */
static int add_column(const struct sql_value *values, struct sql_table **tables, size_t *count)
{
    struct sluice_span schema = values[0].text, name = values[1].text;
    struct sql_table *last = *count ? &(*tables)[*count - 1] : NULL;
    if (!last || strlen(last->name.table) != name.size ||
        memcmp(last->name.table, name.data, name.size) != 0 ||
        strlen(last->name.schema) != schema.size ||
        memcmp(last->name.schema, schema.data, schema.size) != 0) {
        struct sql_table *more = reallocarray(*tables, *count + 1, sizeof(*more));
        if (!more) {
            return -1;
        }
        *tables = more;
        last = &more[(*count)++];
        memset(last, 0, sizeof(*last));
        last->name.schema = text_of(&values[0]);
        last->name.table = text_of(&values[1]);
        last->kind = memmem(values[2].text.data, values[2].text.size, "VIEW", 4) ? SQL_KIND_VIEW
                                                                                 : SQL_KIND_TABLE;
        if (!last->name.schema || !last->name.table) {
            return -1;
        }
    }
    struct sql_column *columns = reallocarray(last->columns, last->column_count + 1, sizeof(*columns));
    if (!columns) {
        return -1;
    }
    last->columns = columns;
    struct sql_column *column = &columns[last->column_count++];
    char *type = text_of(&values[5]), *extra = text_of(&values[10]);
    *column = (struct sql_column){
        .name = text_of(&values[3]),
        .type_name = text_of(&values[4]),
        .precision = values[6].kind == SQL_NULL ? -1 : atoi(values[6].text.data),
        .scale = values[7].kind == SQL_NULL ? -1 : atoi(values[7].text.data),
        .not_null = values[8].text.size == 2, /* NO */
        .has_default = values[9].kind == SQL_INTEGER && values[9].integer,
        .key_order = values[11].kind == SQL_INTEGER ? (int)values[11].integer : 0,
    };
    int outcome = column->name && column->type_name && type && extra ? 0 : -1;
    if (outcome == 0) {
        column->type = declared(type, column->type_name);
        column->generated = strstr(extra, "auto_increment") != NULL;
    }
    free(type);
    free(extra);
    return outcome;
}

static int find_tables(struct sql_database *database, const char *where, const struct sql_value *values,
                       size_t value_count, struct sql_table **ret_tables, size_t *ret_count,
                       struct sql_error *error)
{
    char sql[sizeof(TABLES) + 400];
    snprintf(sql, sizeof(sql), "%s%s ORDER BY 1, 2, c.ORDINAL_POSITION", TABLES, where);
    struct sql_rows *rows = NULL;
    struct sql_value row[12];
    int more = client_query(database, sql, values, value_count, &rows, error);
    *ret_tables = NULL;
    *ret_count = 0;
    while (more == 0 && (more = client_next(rows, row, error)) == 1) {
        /* precision and scale are read as numbers where the server says so */
        char numbers[2][24];
        for (size_t i = 6; i < 8; i++) {
            if (row[i].kind == SQL_INTEGER) {
                snprintf(numbers[i - 6], sizeof(numbers[0]), "%lld", (long long)row[i].integer);
                row[i].kind = SQL_TEXT;
                row[i].text.data = numbers[i - 6];
            } else if (row[i].kind == SQL_TEXT) {
                snprintf(numbers[i - 6], sizeof(numbers[0]), "%.*s", (int)row[i].text.size,
                         row[i].text.data);
                row[i].text.data = numbers[i - 6];
            }
        }
        if (add_column(row, ret_tables, ret_count) != 0) {
            more = no_memory(error);
        } else {
            more = 0;
        }
    }
    client_end(rows);
    if (more != 0) {
        sql_tables_free(*ret_tables, *ret_count);
        *ret_tables = NULL;
        *ret_count = 0;
    }
    return more;
}

static struct sql_value text_value(const char *text)
{
    return text ? (struct sql_value){.kind = SQL_TEXT, .text = {text, strlen(text)}}
                : (struct sql_value){.kind = SQL_NULL};
}

static int client_describe(struct sql_database *database, const struct sql_name *name,
                           struct sql_table **ret_table, struct sql_error *error)
{
    /* What others call schema is a database here, and JDBC's catalog. */
    struct sql_value values[] = {text_value(name->table),
                                 text_value(name->schema ? name->schema : name->catalog)};
    struct sql_table *tables = NULL;
    size_t count = 0;
    *ret_table = NULL;
    if (find_tables(database, " WHERE t.TABLE_NAME = ? AND t.TABLE_SCHEMA = COALESCE(?, DATABASE())",
                    values, 2, &tables, &count, error) != 0) {
        return -1;
    }
    int outcome = 0;
    if (count > 0) {
        *ret_table = malloc(sizeof(**ret_table));
        if (*ret_table) {
            **ret_table = tables[0];
            memset(&tables[0], 0, sizeof(tables[0]));
        } else {
            outcome = no_memory(error);
        }
    }
    sql_tables_free(tables, count);
    return outcome;
}

static int client_list(struct sql_database *database, const char *catalog, const char *schema,
                       struct sql_table **ret_tables, size_t *ret_count, struct sql_error *error)
{
    struct sql_value value = text_value(catalog && *catalog ? catalog : schema && *schema ? schema : NULL);
    return find_tables(database, " WHERE t.TABLE_SCHEMA LIKE COALESCE(?, DATABASE())", &value, 1,
                       ret_tables, ret_count, error);
}

const struct sql_client sql_mysql = {
    .product = SQL_MYSQL,
    .quote = "`",
    .open = client_open,
    .close = client_close,
    .execute = client_execute,
    .write = client_write,
    .describe = client_describe,
    .list = client_list,
    .query = client_query,
    .next = client_next,
    .end = client_end,
};
