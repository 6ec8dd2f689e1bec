/*
 * connection.url in JDBC's form, for the three databases there are clients for:
 *
 *     jdbc:sqlite:FILE   jdbc:sqlite::memory:   jdbc:sqlite:file:URI
 *     jdbc:postgresql://HOST[:PORT][,HOST2[:PORT2]]/DB?KEY=VALUE&..   jdbc:postgresql:DB
 *     jdbc:mysql://HOST[:PORT]/DB?..   jdbc:mariadb://HOST[:PORT]/DB?..
 */
#ifndef SQL_JDBC_URL_H
#define SQL_JDBC_URL_H

#include <stdbool.h>
#include <stddef.h>

enum sql_product { SQL_SQLITE, SQL_POSTGRESQL, SQL_MYSQL };

enum { JDBC_HOSTS_MAX = 8, JDBC_PARAMETERS_MAX = 64 };

struct jdbc_url {
    enum sql_product product;
    char *path;     /**< SQLite: file, `:memory:` or a URI */
    char *database; /**< NULL: none said */
    struct {
        char *name;
        int port; /**< 0: the default */
    } hosts[JDBC_HOSTS_MAX];
    size_t host_count;
    struct {
        char *name, *value; /**< decoded */
    } parameters[JDBC_PARAMETERS_MAX];
    size_t parameter_count;
};

/** -1 with a sentence in message, which never holds a password. On failure url is finished. */
int jdbc_url_parse(const char *text, struct jdbc_url *url, char *message, size_t message_size);
void jdbc_url_finish(struct jdbc_url *url);
/** Value of a parameter, any case of its name; NULL: not given. */
const char *jdbc_url_parameter(const struct jdbc_url *url, const char *name);
/** For logs and errors: product, hosts and database, and nothing else. */
void jdbc_url_describe(const struct jdbc_url *url, char *to, size_t size);

#endif
