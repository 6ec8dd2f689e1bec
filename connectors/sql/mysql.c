/*
 * MariaDB and MySQL by libmariadb. Prepared statements only; many rows travel in one statement. The
 * session's zone is set, its SQL mode strict: a value that does not fit is an error, never cut.
 */
#include <mariadb/errmsg.h>
#include <mariadb/mysqld_error.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "connectors/sql/mysql.h"

enum { PARAMETERS_MAX = 65535, ROWS_MAX = 512 };

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
    case ER_VIEW_CHECK_FAILED:
    case ER_INVALID_CHARACTER_STRING:
    case ER_TOO_BIG_ROWSIZE:
    case 3140: /* no JSON, MySQL */
        return SQL_DATA;
    default:
        return SQL_FATAL;
    }
}

static int failed(unsigned number, const char *state, const char *text, struct sql_error *error)
{
    bool signal = strncmp(state, "45", 2) == 0; /* a trigger's word against the row, by any number */
    enum sql_error_class class = signal ? SQL_DATA : number ? class_of(number) : SQL_RECONNECT;
    return sql_error_set(error, class, state, (int)number, "%s",
                         *text ? text : "the connection was lost");
}

int mysql_client_fail(struct sql_database *database, struct sql_error *error)
{
    return failed(mysql_errno(database->connection), mysql_sqlstate(database->connection),
                  mysql_error(database->connection), error);
}

int mysql_client_fail_statement(struct sql_database *database, MYSQL_STMT *statement,
                                struct sql_error *error)
{
    /* An error that comes in place of a row is only told to the connection (libmariadb 3.3). */
    if (mysql_stmt_errno(statement) == 0) {
        return mysql_client_fail(database, error);
    }
    return failed(mysql_stmt_errno(statement), mysql_stmt_sqlstate(statement),
                  mysql_stmt_error(statement), error);
}

int mysql_client_no_memory(struct sql_error *error)
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
    return mysql_query(database->connection, sql) != 0 ? mysql_client_fail(database, error) : 0;
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
        return mysql_client_no_memory(error);
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
        mysql_client_fail(database, error);
        goto failed;
    }
    /* Always UTC: few servers have their tables of named zones loaded, and an instant (TIMESTAMP) has
     * two readings in the hour that comes twice. db.timezone counts for DATETIME, on our side. */
    if (client_execute(database, "SET time_zone = '+00:00', autocommit = 1", error) != 0 ||
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

void mysql_client_bind_value(MYSQL_BIND *to, const struct sql_value *value)
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
        mysql_client_no_memory(error);
        return NULL;
    }
    if (mysql_stmt_prepare(made, text, strlen(text)) != 0) {
        mysql_client_fail_statement(database, made, error);
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

int mysql_client_reserve(struct sql_database *database, size_t count)
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
    if (mysql_client_reserve(database, most * statement->value_count) != 0) {
        return mysql_client_no_memory(error);
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
                mysql_client_bind_value(&database->binds[i++], &rows[done + row][column]);
            }
        }
        if (mysql_stmt_bind_param(made, database->binds) || mysql_stmt_execute(made)) {
            return mysql_client_fail_statement(database, made, error);
        }
        done += now;
    }
    return 0;
}

static int client_begin(struct sql_database *database, struct sql_error *error)
{
    return client_execute(database, "BEGIN", error);
}

static int client_commit(struct sql_database *database, struct sql_error *error)
{
    return client_execute(database, "COMMIT", error);
}

static void client_rollback(struct sql_database *database)
{
    struct sql_error ignored;
    client_execute(database, "ROLLBACK", &ignored);
}

const struct sql_client sql_mysql = {
    .product = SQL_MYSQL,
    .quote = "`",
    .open = client_open,
    .close = client_close,
    .execute = client_execute,
    .begin = client_begin,
    .commit = client_commit,
    .rollback = client_rollback,
    .write = client_write,
    .describe = mysql_client_describe,
    .list = mysql_client_list,
    .check_upsert = mysql_client_check_upsert,
    .query = mysql_client_query,
    .next = mysql_client_next,
    .end = mysql_client_end,
};
