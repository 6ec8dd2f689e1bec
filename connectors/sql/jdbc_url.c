/* Reading of JDBC URLs. Pure functions: any thread. */
#include "connectors/sql/jdbc_url.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int refuse(struct jdbc_url *url, char *message, size_t size, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static int refuse(struct jdbc_url *url, char *message, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, size, format, arguments);
    va_end(arguments);
    jdbc_url_finish(url);
    return -1;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* %XX decoded, `+` a blank where plus is true; what is no escape stays. NULL: no memory or a NUL. */
static char *decoded(const char *text, size_t size, bool plus)
{
    char *out = malloc(size + 1);
    size_t length = 0;
    for (size_t i = 0; out && i < size; i++) {
        int high, low;
        if (text[i] == '%' && i + 2 < size && (high = hex_digit(text[i + 1])) >= 0 &&
            (low = hex_digit(text[i + 2])) >= 0) {
            if (high == 0 && low == 0) {
                free(out);
                return NULL;
            }
            out[length++] = (char)(high * 16 + low);
            i += 2;
        } else {
            out[length++] = plus && text[i] == '+' ? ' ' : text[i];
        }
    }
    if (out) {
        out[length] = '\0';
    }
    return out;
}

static int read_parameters(const char *text, struct jdbc_url *url, char *message, size_t message_size)
{
    while (*text) {
        size_t size = strcspn(text, "&;");
        if (size > 0) {
            const char *equals = memchr(text, '=', size);
            size_t name_size = equals ? (size_t)(equals - text) : size;
            if (url->parameter_count == JDBC_PARAMETERS_MAX) {
                return refuse(url, message, message_size, "more than %d parameters",
                              JDBC_PARAMETERS_MAX);
            }
            char *name = decoded(text, name_size, true);
            char *value = equals ? decoded(equals + 1, size - name_size - 1, true) : strdup("");
            if (!name || !value) {
                free(name);
                free(value);
                return refuse(url, message, message_size, "a parameter cannot be decoded");
            }
            url->parameters[url->parameter_count].name = name;
            url->parameters[url->parameter_count++].value = value;
        }
        text += size + (text[size] != '\0');
    }
    return 0;
}

static int read_host(const char *text, size_t size, struct jdbc_url *url, char *message,
                     size_t message_size)
{
    if (url->host_count == JDBC_HOSTS_MAX) {
        return refuse(url, message, message_size, "more than %d hosts", JDBC_HOSTS_MAX);
    }
    const char *end = text + size, *colon = NULL, *name = text, *name_end = end;
    if (size > 0 && text[0] == '[') { /* IPv6 */
        const char *close = memchr(text, ']', size);
        if (!close) {
            return refuse(url, message, message_size, "the host's ] is missing");
        }
        name = text + 1;
        name_end = close;
        colon = close + 1 < end ? close + 1 : NULL;
        if (colon && *colon != ':') {
            return refuse(url, message, message_size, "something other than a port behind the host's ]");
        }
    } else {
        colon = memchr(text, ':', size);
        name_end = colon ? colon : end;
    }
    long port = 0;
    if (colon) {
        char *stop = NULL;
        port = strtol(colon + 1, &stop, 10);
        if (stop != end || stop == colon + 1 || port < 1 || port > 65535 ||
            !isdigit((unsigned char)colon[1])) {
            return refuse(url, message, message_size, "the port '%.*s' is no number from 1 to 65535",
                          (int)(end - colon - 1), colon + 1);
        }
    }
    char *copy = name_end > name ? decoded(name, (size_t)(name_end - name), false)
                                 : strdup("localhost");
    if (!copy) {
        return refuse(url, message, message_size, "the host cannot be decoded");
    }
    url->hosts[url->host_count].name = copy;
    url->hosts[url->host_count++].port = (int)port;
    return 0;
}

static int read_server(const char *rest, struct jdbc_url *url, char *message, size_t message_size)
{
    if (strncmp(rest, "//", 2) == 0) {
        rest += 2;
        size_t authority = strcspn(rest, "/?");
        if (memchr(rest, '@', authority)) {
            return refuse(url, message, message_size,
                          "user and password stand in connection.user and connection.password");
        }
        for (size_t at = 0; at <= authority;) {
            size_t size = strcspn(rest + at, ",");
            if (at + size > authority) {
                size = authority - at;
            }
            if (read_host(rest + at, size, url, message, message_size) != 0) {
                return -1;
            }
            at += size + 1;
        }
        rest += authority;
        rest += *rest == '/';
    }
    size_t size = strcspn(rest, "?");
    if (size > 0 && !(url->database = decoded(rest, size, false))) {
        return refuse(url, message, message_size, "the database's name cannot be decoded");
    }
    rest += size;
    return *rest == '?' ? read_parameters(rest + 1, url, message, message_size) : 0;
}

int jdbc_url_parse(const char *text, struct jdbc_url *url, char *message, size_t message_size)
{
    static const struct {
        const char *prefix;
        enum sql_product product;
    } products[] = {{"jdbc:sqlite:", SQL_SQLITE},
                    {"jdbc:postgresql:", SQL_POSTGRESQL},
                    {"jdbc:mysql:", SQL_MYSQL},
                    {"jdbc:mariadb:", SQL_MYSQL}};
    memset(url, 0, sizeof(*url));
    const char *rest = NULL;
    for (size_t i = 0; i < sizeof(products) / sizeof(products[0]) && !rest; i++) {
        size_t size = strlen(products[i].prefix);
        if (strncasecmp(text, products[i].prefix, size) == 0) {
            rest = text + size;
            url->product = products[i].product;
        }
    }
    if (!rest) {
        size_t shown = strncasecmp(text, "jdbc:", 5) == 0 ? 5 + strcspn(text + 5, ":") : 0;
        return refuse(url, message, message_size,
                      "%.*s%sjdbc:sqlite:, jdbc:postgresql: and jdbc:mysql: (jdbc:mariadb:) are "
                      "supported",
                      (int)(shown > 60 ? 60 : shown), text, shown ? ": no such database here; " : "");
    }
    if (url->product != SQL_SQLITE) {
        return read_server(rest, url, message, message_size);
    }
    /* sqlite-jdbc takes parameters behind `?`; in a file: URI they are SQLite's own. */
    bool uri = strncmp(rest, "file:", 5) == 0;
    size_t size = uri ? strlen(rest) : strcspn(rest, "?");
    if (!(url->path = size ? strndup(rest, size) : strdup(":memory:"))) {
        return refuse(url, message, message_size, "no memory");
    }
    return rest[size] == '?' ? read_parameters(rest + size + 1, url, message, message_size) : 0;
}

void jdbc_url_finish(struct jdbc_url *url)
{
    free(url->path);
    free(url->database);
    for (size_t i = 0; i < url->host_count; i++) {
        free(url->hosts[i].name);
    }
    for (size_t i = 0; i < url->parameter_count; i++) {
        free(url->parameters[i].name);
        if (url->parameters[i].value) {
            explicit_bzero(url->parameters[i].value, strlen(url->parameters[i].value));
        }
        free(url->parameters[i].value);
    }
    memset(url, 0, sizeof(*url));
}

const char *jdbc_url_parameter(const struct jdbc_url *url, const char *name)
{
    for (size_t i = 0; i < url->parameter_count; i++) {
        if (strcasecmp(url->parameters[i].name, name) == 0) {
            return url->parameters[i].value;
        }
    }
    return NULL;
}

void jdbc_url_describe(const struct jdbc_url *url, char *to, size_t size)
{
    static const char *const names[] = {"sqlite", "postgresql", "mysql"};
    int length = snprintf(to, size, "jdbc:%s:%s", names[url->product],
                          url->path ? url->path : url->host_count ? "//" : "");
    for (size_t i = 0; i < url->host_count && length >= 0 && (size_t)length < size; i++) {
        length += snprintf(to + length, size - (size_t)length, "%s%s", i ? "," : "",
                           url->hosts[i].name);
        if (url->hosts[i].port && (size_t)length < size) {
            length += snprintf(to + length, size - (size_t)length, ":%d", url->hosts[i].port);
        }
    }
    if (url->database && length >= 0 && (size_t)length < size) {
        snprintf(to + length, size - (size_t)length, "%s%s", url->host_count ? "/" : "",
                 url->database);
    }
}
